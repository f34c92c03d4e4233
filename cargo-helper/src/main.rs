//! `cargo wasmshare`: builds a workspace's WebAssembly modules and places them in one linear memory, and runs the
//! result in Node. The same program is the runner for `cargo run` and `cargo test`, and the `rustc` wrapper by which
//! modules get their link arguments.

mod artifact;
mod bindgen;
mod bound;
mod build;
mod combine;
mod commonjs;
mod config;
mod divided;
mod inspect;
mod layout;
mod node;
mod report;
mod stamp;
mod standin;
mod test;
mod tool;
mod workspace;
mod wrapper;

use anyhow::{bail, Result};
use artifact::Artifact;
use build::Build;
use layout::Layout;
use lexopt::prelude::*;
use stamp::Stamp;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use workspace::{Module, Program, Workspace};

const HELP: &str = "\
Build a workspace's WebAssembly modules and place them in one linear memory

Usage: cargo wasmshare build   [OPTIONS] [-- CARGO-FLAGS...]
       cargo wasmshare run     [OPTIONS] SCRIPT.mjs [ARGS...] [-- CARGO-FLAGS...]
       cargo wasmshare run     [OPTIONS] --bin|--example NAME [ARGS...] [-- CARGO-FLAGS...]
       cargo wasmshare test    [ARGS OF cargo test...]
       cargo wasmshare inspect [OPTIONS] [--json] [-- CARGO-FLAGS...]
       cargo wasmshare prepare [OPTIONS] [-o DIR] [-- CARGO-FLAGS...]
       cargo wasmshare bindgen [ARGS OF wasm-bindgen...]
       cargo-wasmshare runner  PROGRAM.wasm [ARGS...]

Options:
  -p, --package NAME      Take these packages' modules, in this order
  -r, --release           Build with the release profile
      --profile NAME      Build with this profile
      --target TRIPLE     Build for this target [default: wasm32-unknown-unknown]
      --target-dir DIR    Where cargo builds
      --manifest-path PATH
  -q, --quiet             Print errors only, and what the compiler says
  -h, --help
  -V, --version

