// The DWARF of what is merged is that of the modules, of C++ and of Rust, with their libraries.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { cargoBuild, linkReactor, run, scratchDirectory, testsDirectory, tool } from './tools.mjs';

const large = { maxBuffer: 1 << 30 };
const llvm = (name, args, options) => run(join(tool('LLVM_TOOLS'), name), args, { ...large, ...options });

// The first address of each function, by name, in the code section; of names that several have, none.
function functionsOf(file) {
  const [, code] = /Code start=(0x[0-9a-f]+)/.exec(run('wasm-objdump', ['-h', file]));
  const found = new Map(), several = new Set();
  for (const [, at, name] of run('wasm-objdump', ['-d', file], large).matchAll(/^([0-9a-f]+) func\[\d+\] <(.*)>:$/gm)) {
    if (found.has(name))
      several.add(name);
    found.set(name, parseInt(at, 16) + 1 - Number(code));
  }
  several.forEach(name => found.delete(name));
  return found;
}

// What a debugger shows at the start of each function: its name, file and line.
function placesOf(file) {
  const functions = functionsOf(file);
  const input = [...functions.values()].map(address => `0x${address.toString(16)}\n`).join('');
  const lines = execFileSync(join(tool('LLVM_TOOLS'), 'llvm-symbolizer'), [`--obj=${file}`, '--functions=short', '--output-style=JSON'],
    { encoding: 'utf8', input, ...large }).trim().split('\n');
  return new Map([...functions.keys()].map((name, i) => {
    const { FunctionName, FileName, Line } = JSON.parse(lines[i]).Symbol.at(-1);
    return [name, `${FunctionName} ${FileName}:${Line}`];
  }));
}

function assertTrue(modules, directory, least) {
  const merged = join(directory, 'merged.wasm');
  run(tool('WASMSHARE'), ['combine', '--single', merged, ...modules]);
  for (const file of [...modules, merged])
    assert.match(llvm('llvm-dwarfdump', ['--verify', file]), /No errors/, file);
  const inputs = modules.map(placesOf), places = placesOf(merged);
  let known = 0;
  for (const [name, place] of places) {
    const before = inputs.map(input => input.get(name) ?? ':0').filter(known => !known.endsWith(':0'));
    assert.ok(before.length === 0 || before.includes(place), `${name}: ${place}, and before: ${before}`);
    known += before.length > 0;
  }
  assert.ok(known >= least, `only ${known} functions of ${places.size} have a line`);
}

for (const version of [4, 5])
  test(`C++ with libc++, DWARF ${version}`, () => {
    const directory = scratchDirectory(`cpp${version}`);
    const sources = [join(testsDirectory, 'node', 'modules', 'shapes.cpp'), join(directory, 'words.cpp')];
    writeFileSync(sources[1], `#include <map>
#include <string>
static std::map<std::string, int> words;
extern "C" __attribute__((export_name("count"))) int count(const char *word) { return ++words[word]; }
`);
    // From -O1 on the linker lets strings share their ends, which the verifier takes for errors.
    const modules = sources.map((source, i) => linkReactor('CLANGXX', join(directory, `${i}.wasm`), '-std=c++17',
      '-fno-exceptions', `-gdwarf-${version}`, '-Wl,-O0', source));
    assertTrue(modules, directory, 40);
  });

test('Rust with std, a debug build', () => {
  const built = cargoBuild(join(testsDirectory, 'node', 'modules', 'rust-dyn'), { release: false });
  assertTrue(['kennel', 'caller'].map(name => join(built, `${name}.wasm`)), scratchDirectory('rust'), 100);
});
