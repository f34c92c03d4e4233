#!/bin/sh
# cargo-wasm.sh: cargo for wasm32-unknown-unknown, with whichever Rust this machine has
#
#     cargo-wasm.sh build --release ...      any cargo command and its options; run it in the workspace's directory
#     cargo-wasm.sh --toolchain              which Rust it takes, or an error when there is none
#
# Where `rustup target add wasm32-unknown-unknown` was done, this is plain stable cargo. Debian packages no standard
# library for that target, so with Debian's rustc-web, cargo-web and rust-web-src cargo builds it from its source, once
# for every set of RUSTFLAGS; that takes a minute, so callers share one target directory (CARGO_TARGET_DIR).
set -eu

target=wasm32-unknown-unknown
command=${1:?"usage: cargo-wasm.sh COMMAND [cargo options] | --toolchain"}
shift
say_and_exit() {
    if [ "$command" = --toolchain ]; then
        echo "$1"
        exit
    fi
}

export CARGO_TARGET_DIR="${CARGO_TARGET_DIR:-$(cd "$(dirname "$0")/.." && pwd)/build/cargo}"

# lld can write relocations without crashing since LLVM 18, which Rust carries since 1.78
has_target() {
    minor=$(rustc --version 2>/dev/null | sed -n 's/^rustc 1\.\([0-9]*\)\..*/\1/p')
    [ "${minor:-0}" -ge 78 ] && [ -d "$(rustc --print target-libdir --target $target)" ]
}

if has_target; then
    say_and_exit "$(rustc --version), with a standard library for $target"
    exec cargo "$command" --target $target "$@"
fi

debian_rustc=/usr/bin/rustc
if [ -x $debian_rustc ] && [ -x /usr/bin/cargo ]; then
    release=$($debian_rustc --version --verbose | sed -n 's/^release: //p')
    vendor=/usr/src/rustc-$release/library/vendor
    linker=$(ls /usr/bin/wasm-ld-[0-9]* 2>/dev/null | sort -V | tail -n 1)
    if [ -d "$vendor" ] && [ -n "$linker" ]; then
        say_and_exit "$($debian_rustc --version) and its source, from Debian"
        # rustup's proxies may come first in PATH; cargo must not mix its parts with Debian's
        export PATH="/usr/bin:$PATH" RUSTC=$debian_rustc
        # -Z build-std is behind the nightly gate even for the compiler's own library
        export RUSTC_BOOTSTRAP=1
        # Debian has no rust-lld, the linker that this target asks for
        export CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER="${linker##*/}"
        exec /usr/bin/cargo "$command" --target $target -Z build-std=core,std,alloc,panic_abort --offline \
            --config 'source.crates-io.replace-with="debian-rust-src"' \
            --config "source.debian-rust-src.directory=\"$vendor\"" "$@"
    fi
fi

echo "cargo-wasm.sh: no Rust for $target: run 'rustup target add $target'," \
    "or install Debian's rustc-web, cargo-web, rust-web-src and lld-22" >&2
exit 1
