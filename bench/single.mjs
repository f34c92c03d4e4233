// Programs in one file: their modules as wasm-ld links them, merged, and one static link of the same objects.
//
// All are linked with the same flags, but for what makes modules placeable, and keep names and no DWARF. No operand is
// compressed: wasm-ld does that only with --compress-relocations.

import { mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { archiveOf, make, run, sqliteDirectory, sqliteOptions, work } from './inputs.mjs';
import { median } from './measure.mjs';

const clang = process.env.CLANG;
export const linker = clang.replace('clang', 'wasm-ld');
const directory = join(work, 'single'), npm = join(work, 'node/node_modules');
const wasi = ['--target=wasm32-wasi', '-Wno-deprecated'];
const linked = ['--strip-debug', '--keep-section=name'];
const placeable = ['--emit-relocs', '--import-memory', '--allow-undefined'];

async function compile(from, ...flags) {
  const cxx = from.endsWith('.cc');
  const output = join(directory, `${from.replaceAll('/', '_')}.o`);
  return make(output, [from], cxx ? clang.replace('clang', 'clang++') : clang,
    [...wasi, '-O2', '-w', '-fvisibility=default', ...(cxx ? ['-fno-exceptions'] : []), ...flags, '-c', from, '-o', output]);
}

const ask = (question) => run(clang, [...wasi, question]).trim();

// The libraries of a program that has C's, as clang gives them to the linker.
function cLibraries(...names) {
  const start = ask('-print-file-name=crt1-reactor.o');
  return { first: ['--entry=_initialize', start], last: [`-L${dirname(ask('-print-file-name=libc++.a'))}`, `-L${dirname(start)}`,
    ...names.map((name) => `-l${name}`), '-lc', ask('-print-libgcc-file-name')] };
}

// Links the objects of each module, and prepares the link of them all.
async function program(name, parts, { first, last }, { exports = ['--export-dynamic'], calls, times }) {
  const output = join(directory, name.replaceAll(' ', '-'));
  mkdirSync(output, { recursive: true });
  const link = (objects, ...flags) => [...linked, ...flags, ...exports, ...first, ...objects, ...last];
  const modules = await Promise.all(parts.map((objects, i) => {
    const module = join(output, `${['a', 'b', 'c'][i]}.wasm`);
    return make(module, objects, linker, [...link(objects, ...placeable), '-o', module]);
  }));
  return { name, modules, output, calls, times,
    linking: (file) => [linker, ...link(parts.flat()), '-o', file] };
}

export async function programs(rustModules) {
  const core = join(npm, 'tree-sitter/vendor/tree-sitter/lib');
  const grammar = (language, file) => compile(join(npm, `tree-sitter-${language}/src/${file}.c`),
    `-I${join(npm, `tree-sitter-${language}/src`)}`);
  const tree = [
    [await compile(join(core, 'src/lib.c'), `-I${core}/include`, `-I${core}/src`),
      await compile('bench/single/syntax.c', `-I${core}/include`)],
    [await grammar('c', 'parser')],
    [await grammar('javascript', 'parser'), await grammar('javascript', 'scanner')],
  ];
  const sqlite = [
    [await compile(join(sqliteDirectory, 'sqlite3.c'), ...sqliteOptions),
      await compile('tests/sqlite/database.c', `-I${sqliteDirectory}`)],
    [await compile('bench/single/queries.c')],
    [await compile('tests/node/modules/single/score.c')],
  ];
  const cxx = [[await compile('bench/single/fill.cc')], [await compile('bench/single/weigh.cc')]];
  const rust = rustModules.map((module) => [archiveOf(module)]);
  const names = rust.map((_, i) => `learn${i}`);
  return [
    await program('tree-sitter with two grammars', tree, cLibraries(), { calls: ['run'], times: 300 }),
    await program('SQLite with two small modules', sqlite, cLibraries('wasi-emulated-getpid', 'wasi-emulated-mman'),
      { calls: ['run'], times: 40 }),
    await program('three Rust modules with std', rust, { first: ['--no-entry'], last: [] },
      { exports: names.map((name) => `--export-if-defined=${name}`), calls: names, times: 1000 }),
    await program('two C++ modules with libc++', cxx, cLibraries('c++', 'c++abi'), { calls: ['run'], times: 200 }),
  ];
}

// The seconds of two builds of a program, which are the least of ten rounds in one process, in each of many: where V8 puts
// code is different in each, and matters more than what the builds do. V8 compiles all that it can before they run.
export function timeRunning({ calls, times }, [one, other], processes) {
  const taken = Array.from({ length: processes }, (_, i) => {
    const files = i % 2 ? [other, one] : [one, other];
    const rounds = JSON.parse(run('node', ['--no-warnings', '--no-liftoff', '--no-wasm-lazy-compilation', 'bench/running.mjs',
      '10', `${times}`, calls.join(), ...files]));
    const least = rounds.map((seconds) => Math.min(...seconds));
    return i % 2 ? least.reverse() : least;
  });
  const ratios = taken.map(([a, b]) => a / b);
  return { one: median(taken.map(([a]) => a)), other: median(taken.map(([, b]) => b)),
    ratio: { median: median(ratios), lowest: Math.min(...ratios), highest: Math.max(...ratios) } };
}
