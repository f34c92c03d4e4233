// Calls around a circle: a function of one module calls one of another, which calls the first module again. In a process of
// its own, `node circle.mjs DIRECTORY ROUNDS` prints how many seconds the calls take in the modules of a layout.

import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

const calls = 3e7;

const sources = {
  first: `__attribute__((export_name("first"))) int first(int n) { return second(n + 1) ^ 1; }`,
  second: `__attribute__((export_name("second"))) int second(int n) { return last(n * 3) + 2; }`,
  last: `__attribute__((export_name("last"))) int last(int n) { return n >> 1; }`,
  loop: `__attribute__((export_name("loop"))) int loop(int n) {
  int sum = 0;
  for (int i = 0; i < n; i++)
    sum += first(sum + i);
  return sum;
}`,
};
const declarations = 'int first(int), second(int), last(int);\n';

// last() is of the module that first() is of, and so in a circle; or of a module of its own.
const programs = {
  straight: { first: ['first'], second: ['second'], last: ['last'], loop: ['loop'] },
  circle: { first: ['first', 'last'], second: ['second'], loop: ['loop'] },
};

// The layout of a program, combined with these options.
function build(run, work, wasmshare, program, kind, ...options) {
  const directory = join(work, 'circle', `${program}-${kind}`);
  mkdirSync(directory, { recursive: true });
  const modules = Object.entries(programs[program]).map(([name, functions]) => {
    const source = join(directory, `${name}.c`), output = join(directory, `${name}-input.wasm`);
    writeFileSync(source, declarations + functions.map(each => sources[each]).join('\n'));
    run(process.env.CLANG, ['--target=wasm32', '-O2', '-nostdlib', '--no-wasm-opt',
      '-Wl,--no-entry,--import-memory,--emit-relocs,--allow-undefined', source, '-o', output]);
    return `${name}=${output}`;
  });
  run(wasmshare, ['combine', '-o', directory, ...options, ...modules]);
  return directory;
}

// { name: seconds of each round } for the same calls without a circle, in one of one program, and in one side by side,
// where JavaScript stands between.
export function timeCircle(run, work, wasmshare, rounds) {
  const layouts = {
    'no circle': build(run, work, wasmshare, 'straight', 'link', '--link'),
    'a circle, `--link`': build(run, work, wasmshare, 'circle', 'link', '--link'),
    'a circle, side by side': build(run, work, wasmshare, 'circle', 'apart'),
  };
  const taken = Object.fromEntries(Object.keys(layouts).map(name => [name, []]));
  for (let i = 0; i < rounds; i++)
    for (const [name, directory] of Object.entries(layouts))
      taken[name].push(Number(run('node', ['bench/circle.mjs', directory])));
  return { calls, taken };
}

const [, script, directory] = process.argv;
if (script.endsWith('circle.mjs') && directory) {
  const { instantiate } = await import(pathToFileURL(join(directory, 'layout.mjs')));
  const { instances: { loop: { exports: { loop } } } } = await instantiate();
  loop(calls / 100);
  const begin = performance.now();
  loop(calls);
  console.log((performance.now() - begin) / 1000);
}
