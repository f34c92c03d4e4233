// The loader of layout.mjs: what modules import from each other is given to them, and constructors run once, in order.

import assert from 'node:assert/strict';
import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { combine, linkFreestanding, linkReactor, projectDirectory, run, scratchDirectory, testsDirectory,
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
    /right.wasm: imports the table l of .*left.wasm, which needs this module first/);
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
