//! The programs that this one calls.

use anyhow::{Context, Result};
use std::ffi::OsString;
use std::io::ErrorKind;
use std::path::PathBuf;
use std::process::{Command, ExitCode, ExitStatus};

/// `wasmshare`: from WASMSHARE, from beside this program, or from PATH.
pub fn wasmshare() -> Command {
    Command::new(wasmshare_path())
}

fn wasmshare_path() -> PathBuf {
    if let Some(path) = std::env::var_os("WASMSHARE") {
        return path.into();
    }
    let name = format!("wasmshare{}", std::env::consts::EXE_SUFFIX);
    match std::env::current_exe().map(|exe| exe.with_file_name(&name)) {
        Ok(beside) if beside.is_file() => beside,
        _ => name.into(),
    }
}

/// The cargo that runs this program, as cargo tells its subcommands and runners.
pub fn cargo() -> OsString {
    std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into())
}

pub fn node() -> Command {
    Command::new(std::env::var_os("NODE").unwrap_or_else(|| "node".into()))
}

/// Says what to do when a program is not there.
pub fn started<T>(result: std::io::Result<T>, command: &Command) -> Result<T> {
    let program = command.get_program().to_string_lossy().into_owned();
    result
        .map_err(|error| match error.kind() {
            ErrorKind::NotFound => anyhow::anyhow!("`{program}` is not in PATH{}", hint(&program)),
            _ => error.into(),
        })
        .with_context(|| format!("could not run `{program}`"))
}

fn hint(program: &str) -> &'static str {
    if program.contains("wasmshare") {
        ": install WasmShare, or set WASMSHARE to its path"
    } else if program.contains("node") {
        ": install Node.js, or set NODE to its path"
    } else {
        ""
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
