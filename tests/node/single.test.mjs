// One file: what modules are merged into does what a static link of their objects does, function by function.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { test } from 'node:test';
import { WASI } from 'node:wasi';
import { Worker } from 'node:worker_threads';
import { cases } from '../oracle/cases.mjs';
import { Toolbox } from '../oracle/link.mjs';
import { compareMerged } from '../oracle/merged.mjs';
import { decode, Reader } from '../oracle/wasm.mjs';
import { linkReactor, projectDirectory, run, scratchDirectory, stringAt, testsDirectory, tool } from './tools.mjs';

const directory = scratchDirectory();
const source = name => join(testsDirectory, 'node', 'modules', 'single', name);
const file = name => join(directory, name);

function compile(name, output, ...flags) {
  run(tool('CLANG'), ['--target=wasm32', '-O2', '-fno-builtin', '-Wall', '-Wextra', '-Werror', ...flags, '-c',
    source(name), '-o', file(output)]);
  return file(output);
}

function link(output, objects, ...flags) {
  run(tool('WASM_LD'), ['--no-entry', '--allow-undefined', '--export=__wasm_call_ctors', ...flags, ...objects, '-o',
    file(output)]);
  return file(output);
}
const placeable = ['--emit-relocs', '--import-memory'];

function merge(output, modules, ...options) {
  run(tool('WASMSHARE'), ['combine', '--single', file(output), ...options, ...modules]);
  run('wasm-validate', ['--enable-all', file(output)]);
  return file(output);
}

const load = (path, imports) => new WebAssembly.Instance(new WebAssembly.Module(readFileSync(path)), imports).exports;

test('three modules are one program, as one link of their objects', async t => {
  const names = ['first', 'second', 'third'];
  const objects = names.map(name => compile(`${name}.c`, `${name}.o`, '-fvisibility=default'));
  const modules = names.map((name, i) => link(`${name}.wasm`, [objects[i]], '--export-dynamic', ...placeable));
  const linked = link('linked.wasm', objects, '--export=run', '--export=seen', '--export-dynamic');
  const merged = merge('merged.wasm', modules, '--host-import', 'env.host_log');

  const results = [merged, linked].map(path => {
    const log = [];
    const exports = load(path, { env: { host_log: text => log.push(stringAt(exports.memory, text)) } });
    (exports._initialize ?? exports.__wasm_call_ctors)();
    return { run: [1, 2, 3].map(exports.run), seen: [0, 1, 2, 3, 4].map(exports.seen), log };
  });
  await t.test('it does the same', () => {
    assert.deepEqual(results[0], results[1]);
    assert.deepEqual(results[0].seen, [100, 200, 65535, 3, 0]); // by priority, then in link order
    assert.deepEqual(results[0].log, ['third', 'third', 'third']);
  });
  await t.test('every function is the linker\'s, but for what its numbers are', () => {
    const { differences, compared } = compareMerged(readFileSync(merged), readFileSync(linked));
    assert.deepEqual(differences, []);
    assert.ok(compared >= 14, `${compared} functions`);
  });
  await t.test('calls go straight from one module\'s function to another\'s, and nothing is imported but the host\'s',
    () => assert.deepEqual(decode(readFileSync(merged)).imports.map(({ name }) => name), ['host_log']));
  await t.test('it is no larger', () => assert.ok(statSync(merged).size <= 1.03 * statSync(linked).size));
});

