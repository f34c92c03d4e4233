//! Calling `wasmshare`.

use crate::build::{Artifact, Build};
use crate::workspace::Workspace;
use crate::{config, report, tool};
use anyhow::{bail, Context, Result};
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{ExitCode, Stdio};

/// Writes the modules, placed, and their layout into `dir`; returns the path of the JavaScript layout.
pub fn combine(
    workspace: &Workspace,
    build: &Build,
    modules: &[Artifact],
    dir: PathBuf,
) -> Result<PathBuf> {
    if !build.quiet {
        let names: Vec<&str> = modules.iter().map(|module| module.name.as_str()).collect();
        report::status(
            "Combining",
            format_args!("{} ({})", names.join(", "), shown(&dir)),
        );
    }
    std::fs::create_dir_all(&dir)
        .with_context(|| format!("could not create the directory {}", shown(&dir)))?;
    let mut wasmshare = tool::wasmshare()?;
    wasmshare
        .arg("combine")
        .arg("-o")
        .arg(&dir)
        .arg(format!("--name={}", workspace.layout()))
        .args(workspace.combine_options(modules))
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    for module in modules {
        let mut named = OsString::from(&module.name);
        named.push("=");
        named.push(&module.path);
        wasmshare.arg(named);
    }
    let child = wasmshare.stdin(Stdio::null()).spawn();
    let output = tool::started(child, &wasmshare)?.wait_with_output()?;
    let message = String::from_utf8_lossy(&output.stderr);
    if !output.status.success() {
        // which is `error: ` for cargo, and is put before the first line
        let lines = message.trim().replace("wasmshare: error: ", "error: ");
        let keys = config::keys_of(&lines);
        bail!("{}{keys}", lines.trim_start_matches("error: "));
    }
    if !build.quiet {
        // standard output is the script's or the program's
        eprint!("{}", String::from_utf8_lossy(&output.stdout));
        eprint!("{}", message.replace("wasmshare: warning: ", "warning: "));
    }
    Ok(dir.join(format!("{}.mjs", workspace.layout())))
}

pub fn inspect(modules: &[Artifact], json: bool) -> Result<ExitCode> {
    let mut wasmshare = tool::wasmshare()?;
    wasmshare.arg("inspect").args(json.then_some("--json"));
    wasmshare.args(modules.iter().map(|module| &module.path));
    let status = wasmshare.status();
    tool::started(status, &wasmshare).map(tool::exit_code)
}

/// A path as people read it: from the working directory, if it is below that.
pub fn shown(path: &Path) -> String {
    let below = std::env::current_dir()
        .ok()
        .and_then(|dir| path.strip_prefix(dir).ok().map(Path::to_owned));
    below.as_deref().unwrap_or(path).display().to_string()
}
