//! Running scripts and programs in Node.

use crate::build::{Artifact, Build};
use crate::combine::{combine, shown};
use crate::workspace::Workspace;
use crate::{report, tool};
use anyhow::Result;
use std::ffi::OsString;
use std::path::Path;
use std::process::ExitCode;

const LAYOUT: &str = "WASMSHARE_LAYOUT";

/// The URL of a file, which is what JavaScript imports.
fn url(path: &Path) -> String {
    let mut url = String::from(if cfg!(windows) { "file:///" } else { "file://" });
    for byte in path
        .to_string_lossy()
        .replace(std::path::MAIN_SEPARATOR, "/")
        .bytes()
    {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'/' | b'.' | b'-' | b'_' | b':' => {
                url.push(byte.into())
            }
            _ => url.push_str(&format!("%{byte:02X}")),
        }
    }
    url
}

/// Runs the user's script, which finds the layout in WASMSHARE_LAYOUT.
pub fn run_script(
    build: &Build,
    script: &Path,
    args: &[OsString],
    layout: &Path,
) -> Result<ExitCode> {
    if !build.quiet {
        report::status("Running", format_args!("`node {}`", shown(script)));
    }
    let mut node = tool::node()?;
    node.arg(script).args(args).env(LAYOUT, url(layout));
    let status = node.status();
    tool::started(status, &node).map(tool::exit_code)
}

/// Places a program after the modules and runs it.
pub fn run_program(
    workspace: &Workspace,
    build: &Build,
    mut modules: Vec<Artifact>,
    program: Artifact,
    args: &[OsString],
) -> Result<ExitCode> {
    let dir = workspace.program_dir(build).join("run").join(&program.name);
    modules.push(program);
    let layout = combine(workspace, build, &modules, dir)?;
    let mut node = tool::node()?;
    node.args([
        "--no-warnings=ExperimentalWarning",
        "--input-type=module",
        "--eval",
        include_str!("run.mjs"),
        "--",
    ]);
    node.args(args).env(LAYOUT, url(&layout));
    let status = node.status();
    tool::started(status, &node).map(tool::exit_code)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_becomes_a_url_that_javascript_can_import() {
        if cfg!(unix) {
            assert_eq!(
                url(Path::new("/my dir/50%/#1/layout.mjs")),
                "file:///my%20dir/50%25/%231/layout.mjs"
            );
        }
    }
}
