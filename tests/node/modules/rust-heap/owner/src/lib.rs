//! Owns the heap.

#[path = "../../worker.rs"]
mod worker;

wasmshare_alloc::export!();
