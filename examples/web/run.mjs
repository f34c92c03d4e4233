// Runs the three modules: C++ makes shapes, C keeps them, Rust moves them.

import { instantiate } from './layout.mjs';

export const compiled = {};
export const { memory, table, instances } = await instantiate({}, {
  // as it does by itself, but what is compiled also says what its functions are called
  compile: async ({ name, url }) => (compiled[name] = await WebAssembly.compileStreaming(fetch(url))),
});
export const { world, shapes, motion } = Object.fromEntries(
  Object.entries(instances).map(([name, { exports }]) => [name, exports]));

export let bytes, words, floats; // the memory
export function view() { // again after whatever may let the memory grow
  if (bytes?.buffer !== memory.buffer)
    [bytes, words, floats] = [Uint8Array, Uint32Array, Float32Array].map(Kind => new Kind(memory.buffer));
}
view();
export const word = address => words[address / 4];

// The C module's variables
export const list = world.shapes.value;
export const count = () => word(world.shape_count.value);
export const shapeAt = index => word(list + 4 * index);
export const onBump = world.on_bump();
export function fitArena(width, height) {
  floats.set([width, height], world.arena.value / 4); // and Rust reads it
}

let made = 0;
export function add(x, y) {
  const [width, height] = floats.subarray(world.arena.value / 4);
  const i = made++;
  const speed = 40 + 30 * (i * 0.618 % 1);
  const size = 9 + 9 * (i * 0.414 % 1);
  // C++ makes the object, in the heap of C, which keeps it; from then on, Rust moves it.
  const shape = shapes.make(i % 3, x ?? size + (width - 2 * size) * (i * 0.618 % 1),
    y ?? size + (height - 2 * size) * (i * 0.755 % 1), speed * Math.cos(2.4 * i), speed * Math.sin(2.4 * i), size);
  if (!world.keep(shape))
    shapes.unmake(shape);
  step(0);
}

export function remove() {
  const shape = world.let_go();
  if (shape) {
    motion.forget(shape);
    shapes.unmake(shape);
  }
}

export function step(seconds) {
  motion.step(list, count(), seconds, onBump);
  motion.draw(list, count(), world.outlines.value);
  view();
}
