// Shared memory: two threads, each with its own instances of two modules, on one memory.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { Worker } from 'node:worker_threads';
import { expected, runFourThreads } from './modules/four-threads.mjs';
import { combine, instantiate, liesInside, linkThreads, run, scratchDirectory, testsDirectory, tool } from './tools.mjs';

const threads = 2, times = 100_000, areaSize = 4096;

function runThread(workerData) {
  return new Promise((resolve, reject) => {
    const worker = new Worker(new URL('thread.mjs', import.meta.url), { workerData });
    worker.once('message', resolve);
    worker.once('error', reject);
  });
}

test('two threads on one shared memory', async t => {
  const directory = scratchDirectory();
  const module = linkThreads(join(directory, 'threads-input.wasm'),
    '-Wl,--export=__tls_base,--export=__stack_pointer');
  const layout = await combine(directory, [`left=${module}`, `right=${module}`], '--heap-size', '64K');
  assert.equal(layout.shared, true);
  assert.equal(layout.maximumPages, (1 << 24) / layout.pageSize);

  const memory = layout.createMemory();
  assert.ok(memory.buffer instanceof SharedArrayBuffer);
  const barrier = new Int32Array(new SharedArrayBuffer(4));
  const reports = await Promise.all(Array.from({ length: threads }, (_, thread) => runThread({
    layoutUrl: pathToFileURL(join(directory, 'layout.mjs')).href, memory, barrier, threads, areaSize, times,
    areas: layout.modules.map((_, i) => layout.heapBase + (thread * layout.modules.length + i) * areaSize),
  })));

  for (const [i, module] of layout.modules.entries()) {
    const [one, other] = reports.map(report => report[i]);

    await t.test(`${module.name}: exactly one thread initialises the memory`, () => {
      assert.equal(Number(one.initialised) + Number(other.initialised), 1);
      const [winner, loser] = one.initialised ? [one, other] : [other, one];
      assert.ok(liesInside(winner.tlsBase, module));
      assert.ok(liesInside(winner.ownCountAddress, module));
      assert.ok(loser.tlsBase >= layout.heapBase);
      assert.ok(loser.ownCountAddress >= layout.heapBase);
    });

    await t.test(`${module.name}: thread-local variables start from their initial values and stay apart`, () => {
      for (const report of [one, other]) {
        assert.equal(report.ownCount, 7 + times);
        assert.equal(report.ownSum, 99_999);
      }
    });

    await t.test(`${module.name}: a later instance finds the data as the threads left it`, async () => {
      const { exports } = await instantiate(module, memory);
      assert.ok(liesInside(exports.total_address(), module));
      assert.equal(exports.get_total(), 1000 + threads * times);
      assert.equal(exports.get_bss_total(), threads * times);
    });
  }
});

test('an area is handed out to one thread at a time', async t => {
  const directory = scratchDirectory('areas');
  const module = linkThreads(join(directory, 'threads-input.wasm'));
  const layout = await combine(directory, [`left=${module}`, `right=${module}`], '--stack=shared', '--threads', '3');
  const { startThread, endThread } = await layout.instantiate();

  await t.test('so that it cannot come back twice', () => {
    const thread = startThread();
    endThread(structuredClone({ index: thread.index })); // a copy, as a worker sends it back
    for (const other of [thread, { index: 2 }, { index: 3 }, {}])
      assert.throws(() => endThread(other), { name: 'RangeError', message: `thread ${other.index} is not running` });
    const threads = [startThread(), startThread(), startThread()];
    assert.equal(new Set(threads.map(({ base }) => base)).size, 3);
    assert.throws(startThread, /there is room for 3 threads/);
    threads.forEach(endThread);
  });

  await t.test('nor to a worker', async () => {
    const thread = startThread();
    const { startThread: startInWorker, endThread: endInWorker } = await layout.instantiate({}, { thread });
    assert.throws(() => endInWorker(thread), { name: 'RangeError', message: 'the first thread ends threads' });
    assert.throws(startInWorker, /the first thread hands out threads/);
  });
});

