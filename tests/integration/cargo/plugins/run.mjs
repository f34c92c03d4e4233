// What the program prints: run.mjs FILE.wasm, or run.mjs DIRECTORY of a layout
import { readFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
const [path] = process.argv.slice(2);
let memory;
const env = { say: (at, size) => console.log(new TextDecoder().decode(new Uint8Array(memory.buffer, at, size))) };
let program;
if (path.endsWith('.wasm')) {
  program = new WebAssembly.Instance(new WebAssembly.Module(readFileSync(path)), { env }).exports;
} else {
  const { instantiate } = await import(pathToFileURL(`${path}/layout.mjs`));
  const { memory, instances } = await instantiate({ env });
  program = { memory, ...instances.host.exports };
}
({ memory } = program);
program.run();
program.again();
const size = memory.buffer.byteLength;
for (let i = 0; i < 20; i++)
  if (program.again() !== 600)
    throw new Error('not all is found');
console.log(memory.buffer.byteLength === size ? 'all is freed' : 'memory is lost');
