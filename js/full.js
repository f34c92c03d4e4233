// All that the wasmshare command does, in JavaScript: for modules as the linker wrote them, in a browser, Node, Deno or a
// worker. It is the command, compiled to WebAssembly (wasmshare.wasm or whole.wasm), with files in memory.

import { MemoryFiles } from './files.js';
import { BOUNDED } from './format.js';
import { load as loadPrepared } from './index.js';
import { fail, WasmShareError } from './prepared.js';
import { fileFor, run } from './wasi.js';

export { WasmShareError };

// Each is loaded when it is first needed: whole.wasm for few options, demangle.wasm for few modules.
const openers = {
  'wasmshare.wasm': () => new URL('./wasmshare.wasm', import.meta.url),
  'demangle.wasm': () => new URL('./demangle.wasm', import.meta.url),
  'whole.wasm': () => new URL('./whole.wasm', import.meta.url),
};
const compiled = {}; // promises

async function compile(source, name) {
  source = await source;
  if (typeof source === 'string' || source instanceof URL) source = await fetch(source);
  if (source instanceof WebAssembly.Module) return source;
  return WebAssembly.compile(await open(source, name));
}

// Once, and again if that failed.
function get(name) {
  if (!compiled[name]) {
    compiled[name] = (async () => compile(openers[name](), name))();
    compiled[name].catch(() => delete compiled[name]);
  }
  return compiled[name];
}

export async function initialize(...sources) {
  Object.keys(openers).forEach((name, i) => {
    const source = sources[i];
    if (source === undefined) return;
    openers[name] = typeof source === 'function' ? source : () => source;
    delete compiled[name];
  });
  await get('wasmshare.wasm');
}

const needsDemangler = Symbol('demangle.wasm');

// ------------------------------------------------------------------------------------------------ modules, by name

const kindOf = (value) => value?.constructor?.name ?? (value && typeof value);
const isModule = (source) => ['arrayBuffer', 'then', 'byteLength'].some((name) => source?.[name] !== undefined);

async function open(source, name) {
  source = await source;
  if (source?.arrayBuffer && source.ok !== false) source = await source.arrayBuffer();
  const { buffer = source, byteOffset, byteLength } = source ?? {};
  if (!(byteLength >= 0)) fail('source', `${name} is no byte array or Response: ${source?.status ?? kindOf(source)}`);
  return new Uint8Array(buffer, byteOffset, byteLength);
}

// The bytes of all modules, by name. Those of a list are called module0, module1 and so on.
async function openAll(sources) {
  const entries = Array.isArray(sources) ? Array.from(sources, (source, i) => [`module${i}`, source])
    : typeof sources === 'object' && sources && !isModule(sources) ? Object.entries(sources) : [];
  if (!entries.length) fail('option', `invalid argument modules, an array or object of at least one: ${kindOf(sources)}`);
  for (const [name] of entries) if (!name || /[=/\0]/.test(name)) fail('option', `no module can be called '${name}'`);
  return Object.fromEntries(await Promise.all(entries.map(async ([name, source]) => [name, await open(source, name)])));
}

// Does the work for modules as they were given: one, a list or by name; and gives the results in the same way.
async function forEach(sources, work) {
  if (isModule(sources)) return (await forEach([sources], work))[0];
  const modules = await openAll(sources), results = await work(modules, Object.keys(modules));
  return Array.isArray(sources) ? results : Object.fromEntries(Object.keys(modules).map((name, i) => [name, results[i]]));
}

// ------------------------------------------------------------------------------------------------- the command

// Runs it beside these files, and gives those that it makes.
async function execute(args, files, name = fileFor(args)) {
  const module = await get(name);
  try {
    return executeOnce(module, args, files);
  } catch (error) {
    if (error !== needsDemangler) throw error;
    return executeOnce(module, args, files, await get('demangle.wasm'));
  }
}

