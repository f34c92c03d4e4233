// A thread of threads.test.mjs: its own instance of every module, on the memory that all threads share.

import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parentPort, workerData } from 'node:worker_threads';

const { layoutUrl, memory, barrier, threads, areas, areaSize, times } = workerData;
const { modules } = await import(layoutUrl);
const compiled = modules.map(({ url }) => new WebAssembly.Module(readFileSync(fileURLToPath(url))));

// The threads start together, so that they race for who initialises the memory.
Atomics.add(barrier, 0, 1);
while (Atomics.load(barrier, 0) < threads);

const reports = modules.map(({ name, memoryImport }, i) => {
  const { exports } = new WebAssembly.Instance(compiled[i],
    { [memoryImport.module]: { [memoryImport.name]: memory } });
  // Who initialised the memory runs on the stack and thread-local variables that are part of the module's data; any
  // other thread must bring its own.
  const initialised = exports.__tls_base.value !== 0;
  if (!initialised) {
    exports.__stack_pointer.value = areas[i] + areaSize;
    exports.__wasm_init_tls(areas[i]);
  }
  exports.count_up(times);
  return { name, initialised, tlsBase: exports.__tls_base.value, ownCountAddress: exports.own_count_address(),
    ownCount: exports.get_own_count(), ownSum: exports.get_own_sum() };
});
parentPort.postMessage(reports);
