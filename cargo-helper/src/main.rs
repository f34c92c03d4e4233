//! `cargo wasmshare`: builds a workspace's WebAssembly modules and places them in one linear memory, and runs the
//! result in Node. The same program is the runner for `cargo run` and `cargo test`, and the `rustc` wrapper by which
//! modules get their link arguments.

mod build;
mod combine;
mod config;
mod node;
mod report;
mod sections;
mod tool;
mod workspace;
mod wrapper;

use anyhow::{bail, Result};
use build::{Build, Program};
use lexopt::prelude::*;
use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;
use workspace::Workspace;

const HELP: &str = "\
Build a workspace's WebAssembly modules and place them in one linear memory

Usage: cargo wasmshare build   [OPTIONS] [-- CARGO-FLAGS...]
       cargo wasmshare run     [OPTIONS] SCRIPT.mjs [ARGS...] [-- CARGO-FLAGS...]
       cargo wasmshare run     [OPTIONS] --bin|--example NAME [ARGS...] [-- CARGO-FLAGS...]
       cargo wasmshare inspect [OPTIONS] [--json] [-- CARGO-FLAGS...]
       cargo-wasmshare runner  PROGRAM.wasm [ARGS...]

Options:
  -p, --package NAME      Take these packages' modules, in this order
  -r, --release           Build with the release profile
      --profile NAME      Build with this profile
      --target TRIPLE     Build for this target [default: wasm32-unknown-unknown]
      --manifest-path PATH
  -q, --quiet             Print errors only, and what the compiler says
  -h, --help
  -V, --version

