// layout.h, layout.mjs and layout.d.mts: docs/layout.md describes them.
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "command.h"

// loader.mjs and loader.d.mts, which end the files: see cmake/Embed.cmake.
extern const char loader_mjs[], loader_d_mts[];

// What a module's entry says, once for all languages.
struct field {
  const char *name, *macro, *comment;
  uint64_t value;
  const char *nullable; // when there is none
  bool absent;
  bool count; // of table elements: never an address
};
enum { FIELDS = 10 };

static void get_fields(const struct layout *layout, const struct placed *placed,
                       struct field fields[FIELDS + 1]) {
  const struct ws_placement *at = &placed->placement;
  const struct ws_module_info *info = ws_module_info(placed->module);
  bool no_stack = !info->has_stack, no_tls = !layout->plan.thread_count || !info->tls_size;
  const char *stackless = "null if it has none";
  const struct field all[] = {
      {.name = "memoryBase", "MEMORY_BASE", "First byte of the module's range", at->base},
      {.name = "memorySize", "MEMORY_SIZE", "Size of the range in bytes: stack and static data", at->size},
      {.name = "stackLow", "STACK_LOW", "Lowest byte of the stack", at->stack_low, stackless, no_stack},
      {.name = "stackPointer",
       "STACK_POINTER",
       "Initial stack pointer: one past the stack's highest byte",
       at->stack_pointer,
       stackless,
       no_stack},
      {.name = "dataBase", "DATA_BASE", "First byte of static data", at->data_base},
      {.name = "dataEnd", "DATA_END", "One past the last byte of static data", at->data_end},
      {.name = "heapBase", "HEAP_BASE", "What the module was told is __heap_base", at->heap_base},
      {.name = "tableBase",
       "TABLE_BASE",
       "Index of its first function in its function table",
       at->table_base,
       .count = true},
      {.name = "tableSize",
       "TABLE_SIZE",
       "How many functions it puts there",
       info->table_size,
       .count = true},
      {.name = "tlsOffset",
       "TLS_OFFSET",
       "Where in a thread's area its thread-local variables are",
       at->tls_offset,
       "null without --threads, or if it has none",
       no_tls},
      {.name = NULL},
  };
  memcpy(fields, all, sizeof all);
}

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

static void put_plan_macros(FILE *to, const struct ws_plan *plan, const char *prefix, const char *suffix) {
  put_macro(to, prefix, NULL, "PAGE_SIZE", WS_PAGE_SIZE, suffix);
  fputs("\n/* Pages that the memory must have at the start */\n", to);
  put_macro(to, prefix, NULL, "PAGES", plan->pages, suffix);
  if (plan->has_maximum)
    put_macro(to, prefix, NULL, "MAXIMUM_PAGES", plan->maximum_pages, suffix);
  fputs("/* Kind of the memory */\n", to);
  put_macro(to, prefix, NULL, "SHARED", plan->shared, "");
  put_macro(to, prefix, NULL, "MEMORY64", plan->memory64, "");
  fputs("/* The heap: first byte after every module, and end of the memory at the start */\n", to);
  put_macro(to, prefix, NULL, "HEAP_BASE", plan->heap_base, suffix);
  put_macro(to, prefix, NULL, "HEAP_END", plan->heap_end, suffix);
  if (plan->shared_stack) {
    fputs("/* The stack of all modules: lowest byte, and initial stack pointer */\n", to);
    put_macro(to, prefix, NULL, "STACK_LOW", plan->stack_low, suffix);
    put_macro(to, prefix, NULL, "STACK_POINTER", plan->stack_pointer, suffix);
  }
  if (plan->shared_table) {
    fputs("/* Elements that the function table of all modules must have */\n", to);
    put_macro(to, prefix, NULL, "TABLE_SIZE", plan->table_size, suffix);
  }
  fputs("/* Threads, beside the first, that have an area: a stack, then thread-local variables */\n", to);
  put_macro(to, prefix, NULL, "THREAD_COUNT", plan->thread_count, "");
  if (plan->thread_count) {
    put_macro(to, prefix, NULL, "THREAD_BASE", plan->thread_base, suffix);
    put_macro(to, prefix, NULL, "THREAD_SIZE", plan->thread_size, suffix);
    put_macro(to, prefix, NULL, "THREAD_STACK_SIZE", plan->thread_stack_size, suffix);
  }
}

