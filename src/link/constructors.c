// The constructors of one file: functions of the merged module.
#include "link/atoms.h"

#include "link/start.h"

static bool list_constructors(struct ws_merge *merge, struct ws_arena *scratch, struct ws_constructor **list,
                              size_t *count) {
  const struct ws_module **modules = ws_arena_new(scratch, merge->module_count, sizeof *modules);
  struct ws_one_symbol **of = ws_arena_new(scratch, merge->module_count, sizeof *of);
  if (!modules || !of)
    return ws_merge_fail_memory(merge);
  for (uint32_t m = 0; m < merge->module_count; m++) {
    modules[m] = merge->modules[m].module;
    of[m] = ws_arena_new(scratch, modules[m]->symbol_count, sizeof *of[m]);
    if (!of[m])
      return ws_merge_fail_memory(merge);
    for (uint32_t i = 0; i < modules[m]->symbol_count; i++)
      of[m][i] = ws_merge_one_of(merge, m, i);
  }
  const struct ws_one one = {.of = of};
  return ws_order_constructors(modules, merge->module_count, &one, scratch, list, count, merge->error);
}

bool ws_merge_order_constructors(struct ws_merge *merge) {
  struct ws_arena scratch = {0};
  struct ws_constructor *list;
  size_t count = 0;
  bool ok = list_constructors(merge, &scratch, &list, &count);
  merge->constructors = ok ? ws_arena_new(&merge->arena, count, sizeof *merge->constructors) : NULL;
  if (ok && !merge->constructors)
    ok = ws_merge_fail_memory(merge);
  for (size_t i = 0; i < count && ok; i++) {
    struct ws_one_symbol symbol = list[i].function;
    const struct ws_edge *edge = &merge->symbols[merge->modules[symbol.module].first_symbol + symbol.symbol];
    merge->constructors[merge->constructor_count++] = edge->target;
  }
  ws_arena_free(&scratch);
  return ok;
}
