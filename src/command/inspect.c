#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "command/command.h"

static json_t *number(uint64_t value) {
  return json_integer((json_int_t)value);
}

// What it imports, other than its memory and what the layout would give it.
static json_t *imports_json(const char *path, const struct ws_module *module) {
  json_t *json = json_array();
  struct ws_link_options options = {WS_OPTIONS(options)};
  struct ws_error error;
  struct ws_import_info import;
  struct ws_link *link = ws_link_new(&options, &error);
  if (!link || !ws_link_add(link, module, path, &error))
    out_of_memory();
  for (size_t i = 0; ws_link_import(link, 0, i, &import); i++)
    json_array_append_new(json,
                          json_pack("{s:o, s:o, s:s}", "module", json_text(import.module), "name",
                                    json_text(import.name), "kind", ws_external_kind_name(import.kind)));
  ws_link_free(link);
  return json;
}

// "variable" for what the C interface calls a memory.
static const char *shareable_kind(const struct ws_shareable *shareable) {
  return shareable->kind == WS_MEMORY ? "variable" : ws_external_kind_name(shareable->kind);
}

static void add_shareable(void *json, const struct ws_shareable *shareable) {
  json_array_append_new(json, json_pack("{s:o, s:s, s:s, s:b}", "name", json_text(shareable->name), "kind",
                                        shareable_kind(shareable), "rule", shareable->rule, "readOnly",
                                        shareable->read_only));
}

static void add_pointers(json_t *json, const struct ws_module_info *info) {
  json_t *relocations = json_object(), *pointers = json_object(), *globals = json_array();
  for (unsigned i = 0; i < WS_RELOCATION_TYPES; i++)
    if (info->relocations[i])
      json_object_set_new(relocations, ws_relocation_name(i), number(info->relocations[i]));
  for (unsigned i = 0; i < WS_BASE_COUNT; i++)
    if (info->fixups[i])
      json_object_set_new(pointers, ws_base_name(i), number(info->fixups[i]));
  for (size_t i = 0; i < info->global_count; i++)
    json_array_append_new(
        globals, json_pack("{s:I, s:o, s:s, s:I}", "index", (json_int_t)info->globals[i].index, "name",
                           json_text(info->globals[i].name), "base", ws_base_name(info->globals[i].base),
                           "value", (json_int_t)info->globals[i].value));
  json_object_set_new(json, "relocations", relocations);
  json_object_set_new(json, "pointers", pointers);
  json_object_set_new(json, "globals", globals);
}

static json_t *inspect_json(const char *path, const struct ws_module *module) {
  const struct ws_module_info *info = ws_module_info(module);
  json_t *json = json_object();
  json_object_set_new(json, "file", json_text(path));
  json_object_set_new(json, "exact", json_boolean(info->exact));
  json_object_set_new(json, "prepared", json_boolean(info->prepared));
  json_object_set_new(json, "rerunsConstructors", json_boolean(info->reruns_constructors));
  json_object_set_new(json, "reason", info->exact ? json_null() : json_string(info->inexact.message));
  json_object_set_new(json, "reasonCode",
                      info->exact ? json_null() : json_string(ws_refusal_name(info->refusal)));
  json_object_set_new(json, "wasmBindgen", json_boolean(info->for_wasm_bindgen));
  json_t *memory = json_null();
  if (info->has_memory) {
    memory = json_pack("{s:s, s:s, s:b, s:I, s:o, s:b, s:b}", "module", info->memory_module, "name",
                       info->memory_name, "imported", info->imports_memory, "minimumPages",
                       (json_int_t)info->memory_minimum, "maximumPages",
                       info->has_maximum ? number(info->memory_maximum) : json_null(), "shared", info->shared,
                       "memory64", info->memory64);
  }
  json_object_set_new(json, "memory", memory);
  json_object_set_new(json, "stack",
                      info->has_stack ? json_pack("{s:I, s:I}", "low", (json_int_t)info->stack_low, "pointer",
                                                  (json_int_t)info->stack_pointer)
                                      : json_null());
  json_object_set_new(json, "data",
                      json_pack("{s:I, s:I, s:I, s:I}", "base", (json_int_t)info->data_base, "end",
                                (json_int_t)info->data_end, "alignment", (json_int_t)info->alignment,
                                "zeroBytes", (json_int_t)info->zero_bytes));
  json_object_set_new(json, "heapBase", number(info->heap_base));
  json_object_set_new(json, "heap",
                      json_pack("{s:s, s:o, s:b}", "class", ws_heap_class_name(info->heap), "reason",
                                json_text(info->heap_reason), "growsMemory", info->grows_memory));
  json_object_set_new(json, "table",
                      info->has_table ? json_pack("{s:I, s:I}", "base", (json_int_t)info->table_base, "size",
                                                  (json_int_t)info->table_size)
                                      : json_null());
  json_object_set_new(json, "imports", imports_json(path, module));
  add_pointers(json, info);
  json_t *shareable = json_array();
  ws_module_shareable(module, add_shareable, shareable);
  json_object_set_new(json, "shareable", shareable);
  return json;
}

