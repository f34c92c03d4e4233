// The wasmshare package: what it takes, what it gives, what it refuses, and that placed modules run.
// (That it places modules as the command does is prepared.test.mjs's to say.)

import assert from 'node:assert/strict';
import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { WASI } from 'node:wasi';
import { gzipSync } from 'node:zlib';
import { assemble } from '../../js/assemble.mjs';
import { combine, getHeapBase, load, relocate, WasmShareError } from '../../js/index.js';
import { linkFreestanding, linkReactor, projectDirectory, run, scratchDirectory, testsDirectory, tool } from './tools.mjs';

const directory = scratchDirectory();
const prepared = {};

function prepare(name, source, ...flags) {
  const linked = linkFreestanding(source, join(directory, `${name}-linked.wasm`), ...flags);
  run(tool('WASMSHARE'), ['prepare', '-o', directory, `${name}=${linked}`]);
  prepared[name] = readFileSync(join(directory, `${name}.wasm`));
}
prepare('keeper', 'keeper.c', '-DSENTENCE="a sentence"');
prepare('maker', join('sharing', 'maker.c'), '-Wl,--export=counter');
prepare('threads', 'threads.c', '-pthread', '-mbulk-memory', '-Wl,--shared-memory,--max-memory=1048576');
prepare('wide', 'pointers64.c', '--target=wasm64');
prepare('debug', 'keeper.c', '-DSENTENCE="a sentence"', '-g');
prepare('stack', 'stack.c');
prepare('limited', 'keeper.c', '-DSENTENCE="a sentence"', '-Wl,--max-memory=1048576');
const { keeper, maker } = prepared;

const refuses = (promise, code, message) => assert.rejects(promise, error => {
  assert.ok(error instanceof WasmShareError && error instanceof Error);
  assert.equal(error.name, 'WasmShareError');
  assert.equal(error.code, code);
  assert.match(error.message, message);
  return true;
});

const instantiate = async (module, memory, env = {}) =>
  (await WebAssembly.instantiate(module, { env: { memory, ...env } })).instance.exports;

// ------------------------------------------------------------------------------------------------ the package itself

test('the package is 4 KB, minified and compressed', () => {
  const minified = join(directory, 'wasmshare.min.js');
  run(tool('ESBUILD'), ['--bundle', '--minify', '--format=esm', '--log-level=error', `--outfile=${minified}`,
    join(projectDirectory, 'js', 'index.js')]);
  const { length } = gzipSync(readFileSync(minified), { level: 9 });
  assert.ok(length <= 4300, `${length} bytes`);
});

test('its loops are those of kernel.wat, assembled', () => {
  assert.equal(assemble(tool('WAT2WASM')), readFileSync(join(projectDirectory, 'js', 'kernel.js'), 'utf8'));
});

function compiles(source, lib) {
  writeFileSync(join(directory, 'tsconfig.json'), JSON.stringify({ files: [source], compilerOptions: { noEmit: true,
    strict: true, noUncheckedIndexedAccess: true, target: 'es2022', module: 'nodenext', lib, types: [] } }));
  run(tool('TSC'), ['--project', directory]);
}

test('a module that uses WASI is placed with the memory that it exports for it', async () => {
  const linked = linkReactor('CLANG', join(directory, 'planet-linked.wasm'),
    join(testsDirectory, 'node', 'modules', 'loader', 'planet.c'));
  run(tool('WASMSHARE'), ['prepare', '-o', directory, `planet=${linked}`]);
  const { modules, neededPages } = await combine([keeper, readFileSync(join(directory, 'planet.wasm'))]);
  const memory = new WebAssembly.Memory({ initial: neededPages });
  const wasi = new WASI({ version: 'preview1', env: { PLANET: 'Saturn' } });
  const { instance } = await WebAssembly.instantiate(modules[1], { env: { memory }, wasi_snapshot_preview1: wasi.wasiImport });
  assert.equal(instance.exports.memory, memory);
  wasi.initialize(instance); // which looks there, and runs constructors, which ask WASI
  assert.equal(instance.exports.length(), 'Saturn'.length);
});

