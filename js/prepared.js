// Prepared modules: reading what `wasmshare prepare` wrote (docs/prepared-modules.md), and placing it.

import code from './kernel.js';

const IMPORT = 2, TABLE = 4, GLOBAL = 6;

export class WasmShareError extends Error {
  constructor(code, message) {
    super(message);
    this.name = 'WasmShareError';
    this.code = code;
  }
}

export const fail = (code, message) => {
  throw new WasmShareError(code, message);
};

// The loops over a module's bytes (kernel.wat: its memory m, its functions d and p), and the bytes that are in the memory.
let kernel, held;

// A copy of the bytes in the memory of the loops.
function hold(bytes) {
  kernel ??= new WebAssembly.Instance(
    new WebAssembly.Module(Uint8Array.from(code, (letter) => letter.charCodeAt() ^ 109))).exports;
  const { m } = kernel, more = bytes.length + 8 - m.buffer.byteLength;
  if (more > 0) m.grow(Math.ceil(more / 65536));
  const copy = new Uint8Array(m.buffer, 0, bytes.length);
  if (held !== bytes) copy.set(held = bytes);
  return copy;
}

// Reads LEB128s one after another. Behind the end of the bytes they are 0.
function reader(bytes, at) {
  const read = () => {
    let value = 0, scale = 1, byte;
    do {
      byte = bytes[read.at++];
      value += (byte & 127) * scale;
      scale *= 128;
    } while (byte > 127);
    return value;
  };
  read.at = at;
  return read;
}

function uleb(value) {
  const bytes = [];
  for (; value > 127 && bytes.length < 9; value = Math.floor(value / 128)) bytes.push(value & 127 | 128);
  return [...bytes, value];
}

// Reads a module, checks that nothing was changed since it was prepared, and says what placing it takes. `name` is for
// errors.
export function read(bytes, name) {
  const wrong = (code, message) => fail(code, `${name} ${message}`);
  const number = reader(bytes, 8), sections = {};
  const malformed = () => wrong('changed', 'was changed, or is of another version: prepare it again');
  const check = (ok) => ok || wrong('not-wasm', 'is no WebAssembly module');
  check(String(bytes.subarray(0, 8)) === '0,97,115,109,1,0,0,0');
  while (number.at < bytes.length) {
    const start = number.at++, id = bytes[start], size = number(), content = number.at, end = content + size;
    check(end <= bytes.length);
    // A custom section counts if it is ours.
    if (id) sections[id] = { start, content, end };
    else if (String.fromCharCode(...bytes.subarray(content, content + 10)) === '\twasmshare')
      sections[0] = { start, content: content + 10, end };
    number.at = end;
  }
  const { start, content, end } = sections[0] ?? wrong('not-prepared', 'is not prepared: use `wasmshare prepare`');
  number.at = content + 9;
  const [covered, flags, alignment, dataBase, dataSize, stackLow, stackSize, ownEnd, heapBase, heapEnd, , , ,
    tableBase, tableSize, , memoryAt, tableAt] = Array.from({ length: 18 }, number);
  const fixups = number.at;
  held = null;
  hold(bytes);
  if (bytes[content] !== 2 || !(covered <= start) || !kernel.d(covered, content + 9, end)) malformed();

  const limits = (at) => {
    number.at = at + 1;
    return { at, flags: bytes[at], minimum: number(), maximum: bytes[at] & 1 ? number() : undefined, end: number.at };
  };
  return {
    wrong, malformed, name, bytes, sections, covered, fixups, flags, alignment: 2 ** alignment, dataBase,
    dataEnd: dataBase + dataSize, stackLow, stackPointer: stackLow + stackSize, end: ownEnd, heapBase, heapEnd,
    tableBase, tableSize, memory: limits(memoryAt), table: limits(tableAt),
    ownsStack: (flags & 3) === 1, memory64: !!(bytes[memoryAt] & 4), shared: !!(bytes[memoryAt] & 2),
  };
}

