// Measures wasmshare against its goals; see bench/run. Prints the report, and writes it to docs/benchmarks.md.

import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { cpus, loadavg, release } from 'node:os';
import { basename, join, resolve } from 'node:path';
import { timeCircle } from './circle.mjs';
import { emscriptenPrograms, emscriptenVersion } from './emscripten.mjs';
import { buffer, large, plugins, run, sqlite, threeModules, work } from './inputs.mjs';
import { median, minifiedSize, peakMemory, size, sizeWithoutRelocations, time, timePlacing, timeWalrus }
  from './measure.mjs';
import { linker, programs, timeRunning } from './single.mjs';

const [option, value] = process.argv.slice(2);
const rounds = option === undefined ? 7 : Number(option === '--rounds' ? value : NaN);
if (!Number.isInteger(rounds) || rounds < 1) throw new Error('usage: bench/run [--rounds N]');

const wasmshare = 'build/release/wasmshare';
const KiB = 1024;
const MiB = 1024 * KiB;
const report = [];
const goals = [];

const duration = (seconds) =>
  (seconds < 1 ? `${(seconds * 1000).toFixed(seconds < 0.1 ? 2 : 0)} ms` : `${seconds.toFixed(2)} s`);
const megabytes = (bytes) => `${(bytes / 1e6).toFixed(bytes < 1e7 ? 2 : 1)} MB`;
const thousands = (number) => number.toLocaleString('en-US');
const times = (ratio) => `${ratio.toFixed(ratio < 10 ? 2 : 1)}×`;

function say(...lines) {
  report.push(...lines);
  console.log(lines.join('\n'));
}

function table(header, rows) {
  const cells = [header, ...rows].map((row) => row.map(String));
  const widths = header.map((_, column) => Math.max(...cells.map((row) => row[column].length)));
  // The first column is text, the others are numbers.
  const line = (row) => `| ${row.map((cell, i) => (i === 0 ? cell.padEnd(widths[i]) : cell.padStart(widths[i]))).join(' | ')} |`;
  const rule = `|${widths.map((width, i) => (i === 0 ? '-'.repeat(width + 2) : `${'-'.repeat(width + 1)}:`)).join('|')}|`;
  say(line(cells[0]), rule, ...cells.slice(1).map(line), '');
}

function goal(what, wanted, measured, met) {
  goals.push([what, wanted, measured, met ? 'yes' : 'NO']);
}

// ------------------------------------------------------------------------------------------------------------ speed

const moved = (input) => join(work, 'moved', input.split('/').pop());
const relocate = (input) => ['relocate', input, '-o', moved(input), '--offset', '1048576'];
const relocateCommand = (input) => [wasmshare, ...relocate(input)].join(' ');
const commands = (input) => ({
  cp: `cp ${input} ${work}/moved/copied.wasm`,
  wasmshare: relocateCommand(input),
  unchanged: relocateCommand(input),
});

// What was there before `wasmshare` is the module at another place, and before `unchanged`, what is made again.
function timeMoving(input, more, runs) {
  const other = join(work, 'moved', 'other.wasm');
  run(wasmshare, ['relocate', input, '-o', other, '--offset', '2097152']);
  run(wasmshare, relocate(input));
  const made = join(work, 'moved', 'made.wasm');
  run('cp', [moved(input), made]);
  return time({ ...commands(input), ...more }, runs, 2,
    { wasmshare: `cp ${other} ${moved(input)}`, unchanged: `cp ${made} ${moved(input)}` });
}
const wasmOpt = (input) => `wasm-opt --quiet --all-features ${input} -o ${work}/moved/optimised.wasm`;

// Takes `rounds` measurements of everything in `measure`, and for each name gives the median of the rounds' medians and
// the least time of all, and for each pair the median, the lowest and the highest of the rounds' ratios.
function inRounds(measure) {
  const taken = Array.from({ length: rounds }, measure);
  const seconds = (name) => median(taken.map((round) => round[name].median));
  return {
    seconds,
    columns: (name) => [duration(seconds(name)), duration(Math.min(...taken.map((round) => round[name].min)))],
    ratio(over, under) {
      const ratios = taken.map((round) => round[over].median / round[under].median);
      return { median: median(ratios), lowest: Math.min(...ratios), highest: Math.max(...ratios) };
    },
  };
}
const percent = (ratio) => `${(ratio * 100).toFixed(1)}%`;
const spreadInPercent = ({ median, lowest, highest }) =>
  `${percent(median)} (${percent(lowest)} to ${percent(highest)})`;
