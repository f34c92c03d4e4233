#include "link/merged_heaps.h"

#include "link/heaps.h"
#include "read/checks.h"

// ------------------------------------------------------------------------------------------- what is left

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

uint32_t ws_merge_heap_of(const struct ws_merge *merge, uint32_t module) {
  size_t heap = merge->modules[module].input.heap;
  return heap == WS_HOST ? module : (uint32_t)heap;
}

static enum ws_heap_class class_of(const struct ws_merge *merge, uint32_t m) {
  ws_checks_await_heap(merge->modules[m].module);
  return merge->modules[m].module->info.heap;
}

// Whether two modules have allocators that are not one, beside what they may have in common.
static bool are_apart(const struct ws_merge *merge, uint32_t a, uint32_t b) {
  const struct ws_merge_input *one = &merge->modules[a].input, *other = &merge->modules[b].input;
  return ws_merge_heap_of(merge, a) != ws_merge_heap_of(merge, b) ||
         (a != b && (one->heap_is_divided || other->heap_is_divided) &&
          class_of(merge, a) != class_of(merge, b));
}

bool ws_merge_heaps_differ(const struct ws_merge *merge, uint32_t a, uint32_t b) {
  return are_apart(merge, a, b) && (class_of(merge, a) > WS_HEAP_GROWS || class_of(merge, b) > WS_HEAP_GROWS);
}

// Whether one of another allocator does so in its place.
static bool is_borrowed(const struct ws_merge *merge, const struct ws_merge_function *function) {
  const struct ws_merge_function *one = &merge->functions[function->one];
  return one != function && one->live && one->index != WS_NOTHING &&
         are_apart(merge, one->module, function->module) && function->uses_memory_size;
}

bool ws_merge_is_of_heap(const struct ws_merge *merge, const struct ws_merge_function *function) {
  return any_names_end(merge, function->first_edge, function->edge_count) || function->uses_memory_size;
}

// What names neither the heap nor the memory's size, nor grows it, takes no memory, whatever its class was;
// unless it may take it from an allocator of another module, which has a second one.
static void note_takers(const struct ws_merge *merge, struct ws_input *inputs) {
  for (uint32_t m = 0; m < merge->module_count; m++)
    inputs[m].takes_nothing = !are_apart(merge, m, ws_merge_heap_of(merge, m));
  for (uint32_t i = 0; i < merge->first_synthetic; i++) {
    const struct ws_merge_function *function = &merge->functions[i];
    struct ws_input *input = &inputs[function->module];
    input->takes_nothing = input->takes_nothing && !is_borrowed(merge, function) &&
                           (!function->live || !ws_merge_is_of_heap(merge, function));
  }
  for (uint32_t i = 0; i < merge->datum_count; i++) {
    const struct ws_merge_datum *datum = &merge->data[i];
    if (datum->live && any_names_end(merge, datum->first_edge, datum->edge_count))
      inputs[datum->module].takes_nothing = false;
  }
}

// ---------------------------------------------------------------------------------------------- decisions

bool ws_merge_has_view(const struct ws_merge *merge, const struct ws_merge_function *function) {
  return function->live && merge->heaps->inputs[function->module].placement.memory_view != WS_VIEW_WHOLE &&
         function->uses_memory_size;
}

// A function that stands for another works for the heap of its own module. So it may not stand for one of an
// allocator that has another range, or that can grow where this one cannot.
static bool check_borrowed(const struct ws_merge *merge, const struct ws_merge_function *function) {
  const struct ws_input *inputs = merge->heaps->inputs, *input = &inputs[function->module];
  const struct ws_input *lender = &inputs[merge->functions[function->one].module];
  bool may = input->heap == WS_HEAP_NONE ||
             (input->heap == WS_HEAP_GROWS && lender->placement.memory_view != WS_VIEW_SEALED);
  if (may || !is_borrowed(merge, function))
    return true;
  uint32_t index = function->index - input->module->imported_functions;
  char name[128];
  return ws_merge_fail(
      merge, function->module, NULL,
      "its heap: it has an allocator of its own, but %s, which that calls, is one with that of %s, and "
      "takes memory for that one: combine them without --single",
      ws_printable(input->module->functions[index].name, name, sizeof name), lender->module->file);
}

