// C++ with libc++ works at a place that its linker did not choose.

import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { WASI } from 'node:wasi';
import { combine, instantiate, liesInside, linkFreestanding, linkReactor, moduleNamed, scratchDirectory, stringAt,
  testsDirectory } from './tools.mjs';

for (const [kind, ...flags] of [['optimised'], ['unoptimised', '-O0'], ['position-independent', '-fPIC']]) {
  test(`C++, ${kind}, placed second`, async t => {
    const directory = scratchDirectory(kind);
    const built = linkReactor('CLANGXX', join(directory, 'shapes-input.wasm'), '-std=c++17', '-fno-exceptions',
      '-Wall', '-Wextra', '-Werror', ...flags, join(testsDirectory, 'node', 'modules', 'shapes.cpp'));
    const other = linkFreestanding('stack.c', join(directory, 'other-input.wasm'));
    const layout = await combine(directory, [`first=${other}`, `second=${built}`]);
    const memory = layout.createMemory();
    const place = moduleNamed(layout, 'second');
    assert.ok(place.memoryBase > 0);
    const wasi = new WASI({ version: 'preview1' });
    const imports = { wasi_snapshot_preview1: wasi.wasiImport };
    const first = (await instantiate(moduleNamed(layout, 'first'), memory)).exports;
    first.fill(99);
    const { exports } = await instantiate(place, memory, imports);

    await t.test('runs constructors of static objects', () => {
      assert.equal(exports.constructed_objects(), 0);
      wasi.initialize({ exports: { ...exports, memory } });
      assert.equal(exports.constructed_objects(), 2);
    });

    await t.test('calls virtual functions, thunks, std::function and pointers to members', () => {
      assert.ok(liesInside(exports.virtual_table(), place));
      const answer = exports.describe();
      assert.equal(stringAt(memory, answer), 'square 9; square 8 (red flag); ');
      assert.equal(first.count_changes(99), 0);
    });
  });
}