test('a thread has the modules that were loaded when it started, not one that could not be', async () => {
  const directory = scratchDirectory('loaded');
  const left = linkThreads(join(directory, 'left-input.wasm'));
  const right = linkThreads(join(directory, 'right-input.wasm'), '-Wl,--allow-undefined',
    join(testsDirectory, 'node', 'modules', 'loader', 'log.c'));
  const layout = await combine(directory, [`left=${left}`, `right=${right}`], '--stack=shared', '--threads', '2',
    '--host-import', 'env.say');
  const env = {};
  const { load, startThread } = await layout.instantiate(() => ({ env }), { modules: ['left'] });
  await assert.rejects(load('right'), /^LinkError: right: needs env.say/);
  const thread = startThread();
  assert.deepEqual(Object.keys(thread.compiled), ['left']);
  const { instances } = await layout.instantiate({}, { thread });
  assert.deepEqual(Object.keys(instances), ['left']);

  env.say = () => {};
  await load('right');
  assert.deepEqual(Object.keys(startThread().compiled), ['left', 'right']);
});

test('four workers, each with a stack and thread-local variables that the loader hands out', async () => {
  const directory = scratchDirectory('four');
  const module = linkThreads(join(directory, 'threads-input.wasm'));
  await combine(directory, [`left=${module}`, `right=${module}`], '--stack=shared', '--threads', '4');
  const result = await runFourThreads(pathToFileURL(join(directory, 'layout.mjs')).href, message =>
    new Promise((resolve, reject) => {
      const worker = new Worker(new URL('modules/thread-worker.mjs', import.meta.url));
      worker.once('message', report => resolve(worker.terminate().then(() => report)));
      worker.once('error', reject);
      worker.postMessage(message);
    }));
  assert.deepEqual(result, expected);
});

test('in one program, thread-local variables that are one are so in every thread', async () => {
  const directory = scratchDirectory('one-program');
  const source = join(testsDirectory, 'node', 'modules', 'thread-locals.cpp');
  const [left, right] = [['left', 1], ['right', 100]].map(([side, size]) => {
    const output = join(directory, `${side}-input.wasm`);
    run(tool('CLANGXX'), ['--target=wasm32', '-std=c++20', '-O2', '-pthread', '-nostdlib', '-fno-exceptions', `-DSIDE=${side}`, `-DSIZE=${size}`,
      '--no-wasm-opt', '-Wl,--no-entry,--emit-relocs,--import-memory,--shared-memory,--max-memory=16777216,--export=__wasm_init_tls,'
        + '--export-dynamic,--export-if-defined=__wasm_call_ctors', source, '-o', output]);
    return output;
  });
  assert.throws(() => execFileSync(tool('WASMSHARE'), ['combine', '--link', '-o', directory, left, right], { stdio: 'pipe' }),
    /thread-local variable shared, which is one with that of left-input: say for how many threads .* with --threads N/);
  const { instantiate } = await combine(directory, [`left=${left}`, `right=${right}`], '--link', '--threads', '2');
  const { instances, startThread } = await instantiate();
  const use = ({ left: { exports: left }, right: { exports: right } }) => [
    left.left_shared() === right.right_shared(), left.left_step(), right.right_step(), left.left_own(), right.right_own(), left.left_step(),
    right.right_made(), left.left_made(),
  ];
  const first = [true, 641, 742, 2, 101, 843, 9, 9];
  assert.deepEqual(use(instances), first);
  for (let i = 0; i < 2; i++)
    assert.deepEqual(use((await instantiate({}, { thread: startThread() })).instances), first);
  assert.deepEqual(use(instances), [true, 944, 1045, 3, 102, 1146, 9, 9]);
  assert.equal(instances.left.exports.left_total(), 3);
});
