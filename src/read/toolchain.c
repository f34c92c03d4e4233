#include "read/toolchain.h"

#include <string.h>

// tool-conventions, ProducersSection.md: whether `field` has a value whose name begins with `name`.
static bool has_producer(const struct ws_module *module, const char *field, const char *name) {
  const struct ws_section *section = ws_custom_section(module, "producers");
  if (!section)
    return false;
  struct ws_reader reader = ws_reader(section->content);
  uint32_t fields = ws_read_uleb32(&reader);
  for (uint32_t i = 0; i < fields && !reader.bad; i++) {
    bool wanted = ws_slice_is(ws_read_name(&reader), field);
    uint32_t values = ws_read_uleb32(&reader);
    for (uint32_t k = 0; k < values && !reader.bad; k++) {
      struct ws_slice value = ws_read_name(&reader);
      ws_read_name(&reader); // its version
      if (wanted && !reader.bad && ws_slice_starts(value, name))
        return true;
    }
  }
  return false;
}

// asc writes no producers section. It names what is its library's `~lib/...`, unless that was optimised away,
// and its assertions call env.abort(message, file, line, column).
static bool is_assemblyscript(const struct ws_module *module) {
  for (size_t i = 0; i < module->import_count; i++) {
    const struct ws_import *import = &module->imports[i];
    if (import->kind == WS_FUNCTION && ws_slice_is(import->module, "env") &&
        ws_slice_is(import->name, "abort") && module->types &&
        module->types[import->type].parameters.size == 4)
      return true;
  }
  for (uint32_t i = 0; i < module->function_count; i++)
    if (ws_slice_starts(module->functions[i].name, "~lib/"))
      return true;
  for (uint32_t i = 0; i < module->global_count; i++)
    if (ws_slice_starts(module->globals[i].name, "~lib/"))
      return true;
  return false;
}

enum ws_toolchain ws_toolchain(const struct ws_module *module) {
  if (has_producer(module, "processed-by", "wasm-bindgen"))
    return WS_TOOLCHAIN_WASM_BINDGEN;
  if (ws_custom_section(module, "go:buildid") || has_producer(module, "language", "Go"))
    return WS_TOOLCHAIN_GO;
  if (has_producer(module, "processed-by", "Zig") || has_producer(module, "language", "Zig"))
    return WS_TOOLCHAIN_ZIG;
  return is_assemblyscript(module) ? WS_TOOLCHAIN_ASSEMBLYSCRIPT : WS_TOOLCHAIN_OTHER;
}

const char *ws_toolchain_advice(enum ws_toolchain toolchain) {
  switch (toolchain) {
  case WS_TOOLCHAIN_GO:
    return "it was made by Go, whose linker writes no relocations and whose runtime needs a memory of its "
           "own";
  case WS_TOOLCHAIN_ZIG:
    return "it was linked by Zig: build an object file (zig build-obj), and link that with zig wasm-ld "
           "--emit-relocs "
           "--import-memory";
  case WS_TOOLCHAIN_ASSEMBLYSCRIPT:
    return "it was made by AssemblyScript, which writes none: compile it with asc --importMemory "
           "--memoryBase N, where "
           "N is the heapBase of the other modules' layout, and instantiate it after them";
  case WS_TOOLCHAIN_WASM_BINDGEN:
    return "wasm-bindgen has been run on it: place the module that cargo built, and then run wasm-bindgen on "
           "the "
           "placed one";
  case WS_TOOLCHAIN_OTHER:
    break;
  }
  return NULL;
}

bool ws_is_wasm_bindgen_import(struct ws_slice module) {
  return ws_slice_starts(module, "__wbindgen_");
}

bool ws_is_for_wasm_bindgen(const struct ws_module *module) {
  if (ws_custom_section(module, "__wasm_bindgen_unstable"))
    return true;
  for (size_t i = 0; i < module->import_count; i++)
    if (ws_is_wasm_bindgen_import(module->imports[i].module))
      return true;
  return false;
}

void ws_refuse_unlinked(struct ws_module *module, const char *section, const char *why,
                        const char *otherwise) {
  if (!module->info.exact) // the first reason stays
    return;
  const char *advice = ws_toolchain_advice(ws_toolchain(module));
  if (advice)
    ws_module_refuse(module, section, WS_NO_RELOCATIONS, "has no linking section, and so no relocations: %s",
                     advice);
  else
    ws_module_refuse(
        module, section, WS_NO_RELOCATIONS,
        "has no linking section, %s: link with -Wl,--emit-relocs (rustc: -Clink-arg=--emit-relocs)%s", why,
        otherwise);
}
