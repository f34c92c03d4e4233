//! Progress and errors, as cargo prints them.

use std::fmt::Display;
use std::io::IsTerminal;
use std::path::Path;

fn colored() -> bool {
    match std::env::var("CARGO_TERM_COLOR").as_deref() {
        Ok("always") => true,
        Ok("never") => false,
        _ => std::env::var_os("NO_COLOR").is_none() && std::io::stderr().is_terminal(),
    }
}

/// `   Combining common, a, b`
pub fn status(verb: &str, what: impl Display) {
    if colored() {
        eprintln!("\x1b[1;32m{verb:>12}\x1b[0m {what}");
    } else {
        eprintln!("{verb:>12} {what}");
    }
}

/// `error: ...`, with its causes
pub fn error(error: &anyhow::Error) {
    let label = if colored() {
        "\x1b[1;31merror\x1b[0m\x1b[1m:\x1b[0m"
    } else {
        "error:"
    };
    eprintln!("{label} {error}");
    let causes: Vec<_> = error.chain().skip(1).collect();
    if !causes.is_empty() {
        eprintln!("\nCaused by:");
        for cause in causes {
            eprintln!("  {cause}");
        }
    }
}

/// A path as people read it: from the working directory, if it is below that.
pub fn shown(path: &Path) -> String {
    let below = std::env::current_dir()
        .ok()
        .and_then(|dir| path.strip_prefix(dir).ok().map(Path::to_owned));
    below.as_deref().unwrap_or(path).display().to_string()
}
