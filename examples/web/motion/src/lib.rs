//! In Rust: moves shapes of C++, calling their virtual functions, and tells C when they bump into something, by calling
//! the function that C gave.
use std::collections::BTreeMap;
use std::sync::Mutex;

/// Memory comes from the C module's heap, which all three share.
#[global_allocator]
static ALLOCATOR: wasmshare_alloc::Shared = wasmshare_alloc::Shared;

#[repr(C)]
pub struct Body {
    x: f32,
    y: f32,
    vx: f32,
    vy: f32,
    cos: f32,
    sin: f32,
    spin: f32,
    size: f32,
    glow: f32,
}

/// What a C++ object starts with: a pointer to its class's table of function pointers.
#[repr(C)]
pub struct Shape {
    vtable: &'static VirtualFunctions,
    body: Body,
}

#[repr(C)]
struct VirtualFunctions {
    reach: extern "C" fn(&Shape) -> f32,
    outline: extern "C" fn(&Shape, *mut [f32; 2]) -> i32,
}

#[repr(C)]
pub struct Outline {
    count: i32,
    points: [[f32; 2]; 32],
}

#[repr(C)]
struct Arena {
    width: f32,
    height: f32,
}

unsafe extern "C" {
    /// The C module's variable, where it lies.
    static arena: Arena;
}

/// Where a shape has been lately; the oldest point is overwritten.
#[repr(C)]
pub struct Trail {
    points_ever: u32,
    points: [[f32; 2]; 32],
}

static TRAILS: Mutex<BTreeMap<usize, Box<Trail>>> = Mutex::new(BTreeMap::new());

impl Trail {
    fn new() -> Box<Trail> {
        Box::new(Trail {
            points_ever: 0,
            points: [[0.0; 2]; 32],
        })
    }

    fn push(&mut self, point: [f32; 2]) {
        self.points[self.points_ever as usize % self.points.len()] = point;
        self.points_ever += 1;
    }
}

impl Shape {
    fn reach(&self) -> f32 {
        (self.vtable.reach)(self)
    }

    fn advance(&mut self, seconds: f32) {
        let body = &mut self.body;
        body.x += seconds * body.vx;
        body.y += seconds * body.vy;
        body.glow = (body.glow - 2.0 * seconds).max(0.0);
        let (sin, cos) = (seconds * body.spin).sin_cos();
        (body.cos, body.sin) = (
            cos * body.cos - sin * body.sin,
            sin * body.cos + cos * body.sin,
        );
    }

    fn keep_inside(&mut self, edges: &Arena) -> bool {
        let reach = self.reach();
        let body = &mut self.body;
        let before = (body.vx, body.vy);
        body.vx = turned_back(body.x, body.vx, reach, edges.width);
        body.vy = turned_back(body.y, body.vy, reach, edges.height);
        before != (body.vx, body.vy)
    }

    /// Two that touch and come nearer exchange their speed along the line between them.
    fn bounce_off(&mut self, other: &mut Shape) -> bool {
        let near = self.reach() + other.reach();
        let (a, b) = (&mut self.body, &mut other.body);
        let (dx, dy) = (b.x - a.x, b.y - a.y);
        let distance = dx.hypot(dy);
        let (nx, ny) = (dx / distance, dy / distance);
        let nearing = (a.vx - b.vx) * nx + (a.vy - b.vy) * ny;
        if distance >= near || nearing.is_nan() || nearing <= 0.0 {
            return false;
        }
        a.vx -= nearing * nx;
        a.vy -= nearing * ny;
        b.vx += nearing * nx;
        b.vy += nearing * ny;
        true
    }
}

fn turned_back(at: f32, speed: f32, reach: f32, end: f32) -> f32 {
    if at < reach {
        speed.abs()
    } else if at > end - reach {
        -speed.abs()
    } else {
        speed
    }
}

/// # Safety
/// `shapes` are `count` pointers to different objects.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn step(
    shapes: *const *mut Shape,
    count: usize,
    seconds: f32,
    bumped: extern "C" fn(&mut Body),
) {
    let shapes = std::slice::from_raw_parts(shapes, count);
    for (i, &shape) in shapes.iter().enumerate() {
        let shape = &mut *shape;
        shape.advance(seconds);
        if shape.keep_inside(&arena) {
            bumped(&mut shape.body);
        }
        for &other in &shapes[..i] {
            let other = &mut *other;
            if shape.bounce_off(other) {
                bumped(&mut shape.body);
                bumped(&mut other.body);
            }
        }
    }
    let mut trails = TRAILS.lock().unwrap();
    for &shape in shapes {
        let body = &(*shape).body;
        trails
            .entry(shape as usize)
            .or_insert_with(Trail::new)
            .push([body.x, body.y]);
    }
}

/// # Safety
/// As of `step`; `outlines` has room for as many.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn draw(shapes: *const *mut Shape, count: usize, outlines: *mut Outline) {
    for i in 0..count {
        let (shape, outline) = (&**shapes.add(i), &mut *outlines.add(i));
        outline.count = (shape.vtable.outline)(shape, outline.points.as_mut_ptr());
    }
}

#[unsafe(no_mangle)]
pub extern "C" fn trail(shape: usize) -> *const Trail {
    TRAILS
        .lock()
        .unwrap()
        .get(&shape)
        .map_or(std::ptr::null(), |trail| &**trail)
}

#[unsafe(no_mangle)]
pub extern "C" fn forget(shape: usize) {
    TRAILS.lock().unwrap().remove(&shape);
}
