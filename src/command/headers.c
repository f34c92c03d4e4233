// layout.h, layout.mjs and layout.d.mts: docs/layout.md describes them.
#include <inttypes.h>
#include <stdlib.h>

#include "command.h"

// What a module's entry says, once for all languages.
struct field {
  const char *name, *macro, *comment;
  uint64_t value;
  bool absent;
  bool count; // of table elements: never an address
};
enum { FIELD_COUNT = 10 };

static void get_fields(const struct placed *placed, struct field fields[FIELD_COUNT]) {
  const struct ws_placement *at = &placed->placement;
  const struct ws_module_info *info = ws_module_info(placed->module);
  bool no_stack = !info->has_stack;
  fields[0] =
      (struct field){"memoryBase", "MEMORY_BASE", "First byte of the module's range", at->base, false, false};
  fields[1] = (struct field){"memorySize", "MEMORY_SIZE", "Size of the range in bytes: stack and static data",
                             at->size,     false,         false};
  fields[2] =
      (struct field){"stackLow", "STACK_LOW", "Lowest byte of the stack", at->stack_low, no_stack, false};
  fields[3] = (struct field){
      "stackPointer",    "STACK_POINTER", "Initial stack pointer: one past the stack's highest byte",
      at->stack_pointer, no_stack,        false};
  fields[4] =
      (struct field){"dataBase", "DATA_BASE", "First byte of static data", at->data_base, false, false};
  fields[5] = (struct field){"dataEnd",    "DATA_END", "One past the last byte of static data",
                             at->data_end, false,      false};
  fields[6] = (struct field){"heapBase",    "HEAP_BASE", "What the module was told is __heap_base",
                             at->heap_base, false,       false};
  fields[7] =
      (struct field){"tableBase",    "TABLE_BASE", "Index of its first function in its function table",
                     at->table_base, false,        true};
  fields[8] = (struct field){"tableSize",      "TABLE_SIZE", "How many functions it puts there",
                             info->table_size, false,        true};
  fields[9] = (struct field){NULL, NULL, NULL, 0, false, false};
}

