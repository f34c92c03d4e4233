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

# readme_block KIND: the first block of that kind in README.md
readme_block() {
    sed -n "/^\`\`\`$1\$/,/^\`\`\`\$/p" README.md | sed '/^```/d' | grep . || fail "README.md has no $1 block"
}

# Runs the README's commands; their output has to have what the README says they print.
follow_readme() {
    readme_block sh >commands.sh
    readme_block text >expected.txt
    bash -euo pipefail commands.sh 2>&1 | tee output.log
    while IFS= read -r line; do expect "$line" output.log; done <expected.txt
}

wait_for_a_new_timestamp() {
    # older Makes and file systems count whole seconds
    sleep 1.1
}

# A Rust that can build for wasm32-unknown-unknown: the target that rustup installs or, on Debian, which packages no
# standard library for it, the compiler of rustc-web building rust-web-src's. That is set up where a user's own cargo
# configuration would be, outside the project, so that projects and commands are the same with both.
use_rust() {
    local target=wasm32-unknown-unknown libdir release sources linker crate
    export PATH="$WASMSHARE_SCRATCH/cargo-helper/bin:$PATH"
    export CARGO_TARGET_DIR="$WASMSHARE_SCRATCH/cargo-target"
    vendored=
    libdir=$(rustc --print target-libdir --target $target 2>/dev/null) && [ -d "$libdir" ] && return
    [ -x /usr/bin/rustc ] || fail "no Rust for $target: rustup target add $target, or install rustc-web"
    release=$(/usr/bin/rustc -vV | sed -n 's/^release: //p')
    sources=/usr/src/rustc-$release/library/vendor
    linker=$(ls /usr/bin/wasm-ld-[0-9]* | sort -V | tail -n 1)
    [ -d "$sources" ] || fail "no Rust for $target: rustup target add $target, or install rust-web-src"
    vendored=$WASMSHARE_SCRATCH/cargo-vendor
    mkdir -p "$work/.cargo" "$vendored"
    for crate in "$sources"/*; do
        ln -sfn "$crate" "$vendored/std-${crate##*/}"
    done
    cat >"$work/.cargo/config.toml" <<END
[unstable]
build-std = ["core", "std", "alloc", "panic_abort"]
[net]
offline = true
[source.crates-io]
replace-with = "vendored"
[source.vendored]
directory = "$vendored"
[target.$target]
linker = "${linker##*/}"
END
    # rustup's proxies may come first in PATH
    export PATH="$WASMSHARE_PREFIX/bin:$WASMSHARE_SCRATCH/cargo-helper/bin:/usr/bin:$PATH" RUSTC_BOOTSTRAP=1
}

# Makes the crates that a project's Cargo.lock names available, where they have to be at hand.
vendor_crates() {
    [ -n "$vendored" ] || return 0
    # into a directory of their own, since `cargo vendor` removes what it has not put there
    (cd / && cargo vendor --locked --quiet --manifest-path "$OLDPWD/Cargo.toml" "$vendored.new") >/dev/null
    local crate
    for crate in "$vendored.new"/*; do
        rm -rf "$vendored/${crate##*/}"
        mv "$crate" "$vendored"
    done
}
