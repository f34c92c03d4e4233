//! Has the text, in its own static data.

use std::ffi::c_char;

#[unsafe(no_mangle)]
pub extern "C" fn greeting() -> *const c_char {
    c"hello from a module of its own".as_ptr()
}
