//! Rust with the standard library as people write it: tables of strings, trait objects, formatting, maps, panics.

use std::collections::HashMap;
use std::ffi::{c_char, CString};
use std::fmt::{self, Display};
use std::sync::Mutex;

static PLANETS: [&str; 8] =
    ["Mercury", "Venus", "Earth", "Mars", "Jupiter", "Saturn", "Uranus", "Neptune"];

trait Animal: Sync {
    fn name(&self) -> &'static str;
    fn legs(&self) -> u32 {
        4
    }
}

struct Dog;
struct Bird;

impl Animal for Dog {
    fn name(&self) -> &'static str {
        "dog"
    }
}

impl Animal for Bird {
    fn name(&self) -> &'static str {
        "bird"
    }
    fn legs(&self) -> u32 {
        2
    }
}

static ANIMALS: [&dyn Animal; 3] = [&Dog, &Bird, &Dog];

static OPERATIONS: [(&str, fn(f64, f64) -> f64); 3] =
    [("plus", |x, y| x + y), ("times", |x, y| x * y), ("power", f64::powf)];

struct Line(Vec<String>);

impl Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, word) in self.0.iter().enumerate() {
            write!(f, "{}{word}", if i == 0 { "" } else { " " })?;
        }
        Ok(())
    }
}

fn hand_out(text: impl Display) -> *mut c_char {
    CString::new(text.to_string()).unwrap().into_raw()
}

/// # Safety
/// `text` came from one of this module's functions.
#[no_mangle]
pub unsafe extern "C" fn release(text: *mut c_char) {
    drop(unsafe { CString::from_raw(text) });
}

#[no_mangle]
pub extern "C" fn planets() -> *mut c_char {
    hand_out(Line(PLANETS.iter().map(|planet| planet.to_string()).collect()))
}

#[no_mangle]
pub extern "C" fn planet_address(index: usize) -> *const u8 {
    PLANETS[index].as_ptr()
}

#[no_mangle]
pub extern "C" fn animals() -> *mut c_char {
    let legs: u32 = ANIMALS.iter().map(|animal| animal.legs()).sum();
    let names = ANIMALS.iter().map(|animal| animal.name().to_string()).collect();
    hand_out(format_args!("{} on {legs} legs", Line(names)))
}

#[no_mangle]
pub extern "C" fn calculate(x: f64, y: f64) -> *mut c_char {
    hand_out(Line(OPERATIONS.iter().map(|(name, operation)| format!("{name}={:.3}", operation(x, y))).collect()))
}

#[no_mangle]
pub extern "C" fn count_words(repetitions: u32) -> *mut c_char {
    let mut counts: HashMap<String, u32> = HashMap::new();
    for i in 0..repetitions {
        *counts.entry(format!("{}-{}", PLANETS[i as usize % 8], i % 1000)).or_default() += 1;
    }
    let mut entries: Vec<_> = counts.iter().collect();
    entries.sort();
    hand_out(format_args!("{} {:?}", entries.len(), entries[0]))
}

static LAST_PANIC: Mutex<Option<CString>> = Mutex::new(None);

#[no_mangle]
pub extern "C" fn remember_panics() {
    std::panic::set_hook(Box::new(|info| {
        *LAST_PANIC.lock().unwrap() = CString::new(info.to_string()).ok();
    }));
}

#[no_mangle]
pub extern "C" fn panic_message() -> *const c_char {
    LAST_PANIC.lock().unwrap().as_ref().map_or(std::ptr::null(), |message| message.as_ptr())
}

#[no_mangle]
pub extern "C" fn planet_length(index: usize) -> usize {
    PLANETS[index].len()
}
