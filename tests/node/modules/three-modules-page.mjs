// In the browser: the three modules of the example, loaded as a page would.

import { createMemory, modules } from './layout.mjs';

const memory = createMemory();
const exportsOf = {};
for (const { name, url, memoryImport } of modules) {
  const imports = { [memoryImport.module]: { [memoryImport.name]: memory } };
  const { instance } = await WebAssembly.instantiateStreaming(fetch(url), imports);
  exportsOf[name] = instance.exports;
}
const { common, a, b } = exportsOf;

const object = common.create_object(1337n);
const before = a.get_value(object);
b.double(object);
export const result = [before, a.get_value(object)].map(String);
