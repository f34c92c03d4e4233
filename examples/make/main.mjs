import { readFile } from 'node:fs/promises';
import { createMemory, modules } from './build/app/layout.mjs';

const memory = createMemory();
const exports = {};
for (const { name, url } of modules) {
  // a module imports from those before it, by their names
  const { instance } = await WebAssembly.instantiate(await readFile(url), { env: { memory }, ...exports });
  exports[name] = instance.exports;
}

function text(address) {
  const bytes = new Uint8Array(memory.buffer, address);
  return new TextDecoder().decode(bytes.subarray(0, bytes.indexOf(0)));
}

console.log(text(exports.greeting.greeting()));
console.log(text(exports.shout.shout()));
