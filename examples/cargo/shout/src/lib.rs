//! Reads another module's text where it lies, and makes its own of it.

use std::ffi::{c_char, CStr, CString};

#[link(wasm_import_module = "greeting")]
unsafe extern "C" {
    fn greeting() -> *const c_char;
}

fn shouted() -> CString {
    // SAFETY: a C string in that module's static data, in the memory that the modules share
    let text = unsafe { CStr::from_ptr(greeting()) };
    CString::new(text.to_bytes().to_ascii_uppercase()).expect("a C string has no zero bytes")
}

/// The caller hands the text back to `free_shout`: each module has an allocator of its own.
#[unsafe(no_mangle)]
pub extern "C" fn shout() -> *mut c_char {
    shouted().into_raw()
}

/// # Safety
/// `text` comes from `shout`, and is not used again.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn free_shout(text: *mut c_char) {
    // SAFETY: what the caller promises
    drop(unsafe { CString::from_raw(text) });
}

#[cfg(test)]
mod tests {
    #[test]
    fn shouts_what_the_other_module_says() {
        assert_eq!(super::shouted().as_c_str(), c"HELLO FROM A MODULE OF ITS OWN");
    }
}
