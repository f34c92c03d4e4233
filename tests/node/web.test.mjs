// In a browser (Chromium): layout.mjs loads the placed modules there, and 64-bit memories work, which Node 18 and 20
// cannot show.

import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { test } from 'node:test';
import { resultInBrowser } from './browser.mjs';
import { expected } from './modules/four-threads.mjs';
import { combine, linkFreestanding, linkThreads, placeable, projectDirectory, run, scratchDirectory, testsDirectory, tool } from './tools.mjs';

test('the three modules run in a browser, loaded through layout.mjs', async () => {
  const directory = scratchDirectory('three-modules');
  run(join(projectDirectory, 'examples', 'three-modules', 'build.sh'), ['c', directory]);
  assert.deepEqual(await resultInBrowser(directory, 'three-modules-page.mjs'), ['1337', '2674']);
});

test('they run as one file, whose layout.mjs loads it as it loads several', async () => {
  const directory = scratchDirectory('one-file'), inputs = join(scratchDirectory('three-modules-apart'), 'unplaced');
  run(join(projectDirectory, 'examples', 'three-modules', 'build.sh'), ['c', join(inputs, '..')]);
  await combine(directory, ['common', 'a', 'b'].map(name => join(inputs, `${name}.wasm`)), '--single', join(directory, 'app.wasm'),
    '--prefer', 'common');
  assert.deepEqual(await resultInBrowser(directory, 'three-modules-page.mjs'), ['1337', '2674']);
});

test('64-bit modules run in one 64-bit memory', async () => {
  const directory = scratchDirectory('memory64');
  const module = linkFreestanding('pointers64.c', join(directory, 'pointers64-input.wasm'), '--target=wasm64');
  await combine(directory, [`left=${module}`, `right=${module}`]);
  const copy = (name, stored) => ({ name, inside: true, sum: String(500 + stored), stored: String(stored),
    distance: '3', applied: ['42', '144'] });
  assert.deepEqual(await resultInBrowser(directory, 'memory64-page.mjs'),
    { memory64: true, heapBase: 'bigint', copies: [copy('left', 1000), copy('right', 2000)] });
});

test('64-bit modules are one program, with exceptions as WebAssembly 3 encodes them', async () => {
  const directory = scratchDirectory('program64');
  const runtime = join(testsDirectory, 'together', 'runtime');
  const compile = (source, ...flags) => {
    const object = join(directory, `${basename(source)}.o`);
    run(tool('CLANGXX'), ['--target=wasm64', '-O2', ...flags, '-c', source, '-o', object]);
    return object;
  };
  const throws = ['-fwasm-exceptions', '-mllvm', '-wasm-use-legacy-eh=0', '-fvisibility=default'];
  const tag = join(directory, 'tag.s');
  writeFileSync(tag, readFileSync(join(runtime, 'tag.s'), 'utf8').replace('i32', 'i64'));
  const vtables = join(directory, 'vtables.c'); // of type_info, which is libc++abi's otherwise
  writeFileSync(vtables, 'void *_ZTVN10__cxxabiv117__class_type_infoE[8], *_ZTVN10__cxxabiv120__si_class_type_infoE[8];');
  const each = [...[join(runtime, 'exceptions.c'), vtables].map(source => compile(source, '-xc', ...throws)), compile(tag)];
  const modules = ['first', 'second'].map(name => {
    const output = join(directory, `${name}-input.wasm`);
    run(tool('CLANGXX'), ['--target=wasm64', '-nostdlib', ...placeable, '-Wl,--no-entry,--export-dynamic,--allow-undefined',
      compile(join(testsDirectory, 'node', 'modules', 'program64', `${name}.cpp`), ...throws), ...each, '-o', output]);
    return `${name}=${output}`;
  });
  await combine(directory, modules, '--link');
  assert.deepEqual(await resultInBrowser(directory, 'program64-page.mjs'), ['40', '55', '1', '-300', '41']);
});

test('four workers, each with a stack and thread-local variables that the loader hands out', async () => {
  const directory = scratchDirectory('threads');
  const module = linkThreads(join(directory, 'threads-input.wasm'));
  await combine(directory, [`left=${module}`, `right=${module}`], '--stack=shared', '--threads', '4');
  assert.deepEqual(await resultInBrowser(directory, 'threads-page.mjs', 'four-threads.mjs', 'thread-worker.mjs'),
    expected);
});
