#include "read/globals.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "read/toolchain.h"

enum { STACK_ALIGNMENT = 16 };

static void set(struct ws_global *global, bool moves, enum ws_base base) {
  global->explained = true;
  global->moves = moves;
  global->base = (uint8_t)base;
  global->target = WS_NO_SYMBOL;
}

// Linking with relocations tells what every global is.
static enum ws_refusal unknown_pointer(const struct ws_module *module) {
  return module->has_linking ? WS_UNKNOWN_POINTER : WS_NO_RELOCATIONS;
}

// What the linker itself names: its variables, and GOT entries.
static void explain_by_name(struct ws_module *module, struct ws_global *global) {
  struct ws_slice symbol;
  if (ws_slice_is(global->name, "__tls_base")) {
    // Shared memory has a block for each thread, and __wasm_init_memory assigns the first.
    set(global, !global->mutable && global->init.value != 0, WS_BASE_MEMORY);
  } else if (ws_slice_starts(global->name, "GOT.func.internal.")) {
    set(global, global->init.value != 0, WS_BASE_TABLE);
  } else if (ws_got_data_symbol(global->name, &symbol)) {
    const struct ws_linker_symbol *known = ws_linker_symbol(symbol);
    module->info.uses_heap_base |= known && known->base == WS_BASE_HEAP_BASE;
    module->info.uses_heap_end |= known && known->base == WS_BASE_HEAP_END;
    if (known && !known->moves)
      set(global, false, known->base);
    else if (known || global->init.value != 0)
      set(global, !(global->mutable && module->memory.shared), known ? known->base : WS_BASE_MEMORY);
    else
      set(global, false, WS_BASE_MEMORY); // an undefined weak symbol: null
  } else {
    const struct ws_linker_symbol *known = ws_linker_symbol(global->name);
    if (ws_slice_is(global->name, "__stack_pointer") || (known && !known->moves))
      set(global, known->moves, known->base);
  }
}

bool ws_name_data(const struct ws_module *module, struct ws_map *names) {
  for (uint32_t i = 0; i < module->symbol_count; i++) {
    const struct ws_symbol *symbol = &module->symbols[i];
    if (symbol->kind == WS_SYMBOL_DATA && !(symbol->flags & (WS_SYMBOL_UNDEFINED | WS_SYMBOL_LOCAL)) &&
        !ws_map_add(names, symbol->name, i))
      return false;
  }
  return true;
}

static bool explain_by_export(struct ws_module *module, const struct ws_export *export,
                              struct ws_error *error, const struct ws_map *names) {
  struct ws_global *global = &module->globals[export->index];
  const uint32_t *index = ws_map_find(names, export->name);
  const struct ws_symbol *found = index ? &module->symbols[*index] : NULL;
  char name[128];
  // A program may define a variable under a name that is otherwise the linker's.
  const struct ws_linker_symbol *known =
      found && !ws_is_linkers_symbol(found) ? NULL : ws_linker_symbol(export->name);
  if (known) {
    set(global, known->moves, known->base);
    return true;
  }
  if (found) {
    uint64_t address;
    enum ws_base base;
    bool moves = ws_symbol_target(module, found, &address, &base);
    if (found->flags & WS_SYMBOL_TLS)
      moves = moves && global->init.value != found->offset;
    else if (global->init.value != (module->memory.is_64 ? address : (uint32_t)address))
      return ws_module_fail(
          module, error, "GLOBAL", global->init.bytes.data,
          "exported global %s does not hold the address of its symbol: the module was rewritten "
          "after it was linked, so give the linker's own output",
          ws_printable(export->name, name, sizeof name));
    set(global, moves, base);
    global->target = *index;
    return true;
  }
  if (ws_is_segment_bound(module, export->name, global->init.value))
    set(global, true, WS_BASE_MEMORY);
  else if (global->name.size) // a WebAssembly global of the program's own
    set(global, false, WS_BASE_MEMORY);
  else
    ws_module_refuse(
        module, "GLOBAL", unknown_pointer(module),
        "exports a global %s, and nothing says whether it is an address: link with -Wl,--emit-relocs",
        ws_printable(export->name, name, sizeof name));
  return true;
}

