#include "read/heap_run.h"

enum { MAXIMUM_GROWN = 2 };

// ---------------------------------------------------------------------------------------------- what is done

// Memory up to what memory.size said is used.
static void take_size(struct ws_run *run, const struct ws_heap_value *value) {
  if (!value->size || !run->now.live)
    return;
  struct ws_heap_flow *flow = run->flow;
  if (!value->guards)
    flow->takes_size = true;
  else if (!flow->claims)
    flow->claims = value->guards;
  else if (!(flow->claims &= value->guards))
    flow->takes_size = true;
}

// Something is compared with it: a bound of what is used, or of what may be an address at all.
static void compare_size(struct ws_run *run, const struct ws_heap_value *value) {
  if (value->guards)
    take_size(run, value);
  else if (value->size && run->now.live)
    run->flow->compares_size = true;
}

// The program uses the address of what it has grown.
static void use_grown(struct ws_run *run) {
  run->flow->uses_elsewhere |= run->now.elsewhere;
  run->now.pending = false;
}

static void use_slot(struct ws_run *run, const struct ws_heap_value *value) {
  take_size(run, value);
  run->flow->uses_base |= value->base && run->now.live;
  run->flow->uses_end |= value->end && run->now.live;
}

// What the slots hold may be something else from now on. What is left of a grown address is used where it is
// loaded, not here: that others may look at it does not say that they do.
static void blur_slots(struct ws_run *run) {
  for (unsigned i = 0; i < run->now.slot_count; i++)
    run->now.slots[i].value = ws_join_values(&run->now.slots[i].value, &ws_any_value);
}

static void use_slots(struct ws_run *run) {
  for (unsigned i = 0; i < run->now.slot_count; i++)
    use_slot(run, &run->now.slots[i].value);
  blur_slots(run);
}

void ws_run_forget_slots(struct ws_run *run) {
  if (run->now.exposed)
    blur_slots(run);
}

static void use(struct ws_run *run, const struct ws_heap_value *value) {
  take_size(run, value);
  if (ws_is_grown_address(value))
    use_grown(run);
  if (value->base)
    run->flow->uses_base = true;
  run->flow->uses_end |= value->end;
}

void ws_run_touch(struct ws_run *run, const struct ws_heap_value *value) {
  use(run, value);
  if (value->framed)
    use_slots(run);
}

static void keep(struct ws_run *run, const struct ws_heap_value *value) {
  ws_run_touch(run, value);
  run->now.exposed |= value->framed;
}

void ws_run_escape(struct ws_run *run, const struct ws_heap_value *value) {
  keep(run, value);
  ws_range_give(run->flow, value);
  run->flow->guards_cleared |= ws_run_aims(run->flow, value);
}

void ws_run_forget_order(struct ws_run *run) {
  run->now.grown = 0;
  run->now.failed = false;
  for (struct ws_run *at = run; at; at = at->caller)
    for (uint32_t i = 0; i < at->local_count + at->depth; i++)
      at->now.values[i].current = false;
  for (unsigned i = 0; i < run->now.slot_count; i++)
    run->now.slots[i].value.current = false;
}

// Memory is grown. Where it was grown before says nothing of the new pages, unless nobody else has come
// between; what memory.size said just before is where they are.
static void pass_growth(struct ws_heap_flow *flow, struct ws_heap_value *value, bool own) {
  if (!own)
    value->grown = 0;
  if (value->test != WS_TEST_ZERO && value->test != WS_TEST_NOT_ZERO)
    value->test = WS_TEST_NONE;
  if (!value->current || !value->size || value->maybe)
    return;
  flow->relies_on_order = true;
  value->grown = value->size;
  value->size = 0;
}

struct ws_heap_value ws_run_memory_size(struct ws_run *run) {
  run->flow->reads_size = true;
  if (run->now.grown) {
    run->flow->relies_on_order = true;
    return (struct ws_heap_value){.own = WS_OWN_END};
  }
  return (struct ws_heap_value){.size = 1, .near = true, .current = true, .guards = run->now.guards};
}