const precisely = ({ median, lowest, highest }) => `${median.toFixed(3)} (${lowest.toFixed(2)} to ${highest.toFixed(2)})`;
const spread = (ratio) => `${times(ratio.median)} (${times(ratio.lowest)} to ${times(ratio.highest)})`;

function speedOfSqlite(input) {
  const measured = inRounds(() => ({
    ...timeMoving(input, { 'wasm-opt': wasmOpt(input) }, 15),
    walrus: timeWalrus(input, 15),
  }));
  const toCp = measured.ratio('wasmshare', 'cp');
  const toWasmOpt = measured.ratio('wasm-opt', 'wasmshare');
  const toWalrus = measured.ratio('walrus', 'wasmshare');
  say(`## Moving SQLite (${megabytes(size(input))})`, '');
  table(['command', 'time', 'fastest', 'ratio'], [
    ['`cp`', ...measured.columns('cp'), ''],
    ['`wasmshare relocate`', ...measured.columns('wasmshare'), `${spread(toCp)} of cp`],
    ['the same, of what is there already', ...measured.columns('unchanged'),
      `${spread(measured.ratio('unchanged', 'cp'))} of cp`],
    ['`wasm-opt` reading and writing', ...measured.columns('wasm-opt'), `${spread(toWasmOpt)} of wasmshare`],
    ['walrus reading and writing, in process', ...measured.columns('walrus'), `${spread(toWalrus)} of wasmshare`],
  ]);
  goal('`relocate` of SQLite, against `cp`', 'at most 2×', times(toCp.median), toCp.median <= 2);
  goal('the same, against `wasm-opt`', 'at least 20× faster', times(toWasmOpt.median), toWasmOpt.median >= 20);
  goal('the same, against walrus', 'at least 15× faster', times(toWalrus.median), toWalrus.median >= 15);
}

function speedOfLarge(input) {
  const measured = inRounds(() => timeMoving(input, {}, 9));
  const slow = { ...time({ 'wasm-opt': wasmOpt(input) }, 2, 0), walrus: timeWalrus(input, 2) };
  const toCp = measured.ratio('wasmshare', 'cp');
  const slowRow = (what, { median: seconds, min }) => [what, duration(seconds), duration(min),
    `${times(seconds / measured.seconds('wasmshare'))} of wasmshare`];
  say(`## Moving a debug build with DWARF (${megabytes(size(input))})`, '');
  table(['command', 'time', 'fastest', 'ratio'], [
    ['`cp`', ...measured.columns('cp'), ''],
    ['`wasmshare relocate`', ...measured.columns('wasmshare'), `${spread(toCp)} of cp`],
    ['the same, of what is there already', ...measured.columns('unchanged'),
      `${spread(measured.ratio('unchanged', 'cp'))} of cp`],
    slowRow('`wasm-opt` reading and writing', slow['wasm-opt']),
    slowRow('walrus reading and writing, in process', slow.walrus),
  ]);
  goal('`relocate` of a 50 MB debug build, against `cp`', 'at most 1.1×', times(toCp.median), toCp.median <= 1.1);
}

// The npm command is this one in Node, of which the start is told apart.
function speedOfNpm(input) {
  const measured = inRounds(() => {
    const taken = time({ node: 'node -e 0', native: commands(input).wasmshare,
      npm: ['node build/npm/package/command.js', ...relocate(input)].join(' ') }, 15);
    const without = (of) => taken.npm[of] - taken.node[of];
    return { ...taken, without: { median: without('median'), min: without('min') } };
  });
  const all = measured.ratio('npm', 'native'), without = measured.ratio('without', 'native');
  say(`## The npm command, moving SQLite (${megabytes(size(input))})`, '');
  table(['command', 'time', 'fastest', 'ratio'], [
    ['`wasmshare relocate`', ...measured.columns('native'), ''],
    ['`npx wasmshare relocate`, once npx has found it', ...measured.columns('npm'), `${spread(all)} of wasmshare`],
    ['`node -e 0`', ...measured.columns('node'), ''],
    ['the npm command without that', ...measured.columns('without'), `${spread(without)} of wasmshare`],
  ]);
  goal('the npm command, without the start of Node, against `wasmshare`', 'at most 3×', times(without.median), without.median <= 3);
}

