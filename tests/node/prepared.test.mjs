// Prepared modules, for every kind of module of the relink oracle: however a prepared module is placed (by the command,
// in JavaScript, by a C host), the result is what the command makes of what the linker wrote. So is what wasmshare/full
// makes of that.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { combine, getHeapBase, relocate } from '../../js/index.js';
import { cases } from '../oracle/cases.mjs';
import { Toolbox } from '../oracle/link.mjs';
import { projectDirectory, run, scratchDirectory, testsDirectory, tool } from './tools.mjs';

const full = await import(pathToFileURL(join(tool('NPM_PACKAGE'), 'full-node.js')));

const directory = scratchDirectory();
const toolbox = new Toolbox({ clang: tool('CLANG'), linker: tool('WASM_LD'), wasmshare: tool('WASMSHARE'),
  work: join(directory, 'linked') });

const loadHost = join(directory, 'load-host');
const loadSources = join(projectDirectory, 'src', 'runtime');
run(tool('CC'), ['-std=c11', '-O1', '-Wall', '-Wextra', '-Werror', `-I${loadSources}`,
  join(testsDirectory, 'node', 'modules', 'load-host.c'), join(loadSources, 'wasmshare_load.c'), '-o', loadHost]);

// What the command writes as OUT or to the directory, or null if it refuses; it says so in one line.
function command(...args) {
  const { status, stderr } = spawnSync(tool('WASMSHARE'), args, { encoding: 'utf8' });
  if (status !== 0) assert.match(stderr, /^wasmshare: error: .*\n$/);
  return status === 0;
}

// What the function gives, or null if it refuses.
async function attempt(promise) {
  try {
    return await promise;
  } catch (error) {
    if (error.name !== 'WasmShareError') throw error; // there are two packages of it
    return null;
  }
}

const same = (actual, expected, what) =>
  assert.equal(Buffer.compare(actual, readFileSync(expected)), 0, `${what} is not ${expected}`);

// What the numbers of heaps are for the command.
const bounded = ['bounded', 'claims-once'];
const heaps = [['none'], ['grows'], bounded, bounded, ['contiguous'], ['unknown']];

const GiB = 2 ** 30;
const shifts = [[0], [0x1100], [0x230000], [0x20000, 0x700000], [-0x1000], [2 * GiB + 0x10000], [6 * GiB], [8]];
const combinations = [
  [{}, 0, []],
  [{ heapOwner: 1, base: 77, align: 65536 }, 100, ['--heap-owner=b', '--base=77', '--align=64K']],
  [{ stack: 'shared' }, 0, ['--stack=shared']],
  [{ table: 'shared', heapOwner: 0 }, 16, ['--table=shared', '--heap-owner=a']],
  [{ stack: 'shared', table: 'shared', stackSize: 5000, heapSize: 1e6, heapOwner: 0 }, 9,
    ['--stack=shared', '--table=shared', '--stack-size=5000', '--heap-size=1000000', '--heap-owner=a']],
  [{ maxMemory: 2 ** 20, heapOwner: 0 }, 0, ['--max-memory=1M', '--heap-owner=a']],
];

const heapOf = module => JSON.parse(run(tool('WASMSHARE'), ['inspect', '--json', module]))[0].heap.class;

async function compareShifts(work, linked, prepared) {
  const bytes = readFileSync(prepared);
  const [expected, ours] = ['expected.wasm', 'ours.wasm'].map(name => join(work, name));
  // What is moved by itself is as it was linked, but what is prepared is told where its heap ends.
  const limited = heapOf(prepared) === 'claims-once', from = limited ? prepared : linked;
  let placed = 0;
  for (const [offset, heapBase] of shifts) {
    const flags = [`--offset=${offset}`, ...heapBase ? [`--heap-base=${heapBase}`] : []];
    const moves = command('relocate', '--trust-pic', from, '-o', expected, ...flags);
    const moved = await attempt(relocate(bytes, offset, heapBase));
    assert.equal(moved !== null, moves, `relocate by ${offset}`);
    const movedAsLinked = await attempt(full.relocate(readFileSync(linked), offset, heapBase, { trustPic: true }));
    assert.equal(movedAsLinked !== null, moves, `relocate what the linker wrote by ${offset}`);
    assert.equal(command('relocate', prepared, '-o', ours, ...flags), moves);
    if (!moves) continue;
    same(moved, expected, 'what JavaScript relocated');
    if (!limited)
      same(movedAsLinked, expected, 'what JavaScript relocated as the linker wrote it');
    same(readFileSync(ours), expected, 'what the command relocated');
    if (heapBase) {
      run(loadHost, [prepared, ours, 'shift', offset, heapBase]);
      same(readFileSync(ours), expected, 'what the host relocated');
    }
    ++placed;
  }
  // The command moves function pointers too.
  const up = ['--offset=0x1100', '--table-offset=200'];
  if (command('relocate', '--trust-pic', from, '-o', expected, ...up)) {
    assert.ok(command('relocate', prepared, '-o', ours, ...up));
    same(readFileSync(ours), expected, 'what the command relocated');
  }
  return placed;
}

