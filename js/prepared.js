// Prepared modules: reading what `wasmshare prepare` wrote (docs/prepared-format.md), and placing it.

import {
  GLOBAL, GROWS, HAS_MAXIMUM, HAS_STACK, HAS_TABLE, HEAP, HEAPS, IMPORT, IMPORTS_STACK, IMPORTS_TABLE, MEMORY64, PAGE, SHARED, STACK_FIRST,
  TABLE, TABLE_FIRST,
} from './format.js';
import code from './kernel.js';

export class WasmShareError extends Error {
  name = 'WasmShareError';
  constructor(code, message) {
    super(message);
    this.code = code;
  }
}

export const fail = (code, message) => {
  throw new WasmShareError(code, message);
};

// The loops over a module's bytes (kernel.wat: its memory m, its functions d and p).
let kernel;

// A copy of the bytes in the memory of the loops.
function hold(bytes) {
  kernel ??= new WebAssembly.Instance(
    new WebAssembly.Module(Uint8Array.from(code, (letter) => letter.charCodeAt() - 40))).exports;
  const { m } = kernel, more = bytes.length + 8 - m.buffer.byteLength;
  if (more > 0) m.grow(Math.ceil(more / PAGE));
  const copy = new Uint8Array(m.buffer, 0, bytes.length);
  copy.set(bytes);
  return copy;
}

// Reads LEB128s one after another. Behind the end of the bytes they are 0.
function reader(bytes, at) {
  const read = () => {
    let value = 0, scale = 1, byte = 128;
    for (; byte > 127; scale *= 128) value += ((byte = bytes[read.at++]) & 127) * scale;
    return value;
  };
  read.at = at;
  return read;
}

const uleb = (value) =>
  (value > 127 && value < 2 ** 53 ? [value & 127 | 128, ...uleb(Math.floor(value / 128))] : [value]);

// Reads a module, checks that nothing was changed since it was prepared, and says what placing it takes. `name` is for
// errors.
export function read(bytes, name) {
  const wrong = (code, message) => fail(code, `${name} ${message}`);
  const number = reader(bytes, 8), sections = {};
  const malformed = () => wrong('changed', 'is changed, or of another version: give what `wasmshare prepare` wrote');
  const text = (at, length) => String.fromCharCode(...bytes.subarray(at, at + length));
  while (number.at < bytes.length) {
    const start = number.at++, id = bytes[start], size = number(), content = number.at, end = content + size;
    // A custom section counts if it is ours.
    if (id || text(content, 10) === '\twasmshare') sections[id] = { start, content, end };
    number.at = end;
  }
  if (number.at !== bytes.length || text(0, 8) !== '\0asm\x01\0\0\0') wrong('not-wasm', 'is not WebAssembly, or is cut off');
  const { start, content, end } = sections[0] ?? wrong('not-prepared', 'is not prepared, or is placed already: give what `wasmshare prepare` wrote');
  const facts = number.at = content + 19; // behind its name, the version and the digest
  const [covered, flags, alignment, dataBase, dataSize, stackLow, stackSize, ownEnd, heapBase, heapEnd, initialHeap, , , ,
    tableBase, tableSize, , memoryAt, tableAt] = Array.from({ length: 19 }, number);
  const fixups = number.at, heap = flags >> HEAP & HEAPS;
  hold(bytes);
  if (bytes[content + 10] !== 3 || !(covered <= start) || !kernel.d(covered, facts, end)) malformed();

  const limits = (at) => {
    number.at = at + 1;
    return { at, flags: bytes[at], minimum: number(), maximum: bytes[at] & HAS_MAXIMUM ? number() : null, end: number.at };
  };
  const memory = limits(memoryAt);
  return {
    wrong, malformed, wholeHeap: initialHeap - initialHeap % PAGE, heap, ownHeap: heap > GROWS ? initialHeap : 0, bytes, sections, covered, fixups, flags, alignment: 2 ** alignment, dataBase,
    dataEnd: dataBase + dataSize, stackLow, stackPointer: stackLow + stackSize, end: ownEnd, heapBase, heapEnd,
    tableBase, tableSize, memory, table: limits(tableAt),
    ownsStack: (flags & (HAS_STACK | IMPORTS_STACK)) === HAS_STACK,
    memory64: memory.flags >= MEMORY64, shared: memory.flags % MEMORY64 >= SHARED,
  };
}