// Text inside a JavaScript or C string or comment.
static void put_quoted(FILE *to, const char *text) {
  for (; *text; text++) {
    if (*text == '\'' || *text == '\\')
      putc('\\', to);
    putc(*text, to);
  }
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

void print_header(FILE *to, const struct layout *layout) {
  const struct ws_plan *plan = &layout->plan;
  const char *suffix = plan->memory64 ? "ULL" : "UL";
  char *prefix = macro_name(layout->name);
  if (!prefix)
    return;
  // An identifier cannot start with a digit.
  if (prefix[0] >= '0' && prefix[0] <= '9')
    prefix[0] = '_';
  fprintf(
      to,
      "/* Where everything went. Written by wasmshare %s; do not edit. Addresses and sizes are in bytes. */\n"
      "#ifndef %s_LAYOUT_H\n#define %s_LAYOUT_H\n\n",
      WS_VERSION, prefix, prefix);
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
  put_macro(to, prefix, NULL, "MODULE_COUNT", layout->count, "");
  for (size_t i = 0; i < layout->count; i++) {
    const struct placed *placed = &layout->modules[i];
    struct field fields[FIELD_COUNT];
    char *module = macro_name(placed->name);
    get_fields(placed, fields);
    fprintf(to, "\n/* %s.wasm */\n", placed->name);
    if (module) {
      fprintf(to, "/* Added to the addresses of its static data */\n#define %s_%s_OFFSET %" PRId64 "%s\n",
              prefix, module, (int64_t)placed->placement.offset, plan->memory64 ? "LL" : "L");
      for (const struct field *field = fields; field->name; field++) {
        fprintf(to, "/* %s */\n", field->comment);
        put_macro(to, prefix, module, field->macro, field->absent ? 0 : field->value, suffix);
      }
    }
    free(module);
  }
  fputs("\n#endif\n", to);
  free(prefix);
}

void print_script(FILE *to, const struct layout *layout) {
  const struct ws_plan *plan = &layout->plan;
  const char *n = plan->memory64 ? "n" : "";
  fprintf(
      to,
      "// Where everything went. Written by wasmshare %s; do not edit. Addresses and sizes are in bytes.\n\n"
      "export const pageSize = %u;\n"
      "export const pages = %" PRIu64 ";\n",
      WS_VERSION, WS_PAGE_SIZE, plan->pages);
  if (plan->has_maximum)
    fprintf(to, "export const maximumPages = %" PRIu64 ";\n", plan->maximum_pages);
  else
    fputs("export const maximumPages = undefined;\n", to);
  fprintf(to,
          "export const shared = %s;\n"
          "export const memory64 = %s;\n"
          "export const heapBase = %" PRIu64 "%s;\n"
          "export const heapEnd = %" PRIu64 "%s;\n\n"
          "// The stack and the function table that all modules share, if they do\n",
          plan->shared ? "true" : "false", plan->memory64 ? "true" : "false", plan->heap_base, n,
          plan->heap_end, n);
  if (plan->shared_stack)
    fprintf(to,
            "export const stackLow = %" PRIu64 "%s;\n"
            "export const stackPointer = %" PRIu64 "%s;\n",
            plan->stack_low, n, plan->stack_pointer, n);
  else
    fputs("export const stackLow = null;\nexport const stackPointer = null;\n", to);
  if (plan->shared_table)
    fprintf(to, "export const tableSize = %" PRIu64 ";\n\n", plan->table_size);
  else
    fputs("export const tableSize = null;\n\n", to);
  fputs("// In layout order\nexport const modules = [\n", to);
  for (size_t i = 0; i < layout->count; i++) {
    const struct placed *placed = &layout->modules[i];
    const struct ws_module_info *info = ws_module_info(placed->module);
    struct field fields[FIELD_COUNT];
    get_fields(placed, fields);
    fputs("  {\n    name: '", to);
    put_quoted(to, placed->name);
    fputs("',\n    url: new URL('./", to);
    put_url(to, placed->name);
    fprintf(to, ".wasm', import.meta.url),\n    offset: %" PRId64 "%s,\n", (int64_t)placed->placement.offset,
            n);
    for (const struct field *field = fields; field->name; field++) {
      if (field->absent)
        fprintf(to, "    %s: null,\n", field->name);
      else
        fprintf(to, "    %s: %" PRIu64 "%s,\n", field->name, field->value, field->count ? "" : n);
    }
    fputs("    memoryImport: { module: '", to);
    put_quoted(to, info->memory_module);
    fputs("', name: '", to);
    put_quoted(to, info->memory_name);
    fputs("' },\n  },\n", to);
  }
  fputs("];\n\n// Makes the memory that all of them import.\nexport function createMemory() {\n", to);
  if (plan->memory64) {
    fprintf(to,
            "  const limits = { initial: %" PRIu64 "n%s, shared, address: 'i64' };\n"
            "  try {\n"
            "    return new WebAssembly.Memory(limits);\n"
            "  } catch {\n"
            "    // Engines that had 64-bit memories before they were standard take numbers.\n"
            "    return new WebAssembly.Memory({ initial: pages%s, shared, index: 'i64' });\n"
            "  }\n",
            plan->pages, plan->has_maximum ? ", maximum: BigInt(maximumPages)" : "",
            plan->has_maximum ? ", maximum: maximumPages" : "");
  } else {
    fprintf(to, "  return new WebAssembly.Memory({ initial: pages%s%s });\n",
            plan->has_maximum ? ", maximum: maximumPages" : "", plan->shared ? ", shared" : "");
  }
  fputs("}\n", to);
  if (plan->shared_stack)
    fprintf(to,
            "\n// Makes the stack pointer that all of them import as env.__stack_pointer.\n"
            "export function createStackPointer() {\n"
            "  return new WebAssembly.Global({ value: '%s', mutable: true }, stackPointer);\n"
            "}\n",
            plan->memory64 ? "i64" : "i32");
  if (plan->shared_table)
    fprintf(
        to,
        "\n// Makes the function table that all of them import as env.__indirect_function_table.\n"
        "export function createTable() {\n"
        "  %s\n"
        "}\n",
        plan->memory64
            ? "try {\n"
              "    return new WebAssembly.Table({ initial: BigInt(tableSize), element: 'anyfunc', address: "
              "'i64' });\n"
              "  } catch {\n"
              "    return new WebAssembly.Table({ initial: tableSize, element: 'anyfunc', index: 'i64' });\n"
              "  }"
            : "return new WebAssembly.Table({ initial: tableSize, element: 'anyfunc' });");
}

void print_types(FILE *to, const struct layout *layout) {
  const struct ws_plan *plan = &layout->plan;
  const char *address = plan->memory64 ? "bigint" : "number";
  fprintf(to,
          "// Types of the layout. Written by wasmshare %s; do not edit.\n\n"
          "/** An address or a size in the memory, in bytes. */\n"
          "export type Address = %s;\n\n"
          "export interface PlacedModule {\n"
          "  /** The module's name. */\n"
          "  readonly name: string;\n"
          "  /** Where its file is. */\n"
          "  readonly url: URL;\n"
          "  /** Added to the addresses of its static data. */\n"
          "  readonly offset: Address;\n",
          WS_VERSION, address);
  struct field fields[FIELD_COUNT];
  get_fields(&layout->modules[0], fields);
  for (const struct field *field = fields; field->name; field++) {
    bool stack = field->macro[0] == 'S';
    fprintf(to, "  /** %s%s. */\n  readonly %s: %s%s;\n", field->comment,
            stack ? "; null if it has none" : "", field->name, field->count ? "number" : "Address",
            stack ? " | null" : "");
  }
  fprintf(to, "  /** Where the memory goes in its import object. */\n"
              "  readonly memoryImport: { readonly module: string; readonly name: string };\n"
              "}\n\n"
              "/** Bytes in a page. */\nexport const pageSize: number;\n"
              "/** Pages that the memory must have at the start. */\nexport const pages: number;\n"
              "/** The most pages that the memory may grow to, if there is a limit. */\n"
              "export const maximumPages: number | undefined;\n"
              "/** Whether the memory is shared between threads. */\nexport const shared: boolean;\n"
              "/** Whether addresses are 64 bits wide. */\nexport const memory64: boolean;\n"
              "/** First byte after every module. */\nexport const heapBase: Address;\n"
              "/** End of the memory at the start. */\nexport const heapEnd: Address;\n"
              "/** Lowest byte of the stack that all modules share; null if each has its own. */\n"
              "export const stackLow: Address | null;\n"
              "/** Initial stack pointer of that stack. */\nexport const stackPointer: Address | null;\n"
              "/** Elements of the function table that all modules share; null if each has its own. */\n"
              "export const tableSize: number | null;\n"
              "/** The modules, in layout order. */\nexport const modules: readonly PlacedModule[];\n"
              "/** Makes the memory that all of them import. */\nexport function createMemory(): "
              "WebAssembly.Memory;\n");
  if (plan->shared_stack)
    fputs("/** Makes the stack pointer that all of them import as env.__stack_pointer. */\n"
          "export function createStackPointer(): WebAssembly.Global;\n",
          to);
  if (plan->shared_table)
    fputs("/** Makes the function table that all of them import as env.__indirect_function_table. */\n"
          "export function createTable(): WebAssembly.Table;\n",
          to);
}
