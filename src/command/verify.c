// Written modules against their layout.json.
#include <dirent.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <jansson.h>

#include "command.h"

// The layout in a directory: layout.json, or the only .json there.
static char *find_layout(const char *path) {
  struct stat status;
  if (stat(path, &status) != 0 || !S_ISDIR(status.st_mode))
    return strdup(path);
  size_t size = strlen(path) + 256 + 16;
  char *found = malloc(size);
  if (!found)
    return NULL;
  snprintf(found, size, "%s/layout.json", path);
  if (stat(found, &status) == 0)
    return found;
  DIR *directory = opendir(path);
  unsigned count = 0;
  for (struct dirent *entry; directory && (entry = readdir(directory));) {
    size_t length = strlen(entry->d_name);
    if (length > 5 && strcmp(entry->d_name + length - 5, ".json") == 0 && count++ == 0)
      snprintf(found, size, "%s/%s", path, entry->d_name);
  }
  if (directory)
    closedir(directory);
  if (count == 1)
    return found;
  fail("%s: has %s", path, count ? "several layouts: name the .json to verify" : "no layout.json");
  free(found);
  return NULL;
}

// Reads a number that the schema requires. Sets *ok to false if it is not there.
static uint64_t number(const json_t *object, const char *key, bool *ok) {
  const json_t *value = json_object_get(object, key);
  if (!json_is_integer(value))
    *ok = false;
  return (uint64_t)json_integer_value(value);
}

static bool read_plan(const json_t *json, struct ws_plan *plan) {
  bool ok = true;
  const json_t *maximum = json_object_get(json, "maximumPages");
  plan->pages = number(json, "pages", &ok);
  plan->heap_base = number(json, "heapBase", &ok);
  plan->heap_end = number(json, "heapEnd", &ok);
  plan->has_maximum = json_is_integer(maximum);
  plan->maximum_pages = (uint64_t)json_integer_value(maximum);
  const json_t *stack = json_object_get(json, "stackPointer"), *table = json_object_get(json, "tableSize");
  plan->shared_stack = json_is_integer(stack);
  plan->stack_pointer = (uint64_t)json_integer_value(stack);
  plan->stack_low = (uint64_t)json_integer_value(json_object_get(json, "stackLow"));
  plan->shared_table = json_is_integer(table);
  plan->table_size = (uint64_t)json_integer_value(table);
  plan->shared = json_is_true(json_object_get(json, "shared"));
  plan->memory64 = json_is_true(json_object_get(json, "memory64"));
  return ok && json_integer_value(json_object_get(json, "version")) == 1 &&
         json_integer_value(json_object_get(json, "pageSize")) == WS_PAGE_SIZE;
}

static bool read_placement(const json_t *json, const struct ws_plan *plan, struct ws_placement *placement) {
  bool ok = true, no_stack = json_is_null(json_object_get(json, "stackPointer"));
  *placement = (struct ws_placement){
      .offset = number(json, "offset", &ok),
      .base = number(json, "memoryBase", &ok),
      .size = number(json, "memorySize", &ok),
      .stack_low = no_stack ? 0 : number(json, "stackLow", &ok),
      .stack_pointer = no_stack ? 0 : number(json, "stackPointer", &ok),
      .data_base = number(json, "dataBase", &ok),
      .data_end = number(json, "dataEnd", &ok),
      .heap_base = number(json, "heapBase", &ok),
      .heap_end = plan->heap_end,
      .table_base = number(json, "tableBase", &ok),
      .table_end = plan->table_size,
      .pages = plan->pages,
      .maximum_pages = plan->maximum_pages,
      .has_maximum = plan->has_maximum,
  };
  return ok && json_is_string(json_object_get(json, "file")) && json_is_string(json_object_get(json, "name"));
}

static bool inside(uint64_t start, uint64_t end, const struct ws_placement *placement) {
  return start >= placement->base && start <= end && end <= placement->base + placement->size;
}

