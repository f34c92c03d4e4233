// A small module of each kind, which the fuzz tests mutate. The sources are those of other tests and of the examples.

import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Toolbox } from '../oracle/link.mjs';

const tests = join(dirname(fileURLToPath(import.meta.url)), '..');

const small = '-DLARGE=40'; // a .bss of 160 bytes is still worth clearing
const place = ['--no-stack-first', '--global-base=1024'];
const counter = ['--export=counter'];
const atomics = ['-O1', '-matomics', '-mbulk-memory'];
const shared = ['--shared-memory', '--max-memory=4294967296'];
const pic = ['pic.c', 'pic-elsewhere.c'].map((source) => [source, '-fPIC', '-O1']);
const tlsPointers = ['tls-pointers.c', 'tls-pointers-elsewhere.c'].map((source) => [source, ...atomics, '-fPIC']);

// The modules of one program, in parts of one file or in several, each beside the next.
const program = (names, sources, ...flags) => names.map((name, i) => ({ name, beside: names[(i + 1) % names.length],
  compile: [[sources[i], '-O1', '-fvisibility=default', '-ffreestanding', ...flags]],
  link: ['--export-dynamic', '--allow-undefined'] }));

const heap = (name) => ({ name: `heap-${name}`, beside: 'heap-steps',
  compile: [[`heap/modules/${name}.c`, '-O1', '-ffreestanding', '-fno-builtin', '-DCLEARED=40', `-DPREFIX="${name}_"`]] });

// `compile` has sources and their flags: a source is the relink oracle's, or a path from tests, with # and a name for a part of
// it. `beside` is the kind of a module that it is combined with; it is combined with itself, too. wabt does not know what is
// `unseen`. What is `cut` is cut off, too.
export const kinds = [
  { name: 'c', cut: true, compile: [['c.c', '-O1', small]], link: [...counter, '--export=__heap_base'] },
  { name: 'cxx', cut: true, compile: [['vtables.cpp', '-O1', '-fno-rtti']] },
  { name: 'rust', cut: true, rust: 'release', exports: ['word', 'call'], link: ['--strip-debug'], beside: 'heap-steps' },
  { name: 'pic', compile: pic, beside: 'c' },
  { name: 'pic-without-relocations', cut: true, compile: [['pic-bss.c', '-O1', '-fPIC']], relocations: false },
  { name: 'pic-threads', compile: tlsPointers, link: [...shared, '--export-if-defined=__wasm_init_tls'], beside: 'threads' },
  { name: 'threads', cut: true, compile: [['threads.c', '-O1', '-matomics', '-mbulk-memory', small]], link: shared },
  { name: 'threads-exported', compile: [['threads.c', ...atomics, small, '-g']],
    link: [...shared, ...['__wasm_init_tls', '__tls_base', '__tls_size', 'initialised'].map((name) => `--export-if-defined=${name}`)] },
  // Without function pointers: see narrow_table() in fuzz.cc.
  { name: 'wasm64', cut: true, target: 'wasm64', compile: [['linker-symbols.c', '-O1']] },
  { name: 'wasm64-table', target: 'wasm64', compile: [['c.c', '-O1', small]], link: counter, unseen: true },
  { name: 'wasm64-pic', target: 'wasm64', compile: pic, unseen: true },
  ...['2', '4', '5'].map((version) => ({ name: `dwarf${version}`, compile: [['c.c', '-O1', `-gdwarf-${version}`, small]],
    link: counter, beside: 'dwarf' })),
  { name: 'dwarf', cut: true, compile: [['c.c', '-O0', '-g', small]], link: counter },
  { name: 'prepared', cut: true, compile: [['c.c', '-O1', small]], link: counter, prepared: true },
  { name: 'kept', cut: true, compile: [['c.c', '-O1', small]], link: counter, kept: true },
  { name: 'stripped', cut: true, compile: [['c.c', '-O1', small]], link: [...counter, '--strip-debug'] },
  { name: 'stripped-of-all', compile: [['c.c', '-O1', small]], link: [...counter, '--strip-all'] },
  { name: 'table-imported', compile: [['c.c', '-O1', small]], link: [...counter, '--import-table'], beside: 'c' },
  { name: 'unmerged-segments', compile: [['c.c', '-O1', '-fdata-sections', small]], link: [...counter, '--no-merge-data-segments'] },
  { name: 'simd', compile: [['c.c', '-O3', '-msimd128', small]], link: counter },
  { name: 'tags', cut: true, compile: [['tags.s', '-mexception-handling']] },
  { name: 'relative', compile: [['relative.s']] },
  { name: 'names', compile: [['names.c', '-O1', '-mbulk-memory']] },
  { name: 'annotations', compile: [['annotations.c', '-O1', '-ffunction-sections']] },
  { name: 'weak', compile: [['weak.c', '-O1']] },
  { name: 'labels', compile: [['node/modules/single/labels.s', '-Wno-unused-command-line-argument']] },
  { name: 'arrays', compile: [['lit/single-arrays.test#arrays.c', '-O1']], beside: 'arrays-only' },
  { name: 'arrays-only', compile: [['lit/single-arrays.test#only.c', '-O1']], beside: 'arrays' },

  ...program(['app', 'library', 'alias'], ['app.c', 'library.c', 'alias.c'].map((part) => `lit/single.test#${part}`)),
  ...program(['app-debug', 'library-debug'], ['app.c', 'library.c'].map((part) => `lit/single-dwarf.test#${part}`), '-g'),
  ...program(['even', 'odd'], ['even.c', 'odd.c'].map((part) => `together/programs/cycle.test#${part}`),
    '-mtail-call', '-msimd128'),
  ...program(['common', 'a'], ['common', 'a'].map((name) => `../examples/three-modules/c/${name}.c`)),
  ...program(['weak-user', 'weak-definer'], ['user.c', 'definer.c'].map((part) => `lit/weak.test#${part}`)),
  ...[['left', 'right'], ['right', 'left']].map(([side, other]) => ({ name: `threads-${side}`, beside: `threads-${other}`,
    compile: [['node/modules/single/counter.c', '-O1', '-ffreestanding', '-pthread', '-mbulk-memory', '-DCLEARED=40',
      `-DNAME(x)=${side}_##x`, '-DSTART=1000']],
    link: ['--export-dynamic', ...shared, '--export=__wasm_init_tls', '--export=__tls_base'] })),

  ...['steps', 'classes', 'segments', 'bounded', 'claims', 'arena', 'sbrk', 'doubles', 'reads'].map(heap),
  { name: 'libc', compile: [['heap/modules/c-library.c', '-O1', '-DCLEARED=40']], libraries: ['c'], link: ['--strip-debug'], beside: 'heap-steps' },
].map((kind) => ({ target: 'wasm32', link: [], relocations: true, ...kind }));