struct ws_heap_value ws_run_memory_grow(struct ws_run *run, struct ws_heap_value pages) {
  if (ws_is_constant(&pages) && pages.number == 0)
    return ws_run_memory_size(run);
  struct ws_run_state *now = &run->now;
  run->flow->grows |= now->live;
  ws_range_step(run->flow, &pages);
  for (struct ws_run *at = run; at; at = at->caller)
    for (uint32_t i = 0; i < at->local_count + at->depth; i++)
      pass_growth(run->flow, &at->now.values[i], now->grown);
  for (unsigned i = 0; i < now->slot_count; i++)
    pass_growth(run->flow, &now->slots[i].value, now->grown);
  if (now->grown)
    run->flow->relies_on_order = true;
  else
    now->pending = true;
  now->failed = now->elsewhere = now->follows = false;
  now->old = UINT16_MAX;
  now->bounds = UINT32_MAX;
  now->moved = 0;
  now->grown = now->grown < MAXIMUM_GROWN ? (uint8_t)(now->grown + 1) : MAXIMUM_GROWN;
  return (struct ws_heap_value){.grown = 1, .near = true};
}

// -------------------------------------------------------------------------------------------------- compares

// `less` < or <= `more`
static struct ws_heap_value compare(struct ws_run *run, const struct ws_heap_value *less,
                                    const struct ws_heap_value *more, bool is_signed, bool is_64) {
  bool number = ws_is_constant(less) || ws_is_constant(more);
  if (less->own)
    return ws_condition(number ? WS_TEST_NONE : WS_TEST_FAILED, 0);
  if (more->own)
    return ws_condition(number ? WS_TEST_NONE : WS_TEST_NOT_FAILED, 0);
  // x < 0, x <= -1
  if (is_signed && less->grown && ws_is_constant(more) && ws_signed(more->number, is_64) <= 0)
    return ws_condition(WS_TEST_FAILED, 0);
  if (is_signed && more->grown && ws_is_constant(less) && ws_signed(less->number, is_64) <= 0)
    return ws_condition(WS_TEST_NOT_FAILED, 0);
  if (!is_signed && number && ws_is_failed_page(less, more))
    return ws_condition(WS_TEST_FAILED, 0);
  bool missing = less->size == -1 || more->size == -1; // how much
  if (number ? missing : !(less->size && more->size)) {
    compare_size(run, less);
    compare_size(run, more);
  }
  return ws_condition(WS_TEST_NONE, 0);
}

// Whether what is compared with __heap_end, which is in `end`, may be where the heap goes on: no argument
// alone is, nor what is made of some. From where the heap begins, blocks that are as large as an argument may
// go on.
static bool is_bound(const struct ws_heap_value *end, const struct ws_heap_value *other) {
  bool arguments = end->made && other->made && end->made + other->made > 2 * WS_MADE_OF_NUMBERS;
  return !arguments || (end->made == WS_MADE_OF_ARGUMENTS && end->base) ||
         (other->made == WS_MADE_OF_ARGUMENTS && other->base > 0);
}

static void compare_end(struct ws_heap_flow *flow, const struct ws_heap_value *end,
                        const struct ws_heap_value *other) {
  if (is_bound(end, other))
    flow->uses_end = true;
  else
    flow->checks_arguments |= other->what != WS_VALUE_ARGUMENT;
}

struct ws_heap_value ws_run_relation(struct ws_run *run, uint8_t opcode, const struct ws_heap_value *a,
                                     const struct ws_heap_value *b) {
  bool is_64 = opcode >= WASM_OPCODE_I64_EQZ;
  unsigned kind = is_64 ? opcode - (unsigned)WASM_OPCODE_I64_EQ : opcode - (unsigned)WASM_OPCODE_I32_EQ;
  enum { EQ, NE, LT_S, LT_U, GT_S, GT_U, LE_S, LE_U, GE_S, GE_U };
  // Whether it is null says nothing.
  bool null = kind <= NE && (ws_is_constant(a) || ws_is_constant(b));
  if ((a->end || b->end) && !null)
    compare_end(run->flow, a->end ? a : b, a->end ? b : a);
  ws_range_compare(run->flow, a, b);
  if (kind > NE) {
    ws_range_bound(run->flow, a, b);
    ws_range_bound(run->flow, b, a);
  }
  bool is_signed = kind == LT_S || kind == GT_S || kind == LE_S || kind == GE_S;
  switch (kind) {
  case EQ:
    return ws_equals(a, b, is_64);
  case NE: {
    struct ws_heap_value same = ws_equals(a, b, is_64);
    if (ws_is_constant(&same))
      return ws_constant_value(!same.number);
    return ws_opposite_condition(&same);
  }
  case LT_S:
  case LT_U:
  case LE_S:
  case LE_U:
    return compare(run, a, b, is_signed, is_64);
  default:
    return compare(run, b, a, is_signed, is_64);
  }
}

