//! Statics of the workspace's crates that several modules have, each for itself, since each is linked by itself.

use std::collections::{BTreeMap, BTreeSet};

/// The variables of these crates among a module's, by their paths.
pub fn variables<'a>(names: impl Iterator<Item = &'a str>, crates: &[String]) -> BTreeSet<String> {
    names.filter_map(|name| variable(name, crates)).collect()
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
    }
}
