// The relink oracle for merging: what modules are merged into must be what the linker makes of their objects at once.
// Numbers and addresses differ; what they name must not.

import { decode, instructions, op } from './wasm.mjs';

const callers = new Set([op.call, 0x12, 0xd2]); // call, return_call, ref.func
const indirectCallers = new Set([0x11, 0x13]);
const globalUsers = new Set([op.globalGet, 0x24]);
const blocks = new Set([0x02, 0x03, 0x04, 0x06]);
const constants = new Set([op.i32Const, op.i64Const]);
const isAccess = (opcode) => (opcode >= 0x28 && opcode <= 0x3e) || (opcode >= 0xfd00 && opcode <= 0xfd0b)
  || (opcode >= 0xfd54 && opcode <= 0xfd5d) || opcode >= 0xfe00;

class Side {
  constructor(bytes) {
    this.module = decode(bytes);
    const { imports, names, code, importedFunctions } = this.module;
    this.imports = imports.filter(({ kind }) => kind === 0);
    this.names = names.get(1) ?? new Map();
    this.byName = new Map();
    code.forEach(({ body }, i) => {
      const name = this.functionName(i + importedFunctions);
      this.byName.set(name, this.byName.has(name) ? null : { body, index: i + importedFunctions }); // null: not unique
    });
  }

  functionName(index) {
    if (index >= this.imports.length) return this.names.get(index) ?? `function ${index}`;
    return `${this.imports[index].module}.${this.imports[index].name}`;
  }

  functionType(index) {
    const { functions } = this.module;
    return this.type(index < this.imports.length ? this.imports[index].type : functions[index - this.imports.length]);
  }

  type(index) {
    const { parameters, results } = this.module.types[index];
    return `${parameters} -> ${results}`;
  }

  slotName(slot) {
    for (const { offset, entries } of this.module.elements) {
      const at = Number(slot - BigInt(offset?.[0]?.immediates[0] ?? 0n));
      if (offset && at >= 0 && at < entries.length) return this.functionName(entries[at]);
    }
    return null;
  }

  // What lies at an address, up to `size` bytes; zeros after the data; null where there is none.
  at(address, size) {
    for (const { offset, bytes } of this.module.data) {
      const from = Number(address - BigInt(offset?.[0]?.immediates[0] ?? -1n));
      if (offset && from >= 0 && from < bytes.length) return bytes.subarray(from, from + size);
    }
    return null;
  }
}

class Comparison {
  constructor(merged, linked) {
    this.sides = [new Side(merged), new Side(linked)];
    this.differences = [];
    this.forth = new Map(); // addresses in the one, and in the other
    this.back = new Map();
    this.compared = 0;
  }

  note(what) {
    if (this.differences.length < 20) this.differences.push(what);
  }

  // Two numbers that differ must be one function's slot, or one variable's address, wherever they are used.
  sameMeaning(a, b) {
    if (a === b) return true;
    const [merged, linked] = this.sides;
    const slots = [merged.slotName(a), linked.slotName(b)];
    if (slots[0] !== null && slots[0] === slots[1]) return true;
    if (this.forth.has(a) || this.back.has(b)) return this.forth.get(a) === b && this.back.get(b) === a;
    this.forth.set(a, b);
    this.back.set(b, a);
    const [left, right] = [merged.at(a, 4), linked.at(b, 4)];
    if (!left || !right) return true; // .bss, the stack, the heap
    return left[0] === right[0] || left.length < 4 || right.length < 4
      || this.sameMeaning(word(left), word(right));
  }

  sameImmediate(opcode, a, b, i) {
    const [merged, linked] = this.sides;
    if (callers.has(opcode)) return merged.functionName(Number(a)) === linked.functionName(Number(b));
    if (indirectCallers.has(opcode)) return i === 0 ? merged.type(Number(a)) === linked.type(Number(b)) : a === b;
    if (globalUsers.has(opcode)) return globalName(merged, a) === globalName(linked, b);
    if (blocks.has(opcode)) return a < 0n ? a === b : merged.type(Number(a)) === linked.type(Number(b));
    if (constants.has(opcode) || (isAccess(opcode) && i > 0)) return this.sameMeaning(a, b);
    return a === b;
  }

  compareFunction(name, left, right) {
    const [a, b] = [instructions(left), instructions(right)];
    if (a.length !== b.length) return this.note(`${name} has ${a.length} instructions, not ${b.length}`);
    for (let i = 0; i < a.length; i++) {
      const same = a[i].opcode === b[i].opcode && a[i].immediates.length === b[i].immediates.length
        && a[i].immediates.every((value, k) => this.sameImmediate(a[i].opcode, value, b[i].immediates[k], k));
      if (!same) {
        return this.note(`${name}: instruction ${i}, 0x${a[i].opcode.toString(16)} ${a[i].immediates}, should be `
          + `0x${b[i].opcode.toString(16)} ${b[i].immediates}`);
      }
    }
    this.compared++;
  }

  run() {
    const [merged, linked] = this.sides;
    for (const [name, left] of merged.byName) {
      const right = linked.byName.get(name);
      if (right === undefined) this.note(`${name} is not in what was linked`);
      else if (left && right && merged.functionType(left.index) !== linked.functionType(right.index))
        this.note(`${name} has another type`);
      else if (left && right) this.compareFunction(name, left.body, right.body);
    }
    for (const name of linked.byName.keys()) if (!merged.byName.has(name)) this.note(`${name} is missing`);
    const imports = ({ module }) => module.imports.map(({ module: from, name }) => `${from}.${name}`).sort().join();
    if (imports(merged) !== imports(linked)) this.note(`imports ${imports(merged)}, not ${imports(linked)}`);
  }
}

const word = (bytes) => BigInt(new DataView(bytes.buffer, bytes.byteOffset, 4).getUint32(0, true));

// Only the stack pointer has the same name in every link.
function globalName(side, index) {
  return side.module.names.get(7)?.get(Number(index)) ?? 'an address';
}

// Differences between a merged module and a linked one, and how many functions were compared.
export function compareMerged(merged, linked) {
  const comparison = new Comparison(merged, linked);
  comparison.run();
  return { differences: comparison.differences, compared: comparison.compared };
}
