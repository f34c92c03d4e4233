//! One team's module: an index of words. JavaScript asks it, through wasm-bindgen; other modules add to it, by pointers.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use wasm_bindgen::prelude::*;

thread_local! {
    static INDEX: RefCell<BTreeMap<String, BTreeSet<u32>>> = const { RefCell::new(BTreeMap::new()) };
}

fn words(text: &str) -> impl Iterator<Item = String> + '_ {
    text.split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(str::to_lowercase)
}

/// Numbers of the texts that have all words of the query, the last as far as it is typed.
#[wasm_bindgen]
pub fn find(query: &str) -> Vec<u32> {
    INDEX.with_borrow(|index| {
        let found = words(query).map(|word| {
            let texts = index.range(word.clone()..).take_while(|(known, _)| known.starts_with(&word));
            texts.flat_map(|(_, texts)| texts).copied().collect::<BTreeSet<u32>>()
        });
        found.reduce(|a, b| &a & &b).unwrap_or_default().into_iter().collect()
    })
}

/// How many words it knows.
#[wasm_bindgen]
pub fn size() -> usize {
    INDEX.with_borrow(BTreeMap::len)
}

/// For other modules: the text is read where it lies.
///
/// # Safety
///
/// `text` is the address of `length` bytes of UTF-8.
#[no_mangle]
pub unsafe extern "C" fn index_text(text: *const u8, length: usize, number: u32) {
    let bytes = unsafe { std::slice::from_raw_parts(text, length) };
    let text = std::str::from_utf8(bytes).expect("UTF-8");
    INDEX.with_borrow_mut(|index| {
        for word in words(text) {
            index.entry(word).or_default().insert(number);
        }
    });
}
