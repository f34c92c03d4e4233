//! Makes a trait object, and frees it: its allocator made it.
use animal::Animal;

struct Dog {
    barks: i32,
}

impl Animal for Dog {
    fn legs(&self) -> i32 {
        4
    }
    fn name(&self) -> String {
        format!("dog that barked {} times", self.barks)
    }
    fn speak(&mut self, times: i32) -> i32 {
        self.barks += times;
        self.barks
    }
}

#[no_mangle]
pub extern "C" fn adopt(barks: i32) -> *mut Box<dyn Animal> {
    Box::into_raw(Box::new(Box::new(Dog { barks })))
}

/// # Safety
/// `animal` must come from `adopt`.
#[no_mangle]
pub unsafe extern "C" fn release(animal: *mut Box<dyn Animal>) {
    drop(Box::from_raw(animal));
}
