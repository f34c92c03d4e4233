//! The workspace: its packages, and `[workspace.metadata.wasmshare]`.

use crate::build::Build;
use anyhow::{bail, Context, Result};
use cargo_metadata::{Metadata, MetadataCommand, Package, PackageId};
use serde::Deserialize;
use serde_json::Value;
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Config {
    modules: Option<Vec<String>>,
    out_dir: Option<PathBuf>,
    script: Option<PathBuf>,
    name: Option<String>,
    /// All else: the options of `wasmshare combine`, which knows them.
    #[serde(flatten)]
    options: BTreeMap<String, Value>,
}

/// `key = "64K"`, `key = 65536` and `key = true` as an option, a list as one for each; none for `key = false`
fn options(key: &str, value: &Value) -> Result<Vec<String>> {
    Ok(match value {
        Value::String(text) => vec![format!("--{key}={text}")],
        Value::Number(number) => vec![format!("--{key}={number}")],
        Value::Bool(true) => vec![format!("--{key}")],
        Value::Bool(false) => vec![],
        Value::Array(values) => {
            let each: Result<Vec<_>> = values.iter().map(|value| options(key, value)).collect();
            each?.concat()
        }
        _ => bail!(
            "`{key}` in [workspace.metadata.wasmshare] is not a string, a number, a boolean or a list of those"
        ),
    })
}

/// One of `modules`: `[NAME=]PACKAGE` or `[NAME=]FILE.wasm`
#[derive(Clone, Debug, PartialEq)]
pub struct Module {
    pub name: Option<String>,
    pub source: Source,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Source {
    Package(String),
    File(PathBuf),
}

impl Module {
    fn parse(text: &str) -> Self {
        // as for `wasmshare combine`: after a slash, '=' is part of a path
        let (name, source) = match text.split_once('=') {
            Some((name, source)) if !name.contains('/') => (Some(name.to_owned()), source),
            _ => (None, text),
        };
        let source = match source.ends_with(".wasm") {
            true => Source::File(source.into()),
            false => Source::Package(source.to_owned()),
        };
        Self { name, source }
    }
}

pub struct Workspace {
    metadata: Metadata,
    config: Config,
}

impl Workspace {
    pub fn load(manifest_path: Option<PathBuf>, cargo: &OsString) -> Result<Self> {
        let mut command = MetadataCommand::new();
        command.cargo_path(cargo).no_deps();
        if let Some(path) = manifest_path {
            command.manifest_path(path);
        }
        let metadata = command.exec().map_err(|error| match error {
            // cargo's own words, which begin like ours
            cargo_metadata::Error::CargoMetadata { stderr } => {
                anyhow::anyhow!("{}", stderr.trim().trim_start_matches("error: ").to_owned())
            }
            error => error.into(),
        })?;
        let config = match metadata.workspace_metadata.get("wasmshare") {
            Some(table) => serde_json::from_value(table.clone()).with_context(|| {
                format!(
                    "bad [workspace.metadata.wasmshare] in {}",
                    metadata.workspace_root.join("Cargo.toml")
                )
            })?,
            None => Config::default(),
        };
        Ok(Self { metadata, config })
    }

    pub fn package(&self, name: &str) -> Result<&Package> {
        let found = self
            .metadata
            .workspace_packages()
            .into_iter()
            .find(|package| package.name.as_str() == name);
        found.with_context(|| {
            format!(
                "package `{name}` is not in the workspace of {}",
                self.metadata.workspace_root
            )
        })
    }

    pub fn has(&self, package: &PackageId) -> bool {
        self.metadata.workspace_members.contains(package)
    }

    /// The modules to combine, in layout order: the packages named, or those configured, or every cdylib.
    pub fn modules(&self, packages: &[String]) -> Result<Vec<Module>> {
        let configured = self.configured_modules()?;
        let modules = if !packages.is_empty() {
            let module = |package: &String| {
                let source = Source::Package(package.clone());
                let named = configured
                    .iter()
                    .find(|module| module.source == source)
                    .cloned();
                named.unwrap_or(Module { name: None, source })
            };
            packages.iter().map(module).collect()
        } else if self.config.modules.is_some() {
            configured
        } else {
            let packages = self
                .metadata
                .workspace_packages()
                .into_iter()
                .filter(|package| is_cdylib(package));
            packages
                .map(|package| Module {
                    name: None,
                    source: Source::Package(package.name.to_string()),
                })
                .collect()
        };
        if modules.is_empty() {
            bail!(
                "no modules: no package of the workspace of {} has crate-type = [\"cdylib\"]",
                self.metadata.workspace_root
            );
        }
        Ok(modules)
    }

