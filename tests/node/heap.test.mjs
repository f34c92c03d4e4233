// One heap: what one module allocates, another may resize and free. Modules in C, C++ and Rust do so at random, on the
// allocator of one of them, and every byte of every block is what was put there last.

import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { WASI } from 'node:wasi';
import { cargoBuild, combine, liesInside, linkFreestanding, linkReactor, projectDirectory, run, scratchDirectory,
  stringAt, testsDirectory, tool } from './tools.mjs';

const inputs = scratchDirectory('inputs');
const sources = join(testsDirectory, 'node', 'modules', 'heap');
const output = name => join(inputs, `${name}.wasm`);

const cOwner = linkReactor('CLANG', output('c-owner'), join(sources, 'c.c'),
  ...['malloc', 'calloc', 'realloc', 'aligned_alloc', 'free'].map(name => `-Wl,--export=${name}`));
const c = linkFreestanding('heap/c.c', output('c'), '-Wl,--allow-undefined');

// As the documentation says.
const [, interposed] = /```c\n(.*?)```/s.exec(readFileSync(join(projectDirectory, 'docs', 'sharing.md'), 'utf8'));
writeFileSync(join(inputs, 'malloc.c'), interposed);
run(tool('CLANG'), ['--target=wasm32-wasi', '-Wno-deprecated', '-O2', '-Wall', '-Wextra', '-Werror', '-c',
  join(inputs, 'malloc.c'), '-o', join(inputs, 'malloc.o')]);
const cpp = linkReactor('CLANGXX', output('cpp'), '-fno-exceptions', join(sources, 'cpp.cpp'),
  join(inputs, 'malloc.o'));

const grower = linkFreestanding('heap/grower.c', output('grower'));

const built = cargoBuild(join(testsDirectory, 'node', 'modules', 'rust-heap'));
const rust = join(built, 'heap_user.wasm');
const rustOwner = join(built, 'heap_owner.wasm');

// Modules by name, the owner first.
const programs = {
  'C\'s malloc': { modules: { owner: cOwner, rust, cpp }, options: ['--heap-owner', 'owner'] },
  'C\'s malloc, one stack and one table': {
    modules: { owner: cOwner, rust, cpp, c }, options: ['--heap-owner', 'owner', '--stack=shared', '--table=shared'] },
  'Rust\'s allocator': { modules: { owner: rustOwner, rust, cpp, c }, options: [] },
};

async function start(name, ...more) {
  const { modules, options } = programs[name];
  const directory = scratchDirectory(name.replace(/\W+/g, '-'), ...more.map(option => option.replace(/\W+/g, '')));
  const layout = await combine(directory, Object.entries(modules).map(entry => entry.join('=')), ...options, ...more);
  run(tool('WASMSHARE'), ['verify', directory]);
  const wasi = new WASI({ version: 'preview1' });
  const { instances, memory } = await layout.instantiate({ wasi_snapshot_preview1: wasi.wasiImport });
  wasi.initialize({ exports: { memory } });
  const found = { layout, memory };
  for (const [name, { exports }] of Object.entries(instances))
    found[name] = exports;
  return found;
}

const names = modules => Object.keys(modules).filter(name => name !== 'layout' && name !== 'memory');

// A seeded generator of numbers below a limit (mulberry32).
function random(seed) {
  return limit => {
    seed = seed + 0x6d2b79f5 | 0;
    let mixed = Math.imul(seed ^ seed >>> 15, 1 | seed);
    mixed = mixed + Math.imul(mixed ^ mixed >>> 7, 61 | mixed) ^ mixed;
    return Math.floor(((mixed ^ mixed >>> 14) >>> 0) / 2 ** 32 * limit);
  };
}

class Hammer {
  constructor(modules, seed) {
    this.modules = modules;
    this.workers = names(modules).map(name => modules[name]);
    this.random = random(seed);
    this.blocks = [];
    this.pages = [];
    this.counts = { take: 0, give: 0, resize: 0, grow: 0, across: 0 };
  }

  pick(list) {
    return list[this.random(list.length)];
  }

