// running.mjs ROUNDS TIMES CALLS FILE...: prints, as JSON, for each file, a module or what Emscripten wrote for one, the
// seconds of each round in which its exports were called: run() with a number of times, others as often.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, resolve } from 'node:path';
import { WASI } from 'node:wasi';

const [rounds, times, calls, ...names] = process.argv.slice(2);
const files = names.map((name) => resolve(name));

function round(exports) {
  const start = performance.now();
  let sum = 0;
  for (const name of calls.split(',')) {
    if (name === 'run') sum += exports.run(Number(times));
    else for (let i = 0; i < Number(times); i++) sum += exports[name](i);
  }
  return { sum, seconds: (performance.now() - start) / 1000 };
}

// Of this age, Emscripten takes a fetch() for a browser's, and looks for side modules in the working directory.
async function emscripten(file) {
  delete globalThis.fetch;
  process.chdir(dirname(file));
  const { _run: run } = await createRequire(import.meta.url)(file)();
  return { run };
}

const instances = await Promise.all(files.map((file) => {
  if (file.endsWith('.js')) return emscripten(file);
  const wasi = new WASI({ version: 'preview1' });
  const instance = new WebAssembly.Instance(new WebAssembly.Module(readFileSync(file)), wasi.getImportObject());
  if (instance.exports._initialize) wasi.initialize(instance);
  return instance.exports;
}));
const taken = instances.map(() => []);
for (let i = -2; i < Number(rounds); i++) { // the first are for the compiler
  const results = instances.map((_, k) => [k, round(instances[k])]);
  if (new Set(results.map(([, { sum }]) => sum)).size > 1) throw new Error('the programs differ');
  if (i >= 0) results.forEach(([k, { seconds }]) => taken[k].push(seconds));
}
console.log(JSON.stringify(taken));
