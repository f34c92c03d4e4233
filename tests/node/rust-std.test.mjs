// Rust with std, built by plain cargo with the two linker options, works at a place that its linker did not choose.

import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { cargoBuild, combine, instantiate, liesInside, moduleNamed, scratchDirectory, stringAt,
  testsDirectory } from './tools.mjs';

test('Rust with std, placed second', async t => {
  const directory = scratchDirectory();
  const built = join(cargoBuild(join(testsDirectory, 'node', 'modules', 'rust-std')), 'rust_std.wasm');
  const layout = await combine(directory, [`first=${built}`, `second=${built}`]);
  const memory = layout.createMemory();
  const place = moduleNamed(layout, 'second');
  const first = (await instantiate(moduleNamed(layout, 'first'), memory)).exports;
  const second = (await instantiate(place, memory)).exports;
  const take = (rust, address) => {
    assert.ok(address >= layout.heapBase, 'strings are allocated above all modules');
    const text = stringAt(memory, address);
    rust.release(address);
    return text;
  };

  await t.test('keeps its static tables of strings', () => {
    assert.ok(liesInside(second.planet_address(2), place));
    assert.equal(second.planet_address(2) - first.planet_address(2),
      place.offset - moduleNamed(layout, 'first').offset);
    assert.equal(take(second, second.planets()), 'Mercury Venus Earth Mars Jupiter Saturn Uranus Neptune');
  });

  await t.test('calls through trait objects and function pointers', () => {
    assert.equal(take(second, second.animals()), 'dog bird dog on 10 legs');
    assert.equal(take(second, second.calculate(2, 10)), 'plus=12.000 times=20.000 power=1024.000');
  });

  await t.test('hashes and formats, while the other module does the same', () => {
    for (let i = 0; i < 20; i++) {
      assert.equal(take(first, first.count_words(3000)), '1000 ("Earth-10", 3)');
      assert.equal(take(second, second.count_words(8000)), '1000 ("Earth-10", 8)');
    }
  });

  await t.test('panics with message and location', () => {
    second.remember_panics();
    assert.equal(second.panic_message(), 0);
    assert.equal(second.planet_length(7), 'Neptune'.length);
    assert.throws(() => second.planet_length(8), WebAssembly.RuntimeError);
    assert.match(stringAt(memory, second.panic_message()),
      /src\/lib\.rs:\d+:\d+:\nindex out of bounds: the len is 8 but the index is 8/);
    assert.equal(first.panic_message(), 0, 'the panic is the second module\'s alone');
  });
});
