#!/bin/sh
# cargo-wasm.sh: cargo for wasm32-unknown-unknown, or CARGO_BUILD_TARGET=wasm32-wasip1, with whichever Rust this machine has
#
#     cargo-wasm.sh build --release ...      any cargo command and its options; run it in the workspace's directory
#     cargo-wasm.sh --toolchain              which Rust it takes, or an error when there is none
#     eval "$(cargo-wasm.sh --environment)"  for a shell, from then on: cargo itself is that Rust's
#
# Where `rustup target add` was done for the target, this is plain stable cargo. Debian packages no standard library for
# it, so with Debian's rustc-web, cargo-web and rust-web-src cargo builds it from its source, once for every profile and
# set of RUSTFLAGS; that takes a minute, so callers share one target directory (CARGO_TARGET_DIR). For wasm32-wasip1, it
# also takes Debian's wasi-libc.
set -eu

case ${CARGO_BUILD_TARGET-} in
wasm32-*) target=$CARGO_BUILD_TARGET ;;
*) target=wasm32-unknown-unknown ;;
esac
usage='usage: cargo-wasm.sh COMMAND [cargo options] | --toolchain | --environment'
command=${1:?$usage}
shift
export CARGO_TARGET_DIR="${CARGO_TARGET_DIR:-$(cd "$(dirname "$0")/.." && pwd)/build/cargo}"

# lld can write relocations without crashing since LLVM 18, which Rust carries since 1.78; the examples need 1.82 for
# #[unsafe(no_mangle)], which is written so in every edition
has_target() {
    minor=$(rustc --version 2>/dev/null | sed -n 's/^rustc 1\.\([0-9]*\)\..*/\1/p')
    [ "${minor:-0}" -ge 82 ] && [ -d "$(rustc --print target-libdir --target $target)" ]
}

# Fails when there is none.
find_debian() {
    rustc=/usr/bin/rustc
    [ -x $rustc ] && [ -x /usr/bin/cargo ] || return 1
    release=$($rustc --version --verbose | sed -n 's/^release: //p')
    vendor=/usr/src/rustc-$release/library/vendor
    linker=$(ls /usr/bin/wasm-ld-[0-9]* 2>/dev/null | sort -V | tail -n 1)
    [ -d "$vendor" ] && [ -n "$linker" ]
}

# In a directory for cargo's home, lest it needs the network and the user's own: what the library is built from.
use_debian() {
    home=$CARGO_TARGET_DIR/home
    mkdir -p "$home"
    cat >"$home/config.$$" <<END
[unstable]
build-std = ["core", "std", "alloc", "panic_abort"]
[net]
offline = true
[source.crates-io]
replace-with = "debian-rust-src"
[source.debian-rust-src]
directory = "$vendor"
[target.wasm32-wasip1]
rustflags = ["-Clink-self-contained=no", "-Lnative=/usr/lib/wasm32-wasi"]
END
    mv "$home/config.$$" "$home/config.toml"
    export CARGO_HOME="$home"
    # rustup's proxies may come first in PATH; cargo must not mix its parts with Debian's
    export PATH="/usr/bin:$PATH" RUSTC=$rustc
    # building the library is behind the nightly gate even for the compiler's own
    export RUSTC_BOOTSTRAP=1
    # Debian has no rust-lld, the linker that this target asks for
    export "CARGO_TARGET_$(echo "$target" | tr a-z- A-Z_)_LINKER=${linker##*/}"
}

if has_target; then
    toolchain="$(rustc --version), with a standard library for $target"
elif find_debian; then
    toolchain="$($rustc --version) and its source, from Debian"
    [ "$command" = --toolchain ] || use_debian
else
    echo "cargo-wasm.sh: no Rust for $target: run 'rustup target add $target'," \
        "or install Debian's rustc-web, cargo-web, rust-web-src and lld-22" >&2
    exit 1
fi

case $command in
--toolchain) echo "$toolchain" ;;
--environment) export -p | grep -E '^export (PATH|RUSTC|RUSTC_BOOTSTRAP|CARGO_[A-Z0-9_]*)=' ;;
*) exec cargo "$command" --target $target "$@" ;;
esac
