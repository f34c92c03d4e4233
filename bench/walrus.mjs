// walrus.mjs PACKAGES MODULE RUNS: prints, as JSON, the seconds that walrus took each time to read the module from
// memory and to write it to memory, in this process and warmed up.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join, resolve } from 'node:path';

const [packages, path, runs] = process.argv.slice(2);
const { ModuleConfig } = createRequire(join(resolve(packages), 'package.json'))('@napi-rs/wasm-tools');
const bytes = readFileSync(path);
const times = [];
for (let run = -1; run < Number(runs); ++run) {
  const start = performance.now();
  const written = new ModuleConfig().parse(bytes).emitWasm(false);
  const end = performance.now();
  if (written.length === 0) throw new Error('walrus wrote nothing');
  if (run >= 0) times.push((end - start) / 1000);
}
console.log(JSON.stringify(times));
