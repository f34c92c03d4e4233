// In the browser: two copies of pointers64.c in one 64-bit memory.

import { createMemory, modules, memory64, heapBase } from './layout.mjs';

const memory = createMemory();
export const result = { memory64, heapBase: typeof heapBase, copies: [] };
const copies = [];
for (const { name, url, memoryImport, memoryBase, memorySize } of modules) {
  const imports = { [memoryImport.module]: { [memoryImport.name]: memory } };
  const { instance: { exports } } = await WebAssembly.instantiateStreaming(fetch(url), imports);
  copies.push({ name, exports, memoryBase, memorySize });
}
copies.forEach(({ exports }, i) => exports.store(BigInt(1000 * (i + 1))));
for (const { name, exports, memoryBase, memorySize } of copies) {
  const address = exports.numbers_address();
  result.copies.push({
    name,
    inside: address >= memoryBase && address < memoryBase + memorySize,
    sum: String(exports.sum()),
    stored: String(exports.load(4095n)),
    distance: String(exports.distance()),
    applied: [exports.apply(0n, 41n), exports.apply(1n, 12n)].map(String),
  });
}
