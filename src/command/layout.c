// What a layout says, and layout.json: docs/layout.md describes both.
#include <ctype.h>
#include <stddef.h>
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

bool is_plain(const char *text) {
  for (; *text; text++)
    if (*text < ' ' || *text > '~' || *text == '"' || *text == '\\')
      return false;
  return true;
}

json_t *json_text(const char *text) {
  json_t *string = is_plain(text) ? json_string_nocheck(text) : json_string(text);
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

void print_tree(FILE *to, const json_t *json) {
  char *text = json_dumps(json, JSON_INDENT(2)); // json_dumpf() calls fwrite() for each word and space
  fputs(text, to);
  putc('\n', to);
  free(text);
}

// ---------------------------------------------------------------------------------------------- its numbers

#define PLAN(field) offsetof(struct ws_plan, field)
#define OF(field) offsetof(struct module_numbers, field)

const struct field plan_fields[] = {
    {"pages", "PAGES", COUNT, PLAN(pages), ALWAYS, .comment = "Pages that the memory must have at the start"},
    {"maximumPages", "MAXIMUM_PAGES", COUNT, PLAN(maximum_pages), PLAN(has_maximum), .undefined = true,
     .comment = "The most pages that the memory may grow to, if there is a limit"},
    {"shared", "SHARED", BOOLEAN, PLAN(shared), ALWAYS,
     .comment = "Whether the memory is shared between threads"},
    {"memory64", "MEMORY64", BOOLEAN, PLAN(memory64), ALWAYS,
     .comment = "Whether addresses are 64 bits wide"},
    {"linked", "LINKED", BOOLEAN, PLAN(one_program), ALWAYS,
     .comment = "Whether the modules are one program, of --link: they are for use together, all of them"},
    {"heapBase", "HEAP_BASE", ADDRESS, PLAN(heap_base), ALWAYS, .comment = "First byte after every module"},
    {"heapEnd", "HEAP_END", ADDRESS, PLAN(heap_end), ALWAYS, .comment = "End of the memory at the start"},
    {"stackLow", "STACK_LOW", ADDRESS, PLAN(stack_low), PLAN(shared_stack),
     .comment = "Lowest byte of the stack that all modules share", .nullable = "null if each has its own",
     .heading = "The stack and the function table that all modules share, if they do"},
    {"stackPointer", "STACK_POINTER", ADDRESS, PLAN(stack_pointer), PLAN(shared_stack),
     .comment = "Initial stack pointer of that stack", .nullable = "null if each has its own"},
    {"tableSize", "TABLE_SIZE", COUNT, PLAN(table_size), PLAN(shared_table),
     .comment = "Elements that the function table of all modules must have",
     .nullable = "null if each has its own"},
    {"threadCount", "THREAD_COUNT", NUMBER, PLAN(thread_count), ALWAYS,
     .comment = "Threads, beside the first, that have an area: a stack, then thread-local variables",
     .heading = "Areas of threads, beside the first: a stack, then thread-local variables"},
    {"threadBase", "THREAD_BASE", ADDRESS, PLAN(thread_base), ALWAYS, .of_threads = true,
     .comment = "Start of the first thread's area", .nullable = "null without threads"},
    {"threadSize", "THREAD_SIZE", ADDRESS, PLAN(thread_size), ALWAYS, .of_threads = true,
     .comment = "Size of an area: the next thread's follows it", .nullable = "null without threads"},
    {"threadStackSize", "THREAD_STACK_SIZE", ADDRESS, PLAN(thread_stack_size), ALWAYS, .of_threads = true,
     .comment = "Size of a thread's stack, which is first in its area", .nullable = "null without threads"},
    {.name = NULL},
};

const struct field module_fields[] = {
    {"offset", "OFFSET", DISTANCE, OF(at.offset), ALWAYS,
     .comment = "Added to the addresses of its static data"},
    {"memoryBase", "MEMORY_BASE", ADDRESS, OF(at.base), ALWAYS,
     .comment = "First byte of the module's range"},
    {"memorySize", "MEMORY_SIZE", ADDRESS, OF(at.size), ALWAYS,
     .comment = "Size of the range in bytes: stack and static data"},
    {"stackLow", "STACK_LOW", ADDRESS, OF(at.stack_low), OF(has_stack), .comment = "Lowest byte of the stack",
     .nullable = "null if it has none"},
    {"stackPointer", "STACK_POINTER", ADDRESS, OF(at.stack_pointer), OF(has_stack),
     .comment = "Initial stack pointer: one past the stack's highest byte",
     .nullable = "null if it has none"},
    {"dataBase", "DATA_BASE", ADDRESS, OF(at.data_base), ALWAYS, .comment = "First byte of static data"},
    {"dataEnd", "DATA_END", ADDRESS, OF(at.data_end), ALWAYS,
     .comment = "One past the last byte of static data"},
    {"heapBase", "HEAP_BASE", ADDRESS, OF(at.heap_base), ALWAYS,
     .comment = "Start of its own range of the heap, which may be empty: what it was told is __heap_base"},
    {"heapEnd", "HEAP_END", ADDRESS, OF(at.heap_end), ALWAYS,
     .comment = "End of that range: what it was told is __heap_end"},
    {"tableBase", "TABLE_BASE", COUNT, OF(at.table_base), ALWAYS,
     .comment = "Index of its first function in its function table"},
    {"tableSize", "TABLE_SIZE", COUNT, OF(at.table_size), ALWAYS,
     .comment = "How many functions it puts there"},
    {"tlsOffset", "TLS_OFFSET", ADDRESS, OF(at.tls_offset), OF(has_tls),
     .comment = "Where in a thread's area its thread-local variables are",
     .nullable = "null without --threads, or if it has none"},
    {.name = NULL},
};

struct module_numbers module_numbers(const struct layout *layout, const struct placed *placed) {
  const struct ws_module_info *info = ws_module_info(placed->module);
  return (struct module_numbers){.at = placed->placement,
                                 .has_stack = info->has_stack,
                                 .has_tls = layout->plan.thread_count && info->tls_size};
}

bool field_is_given(const struct field *field, const void *record) {
  if (field->of_threads)
    return ((const struct ws_plan *)record)->thread_count > 0;
  return field->given == ALWAYS || *(const bool *)((const char *)record + field->given);
}

uint64_t field_value(const struct field *field, const void *record) {
  const void *at = (const char *)record + field->place;
  return field->kind == BOOLEAN ? *(const bool *)at : *(const uint64_t *)at;
}

static bool read_field(const struct field *field, const json_t *value, void *record) {
  void *at = (char *)record + field->place;
  if (!field_is_given(field, record))
    return json_is_null(value);
  if (field->kind == BOOLEAN) {
    *(bool *)at = json_is_true(value);
    return json_is_boolean(value);
  }
  *(uint64_t *)at = (uint64_t)json_integer_value(value);
  return json_is_integer(value) && (field->kind == DISTANCE || json_integer_value(value) >= 0);
}

bool read_fields(const struct field *fields, const json_t *json, void *record) {
  for (const struct field *field = fields; field->name; field++)
    if (field->given != ALWAYS)
      *(bool *)((char *)record + field->given) |= json_is_integer(json_object_get(json, field->name));
  for (const struct field *field = fields; field->name; field++)
    if (!read_field(field, json_object_get(json, field->name), record))
      return false;
  return true;
}

static void set_fields(json_t *json, const struct field *fields, const void *record) {
  for (const struct field *field = fields; field->name; field++)
    json_object_set_new(json, field->name,
                        !field_is_given(field, record) ? json_null()
                        : field->kind == BOOLEAN ? json_boolean(field_value(field, record))
                                                 : json_integer((json_int_t)field_value(field, record)));
}

// --------------------------------------------------------------------------------- its modules, and the file

const char *constructors_of(const struct ws_link *link, size_t module) {
  static const char *const names[] = {"_initialize", "__wasm_call_ctors"};
  for (size_t i = 0; i < sizeof names / sizeof *names; i++)
    if (ws_link_exports(link, module, WS_FUNCTION, names[i]))
      return names[i];
  return NULL;
}

bool is_deferred(const struct layout *layout, size_t importer, size_t from) {
  for (size_t i = 0; from != WS_HOST && i < layout->count; i++)
    if (layout->order[i] == from || layout->order[i] == importer)
      return layout->order[i] == importer && from != importer;
  return false;
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
    json_array_append_new(json, json_pack("{s:s, s:s, s:s, s:s?, s:b}", "module", import.module, "name",
                                          import.name, "kind", ws_external_kind_name(import.kind), "from",
                                          import.from == WS_HOST ? NULL : layout->modules[import.from].name,
                                          "deferred", is_deferred(layout, module, import.from)));
  return json;
}

static json_t *module_json(const struct layout *layout, const struct placed *placed) {
  const struct ws_module_info *info = ws_module_info(placed->module);
  const struct module_numbers numbers = module_numbers(layout, placed);
  size_t index = (size_t)(placed - layout->modules);
  const char *constructors = constructors_of(layout->link, index);
  json_t *json = json_object();
  json_object_set_new(json, "name", json_string(placed->name));
  json_object_set_new(json, "file", json_sprintf("%s.wasm", placed->name));
  set_fields(json, module_fields, &numbers);
  json_object_set_new(json, "heap", json_string(ws_heap_class_name(ws_link_heap(layout->link, index))));
  json_object_set_new(json, "memoryImport",
                      json_pack("{s:s, s:s}", "module", info->memory_module, "name", info->memory_name));
  json_object_set_new(json, "importsTable", json_boolean(ws_link_imports_table(layout->link, index)));
  json_object_set_new(json, "constructors", constructors ? json_string(constructors) : json_null());
  json_object_set_new(json, "imports", imports_json(layout, index));
  json_object_set_new(json, "bindings", bindings_json(layout, index));
  return json;
}

// The names that a module and the one file export for the same thing.
static json_t *exports_json(const struct ws_single_info *info, size_t module) {
  json_t *exports = json_array();
  for (size_t i = 0; i < info->export_count; i++)
    if (info->exports[i].module == module)
      json_array_append_new(exports, json_text(info->exports[i].name));
  return exports;
}

// The one file: what its host gives it.
static json_t *single_json(const struct single *single) {
  const struct ws_single_info *info = single->info;
  json_t *imports = json_array();
  for (size_t i = 0; i < info->import_count; i++)
    json_array_append_new(imports, json_pack("{s:o, s:o, s:s}", "module", json_text(info->imports[i].module),
                                             "name", json_text(info->imports[i].name), "kind",
                                             ws_external_kind_name(info->imports[i].kind)));
  return json_pack("{s:s, s:o, s:s?, s:o}", "file", single->file, "memoryImport",
                   info->memory_name
                       ? json_pack("{s:s, s:s}", "module", info->memory_module, "name", info->memory_name)
                       : json_null(),
                   "constructors", info->constructors, "imports", imports);
}

// With --link: what was made one, and what was kept apart.
static void set_program(json_t *json, const struct layout *layout) {
  json_t *merged = json_array(), *apart = json_array();
  struct ws_merged one;
  struct ws_kept kept;
  for (size_t i = 0; ws_link_merged(layout->link, i, &one); i++) { // there are many
    json_t *thing = json_object();
    json_object_set_new_nocheck(thing, "name", json_text(one.name));
    json_object_set_new_nocheck(
        thing, "kind", json_text(one.kind == WS_MEMORY ? "variable" : ws_external_kind_name(one.kind)));
    json_object_set_new_nocheck(thing, "module", json_text(layout->modules[one.module].name));
    json_array_append_new(merged, thing);
  }
  for (size_t i = 0; ws_link_kept(layout->link, i, &kept); i++)
    json_array_append_new(apart, json_pack("{s:o, s:[s, s], s:s}", "name", json_text(kept.name), "modules",
                                           layout->modules[kept.module].name,
                                           layout->modules[kept.other].name, "reason", kept.reason));
  json_object_set_new(json, "merged", merged);
  json_object_set_new(json, "apart", apart);
}

static json_t *order_json(const struct layout *layout) {
  json_t *order = json_array();
  for (size_t i = 0; i < layout->count; i++)
    json_array_append_new(order, json_string(layout->modules[layout->order[i]].name));
  return order;
}

void print_json(FILE *to, const struct layout *layout) {
  json_t *json = json_object(), *modules = json_array();
  json_object_set_new(json, "version", json_integer(1));
  json_object_set_new(json, "name", json_string(layout->name));
  json_object_set_new(json, "pageSize", json_integer(WS_PAGE_SIZE));
  set_fields(json, plan_fields, &layout->plan);
  if (single_of(layout))
    json_object_set_new(json, "single", single_json(single_of(layout)));
  else
    json_object_set_new(json, "instantiationOrder", order_json(layout));
  for (size_t i = 0; i < layout->count; i++)
    json_array_append_new(modules, single_of(layout)
                                       ? json_pack("{s:s, s:o}", "name", layout->modules[i].name, "exports",
                                                   exports_json(single_of(layout)->info, i))
                                       : module_json(layout, &layout->modules[i]));
  json_object_set_new(json, "modules", modules);
  set_program(json, layout);
  print_tree(to, json);
  json_decref(json);
}