function startUp() {
  const measured = inRounds(() => time({ true: '/bin/true', wasmshare: `${wasmshare} --version` }, 200, 20));
  say('## Starting', '');
  table(['command', 'time', 'fastest'], [
    ['`true`', ...measured.columns('true')],
    ['`wasmshare --version`', ...measured.columns('wasmshare')],
  ]);
  const seconds = measured.seconds('wasmshare');
  goal('`wasmshare --version`', 'at most 3 ms', duration(seconds), seconds <= 0.003);
}

// -------------------------------------------------------------------------------------------------------------- cargo

function unchangedBuild() {
  const workspace = join(work, 'cargo-example');
  cpSync('examples/cargo', workspace, { recursive: true });
  const cargo = [join(work, 'cargo-helper/bin/cargo-wasmshare'), 'build', '--release', '--quiet', '--manifest-path',
    join(workspace, 'Cargo.toml'), '--target-dir', join(work, 'cargo')];
  process.env.WASMSHARE = resolve(wasmshare);
  run(cargo[0], cargo.slice(1)); // now it is fresh
  const measured = inRounds(() => time({ unchanged: cargo.join(' ') }, 20));
  say('## Building again', '');
  table(['command', 'time', 'fastest'], [['`cargo wasmshare build`, nothing changed', ...measured.columns('unchanged')]]);
  const seconds = measured.seconds('unchanged');
  goal('`cargo wasmshare build`, nothing changed', 'at most 0.2 s', duration(seconds), seconds <= 0.2);
}

// ------------------------------------------------------------------------------------------------------- at load time

function atLoadTime(input) {
  const directory = join(work, 'prepared');
  run(wasmshare, ['prepare', '-o', directory, `sqlite=${input}`]);
  const prepared = join(directory, 'sqlite.wasm');
  run(wasmshare, relocate(input));
  const [{ pointers }] = JSON.parse(run(wasmshare, ['inspect', '--json', prepared]));
  const count = Object.values(pointers).reduce((sum, of) => sum + of, 0);
  const section = size(prepared) - size(moved(input));
  const measured = inRounds(() => ({ ...timePlacing(prepared, 15), walrus: timeWalrus(input, 15) }));
  const toCompile = measured.ratio('place', 'compile');
  const toCompileLazily = measured.ratio('place', 'compileLazily');
  const toWalrus = measured.ratio('walrus', 'place');
  const first = measured.ratio('firstPlace', 'firstCompile');
  say(`## Placing SQLite at load time (${megabytes(size(prepared))}, prepared)`, '');
  table(['in Node, in process', 'time', 'fastest', 'ratio'], [
    ['`relocate` of the wasmshare package', ...measured.columns('place'), `${spreadInPercent(toCompile)} of compiling`],
    ['`WebAssembly.compile` of what it gave', ...measured.columns('compile'), ''],
    ['the same, functions left to their first call', ...measured.columns('compileLazily'),
      `placing is ${spreadInPercent(toCompileLazily)} of it`],
    ['walrus reading and writing', ...measured.columns('walrus'), `${spread(toWalrus)} of placing`],
    ['the first `relocate` of a process', ...measured.columns('firstPlace'), `${spreadInPercent(first)} of compiling`],
    ['the first `WebAssembly.compile`', ...measured.columns('firstCompile'), ''],
  ]);
  const shipped = minifiedSize('js/index.js');
  goal('placing SQLite at load time, against walrus', 'at most 1/50', `1/${toWalrus.median.toFixed(1)}`,
    toWalrus.median >= 50);
  goal('the same, against `WebAssembly.compile` of all functions', 'under 5%', percent(toCompile.median),
    toCompile.median < 0.05);
  goal('the same, if functions are left to their first call', 'under 5%', percent(toCompileLazily.median),
    toCompileLazily.median < 0.05);
  goal('the package that a page loads, minified and gzipped', 'at most 4,300 bytes',
    `${thousands(shipped.gzipped)} bytes, of ${thousands(shipped.minified)}`, shipped.gzipped <= 4300);
  goal('what preparing adds to SQLite', 'under 1.3 bytes a pointer',
    `${(section / count).toFixed(2)} bytes (${thousands(section)} for ${thousands(count)})`, section / count < 1.3);
}

// ---------------------------------------------------------------------------------------------------- memory and size