// The bytes of a module at its place. `at` has the module's addresses there, and says what it shares.
export function place(module, at) {
  const { sections, memory, table, malformed, flags } = module, bytes = hold(module.bytes);
  const imports = sections[IMPORT] ?? malformed();
  const moveStack = !!at.shareStack && module.ownsStack, moveTable = !!at.tableEnd && (flags & 24) === 8;
  const cannotShare = (what) => module.wrong(what, `cannot share its ${what}, which is not the first that it defines`);
  if (moveStack && !(flags & 4)) cannotShare('stack');
  if (moveTable && !(flags & 32 && table.at > imports.end)) cannotShare('table');

  // How many a section has, and where the first of them is.
  const first = (id) => {
    const number = reader(bytes, (sections[id] ?? malformed()).content);
    return [number(), number.at];
  };
  const pointer = moveStack && first(GLOBAL)[1];
  // A global is its type, whether it is mutable, and here a constant of full width.
  const behind = pointer ? pointer + (bytes[pointer + 2] === 0x42 ? 14 : 9) : moveTable ? sections[TABLE]?.end : imports.end;

  // What changes its size is in front of all pointers but the one to the stack. It is edited from its end to its start.
  const head = [...bytes.subarray(0, behind)];
  let growth = 0;
  const replace = (from, to, put) => {
    head.splice(from, to - from, ...put);
    growth += put.length + from - to;
  };
  // A section that was edited, and has `more` in it now.
  const resize = (id, more) => {
    const { start, content, end } = sections[id], [count, at] = first(id);
    replace(content, at, uleb(count + more));
    replace(start + 1, content, uleb(end - content + growth));
    growth = 0;
  };
  const limits = ({ at, end, flags }, minimum, maximum) => {
    const limited = (maximum ?? -1) >= 0;
    return [at, end, [flags & 6 | limited, ...uleb(minimum), ...limited ? uleb(maximum) : []]];
  };
  const imported = (name) => [...'\x03env' + name].map((letter) => letter.charCodeAt());

  // What is shared moves from its own section to the imports. The limits of the memory change, and those of a shared
  // table, which has room for all modules and no maximum.
  if (moveStack) {
    replace(pointer, behind, []);
    resize(GLOBAL, -1);
  }
  if (moveTable) {
    replace(first(TABLE)[1], table.end, []);
    resize(TABLE, -1);
  }
  const tableLimits = limits(table, at.tableEnd);
  replace(imports.end, imports.end, [
    ...moveTable ? [...imported('\x19__indirect_function_table\x01\x70'), ...tableLimits[2]] : [],
    ...moveStack ? [...imported('\x0f__stack_pointer\x03'), bytes[pointer], bytes[pointer + 1]] : [],
  ]);
  for (const edit of [limits(memory, at.pages, at.maximumPages), tableLimits].sort(([a], [b]) => b - a))
    if (edit[0] < imports.end && (edit[0] === memory.at || at.tableEnd && edit[0])) replace(...edit);
  resize(IMPORT, moveStack + moveTable);

  const deltas = [0, at.offset, at.stackLow - module.stackLow, at.stackPointer - module.stackPointer,
    at.heapBase - module.heapBase, at.heapEnd - module.heapEnd, at.tableBase - module.tableBase];
  const number = reader(bytes, module.fixups), { start, end } = sections[0];
  held = null;
  while (number.at !== end) {
    const kind = number(), delta = deltas[(kind >> 3 & 7) + 1] - deltas[kind >> 6];
    // How many digits, which bits of a byte are one's, how many of 64 are not the last one's, whether it has a sign.
    const form = [[5, 127n, 60n], [5, 127n, 60n, 1], [10, 127n, 63n], [10, 127n, 63n, 1], [4, 255n, 56n], [8, 255n, 56n]][kind & 7];
    if (!form || !Number.isInteger(delta)) malformed();
    number.at = kernel.p(number(), number.at, end, pointer || behind, module.covered, BigInt(delta), ...form) || malformed();
  }

  const placed = new Uint8Array(head.length + start - behind + bytes.length - end);
  placed.set(head);
  placed.set(bytes.subarray(behind, start), head.length);
  placed.set(bytes.subarray(end), head.length + start - behind);
  return placed;
}
