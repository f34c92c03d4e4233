// layout.json: docs/layout.md describes it.
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "../error.h"
#include "command.h"

char *macro_name(const char *name) {
  size_t size = strlen(name);
  char *macro = xmalloc(size + 1);
  for (size_t i = 0; i <= size; i++) {
    unsigned char byte = (unsigned char)name[i];
    macro[i] = (char)(byte == 0 ? 0 : isalnum(byte) && byte < 0x80 ? toupper(byte) : '_');
  }
  return macro;
}

bool is_utf8(const char *text) {
  json_t *string = json_string(text);
  json_decref(string);
  return string != NULL;
}

json_t *json_text(const char *text) {
  json_t *string = json_string(text);
  if (string)
    return string;
  size_t size = strlen(text);
  char *printable = xmalloc(size + 1);
  string = json_string(ws_printable((struct ws_slice){(const uint8_t *)text, size}, printable, size + 1));
  free(printable);
  return string;
}

char *json_string_text(const char *text) {
  json_t *string = json_text(text);
  char *quoted = json_dumps(string, JSON_ENCODE_ANY);
  json_decref(string);
  return quoted;
}

static json_t *address(uint64_t value) {
  return json_integer((json_int_t)value);
}

// The variables of other modules that it was bound to.
static json_t *bindings_json(const struct layout *layout, const struct ws_module *module) {
  json_t *json = json_array();
  struct ws_binding binding;
  for (size_t i = 0; ws_module_binding(module, i, &binding); i++)
    json_array_append_new(json, json_pack("{s:o, s:s, s:I}", "name", json_text(binding.name), "from",
                                          layout->modules[binding.from].name, "address",
                                          (json_int_t)binding.address));
  return json;
}

// What it imports, other than from the layout itself.
static json_t *imports_json(const struct layout *layout, const struct ws_module *module) {
  json_t *json = json_array();
  struct ws_import_info import;
  for (size_t i = 0; ws_module_import(module, i, &import); i++)
    json_array_append_new(json, json_pack("{s:s, s:s, s:s, s:s?}", "module", import.module, "name",
                                          import.name, "kind", ws_external_kind_name(import.kind), "from",
                                          import.from == WS_HOST ? NULL : layout->modules[import.from].name));
  return json;
}

static json_t *module_json(const struct layout *layout, const struct placed *placed) {
  const struct ws_placement *placement = &placed->placement;
  const struct ws_module_info *info = ws_module_info(placed->module);
  json_t *json = json_object();
  json_object_set_new(json, "name", json_string(placed->name));
  json_object_set_new(json, "file", json_sprintf("%s.wasm", placed->name));
  json_object_set_new(json, "offset", json_integer((json_int_t)placement->offset));
  json_object_set_new(json, "memoryBase", address(placement->base));
  json_object_set_new(json, "memorySize", address(placement->size));
  json_object_set_new(json, "stackLow", info->has_stack ? address(placement->stack_low) : json_null());
  json_object_set_new(json, "stackPointer",
                      info->has_stack ? address(placement->stack_pointer) : json_null());
  json_object_set_new(json, "dataBase", address(placement->data_base));
  json_object_set_new(json, "dataEnd", address(placement->data_end));
  json_object_set_new(json, "heapBase", address(placement->heap_base));
  json_object_set_new(json, "tableBase", address(placement->table_base));
  json_object_set_new(json, "tableSize", address(info->table_size));
  json_object_set_new(json, "tlsOffset",
                      layout->plan.thread_count && info->tls_size ? address(placement->tls_offset)
                                                                  : json_null());
  json_object_set_new(json, "memoryImport",
                      json_pack("{s:s, s:s}", "module", info->memory_module, "name", info->memory_name));
  json_object_set_new(json, "importsTable", json_boolean(info->imports_table));
  json_object_set_new(json, "imports", imports_json(layout, placed->module));
  json_object_set_new(json, "bindings", bindings_json(layout, placed->module));
  return json;
}

void print_json(FILE *to, const struct layout *layout) {
  const struct ws_plan *plan = &layout->plan;
  json_t *json = json_object(), *modules = json_array();
  json_object_set_new(json, "version", json_integer(1));
  json_object_set_new(json, "name", json_string(layout->name));
  json_object_set_new(json, "pageSize", json_integer(WS_PAGE_SIZE));
  json_object_set_new(json, "pages", address(plan->pages));
  json_object_set_new(json, "maximumPages", plan->has_maximum ? address(plan->maximum_pages) : json_null());
  json_object_set_new(json, "shared", json_boolean(plan->shared));
  json_object_set_new(json, "memory64", json_boolean(plan->memory64));
  json_object_set_new(json, "heapBase", address(plan->heap_base));
  json_object_set_new(json, "heapEnd", address(plan->heap_end));
  json_object_set_new(json, "stackLow", plan->shared_stack ? address(plan->stack_low) : json_null());
  json_object_set_new(json, "stackPointer", plan->shared_stack ? address(plan->stack_pointer) : json_null());
  json_object_set_new(json, "tableSize", plan->shared_table ? address(plan->table_size) : json_null());
  bool threads = plan->thread_count > 0;
  json_object_set_new(json, "threadCount", address(plan->thread_count));
  json_object_set_new(json, "threadBase", threads ? address(plan->thread_base) : json_null());
  json_object_set_new(json, "threadSize", threads ? address(plan->thread_size) : json_null());
  json_object_set_new(json, "threadStackSize", threads ? address(plan->thread_stack_size) : json_null());
  json_t *order = json_array();
  for (size_t i = 0; i < layout->count; i++)
    json_array_append_new(order, json_string(layout->modules[layout->order[i]].name));
  json_object_set_new(json, "instantiationOrder", order);
  for (size_t i = 0; i < layout->count; i++)
    json_array_append_new(modules, module_json(layout, &layout->modules[i]));
  json_object_set_new(json, "modules", modules);
  json_dumpf(json, to, JSON_INDENT(2));
  putc('\n', to);
  json_decref(json);
}
