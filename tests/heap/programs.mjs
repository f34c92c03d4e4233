// The modules of the heap tests, and what becomes of sets of them.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { cargoBuild, projectDirectory, run, scratchDirectory, testsDirectory, tool } from '../node/tools.mjs';
import { Hammer } from './hammer.mjs';

const sources = join(testsDirectory, 'heap', 'modules');
const linked = scratchDirectory('linked');
const placeable = ['--no-wasm-opt', '-Wl,--import-memory,--emit-relocs'];
const freestanding = ['--target=wasm32', '-ffreestanding', '-fno-builtin', '-nostdlib',
  '-Wl,--no-entry,--export-if-defined=__wasm_call_ctors'];
const debianLibrary = ['--target=wasm32-wasi', '-Wno-deprecated', '-mexec-model=reactor'];
const oneHeap = '-Wl,--export=malloc,--export=realloc,--export=free';

// What compiles a kind: its source and flags; and, if its memory is bounded, that it is `fixed`.
export const kinds = {
  library: { source: 'c-library.c', flags: debianLibrary },
  exported: { source: 'c-library.c', flags: [...debianLibrary, oneHeap] },
  borrows: { source: 'c-library.c', flags: ['--target=wasm32-wasi', '-Wno-deprecated', '-nostartfiles', '-nodefaultlibs',
    '-Wl,--no-entry,--allow-undefined'] },
  rust: { target: 'wasm32-unknown-unknown' },
  rust_wasi: { target: 'wasm32-wasip1' }, // has the C library's malloc
  steps: { source: 'steps.c' },
  classes: { source: 'classes.c' },
  segments: { source: 'segments.c' },
  bounded: { source: 'bounded.c' },
  claims: { source: 'claims.c' },
  header: { source: 'header.c' },
  arena: { source: 'arena.c', flags: [...freestanding, '-Wl,--initial-heap=1048576'], fixed: true },
  sbrk: { source: 'sbrk.c' },
  doubles: { source: 'doubles.c' },
  morecore: { source: 'morecore.c', flags: debianLibrary },
  two: { source: 'two.c', flags: debianLibrary },
  reads: { source: 'reads.c', fixed: true },
};

// A module that was linked: { file, fixed }.
const made = new Map();
export function make(kind, ...more) {
  const key = [kind, ...more].join(' ');
  if (!made.has(key))
    made.set(key, { file: link(kind, join(linked, `${made.size}-${kind}.wasm`), more), fixed: kinds[kind].fixed });
  return made.get(key);
}

function link(kind, file, more) {
  const { source, flags = freestanding, command = tool('CLANG'), target, make: makeIt } = kinds[kind];
  if (makeIt) {
    makeIt(file, more);
  } else if (target) {
    copyFileSync(join(cargoBuild(join(testsDirectory, 'heap', 'rust'), { target }), 'heap_test.wasm'), file);
  } else {
    run(command, [...flags, '-O2', '-Wall', '-Wextra', '-Werror', ...placeable, ...more, join(sources, source), '-o', file]);
  }
  return file;
}

// WASI that says no to everything.
export function host(module) {
  const wasi = {};
  for (const { module: from, name } of WebAssembly.Module.imports(module))
    if (from === 'wasi_snapshot_preview1')
      wasi[name] = () => 52;
  return { wasi_snapshot_preview1: wasi };
}

const rangesOf = modules => modules.flatMap(({ name, dataBase, dataEnd, stackLow, stackPointer }) =>
  [[dataBase, dataEnd, `static data of ${name}`], [stackLow ?? 0, stackPointer ?? 0, `the stack of ${name}`]]
    .filter(([from, to]) => to > from));

// { layout, refused }: the text with which combine refuses it, in one line that says what it is about and names a module.
export async function combine(modules, directory, ...options) {
  const inputs = Object.entries(modules).map(([name, { file }]) => `${name}=${file}`);
  const { status, stderr } = spawnSync(tool('WASMSHARE'), ['combine', '-o', directory, ...options, ...inputs],
    { encoding: 'utf8' });
  if (status === 0) {
    run(tool('WASMSHARE'), ['verify', directory]);
    return { layout: await import(pathToFileURL(join(directory, 'layout.mjs'))) };
  }
  assert.equal(status, 1, stderr);
  assert.match(stderr, /^wasmshare: error: [^\n]*heap[^\n]*\n$/);
  const named = Object.values(modules).filter(({ file }) => stderr.includes(file));
  assert.ok(named.length > 0, stderr);
  return { refused: stderr, named: named.length };
}

// The same, of one file, whose modules export what they have with their name and _ before it: { exports, names }, of which
// `exports` are the file's, and `names` those of its functions. Only Rust's exports have no prefix.
export function combineSingle(modules, file, { options = [], imports = {} } = {}) {
  const inputs = Object.entries(modules).map(([name, { file: input }]) => `${name}=${input}`);
  const { status, stderr } = spawnSync(tool('WASMSHARE'), ['combine', '--single', file, ...options, ...inputs],
    { encoding: 'utf8' });
  if (status !== 0) {
    assert.equal(status, 1, stderr);
    assert.match(stderr, /^wasmshare: error: [^\n]*heap[^\n]*\n$/);
    return { refused: stderr, named: Object.values(modules).filter(({ file: input }) => stderr.includes(input)).length };
  }
  run('wasm-validate', ['--enable-all', file]);
  const bytes = readFileSync(file), module = new WebAssembly.Module(bytes);
  const { exports } = new WebAssembly.Instance(module, { ...host(module), ...imports });
  (exports._initialize ?? exports.__wasm_call_ctors)?.();
  const worker = (name, fixed) => ({ fixed, exports: Object.fromEntries(['take', 'give', 'resize', 'intact', 'room']
    .map(what => [what, exports[`${name}_${what}`] ?? (name.startsWith('rust') ? exports[what] : undefined)])
    .filter(([, is]) => is)) });
  return {
    memory: exports.memory ?? imports.env.memory, bytes,
    workers: Object.fromEntries(Object.entries(modules).map(([name, { fixed }]) => [name, worker(name, fixed)])),
    ranges: [[0, exports.__data_end.value, 'the stack or static data']],
  };
}

