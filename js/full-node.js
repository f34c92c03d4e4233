// full.js in Node, which cannot fetch files.

import { readFile } from 'node:fs/promises';
import { initialize } from './full.js';

const read = (name) => readFile(new URL(name, import.meta.url));

initialize(() => read('wasmshare.wasm'), () => read('demangle.wasm'), () => read('whole.wasm'))
  .catch(() => {}); // the first call that needs it says so

export * from './full.js';
