//! A module whose interface is wasm-bindgen's.

use wasm_bindgen::prelude::*;

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
