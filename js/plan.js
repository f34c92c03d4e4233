// Where each module goes: the same places as those of the command (src/plan.c).

import { fail } from './prepared.js';

export const PAGE = 65536;
const NULL_GUARD = 1024, STACK_ALIGNMENT = 16;

const up = (value, alignment) => Math.ceil(value / alignment) * alignment;

export const limitOf = ({ memory64 }) => 2 ** (memory64 ? 34 : 32);
export const tooLarge = (module) => module.wrong('space', `does not fit: memory ends at ${limitOf(module)}`);

// A number of bytes that somebody gave.
export function size(name, value) {
  if (!(Number.isInteger(value) && value >= 0)) fail('option', `${name} must be a whole number`);
  return value;
}

// The lowest and the highest address of what the module has in memory, as linked.
export function extent(module, shared) {
  const { dataBase, dataEnd, stackLow, stackPointer, end } = module, ends = [];
  if (dataEnd > dataBase) ends.push(dataBase, dataEnd);
  if (module.ownsStack && !shared) ends.push(stackLow, stackPointer);
  return [ends.length ? Math.min(...ends) : 0, Math.max(0, ...ends, module.flags & 256 ? 0 : end)];
}

// The module at the first place from `cursor` up. `shared` has the addresses of a stack that is shared.
export function placeNext(module, cursor, additionalStack, align, shared) {
  const alignment = Math.max(module.alignment, align), own = module.ownsStack && !shared;
  const [low, high] = extent(module, shared), stackFirst = own && module.stackLow === low;
  if (cursor < NULL_GUARD && !stackFirst && high > low) cursor = NULL_GUARD;
  const memoryBase = up(cursor, alignment), shift = memoryBase - Math.floor(low / alignment) * alignment;
  const extra = own ? up(additionalStack, STACK_ALIGNMENT) : 0, offset = shift + (stackFirst ? up(extra, alignment) : 0);
  const stack = { stackLow: module.stackLow + shift, stackPointer: module.stackPointer + shift + extra };
  const end = Math.max(high + (stackFirst ? offset : shift + extra), own ? stack.stackPointer : 0);
  if (!(Math.max(high, end) <= limitOf(module))) tooLarge(module);
  return {
    offset, memoryBase, memorySize: end - memoryBase,
    ...module.flags & 1 ? shared || stack : { stackLow: null, stackPointer: null },
    dataBase: module.dataBase + offset, dataEnd: module.dataEnd + offset, tableBase: module.tableBase,
    tableSize: module.tableSize,
  };
}

// How many pages a memory of `end` bytes has.
export function pagesFor(end, maximumPages, module) {
  const pages = Math.ceil(end / PAGE);
  if (pages * PAGE > limitOf(module)) tooLarge(module);
  if (pages > (maximumPages ?? pages))
    module.wrong('maximum', `needs ${pages} pages, more than the maximum of ${maximumPages}: raise maxMemory`);
  return pages;
}

export function checkMix(module, { memory64, shared }) {
  if (module.memory64 !== memory64 || module.shared !== shared)
    module.wrong('mix', 'has another kind of memory: link it like the others');
}

// What a module that does not own the heap may not do.
export function checkHeap(module) {
  if ((module.flags & 192) === 64)
    module.wrong('heap', 'takes all memory from __heap_base up: make it the heapOwner');
}

export function plan(modules, additionalStack, options) {
  const [first] = modules, { heapOwner } = options;
  const [base, align, heapSize, maxMemory, stackSize] =
    ['base', 'align', 'heapSize', 'maxMemory', 'stackSize'].map((name) => size(name, options[name] ?? 0));
  const shareStack = options.stack === 'shared', shareTable = options.table === 'shared';
  if (!first || align && Math.log2(align) % 1 || maxMemory % PAGE || maxMemory > limitOf(first) ||
      stackSize && !shareStack || heapOwner !== undefined && !modules[heapOwner])
    fail('option', 'modules and options do not go together');
  modules.forEach((module) => checkMix(module, first));

  let cursor = base, stackLow = null, stackPointer = null, tableSize = shareTable ? 1 : null;
  if (shareStack) {
    const sizes = modules.map((module) => (module.flags & 1 && module.stackPointer - module.stackLow));
    stackLow = up(base, STACK_ALIGNMENT);
    cursor = stackPointer = stackLow + up((stackSize || Math.max(...sizes)) + additionalStack, STACK_ALIGNMENT);
  }
  const placed = modules.map((module) => {
    const at = placeNext(module, cursor, additionalStack, align, shareStack && { stackLow, stackPointer });
    cursor = at.memoryBase + at.memorySize;
    return at;
  });
  const heapBase = up(cursor, 16), last = modules.at(-1);
  if (!last.memory64 && heapBase >= 2 ** 32) tooLarge(last);
  const maxima = modules.map(({ memory }) => memory.maximum).filter((maximum) => maximum >= 0);
  const maximumPages = maxMemory ? maxMemory / PAGE : maxima[0] >= 0 ? Math.max(...maxima) : null;
  const pages = pagesFor(heapBase + heapSize, maximumPages, last), heapEnd = pages * PAGE;

  const users = modules.filter(({ flags }) => flags & 64);
  if (heapOwner === undefined && users[1])
    users[1].wrong('heap', `takes all memory from __heap_base up, and so does ${users[0].name}: name a heapOwner`);
  placed.forEach((at, i) => {
    const owns = heapOwner === undefined || i === heapOwner;
    if (!owns) checkHeap(modules[i]);
    at.heapBase = owns ? heapBase : heapEnd;
    if (shareTable) {
      at.tableBase = modules[i].flags & 8 ? tableSize : 0;
      tableSize += at.tableSize;
    }
  });
  const { shared, memory64 } = first;
  return { pages, maximumPages, shared, memory64, heapBase, heapEnd, stackLow, stackPointer, tableSize, modules: placed };
}
