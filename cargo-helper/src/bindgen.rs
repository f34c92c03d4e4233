//! wasm-bindgen: finding the one that fits, running it on placed modules, and wiring what it writes.
//!
//! Whatever JavaScript is wanted in the end, wasm-bindgen is run for bundlers: only there does it leave it to others to
//! instantiate the module, and exports what they need for that (`__wbg_set_wasm`). So one `instantiate()`, that of the
//! layout, serves all modules, and gives them one memory.

use crate::config::Target;
use crate::tool;
use anyhow::{bail, Context, Result};
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Set where wasm-bindgen is looked for, so that a script of that name which calls this program is told from it.
pub const SEARCHING: &str = "CARGO_WASMSHARE_FINDS_WASM_BINDGEN";

/// A module with an interface of wasm-bindgen's.
pub struct Bound {
    pub name: String,
    pub target: Target,
    /// `NAME_bg.js`, the JavaScript that its exports and imports go through
    pub glue: String,
    /// `NAME.d.ts`; empty if it was asked not to be written
    pub types: String,
    /// `NAME_bg.wasm`
    pub module: Vec<u8>,
    /// Files of JavaScript that crates bring along, by their paths.
    pub snippets: Vec<(PathBuf, Vec<u8>)>,
}

/// The version of wasm-bindgen that the workspace's crates are compiled with.
pub fn version(lock_file: &Path) -> Option<String> {
    version_in(&std::fs::read_to_string(lock_file).ok()?)
}

// cargo writes name and version of a package in two lines, in this order
fn version_in(lock: &str) -> Option<String> {
    let mut lines = lock.lines();
    lines.find(|line| *line == "name = \"wasm-bindgen\"")?;
    let version = lines.next()?.strip_prefix("version = ")?;
    Some(version.trim_matches('"').to_owned())
}

/// The wasm-bindgen of this version: the one in WASM_BINDGEN, in PATH, or where `cargo install` puts programs.
pub fn find(wanted: Option<&str>) -> Result<PathBuf> {
    let mut others = Vec::new();
    for candidate in candidates() {
        match version_of(&candidate) {
            Some(version) if wanted.is_none_or(|wanted| wanted == version) => return Ok(candidate),
            Some(version) => others.push(format!("{} is {version}", candidate.display())),
            None => {}
        }
    }
    let install = match wanted {
        Some(version) => format!("cargo install -f wasm-bindgen-cli --version {version}"),
        None => "cargo install wasm-bindgen-cli".to_owned(),
    };
    match (wanted, others.first()) {
        (Some(wanted), Some(other)) => {
            bail!("the workspace uses wasm-bindgen {wanted}, and {other}: run `{install}`")
        }
        _ => bail!("there is no wasm-bindgen: run `{install}`, or set WASM_BINDGEN to its path"),
    }
}

fn candidates() -> Vec<PathBuf> {
    let name = format!("wasm-bindgen{}", std::env::consts::EXE_SUFFIX);
    if let Some(given) = std::env::var_os("WASM_BINDGEN").filter(|path| !path.is_empty()) {
        return vec![given.into()];
    }
    let mut dirs: Vec<PathBuf> =
        std::env::split_paths(&std::env::var_os("PATH").unwrap_or_default()).collect();
    for variable in ["CARGO_INSTALL_ROOT", "CARGO_HOME"] {
        dirs.extend(std::env::var_os(variable).map(|root| PathBuf::from(root).join("bin")));
    }
    dirs.extend(std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".cargo/bin")));
    let this = std::env::current_exe()
        .and_then(|path| path.canonicalize())
        .ok();
    let programs = dirs.into_iter().map(|dir| dir.join(&name));
    programs
        .filter(|program| program.is_file() && program.canonicalize().ok() != this)
        .collect()
}

fn version_of(program: &Path) -> Option<String> {
    let output = Command::new(program)
        .arg("--version")
        .env(SEARCHING, "1")
        .stderr(Stdio::null())
        .output()
        .ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    let version = text.trim().strip_prefix("wasm-bindgen ")?;
    Some(version.split(' ').next()?.to_owned())
}

/// Runs it on a placed module, with flags of its own.
pub fn bind(
    program: &Path,
    module: &Path,
    name: &str,
    target: Target,
    flags: &[OsString],
    scratch: &Path,
) -> Result<Bound> {
    let dir = scratch.join(name);
    if dir.exists() {
        std::fs::remove_dir_all(&dir)
            .with_context(|| format!("could not remove {}", dir.display()))?;
    }
    let mut command = Command::new(program);
    command
        .args(["--target", "bundler", "--out-name", name, "--out-dir"])
        .arg(&dir)
        .args(flags)
        .arg(module);
    let status = command.stdin(Stdio::null()).status();
    if !tool::started(status, &command)?.success() {
        bail!("wasm-bindgen could not bind {name}");
    }
    let read = |file: String| {
        let path = dir.join(file);
        std::fs::read(&path)
            .with_context(|| format!("wasm-bindgen did not write {}", path.display()))
    };
    let glue = text(read(format!("{name}_bg.js"))?)?;
    if !glue.contains("export function __wbg_set_wasm(") {
        bail!(
            "{} is too old: {name}_bg.js has no __wbg_set_wasm",
            program.display()
        );
    }
    let types = dir.join(format!("{name}.d.ts"));
    Ok(Bound {
        name: name.to_owned(),
        target,
        glue: without_memory(&glue),
        types: if types.exists() {
            text(std::fs::read(types)?)?
        } else {
            String::new()
        },
        module: read(format!("{name}_bg.wasm"))?,
        snippets: files_below(&dir, Path::new("snippets"))?,
    })
}

fn text(bytes: Vec<u8>) -> Result<String> {
    String::from_utf8(bytes).context("wasm-bindgen wrote what is not UTF-8")
}

/// The layout gives the memory: one that is made beside it would only take address space.
fn without_memory(glue: &str) -> String {
    let memory = |line: &&str| line.starts_with("export const memory = new WebAssembly.Memory(");
    glue.split_inclusive('\n')
        .filter(|line| !memory(line))
        .collect()
}

fn files_below(root: &Path, dir: &Path) -> Result<Vec<(PathBuf, Vec<u8>)>> {
    let mut files = Vec::new();
    let Ok(entries) = std::fs::read_dir(root.join(dir)) else {
        return Ok(files);
    };
    for entry in entries {
        let entry = entry?;
        let path = dir.join(entry.file_name());
        match entry.file_type()?.is_dir() {
            true => files.extend(files_below(root, &path)?),
            false => files.push((path, std::fs::read(entry.path())?)),
        }
    }
    files.sort();
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_is_the_one_that_is_locked() {
        let lock =
            "version = 4\n\n[[package]]\nname = \"wasm-bindgen-shared\"\nversion = \"0.2.1\"\n\n\
                    [[package]]\nname = \"wasm-bindgen\"\nversion = \"0.2.129\"\n";
        assert_eq!(version_in(lock), Some("0.2.129".to_owned()));
        assert_eq!(
            version_in("[[package]]\nname = \"words\"\nversion = \"0.1.0\"\n"),
            None
        );
    }

    #[test]
    fn no_memory_is_made_beside_the_layouts() {
        let glue = "export function a() {}\nexport const memory = new WebAssembly.Memory({initial:17});\nlet wasm;\n";
        assert_eq!(without_memory(glue), "export function a() {}\nlet wasm;\n");
    }
}