// ---------------------------------------------------------------------------------------------------- memory

// A frame is never so large that its bits do not fit.
static int64_t offset_in_frame(const struct ws_heap_value *address, uint64_t offset) {
  return (int32_t)(uint32_t)(address->number + offset);
}

static bool overlap(const struct ws_run_slot *slot, int64_t offset, uint32_t width) {
  return slot->offset < offset + width && offset < slot->offset + slot->width;
}

static struct ws_heap_value load_slot(const struct ws_run_state *state, int64_t offset, uint32_t width) {
  struct ws_heap_value found = ws_any_value;
  bool any = false, grown = false;
  for (unsigned i = 0; i < state->slot_count; i++) {
    const struct ws_run_slot *slot = &state->slots[i];
    if (!overlap(slot, offset, width))
      continue;
    if (slot->offset == offset && slot->width == width)
      return slot->value;
    struct ws_heap_value part = slot->value; // two variables are copied at once, or one of two that were
    if (ws_is_constant(&part) || part.what == WS_VALUE_IN_FRAME)
      part = ws_any_value;
    found = any ? ws_join_values(&found, &part) : part;
    grown |= ws_is_grown_address(&part);
    any = true;
  }
  if (grown) // a copy of both is as good as a copy of one
    found.near = found.bytes = true;
  return found;
}

static void store_slot(struct ws_run *run, int64_t offset, uint32_t width,
                       const struct ws_heap_value *value) {
  struct ws_run_state *now = &run->now;
  unsigned kept = 0;
  for (unsigned i = 0; i < now->slot_count; i++)
    if (!overlap(&now->slots[i], offset, width))
      now->slots[kept++] = now->slots[i];
  now->slot_count = kept;
  if (kept == WS_RUN_SLOTS) { // the oldest one goes
    use_slot(run, &now->slots[0].value);
    memmove(now->slots, now->slots + 1, (WS_RUN_SLOTS - 1) * sizeof *now->slots);
    now->slot_count--;
  }
  now->slots[now->slot_count] = (struct ws_run_slot){offset, width, *value};
  now->slots[now->slot_count++].value.local = 0;
}

// What may be in any of the variables.
static struct ws_heap_value load_any_slot(const struct ws_run_state *state) {
  struct ws_heap_value found = ws_any_value;
  for (unsigned i = 0; i < state->slot_count; i++)
    found = ws_join_values(&found, &state->slots[i].value);
  return found;
}

static uint32_t access_width(uint8_t opcode) {
  static const uint8_t widths[] = {4, 8, 4, 8, 1, 1, 2, 2, 1, 1, 2, 2, 4, 4, 4, 8, 4, 8, 1, 2, 1, 2, 4};
  return widths[opcode - WASM_OPCODE_I32_LOAD];
}

// What is stored in a guard, of all that is stored at `address`.
static bool sets_guard(const struct ws_heap_value *value, uint64_t address, uint32_t width, uint64_t guard,
                       uint32_t guard_width) {
  if (address == guard && width == guard_width)
    return value->nonzero || value->base || ws_is_of_memory(value);
  uint64_t shift = 8 * (guard - address), above = guard_width ? 64 - 8 * guard_width : 0; // 0: not known yet
  return ws_is_constant(value) && guard >= address && guard + guard_width <= address + width &&
         value->number >> shift << above != 0;
}

