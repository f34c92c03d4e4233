# A module with threads and an interface of wasm-bindgen's, which takes a page behind the layout's for itself. For a Rust that
# builds its standard library: the one that comes compiled has no atomics.
. "$(dirname "$0")/../lib.sh"
bindgen_workspace use_rust
[ -n "${RUSTC_BOOTSTRAP:-}" ] || { echo 'left out: this Rust has no standard library with atomics'; exit 0; }
rm -r words store
sed -i 's/^members.*/members = ["ticker"]/; s/^modules.*/modules = ["ticker"]/' Cargo.toml
sed -i '/^js-sys/d; /^wasm-bindgen-futures/d' ticker/Cargo.toml
cat >ticker/src/lib.rs <<'END'
use std::sync::atomic::{AtomicU32, Ordering};
use wasm_bindgen::prelude::*;

static TICKS: AtomicU32 = AtomicU32::new(0);

#[wasm_bindgen]
pub fn tick(by: u32) -> u32 {
    TICKS.fetch_add(by, Ordering::SeqCst) + by
}

#[wasm_bindgen]
pub fn shout(text: &str) -> String {
    text.to_uppercase()
}
END
flags='-Ctarget-feature=+atomics,+bulk-memory -Clink-arg=--shared-memory -Clink-arg=--max-memory=67108864'
for symbol in __wasm_init_tls __tls_size __tls_align __tls_base __heap_base; do
    flags+=" -Clink-arg=--export=$symbol"
done
export RUSTFLAGS=$flags
cargo wasmshare build --release
cat >main.mjs <<'END'
import assert from 'node:assert';
import { Worker, isMainThread, parentPort, workerData } from 'node:worker_threads';
const { instantiate, pages } = await import(process.env.WASMSHARE_LAYOUT);
if (isMainThread) {
  const { memory, bindings: { ticker } } = await instantiate();
  assert.ok(memory.buffer instanceof SharedArrayBuffer && memory.buffer.byteLength > pages * 65536);
  assert.strictEqual(ticker.tick(5), 5);
  for (let i = 1; i <= 3; i++) {
    const said = await new Promise((done, failed) =>
      new Worker(new URL(import.meta.url), { workerData: memory }).on('message', done).on('error', failed));
    assert.deepStrictEqual(said, [5 + i, 'WORKER']);
  }
  assert.strictEqual(ticker.shout('one memory, many threads'), 'ONE MEMORY, MANY THREADS');
  console.log('all threads');
} else {
  const { bindings: { ticker } } = await instantiate({}, { memory: workerData });
  parentPort.postMessage([ticker.tick(1), ticker.shout('worker')]);
}
END
cargo wasmshare run --release main.mjs | tee output.log
expect 'all threads' output.log

# two of them would number threads in the same page
cp -r ticker other
sed -i 's/name = "ticker"/name = "other"/' other/Cargo.toml
sed -i 's/^members.*/members = ["ticker", "other"]/; s/^modules.*/modules = ["ticker", "other"]/' Cargo.toml
refuses "with threads, one module of a layout can be wasm-bindgen's" cargo wasmshare build --release
