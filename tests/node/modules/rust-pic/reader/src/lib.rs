//! No data at all: works on what it is given.
#![no_std]

#[panic_handler]
fn panic(_: &core::panic::PanicInfo) -> ! {
    core::arch::wasm32::unreachable()
}

#[no_mangle]
pub extern "C" fn get_value(object: &u32) -> u32 {
    *object + 5000 * (*object & 0x0fff_ffff)
}

#[no_mangle]
pub extern "C" fn double(object: &mut u32) {
    *object *= 2;
}

#[no_mangle]
pub extern "C" fn apply(function: extern "C" fn(u32) -> u32, value: u32) -> u32 {
    function(value) + 1
}
