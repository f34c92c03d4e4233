#include "read/heap_flow.h"

#include <stdlib.h>

#include "read/heap_value.h"
#include "read/instructions.h"
#include "read/sections.h"

enum { MAXIMUM_LOCALS = 1024, MAXIMUM_STACK = 128, MAXIMUM_FRAMES = 256, MAXIMUM_CALLS = 8, SLOTS = 24 };
enum { SMALL = 128, SMALL_CALLS = 3 }; // bytes of a function, and calls from one to the next
enum { NOWHERE = INT32_MIN / 2 }; // where the stack pointer is, if that is not known: no variable is there
enum { MAXIMUM_GROWN = 2 };

// A variable in the frame.
struct slot {
  int64_t offset;
  uint32_t width;
  struct ws_heap_value value;
};

struct state {
  bool live;
  bool pending;    // memory was grown, and nothing has asked yet where
  uint8_t grown;   // how often the module itself has grown it, with nobody else in between,
  bool failed;     // the last time without success
  bool elsewhere;  // the grown pages may not be where the program expected them
  uint32_t guards; // those that were seen to be zero
  int64_t pointer; // __stack_pointer, from what it was at first
  unsigned slot_count;
  struct slot slots[SLOTS];
  struct ws_heap_value *values; // locals, and then operands
};

struct frame {
  uint8_t opcode;
  bool has_else;
  uint32_t parameters, results, height;
  const uint8_t *start; // of a loop's body
  struct state label;   // of all branches to it
  struct state other;   // of an if: where it does not hold; of a loop: at its start
};

// One function that is being followed.
struct run {
  struct ws_heap_flow *flow;
  struct run *caller;
  unsigned calls;
  struct ws_reader reader;
  const uint8_t *code; // the content of the section
  uint32_t local_count, result_count, depth;
  size_t frame_count;
  struct state now, taken; // by a branch
  struct frame **frames;   // allocated when first entered
  struct ws_arena arena;
};

static bool lose(struct run *run) {
  run->flow->lost = true;
  run->now.live = false;
  return false;
}

// What is done with all values costs as much as many instructions.
static void spend(struct run *run, uint32_t values) {
  uint64_t cost = (run->local_count + values) / 8 + 1;
  run->flow->budget -= cost < run->flow->budget ? cost : run->flow->budget;
}

// --------------------------------------------------------------------------------------------------- states

static bool new_state(struct run *run, struct state *state) {
  *state = (struct state){
      .values = ws_arena_new(&run->arena, run->local_count + MAXIMUM_STACK, sizeof *state->values)};
  return state->values || lose(run);
}

static void copy_state(struct state *to, const struct state *from, uint32_t count) {
  struct ws_heap_value *values = to->values;
  *to = *from;
  to->values = values;
  memcpy(values, from->values, count * sizeof *values);
}

static void join_slots(struct state *to, const struct state *from) {
  unsigned kept = 0;
  for (unsigned i = 0; i < to->slot_count; i++)
    for (unsigned k = 0; k < from->slot_count; k++)
      if (to->slots[i].offset == from->slots[k].offset && to->slots[i].width == from->slots[k].width) {
        to->slots[kept] = to->slots[i];
        to->slots[kept++].value = ws_join_values(to->slots[i].value, from->slots[k].value);
        break;
      }
  to->slot_count = kept;
}

// `to` is what can be after either of them.
static void join_state(struct state *to, const struct state *from, uint32_t count) {
  if (!from->live)
    return;
  if (!to->live) {
    copy_state(to, from, count);
    return;
  }
  to->pending |= from->pending;
  to->elsewhere |= from->elsewhere;
  // Whether it failed, a program asks again where the ways of success and failure have met.
  bool failed = to->failed || from->failed;
  if (failed ? from->grown > to->grown : from->grown < to->grown)
    to->grown = from->grown;
  to->failed &= from->failed;
  to->guards &= from->guards;
  if (to->pointer != from->pointer)
    to->pointer = NOWHERE;
  join_slots(to, from);
  for (uint32_t i = 0; i < count; i++)
    to->values[i] = ws_join_values(to->values[i], from->values[i]);
}

static bool same_state(const struct state *a, const struct state *b, uint32_t count) {
  bool same = a->live == b->live && a->pending == b->pending && a->elsewhere == b->elsewhere &&
              a->grown == b->grown && a->failed == b->failed && a->guards == b->guards &&
              a->pointer == b->pointer && a->slot_count == b->slot_count;
  for (unsigned i = 0; i < a->slot_count && same; i++)
    same = a->slots[i].offset == b->slots[i].offset && a->slots[i].width == b->slots[i].width &&
           ws_same_value(&a->slots[i].value, &b->slots[i].value);
  for (uint32_t i = 0; i < count && same; i++)
    same = ws_same_value(&a->values[i], &b->values[i]);
  return same;
}

static void push(struct run *run, struct ws_heap_value value) {
  if (run->depth == MAXIMUM_STACK)
    lose(run);
  else if (run->now.live)
    run->now.values[run->local_count + run->depth++] = value;
}

static struct ws_heap_value pop(struct run *run) {
  if (!run->now.live)
    return ws_any_value;
  if (run->depth == 0) {
    lose(run);
    return ws_any_value;
  }
  return run->now.values[run->local_count + --run->depth];
}

