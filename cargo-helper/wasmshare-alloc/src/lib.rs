//! One heap for separately linked WebAssembly modules that WasmShare has placed in one memory, so that what one of them
//! allocates another may free.
//!
//! A module that uses the heap takes its memory from the module that owns it:
//!
//! ```
//! #[global_allocator]
//! static ALLOCATOR: wasmshare_alloc::Shared = wasmshare_alloc::Shared;
//! ```
//!
//! The owner is a module with a C library, which exports `malloc` and its kin, or one in Rust:
//!
//! ```
//! wasmshare_alloc::export!();
//! ```
#![no_std]

mod owner;
mod shared;

pub use owner::Owner;
pub use shared::Shared;
