// Bad input at scale: whatever a file holds, wasmshare refuses it with one line that names it, or writes a valid module.
//
//     node run.mjs libfuzzer [KIND...]   mutations of each kind of module, in one process
//     node run.mjs mutate [KIND...]      mutations of each, through the command
//     node run.mjs truncate [KIND...]    some cut off at every byte, or at every few, through the command
//     node run.mjs --list METHOD         prints the kinds
//
// Options: --runs N, how many mutations of each; --seed N, others than by default; --wasmshare PATH, --fuzzer PATH, --clang PATH,
// --linker PATH, --work DIR: the release build's by default, of which the target `fuzzer` builds the fuzzer.
// Nothing is left to chance: one seed gives the same mutations. What fails stays in DIR.

import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { buildBeside, buildSeed, kinds } from './seeds.mjs';

const build = join(dirname(fileURLToPath(import.meta.url)), '../../build');
const text = (value) => ({ type: 'string', default: value });
const { values: options, positionals: [method, ...wanted] } = parseArgs({
  allowPositionals: true,
  options: { list: { type: 'boolean' }, runs: { type: 'string' }, seed: text('1'), clang: text('clang-22'), linker: text('wasm-ld-22'),
    fuzzer: text(join(build, 'release/tests/fuzzer/fuzzer')), wasmshare: text(join(build, 'release/wasmshare')),
    work: text(join(build, 'fuzz')) },
});

const possible = kinds.filter(({ cut }) => cut || method !== 'truncate');
if (options.list) {
  possible.forEach(({ name }) => console.log(name));
  process.exit();
}

const RUNS = Number(options.runs ?? 4000);
const COMMAND_RUNS = Number(options.runs ?? 160);
const MOST_CUTS = 2500;

// A directory that is empty.
function fresh(...parts) {
  const directory = join(options.work, ...parts);
  rmSync(directory, { recursive: true, force: true });
  mkdirSync(directory, { recursive: true });
  return directory;
}

// ------------------------------------------------------------------------------------------------- through the library

function libfuzzer(kind, { seed, beside }) {
  const directory = fresh(kind.name, 'libfuzzer');
  mkdirSync(join(directory, 'seeds'));
  mkdirSync(join(directory, 'corpus'));
  writeFileSync(join(directory, 'seeds', 'seed.wasm'), seed);
  const suppressions = join(directory, 'suppressions');
  // LLVM ends malformed input with a fatal error, and its handler cannot free what LLVM had allocated by then.
  writeFileSync(suppressions, 'leak:LLVMCreateBinary\nleak:llvm::\n');
  // Addresses must not have a say in what is tried: -use_cmp=0 keeps them out of mutations, setarch -R fixes them.
  const fixed = spawnSync('setarch', ['-R', 'true']).status === 0 ? ['setarch', '-R'] : [];
  const [program, ...args] = [...fixed, options.fuzzer, `-seed=${options.seed}`, `-runs=${RUNS}`, '-use_cmp=0',
    '-reload=0', '-mutate_depth=2', '-max_len=65536', '-timeout=20', '-rss_limit_mb=2048', `-artifact_prefix=${directory}/`,
    join(directory, 'corpus'), join(directory, 'seeds')];
  const { status, signal, stderr } = spawnSync(program, args, {
    encoding: 'utf8',
    maxBuffer: 1 << 30,
    // wabt and LLVM are not built with sanitizers, so the bounds of containers that cross into them are not known.
    env: { ...process.env, FUZZ_BESIDE: beside, ASAN_OPTIONS: 'detect_container_overflow=0',
      LSAN_OPTIONS: `suppressions=${suppressions}:print_suppressions=0` },
  });
  writeFileSync(join(directory, 'log'), stderr);
  const [, runs] = /^Done (\d+) runs/m.exec(stderr) ?? [];
  const [, moved, valid] = /^moved (\d+) modules, of which (\d+) were valid/m.exec(stderr) ?? [];
  if (status !== 0) {
    const chatter = /^#\d|^INFO|NEW_FUNC|^NOTE|^ {6}/;
    const report = stderr.split('\n').filter((line) => !chatter.test(line)).slice(0, 16).join('\n');
    return `the fuzzer ended with ${status ?? signal}; see ${directory}/log\n${report}`;
  }
  if (!(Number(runs) >= RUNS)) return `only ${runs} runs; see ${directory}/log`;
  // Too few would mean that the seed itself is refused, or not valid to begin with.
  const few = options.runs === undefined && !(moved >= 8 && (kind.unseen || valid >= 2));
  if (few) return `moved only ${moved} modules, ${valid} of them valid; see ${directory}/log`;
  console.log(`${kind.name}: ${runs} inputs, ${moved} of them moved`);
  return null;
}

// ------------------------------------------------------------------------------------------------- through the command