async function compareCombinations(work, linked, prepared) {
  const bytes = readFileSync(prepared);
  const [expected, ours] = ['expected', 'ours'].map(name => join(work, name));
  let placed = 0;
  // A module that takes all of the heap cannot be there twice.
  const alone = combinations.map(([{ heapOwner, ...options }, additionalStack, flags]) =>
    [options, additionalStack, flags.filter(flag => !flag.startsWith('--heap-owner'))]);
  for (const [options, additionalStack, flags, names = ['a', 'b']] of
    [...combinations, ...alone.map(combination => [...combination, ['a']])]) {
    [expected, ours].forEach(path => rmSync(path, { recursive: true, force: true }));
    const by = (output, input) => ['combine', '--trust-pic', '-o', output, ...flags, `--extra-stack=${additionalStack}`,
      ...names.map(name => `${name}=${input}`), '--host-imports=env'];
    const combines = command(...by(expected, linked));
    const combined = await attempt(combine(names.map(() => bytes), additionalStack, options));
    assert.equal(command(...by(ours, prepared)), combines);
    // Only the command can give each a heap of fixed size, as --heap-size says.
    const several = names.length > 1 && ['contiguous', 'unknown'].includes(heapOf(prepared));
    assert.equal(combined !== null, combines && !several, `combine ${flags}`);
    if (several) continue;
    const sources = Object.fromEntries(names.map(name => [name, readFileSync(linked)]));
    const combinedAsLinked = await attempt(full.combine(sources, additionalStack,
      { ...options, trustPic: true, hostImports: ['env'] }));
    assert.equal(combinedAsLinked !== null, combines, `combine what the linker wrote ${flags}`);
    if (!combines) continue;
    assert.deepEqual(Object.keys(combinedAsLinked.files).sort(), readdirSync(expected).sort());
    for (const [name, contents] of Object.entries(combinedAsLinked.files))
      same(contents, join(expected, name), 'what JavaScript combined as the linker wrote it');
    const layout = JSON.parse(readFileSync(join(expected, 'layout.json'), 'utf8'));
    assert.equal(readFileSync(join(ours, 'layout.json'), 'utf8'), readFileSync(join(expected, 'layout.json'), 'utf8'));
    const like = (ours, all) => Object.fromEntries(Object.keys(ours).map(key => [key, all[key]]));
    const { modules, ...rest } = combined.layout;
    assert.deepEqual(rest, like(rest, layout));
    modules.forEach(({ heap, ...module }, i) => {
      assert.deepEqual(module, like(module, layout.modules[i]));
      assert.ok(heaps[heap].includes(layout.modules[i].heap), `${heap} for ${layout.modules[i].heap}`);
    });
    assert.equal(combined.neededPages, layout.pages);
    names.forEach((name, i) => {
      const module = join(expected, `${name}.wasm`), at = layout.modules[i];
      same(combined.modules[i], module, 'what JavaScript combined');
      same(readFileSync(join(ours, `${name}.wasm`)), module, 'what the command combined');
      if (at.stackLow === null) return;
      const out = join(work, 'ours.wasm');
      run(loadHost, [prepared, out, 'place', at.offset, at.stackLow, at.stackPointer, at.heapBase, at.heapEnd,
        at.tableBase, layout.tableSize ?? 0, layout.pages, layout.maximumPages ?? -1, layout.stackLow === null ? 0 : 1]);
      same(readFileSync(out), module, 'what the host placed');
    });
    ++placed;
  }
  return placed;
}

for (const entry of cases) {
  test(entry.name, async () => {
    const linked = toolbox.link(entry, toolbox.compile(entry), entry.moves[0].before, 'input.wasm');
    const work = join(directory, entry.name);
    mkdirSync(work);
    run(tool('WASMSHARE'), ['prepare', '--trust-pic', '-o', work, `prepared=${linked}`]);
    const prepared = join(work, 'prepared.wasm');
    assert.equal(`${await getHeapBase(readFileSync(prepared))}\n`, run(tool('WASMSHARE'), ['heap-base', linked]));
    assert.ok(await compareShifts(work, linked, prepared) >= 3, 'too little was compared');
    assert.ok(await compareCombinations(work, linked, prepared) >= 4, 'too little was compared');

    // What is prepared is prepared: doing it again changes nothing.
    run(tool('WASMSHARE'), ['prepare', '-o', join(work, 'again'), prepared]);
    same(readFileSync(join(work, 'again', 'prepared.wasm')), prepared, 'what was prepared twice');
    assert.ok(existsSync(prepared));
  });
}
