// Three packages that wasm-pack made, of one layout.
import initWords, * as words from './words/pkg/words.js';
import initStore, * as store from './store/pkg/store.js';
import initTicker, * as ticker from './ticker/pkg/ticker.js';
import { check } from './check.mjs';

const { memory } = await initWords();
for (const init of [initStore, initTicker])
  if ((await init()).memory !== memory) throw new Error('a memory of its own');
const wrong = await check({ words, store, ticker }, memory);
globalThis.result = { wrong };
console.log(wrong.length ? wrong : 'all on one memory');
