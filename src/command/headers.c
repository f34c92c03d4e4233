// layout.h, layout.mjs and layout.d.mts: docs/layout.md describes them.
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "command/command.h"

static void put_macro(FILE *to, const char *prefix, const char *module, const char *name, uint64_t value,
                      const char *suffix) {
  fprintf(to, "#define %s%s%s_%s %" PRIu64 "%s\n", prefix, module ? "_" : "", module ? module : "", name,
          value, suffix);
}

// A name or a path inside a URL. Bundlers look for a plain string in new URL(), so it is encoded here.
static void put_url(FILE *to, const char *text) {
  for (; *text; text++) {
    unsigned char byte = (unsigned char)*text;
    bool plain = (byte >= '0' && byte <= '9') || (byte >= 'A' && byte <= 'Z') ||
                 (byte >= 'a' && byte <= 'z') || byte == '-' || byte == '_' || byte == '.' || byte == '~' ||
                 byte == '/';
    fprintf(to, plain ? "%c" : "%%%02X", byte);
  }
}

static void put_plan_macros(FILE *to, const struct layout *layout, const char *prefix, const char *suffix) {
  put_macro(to, prefix, NULL, "PAGE_SIZE", WS_PAGE_SIZE, suffix);
  fputs("\n", to);
  for (const struct field *field = plan_fields; field->name; field++) {
    if (!field_is_given(field, &layout->plan))
      continue;
    fprintf(to, "/* %s */\n", field->comment);
    bool plain = field->kind == NUMBER || field->kind == BOOLEAN;
    put_macro(to, prefix, NULL, field->macro, field_value(field, &layout->plan), plain ? "" : suffix);
  }
}

// Text as a C string: not every byte can be in one, and "??=" is something else there.
static void put_c_string(FILE *to, const char *text) {
  putc('"', to);
  for (; *text; text++) {
    unsigned char byte = (unsigned char)*text;
    bool plain = byte >= 0x20 && byte < 0x7f && !strchr("\"\\?", byte);
    fprintf(to, plain ? "%c" : "\\%03o", byte);
  }
  putc('"', to);
}

static void put_text_macro(FILE *to, const char *prefix, const char *module, const char *name,
                           const char *text) {
  fprintf(to, "#define %s_%s_%s ", prefix, module, name);
  if (text)
    put_c_string(to, text);
  else
    putc('0', to);
  putc('\n', to);
}

static const char *const import_kinds[] = {"FUNCTION", "TABLE", "MEMORY", "GLOBAL", "TAG"};

// X(MODULE, NAME, KIND, FROM, DEFERRED) for each import: FROM is the index of a module, or -1.
static void put_import_macros(FILE *to, const struct layout *layout, const struct placed *placed,
                              const char *prefix, const char *module) {
  struct ws_import_info import;
  size_t importer = (size_t)(placed - layout->modules);
  fprintf(to, "#define %s_%s_IMPORTS(X)", prefix, module);
  for (size_t i = 0; ws_link_import(layout->link, importer, i, &import); i++) {
    fputs(" \\\n  X(", to);
    put_c_string(to, import.module);
    fputs(", ", to);
    put_c_string(to, import.name);
    fprintf(to, ", %s, %ld, %d)", import_kinds[import.kind], import.from == WS_HOST ? -1L : (long)import.from,
            is_deferred(layout, importer, import.from));
  }
  putc('\n', to);
}

static void put_module_macros(FILE *to, const struct layout *layout, const struct placed *placed,
                              const char *prefix, const char *suffix) {
  const struct ws_module_info *info = ws_module_info(placed->module);
  const struct module_numbers numbers = module_numbers(layout, placed);
  size_t index = (size_t)(placed - layout->modules);
  const char *constructors = constructors_of(layout->link, index);
  char *module = macro_name(placed->name), *file = xprintf("%s.wasm", placed->name);
  fprintf(to, "\n/* %s */\n", file);
  put_macro(to, prefix, module, "INDEX", index, "");
  put_text_macro(to, prefix, module, "NAME", placed->name);
  put_text_macro(to, prefix, module, "FILE", file);
  for (const struct field *field = module_fields; field->name; field++) {
    uint64_t value = field_is_given(field, &numbers) ? field_value(field, &numbers) : 0;
    fprintf(to, "/* %s */\n", field->comment);
    if (field->kind == DISTANCE)
      fprintf(to, "#define %s_%s_%s %" PRId64 "%s\n", prefix, module, field->macro, (int64_t)value,
              suffix + 1);
    else
      put_macro(to, prefix, module, field->macro, value, suffix);
  }
  fputs("/* Where the memory goes in its imports, and whether it imports its function table */\n", to);
  put_text_macro(to, prefix, module, "MEMORY_IMPORT_MODULE", info->memory_module);
  put_text_macro(to, prefix, module, "MEMORY_IMPORT_FIELD", info->memory_name);
  put_macro(to, prefix, module, "IMPORTS_TABLE", ws_link_imports_table(layout->link, index), "");
  fputs("/* The export that runs its constructors, or 0 */\n", to);
  put_text_macro(to, prefix, module, "CONSTRUCTORS", constructors);
  fputs("/* X(module, name, kind, index of the module that exports it or -1, whether that comes later) */\n",
        to);
  put_import_macros(to, layout, placed, prefix, module);
  free(module);
  free(file);
}

