// A thread of single.test.mjs: an instance of its own of the merged module, on the memory that all threads share.

import { parentPort, workerData } from 'node:worker_threads';

const { module, memory, barrier, threads, area, times } = workerData;

// The threads start together, so that they race for who initialises the memory.
Atomics.add(barrier, 0, 1);
while (Atomics.load(barrier, 0) < threads);

const { exports } = new WebAssembly.Instance(module, { env: { memory } });
const initialised = exports.__tls_base.value !== 0;
if (!initialised) {
  exports.__stack_pointer.value = area + 4096;
  exports.__wasm_init_tls(area);
}
exports.left_count_up(times);
exports.right_count_up(2 * times);
parentPort.postMessage({ initialised, tlsBase: exports.__tls_base.value,
  addresses: [exports.left_own_count_address(), exports.right_own_count_address()],
  counts: [exports.left_get_own_count(), exports.right_get_own_count()],
  sums: [exports.left_get_own_sum(), exports.right_get_own_sum()] });
