//! `cargo wasmshare bindgen`, in place of the `wasm-bindgen` that wasm-pack and Trunk call: the module is placed with those
//! of its workspace first, and what is written finds the layout, and all else that it needs, beside itself.

use crate::artifact::Artifact;
use crate::bindgen;
use crate::build::Build;
use crate::config::Target;
use crate::inspect::inspect;
use crate::layout::Layout;
use crate::tool;
use crate::workspace::{Module, Source, Workspace};
use anyhow::{bail, Context, Result};
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

/// The arguments of wasm-bindgen that matter here; all others are passed on to it.
#[derive(Default)]
struct Arguments {
    input: Option<PathBuf>,
    out_dir: Option<PathBuf>,
    out_name: Option<String>,
    target: Option<Target>,
    flags: Vec<OsString>,
}

const WITH_VALUE: [&str; 6] = [
    "--out-dir",
    "--out-name",
    "--target",
    "--no-modules-global",
    "--encode-into",
    "--debug-info-url",
];

fn parse(args: &[OsString]) -> Result<Arguments> {
    let mut arguments = Arguments::default();
    let mut args = args.iter();
    while let Some(arg) = args.next() {
        let text = arg.to_string_lossy();
        if !text.starts_with('-') {
            arguments.input = Some(arg.into());
            continue;
        }
        let (name, mut value) = match text.split_once('=') {
            Some((name, value)) => (name.to_owned(), Some(OsString::from(value))),
            None => (text.into_owned(), None),
        };
        if value.is_none() && WITH_VALUE.contains(&name.as_str()) {
            value = Some(
                args.next()
                    .with_context(|| format!("{name}: no value"))?
                    .clone(),
            );
        }
        match (name.as_str(), value) {
            ("--out-dir", Some(dir)) => arguments.out_dir = Some(dir.into()),
            ("--out-name", Some(name)) => {
                arguments.out_name = Some(name.to_string_lossy().into_owned())
            }
            ("--target", Some(target)) => {
                arguments.target = Some(Target::named(&target.to_string_lossy())?)
            }
            ("--no-modules-global" | "--omit-default-module-path", _) => {}
            (_, Some(value)) => arguments.flags.extend([name.into(), value]),
            (_, None) => arguments.flags.push(name.into()),
        }
    }
    Ok(arguments)
}

/// `args` are those of `wasm-bindgen`.
pub fn run(args: Vec<OsString>) -> Result<ExitCode> {
    if std::env::var_os(bindgen::SEARCHING).is_some() {
        bail!("this is not wasm-bindgen itself");
    }
    let arguments = parse(&args)?;
    let (Some(input), Some(out_dir)) = (&arguments.input, &arguments.out_dir) else {
        return pass_on(&args, None);
    };
    let mut build = Build::new(Vec::new())?;
    build.plain = true;
    build.as_built(input);
    let workspace = Workspace::load(manifest(input), &build.cargo)?;
    let modules = workspace.modules(&[])?;
    let Some(at) = modules
        .iter()
        .position(|module| makes(&workspace, module, input))
    else {
        return pass_on(&args, Some(&workspace));
    };
    let (artifacts, at) = build_others(&build, &workspace, modules, at, input)?;
    let name = artifacts[at].name.clone();
    let scratch = build.scratch_dir(&workspace).join("package").join(&name);
    let layout = Layout {
        workspace: &workspace,
        modules: &artifacts,
        scratch: &scratch,
        dir: out_dir,
        with_outputs: false,
        quiet: false,
    };
    let out_name = arguments.out_name.as_ref().unwrap_or(&name);
    layout.write_package(
        at,
        arguments.target.unwrap_or(Target::Bundler),
        &arguments.flags,
        out_name,
    )?;
    Ok(ExitCode::SUCCESS)
}

/// The module as it was given, and all others built as it was.
fn build_others(
    build: &Build,
    workspace: &Workspace,
    mut modules: Vec<Module>,
    at: usize,
    input: &Path,
) -> Result<(Vec<Artifact>, usize)> {
    if inspect(input)?.lacks_relocations() {
        bail!(
            "{} was linked without relocations: in .cargo/config.toml, have\n[target.{}]\n\
             rustflags = [\"-Clink-arg=--emit-relocs\", \"-Clink-arg=--import-memory\"]",
            input.display(),
            build.target
        );
    }
    let this = modules.remove(at);
    let mut artifact = Artifact::at(input.to_owned())?;
    if let Some(name) = this.name {
        artifact.name = name;
    }
    if let Source::Package(package) = this.source {
        artifact.package = Some(package);
    }
    // one by one, as wasm-pack has them built: so that, whichever of them it is that is bound, the layout is the same
    let mut artifacts = Vec::new();
    for module in modules {
        artifacts.extend(build.modules(workspace, &[module])?);
    }
    artifacts.insert(at, artifact);
    Ok((artifacts, at))
}

/// Whether cargo makes this file of the module's package.
fn makes(workspace: &Workspace, module: &Module, file: &Path) -> bool {
    let Source::Package(name) = &module.source else {
        return false;
    };
    let stem = file
        .file_stem()
        .map(|stem| stem.to_string_lossy().replace('-', "_"));
    workspace.package(name).is_ok_and(|package| {
        let targets = package
            .targets
            .iter()
            .filter(|target| target.is_cdylib() || target.is_bin());
        targets
            .map(|target| target.name.replace('-', "_"))
            .any(|target| stem.as_ref() == Some(&target))
    })
}

/// The manifest in the directory that the module's target directory is in, if there is one: else, cargo finds it.
fn manifest(input: &Path) -> Option<PathBuf> {
    let target = input
        .ancestors()
        .find(|dir| dir.file_name().is_some_and(|name| name == "target"))?;
    Some(target.with_file_name("Cargo.toml")).filter(|manifest| manifest.is_file())
}

/// Lets wasm-bindgen itself do what has nothing to do with a layout.
fn pass_on(args: &[OsString], workspace: Option<&Workspace>) -> Result<ExitCode> {
    let version = match workspace {
        Some(workspace) => workspace.wasm_bindgen(),
        None => Workspace::load(None, &tool::cargo())
            .ok()
            .and_then(|workspace| workspace.wasm_bindgen()),
    };
    let mut command = Command::new(bindgen::find(version.as_deref())?);
    let status = command.args(args).status();
    tool::started(status, &command).map(tool::exit_code)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_matters_is_taken_out_of_wasm_bindgens_arguments() {
        let line = "t/words.wasm --out-dir pkg --typescript --target=web --out-name index --encode-into always --debug";
        let parsed = parse(&line.split(' ').map(OsString::from).collect::<Vec<_>>()).unwrap();
        assert_eq!(parsed.input, Some("t/words.wasm".into()));
        assert_eq!(parsed.out_dir, Some("pkg".into()));
        assert_eq!(parsed.out_name.as_deref(), Some("index"));
        assert_eq!(parsed.target, Some(Target::Web));
        assert_eq!(
            parsed.flags,
            ["--typescript", "--encode-into", "always", "--debug"]
        );
        assert!(parse(&["--target".into(), "wbe".into()]).is_err());
    }
}
