#include "read/heap_run.h"

#include <stdlib.h>

#include "read/sections.h"

bool ws_run_lose(struct ws_run *run) {
  run->flow->lost = true;
  run->now.live = false;
  return false;
}

// What is done with all values costs as much as many instructions.
static void spend(struct ws_run *run, uint32_t values) {
  uint64_t cost = (run->local_count + values) / 8 + 1;
  run->flow->budget -= cost < run->flow->budget ? cost : run->flow->budget;
}

// ---------------------------------------------------------------------------------------------------- states

// A state that nothing reaches. It may have been used before.
static bool begin_state(struct ws_run *run, struct ws_run_state *state, uint32_t operands) {
  uint32_t count = run->local_count + operands;
  memset(state, 0, offsetof(struct ws_run_state, slots));
  if (state->values && count <= state->capacity)
    return true;
  state->values = ws_arena_new(run->flow->arena, count, sizeof *state->values);
  state->capacity = count;
  return state->values || ws_run_lose(run);
}

bool ws_run_begin(struct ws_run *run) {
  struct ws_run_room *room = &run->flow->rooms[run->calls];
  if (!room->used_in || run->local_count > room->locals) {
    room->used_in = ws_arena_new(run->flow->arena, run->local_count + 1, sizeof *room->used_in);
    room->locals = run->local_count;
  }
  if (!room->used_in || !begin_state(run, &room->now, WS_RUN_STACK) ||
      !begin_state(run, &room->taken, WS_RUN_STACK))
    return ws_run_lose(run);
  memset(room->used_in, 0, run->local_count * sizeof *room->used_in);
  run->frames = room->frames;
  run->used_in = room->used_in;
  run->now.values = room->now.values;
  run->taken.values = room->taken.values;
  return true;
}

static void copy_state(struct ws_run_state *to, const struct ws_run_state *from, uint32_t count) {
  memcpy(to, from, offsetof(struct ws_run_state, slots) + from->slot_count * sizeof *from->slots);
  memcpy(to->values, from->values, count * sizeof *to->values);
}

static struct ws_run_slot *find_slot(struct ws_run_state *state, const struct ws_run_slot *like) {
  for (unsigned i = 0; i < state->slot_count; i++)
    if (state->slots[i].offset == like->offset && state->slots[i].width == like->width)
      return &state->slots[i];
  return NULL;
}

// What may be either. Who uses it asks where pages are only if it says that on each way on which nobody has
// asked for pages yet.
static struct ws_heap_value join_values(const struct ws_run_state *to, struct ws_heap_value a,
                                        const struct ws_run_state *from, struct ws_heap_value b) {
  bool drops_a = from->pending && !b.grown, drops_b = to->pending && !a.grown;
  bool is_place = (drops_a && a.grown) || (drops_b && b.grown);
  if (drops_a)
    a.grown = 0;
  if (drops_b)
    b.grown = 0;
  a.variables &= (uint16_t)(~from->old | to->old); // they are not old there
  b.variables &= (uint16_t)(~to->old | from->old);
  if (to->follows && from->bounds)
    a.origin = 0;
  if (from->follows && to->bounds)
    b.origin = 0;
  struct ws_heap_value either = ws_join_values(&a, &b);
  if (is_place && either.what == WS_VALUE_UNKNOWN)
    either.what = WS_VALUE_PLACE;
  // Functions return whether memory.grow has failed.
  bool says = ws_is_constant(&a) && ws_is_constant(&b) && a.nonzero != b.nonzero;
  if (says && to->pending && from->failed)
    either.test = a.nonzero ? WS_TEST_NOT_FAILED : WS_TEST_FAILED;
  if (says && from->pending && to->failed)
    either.test = b.nonzero ? WS_TEST_NOT_FAILED : WS_TEST_FAILED;
  return either;
}

// A variable that was written on one way only may be anything, or what was written there.
static void join_slots(struct ws_run *run, struct ws_run_state *to, struct ws_run_state *from) {
  for (unsigned i = 0; i < to->slot_count; i++) {
    const struct ws_run_slot *other = find_slot(from, &to->slots[i]);
    to->slots[i].value = join_values(to, to->slots[i].value, from, other ? other->value : ws_any_value);
  }
  for (unsigned i = 0; i < from->slot_count; i++) {
    struct ws_run_slot slot = from->slots[i];
    slot.value = join_values(from, slot.value, to, ws_any_value);
    if (!ws_is_of_memory(&slot.value) && !slot.value.base && !slot.value.framed)
      continue;
    if (find_slot(to, &slot))
      continue;
    if (to->slot_count < WS_RUN_SLOTS)
      to->slots[to->slot_count++] = slot;
    else
      ws_run_escape(run, &slot.value);
  }
}

