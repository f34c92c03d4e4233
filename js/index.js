// WasmShare at load time: gives modules that `wasmshare prepare` wrote one memory, in a browser, Node, Deno or a worker.

import { BOUNDED, HAS_RELOCATIONS, PAGE } from './format.js';
import { check, checkHeaps, extent, isSize, pagesFor, placeNext, plan, tooLarge } from './plan.js';
import { fail, place, read, WasmShareError } from './prepared.js';

export { WasmShareError };

// Bytes, or what has or will have them: a Response, an ArrayBuffer, a promise.
async function open(source, name = 'the module') {
  source = await source;
  if (source?.arrayBuffer && source.ok !== false) source = await source.arrayBuffer();
  const { buffer = source, byteOffset, byteLength } = source ?? {};
  if (!(byteLength >= 0))
    fail('source', `${name} is no byte array or Response: ${source?.status ?? typeof source}`);
  return read(new Uint8Array(buffer, byteOffset, byteLength), name);
}

export async function getHeapBase(module) {
  return (await open(module)).end;
}

export async function relocate(source, offset, heapBase) {
  check({ offset }, Number.isFinite);
  const module = await open(source), { memory } = module, [low, high] = extent(module);
  // Without relocations, nothing says more than that a stack is aligned.
  const alignment = module.flags & HAS_RELOCATIONS ? module.alignment : 16;
  if (offset % alignment) module.wrong('alignment', `moves by multiples of ${alignment}`);
  // The addresses of a 32-bit memory wrap, as those of the command do.
  if (!module.memory64 && Math.abs(offset) < 2 ** 32) offset = (low + offset + 2 ** 32) % 2 ** 32 - low;
  heapBase ??= module.heapBase + offset;
  if (!(low + offset >= 0 && (module.memory64 || heapBase < 2 ** 32))) tooLarge(module);
  check({ heapBase }, () => isSize(heapBase) && heapBase >= high + offset);
  const pages = pagesFor(heapBase + module.wholeHeap, memory.maximum, module);
  return place(module, { pages, maximumPages: memory.maximum, stackLow: null, tableSize: null }, {
    heapEnd: pages * PAGE,
    offset, stackLow: module.stackLow + offset, stackPointer: module.stackPointer + offset, heapBase,
    tableBase: module.tableBase,
  });
}

export async function combine(sources, additionalStack = 0, options) {
  check({ 'modules, an array of at least one': sources }, () => sources?.flat && sources.length);
  const modules = await Promise.all([...sources].map((source, i) => open(source, `module ${i}`)));
  const layout = plan(modules, additionalStack, options);
  return {
    modules: modules.map((module, i) => place(module, layout, layout.modules[i])), neededPages: layout.pages, layout,
  };
}

export async function load(layout, source, options) {
  const { memory, table, base, additionalStack = 0, ...others } = options ?? {};
  check({ layout }, () => layout?.modules);
  check(others);
  // The memory is not the options, nor something else the memory.
  check({ memory: memory ?? options ?? others }, (it) => !it.grow === !memory);
  const module = await open(source), { tableSize } = layout;
  const size = memory ? memory.buffer.byteLength : layout.pages * PAGE;
  const from = base ?? size, behind = from !== base;
  // At a place that somebody found for it, a module that takes nothing is in nobody's way.
  if (behind || module.heap % BOUNDED) layout.modules.forEach(({ heap }, i) => checkHeaps(heap, module.heap, module, i));
  check({ additionalStack }, isSize);
  // Below its heap is what the layout has already.
  check({ base: from }, () => isSize(from) && from >= layout.heapBase);
  const at = placeNext(module, from, additionalStack, 0, layout);
  // A place that somebody found for it is for no more than the module; its heap is behind all. Where the layout ends
  // says nothing of a memory that has grown.
  const end = at.memoryBase + at.memorySize, free = behind ? end : size;
  if (end > free) tooLarge(module, size, memory ? '' : ' without { memory }');
  const pages = pagesFor(free + module.ownHeap, layout.maximumPages, module);
  const heapEnd = at.heapEnd = pages * PAGE;
  at.heapBase ??= heapEnd - module.ownHeap;
  const wider = {
    ...layout, pages, heapEnd, tableSize: tableSize && tableSize + at.tableSize, modules: [...layout.modules, at],
  };
  const bytes = place(module, wider, at);
  const grow = (what, by) => Number(what.grow(module.memory64 ? BigInt(by) : by));
  // Another thread may have had the same idea; what it grew is not ours. (A Response can be read only once.)
  if (memory && grow(memory, pages - size / PAGE) !== size / PAGE) return load(layout, module.bytes, options);
  if (table && tableSize) grow(table, at.tableSize);
  return { module: bytes, neededPages: pages, layout: wider };
}
