//! A crate that two modules have: in one file, a struct of one is a struct of the other.

use wasm_bindgen::prelude::*;

#[wasm_bindgen]
pub struct Tally(pub u32);

#[wasm_bindgen]
impl Tally {
    pub fn add(&mut self, by: u32) -> u32 {
        self.0 += by;
        self.0
    }
}