// `to` is what can be after either of them.
static void join_state(struct ws_run *run, struct ws_run_state *to, struct ws_run_state *from,
                       uint32_t count) {
  if (!from->live)
    return;
  if (!to->live) {
    copy_state(to, from, count);
    return;
  }
  join_slots(run, to, from);
  for (uint32_t i = 0; i < count; i++)
    to->values[i] = join_values(to, to->values[i], from, from->values[i]);
  to->old |= from->old;
  to->moved |= from->moved;
  to->bounds |= from->bounds;
  to->behind |= from->behind;
  to->pending |= from->pending;
  to->elsewhere |= from->elsewhere;
  to->follows |= from->follows;
  // Whether it failed, a program asks again where the ways of success and failure have met.
  bool failed = to->failed || from->failed;
  if (failed ? from->grown > to->grown : from->grown < to->grown)
    to->grown = from->grown;
  to->failed &= from->failed;
  to->guards &= from->guards;
  if (to->pointer != from->pointer)
    to->pointer = WS_RUN_NOWHERE;
  to->exposed |= from->exposed;
}

static bool same_state(const struct ws_run_state *a, struct ws_run_state *b, uint32_t count) {
  bool same = a->live == b->live && a->pending == b->pending && a->elsewhere == b->elsewhere &&
              a->follows == b->follows && a->grown == b->grown && a->failed == b->failed &&
              a->guards == b->guards && a->pointer == b->pointer && a->exposed == b->exposed &&
              a->old == b->old && a->bounds == b->bounds && a->moved == b->moved && a->behind == b->behind &&
              a->slot_count == b->slot_count;
  for (unsigned i = 0; i < a->slot_count && same; i++) {
    const struct ws_run_slot *other = find_slot(b, &a->slots[i]);
    same = other && ws_same_value(&a->slots[i].value, &other->value);
  }
  for (uint32_t i = 0; i < count && same; i++)
    same = ws_same_value(&a->values[i], &b->values[i]);
  return same;
}

void ws_run_push(struct ws_run *run, struct ws_heap_value value) {
  if (run->depth == WS_RUN_STACK)
    ws_run_lose(run);
  else if (run->now.live) {
    value.aims = ws_run_aims(run->flow, &value);
    run->now.values[run->local_count + run->depth++] = value;
  }
}

