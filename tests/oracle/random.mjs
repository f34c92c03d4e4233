// Random programs through the relink oracle: C by csmith (https://github.com/csmith-project/csmith) and tables of our own,
// compiled and linked with random flags, moved by a random distance, and compared with what the linker makes there.
//
//     node random.mjs [--count N] [--first SEED] [--keep] [--work DIR]
//                     [--wasmshare PATH] [--clang PATH] [--linker PATH] [--csmith PATH]
//
// A seed says all: what fails can be repeated with --first SEED --count 1. Its files stay in DIR; all do with --keep.
// Where --strip-all leaves nothing but numbers to go by, a module may be refused.

import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { dataFirst, stackFirst, tableFrom } from './cases.mjs';
import { compare } from './compare.mjs';
import { Toolbox } from './link.mjs';

const here = dirname(fileURLToPath(import.meta.url));
const text = (value) => ({ type: 'string', default: value });
const { values: options } = parseArgs({ options: {
  keep: { type: 'boolean' }, count: text('12'), first: text('1'), csmith: text('csmith'), work: text('build/random'),
  wasmshare: text('build/release/wasmshare'), clang: text('clang-22'), linker: text('wasm-ld-22'),
} });

// Numbers that depend on the seed only (mulberry32).
class Dice {
  constructor(seed) {
    this.state = seed * 0x9e3779b9 >>> 0;
  }

  below(limit) {
    this.state = (this.state + 0x6d2b79f5) >>> 0;
    let t = this.state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) % limit;
  }

  one(list) {
    return list[this.below(list.length)];
  }

  some(percent, ...list) {
    return this.below(100) < percent ? list : [];
  }
}

// Tables of numbers, strings, variables and functions, since csmith's programs have no pointers in constants.
function tables(dice) {
  const count = 1 + dice.below(6);
  const several = (one) => Array.from({ length: count }, (_, i) => one(i)).join(', ');
  const inData = dice.below(2);
  return `
${Array.from({ length: count }, (_, i) => `static int f${i}(int n) { return n * ${dice.below(1e6)} + ${i}; }`).join('\n')}
static ${dice.one(['', 'const '])}int numbers[] = {${several(() => dice.below(dice.one([8, 300, 70000])))}};
static const unsigned char bytes[] = {${several(() => dice.below(dice.one([4, 256])))}};
int (*volatile chosen)(int);
${inData ? `static int (*const functions[])(int) = {${several((i) => `f${i}`)}};
static const char *strings[] = {${several((i) => `"string ${i}"`)}};
int *variables[] = {${several(() => `numbers_of_its_own + ${dice.below(9)}`)}};
`.replace('int *variables', 'static int numbers_of_its_own[9];\nint *variables') : ''}
__attribute__((export_name("tables"))) int tables(int i) {
  chosen = i & 1 ? f0 : f${count - 1};
  return chosen(numbers[i]) + bytes[i]${inData ? ' + functions[i](i) + strings[i][1] + *variables[i]' : ''};
}
`;
}

function flags(dice, target) {
  const level = dice.one(['-O0', '-O1', '-O2', '-O3', '-Os']);
  const lto = target === 'wasm32' ? dice.some(15, '-flto') : [];
  return {
    compile: [level, '-ffreestanding', '-w', '-Wno-incompatible-pointer-types', ...lto, ...dice.some(20, '-g'),
      ...dice.some(25, '-fPIC'),
      ...dice.some(20, '-ffunction-sections', '-fdata-sections'),
      ...dice.one([[], [], ['-mcpu=mvp'], ['-msimd128'], ['-mcpu=mvp', '-mbulk-memory-opt']])],
    link: ['--export=main', '--allow-undefined', ...dice.some(30, '--strip-all'), ...dice.some(10, '--strip-debug'),
      ...dice.some(10, '--no-merge-data-segments'), ...dice.some(10, '--import-table'), ...dice.some(10, '--export-all'),
      ...dice.some(10, '--no-gc-sections'), ...dice.some(10, '--max-memory=4294967296')],
  };
}

// With --export-all, the stack's low end is exported, which another size of a stack that comes first does not move.
function move(dice, link) {
  const distance = 256 * dice.below(dice.one([20, 5000, 8000000]));
  const table = dice.below(dice.one([2, 200, 70000]));
  const made = dice.below(4) === 0 && !link.includes('--export-all') ? stackFirst(65536, distance, table)
    : dataFirst(dice.one([1024, 4096, 65536, 0x100000]), distance, table);
  return dice.below(3) === 0 ? tableFrom(2 + dice.below(300), made) : made;
}

// 'exact', 'refused' where that is allowed, or what is wrong.
function tryOne(seed, tools) {
  const dice = new Dice(seed);
  const target = dice.one(['wasm32', 'wasm32', 'wasm32', 'wasm64']);
  const { compile, link } = flags(dice, target);
  tools.work = join(options.work, `${seed}`);
  rmSync(tools.work, { recursive: true, force: true });
  mkdirSync(tools.work, { recursive: true });
  const sources = ['program.c', 'tables.c'].map((name) => join(tools.work, name));
  // It writes a file where it runs. Its checksum is a variable, which a host cannot give.
  const program = tools.run(options.csmith, ['--seed', `${seed}`, '--no-safe-math', '--no-argc', '--concise',
    ...dice.some(50, '--float'), '--max-funcs', `${2 + dice.below(8)}`], { timeout: 20000, cwd: tools.work });
  writeFileSync(sources[0], program.replace('#include "csmith.h"', '#include "csmith.h"\nuint32_t crc32_context;'));
  writeFileSync(sources[1], tables(dice));
  const objects = sources.map((source) => {
    tools.run(options.clang, [`--target=${target}-unknown-unknown`, `-I${join(here, 'inputs/random')}`, ...compile, '-c',
      source, '-o', `${source}.o`], { timeout: 60000 });
    return `${source}.o`;
  });
  const by = move(dice, link);
  const files = tools.move({ target, link, relocations: true }, objects, by, 'random');
  return compare(readFileSync(files.moved), readFileSync(files.relink), BigInt(by.offset), undefined);
}

const first = Number(options.first);
const seeds = Array.from({ length: Number(options.count) }, (_, i) => first + i);
const found = { exact: [], refused: [], 'too slow': [], wrong: [] };
for (const seed of seeds) {
  const tools = new Toolbox(options);
  let differences;
  try {
    differences = tryOne(seed, tools);
  } catch (error) {
    differences = [error.message];
  }
  const stripped = tools.log.some((line) => line.includes('--strip-all'));
  const kind = differences.length === 0 ? 'exact'
    : stripped && differences[0].includes('some of its relocations may be missing') ? 'refused'
      : differences[0].includes('ETIMEDOUT') ? 'too slow' : 'wrong';
  found[kind].push(seed);
  if (kind === 'wrong') {
    console.error(`seed ${seed}:`);
    differences.slice(0, 5).forEach((line) => console.error(`  ${line.trim()}`));
    tools.log.forEach((line) => console.error(`  $ ${line}`));
  } else if (!options.keep) {
    rmSync(tools.work, { recursive: true, force: true });
  }
}
console.log(Object.entries(found).filter(([, list]) => list.length > 0).map(([kind, list]) => (
  `${list.length} ${kind}${kind === 'exact' ? '' : ` (seeds ${list.join(', ')})`}`)).join('; '));
process.exit(found.wrong.length === 0 && found.exact.length > seeds.length / 2 ? 0 : 1);
