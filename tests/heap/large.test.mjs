// As heaps.test.mjs, with toolchains that are too large for every run: the newest wasi-libc that a package has, and Zig. They
// are installed once, to build/heap-large.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { run, scratchDirectory, testsDirectory, tool } from '../node/tools.mjs';
import { random } from './hammer.mjs';
import { combine, hammer, kinds, make, open, openPrepared } from './programs.mjs';

const installed = tool('LARGE_DIRECTORY');

function install(name, file, ...command) {
  const directory = join(installed, name), wanted = join(directory, file);
  if (!existsSync(wanted)) {
    mkdirSync(directory, { recursive: true });
    console.log(`installing ${name}`);
    for (const [program, ...args] of command)
      run(program, args, { cwd: directory, maxBuffer: 1 << 26 });
  }
  assert.ok(existsSync(wanted), wanted);
  return wanted;
}

const library = install('wasi-libc', 'lib/wasm32-wasip1/libc.a',
  ['npm', 'install', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error', '@yowasp/clang@22.0.0-git20542-10'],
  ['tar', '-xf', 'node_modules/@yowasp/clang/gen/llvm-resources.tar']);
const sysroot = join(library, '..', '..', '..');
const zig = install('zig', 'ziglang/zig', ['pip3', 'install', '--quiet', '--no-deps', '--target', '.', 'ziglang==0.17.1'],
  ['chmod', '+x', 'ziglang/zig']);
const zigEnvironment = { ...process.env, ZIG_GLOBAL_CACHE_DIR: join(installed, 'zig', 'cache'),
  ZIG_LOCAL_CACHE_DIR: join(installed, 'zig', 'cache') };

function zigModule(allocator, mode) {
  return file => {
    const directory = scratchDirectory(`zig-${allocator}-${mode}`), object = join(directory, 'zig.o');
    writeFileSync(join(directory, 'allocator.zig'), `pub const allocator = @import("std").heap.${allocator};\n`);
    run(zig, ['build-obj', '-target', 'wasm32-freestanding', '-O', mode, `-femit-bin=${object}`, '--dep', 'allocator',
      `-Mroot=${join(testsDirectory, 'heap', 'modules', 'zig.zig')}`, `-Mallocator=${join(directory, 'allocator.zig')}`],
      { env: zigEnvironment });
    run(tool('WASM_LD'), ['--no-entry', '--import-memory', '--emit-relocs', '--export=take', '--export=give', '--export=intact',
      object, '-o', file]);
  };
}

// Zig's own linker writes no relocations, but says what it links.
function zigLibrary(file) {
  const { stderr } = spawnSync(zig, ['cc', '-target', 'wasm32-wasi-musl', '-mexec-model=reactor', '-O2', '--verbose',
    join(testsDirectory, 'heap', 'modules', 'c-library.c'), '-o', file], { env: zigEnvironment, encoding: 'utf8' });
  const [, args] = /^wasm-ld (.*)$/m.exec(stderr);
  run(tool('WASM_LD'), [...args.split(' '), '--import-memory', '--emit-relocs']);
}

const newest = ['--target=wasm32-wasip1', `--sysroot=${sysroot}`, '-mexec-model=reactor'];
Object.assign(kinds, {
  newest: { source: 'c-library.c', flags: newest },
  'newest-exported': { source: 'c-library.c', flags: [...newest, '-Wl,--export=malloc,--export=realloc,--export=free'] },
  'newest-unused': { source: 'reads.c', flags: [...newest, '-DC_START'], fixed: true },
  zig: { make: zigModule('wasm_allocator', 'ReleaseFast') },
  'zig-debug': { make: zigModule('wasm_allocator', 'Debug') },
  'zig-library': { make: zigLibrary },
  'zig-pages': { make: zigModule('page_allocator', 'ReleaseSmall') },
});
const all = ['library', 'newest', 'zig', 'zig-debug', 'zig-pages', 'zig-library', 'rust', 'segments', 'arena'];

function* subsets(list, size, from = 0) {
  if (size === 0)
    yield [];
  for (let i = from; size > 0 && i < list.length; i++)
    for (const rest of subsets(list, size - 1, i + 1))
      yield [list[i], ...rest];
}

const pick = random(4);
function shuffled(list) {
  const left = [...list];
  return list.map(() => left.splice(pick(left.length), 1)[0]);
}

for (const size of [1, 2, 3, 4])
  test(`any ${size} of the newest C library, Zig and others`, async t => {
    for (const list of subsets(all, size)) {
      const places = shuffled(list), modules = Object.fromEntries(places.map(kind => [kind, make(kind)]));
      await t.test(`${places}`, async () => {
        const { layout, refused } = await combine(modules, scratchDirectory('large', ...places));
        assert.equal(refused, undefined);
        for (const seed of [1, 2])
          hammer(await open(layout, modules), { order: shuffled(list), seed, steps: size < 3 ? 2000 : 500 }).finish();
        hammer(await openPrepared(modules, scratchDirectory('large-prepared')), { order: shuffled(list), steps: 300 }).finish();
      });
    }
  });

test('several modules with the newest C library', async () => {
  const module = make('newest'), modules = { a: module, b: module, c: module, d: module };
  const { layout, refused } = await combine(modules, scratchDirectory('newest'));
  assert.equal(refused, undefined);
  hammer(await open(layout, modules), { order: ['d', 'a', 'c', 'b'], steps: 3000 }).finish();
});

test('one heap of the newest C library, and modules that only start with it', async () => {
  const modules = { a: make('newest-unused'), owner: make('newest-exported'), user: make('borrows'), b: make('newest-unused') };
  const { layout, refused } = await combine(modules, scratchDirectory('one-heap'));
  assert.equal(refused, undefined);
  const opened = await open(layout, modules);
  delete opened.workers.a;
  delete opened.workers.b;
  hammer(opened, { steps: 2000 }).finish();
});
