// Prepared modules: reading what `wasmshare prepare` wrote (docs/prepared-modules.md), and placing it.

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

// Fletcher's checksum, of 32-bit words: the digest of what was prepared. It is called for a page at a time because
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

// Reads a module, checks that nothing was changed since it was prepared, and says what placing it takes. `name` is for
// errors.
export function read(bytes, name) {
  const wrong = (code, message) => fail(code, `${name} ${message}`);
  const number = reader(bytes, 8), sections = {};
  const malformed = () => wrong('changed', 'was changed, or prepared by another version: prepare it again');
  if (String(bytes.subarray(0, 8)) !== '0,97,115,109,1,0,0,0') wrong('not-wasm', 'is no WebAssembly module');
  while (number.at < bytes.length) {
    const start = number.at++, id = bytes[start], size = number(), content = number.at, end = content + size;
    if (!(end <= bytes.length)) wrong('not-wasm', 'is no WebAssembly module');
    // A custom section counts if it is ours.
    if (id) sections[id] = { start, content, end };
    else if (String.fromCharCode(...bytes.subarray(content, content + 10)) === '\twasmshare')
      sections[0] = { start, content: content + 10, end };
    number.at = end;
  }
  const { start, content, end } = sections[0] ?? wrong('not-prepared', 'is not prepared: run `wasmshare prepare` on it');
  number.at = content + 9;
  const [covered, flags, alignment, dataBase, dataSize, stackLow, stackSize, ownEnd, heapBase, heapEnd, , , ,
    tableBase, tableSize, , memoryAt, tableAt] = Array.from({ length: 18 }, number);
  const fixups = number.at, digest = new Int32Array(2);
  addBytes(bytes.subarray(0, covered), digest);
  addBytes(bytes.subarray(content + 9, end), digest);
  if (bytes[content] !== 1 || !(covered <= start) || String(new Uint8Array(digest.buffer)) !== String(bytes.subarray(content + 1, content + 9)))
    malformed();

  const limits = (at) => {
    number.at = at + 1;
    return { at, flags: bytes[at], minimum: number(), maximum: bytes[at] & 1 ? number() : undefined, end: number.at };
  };
  return {
    wrong, malformed, name, bytes, sections, covered, fixups, flags, alignment: 2 ** alignment, dataBase,
    dataEnd: dataBase + dataSize, stackLow, stackPointer: stackLow + stackSize, end: ownEnd, heapBase, heapEnd,
    tableBase, tableSize, memory: limits(memoryAt), table: limits(tableAt),
    ownsStack: (flags & 3) === 1, ownsTable: (flags & 24) === 8,
    memory64: !!(bytes[memoryAt] & 4), shared: !!(bytes[memoryAt] & 2),
  };
}

// Adds to the number at `at`, which keeps its width.
function add(bytes, at, encoding, width, delta) {
  if (encoding < 2) {
    const value = (bytes[at] & 127 | (bytes[at + 1] & 127) << 7 | (bytes[at + 2] & 127) << 14 |
      (bytes[at + 3] & 127) << 21 | bytes[at + 4] << 28) + delta | 0;
    bytes[at] = value | 128;
    bytes[at + 1] = value >> 7 | 128;
    bytes[at + 2] = value >> 14 | 128;
    bytes[at + 3] = value >> 21 | 128;
    bytes[at + 4] = encoding ? value >> 28 & 127 : value >>> 28;
  } else {
    // Digit by digit: what is longer than 32 bits is no integer of JavaScript.
    const scale = encoding < 4 ? 128 : 256;
    for (let i = 0; i < width; ++i) {
      const sum = (bytes[at + i] & scale - 1) + delta;
      bytes[at + i] = encoding > 3 ? sum : i < 9 ? sum | 128 : encoding < 3 ? sum & 1 : -(sum & 1) & 127;
      delta = Math.floor(sum / scale);
    }
  }
}

