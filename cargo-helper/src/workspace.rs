//! The workspace: its packages, and its modules.

use crate::artifact::Artifact;
use crate::bindgen;
use crate::config::{in_config, Bindgen, Config};
use crate::report::shown;
use crate::tool::did_you_mean;
use anyhow::{bail, Context, Result};
use cargo_metadata::{Metadata, MetadataCommand, Package, PackageId, Target};
use std::ffi::OsString;
use std::path::{Path, PathBuf};

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
        let config = Config::load(&metadata)?;
        Ok(Self { metadata, config })
    }

    pub fn package(&self, name: &str) -> Result<&Package> {
        let found = self
            .metadata
            .workspace_packages()
            .into_iter()
            .find(|package| package.name.as_str() == name);
        found.with_context(|| {
            let packages = self.metadata.workspace_packages();
            format!(
                "package `{name}` is not in the workspace of {}{}",
                self.metadata.workspace_root,
                did_you_mean(name, packages.iter().map(|package| package.name.as_str()))
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
                    let error = format!("modules: no such file: {}", shown(file));
                    return Err(in_config(self.root(), error));
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

    /// What `run` runs when it is given nothing.
    pub fn script(&self) -> Result<PathBuf> {
        let script = self.config.script.clone().context(
            "nothing to run: name a script, --bin or --example, or set `script` in [workspace.metadata.wasmshare]",
        )?;
        if !script.exists() {
            let error = format!("script: no such file: {}", shown(&script));
            return Err(in_config(self.root(), error));
        }
        Ok(script)
    }

    pub fn target_dir(&self) -> &Path {
        self.metadata.target_directory.as_std_path()
    }

    pub fn out_dir(&self) -> Option<&Path> {
        self.config.out_dir.as_deref()
    }

    pub fn bindgen(&self) -> Option<&Bindgen> {
        self.config.bindgen.as_ref()
    }

    pub fn bindgen_flags(&self) -> Vec<OsString> {
        self.config
            .bindgen_flags
            .iter()
            .map(OsString::from)
            .collect()
    }

    /// The version of wasm-bindgen that the packages use.
    pub fn wasm_bindgen(&self) -> Option<String> {
        bindgen::version(&self.root().join("Cargo.lock"))
    }

    pub fn trusts_pic(&self) -> bool {
        self.config
            .options
            .iter()
            .any(|option| option == "--trust-pic")
    }

    /// Whether the modules become one program, in which everything is there once.
    pub fn is_one_program(&self) -> bool {
        self.single().is_some() || self.config.options.iter().any(|option| option == "--link")
    }

    /// The crates of the workspace, by the names that Rust has for them.
    pub fn crates(&self) -> Vec<String> {
        let packages = self.metadata.workspace_packages().into_iter();
        let targets = packages.flat_map(|package| &package.targets);
        let libraries = targets.filter(|target| !target.is_bin() && !target.is_test());
        libraries
            .map(|target| target.name.replace('-', "_"))
            .collect()
    }

    /// The layout's name, which its files are named after.
    pub fn layout(&self) -> &str {
        self.config.name.as_deref().unwrap_or("layout")
    }

    /// The options of `wasmshare combine`, which knows modules by their own names.
    pub fn combine_options(&self, modules: &[Artifact]) -> Vec<String> {
        let options = self.config.options.iter();
        options.map(|option| for_modules(option, modules)).collect()
    }

    /// Those that name a file in the output directory: the option, and the file's name.
    pub fn outputs(&self) -> &[(String, String)] {
        &self.config.outputs
    }

    /// The file of the one module that all modules are to become.
    pub fn single(&self) -> Option<&str> {
        let single = self.config.outputs.iter().find(|(key, _)| key == "single");
        single.map(|(_, file)| file.as_str())
    }

    /// The packages with a program of this name.
    pub fn packages_with(&self, program: &Program) -> Vec<&Package> {
        let packages = self.metadata.workspace_packages().into_iter();
        packages
            .filter(|package| package.targets.iter().any(|target| program.is(target)))
            .collect()
    }
}

/// `--heap=NAME=CLASS`, `--heap-owner` and `--prefer` may name a package: then they get the name of its module.
fn for_modules(option: &str, modules: &[Artifact]) -> String {
    match option.split_once('=') {
        Some((key @ ("--heap-owner" | "--prefer"), name)) => {
            format!("{key}={}", module_called(name, modules))
        }
        Some((key @ "--heap", claim)) => match claim.rsplit_once('=') {
            Some((name, class)) => format!("{key}={}={class}", module_called(name, modules)),
            None => option.to_owned(),
        },
        _ => option.to_owned(),
    }
}

/// The module of that name, or else that of the package of that name.
fn module_called<'a>(name: &'a str, modules: &'a [Artifact]) -> &'a str {
    let made_of = |module: &&Artifact| module.package.as_deref() == Some(name);
    match modules.iter().find(made_of) {
        Some(module) if modules.iter().all(|module| module.name != name) => &module.name,
        _ => name,
    }
}

/// A program that `run` is asked for.
pub enum Program {
    Bin(String),
    Example(String),
}

impl Program {
    /// `--bin NAME`
    pub fn selection(&self) -> [&str; 2] {
        match self {
            Self::Bin(name) => ["--bin", name],
            Self::Example(name) => ["--example", name],
        }
    }

    pub fn is(&self, target: &Target) -> bool {
        match self {
            Self::Bin(name) => target.is_bin() && target.name == *name,
            Self::Example(name) => target.is_example() && target.name == *name,
        }
    }
}

pub fn is_cdylib(package: &Package) -> bool {
    package.targets.iter().any(|target| target.is_cdylib())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_may_name_packages() {
        let module = |name: &str, package: Option<&str>| Artifact {
            name: name.to_owned(),
            path: PathBuf::new(),
            package: package.map(str::to_owned),
        };
        let modules = [
            module("my_report", Some("my-report")),
            module("first", Some("second")),
            module("second", None),
        ];
        let option = |option| for_modules(option, &modules);
        assert_eq!(option("--heap-owner=my-report"), "--heap-owner=my_report");
        assert_eq!(option("--prefer=my_report"), "--prefer=my_report");
        assert_eq!(option("--heap=my-report=grows"), "--heap=my_report=grows");
        assert_eq!(option("--heap=my-report"), "--heap=my-report");
        assert_eq!(option("--prefer=second"), "--prefer=second");
        assert_eq!(option("--prefer=nonesuch"), "--prefer=nonesuch");
        assert_eq!(option("--name=my-report"), "--name=my-report");
    }

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
}
