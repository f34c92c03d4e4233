// What the tests in Node share: real toolchains to build modules with, the wasmshare under test, and a way to run the
// result. CMakeLists.txt says in the environment where the tools are.

import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

export const testsDirectory = dirname(dirname(fileURLToPath(import.meta.url)));
export const projectDirectory = dirname(testsDirectory);

export function tool(variable) {
  const path = process.env[variable];
  if (!path)
    throw new Error(`the environment does not say where ${variable} is: run this test with ctest`);
  return path;
}

// A directory of the test's own in the build tree, empty at the start.
export function scratchDirectory(...names) {
  const directory = join(tool('TEST_DIRECTORY'), basename(process.argv[1], '.test.mjs'), ...names);
  rmSync(directory, { recursive: true, force: true });
  mkdirSync(directory, { recursive: true });
  return directory;
}

export function run(command, args, options = {}) {
  try {
    return execFileSync(command, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'], ...options });
  } catch (error) {
    error.message += `\n${error.stdout}`; // it has stderr only, and tsc reports on stdout
    throw error;
  }
}

// What every module needs to be placed; the last keeps clang from optimising the linked module behind the relocations.
export const placeable = ['-Wl,--import-memory,--emit-relocs', '--no-wasm-opt'];

// Compiles and links a C source of tests/node/modules without a libc.
export function linkFreestanding(source, output, ...flags) {
  run(tool('CLANG'), ['--target=wasm32', '-O2', '-fno-builtin', '-Wall', '-Wextra', '-Werror', '-nostdlib',
    '-Wl,--no-entry', ...placeable, ...flags, join(testsDirectory, 'node', 'modules', source), '-o', output]);
  return output;
}

// threads.c, with what the loader needs to start threads in it.
export function linkThreads(output, ...flags) {
  return linkFreestanding('threads.c', output, '-pthread', '-mbulk-memory',
    `-Wl,--shared-memory,--max-memory=${1 << 24},--export=__wasm_init_tls`, ...flags);
}

// Links C, C++ or objects with wasi-libc, as a module that is called again and again (WASI calls it a reactor).
export function linkReactor(compiler, output, ...args) {
  run(tool(compiler), ['--target=wasm32-wasi', '-Wno-deprecated', '-mexec-model=reactor', '-O2', ...placeable,
    ...args, '-o', output]);
  return output;
}

// Where cargo's artifacts of a build are.
export function cargoBuild(workspace, { target = 'wasm32-unknown-unknown', release = true } = {}) {
  run(join(projectDirectory, 'examples', 'cargo-wasm.sh'), ['build', ...release ? ['--release'] : [], '--quiet'],
    { cwd: workspace, env: { ...process.env, CARGO_BUILD_TARGET: target } });
  return join(tool('CARGO_TARGET_DIR'), target, release ? 'release' : 'debug');
}

export async function combine(directory, modules, ...options) {
  run(tool('WASMSHARE'), ['combine', '-o', directory, ...options, ...modules]);
  return import(pathToFileURL(join(directory, 'layout.mjs')));
}

export function moduleNamed(layout, name) {
  const found = layout.modules.find(module => module.name === name);
  if (!found)
    throw new Error(`the layout has no module ${name}`);
  return found;
}

export async function instantiate(module, memory, imports = {}) {
  const { module: from, name } = module.memoryImport;
  const { instance } = await WebAssembly.instantiate(readFileSync(fileURLToPath(module.url)),
    { ...imports, [from]: { ...imports[from], [name]: memory } });
  return instance;
}

// All modules of a layout on a new memory: the memory, and each module's exports under its name.
export async function instantiateAll(layout, imports = {}) {
  const memory = layout.createMemory();
  const exportsOf = {};
  for (const module of layout.modules)
    exportsOf[module.name] = (await instantiate(module, memory, imports)).exports;
  return { memory, ...exportsOf };
}

export function stringAt(memory, address) {
  const bytes = new Uint8Array(memory.buffer);
  // slice: TextDecoder does not take bytes of a shared memory
  return new TextDecoder().decode(bytes.slice(address, bytes.indexOf(0, address)));
}

export function liesInside(address, module) {
  return address >= module.memoryBase && address < module.memoryBase + module.memorySize;
}
