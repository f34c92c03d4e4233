#!/usr/bin/env node
// The wasmshare command, in Node.

import * as fs from 'node:fs';
import { fileURLToPath } from 'node:url';
import v8 from 'node:v8';
import { fileFor, run, windowsPath } from './wasi.js';

const windows = process.platform === 'win32';
// The command knows one separator. Names of modules and of imports have none in them.
const slashes = (text) => (windows ? text.replaceAll('\\', '/') : text);

function write(descriptor, bytes) {
  for (;;) {
    try {
      return fs.writeSync(descriptor, bytes);
    } catch (error) {
      if (error.code !== 'EAGAIN') throw error; // a pipe that is full
    }
  }
}

// Outputs are all written or none is: a signal that would end the command waits until they are.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => {});

// Functions that run for long are compiled once more, better, which costs more than it saves when the command ends this soon.
v8.setFlagsFromString('--wasm-tiering-budget=1000000000');

const compile = (name) => new WebAssembly.Module(fs.readFileSync(new URL(name, import.meta.url)));

try {
  process.exitCode = run(compile(fileFor(process.argv)), {
    demangler: () => compile('demangle.wasm'),
    args: [fileURLToPath(new URL('wasmshare', import.meta.url)), ...process.argv.slice(2)].map(slashes),
    directory: windows ? slashes(process.cwd()).replace(/^(?=[A-Za-z]:)/, '/') : process.cwd(),
    fs, write, toPath: windows ? windowsPath : undefined,
  });
} catch (error) {
  fs.writeSync(2, `wasmshare: error: stopped: ${error.message}\n`);
  process.exitCode = 1;
}
