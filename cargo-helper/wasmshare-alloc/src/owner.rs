use core::alloc::{GlobalAlloc, Layout};
use core::{mem, ptr};

/// What C's `malloc` aligns to, since any type of C's may be put there (`max_align_t`); and room for the header.
const HEADER: usize = 16;
const _: () = assert!(mem::size_of::<Layout>() <= HEADER);

/// The heap's owner, over an allocator of Rust's. Those want to be told a block's layout when it is freed, which C's
/// callers do not know, so it stands before the block:
///
/// ```text
/// allocated    HEADER bytes before the block
/// |            |      the block, as far from the start as it is aligned, and aligned so
/// v            v      v
/// [ ...        layout | ...   ]
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct Owner<A>(pub A);

/// Makes this module the owner of the heap: exports C's `malloc`, `calloc`, `realloc`, `aligned_alloc` and `free` for
/// the others, on the standard library's allocator, and makes them its own global allocator, too.
///
/// ```
/// wasmshare_alloc::export!();
/// ```
#[macro_export]
macro_rules! export {
    () => {
        #[cfg(target_os = "wasi")]
        ::core::compile_error!(
            "WASI has a C library, which can own the heap: link with -Clink-arg=--export=malloc, and likewise \
             calloc, realloc, aligned_alloc and free, in place of wasmshare_alloc::export!()"
        );
        const _: () = {
            #[global_allocator]
            static OWNER: $crate::Owner<::std::alloc::System> = $crate::Owner(::std::alloc::System);

            // elsewhere every program has a C library's
            #[cfg(target_family = "wasm")]
            const _: () = {
                #[unsafe(no_mangle)]
                extern "C" fn malloc(size: usize) -> *mut u8 {
                    OWNER.malloc(size)
                }
                #[unsafe(no_mangle)]
                extern "C" fn calloc(count: usize, size: usize) -> *mut u8 {
                    OWNER.calloc(count, size)
                }
                #[unsafe(no_mangle)]
                unsafe extern "C" fn realloc(block: *mut u8, size: usize) -> *mut u8 {
                    unsafe { OWNER.realloc(block, size) }
                }
                #[unsafe(no_mangle)]
                extern "C" fn aligned_alloc(align: usize, size: usize) -> *mut u8 {
                    OWNER.aligned_alloc(align, size)
                }
                #[unsafe(no_mangle)]
                unsafe extern "C" fn free(block: *mut u8) {
                    unsafe { OWNER.free(block) }
                }
            };
        };
    };
}

/// What to allocate for a block, header and all: its alignment is what comes before the block.
fn whole(align: usize, size: usize) -> Option<Layout> {
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

impl<A: GlobalAlloc> Owner<A> {
    /// C's `malloc`: a block of no size is a block all the same.
    pub fn malloc(&self, size: usize) -> *mut u8 {
        self.aligned_alloc(HEADER, size)
    }

    /// C's `calloc`.
    pub fn calloc(&self, count: usize, size: usize) -> *mut u8 {
        match count.checked_mul(size).and_then(|size| whole(HEADER, size)) {
            // SAFETY: with its header, the layout has a size.
            Some(layout) => unsafe { block_in(self.0.alloc_zeroed(layout), layout) },
            None => ptr::null_mut(),
        }
    }

    /// C's `aligned_alloc`: null when `align` is not a power of two.
    pub fn aligned_alloc(&self, align: usize, size: usize) -> *mut u8 {
        match whole(align, size) {
            // SAFETY: with its header, the layout has a size.
            Some(layout) if align.is_power_of_two() => unsafe {
                block_in(self.0.alloc(layout), layout)
            },
            _ => ptr::null_mut(),
        }
    }

    /// C's `realloc`, which keeps a block's alignment, too. When it returns null, the block stays.
    ///
    /// # Safety
    /// `block` is null, or this allocator's and was not freed.
    pub unsafe fn realloc(&self, block: *mut u8, size: usize) -> *mut u8 {
        if block.is_null() {
            return self.malloc(size);
        }
        // SAFETY: the block was allocated with the layout that stands before it.
        unsafe {
            let (allocated, old) = allocated_for(block);
            match whole(old.align(), size) {
                Some(new) => block_in(self.0.realloc(allocated, old, new.size()), new),
                None => ptr::null_mut(),
            }
        }
    }

    /// C's `free`.
    ///
    /// # Safety
    /// `block` is null, or this allocator's and was not freed.
    pub unsafe fn free(&self, block: *mut u8) {
        if !block.is_null() {
            // SAFETY: the block was allocated with the layout that stands before it.
            unsafe {
                let (allocated, layout) = allocated_for(block);
                self.0.dealloc(allocated, layout);
            }
        }
    }
}

// SAFETY: as A, since it is A that allocates.
unsafe impl<A: GlobalAlloc> GlobalAlloc for Owner<A> {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        self.aligned_alloc(layout.align(), layout.size())
    }

    unsafe fn dealloc(&self, block: *mut u8, _: Layout) {
        unsafe { self.free(block) }
    }

    unsafe fn realloc(&self, block: *mut u8, _: Layout, size: usize) -> *mut u8 {
        unsafe { Owner::realloc(self, block, size) }
    }
}