static void put_module_macros(FILE *to, const struct layout *layout, const struct placed *placed,
                              const char *prefix, const char *suffix) {
  struct field fields[FIELDS + 1];
  char *module = macro_name(placed->name);
  get_fields(layout, placed, fields);
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
  put_plan_macros(to, &layout->plan, prefix, suffix);
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

static void put_constant(FILE *to, const char *name, bool present, uint64_t value, const char *suffix) {
  if (present)
    fprintf(to, "export const %s = %" PRIu64 "%s;\n", name, value, suffix);
  else
    fprintf(to, "export const %s = null;\n", name);
}

static void put_imports(FILE *to, const struct layout *layout, const struct ws_module *module) {
  struct ws_import_info import;
  struct ws_binding binding;
  size_t i;
  fputs("    imports: [", to);
  for (i = 0; ws_module_import(module, i, &import); i++) {
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
  for (i = 0; ws_module_binding(module, i, &binding); i++) {
    fputs("\n      { name: ", to);
    put_string(to, binding.name);
    fputs(", from: ", to);
    put_string(to, layout->modules[binding.from].name);
    fprintf(to, ", address: %" PRIu64 "%s },", binding.address, layout->plan.memory64 ? "n" : "");
  }
  fputs(i ? "\n    ],\n" : "],\n", to);
}

static void put_plan(FILE *to, const struct ws_plan *plan, const char *n) {
  bool threads = plan->thread_count > 0;
  fprintf(to, "export const pageSize = %u;\n", WS_PAGE_SIZE);
  put_constant(to, "pages", true, plan->pages, "");
  if (plan->has_maximum)
    put_constant(to, "maximumPages", true, plan->maximum_pages, "");
  else
    fputs("export const maximumPages = undefined;\n", to);
  fprintf(to, "export const shared = %s;\nexport const memory64 = %s;\n", plan->shared ? "true" : "false",
          plan->memory64 ? "true" : "false");
  put_constant(to, "heapBase", true, plan->heap_base, n);
  put_constant(to, "heapEnd", true, plan->heap_end, n);
  fputs("\n// The stack and the function table that all modules share, if they do\n", to);
  put_constant(to, "stackLow", plan->shared_stack, plan->stack_low, n);
  put_constant(to, "stackPointer", plan->shared_stack, plan->stack_pointer, n);
  put_constant(to, "tableSize", plan->shared_table, plan->table_size, "");
  fputs("\n// Areas of threads, beside the first: a stack, then thread-local variables\n", to);
  put_constant(to, "threadCount", true, plan->thread_count, "");
  put_constant(to, "threadBase", threads, plan->thread_base, n);
  put_constant(to, "threadSize", threads, plan->thread_size, n);
  put_constant(to, "threadStackSize", threads, plan->thread_stack_size, n);
}

static void put_module(FILE *to, const struct layout *layout, const struct placed *placed, const char *n) {
  const struct ws_module_info *info = ws_module_info(placed->module);
  struct field fields[FIELDS + 1];
  get_fields(layout, placed, fields);
  fputs("  {\n    name: ", to);
  put_string(to, placed->name);
  fputs(",\n    url: new URL('./", to);
  put_url(to, placed->name);
  fprintf(to, ".wasm', import.meta.url),\n    offset: %" PRId64 "%s,\n", (int64_t)placed->placement.offset,
          n);
  for (const struct field *field = fields; field->name; field++) {
    if (field->absent)
      fprintf(to, "    %s: null,\n", field->name);
    else
      fprintf(to, "    %s: %" PRIu64 "%s,\n", field->name, field->value, field->count ? "" : n);
  }
  fputs("    memoryImport: { module: ", to);
  put_string(to, info->memory_module);
  fputs(", name: ", to);
  put_string(to, info->memory_name);
  fprintf(to, " },\n    importsTable: %s,\n", info->imports_table ? "true" : "false");
  put_imports(to, layout, placed->module);
  fputs("  },\n", to);
}

void print_script(FILE *to, const struct layout *layout) {
  const char *n = layout->plan.memory64 ? "n" : "";
  fprintf(to,
          "// Where everything went. Written by wasmshare %s; do not edit. Addresses and sizes are in "
          "bytes.\n\n",
          WS_VERSION);
  put_plan(to, &layout->plan, n);
  fputs("\n// In layout order\nexport const modules = [\n", to);
  for (size_t i = 0; i < layout->count; i++)
    put_module(to, layout, &layout->modules[i], n);
  fputs("];\n\n// Each module needs only those before it.\nexport const instantiationOrder = [", to);
  for (size_t i = 0; i < layout->count; i++) {
    fputs(i ? ", " : "", to);
    put_string(to, layout->modules[layout->order[i]].name);
  }
  fputs("];\n", to);
  fputs(loader_mjs, to);
}

void print_types(FILE *to, const struct layout *layout) {
  struct field fields[FIELDS + 1];
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
  get_fields(layout, &layout->modules[0], fields);
  for (const struct field *field = fields; field->name; field++)
    fprintf(to, "  /** %s%s%s. */\n  readonly %s: %s%s;\n", field->comment, field->nullable ? "; " : "",
            field->nullable ? field->nullable : "", field->name, field->count ? "number" : "Address",
            field->nullable ? " | null" : "");
  fputs("}\n\n", to);
  fputs(loader_d_mts, to);
}
