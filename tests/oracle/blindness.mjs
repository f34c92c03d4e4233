// Is the comparison blind to anything? Corrupts a moved module that is exact, one byte at a time.

import { compare } from './compare.mjs';
import { Reader, decode } from './wasm.mjs';

// Cases whose moved modules are small, and together have everything that the comparison makes allowances for.
export const corrupted = ['relative-pointers', 'exceptions', 'linker-symbols', 'cxx-freestanding-O2', 'c-export-all',
  'pic', 'pic-without-relocations', 'threads', 'wasm64', 'function-count-127'];

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
