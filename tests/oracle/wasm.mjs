// A decoder of WebAssembly modules for the relink oracle. It shares nothing with the program under test, and refuses
// what it does not know. The formats are the core specification's (binary format) and tool-conventions' Linking.md.

export class Reader {
  constructor(bytes, start = 0, end = bytes.length) {
    this.bytes = bytes;
    this.at = start;
    this.end = end;
  }

  get done() {
    return this.at >= this.end;
  }

  u8() {
    if (this.done) throw new Error(`unexpected end at ${this.at}`);
    return this.bytes[this.at++];
  }

  // Integers come out as BigInt, so that 64-bit addresses stay exact.
  unsigned() {
    let value = 0n;
    for (let shift = 0n; ; shift += 7n) {
      const byte = this.u8();
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
  }

  signed(bits = 64) {
    let value = 0n;
    for (let shift = 0n; ; ) {
      const byte = this.u8();
      value |= BigInt(byte & 0x7f) << shift;
      shift += 7n;
      if (byte >= 0x80) continue;
      if (byte & 0x40) value -= 1n << shift;
      if (value !== BigInt.asIntN(bits, value)) throw new Error(`integer of more than ${bits} bits at ${this.at}`);
      return value;
    }
  }

  u32() {
    return Number(this.unsigned());
  }

  take(count) {
    if (this.at + count > this.end) throw new Error(`unexpected end at ${this.at}`);
    this.at += count;
    return this.bytes.subarray(this.at - count, this.at);
  }

  string() {
    return Buffer.from(this.take(this.u32())).toString('latin1'); // so that no two are the same
  }

  vector(element) {
    return Array.from({ length: this.u32() }, () => element());
  }
}

// What follows each opcode, by the kind of its immediates. Opcodes that are not listed have none; 0xfc, 0xfd and 0xfe
// are followed by a second opcode.
const immediates = new Map();
const describe = (kind, ...opcodes) => opcodes.forEach((opcode) => immediates.set(opcode, kind));
describe('block', 0x02, 0x03, 0x04, 0x06);
describe('index', 0x07, 0x08, 0x09, 0x0c, 0x0d, 0x10, 0x12, 0x14, 0x15, 0x18, 0xd2);
describe('index', 0x20, 0x21, 0x22, 0x23, 0x24, 0x25, 0x26, 0x3f, 0x40);
describe('index index', 0x11, 0x13);
describe('labels', 0x0e);
describe('types', 0x1c);
for (let opcode = 0x28; opcode <= 0x3e; ++opcode) describe('memarg', opcode);
describe('signed 32', 0x41);
describe('signed 64', 0x42);
describe('bytes 4', 0x43);
describe('bytes 8', 0x44);
describe('block', 0xd0); // ref.null: a heap type is coded like a block type
describe('index index', 0xfc08, 0xfc0a, 0xfc0c, 0xfc0e);
describe('index', 0xfc09, 0xfc0b, 0xfc0d, 0xfc0f, 0xfc10, 0xfc11);
for (let opcode = 0xfd00; opcode <= 0xfd0b; ++opcode) describe('memarg', opcode);
describe('bytes 16', 0xfd0c, 0xfd0d);
for (let opcode = 0xfd15; opcode <= 0xfd22; ++opcode) describe('bytes 1', opcode);
for (let opcode = 0xfd54; opcode <= 0xfd5b; ++opcode) describe('memarg lane', opcode);
describe('memarg', 0xfd5c, 0xfd5d);
for (let opcode = 0xfe00; opcode <= 0xfe4e; ++opcode) describe(opcode === 0xfe03 ? 'bytes 1' : 'memarg', opcode);

function known(opcode) {
  if (immediates.has(opcode)) return true;
  if (opcode <= 0xff) {
    if (opcode >= 0x45 && opcode <= 0xc4) return true;
    return [0x00, 0x01, 0x05, 0x0a, 0x0b, 0x0f, 0x19, 0x1a, 0x1b, 0xd1].includes(opcode);
  }
  return (opcode >= 0xfc00 && opcode <= 0xfc07) || (opcode >= 0xfd0e && opcode <= 0xfdff);
}

// Opcodes that the comparer names. A prefixed opcode is PREFIX << 8 | number.
export const op = {
  unreachable: 0x00, nop: 0x01, end: 0x0b, call: 0x10, localGet: 0x20, globalGet: 0x23, i32Const: 0x41, i64Const: 0x42,
  memoryInit: 0xfc08, memoryFill: 0xfc0b,
};

// One instruction: {at, opcode, immediates}, where `at` is the offset in `reader.bytes`.
function instruction(reader) {
  const at = reader.at;
  let opcode = reader.u8();
  if (opcode >= 0xfc && opcode <= 0xfe) {
    const second = reader.u32();
    if (second > 0xff) throw new Error(`unknown opcode 0x${opcode.toString(16)} ${second} at ${at}`);
    opcode = (opcode << 8) | second;
  }
  if (!known(opcode)) throw new Error(`unknown opcode 0x${opcode.toString(16)} at ${at}`);
  const values = [];
  const memarg = () => {
    const align = reader.unsigned();
    values.push(align);
    if (align & 64n) values.push(reader.unsigned()); // multi-memory: the memory's index
    values.push(reader.unsigned());
  };
  const form = immediates.get(opcode) ?? '';
  const [kind, size] = form.split(' ');
  switch (kind === 'signed' ? form : kind) {
    case '': break;
    case 'block':
    case 'signed 32': values.push(reader.signed(32)); break;
    case 'signed 64': values.push(reader.signed(64)); break;
    case 'index':
      values.push(reader.unsigned());
      if (size) values.push(reader.unsigned());
      break;
    case 'labels': values.push(...reader.vector(() => reader.unsigned()), reader.unsigned()); break;
    case 'types': values.push(...reader.vector(() => BigInt(reader.u8()))); break;
    case 'memarg':
      memarg();
      if (size === 'lane') values.push(BigInt(reader.u8()));
      break;
    case 'bytes': values.push(...Array.from(reader.take(Number(size)), BigInt)); break;
  }
  return { at, opcode, immediates: values };
}

// A constant expression as a list of instructions, without its end.
function expression(reader) {
  const list = [];
  for (;;) {
    const next = instruction(reader);
    if (next.opcode === op.end) return list;
    list.push(next);
  }
}

// The instructions of a function body, after its local declarations.
export function instructions(body) {
  const reader = new Reader(body);
  reader.vector(() => [reader.unsigned(), reader.signed()]);
  const list = [];
  while (!reader.done) list.push(instruction(reader));
  return list;
}

function limits(reader) {
  const flags = reader.u8();
  return { flags, minimum: reader.unsigned(), maximum: flags & 1 ? reader.unsigned() : null };
}

const table = (reader) => ({ type: reader.u8(), limits: limits(reader) });
const globalType = (reader) => ({ type: reader.u8(), mutable: reader.u8() });
const importDetails = [
  (reader) => ({ type: reader.u32() }),
  table,
  (reader) => ({ limits: limits(reader) }),
  globalType,
  (reader) => ({ attribute: reader.u8(), type: reader.u32() }),
];

function element(reader) {
  const flags = reader.u32();
  const active = !(flags & 1);
  const segment = { flags, table: 0, offset: null };
  if (active) {
    if (flags & 2) segment.table = reader.u32();
    segment.offset = expression(reader);
  }
  segment.kind = flags & 3 ? reader.u8() : 0;
  segment.entries = reader.vector(() => (flags & 4 ? expression(reader) : reader.u32()));
  return segment;
}

function data(reader) {
  const flags = reader.u32();
  if (flags > 2) throw new Error(`unknown data segment flags ${flags}`);
  const memory = flags === 2 ? reader.u32() : 0;
  const offset = flags === 1 ? null : expression(reader);
  const size = reader.u32();
  const at = reader.at;
  return { flags, memory, offset, at, bytes: reader.take(size) };
}

// tool-conventions, Linking.md: relocation types that the comparer names, and those that carry an addend.
export const relocation = {
  globalIndexLeb: 7, functionOffsetI32: 8, memoryAddrRelSleb: 11, memoryAddrRelSleb64: 17, functionOffsetI64: 22,
  data64: new Set([16, 19]), // in data, all others have 32 bits
};
const withAddend = new Set([3, 4, 5, 8, 9, 11, 14, 15, 16, 17, 21, 22, 23, 25]);

function relocations(reader) {
  const section = reader.u32();
  const entries = [];
  // lld leaves out those of weak functions that nothing defines, but counts them.
  for (let counted = reader.u32(); counted > 0 && reader.at < reader.end; --counted) {
    const entry = { type: reader.u8(), offset: reader.u32(), index: reader.u32(), addend: 0n };
    if (withAddend.has(entry.type)) entry.addend = reader.signed();
    entries.push(entry);
  }
  return { section, entries };
}

export const symbolKind = { function: 0, data: 1, global: 2, section: 3, tag: 4, table: 5 };
const UNDEFINED = 0x10;
const EXPLICIT_NAME = 0x40;

// tool-conventions, Linking.md: WASM_SYMBOL_TABLE. A symbol that is imported under its own name has none here.
function symbols(reader) {
  if (reader.u32() !== 2) throw new Error('unknown version of the linking section');
  let table = [];
  while (!reader.done) {
    const kind = reader.u8();
    const sub = new Reader(reader.take(reader.u32()));
    if (kind !== 8) continue;
    table = sub.vector(() => {
      const symbol = { kind: sub.u8(), flags: sub.u32() };
      const defined = !(symbol.flags & UNDEFINED);
      if (symbol.kind === symbolKind.data) {
        symbol.name = sub.string();
        if (defined) Object.assign(symbol, { index: sub.u32(), offset: sub.unsigned(), size: sub.unsigned() });
      } else {
        symbol.index = sub.u32();
        const named = symbol.kind !== symbolKind.section && (defined || symbol.flags & EXPLICIT_NAME);
        if (named) symbol.name = sub.string();
      }
      return symbol;
    });
  }
  return table;
}

// The name section: kind of name (1 functions, 7 globals, 9 data segments) -> index -> name.
function names(reader) {
  const result = new Map();
  while (!reader.done) {
    const kind = reader.u8();
    const sub = new Reader(reader.take(reader.u32()));
    const list = [];
    if (kind === 0) list.push([0, sub.string()]);
    else if ([1, 7, 9].includes(kind)) list.push(...sub.vector(() => [sub.u32(), sub.string()]));
    else throw new Error(`unknown name subsection ${kind}`);
    if (result.has(kind)) throw new Error(`name subsection ${kind} is repeated`);
    result.set(kind, new Map(list));
    if (result.get(kind).size !== list.length) throw new Error(`name subsection ${kind} names something twice`);
    if (!sub.done) throw new Error(`trailing bytes in name subsection ${kind}`);
  }
  return result;
}

export const sectionNames = ['custom', 'type', 'import', 'function', 'table', 'memory', 'global', 'export', 'start',
  'element', 'code', 'data', 'data count', 'tag'];

// Decodes a whole module. Sections that are absent are empty lists or null.
export function decode(bytes) {
  const module = {
    bytes, sections: [], types: [], imports: [], functions: [], tables: [], memories: [], globals: [], exports: [],
    start: null, elements: [], dataCount: null, code: [], codeStart: null, data: [], tags: [], customs: [],
    names: new Map(), symbols: [], relocations: [],
  };
  const reader = new Reader(bytes);
  if (Buffer.from(reader.take(8)).toString('hex') !== '0061736d01000000') throw new Error('not a core module');
  while (!reader.done) {
    const id = reader.u8();
    const size = reader.u32();
    const start = reader.at;
    const inside = new Reader(bytes, start, start + size);
    reader.take(size);
    const section = { id, start, end: start + size, name: sectionNames[id] };
    module.sections.push(section);
    const here = () => inside.at;
    switch (id) {
      case 0: {
        section.name = inside.string();
        section.start = here();
        const payload = bytes.subarray(section.start, section.end);
        if (section.name.startsWith('reloc.')) module.relocations.push(relocations(inside));
        else if (section.name === 'linking') module.symbols = symbols(inside);
        else if (section.name === 'name') module.names = names(inside);
        module.customs.push({ name: section.name, payload });
        inside.at = inside.end;
        break;
      }
      case 1:
        module.types = inside.vector(() => {
          if (inside.u8() !== 0x60) throw new Error('not a function type');
          const values = () => inside.vector(() => inside.u8());
          return { parameters: values(), results: values() };
        });
        break;
      case 2:
        module.imports = inside.vector(() => {
          const entry = { module: inside.string(), name: inside.string(), kind: inside.u8() };
          return { ...entry, ...importDetails[entry.kind](inside) };
        });
        break;
      case 3: module.functions = inside.vector(() => inside.u32()); break;
      case 4: module.tables = inside.vector(() => table(inside)); break;
      case 5: module.memories = inside.vector(() => limits(inside)); break;
      case 6: module.globals = inside.vector(() => ({ ...globalType(inside), init: expression(inside) })); break;
      case 7:
        module.exports = inside.vector(() => ({ name: inside.string(), kind: inside.u8(), index: inside.u32() }));
        break;
      case 8: module.start = inside.u32(); break;
      case 9: module.elements = inside.vector(() => element(inside)); break;
      case 10: {
        module.codeStart = start;
        module.code = inside.vector(() => {
          const length = inside.u32();
          return { at: here(), body: inside.take(length) };
        });
        break;
      }
      case 11: module.data = inside.vector(() => data(inside)); break;
      case 12: module.dataCount = inside.u32(); break;
      case 13: module.tags = inside.vector(() => ({ attribute: inside.u8(), type: inside.u32() })); break;
      default: throw new Error(`unknown section ${id}`);
    }
    if (!inside.done) throw new Error(`trailing bytes in the ${section.name} section`);
  }
  module.importedFunctions = module.imports.filter((entry) => entry.kind === 0).length;
  module.importedGlobals = module.imports.filter((entry) => entry.kind === 3).length;
  return module;
}
