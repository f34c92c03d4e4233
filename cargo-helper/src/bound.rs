//! What is written for modules that wasm-bindgen has bound: `layout.mjs`, which instantiates them with all others, and
//! for each a module of its own with the interface that its crate exports.

use crate::bindgen::Bound;
use crate::commonjs;
use crate::config::Target;
use anyhow::Result;
use serde_json::Value;
use std::path::{Path, PathBuf};

/// Files, by their paths below the output directory.
pub type Files = Vec<(PathBuf, Vec<u8>)>;

/// Where the files of a module's interface are: all in one directory, or a package that wasm-pack or Trunk made, which
/// takes along what is below `snippets` and, beside that, only files of certain names.
pub enum Place<'a> {
    Directory,
    Package { out_name: &'a str },
}

/// Where a package has what is beside it: each its own, since Trunk puts all into one directory.
pub fn beside_package(module: &str) -> String {
    format!("snippets/wasmshare/{module}")
}

/// Whether there is to be CommonJS for some of them, and so for what they need.
pub fn need_commonjs(bound: &[Bound]) -> bool {
    bound.iter().any(|module| module.target == Target::Nodejs)
}

/// A quoted JavaScript string.
fn quoted(text: &str) -> String {
    Value::from(text).to_string()
}

/// The layout's JavaScript, beside `placed`, which is what `wasmshare combine` wrote. `carried` are the modules whose files are
/// beside it.
pub fn layout(
    name: &str,
    id: u64,
    bound: &[Bound],
    carried: &[&str],
    placed: &str,
) -> Result<Files> {
    let script = layout_script(name, id, bound, carried);
    let mut files: Files = Vec::new();
    if need_commonjs(bound) {
        let ours = |file: &str| match file.strip_suffix(".mjs") {
            Some(stem) => format!("{stem}.cjs"),
            None => file.replace("_bg.js", "_bg.cjs"),
        };
        for (file, text) in [("", script.as_str()), (".placed", placed)] {
            let text = commonjs::translate(text, ours)?;
            files.push((format!("{name}{file}.cjs").into(), text.into()));
        }
    }
    files.push((format!("{name}.mjs").into(), script.into()));
    files.push((format!("{name}.d.mts").into(), types(name, bound).into()));
    Ok(files)
}

fn layout_script(name: &str, id: u64, bound: &[Bound], carried: &[&str]) -> String {
    let placed = quoted(&format!("./{name}.placed.mjs"));
    let mut script = format!(
        "// The modules of {name}.placed.mjs, with what wasm-bindgen made of them. Written by cargo wasmshare; do not edit.\n\
         import * as placed from {placed};\n"
    );
    let mut table = String::new();
    for (i, Bound { name, .. }) in bound.iter().enumerate() {
        let glue = quoted(&format!("./{name}_bg.js"));
        script += &format!("import * as bound{i} from {glue};\n");
        table += &format!(
            "  {}: {{ importedAs: {glue}, exports: bound{i} }},\n",
            quoted(name)
        );
    }
    script
        + &format!(
            "\nexport * from {placed};\n\nconst id = '{id:016x}';\nconst carried = {};\nconst bound = {{\n  __proto__: null,\n{table}}};\n{}",
            Value::from(carried.to_vec()),
            include_str!("js/bound.mjs")
        )
}

fn types(name: &str, bound: &[Bound]) -> String {
    let member = |Bound { name, .. }: &Bound| {
        format!(
            "  readonly {}: typeof import({});\n",
            quoted(name),
            quoted(&format!("./{name}_bg.js"))
        )
    };
    let members: String = bound.iter().map(member).collect();
    include_str!("js/bound.d.mts")
        .replace("./layout.placed.mjs", &format!("./{name}.placed.mjs"))
        .replace("  // members\n", &members)
}

/// A module's own files: its JavaScript, and what imports it without knowing of a layout.
pub fn module(layout: &str, bound: &Bound, place: &Place, with_commonjs: bool) -> Result<Files> {
    let name = &bound.name;
    let mut files: Files = bound.snippets.clone();
    files.extend(glue(bound, with_commonjs)?);
    let (dir, entry) = match place {
        Place::Directory => (PathBuf::new(), name.as_str()),
        Place::Package { out_name } => (PathBuf::from(beside_package(name)), *out_name),
    };
    for (path, _) in &mut files {
        *path = dir.join(&path);
    }
    let beside = match place {
        Place::Directory => "./".to_owned(),
        Place::Package { .. } => format!("./{}/", beside_package(name)),
    };
    let wasm = match place {
        Place::Directory => format!("{name}.wasm"),
        Place::Package { out_name } => format!("{out_name}_bg.wasm"),
    };
    files.push((wasm.clone().into(), bound.module.clone()));
    let names = Names {
        layout: format!("{beside}{layout}"),
        glue: format!("{beside}{name}_bg"),
        module: quoted(name),
        wasm: quoted(&format!("./{wasm}")),
    };
    files.extend(entries(bound, entry, &names, place));
    Ok(files)
}

