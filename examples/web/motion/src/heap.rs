//! Rust's allocations come from the C module's heap, so that there is one heap in the memory.
use std::alloc::{GlobalAlloc, Layout};

#[link(wasm_import_module = "env")]
extern "C" {
    fn aligned_alloc(align: usize, size: usize) -> *mut u8;
    fn free(block: *mut u8);
}

struct Heap;

#[global_allocator]
static HEAP: Heap = Heap;

unsafe impl GlobalAlloc for Heap {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        aligned_alloc(layout.align().max(8), layout.pad_to_align().size())
    }
    unsafe fn dealloc(&self, block: *mut u8, _: Layout) {
        free(block);
    }
}