test('its types are those of what it does', () => {
  const consumer = join(directory, 'consumer.mts');
  const installed = join(directory, 'node_modules', 'wasmshare');
  cpSync(join(projectDirectory, 'js'), installed, { recursive: true });
  writeFileSync(consumer, `import { combine, getHeapBase, load, relocate, WasmShareError } from 'wasmshare';
import type { CombineOptions, Layout, Placement } from 'wasmshare';
const bytes = new Uint8Array();
const options: CombineOptions = { stack: 'shared', table: 'shared', base: 1, align: 16, heapOwner: 0 };
const { modules, neededPages, layout } = await combine([bytes, Promise.resolve(bytes), fetch('x')], 1024, options);
const memory = new WebAssembly.Memory({ initial: neededPages });
const module: WebAssembly.Module = await WebAssembly.compile(modules[0]! as BufferSource);
const more: { module: Uint8Array, layout: Layout } = await load(layout, bytes, { memory });
const first: Placement = more.layout.modules[0]!;
const moved: Uint8Array = await relocate(bytes, 16, await getHeapBase(bytes));
const code: 'heap' extends WasmShareError['code'] ? true : false = true;
// @ts-expect-error: a path is no module
combine(['module.wasm']);
export { module, first, moved, code };
`);
  compiles(consumer, ['es2022', 'dom']);
  // as in Node, with no `lib` that declares WebAssembly
  const other = join(directory, 'other.mts');
  writeFileSync(other, `import { combine, load } from 'wasmshare';
const { modules, layout } = await combine([new Uint8Array()]);
export const memory = { buffer: new ArrayBuffer(0), grow: (pages: number): number => pages };
export const first: Uint8Array = modules[0]!, more: number = (await load(layout, first, { memory })).neededPages;
`);
  compiles(other, ['es2022']);
});

for (const language of ['c', 'rust']) {
  test(`the example of the predecessor's README runs with another import, in ${language}`, () => {
    const at = scratchDirectory(`readme-${language}`);
    run(join(projectDirectory, 'examples', 'three-modules', 'build.sh'), [language, join(at, 'linked')]);
    const modules = ['common', 'a', 'b'].map(name => join(at, 'linked', 'unplaced', `${name}.wasm`));
    run(tool('WASMSHARE'), ['prepare', '-o', join(at, 'output'), ...modules]);
    cpSync(join(projectDirectory, 'js'), join(at, 'node_modules', 'wasmshare'), { recursive: true });
    cpSync(join(testsDirectory, 'node', 'modules', 'predecessor-readme.mjs'), join(at, 'readme.mjs'));
    assert.equal(run(process.execPath, ['readme.mjs'], { cwd: at }), '1337n\n2674n\n');
  });
}

// ------------------------------------------------------------------------------------------------------ what it takes

test('modules are bytes, or what has or will have them, and are not changed', async () => {
  const { modules: [expected] } = await combine([keeper]);
  const copy = Uint8Array.from(keeper), shifted = new Uint8Array(keeper.length + 3);
  shifted.set(keeper, 3);
  const sources = {
    Uint8Array: copy, ArrayBuffer: copy.buffer, DataView: new DataView(copy.buffer), Response: new Response(copy),
    Promise: Promise.resolve(copy), 'Promise of a Response': Promise.resolve(new Response(copy)), Buffer: keeper,
    'unaligned bytes': shifted.subarray(3), Blob: new Blob([copy]),
  };
  for (const [kind, source] of Object.entries(sources)) {
    const { modules: [module] } = await combine([source]);
    assert.equal(Buffer.compare(module, expected), 0, kind);
  }
  assert.equal(Buffer.compare(copy, keeper), 0);
  assert.ok(expected instanceof Uint8Array && !(expected instanceof Buffer));
});

test('what is no prepared module is refused, with a code and what to do', async () => {
  for (const source of [undefined, null, 'module.wasm', 17, {}]) await refuses(combine([source]), 'source', /module 0/);
  await refuses(combine(new Array(2)), 'source', /module 0/);
  for (const modules of [undefined, null, [], 17, keeper, Promise.resolve([keeper]), 'module.wasm'])
    await refuses(combine(modules), 'option', /^invalid argument modules, an array of at least one: [\w. \[\]]*$/);
  await refuses(combine([[keeper]]), 'source', /^module 0 is no byte array or Response: object$/);
  await refuses(combine('\0asm'.repeat(1e6)), 'option', /^[^]{1,99}$/);
  const page = (status) => new Response('<!doctype html><title>a page</title>', { status });
  await refuses(combine([keeper, page(200)]), 'not-wasm', /^module 1 is not WebAssembly, or is cut off$/);
  await refuses(combine([keeper, page(404)]), 'source', /^module 1 is no byte array or Response: 404$/);
  await refuses(getHeapBase(new Uint8Array()), 'not-wasm', /the module/);
  await refuses(getHeapBase(keeper.subarray(0, -1)), 'not-wasm', /the module/);
  await refuses(getHeapBase(Uint8Array.of(0, 97, 115, 109, 1, 0, 0, 0)), 'not-prepared', /`wasmshare prepare`/);
  await refuses(relocate(readFileSync(join(directory, 'keeper-linked.wasm')), 0), 'not-prepared', /prepare/);
  const { modules: [placed] } = await combine([keeper]);
  await refuses(combine([placed]), 'not-prepared', /^module 0 is not prepared, or is placed already: give what `wasmshare prepare` wrote$/);
});

