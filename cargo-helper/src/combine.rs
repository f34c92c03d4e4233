//! Calling `wasmshare` for modules.

use crate::artifact::Artifact;
use crate::workspace::Workspace;
use crate::{config, tool};
use anyhow::{bail, Result};
use std::ffi::OsString;
use std::path::Path;
use std::process::{Command, ExitCode, Stdio};

/// What writes the modules, placed, and their layout into a directory; without one, the one file that the options say.
pub fn command(workspace: &Workspace, modules: &[Artifact], dir: Option<&Path>) -> Result<Command> {
    let mut wasmshare = tool::wasmshare()?;
    wasmshare.arg("combine");
    if let Some(dir) = dir {
        wasmshare.arg("-o").arg(dir);
        wasmshare.arg(format!("--name={}", workspace.layout()));
    }
    wasmshare
        .args(workspace.combine_options(modules))
        .args(named(modules));
    Ok(wasmshare)
}

/// Runs it; returns what it says and warns of.
pub fn run(mut wasmshare: Command) -> Result<String> {
    wasmshare
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let child = wasmshare.spawn();
    let output = tool::started(child, &wasmshare)?.wait_with_output()?;
    let message = String::from_utf8_lossy(&output.stderr);
    if !output.status.success() {
        // which is `error: ` for cargo, and is put before the first line
        let lines = message.trim().replace("wasmshare: error: ", "error: ");
        let error = lines.trim_start_matches("error: ");
        bail!("{error}\n{}", config::options_are_keys());
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned()
        + &message.replace("wasmshare: warning: ", "warning: "))
}

/// What makes modules placeable when they are loaded.
pub fn prepare(workspace: &Workspace, modules: &[Artifact], dir: &Path) -> Result<Command> {
    let mut wasmshare = tool::wasmshare()?;
    wasmshare.arg("prepare").arg("-o").arg(dir);
    wasmshare
        .args(workspace.trusts_pic().then_some("--trust-pic"))
        .args(named(modules));
    Ok(wasmshare)
}

pub fn inspect(modules: &[Artifact], json: bool) -> Result<ExitCode> {
    let mut wasmshare = tool::wasmshare()?;
    wasmshare.arg("inspect").args(json.then_some("--json"));
    wasmshare.args(modules.iter().map(|module| &module.path));
    let status = wasmshare.status();
    tool::started(status, &wasmshare).map(tool::exit_code)
}

/// `NAME=PATH`
fn named(modules: &[Artifact]) -> impl Iterator<Item = OsString> + '_ {
    modules.iter().map(|module| {
        let mut named = OsString::from(&module.name);
        named.push("=");
        named.push(&module.path);
        named
    })
}
