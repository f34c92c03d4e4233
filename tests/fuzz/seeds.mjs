// A small module of each kind, which the fuzz tests mutate. The sources are the relink oracle's.

import { Toolbox } from '../oracle/link.mjs';

const small = '-DLARGE=40'; // a .bss of 160 bytes is still worth clearing
const place = ['--no-stack-first', '--global-base=1024'];
const counter = ['--export=counter'];

export const kinds = [
  { name: 'c', compile: [['c.c', '-O1', small]], link: [...counter, '--export=__heap_base'] },
  { name: 'cxx', compile: [['vtables.cpp', '-O1', '-fno-rtti']] },
  { name: 'rust', rust: 'release', exports: ['word', 'call'], link: ['--strip-debug'] },
  { name: 'pic-without-relocations', compile: [['pic-bss.c', '-O1', '-fPIC']], relocations: false },
  { name: 'threads', compile: [['threads.c', '-O1', '-matomics', '-mbulk-memory', small]],
    link: ['--shared-memory', '--max-memory=4294967296'] },
  // Without function pointers: see narrow_table() in fuzz.cc.
  { name: 'wasm64', target: 'wasm64', compile: [['linker-symbols.c', '-O1']] },
  { name: 'dwarf', compile: [['c.c', '-O0', '-g', small]], link: counter },
  { name: 'prepared', compile: [['c.c', '-O1', small]], link: counter, prepared: true },
  { name: 'stripped', compile: [['c.c', '-O1', small]], link: [...counter, '--strip-debug'] },
].map((kind) => ({ target: 'wasm32', link: [], relocations: true, ...kind }));

// Builds the seed of a kind and returns its path. `tools` has the paths of clang, linker and wasmshare, and `work`, a
// directory.
export function buildSeed(tools, kind) {
  const toolbox = new Toolbox(tools);
  const linked = toolbox.link(kind, toolbox.compile(kind), place, `${kind.name}.wasm`);
  if (!kind.prepared) return linked;
  toolbox.run(tools.wasmshare, ['prepare', '-o', `${toolbox.work}/prepared`, linked]);
  return `${toolbox.work}/prepared/${kind.name}.wasm`;
}
