# A module of wasm-bindgen's: placed first, then bound. It shares the memory with a module that was placed before it.
. "$(dirname "$0")/../lib.sh"
use_rust
example cmake
cmake -B build -G Ninja --toolchain "$WASMSHARE_PREFIX/share/wasmshare/wasm32-unknown-unknown.cmake"
cmake --build build
cp -r "$WASMSHARE_SOURCE/tests/integration/cargo/bindgen" "$work/bindgen"
cd "$work/bindgen"
cp ../cmake/build/greeting.wasm .
vendor_crates
cargo wasmshare build --release
"$WASMSHARE_SCRATCH/bind/bin/bind" "$CARGO_TARGET_DIR/wasmshare/release/words.wasm" bound
echo '{ "type": "module" }' >package.json
cargo wasmshare run --release main.mjs | tee output.log
expect 'HELLO FROM A MODULE OF ITS OWN' output.log