`run` runs a script in Node, with the URL of layout.mjs in WASMSHARE_LAYOUT, or a program, last in the memory.
`prepare` writes modules that are placed when they are loaded. `bindgen` stands in for the wasm-bindgen that wasm-pack
and Trunk call; `bindgen = \"web\"` in the configuration makes `build` run wasm-bindgen itself.
`test` is `cargo test`, set up for this. By hand, `runner` is for .cargo/config.toml, and makes `cargo run` and `cargo test` do the latter:

  [target.wasm32-unknown-unknown]
  runner = \"cargo-wasmshare runner\"
  rustflags = [\"-Clink-arg=--emit-relocs\", \"-Clink-arg=--import-memory\"]

The modules, their order and the options of `wasmshare combine` stand in the workspace's Cargo.toml:

  [workspace.metadata.wasmshare]
  modules = [\"common\", \"a\", \"b=prebuilt/b.wasm\"]
  extra-stack = \"64K\"

The wasmshare command is taken from WASMSHARE, from beside this program, from PATH, or from node_modules.
";

/// Of every command.
const OPTIONS: [&str; 8] = [
    "--package",
    "--release",
    "--profile",
    "--target",
    "--target-dir",
    "--manifest-path",
    "--quiet",
    "--help",
];

enum Command {
    Build,
    Run,
    Inspect,
    Prepare,
}

const COMMANDS: [&str; 7] = [
    "build", "run", "test", "inspect", "prepare", "bindgen", "runner",
];

fn main() -> ExitCode {
    let mut args: Vec<OsString> = std::env::args_os().collect();
    let called = PathBuf::from(args.remove(0));
    let result = match wrapper::active() {
        // in `cargo wasmshare test`, cargo calls both
        Some(outer) if args.first().is_none_or(|arg| arg != "runner") => wrapper::run(outer, args),
        // a link to this program, in place of wasm-bindgen
        None if called
            .file_stem()
            .is_some_and(|name| name == "wasm-bindgen") =>
        {
            standin::run(args)
        }
        _ => run(args),
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
    // those whose arguments are another program's
    let command = args
        .first()
        .and_then(|arg| arg.to_str())
        .unwrap_or_default();
    match command {
        "runner" => runner(args.split_off(1)),
        "bindgen" => standin::run(args.split_off(1)),
        "test" | "t" => test::run(args.split_off(1)),
        _ => run_command(args),
    }
}

/// What the command line asks for.
struct Request {
    build: Build,
    packages: Vec<String>,
    manifest_path: Option<PathBuf>,
    program: Option<Program>,
    output: Option<PathBuf>,
    json: bool,
    rest: Vec<OsString>,
}

fn run_command(mut args: Vec<OsString>) -> Result<ExitCode> {
    let separator = args.iter().position(|arg| arg == "--");
    let cargo_flags = separator.map_or_else(Vec::new, |at| args.split_off(at).split_off(1));
    let mut parser = lexopt::Parser::from_args(args);
    let command = match parser.next()? {
        None | Some(Short('h') | Long("help")) => return Ok(help()),
        Some(Short('V') | Long("version")) => {
            println!("cargo-wasmshare {}", env!("CARGO_PKG_VERSION"));
            return Ok(ExitCode::SUCCESS);
        }
        Some(Value(name)) => match name.to_str() {
            Some("build" | "b") => Command::Build,
            Some("run" | "r") => Command::Run,
            Some("inspect") => Command::Inspect,
            Some("prepare") => Command::Prepare,
            _ => {
                let name = name.to_string_lossy();
                let meant = tool::did_you_mean(&name, COMMANDS);
                bail!("no such command: '{name}'{meant}; see cargo wasmshare --help");
            }
        },
        Some(option) => return Err(unexpected(&option, &["--help", "--version"])),
    };
    match parse(&command, parser, cargo_flags)? {
        Some(request) => execute(&command, request),
        None => Ok(help()),
    }
}

fn help() -> ExitCode {
    print!("{HELP}");
    ExitCode::SUCCESS
}

/// None if help is asked for.
fn parse(
    command: &Command,
    mut parser: lexopt::Parser,
    cargo_flags: Vec<OsString>,
) -> Result<Option<Request>> {
    let mut request = Request {
        build: Build::new(cargo_flags)?,
        packages: Vec::new(),
        manifest_path: None,
        program: None,
        output: None,
        json: false,
        rest: Vec::new(),
    };
    let build = &mut request.build;
    while let Some(arg) = parser.next()? {
        match arg {
            Short('p') | Long("package") => request.packages.push(parser.value()?.string()?),
            Short('r') | Long("release") => build.profile = "release".to_owned(),
            Long("profile") => build.profile = parser.value()?.string()?,
            Long("target") => build.target = parser.value()?.string()?,
            Long("target-dir") => build.target_dir = Some(std::path::absolute(parser.value()?)?),
            Long("manifest-path") => request.manifest_path = Some(parser.value()?.into()),
            Short('q') | Long("quiet") => build.quiet = true,
            Long("bin") if matches!(command, Command::Run) => {
                request.program = Some(Program::Bin(parser.value()?.string()?));
            }
            Long("example") if matches!(command, Command::Run) => {
                request.program = Some(Program::Example(parser.value()?.string()?));
            }
            Long("json") if matches!(command, Command::Inspect) => request.json = true,
            Short('o') | Long("output") if matches!(command, Command::Prepare) => {
                request.output = Some(parser.value()?.into());
            }
            Short('h') | Long("help") => return Ok(None),
            // the script's, or the program's: whatever they look like
            Value(first) if matches!(command, Command::Run) => {
                request.rest.push(first);
                request.rest.extend(parser.raw_args()?);
            }
            _ => {
                let own: &[&str] = match command {
                    Command::Build => &[],
                    Command::Run => &["--bin", "--example"],
                    Command::Inspect => &["--json"],
                    Command::Prepare => &["--output"],
                };
                return Err(unexpected(&arg, &[&OPTIONS, own].concat()));
            }
        }
    }
    Ok(Some(request))
}

fn execute(command: &Command, request: Request) -> Result<ExitCode> {
    let Request {
        build,
        packages,
        program,
        mut rest,
        ..
    } = request;
    let workspace = Workspace::load(request.manifest_path, &build.cargo)?;
    // what is missing is said before anything is compiled
    tool::wasmshare()?;
    if matches!(command, Command::Run) {
        tool::node()?;
    }
    if let (Command::Run, Some(program)) = (command, program) {
        return run_program(&workspace, &build, &program, packages, &rest);
    }
    let modules = workspace.modules(&packages)?;
    match command {
        Command::Build => {
            write_layout(&workspace, &build, &modules)?;
            Ok(ExitCode::SUCCESS)
        }
        Command::Inspect => combine::inspect(&build.modules(&workspace, &modules)?, request.json),
        Command::Prepare => {
            let dir = request
                .output
                .unwrap_or_else(|| build.out_dir(&workspace).join("prepared"));
            let modules = build.modules(&workspace, &modules)?;
            prepare(&workspace, &build, &modules, dir)
        }
        Command::Run => {
            let script = match rest.is_empty() {
                false => PathBuf::from(rest.remove(0)),
                true => workspace.script()?,
            };
            // without an extension, Node finds it or says that it does not
            if script.extension().is_some() && !script.exists() {
                bail!("no such file: {}", script.display());
            }
            let layout = write_layout(&workspace, &build, &modules)?;
            node::run_script(&build, &script, &rest, &layout)
        }
    }
}

fn write_layout(workspace: &Workspace, build: &Build, modules: &[Module]) -> Result<PathBuf> {
    let modules = build.modules(workspace, modules)?;
    let targets = layout::targets(workspace, &modules)?;
    let layout = Layout {
        workspace,
        modules: &modules,
        scratch: &build.scratch_dir(workspace),
        dir: &workspace
            .out_dir()
            .map_or_else(|| build.out_dir(workspace), PathBuf::from),
        with_outputs: true,
        quiet: build.quiet,
    };
    layout.write(&targets)
}

fn run_program(
    workspace: &Workspace,
    build: &Build,
    program: &Program,
    mut packages: Vec<String>,
    args: &[OsString],
) -> Result<ExitCode> {
    let built = build.program(workspace, program, &packages)?;
    // those that name the program's package are not for modules
    packages.retain(|name| {
        !workspace
            .packages_with(program)
            .iter()
            .any(|package| package.name == *name)
    });
    node::run_program(workspace, build, built, args, || {
        build.modules(workspace, &workspace.modules(&packages)?)
    })
}

fn prepare(
    workspace: &Workspace,
    build: &Build,
    modules: &[Artifact],
    dir: PathBuf,
) -> Result<ExitCode> {
    let command = combine::prepare(workspace, modules, &dir)?;
    let inputs: Vec<&Path> = modules.iter().map(|module| module.path.as_path()).collect();
    let scratch = build.scratch_dir(workspace);
    let stamp = Stamp::new(scratch.join("prepared.stamp"), &[&command], &inputs);
    let fresh = stamp.fresh();
    if !build.quiet {
        let verb = if fresh.is_some() {
            "Fresh"
        } else {
            "Preparing"
        };
        let names: Vec<&str> = modules.iter().map(|module| module.name.as_str()).collect();
        let what = format_args!("{} ({})", names.join(", "), report::shown(&dir)).to_string();
        report::status(verb, what);
    }
    let said = match fresh {
        Some(said) => said,
        None => {
            let said = combine::run(command)?;
            let outputs = modules
                .iter()
                .map(|module| dir.join(format!("{}.wasm", module.name)));
            layout::make_directory(&scratch)?;
            stamp.write(&outputs.collect::<Vec<_>>(), &said)?;
            said
        }
    };
    if !build.quiet {
        eprint!("{said}");
    }
    Ok(ExitCode::SUCCESS)
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
    wrapper::uninstall();
    if args.is_empty() {
        bail!("usage: cargo-wasmshare runner PROGRAM.wasm [ARGS...]");
    }
    let program = Artifact::at(args.remove(0).into())?;
    let mut build = Build::new(Vec::new())?;
    build.quiet = true;
    build.as_built(&program.path);

    // cargo sets this for what it runs, which may be in a package other than the working directory's
    let manifest_path =
        std::env::var_os("CARGO_MANIFEST_DIR").map(|dir| Path::new(&dir).join("Cargo.toml"));
    let workspace = Workspace::load(manifest_path, &build.cargo)?;
    node::run_program(&workspace, &build, program, &args, || {
        build.modules(&workspace, &workspace.configured_modules()?)
    })
}
