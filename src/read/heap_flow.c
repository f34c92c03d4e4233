#include "read/heap_flow.h"

#include <stdlib.h>

#include "read/heap_run.h"
#include "read/sections.h"

enum { MAXIMUM_LOCALS = 1024 };
enum { SMALL = 128, SMALL_CALLS = 3 }; // bytes of a function, and calls from one to the next

static bool follow(struct ws_run *run, uint32_t index, const struct ws_heap_value *arguments,
                   uint32_t argument_count);

// ----------------------------------------------------------------------------------------------------- calls

// Whether it does nothing, when it is given 0, but return the end of the memory, as sbrk does.
static bool is_sbrk(struct ws_run *run, uint32_t index) {
  struct ws_heap_value zero = ws_constant_value(0);
  struct ws_heap_flow before = *run->flow;
  struct ws_run called = {.flow = run->flow, .calls = run->calls + 1};
  bool is = follow(&called, index, &zero, 1) && called.now.live && called.result_count == 1;
  struct ws_heap_value result = is ? called.now.values[called.local_count] : ws_any_value;
  is = is && !called.now.pending && !run->flow->lost && run->flow->takes_size == before.takes_size &&
       result.size == 1 && result.near && result.bytes;
  uint64_t budget = run->flow->budget;
  *run->flow = before;
  run->flow->budget = budget;
  return is;
}

static struct ws_heap_value without_local(const struct ws_heap_value *value) {
  struct ws_heap_value copy = *value;
  copy.local = 0;
  return copy;
}

static bool call_inlined(struct ws_run *run, uint32_t index, uint32_t parameters) {
  struct ws_heap_value *arguments = run->now.values + run->local_count + run->depth - parameters;
  // sbrk(0) is memory.size, and so would memory.grow(0) be: any other call of it grows the memory.
  if (parameters == 1 && !ws_is_constant(arguments) && is_sbrk(run, index))
    arguments->nonzero = true;
  struct ws_run called = {.flow = run->flow, .caller = run, .calls = run->calls + 1};
  called.now = run->now;
  if (!follow(&called, index, arguments, parameters))
    return ws_run_lose(run);
  struct ws_heap_value *values = run->now.values;
  run->now = called.now;
  run->now.values = values;
  run->depth -= parameters;
  for (uint32_t i = 0; i < called.result_count && called.now.live; i++)
    ws_run_push(run, without_local(&called.now.values[called.local_count + i]));
  return true;
}

static bool call_unknown(struct ws_run *run, uint64_t type, bool indirect, bool inside) {
  uint32_t parameters, results;
  if (!ws_run_type_counts(run, type, &parameters, &results))
    return false;
  if (indirect)
    ws_run_pop(run);
  for (uint32_t i = 0; i < parameters; i++) {
    struct ws_heap_value value = ws_run_pop(run);
    ws_run_escape(run, &value);
  }
  ws_run_forget_order(run);
  ws_run_forget_slots(run);
  if (inside)
    ws_range_forget(&run->now);
  for (uint32_t i = 0; i < results; i++)
    ws_run_push(run, ws_any_value);
  return true;
}

// Small functions are followed if they can be, so that nothing is forgotten that they do not touch.
static bool call_small(struct ws_run *run, uint32_t index, uint64_t type, uint32_t parameters) {
  struct ws_heap_flow before = *run->flow;
  uint32_t depth = run->depth;
  if (call_inlined(run, index, parameters))
    return true;
  uint64_t budget = run->flow->budget;
  *run->flow = before;
  run->flow->budget = budget;
  run->now.live = true;
  run->depth = depth;
  return call_unknown(run, type, false, true);
}

