#include "link/heaps.h"

#include <stdio.h>
#include <string.h>

#include "read/memory_users.h"

// Whether it takes all memory from __heap_base up, and nothing bounds it.
static bool takes_all(const struct ws_input *input) {
  return input->heap == WS_HEAP_CONTIGUOUS || input->heap == WS_HEAP_UNKNOWN;
}

// Whether it can be given a range: it takes no more than that before it grows the memory.
static bool has_range(const struct ws_input *input) {
  return input->heap == WS_HEAP_BOUNDED || input->heap == WS_HEAP_CLAIMS_ONCE;
}

static bool grows(const struct ws_input *input) {
  return input->heap == WS_HEAP_GROWS || (input->heap != WS_HEAP_NONE && input->module->info.grows_memory);
}

// The module whose allocator is one with this module's, in one program: itself otherwise.
static struct ws_input *leader(const struct ws_link *link, const struct ws_input *input) {
  size_t index = (size_t)(input - link->inputs);
  bool follows = ws_is_one_program(link) && link->one.heap[index] != WS_HOST;
  return &link->inputs[follows ? link->one.heap[index] : index];
}

// Whether what two modules hand out is all of one allocator.
static bool have_one_heap(const struct ws_link *link, const struct ws_input *a, const struct ws_input *b) {
  if (a == b || leader(link, a) != leader(link, b))
    return a == b;
  const bool *divided = link->one.heap_is_divided;
  return !divided[a - link->inputs] && !divided[b - link->inputs];
}

static struct ws_input *find_input(struct ws_link *link, const char *name) {
  for (size_t i = 0; i < link->count; i++)
    if (strcmp(link->inputs[i].name, name) == 0)
      return &link->inputs[i];
  return NULL;
}

static bool choose_classes(struct ws_link *link, const struct ws_plan_options *options,
                           struct ws_error *error) {
  for (size_t i = 0; i < link->count; i++) {
    link->inputs[i].heap = link->inputs[i].takes_nothing ? WS_HEAP_NONE : link->inputs[i].module->info.heap;
    link->inputs[i].placement.memory_view = WS_VIEW_WHOLE;
  }
  for (size_t i = 0; i < options->heap_claim_count; i++) {
    struct ws_input *input = find_input(link, options->heap_claims[i].name);
    if (!input)
      return ws_fail(error, "", NULL, WS_NO_OFFSET,
                     "there is no module called '%s' whose heap could be known",
                     options->heap_claims[i].name);
    if (!ws_heap_class_name(options->heap_claims[i].heap))
      return ws_fail(error, "", NULL, WS_NO_OFFSET,
                     "there is no class %d of heaps, which '%s' is said to have",
                     (int)options->heap_claims[i].heap, options->heap_claims[i].name);
    input->heap = options->heap_claims[i].heap;
  }
  return true;
}

// What the module does, for people; and why that is known, if the text has room for it.
static const char *describe(const struct ws_input *input, char *text, size_t size) {
  static const char *const what[] = {"hands out nothing",
                                     "grows the memory",
                                     "hands out its range of the heap, and grows the memory",
                                     "hands out its range of the heap, and grows the memory",
                                     "takes all memory from __heap_base up, and expects more of it to follow",
                                     "may take all memory from __heap_base up"};
  const char *reason = input->module->info.heap_reason;
  bool found = reason && *reason && input->heap == input->module->info.heap &&
               strlen(what[input->heap]) + strlen(reason) + sizeof " ()" <= size;
  snprintf(text, size, "%s%s%s%s", what[input->heap], found ? " (" : "", found ? reason : "",
           found ? ")" : "");
  return text;
}

// `way_out` is what else would help.
static bool cannot_share(const struct ws_input *all, const struct ws_input *other, const char *way_out,
                         struct ws_error *error) {
  char one[160], two[160];
  return ws_fail(error, all->module->file, NULL, WS_NO_OFFSET,
                 "its heap: it %s, and %s %s: let both have one malloc (docs/sharing.md, One heap)%s, or say "
                 "what its heap is with --heap %s=CLASS",
                 describe(all, one, sizeof one), other->module->file, describe(other, two, sizeof two),
                 way_out, all->name);
}

// Whether the memory that the other one hands out may be what this one does, which takes all.
static bool would_overlap(const struct ws_link *link, const struct ws_input *all,
                          const struct ws_input *other) {
  return !have_one_heap(link, all, other) && (grows(other) || takes_all(other));
}

