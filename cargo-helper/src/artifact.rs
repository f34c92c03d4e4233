//! A module or program that was built, or was there.

use anyhow::{Context, Result};
use std::path::PathBuf;

#[derive(Clone, Debug)]
pub struct Artifact {
    pub name: String,
    pub path: PathBuf,
    /// The package that it was built from, which may have another name: `my-report` makes `my_report.wasm`.
    pub package: Option<String>,
}

impl Artifact {
    pub fn at(path: PathBuf) -> Result<Self> {
        let name = path
            .file_stem()
            .with_context(|| format!("{} is not a file", path.display()))?;
        Ok(Self {
            name: name.to_string_lossy().into_owned(),
            path,
            package: None,
        })
    }

    /// By its own name, or its package's.
    pub fn is_called(&self, name: &str) -> bool {
        self.name == name || self.package.as_deref() == Some(name)
    }

    pub fn is(&self, other: &Self) -> bool {
        match (self.path.canonicalize(), other.path.canonicalize()) {
            (Ok(a), Ok(b)) => a == b,
            _ => false,
        }
    }
}
