//! `[workspace.metadata.wasmshare]`.

use crate::report::shown;
use crate::tool::did_you_mean;
use anyhow::{anyhow, bail, Result};
use cargo_metadata::{Metadata, Package};
use serde_json::{Map, Value};
use std::path::{Path, PathBuf};

const SECTION: &str = "[workspace.metadata.wasmshare]";

#[derive(Debug, Default)]
pub struct Config {
    pub modules: Option<Vec<String>>,
    pub out_dir: Option<PathBuf>,
    pub script: Option<PathBuf>,
    pub name: Option<String>,
    /// What wasm-bindgen is to make for all modules that use it, or for some by name.
    pub bindgen: Option<Bindgen>,
    /// wasm-bindgen's own flags.
    pub bindgen_flags: Vec<String>,
    /// Of `wasmshare combine`.
    pub options: Vec<String>,
    /// Those of its options that name a file in the output directory.
    pub outputs: Vec<(String, String)>,
}

const OWN_KEYS: [&str; 6] = [
    "modules",
    "out-dir",
    "script",
    "name",
    "bindgen",
    "bindgen-flags",
];

/// For what JavaScript is written: wasm-bindgen's own names.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Target {
    Web,
    Bundler,
    Nodejs,
    Deno,
    Module,
    NoModules,
}

impl Target {
    const NAMES: [(&'static str, Self); 6] = [
        ("web", Self::Web),
        ("bundler", Self::Bundler),
        ("nodejs", Self::Nodejs),
        ("deno", Self::Deno),
        ("module", Self::Module),
        ("no-modules", Self::NoModules),
    ];

    pub fn name(self) -> &'static str {
        let named = Self::NAMES.iter().find(|(_, target)| *target == self);
        named.map_or("", |(name, _)| name)
    }

    pub fn named(name: &str) -> Result<Self> {
        match Self::NAMES.iter().find(|(known, _)| *known == name) {
            Some((_, target)) => Ok(*target),
            None => {
                let names = Self::NAMES.map(|(known, _)| known);
                bail!(
                    "there is no target '{name}'{}: there are {}",
                    did_you_mean(name, names),
                    names.join(", ")
                )
            }
        }
    }
}

#[derive(Debug, PartialEq)]
pub enum Bindgen {
    All(Target),
    Each(Vec<(String, Target)>),
}

/// What the value of an option is.
#[derive(Clone, Copy)]
enum Kind {
    Size,
    Sharing,
    Flag,
    Text,
    Texts,
    File,
    /// A file in the output directory.
    Output,
}

/// The options of `wasmshare combine`.
const OPTIONS: [(&str, Kind); 23] = [
    ("align", Kind::Size),
    ("base", Kind::Size),
    ("env", Kind::Output),
    ("extra-stack", Kind::Size),
    ("heap", Kind::Texts),
    ("heap-owner", Kind::Text),
    ("heap-size", Kind::Size),
    ("host-import", Kind::Texts),
    ("host-imports", Kind::Texts),
    ("import-memory", Kind::Flag),
    ("keep-relocs", Kind::Flag),
    ("link", Kind::Flag),
    ("map", Kind::File),
    ("max-memory", Kind::Size),
    ("prefer", Kind::Texts),
    ("print-map", Kind::Flag),
    ("single", Kind::Output),
    ("stack", Kind::Sharing),
    ("stack-size", Kind::Size),
    ("strip-debug", Kind::Flag),
    ("table", Kind::Sharing),
    ("threads", Kind::Size),
    ("trust-pic", Kind::Flag),
];

impl Config {
    pub fn load(metadata: &Metadata) -> Result<Self> {
        let root = metadata.workspace_root.as_std_path();
        for package in metadata.workspace_packages() {
            not_of_a_package(package, root)?;
        }
        match metadata.workspace_metadata.get("wasmshare") {
            None => Ok(Self::default()),
            Some(Value::Object(table)) => Self::parse(table, root),
            Some(_) => Err(anyhow!("it is not a table")),
        }
        .map_err(|error| in_config(root, error))
    }

