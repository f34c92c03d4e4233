// WasmShare at load time: gives modules that `wasmshare prepare` wrote one memory, in a browser, Node, Deno or a worker.

import { fail, WasmShareError } from './error.js';
import { checkHeap, checkMix, extent, pagesFor, placeNext, plan, size } from './plan.js';
import { place, read } from './prepared.js';

export { WasmShareError };

const PAGE = 65536;

// Bytes, or what has or will have them: a Response, an ArrayBuffer, a promise.
async function open(source, name = 'the module') {
  source = await source;
  if (source?.arrayBuffer) {
    if (source.ok === false) fail('fetch', `${name} cannot be fetched: ${source.status} for ${source.url}`);
    source = await source.arrayBuffer();
  }
  if (ArrayBuffer.isView(source)) return read(new Uint8Array(source.buffer, source.byteOffset, source.byteLength), name);
  try {
    return read(new Uint8Array(source, 0), name);
  } catch (error) {
    throw error instanceof TypeError ?
      new WasmShareError('source', `${name} must be a Uint8Array, an ArrayBuffer, a Response, or a promise of one`) : error;
  }
}

export async function getHeapBase(module) {
  return (await open(module)).end;
}

export async function relocate(source, offset, heapBase, tableOffset = 0) {
  const module = await open(source), { memory64, memory, wrong } = module;
  const space = memory64 ? 2 ** 64 : 2 ** 32, limit = memory64 ? 2 ** 34 : space;
  const wrap = (address) => (memory64 && address >= 0 ? address : (address % space + space) % space);
  const [low, high] = extent(module), base = wrap(low + offset), end = base + high - low;
  if (!Number.isSafeInteger(offset) || Math.abs(offset) > limit || !(high <= limit && end <= limit))
    wrong('space', 'cannot be moved by that offset: it would leave its memory');
  if (offset % module.alignment && module.hasRelocations)
    wrong('alignment', `has data aligned to ${module.alignment} bytes, and the offset is not a multiple of that`);
  if (module.tableBase + size('tableOffset', tableOffset) + module.tableSize >= 2 ** 32)
    wrong('table', 'cannot be moved so far up its function table');
  heapBase = heapBase === undefined ? wrap(module.heapBase + offset) : size('heapBase', heapBase);
  const heap = Math.max(0, Math.floor(memory.minimum - module.end / PAGE)) * PAGE;
  const pages = pagesFor(Math.max(heapBase, end) + heap, memory.maximum, module);
  return place(module, {
    offset, stackLow: wrap(module.stackLow + offset), stackPointer: wrap(module.stackPointer + offset), heapBase,
    heapEnd: pages * PAGE, tableBase: module.tableBase + tableOffset, pages, maximumPages: memory.maximum,
  });
}

// What the modules of a layout are written by.
function placeIn(layout, module, at) {
  const { tableSize, stackLow, pages, maximumPages, heapEnd } = layout;
  const { end, ...described } = at;
  const placed = place(module, { ...at, pages, maximumPages, heapEnd, tableEnd: tableSize, shareTable: tableSize !== null,
    shareStack: stackLow !== null });
  return [placed, module.hasStack ? described : { ...described, stackLow: null, stackPointer: null }];
}

export async function combine(sources, additionalStack = 0, options = {}) {
  const modules = await Promise.all(sources.map((source, i) => open(source, `module ${i}`)));
  const layout = plan(modules, additionalStack, options);
  const placed = modules.map((module, i) => placeIn(layout, module, layout.modules[i]));
  layout.modules = placed.map(([, at]) => at);
  return { modules: placed.map(([bytes]) => bytes), neededPages: layout.pages, layout };
}

export async function load(layout, source, { memory, table, base, additionalStack = 0 } = {}) {
  const module = await open(source);
  checkMix(module, layout);
  checkHeap(module);
  const shareStack = layout.stackLow !== null, shareTable = layout.tableSize !== null;
  const current = memory ? memory.buffer.byteLength / PAGE : Number(layout.pages);
  const maximumPages = layout.maximumPages === null ? null : Number(layout.maximumPages);
  const at = placeNext(module, base === undefined ? current * PAGE : size('base', base),
    { additionalStack: size('additionalStack', additionalStack), align: 0, shareStack });
  const pages = Math.max(current, pagesFor(at.end, maximumPages, module));
  const grow = (what, by) => what && by && what.grow(module.memory64 ? BigInt(by) : by);
  if (base !== undefined && pages > current) fail('space', `the module needs memory up to ${at.end}, which is not there`);
  at.heapBase = pages * PAGE;
  at.tableBase = shareTable && module.hasTable ? Number(layout.tableSize) : shareTable ? 0 : module.tableBase;
  const wider = { ...layout, pages, maximumPages, heapEnd: pages * PAGE,
    tableSize: shareTable ? Number(layout.tableSize) + module.tableSize : null };
  const [bytes, described] = placeIn(wider, module, at);
  grow(memory, pages - current);
  grow(shareTable && table, module.tableSize);
  return { module: bytes, neededPages: pages, layout: { ...wider, modules: [...layout.modules, described] } };
}