// Small, good enough, and the same everywhere.
function randomNumbers(seed) {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

// V8 knows no 64-bit tables yet: those modules' outputs are looked at by the fuzzer only.
const valid = (bytes) => WebAssembly.validate(bytes);

// What it says is a line for each thing; `kinds` are those that may be.
const saysOnly = (stderr, kinds) => new RegExp(`^(wasmshare: (${kinds.join('|')}): .*\n)*$`).test(stderr);

// Runs the command on `bytes`; returns what is wrong with what it did, or null.
function tryInput(directory, bytes, args, beside) {
  const input = join(directory, 'input.wasm');
  const output = join(directory, 'output');
  rmSync(output, { recursive: true, force: true });
  writeFileSync(input, bytes);
  const result = spawnSync(options.wasmshare, args(input, output), { encoding: 'utf8', timeout: 20_000 });
  const { status, signal, stdout, stderr } = result;
  const left = readdirSync(directory).filter((name) => name !== 'input.wasm' && name !== 'output');
  if (left.length > 0) return `left ${left.join(', ')} behind`;
  if (stdout !== '') return `printed ${stdout}`;
  if (status === 1) {
    if (stderr === '' || !saysOnly(stderr, ['error', 'warning'])) return `said: ${stderr}`;
    if (![input, beside].some((file) => stderr.includes(`wasmshare: error: ${file}: `))) return `did not name its input: ${stderr}`;
    if (existsSync(output)) return 'failed, but wrote something';
    return null;
  }
  if (status !== 0) return `ended with ${status ?? signal}: ${stderr}`;
  if (!saysOnly(stderr, beside ? ['warning'] : ['nothing'])) return `succeeded, but said: ${stderr}`;
  if (!valid(bytes)) return null;
  const written = readdirSync(output).filter((name) => name.endsWith('.wasm')).map((name) => join(output, name));
  if (written.length === 0) return 'succeeded, but wrote nothing';
  const bad = written.find((name) => !valid(readFileSync(name)));
  return bad ? `made an invalid module: ${bad}` : null;
}

const combine = (input, output) => ['combine', '--base', '64K', '-o', output, input];

// With its relocations a module keeps its zeros, whatever features it names, so that what is left can be compared.
const keep = (input, output) => [...combine(input, output), '--keep-relocs'];
// A prepared one has none to keep.
const placing = (kind) => (kind.prepared ? combine : keep);

function truncate(kind, { seed }) {
  const directory = fresh(kind.name, 'truncate');
  const placed = join(directory, 'output', 'input.wasm');
  const uncut = tryInput(directory, seed, placing(kind));
  if (uncut || !existsSync(placed)) return `is refused before it is cut off: ${uncut}`;
  const whole = sections(readFileSync(placed));
  const step = Math.ceil(seed.length / MOST_CUTS);
  for (let length = 0; length < seed.length; length += step) {
    const wrong = tryInput(directory, seed.subarray(0, length), placing(kind));
    if (wrong) return `cut off after ${length} bytes: ${wrong}`;
    // What is still a module must be placed as the whole one is: no pointer may be overlooked.
    if (existsSync(placed) && !sections(readFileSync(placed)).every((section) => whole.includes(section))) {
      return `cut off after ${length} bytes: placed in another way than the whole module`;
    }
  }
  console.log(`${kind.name}: cut off at every ${step === 1 ? 'byte' : `${step} bytes`} of ${seed.length}`);
  return null;
}

// The elements, the code and the data, as strings. A global that nothing names any more, nothing uses: it may stay.
function sections(bytes) {
  const list = [];
  for (let at = 8; at < bytes.length; ) {
    const start = at++;
    let size = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = bytes[at++];
      size += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) break;
    }
    at += size;
    if ([9, 10, 11].includes(bytes[start])) list.push(bytes.subarray(start, at).toString('hex'));
  }
  return list;
}

function mutate(kind, { seed, beside }) {
  const directory = fresh(kind.name, 'mutate');
  const random = randomNumbers(6 + Number(options.seed));
  const others = ['--host-import', 'env.print', '--host-import', 'env.up', '--prefer', 'beside', `beside=${beside}`];
  const single = (input, output) => ['combine', '-o', output, '--single', join(output, 'single.wasm'), input];
  const ways = [
    combine,
    (input, output) => [...combine(input, output), '--keep-relocs', '--trust-pic'],
    (input, output) => ['combine', '-o', output, '--extra-stack', '64', '--stack=shared', '--table=shared', input],
    single,
    (input, output) => [...single(input, output), ...others],
    (input, output) => [...single(input, output), '--import-memory', '--strip-debug', ...others],
    (input, output) => ['combine', '--link', '-o', output, input, ...others],
    (input, output) => [...combine(input, output), ...others],
  ];
  let moved = 0;
  for (let i = 0; i < COMMAND_RUNS; ++i) {
    const bytes = Buffer.from(seed);
    for (let changes = 1 + random(3); changes > 0; --changes) bytes[random(bytes.length)] = random(256);
    const wrong = tryInput(directory, bytes, ways[i % ways.length], beside);
    if (wrong) return `mutation ${i}, which is ${directory}/input.wasm: ${wrong}`;
    moved += existsSync(join(directory, 'output'));
  }
  if (moved === 0 || moved === COMMAND_RUNS) return `${moved} of ${COMMAND_RUNS} were placed, which tests nothing`;
  console.log(`${kind.name}: ${COMMAND_RUNS} mutations, ${moved} of them placed`);
  return null;
}

// --------------------------------------------------------------------------------------------------------------- both

const methods = { libfuzzer, mutate, truncate };
if (!methods[method]) throw new Error(`give one of ${Object.keys(methods).join(', ')}`);
const unknown = wanted.filter((name) => !possible.some((kind) => kind.name === name));
if (unknown.length > 0) throw new Error(`no such kind: ${unknown.join(', ')}`);

let failed = false;
for (const kind of possible.filter(({ name }) => wanted.length === 0 || wanted.includes(name))) {
  const wrong = methods[method](kind, { seed: readFileSync(buildSeed(options, kind)), beside: buildBeside(options, kind) });
  if (!wrong) continue;
  failed = true;
  console.error(`${kind.name}: ${wrong}`);
}
process.exit(failed ? 1 : 0);