test('a module that was changed is refused, but for its names', async () => {
  const changed = Uint8Array.from(keeper);
  changed[keeper.indexOf('a sentence')] ^= 1;
  await refuses(combine([changed]), 'changed', /wasmshare prepare/);
  const named = Uint8Array.from(keeper), name = keeper.lastIndexOf('count_changes');
  named[name] ^= 1;
  assert.ok(name > keeper.indexOf('a sentence'));
  assert.ok((await combine([named])).modules[0].length > 0);
});

test('options that make no sense are refused, by name', async () => {
  const options = [{ align: 3 }, { align: -16 }, { base: -1 }, { base: 0.5 }, { base: '16' }, { base: NaN }, { heapSize: Infinity },
    { maxMemory: 65537 }, { maxMemory: 2 ** 40 }, { stackSize: 4096 }, { heapOwner: 1 }, { heapOwner: -1 }, { heapOwner: '0' },
    { stack: 'shard' }, { table: true }, { heapsize: 3 }];
  for (const option of options) {
    const [[name, value]] = Object.entries(option);
    await refuses(combine([keeper], 0, option), 'option', RegExp(`^invalid argument ${name}: ${value}$`));
  }
  for (const stack of [-1, 1.5, '16', {}]) await refuses(combine([keeper], stack), 'option', /^invalid argument additionalStack: /);
  await refuses(relocate(keeper, 0, -1), 'option', /^invalid argument heapBase: -1$/);
  const { layout } = await combine([keeper], undefined, { stack: undefined, base: undefined, heapOwner: undefined });
  for (const option of [{ base: -16 }, { base: NaN }, { base: '16' }, { additionalStack: 0.5 }, { memry: 1 }])
    await refuses(load(layout, keeper, option), 'option', RegExp(`^invalid argument ${Object.keys(option)[0]}: `));
  assert.deepEqual(await combine([keeper], 0, null), await combine([keeper]), 'null is as nothing');
  assert.deepEqual(await load(layout, keeper, null), await load(layout, keeper));
  const memory = new WebAssembly.Memory({ initial: layout.pages });
  await refuses(load(layout, keeper, memory), 'option', /^invalid argument memory: \[object WebAssembly.Memory\]$/);
  assert.equal(memory.buffer.byteLength, layout.pages * 65536);
  for (const other of [5, {}, memory.buffer, { memory }])
    await refuses(load(layout, keeper, { memory: other }), 'option', /^invalid argument memory: /);
  assert.deepEqual(await load(layout, keeper, { memory: null, base: null }), await load(layout, keeper));
  for (const layout of [undefined, null, {}]) await refuses(load(layout, keeper), 'option', /^invalid argument layout: /);
});

test('layouts that cannot be are refused', async () => {
  await refuses(combine([keeper, prepared.threads]), 'mix', /^module 1 /);
  await refuses(combine([prepared.wide, keeper]), 'mix', /^module 1 /);
  await refuses(combine([keeper], 2 ** 33), 'space', /4294967296/);
  await refuses(combine([keeper], 0, { base: 2 ** 32 }), 'space', /4294967296/);
  await refuses(combine([prepared.limited, prepared.limited], 0, { heapSize: 2 ** 20 }), 'maximum', /maxMemory/);
  await refuses(relocate(keeper, 8), 'alignment', /16/);
  await refuses(relocate(keeper, 0.5), 'alignment', /16/);
  await refuses(relocate(keeper, 0x10000, 0x8000), 'option', /^invalid argument heapBase: 32768$/);
  const { layout: { modules: [{ memorySize }] } } = await combine([keeper]);
  await refuses(relocate(keeper, 2 ** 32 - Math.ceil(memorySize / 16) * 16), 'space', /./);
  await refuses(relocate(keeper, 2 ** 32), 'space', /./);
  for (const offset of [NaN, Infinity, '65536', [65536], undefined])
    await refuses(relocate(keeper, offset), 'option', /^invalid argument offset: /);
});

