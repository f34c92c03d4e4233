// Written modules against their layout.json.
#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <jansson.h>

#include "command/command.h"
#include "base/parts.h"

// The layout in a directory: layout.json, or the only .json there.
static char *find_layout(const char *path) {
  struct stat status;
  if (stat(path, &status) != 0 || !S_ISDIR(status.st_mode))
    return xprintf("%s", path);
  char *found = xprintf("%s/layout.json", path);
  if (stat(found, &status) == 0)
    return found;
  DIR *directory = opendir(path);
  unsigned count = 0;
  bool ok = directory || fail("%s: cannot read: %s", path, strerror(errno));
  for (struct dirent *entry; directory && (entry = readdir(directory));) {
    size_t length = strlen(entry->d_name);
    if (length > 5 && strcmp(entry->d_name + length - 5, ".json") == 0 && count++ == 0) {
      free(found);
      found = xprintf("%s/%s", path, entry->d_name);
    }
  }
  if (directory)
    closedir(directory);
  if (count == 1)
    return found;
  if (ok)
    fail("%s: has %s", path, count ? "several layouts: name the .json to verify" : "no layout.json");
  free(found);
  return NULL;
}

static const char *text(const json_t *object, const char *key) {
  return json_string_value(json_object_get(object, key));
}

// A number, or 0.
static uint64_t optional(const json_t *object, const char *key) {
  return (uint64_t)json_integer_value(json_object_get(object, key));
}

static bool read_plan(const json_t *json, struct ws_plan *plan) {
  return read_fields(plan_fields, json, plan) && json_integer_value(json_object_get(json, "version")) == 1 &&
         json_integer_value(json_object_get(json, "pageSize")) == WS_PAGE_SIZE;
}

// A module of the layout.
struct written {
  const json_t *json;
  const char *name;
  struct module_numbers numbers;
  char *path;
  struct input_file file;
  struct ws_module *module;
};

static bool is_heap_class(const char *name) {
  for (unsigned i = 0; name && ws_heap_class_name((enum ws_heap_class)i); i++)
    if (strcmp(ws_heap_class_name((enum ws_heap_class)i), name) == 0)
      return true;
  return false;
}

static bool read_entry(const json_t *json, const struct ws_plan *plan, struct written *written) {
  struct ws_placement *at = &written->numbers.at;
  written->json = json;
  written->name = text(json, "name");
  if (!written->name || !text(json, "file") || !is_heap_class(text(json, "heap")) ||
      !read_fields(module_fields, json, &written->numbers))
    return false;
  at->table_end = plan->table_size;
  at->pages = plan->pages;
  at->maximum_pages = plan->maximum_pages;
  at->has_maximum = plan->has_maximum;
  return true;
}

static bool overlap(uint64_t start, uint64_t end, uint64_t other_start, uint64_t other_end) {
  return start < other_end && other_start < end;
}

static bool inside(uint64_t start, uint64_t end, const struct ws_placement *placement) {
  return start >= placement->base && start <= end && end <= placement->base + placement->size;
}

// Where a module is, in the memory and the table.
static bool check_range(const char *path, const struct ws_plan *plan, const struct written *written) {
  const struct ws_placement *at = &written->numbers.at;
  const char *name = written->name;
  uint64_t end = at->base + at->size, table_end = at->table_base + at->table_size;
  bool has_data = at->data_end != at->data_base;
  if (end < at->base || end > plan->heap_base)
    return fail("%s: module %s reaches beyond the heap base", path, name);
  if (plan->thread_count &&
      overlap(at->base, end, plan->thread_base, plan->thread_base + plan->thread_count * plan->thread_size))
    return fail("%s: module %s overlaps the threads' areas", path, name);
  if (plan->shared_stack && overlap(at->base, end, plan->stack_low, plan->stack_pointer))
    return fail("%s: module %s overlaps the stack", path, name);
  if (!plan->shared_stack && at->stack_pointer && !inside(at->stack_low, at->stack_pointer, at))
    return fail("%s: the stack of module %s is outside its range", path, name);
  if (has_data && !inside(at->data_base, at->data_end, at))
    return fail("%s: the data of module %s is outside its range", path, name);
  if (has_data && overlap(at->data_base, at->data_end, at->stack_low, at->stack_pointer))
    return fail("%s: stack and data of module %s overlap", path, name);
  if (plan->shared_table && (table_end > plan->table_size || table_end < at->table_base))
    return fail("%s: the functions of module %s are outside the table", path, name);
  return true;
}

