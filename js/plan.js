// Where each module goes: the same places as those of the command (src/plan.c).

import {
  BOUNDED, GROWS, HAS_RELOCATIONS, HAS_STACK, HAS_TABLE, IMPORTS_STACK, NULL_GUARD, PAGE, STACK_ALIGNMENT, USES_HEAP_BASE,
} from './format.js';
import { fail } from './prepared.js';

const up = (value, alignment) => Math.ceil(value / alignment) * alignment;

export const limitOf = ({ memory64 }) => 2 ** (memory64 ? 34 : 32);
export const tooLarge = (module, end = limitOf(module), hint = '') =>
  module.wrong('space', `does not fit: memory ends at ${end}${hint}`);

// Refuses arguments and options, by their names, unless each of them goes.
export function check(given, goes) {
  for (const name in given) {
    const value = given[name]; // which can be a module
    goes?.(value) || fail('option', `invalid argument ${name}: ${value?.map ? value.constructor.name : value}`.slice(0, 99));
  }
}

export const isSize = (value) => Number.isInteger(value) && value >= 0;

// The lowest and the highest address of what the module has in memory, as linked.
export function extent(module, own = module.ownsStack) {
  const { dataBase, dataEnd, stackLow, stackPointer, end } = module, ends = [];
  if (dataEnd > dataBase) ends.push(dataBase, dataEnd);
  if (own) ends.push(stackLow, stackPointer);
  return [ends.length && Math.min(...ends), Math.max(...ends, module.flags & HAS_RELOCATIONS ? 0 : end)];
}

// The module at the first place from `cursor` up, in a layout that may share a stack and a table.
export function placeNext(module, cursor, additionalStack, align, { memory64, shared, stackLow, stackPointer, tableSize }) {
  if (module.memory64 !== memory64 || module.shared !== shared)
    module.wrong('mix', 'has another kind of memory than the others');
  const alignment = Math.max(module.alignment, align), own = module.ownsStack && stackLow === null;
  const [low, high] = extent(module, own), stackFirst = own && module.stackLow === low;
  if (cursor < NULL_GUARD && !stackFirst && high > low) cursor = NULL_GUARD;
  const memoryBase = up(cursor, alignment), shift = memoryBase - Math.floor(low / alignment) * alignment;
  const extra = own ? up(additionalStack, STACK_ALIGNMENT) : 0, offset = shift + (stackFirst ? up(extra, alignment) : 0);
  const top = module.stackPointer + shift + extra, has = (address) => (module.flags & HAS_STACK ? address : null);
  const end = Math.max(high + (stackFirst ? offset : shift + extra), own ? top : 0);
  if (!(Math.max(high, end) <= limitOf(module))) tooLarge(module);
  return {
    offset, memoryBase, memorySize: end - memoryBase,
    stackLow: has(stackLow ?? module.stackLow + shift), stackPointer: has(stackPointer ?? top),
    dataBase: module.dataBase + offset, dataEnd: module.dataEnd + offset,
    // Who hands out nothing wants to know where its own memory ends.
    heap: module.heap, heapBase: !module.heap && module.flags & USES_HEAP_BASE ? up(end, STACK_ALIGNMENT) : undefined,
    tableBase: tableSize === null ? module.tableBase : module.flags & HAS_TABLE && tableSize, tableSize: module.tableSize,
  };
}

// How many pages a memory of `end` bytes has.
export function pagesFor(end, maximumPages, module) {
  const pages = Math.ceil(end / PAGE);
  if (pages * PAGE > limitOf(module)) tooLarge(module);
  if (maximumPages !== null && pages > maximumPages)
    module.wrong('maximum', `needs ${pages} pages, of at most ${maximumPages}: raise maxMemory`);
  return pages;
}

// A heap that takes all memory that follows cannot be with another one, or with one that grows the memory.
export const checkHeaps = (one, other, module, index) => (one > BOUNDED || (other > BOUNDED && one % BOUNDED))
  && module.wrong('heap', `has no heap beside module ${index}: one takes all memory`);

export function plan(modules, additionalStack, options) {
  const {
    stack = 'private', table = 'private', base = 0, align = 0, heapSize = 0, maxMemory = 0, stackSize = 0, heapOwner, ...others
  } = options ?? {}, [first] = modules, shareStack = stack === 'shared';
  check({ stack, table }, (kind) => kind === 'private' || kind === 'shared');
  check({ additionalStack, base, align, heapSize, maxMemory, stackSize, heapOwner: heapOwner ?? 0 }, isSize);
  check({ align }, (size) => !(Math.log2(size) % 1));
  check({ maxMemory }, (size) => !(size % PAGE) && size <= limitOf(first));
  check({ stackSize }, (size) => !size || shareStack);
  check({ heapOwner }, () => modules[heapOwner ?? 0]);
  check(others);

  const { memory64, shared } = first;
  let cursor = base, stackLow = null, stackPointer = null, tableSize = table === 'shared' ? 1 : null;
  if (shareStack) {
    const size = stackSize
      || Math.max(...modules.map((module) => module.flags & HAS_STACK && module.stackPointer - module.stackLow));
    if (!size) modules.find((module) => module.flags & IMPORTS_STACK)?.wrong('stack', 'imports its stack: give stackSize');
    stackLow = up(base, STACK_ALIGNMENT);
    cursor = stackPointer = stackLow + up(size + additionalStack, STACK_ALIGNMENT);
  }
  const placed = modules.map((module) => {
    const at = placeNext(module, cursor, additionalStack, align, { memory64, shared, stackLow, stackPointer, tableSize });
    cursor = at.memoryBase + at.memorySize;
    tableSize &&= tableSize + at.tableSize;
    return at;
  });
  const heapBase = up(cursor, STACK_ALIGNMENT), last = modules.at(-1);
  if (!memory64 && heapBase >= 2 ** 32) tooLarge(last);
  const maximum = maxMemory / PAGE || Math.max(...modules.map(({ memory }) => memory.maximum ?? -1));
  const maximumPages = maximum >= 0 ? maximum : null;

  // The initial heap is for who takes all, or else for who cannot get more, or else for the first who has a range.
  const heaps = modules.map(({ heap }) => heap), owner = heapOwner ?? heaps.indexOf(Math.max(...heaps, GROWS + 1));
  let heapEnd = heapBase;
  const hand = (i, size, at = placed[i] ?? {}) => {
    at.heapBase ??= heaps[i] > GROWS || heapOwner >= 0 ? heapEnd : heapBase;
    at.heapEnd = heapEnd = up(heapEnd + size, PAGE);
  };
  modules.forEach((module, i) => {
    if (i === owner) return;
    checkHeaps(module.heap, heaps[owner], module, owner);
    if (module.ownHeap) hand(i, module.ownHeap);
  });
  hand(owner, Math.max(heapSize, modules[owner]?.ownHeap ?? 0));
  placed.forEach((at, i) => at.heapEnd ?? hand(i, 0));
  return {
    pages: pagesFor(heapEnd, maximumPages, last), maximumPages, shared, memory64, heapBase, heapEnd, stackLow, stackPointer,
    tableSize, modules: placed,
  };
}
