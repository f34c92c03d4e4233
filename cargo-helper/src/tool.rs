//! The programs that this one calls.

use anyhow::{bail, Context, Result};
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, ExitStatus};

/// `wasmshare`: from WASMSHARE, from beside this program, from PATH, or from an npm project around the working directory.
pub fn wasmshare() -> Result<Command> {
    let name = format!("wasmshare{}", std::env::consts::EXE_SUFFIX);
    let beside = std::env::current_exe()
        .map(|exe| exe.with_file_name(&name))
        .ok()
        .filter(|beside| beside.is_file());
    let name = PathBuf::from(name);
    let of_npm = || (!is_there(&name)).then(of_npm).flatten();
    let found = beside.or_else(of_npm).unwrap_or(name);
    program(
        "WASMSHARE",
        found,
        "WasmShare (`npm install wasmshare` will do)",
    )
}

fn of_npm() -> Option<PathBuf> {
    let name = if cfg!(windows) {
        "node_modules/.bin/wasmshare.cmd"
    } else {
        "node_modules/.bin/wasmshare"
    };
    let here = std::env::current_dir().ok()?;
    let mut candidates = here.ancestors().map(|dir| dir.join(name));
    candidates.find(|candidate| candidate.is_file())
}

pub fn node() -> Result<Command> {
    let name = format!("node{}", std::env::consts::EXE_SUFFIX);
    program("NODE", name.into(), "Node.js")
}

/// What the environment variable says, or else the default. That it is there is worth knowing before modules are
/// compiled.
fn program(variable: &str, default: PathBuf, product: &str) -> Result<Command> {
    let given = std::env::var_os(variable)
        .filter(|path| !path.is_empty())
        .map(PathBuf::from);
    let program = given.as_ref().unwrap_or(&default);
    if !is_there(program) {
        match given {
            Some(path) => bail!("{} (from {variable}): no such file", path.display()),
            None => bail!(
                "`{}` is not in PATH: install {product}, or set {variable} to its path",
                default.display()
            ),
        }
    }
    Ok(Command::new(program))
}

/// As a path, or else in PATH.
fn is_there(program: &Path) -> bool {
    if program.components().count() > 1 {
        return program.is_file();
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|dir| dir.join(program).is_file())
}

/// The cargo that runs this program, as cargo tells its subcommands and runners.
pub fn cargo() -> OsString {
    std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into())
}

/// Says which program it was that could not be run.
pub fn started<T>(result: std::io::Result<T>, command: &Command) -> Result<T> {
    result.with_context(|| {
        format!(
            "could not run `{}`",
            command.get_program().to_string_lossy()
        )
    })
}

/// ` (did you mean 'build'?)`, or nothing when none of the words is close.
pub fn did_you_mean<'a>(word: &str, words: impl IntoIterator<Item = &'a str>) -> String {
    let near = words
        .into_iter()
        .map(|known| (strsim::osa_distance(word, known), known))
        .min();
    match near {
        // the rule of the command's (src/suggest.c)
        Some((edits, known)) if edits <= word.len().div_ceil(3) => {
            format!(" (did you mean '{known}'?)")
        }
        _ => String::new(),
    }
}

/// A program's exit code, passed on; a signal counts as shells count it.
pub fn exit_code(status: ExitStatus) -> ExitCode {
    #[cfg(unix)]
    let signal = std::os::unix::process::ExitStatusExt::signal(&status);
    #[cfg(not(unix))]
    let signal = None::<i32>;
    let code = status.code().unwrap_or(128 + signal.unwrap_or(0));
    ExitCode::from(u8::try_from(code).unwrap_or(101))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_that_is_close_is_named() {
        let said = |word| did_you_mean(word, ["build", "run", "inspect"]);
        assert_eq!(said("bulid"), " (did you mean 'build'?)");
        assert_eq!(said("inspct"), " (did you mean 'inspect'?)");
        assert_eq!(said("deploy"), "");
        assert_eq!(said("buildings"), "");
    }

    #[test]
    fn a_program_is_a_path_or_in_path() {
        assert!(is_there(Path::new("cargo")));
        assert!(!is_there(Path::new("no-such-program")));
        assert!(!is_there(Path::new("./cargo")));
    }
}