// The numbers of the layout among themselves.
static bool check_ranges(const char *path, const json_t *modules, const struct ws_plan *plan,
                         const struct ws_placement *placements) {
  for (size_t i = 0; i < json_array_size(modules); i++) {
    const struct ws_placement *at = &placements[i];
    const char *name = json_string_value(json_object_get(json_array_get(modules, i), "name"));
    if (at->base + at->size < at->base || at->base + at->size > plan->heap_base) {
      fail("%s: module %s reaches beyond the heap base", path, name);
      return false;
    }
    if (plan->shared_stack && at->base < plan->stack_pointer && plan->stack_low < at->base + at->size) {
      fail("%s: module %s overlaps the stack", path, name);
      return false;
    }
    if (!plan->shared_stack && !inside(at->stack_low, at->stack_pointer, at) && at->stack_pointer) {
      fail("%s: the stack of module %s is outside its range", path, name);
      return false;
    }
    if (at->data_end != at->data_base && !inside(at->data_base, at->data_end, at)) {
      fail("%s: the data of module %s is outside its range", path, name);
      return false;
    }
    if (at->stack_pointer && at->data_base < at->stack_pointer && at->stack_low < at->data_end) {
      fail("%s: stack and data of module %s overlap", path, name);
      return false;
    }
    uint64_t size = (uint64_t)json_integer_value(json_object_get(json_array_get(modules, i), "tableSize"));
    if (plan->shared_table && (at->table_base + size > plan->table_size || at->table_base + size < size)) {
      fail("%s: the functions of module %s are outside the table", path, name);
      return false;
    }
    for (size_t k = 0; k < i; k++) {
      uint64_t other = (uint64_t)json_integer_value(json_object_get(json_array_get(modules, k), "tableSize"));
      if (plan->shared_table && at->table_base < placements[k].table_base + other &&
          placements[k].table_base < at->table_base + size) {
        fail("%s: the functions of modules %s and %s overlap in the table", path,
             json_string_value(json_object_get(json_array_get(modules, k), "name")), name);
        return false;
      }
      if (at->base < placements[k].base + placements[k].size && placements[k].base < at->base + at->size) {
        fail("%s: the modules %s and %s overlap", path,
             json_string_value(json_object_get(json_array_get(modules, k), "name")), name);
        return false;
      }
    }
  }
  if (plan->heap_base > plan->heap_end || plan->pages > UINT64_MAX / WS_PAGE_SIZE ||
      plan->heap_end != plan->pages * WS_PAGE_SIZE) {
    fail("%s: the heap does not end where the memory does", path);
    return false;
  }
  return true;
}

static bool verify_module(const char *path, const json_t *json, const struct ws_plan *plan,
                          const struct ws_placement *placement) {
  const char *name = json_string_value(json_object_get(json, "file")), *slash = strrchr(path, '/');
  size_t size = strlen(path) + strlen(name) + 2;
  char *file_path = malloc(size);
  struct input_file file = {0};
  struct ws_module *module = NULL;
  struct ws_error error;
  struct ws_read_options read = {.placed = true};
  if (!file_path)
    return fail("out of memory") == 0;
  snprintf(file_path, size, "%.*s%s", slash ? (int)(slash - path + 1) : 0, path, name);
  bool ok = open_input(file_path, &file);
  if (ok) {
    module = ws_module_read(file_path, file.bytes, file.size, &read, &error);
    ok = module && ws_check_placed(module, placement,
                                   (uint64_t)json_integer_value(json_object_get(json, "tableSize")), &error);
    if (!ok)
      fail_with(&error);
  }
  const json_t *import = json_object_get(json, "memoryImport");
  const char *import_module = json_string_value(json_object_get(import, "module"));
  const char *import_name = json_string_value(json_object_get(import, "name"));
  if (ok &&
      (!import_module || !import_name || strcmp(import_module, ws_module_info(module)->memory_module) != 0 ||
       strcmp(import_name, ws_module_info(module)->memory_name) != 0)) {
    fail("%s: imports its memory as %s.%s, but the layout says as %s.%s", file_path,
         ws_module_info(module)->memory_module, ws_module_info(module)->memory_name,
         import_module ? import_module : "?", import_name ? import_name : "?");
    ok = false;
  }
  if (ok && (ws_module_info(module)->shared != plan->shared ||
             ws_module_info(module)->memory64 != plan->memory64)) {
    fail("%s: its memory is of another kind than the layout's", file_path);
    ok = false;
  }
  ws_module_free(module);
  close_input(&file);
  free(file_path);
  return ok;
}

static bool verify_layout(const char *path, const json_t *json) {
  struct ws_plan plan;
  const json_t *modules = json_object_get(json, "modules");
  size_t count = json_array_size(modules);
  struct ws_placement *placements = calloc(count + 1, sizeof *placements);
  if (!placements)
    return fail("out of memory") == 0;
  bool ok = read_plan(json, &plan) && count > 0;
  for (size_t i = 0; i < count && ok; i++)
    ok = read_placement(json_array_get(modules, i), &plan, &placements[i]);
  if (!ok)
    fail("%s: is not a layout of this wasmshare (see docs/layout.md)", path);
  ok = ok && check_ranges(path, modules, &plan, placements);
  for (size_t i = 0; i < count && ok; i++)
    ok = verify_module(path, json_array_get(modules, i), &plan, &placements[i]);
  free(placements);
  return ok;
}

int command_verify(const struct options *options) {
  if (options->input_count != 1)
    return fail("verify: takes one layout");
  char *path = find_layout(options->inputs[0].path);
  if (!path)
    return 1;
  json_error_t error;
  json_t *json = json_load_file(path, JSON_REJECT_DUPLICATES, &error);
  bool ok = json != NULL;
  if (!ok)
    fail("%s: cannot be read: %s", path, error.text);
  ok = ok && verify_layout(path, json);
  json_decref(json);
  free(path);
  return ok ? 0 : 1;
}
