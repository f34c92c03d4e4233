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
  const { exports } = (await instantiate(host, { memory })).instances[program];
  if ('_start' in exports) process.exitCode = systems.get(program).start({ exports: { ...exports, memory } });
  else if ('main' in exports) process.exitCode = exports.main(0, 0);
  else fail(`${program} is not a program: it exports neither _start nor main`, 101);
} catch (error) {
  if (!(error instanceof WebAssembly.RuntimeError)) throw error;
  fail(`${program} trapped: ${shortened(error.stack)}`, 134); // as an abort's exit code
}