// Instantiates what was combined: { memory, workers, ranges, load }.
export async function open(layout, modules, { memory = layout.createMemory(), now } = {}) {
  const compiled = {};
  for (const { name, url } of layout.modules)
    compiled[name] = await WebAssembly.compile(readFileSync(url));
  const opened = await layout.instantiate(({ name }) => host(compiled[name]),
    { memory, modules: now, compile: ({ name }) => compiled[name] });
  const worker = name => ({ exports: opened.instances[name].exports, fixed: modules[name].fixed });
  const workers = Object.fromEntries(Object.keys(opened.instances).map(name => [name, worker(name)]));
  const ranges = rangesOf(layout.modules);
  if (layout.stackPointer)
    ranges.push([layout.stackLow, layout.stackPointer, 'the stack']);
  return { memory, workers, ranges, load: async name => {
    await opened.load(name);
    workers[name] = worker(name);
  } };
}

const placeProgram = join(scratchDirectory('place'), 'place');
const runtime = join(projectDirectory, 'src', 'runtime');
run(tool('CC'), ['-std=c11', '-O1', '-Wall', '-Wextra', '-Werror', `-I${runtime}`, join(testsDirectory, 'heap', 'place.c'),
  join(runtime, 'wasmshare_load.c'), '-o', placeProgram]);

// What places the modules of a directory in native hosts: { place, load }, each of which gives modules as bytes, where they are,
// and how many pages there are then.
function inC(directory) {
  const there = [], placed = join(directory, 'placed');
  mkdirSync(placed);
  const place = (names, from) => {
    const count = there.length, files = [...there, ...names].map(name => join(directory, `${name}.wasm`));
    const { status, stdout, stderr } = spawnSync(placeProgram, [placed, `${from}`, `${count}`, ...files], { encoding: 'utf8' });
    if (status !== 0)
      throw Object.assign(new Error(stderr), { code: stderr.includes('heap') ? 'heap' : 'failed' });
    there.push(...names);
    const { pages, modules } = JSON.parse(stdout);
    return { pages, modules, bytes: names.map(name => readFileSync(join(placed, `${name}.wasm`))) };
  };
  return {
    place: names => place(names, 1024),
    load: (name, memory) => {
      const loaded = place([name], memory.buffer.byteLength);
      memory.grow(loaded.pages - (memory.buffer.byteLength >> 16));
      return loaded;
    },
  };
}

// The same with the JavaScript package.
async function inJavaScript(directory, options) {
  const { combine: place, load } = await import('../../js/index.js');
  const bytes = name => readFileSync(join(directory, `${name}.wasm`));
  let layout;
  return {
    place: async names => {
      const placed = await place(names.map(bytes), 0, options);
      ({ layout } = placed);
      return { pages: layout.pages, modules: layout.modules, bytes: placed.modules };
    },
    load: async (name, memory) => {
      const loaded = await load(layout, bytes(name), { memory });
      ({ layout } = loaded);
      return { modules: layout.modules.slice(-1), bytes: [loaded.module] };
    },
  };
}

// Instantiates prepared modules, which one of these loaders places: as open().
export const loaders = { 'the C loader': inC, 'the JavaScript package': inJavaScript };
export async function openPrepared(modules, directory, { late = [], loader = inJavaScript, options } = {}) {
  run(tool('WASMSHARE'), ['prepare', '-o', directory, ...Object.entries(modules).map(([name, { file }]) => `${name}=${file}`)]);
  const { place, load } = await loader(directory, options);
  const now = Object.keys(modules).filter(name => !late.includes(name));
  const placed = await place(now), memory = new WebAssembly.Memory({ initial: placed.pages, maximum: 65536 });
  const workers = {}, ranges = [];
  const start = async (name, wasm, at) => {
    const module = await WebAssembly.compile(wasm), env = { memory };
    for (const { module: from, name: wanted, kind } of WebAssembly.Module.imports(module))
      if (from === 'env' && kind === 'function')
        env[wanted] = Object.values(workers).map(({ exports }) => exports[wanted]).find(Boolean);
    const { exports } = await WebAssembly.instantiate(module, { ...host(module), env });
    (exports._initialize ?? exports.__wasm_call_ctors)?.();
    workers[name] = { exports, fixed: modules[name].fixed };
    ranges.push(...rangesOf([{ ...at, name }]));
  };
  for (const [i, name] of now.entries())
    await start(name, placed.bytes[i], placed.modules[i]);
  return { memory, workers, ranges, load: async name => {
    const loaded = await load(name, memory);
    await start(name, loaded.bytes[0], loaded.modules[0]);
  } };
}

// Hammers an opened program, beginning in an order, and returns the hammer with its blocks still there.
export function hammer({ memory, workers, ranges }, { order = Object.keys(workers), seed = 1, steps = 1000 } = {}) {
  const hammer = new Hammer(memory, workers, ranges, seed);
  hammer.begin(order);
  hammer.run(steps);
  return hammer;
}