// How many things of one kind a rule is for, and the first of them.
struct tally {
  const char *rule, *kind;
  size_t count;
  char first[2][64];
};
enum { TALLIES = 16 }; // more than there are rules for kinds

static void tally_shareable(void *context, const struct ws_shareable *shareable) {
  struct tally *tally = context;
  const char *kind = shareable_kind(shareable);
  while (tally->rule && (strcmp(tally->rule, shareable->rule) != 0 || strcmp(tally->kind, kind) != 0))
    tally++;
  tally->rule = shareable->rule;
  tally->kind = kind;
  if (tally->count < 2)
    snprintf(tally->first[tally->count], sizeof tally->first[0], "%s", shareable->name);
  tally->count++;
}

static void print_shareable(const struct ws_module *module) {
  struct tally tallies[TALLIES + 1] = {0};
  ws_module_shareable(module, tally_shareable, tallies);
  printf("  one in a program%s\n", tallies[0].rule ? ", by rule" : "  nothing");
  for (const struct tally *tally = tallies; tally->rule; tally++)
    printf("    %-10s %6zu %s%s: %s%s%s%s\n", tally->rule, tally->count, tally->kind,
           tally->count == 1 ? "" : "s", tally->first[0], tally->count > 1 ? ", " : "",
           tally->count > 1 ? tally->first[1] : "", tally->count > 2 ? ", ..." : "");
}

static void print_pointers(const struct ws_module_info *info) {
  printf("  relocations%s\n", info->prepared          ? "  none needed: the module is prepared"
                              : info->has_relocations ? ", by type"
                                                      : "  none (linked without --emit-relocs)");
  for (unsigned i = 0; i < WS_RELOCATION_TYPES; i++)
    if (info->relocations[i])
      printf("    %-32s %" PRIu64 "\n", ws_relocation_name(i), info->relocations[i]);
  printf("  pointers, by what moves them\n");
  for (unsigned i = 0; i < WS_BASE_COUNT; i++)
    if (info->fixups[i])
      printf("    %-32s %" PRIu64 "\n", ws_base_name(i), info->fixups[i]);
  printf("  pointer globals\n");
  for (size_t i = 0; i < info->global_count; i++)
    printf("    %" PRIu32 " %-30s %-10s 0x%" PRIx64 "\n", info->globals[i].index, info->globals[i].name,
           ws_base_name(info->globals[i].base), info->globals[i].value);
}

