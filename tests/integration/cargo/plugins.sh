# A host and three plug-ins in Rust, linked apart, share log, regex, and boxed trait objects: as separate modules, and in one
# file, they print what they print as the one program that cargo makes of them.
. "$(dirname "$0")/../lib.sh"

cp -r "$WASMSHARE_SOURCE/tests/integration/cargo/plugins" "$work/plugins"
cd "$work/plugins"
with_crates use_rust

cargo build --release --quiet --target wasm32-unknown-unknown -p whole
node run.mjs "$CARGO_TARGET_DIR/wasm32-unknown-unknown/release/whole.wasm" | tee whole.log
expect '[INFO api] counting begins' whole.log
expect 'CAFÉ(3), 2024 of 2024, 17 of 2041, 29.2.2024' whole.log
expect 'all is freed' whole.log

cargo wasmshare build --release
wasmshare verify out
node run.mjs out >link.log
diff whole.log link.log
sed -i 's/^link = true/single = "app.wasm"/' Cargo.toml
cargo wasmshare build --release
node run.mjs out/app.wasm >single.log
diff whole.log single.log