static bool check_pair(const char *path, const struct ws_plan *plan, const struct written *first,
                       const struct written *second) {
  const struct ws_placement *a = &first->numbers.at, *b = &second->numbers.at;
  if (plan->shared_table &&
      overlap(a->table_base, a->table_base + a->table_size, b->table_base, b->table_base + b->table_size))
    return fail("%s: the functions of modules %s and %s overlap in the table", path, first->name,
                second->name);
  if (overlap(a->base, a->base + a->size, b->base, b->base + b->size))
    return fail("%s: the modules %s and %s overlap", path, first->name, second->name);
  return true;
}

// The numbers of the layout among themselves.
static bool check_ranges(const char *path, const struct ws_plan *plan, const struct written *all,
                         size_t count) {
  for (size_t i = 0; i < count; i++) {
    if (!check_range(path, plan, &all[i]))
      return false;
    for (size_t k = 0; k < i; k++)
      if (!check_pair(path, plan, &all[k], &all[i]))
        return false;
  }
  uint64_t threads_end = plan->thread_base + plan->thread_count * plan->thread_size;
  if (plan->thread_count &&
      (plan->thread_size > plan->heap_base / plan->thread_count || threads_end > plan->heap_base ||
       threads_end < plan->thread_base || plan->thread_stack_size > plan->thread_size))
    return fail("%s: the threads' areas are not below the heap", path);
  if (plan->heap_base > plan->heap_end || plan->pages > UINT64_MAX / WS_PAGE_SIZE ||
      plan->heap_end != plan->pages * WS_PAGE_SIZE)
    return fail("%s: the heap does not end where the memory does", path);
  return true;
}

static bool open_module(const char *layout_path, struct ws_link *link, struct written *written) {
  const char *name = text(written->json, "file"), *slash = strrchr(layout_path, '/');
  struct ws_error error;
  struct ws_read_options read = {WS_OPTIONS(read), .placed = true};
  written->path = xprintf("%.*s%s", slash ? (int)(slash - layout_path + 1) : 0, layout_path, name);
  if (!open_input(written->path, &written->file))
    return false;
  written->module = ws_module_read(written->path, written->file.bytes, written->file.size, &read, &error);
  return (written->module && ws_link_add(link, written->module, written->name, &error)) || fail_with(&error);
}

static bool check_pointers(const struct written *written, const struct ws_plan *plan) {
  const json_t *listed = json_object_get(written->json, "bindings");
  const struct ws_module_info *info = ws_module_info(written->module);
  size_t count = json_array_size(listed);
  struct ws_binding *bindings = xcalloc(count + info->global_count + 1, sizeof *bindings);
  struct ws_error error;
  for (size_t i = 0; i < count; i++)
    bindings[i].address = optional(json_array_get(listed, i), "address");
  // In one program, a GOT global may hold what is another module's.
  for (size_t i = 0; plan->shared_stack && i < info->global_count; i++)
    if (info->globals[i].value < plan->heap_base)
      bindings[count++].address = info->globals[i].value;
  bool ok = ws_check_placed(written->module, &written->numbers.at, bindings, count, &error);
  free(bindings);
  return ok || fail_with(&error);
}

