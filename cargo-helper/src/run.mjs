// Runs a program, the last module of the layout, with its imports resolved from the modules before it.
import { readFile } from 'node:fs/promises';
import { WASI } from 'node:wasi';

const { createMemory, createStackPointer, createTable, modules } = await import(process.env.WASMSHARE_LAYOUT);
Error.stackTraceLimit = 50; // a panic's own frames are a dozen
const program = modules.at(-1);
const memory = createMemory();
// with stack = "shared" and table = "shared"
const shared = { __stack_pointer: createStackPointer?.(), __indirect_function_table: createTable?.() };
const exportsOf = new Map();

function fail(message, code) {
  console.error(`error: ${message}`);
  process.exit(code);
}

// An import of a module's name comes from that module; one of `env`, from the first module that has it.
function resolve({ module, name }, importer) {
  const from = exportsOf.get(module)?.[name];
  if (from !== undefined) return from;
  if (module === 'env') {
    if (shared[name] !== undefined) return shared[name];
    for (const exports of exportsOf.values()) if (name in exports) return exports[name];
  }
  fail(`${importer} imports ${module}.${name}, which no module before it exports`, 101);
}

for (const { name, url, memoryImport } of modules) {
  const module = await WebAssembly.compile(await readFile(url));
  const wasi = new WASI({
    version: 'preview1',
    args: [name, ...process.argv.slice(1)],
    env: process.env,
    preopens: { '.': '.' },
    returnOnExit: true,
  });
  // what wasi.getImportObject() returns, which Node 18 does not have
  const provided = { wasi_snapshot_preview1: wasi.wasiImport };
  const imports = {};
  for (const wanted of WebAssembly.Module.imports(module)) {
    imports[wanted.module] ??= {};
    imports[wanted.module][wanted.name] =
      wanted.module === memoryImport.module && wanted.name === memoryImport.name
        ? memory
        : (provided[wanted.module]?.[wanted.name] ?? resolve(wanted, name));
  }
  const { exports } = await WebAssembly.instantiate(module, imports);
  exportsOf.set(name, exports);
  // the memory is imported: WASI looks for it among the exports
  const instance = { exports: { ...exports, memory } };
  try {
    if (name !== program.name) {
      if ('_initialize' in exports || 'wasi_snapshot_preview1' in imports) wasi.initialize(instance);
    } else if ('_start' in exports) {
      process.exitCode = wasi.start(instance);
    } else if ('main' in exports) {
      process.exitCode = exports.main(0, 0);
    } else {
      fail(`${name} is not a program: it exports neither _start nor main`, 101);
    }
  } catch (error) {
    if (!(error instanceof WebAssembly.RuntimeError)) throw error;
    fail(`${name} trapped: ${error.stack}`, 134); // as an abort's exit code
  }
}