// The module has not grown the memory: its end may be another's.
static void own_becomes_size(struct ws_heap_value *value) {
  if (value->own)
    *value = (struct ws_heap_value){.size = WS_SOME, .bytes = value->bytes};
}

// What a condition says of the state in which it holds, or does not.
static void assume(struct run *run, struct state *state, const struct ws_heap_value *condition, bool holds) {
  enum ws_heap_test test = condition->test;
  if (condition->what == WS_VALUE_LOADED)
    test = WS_TEST_NOT_ZERO;
  else if (test == WS_TEST_NONE && ws_is_of_memory(condition))
    test = WS_TEST_NOT_FAILED;
  if (ws_is_constant(condition))
    state->live &= holds == (condition->number != 0);
  else if (condition->nonzero)
    state->live &= holds;
  if (test == (holds ? WS_TEST_FAILED : WS_TEST_NOT_FAILED)) {
    state->pending = false;
    state->failed = true;
    state->grown = state->grown ? (uint8_t)(state->grown - 1) : 0;
    for (uint32_t i = 0; i < run->local_count + run->depth; i++)
      own_becomes_size(&state->values[i]);
    for (unsigned i = 0; i < state->slot_count; i++)
      own_becomes_size(&state->slots[i].value);
  }
  if (test == (holds ? WS_TEST_SAME : WS_TEST_NOT_SAME) && state->pending) {
    run->flow->expects_grown = true;
    state->pending = false;
  }
  if (test == (holds ? WS_TEST_NOT_SAME : WS_TEST_SAME))
    state->elsewhere = true;
  if (test != (holds ? WS_TEST_ZERO : WS_TEST_NOT_ZERO))
    return;
  struct ws_heap_flow *flow = run->flow;
  unsigned i = 0;
  while (i < flow->guard_count && flow->guards[i] != condition->number)
    i++;
  if (i == WS_HEAP_GUARDS)
    return;
  flow->guards[i] = condition->number;
  flow->guard_count += i == flow->guard_count;
  state->guards |= UINT32_C(1) << i;
}

// ------------------------------------------------------------------------------------------- what is done