static bool check_module(const struct ws_link *link, size_t index, const struct written *written,
                         const struct ws_plan *plan) {
  const struct ws_module_info *info = ws_module_info(written->module);
  if (!check_pointers(written, plan))
    return false;
  const json_t *import = json_object_get(written->json, "memoryImport");
  const char *module = text(import, "module"), *name = text(import, "name");
  if (!module || !name || strcmp(module, info->memory_module) != 0 || strcmp(name, info->memory_name) != 0)
    return fail("%s: imports its memory as %s.%s, but the layout says as %s.%s", written->path,
                info->memory_module, info->memory_name, module ? module : "?", name ? name : "?");
  const char *constructors = constructors_of(link, index), *said = text(written->json, "constructors");
  if (!constructors != !said || (said && strcmp(constructors, said) != 0))
    return fail("%s: exports %s to run its constructors, but the layout says %s", written->path,
                constructors ? constructors : "nothing", said ? said : "nothing");
  if (info->shared != plan->shared || info->memory64 != plan->memory64)
    return fail("%s: its memory is of another kind than the layout's", written->path);
  if (plan->thread_count && info->tls_size) {
    uint64_t offset = written->numbers.at.tls_offset;
    if (offset < plan->thread_stack_size || offset > plan->thread_size ||
        info->tls_size > plan->thread_size - offset ||
        (plan->thread_base + offset) % info->tls_alignment != 0)
      return fail("%s: its thread-local variables are outside the threads' areas", written->path);
  }
  return true;
}

static const struct written *find_written(const struct written *all, size_t count, const char *name) {
  for (size_t i = 0; name && i < count; i++)
    if (strcmp(all[i].name, name) == 0)
      return &all[i];
  return NULL;
}

// The place of a module in the order of instantiation; SIZE_MAX if it has none.
static size_t place_in(const json_t *order, const char *name) {
  for (size_t i = 0; i < json_array_size(order); i++)
    if (json_is_string(json_array_get(order, i)) &&
        strcmp(json_string_value(json_array_get(order, i)), name) == 0)
      return i;
  return SIZE_MAX;
}

// What comes from a module that is instantiated later is said to, and is a function: a host can put another
// in between.
static bool check_deferred(const json_t *order, const struct written *written, const json_t *import,
                           const struct written *exporter) {
  bool later = exporter && place_in(order, exporter->name) > place_in(order, written->name);
  if (json_is_true(json_object_get(import, "deferred")) != later)
    return fail("%s: imports %s.%s from %s, which %s: not so the layout", written->path,
                text(import, "module"), text(import, "name"), exporter ? exporter->name : "the host",
                later ? "is instantiated later" : "is there already");
  return !later || strcmp(text(import, "kind"), "function") == 0 ||
         fail("%s: imports %s.%s, which is no function, from %s, which is instantiated later", written->path,
              text(import, "module"), text(import, "name"), exporter->name);
}

// What the module imports is what the layout says, and so is what is exported by the module that it comes
// from.
static bool check_imports(const struct ws_link *link, const struct written *all, size_t count,
                          const json_t *order, const struct written *written) {
  size_t index = (size_t)(written - all);
  const json_t *imports = json_object_get(written->json, "imports");
  struct ws_import_info import;
  size_t i = 0;
  for (; ws_link_import(link, index, i, &import); i++) {
    const json_t *json = json_array_get(imports, i);
    const char *module = text(json, "module"), *name = text(json, "name"), *kind = text(json, "kind");
    if (!module || !name || !kind || strcmp(module, import.module) != 0 || strcmp(name, import.name) != 0 ||
        strcmp(kind, ws_external_kind_name(import.kind)) != 0)
      return fail("%s: imports the %s %s.%s, but not so the layout", written->path,
                  ws_external_kind_name(import.kind), import.module, import.name);
    const char *from = text(json, "from");
    const struct written *exporter = find_written(all, count, from);
    if (from && (!exporter || !ws_link_import_matches(link, index, i, (size_t)(exporter - all))))
      return fail("%s: imports the %s %s.%s, which %s does not export with that type", written->path,
                  ws_external_kind_name(import.kind), import.module, import.name, from);
    if (!check_deferred(order, written, json, exporter))
      return false;
  }
  return json_array_size(imports) == i || fail("%s: does not import all that the layout says", written->path);
}

