# What the integration tests share. Each test is a script that uses an installed WasmShare as a user would, in a fresh
# directory outside the tree: WASMSHARE_PREFIX is the installation, WASMSHARE_SOURCE the tree, WASMSHARE_BUILD its build
# directory, WASMSHARE_SCRATCH a directory for what is slow to make twice.
set -euo pipefail

: "${WASMSHARE_PREFIX:?}" "${WASMSHARE_SOURCE:?}" "${WASMSHARE_BUILD:?}" "${WASMSHARE_SCRATCH:?}"
unset WASMSHARE RUSTFLAGS CARGO_ENCODED_RUSTFLAGS CARGO_TARGET_DIR CC CXX CFLAGS LDFLAGS MAKEFLAGS MFLAGS
export PATH="$WASMSHARE_PREFIX/bin:$PATH"

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

fail() {
    echo "FAILED: $*" >&2
    exit 1
}

# expect TEXT FILE: the file has the text in it
expect() {
    grep -qF -e "$1" "$2" || { cat "$2" >&2; fail "\"$1\" is not in the output"; }
}

# expect_no TEXT FILE
expect_no() {
    ! grep -qF -e "$1" "$2" || { cat "$2" >&2; fail "\"$1\" is in the output"; }
}

# refuses TEXT COMMAND...: the command fails and says TEXT
refuses() {
    local text=$1
    shift
    if "$@" >refused.log 2>&1; then
        cat refused.log >&2
        fail "$* succeeded"
    fi
    # CMake breaks its messages into lines
    tr -s ' \n' '  ' <refused.log >refused.line
    grep -qF -e "$text" refused.line || { cat refused.log >&2; fail "$* does not say \"$text\""; }
}

# example NAME: copies an example as a user would start from it, and makes its copy the working directory
example() {
    cp -r "$WASMSHARE_SOURCE/examples/$1" "$work/$1"
    rm -rf "$work/$1/build" "$work/$1/target"
    cd "$work/$1"
}

# block KIND FILE: the first block of that kind in a Markdown file
block() {
    awk -v begin="\`\`\`$1" '/^```/ { if (inside) exit; inside = $0 == begin; next } inside' "$2" | grep '' ||
        fail "$2 has no $1 block"
}

# Runs the README's commands; their output has to have what the README says they print.
follow_readme() {
    block sh README.md >commands.sh
    block text README.md >expected.txt
    bash -euo pipefail commands.sh 2>&1 | tee output.log
    while IFS= read -r line; do expect "$line" output.log; done <expected.txt
}

wait_for_a_new_timestamp() {
    # older Makes and file systems count whole seconds
    sleep 1.1
}

# `cargo wasmshare`, and a Rust that can build for wasm32-unknown-unknown: set up in the environment, outside the
# project, so that projects and commands are the same whichever Rust it is.
use_rust() {
    local environment
    export CARGO_TARGET_DIR=$WASMSHARE_SOURCE/build/cargo
    environment=$("$WASMSHARE_SOURCE/examples/cargo-wasm.sh" --environment)
    eval "$environment"
    export PATH="$WASMSHARE_PREFIX/bin:$WASMSHARE_SCRATCH/cargo-helper/bin:$PATH"
}

# A stable Rust that has the target's standard library, as `rustup target add wasm32-unknown-unknown` gives it. Where this
# machine's Rust is not such a one already, it is made of it: the library is put where rustup puts it.
use_stable_rust() {
    local library part
    use_rust
    [ -n "${RUSTC_BOOTSTRAP:-}" ] || return 0
    cargo init --quiet --lib --name nothing "$work/nothing"
    (cd "$work/nothing" && cargo build --release --quiet --target wasm32-unknown-unknown --message-format json) >"$work/messages.json"
    library=$work/sysroot/lib/rustlib/wasm32-unknown-unknown/lib
    mkdir -p "$work/bin" "$library"
    grep -o '"[^"]*/wasm32-unknown-unknown/[^"]*\.rlib"' "$work/messages.json" | tr -d '"' | grep -v libnothing | sort -u |
        xargs cp -t "$library"
    ls "$library"/libstd-*.rlib >/dev/null
    for part in "$(rustc --print sysroot)"/lib/rustlib/*; do
        [ "${part##*/}" = wasm32-unknown-unknown ] || ln -s "$part" "$work/sysroot/lib/rustlib/"
    done
    printf '#!/bin/sh\nexec %s --sysroot %s "$@"\n' "$RUSTC" "$work/sysroot" >"$work/bin/rustc"
    chmod +x "$work/bin/rustc"
    unset RUSTC RUSTC_BOOTSTRAP
    export PATH="$work/bin:$PATH" CARGO_HOME="$work/cargo-home" CARGO_TARGET_DIR="$work/target"
}

# with_crates SETUP: makes the crates that the workspace in this directory needs part of it, and sets up Rust
with_crates() {
    cargo vendor --locked --quiet "$work/crates" >/dev/null
    "$@"
    # a Rust that builds its standard library takes crates from a directory, which has those of the library alone
    local std crate
    std=$(sed -n '/^\[source.debian-rust-src\]/{n;s/^directory = "\(.*\)"/\1/p}' "${CARGO_HOME:-}/config.toml" 2>/dev/null) || true
    for crate in ${std:+"$std"/*}; do
        ln -s "$crate" "$work/crates/std-${crate##*/}"
    done
    mkdir "$work/.cargo"
    printf '[source.crates-io]\nreplace-with = "crates"\n[source.crates]\ndirectory = "%s"\n' "$work/crates" \
        >"$work/.cargo/config.toml"
}

# The workspace with wasm-bindgen, with the crates that it needs, and a module in C; and the tools for it.
bindgen_workspace() {
    local clang
    cp -r "$WASMSHARE_SOURCE/tests/integration/cargo/bindgen" "$work/bindgen"
    cd "$work/bindgen"
    with_crates "$@"
    clang=$(ls /usr/bin/clang-[0-9]* | sort -V | tail -n 1)
    "$clang" --target=wasm32 -O2 -nostdlib --no-wasm-opt -Wl,--no-entry,--emit-relocs,--import-memory \
        "$WASMSHARE_SOURCE/examples/cmake/greeting.c" -o greeting.wasm
    export CARGO_INSTALL_ROOT=$WASMSHARE_RUST_TOOLS
}

# in_browser DIRECTORY: its page, in Chromium, finds nothing wrong
in_browser() {
    node "$WASMSHARE_SOURCE/tests/integration/cargo/bindgen/browser.mjs" "$1"
}

# page SCRIPT: the page that runs it
page() {
    echo "<!doctype html><link rel=\"icon\" href=\"data:,\"><script type=\"module\" src=\"$1\"></script>"
}