function memory(jobs) {
  let worst = -Infinity;
  const rows = jobs.map(([name, inputs, args]) => {
    const input = inputs.reduce((sum, path) => sum + size(path), 0);
    const peak = peakMemory(wasmshare, args);
    const allowed = 1.5 * input + 8 * MiB;
    worst = Math.max(worst, peak / allowed);
    return [name, megabytes(input), megabytes(peak), megabytes(allowed)];
  });
  say('## Peak memory', '');
  table(['job', 'input', 'peak', 'goal'], rows);
  goal('peak memory', 'at most 1.5× the input + 8 MB', `${(worst * 100).toFixed(0)}% of that, at worst`, worst <= 1);
}

function sizes(modules) {
  let worst = -Infinity;
  const rows = modules.map(([name, input]) => {
    run(wasmshare, relocate(input));
    const [{ data }] = JSON.parse(run(wasmshare, ['inspect', '--json', input]));
    const stripped = sizeWithoutRelocations(input);
    const written = size(moved(input));
    worst = Math.max(worst, written - stripped);
    return [name, ...[size(input), stripped, written, written - stripped, data.zeroBytes].map(thousands)];
  });
  say('## Size of what is written', '');
  table(['module', 'input', 'without relocations', 'written', 'difference', 'of it, .bss not written'], rows);
  goal('size written, against the input without `linking` and `reloc.*`', 'at most 1 KB more',
    `${thousands(worst)} bytes, at worst`, worst <= 1024);
}

// -------------------------------------------------------------------------------------------------------------- pages

function pages(sets) {
  const combined = (inputs, ...options) => {
    const output = join(work, 'combined');
    run(wasmshare, ['combine', '-o', output, ...options, ...inputs]);
    return JSON.parse(readFileSync(join(output, 'layout.json'), 'utf8')).pages;
  };
  const rows = sets.map(([name, inputs]) => {
    const heapBases = inputs.map((input) => Number(run(wasmshare, ['heap-base', input])));
    const predecessor = Math.floor(heapBases.reduce((sum, base) => sum + base, 0) / 65536) + 1;
    return [name, predecessor, combined(inputs), combined(inputs, '--stack=shared')];
  });
  say('## Pages of the combined memory', '');
  table(['modules', 'predecessor', '`combine`', '`combine --stack=shared`'], rows);
  goal('pages of the combined memory', 'no more than the predecessor',
    rows.map(([, before, now]) => `${now} of ${before}`).join(', '), rows.every(([, before, now]) => now <= before));
}

// ----------------------------------------------------------------------------------------------------------- one file

const merged = ({ output }) => join(output, 'merged.wasm');
const linked = ({ output }) => join(output, 'linked.wasm');
const merging = ({ modules, output }) => [wasmshare, 'combine', '--single', merged({ output }), ...modules];

function sizesOfPrograms(list, rust) {
  const sum = (paths) => paths.reduce((total, path) => total + size(path), 0);
  let worst = 0;
  const rows = list.map((program) => {
    const ratio = size(merged(program)) / size(linked(program));
    worst = Math.max(worst, ratio);
    return [program.name, thousands(sum(program.modules)), thousands(size(linked(program))), thousands(size(merged(program))),
      ratio.toFixed(3)];
  });
  const file = join(work, 'plugins.wasm');
  run(wasmshare, ['combine', '--single', file, ...rust]);
  rows.push([`${rust.length} Rust plug-ins`, thousands(sum(rust)), '', thousands(size(file)), '']);
  say('## One file: its size', '');
  table(['program', 'modules', 'one static link', 'one file', 'ratio'], rows);
  goal('one file, against one static link', 'at most 1.03×', `${worst.toFixed(3)}×, at worst`, worst <= 1.03);
  goal(`${rust.length} Rust plug-ins in one file, against theirs`, 'at most half', percent(size(file) / sum(rust)),
    size(file) <= sum(rust) / 2);
}

