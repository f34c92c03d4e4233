// The order in which modules that import from each other are instantiated.
#include <stdlib.h>

#include "read/module.h"

// The `index`th module that gives this one something; WS_HOST for what no module gives. False at the end.
static bool dependency(const struct ws_module *module, size_t index, size_t *from) {
  if (index < module->import_count) {
    *from = module->imports[index].from;
    return true;
  }
  index -= module->import_count;
  if (index >= module->external_count)
    return false;
  *from = module->externals[index].from;
  return true;
}

// An order that a depth-first search leaves the modules in.
struct visit {
  size_t parent, next; // the module that asked for it, and its dependency to look at next
  bool visited;
};

bool ws_instantiation_order(struct ws_module *const *modules, size_t count, size_t *order,
                            struct ws_error *error) {
  struct visit *visits = calloc(count + 1, sizeof *visits);
  if (!visits)
    return ws_fail_memory(error, "");
  size_t used = 0;
  for (size_t first = 0; first < count; first++) {
    if (visits[first].visited)
      continue;
    visits[first] = (struct visit){.parent = WS_HOST, .visited = true};
    for (size_t at = first; at != WS_HOST;) {
      size_t from;
      if (!dependency(modules[at], visits[at].next++, &from)) {
        order[used++] = at;
        at = visits[at].parent;
      } else if (from < count && !visits[from].visited) {
        visits[from] = (struct visit){.parent = at, .visited = true};
        at = from;
      }
    }
  }
  for (size_t i = 0; i < count; i++)
    visits[order[i]].next = i;
  bool ok = true;
  for (size_t i = 0; i < count && ok; i++) {
    for (size_t k = 0; k < modules[i]->import_count && ok; k++) {
      const struct ws_import *import = &modules[i]->imports[k];
      char name[128];
      if (import->from < count && import->kind != WS_FUNCTION && visits[import->from].next > visits[i].next)
        ok = ws_fail(error, modules[i]->file, NULL, WS_NO_OFFSET,
                     "imports the %s %s of %s, which needs this module first: only functions can be imported "
                     "in a circle",
                     ws_external_kind_name(import->kind), ws_printable(import->name, name, sizeof name),
                     modules[import->from]->file);
    }
  }
  free(visits);
  return ok;
}
