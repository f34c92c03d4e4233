// Variables that say from where to where memory is handed out: when one of two that belong together is moved
// to memory that was grown, and the other is not, what lies between them may be another's.
#include "read/heap_run.h"

static uint16_t bit_of(unsigned index) {
  return (uint16_t)(1U << index);
}

static bool has_several(uint16_t bits) {
  return bits & (bits - 1);
}

// What the address is the sum of, with a number; 0 if there is no more.
static uint64_t base_of(const struct ws_heap_value *address) {
  return address->what == WS_VALUE_CONSTANT ? 0 : (uint64_t)address->what << 56 | address->number;
}

static uint64_t place_of(const struct ws_heap_value *address, uint64_t offset) {
  return (address->what == WS_VALUE_CONSTANT ? address->number : 0) + offset;
}

// Whether variables are found there: known ones, and what pointers in arguments and in variables point to.
static bool is_followed(const struct ws_heap_value *address) {
  return ws_is_constant(address) || address->what == WS_VALUE_ARGUMENT || address->what == WS_VALUE_LOADED;
}

// Where a value was loaded from. Of what pointers point to, all that is as far from there is one, and so are
// the elements of a variable.
static uint32_t origin_of(const struct ws_heap_value *address, uint64_t offset) {
  enum { POINTED = 1 << 30 };
  bool known = ws_is_constant(address) || address->what == WS_VALUE_ELEMENT;
  uint64_t place = offset + (known ? address->number : 0);
  return (uint32_t)(address->framed ? 0 : ws_is_constant(address) ? place : place | POINTED);
}

static uint32_t find_origin(const struct ws_heap_bounds *bounds, uint32_t origin) {
  for (unsigned i = 0; origin && i < bounds->count; i++)
    if (bounds->origins[i] == origin)
      return UINT32_C(1) << i;
  return 0;
}

static uint32_t add_origin(struct ws_heap_bounds *bounds, uint32_t origin) {
  uint32_t found = find_origin(bounds, origin);
  if (found || bounds->count == WS_HEAP_BOUNDS || !origin || origin == WS_SEVERAL_ORIGINS)
    return found;
  bounds->origins[bounds->count] = origin;
  return UINT32_C(1) << bounds->count++;
}

void ws_range_bound(struct ws_heap_flow *flow, const struct ws_heap_value *bound,
                    const struct ws_heap_value *other) {
  bool only_loaded = other->origin && other->shift <= WS_LOWERED;
  bool overflow = other->origin == bound->origin || (other->variables & bound->variables); // is looked for
  if (!bound->origin || bound->shift > WS_LOWERED || only_loaded || overflow || ws_is_of_memory(other) ||
      (ws_is_constant(other) && bound->shift != WS_LOWERED))
    return;
  uint32_t bit = add_origin(&flow->bounds, bound->origin);
  flow->has_bounds = true;
  if (bound->shift == WS_LOWERED || other->origin || !(flow->bounds.steps & bit))
    flow->bounds.used |= bit;
  flow->bounds.scaled |= bound->pages ? bit : 0;
}

void ws_range_step(struct ws_heap_flow *flow, const struct ws_heap_value *pages) {
  flow->bounds.steps |= add_origin(&flow->bounds, pages->origin);
}

// Whether a bound is moved on from where it was, where memory was grown that may be elsewhere.
static bool raise_bound(struct ws_run *run, uint32_t origin, const struct ws_heap_value *value,
                        uint16_t place) {
  struct ws_heap_bounds *bounds = &run->flow->bounds;
  uint32_t bit = find_origin(bounds, origin), *old = &run->now.bounds;
  bool same = value->origin == origin,
       moves = place && value->what != WS_VALUE_LOADED && (ws_place_variables(value) & run->now.old);
  if (!same)
    *old &= ~bit;
  if ((bit ? *old & bit : *old) && (moves || (same && value->shift >= WS_STEPPED))) {
    run->flow->raises = true;
    bit = add_origin(bounds, origin);
    bounds->raised |= bit;
  }
  bool raised = value->shift == WS_RAISED || (bounds->scaled & bit);
  return (bounds->used & bit) && (place ? moves : same && raised && (bit & *old));
}

