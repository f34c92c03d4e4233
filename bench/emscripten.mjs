// tree-sitter with two grammars by Emscripten: as one static link, and as MAIN_MODULE with two SIDE_MODULEs, which is how
// its own web binding loads grammars.

import { cpSync, existsSync, mkdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { make, run, work } from './inputs.mjs';

const directory = join(work, 'emscripten'), npm = join(work, 'node/node_modules');

// Debian's cache of libraries has none that are position-independent: they are made in a copy of it.
function useCache() {
  const cache = resolve(directory, 'cache');
  if (!existsSync(cache)) cpSync('/usr/share/emscripten/cache', cache, { recursive: true });
  Object.assign(process.env, { EM_CACHE: cache, EM_FROZEN_CACHE: '', NODE_PATH: resolve(npm) });
}

export const emscriptenVersion = () => /[\d.]+/.exec(run('emcc', ['--version']))[0];

export async function emscriptenPrograms() {
  mkdirSync(directory, { recursive: true });
  useCache();
  const core = join(npm, 'tree-sitter/vendor/tree-sitter/lib');
  const grammar = (language, ...files) => files.map((file) => join(npm, `tree-sitter-${language}/src/${file}.c`));
  const main = [join(core, 'src/lib.c'), 'bench/single/syntax.c'];
  const c = grammar('c', 'parser'), javascript = grammar('javascript', 'parser', 'scanner');
  const includes = [core + '/include', core + '/src', join(npm, 'tree-sitter-c/src')].map((path) => `-I${path}`);
  const build = (name, sources, ...flags) => make(join(directory, name), sources.filter((path) => /\.c$/.test(path)), 'emcc',
    ['-O2', '-w', ...includes, ...flags, ...sources, '-o', join(directory, name)]);
  const program = ['--no-entry', '-sMODULARIZE=1', '-sENVIRONMENT=node', '-sALLOW_MEMORY_GROWTH=1'];
  const side = (name, sources, language) =>
    build(name, sources, '-sSIDE_MODULE=2', `-sEXPORTED_FUNCTIONS=_tree_sitter_${language}`);
  const sides = [await side('c.wasm', c, 'c'), await side('javascript.wasm', javascript, 'javascript')];
  return [
    await build('static.js', [...main, ...c, ...javascript], ...program, '-sEXPORTED_FUNCTIONS=_run'),
    // what the side modules need of the C library is named
    await build('main.js', [...main, ...sides], ...program, '-sMAIN_MODULE=2', '-sEXPORTED_FUNCTIONS=_run,_memcpy,_malloc,_free'),
  ];
}