    fn parse(table: &Map<String, Value>, root: &Path) -> Result<Self> {
        let mut config = Self::default();
        for (key, value) in table {
            match key.as_str() {
                "modules" => config.modules = Some(texts(key, value)?),
                "out-dir" => config.out_dir = Some(root.join(text(key, value)?)),
                "script" => config.script = Some(root.join(text(key, value)?)),
                "name" => config.name = Some(text(key, value)?),
                "bindgen" => config.bindgen = Some(bindgen(value)?),
                "bindgen-flags" => config.bindgen_flags = texts(key, value)?,
                "o" | "output" => bail!("unknown key '{key}' (did you mean 'out-dir'?)"),
                _ => match OPTIONS.iter().find(|(option, _)| option == key) {
                    Some((_, Kind::Output)) => {
                        config.outputs.push((key.clone(), text(key, value)?))
                    }
                    Some((_, kind)) => config.options.extend(options(key, *kind, value, root)?),
                    None => {
                        let known = OPTIONS.iter().map(|(option, _)| *option).chain(OWN_KEYS);
                        bail!("unknown key '{key}'{}", did_you_mean(key, known));
                    }
                },
            }
        }
        Ok(config)
    }
}

/// `Cargo.toml: [workspace.metadata.wasmshare]: ...`
pub fn in_config(root: &Path, error: impl std::fmt::Display) -> anyhow::Error {
    anyhow!("{}: {SECTION}: {error}", shown(&root.join("Cargo.toml")))
}

/// Where the options go that a message of `wasmshare combine` names.
pub fn options_are_keys() -> String {
    format!(
        "note: options of wasmshare are keys in Cargo.toml, {SECTION}: --host-import NAME is host-import = [\"NAME\"]"
    )
}

/// Where a key goes that helps.
pub fn key_line(keys: &str) -> String {
    format!("In Cargo.toml, {SECTION}: {keys}\n")
}

fn not_of_a_package(package: &Package, root: &Path) -> Result<()> {
    if package.metadata.get("wasmshare").is_some() {
        bail!(
            "{}: [package.metadata.wasmshare]: this belongs to the workspace: to {SECTION} in {}",
            shown(package.manifest_path.as_std_path()),
            shown(&root.join("Cargo.toml"))
        );
    }
    Ok(())
}

/// `bindgen = "web"`, or a table by module.
fn bindgen(value: &Value) -> Result<Bindgen> {
    let target = |key: &str, value: &Value| {
        Target::named(&text(key, value)?).map_err(|error| anyhow!("{key}: {error}"))
    };
    Ok(match value {
        Value::Object(modules) => Bindgen::Each(
            modules
                .iter()
                .map(|(name, value)| Ok((name.clone(), target(&format!("bindgen.{name}"), value)?)))
                .collect::<Result<_>>()?,
        ),
        _ => Bindgen::All(target("bindgen", value)?),
    })
}

fn text(key: &str, value: &Value) -> Result<String> {
    match value {
        Value::String(text) => Ok(text.clone()),
        _ => bail!("{key} = {value}: this is not a string"),
    }
}

/// A list, or one.
fn texts(key: &str, value: &Value) -> Result<Vec<String>> {
    match value {
        Value::Array(values) => values.iter().map(|value| text(key, value)).collect(),
        Value::String(text) => Ok(vec![text.clone()]),
        _ => bail!("{key} = {value}: this is not a list of strings"),
    }
}

/// `key = "64K"`, `key = 65536` and `key = true` as an option, a list as one for each; none for `key = false`
fn options(key: &str, kind: Kind, value: &Value, root: &Path) -> Result<Vec<String>> {
    Ok(match (kind, value) {
        (Kind::Size, Value::Number(number)) if number.is_u64() => vec![format!("--{key}={number}")],
        (Kind::Size, Value::String(text)) if is_size(text) => vec![format!("--{key}={text}")],
        (Kind::Size, _) => bail!(
            "{key} = {value}: this is not a size: give a number of bytes, as in 65536, \"0x10000\", \"64K\" or \"1M\""
        ),
        (Kind::Sharing, Value::String(text)) if text == "private" || text == "shared" => {
            vec![format!("--{key}={text}")]
        }
        (Kind::Sharing, _) => bail!("{key} = {value}: this is neither \"private\" nor \"shared\""),
        (Kind::Flag, Value::Bool(true)) => vec![format!("--{key}")],
        (Kind::Flag, Value::Bool(false)) => vec![],
        (Kind::Flag, _) => bail!("{key} = {value}: this is neither true nor false"),
        (Kind::Text | Kind::Output, _) => vec![format!("--{key}={}", text(key, value)?)],
        (Kind::Texts, _) => {
            let each = texts(key, value)?;
            each.iter().map(|text| format!("--{key}={text}")).collect()
        }
        (Kind::File, _) => vec![format!("--{key}={}", root.join(text(key, value)?).display())],
    })
}

