/** A module of the layout. */
export interface PlacedModule extends Placement {
  /** The module's name. */
  readonly name: ModuleName;
  /** Where its file is. Throws where import.meta.url is not known. */
  readonly url: URL;
  /** What it does to have memory. */
  readonly heap: 'none' | 'grows' | 'bounded' | 'claims-once' | 'contiguous' | 'unknown';
  /** Where the memory goes in its import object. */
  readonly memoryImport: { readonly module: string; readonly name: string };
  /** Whether it imports its function table, as env.__indirect_function_table. */
  readonly importsTable: boolean;
  /** The export that runs its constructors. */
  readonly constructors: '_initialize' | '__wasm_call_ctors' | null;
  /** What else it imports, and which module exports that; null for the host. */
  readonly imports: readonly Import[];
  /** Variables of other modules that it uses. */
  readonly bindings: readonly Binding[];
}

export interface Import {
  readonly module: string;
  readonly name: string;
  readonly kind: 'function' | 'table' | 'memory' | 'global' | 'tag';
  readonly from: ModuleName | null;
  /** In a cycle: `from` is instantiated later, so a function in between has to find what it exports when it is called. */
  readonly deferred: boolean;
}

export interface Binding {
  readonly name: string;
  readonly from: ModuleName;
  readonly address: Address;
}

/** The modules, in layout order. */
export const modules: readonly PlacedModule[];
/** Their names, each after those that it imports from, but for its deferred imports. */
export const instantiationOrder: readonly ModuleName[];

/** Makes the memory that all modules import. It has `pages` pages, or as many more as are asked for. */
export function createMemory(options?: { pages?: number }): WebAssembly.Memory;
/** Makes the stack pointer that all modules import as env.__stack_pointer; throws if each has its own stack. */
export function createStackPointer(address?: Address): WebAssembly.Global;
/** Makes the function table that all modules import as env.__indirect_function_table; throws if each has its own. */
export function createTable(): WebAssembly.Table;

/** What a new thread needs: to be sent to a worker with postMessage, and given to its `instantiate()`. */
export interface Thread {
  readonly index: number;
  /** Start of the thread's area: its stack, then its thread-local variables. */
  readonly base: Address;
  readonly memory: WebAssembly.Memory;
  /** The modules that are loaded when the thread starts, by name. */
  readonly compiled: Readonly<Record<string, WebAssembly.Module>>;
}

export interface InstantiateOptions {
  /** Names of the modules to instantiate; those that they import from come too. All, if not given. */
  modules?: Iterable<ModuleName>;
  /** A memory to use in place of a new one. It must be from `createMemory()`. */
  memory?: WebAssembly.Memory;
  /** Gives a module compiled, in place of fetching it from its URL or, in Node, reading its file. */
  compile?(module: PlacedModule): WebAssembly.Module | Promise<WebAssembly.Module>;
  /** In a worker: the thread that it is. The modules' memory and variables are those of the first thread. */
  thread?: Thread;
}

/** Modules that are instantiated on one memory. */
export interface AddressSpace {
  readonly memory: WebAssembly.Memory;
  /** The shared function table; null if each module has its own. */
  readonly table: WebAssembly.Table | null;
  /** The shared stack pointer; null if each module has its own stack. */
  readonly stackPointer: WebAssembly.Global | null;
  /** The instances by name: all that were asked for, and those that `load` added. */
  readonly instances: Readonly<Record<ModuleName, WebAssembly.Instance>>;
  /** Instantiates a module, and those that it imports from, unless they are; then runs their constructors. */
  load(name: ModuleName): Promise<WebAssembly.Instance>;
  /** The same at once, as `instantiateSync()` does; throws while others are being loaded. */
  loadSync(name: ModuleName): WebAssembly.Instance;
  /** Ends a program that `--link` made of modules without main: destructors and what atexit() registered run, and output
   * is flushed. */
  exit(): void;
  /**
   * Drops instances, and what they have in the shared function table: `load` then makes them anew, at the same place.
   * Rejects if a module that stays uses one of them. What they have allocated is not freed, and functions of theirs that
   * others still have go on working, on memory that may be another's.
   */
  unload(...names: ModuleName[]): Promise<void>;
  /** A thread with a stack and thread-local variables of its own, of those that `--threads` made room for. */
  startThread(): Thread;
  /** Gives the thread's area back, when its worker has ended: once, in the first thread. */
  endThread(thread: Thread): void;
}

/**
 * Compiles the modules, instantiates them on one memory, each after those that it imports from, and then runs their
 * constructors (`_initialize`, or else `__wasm_call_ctors`) once each, in that order.
 *
 * What modules import from each other, the memory, and a shared stack pointer and function table are given to them;
 * `imports` is for what the host gives: an import object for all modules, or a function that returns one for a module.
 */
export function instantiate(
  imports?: WebAssembly.Imports | ((module: PlacedModule) => WebAssembly.Imports),
  options?: InstantiateOptions,
): Promise<AddressSpace>;

/**
 * The same at once, where modules can be read at once (Node from 20.16 on, Deno), or else with a `compile` that returns the
 * module. Browsers refuse to do so with large modules, but in workers.
 */
export function instantiateSync(
  imports?: WebAssembly.Imports | ((module: PlacedModule) => WebAssembly.Imports),
  options?: InstantiateOptions,
): AddressSpace;