// X(MODULE) for every module, in the order of `order`, or in their own.
static void put_module_list(FILE *to, const struct layout *layout, const char *prefix, const char *name,
                            const size_t *order) {
  fprintf(to, "#define %s_%s(X)", prefix, name);
  for (size_t i = 0; i < layout->count; i++) {
    char *module = macro_name(layout->modules[order ? order[i] : i].name);
    fprintf(to, " X(%s)", module);
    free(module);
  }
  putc('\n', to);
}

// Whether a module needs another that comes later.
static bool has_cycle(const struct layout *layout) {
  struct ws_import_info import;
  for (size_t i = 0; i < layout->count; i++)
    for (size_t k = 0; ws_link_import(layout->link, i, k, &import); k++)
      if (is_deferred(layout, i, import.from))
        return true;
  return false;
}

static const char *order_comment(const struct layout *layout) {
  return has_cycle(layout)
             ? "Each module comes after those that it imports from, but for its deferred imports: those "
               "are in a cycle."
             : "Each module comes after those that it imports from.";
}

static void put_modules_macros(FILE *to, const struct layout *layout, const char *prefix,
                               const char *suffix) {
  fprintf(to, "/* X(MODULE) for each: %s_##MODULE##_FILE and so on are below */\n", prefix);
  put_module_list(to, layout, prefix, "MODULES", NULL);
  fprintf(to, "/* %s */\n", order_comment(layout));
  put_module_list(to, layout, prefix, "INSTANTIATION_ORDER", layout->order);
  for (size_t i = 0; i < layout->count; i++)
    put_module_macros(to, layout, &layout->modules[i], prefix, suffix);
}

// Of one file.
static void put_single_macros(FILE *to, const struct layout *layout, const char *prefix) {
  const struct single *single = single_of(layout);
  const struct ws_single_info *info = single->info;
  fprintf(to, "/* X(MODULE) for each: %s_##MODULE##_NAME is below */\n", prefix);
  put_module_list(to, layout, prefix, "MODULES", NULL);
  fputs("\n/* The one file that all modules are in */\n", to);
  put_text_macro(to, prefix, "SINGLE", "FILE", single->file);
  fputs("/* Where the memory goes in its imports; 0 if it has its own, which it exports as memory */\n", to);
  put_text_macro(to, prefix, "SINGLE", "MEMORY_IMPORT_MODULE", info->memory_module);
  put_text_macro(to, prefix, "SINGLE", "MEMORY_IMPORT_FIELD", info->memory_name);
  fputs("/* The export that runs all constructors, or 0 */\n", to);
  put_text_macro(to, prefix, "SINGLE", "CONSTRUCTORS", info->constructors);
  fputs("/* X(module, name, kind) for each import */\n", to);
  fprintf(to, "#define %s_SINGLE_IMPORTS(X)", prefix);
  for (size_t i = 0; i < info->import_count; i++) {
    fputs(" \\\n  X(", to);
    put_c_string(to, info->imports[i].module);
    fputs(", ", to);
    put_c_string(to, info->imports[i].name);
    fprintf(to, ", %s)", import_kinds[info->imports[i].kind]);
  }
  fputs("\n\n", to);
  for (size_t i = 0; i < layout->count; i++) {
    char *module = macro_name(layout->modules[i].name);
    put_text_macro(to, prefix, module, "NAME", layout->modules[i].name);
    free(module);
  }
}

