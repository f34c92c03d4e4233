// Modules with allocators of their own allocate at random in one memory. No block may be where another one is, or static
// data, or a stack; each keeps what was written to it; and who may grow the memory always gets what it asks for.

import assert from 'node:assert/strict';

const LARGEST = 4 << 20;
const patterns = Array.from({ length: 8 }, (_, i) => Buffer.alloc(LARGEST, 0x11 * (i + 1)));

// A seeded generator of numbers below a limit (mulberry32).
export function random(seed) {
  return limit => {
    seed = seed + 0x6d2b79f5 | 0;
    let mixed = Math.imul(seed ^ seed >>> 15, 1 | seed);
    mixed = mixed + Math.imul(mixed ^ mixed >>> 7, 61 | mixed) ^ mixed;
    return Math.floor(((mixed ^ mixed >>> 14) >>> 0) / 2 ** 32 * limit);
  };
}

export class Hammer {
  // `workers` by name: { exports, fixed }, which is true if it may say that there is no memory left. `ranges` are those
  // of the modules and stacks: [from, to, what].
  constructor(memory, workers, ranges, seed) {
    Object.assign(this, { memory, workers, ranges, random: random(seed), blocks: [], taken: 0, live: 0 });
  }

  pick(list) {
    return list[this.random(list.length)];
  }

  // Mostly small, sometimes more than a page, rarely megabytes.
  size() {
    const largest = this.pick([1, 16, 16, 64, 64, 64, 256, 256, 1024, 1024, 4096, 4096, 20_000, 100_000]);
    return 1 + this.random(this.random(200) === 0 && this.live < 24 << 20 ? LARGEST : largest);
  }

  what(name, size, at) {
    return `${size} bytes of ${name} at ${at}, after ${this.taken} blocks`;
  }

  claim(name, at, size) {
    const end = at + size, what = this.what(name, size, at);
    assert.ok(at % 8 === 0, what);
    assert.ok(end <= this.memory.buffer.byteLength, `${what} are not in memory`);
    for (const [from, to, whose] of this.ranges)
      assert.ok(end <= from || to <= at, `${what} are in ${whose}`);
    for (const other of this.blocks)
      assert.ok(end <= other.at || other.at + other.size <= at, `${what} are in ${this.what(other.name, other.size, other.at)}`);
    const block = { name, at, size, pattern: this.pick(patterns) };
    this.write(block);
    this.blocks.push(block);
    this.live += size;
    this.taken++;
  }

  write({ at, size, pattern }) {
    pattern.copy(Buffer.from(this.memory.buffer, at, size), 0, 0, size);
  }

  check({ name, at, size, pattern }, kept = size) {
    const same = Buffer.from(this.memory.buffer, at, kept).equals(pattern.subarray(0, kept));
    assert.ok(same, `${this.what(name, size, at)} are overwritten`);
  }

  checkAll() {
    this.blocks.forEach(block => this.check(block));
    for (const [name, { exports }] of Object.entries(this.workers))
      assert.equal(exports.intact(), 1, `static data of ${name} is overwritten, after ${this.taken} blocks`);
  }

  take(name, size) {
    const { exports, fixed } = this.workers[name];
    const at = exports.take(size) >>> 0;
    if (at !== 0)
      this.claim(name, at, size);
    else
      assert.ok(fixed, `${name} has no ${size} bytes left, in ${this.memory.buffer.byteLength >> 16} pages`);
    return at;
  }

  remove() {
    const index = this.random(this.blocks.length), block = this.blocks[index];
    this.blocks[index] = this.blocks.at(-1);
    this.blocks.pop();
    this.check(block);
    this.live -= block.size;
    return block;
  }

  give() {
    const { name, at } = this.remove();
    this.workers[name].exports.give(at);
  }

  resize() {
    const block = this.remove(), { exports, fixed } = this.workers[block.name];
    if (!exports.resize) {
      exports.give(block.at);
      return;
    }
    const size = this.size(), at = exports.resize(block.at, size) >>> 0;
    if (at === 0) {
      assert.ok(fixed, `${block.name} cannot resize a block to ${size} bytes`);
      exports.give(block.at);
      return;
    }
    this.check({ ...block, at, size }, Math.min(size, block.size));
    this.claim(block.name, at, size);
  }

  // Blocks come and go: up to `most` at a time, and sometimes few.
  run(steps, most = 250) {
    const names = Object.keys(this.workers);
    for (let i = 0; i < steps; i++) {
      const wanted = i % 1500 > 1200 ? 20 : most;
      if (this.blocks.length > 0 && this.random(8) === 0)
        this.resize();
      else if (this.random(2 * wanted) < this.blocks.length || (this.live > 64 << 20 && this.blocks.length > 0))
        this.give();
      else
        this.take(this.pick(names), this.size());
      if (i % 100 === 0)
        this.checkAll();
    }
    this.checkAll();
  }

  // Each first allocates in this order, then each a large block, one after another.
  begin(names) {
    for (const size of [24, LARGEST, 1, LARGEST])
      for (const name of names) {
        this.take(name, size);
        this.checkAll();
      }
  }

  finish() {
    this.checkAll();
    while (this.blocks.length > 0)
      this.give();
  }
}