/// As `wasmshare` reads sizes.
fn is_size(text: &str) -> bool {
    let digits = text
        .strip_suffix(|c: char| "KMGkmg".contains(c))
        .unwrap_or(text);
    match digits.strip_prefix("0x") {
        Some(digits) => !digits.is_empty() && digits.chars().all(|c| c.is_ascii_hexdigit()),
        None => !digits.is_empty() && digits.chars().all(|c| c.is_ascii_digit()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> Result<Config> {
        Config::parse(&serde_json::from_str(text).unwrap(), Path::new("/w"))
    }

    #[test]
    fn keys_become_options() {
        let config = parsed(
            r#"{"modules": ["a"], "out-dir": "www", "extra-stack": 65536, "heap-size": "1M", "table": "shared",
                "keep-relocs": true, "print-map": false, "map": "m.svg", "prefer": ["a", "b"], "host-imports": "env"}"#,
        )
        .unwrap();
        assert_eq!(config.modules, Some(vec!["a".to_owned()]));
        assert_eq!(config.out_dir, Some("/w/www".into()));
        assert_eq!(
            config.options,
            [
                "--extra-stack=65536",
                "--heap-size=1M",
                "--host-imports=env",
                "--keep-relocs",
                "--map=/w/m.svg",
                "--prefer=a",
                "--prefer=b",
                "--table=shared"
            ]
        );
    }

    #[test]
    fn bindgen_is_for_all_modules_or_by_module() {
        let bindgen = |text| parsed(text).unwrap().bindgen.unwrap();
        assert_eq!(
            bindgen(r#"{"bindgen": "no-modules"}"#),
            Bindgen::All(Target::NoModules)
        );
        assert_eq!(
            bindgen(r#"{"bindgen": {"a": "web", "b": "nodejs"}}"#),
            Bindgen::Each(vec![
                ("a".to_owned(), Target::Web),
                ("b".to_owned(), Target::Nodejs)
            ])
        );
    }

    #[test]
    fn what_is_wrong_is_said_of_the_key() {
        let error = |text: &str| parsed(text).unwrap_err().to_string();
        assert_eq!(
            error(r#"{"stck": "shared"}"#),
            "unknown key 'stck' (did you mean 'stack'?)"
        );
        assert_eq!(
            error(r#"{"module": []}"#),
            "unknown key 'module' (did you mean 'modules'?)"
        );
        assert_eq!(
            error(r#"{"out_dir": "x"}"#),
            "unknown key 'out_dir' (did you mean 'out-dir'?)"
        );
        assert_eq!(
            error(r#"{"output": "x"}"#),
            "unknown key 'output' (did you mean 'out-dir'?)"
        );
        assert_eq!(error(r#"{"something": 1}"#), "unknown key 'something'");
        for size in [
            r#""64Q""#,
            r#""""#,
            r#""0x""#,
            r#""-1""#,
            "-1",
            "1.5",
            "true",
            r#"["64K"]"#,
        ] {
            assert!(error(&format!(r#"{{"base": {size}}}"#))
                .starts_with(&format!("base = {size}: this is not a size: ")));
        }
        assert_eq!(
            error(r#"{"modules": 1}"#),
            "modules = 1: this is not a list of strings"
        );
        assert_eq!(
            error(r#"{"stack": "sharde"}"#),
            "stack = \"sharde\": this is neither \"private\" nor \"shared\""
        );
        assert_eq!(
            error(r#"{"bindgen": {"a": "nodjs"}}"#),
            "bindgen.a: there is no target 'nodjs' (did you mean 'nodejs'?): \
             there are web, bundler, nodejs, deno, module, no-modules"
        );
        assert_eq!(
            error(r#"{"keep-relocs": 1}"#),
            "keep-relocs = 1: this is neither true nor false"
        );
    }
}
