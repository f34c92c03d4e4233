//! JavaScript modules that wasm-bindgen and WasmShare write, as CommonJS: there, `require()` gives at once what can be had at
//! once. Not for any module: each of their `import`s and `export`s begins a line, and ends in it.

use anyhow::{bail, Result};
use std::fmt::Write;

/// A name, and what it is called where it is used: `a as b`.
type Renamed<'a> = (&'a str, &'a str);

/// `renamed` says what the file of an import is called, which can be another for CommonJS.
pub fn translate(script: &str, renamed: impl Fn(&str) -> String) -> Result<String> {
    let mut text = String::from("'use strict';\n");
    let mut exports: Vec<Renamed> = Vec::new();
    for line in script.lines() {
        let rest = match line.split_once(' ') {
            Some(("import", clause)) => {
                writeln!(text, "{}", import(clause, &renamed)?)?;
                continue;
            }
            Some(("export", declared)) => declared,
            _ => {
                writeln!(text, "{}", in_words_of_commonjs(line))?;
                continue;
            }
        };
        if let Some(from) = rest.strip_prefix("* from ") {
            writeln!(
                text,
                "Object.assign(exports, {});",
                require(from, &renamed)?
            )?;
        } else if let Some(list) = braced(rest.trim_end_matches(';')) {
            exports.extend(list);
        } else {
            let name = declared_name(rest)?;
            exports.push((name, name));
            writeln!(text, "{}", in_words_of_commonjs(rest))?;
        }
    }
    for (name, exported) in exports {
        writeln!(text, "exports.{exported} = {name};")?;
    }
    Ok(text)
}

/// What translating a module exports, by its own names.
pub fn exported(script: &str) -> Result<Vec<&str>> {
    let mut names = Vec::new();
    for rest in script
        .lines()
        .filter_map(|line| line.strip_prefix("export "))
    {
        match braced(rest.trim_end_matches(';')) {
            Some(list) => names.extend(list.into_iter().map(|(_, exported)| exported)),
            None => names.push(declared_name(rest)?),
        }
    }
    Ok(names)
}

/// CommonJS has other words for where it is, and in every Node a way to have a module of Node's at once.
fn in_words_of_commonjs(line: &str) -> String {
    line.replace(
        "import.meta.url",
        "require('node:url').pathToFileURL(__filename).href",
    )
    .replace("globalThis.process?.getBuiltinModule?.(", "require(")
}

/// `* as NAME from 'FILE';`, `{ NAME, NAME as NAME } from 'FILE';`, `NAME from 'FILE';` or `'FILE';`
fn import(clause: &str, renamed: &impl Fn(&str) -> String) -> Result<String> {
    let Some((names, from)) = clause.split_once(" from ") else {
        return Ok(format!("{};", require(clause, renamed)?));
    };
    let required = require(from, renamed)?;
    if let Some(name) = names.strip_prefix("* as ") {
        return Ok(format!("const {name} = {required};"));
    }
    let list = match braced(names) {
        Some(list) => list
            .into_iter()
            .map(|(name, local)| format!("{name}: {local}"))
            .collect::<Vec<_>>()
            .join(", "),
        None => format!("default: {names}"),
    };
    Ok(format!("const {{ {list} }} = {required};"))
}

/// `'FILE';` or `"FILE";`
fn require(from: &str, renamed: &impl Fn(&str) -> String) -> Result<String> {
    let quoted = from.trim_end_matches(';');
    let file = quoted
        .get(1..quoted.len().saturating_sub(1))
        .filter(|file| quoted.starts_with(['\'', '"']) && !file.contains(['\'', '"', '\\']));
    match file {
        Some(file) => Ok(format!("require('{}')", renamed(file))),
        None => bail!("wasm-bindgen writes what is not known for CommonJS: from {from}"),
    }
}

fn braced(text: &str) -> Option<Vec<Renamed<'_>>> {
    let list = text.strip_prefix('{')?.strip_suffix('}')?;
    let names = list
        .split(',')
        .map(str::trim)
        .filter(|name| !name.is_empty());
    Some(
        names
            .map(|name| name.split_once(" as ").unwrap_or((name, name)))
            .collect(),
    )
}

/// Of `async function NAME(...`, `class NAME {`, `const NAME = ...`
fn declared_name(declared: &str) -> Result<&str> {
    let mut words = declared.splitn(2, ' ');
    match (words.next(), words.next()) {
        (Some("async"), Some(rest)) => declared_name(rest),
        (Some("function" | "class" | "const" | "let" | "var"), Some(rest)) => {
            let end = rest.find(|c: char| !c.is_alphanumeric() && c != '_' && c != '$');
            Ok(&rest[..end.unwrap_or(rest.len())])
        }
        _ => bail!("wasm-bindgen writes what is not known for CommonJS: export {declared}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn translated(script: &str) -> String {
        let renamed = |file: &str| file.replace(".mjs", ".cjs");
        translate(script, renamed).unwrap()
    }

    #[test]
    fn imports_are_required() {
        assert_eq!(
            translated(
                "import * as placed from \"./a.mjs\";\nimport { b as c, d } from './snippets/e.js';\n\
                 import f from 'g';\nimport 'h';\nexport * from './a.mjs';\n"
            ),
            "'use strict';\nconst placed = require('./a.cjs');\nconst { b: c, d: d } = require('./snippets/e.js');\n\
             const { default: f } = require('g');\nrequire('h');\nObject.assign(exports, require('./a.cjs'));\n"
        );
    }

    #[test]
    fn exports_are_assigned_at_the_end() {
        let script = "export async function a(b) {\n  return new URL('c', import.meta.url);\n}\nexport class D {\n}\n\
                      export const e_1 = 1, f = 2;\nexport { g as h };\n";
        assert_eq!(
            translated(script),
            "'use strict';\nasync function a(b) {\n  \
             return new URL('c', require('node:url').pathToFileURL(__filename).href);\n}\nclass D {\n}\n\
             const e_1 = 1, f = 2;\nexports.a = a;\nexports.D = D;\nexports.e_1 = e_1;\nexports.h = g;\n"
        );
        assert_eq!(exported(script).unwrap(), ["a", "D", "e_1", "h"]);
    }

    #[test]
    fn modules_of_nodes_are_required_also_where_only_that_gives_them_at_once() {
        assert_eq!(
            translated("const fs = globalThis.process?.getBuiltinModule?.('node:fs');\n"),
            "'use strict';\nconst fs = require('node:fs');\n"
        );
    }

    #[test]
    fn what_is_not_known_is_an_error() {
        let error = |script| translate(script, str::to_owned).unwrap_err().to_string();
        assert!(error("export default 1;\n").contains("not known for CommonJS: export default 1;"));
        assert!(error("import { a } from b;\n").contains("not known for CommonJS: from b;"));
    }
}
