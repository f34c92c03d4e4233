# A stable Rust that has the target's standard library, as `rustup target add wasm32-unknown-unknown` gives it, is all
# that `cargo wasmshare` needs: no nightly, no RUSTC_BOOTSTRAP, no -Z build-std.
. "$(dirname "$0")/../lib.sh"
use_rust

# Where this machine's Rust is not such a one already, it is made of it: the library is put where rustup puts it.
if [ -n "${RUSTC_BOOTSTRAP:-}" ]; then
    cargo init --quiet --lib --name nothing nothing
    (cd nothing && cargo build --release --quiet --target wasm32-unknown-unknown --message-format json) >messages.json
    library=$work/sysroot/lib/rustlib/wasm32-unknown-unknown/lib
    mkdir -p bin "$library"
    grep -o '"[^"]*/wasm32-unknown-unknown/[^"]*\.rlib"' messages.json | tr -d '"' | grep -v libnothing | sort -u |
        xargs cp -t "$library"
    ls "$library"/libstd-*.rlib >/dev/null
    for part in "$(rustc --print sysroot)"/lib/rustlib/*; do
        [ "${part##*/}" = wasm32-unknown-unknown ] || ln -s "$part" "$work/sysroot/lib/rustlib/"
    done
    printf '#!/bin/sh\nexec %s --sysroot %s "$@"\n' "$RUSTC" "$work/sysroot" >bin/rustc
    chmod +x bin/rustc
    unset RUSTC RUSTC_BOOTSTRAP
    export PATH="$work/bin:$PATH" CARGO_HOME="$work/cargo-home" CARGO_TARGET_DIR="$work/target"
fi
"$WASMSHARE_SOURCE/examples/cargo-wasm.sh" --toolchain | tee toolchain.log
expect 'with a standard library for wasm32-unknown-unknown' toolchain.log

example cargo
for profile in debug release; do
    flags=$([ $profile = debug ] || echo --release)
    cargo wasmshare build $flags
    wasmshare verify "$CARGO_TARGET_DIR/wasmshare/$profile"
    cargo wasmshare run $flags >output.log
    expect 'HELLO FROM A MODULE OF ITS OWN' output.log
done