test('a shared stack must have a size, which modules that import theirs do not say', async () => {
  const shared = join(directory, 'shared');
  run(tool('WASMSHARE'), ['combine', '-o', shared, '--stack=shared', '--keep-relocs', join(directory, 'stack-linked.wasm')]);
  run(tool('WASMSHARE'), ['prepare', '-o', shared, `importing=${join(shared, 'stack-linked.wasm')}`]);
  const importing = readFileSync(join(shared, 'importing.wasm'));
  await refuses(combine([importing, importing], 0, { stack: 'shared' }), 'stack', /^module 0 imports its stack: give stackSize$/);
  const { layout } = await combine([importing], 0, { stack: 'shared', stackSize: 4096 });
  assert.equal(layout.stackPointer - layout.stackLow, 4096);
  const { layout: { stackPointer, stackLow } } = await combine([importing, prepared.stack], 0, { stack: 'shared' });
  assert.ok(stackPointer > stackLow);
});

// ------------------------------------------------------------------------------------------------------ that they run

test('combined modules keep to their places, and to the memory that is said to be needed', async () => {
  const { modules, neededPages, layout } = await combine([keeper, keeper], 4096);
  const memory = new WebAssembly.Memory({ initial: neededPages });
  const keepers = await Promise.all(modules.map(module => instantiate(module, memory)));
  keepers.forEach((keeper, seed) => keeper.fill(seed));
  keepers.forEach((keeper, seed) => assert.equal(keeper.count_changes(seed), 0));
  layout.modules.forEach(({ memoryBase, memorySize }, i) => {
    const sentence = keepers[i].sentence();
    assert.ok(sentence >= memoryBase && sentence < memoryBase + memorySize);
  });
  assert.ok(layout.heapBase <= neededPages * 65536);
  await assert.rejects(instantiate(modules[0], new WebAssembly.Memory({ initial: neededPages - 1 })),
    WebAssembly.LinkError);
});

