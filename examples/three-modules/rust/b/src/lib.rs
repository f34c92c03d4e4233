//! The module that changes objects.

use object::Object;
use std::ffi::{c_char, CStr};

#[unsafe(no_mangle)]
pub extern "C" fn double(object: &mut Object) {
    object.value *= 2;
}

static DESCRIPTION: &CStr = c"b, written in Rust: it doubles objects";

#[unsafe(no_mangle)]
pub extern "C" fn description() -> *const c_char {
    DESCRIPTION.as_ptr()
}
