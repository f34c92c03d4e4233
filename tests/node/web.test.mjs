// In a browser (Chromium): layout.mjs loads the placed modules there, and 64-bit memories work, which Node 18 and 20
// cannot show.

import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { resultInBrowser } from './browser.mjs';
import { expected } from './modules/four-threads.mjs';
import { combine, linkFreestanding, linkThreads, projectDirectory, run, scratchDirectory } from './tools.mjs';

test('the three modules run in a browser, loaded through layout.mjs', async () => {
  const directory = scratchDirectory('three-modules');
  run(join(projectDirectory, 'examples', 'three-modules', 'build.sh'), ['c', directory]);
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

test('four workers, each with a stack and thread-local variables that the loader hands out', async () => {
  const directory = scratchDirectory('threads');
  const module = linkThreads(join(directory, 'threads-input.wasm'));
  await combine(directory, [`left=${module}`, `right=${module}`], '--stack=shared', '--threads', '4');
  assert.deepEqual(await resultInBrowser(directory, 'threads-page.mjs', 'four-threads.mjs', 'thread-worker.mjs'),
    expected);
});