describe('load places one more module into a running layout', () => {
  test('where its memory grew, whatever has grown it before', async () => {
    const { modules, neededPages, layout } = await combine([keeper]);
    const memory = new WebAssembly.Memory({ initial: neededPages });
    const first = await instantiate(modules[0], memory);
    first.fill(1);
    memory.grow(3); // as an allocator does
    const more = await load(layout, keeper, { memory });
    assert.equal(more.neededPages, memory.buffer.byteLength / 65536);
    const [, { memoryBase, memorySize, heapBase }] = more.layout.modules;
    assert.ok(memoryBase >= (neededPages + 3) * 65536 && memoryBase + memorySize <= memory.buffer.byteLength);
    assert.equal(heapBase, memory.buffer.byteLength, 'its heap is empty');
    assert.equal(layout.modules.length, 1, 'the old layout is as it was');
    const second = await instantiate(more.module, memory);
    second.fill(2);
    assert.deepEqual([first.count_changes(1), second.count_changes(2)], [0, 0]);
    const third = await load(more.layout, keeper, { memory });
    assert.ok(third.layout.modules[2].memoryBase >= memoryBase + memorySize);
  });

  test('behind what another thread has grown meanwhile', async () => {
    const { neededPages, layout } = await combine([keeper]);
    for (const source of [keeper, new Response(keeper)]) {
      const memory = new WebAssembly.Memory({ initial: neededPages });
      const grow = memory.grow.bind(memory);
      let others = 1;
      memory.grow = (pages) => {
        if (others-- > 0) grow(1);
        return grow(pages);
      };
      const { layout: { modules: [, { memoryBase }] }, neededPages: needed } = await load(layout, source, { memory });
      assert.ok(memoryBase >= (neededPages + 1) * 65536);
      assert.equal(needed, memory.buffer.byteLength / 65536);
    }
  });

  test('behind the layout, or where there is room for it', async () => {
    const { neededPages, layout } = await combine([keeper], 0, { heapSize: 1 << 20 });
    const behind = await load(layout, keeper);
    assert.equal(behind.layout.modules[1].memoryBase, neededPages * 65536);
    assert.ok(behind.neededPages > neededPages);
    const base = layout.heapBase + 4096;
    const within = await load(layout, keeper, { base });
    assert.equal(within.layout.modules[1].memoryBase, base);
    assert.equal(within.neededPages, neededPages);
    const end = neededPages * 65536;
    await refuses(load(layout, keeper, { base: end - 16 }), 'space', RegExp(`memory ends at ${end} without { memory }$`));
    // What malloc returns when it fails, or from 2 GiB up, and what the layout has already.
    for (const taken of [0, 0x80000000 | 0, layout.modules[0].memoryBase, layout.heapBase - 16])
      await refuses(load(layout, keeper, { base: taken }), 'option', /^invalid argument base: /);
    const memory = new WebAssembly.Memory({ initial: neededPages + 9 });
    assert.equal((await load(layout, keeper, { memory, base: end })).layout.modules[1].memoryBase, end);
    await refuses(load(layout, keeper, { memory, base: end + 9 * 65536 }), 'space', RegExp(`memory ends at ${end + 9 * 65536}$`));
  });

  test('beside one that takes all memory for its heap if it takes none, and has a place there', async () => {
    prepare('sbrk', join('..', '..', 'heap', 'modules', 'sbrk.c'));
    prepare('grower', join('heap', 'grower.c'));
    const { layout } = await combine([prepared.sbrk], 0, { heapSize: 1 << 20 });
    const memory = new WebAssembly.Memory({ initial: layout.pages });
    const base = layout.heapBase + 4096, more = await load(layout, keeper, { memory, base });
    assert.deepEqual(more.layout.modules.map(({ heap }) => heap), [4, 0]);
    for (const [module, options] of [[keeper, {}], [keeper, { memory }], [prepared.grower, { memory, base }], [prepared.sbrk, { base }]])
      for (const running of [layout, more.layout])
        await refuses(load(running, module, options), 'heap', /no heap beside module 0: one takes all memory$/);
    await refuses(load((await combine([prepared.grower])).layout, prepared.sbrk), 'heap', /./);
  });

  test('with their stack and their table', async () => {
    const shared = { stack: 'shared', table: 'shared' };
    const { modules, neededPages, layout } = await combine([maker], 0, shared);
    const memory = new WebAssembly.Memory({ initial: neededPages });
    const table = new WebAssembly.Table({ element: 'anyfunc', initial: layout.tableSize });
    const pointer = new WebAssembly.Global({ value: 'i32', mutable: true }, layout.stackPointer);
    const env = { __stack_pointer: pointer, __indirect_function_table: table };
    const first = await instantiate(modules[0], memory, env);
    const more = await load(layout, maker, { memory, table });
    const second = await instantiate(more.module, memory, env);
    assert.notEqual(first.operation(), second.operation());
    assert.deepEqual([first, second].map(exports => table.get(exports.operation())(21)), [42, 42]);
    assert.equal(table.length, more.layout.tableSize);
    assert.equal(second.recurse(10), first.recurse(10));
    assert.equal(pointer.value, layout.stackPointer);
  });

  test('with what it says of a stack that is shared', async () => {
    const { modules, neededPages, layout } = await combine([prepared.stack], 0, { stack: 'shared', base: 0x20000 });
    const memory = new WebAssembly.Memory({ initial: neededPages });
    const env = { __stack_pointer: new WebAssembly.Global({ value: 'i32', mutable: true }, layout.stackPointer) };
    const { module, layout: { modules: [first, second] } } = await load(layout, prepared.stack, { memory });
    for (const bytes of [...modules, module])
      assert.equal((await instantiate(bytes, memory, env)).stack_low(), layout.stackLow);
    for (const { stackLow, stackPointer } of [first, second])
      assert.deepEqual([stackLow, stackPointer], [layout.stackLow, layout.stackPointer]);
  });

  test('unless it is of another kind, or there is no more memory', async () => {
    const { layout } = await combine([prepared.limited]);
    await refuses(load(layout, prepared.threads), 'mix', /./);
    await refuses(load({ ...layout, pages: layout.maximumPages }, keeper), 'maximum', /./);
  });
});

