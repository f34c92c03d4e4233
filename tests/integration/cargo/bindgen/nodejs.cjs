// As it is built for Node: CommonJS has all at once, and modules have the same.
const assert = require('node:assert');
const words = require('./bound/words.cjs');
const { bindings, instances, memory } = require('./bound/layout.cjs').instantiateSync();

assert.strictEqual(words.shout('at once'), 'AT ONCE');
assert.deepStrictEqual(Object.keys(instances).sort(), ['ticker', 'words']);
const [store, ticker] = ['store', 'ticker'].map(name => require(`./bound/${name}.cjs`));
assert.strictEqual(bindings.store, store);
assert.throws(() => require('./bound/layout.cjs').instantiateSync({}), /already/);

(async () => {
  const modules = await Promise.all(['words', 'store', 'ticker'].map(name => import(`./bound/${name}.js`)));
  assert.strictEqual(modules[0].Words, words.Words);
  assert.strictEqual(modules[1].put, store.put);
  const layout = await import('./bound/layout.mjs');
  assert.strictEqual((await layout.instantiate()).memory, memory);
  assert.strictEqual((await layout.load('words')).exports.memory, memory);
  const { check } = await import('./check.mjs');
  assert.deepStrictEqual(await check({ words, store, ticker }, memory), []);
  console.log('all on one memory');
})();
