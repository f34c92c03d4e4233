// placing.mjs MODULE RUNS: prints, as JSON, the seconds that the wasmshare package took each time to place a prepared
// module, from bytes to bytes, and that Node took to compile what it gave; the first run of a process apart.
import { readFileSync } from 'node:fs';
import { relocate } from '../js/index.js';

const [path, runs] = process.argv.slice(2);
const bytes = readFileSync(path);
const place = [], compile = [];
for (let run = 0; run <= Number(runs); ++run) {
  const start = performance.now();
  const placed = await relocate(bytes, (run + 1) * 65536); // another one each time, so that no engine knows it already
  const between = performance.now();
  await WebAssembly.compile(placed);
  place.push((between - start) / 1000);
  compile.push((performance.now() - between) / 1000);
}
console.log(JSON.stringify({ first: { place: place.shift(), compile: compile.shift() }, place, compile }));
