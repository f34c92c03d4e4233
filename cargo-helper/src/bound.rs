//! What is written for modules that wasm-bindgen has bound: `layout.mjs`, which instantiates them with all others, and
//! for each a module of its own with the interface that its crate exports.

use crate::bindgen::Bound;
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

/// Where a package has what is beside it.
pub const BESIDE_PACKAGE: &str = "snippets/wasmshare";

/// A quoted JavaScript string.
fn quoted(text: &str) -> String {
    Value::from(text).to_string()
}

/// The layout's JavaScript. `carried` are the modules whose files are beside it.
pub fn layout(name: &str, id: u64, bound: &[Bound], carried: &[&str]) -> Files {
    let mut script = format!(
        "// The modules of {name}.placed.mjs, with what wasm-bindgen made of them. Written by cargo wasmshare; do not edit.\n\
         import * as placed from {0};\n",
        quoted(&format!("./{name}.placed.mjs"))
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
    script += &format!(
        "\nexport * from {};\n\nconst id = '{id:016x}';\nconst carried = {};\nconst bound = {{\n  __proto__: null,\n{table}}};\n{}",
        quoted(&format!("./{name}.placed.mjs")),
        Value::from(carried.to_vec()),
        include_str!("js/bound.mjs")
    );
    vec![
        (format!("{name}.mjs").into(), script.into()),
        (format!("{name}.d.mts").into(), types(name, bound).into()),
    ]
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
pub fn module(layout: &str, bound: &Bound, place: &Place) -> Result<Files> {
    let name = &bound.name;
    let mut files: Files = bound.snippets.clone();
    files.push((format!("{name}_bg.js").into(), bound.glue.clone().into()));
    files.push((format!("{name}_bg.d.ts").into(), bound.types.clone().into()));
    let (dir, entry) = match place {
        Place::Directory => (PathBuf::new(), name.as_str()),
        Place::Package { out_name } => (PathBuf::from(BESIDE_PACKAGE), *out_name),
    };
    for (path, _) in &mut files {
        *path = dir.join(&path);
    }
    let beside = match place {
        Place::Directory => "./".to_owned(),
        Place::Package { .. } => format!("./{BESIDE_PACKAGE}/"),
    };
    let wasm = match place {
        Place::Directory => format!("{name}.wasm"),
        Place::Package { out_name } => format!("{out_name}_bg.wasm"),
    };
    files.push((wasm.clone().into(), bound.module.clone()));
    let names = Names {
        layout: quoted(&format!("{beside}{layout}.mjs")),
        glue: quoted(&format!("{beside}{name}_bg.js")),
        module: quoted(name),
        wasm: quoted(&format!("./{wasm}")),
    };
    files.extend(entries(bound, entry, &names, place));
    Ok(files)
}

/// As they stand in JavaScript, with quotes.
struct Names {
    layout: String,
    glue: String,
    module: String,
    wasm: String,
}

fn entries(bound: &Bound, entry: &str, names: &Names, place: &Place) -> Files {
    let file =
        |suffix: &str, text: String| (PathBuf::from(format!("{entry}{suffix}")), text.into_bytes());
    let star = format!("export * from {};\n", names.glue);
    let package = matches!(place, Place::Package { .. });
    match bound.target {
        Target::Web => vec![
            file(".js", with_init(names)),
            file(".d.ts", format!("{star}\n{}", include_str!("js/init.d.ts"))),
        ],
        Target::Bundler | Target::Deno | Target::Module => {
            vec![file(".js", at_once(names)), file(".d.ts", star)]
        }
        // wasm-pack makes the package one of CommonJS, where what has to be waited for is a promise
        Target::Nodejs if package => vec![
            file(".mjs", at_once(names)),
            file(".js", promise(&format!("{entry}.mjs"))),
            file(".d.ts", promised(names)),
        ],
        Target::Nodejs => vec![
            file(".js", at_once(names)),
            file(".d.ts", star),
            file(".cjs", promise(&format!("{entry}.js"))),
            file(".d.cts", promised(names)),
        ],
        Target::NoModules => vec![
            file(".mjs", at_once(names)),
            file(".js", classic_script(entry)),
            file(".d.ts", star),
        ],
    }
}

fn with_init(names: &Names) -> String {
    let Names {
        layout,
        glue,
        module,
        wasm,
    } = names;
    format!(
        "// `await init()` instantiates the module, and those that it needs, on the one memory of the layout.\n\
         import {{ load }} from {layout};\n\nexport * from {glue};\n\n\
         export default async function init(options) {{\n  \
           const given = options instanceof URL || typeof options === 'string' ? options : await options?.module_or_path;\n  \
           return (await load({module}, given ?? new URL({wasm}, import.meta.url))).exports;\n}}\n"
    )
}

fn at_once(names: &Names) -> String {
    let Names {
        layout,
        glue,
        module,
        wasm,
    } = names;
    format!(
        "// Instantiates the module, and those that it needs, on the one memory of the layout.\n\
         import {{ load }} from {layout};\n\n\
         await load({module}, new URL({wasm}, import.meta.url));\n\nexport * from {glue};\n"
    )
}

fn promise(file: &str) -> String {
    format!(
        "module.exports = import({});\n",
        quoted(&format!("./{file}"))
    )
}

fn promised(names: &Names) -> String {
    format!(
        "declare const bindings: Promise<typeof import({})>;\nexport = bindings;\n",
        names.glue
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
