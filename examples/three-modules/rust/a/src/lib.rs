//! The module that reads objects.

use object::Object;
use std::ffi::{c_char, CStr};

#[unsafe(no_mangle)]
pub extern "C" fn get_value(object: &Object) -> i64 {
    object.value
}

static DESCRIPTION: &CStr = c"a, written in Rust: it reads objects";

#[unsafe(no_mangle)]
pub extern "C" fn description() -> *const c_char {
    DESCRIPTION.as_ptr()
}
