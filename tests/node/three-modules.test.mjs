// The example, in both languages: what ./run demo shows is true.

import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { instantiateAll, liesInside, projectDirectory, run, scratchDirectory, stringAt } from './tools.mjs';

const example = join(projectDirectory, 'examples', 'three-modules');

for (const [language, label] of [['rust', 'Rust'], ['c', 'C']]) {
  test(`three modules in ${label}`, async t => {
    const directory = scratchDirectory(language);
    const map = run(join(example, 'build.sh'), [language, directory]);
    const layout = await import(pathToFileURL(join(directory, 'layout.mjs')));
    const { memory, common, a, b } = await instantiateAll(layout);

    await t.test('lie in memory in command-line order, without overlap, below the heap', () => {
      assert.deepEqual(layout.modules.map(module => module.name), ['common', 'a', 'b']);
      let end = 0;
      for (const module of layout.modules) {
        assert.ok(module.memoryBase >= end, `${module.name} starts at ${module.memoryBase}, below ${end}`);
        end = module.memoryBase + module.memorySize;
      }
      assert.ok(layout.heapBase >= end);
    });

    await t.test('are told the same heap base, and find their own data', () => {
      for (const module of layout.modules) {
        const { description } = { common, a, b }[module.name];
        assert.equal(module.heapBase, layout.heapBase);
        assert.ok(liesInside(description(), module));
        assert.ok(stringAt(memory, description()).startsWith(`${module.name}, written in ${label}: it `));
      }
    });

    await t.test('pass one object around by its address: 1337, doubled 2674', () => {
      const object = common.create_object(1337n);
      assert.ok(object >= layout.heapBase);
      assert.equal(a.get_value(object), 1337n);
      b.double(object);
      assert.equal(a.get_value(object), 2674n);
    });

    await t.test('keep 10,000 objects apart', () => {
      const objects = Array.from({ length: 10_000 }, (_, i) => common.create_object(BigInt(i)));
      objects.forEach(b.double);
      assert.ok(objects.every((object, i) => a.get_value(object) === 2n * BigInt(i)));
    });

    await t.test('are shown by the map and the demo', () => {
      assert.match(map, /common[^]*\ba\b[^]*\bb\b[^]*heap/i);
      const shown = run(process.execPath, [join(example, 'demo.mjs'), directory]);
      assert.match(shown, /create_object\(1337\)[^]*1337\n[^]*double[^]*2674\n/);
    });
  });
}
