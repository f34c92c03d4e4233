//! Calls a trait object that another module made.
use animal::Animal;

/// # Safety
/// `animal` must point to a live trait object.
#[no_mangle]
pub unsafe extern "C" fn call(animal: *mut Box<dyn Animal>, times: i32) -> i32 {
    let animal = &mut *animal;
    1000 * animal.legs() + animal.speak(times)
}

/// The length of its name, which the callee's allocator allocated; a String that crosses modules is not dropped here.
///
/// # Safety
/// `animal` must point to a live trait object.
#[no_mangle]
pub unsafe extern "C" fn name_length(animal: *mut Box<dyn Animal>) -> usize {
    let name = std::mem::ManuallyDrop::new((*animal).name());
    name.len()
}
