// Constructors: WASM_INIT_FUNCS of the linking sections.
#include "link/atoms.h"

#include <stdlib.h>

struct constructor {
  uint32_t priority, function;
  size_t order;
};

static int compare_constructors(const void *left, const void *right) {
  const struct constructor *a = left, *b = right;
  if (a->priority != b->priority)
    return a->priority < b->priority ? -1 : 1;
  return a->order < b->order ? -1 : a->order > b->order;
}

struct constructors {
  struct constructor *items;
  size_t count, capacity;
};

static bool read_init_functions(struct ws_merge *merge, uint32_t m, struct ws_reader *reader,
                                struct constructors *list) {
  const struct ws_merge_module *from = &merge->modules[m];
  uint32_t count = ws_read_uleb32(reader);
  for (uint32_t i = 0; i < count && !reader->bad; i++) {
    uint32_t priority = ws_read_uleb32(reader), symbol = ws_read_uleb32(reader);
    if (reader->bad || symbol >= from->module->symbol_count ||
        merge->symbols[from->first_symbol + symbol].kind != WS_EDGE_FUNCTION)
      return ws_merge_fail(merge, m, "linking", "names a constructor that does not exist");
    struct constructor *items = ws_make_room(list->items, list->count, &list->capacity, sizeof *items);
    if (!items)
      return ws_merge_fail_memory(merge);
    list->items = items;
    items[list->count] =
        (struct constructor){priority, merge->symbols[from->first_symbol + symbol].target, list->count};
    list->count++;
  }
  return !reader->bad || ws_merge_fail(merge, m, "linking", "malformed section");
}

static bool find_constructors(struct ws_merge *merge, uint32_t m, struct constructors *list) {
  const struct ws_section *section = ws_custom_section(merge->modules[m].module, "linking");
  struct ws_reader reader = ws_reader(section->content);
  ws_read_uleb32(&reader); // version
  while (!reader.bad && reader.at < reader.end) {
    uint8_t kind = ws_read_u8(&reader);
    struct ws_reader part = ws_reader(ws_read_name(&reader));
    if (!reader.bad && kind == WASM_INIT_FUNCS && !read_init_functions(merge, m, &part, list))
      return false;
  }
  return true;
}

// By priority, then in link order; one that is of several modules runs once.
bool ws_merge_order_constructors(struct ws_merge *merge) {
  struct constructors list = {0};
  bool ok = true;
  for (uint32_t m = 0; m < merge->module_count && ok; m++)
    ok = find_constructors(merge, m, &list);
  if (ok && list.count)
    qsort(list.items, list.count, sizeof *list.items, compare_constructors);
  bool *seen = calloc(merge->function_count + 1, sizeof *seen);
  merge->constructors = ws_arena_new(&merge->arena, list.count, sizeof *merge->constructors);
  if (ok && (!merge->constructors || !seen))
    ok = ws_merge_fail_memory(merge);
  for (size_t i = 0; i < list.count && ok; i++) {
    uint32_t function = list.items[i].function;
    if (!seen[function])
      merge->constructors[merge->constructor_count++] = function;
    seen[function] = true;
  }
  free(seen);
  free(list.items);
  return ok;
}
