//! Values of JavaScript's as Rust's, by serde; vectors; and functions of other modules, given pointers.

use serde::{Deserialize, Serialize};
use std::cell::RefCell;
use std::ffi::{c_char, CStr};
use wasm_bindgen::prelude::*;

#[derive(Clone, Serialize, Deserialize)]
struct Entry {
    title: String,
    tags: Vec<String>,
    words: Option<usize>,
}

thread_local! {
    static ENTRIES: RefCell<Vec<Entry>> = const { RefCell::new(Vec::new()) };
}

#[link(wasm_import_module = "words")]
unsafe extern "C" {
    fn count_words(text: *const u8, length: usize) -> usize;
}

#[link(wasm_import_module = "greeting")]
unsafe extern "C" {
    fn greeting() -> *const c_char;
}

#[wasm_bindgen]
pub fn put(entry: JsValue) -> Result<usize, JsValue> {
    let mut entry: Entry = serde_wasm_bindgen::from_value(entry)?;
    entry.words = Some(unsafe { count_words(entry.title.as_ptr(), entry.title.len()) });
    Ok(ENTRIES.with_borrow_mut(|entries| {
        entries.push(entry);
        entries.len()
    }))
}

#[wasm_bindgen]
pub fn get(index: usize) -> Result<JsValue, JsValue> {
    let entry = ENTRIES.with_borrow(|entries| entries.get(index).cloned());
    Ok(serde_wasm_bindgen::to_value(&entry)?)
}

#[wasm_bindgen]
pub fn scaled(numbers: Vec<f64>, by: f64) -> Vec<f64> {
    numbers.into_iter().map(|number| number * by).collect()
}

#[wasm_bindgen]
pub fn greeting_of_greeting() -> String {
    let text = unsafe { CStr::from_ptr(greeting()) };
    text.to_string_lossy().into_owned()
}
