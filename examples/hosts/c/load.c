// load DIRECTORY: runs the modules of layout.h on one memory, through wasm.h, the C API that wasmi, wasmtime and others have.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <wasm.h>

#include "layout.h"

// What each module imports: from which other one, or -1 for the host.
struct import {
  const char *module, *name;
  int from;
};
#define IMPORT(module, name, kind, from, deferred) {module, name, from},
#define IMPORTS(M) static const struct import M##_imports[] = {LAYOUT_##M##_IMPORTS(IMPORT){0}};
LAYOUT_MODULES(IMPORTS)

static wasm_store_t *store;
static wasm_extern_t *memory, *stack_pointer, *table;
static wasm_exporttype_vec_t names[LAYOUT_MODULE_COUNT]; // of the exports
static wasm_extern_vec_t exports[LAYOUT_MODULE_COUNT];

static void check(bool ok, const char *what, const char *name) {
  if (!ok)
    exit((fprintf(stderr, "load: %s: %s\n", what, name), 1));
}

static const char *text_at(int32_t address) {
  return wasm_memory_data(wasm_extern_as_memory(memory)) + (uint32_t)address;
}

static bool is(const wasm_name_t *name, const char *text) {
  return name->size == strlen(text) && memcmp(name->data, text, name->size) == 0;
}

static wasm_extern_t *find_export(int module, const char *name) {
  for (size_t i = 0; i < names[module].size; i++)
    if (is(wasm_exporttype_name(names[module].data[i]), name))
      return exports[module].data[i];
  return NULL;
}

static void call(int module, const char *name, wasm_val_vec_t *results) {
  wasm_extern_t *function = find_export(module, name);
  wasm_val_vec_t none = WASM_EMPTY_VEC;
  check(function && !wasm_func_call(wasm_extern_as_func(function), &none, results), "cannot call", name);
}

static wasm_trap_t *report(const wasm_val_vec_t *args, wasm_val_vec_t *results) {
  (void)results;
  printf("%-8s %2d\n", text_at(args->data[0].of.i32), args->data[1].of.i32);
  return NULL;
}

// What the host gives: here, one function.
static wasm_extern_t *find_host(const struct import *import) {
  check(strcmp(import->module, "host") == 0 && strcmp(import->name, "report") == 0, "is not given", import->name);
  wasm_functype_t *type = wasm_functype_new_2_0(wasm_valtype_new_i32(), wasm_valtype_new_i32());
  return wasm_func_as_extern(wasm_func_new(store, type, report));
}

static wasm_extern_t *find_import(const struct import *import, const wasm_importtype_t *wanted) {
  for (; import->module; import++)
    if (is(wasm_importtype_module(wanted), import->module) && is(wasm_importtype_name(wanted), import->name))
      return import->from < 0 ? find_host(import) : find_export(import->from, import->name);
  wasm_externkind_t kind = wasm_externtype_kind(wasm_importtype_type(wanted));
  return kind == WASM_EXTERN_MEMORY ? memory : kind == WASM_EXTERN_TABLE ? table : stack_pointer;
}

static void instantiate(int index, const char *directory, const char *name, const struct import *imports) {
  char path[4096];
  wasm_byte_vec_t bytes;
  wasm_importtype_vec_t wanted;
  wasm_extern_t *given[64];
  snprintf(path, sizeof path, "%s/%s", directory, name);
  FILE *file = fopen(path, "rb");
  check(file && fseek(file, 0, SEEK_END) == 0, "cannot read", path);
  wasm_byte_vec_new_uninitialized(&bytes, (size_t)ftell(file));
  rewind(file);
  check(fread(bytes.data, 1, bytes.size, file) == bytes.size, "cannot read", path);
  fclose(file);
  wasm_module_t *module = wasm_module_new(store, &bytes);
  check(module, "cannot compile", path);
  wasm_module_imports(module, &wanted);
  wasm_module_exports(module, &names[index]);
  check(wanted.size <= sizeof given / sizeof *given, "imports too much", path);
  for (size_t i = 0; i < wanted.size; i++)
    check((given[i] = find_import(imports, wanted.data[i])), "imports what is not there yet", path);
  wasm_extern_vec_t all = {wanted.size, given};
  wasm_instance_t *instance = wasm_instance_new(store, module, &all, NULL);
  check(instance, "cannot instantiate", path);
  wasm_instance_exports(instance, &exports[index]);
}

int main(int argc, char **argv) {
  check(argc == 2, "usage", "load DIRECTORY");
  store = wasm_store_new(wasm_engine_new());
  wasm_limits_t pages = {LAYOUT_PAGES, wasm_limits_max_default}, functions = {LAYOUT_TABLE_SIZE, wasm_limits_max_default};
  wasm_val_t top = WASM_I32_VAL(LAYOUT_STACK_POINTER), cheapest = WASM_INIT_VAL;
  wasm_val_vec_t nothing = WASM_EMPTY_VEC, results = {1, &cheapest};
  wasm_globaltype_t *variable = wasm_globaltype_new(wasm_valtype_new_i32(), WASM_VAR);
  memory = wasm_memory_as_extern(wasm_memory_new(store, wasm_memorytype_new(&pages)));
  table = wasm_table_as_extern(wasm_table_new(store, wasm_tabletype_new(wasm_valtype_new_funcref(), &functions), NULL));
  stack_pointer = wasm_global_as_extern(wasm_global_new(store, variable, &top));
#define INSTANTIATE(M) instantiate(LAYOUT_##M##_INDEX, argv[1], LAYOUT_##M##_FILE, M##_imports);
#define CONSTRUCT(M) LAYOUT_##M##_CONSTRUCTORS ? call(LAYOUT_##M##_INDEX, LAYOUT_##M##_CONSTRUCTORS, &nothing) : (void)0;
  LAYOUT_INSTANTIATION_ORDER(INSTANTIATE)
  LAYOUT_INSTANTIATION_ORDER(CONSTRUCT)
  call(LAYOUT_STOCK_INDEX, "report_stock", &nothing);
  call(LAYOUT_STOCK_INDEX, "cheapest", &results);
  printf("cheapest: %s\n", text_at(cheapest.of.i32));
}