// The bytes of a module at its place in a layout. `at` has the module's addresses there.
export function place(module, layout, at) {
  const { sections, memory, table, malformed, flags } = module, bytes = hold(module.bytes);
  const imports = sections[IMPORT] ?? malformed();
  const moveStack = layout.stackLow !== null && module.ownsStack;
  const moveTable = layout.tableSize !== null && (flags & (HAS_TABLE | IMPORTS_TABLE)) === HAS_TABLE;
  const cannotShare = (what) => module.wrong(what, `cannot share its ${what}, which is not its first`);
  if (moveStack && !(flags & STACK_FIRST)) cannotShare('stack');
  if (moveTable && !(flags & TABLE_FIRST && table.at > imports.end)) cannotShare('table');

  // How many a section has, and where the first of them is.
  const first = (id) => {
    const number = reader(bytes, (sections[id] ?? malformed()).content);
    return [number(), number.at];
  };
  const pointer = moveStack && first(GLOBAL)[1];
  // A global is its type, whether it is mutable, and here a constant of full width.
  const behind = pointer ? pointer + (module.memory64 ? 14 : 9) : moveTable ? sections[TABLE]?.end : imports.end;

  // What changes its size is in front of all pointers but the one to the stack. It is edited from its end to its start: the
  // edits of a section, how many it has, its size.
  const head = [...bytes.subarray(0, behind)];
  const edit = (id, more, edits) => {
    const { start, content, end } = sections[id], [count, at] = first(id), others = end - content - head.length;
    const replace = ([from, to, put]) => head.splice(from, to - from, ...put);
    edits.forEach(replace);
    replace([content, at, uleb(count + more)]);
    replace([start + 1, content, uleb(others + head.length)]);
  };
  const limits = ({ at, end, flags }, minimum, maximum = null) =>
    [at, end, [flags & (SHARED | MEMORY64) | maximum !== null, ...uleb(minimum), ...maximum === null ? [] : uleb(maximum)]];
  const imported = (name) => Array.from('\x03env' + name, (letter) => letter.charCodeAt());

  // What is shared moves from its own section to the imports. The limits of the memory change, and those of a shared
  // table, which has room for all modules and no maximum.
  if (moveStack) edit(GLOBAL, -1, [[pointer, behind, []]]);
  if (moveTable) edit(TABLE, -1, [[first(TABLE)[1], table.end, []]]);
  const tableLimits = limits(table, layout.tableSize);
  edit(IMPORT, moveStack + moveTable, [
    [imports.end, imports.end, [
      ...moveTable ? [...imported('\x19__indirect_function_table\x01\x70'), ...tableLimits[2]] : [],
      ...moveStack ? [...imported('\x0f__stack_pointer\x03'), bytes[pointer], bytes[pointer + 1]] : [],
    ]],
    limits(memory, layout.pages, layout.maximumPages), layout.tableSize ? tableLimits : [],
  ].filter(([at]) => at > imports.content && at <= imports.end).sort(([a], [b]) => b - a));

  const deltas = [0, at.offset, at.stackLow - module.stackLow, at.stackPointer - module.stackPointer,
    at.heapBase - module.heapBase, at.heapEnd - module.heapEnd, at.tableBase - module.tableBase];
  const number = reader(bytes, module.fixups), { start, end } = sections[0];
  while (number.at !== end) {
    const kind = number(), delta = deltas[(kind >> 3 & 7) + 1] - deltas[kind >> 6];
    // How many digits, which bits of a byte are one's, which the last one's, and which of those is a sign.
    const form = [[5, 127n, 15], [5, 127n, 15, 8], [10, 127n, 1], [10, 127n, 1, 1], [4, 255n, 255], [8, 255n, 255]][kind & 7];
    form && Number.isInteger(delta) || malformed();
    number.at = kernel.p(number(), number.at, end, pointer || behind, module.covered, BigInt(delta), ...form) || malformed();
  }

  bytes.copyWithin(start, end);
  const rest = bytes.subarray(behind, start - end), placed = new Uint8Array(head.length + rest.length);
  placed.set(head);
  placed.set(rest, head.length);
  return placed;
}
