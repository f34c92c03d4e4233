// As it is built for the web: `instantiate()` of the layout, and `init()` of a module.
import assert from 'node:assert';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { check } from './check.mjs';

const { instantiate, load, createMemory, linked, modules } = await import(process.env.WASMSHARE_LAYOUT);
const directory = dirname(fileURLToPath(process.env.WASMSHARE_LAYOUT));
const words = await import(pathToFileURL(join(directory, 'words.js')));

const memory = createMemory();
const space = await instantiate({}, { memory, modules: ['words'] });
assert.strictEqual(space.memory, memory);
// those of one program are all there, and else what it imports from
assert.deepStrictEqual(Object.keys(space.instances).sort(), linked ? modules.map(({ name }) => name).sort() : ['ticker', 'words']);
assert.strictEqual(await instantiate(), space);
await assert.rejects(instantiate({}), /already/);
await load('store');
assert.strictEqual((await words.default()).memory, memory);
assert.strictEqual(space.bindings.words.shout, words.shout);
for (const name of ['words', 'store', 'ticker'])
  assert.strictEqual(space.instances[name].exports.memory, memory);
assert.deepStrictEqual(await check(space.bindings, memory), []);
console.log('all on one memory');
