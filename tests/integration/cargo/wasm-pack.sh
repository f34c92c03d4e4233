# wasm-pack, with `cargo wasmshare bindgen` in place of wasm-bindgen: its packages bring modules that were placed in one layout,
# and have one memory.
. "$(dirname "$0")/../lib.sh"
bindgen_workspace use_stable_rust
mkdir "$work/shim"
ln -s "$WASMSHARE_SCRATCH/cargo-helper/bin/cargo-wasmshare" "$work/shim/wasm-bindgen"
export PATH="$work/shim:$PATH:$WASMSHARE_RUST_TOOLS/bin"
[ "$(wasm-bindgen --version)" = 'wasm-bindgen 0.2.129' ] || fail 'not as wasm-bindgen says its version'
pack() { # pack TARGET MODULE
    wasm-pack build --mode no-install --no-opt --target "$1" "$2" 2>&1 | tee pack.log
}

mkdir .cargo
refuses 'was linked without relocations: in .cargo/config.toml, have' wasm-pack build --mode no-install --no-opt words
printf '[target.wasm32-unknown-unknown]\nrustflags = ["-Clink-arg=--emit-relocs", "-Clink-arg=--import-memory"]\n' >.cargo/config.toml
for module in words store ticker; do
    pack web $module
    [ -s $module/pkg/${module}_bg.wasm ] || fail "no module in $module's package"
done
[ ! -e ticker/pkg/snippets/wasmshare/ticker/greeting.wasm ] || fail 'a package has what it does not need'
node packages.mjs | tee output.log
expect 'all on one memory' output.log
page packages.mjs >index.html
in_browser .
# packed and installed, with nothing left out
mkdir -p "$work/user"
(cd words/pkg && npm pack --silent --pack-destination "$work/user")
cd "$work/user"
tar -xf words-0.1.0.tgz
node --input-type=module -e "import init, { shout } from './package/words.js'; await init(); console.log(shout('installed'))" | tee output.log
expect INSTALLED output.log

# as one program: each package brings all of it
cd "$work/bindgen"
sed -i '/^bindgen = /a link = true' Cargo.toml
for module in words store ticker; do
    pack web $module
done
[ -e ticker/pkg/snippets/wasmshare/ticker/greeting.wasm ] || fail 'a package has not all of the program'
node packages.mjs | tee output.log
expect 'all on one memory' output.log
in_browser .
sed -i '/^link = /d' Cargo.toml

pack bundler words
node --input-type=module -e "import { shout } from './words/pkg/words.js'; console.log(shout('for bundlers'))" | tee output.log
expect 'FOR BUNDLERS' output.log
pack nodejs words
node -e "const { shout } = require('./words/pkg'); console.log(shout('for node'))" | tee output.log
expect 'FOR NODE' output.log

# what is no module of the layout is wasm-bindgen's own business; here, by the name of a command
printf '#!/bin/sh\nexec cargo-wasmshare bindgen "$@"\n' >"$work/shim/wasm-bindgen.new"
chmod +x "$work/shim/wasm-bindgen.new"
mv "$work/shim/wasm-bindgen.new" "$work/shim/wasm-bindgen"
sed -i 's/^modules = .*/modules = ["store", "words", "ticker", "greeting=greeting.wasm"]/; s/"words", "ticker"/"ticker", "words"/' Cargo.toml
pack web ticker
cp "$CARGO_TARGET_DIR/wasm32-unknown-unknown/release/ticker.wasm" other.wasm
wasm-bindgen --target web --out-dir other other.wasm
expect 'export { initSync' other/other.js
