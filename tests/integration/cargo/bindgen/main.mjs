// The module before it as it was placed; the module with bindings as wasm-bindgen made it of the placed one.
import assert from 'node:assert';
import { readFile } from 'node:fs/promises';
import { initSync, shout, Words } from './bound/words.js';

const { createMemory, instantiate, modules } = await import(process.env.WASMSHARE_LAYOUT);
const memory = createMemory();
const { instances } = await instantiate({}, { memory, modules: ['greeting'] });
const { memory: used } = initSync({ module: await readFile(new URL('bound/words_bg.wasm', import.meta.url)), memory });
assert.strictEqual(used, memory);

function text(address) {
  const bytes = new Uint8Array(memory.buffer, address);
  return new TextDecoder().decode(bytes.subarray(0, bytes.indexOf(0)));
}

const words = new Words();
assert.throws(() => words.join(), /no words/);
const expected = [];
for (let i = 0; i < 2000; i++) {
  expected.push(`word ${i} ${'x'.repeat(i)}`); // the heap grows past the pages that were there
  assert.strictEqual(words.add(expected[i]), i + 1);
}
assert.strictEqual(words.join(), expected.join(' '));
assert.ok(memory.buffer.byteLength > modules.length * 65536);
console.log(shout(text(instances.greeting.exports.greeting())));
