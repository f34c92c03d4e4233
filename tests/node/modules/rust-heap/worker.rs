//! What each module does: see ../heap/worker.h.

use std::alloc::{alloc, dealloc, realloc, Layout};

fn layout(size: usize, align: usize) -> Layout {
    Layout::from_size_align(size, align).unwrap()
}

#[no_mangle]
extern "C" fn take(size: usize, align: usize) -> *mut u8 {
    unsafe { alloc(layout(size, align)) }
}

#[no_mangle]
unsafe extern "C" fn give(block: *mut u8, align: usize) {
    // the size is of no use to `Shared`, which cannot ask the others for it
    dealloc(block, layout(1, align));
}

#[no_mangle]
unsafe extern "C" fn resize(block: *mut u8, old_size: usize, align: usize, size: usize) -> *mut u8 {
    realloc(block, layout(old_size, align), size)
}

fn pattern(address: usize, seed: u32) -> u8 {
    (((address as u32).wrapping_mul(2_654_435_761) ^ seed) >> 24) as u8
}

#[no_mangle]
unsafe extern "C" fn fill(bytes: *mut u8, size: usize, seed: u32) {
    for i in 0..size {
        *bytes.add(i) = pattern(bytes as usize + i, seed);
    }
}

#[no_mangle]
unsafe extern "C" fn wrong(bytes: *const u8, size: usize, seed: u32, address: usize) -> usize {
    (0..size)
        .filter(|i| *bytes.add(*i) != pattern(address + i, seed))
        .count()
}

#[no_mangle]
extern "C" fn grow(pages: usize) -> usize {
    match core::arch::wasm32::memory_grow(0, pages) {
        usize::MAX => 0,
        before => before * 65536,
    }
}
