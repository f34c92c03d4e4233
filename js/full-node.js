// full.js in Node, which cannot fetch files.

import { readFile } from 'node:fs/promises';
import { initialize } from './full.js';

initialize(readFile(new URL('wasmshare.wasm', import.meta.url)));

export * from './full.js';
