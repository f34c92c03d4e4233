// All modules as one, which is bound once.
import * as app from './bound/app.js';
import { readFileSync } from 'node:fs';
import { check } from './check.mjs';
const { memory } = app.initSync({ module: readFileSync(new URL('./bound/app_bg.wasm', import.meta.url)) });
const wrong = await check({ words: app, store: app, ticker: app }, memory);
// What one crate has made is another's, too: values of JavaScript's, and structs.
const value = { any: 'value' }, tally = app.tally_of('three little words');
if (app.kept_by_ticker(app.keep(value)) !== value) wrong.push('a value of another crate');
if (app.count_on(tally) !== 8 || tally.add(1) !== 9) wrong.push('a struct of another crate');
console.log(wrong.length ? wrong : 'one module');