static uint16_t find(const struct ws_heap_variables *variables, uint64_t base, uint64_t place,
                     uint32_t width) {
  for (unsigned i = 0; i < variables->count; i++)
    if (variables->places[i] == place && variables->bases[i] == base && variables->widths[i] == width)
      return bit_of(i);
  return 0;
}

// Whether it is where memory is, and no distance.
static bool is_place(const struct ws_heap_value *value) {
  if (value->variables)
    return ws_place_variables(value) && !value->base && !has_several(value->variables);
  return value->what == WS_VALUE_PLACE || value->own == WS_OWN_END ||
         (value->base | value->size | value->grown) == 1 || (value->end && !value->base && !value->size);
}

static uint16_t add(struct ws_heap_variables *variables, uint64_t base, uint64_t place, uint32_t width) {
  if (variables->count == WS_HEAP_VARIABLES)
    return 0;
  variables->bases[variables->count] = base;
  variables->places[variables->count] = place;
  variables->widths[variables->count] = (uint8_t)width;
  return bit_of(variables->count++);
}

void ws_range_add(struct ws_heap_variables *variables, uint64_t address, uint32_t width) {
  if (!find(variables, 0, address, width))
    add(variables, 0, address, width);
}

bool ws_range_has_pointed(const struct ws_heap_variables *variables, uint16_t bits) {
  for (unsigned i = 0; i < variables->count; i++)
    if ((bits & bit_of(i)) && variables->bases[i])
      return true;
  return false;
}

static uint16_t paired_with(const struct ws_heap_variables *variables, uint16_t bits) {
  uint16_t paired = 0;
  for (unsigned i = 0; i < variables->count; i++)
    if (bits & bit_of(i))
      paired |= variables->paired[i];
  return paired;
}

void ws_range_load(const struct ws_heap_flow *flow, const struct ws_heap_value *address, uint64_t offset,
                   uint32_t width, struct ws_heap_value *value) {
  if (address->framed)
    return;
  value->origin = origin_of(address, offset);
  value->shift = WS_AS_LOADED;
  if (!flow->variables.count || !is_followed(address))
    return;
  value->variables = find(&flow->variables, base_of(address), place_of(address, offset), width);
  value->pages = value->variables != 0;
}

void ws_range_give(struct ws_heap_flow *flow, const struct ws_heap_value *value) {
  flow->variables.given |= ws_place_variables(value);
}

static void pair(struct ws_heap_variables *variables, uint16_t bits) {
  for (unsigned i = 0; bits && i < variables->count; i++)
    if (bits & bit_of(i))
      variables->paired[i] |= bits & (uint16_t)~bit_of(i);
}

void ws_range_compare(struct ws_heap_flow *flow, const struct ws_heap_value *a,
                      const struct ws_heap_value *b) {
  if (has_several(a->variables) && has_several(b->variables)) { // two lengths
    pair(&flow->variables, a->variables);
    pair(&flow->variables, b->variables);
  } else {
    pair(&flow->variables, a->variables | b->variables);
  }
}

void ws_range_forget(struct ws_run_state *state) {
  state->old = state->behind = state->moved = 0;
  state->bounds = 0;
}

bool ws_range_follows(const struct ws_heap_value *condition, bool holds) {
  enum ws_heap_test test = holds ? condition->test : ws_opposite_test(condition->test);
  return test == WS_TEST_SAME || (test == WS_TEST_EQUAL && condition->variables);
}

bool ws_range_beside(const struct ws_heap_value *condition, bool holds) {
  enum ws_heap_test test = holds ? condition->test : ws_opposite_test(condition->test);
  return test == WS_TEST_SAME || (test == WS_TEST_EQUAL && (condition->variables || condition->origin));
}

// What the grown pages are compared with may be known by no variable.
uint16_t ws_range_of_same(const struct ws_heap_flow *flow, const struct ws_heap_value *condition) {
  uint16_t as = condition->variables;
  return as ? as | paired_with(&flow->variables, as) : UINT16_MAX;
}

void ws_range_renew(struct ws_run_state *state, uint16_t bits) {
  state->old &= (uint16_t)~bits;
  state->behind &= (uint16_t)~bits;
}

