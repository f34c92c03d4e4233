// One stack, one function table and variables across modules, as one statically linked program has them.

import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { cargoBuild, combine, linkFreestanding, moduleNamed, run, scratchDirectory, testsDirectory,
  tool } from './tools.mjs';

const shared = ['--stack=shared', '--table=shared'];

async function instantiateShared(layout) {
  const { instances, table } = await layout.instantiate();
  return { functionTable: table, ...Object.fromEntries(Object.entries(instances).map(([name, { exports }]) => [name, exports])) };
}

function linkC(directory) {
  const link = (name, ...flags) => linkFreestanding(join('sharing', `${name}.c`), join(directory, `${name}-in.wasm`),
    '-Wl,--allow-undefined', ...flags);
  return [`user=${link('user')}`, `maker=${link('maker', '-Wl,--export=counter')}`,
    `table=${link('table', '-Wl,--export=table')}`];
}

test('C modules that share a stack, a table and variables', async t => {
  const directory = scratchDirectory('c');
  const layout = await combine(directory, linkC(directory), ...shared);
  const { user, maker, functionTable } = await instantiateShared(layout);
  run(tool('WASMSHARE'), ['verify', directory]);

  await t.test('call each other\'s function pointers', () => {
    assert.equal(user.call(maker.operation(), 21), 42);
    assert.equal(user.call_own(41), 42);
  });

  await t.test('trap when a function pointer has another signature, or is null', () => {
    assert.throws(() => user.call(maker.procedure(), 1), /signature mismatch/);
    assert.throws(() => user.call(0, 1), WebAssembly.RuntimeError);
  });

  await t.test('have their own ranges of the table, and entry 0 is null', () => {
    const ranges = layout.modules.map(({ tableBase, tableSize }) => [tableBase, tableBase + tableSize]);
    assert.equal(functionTable.get(0), null);
    assert.ok(ranges.every(([start]) => start >= 1));
    assert.equal(functionTable.length, layout.tableSize);
    assert.equal(Math.max(...ranges.map(([, end]) => end)), layout.tableSize);
  });

  await t.test('use each other\'s variables, from code and from data, with addends', () => {
    assert.equal(user.increment(), 7);
    assert.equal(maker.counter_value(), 7);
    assert.deepEqual([0, 1, 2, 3].map(user.element), [10, 20, 30, 40]);
  });

  await t.test('trap when the stack overflows, and nothing is overwritten', () => {
    user.fill_guard();
    assert.equal(layout.stackLow, 0);
    assert.throws(() => maker.recurse(1e6), /memory access out of bounds/);
    assert.equal(user.guard_changes(), 0);
  });
});

test('private stacks have no such guarantee: overflowing one overwrites the module below it', async () => {
  const directory = scratchDirectory('private');
  const layout = await combine(directory, linkC(directory));
  const { user, maker } = await instantiateShared(layout);
  user.fill_guard();
  maker.recurse(80);
  assert.ok(user.guard_changes() > 0);
});

test('a C++ object made in one module is called by its virtual functions in another', async () => {
  const directory = scratchDirectory('cpp');
  const link = name => {
    const output = join(directory, `${name}-in.wasm`);
    run(tool('CLANGXX'), ['--target=wasm32', '-O2', '-fno-exceptions', '-fno-rtti', '-nostdlib', '-Wall', '-Wextra',
      '-Wno-non-virtual-dtor', '-Wl,--no-entry,--import-memory,--emit-relocs,--allow-undefined', '--no-wasm-opt',
      join(testsDirectory, 'node', 'modules', 'sharing', `${name}.cpp`), '-o', output]);
    return `${name}=${output}`;
  };
  const layout = await combine(directory, ['square', 'measure'].map(link), ...shared);
  const { square, measure } = await instantiateShared(layout);
  assert.equal(measure.measure(square.make(5)), 25 + 2500);
});

test('a Rust Box<dyn Trait> made in one module is called in another', async () => {
  const directory = scratchDirectory('rust');
  const built = cargoBuild(join(testsDirectory, 'node', 'modules', 'rust-dyn'));
  const layout = await combine(directory, ['kennel', 'caller'].map(name => join(built, `${name}.wasm`)), ...shared);
  const { kennel, caller } = await instantiateShared(layout);
  const animal = kennel.adopt(3);
  assert.equal(caller.call(animal, 4), 4007);
  assert.equal(caller.name_length(animal), 'dog that barked 7 times'.length);
  kennel.release(animal);
});

test('sixteen Rust modules need one stack, not sixteen', async () => {
  const directory = scratchDirectory('sixteen');
  const built = cargoBuild(join(testsDirectory, 'node', 'modules', 'rust-dyn'));
  const modules = Array.from({ length: 16 }, (_, i) => `m${i}=${join(built, 'kennel.wasm')}`);
  const layout = await combine(directory, modules, ...shared);
  const separate = await combine(scratchDirectory('sixteen-private'), modules);
  const stack = layout.stackPointer - layout.stackLow;
  const first = separate.modules[0];
  assert.equal(stack, first.stackPointer - first.stackLow);
  assert.ok(layout.pages * 65536 < stack + 16 * (first.memorySize - stack + 64) + 65536);
  assert.ok(separate.pages * 65536 > 16 * stack);
  const { m3, m12 } = await instantiateShared(layout);
  assert.notEqual(m3.adopt(1), m12.adopt(1));
});

test('private mode gives no module an import of a stack pointer or a table', async () => {
  const directory = scratchDirectory('default');
  const layout = await combine(directory, linkC(directory));
  for (const module of layout.modules) {
    const { readFileSync } = await import('node:fs');
    const imports = WebAssembly.Module.imports(await WebAssembly.compile(readFileSync(module.url)));
    assert.deepEqual(imports.map(({ name }) => name), ['memory']);
  }
  assert.equal(layout.stackPointer, null);
  assert.equal(layout.tableSize, null);
  assert.equal(moduleNamed(layout, 'maker').tableBase, 1);
});
