// The four files that describe a layout say the same, in the languages they are for.

import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { combine, linkFreestanding, linkThreads, projectDirectory, run, scratchDirectory, testsDirectory, tool } from
  './tools.mjs';

const directory = scratchDirectory();
const name = 'names-of-people';
const module = linkFreestanding('keeper.c', join(directory, 'keeper-input.wasm'), '-DSENTENCE="a sentence"');
const shared = linkFreestanding('threads.c', join(directory, 'threads-input.wasm'), '-pthread', '-mbulk-memory',
  '-Wl,--shared-memory,--max-memory=1048576');
const threads = linkThreads(join(directory, 'thread-input.wasm'));
const wide = linkFreestanding('pointers64.c', join(directory, 'pointers64-input.wasm'), '--target=wasm64');

const circular = ['even', 'odd'].map(each => linkFreestanding(join('loader', `${each}.c`), join(directory, `${each}.wasm`),
  '-Wl,--allow-undefined,--export-if-defined=__wasm_call_ctors'));

const layouts = {
  plain: [[`keeper=${module}`, `${name}=${module}`]],
  'with-options': [[`keeper=${module}`, `${name}=${module}`], '--base', '0x12340', '--align', '4K', '--extra-stack',
    '1000', '--heap-size', '1M', '--max-memory', '16M'],
  shared: [[`keeper=${shared}`, `${name}=${shared}`]],
  threads: [[`keeper=${threads}`, `${name}=${threads}`], '--stack=shared', '--threads', '3'],
  memory64: [[`keeper=${wide}`, `${name}=${wide}`]],
  // with constructors, imports, and names that are hard to write in C
  cycle: [[...circular, `keeper=${module}`, `${name}=${module}`, `3d-ü?'=${linkFreestanding(join('loader', 'base.c'),
    join(directory, 'base.wasm'), '-Wl,--allow-undefined,--export-if-defined=__wasm_call_ctors')}`],
  '--host-imports', 'log', '--table=shared'],
  'shared-stack-and-table': [[`keeper=${module}`, `${name}=${module}`], '--stack=shared', '--table=shared'],
};

// In JavaScript the addresses of a 64-bit memory are of the type that its modules' exports take.
function inJavaScript({ memory64 }, key, value) {
  const isAddress = !['pageSize', 'pages', 'maximumPages', 'tableBase', 'tableSize', 'threadCount'].includes(key);
  return memory64 && isAddress && typeof value === 'number' ? BigInt(value) : value;
}

const inMacros = name => [...Buffer.from(name.toUpperCase())].map(byte => String.fromCharCode(byte)).join('')
  .replace(/[^A-Z0-9]/g, '_');

const consumers = [];

const Ajv = createRequire(join(tool('NODE_MODULES'), 'x'))('ajv/dist/2020').default;
const validate = new Ajv({ allErrors: true }).compile(
  JSON.parse(readFileSync(join(projectDirectory, 'docs', 'layout.schema.json'), 'utf8')));

