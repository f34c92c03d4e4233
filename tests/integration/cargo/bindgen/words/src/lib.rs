//! A module whose interface is wasm-bindgen's, for JavaScript, and plain C's, for other modules.

use std::sync::atomic::{AtomicU32, Ordering};
use wasm_bindgen::convert::FromWasmAbi;
use wasm_bindgen::prelude::*;

static STARTS: AtomicU32 = AtomicU32::new(0);

#[wasm_bindgen(start)]
fn start() {
    STARTS.fetch_add(1, Ordering::Relaxed);
}

#[wasm_bindgen]
pub fn starts() -> u32 {
    STARTS.load(Ordering::Relaxed)
}

#[wasm_bindgen]
pub fn shout(text: &str) -> String {
    text.to_uppercase()
}

#[wasm_bindgen]
pub struct Words(Vec<String>);

#[wasm_bindgen]
impl Words {
    #[wasm_bindgen(constructor)]
    pub fn new() -> Words {
        Words(Vec::new())
    }

    pub fn add(&mut self, word: String) -> usize {
        self.0.push(word);
        self.0.len()
    }

    pub fn join(&self) -> Result<String, JsValue> {
        match self.0.is_empty() {
            true => Err("no words".into()),
            false => Ok(self.0.join(" ")),
        }
    }
}

/// For other modules: how many words the text has, wherever it lies.
#[no_mangle]
pub unsafe extern "C" fn count_words(text: *const u8, length: usize) -> usize {
    let bytes = unsafe { std::slice::from_raw_parts(text, length) };
    std::str::from_utf8(bytes).map_or(0, |text| text.split_whitespace().count())
}

#[link(wasm_import_module = "ticker")]
unsafe extern "C" {
    fn ticks() -> u32;
    fn kept_value(index: usize) -> u32;
}

/// What a module says that comes after this one, and imports from it.
#[wasm_bindgen]
pub fn ticks_of_ticker() -> u32 {
    unsafe { ticks() }
}

/// How many words the text has, for another module to go on.
#[wasm_bindgen]
pub fn tally_of(text: &str) -> tally::Tally {
    tally::Tally(text.split_whitespace().count() as u32)
}

/// A value that another module keeps. It is the same where both are in one file alone.
#[wasm_bindgen]
pub fn kept_by_ticker(index: usize) -> JsValue {
    unsafe { JsValue::from_abi(kept_value(index)) }
}