#[cfg(test)]
mod tests {
    extern crate std;
    use super::*;
    use core::hint::black_box; // lest allocations that only these tests look at are optimised away
    use std::alloc::System;
    use std::vec::Vec;

    const OWNER: Owner<System> = Owner(System);

    #[test]
    fn blocks_are_aligned_as_asked_and_keep_what_is_in_them() {
        let mut blocks = Vec::new();
        for align in (0..13).map(|bits| 1usize << bits) {
            for size in [0, 1, 2, 7, 8, 9, 100, 4096, 70_000] {
                let block = OWNER.aligned_alloc(align, size);
                assert!(!block.is_null());
                assert_eq!(block as usize % align, 0);
                assert_eq!(block as usize % HEADER, 0);
                unsafe { block.write_bytes(align.ilog2() as u8 ^ size as u8, size) };
                blocks.push((block, align, size));
            }
        }
        for (block, align, size) in blocks {
            unsafe {
                let larger = OWNER.realloc(block, size * 3 + 1);
                assert_eq!(larger as usize % align, 0);
                assert!((0..size).all(|at| *larger.add(at) == align.ilog2() as u8 ^ size as u8));
                let smaller = OWNER.realloc(larger, 1);
                assert_eq!(smaller as usize % align, 0);
                assert!(size == 0 || *smaller == align.ilog2() as u8 ^ size as u8);
                OWNER.free(smaller);
            }
        }
    }

    #[test]
    fn calloc_clears_what_was_used_before() {
        unsafe {
            let used = black_box(OWNER.malloc(1000));
            used.write_bytes(0xff, 1000);
            OWNER.free(used);
            let zeroed = black_box(OWNER.calloc(10, 100));
            assert!((0..1000).all(|at| *zeroed.add(at) == 0));
            OWNER.free(zeroed);
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
            assert!(black_box(OWNER.malloc(size)).is_null());
            assert!(black_box(OWNER.calloc(1, size)).is_null());
            assert!(black_box(OWNER.calloc(size, 16)).is_null());
            assert!(black_box(OWNER.aligned_alloc(4096, size)).is_null());
            unsafe {
                let block = black_box(OWNER.malloc(1));
                *block = 0x5a;
                assert!(black_box(OWNER.realloc(block, size)).is_null());
                assert_eq!(*block, 0x5a);
                OWNER.free(block);
            }
        }
    }

    #[test]
    fn an_alignment_that_is_no_power_of_two_is_refused() {
        for align in [0, 3, 24, 100, usize::MAX] {
            assert!(OWNER.aligned_alloc(align, 8).is_null());
        }
    }

    #[test]
    fn null_is_freed_and_reallocated_as_c_does() {
        unsafe {
            OWNER.free(ptr::null_mut());
            let block = OWNER.realloc(ptr::null_mut(), 10);
            assert!(!block.is_null());
            OWNER.free(block);
        }
    }
}