for (const [kind, args] of Object.entries(layouts)) {
  test(`headers of a layout: ${kind}`, async t => {
    const output = scratchDirectory(kind);
    const constants = await combine(output, ...args);
    const json = JSON.parse(readFileSync(join(output, 'layout.json'), 'utf8'));
    const consumer = join(output, 'consumer.mts');
    writeFileSync(consumer, readFileSync(join(testsDirectory, 'node', 'modules', 'consumer.mts'), 'utf8')
      + `const first: ${json.memory64 ? 'bigint' : 'number'} = heapBase;\nvoid first;\n`);
    consumers.push(consumer);

    await t.test('layout.json is as its schema says', () => {
      assert.ok(validate(json), JSON.stringify(validate.errors));
      for (const change of [{ pages: -1 }, { version: 2 }, { more: 1 }, { modules: [{ ...json.modules[0], offset: null }] }])
        assert.ok(!validate({ ...json, ...change }), JSON.stringify(change));
    });

    await t.test('layout.mjs has what layout.json has', () => {
      const { version, name, modules, instantiationOrder, merged, apart, ...numbers } = json;
      assert.equal(version, 1);
      assert.equal(name, 'layout');
      assert.deepEqual(constants.instantiationOrder, instantiationOrder);
      for (const [key, value] of Object.entries(numbers))
        assert.equal(constants[key] ?? null, inJavaScript(json, key, value), key);
      assert.equal(constants.modules.length, modules.length);
      for (const [i, { file, ...module }] of modules.entries()) {
        const { url, ...same } = constants.modules[i];
        assert.equal(fileURLToPath(url), join(output, file));
        assert.deepEqual(same, Object.fromEntries(Object.entries(module).map(
          ([key, value]) => [key, inJavaScript(json, key, value)])));
      }
    });

    // Node 20 has no 64-bit memories like those; web.test.mjs makes one in a browser
    if (!json.memory64) await t.test('createMemory() makes what the modules import', () => {
      const memory = constants.createMemory();
      assert.equal(memory.buffer.byteLength, json.heapEnd);
      assert.equal(memory.buffer instanceof SharedArrayBuffer, json.shared);
      if (json.maximumPages) {
        memory.grow(json.maximumPages - json.pages);
        assert.throws(() => memory.grow(1), RangeError);
      }
    });

    await t.test('layout.h has what layout.json has, for C99, C11 and C++', () => {
      const macro = key => key.replace(/[A-Z]/g, capital => `_${capital}`).toUpperCase();
      const { version, name, modules, instantiationOrder, merged, apart, ...numbers } = json;
      const expected = [['MODULE_COUNT', modules.length]];
      const absent = [];
      for (const [key, value] of Object.entries(numbers)) {
        if (value === null)
          absent.push(macro(key));
        else
          expected.push([macro(key), Number(value)]);
      }
      for (const { name, file, heap, memoryImport, importsTable, constructors, imports, bindings, ...module } of modules)
        for (const [key, value] of Object.entries(module))
          expected.push([`${inMacros(name)}_${macro(key)}`, value ?? 0]);

      const source = join(output, 'consumer.h');
      writeFileSync(source, '#include "layout.h"\n' + expected.map(([key, value]) =>
        `static_assert(LAYOUT_${key} == ${value}, "${key}");\n`
        + `#if LAYOUT_${key} != ${value}\n#error "${key}"\n#endif\n`).join('')
        + absent.map(key => `#ifdef LAYOUT_${key}\n#error "${key}"\n#endif\n`).join(''));
      const warnings = ['-Wall', '-Wextra', '-Wpedantic', '-Werror', '-fsyntax-only'];
      // C99 has no static_assert: an array of negative size is the error there
      run(tool('CC'), ['-std=c99', ...warnings,
        '-Dstatic_assert(condition,text)=extern char assertion[(condition) ? 1 : -1]', '-x', 'c', source]);
      run(tool('CC'), ['-std=c11', ...warnings, '-Dstatic_assert=_Static_assert', '-x', 'c', source]);
      run(tool('CXX'), ['-std=c++11', ...warnings, '-x', 'c++', source]);
    });

    await t.test('the lists of layout.h say the rest', () => {
      const program = join(output, 'lists');
      run(tool('CC'), ['-std=c99', '-Wall', '-Wextra', '-Wpedantic', '-Werror', `-I${output}`,
        join(testsDirectory, 'node', 'modules', 'layout-lists.c'), '-o', program]);
      run(tool('CXX'), ['-std=c++11', '-Wall', '-Wextra', '-Wpedantic', '-Werror', '-fsyntax-only', `-I${output}`, '-x', 'c++',
        join(testsDirectory, 'node', 'modules', 'layout-lists.c')]);
      const index = new Map(json.modules.map(({ name }, i) => [name, i]));
      const expected = json.modules.flatMap(({ name, file, memoryImport, importsTable, constructors, imports }, i) => [
        'module', i, name, file, memoryImport.module, memoryImport.name, Number(importsTable), constructors ?? '-',
        ...imports.flatMap(({ module, name, kind, from, deferred }) =>
          ['import', module, name, kind.toUpperCase(), index.get(from) ?? -1, Number(deferred)])]);
      assert.deepEqual(run(program, []).trimEnd().split('\n'), [...expected, 'order', ...json.instantiationOrder].map(String));
    });
  });
}

// Once for all of them, as the compiler takes longer to start than to check.
test('layout.d.mts of each of these layouts passes tsc --strict', () => {
  assert.equal(consumers.length, Object.keys(layouts).length);
  run(process.execPath, [tool('TSC'), '--strict', '--noEmit', '--target', 'es2022', '--module', 'nodenext',
    '--lib', 'es2022,dom', ...consumers]);
});
