//! The module that creates objects.

use object::Object;
use std::ffi::{c_char, CStr};

#[unsafe(no_mangle)]
pub extern "C" fn create_object(value: i64) -> *mut Object {
    Box::into_raw(Box::new(Object { value }))
}

static DESCRIPTION: &CStr = c"common, written in Rust: it creates objects";

/// An address in this module's own data: right only if placing moved the data and every pointer to it.
#[unsafe(no_mangle)]
pub extern "C" fn description() -> *const c_char {
    DESCRIPTION.as_ptr()
}
