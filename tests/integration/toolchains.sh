# The commands of docs/toolchains.md make modules that are placed exactly, and do in one memory what they did alone.
. "$(dirname "$0")/lib.sh"
mkdir bin
clang=$(ls /usr/bin/clang-[0-9]* | sort -V | tail -n 1)
ln -s "$clang" bin/clang
ln -s "$(ls /usr/bin/wasm-ld-[0-9]* | sort -V | tail -n 1)" bin/wasm-ld
ln -s "$WASMSHARE_SOURCE/build/zig/bin/zig" bin/zig
export PATH="$work/bin:$PATH:$WASMSHARE_SOURCE/build/node/node_modules/.bin" ZIG_GLOBAL_CACHE_DIR=$WASMSHARE_SCRATCH/zig
awk '/^```/ { inside = $0 == "```sh"; next } inside' "$WASMSHARE_SOURCE/docs/toolchains.md" >commands.sh
bash -euo pipefail commands.sh
for module in zig d nim; do
    wasmshare inspect $module.wasm | tee inspected.txt
    expect 'exact        yes' inspected.txt
done
wasmshare combine -o all --host-imports wasi_snapshot_preview1 zig.wasm d.wasm nim.wasm
cat >main.mjs <<'JS'
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
const { instantiate } = await import('./all/layout.mjs');
const { instances: { zig, d, nim } } = await instantiate({ imports: { wasi_snapshot_preview1: new Proxy({}, { get: () => () => 0 }) } });
assert.deepEqual([zig.exports.get(2), d.exports.get(2), nim.exports.get(2)], [30, 50, 30]);
const placed = await import('./placed/layout.mjs'), first = await placed.instantiate();
const { instance } = await WebAssembly.instantiate(readFileSync('placed/as.wasm'), { env: { memory: first.memory, abort() {} } });
assert.deepEqual([instance.exports.get(2), first.instances.zig.exports.get(1), first.instances.d.exports.get(0)], [30, 20, 30]);
JS
node main.mjs
# what their own linkers make is refused
zig build-exe -target wasm32-freestanding -fno-entry --import-memory -rdynamic zig.zig -femit-bin=own.wasm
refuses 'own.wasm: ' wasmshare combine -o own own.wasm
refuses 'as.wasm: ' wasmshare combine -o own placed/as.wasm
