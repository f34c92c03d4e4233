#include "link/merged_heaps.h"

#include "link/heaps.h"
#include "read/memory_users.h"

// ------------------------------------------------------------------------------------------------ what is
// left

static bool names_end(const struct ws_edge *edge) {
  return edge->kind == WS_EDGE_LINKER &&
         (edge->target == WS_MERGE_HEAP_BASE || edge->target == WS_MERGE_HEAP_END ||
          edge->target == WS_MERGE_DATA_END);
}

// Whether one of these edges names where the heap begins or ends, or a global that holds that.
static bool any_names_end(const struct ws_merge *merge, uint32_t first, uint32_t count) {
  for (uint32_t i = first; i < first + count; i++) {
    const struct ws_edge *edge = &merge->edges[i];
    const struct ws_merge_global *global =
        edge->kind == WS_EDGE_GLOBAL ? &merge->globals[edge->target] : NULL;
    if (names_end(edge) || (global && global->constant && names_end(&global->init)))
      return true;
  }
  return false;
}

static bool is_kept_body(const struct ws_merge *merge, const struct ws_merge_function *function) {
  return function->live && function->index != WS_NOTHING &&
         function->index >= merge->modules[function->module].module->imported_functions;
}

static bool uses_memory_size(const struct ws_merge *merge, const struct ws_merge_function *function) {
  const struct ws_module *module = merge->modules[function->module].module;
  return is_kept_body(merge, function) &&
         ws_uses_memory_size(module, function->index - module->imported_functions);
}

// What names neither the heap nor the memory's size, nor grows it, takes no memory, whatever its class was.
static void note_takers(const struct ws_merge *merge, struct ws_input *inputs) {
  for (size_t m = 0; m < merge->module_count; m++)
    inputs[m].takes_nothing = true;
  for (uint32_t i = 0; i < merge->first_synthetic; i++) {
    const struct ws_merge_function *function = &merge->functions[i];
    if (is_kept_body(merge, function) && (any_names_end(merge, function->first_edge, function->edge_count) ||
                                          uses_memory_size(merge, function)))
      inputs[function->module].takes_nothing = false;
  }
  for (uint32_t i = 0; i < merge->datum_count; i++) {
    const struct ws_merge_datum *datum = &merge->data[i];
    if (datum->live && any_names_end(merge, datum->first_edge, datum->edge_count))
      inputs[datum->module].takes_nothing = false;
  }
}

// ---------------------------------------------------------------------------------------------------
// decisions

bool ws_merge_has_view(const struct ws_merge *merge, const struct ws_merge_function *function) {
  return merge->heaps->inputs[function->module].placement.memory_view != WS_VIEW_WHOLE &&
         uses_memory_size(merge, function);
}

static bool check_views(const struct ws_merge *merge) {
  for (uint32_t i = 0; i < merge->first_synthetic; i++)
    if (ws_merge_has_view(merge, &merge->functions[i]))
      return ws_merge_fail(
          merge, merge->functions[i].module, NULL,
          "its heap: it takes all memory from __heap_base up, and another module grows the memory, which "
          "cannot be merged yet: combine them with --link, or without --single");
  return true;
}

bool ws_merge_choose_heaps(struct ws_merge *merge) {
  struct ws_link *heaps = ws_arena_new(&merge->arena, 1, sizeof *heaps);
  struct ws_input *inputs = ws_arena_new(&merge->arena, merge->module_count, sizeof *inputs);
  size_t *leaders = ws_arena_new(&merge->arena, merge->module_count, sizeof *leaders);
  if (!heaps || !inputs || !leaders)
    return ws_merge_fail_memory(merge);
  for (size_t m = 0; m < merge->module_count; m++) {
    const struct ws_merge_input *input = &merge->modules[m].input;
    inputs[m] = (struct ws_input){.module = input->module, .name = input->name};
    leaders[m] = input->heap;
  }
  note_takers(merge, inputs);
  *heaps = (struct ws_link){.options = {.one_program = true, .single = true},
                            .inputs = inputs,
                            .count = merge->module_count,
                            .one = {.heap = leaders}};
  merge->heaps = heaps;
  return ws_choose_heaps(heaps, &merge->options->plan, merge->error) && check_views(merge);
}

bool ws_merge_place_heaps(struct ws_merge *merge, uint64_t limit) {
  struct ws_link *heaps = merge->heaps;
  heaps->plan.heap_base = merge->heap_base;
  for (size_t m = 0; m < heaps->count; m++)
    heaps->inputs[m].placement.size = merge->heap_base; // stack and data of all
  return ws_place_heaps(heaps, &merge->options->plan, limit);
}
