/** A module of the one file. */
export interface MergedModule {
  /** The module's name. */
  readonly name: ModuleName;
  /** What it exports, of the exports of the file. */
  readonly exports: readonly string[];
}

/** What the host gives. */
export interface Import {
  readonly module: string;
  readonly name: string;
  readonly kind: 'function' | 'table' | 'memory' | 'global' | 'tag';
  readonly from: null;
}

/** The one file. */
export interface SingleFile {
  /** Its path, from here. */
  readonly name: string;
  /** Where it is. Throws where import.meta.url is not known. */
  readonly url: URL;
  /** Where the memory goes in its import object; null if it has its own, which it exports as `memory`. */
  readonly memoryImport: { readonly module: string; readonly name: string } | null;
  /** The export that runs all constructors. */
  readonly constructors: '_initialize' | '__wasm_call_ctors' | null;
  readonly imports: readonly Import[];
}

export const single: SingleFile;
/** The modules, in order. */
export const modules: readonly MergedModule[];

/** Makes a memory for a file that imports it. It has `pages` pages, or as many more as are asked for. */
export function createMemory(options?: { pages?: number }): WebAssembly.Memory;

export interface InstantiateOptions {
  /** For a file that imports its memory: one to use in place of a new one. It must be from `createMemory()`. */
  memory?: WebAssembly.Memory;
  /** Gives the file compiled, in place of fetching it from its URL or, in Node, reading it. */
  compile?(file: SingleFile): WebAssembly.Module | Promise<WebAssembly.Module>;
}

/** What was instantiated. */
export interface AddressSpace {
  readonly memory: WebAssembly.Memory;
  /** The function table, if the file exports it. */
  readonly table: WebAssembly.Table | null;
  /** The stack pointer, if the file exports it. */
  readonly stackPointer: WebAssembly.Global | null;
  /** The one instance. */
  readonly instance: WebAssembly.Instance;
  /** What each of the modules has of the instance: its own exports, and the memory, if the file exports that. */
  readonly instances: Readonly<Record<ModuleName, WebAssembly.Instance>>;
}

/** Compiles and instantiates the file, and then runs its constructors. `imports` is what the host gives. */
export function instantiate(
  imports?: WebAssembly.Imports | ((file: SingleFile) => WebAssembly.Imports),
  options?: InstantiateOptions,
): Promise<AddressSpace>;