static bool call(struct ws_run *run, uint64_t function) {
  const struct ws_module *module = run->flow->module;
  uint32_t parameters, results;
  uint32_t type = function > UINT32_MAX ? UINT32_MAX : ws_function_type(module, (uint32_t)function);
  if (type == UINT32_MAX || !ws_run_type_counts(run, type, &parameters, &results) || run->depth < parameters)
    return ws_run_lose(run);
  if (function < module->imported_functions)
    return call_unknown(run, type, false, false);
  uint32_t defined = (uint32_t)function - module->imported_functions;
  uint8_t inlined = run->flow->inlined[defined];
  if (inlined == WS_INLINED)
    return run->calls < WS_RUN_CALLS ? call_inlined(run, defined, parameters) : ws_run_lose(run);
  if ((inlined || module->functions[defined].size <= SMALL) && run->calls < SMALL_CALLS)
    return call_small(run, defined, type, parameters);
  return call_unknown(run, type, false, true);
}

static bool call_indirect(struct ws_run *run, struct ws_reader at) {
  ws_read_u8(&at);
  return call_unknown(run, ws_read_uleb32(&at), true, true);
}

// ---------------------------------------------------------------------------------------------- instructions

// Globals that never change hold addresses, for position-independent code.
static struct ws_heap_value global_value(const struct ws_module *module, uint64_t index) {
  if (index >= module->global_count)
    return ws_any_value;
  const struct ws_global *global = &module->globals[index];
  if (global->imported || global->mutable || global->init.kind == WS_CONSTANT_OTHER)
    return ws_any_value;
  struct ws_heap_value value = ws_constant_value(global->init.value);
  unsigned names = ws_heap_global(module, (uint32_t)index);
  value.base = names & (WS_NAMES_HEAP_BASE | WS_NAMES_DATA_END) ? 1 : 0;
  value.end = names & WS_NAMES_HEAP_END;
  return value;
}

static void global_get(struct ws_run *run, uint64_t index) {
  if (index == run->flow->stack_pointer)
    ws_run_push(run, (struct ws_heap_value){
                         .what = WS_VALUE_IN_FRAME, .number = (uint64_t)run->now.pointer, .framed = true});
  else
    ws_run_push(run, global_value(run->flow->module, index));
}

static void global_set(struct ws_run *run, uint64_t index) {
  struct ws_heap_value value = ws_run_pop(run);
  if (index == run->flow->stack_pointer)
    run->now.pointer = value.what == WS_VALUE_IN_FRAME ? (int32_t)(uint32_t)value.number : WS_RUN_NOWHERE;
  else
    ws_run_escape(run, &value);
}

static void number(struct ws_run *run, const struct ws_instruction *instruction) {
  struct ws_heap_value value = ws_constant_value(instruction->value);
  value.base = ws_run_base_of(run, run->reader.at - instruction->width);
  value.end = ws_run_is_end(run, run->reader.at - instruction->width);
  ws_run_push(run, value);
}

static bool is_about_grown(const struct ws_heap_value *condition) {
  return ws_is_of_memory(condition) || condition->test == WS_TEST_FAILED ||
         condition->test == WS_TEST_NOT_FAILED || condition->test == WS_TEST_SAME ||
         condition->test == WS_TEST_NOT_SAME;
}

static void select_one(struct ws_run *run) {
  struct ws_heap_value held = ws_run_pop(run), otherwise = ws_run_pop(run), value = ws_run_pop(run);
  if (ws_is_constant(&held)) {
    ws_run_push(run, held.number ? value : otherwise);
    return;
  }
  struct ws_heap_value either = ws_join_values(&value, &otherwise);
  if (ws_range_follows(&held, true) || ws_range_follows(&held, false))
    either.variables &= (uint16_t)~ws_range_of_same(run->flow, &held), either.origin = 0;
  // Instead of an address, what is used may be another, and not because memory.grow failed or went on there.
  const struct ws_heap_value *unlike = !value.grown ? &value : !otherwise.grown ? &otherwise : NULL;
  if (unlike && !ws_is_constant(unlike) && !is_about_grown(&held))
    either.chosen |= either.grown != 0;
  ws_run_push(run, either);
}

