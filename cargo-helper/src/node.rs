//! Running scripts and programs in Node.

use crate::artifact::Artifact;
use crate::build::Build;
use crate::inspect::inspect;
use crate::layout::Layout;
use crate::report::{self, shown};
use crate::tool;
use crate::workspace::Workspace;
use anyhow::Result;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
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

/// Runs a program: placed after the modules, unless it needs none. `modules` builds them.
pub fn run_program(
    workspace: &Workspace,
    build: &Build,
    program: Artifact,
    args: &[OsString],
    modules: impl FnOnce() -> Result<Vec<Artifact>>,
) -> Result<ExitCode> {
    let mut node = tool::node()?;
    node.args([
        "--no-warnings=ExperimentalWarning",
        "--input-type=module",
        "--eval",
        concat!(include_str!("js/exit.mjs"), include_str!("js/run.mjs")),
        "--",
    ]);
    node.args(args).env_remove(LAYOUT);
    let facts = inspect(&program.path)?;
    let mut temporary = Vec::new();
    if facts.needs_no_module() {
        node.env("WASMSHARE_PROGRAM", &program.path)
            .env("WASMSHARE_MEMORY", facts.imported_memory());
    } else {
        // documentation tests are all called the same, and run at the same time
        let mut name = program.name.clone();
        let is_of_workspace = program.path.starts_with(build.target_dir(workspace));
        let [dir, scratch] = [build.out_dir(workspace), build.scratch_dir(workspace)];
        if !is_of_workspace {
            name = format!("{name}-{}", std::process::id());
        }
        let [dir, scratch] = [dir, scratch].map(|dir| dir.join("run").join(&name));
        let layout = place(workspace, build, program, modules()?, &dir, &scratch)?;
        node.env(LAYOUT, url(&layout));
        if !is_of_workspace {
            temporary = vec![dir, scratch];
        }
    }
    let status = node.status();
    for dir in temporary {
        // what cannot be removed now is in the way of nothing
        let _ = std::fs::remove_dir_all(dir);
    }
    tool::started(status, &node).map(tool::exit_code)
}

fn place(
    workspace: &Workspace,
    build: &Build,
    program: Artifact,
    mut modules: Vec<Artifact>,
    dir: &Path,
    scratch: &Path,
) -> Result<PathBuf> {
    modules.retain(|module| !module.is(&program));
    modules.push(program);
    let layout = Layout {
        workspace,
        modules: &modules,
        scratch,
        dir,
        with_outputs: false,
        quiet: build.quiet,
    };
    layout.write(&[])
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