function executeOnce(module, args, files, demangler) {
  const fs = new MemoryFiles(), printed = ['', '', ''], decoders = [1, 2].map(() => new TextDecoder());
  fs.mkdirSync('/out');
  for (const [name, bytes] of Object.entries(files)) fs.set(`/out/${name}`, bytes);
  const status = run(module, {
    args: ['wasmshare', ...args], directory: '/out', fs,
    demangler() {
      if (demangler) return demangler;
      throw needsDemangler;
    },
    write(descriptor, bytes) {
      printed[descriptor] += decoders[descriptor - 1].decode(bytes, { stream: true });
      return bytes.length;
    },
  });
  const written = [...fs.written()].map(([path, bytes]) => [path.replace(/^\/out\//, ''), bytes]);
  return { status, output: printed[1], errors: printed[2], files: Object.fromEntries(written) };
}

export async function command(args, files = {}) {
  const opened = Object.entries(files).map(async ([name, source]) => [name, await open(source, name)]);
  return execute(args, Object.fromEntries(await Promise.all(opened)));
}

// Modules are in a directory of their own, so that no output has the name of one. What is printed leaves it out.
const IN = '../in/';

// What it makes, or its error.
async function succeed(args, modules, name) {
  const files = Object.fromEntries(Object.entries(modules).map(([name, bytes]) => [IN + name, bytes]));
  const { status, errors, output, ...result } = await execute(args, files, name);
  const lines = errors.replaceAll(IN, '').split('\n').filter(Boolean).map((line) => line.replace(/^wasmshare: (error|warning): /, ''));
  if (status !== 0) fail('refused', lines.join('\n'));
  return { ...result, output: output.replaceAll(IN, ''), warnings: lines };
}

// What was to be made: options can ask for something else, as `help` does.
const made = (what) => what || fail('option', 'invalid argument options: with these, something else is made');

// Those that take no value.
const switches = ['link', 'importMemory', 'stripDebug', 'printMap', 'keepRelocs', 'trustPic', 'json', 'help', 'version'];

// Options, as it takes them: { heapSize: 65536 } is --heap-size=65536, and a list is several.
function flags(options) {
  return Object.entries(options).flatMap(([name, value]) => {
    const flag = '--' + name.replace(/[A-Z]/g, (letter) => '-' + letter.toLowerCase());
    if (value === undefined || value === null || value === false) return [];
    if (value === true && switches.includes(name)) return [flag];
    return [value].flat().map((one) => {
      if (typeof one !== 'string' && typeof one !== 'number') fail('option', `invalid argument ${name}, a string or number: ${one === true || kindOf(one)}`);
      return `${flag}=${one}`;
    });
  });
}

const not0 = (value) => value !== 0 && value;

const inputs = (names) => ['--', ...names.map((name) => `${name}=${IN}${name}`)];

// ------------------------------------------------------------------------------------------------------ what it does

export async function combine(sources, additionalStack = 0, options) {
  const modules = await openAll(sources), names = Object.keys(modules), { heapOwner, maxMemory, ...others } = options ?? {};
  const name = fileFor(flags(others));
  // Nothing can be imported from a module that has no name but its place in a list: the host gives it all.
  if (Array.isArray(sources) && !others.hostImports && !others.hostImport)
    others.hostImports = [...new Set((await inspectAll(modules, names, {}, name)).flatMap(({ imports }) => imports.map(({ module }) => module)))];
  const { files, ...printed } = await succeed(['combine', '-o', '.', ...flags({
    extraStack: not0(additionalStack), maxMemory: not0(maxMemory), heapOwner: names[heapOwner] ?? heapOwner, ...others,
  }), ...inputs(names)], modules, name);
  const layout = JSON.parse(new TextDecoder().decode(made(files[`${others.name ?? 'layout'}.json`])));
  const written = layout.single ? [layout.single.file] : names.map((name) => `${name}.wasm`);
  return { modules: written.map((name) => files[name]), neededPages: layout.pages, layout, files, ...printed };
}

// A module alone is called so in errors.
const alone = async (source) => ({ 'the module': await open(source, 'the module') });

export async function relocate(source, offset, heapBase, options) {
  const moved = flags({ offset, heapBase, ...options });
  return made((await succeed(['relocate', '-o', 'moved', ...moved, '--', IN + 'the module'], await alone(source))).files.moved);
}

export async function getHeapBase(source) {
  return Number((await succeed(['heap-base', '--', IN + 'the module'], await alone(source))).output);
}

export async function prepare(sources, options) {
  return forEach(sources, async (modules, names) => {
    const { files } = await succeed(['prepare', '-o', '.', ...flags({ ...options }), ...inputs(names)], modules);
    return names.map((name) => files[`${name}.wasm`]);
  });
}

export async function inspect(sources, options) {
  return forEach(sources, (modules, names) => inspectAll(modules, names, options));
}

async function inspectAll(modules, names, options, name) {
  const args = ['inspect', '--json', ...flags({ ...options }), '--', ...names.map((name) => IN + name)];
  const { output } = await succeed(args, modules, name);
  return JSON.parse(made(output[0] === '[' && output));
}

// The numbers of heaps (format.js). The command does not say whether a range is all that a module takes.
const heaps = { none: 0, grows: 1, bounded: 2, 'claims-once': 2, contiguous: 4, unknown: 5 };

export async function load(layout, source, options) {
  if (layout?.single) fail('option', 'invalid argument layout: it is of one file, which does not say whose heap is what: combine without single');
  // One that takes all memory comes last, unless it was given a heap of fixed size, which is all for it.
  const number = ({ heap, heapEnd }) => (heaps[heap] > BOUNDED && heapEnd < layout.heapEnd ? BOUNDED : heaps[heap] ?? heap);
  const modules = layout?.modules?.map((at) => ({ ...at, heap: number(at) }));
  return loadPrepared(modules && { ...layout, modules }, await prepare(source), options);
}
