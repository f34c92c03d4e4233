// Is the comparison blind to anything? Corrupts a moved module that is exact: one byte at a time, and one thing that it
// says at a time.

import { compare, compareDecoded } from './compare.mjs';
import { Reader, decode } from './wasm.mjs';

// Cases whose moved modules are small, and together have everything that the comparison makes allowances for.
export const corrupted = ['relative-pointers', 'exceptions', 'linker-symbols', 'cxx-freestanding-O2', 'c-export-all',
  'pic', 'pic-without-relocations', 'threads', 'wasm64', 'function-count-127', 'table-imported-empty', 'annotations',
  'c-bulk-memory-opt', 'names-visible'];

// What may be anything: the module's name, which is its output file's, and the names of appended functions.
function free(module, relink) {
  const ranges = [];
  const section = module.sections.find(({ id, name }) => id === 0 && name === 'name');
  if (!section) return ranges;
  const reader = new Reader(module.bytes, section.start, section.end);
  while (!reader.done) {
    const kind = reader.u8();
    const size = reader.u32();
    const end = reader.at + size;
    if (kind === 0) {
      reader.u32();
      ranges.push([reader.at, end]);
    } else if (kind === 1) {
      for (let count = reader.u32(); count > 0; --count) {
        const index = reader.u32();
        const length = reader.u32();
        if (index >= relink.importedFunctions + relink.code.length) ranges.push([reader.at, reader.at + length]);
        reader.take(length);
      }
    }
    reader.at = end;
  }
  return ranges;
}

// Describes each byte of `moved` whose corruption `compare` takes for no difference.
export function unnoticed(moved, relink, offset, reference) {
  const module = decode(Buffer.from(moved));
  const ranges = free(module, decode(Buffer.from(relink)));
  const blind = [];
  for (let at = 0; at < moved.length; ++at) {
    if (ranges.some(([from, to]) => at >= from && at < to)) continue;
    const corrupt = Buffer.from(moved);
    corrupt[at] ^= 1 << at % 8;
    try {
      if (compare(corrupt, relink, offset, reference).length > 0) continue;
    } catch {
      continue; // no longer a module that can be decoded
    }
    const { name } = module.sections.find(({ start, end }) => at >= start && at < end) ?? { name: 'header' };
    blind.push(`byte ${at} (section ${name}) from ${moved[at]} to ${corrupt[at]}`);
  }
  return blind;
}

// Where things are is not what they say; and a moved module has no symbols or relocations.
const places = new Set(['bytes', 'sections', 'at', 'codeStart', 'symbols', 'relocations', 'importedFunctions',
  'importedGlobals']);

// Every change of one thing in a decoded module, or in a part of it: [where, how to make it].
function* changes(part, where, set) {
  if (part instanceof Uint8Array) {
    yield [`${where}, one byte shorter`, () => set(part.subarray(0, -1))];
    yield [`${where}, one byte longer`, () => set(Buffer.concat([part, Buffer.from([0])]))];
  } else if (part instanceof Map) {
    for (const [key, value] of part) {
      yield [`${where}[${key}], left out`, () => part.delete(key)];
      yield* changes(value, `${where}[${key}]`, (changed) => part.set(key, changed));
    }
  } else if (Array.isArray(part)) {
    for (const [i, value] of part.entries()) {
      yield [`${where}[${i}], left out`, () => part.splice(i, 1)];
      yield [`${where}[${i}], twice`, () => part.splice(i, 0, value)];
      yield* changes(value, `${where}[${i}]`, (changed) => { part[i] = changed; });
    }
  } else if (part && typeof part === 'object') {
    for (const [key, value] of Object.entries(part)) {
      const isPlace = places.has(key) || (part.name === 'name' && key === 'payload'); // names are decoded themselves
      if (!isPlace) yield* changes(value, `${where}.${key}`, (changed) => { part[key] = changed; });
    }
  } else if (typeof part === 'string') {
    yield [`${where}, not ${part}`, () => set(`${part}x`)];
  } else {
    yield [`${where}, not ${part}`, () => set(typeof part === 'bigint' ? part + 1n : (part ?? 0) + 1)];
  }
}

// Describes each change of what `moved` says that `compare` takes for no difference.
export function unnoticedChanges(moved, relink, offset, reference) {
  const linked = decode(Buffer.from(relink));
  const blind = [];
  for (let i = 0; ; ++i) {
    const module = decode(Buffer.from(moved));
    const change = [...changes(module, '')][i];
    if (!change) return blind;
    const [where, make] = change;
    const [, kind, index] = /^\.names\[(\d+)\]\[(\d+)\]/.exec(where) ?? [];
    const isOfAppended = kind === '1' && Number(index) >= linked.importedFunctions + linked.code.length;
    if (isOfAppended || (kind === '0' && !where.endsWith('left out'))) continue;
    make();
    try {
      if (compareDecoded(module, relink, offset, reference).length === 0) blind.push(`what is at ${where}`);
    } catch {
      // it says what cannot be
    }
  }
}
