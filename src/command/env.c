// combine --env: a module that makes what the layout gives to all modules, and exports it under the names
// that they import from `env`. Hosts that link modules by name need nothing else.
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "command/command.h"
#include "format/wasm.h"

static struct ws_slice slice(const char *text) {
  return (struct ws_slice){(const uint8_t *)text, strlen(text)};
}

static void put_export(struct ws_buffer *built, const char *name, enum ws_external_kind kind) {
  ws_put_name(built, slice(name));
  ws_put_u8(built, (uint8_t)kind);
  ws_put_uleb(built, 0);
}

// A section of `count` entries, if there are any. Frees them.
static void put_section(struct ws_buffer *built, enum ws_section_id id, uint64_t count,
                        struct ws_buffer *entries) {
  if (count) {
    ws_put_u8(built, (uint8_t)id);
    ws_put_uleb(built, ws_uleb_size(count) + entries->size);
    ws_put_uleb(built, count);
    ws_put_bytes(built, entries->data, entries->size);
  }
  built->failed |= entries->failed;
  ws_buffer_free(entries);
}

static void put_env(struct ws_buffer *built, const struct ws_plan *plan, uint64_t table_size) {
  struct ws_buffer table = {0}, memory = {0}, global = {0}, exports = {0};
  ws_put_limits(&memory, wasm_limits_flags(plan->has_maximum, plan->shared, plan->memory64), plan->pages,
                plan->maximum_pages);
  put_export(&exports, "memory", WS_MEMORY);
  if (table_size) {
    ws_put_u8(&table, WASM_TYPE_FUNCREF);
    ws_put_limits(&table, wasm_limits_flags(false, false, plan->memory64), table_size, 0);
    put_export(&exports, "__indirect_function_table", WS_TABLE);
  }
  if (plan->shared_stack) {
    ws_put_u8(&global, plan->memory64 ? WASM_TYPE_I64 : WASM_TYPE_I32);
    ws_put_u8(&global, true); // mutable
    ws_put_const(&global, plan->memory64, plan->stack_pointer);
    ws_put_u8(&global, WASM_OPCODE_END);
    put_export(&exports, "__stack_pointer", WS_GLOBAL);
  }
  ws_put_bytes(built, "\0asm\x01\0\0\0", 8);
  put_section(built, WS_SECTION_TABLE, table_size != 0, &table);
  put_section(built, WS_SECTION_MEMORY, 1, &memory);
  put_section(built, WS_SECTION_GLOBAL, plan->shared_stack, &global);
  put_section(built, WS_SECTION_EXPORT, 1u + (table_size != 0) + plan->shared_stack, &exports);
}

// The elements of the table that modules import: of the shared one, or of that of the only module that
// imports one.
static bool find_table(const struct layout *layout, uint64_t *size) {
  const struct placed *first = NULL;
  *size = layout->plan.shared_table ? layout->plan.table_size : 0;
  for (size_t i = 0; i < layout->count && !layout->plan.shared_table; i++) {
    const struct placed *placed = &layout->modules[i];
    if (!ws_link_imports_table(layout->link, i))
      continue;
    if (first)
      return fail(
          "--env: %s and %s each import a function table of their own: share one, with --table=shared",
          first->path, placed->path);
    first = placed;
    *size = placed->placement.table_base + placed->placement.table_size;
  }
  return true;
}

// What a host that links by name alone does not find, as one module has it: that works in other hosts.
static void warn_of_import(const struct layout *layout, size_t module) {
  const struct placed *placed = &layout->modules[module];
  struct ws_import_info import;
  for (size_t i = 0; ws_link_import(layout->link, module, i, &import); i++) {
    if (import.from == WS_HOST)
      continue;
    const char *from = layout->modules[import.from].name;
    if (strcmp(import.module, from) != 0) {
      warn("--env: %s: imports %s.%s, which %s exports: a host that links by name looks for it in %s; import "
           "it from %s "
           "(import_module(\"%s\"))",
           placed->path, import.module, import.name, from, import.module, from, from);
      return;
    }
    if (is_deferred(layout, module, import.from)) {
      warn("--env: %s: imports %s.%s in a cycle: a host that links by name cannot instantiate it first",
           placed->path, import.module, import.name);
      return;
    }
  }
}

bool write_env(const struct options *options, const struct layout *layout) {
  uint64_t table_size;
  if (!find_table(layout, &table_size))
    return false;
  for (size_t i = 0; i < layout->count; i++) {
    const struct ws_module_info *info = ws_module_info(layout->modules[i].module);
    if (strcmp(info->memory_module, "env") != 0 || strcmp(info->memory_name, "memory") != 0)
      return fail("--env: %s: imports its memory as %s.%s, not as env.memory", layout->modules[i].path,
                  info->memory_module, info->memory_name);
    warn_of_import(layout, i);
  }
  struct output_file *file = open_output(xprintf("%s", options->env_file), options);
  if (!file)
    return false;
  struct ws_buffer built = {0};
  put_env(&built, &layout->plan, table_size);
  if (built.failed)
    out_of_memory();
  bool ok = write_output(file, built.data, built.size);
  ws_buffer_free(&built);
  return ok;
}
