//! Closures both ways, promises, and values of JavaScript's that are only kept.

use std::cell::{Cell, RefCell};
use wasm_bindgen::convert::IntoWasmAbi;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;

thread_local! {
    static TICKS: Cell<u32> = const { Cell::new(0) };
    static KEPT: RefCell<Vec<JsValue>> = const { RefCell::new(Vec::new()) };
}

/// For other modules.
#[no_mangle]
pub extern "C" fn ticks() -> u32 {
    TICKS.get()
}

/// A function for JavaScript to keep.
#[wasm_bindgen]
pub fn ticker() -> JsValue {
    Closure::<dyn FnMut(u32) -> u32>::new(|by: u32| {
        TICKS.set(TICKS.get() + by);
        TICKS.get()
    })
    .into_js_value()
}

#[wasm_bindgen]
pub fn each(values: Vec<JsValue>, f: &js_sys::Function) -> Result<js_sys::Array, JsValue> {
    values.iter().map(|value| f.call1(&JsValue::NULL, value)).collect()
}

#[wasm_bindgen]
pub async fn later(promise: js_sys::Promise) -> Result<String, JsValue> {
    let value = JsFuture::from(promise).await?;
    value.as_string().map(|text| format!("{text}, later")).ok_or_else(|| "not a string".into())
}

#[wasm_bindgen]
pub fn keep(value: JsValue) -> usize {
    KEPT.with_borrow_mut(|kept| {
        kept.push(value);
        kept.len() - 1
    })
}

#[wasm_bindgen]
pub fn kept(index: usize) -> JsValue {
    KEPT.with_borrow(|kept| kept[index].clone())
}

#[link(wasm_import_module = "words")]
unsafe extern "C" {
    fn count_words(text: *const u8, length: usize) -> usize;
}

#[wasm_bindgen]
pub fn words_in(text: &str) -> usize {
    unsafe { count_words(text.as_ptr(), text.len()) }
}

/// A value for another module that is in one file with this one, as wasm-bindgen passes it.
#[no_mangle]
pub extern "C" fn kept_value(index: usize) -> u32 {
    kept(index).into_abi()
}

#[wasm_bindgen]
pub fn count_on(tally: &mut tally::Tally) -> u32 {
    tally.add(TICKS.get())
}
