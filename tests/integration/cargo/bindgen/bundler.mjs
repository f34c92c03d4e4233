// As it is built for bundlers: modules that are ready when they are imported.
import * as words from './bound/words.js';
import * as store from './bound/store.js';
import * as ticker from './bound/ticker.js';
import { instantiate } from './bound/layout.mjs';
import { check } from './check.mjs';

const { memory } = await instantiate();
export const wrong = await check({ words, store, ticker }, memory);
globalThis.result = { wrong, pages: memory.buffer.byteLength };