// Whether it can be told where the memory ends: it asks for that in some way. Who names __heap_end, but not
// in a way that bounds anything, is of the class unknown.
static bool asks_for_end(const struct ws_module *module) {
  return (module->info.uses_heap_end && module->info.heap != WS_HEAP_UNKNOWN) ||
         ws_count_memory_users(module) > 0;
}

static bool cannot_seal(const struct ws_input *all, const struct ws_input *other, struct ws_error *error) {
  char one[160], two[160];
  return ws_fail(
      error, all->module->file, NULL, WS_NO_OFFSET,
      "its heap: it %s, and never asks where the memory ends, so that it would not keep to a heap of "
      "fixed size; and %s %s: let both have one malloc (docs/sharing.md, One heap), or let it take no "
      "more than is before __heap_end",
      describe(all, one, sizeof one), other->module->file, describe(other, two, sizeof two));
}

// A module that takes all memory has to be alone with modules that take none, unless its heap is of a fixed
// size.
static bool check_pairs(struct ws_link *link, const struct ws_plan_options *options, struct ws_error *error) {
  for (size_t i = 0; i < link->count; i++) {
    struct ws_input *all = &link->inputs[i];
    for (size_t k = 0; takes_all(all) && k < link->count; k++) {
      const struct ws_input *other = &link->inputs[k];
      if (!would_overlap(link, all, other))
        continue;
      bool asks = asks_for_end(all->module);
      if (!options->heap_size)
        return cannot_share(all, other, asks ? ", give it a heap of fixed size with --heap-size=N" : "",
                            error);
      // Who works on the other's heap, too, has to be told the same as that.
      if (leader(link, other) == leader(link, all) || !ws_can_limit_memory(all->module, error))
        return cannot_share(all, other, "", error);
      if (!asks)
        return cannot_seal(all, other, error);
      all->placement.memory_view = WS_VIEW_SEALED;
    }
  }
  return true;
}

// The one who is told that the initial heap is its own: who takes all memory, or who has no other memory, or
// else the first who has a range.
static struct ws_input *choose_owner(struct ws_link *link, const struct ws_plan_options *options) {
  struct ws_input *owner = options->heap_owner ? find_input(link, options->heap_owner) : NULL;
  for (size_t i = 0; i < link->count && !owner; i++)
    if (takes_all(&link->inputs[i]) && link->inputs[i].placement.memory_view == WS_VIEW_WHOLE)
      owner = &link->inputs[i];
  for (size_t i = 0; i < link->count && !owner; i++)
    if (has_range(&link->inputs[i]) && !grows(&link->inputs[i]))
      owner = &link->inputs[i];
  for (size_t i = 0; i < link->count && !owner; i++)
    if (has_range(&link->inputs[i]))
      owner = &link->inputs[i];
  return owner;
}

// Whether no other module hands out memory, so that it does not matter what this one takes.
static bool is_alone(const struct ws_link *link, const struct ws_input *input) {
  bool alone = true;
  for (size_t i = 0; i < link->count; i++)
    alone &= have_one_heap(link, &link->inputs[i], input) ||
             (!grows(&link->inputs[i]) && link->inputs[i].heap <= WS_HEAP_GROWS);
  return alone;
}

static bool limit_claims(struct ws_link *link, struct ws_error *error) {
  for (size_t i = 0; i < link->count; i++) {
    struct ws_input *input = &link->inputs[i];
    // With its relocations, a module stays as it is: it will be read again. One file stays as a linker would
    // make it.
    bool may_stay = link->options.keep_relocs || ws_is_single(link);
    // What is prepared is limited already.
    if (input->heap != WS_HEAP_CLAIMS_ONCE || input->module->prepared || (may_stay && is_alone(link, input)))
      continue;
    if (!ws_can_limit_memory(input->module, error))
      return false;
    input->placement.memory_view = WS_VIEW_BOUNDED;
  }
  return true;
}

