//! Building modules and programs with cargo, and taking their paths from what it says.

use crate::artifact::Artifact;
use crate::inspect::inspect;
use crate::workspace::{is_cdylib, Module, Program, Source, Workspace};
use crate::{report, tool, wrapper};
use anyhow::{bail, Context, Result};
use cargo_metadata::{Artifact as CargoArtifact, Message, Package};
use std::ffi::OsStr;
use std::ffi::OsString;
use std::io::{BufReader, ErrorKind};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// How to build.
pub struct Build {
    pub cargo: OsString,
    pub profile: String,
    pub target: String,
    pub quiet: bool,
    /// Where cargo builds, if not in the workspace's own target directory.
    pub target_dir: Option<PathBuf>,
    /// With cargo's own configuration alone: the link arguments have to be there.
    pub plain: bool,
    cargo_flags: Vec<OsString>,
}

impl Build {
    pub fn new(cargo_flags: Vec<OsString>) -> Result<Self> {
        const OURS: [&str; 7] = [
            "-r",
            "--release",
            "--profile",
            "--target",
            "-p",
            "--package",
            "--manifest-path",
        ];
        for flag in cargo_flags.iter().filter_map(|flag| flag.to_str()) {
            if OURS.contains(&flag.split('=').next().unwrap_or(flag)) {
                bail!("`{flag}` goes before `--`: cargo wasmshare has to know it");
            }
        }
        Ok(Self {
            cargo: tool::cargo(),
            profile: "dev".to_owned(),
            target: "wasm32-unknown-unknown".to_owned(),
            quiet: false,
            target_dir: target_dir_in(&cargo_flags),
            plain: false,
            cargo_flags,
        })
    }

    /// Takes the target directory, target and profile from where cargo put a program: `DIR/TARGET/PROFILE/...`
    pub fn as_built(&mut self, program: &Path) {
        let parts: Vec<&OsStr> = program.iter().collect();
        let is_target = |part: &&OsStr| {
            let part = part.to_string_lossy();
            part.starts_with("wasm32-") || part.starts_with("wasm64-")
        };
        let Some(at) = parts.iter().position(is_target) else {
            return;
        };
        let Some(profile) = parts.get(at + 1).and_then(|part| part.to_str()) else {
            return;
        };
        self.target = parts[at].to_string_lossy().into_owned();
        self.profile = if profile == "debug" { "dev" } else { profile }.to_owned();
        self.target_dir = program.is_absolute().then(|| parts[..at].iter().collect());
    }

    /// The directory that cargo names after the profile.
    fn profile_dir(&self) -> &str {
        match self.profile.as_str() {
            "dev" | "test" => "debug",
            "bench" => "release",
            profile => profile,
        }
    }

    /// Where layouts go that have no `out-dir`.
    pub fn out_dir(&self, workspace: &Workspace) -> PathBuf {
        self.dir(workspace).join(self.profile_dir())
    }

    /// What is only of use for making them again. (No profile can be called `build`.)
    pub fn scratch_dir(&self, workspace: &Workspace) -> PathBuf {
        self.dir(workspace).join("build").join(self.profile_dir())
    }

    /// Where cargo builds.
    pub fn target_dir<'a>(&'a self, workspace: &'a Workspace) -> &'a Path {
        self.target_dir.as_deref().unwrap_or(workspace.target_dir())
    }

    fn dir(&self, workspace: &Workspace) -> PathBuf {
        self.target_dir(workspace).join("wasmshare")
    }

    /// Builds the modules; keeps their order.
    pub fn modules(&self, workspace: &Workspace, modules: &[Module]) -> Result<Vec<Artifact>> {
        let mut packages = Vec::new();
        for module in modules {
            if let Source::Package(name) = &module.source {
                packages.push(workspace.package(name)?);
            }
        }
        let mut selection: Vec<String> = packages
            .iter()
            .flat_map(|package| ["--package".to_owned(), package.name.to_string()])
            .collect();
        // programs beside a library may be for this machine
        if packages.iter().all(|package| is_cdylib(package)) {
            selection.push("--lib".to_owned());
        }
        let built = match packages.is_empty() {
            true => Vec::new(),
            false => self.cargo_build(workspace, &selection)?,
        };

        let artifact = |module: &Module| {
            let mut artifact = match &module.source {
                Source::File(file) => Artifact::at(file.clone())?,
                Source::Package(name) => module_of(workspace.package(name)?, &built)?,
            };
            if let Some(name) = &module.name {
                artifact.name.clone_from(name);
            }
            Ok(artifact)
        };
        modules.iter().map(artifact).collect()
    }

