// Where each module goes: the same places as those of the command (src/plan.c).

import { fail } from './error.js';

const PAGE = 65536, NULL_GUARD = 1024, STACK_ALIGNMENT = 16;

const up = (value, alignment) => Math.ceil(value / alignment) * alignment;
const limitOf = ({ memory64 }) => memory64 ? 2 ** 34 : 2 ** 32;
const tooLarge = (module) =>
  module.wrong('space', `does not fit: the layout would go beyond the ${limitOf(module) / 2 ** 30} GiB of its memory`);

// A number of bytes that somebody gave, or 0.
export function size(name, value = 0) {
  if (!Number.isSafeInteger(value) || value < 0) fail('option', `${name} must be a whole number of bytes`);
  return value;
}

export const ownsStack = (module, shareStack) => module.hasStack && !module.importsStack && !shareStack;

// The lowest and the highest address of what the module has in memory, as linked.
export function extent(module, shareStack) {
  const { dataBase, dataEnd, stackLow, stackPointer, end } = module;
  const ranges = [];
  if (dataEnd > dataBase) ranges.push([dataBase, dataEnd]);
  if (ownsStack(module, shareStack)) ranges.push([stackLow, stackPointer]);
  const low = ranges.length ? Math.min(...ranges.map(([low]) => low)) : 0;
  const high = Math.max(0, ...ranges.map(([, high]) => high));
  return [low, module.hasRelocations ? high : Math.max(high, end)];
}

// The module at the first place from `cursor` up.
export function placeNext(module, cursor, { additionalStack, align, shareStack }) {
  const limit = limitOf(module), alignment = Math.max(module.alignment, align), own = ownsStack(module, shareStack);
  const [low, high] = extent(module, shareStack), stackFirst = own && module.stackLow === low;
  if (cursor < NULL_GUARD && !stackFirst && high > low) cursor = NULL_GUARD;
  const base = up(cursor, alignment), offset = base - Math.floor(low / alignment) * alignment;
  const extraStack = own ? up(additionalStack, STACK_ALIGNMENT) : 0, extraData = stackFirst ? up(extraStack, alignment) : 0;
  const stackPointer = module.stackPointer + offset + extraStack, moved = offset + extraData;
  const end = Math.max(high + offset + (stackFirst ? extraData : extraStack), own ? stackPointer : 0);
  if (!(high <= limit && base <= limit && end <= limit)) tooLarge(module);
  return {
    offset: moved, memoryBase: base, memorySize: end - base, stackLow: module.stackLow + offset, stackPointer,
    dataBase: module.dataBase + moved, dataEnd: module.dataEnd + moved, tableBase: module.tableBase,
    tableSize: module.tableSize, end,
  };
}

// The memory that everything up to `end` needs: its pages, if the maximum allows them.
export function pagesFor(end, maximumPages, module) {
  const pages = Math.ceil(end / PAGE);
  if (pages * PAGE > limitOf(module)) tooLarge(module);
  if (maximumPages !== null && pages > maximumPages)
    fail('maximum', `the layout needs ${pages} pages of memory, which is more than the maximum of ${maximumPages}: ` +
      'raise maxMemory');
  return pages;
}

export function checkMix(module, { memory64, shared }) {
  if (!module.memory64 !== !memory64)
    module.wrong('mix', `has a ${memory64 ? 32 : 64}-bit memory, and the others do not`);
  if (!module.shared !== !shared)
    module.wrong('mix', `${shared ? 'does not have' : 'has'} a shared memory, unlike the others: link all of them with ` +
      '--shared-memory, or none');
}

// What a module that is not the owner of the heap may not do.
export function checkHeap(module) {
  if (module.usesHeapBase && !module.usesHeapEnd)
    module.wrong('heap', 'takes all memory from __heap_base up, whatever __heap_end is: let it own the heap, or link ' +
      'it with a libc whose malloc keeps to __heap_end');
}

export function plan(modules, additionalStack, options) {
  const [first] = modules, { heapOwner } = options;
  if (!first) fail('option', 'there are no modules to combine');
  const shareStack = options.stack === 'shared', shareTable = options.table === 'shared';
  const align = size('align', options.align), maxMemory = size('maxMemory', options.maxMemory);
  const stackSize = size('stackSize', options.stackSize);
  const base = size('base', options.base), heapSize = size('heapSize', options.heapSize);
  if (align && !Number.isInteger(Math.log2(align))) fail('option', 'align must be a power of two');
  if (maxMemory % PAGE) fail('option', `maxMemory must be a multiple of ${PAGE}`);
  if (maxMemory > limitOf(first)) fail('option', 'maxMemory is more than there can be');
  if (stackSize && !shareStack) fail('option', "stackSize is for stack: 'shared'");
  if (heapOwner !== undefined && !modules[heapOwner]) fail('option', 'heapOwner must be the index of a module');
  modules.forEach((module) => checkMix(module, first));

  let cursor = base, stackLow = null, stackPointer = null, tableSize = shareTable ? 1 : null;
  if (shareStack) {
    const sizes = modules.map((module) => (module.hasStack ? module.stackPointer - module.stackLow : 0));
    stackLow = up(base, STACK_ALIGNMENT);
    cursor = stackPointer =
      stackLow + up((stackSize || Math.max(...sizes)) + size('additionalStack', additionalStack), STACK_ALIGNMENT);
    if (!(cursor <= limitOf(first))) tooLarge(first);
  }
  const placed = modules.map((module) => {
    const at = placeNext(module, cursor, { additionalStack: size('additionalStack', additionalStack), align, shareStack });
    cursor = at.end;
    return at;
  });
  const heapBase = up(cursor, 16), last = modules.at(-1);
  if (!last.memory64 && heapBase > 0xffffffff) tooLarge(last);
  const maxima = modules.map(({ memory }) => memory.maximum).filter((maximum) => maximum !== null);
  const maximumPages = maxMemory ? maxMemory / PAGE : maxima.length ? Math.max(...maxima) : null;
  const pages = pagesFor(heapBase + heapSize, maximumPages, last), heapEnd = pages * PAGE;

  const users = modules.filter((module) => module.usesHeapBase);
  if (heapOwner === undefined && users.length > 1)
    users[1].wrong('heap', `hands out the memory from __heap_base up, and so does ${users[0].name}, so they would ` +
      'overwrite each other: say which one may with heapOwner');
  placed.forEach((at, i) => {
    const owns = heapOwner === undefined || i === Number(heapOwner);
    if (!owns) checkHeap(modules[i]);
    at.heapBase = owns ? heapBase : heapEnd;
    if (shareTable) {
      at.tableBase = modules[i].hasTable ? tableSize : 0;
      tableSize += at.tableSize;
    }
    if (shareStack) Object.assign(at, { stackLow, stackPointer });
  });
  return { pages, maximumPages, shared: Boolean(first.shared), memory64: Boolean(first.memory64), heapBase, heapEnd,
    stackLow, stackPointer, tableSize, modules: placed };
}