void print_header(FILE *to, const struct layout *layout) {
  const char *suffix = layout->plan.memory64 ? "ULL" : "UL";
  char *prefix = macro_name(layout->name);
  // An identifier cannot start with a digit.
  if (prefix[0] >= '0' && prefix[0] <= '9')
    prefix[0] = '_';
  fprintf(
      to,
      "/* Where everything went. Written by wasmshare %s; do not edit. Addresses and sizes are in bytes. */\n"
      "#ifndef %s_LAYOUT_H\n#define %s_LAYOUT_H\n\n",
      WS_VERSION, prefix, prefix);
  put_plan_macros(to, layout, prefix, suffix);
  put_macro(to, prefix, NULL, "MODULE_COUNT", layout->count, "");
  if (single_of(layout))
    put_single_macros(to, layout, prefix);
  else
    put_modules_macros(to, layout, prefix, suffix);
  fputs("\n#endif\n", to);
  free(prefix);
}

// Text as a string, with its quotes.
static void put_string(FILE *to, const char *text) {
  if (is_plain(text)) {
    putc('"', to);
    fputs(text, to);
    putc('"', to);
    return;
  }
  char *quoted = json_string_text(text);
  fputs(quoted, to);
  free(quoted);
}

// A field's value; `n` is what an address ends with.
static void put_value(FILE *to, const struct field *field, const void *record, const char *n) {
  uint64_t value = field_value(field, record);
  if (!field_is_given(field, record))
    fputs(field->undefined ? "undefined" : "null", to);
  else if (field->kind == BOOLEAN)
    fputs(value ? "true" : "false", to);
  else if (field->kind == DISTANCE)
    fprintf(to, "%" PRId64 "%s", (int64_t)value, n);
  else
    fprintf(to, "%" PRIu64 "%s", value, field->kind == ADDRESS ? n : "");
}

static void put_imports(FILE *to, const struct layout *layout, size_t module) {
  struct ws_import_info import;
  struct ws_binding binding;
  size_t i;
  fputs("    imports: [", to);
  for (i = 0; ws_link_import(layout->link, module, i, &import); i++) {
    fputs("\n      { module: ", to);
    put_string(to, import.module);
    fputs(", name: ", to);
    put_string(to, import.name);
    fprintf(to, ", kind: \"%s\", from: ", ws_external_kind_name(import.kind));
    if (import.from == WS_HOST)
      fputs("null", to);
    else
      put_string(to, layout->modules[import.from].name);
    fprintf(to, ", deferred: %s },", is_deferred(layout, module, import.from) ? "true" : "false");
  }
  fputs(i ? "\n    ],\n    bindings: [" : "],\n    bindings: [", to);
  for (i = 0; ws_link_binding(layout->link, module, i, &binding); i++) {
    fputs("\n      { name: ", to);
    put_string(to, binding.name);
    fputs(", from: ", to);
    put_string(to, layout->modules[binding.from].name);
    fprintf(to, ", address: %" PRIu64 "%s },", binding.address, layout->plan.memory64 ? "n" : "");
  }
  fputs(i ? "\n    ],\n" : "],\n", to);
}

static void put_plan(FILE *to, const struct layout *layout, const char *n) {
  fprintf(to, "export const pageSize = %u;\n", WS_PAGE_SIZE);
  for (const struct field *field = plan_fields; field->name; field++) {
    if (field->heading)
      fprintf(to, "\n// %s\n", field->heading);
    fprintf(to, "export const %s = ", field->name);
    put_value(to, field, &layout->plan, n);
    fputs(";\n", to);
  }
}

static void put_module(FILE *to, const struct layout *layout, const struct placed *placed, const char *n) {
  const struct ws_module_info *info = ws_module_info(placed->module);
  const struct module_numbers numbers = module_numbers(layout, placed);
  size_t index = (size_t)(placed - layout->modules);
  const char *constructors = constructors_of(layout->link, index);
  fputs("  {\n    name: ", to);
  put_string(to, placed->name);
  fputs(",\n    get url() { return new URL('./", to);
  put_url(to, placed->name);
  fputs(".wasm', import.meta.url); },\n", to);
  for (const struct field *field = module_fields; field->name; field++) {
    fprintf(to, "    %s: ", field->name);
    put_value(to, field, &numbers, n);
    fputs(",\n", to);
  }
  fprintf(to, "    heap: \"%s\",\n", ws_heap_class_name(ws_link_heap(layout->link, index)));
  fputs("    memoryImport: { module: ", to);
  put_string(to, info->memory_module);
  fputs(", name: ", to);
  put_string(to, info->memory_name);
  fprintf(to, " },\n    importsTable: %s,\n    constructors: ",
          ws_link_imports_table(layout->link, index) ? "true" : "false");
  if (constructors)
    put_string(to, constructors);
  else
    fputs("null", to);
  fputs(",\n", to);
  put_imports(to, layout, index);
  fputs("  },\n", to);
}