// A pointer that is used as an address, before or after it is stored and with no branch in between, is not
// null.
static void owe_guard(struct ws_run *run, uint32_t bit, uint16_t local) {
  if (local && run->used_in[local - 1] == run->stretch)
    return;
  if (run->owed && run->owed_by != local)
    run->flow->guards_cleared |= run->owed;
  if (run->owed_by != local)
    run->owed = 0;
  run->owed_by = local;
  if (local)
    run->owed |= bit;
  else
    run->flow->guards_cleared |= bit;
}

static void use_local(struct ws_run *run, uint16_t local) {
  if (!local)
    return;
  run->used_in[local - 1] = run->stretch;
  if (run->owed_by == local)
    run->owed = 0;
}

void ws_run_end_stretch(struct ws_run *run) {
  run->flow->guards_cleared |= run->owed;
  run->owed = 0;
  run->stretch++;
}

struct ws_heap_value ws_run_get_local(const struct ws_run *run, uint32_t index) {
  struct ws_heap_value value = run->now.values[index];
  value.local = (uint16_t)(index + 1);
  return value;
}

void ws_run_set_local(struct ws_run *run, uint32_t index, const struct ws_heap_value *value) {
  uint16_t local = (uint16_t)(index + 1);
  if (run->owed_by == local)
    ws_run_end_stretch(run);
  run->used_in[index] = 0;
  for (uint32_t i = run->local_count; i < run->local_count + run->depth; i++)
    if (run->now.values[i].local == local)
      run->now.values[i].local = 0;
  run->now.values[index] = *value;
  run->now.values[index].local = 0;
}

static void store_guards(struct ws_run *run, uint64_t address, uint32_t width,
                         const struct ws_heap_value *value) {
  struct ws_heap_flow *flow = run->flow;
  for (unsigned i = 0; i < flow->guard_count; i++) {
    uint64_t guard = flow->guards[i];
    uint32_t guard_width = flow->guard_widths[i], bit = UINT32_C(1) << i;
    bool exact = address == guard && width == guard_width;
    if (address >= guard + guard_width || guard >= address + width)
      continue;
    if (sets_guard(value, address, width, guard, guard_width))
      flow->guards_set |= bit;
    else if (!exact || !(ws_kept_guards(value) & bit))
      owe_guard(run, bit, exact ? value->local : 0);
  }
}

uint8_t ws_run_aims(const struct ws_heap_flow *flow, const struct ws_heap_value *value) {
  uint8_t aims = 0;
  if (!ws_is_constant(value))
    return value->aims;
  for (unsigned i = 0; i < flow->guard_count; i++)
    if (value->number >= flow->guard_variables[i] && value->number < flow->guards[i] + flow->guard_widths[i])
      aims |= (uint8_t)(1U << i);
  return aims;
}

uint8_t ws_run_aims_at(const struct ws_heap_flow *flow, const struct ws_instruction *instruction) {
  struct ws_heap_value offset = ws_constant_value(instruction->value);
  return ws_run_aims(flow, &offset);
}

// The address is kept somewhere. Others of the same variable are of what else is in it: lists begin with
// their own address.
static void keep_aim(struct ws_heap_flow *flow, const struct ws_heap_value *value) {
  if (!ws_is_constant(value))
    flow->guards_cleared |= value->aims;
  for (unsigned i = 0; ws_is_constant(value) && i < flow->guard_count; i++)
    if (value->number == flow->guard_variables[i] || value->number == flow->guards[i])
      flow->guards_cleared |= UINT32_C(1) << i;
}

// An address as an operand: what it is the address of is used.
static void use_address(struct ws_run *run, const struct ws_heap_value *address) {
  use_local(run, address->local);
  ws_range_give(run->flow, address);
  if (!address->size || address->bytes)
    take_size(run, address);
  if (ws_is_grown_address(address))
    use_grown(run);
  if (address->base)
    run->flow->uses_base = true;
}

