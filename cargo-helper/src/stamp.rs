//! Whether anything has changed since outputs were written. By the times and sizes of files, as make tells it: so that
//! a build with nothing to do writes nothing, and no watcher wakes up.

use anyhow::{Context, Result};
use serde_json::{json, Value};
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::UNIX_EPOCH;

/// What outputs are made of, and with what.
pub struct Stamp {
    file: PathBuf,
    inputs: Value,
}

impl Stamp {
    /// `commands` make the outputs of the inputs.
    pub fn new(file: PathBuf, commands: &[&Command], inputs: &[&Path]) -> Self {
        let this = std::env::current_exe().unwrap_or_default();
        let said = commands.iter().map(|command| {
            let words = std::iter::once(command.get_program()).chain(command.get_args());
            Value::from_iter(words.map(OsStr::to_string_lossy))
        });
        let programs = commands
            .iter()
            .map(|command| seen(&in_path(command.get_program())));
        let inputs = json!({
            "commands": Value::from_iter(said),
            "programs": Value::from_iter(programs.chain([seen(&this)])),
            "inputs": Value::from_iter(inputs.iter().map(|input| seen(input))),
        });
        Self { file, inputs }
    }

    /// What was said when the outputs were written, if they are still as they were.
    pub fn fresh(&self) -> Option<String> {
        let stamp: Value = serde_json::from_slice(&std::fs::read(&self.file).ok()?).ok()?;
        let outputs = stamp["outputs"].as_array()?;
        let unchanged = |output: &Value| {
            output[0]
                .as_str()
                .is_some_and(|path| seen(Path::new(path)) == *output)
        };
        let fresh = stamp["of"] == self.inputs && outputs.iter().all(unchanged);
        fresh.then(|| stamp["said"].as_str().unwrap_or_default().to_owned())
    }

    /// Remembers these outputs, and what was said.
    pub fn write(&self, outputs: &[PathBuf], said: &str) -> Result<()> {
        let outputs: Value = outputs.iter().map(|output| seen(output)).collect();
        let stamp = json!({ "of": self.inputs, "outputs": outputs, "said": said });
        std::fs::write(&self.file, stamp.to_string())
            .with_context(|| format!("could not write {}", self.file.display()))
    }
}

/// A file's path, time and size; the latter are 0 when it is not there.
fn seen(path: &Path) -> Value {
    let metadata = path.metadata().ok();
    let time = metadata
        .as_ref()
        .and_then(|metadata| metadata.modified().ok()?.duration_since(UNIX_EPOCH).ok());
    json!([
        path.to_string_lossy(),
        time.unwrap_or_default().as_nanos().to_string(),
        metadata.map_or(0, |metadata| metadata.len())
    ])
}

fn in_path(program: &OsStr) -> PathBuf {
    let path = Path::new(program);
    if path.components().count() > 1 {
        return path.to_owned();
    }
    let dirs = std::env::var_os("PATH").unwrap_or_default();
    let found = std::env::split_paths(&dirs)
        .map(|dir| dir.join(path))
        .find(|path| path.is_file());
    found.unwrap_or(path.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn outputs_are_fresh_until_something_changes() {
        let dir = std::env::temp_dir().join(format!("wasmshare-stamp-{}", std::process::id()));
        std::fs::create_dir_all(&dir).unwrap();
        let [input, output] = ["input", "output"].map(|name| dir.join(name));
        std::fs::write(&input, "1").unwrap();
        std::fs::write(&output, "1").unwrap();
        let mut command = Command::new("cc");
        command.arg("-O1");
        let stamp = |command: &Command| Stamp::new(dir.join("stamp"), &[command], &[&input]);
        assert_eq!(stamp(&command).fresh(), None);
        stamp(&command)
            .write(&[output.clone()], "warning: of old")
            .unwrap();
        assert_eq!(stamp(&command).fresh(), Some("warning: of old".to_owned()));
        std::fs::write(&output, "22").unwrap();
        assert_eq!(stamp(&command).fresh(), None);
        stamp(&command).write(&[output.clone()], "").unwrap();
        std::fs::write(&input, "22").unwrap();
        assert_eq!(stamp(&command).fresh(), None);
        stamp(&command).write(&[output.clone()], "").unwrap();
        assert_eq!(stamp(&command).fresh(), Some(String::new()));
        command.arg("-g");
        assert_eq!(stamp(&command).fresh(), None);
        std::fs::remove_dir_all(&dir).unwrap();
    }
}
