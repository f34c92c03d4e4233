// Allocators of every kind in one memory: each set of modules is right, or refused in a line that says why.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { Worker } from 'node:worker_threads';
import * as prepared from '../../js/index.js';
import { run, scratchDirectory, tool } from '../node/tools.mjs';
import { random } from './hammer.mjs';
import { combine, hammer, kinds, loaders, make, open, openPrepared } from './programs.mjs';

// Those that use what memory.grow returns, and no more than their share of what there is at first, can be together.
const together = ['library', 'rust', 'rust_wasi', 'steps', 'classes', 'segments', 'bounded', 'arena'];
// Those that take for theirs what is grown next, whoever does it, cannot be with any that grows the memory.
const alone = ['sbrk', 'doubles'];

function* subsets(list, size, from = 0) {
  if (size === 0)
    yield [];
  for (let i = from; size > 0 && i < list.length; i++)
    for (const rest of subsets(list, size - 1, i + 1))
      yield [list[i], ...rest];
}

function* permutations(list) {
  if (list.length === 0)
    yield [];
  for (const [i, item] of list.entries())
    for (const rest of permutations(list.toSpliced ? list.toSpliced(i, 1) : list.filter((_, k) => k !== i)))
      yield [item, ...rest];
}

let programs = 0; // a directory for each

const program = (list, ...flags) => Object.fromEntries(list.map(kind => [kind, make(kind, ...flags)]));

async function works(modules, { orders = [Object.keys(modules)], options = [], steps = 600 } = {}) {
  const { layout, refused } = await combine(modules, scratchDirectory(`${programs++}`), ...options);
  assert.equal(refused, undefined);
  for (const [seed, order] of orders.entries()) {
    const opened = await open(layout, modules);
    const { length } = Buffer.from(opened.memory.buffer);
    const done = hammer(opened, { order, seed, steps });
    assert.ok(done.taken > steps / 4);
    if (Object.values(modules).some(({ fixed }) => !fixed))
      assert.ok(opened.memory.buffer.byteLength >= length + (100 << 16), 'the memory should have grown');
    done.finish();
    done.run(100);
  }
  return layout;
}

for (const kind of Object.keys(kinds).filter(kind => !['borrows', 'reads'].includes(kind)))
  test(`${kind}, alone`, async () => {
    await works(program([kind]), { steps: 4000 });
  });

for (const size of [2, 3, 4]) {
  test(`any ${size} that use what memory.grow returns, in any order`, async t => {
    const pick = random(size);
    for (const list of subsets(together, size)) {
      const all = [...permutations(list)];
      // Which is first in the memory, and which allocates first
      const places = size === 2 ? all : [all[pick(all.length)]];
      for (const places_ of places)
        await t.test(places_.join(', '), () => works(program(places_), {
          orders: size === 2 ? all : [all[pick(all.length)], all[pick(all.length)]], steps: size === 2 ? 1000 : 500,
        }));
    }
  });
}

for (const kind of alone) {
  test(`${kind} with those that grow the memory is refused, or works`, async t => {
    for (const size of [1, 2, 3])
      for (const others of subsets([...together.filter(other => other !== 'arena'), ...alone.filter(other => other !== kind)], size)) {
        const list = [kind, ...others];
        for (const order of size === 1 ? permutations(list) : [list, list.slice().reverse()]) {
          const modules = program(order);
          const { layout, refused, named } = await combine(modules, scratchDirectory('refused'));
          if (refused)
            assert.equal(named, 2, refused);
          else
            hammer(await open(layout, modules)).finish();
        }
      }
  });

  test(`${kind} with those that take no memory works`, async () => {
    await works(program([kind, 'reads']));
    await works(program(['reads', kind]));
  });
}

test('sbrk with a heap of fixed size, though the function that asks for the size of the memory is short', async () => {
  const modules = { sbrk: { ...make('sbrk', '-DAPART'), fixed: true }, steps: make('steps') };
  await works(modules, { options: ['--heap-size', '1M'], orders: [['sbrk', 'steps'], ['steps', 'sbrk']] });
});

test('several of one kind', async t => {
  for (const kind of together)
    await t.test(kind, async t => {
      const module = make(kind);
      await works({ a: module, b: module, c: module }, { orders: [['c', 'a', 'b'], ['a', 'b', 'c']] });
    });
});

