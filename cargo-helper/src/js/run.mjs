// Runs a program: the last module of a layout, on one memory with the modules before it, or one that needs no other.
import { readFile } from 'node:fs/promises';
import { WASI } from 'node:wasi';

const { WASMSHARE_LAYOUT, WASMSHARE_PROGRAM, WASMSHARE_MEMORY } = process.env;
Error.stackTraceLimit = 50; // a panic's own frames are a dozen
const systems = new Map();
let program, memory, exports;

// What wasm-bindgen would resolve in what is compiled for browsers: a program that does not call it can run.
const bindgen = new Proxy({}, {
  get: (_, name) => () => {
    throw new Error(`calls ${String(name)}, of wasm-bindgen: what needs JavaScript is tested by wasm-bindgen-test`);
  },
});

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
  return { wasi_snapshot_preview1: wasi.wasiImport, __wbindgen_placeholder__: bindgen, __wbindgen_externref_xform__: bindgen };
}

async function instantiatePlaced() {
  const layout = await import(WASMSHARE_LAYOUT);
  program = layout.modules.at(-1).name;
  memory = layout.createMemory();
  const compile = async ({ name, url }) => {
    const bytes = await readFile(url);
    return name === program ? withExitCode(bytes) : WebAssembly.compile(bytes);
  };
  return (await layout.instantiate(host, { memory, compile })).instances[program].exports;
}

// As its linker made it.
async function instantiateAlone() {
  program = WASMSHARE_PROGRAM.replace(/.*[\\/]|\.wasm$/g, '');
  const imports = host({ name: program });
  const imported = JSON.parse(WASMSHARE_MEMORY);
  if (imported) {
    const { module, name, minimumPages: initial, maximumPages, shared } = imported;
    memory = new WebAssembly.Memory({ initial, ...maximumPages !== null && { maximum: maximumPages }, shared });
    imports[module] = { ...imports[module], [name]: memory };
  }
  const { exports } = await WebAssembly.instantiate(withExitCode(await readFile(WASMSHARE_PROGRAM)), imports);
  memory ??= exports.memory;
  return exports;
}

// Without the frames of the standard library below and above, as Rust's own backtraces are cut: its functions of these
// names are there for that.
function shortened(stack) {
  if (process.env.RUST_BACKTRACE === 'full') return stack;
  const [message, ...frames] = stack.split('\n');
  const first = frames.findLastIndex(frame => frame.includes('__rust_end_short_backtrace')) + 1;
  const end = frames.findIndex((frame, i) => i >= first && frame.includes('__rust_begin_short_backtrace'));
  const ours = frames.slice(first, end < 0 ? undefined : end);
  return [message, ...ours.map(frame => frame.replace(/ \(wasm:.*/, ''))].join('\n');
}

function fail(message, code) {
  console.error(`error: ${message}`);
  process.exit(code);
}

try {
  exports = WASMSHARE_LAYOUT ? await instantiatePlaced() : await instantiateAlone();
  if ('_start' in exports) process.exitCode = systems.get(program).start({ exports: { ...exports, memory } });
  else if ('main' in exports) process.exitCode = exports.main(0, 0);
  else fail(`${program} is not a program: it exports neither _start nor main`, 101);
} catch (error) {
  if (error.message?.includes('of wasm-bindgen: ')) fail(`${program} ${error.message}`, 101);
  if (!(error instanceof WebAssembly.RuntimeError)) throw error;
  const code = exports?.[exitCode]?.value ?? -1n;
  if (code >= 0n) process.exit(Number(code & 255n)); // as much of it as systems pass on
  fail(`${program} trapped: ${shortened(error.stack)}`, 134); // as an abort's exit code
}
