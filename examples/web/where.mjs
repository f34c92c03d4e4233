// What is where in the memory and in the table, and what it is called.

import { heapBase, heapEnd, modules, stackLow, stackPointer } from './layout.mjs';
import { bytes, compiled, count, motion, shapeAt, table, word } from './run.mjs';

export const language = { world: 'C', shapes: 'C++', motion: 'Rust' };
export const hex = (number, digits = 8) => `0x${number.toString(16).padStart(digits, '0')}`;

// How they were combined, and where they were before: what `wasmshare inspect` said.
export const command = (await (await fetch('command.txt')).text()).trim();
export const linked = (await (await fetch('before.json')).json()).map(({ file, stack, data }) =>
  ({ name: file.replace(/^.*\/|\.wasm$/g, ''), stack, data }));

const regionsOfLayout = [
  { start: stackLow, end: stackPointer, owner: 'stack', name: 'the stack' },
  ...modules.map(({ name, dataBase, dataEnd }) =>
    ({ start: dataBase, end: dataEnd, owner: name, name: `${name}, in ${language[name]}` })),
  { start: heapBase, end: heapEnd, owner: 'heap', name: 'the heap' },
];

// With what lies between them, and what the memory has grown by.
export function allRegions() {
  const regions = [];
  let at = 0;
  for (const region of regionsOfLayout) {
    if (region.start > at)
      regions.push({ start: at, end: region.start, owner: 'unused', name: 'unused, for alignment' });
    regions.push(region);
    at = region.end;
  }
  if (bytes.length > at)
    regions.push({ start: at, end: bytes.length, owner: 'heap', name: 'the heap, grown' });
  return regions;
}

// What llvm-nm said of a module before it was moved: the layout says by how much it was.
async function symbolsOf({ name, offset }) {
  const lines = (await (await fetch(`${name}.symbols`)).text()).split('\n');
  return lines.flatMap(line => {
    const [, address, size, symbol] = /^(\S+) (\S+) [dDvVwW] (.*)$/.exec(line) ?? [];
    if (!symbol)
      return [];
    const start = parseInt(address, 16) + offset;
    return [{ start, end: start + parseInt(size, 16), name: symbol.startsWith('.L') ? 'a constant' : symbol }];
  });
}

// The names of a module's functions by index, from its name section.
function functionNames(module) {
  const names = new Map();
  for (const section of WebAssembly.Module.customSections(module, 'name')) {
    const content = new Uint8Array(section);
    let at = 0;
    const number = () => {
      let value = 0;
      for (let shift = 0; ; shift += 7) {
        const byte = content[at++];
        value |= (byte & 0x7f) << shift;
        if (byte < 0x80)
          return value;
      }
    };
    const text = length => new TextDecoder().decode(content.subarray(at, at += length));
    while (at < content.length) {
      const kind = content[at++];
      const size = number();
      const end = at + size;
      if (kind === 1)
        for (let left = number(); left > 0; left--)
          names.set(number(), text(number()));
      at = end;
    }
  }
  return names;
}

export const symbols = (await Promise.all(modules.map(async module => {
  const { dataBase, dataEnd } = module;
  return (await symbolsOf(module)).filter(({ start, end }) => start >= dataBase && start < end && end <= dataEnd);
}))).flat();
const vtables = new Map(symbols.filter(({ name }) => name.startsWith('vtable for ')).map(symbol =>
  [symbol.start + 8, symbol])); // where an object's pointer to it points: after two words
export const bindings = modules.flatMap(({ name, bindings: of }) => of.map(binding => ({ ...binding, by: name })));
const functions = modules.flatMap(({ name, tableBase, tableSize }) => {
  const names = functionNames(compiled[name]);
  return Array.from({ length: tableSize }, (_, i) => ({ index: tableBase + i, owner: name,
    name: names.get(Number(table.get(tableBase + i).name))?.replace(/::h[0-9a-f]{16}$/, '') ?? 'a function' }));
});
export const functionAt = index => functions.find(entry => entry.index === index);

// The shapes: C++ objects, as body.h says
export const fields = ['vtable', 'x', 'y', 'vx', 'vy', 'cos', 'sin', 'spin', 'size', 'glow'];
export const outlineWords = 1 + 2 * 32; // of world.c
export const trailPoints = 32; // of motion, after the number of points that ever were
export const trailSize = 4 + 8 * trailPoints;
export const vtableOf = shape => vtables.get(word(shape));
export const className = shape => vtableOf(shape).name.replace('vtable for ', '');

export function objects() {
  return Array.from({ length: count() }, (_, i) => shapeAt(i)).flatMap((shape, i) => [
    { start: shape, end: shape + 4 * fields.length, name: `${className(shape)} ${i}`, fields },
    { start: motion.trail(shape), end: motion.trail(shape) + trailSize, name: `trail of ${className(shape)} ${i}` },
  ]);
}

// What lies at an address: its region, and the object or symbol there.
export function describe(address, regions, things) {
  const region = regions.find(({ start, end }) => address >= start && address < end);
  const thing = things.find(({ start, end }) => address >= start && address < end);
  if (!thing)
    return { region, text: region.name };
  const offset = address - thing.start;
  const field = thing.fields?.[offset >> 2];
  const inside = field ? `: ${field}` : offset ? ` + ${hex(offset, 0)}` : '';
  return { region, thing, text: thing.name + inside };
}