static bool explain_by_exports(struct ws_module *module, struct ws_error *error) {
  struct ws_map names = {0};
  bool ok = true;
  for (size_t i = 0; i < module->export_count && ok; i++) {
    const struct ws_export *export = &module->exports[i];
    if (export->kind != WS_GLOBAL || module->globals[export->index].explained ||
        module->globals[export->index].init.kind == WS_CONSTANT_OTHER)
      continue;
    if (!names.count && !ws_name_data(module, &names))
      ok = ws_fail_memory(error, module->file);
    ok = ok && explain_by_export(module, export, error, &names);
  }
  ws_map_free(&names);
  return ok;
}

// Without names, and in a program that does not use its stack, nothing names the stack pointer. But lld
// always makes it, and before any other global (lld/wasm/Driver.cpp, createSyntheticSymbols).
static void name_stack_pointer(struct ws_module *module) {
  static const char name[] = "__stack_pointer";
  if (!module->has_linking || module->info.imports_stack || module->imported_globals == module->global_count)
    return;
  for (uint32_t i = module->imported_globals; i < module->global_count; i++)
    if (ws_slice_is(module->globals[i].name, name))
      return;
  struct ws_global *first = &module->globals[module->imported_globals];
  enum ws_constant kind = module->memory.is_64 ? WS_CONSTANT_I64 : WS_CONSTANT_I32;
  if (first->name.size || first->explained)
    return;
  if (first->mutable && first->init.kind == kind && first->init.value % STACK_ALIGNMENT == 0)
    first->name = (struct ws_slice){(const uint8_t *)name, sizeof name - 1};
  else
    ws_module_refuse(module, "GLOBAL", WS_UNKNOWN_POINTER,
                     "has no name, and its first global is not a stack pointer, as lld's is: do not link it "
                     "with -Wl,--strip-all");
}

// A linker makes one global of that name. Which of several it would be, nothing says.
static void refuse_several(struct ws_module *module, const char *name) {
  unsigned count = 0;
  for (uint32_t i = module->imported_globals; i < module->global_count; i++)
    count += ws_slice_is(module->globals[i].name, name);
  if (count > 1)
    ws_module_refuse(module, "GLOBAL", WS_CHANGED_AFTER_LINKING,
                     "has several globals that are called %s, and linkers make one" WS_REWRITTEN, name);
}

bool ws_read_globals(struct ws_module *module, struct ws_error *error) {
  name_stack_pointer(module);
  refuse_several(module, "__stack_pointer");
  refuse_several(module, "__tls_base");
  for (uint32_t i = 0; i < module->global_count; i++) {
    struct ws_global *global = &module->globals[i];
    if (global->imported)
      global->explained = true;
    else if (!global->explained)
      explain_by_name(module, global);
  }
  if (!explain_by_exports(module, error))
    return false;
  for (uint32_t i = 0; i < module->global_count; i++) {
    struct ws_global *global = &module->globals[i];
    if (global->moves && global->init.kind == WS_CONSTANT_OTHER)
      ws_module_refuse(module, "GLOBAL", unknown_pointer(module),
                       "global %u is a pointer that is not initialised by a constant", i);
    // With relocations, a global that nothing names is used by nothing that has an address in it. Without,
    // the names are all there is.
    if (!global->explained && !module->has_linking && !global->name.size &&
        global->init.kind != WS_CONSTANT_OTHER) {
      char why[160];
      snprintf(
          why, sizeof why,
          "nor names, as when it was stripped after linking, so nothing says whether global %u is a pointer",
          i);
      ws_refuse_unlinked(
          module, "GLOBAL", why,
          ", and do not strip (Zig: build an object, and link it with zig wasm-ld)" WS_IF_PLACED);
    }
  }
  return true;
}
