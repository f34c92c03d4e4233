// The loader of layout.mjs: what modules import from each other is given to them, and constructors run once, in order.

import assert from 'node:assert/strict';
import { cpSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { combine, linkFreestanding, linkReactor, linkThreads, projectDirectory, run, scratchDirectory, testsDirectory,
  tool } from './tools.mjs';

const inputs = scratchDirectory('inputs');
const link = (name, ...flags) => {
  const output = join(inputs, `${name}.wasm`);
  linkFreestanding(join('loader', `${name}.c`), output, '-Wl,--allow-undefined', ...flags);
  return output;
};
const constructors = '-Wl,--export-if-defined=__wasm_call_ctors';
const linkText = name => {
  const output = join(inputs, `${name}.wasm`);
  run(tool('WAT2WASM'), [join(testsDirectory, 'node', 'modules', 'loader', `${name}.wat`), '-o', output]);
  return output;
};
const log = link('log');
const base = link('base', constructors);
const derived = link('derived', constructors);
const plugin = link('plugin', constructors);
const even = link('even', '-fno-optimize-sibling-calls');
const odd = link('odd', '-fno-optimize-sibling-calls');

const host = () => {
  const said = [];
  return { said, imports: { env: { say: number => said.push(number) } } };
};

test('a module is given the functions that others export, and instantiated after those', async () => {
  const layout = await combine(scratchDirectory('functions'), [derived, base, log], '--host-import', 'env.say');
  const { said, imports } = host();
  const { instances, memory } = await layout.instantiate(imports);
  assert.deepEqual(layout.instantiationOrder, ['log', 'base', 'derived']);
  assert.equal(instances.derived.exports.area(3), 12);
  assert.equal(memory.buffer.byteLength, layout.heapEnd);
  // base's constructor, then derived's, which already finds what the first made
  assert.deepEqual(said, [1, 102]);
});

test('an import is the very function of the other module, with no JavaScript between', async () => {
  const layout = await combine(scratchDirectory('direct'), [linkText('passing'), base, log], '--host-import', 'env.say');
  const { instances: { passing, base: { exports } } } = await layout.instantiate(host().imports);
  assert.equal(passing.exports.passed_on, exports.scale);
});

test('what the host gives may inherit it, and is not changed', async () => {
  class Host {
    said = [];
    get say() {
      return number => this.said.push(number);
    }
  }
  const env = new Host();
  const layout = await combine(scratchDirectory('inherited'), [log], '--host-import', 'env.say');
  const { instances } = await layout.instantiate({ env });
  instances.log.exports.log_number(3);
  assert.deepEqual(env.said, [3]);
  assert.deepEqual(Object.keys(env), ['said']);
});

test('what the host does not give is named, and how to give it', async () => {
  const { LinkError } = WebAssembly;
  const layout = await combine(scratchDirectory('missing'), [base, log], '--host-import', 'env.say');
  const message = 'log: needs env.say from the host: instantiate({ env: { say } })';
  for (const imports of [undefined, {}, { env: {} }, { env: { say: undefined } }, () => ({})])
    await assert.rejects(layout.instantiate(imports), error => error instanceof LinkError && error.message === message);
  await assert.rejects(layout.instantiate({ env: { say: 7 } }), error => error instanceof LinkError && /^log: /.test(error.message));

  const reactor = linkReactor('CLANG', join(inputs, 'reactor.wasm'), '-Wl,--export=printf', '-Wl,--undefined=printf',
    '-Wl,--allow-undefined', join(testsDirectory, 'node', 'modules', 'loader', 'log.c'));
  const wasi = await combine(scratchDirectory('missing-wasi'), [reactor], '--host-import', 'env.say');
  await assert.rejects(wasi.instantiate(), { message: 'reactor: needs env.say, wasi_snapshot_preview1 from the host: '
    + 'const memory = createMemory(); wasi.initialize({ exports: { memory } }); '
    + 'instantiate({ env: { say }, wasi_snapshot_preview1: wasi.wasiImport }, { memory })' });
});

test('WASI is there when constructors run, if it knows the memory', async () => {
  const planet = linkReactor('CLANG', join(inputs, 'planet.wasm'),
    join(testsDirectory, 'node', 'modules', 'loader', 'planet.c'));
  const directory = scratchDirectory('wasi');
  await combine(directory, [even, odd, planet]);
  // as the documentation says, with an environment
  const [, example] = /```js\n(import { WASI }.*?)```/s.exec(readFileSync(join(projectDirectory, 'docs', 'sharing.md'), 'utf8'));
  writeFileSync(join(directory, 'main.mjs'), example.replace("'preview1'", "'preview1', env: { PLANET: 'Jupiter' }")
    + 'console.log(instances.planet.exports.length());\n');
  assert.equal(run(process.execPath, [join(directory, 'main.mjs')]), `${'Jupiter'.length}\n`);
});

test('a program of WASI is started as the documentation says', async () => {
  const program = join(inputs, 'program.wasm');
  run(tool('CLANG'), ['--target=wasm32-wasi', '-Wno-deprecated', '-O2', '-Wl,--import-memory,--emit-relocs', '--no-wasm-opt',
    join(testsDirectory, 'node', 'modules', 'loader', 'program.c'), '-o', program]);
  const directory = scratchDirectory('program');
  await combine(directory, [even, odd, program]);
  const [, example] = /```js\n(import { WASI }[^`]*wasi\.start.*?)```/s.exec(
    readFileSync(join(projectDirectory, 'docs', 'sharing.md'), 'utf8'));
  const main = join(directory, 'main.mjs');
  writeFileSync(main, example);
  assert.throws(() => run(process.execPath, ['--no-warnings', main]), { status: 3, stdout: 'program: 1 argument, 1 constructor' });
});

test('a module that does not compile is named', async () => {
  const layout = await combine(scratchDirectory('invalid'), [base, log], '--host-import', 'env.say');
  const compile = ({ name, url }) => WebAssembly.compile(readFileSync(url).subarray(0, name === 'log' ? -1 : undefined));
  await assert.rejects(layout.instantiate(host().imports, { compile }),
    error => error instanceof WebAssembly.CompileError && /^log: /.test(error.message));
});

test('imports may be told apart by module', async () => {
  const layout = await combine(scratchDirectory('by-module'), [`one=${log}`, `two=${log}`], '--host-imports', 'env');
  const said = [];
  const { instances } = await layout.instantiate(({ name }) => ({ env: { say: number => said.push([name, number]) } }));
  instances.one.exports.log_number(1);
  instances.two.exports.log_number(2);
  assert.deepEqual(said, [['one', 1], ['two', 2]]);
});

test('load() instantiates a module later, and what it needs first', async t => {
  const layout = await combine(scratchDirectory('load'), [log, plugin, derived, base], '--host-import', 'env.say');

  await t.test('once, however often it is asked for', async () => {
    const { said, imports } = host();
    const { instances, load } = await layout.instantiate(imports, { modules: ['log'] });
    assert.deepEqual(Object.keys(instances), ['log']);
    const [one, other] = await Promise.all([load('plugin'), load('plugin')]);
    assert.equal(one, other);
    assert.equal(one, instances.plugin);
    assert.deepEqual(Object.keys(instances), ['log', 'base', 'plugin']);
    assert.deepEqual(said, [1, 203]);
    assert.equal(await load('base'), instances.base);
    assert.deepEqual(said, [1, 203]);
  });

  await t.test('and says so if there is no such module', async () => {
    const { load } = await layout.instantiate(host().imports, { modules: [] });
    await assert.rejects(load('plugn'), /there is no module plugn: the layout has log, plugin, derived, base/);
  });

  await t.test('and can do it again after a failure', async () => {
    let failures = 1;
    const { instances, load } = await layout.instantiate(host().imports, { modules: [], compile: ({ url }) => {
      if (failures-- > 0)
        throw new Error('not now');
      return WebAssembly.compile(readFileSync(url));
    } });
    await assert.rejects(load('base'), /not now/);
    assert.deepEqual(Object.keys(instances), []);
    assert.equal(await load('base'), instances.base);
  });
});

test('instantiateSync() and loadSync() do the same at once', async t => {
  const layout = await combine(scratchDirectory('sync'), [log, plugin, derived, base], '--host-import', 'env.say');
  const compile = ({ url }) => new WebAssembly.Module(readFileSync(url));

  await t.test('with files in Node, once, and beside load()', async () => {
    const { said, imports } = host();
    const { instances, load, loadSync } = layout.instantiateSync(imports, { modules: ['log'] });
    const plugin = loadSync('plugin');
    assert.equal(plugin, instances.plugin);
    assert.equal(loadSync('plugin'), plugin);
    assert.equal(await load('plugin'), plugin);
    assert.deepEqual(said, [1, 203]);
    const loading = load('derived');
    assert.throws(() => loadSync('derived'), /module derived cannot be loaded at once: others are being loaded/);
    assert.equal(await loading, loadSync('derived'));
  });

  await t.test('and say what does not go', () => {
    assert.throws(() => layout.instantiateSync(), { name: 'LinkError', message: /^log: needs env\.say from the host: / });
    const { instances, loadSync } = layout.instantiateSync(host().imports, { modules: [], compile });
    assert.throws(() => loadSync('plugn'), /there is no module plugn/);
    assert.deepEqual(Object.keys(instances), []);
    for (const given of [async module => compile(module), () => undefined])
      assert.throws(() => layout.instantiateSync(host().imports, { compile: given }),
        /^Error: log: is not there at once: give instantiateSync\(\) a `compile` that returns the module, or use instantiate\(\)$/);
  });

  await t.test('and can do it again after a failure', () => {
    let failures = 1;
    const { instances, loadSync } = layout.instantiateSync(host().imports, { modules: [], compile: module => {
      if (failures-- > 0)
        throw new Error('not now');
      return compile(module);
    } });
    assert.throws(() => loadSync('base'), /not now/);
    assert.deepEqual(Object.keys(instances), []);
    assert.equal(loadSync('base'), instances.base);
  });
});

test('a memory that is given is used', async () => {
  const layout = await combine(scratchDirectory('memory'), [base, log], '--host-import', 'env.say');
  const memory = layout.createMemory();
  const space = await layout.instantiate(host().imports, { memory });
  assert.equal(space.memory, memory);
});

test('an option that there is not is refused', async () => {
  const layout = await combine(scratchDirectory('options'), [even, odd]);
  for (const option of ['modles', 'memroy'])
    await assert.rejects(layout.instantiate({}, { [option]: undefined }), { name: 'TypeError',
      message: `instantiate() has no option ${option}: its options are modules, memory, compile, thread` });
  await layout.instantiate({}, { modules: undefined, memory: undefined, compile: undefined, thread: undefined });
});

test('modules call each other in a circle', async () => {
  const layout = await combine(scratchDirectory('circle'), [even, odd]);
  const { instances: { even: { exports } } } = await layout.instantiate();
  assert.equal(exports.is_even(1000), 1);
  assert.equal(exports.is_even(77), 0);
  run(tool('WASMSHARE'), ['verify', join(inputs, '..', 'circle')]);
});

test('a module may have a name that JavaScript objects have for something else', async () => {
  const layout = await combine(scratchDirectory('names'), [`constructor=${even}`, `__proto__=${odd}`]);
  const { instances, load } = await layout.instantiate();
  assert.deepEqual(Object.keys(instances), ['__proto__', 'constructor']);
  assert.equal(instances.constructor.exports.is_even(78), 1);
  assert.equal(await load('__proto__'), instances.__proto__);
});

test('modules that import their function table each get one of their own, unless it is shared', async () => {
  const table = link('table', '-Wl,--import-table');
  const layout = await combine(scratchDirectory('table'), [`one=${table}`, `two=${table}`]);
  const { instances: { one, two } } = await layout.instantiate();
  assert.deepEqual([one.exports.call(20), two.exports.call(30)], [41, 61]);
  const shared = await combine(scratchDirectory('shared-table'), [`one=${table}`, `two=${table}`], '--table=shared');
  const { instances, table: functions } = await shared.instantiate();
  assert.equal(functions.get(instances.two.exports.operation())(1), 3);
  assert.notEqual(instances.one.exports.operation(), instances.two.exports.operation());
});

test('only functions can be imported in a circle', () => {
  const modules = ['left', 'right'].map(linkText);
  assert.throws(() => run(tool('WASMSHARE'), ['combine', '-o', scratchDirectory('globals'), ...modules]),
    /left.wasm: imports the table r of .*right.wasm, which needs this module first/);
});

test('esbuild bundles it for browsers and for Node; the modules are to be beside the bundle', async () => {
  const directory = scratchDirectory('bundled');
  await combine(directory, [even, odd]);
  writeFileSync(join(directory, 'index.mjs'), "export { instantiate } from './layout.mjs';\n");
  for (const flags of [['--platform=browser'], ['--platform=browser', '--minify'], ['--platform=node']]) {
    const to = scratchDirectory('bundled', 'out');
    const bundle = join(to, 'index.mjs');
    run(tool('ESBUILD'), ['--bundle', '--format=esm', '--log-level=warning', ...flags, `--outfile=${bundle}`,
      join(directory, 'index.mjs')]);
    for (const name of ['even', 'odd'])
      cpSync(join(directory, `${name}.wasm`), join(to, `${name}.wasm`));
    const { instantiate } = await import(`${pathToFileURL(bundle)}?${flags}`);
    const { instances } = await instantiate();
    assert.equal(instances.even.exports.is_even(10), 1);
  }
});

// ------------------------------------------------------------------------------------------ where modules come from

const twoModules = async name => {
  const directory = scratchDirectory(name);
  const layout = await combine(directory, [even, odd]);
  return { directory, layout, compile: ({ name }) => WebAssembly.compile(readFileSync(join(directory, `${name}.wasm`))) };
};

test('layout.mjs is imported without import.meta.url, and `compile` gives the modules there', async () => {
  const { directory, compile } = await twoModules('no-address');
  for (const [format, load] of [['iife', '\nexport const { instantiate } = layout;'], ['cjs', '']]) {
    const bundle = join(directory, `bundle-${format}.${format === 'cjs' ? 'cjs' : 'mjs'}`);
    run(tool('ESBUILD'), ['--bundle', `--format=${format}`, '--platform=browser', '--global-name=layout', '--log-level=error',
      join(directory, 'layout.mjs'), `--outfile=${bundle}`]);
    writeFileSync(bundle, readFileSync(bundle, 'utf8') + load);
    const imported = await import(pathToFileURL(bundle));
    const { instantiate } = imported.default ?? imported;
    const { instances } = await instantiate({}, { compile });
    assert.equal(instances.even.exports.is_even(10), 1);
    await assert.rejects(instantiate(), { message: 'odd: its address is not known here, without import.meta.url: '
      + 'give instantiate() a `compile` that returns the module' });
  }
});

test('a module whose file is not there, or cannot be fetched, is named', async () => {
  const { directory } = await twoModules('lost');
  const text = readFileSync(join(directory, 'layout.mjs'), 'utf8');
  rmSync(join(directory, 'odd.wasm'));
  const { instantiate } = await import(pathToFileURL(join(directory, 'layout.mjs')));
  await assert.rejects(instantiate(), ({ message }) => /^odd: file:.*odd\.wasm: ENOENT/.test(message));

  writeFileSync(join(directory, 'remote.mjs'), text.replaceAll('import.meta.url', '"http://localhost/app/layout.mjs"'));
  const remote = await import(pathToFileURL(join(directory, 'remote.mjs')));
  const { fetch } = globalThis;
  const bytes = readFileSync(join(directory, 'even.wasm'));
  const good = () => new Response(bytes, { headers: { 'Content-Type': 'application/wasm' } });
  const broken = () => new Response(new ReadableStream({ pull: stream => stream.error(new TypeError('cut off')) }),
    { headers: { 'Content-Type': 'application/wasm' } });
  try {
    for (const [answer, said] of [[() => { throw new TypeError('Failed to fetch'); }, 'Failed to fetch'],
      [() => new Response('', { status: 404, statusText: 'Not Found' }), '404 Not Found'], [broken, 'cut off']]) {
      globalThis.fetch = async url => `${url}`.includes('odd') ? answer() : good();
      await assert.rejects(remote.instantiate(), ({ message }) => message.startsWith('odd: http://localhost/app/odd.wasm: ')
        && message.includes(said));
    }
  } finally {
    globalThis.fetch = fetch;
  }
});

test('a module in a data: URL, as bundlers make of small ones, is not fetched', async () => {
  const { directory } = await twoModules('inlined');
  const encode = { even: bytes => `;base64,${bytes.toString('base64')}`,
    odd: bytes => `,${[...bytes].map(byte => `%${byte.toString(16).padStart(2, '0')}`).join('')}` };
  writeFileSync(join(directory, 'inlined.mjs'), readFileSync(join(directory, 'layout.mjs'), 'utf8').replace(
    /'\.\/(\w+)\.wasm'/g, (_, name) => `'data:application/wasm${encode[name](readFileSync(join(directory, `${name}.wasm`)))}'`));
  const { fetch } = globalThis;
  globalThis.fetch = () => assert.fail('fetched');
  try {
    const { instantiate } = await import(pathToFileURL(join(directory, 'inlined.mjs')));
    assert.equal((await instantiate()).instances.odd.exports.is_odd(11), 1);
  } finally {
    globalThis.fetch = fetch;
  }
});

test('createMemory() makes as many pages as are asked for, and no fewer than the modules need', async () => {
  const layout = await combine(scratchDirectory('pages'), [even, odd], '--max-memory', '1M');
  assert.equal(layout.createMemory({ pages: layout.pages + 1 }).buffer.byteLength, layout.heapEnd + layout.pageSize);
  assert.equal(layout.createMemory({}).buffer.byteLength, layout.heapEnd);
  const memory = layout.createMemory({ pages: 16 });
  assert.throws(() => memory.grow(1), RangeError);
  assert.equal((await layout.instantiate({}, { memory })).memory, memory);
  for (const pages of [layout.pages - 1, 0, NaN, -1])
    assert.throws(() => layout.createMemory({ pages }), { name: 'RangeError',
      message: `createMemory(): the modules need ${layout.pages} pages` });
});

// ------------------------------------------------------------------------------------------------------ unloading

test('unload() takes a module that nothing uses out of the table, and load() makes it anew', async t => {
  const layout = await combine(scratchDirectory('unload'), [log, base, derived, plugin], '--host-import', 'env.say');
  const { said, imports } = host();
  const space = await layout.instantiate(imports);
  const { instances, load, unload } = space;

  await t.test('not while another uses it', async () => {
    await assert.rejects(unload('log'), { message: 'module log cannot be unloaded: base uses its log_number' });
    await assert.rejects(unload('base'), /^Error: module base cannot be unloaded: derived uses its \w+/);
    assert.deepEqual(Object.keys(instances), ['log', 'base', 'derived', 'plugin']);
  });

  await t.test('not if it is not loaded', async () => {
    for (const name of ['plugn', '__proto__'])
      await assert.rejects(unload(name), { name: 'RangeError', message: `module ${name} is not loaded` });
  });

  await t.test('with those that use it', async () => {
    said.length = 0;
    const old = instances.derived;
    await unload('derived', 'plugin');
    assert.deepEqual(Object.keys(instances), ['log', 'base']);
    assert.notEqual(await load('derived'), old);
    assert.deepEqual(said, [105], 'its constructor runs again, on the base that is there');
    await unload('derived');
    await unload('base', 'log');
    assert.deepEqual(Object.keys(instances), []);
    await load('plugin');
    assert.deepEqual(Object.keys(instances), ['log', 'base', 'plugin']);
  });

  await t.test('not in a shared memory, which is initialised once', async () => {
    const threads = linkThreads(join(inputs, 'threads.wasm'));
    const shared = await combine(scratchDirectory('unload-shared'), [threads], '--stack=shared', '--threads', '1');
    await assert.rejects((await shared.instantiate()).unload('threads'), /shared memory/);
  });
});

test('the modules of one program are loaded together, and stay', async () => {
  const layout = await combine(scratchDirectory('one-program'), [even, odd, log], '--link', '--host-import', 'env.say');
  assert.equal(layout.linked, true);
  const { instances, unload } = await layout.instantiate(host().imports, { modules: ['log'] });
  assert.deepEqual(Object.keys(instances).sort(), ['even', 'log', 'odd']);
  assert.equal(instances.even.exports.is_even(10), 1);
  await assert.rejects(unload('log'), /one program/);
  assert.equal(instances.odd.exports.is_odd(10), 0);
  await assert.rejects(layout.instantiate(host().imports, { modules: ['none'] }), RangeError);
});

test('a plug-in is loaded and unloaded a thousand times, and nothing grows', async t => {
  const table = link('table', '-Wl,--import-table');
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc');
  // The V8 of Node 20 keeps every instance that has been given a table as long as the table: those are not looked at.
  for (const [kind, ...options] of [['private', '--stack=shared'], ['shared', '--stack=shared', '--table=shared']])
    await t.test(kind, async () => {
      const directory = scratchDirectory('reload', kind);
      const { instantiate, modules } = await combine(directory, [`host=${even}`, odd, `plugin=${table}`], ...options);
      const bytes = Object.fromEntries(modules.map(({ name, url }) => [name, readFileSync(url)]));
      const compiled = [];
      const { instances, load, unload, memory, table: functions } = await instantiate({}, {
        compile: ({ name }) => compiled.push(name) && WebAssembly.compile(bytes[name]) });
      const { tableBase, tableSize } = modules.find(({ name }) => name === 'plugin');
      const before = [memory.buffer.byteLength, functions?.length];
      const old = [];
      for (let i = 0; i < 1000; i++) {
        const { exports } = await load('plugin');
        old.push(new WeakRef(exports));
        assert.equal(exports.call(20), 41);
        await unload('plugin');
        for (let k = tableBase; functions && k < tableBase + tableSize; k++)
          assert.equal(functions.get(k), null);
      }
      assert.equal(compiled.filter(name => name === 'plugin').length, 1000);
      assert.deepEqual([memory.buffer.byteLength, functions?.length], before);
      assert.deepEqual(Object.keys(instances), ['odd', 'host']);
      await new Promise(done => setTimeout(done, 20)); // a WeakRef's target lives until then
      collect();
      if (!functions)
        assert.equal(old.filter(each => each.deref()).length, 0, 'instances are freed');
    });
});