static bool check_owner(struct ws_link *link, const struct ws_plan_options *options, struct ws_error *error) {
  if (options->heap_owner && !link->heap_owner)
    return ws_fail(error, "", NULL, WS_NO_OFFSET, "there is no module called '%s' that could own the heap",
                   options->heap_owner);
  for (size_t i = 0; i < link->count; i++) {
    const struct ws_input *input = &link->inputs[i];
    if (takes_all(input) && input->placement.memory_view == WS_VIEW_WHOLE &&
        leader(link, input) != link->heap_owner)
      return ws_fail(
          error, input->module->file, NULL, WS_NO_OFFSET,
          "takes all memory from __heap_base up, whatever __heap_end is, but %s is the heap's owner: let "
          "it own the heap, or use that one's malloc (docs/sharing.md, One heap)",
          link->heap_owner->module->file);
    if (link->options.keep_relocs && input->placement.memory_view != WS_VIEW_WHOLE)
      return ws_fail(
          error, input->module->file, NULL, WS_NO_OFFSET,
          "takes all memory from __heap_base up: what it is told about the size of the memory cannot be kept "
          "with its relocations: leave out --keep-relocs");
  }
  return true;
}

bool ws_choose_heaps(struct ws_link *link, const struct ws_plan_options *options, struct ws_error *error) {
  if (!choose_classes(link, options, error) || !check_pairs(link, options, error) ||
      !limit_claims(link, error))
    return false;
  link->heap_owner = choose_owner(link, options);
  if (link->heap_owner)
    link->heap_owner = leader(link, link->heap_owner);
  return check_owner(link, options, error);
}

// ------------------------------------------------------------------------------------------------------------
// ranges

// Whether a module's range of the heap is that of another.
static bool follows(const struct ws_link *link, const struct ws_input *input) {
  return leader(link, input) != input;
}

// The largest initial heap that one of those was linked with whose range this is.
static uint64_t linked_heap(const struct ws_link *link, const struct ws_input *input) {
  uint64_t largest = 0;
  for (size_t i = 0; i < link->count; i++) {
    const struct ws_input *user = &link->inputs[i];
    uint64_t size = user->module->info.initial_heap;
    if (leader(link, user) == input && (has_range(user) || takes_all(user)) && size > largest)
      largest = size;
  }
  return largest;
}

// How much of the initial heap a module has by itself, in bytes.
static uint64_t own_heap(const struct ws_link *link, const struct ws_plan_options *options,
                         const struct ws_input *input) {
  bool sealed = input->placement.memory_view == WS_VIEW_SEALED, owner = input == link->heap_owner;
  uint64_t linked = linked_heap(link, input);
  return (sealed || owner) && options->heap_size > linked ? options->heap_size : linked;
}

// Moves `*end` up by `size` bytes, to the end of a page.
static bool take(uint64_t *end, uint64_t size, uint64_t limit) {
  return size <= limit && ws_add(end, *end, size) && ws_align_up(end, *end, WS_PAGE_SIZE) && *end <= limit;
}

// The module hands out nothing, but wants to know where its stack and data end.
static bool reads_own_end(const struct ws_input *input) {
  return input->heap == WS_HEAP_NONE && input->module->info.uses_heap_base;
}

static void place_range(const struct ws_link *link, const struct ws_plan_options *options,
                        struct ws_input *input, uint64_t base, uint64_t end) {
  struct ws_placement *placement = &input->placement;
  bool of_all = !has_range(input) && !takes_all(input) && !options->heap_owner;
  placement->heap_base = of_all ? link->plan.heap_base : base;
  placement->heap_end = end;
  if (reads_own_end(input))
    ws_align_up(&placement->heap_base, placement->base + placement->size, 16);
}

bool ws_place_heaps(struct ws_link *link, const struct ws_plan_options *options, uint64_t limit) {
  struct ws_plan *plan = &link->plan;
  uint64_t end = plan->heap_base;
  for (size_t i = 0; i < link->count; i++) {
    struct ws_input *input = &link->inputs[i];
    uint64_t base = end, size = own_heap(link, options, input);
    if (input == link->heap_owner || size == 0 || follows(link, input))
      continue;
    if (!take(&end, size, limit))
      return false;
    place_range(link, options, input, base, end);
  }
  uint64_t base = end;
  if (!take(&end, link->heap_owner ? own_heap(link, options, link->heap_owner) : options->heap_size, limit))
    return false;
  plan->heap_end = end;
  for (size_t i = 0; i < link->count; i++) {
    struct ws_input *input = &link->inputs[i];
    if (input == link->heap_owner)
      place_range(link, options, input, base, end);
    else if (own_heap(link, options, input) == 0)
      place_range(link, options, input, end, end);
  }
  for (size_t i = 0; i < link->count; i++) {
    struct ws_input *input = &link->inputs[i];
    if (follows(link, input))
      place_range(link, options, input, leader(link, input)->placement.heap_base,
                  leader(link, input)->placement.heap_end);
  }
  return true;
}