// The bytes of a module at its place. `at` has the module's addresses there, and says what it shares.
export function place(module, at) {
  const { bytes, sections, memory, table, malformed, flags } = module;
  const moveStack = at.shareStack && module.ownsStack ? 1 : 0, moveTable = at.tableEnd && module.ownsTable ? 1 : 0;
  const cannotShare = (what) => module.wrong(what, `cannot share its ${what}, which is not the first that it defines`);
  if (moveStack && !(flags & 4)) cannotShare('stack');
  if (moveTable && !(flags & 32 && table.at > sections[IMPORT]?.end)) cannotShare('table');

  // The limits of memory and table change, and what is shared moves from its own section to the imports. All of this
  // is in front of the first pointer.
  const pieces = [];
  let behind = 0, length = 0;
  const keep = (until, next, ...put) => {
    if (!(behind <= until)) malformed();
    pieces.push(bytes.subarray(behind, until), ...put);
    behind = next;
  };
  const limits = ({ at, end, flags }, minimum, maximum) => {
    const limited = (maximum ?? -1) >= 0;
    return { at, end, put: [flags & 6 | limited, ...uleb(minimum), ...limited ? uleb(maximum) : []] };
  };
  // A shared table has room for all modules, and no maximum; a private one stays as it is.
  const newTable = at.tableEnd && limits(table, at.tableEnd);
  const changes = [limits(memory, at.pages, at.maximumPages), newTable ?? {}];
  const copy = (from, to) => {
    const change = changes.find(({ at }) => from <= at && at < to);
    return change ? [...copy(from, change.at), ...change.put, ...copy(change.end, to)] : bytes.subarray(from, to);
  };
  // How many a section has, and where the first of them is.
  const first = (id) => {
    const number = reader(bytes, (sections[id] ?? malformed()).content);
    return [number(), number.at];
  };
  // Writes a section with more or less in it: of the bytes between its count and `until`, those before `from` go.
  const rewrite = (id, more, from, until, ...added) => {
    const [count, start] = first(id), section = sections[id], end = until || section.end;
    const body = [...uleb(count + more), ...copy(from || start, end), ...added];
    keep(section.start, end, ...count + more || until ? [[id, ...uleb(body.length + section.end - end)], body] : []);
  };
  const imported = (name) => [...'\x03env' + name].map((letter) => letter.charCodeAt());
  const pointer = moveStack && first(GLOBAL)[1];
  rewrite(IMPORT, moveStack + moveTable, 0, 0,
    ...moveTable ? [...imported('\x19__indirect_function_table\x01\x70'), ...newTable.put] : [],
    ...moveStack ? [...imported('\x0f__stack_pointer\x03'), bytes[pointer], bytes[pointer + 1]] : []);
  if (moveTable) rewrite(TABLE, -1, table.end);
  // A global is its type, whether it is mutable, and here a constant of full width.
  const behindPointer = pointer + (bytes[pointer + 2] === 0x42 ? 14 : 9);
  if (moveStack) rewrite(GLOBAL, -1, behindPointer, behindPointer);
  const firstPointer = behind, { start, end } = sections[0];
  keep(start, end);
  keep(bytes.length);
  for (const piece of pieces) length += piece.length;
  const growth = length - bytes.length + end - start, placed = new Uint8Array(length);
  length = 0;
  for (const piece of pieces) {
    placed.set(piece, length);
    length += piece.length;
  }

  const deltas = [at.offset, at.stackLow - module.stackLow, at.stackPointer - module.stackPointer,
    at.heapBase - module.heapBase, at.heapEnd - module.heapEnd,
    at.tableBase - module.tableBase];
  const number = reader(bytes, module.fixups), last = module.covered + growth;
  while (number.at < end) {
    const kind = number(), encoding = kind & 7, base = kind >> 3 & 7, minus = kind >> 6;
    const delta = deltas[base] - (minus ? deltas[minus - 1] : 0), width = [5, 5, 10, 10, 4, 8][encoding];
    if (!(delta === delta && width && last <= length)) malformed();
    for (let left = number(), i = growth; left; --left, i += width) {
      i += number();
      if (!(i + width <= last)) malformed();
      if (i >= firstPointer + growth) add(placed, i, encoding, width, delta);
      else if (base !== 2 || !moveStack) malformed(); // it is a stack pointer that is imported now
    }
  }
  return placed;
}
