// What a layout says, and layout.json: docs/layout.md describes both.
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "base/error.h"
#include "command/command.h"

bool owns_heap(const struct layout *layout, size_t module) {
  const struct ws_placement *at = &layout->modules[module].placement;
  enum ws_heap_class heap = ws_link_heap(layout->link, module);
  return heap != WS_HEAP_NONE && heap != WS_HEAP_GROWS && at->heap_base < at->heap_end;
}

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

void get_plan_fields(const struct layout *layout, struct field fields[PLAN_FIELDS + 1]) {
  const struct ws_plan *plan = &layout->plan;
  bool own_stacks = !plan->shared_stack, own_tables = !plan->shared_table, alone = plan->thread_count == 0;
  const struct field all[PLAN_FIELDS + 1] = {
      {"pages", "PAGES", COUNT, plan->pages, .comment = "Pages that the memory must have at the start"},
      {"maximumPages", "MAXIMUM_PAGES", COUNT, plan->maximum_pages, .absent = !plan->has_maximum,
       .undefined = true},
      {"shared", "SHARED", BOOLEAN, plan->shared, .comment = "Kind of the memory"},
      {"memory64", "MEMORY64", BOOLEAN, plan->memory64, .comment = NULL},
      {"heapBase", "HEAP_BASE", ADDRESS, plan->heap_base,
       .comment = "The heap: first byte after every module, and end of the memory at the start"},
      {"heapEnd", "HEAP_END", ADDRESS, plan->heap_end, .comment = NULL},
      {"stackLow", "STACK_LOW", ADDRESS, plan->stack_low, .absent = own_stacks,
       .comment = "The stack of all modules: lowest byte, and initial stack pointer",
       .heading = "The stack and the function table that all modules share, if they do"},
      {"stackPointer", "STACK_POINTER", ADDRESS, plan->stack_pointer, .absent = own_stacks},
      {"tableSize", "TABLE_SIZE", COUNT, plan->table_size, .absent = own_tables,
       .comment = "Elements that the function table of all modules must have"},
      {"threadCount", "THREAD_COUNT", NUMBER, plan->thread_count,
       .comment = "Threads, beside the first, that have an area: a stack, then thread-local variables",
       .heading = "Areas of threads, beside the first: a stack, then thread-local variables"},
      {"threadBase", "THREAD_BASE", ADDRESS, plan->thread_base, .absent = alone},
      {"threadSize", "THREAD_SIZE", ADDRESS, plan->thread_size, .absent = alone},
      {"threadStackSize", "THREAD_STACK_SIZE", ADDRESS, plan->thread_stack_size, .absent = alone},
  };
  memcpy(fields, all, sizeof all);
}

void get_module_fields(const struct layout *layout, const struct placed *placed,
                       struct field fields[MODULE_FIELDS + 1]) {
  const struct ws_placement *at = &placed->placement;
  const struct ws_module_info *info = ws_module_info(placed->module);
  bool no_stack = !info->has_stack, no_tls = !layout->plan.thread_count || !info->tls_size;
  const struct field all[MODULE_FIELDS + 1] = {
      {"memoryBase", "MEMORY_BASE", ADDRESS, at->base, .comment = "First byte of the module's range"},
      {"memorySize", "MEMORY_SIZE", ADDRESS, at->size,
       .comment = "Size of the range in bytes: stack and static data"},
      {"stackLow", "STACK_LOW", ADDRESS, at->stack_low, .absent = no_stack,
       .comment = "Lowest byte of the stack", .nullable = "null if it has none"},
      {"stackPointer", "STACK_POINTER", ADDRESS, at->stack_pointer, .absent = no_stack,
       .comment = "Initial stack pointer: one past the stack's highest byte",
       .nullable = "null if it has none"},
      {"dataBase", "DATA_BASE", ADDRESS, at->data_base, .comment = "First byte of static data"},
      {"dataEnd", "DATA_END", ADDRESS, at->data_end, .comment = "One past the last byte of static data"},
      {"heapBase", "HEAP_BASE", ADDRESS, at->heap_base, .comment = "Its own range of the heap, which may be empty: what it was told is __heap_base"},
      {"heapEnd", "HEAP_END", ADDRESS, at->heap_end, .comment = "And __heap_end"},
      {"tableBase", "TABLE_BASE", COUNT, at->table_base,
       .comment = "Index of its first function in its function table"},
      {"tableSize", "TABLE_SIZE", COUNT, info->table_size, .comment = "How many functions it puts there"},
      {"tlsOffset", "TLS_OFFSET", ADDRESS, at->tls_offset, .absent = no_tls,
       .comment = "Where in a thread's area its thread-local variables are",
       .nullable = "null without --threads, or if it has none"},
  };
  memcpy(fields, all, sizeof all);
}