// Memory up to what memory.size said is used.
static void take_size(struct run *run, const struct ws_heap_value *value) {
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
static void compare_size(struct run *run, const struct ws_heap_value *value) {
  if (value->guards)
    take_size(run, value);
  else if (value->size && run->now.live)
    run->flow->compares_size = true;
}

// The program uses the address of what it has grown.
static void use_grown(struct run *run) {
  run->flow->uses_elsewhere |= run->now.elsewhere;
  run->now.pending = false;
}

// The value goes to where it is not followed.
static void escape(struct run *run, const struct ws_heap_value *value) {
  take_size(run, value);
  if (ws_is_grown_address(value))
    use_grown(run);
  if (value->base)
    run->flow->uses_base = true;
}

// Code of others may run.
static void forget_order(struct run *run) {
  run->now.grown = 0;
  run->now.failed = false;
  for (struct run *at = run; at; at = at->caller)
    for (uint32_t i = 0; i < at->local_count + at->depth; i++)
      at->now.values[i].current = false;
  for (unsigned i = 0; i < run->now.slot_count; i++)
    run->now.slots[i].value.current = false;
}

// What memory.size said just before is where the pages are that are now grown.
static void size_becomes_grown(struct ws_heap_flow *flow, struct ws_heap_value *value) {
  if (!value->current || !value->size || value->maybe)
    return;
  flow->relies_on_order = true;
  value->grown = value->size;
  value->size = 0;
}

static struct ws_heap_value memory_size(struct run *run) {
  run->flow->reads_size = true;
  if (run->now.grown) {
    run->flow->relies_on_order = true;
    return (struct ws_heap_value){.own = WS_OWN_END};
  }
  return (struct ws_heap_value){.size = 1, .near = true, .current = true, .guards = run->now.guards};
}

static struct ws_heap_value memory_grow(struct run *run, struct ws_heap_value pages) {
  if (ws_is_constant(&pages) && pages.number == 0)
    return memory_size(run);
  struct state *now = &run->now;
  run->flow->grows |= now->live;
  for (struct run *at = run; at; at = at->caller)
    for (uint32_t i = 0; i < at->local_count + at->depth; i++)
      size_becomes_grown(run->flow, &at->now.values[i]);
  for (unsigned i = 0; i < now->slot_count; i++)
    size_becomes_grown(run->flow, &now->slots[i].value);
  if (now->grown)
    run->flow->relies_on_order = true;
  else
    now->pending = true;
  now->failed = now->elsewhere = false;
  now->grown = now->grown < MAXIMUM_GROWN ? (uint8_t)(now->grown + 1) : MAXIMUM_GROWN;
  return (struct ws_heap_value){.grown = 1, .near = true};
}

// ------------------------------------------------------------------------------------------------- compares

// `less` < or <= `more`
static struct ws_heap_value compare(struct run *run, struct ws_heap_value less, struct ws_heap_value more,
                                    bool is_signed, bool is_64) {
  bool number = ws_is_constant(&less) || ws_is_constant(&more);
  if (less.own)
    return ws_condition(number ? WS_TEST_NONE : WS_TEST_FAILED, 0);
  if (more.own)
    return ws_condition(number ? WS_TEST_NONE : WS_TEST_NOT_FAILED, 0);
  // x < 0, x <= -1
  if (is_signed && less.grown && ws_is_constant(&more) && ws_signed(more.number, is_64) <= 0)
    return ws_condition(WS_TEST_FAILED, 0);
  if (is_signed && more.grown && ws_is_constant(&less) && ws_signed(less.number, is_64) <= 0)
    return ws_condition(WS_TEST_NOT_FAILED, 0);
  if (!is_signed && number && ws_is_failed_page(&less, &more))
    return ws_condition(WS_TEST_FAILED, 0);
  if (!number && !(less.size && more.size)) {
    compare_size(run, &less);
    compare_size(run, &more);
  }
  return ws_condition(WS_TEST_NONE, 0);
}

static struct ws_heap_value relation(struct run *run, uint8_t opcode, struct ws_heap_value a,
                                     struct ws_heap_value b) {
  bool is_64 = opcode >= WASM_OPCODE_I64_EQZ;
  unsigned kind = is_64 ? opcode - (unsigned)WASM_OPCODE_I64_EQ : opcode - (unsigned)WASM_OPCODE_I32_EQ;
  enum { EQ, NE, LT_S, LT_U, GT_S, GT_U, LE_S, LE_U, GE_S, GE_U };
  bool is_signed = kind == LT_S || kind == GT_S || kind == LE_S || kind == GE_S;
  switch (kind) {
  case EQ:
    return ws_equals(a, b, is_64);
  case NE: {
    struct ws_heap_value same = ws_equals(a, b, is_64);
    if (ws_is_constant(&same))
      return ws_constant_value(!same.number);
    return ws_condition(ws_opposite_test(same.test), same.number);
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

// ------------------------------------------------------------------------------------------------- memory

// A frame is never so large that its bits do not fit.
static int64_t offset_in_frame(const struct ws_heap_value *address, uint64_t offset) {
  return (int32_t)(uint32_t)(address->number + offset);
}

static bool overlap(const struct slot *slot, int64_t offset, uint32_t width) {
  return slot->offset < offset + width && offset < slot->offset + slot->width;
}

static struct ws_heap_value load_slot(const struct state *state, int64_t offset, uint32_t width) {
  struct ws_heap_value found = ws_any_value;
  bool any = false;
  for (unsigned i = 0; i < state->slot_count; i++) {
    const struct slot *slot = &state->slots[i];
    if (!overlap(slot, offset, width))
      continue;
    if (slot->offset == offset && slot->width == width)
      return slot->value;
    struct ws_heap_value part = slot->value; // two variables are copied at once, or one of two that were
    if (ws_is_constant(&part) || part.what == WS_VALUE_IN_FRAME)
      part = ws_any_value;
    found = any ? ws_join_values(found, part) : part;
    any = true;
  }
  return found;
}

static void store_slot(struct run *run, int64_t offset, uint32_t width, struct ws_heap_value value) {
  struct state *now = &run->now;
  unsigned kept = 0;
  for (unsigned i = 0; i < now->slot_count; i++)
    if (!overlap(&now->slots[i], offset, width))
      now->slots[kept++] = now->slots[i];
  now->slot_count = kept;
  if (kept == SLOTS) { // the oldest one goes
    take_size(run, &now->slots[0].value);
    memmove(now->slots, now->slots + 1, (SLOTS - 1) * sizeof *now->slots);
    now->slot_count--;
  }
  now->slots[now->slot_count++] = (struct slot){offset, width, value};
}

static uint32_t access_width(uint8_t opcode) {
  static const uint8_t widths[] = {4, 8, 4, 8, 1, 1, 2, 2, 1, 1, 2, 2, 4, 4, 4, 8, 4, 8, 1, 2, 1, 2, 4};
  return widths[opcode - WASM_OPCODE_I32_LOAD];
}

// An address as an operand: what it is the address of is used.
static void use_address(struct run *run, const struct ws_heap_value *address) {
  if (!address->size || address->bytes)
    take_size(run, address);
  if (ws_is_grown_address(address))
    use_grown(run);
  if (address->base)
    run->flow->uses_base = true;
}

// Whether the operand is __heap_base, not just a number; or __data_end, which may be as good.
static int8_t base_of(const struct run *run, const uint8_t *operand) {
  const struct ws_heap_flow *flow = run->flow;
  uint32_t offset = (uint32_t)(operand - run->code);
  size_t low = 0, high = flow->operand_count;
  while (low < high) {
    size_t middle = low + (high - low) / 2;
    if (flow->operands[middle].offset < offset)
      low = middle + 1;
    else
      high = middle;
  }
  return low < flow->operand_count && flow->operands[low].offset == offset && flow->operands[low].is_base;
}

static void load(struct run *run, const struct ws_instruction *instruction) {
  struct ws_heap_value address = pop(run);
  uint32_t width = access_width(instruction->opcode);
  bool whole = instruction->opcode <= WASM_OPCODE_I64_LOAD;
  address.base |= base_of(run, run->reader.at - instruction->width);
  use_address(run, &address);
  struct ws_heap_value value = ws_any_value;
  if (address.what == WS_VALUE_IN_FRAME)
    value = load_slot(&run->now, offset_in_frame(&address, instruction->value), width);
  else if (ws_is_constant(&address) && whole)
    value = (struct ws_heap_value){.what = WS_VALUE_LOADED, .number = address.number + instruction->value};
  if (!whole && ws_is_constant(&value))
    value = ws_any_value;
  push(run, value);
}

static void store_guard(struct ws_heap_flow *flow, uint64_t address, const struct ws_heap_value *value) {
  for (unsigned i = 0; i < flow->guard_count; i++)
    if (flow->guards[i] == address && (value->nonzero || value->base || ws_is_of_memory(value)))
      flow->guards_set |= UINT32_C(1) << i;
    else if (flow->guards[i] == address && ws_is_constant(value))
      flow->guards_cleared |= UINT32_C(1) << i;
}

static void store(struct run *run, const struct ws_instruction *instruction) {
  struct ws_heap_value value = pop(run), address = pop(run);
  if (!run->now.live)
    return;
  address.base |= base_of(run, run->reader.at - instruction->width);
  use_address(run, &address);
  if (address.what == WS_VALUE_IN_FRAME) {
    store_slot(run, offset_in_frame(&address, instruction->value), access_width(instruction->opcode), value);
    return;
  }
  if (ws_is_constant(&address))
    store_guard(run->flow, address.number + instruction->value, &value);
  run->flow->stores_base |= value.base != 0;
  value.base = 0;
  escape(run, &value);
}

// -------------------------------------------------------------------------------------------- control flow

static uint32_t count_types(struct ws_slice types) {
  struct ws_reader reader = ws_reader(types);
  uint32_t count = 0;
  for (; !reader.bad && reader.at < reader.end; count++)
    ws_read_value_type(&reader);
  return count;
}

// The number of parameters and results of a type.
static bool type_counts(struct run *run, uint64_t type, uint32_t *parameters, uint32_t *results) {
  const struct ws_module *module = run->flow->module;
  if (!module->types || type >= module->type_count)
    return lose(run);
  *parameters = count_types(module->types[type].parameters);
  *results = count_types(module->types[type].results);
  return true;
}

static bool enter(struct run *run, uint8_t opcode, uint32_t parameters, uint32_t results) {
  if (run->frame_count == MAXIMUM_FRAMES || (run->now.live && run->depth < parameters) ||
      parameters > MAXIMUM_STACK || results > MAXIMUM_STACK - (run->now.live ? run->depth - parameters : 0))
    return lose(run);
  struct frame **place = &run->frames[run->frame_count];
  bool used = *place != NULL; // by a block before
  if (!used && !(*place = ws_arena_new(&run->arena, 1, sizeof **place)))
    return lose(run);
  run->frame_count++;
  struct frame *frame = *place;
  struct ws_heap_value *label = frame->label.values, *other = frame->other.values;
  *frame = (struct frame){.opcode = opcode,
                          .parameters = parameters,
                          .results = results,
                          .height = run->now.live ? run->depth - parameters : 0,
                          .start = run->reader.at};
  if (!used)
    return new_state(run, &frame->label) && new_state(run, &frame->other);
  frame->label.values = label;
  frame->other.values = other;
  return true;
}

static bool enter_block(struct run *run, const struct ws_instruction *instruction) {
  uint32_t parameters = 0, results = 0;
  struct ws_heap_value held = {0};
  if (instruction->opcode == WASM_OPCODE_IF)
    held = pop(run);
  int64_t type = (int64_t)instruction->value;
  if (type >= 0 && !type_counts(run, (uint64_t)type, &parameters, &results))
    return false;
  if (type < 0)
    results = type != -64; // 0x40
  if (!enter(run, instruction->opcode, parameters, results))
    return false;
  struct frame *frame = run->frames[run->frame_count - 1];
  if (instruction->opcode == WASM_OPCODE_BLOCK)
    return true;
  spend(run, run->depth);
  copy_state(&frame->other, &run->now, run->local_count + run->depth);
  if (instruction->opcode == WASM_OPCODE_IF) {
    assume(run, &run->now, &held, true);
    assume(run, &frame->other, &held, false);
  }
  return true;
}

// Joins the state, with `arity` operands on top, into that of a label at `height`.
static void branch_to(struct run *run, struct state *state, struct frame *frame) {
  uint32_t arity = frame->opcode == WASM_OPCODE_LOOP ? frame->parameters : frame->results;
  if (!state->live)
    return;
  if (run->depth < frame->height + arity) {
    lose(run);
    return;
  }
  spend(run, run->depth);
  struct ws_heap_value kept[MAXIMUM_STACK];
  struct ws_heap_value *operands = state->values + run->local_count;
  memcpy(kept, operands, run->depth * sizeof *kept);
  memmove(operands + frame->height, operands + run->depth - arity, arity * sizeof *operands);
  join_state(&frame->label, state, run->local_count + frame->height + arity);
  memcpy(operands, kept, run->depth * sizeof *kept);
}

static void branch(struct run *run, uint64_t label) {
  if (label >= run->frame_count)
    lose(run);
  else
    branch_to(run, &run->now, run->frames[run->frame_count - 1 - label]);
}

static bool branch_if(struct run *run, uint64_t label) {
  struct ws_heap_value held = pop(run);
  if (!run->now.live)
    return true;
  if (label >= run->frame_count)
    return lose(run);
  copy_state(&run->taken, &run->now, run->local_count + run->depth);
  assume(run, &run->taken, &held, true);
  branch_to(run, &run->taken, run->frames[run->frame_count - 1 - label]);
  assume(run, &run->now, &held, false);
  return true;
}

static bool branch_table(struct run *run, struct ws_reader at) {
  pop(run);
  ws_read_u8(&at);
  uint32_t count = ws_read_uleb32(&at);
  for (uint32_t i = 0; i <= count && !at.bad; i++)
    branch(run, ws_read_uleb32(&at));
  run->now.live = false;
  return true;
}

static void return_from(struct run *run) {
  branch_to(run, &run->now, run->frames[0]);
  run->now.live = false;
}

static bool otherwise(struct run *run) {
  if (run->frame_count < 2 || run->frames[run->frame_count - 1]->opcode != WASM_OPCODE_IF)
    return lose(run);
  struct frame *frame = run->frames[run->frame_count - 1];
  branch_to(run, &run->now, frame);
  frame->has_else = true;
  run->depth = frame->height + frame->parameters;
  copy_state(&run->now, &frame->other, run->local_count + run->depth);
  return true;
}

// Goes round again if branches to its start bring what was not there before.
static bool repeats(struct run *run, struct frame *frame) {
  uint32_t count = run->local_count + frame->height + frame->parameters;
  if (frame->opcode != WASM_OPCODE_LOOP || !frame->label.live)
    return false;
  join_state(&frame->label, &frame->other, count);
  if (same_state(&frame->label, &frame->other, count))
    return false;
  copy_state(&frame->other, &frame->label, count);
  copy_state(&run->now, &frame->label, count);
  frame->label.live = false;
  run->depth = frame->height + frame->parameters;
  run->reader.at = frame->start;
  return true;
}

static bool leave(struct run *run) {
  struct frame *frame = run->frames[run->frame_count - 1];
  spend(run, frame->height);
  if (repeats(run, frame))
    return true;
  if (frame->opcode == WASM_OPCODE_LOOP) {
    run->frame_count--;
    if (!run->now.live)
      run->depth = frame->height + frame->results;
    return true;
  }
  branch_to(run, &run->now, frame);
  if (frame->opcode == WASM_OPCODE_IF && !frame->has_else) {
    run->depth = frame->height + frame->parameters;
    branch_to(run, &frame->other, frame);
  }
  run->depth = frame->height + frame->results;
  copy_state(&run->now, &frame->label, run->local_count + run->depth);
  run->frame_count--;
  return true;
}

// --------------------------------------------------------------------------------------------------- calls

static bool follow(struct run *run, uint32_t index, const struct ws_heap_value *arguments,
                   uint32_t argument_count);
static void end_run(struct run *run);

// Whether it does nothing, when it is given 0, but return the end of the memory, as sbrk does.
static bool is_sbrk(struct run *run, uint32_t index) {
  struct ws_heap_value zero = ws_constant_value(0);
  struct ws_heap_flow before = *run->flow;
  struct run called = {.flow = run->flow, .calls = run->calls + 1};
  bool is = follow(&called, index, &zero, 1) && called.now.live && called.result_count == 1;
  struct ws_heap_value result = is ? called.now.values[called.local_count] : ws_any_value;
  is = is && !called.now.pending && !run->flow->lost && run->flow->takes_size == before.takes_size &&
       result.size == 1 && result.near && result.bytes;
  end_run(&called);
  uint64_t budget = run->flow->budget;
  *run->flow = before;
  run->flow->budget = budget;
  return is;
}

static bool call_inlined(struct run *run, uint32_t index, uint32_t parameters) {
  struct ws_heap_value *arguments = run->now.values + run->local_count + run->depth - parameters;
  // sbrk(0) is memory.size, and so would memory.grow(0) be: any other call of it grows the memory.
  if (parameters == 1 && !ws_is_constant(arguments) && is_sbrk(run, index))
    arguments->nonzero = true;
  struct run called = {.flow = run->flow, .caller = run, .calls = run->calls + 1};
  called.now = run->now;
  if (!follow(&called, index, arguments, parameters)) {
    end_run(&called);
    return lose(run);
  }
  struct ws_heap_value *values = run->now.values;
  run->now = called.now;
  run->now.values = values;
  run->depth -= parameters;
  for (uint32_t i = 0; i < called.result_count && called.now.live; i++)
    push(run, called.now.values[called.local_count + i]);
  end_run(&called);
  return true;
}

static bool call_unknown(struct run *run, uint64_t type, bool indirect) {
  uint32_t parameters, results;
  if (!type_counts(run, type, &parameters, &results))
    return false;
  if (indirect)
    pop(run);
  for (uint32_t i = 0; i < parameters; i++) {
    struct ws_heap_value value = pop(run);
    escape(run, &value);
  }
  forget_order(run);
  for (uint32_t i = 0; i < results; i++)
    push(run, ws_any_value);
  return true;
}

// Small functions are followed if they can be, so that nothing is forgotten that they do not touch.
static bool call_small(struct run *run, uint32_t index, uint64_t type, uint32_t parameters) {
  struct ws_heap_flow before = *run->flow;
  uint32_t depth = run->depth;
  if (call_inlined(run, index, parameters))
    return true;
  uint64_t budget = run->flow->budget;
  *run->flow = before;
  run->flow->budget = budget;
  run->now.live = true;
  run->depth = depth;
  return call_unknown(run, type, false);
}

static bool call(struct run *run, uint64_t function) {
  const struct ws_module *module = run->flow->module;
  uint32_t parameters, results;
  uint32_t type = function > UINT32_MAX ? UINT32_MAX : ws_function_type(module, (uint32_t)function);
  if (type == UINT32_MAX || !type_counts(run, type, &parameters, &results) || run->depth < parameters)
    return lose(run);
  if (function < module->imported_functions)
    return call_unknown(run, type, false);
  uint32_t defined = (uint32_t)function - module->imported_functions;
  if (run->flow->inlined[defined])
    return run->calls < MAXIMUM_CALLS ? call_inlined(run, defined, parameters) : lose(run);
  if (module->functions[defined].size <= SMALL && run->calls < SMALL_CALLS)
    return call_small(run, defined, type, parameters);
  return call_unknown(run, type, false);
}

static bool call_indirect(struct run *run, struct ws_reader at) {
  ws_read_u8(&at);
  return call_unknown(run, ws_read_uleb32(&at), true);
}

// -------------------------------------------------------------------------------------------- instructions

// Globals that never change hold addresses, for position-independent code.
static struct ws_heap_value global_value(const struct ws_module *module, uint64_t index) {
  if (index >= module->global_count)
    return ws_any_value;
  const struct ws_global *global = &module->globals[index];
  if (global->imported || global->mutable || global->init.kind == WS_CONSTANT_OTHER)
    return ws_any_value;
  struct ws_heap_value value = ws_constant_value(global->init.value);
  value.base = ws_heap_global(module, (uint32_t)index) & (WS_NAMES_HEAP_BASE | WS_NAMES_DATA_END) ? 1 : 0;
  return value;
}

static void global_get(struct run *run, uint64_t index) {
  if (index == run->flow->stack_pointer)
    push(run, (struct ws_heap_value){.what = WS_VALUE_IN_FRAME, .number = (uint64_t)run->now.pointer});
  else
    push(run, global_value(run->flow->module, index));
}

static void global_set(struct run *run, uint64_t index) {
  struct ws_heap_value value = pop(run);
  if (index == run->flow->stack_pointer)
    run->now.pointer = value.what == WS_VALUE_IN_FRAME ? (int32_t)(uint32_t)value.number : NOWHERE;
  else
    escape(run, &value);
}

static void number(struct run *run, const struct ws_instruction *instruction) {
  struct ws_heap_value value = ws_constant_value(instruction->value);
  value.base = base_of(run, run->reader.at - instruction->width);
  push(run, value);
}

static bool is_about_grown(const struct ws_heap_value *condition) {
  return ws_is_of_memory(condition) || condition->test == WS_TEST_FAILED ||
         condition->test == WS_TEST_NOT_FAILED || condition->test == WS_TEST_SAME ||
         condition->test == WS_TEST_NOT_SAME;
}

static void select_one(struct run *run) {
  struct ws_heap_value held = pop(run), otherwise = pop(run), value = pop(run);
  if (ws_is_constant(&held)) {
    push(run, held.number ? value : otherwise);
    return;
  }
  struct ws_heap_value either = ws_join_values(value, otherwise);
  // Instead of an address, what is used may be another, and not because memory.grow failed or went on there.
  const struct ws_heap_value *unlike = !value.grown ? &value : !otherwise.grown ? &otherwise : NULL;
  if (unlike && !ws_is_constant(unlike) && !is_about_grown(&held))
    either.chosen |= either.grown != 0;
  push(run, either);
}

static bool local(struct run *run, uint8_t opcode, uint64_t index) {
  if (index >= run->local_count)
    return lose(run);
  struct ws_heap_value *variable = &run->now.values[index];
  if (!run->now.live)
    return true;
  if (opcode == WASM_OPCODE_LOCAL_GET) {
    push(run, *variable);
    return true;
  }
  struct ws_heap_value value = pop(run);
  run->now.values[index] = value;
  if (opcode == WASM_OPCODE_LOCAL_TEE)
    push(run, value);
  return true;
}

// Instructions that take and give numbers that are not followed.
static bool other(struct run *run, uint32_t taken, uint32_t given) {
  for (uint32_t i = 0; i < taken; i++) {
    struct ws_heap_value value = pop(run);
    escape(run, &value);
  }
  for (uint32_t i = 0; i < given; i++)
    push(run, ws_any_value);
  return true;
}

static bool misc(struct run *run, uint32_t suffix) {
  enum { DATA_DROP = 9, ELEM_DROP = 13, TABLE_GROW = 15, TABLE_SIZE = 16, ADD_128 = 19, SUB_128 = 20 };
  if (suffix < WASM_OPCODE_MEMORY_INIT)
    return other(run, 1, 1);
  switch (suffix) {
  case DATA_DROP:
  case ELEM_DROP:
    return true;
  case TABLE_GROW:
    return other(run, 2, 1);
  case TABLE_SIZE:
    return other(run, 0, 1);
  case ADD_128:
  case SUB_128:
    return other(run, 4, 2);
  case 21: // i64.mul_wide_s
  case 22:
    return other(run, 2, 2);
  default: // memory.init, memory.copy, memory.fill, table.init, table.copy, table.fill
    return other(run, 3, 0);
  }
}

static bool atomic(struct run *run, uint32_t suffix) {
  if (suffix == 3) // atomic.fence
    return true;
  if (suffix == WASM_OPCODE_ATOMIC_NOTIFY)
    return other(run, 2, 1);
  if (suffix < 0x10) // memory.atomic.wait
    return other(run, 3, 1);
  if (suffix < WASM_OPCODE_I32_ATOMIC_STORE)
    return other(run, 1, 1);
  if (suffix < 0x1e) // the first that reads and writes
    return other(run, 2, 0);
  return other(run, suffix < WASM_OPCODE_I32_RMW_CMPXCHG ? 2 : 3, 1);
}

// How many vectors or numbers it takes, if it gives one.
static uint32_t vector_operands(uint32_t suffix) {
  static const uint8_t unary[] = {77,  83,  94,  95,  96,  97,  98,  99,  100, 103, 104, 105, 106, 116, 117,
                                  122, 124, 125, 126, 127, 128, 129, 131, 132, 135, 136, 137, 138, 148, 160,
                                  161, 163, 164, 167, 168, 169, 170, 192, 193, 195, 196, 199, 200, 201, 202,
                                  224, 225, 227, 236, 237, 239, 248, 249, 250, 251, 252, 253, 254, 255};
  enum { V128_CONST = 12, BITSELECT = 82, LOAD_32_ZERO = 92, LOAD_64_ZERO = 93 };
  if (suffix == V128_CONST)
    return 0;
  if (suffix < 11 || suffix == LOAD_32_ZERO || suffix == LOAD_64_ZERO || (suffix >= 15 && suffix <= 22) ||
      suffix == 24 || suffix == 25 || suffix == 27 || suffix == 29 || suffix == 31 || suffix == 33)
    return 1; // loads, splat, extract_lane
  if (suffix == BITSELECT || (suffix >= 0x105 && suffix <= 0x10c) || suffix == 0x113)
    return 3;
  return suffix <= 255 && memchr(unary, (int)suffix, sizeof unary) ? 1 : suffix > 256 && suffix < 261 ? 1 : 2;
}

static bool vector(struct run *run, uint32_t suffix) {
  if (suffix == 11 || (suffix >= 88 && suffix <= 91)) // stores
    return other(run, 2, 0);
  if (suffix > 0x113) // half precision
    return lose(run);
  return other(run, vector_operands(suffix), 1);
}

static bool is_unary(uint8_t opcode) {
  return (opcode >= 0x67 && opcode <= 0x69) || (opcode >= 0x79 && opcode <= 0x7b) || // clz, ctz, popcnt
         (opcode >= 0x8b && opcode <= 0x91) || (opcode >= 0x99 && opcode <= 0x9f) || // of floating point
         opcode >= WASM_OPCODE_I32_WRAP_I64;
}

static bool numeric(struct run *run, uint8_t opcode) {
  if (opcode == WASM_OPCODE_I32_EQZ || opcode == WASM_OPCODE_I64_EQZ) {
    push(run, ws_equals_zero(pop(run)));
  } else if (opcode == WASM_OPCODE_I32_WRAP_I64 || opcode == 0xac || opcode == 0xad) { // extend
    struct ws_heap_value value = pop(run);
    if (ws_is_constant(&value))
      value = opcode == 0xac ? ws_constant_value((uint64_t)ws_signed(value.number, false))
                             : ws_constant_value((uint32_t)value.number);
    push(run, value);
  } else if (is_unary(opcode)) {
    struct ws_heap_value value = pop(run);
    push(run, ws_mix_values(value, ws_any_value));
  } else {
    struct ws_heap_value b = pop(run), a = pop(run);
    push(run, opcode > WASM_OPCODE_I64_GE_U ? ws_compute(opcode, a, b) : relation(run, opcode, a, b));
  }
  return true;
}

static bool step(struct run *run, const struct ws_instruction *instruction, struct ws_reader at) {
  uint8_t opcode = instruction->opcode;
  if (opcode >= WASM_OPCODE_I32_LOAD && opcode < WASM_OPCODE_I32_STORE)
    return load(run, instruction), true;
  if (opcode >= WASM_OPCODE_I32_STORE && opcode <= WASM_OPCODE_I64_STORE32)
    return store(run, instruction), true;
  if (opcode >= WASM_OPCODE_I32_EQZ && opcode <= 0xc4)
    return numeric(run, opcode);
  switch (opcode) {
  case WASM_OPCODE_UNREACHABLE:
    run->now.live = false;
    return true;
  case WASM_OPCODE_NOP:
    return true;
  case WASM_OPCODE_BLOCK:
  case WASM_OPCODE_LOOP:
  case WASM_OPCODE_IF:
    return enter_block(run, instruction);
  case WASM_OPCODE_ELSE:
    return otherwise(run);
  case WASM_OPCODE_END:
    return leave(run);
  case WASM_OPCODE_BR:
    branch(run, instruction->value);
    run->now.live = false;
    return true;
  case WASM_OPCODE_BR_IF:
    return branch_if(run, instruction->value);
  case WASM_OPCODE_BR_TABLE:
    return branch_table(run, at);
  case WASM_OPCODE_RETURN:
    return_from(run);
    return true;
  case WASM_OPCODE_RETURN_CALL:
    if (!call(run, instruction->value))
      return false;
    return_from(run);
    return true;
  case WASM_OPCODE_CALL:
    return call(run, instruction->value);
  case WASM_OPCODE_CALL_INDIRECT:
    return call_indirect(run, at);
  case WASM_OPCODE_DROP:
    pop(run);
    return true;
  case WASM_OPCODE_SELECT:
  case WASM_OPCODE_SELECT_T:
    select_one(run);
    return true;
  case WASM_OPCODE_LOCAL_GET:
  case WASM_OPCODE_LOCAL_SET:
  case WASM_OPCODE_LOCAL_TEE:
    return local(run, opcode, instruction->value);
  case WASM_OPCODE_GLOBAL_GET:
    global_get(run, instruction->value);
    return true;
  case WASM_OPCODE_GLOBAL_SET:
    global_set(run, instruction->value);
    return true;
  case WASM_OPCODE_MEMORY_SIZE:
    push(run, memory_size(run));
    return true;
  case WASM_OPCODE_MEMORY_GROW:
    push(run, memory_grow(run, pop(run)));
    return true;
  case WASM_OPCODE_I32_CONST:
  case WASM_OPCODE_I64_CONST:
    number(run, instruction);
    return true;
  case WASM_OPCODE_F32_CONST:
  case WASM_OPCODE_F64_CONST:
  case WASM_OPCODE_REF_NULL:
  case WASM_OPCODE_REF_FUNC:
    return other(run, 0, 1);
  case WASM_OPCODE_MISC_PREFIX:
    return misc(run, instruction->suffix);
  case WASM_OPCODE_ATOMICS_PREFIX:
    return atomic(run, instruction->suffix);
  case WASM_OPCODE_SIMD_PREFIX:
    return vector(run, instruction->suffix);
  default: // exceptions, tables
    return lose(run);
  }
}

// What cannot be reached is only skipped.
static bool skip(struct run *run, uint8_t opcode) {
  switch (opcode) {
  case WASM_OPCODE_BLOCK:
  case WASM_OPCODE_LOOP:
  case WASM_OPCODE_IF:
  case 0x06: // try
  case 0x1f: // try_table
    return enter(run, opcode == WASM_OPCODE_IF ? WASM_OPCODE_IF : WASM_OPCODE_BLOCK, 0, 0);
  case WASM_OPCODE_ELSE:
    return otherwise(run);
  case WASM_OPCODE_END:
    return leave(run);
  default:
    return true;
  }
}

// The locals: the arguments, and then what is declared, of which all is zero.
static bool begin(struct run *run, uint32_t index, const struct ws_heap_value *arguments,
                  uint32_t argument_count) {
  const struct ws_module *module = run->flow->module;
  struct ws_slice body = ws_function_body(module, index);
  uint64_t locals = argument_count;
  uint32_t parameters;
  run->code = ws_section(module, WS_SECTION_CODE)->content.data;
  run->reader = ws_reader(body);
  uint32_t groups = ws_read_uleb32(&run->reader);
  for (uint32_t i = 0; i < groups && !run->reader.bad && locals <= MAXIMUM_LOCALS; i++) {
    locals += ws_read_uleb32(&run->reader);
    ws_read_value_type(&run->reader);
  }
  if (run->reader.bad || locals > MAXIMUM_LOCALS ||
      !type_counts(run, module->function_types[index], &parameters, &run->result_count) ||
      parameters != argument_count)
    return lose(run);
  run->local_count = (uint32_t)locals;
  run->frames = ws_arena_new(&run->arena, MAXIMUM_FRAMES, sizeof *run->frames);
  struct state now = run->now; // the caller's
  if (!run->frames || !new_state(run, &run->now) || !new_state(run, &run->taken))
    return lose(run);
  struct ws_heap_value *values = run->now.values;
  run->now = now;
  run->now.values = values;
  run->now.live = true;
  for (uint32_t i = 0; i < run->local_count; i++)
    values[i] = i < argument_count ? arguments[i] : ws_constant_value(0);
  return enter(run, WASM_OPCODE_BLOCK, 0, run->result_count);
}

// Follows a call; its results are the operands of run->now.
static bool follow(struct run *run, uint32_t index, const struct ws_heap_value *arguments,
                   uint32_t argument_count) {
  if (!begin(run, index, arguments, argument_count))
    return false;
  while (run->frame_count > 0) {
    if (run->reader.bad || run->reader.at == run->reader.end || run->flow->budget == 0 || run->flow->lost)
      return lose(run);
    run->flow->budget--;
    struct ws_reader at = run->reader;
    struct ws_instruction instruction = ws_read_instruction(&run->reader);
    if (run->now.live ? !step(run, &instruction, at) : !skip(run, instruction.opcode))
      return false;
  }
  return !run->flow->lost;
}

static void end_run(struct run *run) {
  ws_arena_free(&run->arena);
}

void ws_follow_heap(struct ws_heap_flow *flow, uint32_t index) {
  const struct ws_module *module = flow->module;
  struct run run = {.flow = flow};
  uint32_t parameters = 0, results = 0;
  flow->returns_pages = flow->returns_address = flow->returns_size = false;
  flow->expects_grown = flow->uses_elsewhere = false;
  flow->uses_base = flow->stores_base = false;
  if (!type_counts(&run, module->function_types[index], &parameters, &results))
    return;
  struct ws_heap_value *arguments = calloc(parameters + 1, sizeof *arguments);
  if (arguments && follow(&run, index, arguments, parameters) && run.now.live) {
    struct ws_heap_value result = run.result_count ? run.now.values[run.local_count] : ws_any_value;
    flow->returns_address = run.now.pending && result.grown == 1 && result.bytes && !result.chosen;
    flow->returns_pages = run.now.pending && result.grown && result.near && !result.bytes && !result.chosen;
    flow->uses_elsewhere |= flow->returns_address;
    flow->ignores_grown |= run.now.pending && !flow->returns_address && !flow->returns_pages;
    flow->ignores_grown |= flow->expects_grown && !flow->uses_elsewhere;
    flow->returns_size = result.size || result.own;
    flow->uses_base |= result.base != 0;
  } else if (!arguments) {
    lose(&run);
  }
  end_run(&run);
  free(arguments);
}
