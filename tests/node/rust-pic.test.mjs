// Rust as the predecessor wants it: position-independent, and linked without relocations.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { test } from 'node:test';
import { cargoBuild, combine, liesInside, moduleNamed, run, scratchDirectory, testsDirectory, tool } from './tools.mjs';

const directory = scratchDirectory();
const built = cargoBuild(join(testsDirectory, 'node', 'modules', 'rust-pic'));
const [reader, counter, table] = ['reader', 'counter', 'table'].map(name => join(built, `pic_${name}.wasm`));
const inspect = (...args) => JSON.parse(run(tool('WASMSHARE'), ['inspect', '--json', ...args]));

test('what has no initialised data is exact', async () => {
  for (const module of inspect(reader, counter)) {
    assert.deepEqual(module.relocations, {});
    assert.equal(module.exact, true);
  }
  const layout = await combine(join(directory, 'exact'), [`first=${counter}`, `second=${counter}`, `reader=${reader}`]);
  run(tool('WASMSHARE'), ['verify', join(directory, 'exact')]);
  const { instances: { first, second, reader: { exports } } } = await layout.instantiate();
  for (let i = 0; i < 10; ++i)
    first.exports.count(3);
  assert.equal(second.exports.count(3), 1);
  assert.equal(first.exports.count(3), 11);
  const address = second.exports.where_is(3);
  assert.ok(liesInside(address, moduleNamed(layout, 'second')));
  exports.double(address);
  assert.equal(exports.get_value(address), 2 + 5000 * 2);
  assert.equal(second.exports.count(3), 3);
});

test('what has initialised data is refused, unless somebody vouches for it', async () => {
  const output = join(directory, 'vouched');
  const { status, stderr } = spawnSync(tool('WASMSHARE'), ['combine', '-o', output, counter, table], { encoding: 'utf8' });
  assert.equal(status, 1);
  assert.match(stderr, /pic_table\.wasm: .*is position-independent.* initialised data.*--emit-relocs.*--trust-pic/);
  const layout = await combine(output, [counter, `table=${table}`], '--trust-pic');
  const { instances } = await layout.instantiate();
  assert.deepEqual([0, 1, 2, 3].map(instances.table.exports.prime), [2, 3, 5, 7]);
});