const withHeader = [['bounded', 'header'], ['library', 'steps', 'header'], ['header', 'arena', 'claims']];
test('who puts a header where its heap begins has room for it', async t => {
  for (const list of withHeader)
    await t.test(`${list}`, async () => {
      const layout = await works(program(list), { orders: [list, list.slice().reverse()] });
      const { heapBase, heapEnd } = layout.modules.find(({ name }) => name === 'header');
      assert.ok(heapEnd - heapBase > 1000);
      await works(program(list), { options: ['--link'] });
    });
});

test('one program: a module with two allocators, of which one is that of another module', async () => {
  const list = ['library', 'two'], modules = program(list), fixed = { ...modules, two: { ...modules.two, fixed: true } };
  for (const order of permutations(list)) {
    const inOrder = of => Object.fromEntries(order.map(name => [name, of[name]]));
    const { refused, named } = await combine(inOrder(modules), scratchDirectory('two'), '--link');
    assert.match(refused, /two[.]wasm: its heap/);
    assert.equal(named, 2);
    if (order[0] === 'library')
      await works(inOrder(fixed), { options: ['--link', '--heap-size', '1M'], orders: [list] });
    else // works on the malloc of the other, which would have a fixed size, too
      assert.ok((await combine(inOrder(modules), scratchDirectory('two'), '--link', '--heap-size', '1M')).refused);
  }
});

test('constructors allocate', async t => {
  const early = kind => make(kind, '-DAT_START');
  for (const list of [['library', 'steps'], ['steps', 'library'], ['bounded', 'library', 'segments'], ['claims', 'library', 'classes']])
    await works(Object.fromEntries(list.map(kind => [kind, early(kind)])));
});

test('modules that use the allocator of another', async t => {
  for (const owner of ['exported']) {
    const modules = { user: make('borrows'), owner: make(owner), other: make('borrows'), steps: make('steps') };
    await works(modules, { orders: [['steps', 'user', 'owner', 'other'], ['user', 'steps', 'other', 'owner']] });
  }
});

test('an initial heap that a module was linked with is there', async t => {
  for (const list of [['steps', 'arena'], ['arena', 'library'], ['library', 'arena', 'bounded']]) {
    const modules = program(list), { layout } = await combine(modules, scratchDirectory('initial', ...list));
    const { workers } = await open(layout, modules);
    assert.ok(workers.arena.exports.room() >= 1 << 20, `${workers.arena.exports.room()} bytes with ${list}`);
  }
});

test('modules that load() brings when the others have allocated', async t => {
  for (const list of [...subsets(together.filter(kind => kind !== 'arena'), 2), ...subsets(['library', 'rust', 'bounded', 'segments'], 3)])
    for (const late of list)
      await t.test(`${list}, ${late} later`, async () => {
        const modules = program(list), { layout, refused } = await combine(modules, scratchDirectory('late', ...list));
        assert.equal(refused, undefined);
        const opened = await open(layout, modules, { now: list.filter(name => name !== late) });
        const done = hammer(opened, { steps: 300 });
        await opened.load(late);
        done.checkAll();
        done.begin([late, ...list.filter(name => name !== late)]);
        done.run(400);
        done.finish();
      });
});

test('instantiating again on a memory that was used', async t => {
  for (const list of [['library'], ['rust', 'library'], ['bounded', 'library', 'steps'], ['claims', 'arena', 'segments']])
    await t.test(`${list}`, async () => {
      const modules = program(list), { layout, refused } = await combine(modules, scratchDirectory('again', ...list));
      assert.equal(refused, undefined);
      const first = await open(layout, modules);
      hammer(first, { steps: 300 }); // the blocks are still there, and nobody's
      const again = await open(layout, modules, { memory: first.memory });
      for (const { exports } of Object.values(again.workers))
        assert.equal(exports.intact(), 1);
      hammer(again, { order: list.slice().reverse(), steps: 600, seed: 2 }).finish();
    });
});

test('a host that grows the memory', async t => {
  for (const list of [['library'], ['bounded', 'library'], ['claims', 'rust']]) {
    const modules = program(list), { layout } = await combine(modules, scratchDirectory('host', ...list));
    const opened = await open(layout, modules);
    const from = opened.memory.grow(3) << 16;
    new Uint8Array(opened.memory.buffer, from, 3 << 16).fill(0x5a);
    opened.ranges.push([from, from + (3 << 16), 'the host\'s pages']);
    const done = hammer(opened, { steps: 600 });
    assert.ok(new Uint8Array(opened.memory.buffer, from, 3 << 16).every(byte => byte === 0x5a));
    done.finish();
  }
});

