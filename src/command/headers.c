// layout.h, layout.mjs and layout.d.mts: docs/layout.md describes them.
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "command/command.h"

// templates/layout.mjs and layout.d.mts, which end the files: see cmake/Embed.cmake.
extern const char layout_mjs[], layout_d_mts[];

static void put_macro(FILE *to, const char *prefix, const char *module, const char *name, uint64_t value,
                      const char *suffix) {
  fprintf(to, "#define %s%s%s_%s %" PRIu64 "%s\n", prefix, module ? "_" : "", module ? module : "", name,
          value, suffix);
}

// A name inside a URL. Bundlers look for a plain string in new URL(), so it is encoded here.
static void put_url(FILE *to, const char *text) {
  for (; *text; text++) {
    unsigned char byte = (unsigned char)*text;
    bool plain = (byte >= '0' && byte <= '9') || (byte >= 'A' && byte <= 'Z') ||
                 (byte >= 'a' && byte <= 'z') || byte == '-' || byte == '_' || byte == '.' || byte == '~';
    fprintf(to, plain ? "%c" : "%%%02X", byte);
  }
}

static void put_plan_macros(FILE *to, const struct layout *layout, const char *prefix, const char *suffix) {
  struct field fields[PLAN_FIELDS + 1];
  get_plan_fields(layout, fields);
  put_macro(to, prefix, NULL, "PAGE_SIZE", WS_PAGE_SIZE, suffix);
  fputs("\n", to);
  for (const struct field *field = fields; field->name; field++) {
    if (field->absent)
      continue;
    if (field->comment)
      fprintf(to, "/* %s */\n", field->comment);
    bool plain = field->kind == NUMBER || field->kind == BOOLEAN;
    put_macro(to, prefix, NULL, field->macro, field->value, plain ? "" : suffix);
  }
}

static void put_module_macros(FILE *to, const struct layout *layout, const struct placed *placed,
                              const char *prefix, const char *suffix) {
  struct field fields[MODULE_FIELDS + 1];
  char *module = macro_name(placed->name);
  get_module_fields(layout, placed, fields);
  fprintf(to, "\n/* %s.wasm */\n", placed->name);
  fprintf(to, "/* Added to the addresses of its static data */\n#define %s_%s_OFFSET %" PRId64 "%s\n", prefix,
          module, (int64_t)placed->placement.offset, layout->plan.memory64 ? "LL" : "L");
  for (const struct field *field = fields; field->name; field++) {
    fprintf(to, "/* %s */\n", field->comment);
    put_macro(to, prefix, module, field->macro, field->absent ? 0 : field->value, suffix);
  }
  free(module);
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
  fputs("/* Each needs only those before it:", to);
  for (size_t i = 0; i < layout->count; i++)
    fprintf(to, "%s %s", i ? "," : "", layout->modules[layout->order[i]].name);
  fputs(" */\n", to);
  for (size_t i = 0; i < layout->count; i++)
    put_module_macros(to, layout, &layout->modules[i], prefix, suffix);
  fputs("\n#endif\n", to);
  free(prefix);
}

// Text as a string, with its quotes.
static void put_string(FILE *to, const char *text) {
  char *quoted = json_string_text(text);
  fputs(quoted, to);
  free(quoted);
}

// A field's value; `n` is what an address ends with.
static void put_value(FILE *to, const struct field *field, const char *n) {
  if (field->absent)
    fputs(field->undefined ? "undefined" : "null", to);
  else if (field->kind == BOOLEAN)
    fputs(field->value ? "true" : "false", to);
  else
    fprintf(to, "%" PRIu64 "%s", field->value, field->kind == ADDRESS ? n : "");
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
    fputs(" },", to);
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
  struct field fields[PLAN_FIELDS + 1];
  get_plan_fields(layout, fields);
  fprintf(to, "export const pageSize = %u;\n", WS_PAGE_SIZE);
  for (const struct field *field = fields; field->name; field++) {
    if (field->heading)
      fprintf(to, "\n// %s\n", field->heading);
    fprintf(to, "export const %s = ", field->name);
    put_value(to, field, n);
    fputs(";\n", to);
  }
}

static void put_module(FILE *to, const struct layout *layout, const struct placed *placed, const char *n) {
  const struct ws_module_info *info = ws_module_info(placed->module);
  struct field fields[MODULE_FIELDS + 1];
  get_module_fields(layout, placed, fields);
  fputs("  {\n    name: ", to);
  put_string(to, placed->name);
  fputs(",\n    url: new URL('./", to);
  put_url(to, placed->name);
  fprintf(to, ".wasm', import.meta.url),\n    offset: %" PRId64 "%s,\n", (int64_t)placed->placement.offset,
          n);
  for (const struct field *field = fields; field->name; field++) {
    fprintf(to, "    %s: ", field->name);
    put_value(to, field, n);
    fputs(",\n", to);
  }
  fputs("    memoryImport: { module: ", to);
  put_string(to, info->memory_module);
  fputs(", name: ", to);
  put_string(to, info->memory_name);
  fprintf(to, " },\n    importsTable: %s,\n", ws_link_imports_table(layout->link, (size_t)(placed - layout->modules)) ? "true" : "false");
  put_imports(to, layout, (size_t)(placed - layout->modules));
  fputs("  },\n", to);
}

void print_script(FILE *to, const struct layout *layout) {
  const char *n = layout->plan.memory64 ? "n" : "";
  fprintf(to,
          "// Where everything went. Written by wasmshare %s; do not edit. Addresses and sizes are in "
          "bytes.\n\n",
          WS_VERSION);
  put_plan(to, layout, n);
  fputs("\n// In layout order\nexport const modules = [\n", to);
  for (size_t i = 0; i < layout->count; i++)
    put_module(to, layout, &layout->modules[i], n);
  fputs("];\n\n// Each module needs only those before it.\nexport const instantiationOrder = [", to);
  for (size_t i = 0; i < layout->count; i++) {
    fputs(i ? ", " : "", to);
    put_string(to, layout->modules[layout->order[i]].name);
  }
  fputs("];\n", to);
  fputs(layout_mjs, to);
}

void print_types(FILE *to, const struct layout *layout) {
  struct field fields[MODULE_FIELDS + 1];
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
  fputs(";\n\n/** Where a module is. */\nexport interface Placement {\n", to);
  get_module_fields(layout, &layout->modules[0], fields);
  for (const struct field *field = fields; field->name; field++)
    fprintf(to, "  /** %s%s%s. */\n  readonly %s: %s%s;\n", field->comment, field->nullable ? "; " : "",
            field->nullable ? field->nullable : "", field->name,
            field->kind == ADDRESS ? "Address" : "number", field->nullable ? " | null" : "");
  fputs("}\n\n", to);
  fputs(layout_d_mts, to);
}