function speedOfPrograms(list) {
  let ofLinker = 0, ofCp = 0;
  const rows = list.map((program) => {
    const placed = join(program.output, 'placed');
    run(wasmshare, ['combine', '--link', '-o', placed, ...program.modules]);
    const names = program.modules.map((path) => basename(path, '.wasm'));
    const wasmMerge = [join(work, 'node/node_modules/binaryen/bin/wasm-merge'), ...names.flatMap((name) =>
      [join(placed, `${name}.wasm`), name]), '--all-features', '--rename-export-conflicts', '-o', join(work, 'moved/merged.wasm')];
    const measured = inRounds(() => time({
      cp: `cp ${program.modules.join(' ')} ${work}/moved`,
      wasmshare: merging(program).join(' '),
      linker: program.linking(linked(program)).join(' '),
    }, 15));
    const { wasmMerge: slow } = time({ wasmMerge: ['node', ...wasmMerge].join(' ') }, 2, 0);
    const [toLinker, toCp] = ['linker', 'cp'].map((other) => measured.ratio('wasmshare', other));
    ofLinker = Math.max(ofLinker, toLinker.median);
    ofCp = Math.max(ofCp, toCp.median);
    return [program.name, ...['cp', 'wasmshare', 'linker'].map((name) => duration(measured.seconds(name))), duration(slow.median),
      spread(toCp), spread(toLinker)];
  });
  say('## One file: making it', '');
  table(['program', '`cp`', '`combine --single`', '`wasm-ld`', '`wasm-merge`', 'of cp', 'of wasm-ld'], rows);
  goal('`combine --single`, against `wasm-ld` of the same objects', 'at most 0.25×', `${times(ofLinker)}, at worst`, ofLinker <= 0.25);
  goal('the same, against `cp` of the modules', 'at most 3×', `${times(ofCp)}, at worst`, ofCp <= 3);
}

async function runningOfPrograms(list) {
  const processes = 4 * rounds;
  let worst = 0;
  const rows = list.map((program) => {
    const { one, other, ratio } = timeRunning(program, [merged(program), linked(program)], processes);
    worst = Math.max(worst, ratio.median);
    return [program.name, duration(other), duration(one), precisely(ratio)];
  });
  say('## One file: running it in Node', '', `The median of ${processes} processes, with the lowest and the highest.`, '');
  table(['program', 'one static link', 'one file', 'ratio'], rows);
  const [staticLink, withSideModules] = await emscriptenPrograms();
  const { one, other, ratio } = timeRunning(list[0], [withSideModules, staticLink], processes);
  table([`${list[0].name}, by Emscripten`, 'one static link', 'MAIN_MODULE and two SIDE_MODULEs', 'ratio'],
    [[`emcc ${emscriptenVersion()}`, duration(other), duration(one), precisely(ratio)]]);
  goal('running one file, against one static link', 'at most 1.02×', `${worst.toFixed(3)}×, at worst`, worst <= 1.02);
}

// -------------------------------------------------------------------------------------------------------------- calls

function callsInACircle() {
  const { calls, taken } = timeCircle(run, work, wasmshare, rounds);
  const straight = taken['no circle'];
  const ratios = (name) => {
    const each = taken[name].map((seconds, i) => seconds / straight[i]);
    return { median: median(each), lowest: Math.min(...each), highest: Math.max(...each) };
  };
  say('## Calls in a circle', '');
  table([`${thousands(3 * calls)} calls, each to another module`, 'median', 'against no circle'],
    Object.keys(taken).map((name) => [name, duration(median(taken[name])), spread(ratios(name))]));
  const { median: measured } = ratios('a circle, `--link`');
  goal('calls in a circle, of one program', 'at most 1.5× as long as the same calls without', times(measured), measured <= 1.5);
}

// -------------------------------------------------------------------------------------------------------------- report

mkdirSync(join(work, 'moved'), { recursive: true });
mkdirSync('docs', { recursive: true });
const inputs = { sqlite: await sqlite(), large: await large(), buffer: await buffer(), c: threeModules('c'),
  rust: threeModules('rust'), plugins: plugins(16) };
const load = loadavg()[0].toFixed(2);

speedOfSqlite(inputs.sqlite);
speedOfLarge(inputs.large);
speedOfNpm(inputs.sqlite);
startUp();
unchangedBuild();
atLoadTime(inputs.sqlite);
memory([
  ['`relocate`, a small module', [inputs.c[0]], relocate(inputs.c[0])],
  ['`relocate`, SQLite', [inputs.sqlite], relocate(inputs.sqlite)],
  ['`relocate`, debug build', [inputs.large], relocate(inputs.large)],
  ['`combine`, 16 Rust modules', inputs.plugins, ['combine', '-o', join(work, 'combined'), ...inputs.plugins]],
]);
sizes([
  ['`common`, in C', inputs.c[0]],
  ['`common`, in Rust', inputs.rust[0]],
  ['`a`, in Rust', inputs.rust[1]],
  ['Rust with a map and formatting', inputs.plugins[0]],
  ['1 MiB of zeros, in C', inputs.buffer],
  ['SQLite', inputs.sqlite],
  ['debug build', inputs.large],
]);
pages([
  ['three, in Rust', inputs.rust],
  ['16, in Rust', inputs.plugins],
  ['SQLite and two small ones, in C', [inputs.sqlite, ...inputs.c.slice(1)]],
]);
callsInACircle();

