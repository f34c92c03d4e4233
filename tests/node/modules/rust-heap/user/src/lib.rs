//! Allocates from the heap of another module, and takes over what others have allocated.

#[path = "../../worker.rs"]
mod worker;

use std::ffi::{c_char, CStr};

#[global_allocator]
static ALLOCATOR: wasmshare_alloc::Shared = wasmshare_alloc::Shared;

/// Makes a C string of another module's the memory of a `String`, adds to it, and returns it as one.
///
/// # Safety
/// `text` is a C string that was allocated with room for nothing else.
#[no_mangle]
pub unsafe extern "C" fn extend(text: *mut c_char, times: usize) -> *mut c_char {
    let size = CStr::from_ptr(text).count_bytes();
    let mut text = String::from_raw_parts(text.cast(), size, size + 1);
    for i in 0..times {
        text.push_str(&format!("and {i} "));
    }
    text.push('\0');
    Box::leak(text.into_boxed_str()).as_mut_ptr().cast()
}
