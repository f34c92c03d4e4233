//! A Rust module as the owner of the heap: C's functions over its own global allocator, and [`export!`](crate::export).
//!
//! Rust's allocators want to be told a block's layout when it is freed, and C's callers do not know it. So the layout
//! stands before the block:
//!
//! ```text
//! allocated    HEADER bytes before the block
//! |            |      the block, as far from the start as it is aligned, and aligned so
//! v            v      v
//! [ ...        layout | ...   ]
//! ```

use alloc::alloc::{alloc, dealloc, realloc as resize};
use core::alloc::Layout;
use core::{mem, ptr};

/// What C's `malloc` aligns to, since any type of C's may be put there (`max_align_t`); and room for the header.
const HEADER: usize = 16;
const _: () = assert!(mem::size_of::<Layout>() <= HEADER);

/// Exports `malloc`, `calloc`, `realloc`, `aligned_alloc` and `free` from this module, on its global allocator: the standard
/// library's, unless it has another. That cannot be [`Shared`](crate::Shared), which is for the modules that import them.
///
/// Elsewhere than on WebAssembly, which has a C library in every program, this is nothing.
#[macro_export]
macro_rules! export {
    () => {
        #[cfg(target_os = "wasi")]
        ::core::compile_error!(
            "WASI has a C library, which can own the heap: link with -Clink-arg=--export=malloc, and likewise \
             calloc, realloc, aligned_alloc and free, in place of wasmshare_alloc::export!()"
        );
        #[cfg(all(target_family = "wasm", not(target_os = "wasi")))]
        const _: () = {
            #[unsafe(no_mangle)]
            extern "C" fn malloc(size: usize) -> *mut u8 {
                $crate::owner::malloc(size)
            }
            #[unsafe(no_mangle)]
            extern "C" fn calloc(count: usize, size: usize) -> *mut u8 {
                $crate::owner::calloc(count, size)
            }
            #[unsafe(no_mangle)]
            unsafe extern "C" fn realloc(block: *mut u8, size: usize) -> *mut u8 {
                unsafe { $crate::owner::realloc(block, size) }
            }
            #[unsafe(no_mangle)]
            extern "C" fn aligned_alloc(align: usize, size: usize) -> *mut u8 {
                $crate::owner::aligned_alloc(align, size)
            }
            #[unsafe(no_mangle)]
            unsafe extern "C" fn free(block: *mut u8) {
                unsafe { $crate::owner::free(block) }
            }
        };
    };
}

/// What to allocate for a block, header and all: its alignment is what comes before the block.
fn layout(align: usize, size: usize) -> Option<Layout> {
    let before = align.max(HEADER);
    Layout::from_size_align(before.checked_add(size)?, before).ok()
}

/// # Safety
/// `allocated` is null, or has that layout.
unsafe fn block_in(allocated: *mut u8, layout: Layout) -> *mut u8 {
    if allocated.is_null() {
        return allocated;
    }
    // SAFETY: there are HEADER bytes or more before the block, and they are aligned to HEADER.
    unsafe {
        let block = allocated.add(layout.align());
        block.sub(HEADER).cast::<Layout>().write(layout);
        block
    }
}

/// # Safety
/// `block` comes from `block_in`.
unsafe fn allocated_for(block: *mut u8) -> (*mut u8, Layout) {
    // SAFETY: `block_in` wrote it.
    unsafe {
        let layout = block.sub(HEADER).cast::<Layout>().read();
        (block.sub(layout.align()), layout)
    }
}

/// C's `malloc`: a block of no size is a block all the same.
pub fn malloc(size: usize) -> *mut u8 {
    aligned_alloc(HEADER, size)
}

/// C's `aligned_alloc`: null when `align` is not a power of two.
pub fn aligned_alloc(align: usize, size: usize) -> *mut u8 {
    match layout(align, size) {
        // SAFETY: with its header, the layout has a size.
        Some(layout) if align.is_power_of_two() => unsafe { block_in(alloc(layout), layout) },
        _ => ptr::null_mut(),
    }
}

