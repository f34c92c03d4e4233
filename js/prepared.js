// Prepared modules: reading what `wasmshare prepare` wrote (docs/prepared-modules.md), and placing it.

import { fail } from './error.js';

const IMPORT = 2, TABLE = 4, GLOBAL = 6;
const again = ': prepare it again, as the last step of its build';

// Fletcher's checksum, of 32-bit words: the digest of what was prepared. It is called for a few pages at a time because
// engines are quicker to compile a function that is called often than a loop that it is in.
function addWords(words, sums) {
  const count = words.length;
  let a = sums[0], b = sums[1];
  for (let i = 0; i < count; ++i) {
    a = a + words[i] | 0;
    b = b + a | 0;
  }
  sums[0] = a;
  sums[1] = b;
}

function addBytes(bytes, sums) {
  if (bytes.byteOffset & 3) bytes = bytes.slice();
  const rest = new Int32Array(1), words = new Int32Array(bytes.buffer, bytes.byteOffset, bytes.length >> 2);
  new Uint8Array(rest.buffer).set(bytes.subarray(bytes.length & -4));
  sums[0] += bytes.length;
  for (let i = 0; i < words.length; i += 1024) addWords(words.subarray(i, i + 1024), sums);
  addWords(rest, sums);
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

const limits = ({ flags, minimum, maximum }) => [flags, ...uleb(minimum), ...flags & 1 ? uleb(maximum) : []];

// Reads a module, checks that nothing was changed since it was prepared, and says what placing it takes. `name` is for
// errors.
export function read(bytes, name) {
  const wrong = (code, message) => fail(code, `${name} ${message}`);
  const number = reader(bytes, 8), size = bytes.length, sections = {};
  let prepared;
  if (String(bytes.subarray(0, 8)) !== '0,97,115,109,1,0,0,0') wrong('not-wasm', 'is not a WebAssembly module');
  while (number.at < size) {
    const start = number.at++, id = bytes[start], length = number(), content = number.at, end = content + length;
    if (!(end <= size)) wrong('not-wasm', 'is cut off');
    if (id) {
      sections[id] = { start, content, end };
    } else if (number() === 9 && String.fromCharCode(...bytes.subarray(number.at, number.at + 9)) === 'wasmshare') {
      prepared = { start, content: number.at + 9, end };
    }
    number.at = end;
  }
  if (!prepared) wrong('not-prepared', 'is not prepared for placing at load time: run `wasmshare prepare` on it');
  const { content, end } = prepared;
  if (bytes[content] !== 1) wrong('version', `was prepared by another version of WasmShare${again}`);
  number.at = content + 9;
  const [covered, flags, alignment, dataBase, dataSize, stackLow, stackSize, ownEnd, heapBase, heapEnd, , tableBase,
    tableSize, , memoryAt, tableAt] = Array.from({ length: 16 }, number);
  const digest = new Int32Array(2);
  addBytes(bytes.subarray(0, covered), digest);
  addBytes(bytes.subarray(content + 9, end), digest);
  if (!(covered <= prepared.start) ||
      String(new Uint8Array(digest.buffer)) !== String(bytes.subarray(content + 1, content + 9)))
    wrong('changed', `was changed after it was prepared${again}`);

  const readLimits = (at) => {
    const read = reader(bytes, at + 1);
    const found = { at, flags: bytes[at], minimum: read(), maximum: bytes[at] & 1 ? read() : null };
    return { ...found, size: read.at - at };
  };
  return {
    name, wrong, bytes, sections, prepared, covered, fixups: number.at,
    hasStack: flags & 1, importsStack: flags & 2, sharesStack: flags & 4,
    hasTable: flags & 8, importsTable: flags & 16, sharesTable: flags & 32,
    usesHeapBase: flags & 64, usesHeapEnd: flags & 128, hasRelocations: flags & 256,
    alignment: 2 ** alignment, dataBase, dataEnd: dataBase + dataSize, stackLow, stackPointer: stackLow + stackSize,
    end: ownEnd, heapBase, heapEnd, tableBase, tableSize,
    memory: readLimits(memoryAt), table: tableAt ? readLimits(tableAt) : null,
    memory64: bytes[memoryAt] & 4, shared: bytes[memoryAt] & 2,
  };
}

// Adds to the number at `at`, which keeps its width.
function add(bytes, at, encoding, delta) {
  if (encoding < 2) {
    const value = (bytes[at] & 127 | (bytes[at + 1] & 127) << 7 | (bytes[at + 2] & 127) << 14 |
      (bytes[at + 3] & 127) << 21 | bytes[at + 4] << 28) + delta | 0;
    bytes[at] = value | 128;
    bytes[at + 1] = value >> 7 | 128;
    bytes[at + 2] = value >> 14 | 128;
    bytes[at + 3] = value >> 21 | 128;
    bytes[at + 4] = encoding ? value >> 28 & 127 : value >>> 28;
  } else {
    // A digit after the other, as long as something is carried: what is longer than 32 bits is no integer of JavaScript.
    const scale = encoding < 4 ? 128 : 256;
    for (let i = 0; i < [0, 0, 10, 10, 4, 8][encoding]; ++i) {
      const sum = (bytes[at + i] & scale - 1) + delta;
      bytes[at + i] = scale > 128 ? sum : i < 9 ? sum | 128 : encoding < 3 ? sum & 1 : -(sum & 1) & 127;
      delta = Math.floor(sum / scale);
    }
  }
}

// The bytes of a module at its place. `at` has the module's addresses there, and says what it imports.
export function place(module, at) {
  const { bytes, sections, prepared, wrong } = module;
  const malformed = () => wrong('malformed', `has a malformed section wasmshare${again}`);
  const moveStack = at.shareStack && module.hasStack && !module.importsStack ? 1 : 0;
  const moveTable = at.shareTable && module.hasTable && !module.importsTable ? 1 : 0;
  if (moveStack && !module.sharesStack)
    wrong('stack', 'has a stack pointer that is not the first global that it defines, so it cannot be shared');
  const imports = sections[IMPORT], globals = sections[GLOBAL];
  const imported = module.table && module.table.at < imports?.end;
  if (moveTable && (!module.sharesTable || !module.table || imported))
    wrong('table', 'has a function table that is not the first table that it defines, so it cannot be shared');

  // Ranges of bytes that are replaced, as [at, how many, by what]. All come before the first pointer.
  const edits = [];
  const edit = ({ start, content, end }, parts) => {
    const growth = parts.reduce((sum, [, removed, put]) => sum + put.length - removed, 0);
    edits.push([start + 1, content - start - 1, uleb(end - content + growth)], ...parts);
  };
  // The number that a section starts with, and what it becomes.
  const count = ({ content }, by) => {
    const number = reader(bytes, content), old = number();
    return [content, number.at - content, uleb(old + by)];
  };
  const limitsAt = ({ at, size }, put) => [at, size, limits(put)];
  const text = (string) => [...string].map((character) => character.charCodeAt());
  const memory = { flags: module.memory.flags & 6 | (at.maximumPages === null ? 0 : 1), minimum: at.pages,
    maximum: at.maximumPages };
  const table = { ...module.table };
  if (at.tableEnd) {
    table.flags &= 6;
    table.minimum = at.tableEnd;
  } else {
    table.minimum += at.tableBase - module.tableBase;
    table.maximum += at.tableBase - module.tableBase;
  }
  if (!imports || moveStack && !globals) malformed();
  const added = [], stackPointer = moveStack && count(globals, -1);
  if (moveTable) added.push(...text('\x03env\x19__indirect_function_table\x01\x70'), ...limits(table));
  const pointer = stackPointer && stackPointer[0] + stackPointer[1];
  if (moveStack) added.push(...text('\x03env\x0f__stack_pointer\x03'), bytes[pointer], bytes[pointer + 1]);
  edit(imports, [count(imports, moveTable + moveStack),
    ...[limitsAt(module.memory, memory), ...imported ? [limitsAt(module.table, table)] : []].sort((a, b) => a[0] - b[0]),
    [imports.end, 0, added]]);
  if (module.table && !imported) {
    const tables = sections[TABLE] ?? malformed(), [start, size, rest] = count(tables, -1);
    if (!moveTable) edit(tables, [limitsAt(module.table, table)]);
    else if (rest[0] === 0) edits.push([tables.start, tables.end - tables.start, []]);
    else edit(tables, [[start, size, rest], [start + size, module.table.at + module.table.size - start - size, []]]);
  }
  // A global is its type, whether it is mutable, and here a constant of full width.
  if (moveStack) edit(globals, [stackPointer, [pointer, bytes[pointer + 2] === 0x42 ? 14 : 9, []]]);
  const [lastAt, lastSize] = edits.at(-1), behind = lastAt + lastSize;
  const growth = edits.reduce((sum, [, removed, put]) => sum + put.length - removed, 0);
  edits.push([prepared.start, prepared.end - prepared.start, []], [bytes.length, 0, []]);

  const pieces = [];
  let from = 0, length = 0;
  for (const [position, removed, put] of edits) {
    if (!(from <= position)) malformed();
    pieces.push(bytes.subarray(from, position), put);
    length += position - from + put.length;
    from = position + removed;
  }
  const placed = new Uint8Array(length);
  length = 0;
  for (const piece of pieces) {
    placed.set(piece, length);
    length += piece.length;
  }

  const deltas = [at.offset, at.stackLow - module.stackLow, at.stackPointer - module.stackPointer,
    at.heapBase - module.heapBase, at.heapEnd - module.heapEnd, at.tableBase - module.tableBase];
  const number = reader(bytes, module.fixups), last = module.covered + growth;
  while (number.at < prepared.end) {
    const kind = number(), encoding = kind & 7, base = kind >> 3 & 7, minus = kind >> 6;
    const delta = deltas[base] - (minus ? deltas[minus - 1] : 0), width = [5, 5, 10, 10, 4, 8][encoding];
    if (!(delta === delta && width && last <= length)) malformed();
    for (let left = number(), i = growth; left; --left, i += width) {
      i += number();
      if (!(i + width <= last)) malformed();
      if (i >= behind + growth) add(placed, i, encoding, delta);
      else if (base !== 2 || !moveStack) malformed(); // it is a stack pointer that is imported now
    }
  }
  return placed;
}
