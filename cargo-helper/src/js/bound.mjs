
// What modules have in common that were placed in one layout, wherever they were loaded from: several packages can each
// bring some of them.
const shared = globalThis[Symbol.for(`wasmshare layout ${id}`)] ??=
  { modules: new Map(placed.modules.map(module => [module.name, module])), bound: { __proto__: null }, started: new Set() };
for (const name in bound)
  shared.bound[name] ??= bound[name];

// Says where a module's file is: the getter throws where that is not known.
const locate = (name, get) => Object.defineProperty(shared.modules.get(name), 'url', { get, configurable: true, enumerable: true });
for (const module of placed.modules)
  if (carried.includes(module.name) && shared.modules.get(module.name) !== module)
    locate(module.name, () => module.url);

// With threads, wasm-bindgen takes a page behind the layout's.
export const createMemory = () => !placed.shared ? placed.createMemory()
  : new WebAssembly.Memory({ initial: placed.pages + 1, maximum: placed.maximumPages, shared: true });

// The host's imports, and for modules that wasm-bindgen has bound, those that its JavaScript gives.
function importsOf(host, memory) {
  // Those that the layout knows of, which are the bound module's no more.
  const resolved = { __wbindgen_placeholder__: new Proxy({}, { get: () => () => {} }) };
  return module => {
    const given = typeof host === 'function' ? host(module) : host;
    const glue = shared.bound[module.name];
    return glue ? { ...resolved, ...given, [glue.importedAs]: { ...glue.exports, memory } } : given;
  };
}

// Gives the JavaScript of what was instantiated its instance.
function startBound({ instances, memory }) {
  for (const name of placed.instantiationOrder) {
    const glue = shared.bound[name];
    if (!glue || !(name in instances) || shared.started.has(name))
      continue;
    const { exports } = instances[name];
    if (exports.memory !== memory)
      throw new Error(`${name}: wasm-bindgen gave it a memory of its own`);
    glue.exports.__wbg_set_wasm(exports);
    shared.started.add(name);
    exports.__wbindgen_start?.();
  }
}

const adopted = new Set();

// Another package may have brought the same module, and instantiated it: then this one's JavaScript is for that instance,
// too. What is JavaScript's is in the instance's table.
function adopt(space) {
  for (const name in bound) {
    const [ours, theirs] = [bound, shared.bound].map(from => from[name].exports.__wbg_set_wasm);
    if (ours === theirs || !shared.started.has(name) || adopted.has(name))
      continue;
    const { exports } = space.instances[name];
    if (!exports.__wbindgen_externrefs)
      throw new Error(`${name}: two packages bring it; without reference types, wasm-bindgen cannot have it twice`);
    ours(exports);
    adopted.add(name);
  }
  return space;
}

// What is given to the placed layout, so that both it and what wires the rest know the memory.
function given(imports, options) {
  const memory = options.thread?.memory ?? options.memory ?? createMemory();
  return [importsOf(imports, memory), { ...options, memory }];
}

function wire(space) {
  startBound(space);
  const bindings = { __proto__: null };
  for (const name in shared.bound)
    Object.defineProperty(bindings, name, { enumerable: true, get: () => shared.bound[name].exports });
  const load = async name => {
    const instance = await space.load(name);
    startBound(space);
    return instance;
  };
  const loadSync = name => {
    const instance = space.loadSync(name);
    startBound(space);
    return instance;
  };
  shared.space = { ...space, bindings, load, loadSync };
  return shared.space;
}

function beginOnce(imports, options) {
  const running = placed.instantiate(...given(imports, options)).then(wire);
  shared.running = running;
  running.catch(() => {
    shared.running = undefined;
  });
  return running;
}

function beginAtOnce(imports, options) {
  const space = wire(placed.instantiateSync(...given(imports, options)));
  shared.running = Promise.resolve(space);
  return space;
}

const isBegun = 'the modules are instantiated already: give imports and options at the first call';

// As that of the placed layout; but what wasm-bindgen writes is for one instance of a module, so there is one of each.
export async function instantiate(imports, options) {
  if (!shared.running)
    return beginOnce(imports ?? {}, options ?? {});
  if (imports || options)
    throw new Error(isBegun);
  return adopt(await shared.running);
}

export function instantiateSync(imports, options) {
  if (!shared.running)
    return beginAtOnce(imports ?? {}, options ?? {});
  if (imports || options)
    throw new Error(isBegun);
  return adopt(begun());
}

function begun() {
  if (!shared.space)
    throw new Error('the modules are being instantiated, and cannot be had at once: wait for them');
  return shared.space;
}

function locateAt(name, url) {
  if (url !== undefined && shared.modules.has(name) && !shared.started.has(name)) {
    const found = new URL(url, globalThis.document?.baseURI ?? import.meta.url);
    locate(name, () => found);
  }
}

// Instantiates a module, and those that it needs, unless they are. `url` is where its file is, if not beside this one.
export async function load(name, url) {
  locateAt(name, url);
  const space = await (shared.running ?? beginOnce({}, { modules: [name] }));
  const instance = await space.load(name);
  adopt(space);
  return instance;
}

export function loadSync(name, url) {
  locateAt(name, url);
  const space = shared.running ? begun() : beginAtOnce({}, { modules: [name] });
  const instance = space.loadSync(name);
  adopt(space);
  return instance;
}
