//! `bind MODULE.wasm DIR`: what `wasm-bindgen --target web --out-dir DIR MODULE.wasm` does.

use anyhow::{Context, Result};
use std::env::args_os;
use wasm_bindgen_cli_support::Bindgen;

fn main() -> Result<()> {
    let module = args_os().nth(1).context("usage: bind MODULE.wasm DIR")?;
    let directory = args_os().nth(2).context("usage: bind MODULE.wasm DIR")?;
    Bindgen::new().input_path(module).web(true)?.generate(directory)
}
