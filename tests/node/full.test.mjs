// wasmshare/full, from the npm package: the whole library in JavaScript, in Node and in a browser (Chromium). That it writes
// what the command writes is prepared.test.mjs's to say.

import assert from 'node:assert/strict';
import { cpSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { gzipSync } from 'node:zlib';
import { inBrowser } from './browser.mjs';
import { linkFreestanding, projectDirectory, run, scratchDirectory, testsDirectory, tool } from './tools.mjs';

const npmPackage = tool('NPM_PACKAGE'), directory = scratchDirectory();
const part = name => import(pathToFileURL(join(npmPackage, name)));
const { combine, command, getHeapBase, initialize, inspect, load, prepare, relocate, WasmShareError } = await part('full-node.js');
const { MemoryFiles } = await part('files.js'), { fileFor, windowsPath } = await part('wasi.js');

const linked = (name, source, ...flags) => readFileSync(linkFreestanding(source, join(directory, name), ...flags));
const keeper = linked('keeper.wasm', 'keeper.c', '-DSENTENCE="a sentence"');
const threads = linked('threads.wasm', 'threads.c', '-pthread', '-mbulk-memory',
  '-Wl,--shared-memory,--max-memory=1048576,--export=__wasm_init_tls');
const grower = linked('grower.wasm', join('heap', 'grower.c'));
const sbrk = linked('sbrk.wasm', join('..', '..', 'heap', 'modules', 'sbrk.c'));
const bss = linked('bss.wasm', 'bss.c', '-mbulk-memory', '-Wl,--allow-undefined');

const refuses = (promise, code, message) => assert.rejects(promise, error => {
  assert.ok(error instanceof WasmShareError);
  assert.equal(error.code, code);
  assert.match(error.message, message);
  assert.ok(error.message.length < 300 && !error.message.includes('\0'));
  return true;
});

test('all that a page loads is at most 130 KB, compressed, and 174 KB for all that the command does', () => {
  const minified = join(directory, 'full.min.js');
  run(tool('ESBUILD'), ['--bundle', '--minify', '--format=esm', '--log-level=error', `--outfile=${minified}`, join(npmPackage, 'full.js')]);
  const size = (...files) => files.reduce((sum, file) => sum + gzipSync(readFileSync(file), { level: 9 }).length, 0);
  for (const [name, most] of [['wasmshare.wasm', 130], ['whole.wasm', 174]]) {
    const sum = size(minified, join(npmPackage, name));
    assert.ok(sum <= most * 1024, `${name}: ${sum} bytes`);
  }
});

test('options that the small module is without, however short, are told from others by how they begin', async () => {
  const { output } = await command(['combine', '--help']), options = output.match(/--[a-z-]+/g);
  assert.deepEqual([...new Set(options)].filter(option => fileFor([option]) !== 'wasmshare.wasm'), ['--link', '--single', '--map', '--env', '--keep-relocs']);
  for (const option of ['--l', '--li', '--link', '--si', '--sing=x', '--single=x', '--single', '--map', '--map=x', '--en', '--k', '--keep-relocs'])
    assert.equal(fileFor(['combine', option, 'x']), 'whole.wasm');
  assert.equal(fileFor(['combine', '-o', 'link', 'single']), 'wasmshare.wasm');
  assert.equal(fileFor(['verify', 'layout.json']), 'whole.wasm');
});

describe('modules as the linker wrote them', () => {
  test('are combined, by their places in a list or by name, with any option of the command', async () => {
    const { modules, neededPages, layout } = await combine([keeper, keeper], 4096, { heapOwner: 1 });
    assert.equal(modules.length, 2);
    assert.equal(neededPages, layout.pages);
    const shared = await combine({ left: keeper, right: Promise.resolve(new Response(threads.slice())) }).catch(error => error);
    assert.match(shared.message, /right/);
    const { layout: { threadCount }, files, output } = await combine({ work: threads }, 0,
      { stack: 'shared', threads: 3, printMap: true, map: 'map.svg', name: 'places', maxMemory: 1 << 20 });
    assert.equal(threadCount, 3);
    assert.match(output, /work +stack|stack/);
    assert.deepEqual(Object.keys(files).sort(), ['map.svg', 'places.d.mts', 'places.h', 'places.json', 'places.mjs', 'work.wasm']);
    assert.equal((await command(['verify', 'places.json'], files)).status, 0);
  });

  test('are prepared, inspected, moved and loaded, one or several', async () => {
    const one = await prepare(keeper), [two] = await prepare([keeper]), { three } = await prepare({ three: keeper });
    assert.deepEqual([two, three], [one, one]);
    assert.equal((await inspect(one)).prepared, true);
    assert.equal((await inspect(await prepare(keeper, { heap: 'module0=contiguous' }))).heap.class, 'contiguous');
    const [found, { reason }] = await inspect([bss, (await combine([keeper])).modules[0]]);
    assert.ok(found.exact && found.imports.every(({ module }) => module === 'env'));
    assert.match(reason, /placed it already.*--keep-relocs/);
    assert.equal(await getHeapBase(keeper), found.heapBase && (await inspect(keeper)).heapBase);
    const moved = await relocate(keeper, 0x10000, undefined, { keepRelocs: true });
    assert.equal(await getHeapBase(moved), await getHeapBase(keeper) + 0x10000);
    const { layout } = await combine([keeper]), memory = new WebAssembly.Memory({ initial: layout.pages });
    const { module } = await load(layout, keeper, { memory });
    const { instance: { exports } } = await WebAssembly.instantiate(module, { env: { memory } });
    assert.ok(exports.sentence() >= layout.pages * 65536);
  });

  test('are not taken for other files, whatever those are called', async () => {
    const named = Object.assign(Object.create(null), { map: keeper, 'map.wasm': keeper });
    const { modules, files } = await combine(named, 0, { map: 'map' });
    assert.deepEqual(modules, [files['map.wasm'], files['map.wasm.wasm']]);
    assert.match(new TextDecoder().decode(files.map), /^<svg/);
    for (const options of [{ env: 'env.wasm' }, { map: 'layout.json' }, { single: 'layout.json' }])
      await refuses(combine({ env: keeper }, 0, options), 'refused', /two outputs would have this name/);
    for (const single of ['one.wasm', './one.wasm', 'keeper']) {
      const { modules: [one, ...more], layout, files } = await combine({ keeper }, 0, { single });
      assert.equal(one, files[layout.single.file]);
      assert.ok(WebAssembly.validate(one) && more.length === 0 && single.endsWith(layout.single.file));
    }
  });

  test('are not loaded beside one that takes all memory for its heap, unless that is of a fixed size', async () => {
    const refusesBoth = (layout, module) => refuses(load(layout, module), 'heap', /no heap beside module 0: one takes all memory$/);
    const heapOf = ({ modules }) => modules.map(({ heap }) => heap);
    const { layout } = await combine([sbrk]), later = (await load((await combine([keeper])).layout, sbrk)).layout;
    assert.deepEqual([heapOf(layout), heapOf(later)], [['contiguous'], [0, 4]]);
    for (const module of [grower, sbrk, keeper]) await refusesBoth(layout, module);
    await refuses(load(later, grower), 'heap', /beside module 1/);
    const growing = (await combine([grower])).layout;
    assert.deepEqual(heapOf((await load(growing, grower)).layout), [1, 1]);
    await refusesBoth(growing, sbrk);
    const fixed = (await combine([sbrk, grower], 0, { heapSize: 65536 })).layout;
    assert.deepEqual(heapOf(fixed), ['contiguous', 'grows']);
    assert.deepEqual(heapOf((await load((await load(fixed, grower)).layout, keeper)).layout), [3, 1, 1, 0]);
    await refuses(load(undefined, keeper), 'option', /^invalid argument layout: undefined$/);
    const one = (await combine([keeper], 0, { single: 'one.wasm' })).layout;
    await refuses(load(one, keeper), 'option', /^invalid argument layout: it is of one file, /);
  });

  test('can be given again with keepRelocs, and are named for what they are without', async () => {
    const again = await combine((await combine([keeper, keeper], 0, { keepRelocs: true })).modules);
    assert.equal(again.modules.length, 2);
    await refuses(combine((await combine([keeper])).modules), 'refused', /^module0: .*if wasmshare has placed it already.*--keep-relocs$/);
  });

  test('are not changed, nor is what is wrong printed', async () => {
    const copy = Uint8Array.from(keeper);
    await combine([copy], 0, { base: 0x20000 });
    assert.deepEqual(copy, Uint8Array.from(keeper));
    for (const modules of [[], undefined, null, keeper, new Uint8Array(keeper), {}, 'keeper.wasm'])
      await refuses(combine(modules), 'option', /^invalid argument modules, an array or object of at least one: \w+$/);
    await refuses(combine([[keeper]]), 'source', /^module0 is no byte array or Response: Array$/);
    await refuses(combine([new Response('', { status: 404 })]), 'source', /404/);
    await refuses(combine({ 'a=b': keeper }), 'option', /a=b/);
    await refuses(combine({ '': keeper }), 'option', /^no module can be called ''$/);
    await refuses(combine(new Array(1)), 'source', /^module0 is no byte array or Response: undefined$/);
    await refuses(combine([Object.create(null)]), 'source', /^module0 is no byte array or Response: object$/);
    await refuses(combine(Object.create(null)), 'option', /^invalid argument modules, an array or object of at least one: object$/);
    await refuses(combine([keeper.subarray(0, -7)]), 'refused', /^module0: .*cut off/);
    await refuses(getHeapBase(new TextEncoder().encode('<!doctype html>')), 'refused', /^the module: /);
    await refuses(combine([keeper], 0, { nonsense: 1 }), 'refused', /nonsense/);
    for (const [option, value] of [['nonsense', 'true'], ['name', 'true'], ['map', 'true'], ['single', 'true'], ['heapSize', 'true'], ['name', 'Object'],
      ['hostImports', 'true']])
      await refuses(combine([keeper], 0, { [option]: value === 'Object' ? {} : option === 'hostImports' ? ['env', true] : true }), 'option',
        RegExp(`^invalid argument ${option}, a string or number: ${value}$`));
    assert.equal((await combine([keeper], 0, { name: 5 })).layout.name, '5');
    for (const stack of [-1, NaN, '']) await refuses(combine([keeper], stack), 'refused', /extra-stack/);
    await refuses(combine([keeper], 0, { maxMemory: NaN }), 'refused', /max-memory/);
    for (const nothing of [0, null]) assert.equal((await combine([keeper], nothing, { maxMemory: nothing })).modules.length, 1);
    const other = /^invalid argument options: with these, something else is made$/;
    for (const options of [{ output: 'x' }, { help: true }]) {
      await refuses(combine([keeper], 0, options), 'option', other);
      await refuses(relocate(keeper, 0, undefined, options), 'option', other);
    }
    await refuses(inspect([keeper], { help: true }), 'option', other);
  });
});

for (const language of ['c', 'rust']) {
  test(`the example of the predecessor's README runs with another import, in ${language}`, () => {
    const at = scratchDirectory(language);
    run(join(projectDirectory, 'examples', 'three-modules', 'build.sh'), [language, at]);
    cpSync(join(at, 'unplaced'), join(at, 'output'), { recursive: true });
    cpSync(npmPackage, join(at, 'node_modules', 'wasmshare'), { recursive: true });
    const script = readFileSync(join(testsDirectory, 'node', 'modules', 'predecessor-readme.mjs'), 'utf8');
    writeFileSync(join(at, 'readme.mjs'), script.replace("'wasmshare'", "'wasmshare/full'"));
    assert.equal(run(process.execPath, ['readme.mjs'], { cwd: at }), '1337n\n2674n\n');
  });
}

describe('in a browser', () => {
  const served = scratchDirectory('page');
  cpSync(npmPackage, join(served, 'wasmshare'), { recursive: true });
  run(join(projectDirectory, 'examples', 'three-modules', 'build.sh'), ['c', join(served, 'c')]);
  cpSync(join(served, 'c', 'unplaced'), join(served, 'output'), { recursive: true });
  for (const [from, to] of [['predecessor-readme.mjs', 'readme.mjs'], ['predecessor-fs.mjs', 'fs.mjs']])
    cpSync(join(testsDirectory, 'node', 'modules', from), join(served, to));
  writeFileSync(join(served, 'index.html'), `<!doctype html><link rel="icon" href="data:,"><input type="file" multiple>
    <script type="importmap">{ "imports": { "fs": "./fs.mjs", "wasmshare": "./wasmshare/full.js" } }</script>`);
  writeFileSync(join(served, 'worker.mjs'), `import { combine } from './wasmshare/full.js';
    const { neededPages } = await combine([fetch('output/a.wasm'), fetch('output/b.wasm')]);
    postMessage(neededPages);`);

  test('the example of the predecessor\'s README runs with another import', async () => {
    const said = await inBrowser(served, page => page.evaluate(async () => {
      const numbers = [];
      console.log = number => numbers.push(String(number));
      await import('/readme.mjs');
      return numbers;
    }));
    assert.deepEqual(said, ['1337', '2674']);
  });

  test('modules that a user uploads are placed, or refused with what the command says', async () => {
    const page = combineUploaded => inBrowser(served, async page => {
      await page.setInputFiles('input', combineUploaded);
      return page.evaluate(async () => {
        const { combine } = await import('/wasmshare/full.js');
        const { files } = document.querySelector('input');
        try {
          const { modules, neededPages: initial } = await combine([...files]);
          const memory = new WebAssembly.Memory({ initial });
          for (const module of modules) await WebAssembly.instantiate(module, { env: { memory } });
          return modules.length;
        } catch ({ message }) {
          return message;
        }
      });
    });
    const modules = readdirSync(join(served, 'output')).map(name => join(served, 'output', name));
    assert.equal(await page(modules), 3);
    assert.match(await page([join(served, 'index.html')]), /^module0: .*WebAssembly/);
  });

  test('a page loads one file, for what it asks for', async () => {
    for (const [options, expected] of [[{}, 'wasmshare.wasm'], [{ link: true }, 'whole.wasm'], [{ single: 'x.wasm' }, 'whole.wasm']]) {
      const loaded = await inBrowser(served, page => page.evaluate(async options => {
        const { combine } = await import('/wasmshare/full.js');
        for (let i = 0; i < 2; i++) {
          try {
            await combine([fetch('output/a.wasm'), fetch('output/b.wasm')], 0, options);
          } catch { /* some need more modules: it has been loaded all the same */ }
        }
        return performance.getEntriesByType('resource').map(({ name }) => name.replace(/.*[/]/, ''));
      }, options));
      assert.deepEqual(loaded.filter(name => ['wasmshare.wasm', 'whole.wasm', 'demangle.wasm'].includes(name)), [expected]);
    }
  });

  test('a worker combines modules', async () => {
    const pages = await inBrowser(served, page => page.evaluate(() => new Promise((resolve, reject) => {
      const worker = new Worker('/worker.mjs', { type: 'module' });
      worker.onmessage = ({ data }) => resolve(data);
      worker.onerror = reject;
    })));
    assert.ok(pages > 1);
  });
});

test('its types are those of what it does', () => {
  const at = scratchDirectory('types'), consumer = join(at, 'consumer.mts');
  cpSync(npmPackage, join(at, 'node_modules', 'wasmshare'), { recursive: true });
  writeFileSync(consumer, `import { combine, command, getHeapBase, initialize, inspect, load, prepare, relocate, WasmShareError } from 'wasmshare/full';
const bytes = new Uint8Array();
await initialize(bytes);
const { modules, neededPages, layout, files, warnings } = await combine({ a: bytes, b: Promise.resolve(bytes) }, 16,
  { stack: 'shared', heapOwner: 'a', hostImports: ['env'], keepRelocs: true, threads: 2 });
const from: string | null = layout.modules[0]!.imports[0]!.from;
const [first]: Uint8Array[] = await prepare([bytes]), { a }: { a: Uint8Array } = await prepare({ a: bytes });
const one: Uint8Array = await prepare(bytes), exact: boolean = (await inspect(bytes)).exact;
const next = (await load(layout, bytes)).layout.instantiationOrder;
const named: string = layout.modules[0]!.heap, { layout: wider } = await load(layout, bytes);
const numbered: number = (await load(wider, bytes)).layout.modules[0]!.heap;
const { status, output }: { status: number, output: string } = await command(['--version'], files);
const moved: Uint8Array = await relocate(bytes, 16, await getHeapBase(bytes), { tableOffset: 3 });
export const code: WasmShareError['code'] = 'refused';
// @ts-expect-error: a path is no module
combine(['module.wasm']);
export { modules, neededPages, warnings, from, first, a, one, exact, next, named, numbered, status, output, moved };
`);
  writeFileSync(join(at, 'tsconfig.json'), JSON.stringify({ files: [consumer], compilerOptions: { noEmit: true,
    strict: true, noUncheckedIndexedAccess: true, target: 'es2022', module: 'nodenext', lib: ['es2022'], types: [] } }));
  run(tool('TSC'), ['--project', at]);
});

// Windows' own paths, with the one separator that the command knows. Relative ones have been put behind the directory.
test('paths of Windows', () => {
  const paths = {
    'C:/work/a.wasm': 'C:/work/a.wasm', 'C:/work/../other': 'C:/work/../other', 'C:': 'C:', 'C:/work/D:/a.wasm': 'D:/a.wasm',
    'c:/work/./x/c:/out': 'c:/out', 'server/share/a.wasm': '//server/share/a.wasm', 'C:/work/name=x': 'C:/work/name=x',
  };
  for (const [path, expected] of Object.entries(paths)) assert.equal(windowsPath(path), expected, path);
});

test('files in memory are as those of a file system', () => {
  const files = new MemoryFiles(), { O_WRONLY, O_CREAT, O_EXCL } = files.constants;
  const fails = (code, act) => assert.throws(act, error => error.code === code);
  files.set('/a/b/c', Uint8Array.of(1, 2, 3));
  assert.deepEqual(files.readdirSync('/a'), ['b']);
  assert.equal(files.statSync('/a/./b/../b/c').size, 3n);
  fails('EISDIR', () => files.openSync('/a', O_WRONLY));
  fails('ENOENT', () => files.openSync('/none/x', O_WRONLY | O_CREAT));
  fails('EEXIST', () => files.openSync('/a/b/c', O_WRONLY | O_CREAT | O_EXCL));
  fails('ENOTEMPTY', () => files.rmdirSync('/a'));
  fails('EISDIR', () => files.renameSync('/a/b/c', '/a'));
  const handle = files.openSync('/x', O_WRONLY | O_CREAT | O_EXCL);
  files.writeSync(handle, Uint8Array.of(7, 8, 9), 1, 2, 5000);
  files.renameSync('/x', '/a/b/c');
  assert.deepEqual([...files.written()].map(([path, { length }]) => [path, length]), [['/a/b/c', 5002]]);
  files.unlinkSync('/a/b/c');
  fails('ENOENT', () => files.statSync('/a/b/c'));
});

test('wasmshare.wasm can come from elsewhere', async () => {
  await initialize(readFileSync(join(npmPackage, 'wasmshare.wasm')));
  assert.equal((await command(['--version'])).status, 0);
  await initialize(new WebAssembly.Module(readFileSync(join(npmPackage, 'wasmshare.wasm'))));
  assert.match((await command(['--help'])).output, /^wasmshare /);
});

test('a file that is not there is an error of what needs it', async () => {
  const at = scratchDirectory('incomplete');
  cpSync(npmPackage, at, { recursive: true, filter: name => !name.endsWith('.wasm') });
  const incomplete = await import(pathToFileURL(join(at, 'full-node.js')));
  for (const options of [{}, { link: true }])
    await assert.rejects(incomplete.combine([keeper], 0, options), { code: 'ENOENT' });
  const name = options => (options.link ? 'whole.wasm' : 'wasmshare.wasm');
  for (const options of [{}, { link: true }]) {
    cpSync(join(npmPackage, name(options)), join(at, name(options)));
    assert.equal((await incomplete.combine([keeper], 0, options)).modules.length, 1);
  }
});

test('demangle.wasm is loaded once, when a name has to be demangled, and again if that failed', async () => {
  const linkCpp = (name, text) => {
    const source = join(directory, `${name}.cpp`), output = join(directory, `${name}.wasm`);
    writeFileSync(source, text);
    run(tool('CLANG'), ['--target=wasm32', '-O1', '-fno-inline', '-nostdlib', '--no-wasm-opt',
      '-Wl,--no-entry,--emit-relocs,--import-memory', source, '-o', output]);
    return readFileSync(output);
  };
  const modules = {
    user: linkCpp('user', `namespace far { int away(int, const char *) __attribute__((weak)); }
      extern "C" __attribute__((export_name("ask"))) int ask(int n) { return far::away ? far::away(n, "") : -1; }`),
    maker: linkCpp('maker', `namespace far { int away(int n, const char *) { return n + 1; } }
      extern "C" __attribute__((export_name("made"))) int made(int n) { return far::away(n, nullptr); }`),
  };
  let asked = 0;
  await initialize(readFileSync(join(npmPackage, 'wasmshare.wasm')), () => {
    if (asked++ === 0) throw new Error('not now');
    return readFileSync(join(npmPackage, 'demangle.wasm'));
  });
  await combine(modules);
  assert.equal(asked, 0);
  await assert.rejects(combine(modules, 0, { link: true }), /not now/);
  const [{ files, warnings }] = await Promise.all([0, 0].map(() => combine(modules, 0, { link: true })));
  assert.equal(asked, 2);
  assert.deepEqual(warnings, []);
  run(tool('WASMSHARE'), ['combine', '--link', '-o', join(directory, 'native'), join(directory, 'user.wasm'), join(directory, 'maker.wasm')]);
  for (const name of readdirSync(join(directory, 'native')))
    assert.deepEqual(Buffer.from(files[name]), readFileSync(join(directory, 'native', name)), name);
});