static void print_text(const char *path, const struct ws_module *module) {
  const struct ws_module_info *info = ws_module_info(module);
  printf("%s\n", path);
  if (info->exact)
    printf("  exact        yes\n");
  else
    printf("  exact        no: %s\n", info->inexact.message);
  if (info->for_wasm_bindgen)
    printf("  interface    wasm-bindgen's: run wasm-bindgen on the placed module\n");
  if (info->reruns_constructors)
    printf("  constructors run again at every call of an export\n");
  if (!info->has_memory) {
    printf("  memory       none\n");
  } else {
    printf("  memory       %s%d-bit%s, %" PRIu64 " pages", info->imports_memory ? "imported, " : "defined, ",
           info->memory64 ? 64 : 32, info->shared ? ", shared" : "", info->memory_minimum);
    if (info->has_maximum)
      printf(" (at most %" PRIu64 ")", info->memory_maximum);
    printf(", as %s.%s\n", info->memory_module, info->memory_name);
  }
  if (info->has_stack)
    printf("  stack        0x%" PRIx64 "..0x%" PRIx64 " (%" PRIu64 " bytes)\n", info->stack_low,
           info->stack_pointer, info->stack_pointer - info->stack_low);
  else
    printf("  stack        none\n");
  if (info->data_end > info->data_base)
    printf("  data         0x%" PRIx64 "..0x%" PRIx64 " (%" PRIu64 " bytes, %" PRIu64
           " of them zeroed at the start), "
           "aligned to %" PRIu64 "\n",
           info->data_base, info->data_end, info->data_end - info->data_base, info->zero_bytes,
           info->alignment);
  else
    printf("  data         none\n");
  printf("  heap base    0x%" PRIx64 "\n", info->heap_base);
  printf("  heap         %s: %s\n", ws_heap_class_name(info->heap), info->heap_reason);
  if (info->has_table)
    printf("  table        %" PRIu64 " functions from %" PRIu64 "\n", info->table_size, info->table_base);
  else
    printf("  table        none\n");
  print_pointers(info);
  print_shareable(module);
}

// As response files have it (llvm/Support/CommandLine.h, TokenizeGNUCommandLine).
static void print_export(void *context, const char *name, size_t size) {
  (void)context;
  fputs("--export=", stdout);
  for (size_t i = 0; i < size; i++) {
    if (strchr(" \t\r\n\"'\\", name[i]))
      putchar('\\');
    putchar(name[i]);
  }
  putchar('\n');
}

// Reads the library, and then the modules that use it, into a link.
static bool add_users(const struct options *options, const struct input *library, struct input_file *files,
                      struct ws_module **modules, struct ws_link *link) {
  struct ws_error error;
  for (size_t i = 0; i <= options->input_count; i++) {
    const struct input *input = i == 0 ? library : &options->inputs[i - 1];
    if (!read_input(options, input->path, false, &files[i], &modules[i]))
      return false;
    if (!ws_link_add(link, modules[i], input->name, &error))
      return fail_with(&error);
  }
  return true;
}

static bool print_needs(const struct options *options) {
  struct input library = {0};
  if (options->json)
    return fail("--json: --needs prints flags");
  if (!parse_input(options->needs, &library))
    return false;
  struct input_file *files = xcalloc(options->input_count + 1, sizeof *files);
  struct ws_module **modules = xcalloc(options->input_count + 1, sizeof *modules);
  struct ws_link *link = new_link(options);
  struct ws_error error;
  bool ok = link && add_users(options, &library, files, modules, link) &&
            (ws_link_needs(link, 0, print_export, NULL, &error) || fail_with(&error));
  ws_link_free(link);
  for (size_t i = 0; i <= options->input_count; i++) {
    ws_module_free(modules[i]);
    close_input(&files[i]);
  }
  free(files);
  free(modules);
  free(library.name);
  return ok;
}

bool command_inspect(const struct options *options) {
  if (options->needs)
    return print_needs(options);
  if (options->host_imports.count || options->host_modules.count)
    return fail("inspect: what the host gives matters for --needs only");
  json_t *all = json_array();
  bool ok = true;
  for (size_t i = 0; i < options->input_count && ok; i++) {
    struct input_file file = {0};
    struct ws_module *module = NULL;
    ok = read_input(options, options->inputs[i].path, TO_INSPECT, &file, &module);
    if (ok && options->json)
      json_array_append_new(all, inspect_json(options->inputs[i].path, module));
    else if (ok)
      print_text(options->inputs[i].path, module);
    ws_module_free(module);
    close_input(&file);
  }
  if (ok && options->json)
    print_tree(stdout, all);
  json_decref(all);
  return ok;
}

bool command_heap_base(const struct options *options) {
  if (options->input_count != 1)
    return fail("heap-base: takes one module");
  struct input_file file = {0};
  struct ws_module *module = NULL;
  bool ok = read_input(options, options->inputs[0].path, TO_INSPECT, &file, &module);
  if (ok)
    printf("%" PRIu64 "\n", ws_module_info(module)->heap_base);
  ws_module_free(module);
  close_input(&file);
  return ok;
}
