// What a module must export for others.
#include <stdlib.h>

#include "link/link.h"
#include "link/names.h"

struct needs {
  struct ws_slice *names;
  size_t count, capacity;
};

static bool add(struct needs *needs, struct ws_slice name) {
  struct ws_slice *names = ws_make_room(needs->names, needs->count, &needs->capacity, sizeof *names);
  if (!names)
    return false;
  needs->names = names;
  names[needs->count++] = name;
  return true;
}

static int compare_names(const void *a, const void *b) {
  return ws_slice_compare(*(const struct ws_slice *)a, *(const struct ws_slice *)b);
}

// Whether another user has it, so that it need not come from the library.
static bool has_export(const struct ws_link *link, size_t user, size_t library,
                       const struct ws_import *import) {
  for (size_t i = 0; i < link->count; i++) {
    const struct ws_export *export =
        i == user || i == library ? NULL : ws_find_export(link->inputs[i].module, import->name);
    if (export && export->kind == import->kind)
      return true;
  }
  return false;
}

static bool has_variable(const struct ws_link *link, size_t user, size_t library, struct ws_slice name) {
  for (size_t i = 0; i < link->count; i++)
    if (i != user && i != library && ws_find_variable(link->inputs[i].module, name))
      return true;
  return false;
}

static bool is_asked_of(const struct ws_link *link, size_t user, size_t library,
                        const struct ws_import *import) {
  if (import->kind == WS_MEMORY || import->kind == WS_TABLE || ws_comes_from_host(&link->options, import))
    return false;
  if (ws_slice_is(import->module, link->inputs[library].name))
    return true;
  return ws_slice_is(import->module, "env") && !ws_slice_is(import->name, "__stack_pointer") &&
         !has_export(link, user, library, import);
}

static bool list_needs(const struct ws_link *link, size_t user, size_t library, struct needs *needs) {
  const struct ws_module *module = link->inputs[user].module;
  for (size_t i = 0; i < module->import_count; i++)
    if (is_asked_of(link, user, library, &module->imports[i]) && !add(needs, module->imports[i].name))
      return false;
  for (size_t i = 0; i < module->external_count; i++) {
    struct ws_slice name = module->symbols[module->externals[i].symbol].name;
    if (module->externals[i].first && !has_variable(link, user, library, name) && !add(needs, name))
      return false;
  }
  return true;
}

bool ws_link_needs(const struct ws_link *link, size_t module,
                   void (*tell)(void *context, const char *name, size_t size), void *context,
                   struct ws_error *error) {
  struct needs needs = {0};
  bool ok = true;
  for (size_t i = 0; i < link->count && ok; i++)
    ok = i == module || list_needs(link, i, module, &needs) || ws_fail_memory(error, "");
  if (needs.count)
    qsort(needs.names, needs.count, sizeof *needs.names, compare_names);
  for (size_t i = 0; i < needs.count && ok; i++)
    if (i == 0 || compare_names(&needs.names[i - 1], &needs.names[i]) != 0)
      tell(context, (const char *)needs.names[i].data, needs.names[i].size);
  free(needs.names);
  return ok;
}
