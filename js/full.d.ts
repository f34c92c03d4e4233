import type { CombineOptions, Layout as PreparedLayout, LoadOptions, ModuleSource, Placement } from './index.js';

export { WasmShareError } from './index.js';
export type { LoadOptions, ModuleSource, Placement } from './index.js';

// The functions of the package for prepared modules, for modules as the linker wrote them, and all else that the wasmshare
// command does. Errors of the command are WasmShareErrors with the code `refused` and its message.

/** Modules by name, as those of `wasmshare combine`: one imports from another by its name. */
export type NamedModules = Record<string, ModuleSource>;

/** Every option of `wasmshare combine` (see `wasmshare combine --help`): --host-import is hostImport, and what can be given
 * several times is a list. */
export interface FullOptions extends Omit<CombineOptions, 'heapOwner'> {
  /** The index or the name of the module that is given the initial heap. */
  heapOwner?: number | string;
  /** What the host gives: 'MODULE.NAME', and MODULE for all from there. For a list of modules, by default all. */
  hostImport?: string | string[];
  hostImports?: string | string[];
  /** Names of modules: of several that export what another imports, the first of these is taken. */
  prefer?: string | string[];
  threads?: number;
  /** So that the outputs can be given to these functions again. */
  keepRelocs?: boolean;
  trustPic?: boolean;
  /** Prints, to `output`, what is where. */
  printMap?: boolean;
  /** Writes that as a picture, FILE.svg, to `files`. */
  map?: string;
  /** All others, as those of the command: a list is the option several times, and only true and false are for one without a value. */
  [option: string]: string | number | boolean | null | undefined | (string | number)[];
}

/** What runs: a heap has a name in layout.json, and a number in what `load` gives. */
type Place<Heap> = Omit<Placement, 'heap'> & { heap: Heap };
interface Running extends Omit<PreparedLayout, 'modules'> {
  modules: Place<number | string>[];
}

/** layout.json of `wasmshare combine`: docs/layout.md. */
export interface Layout extends Running {
  version: number;
  name: string;
  pageSize: number;
  threadCount: number;
  threadBase: number | null;
  threadSize: number | null;
  threadStackSize: number | null;
  /** Names of modules. */
  instantiationOrder: string[];
  modules: (Place<'none' | 'grows' | 'bounded' | 'claims-once' | 'contiguous' | 'unknown'> & {
    name: string;
    file: string;
    tlsOffset: number | null;
    memoryImport: { module: string, name: string };
    importsTable: boolean;
    /** `from` is the module that exports it, or null for the host. */
    imports: { module: string, name: string, kind: string, from: string | null }[];
    bindings: { name: string, from: string, address: number }[];
  })[];
}

export interface Combined {
  /** In the order of the modules that were given; with `single`, that one. */
  modules: Uint8Array[];
  neededPages: number;
  layout: Layout;
  /** All that the command writes, by name: the modules, layout.h, layout.mjs, layout.d.mts, layout.json. */
  files: Record<string, Uint8Array>;
  /** What it prints, and warns of. */
  output: string;
  warnings: string[];
}

export function combine(modules: ModuleSource[] | NamedModules, additionalStack?: number, options?: FullOptions): Promise<Combined>;

export function relocate(module: ModuleSource, offset: number, heapBase?: number,
  options?: { tableOffset?: number, keepRelocs?: boolean, trustPic?: boolean }): Promise<Uint8Array>;

export function getHeapBase(module: ModuleSource): Promise<number>;

/** As those of the command: heap is NAME=CLASS, where the modules of a list are called module0, module1, ... */
export interface PrepareOptions { heap?: string | string[], trustPic?: boolean }
/** What the functions of the package for prepared modules take. */
export function prepare(module: ModuleSource, options?: PrepareOptions): Promise<Uint8Array>;
export function prepare(modules: ModuleSource[], options?: PrepareOptions): Promise<Uint8Array[]>;
export function prepare<Names extends string>(modules: Record<Names, ModuleSource>, options?: PrepareOptions):
  Promise<Record<Names, Uint8Array>>;

/** What `wasmshare inspect --json` prints for a module. */
export interface Inspected {
  file: string;
  /** Whether it can be moved exactly; if not, `reason` says why. */
  exact: boolean;
  reason: string | null;
  prepared: boolean;
  heapBase: number;
  imports: { module: string, name: string, kind: string }[];
  /** What one program would have once. */
  shareable: { name: string, kind: string, rule: string }[];
  [fact: string]: unknown;
}
export function inspect(module: ModuleSource): Promise<Inspected>;
export function inspect(modules: ModuleSource[]): Promise<Inspected[]>;
export function inspect<Names extends string>(modules: Record<Names, ModuleSource>): Promise<Record<Names, Inspected>>;

/** Places one more module into the memory of a running layout: see `load` of the package for prepared modules. */
export function load<Given extends Running>(layout: Given, module: ModuleSource, options?: LoadOptions):
  Promise<{ module: Uint8Array, neededPages: number, layout: Omit<Given, 'modules'> & PreparedLayout }>;

/** The command itself, with files in memory: what it printed, its exit status, and the files that it wrote. */
export function command(args: string[], files?: NamedModules):
  Promise<{ status: number, output: string, errors: string, files: Record<string, Uint8Array> }>;

/**
 * Loads and compiles the command, which the first call of another function does otherwise.
 * @param source where wasmshare.wasm is, if not beside this file: a URL, a Response, bytes or a compiled module; or a function
 *   that gives that
 * @param demangler likewise of demangle.wasm, which some weak functions of C++ need
 * @param whole likewise of whole.wasm, which the options `link`, `single`, `env`, `map` and `keepRelocs` need
 */
export function initialize(source?: WasmSource, demangler?: WasmSource, whole?: WasmSource): Promise<void>;

type WasmSource = string | { readonly href: string } | ModuleSource | object | (() => WasmSource);