test('one file has a layout beside it, which loads it', async t => {
  const names = ['first', 'second', 'third'];
  const modules = names.map(name => link(`${name}-laid.wasm`,
    [compile(`${name}.c`, `${name}-laid.o`, '-fvisibility=default')], '--export-dynamic', ...placeable));
  const inputs = names.map((name, i) => `${name}=${modules[i]}`);
  const combine = (output, path, ...options) => {
    run(tool('WASMSHARE'), ['combine', '-o', file(output), '--single', path, '--host-import', 'env.host_log', ...options,
      ...inputs]);
    run(tool('WASMSHARE'), ['verify', file(output)]);
    return file(output);
  };
  const results = async (layout, options) => {
    const log = [];
    const { memory, instance, instances } = await layout.instantiate(
      { env: { host_log: text => log.push(stringAt(memory, text)) } }, options);
    assert.deepEqual(Object.keys(instances), names);
    const find = name => Object.values(instances).find(({ exports }) => exports[name]).exports[name];
    assert.deepEqual([0, 1, 2, 3, 4].map(find('seen')), [100, 200, 65535, 3, 0]);
    for (const { name, exports } of layout.modules) // each has its own exports, and no others
      assert.deepEqual(Object.keys(instances[name].exports).sort(),
        [...new Set([...exports, ...instance.exports.memory ? ['memory'] : []])].sort());
    assert.deepEqual(names.filter(name => 'seen' in instances[name].exports), ['first']);
    assert.equal(instances.first.exports.seen, instance.exports.seen);
    assert.ok(instances.first instanceof WebAssembly.Instance);
    find('run')(1);
    assert.deepEqual(log, ['third']);
    return memory;
  };
  const own = combine('own', join(file('own'), 'app.wasm'));
  const json = JSON.parse(readFileSync(join(own, 'layout.json')));

  await t.test('with its own memory', async () => {
    const layout = await import(join(own, 'layout.mjs'));
    const memory = await results(layout);
    assert.equal(memory.buffer.byteLength, layout.pages * layout.pageSize);
    await assert.rejects(layout.instantiate({}, { memory: layout.createMemory() }), /has its own memory/);
    await assert.rejects(layout.instantiate(), /app.wasm: needs env.host_log from the host: instantiate\({ env: { host_log } }\)/);
    await assert.rejects(layout.instantiate({}, { modules: [] }), /has no option modules/);
  });
  await t.test('with the host\'s, wherever the file is', async () => {
    mkdirSync(file('elsewhere'), { recursive: true });
    const imported = combine('imported', file('elsewhere/app file.wasm'), '--import-memory', '--name', 'program');
    const layout = await import(join(imported, 'program.mjs'));
    assert.equal(layout.single.name, '../elsewhere/app file.wasm');
    const memory = layout.createMemory({ pages: layout.pages + 1 });
    assert.equal(await results(layout, { memory }), memory);
    await results(layout);
  });
  await t.test('layout.json is as its schema says', () => {
    const validate = new (createRequire(join(tool('NODE_MODULES'), 'x'))('ajv/dist/2020').default)({ allErrors: true }).compile(
      JSON.parse(readFileSync(join(projectDirectory, 'docs', 'layout.schema.json'), 'utf8')));
    assert.ok(validate(json), JSON.stringify(validate.errors));
    assert.deepEqual(json.modules.map(({ name }) => name), names);
    const { exports } = new WebAssembly.Instance(new WebAssembly.Module(readFileSync(join(own, 'app.wasm'))),
      { env: { host_log() {} } });
    assert.deepEqual([...new Set([...json.modules.flatMap(module => module.exports), '_initialize', 'memory'])].sort(),
      Object.keys(exports).sort());
    assert.deepEqual(json.single, { file: 'app.wasm', memoryImport: null, constructors: '_initialize',
      imports: [{ module: 'env', name: 'host_log', kind: 'function' }] });
  });
  await t.test('layout.h says the same', () => {
    writeFileSync(file('consumer.c'), `#include "layout.h"
#include <stdio.h>
#define MODULE(m) puts(LAYOUT_##m##_NAME);
#define IMPORT(module, name, kind) puts(module " " name " " #kind);
int main(void) {
  printf("%s %s %d %lu\\n", LAYOUT_SINGLE_FILE, LAYOUT_SINGLE_CONSTRUCTORS, LAYOUT_SINGLE_MEMORY_IMPORT_MODULE == 0, LAYOUT_HEAP_BASE);
  LAYOUT_MODULES(MODULE) LAYOUT_SINGLE_IMPORTS(IMPORT)
}`);
    run(tool('CC'), ['-std=c99', '-Wall', '-Wextra', '-Wpedantic', '-Werror', `-I${own}`, file('consumer.c'), '-o', file('consumer')]);
    assert.deepEqual(run(file('consumer'), []).trimEnd().split('\n'),
      [`app.wasm _initialize 1 ${json.heapBase}`, ...names, 'env host_log FUNCTION']);
  });
  await t.test('layout.d.mts types it', () => {
    writeFileSync(join(own, 'use.mts'), `import { createMemory, heapBase, instantiate, modules, single } from './layout.mjs';
const { instances, memory } = await instantiate({ env: {} },
  { compile: async ({ url }) => WebAssembly.compileStreaming(fetch(url)) });
const one: WebAssembly.Instance = instances.first, name: 'first' | 'second' | 'third' = modules[0].name;
// @ts-expect-error
instances.nothing;
void [one, name, memory, single.imports, createMemory, heapBase + 1];
`);
    run(process.execPath, [tool('TSC'), '--noEmit', '--strict', '--module', 'nodenext', '--target', 'es2022', '--lib', 'es2022,dom',
      join(own, 'use.mts')]);
  });
  await t.test('a layout that says something else is found out', () => {
    for (const [change, message] of [
      [one => { one.single.constructors = null; }, /exports _initialize to run its constructors, but the layout says nothing/],
      [one => { one.single.imports = []; }, /imports the function env.host_log, but not so the layout/],
      [one => { one.single.memoryImport = { module: 'env', name: 'memory' }; }, /defines its memory, but not so the layout/],
      [one => { one.pages++; one.heapEnd += 65536; }, /its memory has other limits than the layout's/],
      [one => { one.stackPointer = one.heapBase + 16; }, /the stack is not below the heap/],
      [one => { delete one.single.file; }, /is not a layout of this wasmshare/],
      [one => { one.modules[1].exports.push('nothing'); }, /app.wasm: does not export nothing, but the layout says that second does/],
      [one => { delete one.modules[1].exports; }, /is not a layout of this wasmshare/],
      [one => { one.modules = [{}]; }, /is not a layout of this wasmshare/],
    ]) {
      const changed = structuredClone(json);
      change(changed);
      writeFileSync(join(own, 'changed.json'), JSON.stringify(changed));
      assert.throws(() => execFileSync(tool('WASMSHARE'), ['verify', join(own, 'changed.json')], { stdio: 'pipe' }), { message });
    }
  });
});

test('SQLite with two small modules', async t => {
  const flags = [`-I${tool('SQLITE_DIRECTORY')}`, join(testsDirectory, 'sqlite', 'database.c'), tool('SQLITE_OBJECT'),
    '-lwasi-emulated-getpid', '-lwasi-emulated-mman'];
  const objects = ['queries', 'score'].map(name => compile(`${name}.c`, `${name}.o`));
  const modules = [linkReactor('CLANG', file('sqlite.wasm'), ...flags),
    ...['queries', 'score'].map((name, i) => link(`${name}.wasm`, [objects[i]], ...placeable))];
  const merged = merge('sqlite-merged.wasm', modules, '--strip-debug');
  const linked = file('sqlite-linked.wasm');
  run(tool('CLANG'), ['--target=wasm32-wasi', '-Wno-deprecated', '-mexec-model=reactor', '-O2', '--no-wasm-opt',
    '-Wl,--strip-debug,--keep-section=name', ...objects, ...flags, '-o', linked]);
  await t.test('answers', () => {
    const wasi = new WASI({ version: 'preview1' });
    const instance = new WebAssembly.Instance(new WebAssembly.Module(readFileSync(merged)),
      { wasi_snapshot_preview1: wasi.wasiImport });
    wasi.initialize(instance);
    assert.equal(stringAt(instance.exports.memory, instance.exports.ask()), '2000 2001000 x999');
    const [first, second] = [instance.exports.score_answer(), instance.exports.score_answer()];
    assert.equal(second, first + 1);
  });
  await t.test('every function is the linker\'s', () => {
    const { differences, compared } = compareMerged(readFileSync(merged), readFileSync(linked));
    assert.deepEqual(differences, []);
    assert.ok(compared > 1000, `${compared} functions`);
  });
  await t.test('and it is no larger', () => assert.ok(statSync(merged).size <= 1.03 * statSync(linked).size));
});

test('threads share one memory, which one of them initialises', async () => {
  const pages = 1 << 24;
  const modules = [['left', 1000], ['right', 50]].map(([name, start]) => link(`${name}.wasm`,
    [compile('counter.c', `${name}.o`, '-pthread', '-mbulk-memory', `-DNAME(x)=${name}_##x`, `-DSTART=${start}`)],
    '--export-dynamic', '--shared-memory', `--max-memory=${pages}`, '--export=__wasm_init_tls', '--export=__tls_base',
    '--export=__tls_size', '--export=__stack_pointer', ...placeable));
  const path = merge('threads.wasm', modules, '--import-memory', '--heap-size', '64K');
  const module = new WebAssembly.Module(readFileSync(path));
  const memory = new WebAssembly.Memory({ initial: 16, maximum: pages / 65536, shared: true });
  const barrier = new Int32Array(new SharedArrayBuffer(4));
  const threads = 4, times = 10_000, areas = 0x80000;
  const reports = await Promise.all(Array.from({ length: threads }, (_, i) => new Promise((resolve, reject) => {
    const worker = new Worker(source('thread.mjs'),
      { workerData: { module, memory, barrier, threads, area: areas + i * 8192, times } });
    worker.once('message', resolve);
    worker.once('error', reject);
  })));
  assert.equal(reports.filter(({ initialised }) => initialised).length, 1);
  for (const { initialised, tlsBase, addresses, counts, sums } of reports) {
    assert.equal(tlsBase >= areas, !initialised);
    addresses.forEach(address => assert.ok(address >= tlsBase && address < tlsBase + 64));
    assert.deepEqual(counts, [1007 + times, 57 + 2 * times]);
    assert.deepEqual(sums, [9999, 19999]);
  }
  const exports = new WebAssembly.Instance(module, { env: { memory } }).exports;
  assert.equal(exports.left_get_total(), 1000 + threads * times);
  assert.equal(exports.right_get_total(), 50 + 2 * threads * times);
  assert.equal(exports.left_get_bss_total(), threads * times);
});

test('threads have thread-local variables of position-independent modules for themselves', () => {
  const flags = ['--target=wasm32-unknown-emscripten', '-fPIC', '-fvisibility=default', '-ftls-model=global-dynamic', '-pthread',
    '-ffreestanding'];
  const objects = ['pic-threads', 'pic-threads-elsewhere'].map(name => compile(`${name}.c`, `${name}.o`, ...flags));
  const other = compile('counter.c', 'pic-other.o', ...flags, '-DNAME(x)=other_##x', '-DSTART=1');
  const modules = [['pic-other', [other]], ['pic-threads', objects]].map(([name, list]) => link(`${name}.wasm`, list,
    '--shared-memory', '--max-memory=1048576', '--export=__wasm_init_tls', '--export-dynamic', ...placeable));
  const path = merge('pic-threads-merged.wasm', modules, '--import-memory');
  const memory = new WebAssembly.Memory({ initial: 16, maximum: 16, shared: true }), module = new WebAssembly.Module(readFileSync(path));
  const threads = [null, 0x80000, 0x80100].map(block => {
    const { exports } = new WebAssembly.Instance(module, { env: { memory } });
    if (block !== null) exports.__wasm_init_tls(block);
    return exports;
  });
  assert.deepEqual(threads.map(({ add }, i) => add(i)), [40, 41, 42]);
  assert.deepEqual(threads.map(({ add }) => add(10)), [50, 51, 52]);
  assert.equal(new Set(threads.map(({ where }) => where())).size, 3);
  assert.ok(threads[2].where() - 0x80100 < 64);
  assert.deepEqual(threads.map(({ pointed }) => pointed()), [104, 105, 106]);
  run(tool('WASMSHARE'), ['combine', '-o', file('pic-threads'), '--single', file('pic-threads/app.wasm'), '--import-memory', ...modules]);
});

test('labels of assembly stay where they are to each other, whatever is dropped around them', () => {
  const objects = ['labels.s', 'score.c'].map((name, i) =>
    compile(name, `labels-${i}.o`, '-Wno-unused-command-line-argument'));
  const modules = ['labels', 'labelled'].map((name, i) => link(`${name}.wasm`, [objects[i]], ...placeable));
  const exports = load(merge('labels-merged.wasm', modules));
  assert.equal(exports.length(), 12);
  assert.equal(exports.sum(), 1 + 2 + 3);
});

// What differs by design when one module is merged alone, and given a memory of its own.
const ownWays = [/^__wasm_init_memory/, /^__wasm_init_tls has/, /^__wasm_apply_tls_relocs is missing/,
  /^__wasm_call_ctors is missing/, /\.command_export is missing$/, /^imports /];
// Without names, functions cannot be paired.
const compared = cases.filter(({ relocations, link: flags, rust }) =>
  relocations && !rust && !flags.includes('--strip-all'));

test('every kind of module, merged alone, is what the linker makes of it without relocations', async t => {
  const tools = { clang: tool('CLANG'), linker: tool('WASM_LD'), wasmshare: tool('WASMSHARE'), work: file('cases') };
  for (const entry of compared) {
    await t.test(entry.name, () => {
      const toolbox = new Toolbox(tools);
      const objects = toolbox.compile(entry);
      const input = toolbox.link(entry, objects, [], 'input.wasm');
      const linked = toolbox.link(entry, objects, [], 'linked.wasm', false);
      const merged = join(input, '..', 'merged.wasm');
      const shared = entry.link.includes('--shared-memory') ? ['--import-memory'] : [];
      run(tool('WASMSHARE'), ['combine', '--single', merged, ...shared, input]);
      const { differences, compared: count } = compareMerged(readFileSync(merged), readFileSync(linked));
      assert.deepEqual(differences.filter(line => !ownWays.some(way => way.test(line))), []);
      assert.ok(count > 0);
    });
  }
});

// Takes the nth relocation of code away; lld may count more than it writes, so the count can stay.
function withoutRelocation(bytes, nth) {
  const parts = [bytes.subarray(0, 8)];
  const leb = number => {
    const out = [];
    do out.push((number & 0x7f) | (number > 0x7f ? 0x80 : 0)); while ((number >>>= 7));
    return Buffer.from(out);
  };
  let taken = null;
  for (const section of decode(bytes).sections) {
    let payload = bytes.subarray(section.start, section.end);
    if (section.id === 0) {
      if (section.name === 'reloc.CODE') {
        const reader = new Reader(payload);
        reader.u32();
        reader.u32();
        for (let i = 0; ; i++) {
          const from = reader.at, type = reader.u8();
          reader.u32();
          reader.u32();
          if ([3, 4, 5].includes(type)) reader.signed();
          if (i < nth) continue;
          taken = type;
          payload = Buffer.concat([payload.subarray(0, from), payload.subarray(reader.at)]);
          break;
        }
      }
      payload = Buffer.concat([leb(section.name.length), Buffer.from(section.name), payload]);
    }
    parts.push(Buffer.from([section.id]), leb(payload.length), payload);
  }
  return { bytes: Buffer.concat(parts), taken };
}

test('an index whose relocation was taken away is refused', async t => {
  const objects = ['first', 'second', 'third'].map(name => compile(`${name}.c`, `indices-${name}.o`));
  const module = link('indices.wasm', objects, '--export=run', ...placeable);
  const indices = new Set([0, 6, 7, 20]); // relocations of functions, types, globals and tables
  const seen = new Set();
  const { relocations } = decode(readFileSync(module));
  for (let i = 0; i < relocations[0].entries.length; i++) {
    const { bytes, taken } = withoutRelocation(readFileSync(module), i);
    if (!indices.has(taken)) continue;
    seen.add(taken);
    await t.test(`relocation ${i}, of type ${taken}`, () => {
      writeFileSync(file('taken.wasm'), bytes);
      assert.throws(() => execFileSync(tool('WASMSHARE'),
        ['combine', '--single', file('none.wasm'), '--host-imports', 'env', file('taken.wasm')], { stdio: 'pipe' }),
        ({ status, stderr }) => {
          assert.equal(status, 1);
          assert.match(`${stderr}`, /^wasmshare: error: [^\n]*relocations[^\n]*\n$/);
          return true;
        });
    });
  }
  assert.ok(seen.has(0) && seen.has(6));
});