test('threads, each with an allocator of its own, grow one memory at the same time', async () => {
  const flags = ['-pthread', '-mbulk-memory', '-Wl,--shared-memory,--max-memory=1073741824'];
  const list = ['steps', 'bounded', 'segments', 'classes'];
  const { layout, refused } = await combine(program(list, ...flags), scratchDirectory('threads'), '--stack', 'shared', '--threads',
    `${list.length}`);
  assert.equal(refused, undefined);
  const { memory, startThread } = await layout.instantiate();
  const done = await Promise.all(list.map((name, seed) => new Promise((resolve, reject) => {
    const worker = new Worker(new URL('thread.mjs', import.meta.url),
      { workerData: { layout: layout.modules[0].url.href.replace(/[^/]*$/, 'layout.mjs'), name, seed, thread: startThread() } });
    worker.on('message', resolve).on('error', reject);
  })));
  const blocks = done.flat().sort((a, b) => a.at - b.at);
  assert.ok(blocks.length > 100 && memory.buffer.byteLength > 200 << 16);
  for (const [i, { at, size, fill }] of blocks.entries()) {
    assert.ok(i === 0 || blocks[i - 1].at + blocks[i - 1].size <= at, 'two blocks overlap');
    assert.ok(new Uint8Array(memory.buffer, at, size).every(byte => byte === fill));
  }
});

// ------------------------------------------------------------------------------------------------- prepared modules

test('who puts a header where its heap begins has room for it, wherever it is loaded', async () => {
  const directory = scratchDirectory('base'), bytes = name => readFileSync(join(directory, `${name}.wasm`));
  run(tool('WASMSHARE'), ['prepare', '-o', directory, ...Object.entries(program(['steps', 'header'])).map(([name, { file }]) => `${name}=${file}`)]);
  const { layout } = await prepared.combine([bytes('steps')]);
  const memory = new WebAssembly.Memory({ initial: layout.pages, maximum: 65536 }), base = memory.grow(2) << 16;
  const { layout: { modules: [, header] } } = await prepared.load(layout, bytes('header'), { memory, base });
  assert.equal(header.memoryBase, base);
  assert.ok(header.heapBase >= base + (2 << 16) && header.heapEnd - header.heapBase > 1000);
  assert.equal(header.heapEnd, memory.buffer.byteLength);
});

for (const [by, loader] of Object.entries(loaders)) {
  test(`prepared modules, placed by ${by}`, async t => {
    const pick = random(7);
    for (const size of [1, 2, 3])
      for (const list of subsets(together, size)) {
        const all = [...permutations(list)], order = all[pick(all.length)];
        await t.test(`${order}`, async () => {
          const opened = await openPrepared(program(order), scratchDirectory('prepared', ...order), { loader });
          hammer(opened, { order: all[pick(all.length)], steps: 400 }).finish();
        });
      }
  });

  test(`prepared modules, of which one puts a header where its heap begins, placed by ${by}`, async () => {
    for (const list of withHeader)
      for (const late of [[], ['header']]) {
        const opened = await openPrepared(program(list), scratchDirectory('header', ...list, ...late), { late, loader });
        for (const name of late)
          await opened.load(name);
        hammer(opened, { steps: 400 }).finish();
      }
  });

  test(`prepared modules that ${by} loads later`, async t => {
    for (const list of subsets(together.filter(kind => kind !== 'arena'), 2))
      for (const order of permutations(list))
        await t.test(`${order}`, async () => {
          const opened = await openPrepared(program(order), scratchDirectory('late', ...order), { late: [order[1]], loader });
          const done = hammer(opened, { steps: 300 });
          await opened.load(order[1]);
          done.checkAll();
          done.begin([order[1], order[0]]);
          done.run(400);
          done.finish();
        });
  });

  for (const kind of alone)
    test(`prepared modules: ${by} refuses ${kind} with those that grow the memory`, async t => {
      for (const other of together.filter(other => other !== 'arena'))
        for (const order of permutations([kind, other])) {
          const files = scratchDirectory('prepared-refused');
          await assert.rejects(openPrepared(program(order), files, { loader }), { code: 'heap' });
          const opened = await openPrepared(program(order), scratchDirectory('prepared-refused'), { late: [order[1]], loader });
          await assert.rejects(opened.load(order[1]), { code: 'heap' });
        }
      for (const order of permutations([kind, 'arena'])) {
        hammer(await openPrepared(program(order), scratchDirectory('prepared-refused'), { loader }), { order }).finish();
        const opened = await openPrepared(program([kind, 'arena']), scratchDirectory('prepared-refused'), { late: ['arena'], loader });
        await assert.rejects(opened.load('arena'), { code: 'heap' });
      }
    });
}
