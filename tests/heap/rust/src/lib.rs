//! What modules/allocator.h has, on the allocator of Rust's standard library.

use std::alloc::{alloc, dealloc, realloc, Layout};
use std::cell::Cell;

const HEADER: usize = 16;

thread_local!(static FULL: Cell<[u32; 3]> = const { Cell::new([11, 77, 313]) });

#[unsafe(no_mangle)]
pub extern "C" fn intact() -> i32 {
    i32::from(FULL.get() == [11, 77, 313])
}

fn layout(size: usize) -> Layout {
    Layout::from_size_align(size + HEADER, HEADER).unwrap()
}

#[unsafe(no_mangle)]
pub extern "C" fn take(size: usize) -> *mut u8 {
    unsafe {
        let block = alloc(layout(size));
        if block.is_null() {
            return block;
        }
        block.cast::<usize>().write(size);
        block.add(HEADER)
    }
}

/// # Safety
/// The block is from `take`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn give(block: *mut u8) {
    unsafe {
        let block = block.sub(HEADER);
        dealloc(block, layout(block.cast::<usize>().read()));
    }
}

/// # Safety
/// The block is from `take`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn resize(block: *mut u8, size: usize) -> *mut u8 {
    unsafe {
        let block = block.sub(HEADER);
        let block = realloc(block, layout(block.cast::<usize>().read()), size + HEADER);
        block.cast::<usize>().write(size);
        block.add(HEADER)
    }
}
