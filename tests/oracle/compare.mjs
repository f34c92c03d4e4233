// The definition of exact: is a module that `wasmshare relocate` moved the one that wasm-ld would have linked there?
//
//     node compare.mjs MOVED RELINK [--offset N] [--reference LINK]
//
// Everything is compared, section by section. What may differ is what wasmshare means to do differently, and each such
// difference is undone or checked here by a rule of its own:
//
//  - global initialisers and segment offsets are padded: decoded values are compared;
//  - trailing zeros of a data segment are not shipped: an appended start function must clear exactly the ranges that
//    were dropped, and then call what the linker made the start function;
//  - a function whose pointers have no relocations and no padding calls its padded replacement, which is appended: the
//    replacement's instructions are compared with the relink's;
//  - such a function is as long as its pointers are, and the function count may grow by a byte: a code offset in DWARF
//    is compared as a distance from the start of its function;
//  - statically linked PIC code adds __memory_base, which every link makes 0 and a move makes the offset, to operands
//    that hold whole addresses: the sums are compared. Where those operands are is known from relocations: the
//    relink's, or, if the case is to be moved without, those of a third link, `reference`, with --emit-relocs;
//  - `linking` and `reloc.*` are dropped.

import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { pathToFileURL } from 'node:url';
import { Reader, decode, instructions, op, relocation, symbolKind } from './wasm.mjs';

// Fewer zeros than these at a segment's end are shipped.
const SHORTEST_DROPPED = 64;

const hex = (number) => `0x${number.toString(16)}`;
const show = (value) => JSON.stringify(value, (_, part) => (typeof part === 'bigint' ? `${part}` : part));
const isDropped = (custom) => custom.name === 'linking' || custom.name.startsWith('reloc.');
const isDebug = (custom) => custom.name.startsWith('.debug_');

// What two expressions or bodies say, without where they say it.
const said = (list) => show(list.map(({ opcode, immediates }) => [opcode, ...immediates]));
const sayInstruction = ({ opcode, immediates }) => `${hex(opcode)} ${immediates.join(' ')}`;

function localDeclarations(body) {
  const first = instructions(body)[0];
  return Buffer.from(body.subarray(0, first.at)).toString('hex');
}

function trailingZeros(bytes) {
  let length = bytes.length;
  while (length > 0 && bytes[length - 1] === 0) --length;
  return bytes.length - length;
}

// Ranges [from, to) in order, with those that touch made one.
function joined(ranges) {
  const result = [];
  for (const range of ranges.filter(([from, to]) => from < to).sort(([a], [b]) => (a < b ? -1 : 1))) {
    const last = result.at(-1);
    if (last && last[1] === range[0]) last[1] = range[1];
    else result.push([...range]);
  }
  return result;
}

const constant = (list) => (list.length === 1 && [op.i32Const, op.i64Const].includes(list[0].opcode)
  ? list[0].immediates[0] : null);

class Comparison {
  constructor(moved, relink, offset, reference) {
    this.moved = moved;
    this.relink = relink;
    this.reference = reference;
    this.offset = offset;
    this.differences = [];
    this.appended = moved.code.map((_, i) => i).slice(relink.code.length);
    this.replaced = new Set(); // functions that forward to appended ones
  }

  differ(message) {
    this.differences.push(message);
  }

  expect(what, moved, relink) {
    if (show(moved) !== show(relink)) this.differ(`${what}: ${show(moved)}, the relink has ${show(relink)}`);
  }

  each(what, moved, relink, compare) {
    this.expect(`number of ${what}s`, moved.length, relink.length);
    for (let i = 0; i < Math.min(moved.length, relink.length); ++i) compare(`${what} ${i}`, moved[i], relink[i], i);
  }

  run() {
    this.findReplacements();
    this.undoMemoryBase();
    this.compareDeclarations();
    this.compareCode();
    this.compareData();
    this.compareStart();
    this.expect('appended functions without a purpose', this.appended, []);
    this.compareCustomSections();
    return this.differences;
  }