// Variables of other modules are where those have their data.
static bool check_bindings(const struct written *all, size_t count, const struct written *written) {
  size_t i;
  json_t *binding;
  json_array_foreach(json_object_get(written->json, "bindings"), i, binding) {
    const char *name = text(binding, "name");
    const struct written *definer = find_written(all, count, text(binding, "from"));
    uint64_t address = optional(binding, "address");
    const struct ws_placement *at = definer ? &definer->numbers.at : NULL;
    if (!name || !at || address < at->data_base || address > at->data_end)
      return fail("%s: uses the variable %s, which is not in the data of %s", written->path,
                  name ? name : "?", definer ? definer->name : "any module");
    const struct ws_module_info *info = ws_module_info(definer->module);
    for (size_t k = 0; k < info->global_count; k++)
      if (strcmp(info->globals[k].name, name) == 0 && info->globals[k].value != address)
        return fail("%s: uses the variable %s at 0x%" PRIx64 ", but %s exports it at 0x%" PRIx64,
                    written->path, name, address, definer->path, info->globals[k].value);
  }
  return true;
}

// Every module once.
static bool check_order(const char *path, const json_t *order, const struct written *all, size_t count) {
  bool ok = json_array_size(order) == count;
  for (size_t i = 0; i < count && ok; i++)
    ok = place_in(order, all[i].name) != SIZE_MAX;
  return ok || fail("%s: the instantiation order does not have every module once", path);
}

// What is one and what stays apart is of modules of the layout.
static bool check_program(const char *path, const json_t *json, const struct written *all, size_t count) {
  const json_t *merged = json_object_get(json, "merged"), *apart = json_object_get(json, "apart");
  bool ok = json_is_array(merged) && json_is_array(apart);
  for (size_t i = 0; i < json_array_size(merged) && ok; i++) {
    const json_t *one = json_array_get(merged, i);
    ok = text(one, "name") && text(one, "kind") && find_written(all, count, text(one, "module"));
  }
  for (size_t i = 0; i < json_array_size(apart) && ok; i++) {
    const json_t *kept = json_array_get(apart, i), *modules = json_object_get(kept, "modules");
    ok = text(kept, "name") && text(kept, "reason") && json_array_size(modules) == 2;
    for (size_t k = 0; k < 2 && ok; k++)
      ok = find_written(all, count, json_string_value(json_array_get(modules, k)));
  }
  return ok || fail("%s: says that names are one, or apart, that are not of its modules", path);
}

// The modules themselves, which are added to a link as they are opened.
static bool check_modules(const char *path, const struct ws_plan *plan, const json_t *order,
                          struct written *all, size_t count) {
  struct ws_error error;
  struct ws_link_options options = {WS_OPTIONS(options), .share_stack = plan->shared_stack};
  struct ws_link *link = ws_link_new(&options, &error);
  bool ok = link || fail_with(&error);
  for (size_t i = 0; i < count && ok; i++)
    ok = open_module(path, link, &all[i]) && check_module(link, i, &all[i], plan);
  for (size_t i = 0; i < count && ok; i++)
    ok = check_imports(link, all, count, order, &all[i]) && check_bindings(all, count, &all[i]);
  ws_link_free(link);
  return ok;
}

// ------------------------------------------------------------------------------------------------ the one
// file

// Whether two texts are the same, or both are missing.
static bool same_text(const char *a, const char *b) {
  return !a == !b && (!a || strcmp(a, b) == 0);
}

// The one file of --single, read.
struct read_single {
  struct input_file bytes;
  struct ws_module *module;
  struct ws_link *link; // of that module alone
};