`run` runs a script in Node, with the URL of layout.mjs in WASMSHARE_LAYOUT, or a program, last in the memory.
`runner` is for .cargo/config.toml, and makes `cargo run` and `cargo test` do the latter:

  [target.wasm32-unknown-unknown]
  runner = \"cargo-wasmshare runner\"
  rustflags = [\"-Clink-arg=--emit-relocs\", \"-Clink-arg=--import-memory\"]

The modules, their order and the options of `wasmshare combine` stand in the workspace's Cargo.toml:

  [workspace.metadata.wasmshare]
  modules = [\"common\", \"a\", \"b=prebuilt/b.wasm\"]
  extra-stack = \"64K\"

The wasmshare command is taken from WASMSHARE, from beside this program, or from PATH.
";

/// Of every command.
const OPTIONS: [&str; 7] = [
    "--package",
    "--release",
    "--profile",
    "--target",
    "--manifest-path",
    "--quiet",
    "--help",
];

enum Command {
    Build,
    Run,
    Inspect,
}

fn main() -> ExitCode {
    let args: Vec<OsString> = std::env::args_os().skip(1).collect();
    let result = match wrapper::active() {
        Some(outer) => wrapper::run(outer, args),
        None => run(args),
    };
    result.unwrap_or_else(|error| {
        report::error(&error);
        ExitCode::from(101) // as cargo's
    })
}

fn run(mut args: Vec<OsString>) -> Result<ExitCode> {
    // cargo passes its subcommands their own name
    if args.first().is_some_and(|arg| arg == "wasmshare") {
        args.remove(0);
    }
    if args.first().is_some_and(|arg| arg == "runner") {
        args.remove(0);
        return runner(args);
    }
    let separator = args.iter().position(|arg| arg == "--");
    let cargo_flags = separator.map_or_else(Vec::new, |at| args.split_off(at).split_off(1));

    let mut parser = lexopt::Parser::from_args(args);
    let command = match parser.next()? {
        None | Some(Short('h') | Long("help")) => {
            print!("{HELP}");
            return Ok(ExitCode::SUCCESS);
        }
        Some(Short('V') | Long("version")) => {
            println!("cargo-wasmshare {}", env!("CARGO_PKG_VERSION"));
            return Ok(ExitCode::SUCCESS);
        }
        Some(Value(name)) => match name.to_str() {
            Some("build" | "b") => Command::Build,
            Some("run" | "r") => Command::Run,
            Some("inspect") => Command::Inspect,
            _ => {
                let name = name.to_string_lossy();
                let meant = tool::did_you_mean(&name, ["build", "run", "inspect", "runner"]);
                bail!("no such command: '{name}'{meant}; see cargo wasmshare --help");
            }
        },
        Some(option) => return Err(unexpected(&option, &["--help", "--version"])),
    };

    let mut packages = Vec::new();
    let mut build = Build::new(cargo_flags)?;
    let mut manifest_path = None;
    let mut program = None;
    let mut json = false;
    let mut rest = Vec::new();
    while let Some(arg) = parser.next()? {
        match arg {
            Short('p') | Long("package") => packages.push(parser.value()?.string()?),
            Short('r') | Long("release") => build.profile = "release".to_owned(),
            Long("profile") => build.profile = parser.value()?.string()?,
            Long("target") => build.target = parser.value()?.string()?,
            Long("manifest-path") => manifest_path = Some(parser.value()?.into()),
            Short('q') | Long("quiet") => build.quiet = true,
            Long("bin") if matches!(command, Command::Run) => {
                program = Some(Program::Bin(parser.value()?.string()?));
            }
            Long("example") if matches!(command, Command::Run) => {
                program = Some(Program::Example(parser.value()?.string()?));
            }
            Long("json") if matches!(command, Command::Inspect) => json = true,
            Short('h') | Long("help") => {
                print!("{HELP}");
                return Ok(ExitCode::SUCCESS);
            }
            // the script's, or the program's: whatever they look like
            Value(first) if matches!(command, Command::Run) => {
                rest.push(first);
                rest.extend(parser.raw_args()?);
            }
            _ => {
                let own: &[&str] = match command {
                    Command::Build => &[],
                    Command::Run => &["--bin", "--example"],
                    Command::Inspect => &["--json"],
                };
                return Err(unexpected(&arg, &[&OPTIONS, own].concat()));
            }
        }
    }

    let workspace = Workspace::load(manifest_path, &build.cargo)?;
    let modules = workspace.modules(&packages)?;
    // what is missing is said before anything is compiled
    tool::wasmshare()?;
    if matches!(command, Command::Run) {
        tool::node()?;
    }
    match (command, program) {
        (Command::Build, _) => {
            let modules = build.modules(&workspace, &modules)?;
            combine::combine(&workspace, &build, &modules, workspace.out_dir(&build))?;
            Ok(ExitCode::SUCCESS)
        }
        (Command::Inspect, _) => combine::inspect(&build.modules(&workspace, &modules)?, json),
        (Command::Run, Some(program)) => {
            let mut modules = build.modules(&workspace, &modules)?;
            let program = build.program(&workspace, &program)?;
            modules.retain(|module| !module.is(&program));
            node::run_program(&workspace, &build, modules, program, &rest)
        }
        (Command::Run, None) => {
            let script = match rest.is_empty() {
                false => PathBuf::from(rest.remove(0)),
                true => workspace.script()?,
            };
            // without an extension, Node finds it or says that it does not
            if script.extension().is_some() && !script.exists() {
                bail!("no such file: {}", script.display());
            }
            let modules = build.modules(&workspace, &modules)?;
            let layout = combine::combine(&workspace, &build, &modules, workspace.out_dir(&build))?;
            node::run_script(&build, &script, &rest, &layout)
        }
    }
}

/// An argument that there is not, and which of the options may have been meant.
fn unexpected(arg: &lexopt::Arg, options: &[&str]) -> anyhow::Error {
    let meant = match arg {
        Long(name) => tool::did_you_mean(&format!("--{name}"), options.iter().copied()),
        _ => String::new(),
    };
    anyhow::anyhow!("{}{meant}", arg.clone().unexpected())
}

/// What cargo calls in place of a program: `cargo-wasmshare runner PROGRAM.wasm ARGS...`
fn runner(mut args: Vec<OsString>) -> Result<ExitCode> {
    if args.is_empty() {
        bail!("usage: cargo-wasmshare runner PROGRAM.wasm [ARGS...]");
    }
    let program = build::Artifact::at(args.remove(0).into())?;
    let mut build = Build::new(Vec::new())?;
    build.quiet = true;
    build.as_built(&program.path);

    // cargo sets this for what it runs, which may be in a package other than the working directory's
    let manifest_path = std::env::var_os("CARGO_MANIFEST_DIR")
        .map(|dir| std::path::Path::new(&dir).join("Cargo.toml"));
    let workspace = Workspace::load(manifest_path, &build.cargo)?;
    let mut modules = build.modules(&workspace, &workspace.configured_modules()?)?;
    modules.retain(|module| !module.is(&program));
    node::run_program(&workspace, &build, modules, program, &args)
}