// An allocator that claims memory once may be told another size of it only until it grows it; and when
// another allocator has the same functions do so, that says nothing of the first.
static bool check_divided(const struct ws_merge *merge, uint32_t module) {
  const struct ws_input *inputs = merge->heaps->inputs;
  uint32_t heap = ws_merge_heap_of(merge, module);
  const struct ws_input *one = &inputs[module], *other = &inputs[heap];
  if (!are_apart(merge, module, heap) ||
      (one->heap != WS_HEAP_CLAIMS_ONCE && other->heap != WS_HEAP_CLAIMS_ONCE) || one->heap < WS_HEAP_GROWS ||
      other->heap < WS_HEAP_GROWS)
    return true;
  return ws_merge_fail(
      merge, module, NULL,
      "its heap: it has the C library's allocator, as %s has, and one of the two has another "
      "that grows the memory by the same functions: combine them without --single",
      other->module->file);
}

// Marks what calls take the place of memory.size and memory.grow.
static bool mark_views(struct ws_merge *merge) {
  for (uint32_t i = 0; i < merge->first_synthetic; i++) {
    const struct ws_merge_function *function = &merge->functions[i];
    if (!check_borrowed(merge, function))
      return false;
    if (!ws_merge_has_view(merge, function))
      continue;
    for (int grows = 0; grows < 2; grows++)
      merge->functions[ws_merge_view_function(merge, function->module, grows)].live = true;
    if (merge->heaps->inputs[function->module].placement.memory_view != WS_VIEW_SEALED)
      merge->modules[ws_merge_heap_of(merge, function->module)].notes_growth = true;
  }
  return true;
}

void ws_merge_want_heaps(const struct ws_merge_input *inputs, size_t count) {
  for (size_t m = 0; m < count; m++)
    if (inputs[m].heap == WS_HOST || inputs[m].heap == m || inputs[m].heap_is_divided)
      ws_checks_want_heap(inputs[m].module);
}

bool ws_merge_choose_heaps(struct ws_merge *merge) {
  struct ws_link *heaps = ws_arena_new(&merge->arena, 1, sizeof *heaps);
  struct ws_input *inputs = ws_arena_new(&merge->arena, merge->module_count, sizeof *inputs);
  size_t *leaders = ws_arena_new(&merge->arena, merge->module_count, sizeof *leaders);
  bool *divided = ws_arena_new(&merge->arena, merge->module_count, sizeof *divided);
  if (!heaps || !inputs || !leaders || !divided)
    return ws_merge_fail_memory(merge);
  for (size_t m = 0; m < merge->module_count; m++) {
    const struct ws_merge_input *input = &merge->modules[m].input;
    inputs[m] = (struct ws_input){.module = input->module, .name = input->name};
    leaders[m] = input->heap;
    divided[m] = input->heap_is_divided;
  }
  note_takers(merge, inputs);
  for (size_t m = 0; m < merge->module_count; m++)
    if (!inputs[m].takes_nothing)
      ws_checks_await_heap(inputs[m].module);
  *heaps = (struct ws_link){.options = {.one_program = true, .single = true},
                            .inputs = inputs,
                            .count = merge->module_count,
                            .one = {.heap = leaders, .heap_is_divided = divided}};
  merge->heaps = heaps;
  bool ok = ws_choose_heaps(heaps, &merge->options->plan, merge->error);
  for (uint32_t m = 0; m < merge->module_count && ok; m++)
    ok = check_divided(merge, m);
  return ok && mark_views(merge);
}

bool ws_merge_place_heaps(struct ws_merge *merge, uint64_t limit) {
  struct ws_link *heaps = merge->heaps;
  heaps->plan.heap_base = merge->heap_base;
  for (size_t m = 0; m < heaps->count; m++)
    heaps->inputs[m].placement.size = merge->heap_base; // stack and data of all
  return ws_place_heaps(heaps, &merge->options->plan, limit);
}
