// Measuring: times, with hyperfine; peak memory, with time; and sizes, from the files.

import { readFileSync, statSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import { join } from 'node:path';
import { run, work } from './inputs.mjs';

export const median = (values) => {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
};

// The median and the least seconds of each command, by name, from one run of hyperfine; what `prepare` has for a name is
// run before each run of its command, untimed.
export function time(commands, runs, warmup = 2, prepare = {}) {
  const results = join(work, 'hyperfine.json');
  run('sync', []); // what was written before is not written back while this is measured
  run('hyperfine', ['--shell=none', '--style=none', `--warmup=${warmup}`, `--runs=${runs}`,
    `--export-json=${results}`, ...Object.keys(commands).map((name) => `--prepare=${prepare[name] ?? 'true'}`),
    ...Object.values(commands)]);
  const measured = JSON.parse(readFileSync(results, 'utf8')).results;
  return Object.fromEntries(Object.keys(commands).map((name, i) => [name, measured[i]]));
}

// The same for walrus, in a process of Node's.
export function timeWalrus(path, runs) {
  const output = run('node', ['bench/walrus.mjs', join(work, 'node'), path, `${runs}`]);
  const times = JSON.parse(output);
  return { median: median(times), min: Math.min(...times) };
}

// The same for the wasmshare package and a prepared module, and for compiling what it makes: all functions of it, as Node
// does up to 18, and as later ones do, which leave a function to its first call.
export function timePlacing(path, runs) {
  const placing = (...flags) => JSON.parse(run('node', [...flags, 'bench/placing.mjs', path, `${runs}`]));
  const summary = (times) => ({ median: median(times), min: Math.min(...times) });
  const { first, place, compile } = placing('--no-wasm-lazy-compilation');
  return { place: summary(place), compile: summary(compile), firstPlace: summary([first.place]),
    firstCompile: summary([first.compile]), compileLazily: summary(placing('--wasm-lazy-compilation').compile) };
}

// What a script and all that it imports come to, minified, and gzipped after that.
export function minifiedSize(script) {
  const output = join(work, 'minified.js');
  run('build/node/node_modules/esbuild/bin/esbuild', ['--bundle', '--minify', '--format=esm', '--log-level=error',
    script, `--outfile=${output}`]);
  const minified = readFileSync(output);
  return { minified: minified.length, gzipped: gzipSync(minified, { level: 9 }).length };
}

// The largest resident set of a command, in bytes.
export function peakMemory(command, args) {
  const report = join(work, 'time.txt');
  run('time', ['--format=%M', `--output=${report}`, command, ...args]);
  return Number(readFileSync(report, 'utf8')) * 1024;
}

export const size = (path) => statSync(path).size;

// The size of a module without its sections linking and reloc.*.
export function sizeWithoutRelocations(path) {
  const bytes = readFileSync(path);
  let at = 8;
  const uleb = () => {
    let value = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = bytes[at++];
      value += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) return value;
    }
  };
  let kept = at;
  while (at < bytes.length) {
    const start = at;
    const id = bytes[at++];
    const end = uleb() + at;
    const nameSize = id === 0 ? uleb() : 0;
    const name = bytes.toString('latin1', at, at + nameSize);
    at = end;
    if (id !== 0 || (name !== 'linking' && !name.startsWith('reloc.'))) kept += end - start;
  }
  return kept;
}
