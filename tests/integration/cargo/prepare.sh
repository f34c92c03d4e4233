# `cargo wasmshare prepare`: modules that are placed when they are loaded, at the places where combining puts them.
. "$(dirname "$0")/../lib.sh"
use_rust
example cargo
out=$CARGO_TARGET_DIR/wasmshare
cargo wasmshare prepare --release 2>&1 | tee build.log
expect '   Preparing greeting, shout (' build.log
# unchanged, until a module is, or an output
prepare_again() { # prepare_again VERB
    cargo wasmshare prepare --release 2>&1 | tee build.log
    expect "$1 greeting, shout (" build.log
}
prepare_again '       Fresh'
rm "$out/release/prepared/shout.wasm"
prepare_again '   Preparing'
prepare_again '       Fresh'
cargo wasmshare prepare -q --release -o prepared -p shout >build.log 2>&1
[ ! -s build.log ] || fail '--quiet is not'
[ "$(ls prepared)" = shout.wasm ] || fail 'not what was asked for'
cmp prepared/shout.wasm "$out/release/prepared/shout.wasm"
wasmshare inspect --json "$out/release/prepared/greeting.wasm" >inspect.json
expect '"prepared": true' inspect.json
# combined, they are where the modules that they were made of are
wasmshare combine -o again "$out/release/prepared/greeting.wasm" "$out/release/prepared/shout.wasm"
cargo wasmshare build -q --release
for module in greeting shout; do
    cmp "again/$module.wasm" "$out/release/$module.wasm"
done
refuses "invalid option '--outptu' (did you mean '--output'?)" cargo wasmshare prepare --outptu x
refuses "invalid option '--output'" cargo wasmshare build --output x
