//! Statics of the workspace's crates that several modules have, each for itself, since each is linked by itself.

use anyhow::{Context, Result};
use std::collections::{BTreeMap, BTreeSet};
use wasmparser::{KnownCustom, Linking, Parser, Payload, SymbolInfo};

/// The variables of these crates in a module that was linked with relocations, by their paths.
pub fn variables(module: &[u8], crates: &[String]) -> Result<BTreeSet<String>> {
    let (mut segments, mut symbols) = (Vec::new(), Vec::new());
    for payload in Parser::new(0).parse_all(module) {
        let payload = payload.context("could not read the module")?;
        let Payload::CustomSection(section) = payload else {
            continue;
        };
        let KnownCustom::Linking(linking) = section.as_known() else {
            continue;
        };
        for part in linking {
            match part? {
                Linking::SegmentInfo(part) => segments.extend(part.into_iter().flatten()),
                Linking::SymbolTable(part) => symbols.extend(part.into_iter().flatten()),
                _ => {}
            }
        }
    }
    let named = symbols.into_iter().filter_map(|symbol| match symbol {
        SymbolInfo::Data { name, symbol, .. } => Some((name, symbol?.index as usize)),
        _ => None,
    });
    let written = named.filter(|(_, at)| {
        segments
            .get(*at)
            .is_some_and(|segment| is_written(segment.name))
    });
    Ok(written
        .filter_map(|(name, _)| variable(name, crates))
        .collect())
}

/// What is only read can be there twice.
fn is_written(segment: &str) -> bool {
    [".data", ".bss", ".tdata", ".tbss"]
        .iter()
        .any(|kind| segment.starts_with(kind))
}

/// The path of a static of one of these crates: without what is made in it, as for `thread_local!`.
fn variable(mangled: &str, crates: &[String]) -> Option<String> {
    let path = format!("{:#}", rustc_demangle::try_demangle(mangled).ok()?);
    let mut parts = path.split("::");
    let first = parts.next()?;
    if !crates.iter().any(|name| name == first) {
        return None;
    }
    let mut kept = vec![first];
    kept.extend(parts.take_while(|part| !part.starts_with(['{', '_', '<'])));
    (kept.len() > 1).then(|| kept.join("::"))
}

/// What to say of them; nothing if each is in one module.
pub fn note(modules: &[(String, BTreeSet<String>)]) -> Option<String> {
    let mut owners: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (module, variables) in modules {
        for variable in variables {
            owners.entry(variable).or_default().push(module);
        }
    }
    owners.retain(|_, modules| modules.len() > 1);
    let (first, modules) = owners.iter().next()?;
    let more = match owners.len() - 1 {
        0 => String::new(),
        more => format!(" (and {more} more like it)"),
    };
    Some(format!(
        "note: {} have a {first} each{more}: one program has one\n",
        modules.join(", ")
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_static_has_the_path_that_its_crate_calls_it_by() {
        let crates = ["guests".to_owned()];
        let path = |name| variable(name, &crates);
        assert_eq!(
            path("_ZN6guests4BOOK17h0123456789abcdefE"),
            Some("guests::BOOK".to_owned())
        );
        assert_eq!(
            path("_ZN6guests6SIGNED28_$u7b$$u7b$closure$u7d$$u7d$3VAL17h0123456789abcdefE"),
            Some("guests::SIGNED".to_owned())
        );
        assert_eq!(
            path("_RNvCs1234_6guests4BOOK"),
            Some("guests::BOOK".to_owned())
        );
        assert_eq!(path("_ZN3std4BOOK17h0123456789abcdefE"), None);
        assert_eq!(path("BOOK"), None);
    }

    #[test]
    fn what_several_modules_have_is_told_once() {
        let module = |name: &str, variables: &[&str]| {
            let variables = variables.iter().map(|name| (*name).to_owned());
            (name.to_owned(), variables.collect())
        };
        assert_eq!(
            note(&[module("a", &["x::A"]), module("b", &["x::B"])]),
            None
        );
        assert_eq!(
            note(&[
                module("a", &["x::A", "x::B"]),
                module("b", &["x::A", "x::B"])
            ])
            .unwrap(),
            "note: a, b have a x::A each (and 1 more like it): one program has one\n"
        );
        assert!(variables(b"no module", &[]).is_err());
    }
}
