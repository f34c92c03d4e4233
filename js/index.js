// WasmShare at load time: gives modules that `wasmshare prepare` wrote one memory, in a browser, Node, Deno or a worker.

import { checkHeap, checkMix, extent, limitOf, PAGE, pagesFor, placeNext, plan, size, tooLarge } from './plan.js';
import { fail, place, read, WasmShareError } from './prepared.js';

export { WasmShareError };

// Bytes, or what has or will have them: a Response, an ArrayBuffer, a promise.
async function open(source, name = 'the module') {
  source = await source;
  if (source?.arrayBuffer) source = await source.arrayBuffer();
  const { buffer = source, byteOffset, byteLength } = source ?? {};
  if (!(byteLength >= 0)) fail('source', `${name} must be a Uint8Array, an ArrayBuffer or a Response`);
  return read(new Uint8Array(buffer, byteOffset, byteLength), name);
}

export async function getHeapBase(module) {
  return (await open(module)).end;
}

export async function relocate(source, offset, heapBase) {
  const module = await open(source), { alignment, memory } = module, [low, high] = extent(module);
  if (offset % alignment && module.flags & 256) module.wrong('alignment', `moves by multiples of ${alignment}`);
  // The addresses of a 32-bit memory wrap, as those of the command do.
  if (!module.memory64 && Math.abs(offset) < 2 ** 32) offset = (low + offset + 2 ** 32) % 2 ** 32 - low;
  if (!(low + offset >= 0 && heapBase !== limitOf(module))) tooLarge(module);
  heapBase = size('heapBase', heapBase ?? module.heapBase + offset);
  const initialHeap = Math.max(0, Math.floor(memory.minimum - module.end / PAGE)) * PAGE;
  const pages = pagesFor(Math.max(heapBase, high + offset) + initialHeap, memory.maximum, module);
  return place(module, {
    offset, stackLow: module.stackLow + offset, stackPointer: module.stackPointer + offset, heapBase,
    heapEnd: pages * PAGE, tableBase: module.tableBase, pages, maximumPages: memory.maximum,
  });
}

// The bytes of a module of a layout.
const placeIn = ({ tableSize, stackLow, pages, maximumPages, heapEnd }, module, at) =>
  place(module, { ...at, pages, maximumPages, heapEnd, tableEnd: tableSize, shareStack: stackLow !== null });

export async function combine(sources, additionalStack = 0, options = {}) {
  const modules = await Promise.all(sources.map((source, i) => open(source, `module ${i}`)));
  const layout = plan(modules, size('additionalStack', additionalStack), options);
  return {
    modules: modules.map((module, i) => placeIn(layout, module, layout.modules[i])), neededPages: layout.pages, layout,
  };
}

export async function load(layout, source, { memory, table, base, additionalStack = 0 } = {}) {
  const module = await open(source), { tableSize } = layout, shareTable = tableSize !== null;
  checkMix(module, layout);
  checkHeap(module);
  const current = memory ? memory.buffer.byteLength / PAGE : layout.pages;
  const at = placeNext(module, base ?? current * PAGE, size('additionalStack', additionalStack), 0,
    layout.stackLow !== null && layout);
  const pages = Math.max(current, pagesFor(at.memoryBase + at.memorySize, layout.maximumPages, module));
  if (base >= 0 && pages > current) tooLarge(module);
  if (shareTable) at.tableBase = module.flags & 8 ? tableSize : 0;
  at.heapBase = pages * PAGE;
  const wider = { ...layout, pages, heapEnd: at.heapBase, tableSize: shareTable ? tableSize + at.tableSize : null };
  const bytes = placeIn(wider, module, at);
  const grow = (what, by) => Number(what.grow(module.memory64 ? BigInt(by) : by));
  // Another thread may have had the same idea; what it grew is not ours.
  if (memory && grow(memory, pages - current) !== current) return load(...arguments);
  if (table && shareTable) grow(table, at.tableSize);
  return { module: bytes, neededPages: pages, layout: { ...wider, modules: [...layout.modules, at] } };
}