    pub fn configured_modules(&self) -> Result<Vec<Module>> {
        let mut modules: Vec<Module> = self
            .config
            .modules
            .iter()
            .flatten()
            .map(|text| Module::parse(text))
            .collect();
        for module in &mut modules {
            if let Source::File(file) = &mut module.source {
                *file = self.root().join(&*file);
                if !file.is_file() {
                    bail!(
                        "no such file: {}, in [workspace.metadata.wasmshare]",
                        file.display()
                    );
                }
            }
        }
        Ok(modules)
    }

    pub fn manifest_path(&self) -> PathBuf {
        self.root().join("Cargo.toml")
    }

    pub fn root(&self) -> &Path {
        self.metadata.workspace_root.as_std_path()
    }

    pub fn script(&self) -> Option<PathBuf> {
        self.config
            .script
            .as_ref()
            .map(|script| self.root().join(script))
    }

    pub fn out_dir(&self, build: &Build) -> PathBuf {
        match &self.config.out_dir {
            Some(dir) => self.root().join(dir),
            None => self.program_dir(build),
        }
    }

    /// The same without `out-dir`, which is for what the user asked to combine.
    pub fn program_dir(&self, build: &Build) -> PathBuf {
        self.metadata
            .target_directory
            .as_std_path()
            .join("wasmshare")
            .join(build.profile_dir())
    }

    /// The layout's name, which its files are named after.
    pub fn layout(&self) -> &str {
        self.config.name.as_deref().unwrap_or("layout")
    }

    /// The options of `wasmshare combine`.
    pub fn combine_options(&self) -> Result<Vec<String>> {
        let mut list = vec![format!("--name={}", self.layout())];
        for (key, value) in &self.config.options {
            if ["o", "output", "depfile"].contains(&key.as_str()) {
                bail!("`{key}` in [workspace.metadata.wasmshare]: use `out-dir`");
            }
            match value {
                // the one that is a path
                Value::String(file) if key == "map" => {
                    list.push(format!("--map={}", self.root().join(file).display()));
                }
                _ => list.extend(options(key, value)?),
            }
        }
        Ok(list)
    }
}

pub fn is_cdylib(package: &Package) -> bool {
    package.targets.iter().any(|target| target.is_cdylib())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_module_is_a_package_or_a_file_and_may_be_named() {
        let package = |name: &str| Source::Package(name.to_owned());
        assert_eq!(
            Module::parse("a"),
            Module {
                name: None,
                source: package("a")
            }
        );
        assert_eq!(
            Module::parse("n=a"),
            Module {
                name: Some("n".into()),
                source: package("a")
            }
        );
        assert_eq!(
            Module::parse("p/b.wasm"),
            Module {
                name: None,
                source: Source::File("p/b.wasm".into())
            }
        );
        assert_eq!(
            Module::parse("n=p/b.wasm"),
            Module {
                name: Some("n".into()),
                source: Source::File("p/b.wasm".into())
            }
        );
    }

    #[test]
    fn keys_become_options() {
        let text = r#"{"modules": [], "extra-stack": 65536, "table": "shared", "keep-relocs": true, "trust-pic": false, "prefer": ["a", "b"]}"#;
        let config: Config = serde_json::from_str(text).unwrap();
        let list: Vec<_> = config
            .options
            .iter()
            .flat_map(|(key, value)| options(key, value).unwrap())
            .collect();
        assert_eq!(
            list,
            [
                "--extra-stack=65536",
                "--keep-relocs",
                "--prefer=a",
                "--prefer=b",
                "--table=shared"
            ]
        );
        assert!(options("base", &Value::Null).is_err());
    }
}
