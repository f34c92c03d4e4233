//! Link arguments for modules, without touching anybody's RUSTFLAGS.
//!
//! Cargo takes rustflags from the first of several places and ignores the others: RUSTFLAGS, `target.*.rustflags`,
//! `build.rustflags`. Whichever we added to, we could silence another; and dependencies would be compiled anew for every
//! change of flags. So this program stands in for `rustc` where cargo compiles the workspace's own packages, and adds
//! its arguments there.
//!
//! Cargo does not see them. What it wrote with them it would take for up to date in plain `cargo build`; so this program
//! adds to what rustc says that the output depends on: the environment variable that is set in `cargo wasmshare` alone.
//! The other way round, see `Build::cargo_build`.

use crate::tool;
use anyhow::{Context, Result};
use std::ffi::OsString;
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

const ACTIVE: &str = "CARGO_WASMSHARE_WRAPPER";
const WRAPPER: &str = "RUSTC_WORKSPACE_WRAPPER";
pub const LINK_ARGS: [&str; 2] = ["-Clink-arg=--emit-relocs", "-Clink-arg=--import-memory"];

/// Makes `cargo` call `rustc` through this program, and through the user's own wrapper after it.
pub fn install(cargo: &mut Command) -> Result<()> {
    let outer = std::env::var_os(WRAPPER).unwrap_or_default();
    cargo.env(ACTIVE, outer).env(
        WRAPPER,
        std::env::current_exe().context("could not find this program")?,
    );
    Ok(())
}

/// For a program that cargo runs, in an environment with the wrapper: it is not rustc, and may call cargo itself.
pub fn uninstall() {
    if let Some(outer) = std::env::var_os(ACTIVE) {
        std::env::remove_var(ACTIVE);
        match outer.is_empty() {
            true => std::env::remove_var(WRAPPER),
            false => std::env::set_var(WRAPPER, outer),
        }
    }
}

/// Whether this process is the wrapper, and the user's own wrapper: empty when there is none.
pub fn active() -> Option<OsString> {
    std::env::var_os(ACTIVE)
}

/// `args` are rustc's path and its arguments.
pub fn run(outer: OsString, mut args: Vec<OsString>) -> Result<ExitCode> {
    let mut dep_info = None;
    if for_wasm(&args) {
        dep_info = dep_info_file(&args);
        args.extend(LINK_ARGS.map(OsString::from));
    }
    if !outer.is_empty() {
        args.insert(0, outer.clone());
    }
    let mut arguments = args.into_iter();
    let mut rustc = Command::new(arguments.next().context("no rustc to wrap")?);
    // what rustc runs, procedural macros and linkers, may run cargo
    rustc.args(arguments).env_remove(ACTIVE).env_remove(WRAPPER);
    let status = tool::started(rustc.status(), &rustc)?;
    if let (true, Some(file)) = (status.success(), dep_info) {
        depend_on_this(&file, &outer)
            .with_context(|| format!("could not write {}", file.display()))?;
    }
    Ok(tool::exit_code(status))
}

/// The file in which rustc tells cargo what a module depends on. Cargo gives other outputs a hash in their names, and
/// keeps them apart from those of plain `cargo build`.
fn dep_info_file(args: &[OsString]) -> Option<PathBuf> {
    let value = |option| args.iter().skip_while(|arg| *arg != option).nth(1);
    let file = format!("{}.d", value("--crate-name")?.to_str()?);
    Some(Path::new(value("--out-dir")?).join(file))
}

fn depend_on_this(dep_info: &Path, outer: &OsString) -> std::io::Result<()> {
    match std::fs::OpenOptions::new().append(true).open(dep_info) {
        // as rustc writes it for `env!("CARGO_WASMSHARE_WRAPPER")`
        Ok(mut file) => writeln!(
            file,
            "\n# env-dep:{ACTIVE}={}",
            outer.to_string_lossy().replace('\\', "\\\\")
        ),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error),
    }
}

/// Not for build scripts and procedural macros, which are for this machine.
fn for_wasm(args: &[OsString]) -> bool {
    let target = args.iter().skip_while(|arg| *arg != "--target").nth(1);
    target
        .and_then(|target| target.to_str())
        .is_some_and(|target| target.starts_with("wasm"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn args(line: &str) -> Vec<OsString> {
        line.split(' ').map(OsString::from).collect()
    }

    #[test]
    fn only_what_is_compiled_for_webassembly_gets_link_arguments() {
        assert!(for_wasm(&args(
            "rustc --crate-name a --target wasm32-unknown-unknown -Cdebuginfo=2"
        )));
        assert!(for_wasm(&args("rustc --target wasm64-unknown-unknown")));
        assert!(!for_wasm(&args("rustc --crate-name build_script_build")));
        assert!(!for_wasm(&args("rustc --target x86_64-unknown-linux-gnu")));
        assert!(!for_wasm(&args("rustc -vV")));
        assert!(!for_wasm(&args("rustc --target")));
    }

    #[test]
    fn dep_info_is_beside_the_module() {
        assert_eq!(
            dep_info_file(&args(
                "rustc --crate-name a --out-dir /t/deps --emit=dep-info,link"
            )),
            Some("/t/deps/a.d".into())
        );
        assert_eq!(dep_info_file(&args("rustc --crate-name a -o a.wasm")), None);
    }
}