test('the examples of the documentation place modules, run their constructors once, and load more', async t => {
  const at = scratchDirectory('documentation');
  cpSync(join(projectDirectory, 'js'), join(at, 'node_modules', 'wasmshare'), { recursive: true });
  const examples = (...file) => [...readFileSync(join(projectDirectory, ...file), 'utf8').matchAll(/```js\n(.*?)```/gs)]
    .map(([, example]) => example);
  const [short] = examples('js', 'README.md'), [alone, shared, ...more] = examples('docs', 'prepared-modules.md');
  assert.deepEqual(more, []);

  // What the examples fetch are modules whose constructors count.
  const constructors = '-Wl,--export-if-defined=__wasm_call_ctors';
  prepare('common', join('load-time', 'common.c'), constructors);
  for (const [i, name] of ['a', 'plugin', 'other'].entries())
    prepare(name, join('load-time', 'plugin.c'), `-DSTEP=${100 * (i + 1)}`, constructors);
  prepare('alone', join('load-time', 'alone.c'), constructors);
  const { fetch } = globalThis;
  t.after(() => globalThis.fetch = fetch);
  const follow = (name, example, moduleOf) => {
    globalThis.fetch = async file => new Response(prepared[moduleOf(file.replace('.wasm', ''))]);
    writeFileSync(join(at, `${name}.mjs`), example);
    return import(pathToFileURL(join(at, `${name}.mjs`)));
  };

  for (const name of ['common', 'a']) writeFileSync(join(at, `${name}.wasm`), prepared.alone);
  writeFileSync(join(at, 'short.mjs'), short); // of Node
  run(process.execPath, ['short.mjs'], { cwd: at });
  const { common, a, plugin } = await follow('alone', `${alone}export { common, a, plugin };`, () => 'alone');
  for (const { next } of [common, a, plugin])
    assert.deepEqual([next(), next(), next()], [101, 102, 103]);

  const { loadLater, imports, table, now } = await follow('shared',
    `${shared}const now = () => layout; export { imports, table, now };`, name => name);
  const { tableSize } = now();
  const added = [imports.a, await loadLater('plugin'), await loadLater('other')];
  assert.deepEqual(added.map(({ run }) => run(3)), [103, 203, 303]);
  assert.deepEqual(added.map(({ run }) => run(4)), [104, 204, 304]);
  assert.equal(now().modules.length, 4);
  assert.ok(now().tableSize > tableSize && table.length === now().tableSize);
});

// ------------------------------------------------------------------------------------------------------------- fuzzed

function randomNumbers(seed) {
  let state = seed;
  return below => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

// Makes the digest right again, as docs/prepared-format.md defines it.
function seal(bytes) {
  const start = Buffer.from(bytes.buffer).lastIndexOf('\twasmshare') + 10;
  let covered = 0, shift = 0, at = start + 9;
  do covered |= (bytes[at] & 127) << shift, shift += 7; while (bytes[at++] & 128);
  const view = new DataView(bytes.buffer);
  let sum = 0n, factor = 1n;
  for (const [from, until] of [[0, covered], [start + 9, bytes.length]]) {
    if (until > bytes.length || until - from < 8) return bytes;
    for (let i = from; i < until; i += 8, factor += 2n) sum += view.getBigUint64(Math.min(i, until - 8), true) * factor;
  }
  view.setBigUint64(start + 1, sum, true);
  return bytes;
}

test('the digest is the one of the documentation', () => {
  for (const module of Object.values(prepared))
    assert.equal(Buffer.compare(seal(Uint8Array.from(module)), module), 0);
});

for (const [name, module] of Object.entries(prepared)) {
  test(`a mutated module is refused, or gives a valid one: ${name}`, async () => {
    const random = randomNumbers(1);
    const section = module.lastIndexOf('\twasmshare');
    let refused = 0, placed = 0;
    for (let i = 0; i < 600; ++i) {
      let mutated = Uint8Array.from(module);
      for (let changes = 1 + random(3); changes > 0; --changes)
        mutated[i % 2 ? random(module.length) : section + random(module.length - section)] = random(256);
      const sealed = i % 3 === 0;
      if (sealed && mutated[section] === 9) seal(mutated);
      if (random(10) === 0) mutated = mutated.slice(0, random(module.length));
      try {
        const options = i % 4 === 0 ? { stack: 'shared', table: 'shared' } : {};
        const { modules } = i % 5 === 0 ? { modules: [await relocate(mutated, 0x10000)] } :
          await combine([mutated, module], random(100), options);
        // With a digest that is right, nothing says that the pointers are not where they are said to be.
        if (!sealed && WebAssembly.validate(mutated)) assert.ok(WebAssembly.validate(modules[0]));
        assert.ok(modules[0].length <= module.length + 200);
        ++placed;
      } catch (error) {
        if (!(error instanceof WasmShareError)) throw error;
        ++refused;
      }
    }
    assert.ok(refused >= 100 && placed >= 1, `${refused} refused, ${placed} placed`);
  });
}