static bool local(struct ws_run *run, uint8_t opcode, uint64_t index) {
  if (index >= run->local_count)
    return ws_run_lose(run);
  if (!run->now.live)
    return true;
  if (opcode != WASM_OPCODE_LOCAL_GET) {
    struct ws_heap_value value = ws_run_pop(run);
    ws_run_set_local(run, (uint32_t)index, &value);
  }
  if (opcode != WASM_OPCODE_LOCAL_SET)
    ws_run_push(run, ws_run_get_local(run, (uint32_t)index));
  return true;
}

// Instructions that take and give numbers that are not followed.
static bool other(struct ws_run *run, uint32_t taken, uint32_t given) {
  for (uint32_t i = 0; i < taken; i++) {
    struct ws_heap_value value = ws_run_pop(run);
    ws_run_escape(run, &value);
  }
  for (uint32_t i = 0; i < given; i++)
    ws_run_push(run, ws_any_value);
  return true;
}

// memory.init, memory.copy and memory.fill, and the same of tables: nobody keeps the addresses.
static bool copy_or_fill(struct ws_run *run) {
  struct ws_heap_value size = ws_run_pop(run), from = ws_run_pop(run), to = ws_run_pop(run);
  ws_run_touch(run, &size);
  ws_run_touch(run, &from);
  ws_run_touch(run, &to);
  ws_range_forget(&run->now);
  run->flow->guards_cleared |= ws_run_aims(run->flow, &to);
  return true;
}

static bool misc(struct ws_run *run, uint32_t suffix) {
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
    return copy_or_fill(run);
  }
}