struct ws_heap_value ws_run_pop(struct ws_run *run) {
  if (!run->now.live)
    return ws_any_value;
  if (run->depth == 0) {
    ws_run_lose(run);
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
static void assume(struct ws_run *run, struct ws_run_state *state, const struct ws_heap_value *condition,
                   bool holds) {
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
    if (!state->grown)
      ws_range_forget(state);
    for (uint32_t i = 0; i < run->local_count + run->depth; i++)
      own_becomes_size(&state->values[i]);
    for (unsigned i = 0; i < state->slot_count; i++)
      own_becomes_size(&state->slots[i].value);
  }
  if (test == (holds ? WS_TEST_SAME : WS_TEST_NOT_SAME) && state->pending) {
    run->flow->expects_grown = true;
    state->pending = false;
  }
  if (ws_range_follows(condition, holds)) {
    ws_range_renew(state, ws_range_of_same(run->flow, condition));
  }
  if (ws_range_beside(condition, holds)) {
    state->follows = true;
    state->bounds = 0;
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
  if (i == flow->guard_count) {
    flow->guards[flow->guard_count++] = condition->number;
    flow->guard_widths[i] = 0; // until it is seen to be loaded
  }
  state->guards |= (uint8_t)(1U << i);
}

// ---------------------------------------------------------------------------------------------- control flow

static uint32_t count_types(struct ws_slice types) {
  struct ws_reader reader = ws_reader(types);
  uint32_t count = 0;
  for (; !reader.bad && reader.at < reader.end; count++)
    ws_read_value_type(&reader);
  return count;
}

bool ws_run_type_counts(struct ws_run *run, uint64_t type, uint32_t *parameters, uint32_t *results) {
  const struct ws_module *module = run->flow->module;
  if (!module->types || type >= module->type_count)
    return ws_run_lose(run);
  *parameters = count_types(module->types[type].parameters);
  *results = count_types(module->types[type].results);
  return true;
}

bool ws_run_enter(struct ws_run *run, uint8_t opcode, uint32_t parameters, uint32_t results) {
  if (run->frame_count == WS_RUN_FRAMES || (run->now.live && run->depth < parameters) ||
      parameters > WS_RUN_STACK || results > WS_RUN_STACK - (run->now.live ? run->depth - parameters : 0))
    return ws_run_lose(run);
  struct ws_run_frame **place = &run->frames[run->frame_count]; // may have been used by a block before
  if (!*place && !(*place = ws_arena_new(run->flow->arena, 1, sizeof **place)))
    return ws_run_lose(run);
  run->frame_count++;
  struct ws_run_frame *frame = *place;
  frame->opcode = opcode;
  frame->has_else = false;
  frame->parameters = parameters;
  frame->results = results;
  frame->height = run->now.live ? run->depth - parameters : 0;
  frame->start = run->reader.at;
  uint32_t most = frame->height + (parameters > results ? parameters : results);
  return begin_state(run, &frame->label, most) &&
         (opcode == WASM_OPCODE_BLOCK || begin_state(run, &frame->other, most));
}

bool ws_run_enter_block(struct ws_run *run, const struct ws_instruction *instruction) {
  uint32_t parameters = 0, results = 0;
  struct ws_heap_value held = {0};
  if (instruction->opcode == WASM_OPCODE_IF)
    held = ws_run_pop(run);
  int64_t type = (int64_t)instruction->value;
  if (type >= 0 && !ws_run_type_counts(run, (uint64_t)type, &parameters, &results))
    return false;
  if (type < 0)
    results = type != -64; // 0x40
  if (!ws_run_enter(run, instruction->opcode, parameters, results))
    return false;
  struct ws_run_frame *frame = run->frames[run->frame_count - 1];
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
static void branch_to(struct ws_run *run, struct ws_run_state *state, struct ws_run_frame *frame) {
  uint32_t arity = frame->opcode == WASM_OPCODE_LOOP ? frame->parameters : frame->results;
  if (!state->live)
    return;
  if (run->depth < frame->height + arity) {
    ws_run_lose(run);
    return;
  }
  spend(run, run->depth);
  struct ws_heap_value kept[WS_RUN_STACK];
  struct ws_heap_value *operands = state->values + run->local_count;
  memcpy(kept, operands, run->depth * sizeof *kept);
  memmove(operands + frame->height, operands + run->depth - arity, arity * sizeof *operands);
  join_state(run, &frame->label, state, run->local_count + frame->height + arity);
  memcpy(operands, kept, run->depth * sizeof *kept);
}

void ws_run_branch(struct ws_run *run, uint64_t label) {
  if (label >= run->frame_count)
    ws_run_lose(run);
  else
    branch_to(run, &run->now, run->frames[run->frame_count - 1 - label]);
}

bool ws_run_branch_if(struct ws_run *run, uint64_t label) {
  struct ws_heap_value held = ws_run_pop(run);
  if (!run->now.live)
    return true;
  if (label >= run->frame_count)
    return ws_run_lose(run);
  copy_state(&run->taken, &run->now, run->local_count + run->depth);
  assume(run, &run->taken, &held, true);
  branch_to(run, &run->taken, run->frames[run->frame_count - 1 - label]);
  assume(run, &run->now, &held, false);
  return true;
}

bool ws_run_branch_table(struct ws_run *run, struct ws_reader at) {
  ws_run_pop(run);
  ws_read_u8(&at);
  uint32_t count = ws_read_uleb32(&at);
  for (uint32_t i = 0; i <= count && !at.bad; i++)
    ws_run_branch(run, ws_read_uleb32(&at));
  run->now.live = false;
  return true;
}

void ws_run_return_from(struct ws_run *run) {
  branch_to(run, &run->now, run->frames[0]);
  run->now.live = false;
}

bool ws_run_otherwise(struct ws_run *run) {
  if (run->frame_count < 2 || run->frames[run->frame_count - 1]->opcode != WASM_OPCODE_IF)
    return ws_run_lose(run);
  struct ws_run_frame *frame = run->frames[run->frame_count - 1];
  branch_to(run, &run->now, frame);
  frame->has_else = true;
  run->depth = frame->height + frame->parameters;
  copy_state(&run->now, &frame->other, run->local_count + run->depth);
  return true;
}

// Goes round again if branches to its start bring what was not there before.
static bool repeats(struct ws_run *run, struct ws_run_frame *frame) {
  uint32_t count = run->local_count + frame->height + frame->parameters;
  if (frame->opcode != WASM_OPCODE_LOOP || !frame->label.live)
    return false;
  join_state(run, &frame->label, &frame->other, count);
  if (same_state(&frame->label, &frame->other, count))
    return false;
  copy_state(&frame->other, &frame->label, count);
  copy_state(&run->now, &frame->label, count);
  frame->label.live = false;
  run->depth = frame->height + frame->parameters;
  run->reader.at = frame->start;
  return true;
}

bool ws_run_leave(struct ws_run *run) {
  struct ws_run_frame *frame = run->frames[run->frame_count - 1];
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
