// Zeroed data is not shipped as zeros, and starts cleared all the same, in a memory that was used before.

import assert from 'node:assert/strict';
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { combine, instantiate, liesInside, linkFreestanding, moduleNamed, scratchDirectory } from './tools.mjs';

// Dirties two copies of a module that share a memory, then instantiates the first of them again.
async function reinstantiate(layout) {
  const memory = layout.createMemory();
  const [left, right] = [moduleNamed(layout, 'left'), moduleNamed(layout, 'right')];
  const first = await instantiate(left, memory), neighbour = await instantiate(right, memory);

  const address = first.exports.zeroed_address();
  assert.ok(liesInside(address, left));
  assert.notEqual(address, neighbour.exports.zeroed_address());
  assert.equal(first.exports.count_dirty(), 0);
  assert.equal(neighbour.exports.count_dirty(), 0);

  first.exports.make_dirty();
  const dirty = first.exports.count_dirty();
  assert.ok(dirty >= first.exports.zeroed_size());
  assert.equal(neighbour.exports.count_dirty(), 0, 'dirtying one module must not touch the other');

  neighbour.exports.make_dirty();
  const again = await instantiate(left, memory);
  assert.equal(again.exports.count_dirty(), 0, 'a new instance must start from its initial data');
  assert.equal(neighbour.exports.count_dirty(), dirty, 'clearing one module must not touch the other');
}

test('with bulk memory: zeroed data is cleared at the start and not in the file', async () => {
  const directory = scratchDirectory('bulk');
  const module = linkFreestanding('bss.c', join(directory, 'bss-input.wasm'), '-mbulk-memory');
  const layout = await combine(directory, [`left=${module}`, `right=${module}`]);
  for (const { url } of layout.modules)
    assert.ok(statSync(fileURLToPath(url)).size < 16384);
  await reinstantiate(layout);
});

test('without bulk memory: zeroed data stays in the file', async () => {
  const directory = scratchDirectory('no-bulk');
  const module = linkFreestanding('bss.c', join(directory, 'bss-input.wasm'), '-mcpu=mvp');
  const layout = await combine(directory, [`left=${module}`, `right=${module}`]);
  for (const { url } of layout.modules)
    assert.ok(statSync(fileURLToPath(url)).size > 1 << 20);
  await reinstantiate(layout);
});

test('with --keep-relocs: zeroed data stays in the file, as the linker writes it', async () => {
  const directory = scratchDirectory('keep');
  const module = linkFreestanding('bss.c', join(directory, 'bss-input.wasm'), '-mbulk-memory');
  await reinstantiate(await combine(directory, [`left=${module}`, `right=${module}`], '--keep-relocs'));
});
