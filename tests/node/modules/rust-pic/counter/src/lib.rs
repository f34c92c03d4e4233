//! Data that is zeroed.
#![no_std]

use core::sync::atomic::{AtomicU32, Ordering};

static COUNTS: [AtomicU32; 64] = [const { AtomicU32::new(0) }; 64];

#[panic_handler]
fn panic(_: &core::panic::PanicInfo) -> ! {
    core::arch::wasm32::unreachable()
}

#[no_mangle]
pub extern "C" fn count(i: usize) -> u32 {
    COUNTS[i & 63].fetch_add(1, Ordering::Relaxed) + 1
}

#[no_mangle]
pub extern "C" fn where_is(i: usize) -> *const AtomicU32 {
    &COUNTS[i & 63]
}
