// Types of the layout. Written by cargo wasmshare; do not edit.

import type { AddressSpace as PlacedSpace, InstantiateOptions, ModuleName, PlacedModule } from './layout.placed.mjs';
export * from './layout.placed.mjs';

/** The interfaces that wasm-bindgen made, by module. */
export interface Bindings {
  // members
}

export interface AddressSpace extends PlacedSpace {
  readonly bindings: Bindings;
}

/**
 * Instantiates the modules, those that wasm-bindgen has bound and all others, on one memory. What wasm-bindgen writes is
 * for one instance of a module, so a second call gives what the first one did.
 */
export function instantiate(
  imports?: WebAssembly.Imports | ((module: PlacedModule) => WebAssembly.Imports),
  options?: InstantiateOptions,
): Promise<AddressSpace>;

/** Instantiates a module, and those that it needs, unless they are. `url`: where its file is, if not beside this one. */
export function load(name: ModuleName, url?: string | URL): Promise<WebAssembly.Instance>;

/** These do the same at once, where modules can be read at once; they throw while modules are being instantiated. */
export function instantiateSync(
  imports?: WebAssembly.Imports | ((module: PlacedModule) => WebAssembly.Imports),
  options?: InstantiateOptions,
): AddressSpace;
export function loadSync(name: ModuleName, url?: string | URL): WebAssembly.Instance;