const list = await programs(inputs.plugins.slice(0, 3));
for (const program of list)
  for (const [command, ...args] of [merging(program), program.linking(linked(program))]) run(command, args);
sizesOfPrograms(list, inputs.plugins);
speedOfPrograms(list);
await runningOfPrograms(list);

const version = (command, ...args) => run(command, args).split('\n')[0].trim();
const { '@napi-rs/wasm-tools': walrus, binaryen } = JSON.parse(readFileSync('bench/package.json', 'utf8')).devDependencies;
const tools = [version(wasmshare, '--version'), version('wasm-opt', '--version'),
  `walrus in @napi-rs/wasm-tools ${walrus}`, `wasm-merge of binaryen ${binaryen} (npm)`, version(process.env.CLANG, '--version'),
  version(linker, '--version'), version('hyperfine', '--version'),
  `Node ${process.version}`];
const machine = `${cpus().length} × ${cpus()[0]?.model.trim() ?? 'unknown processor'}, Linux ${release()}`;

const details = report.splice(0);
say('## Goals', '');
table(['', 'goal', 'measured', 'met'], goals);
writeFileSync('docs/benchmarks.md', `# Benchmarks

Made by \`./run bench${rounds === 7 ? '' : ` --rounds ${rounds}`}\`, and not edited.

- Machine: ${machine}; load average ${load} at the beginning.
- Tools: ${tools.join('; ')}.

${report.join('\n')}
What is compared:

- Times are medians over ${rounds} rounds of a round's median, and the fastest run of all. A round is one run of hyperfine
  over the commands of a table; ratios are taken within a round, and the tables give their median, lowest and highest.
- \`cp\`, \`wasmshare\` and \`wasm-opt\` are whole processes that read a file and write one, over an older
  one, from and to the same directory on disk. What \`wasmshare\` finds there already, byte for byte, it leaves as it is: a row
  of its own has that. \`wasm-opt\` runs no passes, and leaves out names and DWARF.
- walrus runs inside Node, warmed up, from bytes in memory to bytes in memory, and leaves out DWARF: its time has no
  start of a process and no files in it, wasmshare's has.
- Placing is from bytes to bytes too. It is done at another address each time, so that nothing is compiled twice, and
  the first one of a process is told apart: engines run JavaScript slowly until they have compiled it.
  \`WebAssembly.compile\` compiles all functions up to Node 18, Debian's. Later ones look only whether they are valid, and
  compile each when it is first called; \`--no-wasm-lazy-compilation\` makes them do as the older, for the goal.
- The debug build is 18 copies of SQLite, compiled with \`-O0 -g\`; \`wasm-opt\` and walrus are run twice on it.
- Peak memory is the largest resident set, which counts the pages of the input that are mapped. MB is 1,000,000 bytes in
  sizes of files and memory, and 8 MB in the goal is 8 MiB.
- One file: modules and static links are made by \`wasm-ld\` of the same objects with the same flags, but for
  \`--emit-relocs --import-memory\`. Both keep names and no DWARF, and neither has compressed operands, which \`wasm-ld\` makes only
  with \`--compress-relocations\`. The time of \`wasm-ld\` is that of the linker alone, without a compiler that calls it.
  \`wasm-merge\`, binaryen's in Node, is given modules that \`combine --link\` has placed, and is run twice, for reference: it
  does not merge what is one thing.
- One file and the static link run in one process of Node's, in turn, after V8 has optimised all of both
  (\`--no-liftoff --no-wasm-lazy-compilation\`); the time is that of the fastest round.
- Emscripten's own static link of the same sources is what its side modules are compared with: it has another clang.
- The predecessor's number of pages is its formula: the sum of the modules' heap bases, divided by 65,536, rounded
  down, plus one.

${details.join('\n').trimEnd()}
`);