/// What wasm-bindgen wrote. A module for Node has it as CommonJS, which other modules import: so there is one of it.
fn glue(bound: &Bound, with_commonjs: bool) -> Result<Files> {
    let name = &bound.name;
    let file =
        |suffix: &str, text: &str| (PathBuf::from(format!("{name}_bg{suffix}")), text.into());
    let mut files = vec![file(".d.ts", &bound.types)];
    if with_commonjs {
        let text = commonjs::translate(&bound.glue, str::to_owned)?;
        files.extend([file(".cjs", &text), file(".d.cts", &bound.types)]);
    }
    files.push(match bound.target {
        Target::Nodejs => {
            let names = commonjs::exported(&bound.glue)?.join(", ");
            let import = format!("import glue from './{name}_bg.cjs';\n");
            file(
                ".js",
                &format!("{import}export const {{ {names} }} = glue;\n"),
            )
        }
        _ => file(".js", &bound.glue),
    });
    Ok(files)
}

/// What files are called, without what tells CommonJS from modules; and as they stand in JavaScript, with quotes.
struct Names {
    layout: String,
    glue: String,
    module: String,
    wasm: String,
}

fn entries(bound: &Bound, entry: &str, names: &Names, place: &Place) -> Files {
    let file =
        |suffix: &str, text: String| (PathBuf::from(format!("{entry}{suffix}")), text.into_bytes());
    let star = all_of(&names.glue, "js");
    match bound.target {
        Target::Web => vec![
            file(".js", with_init(names)),
            file(".d.ts", format!("{star}\n{}", include_str!("js/init.d.ts"))),
        ],
        Target::Bundler | Target::Deno | Target::Module => {
            vec![file(".js", at_once(names)), file(".d.ts", star)]
        }
        Target::Nodejs => {
            // wasm-pack makes the package one of CommonJS
            let (module, script, types) = match place {
                Place::Package { .. } => (".mjs", ".js", ".d.ts"),
                Place::Directory => (".js", ".cjs", ".d.cts"),
            };
            let mut files = vec![
                file(module, format!("import './{entry}{script}';\n{star}")),
                file(script, required(names)),
                file(types, all_of(&names.glue, "cjs")),
            ];
            files.extend(matches!(place, Place::Directory).then(|| file(".d.ts", star)));
            files
        }
        Target::NoModules => vec![
            file(".mjs", at_once(names)),
            file(".js", classic_script(entry)),
            file(".d.ts", star),
        ],
    }
}

fn all_of(name: &str, extension: &str) -> String {
    format!(
        "export * from {};\n",
        quoted(&format!("{name}.{extension}"))
    )
}

fn with_init(names: &Names) -> String {
    let Names { module, wasm, .. } = names;
    format!(
        "// `await init()` instantiates the module, and those that it needs, on the one memory of the layout.\n\
         import {{ load }} from {};\n\n{}\n\
         export default async function init(options) {{\n  \
           const given = options instanceof URL || typeof options === 'string' ? options : await options?.module_or_path;\n  \
           return (await load({module}, given ?? new URL({wasm}, import.meta.url))).exports;\n}}\n",
        quoted(&format!("{}.mjs", names.layout)),
        all_of(&names.glue, "js"),
    )
}

fn at_once(names: &Names) -> String {
    let Names { module, wasm, .. } = names;
    format!(
        "// Instantiates the module, and those that it needs, on the one memory of the layout.\n\
         import {{ load }} from {};\n\n\
         await load({module}, new URL({wasm}, import.meta.url));\n\n{}",
        quoted(&format!("{}.mjs", names.layout)),
        all_of(&names.glue, "js"),
    )
}

fn required(names: &Names) -> String {
    let Names { module, wasm, .. } = names;
    format!(
        "// Instantiates the module, and those that it needs, on the one memory of the layout.\n\
         const {{ pathToFileURL }} = require('node:url');\n\n\
         require({}).loadSync({module}, new URL({wasm}, pathToFileURL(__filename)));\n\n\
         module.exports = require({});\n",
        quoted(&format!("{}.cjs", names.layout)),
        quoted(&format!("{}.cjs", names.glue)),
    )
}

fn classic_script(entry: &str) -> String {
    let global = identifier(entry);
    format!(
        "// `await {global}()` instantiates the module, and those that it needs, on the one memory of the layout; then its\n\
         // functions are {global}.NAME.\n\
         var {global} = async () => Object.assign({global}, await import({}));\n",
        quoted(&format!("./{entry}.mjs"))
    )
}

/// A name as that of a variable.
fn identifier(name: &str) -> String {
    let mut text: String = name
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() { c } else { '_' })
        .collect();
    if text.starts_with(|c: char| c.is_ascii_digit()) {
        text.insert(0, '_');
    }
    text
}

/// FNV-1a, of 64 bits: tells layouts apart, not those who would fake them.
pub fn hash(parts: &[Vec<u8>]) -> u64 {
    let bytes = parts.iter().flatten();
    bytes.fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x100_0000_01b3)
    })
}

/// Writes the files, and leaves those alone that are as they should be.
pub fn write(dir: &Path, files: &Files) -> std::io::Result<()> {
    for (path, content) in files {
        let path = dir.join(path);
        if std::fs::read(&path).is_ok_and(|there| there == *content) {
            continue;
        }
        if let Some(parent) = path.parent() {
            std::fs::create_dir_all(parent)?;
        }
        std::fs::write(&path, content)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_become_variables() {
        assert_eq!(identifier("my-words"), "my_words");
        assert_eq!(identifier("2d"), "_2d");
    }

    #[test]
    fn layouts_are_told_apart() {
        assert_eq!(hash(&[]), 0xcbf2_9ce4_8422_2325);
        assert_eq!(hash(&[b"foobar".to_vec()]), 0x8594_4171_f739_67e8);
    }
}