static void put_modules(FILE *to, const struct layout *layout, const char *n) {
  fputs("\n// In layout order\nexport const modules = [\n", to);
  for (size_t i = 0; i < layout->count; i++)
    put_module(to, layout, &layout->modules[i], n);
  fprintf(to, "];\n\n// %s\nexport const instantiationOrder = [", order_comment(layout));
  for (size_t i = 0; i < layout->count; i++) {
    fputs(i ? ", " : "", to);
    put_string(to, layout->modules[layout->order[i]].name);
  }
  fputs("];\n", to);
}

// The names that a module and the one file export for the same thing.
static void put_export_names(FILE *to, const struct ws_single_info *info, size_t module) {
  const char *separator = "";
  for (size_t i = 0; i < info->export_count; i++) {
    if (info->exports[i].module != module)
      continue;
    fputs(separator, to);
    put_string(to, info->exports[i].name);
    separator = ", ";
  }
}

static void put_single(FILE *to, const struct layout *layout) {
  const struct single *single = single_of(layout);
  const struct ws_single_info *info = single->info;
  fputs("\n// The one file that all modules are in\nexport const single = {\n  name: ", to);
  put_string(to, single->file);
  fputs(",\n  get url() { return new URL('./", to);
  put_url(to, single->file);
  fputs("', import.meta.url); },\n  memoryImport: ", to);
  if (info->memory_name) {
    fputs("{ module: ", to);
    put_string(to, info->memory_module);
    fputs(", name: ", to);
    put_string(to, info->memory_name);
    fputs(" }", to);
  } else {
    fputs("null", to);
  }
  fputs(",\n  constructors: ", to);
  if (info->constructors)
    put_string(to, info->constructors);
  else
    fputs("null", to);
  fputs(",\n  imports: [", to);
  for (size_t i = 0; i < info->import_count; i++) {
    fputs("\n    { module: ", to);
    put_string(to, info->imports[i].module);
    fputs(", name: ", to);
    put_string(to, info->imports[i].name);
    fprintf(to, ", kind: \"%s\", from: null },", ws_external_kind_name(info->imports[i].kind));
  }
  fputs("],\n};\n\nexport const modules = [", to);
  for (size_t i = 0; i < layout->count; i++) {
    fputs("\n  { name: ", to);
    put_string(to, layout->modules[i].name);
    fputs(", exports: [", to);
    put_export_names(to, info, i);
    fputs("] },", to);
  }
  fputs("\n];\n", to);
}

void print_script(FILE *to, const struct layout *layout) {
  const char *n = layout->plan.memory64 ? "n" : "";
  fprintf(to,
          "// Where everything went. Written by wasmshare %s; do not edit. Addresses and sizes are in "
          "bytes.\n\n",
          WS_VERSION);
  put_plan(to, layout, n);
  if (single_of(layout))
    put_single(to, layout);
  else
    put_modules(to, layout, n);
  fputs(loader_mjs, to);
  fputs(layout->script, to);
}

// A field's comment and what it is, after `prefix` and its name.
static void put_type(FILE *to, const struct field *field, const char *indent, const char *prefix) {
  const char *type = field->kind == BOOLEAN                              ? "boolean"
                     : field->kind == ADDRESS || field->kind == DISTANCE ? "Address"
                                                                         : "number";
  fprintf(to, "%s/** %s%s%s. */\n%s%s %s: %s%s;\n", indent, field->comment, field->nullable ? "; " : "",
          field->nullable ? field->nullable : "", indent, prefix, field->name, type,
          field->nullable    ? " | null"
          : field->undefined ? " | undefined"
                             : "");
}

void print_types(FILE *to, const struct layout *layout) {
  fprintf(to,
          "// Types of the layout. Written by wasmshare %s; do not edit.\n\n"
          "/** An address or a size in the memory, in bytes. */\n"
          "export type Address = %s;\n\n"
          "export type ModuleName =",
          WS_VERSION, layout->plan.memory64 ? "bigint" : "number");
  for (size_t i = 0; i < layout->count; i++) {
    fputs(i ? " | " : " ", to);
    put_string(to, layout->modules[i].name);
  }
  fputs(";\n\n/** Bytes in a page. */\nexport const pageSize: number;\n", to);
  for (const struct field *field = plan_fields; field->name; field++)
    put_type(to, field, "", "export const");
  if (!single_of(layout)) {
    fputs("\n/** Where a module is. */\nexport interface Placement {\n", to);
    for (const struct field *field = module_fields; field->name; field++)
      put_type(to, field, "  ", "readonly");
    fputs("}\n", to);
  }
  fputs("\n", to);
  fputs(layout->types, to);
}