class Sources extends Toolbox {
  source(name) {
    if (!name.includes('/')) return super.source(name);
    const [file, part] = name.split('#');
    if (!part) return join(tests, file);
    const text = readFileSync(join(tests, file), 'utf8').split(/^(?:#|\/\/)--- /m).find((text) => text.startsWith(`${part}\n`));
    const path = join(this.work, part);
    writeFileSync(path, text.slice(part.length + 1));
    return path;
  }
}

// Builds the seed of a kind and returns its path. `tools` has the paths of clang, linker and wasmshare, and `work`, a
// directory.
export function buildSeed(tools, kind) {
  const sources = new Sources(tools);
  const linked = sources.link(kind, sources.compile(kind), place, `${kind.name}.wasm`);
  const directory = join(sources.work, 'made'), made = join(directory, `${kind.name}.wasm`);
  if (!kind.prepared && !kind.kept) return linked;
  mkdirSync(directory);
  if (kind.prepared) sources.run(tools.wasmshare, ['prepare', '-o', directory, linked]);
  else sources.run(tools.wasmshare, ['relocate', linked, '-o', made, '--offset', '4096', '--keep-relocs']);
  return made;
}

// Builds the module that a kind is combined with, in a directory of that kind, which is built first.
export function buildBeside(tools, kind) {
  const beside = kinds.find(({ name }) => name === (kind.beside ?? kind.name));
  return buildSeed({ ...tools, work: join(tools.work, kind.name, 'beside') }, beside);
}