  // Mostly small, sometimes more than a page.
  size() {
    const largest = this.pick([8, 16, 64, 64, 256, 256, 1024, 4096, 4096, 200_000]);
    return 1 + this.random(largest);
  }

  align() {
    return 1 << this.pick([0, 0, 1, 2, 3, 3, 3, 4, 4, 5, 6, 8, 12]);
  }

  // Others' blocks and modules are somewhere else.
  claim(worker, address, size, align) {
    const { memory, layout } = this.modules;
    const end = address + size;
    assert.ok(address > 0 && address % align === 0, `${size} bytes, aligned to ${align}, at ${address}`);
    assert.ok(end <= memory.buffer.byteLength);
    assert.ok(layout.modules.every(module => !liesInside(address, module) && !liesInside(end - 1, module)));
    assert.ok(layout.stackLow === null || address >= layout.stackPointer);
    for (const other of [...this.blocks, ...this.pages])
      assert.ok(end <= other.address || other.address + other.size <= address, 'two blocks overlap');
    const seed = this.random(2 ** 32);
    worker.fill(address, size, seed);
    return { worker, address, size, align, seed };
  }

  check({ address, size, seed }) {
    assert.equal(this.pick(this.workers).wrong(address, size, seed, address), 0);
  }

  take() {
    const worker = this.pick(this.workers), size = this.size(), align = this.align();
    this.blocks.push(this.claim(worker, worker.take(size, align) >>> 0, size, align));
    this.counts.take++;
  }

  remove() {
    const index = this.random(this.blocks.length);
    const [block] = this.blocks.splice(index, 1, this.blocks.at(-1));
    this.blocks.pop();
    this.check(block);
    const worker = this.pick(this.workers);
    this.counts.across += worker !== block.worker;
    return { block, worker };
  }

  give() {
    const { block, worker } = this.remove();
    worker.give(block.address, block.align);
    this.counts.give++;
  }

  resize() {
    const { block, worker } = this.remove();
    const size = this.size();
    const address = worker.resize(block.address, block.size, block.align, size) >>> 0;
    const wrong = this.pick(this.workers).wrong(address, Math.min(size, block.size), block.seed, block.address);
    assert.equal(wrong, 0, 'a resized block has changed');
    this.blocks.push(this.claim(worker, address, size, block.align));
    this.counts.resize++;
  }

  grow() {
    const worker = this.pick(this.workers), pages = 1 + this.random(3);
    this.pages.push(this.claim(worker, worker.grow(pages) >>> 0, pages * 65536, 65536));
    this.counts.grow++;
  }

  // Around 300 blocks at a time, sometimes many fewer.
  run(operations, growths) {
    for (let i = 0; i < operations; i++) {
      const wanted = i % 5000 > 4000 ? 20 : 300;
      if (this.counts.grow < growths && this.random(operations) < 2 * growths)
        this.grow();
      else if (this.blocks.length > 0 && this.random(3) === 0)
        this.resize();
      else if (this.random(2 * wanted) < this.blocks.length)
        this.give();
      else
        this.take();
      if (i % 1000 === 0)
        [...this.blocks, ...this.pages].forEach(block => this.check(block));
    }
  }

  finish() {
    while (this.blocks.length > 0)
      this.give();
    this.pages.forEach(block => this.check(block));
  }
}