    /// Builds a program of the packages that were named, or else of the one that has it.
    pub fn program(
        &self,
        workspace: &Workspace,
        program: &Program,
        packages: &[String],
    ) -> Result<Artifact> {
        let [option, name] = program.selection();
        let mut owners = workspace.packages_with(program);
        if owners
            .iter()
            .any(|package| packages.contains(&package.name))
        {
            owners.retain(|package| packages.contains(&package.name));
        }
        let package = match owners.as_slice() {
            [package] => package,
            [] => bail!("no package of the workspace has a program for {option} {name}"),
            [first, second, ..] => bail!(
                "{option} {name}: both `{}` and `{}` have it: say which with --package",
                first.name,
                second.name
            ),
        };
        let selection = ["--package", &package.name, option, name].map(str::to_owned);
        let built = self.cargo_build(workspace, &selection)?;
        let file = built
            .iter()
            .filter(|artifact| program.is(&artifact.target))
            .find_map(wasm_file);
        Artifact::at(file.with_context(|| format!("cargo built no WebAssembly program `{name}`"))?)
    }

    /// Builds, and links again those modules that plain `cargo build` had linked, without relocations: cargo takes them
    /// for up to date, since it does not know of the wrapper's arguments. Programs need no such care: cargo names what
    /// it makes of them after the wrapper, too.
    fn cargo_build(
        &self,
        workspace: &Workspace,
        selection: &[String],
    ) -> Result<Vec<CargoArtifact>> {
        let built = self.cargo_build_once(workspace, selection)?;
        let files = unmovable(workspace, &built)?;
        if files.is_empty() {
            return Ok(built);
        }
        if !self.quiet {
            let mut names: Vec<_> = files.iter().filter_map(|file| file.file_stem()).collect();
            names.sort_unstable();
            let names: Vec<_> = names.iter().map(|name| name.to_string_lossy()).collect();
            report::status(
                "Rebuilding",
                format_args!(
                    "{}, linked without relocations by `cargo build`",
                    names.join(", ")
                ),
            );
        }
        for file in &files {
            // the other name of the same file, by which cargo sees whether there is anything to do
            let linked = file
                .with_file_name("deps")
                .join(file.file_name().unwrap_or_default());
            match std::fs::remove_file(&linked) {
                Err(error) if error.kind() != ErrorKind::NotFound => {
                    bail!("could not remove {}: {error}", linked.display())
                }
                _ => {}
            }
        }
        let built = self.cargo_build_once(workspace, selection)?;
        if let Some(file) = unmovable(workspace, &built)?.first() {
            bail!(
                "{} has no relocations, since plain `cargo build` linked it: run `cargo clean`",
                file.display()
            );
        }
        Ok(built)
    }

    /// For cargo, unless they are among its flags already.
    fn target_dir_flags(&self) -> Vec<OsString> {
        match &self.target_dir {
            Some(dir) if target_dir_in(&self.cargo_flags).is_none() => {
                vec!["--target-dir".into(), dir.into()]
            }
            _ => Vec::new(),
        }
    }

    fn cargo_build_once(
        &self,
        workspace: &Workspace,
        selection: &[String],
    ) -> Result<Vec<CargoArtifact>> {
        let mut cargo = Command::new(&self.cargo);
        cargo
            .args([
                "build",
                "--message-format=json-render-diagnostics",
                "--target",
                &self.target,
            ])
            .args(["--profile", &self.profile])
            .arg("--manifest-path")
            .arg(workspace.manifest_path())
            .args(selection)
            .args(&self.cargo_flags)
            .args(self.target_dir_flags())
            .stdin(Stdio::null())
            .stdout(Stdio::piped());
        if self.quiet {
            cargo.arg("--quiet");
        }
        if !self.plain {
            wrapper::install(&mut cargo)?;
        }
        let mut child = tool::started(cargo.spawn(), &cargo)?;
        let output = BufReader::new(child.stdout.take().expect("stdout is piped"));
        let mut artifacts = Vec::new();
        for message in Message::parse_stream(output) {
            match message.context("could not read what cargo says")? {
                Message::CompilerArtifact(artifact) => artifacts.push(artifact),
                Message::TextLine(line) => println!("{line}"),
                _ => {}
            }
        }
        if !child.wait()?.success() {
            bail!("could not build the modules");
        }
        Ok(artifacts)
    }
}

