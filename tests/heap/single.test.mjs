// Allocators of every kind in one module: each set is right, or refused in a line that says why, as in heaps.test.mjs.

import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { run, scratchDirectory, tool } from '../node/tools.mjs';
import { decode } from '../oracle/wasm.mjs';
import { combineSingle, hammer, make } from './programs.mjs';

const directory = scratchDirectory('single');
let files = 0;

// Modules by name: each is of the kind of its name, but for what comes after a '-'. One of them says where the data ends.
function program(names, ...flags) {
  const first = names.find(name => !name.startsWith('rust'));
  return Object.fromEntries(names.map(name => [name, make(name.split('-')[0],
    ...name.startsWith('rust') ? [] : [`-DPREFIX="${name}_"`, ...name === first ? ['-Wl,--export=__data_end'] : [], ...flags])]));
}

const merge = (modules, options, imports) => combineSingle(modules, join(directory, `${files++}.wasm`), { options, imports });

function works(modules, { options = [], orders = [Object.keys(modules)], steps = 800, imports } = {}) {
  let merged;
  for (const [seed, order] of orders.entries()) {
    merged = merge(modules, options, imports);
    assert.equal(merged.refused, undefined);
    const { length } = Buffer.from(merged.memory.buffer);
    const done = hammer(merged, { order, seed, steps });
    assert.ok(done.taken > steps / 4);
    if (Object.values(modules).some(({ fixed }) => !fixed))
      assert.ok(merged.memory.buffer.byteLength >= length + (100 << 16), 'the memory should have grown');
    done.finish();
  }
  return merged;
}

const both = ([a, b]) => [[a, b], [b, a]];
const fixed = ({ file }) => ({ file, fixed: true });
const namesOf = ({ bytes }) => [...decode(bytes).names.get(1).values()];
const viewsOf = merged => namesOf(merged).filter(name => name === '__wasmshare_memory_size').length;

const growers = ['rust', 'steps', 'classes', 'segments', 'bounded'];
for (const kind of ['claims', 'library', 'rust_wasi', 'bounded', 'arena'])
  test(`${kind} with one that grows the memory, in any order`, async t => {
    for (const grower of growers.filter(other => other !== kind && `${other}_wasi` !== kind)) // both Rusts export one set of names
      for (const places of both([kind, grower]))
        await t.test(places.join(', '), () => {
          const merged = works(program(places), { orders: both(places) });
          assert.equal(viewsOf(merged), ['claims', 'library', 'rust_wasi'].includes(kind) ? 1 : 0);
        });
  });

test('three and four at a time', async t => {
  for (const list of [['claims', 'library', 'rust'], ['steps', 'claims', 'bounded'], ['arena', 'segments', 'library'], ['bounded', 'header', 'steps'],
    ['claims-a', 'claims-b', 'claims-c'], ['bounded-a', 'bounded-b', 'steps'], ['rust', 'bounded', 'claims', 'library'], ['rust_wasi', 'steps', 'library']])
    await t.test(list.join(', '), () => {
      works(program(list), { orders: [list.toReversed?.() ?? list.slice().reverse(), list] });
    });
});

for (const kind of ['sbrk', 'doubles']) {
  test(`${kind} with those that take memory is refused, or works`, async t => {
    for (const other of [...growers, 'claims', 'library', 'arena', kind === 'sbrk' ? 'doubles' : 'sbrk'])
      for (const places of both([kind, other]))
        await t.test(places.join(', '), () => {
          const modules = program(places), merged = merge(modules);
          if (merged.refused)
            assert.equal(merged.named, 2, merged.refused);
          else
            hammer(merged).finish();
          assert.equal(Boolean(merged.refused), other !== 'arena');
        });
  });

  test(`${kind} by itself, and with one that takes no memory`, () => {
    assert.equal(viewsOf(works(program([kind]))), 0);
    works(program([kind, 'reads']));
    works(program(['reads', kind]));
  });
}

test('sbrk with a heap of fixed size', async t => {
  for (const other of [...growers, 'claims', 'library'])
    for (const places of both(['sbrk', other]))
      await t.test(places.join(', '), () => {
        const modules = program(places), bounded = { ...modules, sbrk: fixed(modules.sbrk) };
        const merged = works(bounded, { options: ['--heap-size', '512K'], orders: both(places) });
        let size = 0;
        while (merged.workers.sbrk.exports.take(1000))
          size += 1000;
        assert.ok(size > 0 && size < 512 << 10, `${size} bytes`);
      });
});

test('one C library in several modules has one heap, which is told the truth if nobody else grows the memory', async t => {
  const list = ['library-a', 'library-b', 'library-c'];
  for (const [more, views] of [[[], 0], [['steps'], 1], [['claims'], 2]])
    await t.test([...list, ...more].join(', '), () => {
      const names = [...more, ...list], merged = works(program(names), { orders: [names, list.concat(more)] });
      assert.equal(viewsOf(merged), views);
      assert.equal(namesOf(merged).filter(name => name === 'dlmalloc').length, 1);
      const { exports: [a, b] } = { exports: list.map(name => merged.workers[name].exports) };
      b.give(a.take(100)); // what one has allocated, another may free
    });
});