  // A function whose body is a call of an appended one must be what that one is.
  findReplacements() {
    const { moved, relink } = this;
    for (let i = 0; i < Math.min(moved.code.length, relink.code.length); ++i) {
      if (moved.code[i].body.equals(relink.code[i].body)) continue;
      const replacement = this.forwardsTo(i);
      if (!this.appended.includes(replacement)) continue;
      const [is, should] = [moved.code[replacement].body, relink.code[i].body];
      this.expect(`what function ${i} forwards to`, [localDeclarations(is), said(instructions(is))],
        [localDeclarations(should), said(instructions(should))]);
      this.expect(`type of the replacement of function ${i}`, moved.functions[replacement], relink.functions[i]);
      this.appended.splice(this.appended.indexOf(replacement), 1);
      this.replaced.add(i + moved.importedFunctions);
    }
  }

  // The function, among the defined ones, that function `i` calls with its own parameters, if it does nothing else.
  forwardsTo(i) {
    const { moved } = this;
    const parameters = moved.types[moved.functions[i]].parameters.map((_, k) => [op.localGet, BigInt(k)]);
    const { body } = moved.code[i];
    const list = instructions(body).filter(({ opcode }) => opcode !== op.nop);
    const callee = list.at(-2);
    if (body[0] !== 0 || callee?.opcode !== op.call) return -1;
    if (said(list) !== show([...parameters, [op.call, ...callee.immediates], [op.end]])) return -1;
    return Number(callee.immediates[0]) - moved.importedFunctions;
  }

  // In the relink, takes the offset off the operands that are relative to __memory_base and gives it to that global.
  undoMemoryBase() {
    const { relink, reference, offset } = this;
    const holders = relink.globals.filter((_, i) => this.isMemoryBase(i + relink.importedGlobals));
    for (const { init: [initial] } of holders) {
      if (initial.immediates[0] !== 0n) throw new Error('__memory_base is not 0 in the relink');
      initial.immediates[0] = BigInt.asIntN(initial.opcode === op.i64Const ? 64 : 32, offset);
    }
    const entries = reference.relocations.flatMap((list) => (
      reference.sections[list.section].name === 'code' ? list.entries : []));
    for (const { type, offset: at } of entries) {
      if (type !== relocation.memoryAddrRelSleb && type !== relocation.memoryAddrRelSleb64) continue;
      if (holders.length === 0) throw new Error('an operand is relative to __memory_base, but there is no such global');
      const site = reference.codeStart + at;
      const i = reference.code.findIndex(({ at: start, body }) => site >= start && site < start + body.length);
      const { body } = relink.code[this.sameFunction(i)];
      const { immediates } = instructions(body).find((found) => found.at === site - reference.code[i].at - 1);
      const bits = type === relocation.memoryAddrRelSleb ? 32 : 64;
      writePaddedSigned(body, site - reference.code[i].at, BigInt.asIntN(bits, immediates[0] - offset), bits / 32 * 5);
    }
  }

  // An exported global of that name is one, too: `wasm-ld --export-all` makes it.
  isMemoryBase(global) {
    const { relink } = this;
    return relink.names.get(7)?.get(global) === 'GOT.data.internal.__memory_base'
      || relink.exports.some(({ name, kind, index }) => name === '__memory_base' && kind === 3 && index === global)
      || this.gotOfMemoryBase === BigInt(global);
  }

  // Without names, the global is the operand of a relocation that names the symbol.
  get gotOfMemoryBase() {
    const { relink } = this;
    for (const { section, entries } of relink.relocations) {
      if (relink.sections[section].name !== 'code') continue;
      const found = entries.find(({ type, index }) => type === relocation.globalIndexLeb
        && relink.symbols[index].kind === symbolKind.data && relink.symbols[index].name === '__memory_base');
      if (found) return new Reader(relink.bytes, relink.codeStart + found.offset).unsigned();
    }
    return null;
  }