for (const name of Object.keys(programs)) {
  test(`modules in C, C++ and Rust on ${name}`, async t => {
    const modules = await start(name);
    const { memory, owner, rust, cpp } = modules;

    await t.test('take, resize and give back each other\'s blocks, and no byte changes', () => {
      const before = memory.buffer.byteLength;
      const hammer = new Hammer(modules, 1);
      hammer.run(40_000, 30);
      hammer.finish();
      assert.ok(memory.buffer.byteLength > before + 2 ** 20, 'the memory should have grown');
      assert.equal(hammer.counts.grow, 30);
      assert.ok(hammer.counts.across > 10_000, JSON.stringify(hammer.counts));
      assert.ok(hammer.counts.resize > 10_000);
    });

    await t.test('leave nothing behind: the same again finds room in what was given back', () => {
      const before = memory.buffer.byteLength;
      for (let seed = 2; seed < 5; seed++) {
        const hammer = new Hammer(modules, seed);
        hammer.run(10_000, 0);
        hammer.finish();
      }
      assert.ok(memory.buffer.byteLength <= before + 2 ** 20, `grew by ${memory.buffer.byteLength - before}`);
    });

    await t.test('pass on objects: what C++ has allocated grows as a String in Rust, and is freed by the owner', () => {
      const used = memory.buffer.byteLength;
      for (let i = 0; i < 2000; i++) {
        const text = rust.extend(cpp.sentence(1000), 1000);
        if (i === 0) {
          const count = word => Array.from({ length: 1000 }, (_, i) => `${word} ${i} `).join('');
          assert.equal(stringAt(memory, text), count('word') + count('and'));
        }
        owner.give(text, 1);
      }
      assert.ok(memory.buffer.byteLength <= used + 2 ** 20);
    });

    await t.test('may ask for nothing', () => {
      for (const asking of [owner, cpp]) {
        const blocks = [asking.take(0, 1), asking.take(0, 64)];
        blocks.forEach(block => owner.give(block, 1));
      }
      owner.free(0);
      owner.free(owner.realloc(0, 10));
    });
  });
}

test('an owner in Rust exports the functions of C\'s that the others import', async () => {
  const { owner, memory } = await start('Rust\'s allocator');
  const cleared = owner.calloc(300, 7);
  assert.ok(new Uint8Array(memory.buffer, cleared, 2100).every(byte => byte === 0));
  assert.equal(owner.calloc(0x10000, 0x10001), 0);
  assert.equal(owner.aligned_alloc(24, 8), 0);
  assert.equal(owner.malloc(-1), 0);
  assert.equal(cleared % 16, 0);
  owner.free(cleared);
});

for (const name of Object.keys(programs)) {
  test(`without memory left, every module is told so, on ${name}`, async () => {
    const modules = await start(name, '--max-memory', '16M');
    const workers = names(modules).map(name => modules[name]);
    const taken = workers.map(() => []);
    for (let size = 4 * 2 ** 20; size >= 64; size /= 4) {
      let refused = 0;
      for (let i = 0; refused < workers.length; i = (i + 1) % workers.length) {
        const align = [1, 8, 16, 64][(size + i) % 4];
        const block = workers[i].take(size, align) >>> 0;
        if (block === 0)
          refused++;
        else
          taken[i].push({ block, align });
      }
    }
    assert.equal(modules.memory.buffer.byteLength, 16 * 2 ** 20);
    // What cannot grow stays.
    const { block, align } = taken[0][0];
    workers[0].fill(block, 1000, 7);
    for (const worker of workers) {
      assert.equal(worker.resize(block, 4 * 2 ** 20, align, 2 ** 24), 0);
      assert.equal(worker.wrong(block, 1000, 7, block), 0);
    }
    // Each gives back the next one's, and there is room again for everyone.
    taken.forEach((blocks, i) => {
      const other = workers[(i + 1) % workers.length];
      blocks.forEach(({ block, align }) => other.give(block, align));
    });
    for (const worker of workers) {
      const block = worker.take(4 * 2 ** 20, 8);
      assert.notEqual(block, 0);
      worker.give(block, 8);
    }
  });
}

test('a C library has taken its heap before another module asks for pages', async () => {
  const directory = scratchDirectory('first');
  const { instantiate } = await combine(directory, [`owner=${cOwner}`, `grower=${grower}`]);
  const wasi = new WASI({ version: 'preview1' });
  const { instances: { owner, grower: { exports } }, memory } =
    await instantiate({ wasi_snapshot_preview1: wasi.wasiImport });
  exports.keep();
  for (let i = 0; i < 20; ++i) {
    const size = 50000, block = owner.exports.malloc(size);
    new Uint8Array(memory.buffer, block, size).fill(0xcc);
  }
  assert.equal(exports.lost(), 0);
});
