//! `[workspace.metadata.wasmshare]`.

use crate::combine::shown;
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
    /// Of `wasmshare combine`.
    pub options: Vec<String>,
}

const OWN_KEYS: [&str; 4] = ["modules", "out-dir", "script", "name"];

/// What the value of an option is.
#[derive(Clone, Copy)]
enum Kind {
    Size,
    Sharing,
    Flag,
    Text,
    Texts,
    File,
}

/// The options of `wasmshare combine`.
const OPTIONS: [(&str, Kind); 17] = [
    ("align", Kind::Size),
    ("base", Kind::Size),
    ("extra-stack", Kind::Size),
    ("heap-owner", Kind::Text),
    ("heap-size", Kind::Size),
    ("host-import", Kind::Texts),
    ("host-imports", Kind::Texts),
    ("keep-relocs", Kind::Flag),
    ("map", Kind::File),
    ("max-memory", Kind::Size),
    ("prefer", Kind::Texts),
    ("print-map", Kind::Flag),
    ("stack", Kind::Sharing),
    ("stack-size", Kind::Size),
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
                "o" | "output" => bail!("unknown key '{key}' (did you mean 'out-dir'?)"),
                _ => match OPTIONS.iter().find(|(option, _)| option == key) {
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

/// The keys of the options that a message of `wasmshare combine` names, in a line of their own. (Those in `-Wl,--...` are the
/// linker's.)
pub fn keys_of(message: &str) -> String {
    let words: Vec<&str> = message
        .split([' ', '(', ')', ',', ';', ':'])
        .map(|word| word.split('=').next().unwrap_or(word))
        .collect();
    let named = |key: &str| {
        let option = format!("--{key}");
        words.iter().any(|word| *word == option) && !message.contains(&format!(",{option}"))
    };
    let keys = OPTIONS.iter().filter(|(key, _)| named(key));
    let keys: Vec<String> = keys
        .map(|(key, kind)| match kind {
            Kind::Texts => format!("{key} = [\"...\"]"),
            Kind::Flag => format!("{key} = true"),
            _ => format!("{key} = \"...\""),
        })
        .collect();
    match keys.is_empty() {
        true => String::new(),
        false => format!("\nIn Cargo.toml, {SECTION}: {}", keys.join(", ")),
    }
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
        (Kind::Text, _) => vec![format!("--{key}={}", text(key, value)?)],
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
    fn options_in_messages_are_keys() {
        let keys = |message| keys_of(message);
        assert_eq!(
            keys("a: imports env.log (if the host gives it, say --host-import env.log)"),
            "\nIn Cargo.toml, [workspace.metadata.wasmshare]: host-import = [\"...\"]"
        );
        assert_eq!(
            keys("combine it with --stack=shared, or use --trust-pic"),
            "\nIn Cargo.toml, [workspace.metadata.wasmshare]: stack = \"...\", trust-pic = true"
        );
        assert_eq!(keys("link it with -Wl,--shared-memory,--max-memory=N"), "");
        assert_eq!(keys("a.wasm: is no WebAssembly module"), "");
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
            error(r#"{"keep-relocs": 1}"#),
            "keep-relocs = 1: this is neither true nor false"
        );
    }
}