  // The relink's function of the same name as a function of the reference.
  sameFunction(i) {
    const { relink, reference } = this;
    if (relink === reference) return i;
    const name = reference.names.get(1).get(i + reference.importedFunctions);
    const [index] = [...relink.names.get(1)].find(([, other]) => other === name);
    return index - relink.importedFunctions;
  }

  compareDeclarations() {
    const { moved, relink } = this;
    const plain = (what, list) => this.each(what, moved[list], relink[list], (name, a, b) => this.expect(name, a, b));

    // A start section may have been added, and a type for what was appended.
    const order = (module) => module.sections.filter((section) => section.id !== 8 && !isDropped(section))
      .map(({ name }) => name);
    this.expect('sections', order(moved), order(relink));
    const extraTypes = moved.types.slice(relink.types.length);
    this.expect('types', moved.types.slice(0, relink.types.length), relink.types);
    if (extraTypes.length > 0) {
      this.expect('added types', extraTypes, [{ parameters: [], results: [] }]);
      const used = moved.functions.slice(relink.functions.length).includes(relink.types.length);
      if (!used) this.differ('a type was added that no appended function uses');
    }

    plain('import', 'imports');
    this.expect('functions', moved.functions.slice(0, relink.functions.length), relink.functions);
    this.expect('number of functions', moved.functions.length, moved.code.length);
    plain('table', 'tables');
    plain('memory', 'memories');
    plain('tag', 'tags');
    this.expect('data count', moved.dataCount, relink.dataCount);
    this.each('export', moved.exports, relink.exports, (name, a, b) => this.expect(name, a, b));
    this.each('global', moved.globals, relink.globals, (name, a, b, i) => {
      const label = `${name} (${relink.names.get(7)?.get(i + relink.importedGlobals) ?? 'no name'})`;
      this.expect(`${label}, type`, [a.type, a.mutable], [b.type, b.mutable]);
      this.expect(label, said(a.init), said(b.init));
    });
    this.each('element segment', moved.elements, relink.elements, (name, a, b) => {
      this.expect(`${name}, form`, [a.flags, a.table, a.kind], [b.flags, b.table, b.kind]);
      this.expect(`${name}, offset`, a.offset && said(a.offset), b.offset && said(b.offset));
      this.expect(`${name}, functions`, a.entries, b.entries);
    });
  }

  compareCode() {
    const { moved, relink } = this;
    for (let i = 0; i < relink.code.length; ++i) {
      const index = i + relink.importedFunctions;
      if (i >= moved.code.length) return this.differ(`function ${index} is missing`);
      if (this.replaced.has(index)) continue;
      const [a, b] = [moved.code[i].body, relink.code[i].body];
      if (!a.equals(b)) this.describeBody(index, a, b);
    }
  }

  describeBody(index, a, b) {
    const label = `function ${index} (${this.relink.names.get(1)?.get(index) ?? 'no name'})`;
    const [is, should] = [instructions(a), instructions(b)];
    const at = should.findIndex((i, n) => !is[n] || said([is[n]]) !== said([i]));
    if (at < 0) return this.differ(`${label}: the same instructions in other bytes`);
    const found = is[at] ? sayInstruction(is[at]) : 'nothing';
    this.differ(`${label} at ${hex(should[at].at)}: ${found}, the relink has ${sayInstruction(should[at])}`);
  }

  compareData() {
    const { moved, relink } = this;
    this.cleared = [];
    const initialised = this.memoryInitLengths();
    this.each('data segment', moved.data, relink.data, (name, a, b, i) => {
      this.expect(`${name}, form`, [a.flags, a.memory], [b.flags, b.memory]);
      this.expect(`${name}, offset`, a.offset && said(a.offset), b.offset && said(b.offset));
      const zeros = this.zerosBehindPointers(b);
      const passive = b.offset === null;
      const droppable = passive ? !initialised.has(i) && this.isFilled(b.bytes)
        : this.clearsMemory() && zeros >= SHORTEST_DROPPED;
      const kept = b.bytes.length - (droppable ? zeros : 0);
      if (a.bytes.length !== kept) {
        this.differ(`${name}: ${a.bytes.length} bytes of ${b.bytes.length}, of which ${kept} must be shipped`);
      }
      const length = Math.min(a.bytes.length, kept);
      for (let at = 0; at < length; ++at) {
        if (a.bytes[at] === b.bytes[at]) continue;
        this.differ(`${name} at ${hex(at)}: byte ${hex(a.bytes[at])}, the relink has ${hex(b.bytes[at])}`);
        break;
      }
      if (!droppable || passive) return;
      const bits = b.offset[0].opcode === op.i64Const ? 64 : 32;
      const start = BigInt.asUintN(bits, constant(b.offset));
      this.cleared.push([start + BigInt(kept), start + BigInt(b.bytes.length)]);
    });
  }

