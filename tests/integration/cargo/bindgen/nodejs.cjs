// As it is built for Node: CommonJS has to wait for what it requires.
const assert = require('node:assert');

(async () => {
  const [words, store, ticker] = await Promise.all(['words', 'store', 'ticker'].map(name => require(`./bound/${name}.cjs`)));
  const { instantiate } = await import('./bound/layout.mjs');
  const { check } = await import('./check.mjs');
  assert.deepStrictEqual(await check({ words, store, ticker }, (await instantiate()).memory), []);
  console.log('all on one memory');
})();
