// All modules as one, which is bound once.
import * as app from './bound/app.js';
import { readFileSync } from 'node:fs';
import { check } from './check.mjs';
const { memory } = app.initSync({ module: readFileSync(new URL('./bound/app_bg.wasm', import.meta.url)) });
const wrong = await check({ words: app, store: app, ticker: app }, memory);
console.log(wrong.length ? wrong : 'one module');