  // Zeros at the segment's end, apart from those that belong to a pointer.
  zerosBehindPointers({ at, bytes }) {
    const { relink } = this;
    let end = bytes.length - trailingZeros(bytes);
    for (const { section, entries } of relink.relocations) {
      if (relink.sections[section].name !== 'data') continue;
      for (const { type, offset } of entries) {
        const pointer = relink.sections[section].start + offset - at;
        const size = relocation.data64.has(type) ? 8 : 4;
        if (pointer >= 0 && pointer < end && pointer + size > end) end = pointer + size;
      }
    }
    return bytes.length - end;
  }

  // Whether the module may use memory.fill for active segments. The linker's own function clears passive ones.
  clearsMemory() {
    const features = this.relink.customs.find(({ name }) => name === 'target_features');
    if (!features) return false;
    const reader = new Reader(features.payload);
    return reader.vector(() => String.fromCharCode(reader.u8()) + reader.string())
      .some((feature) => feature === '+bulk-memory' || feature === '+bulk-memory-opt');
  }

  // Whether passive data is all zeros, and the linker's own function fills as much memory instead of copying them.
  isFilled(bytes) {
    return trailingZeros(bytes) === bytes.length && this.relink.code.some(({ body }) => {
      const list = instructions(body);
      return list.some(({ opcode }, i) => opcode === op.memoryFill
        && constant(list.slice(i - 1, i)) === BigInt(bytes.length));
    });
  }

  // Data segments that a memory.init reads: those are needed whole.
  memoryInitLengths() {
    const read = new Set();
    if (!this.relink.data.some(({ offset }) => offset === null)) return read;
    for (const { body } of this.relink.code) {
      for (const { opcode, immediates } of instructions(body)) {
        if (opcode === op.memoryInit) read.add(Number(immediates[0]));
      }
    }
    return read;
  }

  compareStart() {
    const { moved, relink } = this;
    const own = relink.start;
    const wanted = joined(this.cleared);
    if (wanted.length === 0) return this.expect('start function', moved.start, own);
    const at = moved.start === null ? -1 : moved.start - moved.importedFunctions;
    if (!this.appended.includes(at)) return this.differ('no start function clears the zeros that are not shipped');
    this.appended.splice(this.appended.indexOf(at), 1);
    this.expect('type of the start function', moved.types[moved.functions[at]], { parameters: [], results: [] });
    this.expect('locals of the start function', localDeclarations(moved.code[at].body), '00');
    const list = instructions(moved.code[at].body);
    const filled = [];
    while (list[3]?.opcode === op.memoryFill) {
      const [address, value, size, fill] = list.splice(0, 4);
      const bits = address.opcode === op.i64Const ? 64 : 32;
      const from = BigInt.asUintN(bits, constant([address]));
      filled.push([from, from + BigInt.asUintN(bits, constant([size]))]);
      this.expect('value and memory of a fill', [said([value]), fill.immediates], [show([[op.i32Const, 0n]]), [0n]]);
    }
    this.expect('ranges cleared at the start', joined(filled), wanted);
    const rest = own === null ? [[op.end]] : [[op.call, BigInt(own)], [op.end]];
    this.expect('what follows the clearing', said(list), show(rest));
  }

