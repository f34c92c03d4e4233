use core::alloc::{GlobalAlloc, Layout};
use core::ptr;

/// Rust's global allocator on the heap that another module owns: on C's `malloc`, `realloc`, `aligned_alloc` and
/// `free`, imported from `env`.
#[derive(Clone, Copy, Debug, Default)]
pub struct Shared;

// A module that has a C library keeps its own beside these, since rustc gives imports symbols of their own.
#[cfg_attr(target_family = "wasm", link(wasm_import_module = "env"))]
unsafe extern "C" {
    fn malloc(size: usize) -> *mut u8;
    fn realloc(block: *mut u8, size: usize) -> *mut u8;
    fn aligned_alloc(align: usize, size: usize) -> *mut u8;
    fn free(block: *mut u8);
}

/// What every `malloc` aligns to, as far as the block is that large.
const MALLOC_ALIGN: usize = 8;

fn malloc_aligns(layout: Layout) -> bool {
    layout.align() <= MALLOC_ALIGN && layout.align() <= layout.size()
}

// SAFETY: the functions are C's, which promises what is needed: blocks that do not overlap, or null.
unsafe impl GlobalAlloc for Shared {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        if malloc_aligns(layout) {
            unsafe { malloc(layout.size()) }
        } else {
            // a multiple of the alignment, as C11 wants it
            unsafe { aligned_alloc(layout.align(), layout.pad_to_align().size()) }
        }
    }

    unsafe fn dealloc(&self, block: *mut u8, _: Layout) {
        unsafe { free(block) }
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        // SAFETY: the caller vouches for the size.
        let new = unsafe { Layout::from_size_align_unchecked(size, layout.align()) };
        if malloc_aligns(new) {
            return unsafe { realloc(block, size) };
        }
        let moved = unsafe { self.alloc(new) };
        if !moved.is_null() {
            // SAFETY: both blocks have at least that size, and the new one is another.
            unsafe {
                ptr::copy_nonoverlapping(block, moved, layout.size().min(size));
                free(block);
            }
        }
        moved
    }
}

// On this machine, with its C library.
#[cfg(test)]
mod tests {
    extern crate std;
    use super::*;
    use core::hint::black_box; // lest allocations that only these tests look at are optimised away

    #[test]
    fn blocks_are_aligned_as_asked_and_keep_what_is_in_them() {
        for align in (0..13).map(|bits| 1usize << bits) {
            for size in [1, 2, 7, 8, 9, 100, 4096, 70_000] {
                let layout = Layout::from_size_align(size, align).unwrap();
                unsafe {
                    let block = black_box(Shared.alloc(layout));
                    assert!(!block.is_null());
                    assert_eq!(block as usize % align, 0, "{layout:?}");
                    block.write_bytes(0xa5, size);
                    let larger = Shared.realloc(block, layout, size * 3);
                    assert_eq!(larger as usize % align, 0, "{layout:?}");
                    assert!((0..size).all(|at| *larger.add(at) == 0xa5));
                    let layout = Layout::from_size_align(size * 3, align).unwrap();
                    let smaller = Shared.realloc(larger, layout, 1);
                    assert_eq!((smaller as usize % align, *smaller), (0, 0xa5));
                    Shared.dealloc(smaller, Layout::from_size_align(1, align).unwrap());
                }
            }
        }
    }

    #[test]
    fn zeroed_blocks_are_zero() {
        for align in [1, 8, 32] {
            let layout = Layout::from_size_align(1000, align).unwrap();
            unsafe {
                let used = black_box(Shared.alloc(layout));
                used.write_bytes(0xff, layout.size());
                Shared.dealloc(used, layout);
                let zeroed = black_box(Shared.alloc_zeroed(layout));
                assert!((0..layout.size()).all(|at| *zeroed.add(at) == 0));
                Shared.dealloc(zeroed, layout);
            }
        }
    }

    #[test]
    fn what_cannot_be_allocated_is_null_and_the_old_block_stays() {
        let huge = isize::MAX as usize & !0xfff;
        for align in [1, 8, 16, 4096] {
            let layout = Layout::from_size_align(100, align).unwrap();
            unsafe {
                let too_large = Layout::from_size_align(huge, align).unwrap();
                assert!(black_box(Shared.alloc(too_large)).is_null());
                let block = black_box(Shared.alloc(layout));
                block.write_bytes(0x5a, 100);
                assert!(black_box(Shared.realloc(block, layout, huge)).is_null());
                assert!((0..100).all(|at| *block.add(at) == 0x5a));
                Shared.dealloc(block, layout);
            }
        }
    }
}