static bool atomic(struct ws_run *run, uint32_t suffix) {
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

static bool vector(struct ws_run *run, uint32_t suffix) {
  if (suffix == 11 || (suffix >= 88 && suffix <= 91)) // stores
    return other(run, 2, 0);
  if (suffix > 0x113) // half precision
    return ws_run_lose(run);
  return other(run, vector_operands(suffix), 1);
}

static bool is_unary(uint8_t opcode) {
  return (opcode >= 0x67 && opcode <= 0x69) || (opcode >= 0x79 && opcode <= 0x7b) || // clz, ctz, popcnt
         (opcode >= 0x8b && opcode <= 0x91) || (opcode >= 0x99 && opcode <= 0x9f) || // of floating point
         opcode >= WASM_OPCODE_I32_WRAP_I64;
}

static struct ws_heap_value compute(uint8_t opcode, struct ws_heap_value a, struct ws_heap_value b) {
  struct ws_heap_value result = ws_compute(opcode, &a, &b);
  result.end = a.end || b.end;
  result.local = 0;
  return result;
}

static bool numeric(struct ws_run *run, uint8_t opcode) {
  if (opcode == WASM_OPCODE_I32_EQZ || opcode == WASM_OPCODE_I64_EQZ) {
    struct ws_heap_value value = ws_run_pop(run);
    ws_run_push(run, ws_equals_zero(&value));
  } else if (opcode == WASM_OPCODE_I32_WRAP_I64 || opcode == 0xac || opcode == 0xad) { // extend
    struct ws_heap_value value = ws_run_pop(run);
    if (ws_is_constant(&value))
      value = opcode == 0xac ? ws_constant_value((uint64_t)ws_signed(value.number, false))
                             : ws_constant_value((uint32_t)value.number);
    ws_run_push(run, value);
  } else if (is_unary(opcode)) {
    struct ws_heap_value value = ws_run_pop(run);
    struct ws_heap_value zero = ws_constant_value(0);
    ws_run_push(run, ws_mix_values(&value, &zero));
  } else {
    struct ws_heap_value b = ws_run_pop(run), a = ws_run_pop(run);
    ws_run_push(run,
                opcode > WASM_OPCODE_I64_GE_U ? compute(opcode, a, b) : ws_run_relation(run, opcode, &a, &b));
  }
  return true;
}

static bool control(struct ws_run *run, const struct ws_instruction *instruction, struct ws_reader at) {
  switch (instruction->opcode) {
  case WASM_OPCODE_UNREACHABLE:
    run->now.live = false;
    return true;
  case WASM_OPCODE_NOP:
    return true;
  case WASM_OPCODE_BLOCK:
  case WASM_OPCODE_LOOP:
  case WASM_OPCODE_IF:
    return ws_run_enter_block(run, instruction);
  case WASM_OPCODE_ELSE:
    return ws_run_otherwise(run);
  case WASM_OPCODE_END:
    return ws_run_leave(run);
  case WASM_OPCODE_BR:
    ws_run_branch(run, instruction->value);
    run->now.live = false;
    return true;
  case WASM_OPCODE_BR_IF:
    return ws_run_branch_if(run, instruction->value);
  case WASM_OPCODE_BR_TABLE:
    return ws_run_branch_table(run, at);
  case WASM_OPCODE_RETURN:
    ws_run_return_from(run);
    return true;
  case WASM_OPCODE_RETURN_CALL:
    if (!call(run, instruction->value))
      return false;
    ws_run_return_from(run);
    return true;
  case WASM_OPCODE_CALL:
    return call(run, instruction->value);
  case WASM_OPCODE_CALL_INDIRECT:
    return call_indirect(run, at);
  default: // exceptions
    return ws_run_lose(run);
  }
}

// What wide and atomic instructions store is not followed.
static void access_guards(struct ws_run *run, const struct ws_instruction *instruction) {
  if (instruction->accesses_memory && run->now.live)
    run->flow->guards_cleared |= ws_run_aims_at(run->flow, instruction);
}

static bool step(struct ws_run *run, const struct ws_instruction *instruction, struct ws_reader at) {
  uint8_t opcode = instruction->opcode;
  if (opcode >= WASM_OPCODE_I32_LOAD && opcode < WASM_OPCODE_I32_STORE)
    return ws_run_load(run, instruction), true;
  if (opcode >= WASM_OPCODE_I32_STORE && opcode <= WASM_OPCODE_I64_STORE32)
    return ws_run_store(run, instruction), true;
  if (opcode >= WASM_OPCODE_I32_EQZ && opcode <= 0xc4)
    return numeric(run, opcode);
  if (opcode < WASM_OPCODE_DROP) {
    ws_run_end_stretch(run);
    return control(run, instruction, at);
  }
  switch (opcode) {
  case WASM_OPCODE_DROP:
    ws_run_pop(run);
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
    ws_run_push(run, ws_run_memory_size(run));
    return true;
  case WASM_OPCODE_MEMORY_GROW:
    ws_run_push(run, ws_run_memory_grow(run, ws_run_pop(run)));
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
    access_guards(run, instruction);
    return atomic(run, instruction->suffix);
  case WASM_OPCODE_SIMD_PREFIX:
    access_guards(run, instruction);
    return vector(run, instruction->suffix);
  default: // tables
    return ws_run_lose(run);
  }
}

// What cannot be reached is only skipped.
static bool skip(struct ws_run *run, uint8_t opcode) {
  switch (opcode) {
  case WASM_OPCODE_BLOCK:
  case WASM_OPCODE_LOOP:
  case WASM_OPCODE_IF:
  case 0x06: // try
  case 0x1f: // try_table
    return ws_run_enter(run, opcode == WASM_OPCODE_IF ? WASM_OPCODE_IF : WASM_OPCODE_BLOCK, 0, 0);
  case WASM_OPCODE_ELSE:
    return ws_run_otherwise(run);
  case WASM_OPCODE_END:
    return ws_run_leave(run);
  default:
    return true;
  }
}

// The locals: the arguments, and then what is declared, of which all is zero.
static bool begin(struct ws_run *run, uint32_t index, const struct ws_heap_value *arguments,
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
      !ws_run_type_counts(run, module->function_types[index], &parameters, &run->result_count) ||
      parameters != argument_count)
    return ws_run_lose(run);
  run->local_count = (uint32_t)locals;
  run->stretch = 1;
  if (!ws_run_begin(run))
    return false;
  run->now.live = true; // and else as the caller's
  for (uint32_t i = 0; i < run->local_count; i++)
    run->now.values[i] = i < argument_count ? without_local(&arguments[i]) : ws_constant_value(0);
  return ws_run_enter(run, WASM_OPCODE_BLOCK, 0, run->result_count);
}

