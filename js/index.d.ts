// Memories and tables are named by what is used of them: not every project declares WebAssembly.

/** A module that `wasmshare prepare` wrote: its bytes, or what has or will have them. Bytes are not changed. */
export type ModuleSource = Source | PromiseLike<Source>;
type Source = ArrayBuffer | ArrayBufferView | { arrayBuffer(): Promise<ArrayBuffer> };

/** Where a module went. Addresses are in bytes. */
export interface Placement {
  /** Added to the addresses of static data. */
  offset: number;
  /** The module's own range: its stack and static data. */
  memoryBase: number;
  memorySize: number;
  /** null for a module without a stack. */
  stackLow: number | null;
  stackPointer: number | null;
  dataBase: number;
  dataEnd: number;
  /** What it does with memory that it was not given: 0 takes none, 1 grows the memory, 2 has a range first, 3 has only that,
   * 4 takes all memory from its heapBase up, and 5 may. */
  heap: number;
  /** What __heap_base and __heap_end are for this module. */
  heapBase: number;
  heapEnd: number;
  /** The index of its first function in the table, and how many there are. */
  tableBase: number;
  tableSize: number;
}

/** Where everything went: what layout.json of `wasmshare combine` has, but names. */
export interface Layout {
  /** What the memory needs: `new WebAssembly.Memory({ initial: pages, maximum: maximumPages ?? undefined, shared })`. */
  pages: number;
  maximumPages: number | null;
  shared: boolean;
  memory64: boolean;
  heapBase: number;
  heapEnd: number;
  /** The shared stack, or null: `new WebAssembly.Global({ value: 'i32', mutable: true }, stackPointer)`. */
  stackLow: number | null;
  stackPointer: number | null;
  /** Of the shared table, or null: `new WebAssembly.Table({ element: 'anyfunc', initial: tableSize })`. */
  tableSize: number | null;
  modules: Placement[];
}

/** The options of `wasmshare combine`. Sizes and addresses are in bytes. */
export interface CombineOptions {
  /** 'shared': one stack for all, imported as env.__stack_pointer, of stackSize bytes (default: of the largest). */
  stack?: 'private' | 'shared';
  stackSize?: number;
  /** 'shared': one function table for all, imported as env.__indirect_function_table. */
  table?: 'private' | 'shared';
  /** The lowest address that may be used. */
  base?: number;
  /** Of every module: a power of two. */
  align?: number;
  /** The heap's initial size. */
  heapSize?: number;
  /** The memory's maximum, in whole pages of 65,536 bytes. */
  maxMemory?: number;
  /** The index of the only module that is given the initial heap. */
  heapOwner?: number;
}

export interface LoadOptions {
  /** The memory that the layout's modules run on. It is grown, and the module goes where it grew. Without it and `base`,
   * the module goes behind the pages of the layout: right as long as nothing has grown the memory. */
  memory?: { readonly buffer: { readonly byteLength: number }, grow(pages: number): number };
  /** The shared table that they use, which is grown too. Without it, the caller grows it to the new tableSize. */
  table?: { grow(elements: number): number };
  /** An address to go to instead, above the layout's heap base and with room for the module: what a malloc in that memory
   * returned, for instance (as a number without sign: `malloc(size) >>> 0`). There, a module that
   * takes no memory can be beside one that takes all of it. A heap that it was linked with is behind the memory's end. */
  base?: number;
  additionalStack?: number;
}

/**
 * Places modules one after another in one memory, each with its own stack, and one heap behind them all. The caller
 * instantiates them, gives them what they import from each other, and runs their constructors, once:
 * `(exports._initialize ?? exports.__wasm_call_ctors)?.()`
 * @param additionalStack bytes added to each module's stack (default: 0)
 */
export function combine(modules: ModuleSource[], additionalStack?: number, options?: CombineOptions):
  Promise<{ modules: Uint8Array[], neededPages: number, layout: Layout }>;

/**
 * Moves one module by `offset` bytes, which is a multiple of its alignment.
 * @param heapBase what __heap_base becomes (default: it moves along)
 */
export function relocate(module: ModuleSource, offset: number, heapBase?: number): Promise<Uint8Array>;

/** The end of the module's stack and static data: the address from which on memory is free. */
export function getHeapBase(module: ModuleSource): Promise<number>;

/**
 * Places one more module into the memory of a running layout, and says what the layout is then: for the next `load`. As
 * after `combine`, the caller instantiates it and runs its constructors.
 */
export function load(layout: Layout, module: ModuleSource, options?: LoadOptions):
  Promise<{ module: Uint8Array, neededPages: number, layout: Layout }>;

/**
 * What is wrong with modules, arguments and options. What else fails is passed on: a promise that was given, a Response's
 * body, a memory or a table that cannot grow.
 */
export class WasmShareError extends Error {
  name: 'WasmShareError';
  /**
   * - `source`: it is no Uint8Array, ArrayBuffer or Response, or a Response that is not ok (404)
   * - `not-wasm`: it is not WebAssembly (a page, perhaps), or not all of it
   * - `not-prepared`: it was not written by `wasmshare prepare`, or placed since
   * - `changed`: it was changed since, or prepared by another version of WasmShare
   * - `option`: an argument or an option has a value that does not go, or there is no such option
   * - `mix`: modules with 32-bit and 64-bit, or shared and unshared memories do not mix
   * - `alignment`: the offset is not a multiple of the module's alignment
   * - `space`: it would not fit the address space, or the place that was given
   * - `maximum`: the memory's maximum is too small
   * - `heap`: two modules would hand out the same heap
   * - `refused`: of wasmshare/full: what the command says
   * - `stack`, `table`: the module cannot share its own, or it imports its stack and nothing says how large that is
   */
  code: 'source' | 'not-wasm' | 'not-prepared' | 'changed' | 'option' | 'mix' | 'alignment' | 'space' | 'maximum' |
    'heap' | 'stack' | 'table' | 'refused';
  constructor(code: WasmShareError['code'], message: string);
}
