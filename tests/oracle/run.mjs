// Runs cases of the relink oracle: a module that `wasmshare relocate` moved must be what the linker makes there.
//
//     node run.mjs --list
//     node run.mjs --wasmshare PATH --clang PATH --linker PATH --work DIR [CASE...]
//
// WASMSHARE_ORACLE_LINKERS, in the environment, may name further wasm-ld programs, separated by colons, to try as well.
//
// The commands of a case that fails are printed, and its files stay in DIR. The last case tests the comparison itself:
// every byte of some moved modules is corrupted in turn, and everything that they say, and the comparison must notice.

import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { corrupted, unnoticed, unnoticedChanges } from './blindness.mjs';
import { cases } from './cases.mjs';
import { compare } from './compare.mjs';
import { Toolbox } from './link.mjs';

const path = { type: 'string' };
const { values: options, positionals: wanted } = parseArgs({
  allowPositionals: true,
  options: { list: { type: 'boolean' }, wasmshare: path, clang: path, linker: path, work: path },
});

const blindness = { name: 'comparison-misses-no-byte', moves: [] };
const all = [...cases, blindness];
if (options.list) {
  all.forEach(({ name }) => console.log(name));
  process.exit();
}
for (const name of ['wasmshare', 'clang', 'linker', 'work']) {
  if (!options[name]) throw new Error(`--${name} is missing`);
}
const comparer = join(dirname(fileURLToPath(import.meta.url)), 'compare.mjs');

function examine(files, offset, corrupt) {
  const [moved, relink, reference] = [files.moved, files.relink, files.reference]
    .map((file) => file && readFileSync(file));
  const differences = compare(moved, relink, BigInt(offset), reference);
  if (differences.length > 0 || !corrupt) return differences;
  return [...unnoticed(moved, relink, BigInt(offset), reference),
    ...unnoticedChanges(moved, relink, BigInt(offset), reference)]
    .map((what) => `the comparison does not notice a change of ${what}`);
}

function runCase(entry, linker, corrupt = false) {
  const tools = new Toolbox({ ...options, linker });
  const report = (what, lines) => {
    console.error(what);
    lines = lines.flatMap((line) => line.trim().split('\n'));
    lines.slice(0, 10).forEach((line) => console.error(`  ${line}`));
    if (lines.length > 10) console.error(`  and ${lines.length - 10} more`);
    tools.log.forEach((line) => console.error(`  $ ${line}`));
  };
  let objects;
  try {
    objects = tools.compile(entry);
  } catch (error) {
    report(`${entry.name} cannot be built:`, [error.message]);
    return false;
  }
  const compiled = tools.log;
  let failures = 0;
  entry.moves.forEach((move, i) => {
    tools.log = [...compiled];
    let differences;
    try {
      const files = tools.move(entry, objects, move, `${i}`);
      const reference = files.reference ? ` --reference=${files.reference}` : '';
      tools.log.push(`node ${comparer} ${files.moved} ${files.relink} --offset=${move.offset}${reference}`);
      differences = examine(files, move.offset, corrupt);
    } catch (error) {
      const expected = linker !== options.linker && entry.olderLinkers;
      differences = expected && error.message.includes(expected) ? [] : [error.message];
    }
    if (differences.length === 0) return;
    ++failures;
    report(`${entry.name}, moved by ${move.offset} and ${move.tableOffset}, is not what the linker makes there:`,
      differences);
  });
  console.log(`${failures === 0 ? 'exact' : 'NOT EXACT'}: ${entry.name}, ${entry.moves.length} moves`);
  return failures === 0;
}

function runBlindness() {
  const chosen = corrupted.map((name) => cases.find((entry) => entry.name === name));
  return chosen.map((entry) => runCase({
    ...entry,
    name: `${blindness.name}/${entry.name}`,
    compile: entry.compile.map((source) => [...source, '-DLARGE=40']),
    moves: entry.moves.slice(0, 1),
  }, options.linker, true)).every(Boolean);
}

const unknown = wanted.filter((name) => !all.some((entry) => entry.name === name));
if (unknown.length > 0) throw new Error(`no such case: ${unknown.join(', ')}`);
const chosen = wanted.length > 0 ? all.filter(({ name }) => wanted.includes(name)) : all;
const linkers = [options.linker, ...(process.env.WASMSHARE_ORACLE_LINKERS ?? '').split(':').filter(Boolean)];
const results = chosen.flatMap((entry) => (entry === blindness ? [runBlindness()] : linkers
  // LLVM's bitcode is for the linker of the same version only.
  .filter((linker) => linker === options.linker || !entry.compile?.flat().includes('-flto'))
  .map((linker) => runCase(entry, linker))));
process.exit(results.every(Boolean) ? 0 : 1);
