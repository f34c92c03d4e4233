// The order in which modules that import from each other are instantiated.
#include <stdlib.h>
#include <string.h>

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

// Whether all that a module needs is placed already: of what is not a function, or of all.
static bool is_ready(const struct ws_link *link, size_t module, const bool *placed, bool functions_too) {
  const struct ws_input *input = &link->inputs[module];
  for (size_t i = 0; i < input->module->import_count; i++) {
    size_t from = input->imports[i].from;
    if (from < link->count && !placed[from] &&
        (functions_too || input->module->imports[i].kind != WS_FUNCTION))
      return false;
  }
  for (size_t i = 0; i < input->changes.tag_count; i++)
    if (!placed[input->changes.tags[i].from])
      return false;
  return true;
}

// The first in `order` that is ready and not placed; WS_HOST if there is none.
static size_t find_ready(const struct ws_link *link, const size_t *order, const bool *placed,
                         bool functions_too) {
  for (size_t i = 0; i < link->count; i++)
    if (!placed[order[i]] && is_ready(link, order[i], placed, functions_too))
      return order[i];
  return WS_HOST;
}

// Modules need each other in a cycle, and not for functions only.
static bool fail_cycle(const struct ws_link *link, const bool *placed, struct ws_error *error) {
  for (size_t i = 0; i < link->count; i++) {
    const struct ws_input *input = &link->inputs[i];
    for (size_t k = 0; !placed[i] && k < input->module->import_count; k++) {
      const struct ws_import *import = &input->module->imports[k];
      size_t from = input->imports[k].from;
      char name[128];
      if (from < link->count && import->kind != WS_FUNCTION && !placed[from])
        return ws_fail(
            error, input->module->file, NULL, WS_NO_OFFSET,
            "imports the %s %s of %s, which needs this module first: only functions can be imported "
            "in a cycle",
            ws_external_kind_name(import->kind), ws_printable(import->name, name, sizeof name),
            link->inputs[from].module->file);
    }
  }
  return ws_fail(error, "", NULL, WS_NO_OFFSET, "modules need each other's tags in a cycle");
}

// What is not a function is needed at once; a function can come later. So modules are ordered by the former,
// and by the latter as far as that goes.
static bool arrange(struct ws_link *link, bool *placed, const size_t *wanted, struct ws_error *error) {
  for (size_t i = 0; i < link->count; i++) {
    size_t next = find_ready(link, wanted, placed, true);
    if (next == WS_HOST)
      next = find_ready(link, wanted, placed, false);
    if (next == WS_HOST)
      return fail_cycle(link, placed, error);
    placed[next] = true;
    link->order[i] = next;
  }
  return true;
}

// Whether nothing but functions comes too early.
static bool is_good(const struct ws_link *link, bool *placed) {
  bool good = true;
  for (size_t i = 0; i < link->count; i++) {
    good &= is_ready(link, link->order[i], placed, false);
    placed[link->order[i]] = true;
  }
  return good;
}

bool ws_find_order(struct ws_link *link, struct ws_error *error) {
  struct visit *visits = calloc(link->count + 1, sizeof *visits);
  size_t *wanted = calloc(link->count + 1, sizeof *wanted);
  bool *placed = calloc(link->count + 1, sizeof *placed);
  link->order = ws_arena_new(&link->arena, link->count, sizeof *link->order);
  bool ok = (visits && wanted && placed && link->order) || ws_fail_memory(error, "");
  if (ok) {
    search(link, visits);
    if (!is_good(link, placed)) {
      memcpy(wanted, link->order, link->count * sizeof *wanted);
      memset(placed, 0, link->count * sizeof *placed);
      ok = arrange(link, placed, wanted, error);
    }
  }
  free(visits);
  free(wanted);
  free(placed);
  return ok;
}