static void set_fields(json_t *json, const struct field *fields) {
  for (const struct field *field = fields; field->name; field++)
    json_object_set_new(json, field->name,
                        field->absent            ? json_null()
                        : field->kind == BOOLEAN ? json_boolean(field->value)
                                                 : json_integer((json_int_t)field->value));
}

// The variables of other modules that it was bound to.
static json_t *bindings_json(const struct layout *layout, size_t module) {
  json_t *json = json_array();
  struct ws_binding binding;
  for (size_t i = 0; ws_link_binding(layout->link, module, i, &binding); i++)
    json_array_append_new(json, json_pack("{s:o, s:s, s:I}", "name", json_text(binding.name), "from",
                                          layout->modules[binding.from].name, "address",
                                          (json_int_t)binding.address));
  return json;
}

// What it imports, other than from the layout itself.
static json_t *imports_json(const struct layout *layout, size_t module) {
  json_t *json = json_array();
  struct ws_import_info import;
  for (size_t i = 0; ws_link_import(layout->link, module, i, &import); i++)
    json_array_append_new(json, json_pack("{s:s, s:s, s:s, s:s?}", "module", import.module, "name",
                                          import.name, "kind", ws_external_kind_name(import.kind), "from",
                                          import.from == WS_HOST ? NULL : layout->modules[import.from].name));
  return json;
}

static json_t *module_json(const struct layout *layout, const struct placed *placed) {
  const struct ws_module_info *info = ws_module_info(placed->module);
  struct field fields[MODULE_FIELDS + 1];
  size_t index = (size_t)(placed - layout->modules);
  json_t *json = json_object();
  json_object_set_new(json, "name", json_string(placed->name));
  json_object_set_new(json, "file", json_sprintf("%s.wasm", placed->name));
  json_object_set_new(json, "offset", json_integer((json_int_t)placed->placement.offset));
  get_module_fields(layout, placed, fields);
  set_fields(json, fields);
  json_object_set_new(json, "heap", json_string(ws_heap_class_name(ws_link_heap(layout->link, index))));
  json_object_set_new(json, "memoryImport",
                      json_pack("{s:s, s:s}", "module", info->memory_module, "name", info->memory_name));
  json_object_set_new(json, "importsTable", json_boolean(ws_link_imports_table(layout->link, index)));
  json_object_set_new(json, "imports", imports_json(layout, index));
  json_object_set_new(json, "bindings", bindings_json(layout, index));
  return json;
}

// With --link: what was made one, and what was kept apart.
static void set_program(json_t *json, const struct layout *layout) {
  json_t *merged = json_array(), *apart = json_array();
  struct ws_merged one;
  struct ws_kept kept;
  for (size_t i = 0; ws_link_merged(layout->link, i, &one); i++)
    json_array_append_new(
        merged, json_pack("{s:o, s:s, s:s}", "name", json_text(one.name), "kind",
                          one.kind == WS_MEMORY ? "variable" : ws_external_kind_name(one.kind), "module",
                          layout->modules[one.module].name));
  for (size_t i = 0; ws_link_kept(layout->link, i, &kept); i++)
    json_array_append_new(apart, json_pack("{s:o, s:[s, s], s:s}", "name", json_text(kept.name), "modules",
                                           layout->modules[kept.module].name, layout->modules[kept.other].name,
                                           "reason", kept.reason));
  json_object_set_new(json, "merged", merged);
  json_object_set_new(json, "apart", apart);
}

void print_json(FILE *to, const struct layout *layout) {
  struct field fields[PLAN_FIELDS + 1];
  json_t *json = json_object(), *modules = json_array();
  json_object_set_new(json, "version", json_integer(1));
  json_object_set_new(json, "name", json_string(layout->name));
  json_object_set_new(json, "pageSize", json_integer(WS_PAGE_SIZE));
  get_plan_fields(layout, fields);
  set_fields(json, fields);
  json_t *order = json_array();
  for (size_t i = 0; i < layout->count; i++)
    json_array_append_new(order, json_string(layout->modules[layout->order[i]].name));
  json_object_set_new(json, "instantiationOrder", order);
  for (size_t i = 0; i < layout->count; i++)
    json_array_append_new(modules, module_json(layout, &layout->modules[i]));
  json_object_set_new(json, "modules", modules);
  set_program(json, layout);
  json_dumpf(json, to, JSON_INDENT(2));
  putc('\n', to);
  json_decref(json);
}
