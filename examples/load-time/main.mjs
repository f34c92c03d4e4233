// The modules were prepared when they were built. Which ones are loaded, and so where they go, is decided here.
import { combine, load } from './wasmshare/index.js';

const { modules, neededPages, layout } = await combine([fetch('common.wasm'), fetch('a.wasm')]);
const memory = new WebAssembly.Memory({ initial: neededPages });
async function instantiate(module) {
  const { instance: { exports } } = await WebAssembly.instantiate(module, { env: { memory } });
  (exports._initialize ?? exports.__wasm_call_ctors)?.(); // constructors, if there are any
  return exports;
}
const [common, a] = await Promise.all(modules.map(instantiate));

const said = [];
function say(text) {
  said.push(text);
  const item = document.createElement('li');
  item.textContent = text;
  document.getElementById('said')?.append(item);
}

// `common` makes an object and `a` reads it, by its address.
const object = common.create_object(1337n);
say(`${a.get_value(object)}`);

// Later, with all of this running: one more, behind what is there. It works on the same object.
export async function loadAnother() {
  const { module, layout: wider } = await load(layout, fetch('b.wasm'), { memory });
  const b = await instantiate(module);
  b.double(object);
  say(`${a.get_value(object)}, doubled by a module at ${wider.modules.at(-1).memoryBase}`);
  return said;
}
document.getElementById('load')?.addEventListener('click', loadAnother, { once: true });