static const struct ws_heap_operand *find_operand(const struct ws_run *run, const uint8_t *operand) {
  const struct ws_heap_flow *flow = run->flow;
  uint32_t offset = (uint32_t)(operand - run->code);
  size_t first = ws_first_at_least(flow->operands, flow->operand_count, sizeof *flow->operands,
                                   offsetof(struct ws_heap_operand, offset), offset);
  bool found = first < flow->operand_count && flow->operands[first].offset == offset;
  return found ? &flow->operands[first] : NULL;
}

int8_t ws_run_base_of(const struct ws_run *run, const uint8_t *operand) {
  const struct ws_heap_operand *found = find_operand(run, operand);
  return found && found->is_base;
}

bool ws_run_is_end(const struct ws_run *run, const uint8_t *operand) {
  const struct ws_heap_operand *found = find_operand(run, operand);
  return found && !found->is_base;
}

static struct ws_heap_value load_variable(struct ws_heap_flow *flow, uint64_t address, uint32_t width) {
  struct ws_heap_value value = {.what = WS_VALUE_LOADED, .number = address};
  for (unsigned i = 0; i < flow->guard_count; i++)
    if (flow->guards[i] == address) {
      value.keeps |= (uint8_t)(1U << i);
      if (flow->guard_widths[i] < width)
        flow->guard_widths[i] = (uint8_t)width;
    }
  return value;
}

void ws_run_load(struct ws_run *run, const struct ws_instruction *instruction) {
  struct ws_heap_value address = ws_run_pop(run);
  uint32_t width = access_width(instruction->opcode);
  bool whole = instruction->opcode <= WASM_OPCODE_I64_LOAD;
  address.base |= ws_run_base_of(run, run->reader.at - instruction->width);
  use_address(run, &address);
  struct ws_heap_value value = ws_any_value;
  if (address.what == WS_VALUE_IN_FRAME)
    value = load_slot(&run->now, offset_in_frame(&address, instruction->value), width);
  else if (address.framed)
    value = load_any_slot(&run->now);
  else if (ws_is_constant(&address))
    value = load_variable(run->flow, address.number + instruction->value, width);
  ws_range_load(run->flow, &address, instruction->value, width, &value);
  if (!whole && ws_is_constant(&value))
    value = ws_any_value;
  ws_run_push(run, value);
}

static bool is_unread(const struct ws_heap_flow *flow, uint64_t address) {
  for (size_t i = 0; i < flow->unread_count; i++)
    if (address - flow->unread[i].start < flow->unread[i].size)
      return true;
  return false;
}

static void store_base(struct ws_heap_flow *flow, const struct ws_heap_value *address, uint64_t offset) {
  flow->stores_base = true;
  if (ws_is_constant(address) && flow->base_store_count < WS_HEAP_BASE_STORES)
    flow->base_stores[flow->base_store_count++] = address->number + offset;
}

void ws_run_store(struct ws_run *run, const struct ws_instruction *instruction) {
  struct ws_heap_value value = ws_run_pop(run), address = ws_run_pop(run);
  if (!run->now.live)
    return;
  address.base |= ws_run_base_of(run, run->reader.at - instruction->width);
  use_address(run, &address);
  if (address.what == WS_VALUE_IN_FRAME) {
    if (run->now.exposed)
      use_slot(run, &value);
    store_slot(run, offset_in_frame(&address, instruction->value), access_width(instruction->opcode), &value);
    return;
  }
  if (address.framed)
    blur_slots(run);
  if (ws_is_constant(&address))
    store_guards(run, address.number + instruction->value, access_width(instruction->opcode), &value);
  else
    run->flow->guards_cleared |=
        (address.aims | ws_run_aims_at(run->flow, instruction)) & ~ws_kept_guards(&value);
  ws_range_store(run, &address, instruction->value, access_width(instruction->opcode), &value);
  if (value.base)
    store_base(run->flow, &address, instruction->value);
  value.base = 0;
  if (address.what == WS_VALUE_ARGUMENT && run->flow->follows_arguments && ws_is_grown_address(&value)) {
    run->flow->gives_address = true;
    value.grown = 0;
  }
  if (ws_is_constant(&address) && is_unread(run->flow, address.number + instruction->value))
    value.grown = 0;
  keep_aim(run->flow, &value);
  keep(run, &value);
}
