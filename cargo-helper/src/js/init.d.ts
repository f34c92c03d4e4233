/**
 * Instantiates the module, and those that it needs, on the one memory of the layout, once.
 * `module_or_path` says where its file is, if not beside this one.
 */
export default function init(
  options?: { module_or_path?: string | URL | Promise<string | URL> } | string | URL,
): Promise<WebAssembly.Exports>;
