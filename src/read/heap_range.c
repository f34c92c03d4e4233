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
}

bool ws_range_follows(const struct ws_heap_value *condition, bool holds) {
  enum ws_heap_test test = holds ? condition->test : ws_opposite_test(condition->test);
  return test == WS_TEST_SAME || (test == WS_TEST_EQUAL && condition->variables);
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
                   const struct ws_heap_value *value) {
  uint16_t from = ws_place_variables(value) & state->old;
  bool same = from & bit, changes = value->what != WS_VALUE_LOADED;
  bool grown = value->grown || value->own == WS_OWN_END;
  if (!same && (grown || !from))
    ws_range_renew(state, bit);
  if (grown || (same && changes && value->pages))
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
  if (ws_is_of_memory(address)) {
    ws_range_give(run->flow, value);
    return;
  }
  bool known = ws_is_constant(address), field = address->what != WS_VALUE_ELEMENT && offset < LARGEST_FIELD;
  if (!is_followed(address)) {
    ws_range_give(run->flow, value);
    if (value->grown && field)
      ws_range_forget(&run->now);
    return;
  }
  uint64_t base = base_of(address), place = place_of(address, offset);
  uint16_t bit = find(variables, base, place, width);
  if (!bit && is_place(value))
    bit = add(variables, base, place, width);
  uint16_t others = touched(variables, base, place, width) & (uint16_t)~bit;
  if (value->grown && !known)
    others |= of_others(variables, base);
  ws_range_renew(&run->now, others);
  if (!bit) {
    ws_range_give(run->flow, value);
    return;
  }
  if ((ws_place_variables(value) & bit) && value->what != WS_VALUE_LOADED)
    variables->advanced |= bit;
  change(run->flow, &run->now, bit, value);
}

bool ws_range_differs(const struct ws_heap_variables *a, const struct ws_heap_variables *b) {
  return a->count != b->count || a->advanced != b->advanced || a->given != b->given ||
         memcmp(a->paired, b->paired, sizeof a->paired) != 0;
}