/// What `--target-dir` says among cargo's flags.
fn target_dir_in(flags: &[OsString]) -> Option<PathBuf> {
    let mut flags = flags.iter();
    let dir = loop {
        let flag = flags.next()?;
        if flag == "--target-dir" {
            break flags.next()?.clone();
        }
        if let Some(dir) = flag
            .to_str()
            .and_then(|flag| flag.strip_prefix("--target-dir="))
        {
            break dir.into();
        }
    };
    std::path::absolute(dir).ok()
}

/// A package's module: its cdylib, or else its one program.
fn module_of(package: &Package, built: &[CargoArtifact]) -> Result<Artifact> {
    let cdylib = is_cdylib(package);
    let is_module = |artifact: &&CargoArtifact| {
        artifact.package_id == package.id
            && if cdylib {
                artifact.target.is_cdylib()
            } else {
                artifact.target.is_bin()
            }
    };
    let files: Vec<PathBuf> = built
        .iter()
        .filter(is_module)
        .filter_map(wasm_file)
        .collect();
    match files.as_slice() {
        [file] => Ok(Artifact {
            package: Some(package.name.to_string()),
            ..Artifact::at(file.clone())?
        }),
        [] => bail!(
            "package `{}` has no module: add crate-type = [\"cdylib\"] to the [lib] of {}",
            package.name,
            package.manifest_path
        ),
        _ => bail!(
            "package `{}` has several programs: a module is a cdylib, or the only program",
            package.name
        ),
    }
}

/// Modules that cargo took for up to date, and that cannot be moved.
fn unmovable(workspace: &Workspace, built: &[CargoArtifact]) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for artifact in built {
        let ours = artifact.target.is_cdylib() && workspace.has(&artifact.package_id);
        if let Some(file) = wasm_file(artifact).filter(|_| ours && artifact.fresh) {
            // what is no module, combining it says
            if inspect(&file).is_ok_and(|facts| facts.lacks_relocations()) {
                files.push(file);
            }
        }
    }
    Ok(files)
}

fn wasm_file(artifact: &CargoArtifact) -> Option<PathBuf> {
    artifact
        .filenames
        .iter()
        .find(|file| file.extension() == Some("wasm"))
        .map(|file| file.clone().into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn as_built(path: &str) -> (String, String) {
        let mut build = Build::new(Vec::new()).unwrap();
        build.as_built(Path::new(path));
        (build.target, build.profile)
    }

    #[test]
    fn a_programs_path_says_how_it_was_built() {
        let unknown = "wasm32-unknown-unknown";
        assert_eq!(
            as_built("/t/wasm32-unknown-unknown/debug/x.wasm"),
            (unknown.into(), "dev".into())
        );
        assert_eq!(
            as_built("/t/wasm32-unknown-unknown/release/deps/x-1.wasm"),
            (unknown.into(), "release".into())
        );
        assert_eq!(
            as_built("t/wasm32-wasip1/small/examples/x.wasm"),
            ("wasm32-wasip1".into(), "small".into())
        );
        assert_eq!(as_built("x.wasm"), (unknown.into(), "dev".into()));
    }

    #[test]
    fn the_target_directory_is_where_a_program_is_or_where_cargo_is_told() {
        let mut build = Build::new(Vec::new()).unwrap();
        build.as_built(Path::new("/t/wasm32-unknown-unknown/debug/deps/x.wasm"));
        assert_eq!(build.target_dir, Some("/t".into()));
        let given = |flags: &[&str]| {
            Build::new(flags.iter().map(OsString::from).collect())
                .unwrap()
                .target_dir
        };
        assert_eq!(
            given(&["--locked", "--target-dir", "/x"]),
            Some("/x".into())
        );
        assert_eq!(given(&["--target-dir=/x"]), Some("/x".into()));
        assert_eq!(given(&["--locked"]), None);
    }

    #[test]
    fn flags_that_this_program_has_to_know_are_refused_after_the_separator() {
        for flag in ["--release", "--profile=small", "-p"] {
            assert!(Build::new(vec![flag.into()]).is_err(), "{flag}");
        }
        assert!(Build::new(vec!["--locked".into(), "-Zbuild-std".into()]).is_ok());
    }
}
