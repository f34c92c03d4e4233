//! What `wasmshare inspect --json` says of a module.

use crate::tool;
use anyhow::{bail, Context, Result};
use serde_json::Value;
use std::path::Path;
use std::process::Stdio;

pub struct Facts(Value);

/// What is found in a module; an error if it is none.
pub fn inspect(file: &Path) -> Result<Facts> {
    let mut wasmshare = tool::wasmshare()?;
    wasmshare.args(["inspect", "--json"]).arg(file);
    let child = wasmshare
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn();
    let output = tool::started(child, &wasmshare)?.wait_with_output()?;
    if !output.status.success() {
        let message = String::from_utf8_lossy(&output.stderr);
        bail!(
            "{}",
            message.trim().trim_start_matches("wasmshare: error: ")
        );
    }
    let modules: Value = serde_json::from_slice(&output.stdout)
        .with_context(|| format!("could not read what wasmshare says of {}", file.display()))?;
    Ok(Facts(modules[0].clone()))
}

impl Facts {
    /// Whether it was linked without relocations, and can be moved when it is linked again with them.
    pub fn lacks_relocations(&self) -> bool {
        self.0["reasonCode"] == "no-relocations"
    }

    /// The names of Rust's statics that the program writes. What is only read can be there twice.
    pub fn rust_variables(&self) -> impl Iterator<Item = &str> {
        let shareable = self.0["shareable"].as_array().into_iter().flatten();
        let written = shareable.filter(|thing| {
            thing["rule"] == "rust" && thing["kind"] == "variable" && thing["readOnly"] == false
        });
        written.filter_map(|thing| thing["name"].as_str())
    }

    /// Whether its interface is one that wasm-bindgen makes.
    pub fn is_for_wasm_bindgen(&self) -> bool {
        self.0["wasmBindgen"] == true
    }

    /// Whether nothing that it imports can come from another module: WASI's functions and wasm-bindgen's cannot.
    pub fn needs_no_module(&self) -> bool {
        let imports = self.0["imports"].as_array().map_or(&[][..], Vec::as_slice);
        imports.iter().all(|import| {
            let module = import["module"].as_str().unwrap_or_default();
            module.starts_with("wasi_") || module.starts_with("__wbindgen_")
        })
    }

    /// The memory that it imports, as JSON; `null` if it makes its own.
    pub fn imported_memory(&self) -> String {
        match self.0["memory"]["imported"] == true {
            true => self.0["memory"].to_string(),
            false => Value::Null.to_string(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn only_wasi_and_wasm_bindgen_come_from_no_module() {
        let needs_none = |imports| Facts(json!({ "imports": imports })).needs_no_module();
        assert!(needs_none(json!([])));
        assert!(needs_none(
            json!([{ "module": "wasi_snapshot_preview1", "name": "fd_write" }])
        ));
        assert!(needs_none(
            json!([{ "module": "__wbindgen_placeholder__", "name": "x" }])
        ));
        assert!(!needs_none(
            json!([{ "module": "wasi_snapshot_preview1" }, { "module": "env" }])
        ));
        assert!(!needs_none(json!([{ "module": "common", "name": "make" }])));
    }

    #[test]
    fn a_memory_that_is_defined_is_not_given() {
        let memory =
            |imported| Facts(json!({ "memory": { "imported": imported } })).imported_memory();
        assert_eq!(memory(false), "null");
        assert_eq!(memory(true), r#"{"imported":true}"#);
    }
}