test('an allocator on the C library\'s sbrk, beside that of the C library in another module, has an sbrk of its own', async t => {
  for (const places of both(['morecore', 'library']))
    await t.test(places.join(', '), () => {
      const modules = program(places);
      assert.equal(merge(modules).named, 2);
      const merged = works({ ...modules, morecore: fixed(modules.morecore) }, { options: ['--heap-size', '1M'], orders: both(places) });
      assert.equal(namesOf(merged).filter(name => name === 'sbrk').length, 2);
    });
});

test('a module with two allocators, of which one is that of another module, is refused', async t => {
  for (const places of both(['two', 'library']))
    for (const options of [[], ['--heap-size', '1M']])
      await t.test(`${places} ${options}`, () => {
        const { refused, named, ...merged } = merge(program(places), options);
        if (refused)
          assert.equal(named, 2, refused);
        else // as it has a heap of fixed size
          hammer({ ...merged, workers: { ...merged.workers, two: { ...merged.workers.two, fixed: true } } }).finish();
        assert.ok(refused || options[0] === '--heap-size');
      });
});

test('an allocator alone stays as it was linked', () => {
  for (const kind of ['claims', 'library'])
    assert.equal(viewsOf(works(program([kind]))), 0);
  assert.equal(viewsOf(works(program(['claims', 'reads']))), 0);
});

test('what is vouched for, and who has the initial heap', () => {
  const doubtful = program(['sbrk', 'steps']);
  assert.equal(merge(doubtful, ['--heap', 'sbrk=bounded']).refused, undefined);
  assert.match(merge(program(['steps', 'claims']), ['--heap', 'claims=contiguous']).refused, /--heap claims=CLASS/);
  const list = ['bounded-a', 'bounded-b', 'claims'];
  for (const owner of list) {
    const merged = works(program(list), { options: ['--heap-owner', owner, '--heap-size', '1M'] });
    const again = merge(program(list), ['--heap-owner', owner, '--heap-size', '1M']);
    const { length } = Buffer.from(again.memory.buffer);
    const at = again.workers[owner].exports.take(500_000) >>> 0;
    assert.ok(at > 0 && at + 500_000 <= length, `${owner} has no 500,000 bytes of the first ${length}`);
    assert.equal(again.memory.buffer.byteLength, length);
    assert.ok(merged.memory.buffer.byteLength > length);
  }
});

test('constructors allocate', () => {
  for (const list of [['library', 'steps'], ['steps', 'claims'], ['claims', 'library', 'bounded']])
    works(program(list, '-DAT_START'));
});

test('a memory of the host\'s, which may be larger', () => {
  for (const initial of [20, 200]) {
    const memory = new WebAssembly.Memory({ initial });
    const merged = merge(program(['steps', 'claims', 'library']), ['--import-memory'], { env: { memory } });
    assert.equal(merged.refused, undefined);
    hammer(merged).finish();
  }
});

test('with more imports than a call of one byte can go beyond', () => {
  const count = 200, numbers = [...Array(count).keys()], source = join(directory, 'many.c');
  writeFileSync(source, `#include "claims.c"
${numbers.map(i => `__attribute__((import_module("env"), import_name("f${i}"))) int f${i}(void);`).join('\n')}
int EXPORT(sum)(void) { return ${numbers.map(i => `f${i}()`).join(' + ')}; }
`);
  const file = join(directory, 'many.wasm');
  run(tool('CLANG'), ['--target=wasm32', '-ffreestanding', '-nostdlib', '-O2', '--no-wasm-opt', '-DPREFIX="many_"',
    `-I${join(import.meta.dirname ?? new URL('.', import.meta.url).pathname, 'modules')}`,
    '-Wl,--no-entry,--import-memory,--emit-relocs,--export=__data_end', source, '-o', file]);
  const modules = { many: { file }, steps: make('steps', '-DPREFIX="steps_"') };
  const env = Object.fromEntries(numbers.map(i => [`f${i}`, () => i]));
  const merged = works(modules, { options: ['--host-imports', 'env'], orders: both(['many', 'steps']), imports: { env } });
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(merged.bytes), { env });
  assert.equal(exports.many_sum(), count * (count - 1) / 2);
});

test('64-bit memories, whose sizes are 64-bit numbers', () => { // Node 20 cannot run them
  const file = join(directory, 'wide.wasm'), modules = program(['claims', 'steps'], '--target=wasm64');
  run(tool('WASMSHARE'), ['combine', '--single', file, ...Object.entries(modules).map(([name, { file: input }]) => `${name}=${input}`)]);
  const merged = decode(readFileSync(file)), I64 = 0x7e;
  const types = ['size', 'grow'].map(what => {
    const [index] = [...merged.names.get(1)].find(([, name]) => name === `__wasmshare_memory_${what}`);
    return merged.types[merged.functions[index - merged.imports.filter(({ kind }) => kind === 0).length]];
  });
  assert.deepEqual(types, [{ parameters: [], results: [I64] }, { parameters: [I64], results: [I64] }]);
});
