//! `cargo wasmshare test`: `cargo test` with all that test programs and documentation tests need to be linked and run.

use crate::{tool, wrapper};
use anyhow::{Context, Result};
use std::ffi::OsString;
use std::process::{Command, ExitCode};

const DEFAULT_TARGET: &str = "wasm32-unknown-unknown";

/// `args` are those of `cargo test`.
pub fn run(args: Vec<OsString>) -> Result<ExitCode> {
    let target = target_in(&args).or_else(|| std::env::var("CARGO_BUILD_TARGET").ok());
    let mut cargo = Command::new(tool::cargo());
    cargo.arg("test");
    if target.is_none() {
        cargo.args(["--target", DEFAULT_TARGET]);
    }
    let target = target.unwrap_or(DEFAULT_TARGET.to_owned());
    let variable = target.to_uppercase().replace(['-', '.'], "_");
    cargo.env(format!("CARGO_TARGET_{variable}_RUNNER"), runner()?);
    link_documentation_tests(&mut cargo, &target);
    wrapper::install(&mut cargo)?;
    cargo.args(args);
    let status = cargo.status();
    tool::started(status, &cargo).map(tool::exit_code)
}

fn target_in(args: &[OsString]) -> Option<String> {
    let args: Vec<_> = args
        .iter()
        .take_while(|arg| *arg != "--")
        .map(|arg| arg.to_string_lossy())
        .collect();
    let after = args
        .iter()
        .position(|arg| arg == "--target")
        .and_then(|at| args.get(at + 1));
    let within = args.iter().find_map(|arg| arg.strip_prefix("--target="));
    within.or(after.map(|target| &**target)).map(str::to_owned)
}

/// This program, as cargo takes it from the environment: words with spaces in between.
fn runner() -> Result<OsString> {
    let this = std::env::current_exe().context("could not find this program")?;
    let mut runner = match this
        .to_str()
        .is_some_and(|path| !path.contains(char::is_whitespace))
    {
        true => this.into_os_string(),
        false => "cargo-wasmshare".into(),
    };
    runner.push(" runner");
    Ok(runner)
}

/// rustdoc links them, and by flags of its own: where the user has put some, ours are added.
fn link_documentation_tests(cargo: &mut Command, target: &str) {
    for (variable, separator) in [
        ("CARGO_ENCODED_RUSTDOCFLAGS", "\x1f"),
        ("RUSTDOCFLAGS", " "),
    ] {
        if let Ok(flags) = std::env::var(variable) {
            cargo.env(
                variable,
                [&flags, separator, &wrapper::LINK_ARGS.join(separator)].concat(),
            );
            return;
        }
    }
    // which cargo adds to those of its other configuration
    cargo.arg("--config").arg(format!(
        "target.{target}.rustdocflags={:?}",
        wrapper::LINK_ARGS
    ));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_target_is_the_one_on_the_command_line() {
        let target =
            |line: &str| target_in(&line.split(' ').map(OsString::from).collect::<Vec<_>>());
        assert_eq!(
            target("-p a --target wasm32-wasip1"),
            Some("wasm32-wasip1".to_owned())
        );
        assert_eq!(
            target("--target=wasm32-wasip1 name"),
            Some("wasm32-wasip1".to_owned())
        );
        assert_eq!(target("-p a -- --target x"), None);
    }
}