  compareCustomSections() {
    const { moved, relink } = this;
    const wanted = relink.customs.filter((custom) => !isDropped(custom));
    this.expect('custom sections', moved.customs.map(({ name }) => name), wanted.map(({ name }) => name));
    for (const [i, custom] of wanted.entries()) {
      const own = moved.customs[i];
      if (own?.name !== custom.name) continue;
      if (custom.name === 'name') this.compareNames();
      else if (isDebug(custom)) this.compareDebug(own, custom);
      else this.expect(`custom section ${custom.name}`, own.payload, custom.payload);
    }
  }

  // Appended functions may be named; nothing else may change.
  compareNames() {
    const { moved, relink } = this;
    this.expect('kinds of names', [...moved.names.keys()], [...relink.names.keys()]);
    const end = relink.importedFunctions + relink.code.length;
    for (const [kind, names] of relink.names) {
      if (kind === 0) { // the module's name is its output file's
        this.expect('number of module names', moved.names.get(0)?.size, 1);
        continue;
      }
      const isAppended = (index) => kind === 1 && index >= end && index < moved.importedFunctions + moved.code.length;
      const own = [...(moved.names.get(kind) ?? [])].filter(([index]) => !isAppended(index));
      this.expect(`names of kind ${kind}`, own, [...names]);
    }
  }

  compareDebug(own, custom) {
    const { moved, relink } = this;
    if (own.payload.length !== custom.payload.length) {
      return this.expect(`size of ${custom.name}`, own.payload.length, custom.payload.length);
    }
    const expected = Buffer.from(custom.payload);
    const section = relink.sections.findIndex(({ id, name }) => id === 0 && name === custom.name);
    const entries = relink.relocations.filter((list) => list.section === section).flatMap((list) => list.entries);
    for (const { type, offset, index } of entries) {
      if (type !== relocation.functionOffsetI32 && type !== relocation.functionOffsetI64) continue;
      const symbol = relink.symbols[index]; // none if it was not linked: LLVM 19 writes the index -1
      const i = symbol ? symbol.index - relink.importedFunctions : -1;
      if (i < 0) continue;
      const shift = (moved.code[i].at - moved.codeStart) - (relink.code[i].at - relink.codeStart);
      if (type === relocation.functionOffsetI32) expected.writeUInt32LE(expected.readUInt32LE(offset) + shift, offset);
      else expected.writeBigUInt64LE(expected.readBigUInt64LE(offset) + BigInt(shift), offset);
    }
    for (let at = 0; at < expected.length; ++at) {
      if (expected[at] === own.payload[at]) continue;
      const words = [own.payload, expected].map((bytes) => Buffer.from(bytes.subarray(at, at + 8)).toString('hex'));
      return this.differ(`${custom.name} at ${hex(at)}: ${words[0]}, the relink has ${words[1]}`);
    }
  }
}

function writePaddedSigned(bytes, at, value, width) {
  for (let i = 0; i < width; ++i, value >>= 7n) {
    bytes[at + i] = Number(value & 0x7fn) | (i < width - 1 ? 0x80 : 0);
  }
}

// The same, of a module that is decoded already.
export function compareDecoded(moved, relink, offset, reference) {
  const decoded = decode(Buffer.from(relink));
  return new Comparison(moved, decoded, offset, reference ? decode(reference) : decoded).run();
}

// What of `moved` is not as in `relink`: a list of sentences, empty if it is exact. `offset` is how far it was moved.
export function compare(moved, relink, offset, reference) {
  return compareDecoded(decode(Buffer.from(moved)), relink, offset, reference);
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  const { values, positionals } = parseArgs({ allowPositionals: true,
    options: { offset: { type: 'string' }, reference: { type: 'string' } } });
  const [moved, relink] = positionals.map((path) => readFileSync(path));
  const reference = values.reference && readFileSync(values.reference);
  const differences = compare(moved, relink, BigInt(values.offset ?? 0), reference);
  differences.slice(0, 20).forEach((line) => console.error(line));
  if (differences.length > 20) console.error(`and ${differences.length - 20} more`);
  process.exit(differences.length === 0 ? 0 : 1);
}
