// Runs a program, the last module of the layout, with what the modules before it give it.
import { WASI } from 'node:wasi';

const { createMemory, instantiate, modules } = await import(process.env.WASMSHARE_LAYOUT);
Error.stackTraceLimit = 50; // a panic's own frames are a dozen
const program = modules.at(-1);
const memory = createMemory();
let running = program.name;

function fail(message, code) {
  console.error(`error: ${message}`);
  process.exit(code);
}

// Each module has a WASI of its own, for its name. It looks for the memory among the exports, but that is imported.
function wasiOf(name) {
  return new WASI({
    version: 'preview1',
    args: [name, ...process.argv.slice(1)],
    env: process.env,
    preopens: { '.': '.' },
    returnOnExit: true,
  });
}
const programWasi = wasiOf(program.name);

// What wasi.getImportObject() returns, which Node 18 does not have.
function imports({ name }) {
  running = name;
  if (name === program.name)
    return { wasi_snapshot_preview1: programWasi.wasiImport };
  const wasi = wasiOf(name);
  wasi.initialize({ exports: { memory } });
  return { wasi_snapshot_preview1: wasi.wasiImport };
}

try {
  const { instances } = await instantiate(imports, { memory });
  running = program.name;
  const { exports } = instances[running];
  if ('_start' in exports)
    process.exitCode = programWasi.start({ exports: { ...exports, memory } });
  else if ('main' in exports)
    process.exitCode = exports.main(0, 0);
  else
    fail(`${running} is not a program: it exports neither _start nor main`, 101);
} catch (error) {
  if (!(error instanceof WebAssembly.RuntimeError)) throw error;
  fail(`${running} trapped: ${error.stack}`, 134); // as an abort's exit code
}
