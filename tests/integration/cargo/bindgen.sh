# A module of wasm-bindgen's: placed first, then bound. It shares the memory with a module that was placed before it.
. "$(dirname "$0")/../lib.sh"
cp -r "$WASMSHARE_SOURCE/tests/integration/cargo/bindgen" "$work/bindgen"
(cd bindgen && cargo vendor --locked --quiet "$work/crates") >/dev/null
use_rust
# a Rust that builds its standard library takes crates from a directory, which has those of the library alone
std=$(sed -n '/^\[source.debian-rust-src\]/{n;s/^directory = "\(.*\)"/\1/p}' "${CARGO_HOME:-}/config.toml" \
    2>/dev/null) || true
for crate in ${std:+"$std"/*}; do
    ln -s "$crate" "$work/crates/std-${crate##*/}"
done
mkdir .cargo
printf '[source.crates-io]\nreplace-with = "crates"\n[source.crates]\ndirectory = "%s"\n' "$work/crates" \
    >.cargo/config.toml

example cmake
cmake -B build -G Ninja --toolchain "$WASMSHARE_PREFIX/share/wasmshare/wasm32-unknown-unknown.cmake"
cmake --build build
cp build/greeting.wasm "$work/bindgen"
cd "$work/bindgen"
cargo wasmshare build --release
"$WASMSHARE_SCRATCH/bind/bin/bind" "$CARGO_TARGET_DIR/wasmshare/release/words.wasm" bound
echo '{ "type": "module" }' >package.json
cargo wasmshare run --release main.mjs | tee output.log
expect 'HELLO FROM A MODULE OF ITS OWN' output.log
