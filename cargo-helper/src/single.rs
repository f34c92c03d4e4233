//! One module of several, for wasm-bindgen.
//!
//! Each of them describes, in a custom section, the interfaces of all crates that it has. A crate that several have, js-sys say,
//! is then described as often; and wasm-bindgen refuses what is there twice. Linking the crates at once keeps one of each.

use anyhow::{Context, Result};
use std::borrow::Cow;
use std::collections::HashSet;
use wasm_encoder::{CustomSection, Module, RawSection};
use wasmparser::{Parser, Payload};

const SECTION: &str = "__wasm_bindgen_unstable";

/// The module, with one description of each crate.
pub fn for_wasm_bindgen(module: &[u8]) -> Result<Vec<u8>> {
    let mut written = Module::new();
    let mut descriptions = Vec::new();
    for payload in Parser::new(0).parse_all(module) {
        let payload = payload.context("could not read the module that was combined")?;
        match &payload {
            Payload::CustomSection(section) if section.name() == SECTION => {
                descriptions.extend_from_slice(section.data());
            }
            _ => {
                if let Some((id, range)) = payload.as_section() {
                    written.section(&RawSection {
                        id,
                        data: &module[range],
                    });
                }
            }
        }
    }
    written.section(&CustomSection {
        name: SECTION.into(),
        data: Cow::Owned(
            once_each(&descriptions).context("could not read wasm-bindgen's section")?,
        ),
    });
    Ok(written.finish())
}

/// A description is two pieces, a version and what the crate has, each after its size in four bytes.
fn once_each(mut descriptions: &[u8]) -> Option<Vec<u8>> {
    let mut seen = HashSet::new();
    let mut kept = Vec::new();
    while !descriptions.is_empty() {
        let version = piece(descriptions)?;
        let end = version + piece(&descriptions[version..])?;
        let (description, rest) = descriptions.split_at(end);
        if seen.insert(description) {
            kept.extend_from_slice(description);
        }
        descriptions = rest;
    }
    Some(kept)
}

/// How many bytes the first piece has, its size included.
fn piece(bytes: &[u8]) -> Option<usize> {
    let (size, rest) = bytes.split_first_chunk()?;
    let size = usize::try_from(u32::from_le_bytes(*size)).ok()?;
    (size <= rest.len()).then_some(4 + size)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn description(text: &str) -> Vec<u8> {
        let pieces = ["version", text]
            .map(|piece| [&(piece.len() as u32).to_le_bytes()[..], piece.as_bytes()].concat());
        pieces.concat()
    }

    fn module(sections: &[&[u8]]) -> Vec<u8> {
        let mut module = Module::new();
        for data in sections {
            module.section(&CustomSection {
                name: SECTION.into(),
                data: (*data).into(),
            });
        }
        module.section(&RawSection { id: 1, data: &[0] });
        module.finish()
    }

    #[test]
    fn a_crate_that_several_modules_have_is_described_once() {
        let [a, b, c] = ["a", "b", "c"].map(description);
        let first = [a.clone(), b.clone()].concat();
        let second = [b.clone(), c.clone()].concat();
        let mut expected = Module::new();
        expected.section(&RawSection { id: 1, data: &[0] });
        expected.section(&CustomSection {
            name: SECTION.into(),
            data: [a, b, c].concat().into(),
        });
        assert_eq!(
            for_wasm_bindgen(&module(&[&first, &second])).unwrap(),
            expected.finish()
        );
    }

    #[test]
    fn what_is_cut_off_is_an_error() {
        let whole = description("a");
        assert!(for_wasm_bindgen(&module(&[&whole[..whole.len() - 1]])).is_err());
        assert!(for_wasm_bindgen(&module(&[&whole[..3]])).is_err());
        assert!(for_wasm_bindgen(b"no module").is_err());
    }
}