/// C's `calloc`.
pub fn calloc(count: usize, size: usize) -> *mut u8 {
    let Some(size) = count.checked_mul(size) else {
        return ptr::null_mut();
    };
    let block = malloc(size);
    if !block.is_null() {
        // SAFETY: it has that size.
        unsafe { block.write_bytes(0, size) };
    }
    block
}

/// C's `realloc`, which keeps a block's alignment, too. When it returns null, the block stays.
///
/// # Safety
/// `block` is null, or comes from these functions and was not freed.
pub unsafe fn realloc(block: *mut u8, size: usize) -> *mut u8 {
    if block.is_null() {
        return malloc(size);
    }
    // SAFETY: the block is one of these functions', so it was allocated with the layout that stands before it.
    unsafe {
        let (allocated, old) = allocated_for(block);
        match layout(old.align(), size) {
            Some(new) => block_in(resize(allocated, old, new.size()), new),
            None => ptr::null_mut(),
        }
    }
}

/// C's `free`.
///
/// # Safety
/// `block` is null, or comes from these functions and was not freed.
pub unsafe fn free(block: *mut u8) {
    if !block.is_null() {
        // SAFETY: as for `realloc`.
        unsafe {
            let (allocated, layout) = allocated_for(block);
            dealloc(allocated, layout);
        }
    }
}

#[cfg(test)]
mod tests {
    extern crate std;
    use super::*;
    use core::hint::black_box; // lest allocations that only these tests look at are optimised away
    use std::vec::Vec;

    #[test]
    fn blocks_are_aligned_as_asked_and_keep_what_is_in_them() {
        let mut blocks = Vec::new();
        for align in (0..13).map(|bits| 1usize << bits) {
            for size in [0, 1, 2, 7, 8, 9, 100, 4096, 70_000] {
                let block = aligned_alloc(align, size);
                assert!(!block.is_null());
                assert_eq!(block as usize % align, 0);
                assert_eq!(block as usize % HEADER, 0);
                unsafe { block.write_bytes(align.ilog2() as u8 ^ size as u8, size) };
                blocks.push((block, align, size));
            }
        }
        for (block, align, size) in blocks {
            unsafe {
                let larger = realloc(block, size * 3 + 1);
                assert_eq!(larger as usize % align, 0);
                assert!((0..size).all(|at| *larger.add(at) == align.ilog2() as u8 ^ size as u8));
                let smaller = realloc(larger, 1);
                assert_eq!(smaller as usize % align, 0);
                assert!(size == 0 || *smaller == align.ilog2() as u8 ^ size as u8);
                free(smaller);
            }
        }
    }

    #[test]
    fn calloc_clears_what_was_used_before() {
        unsafe {
            let used = black_box(malloc(1000));
            used.write_bytes(0xff, 1000);
            free(used);
            let zeroed = black_box(calloc(10, 100));
            assert!((0..1000).all(|at| *zeroed.add(at) == 0));
            free(zeroed);
        }
    }

    #[test]
    fn what_cannot_be_allocated_is_null_and_the_old_block_stays() {
        for size in [
            usize::MAX,
            usize::MAX - HEADER,
            isize::MAX as usize,
            isize::MAX as usize & !0xfff,
        ] {
            assert!(black_box(malloc(size)).is_null());
            assert!(black_box(calloc(1, size)).is_null());
            assert!(black_box(calloc(size, 16)).is_null());
            assert!(black_box(aligned_alloc(4096, size)).is_null());
            unsafe {
                let block = black_box(malloc(1));
                *block = 0x5a;
                assert!(black_box(realloc(block, size)).is_null());
                assert_eq!(*block, 0x5a);
                free(block);
            }
        }
    }

    #[test]
    fn an_alignment_that_is_no_power_of_two_is_refused() {
        for align in [0, 3, 24, 100, usize::MAX] {
            assert!(aligned_alloc(align, 8).is_null());
        }
    }

    #[test]
    fn null_is_freed_and_reallocated_as_c_does() {
        unsafe {
            free(ptr::null_mut());
            let block = realloc(ptr::null_mut(), 10);
            assert!(!block.is_null());
            free(block);
        }
    }
}
