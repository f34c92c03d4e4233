// The order in which modules that import from each other are instantiated.
#include <stdlib.h>

#include "link/link.h"

// The `index`th module that gives this one something; WS_HOST for what no module gives. False at the end.
static bool dependency(const struct ws_input *input, size_t index, size_t *from) {
  if (index < input->module->import_count) {
    *from = input->imports[index].from;
    return true;
  }
  index -= input->module->import_count;
  if (index >= input->module->external_count)
    return false;
  *from = input->externals[index].from;
  return true;
}

// An order that a depth-first search leaves the modules in.
struct visit {
  size_t parent, next; // the module that asked for it, and its dependency to look at next
  bool visited;
};

// Whether what comes too early for an import of it only needs functions, which can be given later.
static bool check_cycles(const struct ws_link *link, const struct visit *visits, struct ws_error *error) {
  for (size_t i = 0; i < link->count; i++) {
    const struct ws_input *input = &link->inputs[i];
    for (size_t k = 0; k < input->module->import_count; k++) {
      const struct ws_import *import = &input->module->imports[k];
      size_t from = input->imports[k].from;
      char name[128];
      if (from < link->count && import->kind != WS_FUNCTION && visits[from].next > visits[i].next)
        return ws_fail(error, input->module->file, NULL, WS_NO_OFFSET,
                       "imports the %s %s of %s, which needs this module first: only functions can be imported "
                       "in a circle",
                       ws_external_kind_name(import->kind), ws_printable(import->name, name, sizeof name),
                       link->inputs[from].module->file);
    }
  }
  return true;
}

static void search(struct ws_link *link, struct visit *visits) {
  size_t used = 0;
  for (size_t first = 0; first < link->count; first++) {
    if (visits[first].visited)
      continue;
    visits[first] = (struct visit){.parent = WS_HOST, .visited = true};
    for (size_t at = first; at != WS_HOST;) {
      size_t from;
      if (!dependency(&link->inputs[at], visits[at].next++, &from)) {
        link->order[used++] = at;
        at = visits[at].parent;
      } else if (from < link->count && !visits[from].visited) {
        visits[from] = (struct visit){.parent = at, .visited = true};
        at = from;
      }
    }
  }
}

bool ws_find_order(struct ws_link *link, struct ws_error *error) {
  struct visit *visits = calloc(link->count + 1, sizeof *visits);
  link->order = ws_arena_new(&link->arena, link->count, sizeof *link->order);
  bool ok = (visits && link->order) || ws_fail_memory(error, "");
  if (ok) {
    search(link, visits);
    for (size_t i = 0; i < link->count; i++)
      visits[link->order[i]].next = i;
    ok = check_cycles(link, visits, error);
  }
  free(visits);
  return ok;
}
