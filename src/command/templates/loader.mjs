
// ---------------------------------------------------------------------------------------------------------- the loader

// 64-bit limits are bigints, but plain numbers in engines that had 64-bit memories before they were standard.
function make(Kind, { initial, maximum, ...rest }) {
  const limits = convert => ({ ...rest, initial: convert(initial), ...maximum && { maximum: convert(maximum) } });
  if (!memory64)
    return new Kind(limits(Number));
  try {
    return new Kind({ ...limits(BigInt), address: 'i64' });
  } catch {
    return new Kind({ ...limits(Number), index: 'i64' });
  }
}

// Makes the memory that all modules import.
export function createMemory({ pages: initial = pages } = {}) {
  if (!(initial >= pages))
    throw new RangeError(`createMemory(): the modules need ${pages} pages`);
  return make(WebAssembly.Memory, { initial, maximum: maximumPages, shared });
}

// A module of Node's own. Bundlers for browsers would look for one that they can name.
const nodeModule = name => import(/* webpackIgnore: true */ /* @vite-ignore */ `node:${name}`);

// The bytes of a data: URL. Bundlers make one of a small module, and a page's policy may not let it fetch that.
function decode({ href }) {
  const [, base64, data] = /^data:[^,]*?(;base64)?,(.*)$/s.exec(href);
  const text = data.replace(/%([\da-f]{2})/gi, (_, digits) => String.fromCharCode(parseInt(digits, 16)));
  return Uint8Array.from(base64 ? atob(text) : text, byte => byte.charCodeAt(0));
}

async function compileFrom(url) {
  if (url.protocol === 'data:')
    return WebAssembly.compile(decode(url));
  if (url.protocol === 'file:' && globalThis.process?.versions?.node) {
    const { readFile } = await nodeModule('fs/promises');
    return WebAssembly.compile(await readFile(url));
  }
  const response = await fetch(url);
  if (!response.ok)
    throw new Error(`${response.status} ${response.statusText}`.trim());
  return response.headers.get('Content-Type') === 'application/wasm' && WebAssembly.compileStreaming
    ? WebAssembly.compileStreaming(response) : WebAssembly.compile(await response.arrayBuffer());
}

function urlOf(module) {
  try {
    return module.url;
  } catch (cause) {
    throw new Error(`${module.name}: its address is not known here, without import.meta.url: `
      + 'give instantiate() a `compile` that returns the module', { cause });
  }
}

async function compile(module) {
  const url = urlOf(module);
  try {
    return await compileFrom(url);
  } catch (cause) {
    if (cause instanceof WebAssembly.CompileError)
      throw cause;
    // engines say "Failed to fetch", and not what
    throw new Error(`${module.name}: ${url}: ${cause.message}`, { cause });
  }
}

// Files can be read so in Node and Deno.
function readNow(module) {
  const url = urlOf(module), fs = globalThis.process?.getBuiltinModule?.('node:fs');
  return fs && url.protocol === 'file:' ? new WebAssembly.Module(fs.readFileSync(url)) : null;
}

function compileNow(module, compileOne = readNow) {
  const compiled = compileOne(module);
  if (compiled instanceof WebAssembly.Module)
    return compiled;
  throw new Error(`${module.name}: is not there at once: give instantiateSync() a \`compile\` that returns the module, or use instantiate()`);
}

const wasi = 'wasi_snapshot_preview1';

// The call that gives a module these imports, as one would write it.
function callWith(imports, memoryImport) {
  const key = name => /^[A-Za-z_$][\w$]*$/.test(name) ? name : JSON.stringify(name);
  const origins = [...new Set(imports.map(({ module }) => module))];
  const objects = origins.map(origin => {
    const names = imports.filter(({ module }) => module === origin).map(({ name }) => name);
    const values = names.map(name => key(name) === name ? name : `${key(name)}: ...`);
    return `${key(origin)}: ${origin === wasi ? 'wasi.wasiImport' : `{ ${values.join(', ')} }`}`;
  });
  const call = `instantiate({ ${objects.join(', ')} }`;
  if (origins.includes(wasi) && memoryImport === null)
    return `${call}), or start it as a WASI program; if its constructors use WASI, combine with --import-memory`;
  return !origins.includes(wasi) ? `${call})`
    : `const memory = createMemory(); wasi.initialize({ exports: { memory } }); ${call}, { memory })`;
}

// An engine's error, with what engines do not say: in which module it is, and what the host should have given.
function explain(error, { name, imports, memoryImport }, given) {
  const { CompileError, LinkError } = WebAssembly;
  const missing = imports.filter(({ module, name, from }) => from === null && (given?.[module]?.[name] ?? null) === null);
  if (given && missing.length > 0 && (error instanceof LinkError || error instanceof TypeError)) {
    if (missing.some(({ module }) => module.startsWith('__wbindgen_')))
      return new LinkError(`${name}: uses wasm-bindgen: run wasm-bindgen on the placed module, and load what it writes`,
        { cause: error });
    const needed = new Set(missing.map(({ module, name }) => module === wasi ? module : `${module}.${name}`));
    return new LinkError(`${name}: needs ${[...needed].join(', ')} from the host: ${callWith(missing, memoryImport)}`, { cause: error });
  }
  if (error instanceof LinkError || error instanceof CompileError)
    return new error.constructor(`${name}: ${error.message}`, { cause: error });
  return error;
}
