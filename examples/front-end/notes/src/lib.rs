//! The other team's module: a list of notes, which it has indexed by the first team's module.

use wasm_bindgen::prelude::*;

#[link(wasm_import_module = "search")]
unsafe extern "C" {
    fn index_text(text: *const u8, length: usize, number: u32);
}

#[wasm_bindgen]
pub struct Notes {
    notes: Vec<String>,
    changed: js_sys::Function,
}

#[wasm_bindgen]
impl Notes {
    /// `changed` is called with the number of notes, each time that there is another one.
    #[wasm_bindgen(constructor)]
    pub fn new(changed: js_sys::Function) -> Notes {
        Notes {
            notes: Vec::new(),
            changed,
        }
    }

    pub fn add(&mut self, text: String) -> Result<(), JsValue> {
        let number = self.notes.len() as u32;
        // no copy, and no JavaScript in between: a pointer means the same in both modules
        unsafe { index_text(text.as_ptr(), text.len(), number) };
        self.notes.push(text);
        self.changed.call1(&JsValue::NULL, &self.notes.len().into())?;
        Ok(())
    }

    pub fn get(&self, number: usize) -> Option<String> {
        self.notes.get(number).cloned()
    }
}