// Follows a call; its results are the operands of run->now.
static bool follow(struct ws_run *run, uint32_t index, const struct ws_heap_value *arguments,
                   uint32_t argument_count) {
  if (!begin(run, index, arguments, argument_count))
    return false;
  while (run->frame_count > 0) {
    if (run->reader.bad || run->reader.at == run->reader.end || run->flow->budget == 0 || run->flow->lost)
      return ws_run_lose(run);
    run->flow->budget--;
    struct ws_reader at = run->reader;
    struct ws_instruction instruction = ws_read_instruction(&run->reader);
    if (run->now.live ? !step(run, &instruction, at) : !skip(run, instruction.opcode))
      return false;
  }
  return !run->flow->lost;
}

void ws_follow_heap(struct ws_heap_flow *flow, uint32_t index) {
  const struct ws_module *module = flow->module;
  struct ws_run run = {.flow = flow};
  uint32_t parameters = 0, results = 0;
  flow->returns_pages = flow->returns_address = flow->returns_size = false;
  flow->expects_grown = flow->uses_elsewhere = false;
  flow->raises = flow->has_bounds = false;
  flow->base_store_count = 0;
  flow->gives_address = flow->checks_arguments = false;
  flow->uses_base = flow->stores_base = flow->uses_end = flow->returns_end = false;
  if (!ws_run_type_counts(&run, module->function_types[index], &parameters, &results))
    return;
  if (!flow->rooms)
    flow->rooms = ws_arena_new(flow->arena, WS_RUN_CALLS + 1, sizeof *flow->rooms);
  struct ws_heap_value *arguments = flow->rooms ? calloc(parameters + 1, sizeof *arguments) : NULL;
  for (uint32_t i = 0; arguments && i < parameters; i++)
    arguments[i] =
        (struct ws_heap_value){.what = WS_VALUE_ARGUMENT, .number = i, .made = WS_MADE_OF_ARGUMENTS};
  if (arguments && follow(&run, index, arguments, parameters) && run.now.live) {
    struct ws_heap_value result = run.result_count ? run.now.values[run.local_count] : ws_any_value;
    // Behind a header of any size, or at the end of the new pages; but their end is no block.
    flow->returns_address = run.now.pending && result.grown == 1 && result.bytes && !result.chosen &&
                            (result.near || !result.pages);
    flow->returns_address |= run.now.pending && flow->gives_address;
    flow->returns_pages = run.now.pending && result.grown && result.near && !result.bytes && !result.chosen;
    flow->uses_elsewhere |= flow->returns_address;
    flow->ignores_grown |= run.now.pending && !flow->returns_address && !flow->returns_pages;
    flow->ignores_grown |= flow->expects_grown && !flow->uses_elsewhere;
    ws_range_give(flow, &result);
    flow->ignores_grown |= (run.now.behind & flow->variables.advanced & flow->variables.given) != 0;
    if (run.now.old & ((UINT32_C(1) << flow->variables.count) - 1))
      flow->moved |= run.now.moved;
    flow->returns_size = result.size || result.own;
    flow->uses_base |= result.base != 0;
    flow->returns_end = result.end;
    if (result.framed)
      ws_run_escape(&run, &result);
    flow->guards_cleared |= ws_run_aims(flow, &result);
  } else if (!arguments) {
    ws_run_lose(&run);
  }
  free(arguments);
}
