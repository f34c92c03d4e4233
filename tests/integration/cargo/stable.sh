# A stable Rust that has the target's standard library, as `rustup target add wasm32-unknown-unknown` gives it, is all
# that `cargo wasmshare` needs: no nightly, no RUSTC_BOOTSTRAP, no -Z build-std.
. "$(dirname "$0")/../lib.sh"
use_stable_rust
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