// What was opened is to be closed, on failure too.
static bool open_single(struct read_single *single, const char *path) {
  struct ws_error error;
  struct ws_link_options options = {WS_OPTIONS(options)};
  struct ws_read_options read = {WS_OPTIONS(read), .skip_heap = true};
  if (!open_input(path, &single->bytes))
    return false;
  single->module = ws_module_read(path, single->bytes.bytes, single->bytes.size, &read, &error);
  single->link = single->module ? ws_link_new(&options, &error) : NULL;
  return (single->link && ws_link_add(single->link, single->module, "", &error)) || fail_with(&error);
}

static void close_single(struct read_single *single) {
  ws_link_free(single->link);
  ws_module_free(single->module);
  close_input(&single->bytes);
}

static bool check_single_imports(const struct read_single *single, const char *file, const json_t *imports) {
  struct ws_import_info import;
  size_t i = 0;
  for (; ws_link_import(single->link, 0, i, &import); i++) {
    const json_t *json = json_array_get(imports, i);
    if (!same_text(text(json, "module"), import.module) || !same_text(text(json, "name"), import.name) ||
        !same_text(text(json, "kind"), ws_external_kind_name(import.kind)))
      return fail("%s: imports the %s %s.%s, but not so the layout", file, ws_external_kind_name(import.kind),
                  import.module, import.name);
  }
  return json_array_size(imports) == i || fail("%s: does not import all that the layout says", file);
}

static bool check_single_memory(const struct read_single *single, const char *file,
                                const struct ws_plan *plan, const json_t *import) {
  const struct ws_module_info *info = ws_module_info(single->module);
  bool imports = info->imports_memory;
  if (!same_text(text(import, "module"), imports ? info->memory_module : NULL) ||
      !same_text(text(import, "name"), imports ? info->memory_name : NULL))
    return fail("%s: %s its memory, but not so the layout", file, imports ? "imports" : "defines");
  if (!info->has_memory || info->shared != plan->shared || info->memory64 != plan->memory64)
    return fail("%s: its memory is of another kind than the layout's", file);
  if (info->memory_minimum != plan->pages || info->has_maximum != plan->has_maximum ||
      (plan->has_maximum && info->memory_maximum != plan->maximum_pages))
    return fail("%s: its memory has other limits than the layout's", file);
  return true;
}

static bool check_single_file(const struct read_single *single, const char *file, const struct ws_plan *plan,
                              const json_t *json) {
  const char *constructors = constructors_of(single->link, 0), *said = text(json, "constructors");
  if (!same_text(constructors, said))
    return fail("%s: exports %s to run its constructors, but the layout says %s", file,
                constructors ? constructors : "nothing", said ? said : "nothing");
  return check_single_memory(single, file, plan, json_object_get(json, "memoryImport")) &&
         check_single_imports(single, file, json_object_get(json, "imports"));
}

static bool exports_any(const struct read_single *single, const char *name) {
  for (int kind = WS_FUNCTION; kind <= WS_TAG; kind++)
    if (ws_link_exports(single->link, 0, (enum ws_external_kind)kind, name))
      return true;
  return false;
}

// What the modules export, the file exports.
static bool check_single_exports(const struct read_single *single, const char *file, const json_t *modules) {
  for (size_t i = 0; i < json_array_size(modules); i++) {
    const json_t *exports = json_object_get(json_array_get(modules, i), "exports");
    for (size_t k = 0; k < json_array_size(exports); k++) {
      const char *name = json_string_value(json_array_get(exports, k));
      if (!name || !exports_any(single, name))
        return fail("%s: does not export %s, but the layout says that %s does", file, name ? name : "it",
                    text(json_array_get(modules, i), "name"));
    }
  }
  return true;
}

