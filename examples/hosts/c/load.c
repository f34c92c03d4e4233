// load DIRECTORY: runs the modules of layout.h on one memory, through wasm.h, the C API that wasmi, wasmtime and others have.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <wasm.h>

#include "layout.h"

// What layout.h lists: imports of each module, and the modules.
struct import {
  const char *module, *name;
  int from; // index of the module that exports it, or -1
};
#define IMPORT(module, name, kind, from, deferred) {module, name, from},
#define IMPORTS(M) static const struct import M##_imports[] = {LAYOUT_##M##_IMPORTS(IMPORT){0}};
LAYOUT_MODULES(IMPORTS)

static struct module {
  const char *name, *file, *constructors;
  const struct import *imports;
  wasm_exporttype_vec_t names;
  wasm_extern_vec_t exports;
} modules[] = {
#define MODULE(M) {LAYOUT_##M##_NAME, LAYOUT_##M##_FILE, LAYOUT_##M##_CONSTRUCTORS, M##_imports, {0}, {0}},
    LAYOUT_MODULES(MODULE)};

static wasm_store_t *store;
static wasm_memory_t *memory;
static wasm_global_t *stack_pointer;
static wasm_table_t *table;

static void check(bool ok, const char *what, const char *name) {
  if (ok)
    return;
  fprintf(stderr, "load: %s: %s\n", what, name);
  exit(1);
}

static bool is(const wasm_name_t *name, const char *text) {
  return name->size == strlen(text) && memcmp(name->data, text, name->size) == 0;
}

static const char *text_at(int32_t address) {
  return wasm_memory_data(memory) + (uint32_t)address;
}

static wasm_extern_t *export_of(const struct module *module, const char *name) {
  for (size_t i = 0; i < module->names.size; i++)
    if (is(wasm_exporttype_name(module->names.data[i]), name))
      return module->exports.data[i];
  return NULL;
}

static void call(const struct module *module, const char *name, wasm_val_vec_t *results) {
  wasm_extern_t *found = export_of(module, name);
  wasm_val_vec_t none = WASM_EMPTY_VEC;
  check(found && !wasm_func_call(wasm_extern_as_func(found), &none, results), "cannot call", name);
}

// --------------------------------------------------------------------------------------------------- the host's function

static wasm_trap_t *report(const wasm_val_vec_t *args, wasm_val_vec_t *results) {
  (void)results;
  printf("%-8s %2d\n", text_at(args->data[0].of.i32), args->data[1].of.i32);
  return NULL;
}

static wasm_extern_t *host(const struct import *import) {
  check(strcmp(import->module, "host") == 0 && strcmp(import->name, "report") == 0, "is not given", import->name);
  wasm_functype_t *type = wasm_functype_new_2_0(wasm_valtype_new_i32(), wasm_valtype_new_i32());
  return wasm_func_as_extern(wasm_func_new(store, type, report));
}

// ------------------------------------------------------------------------------------------------------------ the modules

static wasm_extern_t *find(const struct module *module, const wasm_importtype_t *wanted) {
  for (const struct import *import = module->imports; import->module; import++)
    if (is(wasm_importtype_module(wanted), import->module) && is(wasm_importtype_name(wanted), import->name))
      return import->from < 0 ? host(import) : export_of(&modules[import->from], import->name);
  switch (wasm_externtype_kind(wasm_importtype_type(wanted))) {
  case WASM_EXTERN_MEMORY:
    return wasm_memory_as_extern(memory);
  case WASM_EXTERN_TABLE:
    return wasm_table_as_extern(table);
  default:
    return wasm_global_as_extern(stack_pointer);
  }
}

static void instantiate(struct module *module, const char *directory) {
  char path[4096];
  wasm_byte_vec_t bytes;
  wasm_importtype_vec_t wanted;
  wasm_extern_t *imports[64];
  snprintf(path, sizeof path, "%s/%s", directory, module->file);
  FILE *file = fopen(path, "rb");
  check(file && fseek(file, 0, SEEK_END) == 0, "cannot read", path);
  wasm_byte_vec_new_uninitialized(&bytes, (size_t)ftell(file));
  rewind(file);
  check(fread(bytes.data, 1, bytes.size, file) == bytes.size, "cannot read", path);
  fclose(file);

  wasm_module_t *compiled = wasm_module_new(store, &bytes);
  check(compiled, "cannot compile", path);
  wasm_module_imports(compiled, &wanted);
  wasm_module_exports(compiled, &module->names);
  check(wanted.size <= sizeof imports / sizeof *imports, "imports too much", path);
  for (size_t i = 0; i < wanted.size; i++)
    check((imports[i] = find(module, wanted.data[i])), "imports what is not there yet", path);
  wasm_extern_vec_t given = {wanted.size, imports};
  wasm_instance_t *instance = wasm_instance_new(store, compiled, &given, NULL);
  check(instance, "cannot instantiate", path);
  wasm_instance_exports(instance, &module->exports);
}

int main(int argc, char **argv) {
  check(argc == 2, "usage", "load DIRECTORY");
  store = wasm_store_new(wasm_engine_new());
  wasm_limits_t pages = {LAYOUT_PAGES, wasm_limits_max_default}, functions = {LAYOUT_TABLE_SIZE, wasm_limits_max_default};
  wasm_val_t top = WASM_I32_VAL(LAYOUT_STACK_POINTER);
  memory = wasm_memory_new(store, wasm_memorytype_new(&pages));
  table = wasm_table_new(store, wasm_tabletype_new(wasm_valtype_new_funcref(), &functions), NULL);
  stack_pointer = wasm_global_new(store, wasm_globaltype_new(wasm_valtype_new_i32(), WASM_VAR), &top);
#define INSTANTIATE(M) instantiate(&modules[LAYOUT_##M##_INDEX], argv[1]);
  LAYOUT_INSTANTIATION_ORDER(INSTANTIATE)
  wasm_val_vec_t nothing = WASM_EMPTY_VEC;
#define CONSTRUCT(M)                                                                                         \
  if (LAYOUT_##M##_CONSTRUCTORS)                                                                             \
    call(&modules[LAYOUT_##M##_INDEX], LAYOUT_##M##_CONSTRUCTORS, &nothing);
  LAYOUT_INSTANTIATION_ORDER(CONSTRUCT)

  const struct module *stock = &modules[LAYOUT_STOCK_INDEX];
  call(stock, "report_stock", &nothing);
  wasm_val_t cheapest = WASM_INIT_VAL;
  wasm_val_vec_t results = {1, &cheapest};
  call(stock, "cheapest", &results);
  printf("cheapest: %s\n", text_at(cheapest.of.i32));
}
