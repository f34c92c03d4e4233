// Runs a program, the last module of the layout, on one memory with the modules before it.
import { WASI } from 'node:wasi';

const { createMemory, instantiate, modules } = await import(process.env.WASMSHARE_LAYOUT);
Error.stackTraceLimit = 50; // a panic's own frames are a dozen
const program = modules.at(-1).name;
const memory = createMemory();
const systems = new Map();

// Each module has a WASI of its own.
function host({ name }) {
  const wasi = new WASI({
    version: 'preview1',
    args: [name, ...process.argv.slice(1)],
    env: process.env,
    preopens: { '.': '.' },
    returnOnExit: true,
  });
  // the memory is imported: WASI looks for it among the exports
  if (name !== program) wasi.initialize({ exports: { memory } });
  systems.set(name, wasi);
  // what wasi.getImportObject() returns, which Node 18 does not have
  return { wasi_snapshot_preview1: wasi.wasiImport };
}

function fail(message, code) {
  console.error(`error: ${message}`);
  process.exit(code);
}

try {
  const { exports } = (await instantiate(host, { memory })).instances[program];
  if ('_start' in exports) process.exitCode = systems.get(program).start({ exports: { ...exports, memory } });
  else if ('main' in exports) process.exitCode = exports.main(0, 0);
  else fail(`${program} is not a program: it exports neither _start nor main`, 101);
} catch (error) {
  if (!(error instanceof WebAssembly.RuntimeError)) throw error;
  fail(`${program} trapped: ${error.stack}`, 134); // as an abort's exit code
}
