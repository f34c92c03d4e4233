# Modules with wasm-bindgen's interfaces: placed, bound for each of its targets, and wired to the one memory, to each other
# and to a module in C, by the configuration alone; in Node, in Chromium, and through Vite.
. "$(dirname "$0")/../lib.sh"
bindgen_workspace use_rust
bind() { # bind TARGET: into bound
    rm -rf bound
    sed -i '/^bindgen = /d; /^out-dir = /d' Cargo.toml
    printf 'bindgen = %s\nout-dir = "bound"\n' "$1" >>Cargo.toml
    cargo wasmshare build --release 2>&1 | tee build.log
}

# without the configuration, it is said what these modules need
sed -i '/^bindgen = /d' Cargo.toml
cargo wasmshare build --release 2>&1 | tee build.log
expect 'words.wasm: uses wasm-bindgen' build.log
expect_no 'greeting.wasm: uses' build.log
expect 'In Cargo.toml, [workspace.metadata.wasmshare]: bindgen = "web"' build.log
cargo wasmshare inspect --release >inspect.log
[ "$(grep -c "wasm-bindgen's: run wasm-bindgen on the placed module" inspect.log)" = 3 ] || fail 'inspect does not say so of three'

bind '"web"'
expect '     Binding words' build.log
expect_no 'uses wasm-bindgen' build.log
cargo wasmshare run --release main.mjs | tee output.log
expect 'all on one memory' output.log
cat >web.mjs <<'END'
import { instantiate } from './bound/layout.mjs';
import { check } from './check.mjs';
const { bindings, memory } = await instantiate();
globalThis.result = { wrong: await check(bindings, memory) };
END
page web.mjs >index.html
in_browser .
# with what a shared stack and a shared table make modules import, and as one program
for options in 'stack = "shared"\ntable = "shared"\n' 'link = true\n'; do
    cp Cargo.toml before.toml
    printf "$options" >>Cargo.toml
    cargo wasmshare run --release main.mjs | tee output.log
    expect 'all on one memory' output.log
    mv before.toml Cargo.toml
done
cargo wasmshare build --release
# typed: the layout, the interfaces and what instantiates them
cat >types.mts <<'END'
import { instantiate, load, type AddressSpace } from './bound/layout.mjs';
import init, { Words, shout } from './bound/words.js';
const exports: WebAssembly.Exports = await init({ module_or_path: new URL('words.wasm', 'file:///') });
const { bindings, memory, instances }: AddressSpace = await instantiate({}, { modules: ['words'] });
const instance: WebAssembly.Instance = await load('store');
const text: string = bindings.words.shout(shout('a')) + new Words().join();
const index: number = bindings.ticker.keep(memory) + bindings.store.put(instances.greeting.exports);
// @ts-expect-error: it is a string
const wrong: number = bindings.words.shout('a');
console.log(exports, instance, text, index, wrong);
END
node "$TSC" --noEmit --strict --target es2022 --module esnext --moduleResolution bundler --lib esnext,dom types.mts \
    2>&1 | tee types.log || fail 'the types are wrong'

# nothing has changed: nothing is written, and it is said
touch -d @0 mark
find bound -type f -exec touch -d @1000 {} +
bind_again() { cargo wasmshare build --release 2>&1 | tee build.log; }
bind_again # the times are new to it
expect Binding build.log
find bound -newermt @1001 -type f >written.log
[ ! -s written.log ] || { cat written.log; fail 'the same bytes were written again'; }
bind_again
expect '       Fresh greeting, words, store, ticker (' build.log
expect_no Binding build.log
touch words/src/lib.rs
echo '#[wasm_bindgen] pub fn more() -> u32 { 1 }' >>words/src/lib.rs
bind_again
expect Binding build.log
expect 'export function more(): number' bound/words_bg.d.ts

bind '"bundler"'
node --input-type=module -e "import { wrong } from '$PWD/bundler.mjs'; console.log(wrong.length)" | tee output.log
expect 0 output.log
page bundler.mjs >index.html
in_browser .
"$WASMSHARE_SCRATCH/vite/node_modules/.bin/vite" build --target esnext --logLevel warn --outDir dist
in_browser dist

bind '"nodejs"'
node nodejs.cjs | tee output.log
expect 'all on one memory' output.log
# begun by a module: what is on its way cannot be had at once, and then can
cat >begun.cjs <<'END'
const loading = import('./bound/layout.mjs').then(({ instantiate }) => {
  const space = instantiate();
  try {
    require('./bound/words.cjs');
  } catch ({ message }) {
    console.log(message);
  }
  return space;
});
loading.then(({ memory }) => console.log(require('./bound/layout.cjs').loadSync('words').exports.memory === memory));
END
node begun.cjs | tee output.log
expect 'the modules are being instantiated, and cannot be had at once: wait for them' output.log
expect true output.log
cat >types.cts <<'END'
import words = require('./bound/words.cjs');
const text: string = words.shout('a') + new words.Words().join();
// @ts-expect-error: it is a string
const wrong: number = words.shout('a');
console.log(text, wrong);
END
node "$TSC" --noEmit --strict --target es2022 --module nodenext --lib esnext,dom types.cts 2>&1 | tee types.log || fail 'the types are wrong'

bind '"no-modules"'
cat >index.html <<'END'
<!doctype html><link rel="icon" href="data:,">
<script src="bound/words.js"></script><script src="bound/store.js"></script><script src="bound/ticker.js"></script>
<script>
(async () => {
  await Promise.all([words(), store(), ticker()]);
  const { check } = await import('./check.mjs');
  const { instantiate } = await import('./bound/layout.mjs');
  globalThis.result = { wrong: await check({ words, store, ticker }, (await instantiate()).memory) };
})();
</script>
END
in_browser .

# each its own way, or not at all
bind '{ words = "web", ticker = "deno", store = "module" }'
node --input-type=module -e "import { kept } from '$PWD/bound/ticker.js'; console.log(typeof kept)" | tee output.log
expect function output.log
bind '{ words = "nodejs", ticker = "web" }'
node -e "
const { shout, ticks_of_ticker } = require('./bound/words.cjs');
import('./bound/ticker.js').then(async ({ default: init, ticker }) => {
  await init();
  ticker()(3);
  console.log(shout('mixed'), ticks_of_ticker());
})" | tee output.log
expect 'MIXED 3' output.log

# all in one file, which is bound once
echo 'single = "app.wasm"' >>Cargo.toml
bind '"web"'
expect '     Binding app.wasm' build.log
[ ! -e bound/layout.mjs ] || fail 'one module has a layout'
node single.mjs | tee output.log
expect 'one module' output.log
cargo wasmshare build --release 2>&1 | tee build.log
expect '       Fresh greeting, words, store, ticker (' build.log
sed -i '/^single = /d' Cargo.toml

# what is wrong is said in a line
wrong() {
    sed -i '/^bindgen = /d; /^out-dir = /d' Cargo.toml
    printf 'bindgen = %s\n' "$2" >>Cargo.toml
    refuses "$1" cargo wasmshare build --release
}
wrong "bindgen: there is no target 'wbe' (did you mean 'web'?)" '"wbe"'
wrong 'bindgen: greeting does not use wasm-bindgen' '{ greeting = "web" }'
wrong 'bindgen: there is no module word (did you mean' '{ word = "web" }'
printf '#!/bin/sh\necho wasm-bindgen 0.2.99\n' >"$work/old"
chmod +x "$work/old"
export WASM_BINDGEN=$work/old
wrong 'the workspace uses wasm-bindgen 0.2.129, and '"$work"'/old is 0.2.99: run `cargo install -f wasm-bindgen-cli --version 0.2.129`' \
    '"web"'
[ "$(grep -c . refused.log)" -le 3 ] || fail 'more than a line'
export WASM_BINDGEN=$work/absent
wrong 'there is no wasm-bindgen: run `cargo install -f wasm-bindgen-cli --version 0.2.129`' '"web"'
unset WASM_BINDGEN

# bound first, and then placed: refused by that name
"$WASMSHARE_RUST_TOOLS/bin/wasm-bindgen" --target web --out-dir early "$CARGO_TARGET_DIR/wasm32-unknown-unknown/release/words.wasm"
refuses 'words_bg.wasm: cannot be moved: wasm-bindgen has been run on it' wasmshare combine -o out early/words_bg.wasm

# the example's page, used
example front-end
block sh README.md >commands.sh
bash -euo pipefail commands.sh
node "$WASMSHARE_SOURCE/tests/integration/cargo/bindgen/front-end.mjs" .
