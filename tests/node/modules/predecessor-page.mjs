// In the browser: the example of wasm-share-memory, which this package follows, with another import.
import { combine } from './wasmshare/index.js';

const libcommon = new Uint8Array(await (await fetch('common.wasm')).arrayBuffer());
const liba = new Uint8Array(await (await fetch('a.wasm')).arrayBuffer());
const libb = new Uint8Array(await (await fetch('b.wasm')).arrayBuffer());

const { modules, neededPages } = await combine([libcommon, liba, libb]);

const memory = new WebAssembly.Memory({
    initial: neededPages,
});

const { instance: icommon } = await WebAssembly.instantiate(modules[0], {
    env: { memory },
});
const { instance: ia } = await WebAssembly.instantiate(modules[1], {
    env: { memory },
});
const { instance: ib } = await WebAssembly.instantiate(modules[2], {
    env: { memory },
});

const object = icommon.exports.create_object(1337n);
const value = ia.exports.get_value(object);
ib.exports.double(object);
const doubled = ia.exports.get_value(object);

export const result = [value, doubled].map(String);