static void move(const struct ws_heap_flow *flow, struct ws_run_state *state, uint16_t bit) {
  state->moved |= bit;
  state->behind |= paired_with(&flow->variables, bit) & state->old;
}

// What is stored comes from the variable itself, as it was before the memory was grown, or from what was
// grown, or may be either.
static void change(const struct ws_heap_flow *flow, struct ws_run_state *state, uint16_t bit,
                   const struct ws_heap_value *value, bool bound) {
  uint16_t from = ws_place_variables(value) & state->old;
  bool same = from & bit, changes = value->what != WS_VALUE_LOADED;
  bool grown = value->grown || value->own == WS_OWN_END;
  if (!same && (grown || !from))
    ws_range_renew(state, bit);
  if (grown || (same && changes && (value->pages || bound)) ||
      (bound && changes && (from & paired_with(&flow->variables, bit))))
    move(flow, state, bit);
  // Two that belong together have what was grown; it is nothing to the others.
  if (paired_with(&flow->variables, state->moved & bit) & state->moved & (uint16_t)~state->old)
    state->old &= bit;
}

// Those of which what is stored may be a part, and those that are found by it.
static uint16_t touched(const struct ws_heap_variables *variables, uint64_t base, uint64_t place,
                        uint32_t width) {
  uint64_t pointer = (uint64_t)WS_VALUE_LOADED << 56 | place;
  uint16_t bits = 0;
  for (unsigned i = 0; i < variables->count; i++)
    if ((variables->bases[i] == base && variables->places[i] < place + width &&
         place < variables->places[i] + variables->widths[i]) ||
        (!base && variables->bases[i] == pointer))
      bits |= bit_of(i);
  return bits;
}

// Those that a pointer may point to that is not the one that they are found by.
static uint16_t of_others(const struct ws_heap_variables *variables, uint64_t base) {
  uint16_t bits = 0;
  for (unsigned i = 0; i < variables->count; i++)
    if (variables->bases[i] != base)
      bits |= bit_of(i);
  return bits;
}

void ws_range_store(struct ws_run *run, const struct ws_heap_value *address, uint64_t offset, uint32_t width,
                    const struct ws_heap_value *value) {
  enum { LARGEST_FIELD = 1024 }; // further on are elements of variables
  struct ws_heap_variables *variables = &run->flow->variables;
  bool known = ws_is_constant(address), field = address->what != WS_VALUE_ELEMENT && offset < LARGEST_FIELD;
  uint64_t base = base_of(address), place = place_of(address, offset);
  uint16_t bit = is_followed(address) ? find(variables, base, place, width) : 0;
  uint32_t origin = origin_of(address, offset);
  bool raised = raise_bound(run, origin, value, bit);
  if (ws_is_of_memory(address)) {
    ws_range_give(run->flow, value);
    return;
  }
  if (!is_followed(address)) {
    run->flow->ignores_grown |= raised;
    ws_range_give(run->flow, value);
    if (value->grown && field)
      run->now.old = run->now.behind = run->now.moved = 0;
    return;
  }
  if (!bit && is_place(value))
    bit = add(variables, base, place, width);
  uint16_t others = touched(variables, base, place, width) & (uint16_t)~bit;
  if (value->grown && !known)
    others |= of_others(variables, base);
  ws_range_renew(&run->now, others);
  if (!bit) {
    run->flow->ignores_grown |= raised;
    ws_range_give(run->flow, value);
    return;
  }
  if ((ws_place_variables(value) & bit) && value->what != WS_VALUE_LOADED)
    variables->advanced |= bit;
  change(run->flow, &run->now, bit, value, raised);
}

bool ws_range_differs(const struct ws_heap_flow *flow, const struct ws_heap_flow *before) {
  const struct ws_heap_variables *a = &flow->variables, *b = &before->variables;
  return a->count != b->count || a->advanced != b->advanced || a->given != b->given ||
         memcmp(a->paired, b->paired, sizeof a->paired) != 0 ||
         (flow->bounds.used & flow->bounds.raised) != (before->bounds.used & before->bounds.raised) ||
         flow->bounds.steps != before->bounds.steps;
}