// The modules have names and exports alone, and nothing is of others.
static bool check_single_names(const char *path, const json_t *json) {
  const json_t *modules = json_object_get(json, "modules");
  size_t count = json_array_size(modules);
  struct written *all = xcalloc(count + 1, sizeof *all);
  bool ok = count > 0;
  for (size_t i = 0; i < count && ok; i++)
    ok = (all[i].name = text(json_array_get(modules, i), "name")) != NULL &&
         json_is_array(json_object_get(json_array_get(modules, i), "exports"));
  ok = (ok || fail("%s: is not a layout of this wasmshare (see docs/layout.md)", path)) &&
       check_program(path, json, all, count);
  free(all);
  return ok;
}

static bool verify_single(const char *path, const json_t *json) {
  struct ws_plan plan = {0};
  struct read_single single = {.module = NULL};
  const json_t *described = json_object_get(json, "single");
  const char *name = text(described, "file"), *slash = strrchr(path, '/');
  if (!name || !read_plan(json, &plan))
    return fail("%s: is not a layout of this wasmshare (see docs/layout.md)", path);
  if (plan.stack_low > plan.stack_pointer || plan.stack_pointer > plan.heap_base)
    return fail("%s: the stack is not below the heap", path);
  if (!check_ranges(path, &plan, NULL, 0) || !check_single_names(path, json))
    return false;
  char *file = xprintf("%.*s%s", slash ? (int)(slash - path + 1) : 0, path, name);
  bool ok = open_single(&single, file) && check_single_file(&single, file, &plan, described) &&
            check_single_exports(&single, file, json_object_get(json, "modules"));
  close_single(&single);
  free(file);
  return ok;
}

static bool verify_layout(const char *path, const json_t *json) {
  if (json_object_get(json, "single"))
    return verify_single(path, json);
  struct ws_plan plan = {0};
  const json_t *modules = json_object_get(json, "modules"),
               *order = json_object_get(json, "instantiationOrder");
  size_t count = json_array_size(modules);
  struct written *all = xcalloc(count + 1, sizeof *all);
  bool ok = read_plan(json, &plan) && count > 0;
  for (size_t i = 0; i < count && ok; i++)
    ok = read_entry(json_array_get(modules, i), &plan, &all[i]);
  if (!ok)
    fail("%s: is not a layout of this wasmshare (see docs/layout.md)", path);
  ok = ok && check_ranges(path, &plan, all, count) && check_order(path, order, all, count) &&
       check_program(path, json, all, count) && check_modules(path, &plan, order, all, count);
  for (size_t i = 0; i < count; i++) {
    ws_module_free(all[i].module);
    close_input(&all[i].file);
    free(all[i].path);
  }
  free(all);
  return ok;
}

static bool is_module(const struct input_file *file) {
  return file->size >= 4 && memcmp(file->bytes, "\0asm", 4) == 0;
}

// A prepared module vouches for itself: reading it checks its digest and its pointers.
static bool verify_prepared(const struct input_file *file) {
  struct ws_error error;
  struct ws_module *module = ws_module_read(file->path, file->bytes, file->size, NULL, &error);
  if (!module)
    return fail_with(&error);
  bool prepared = ws_module_info(module)->prepared;
  ws_module_free(module);
  return prepared ||
         fail("%s: is a module, and not a prepared one: verify checks those, and layouts", file->path);
}

static bool verify_file(const struct input_file *file) {
  if (is_module(file))
    return verify_prepared(file);
  json_error_t error;
  json_t *json =
      json_loadb(file->size ? (const char *)file->bytes : "", file->size, JSON_REJECT_DUPLICATES, &error);
  if (!json)
    return fail("%s: is no layout.json: line %d: %s", file->path, error.line, error.text);
  bool ok = verify_layout(file->path, json);
  json_decref(json);
  return ok;
}

bool command_verify(const struct options *options) {
  if (options->input_count != 1)
    return fail("verify: takes one layout");
  char *path = find_layout(options->inputs[0].path);
  struct input_file file = {0};
  bool ok = path && open_input(path, &file) && ws_has_verify && verify_file(&file);
  close_input(&file);
  free(path);
  return ok;
}
