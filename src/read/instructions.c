#include "read/instructions.h"

#include "read/sections.h"

void ws_skip_locals(struct ws_reader *body) {
  uint32_t groups = ws_read_uleb32(body);
  for (uint32_t i = 0; i < groups && !body->bad; i++) {
    ws_read_uleb32(body);
    ws_read_value_type(body);
  }
}

// Notes an operand that is what was read from `start` on.
static void note(struct ws_instruction *instruction, const struct ws_reader *body, const uint8_t *start,
                 enum ws_operand_kind kind, uint64_t value) {
  if (body->bad)
    return;
  instruction->kind = kind;
  instruction->value = value;
  instruction->width = (uint8_t)(body->at - start);
  if (instruction->width != 5 && instruction->width != 10)
    return;
  // A positive signed number ends with a byte of zeros when its highest bit is the one before that.
  bool negative = kind == WS_OPERAND_CONSTANT && (body->at[-2] & 0x40);
  instruction->padded |= body->at[-1] == (negative ? 0x7f : 0x00);
}

static void index_operand(struct ws_instruction *instruction, struct ws_reader *body) {
  const uint8_t *start = body->at;
  uint32_t value = ws_read_uleb32(body);
  note(instruction, body, start, WS_OPERAND_INDEX, value);
}

static void memarg(struct ws_instruction *instruction, struct ws_reader *body) {
  enum { HAS_MEMORY_INDEX = 0x40 };
  if (ws_read_uleb32(body) & HAS_MEMORY_INDEX)
    ws_read_uleb32(body);
  const uint8_t *start = body->at;
  uint64_t value = ws_read_uleb64(body);
  note(instruction, body, start, WS_OPERAND_OFFSET, value);
  instruction->accesses_memory = true;
}

static void constant(struct ws_instruction *instruction, struct ws_reader *body) {
  const uint8_t *start = body->at;
  uint64_t value = instruction->opcode == WASM_OPCODE_I64_CONST ? (uint64_t)ws_read_sleb64(body)
                                                                : (uint32_t)ws_read_sleb32(body);
  note(instruction, body, start, WS_OPERAND_CONSTANT, value);
}

static void block_type(struct ws_instruction *instruction, struct ws_reader *body) {
  uint8_t type = body->at < body->end ? *body->at : 0;
  if (type == WASM_TYPE_NULLABLE || type == WASM_TYPE_NONNULLABLE)
    ws_read_u8(body);
  const uint8_t *start = body->at;
  int64_t value = ws_read_sleb64(body);
  instruction->value = (uint64_t)value;
  if (value >= 0) // a type's index; a value type, or none, is negative
    note(instruction, body, start, WS_OPERAND_INDEX, (uint64_t)value);
}

static void br_table(struct ws_reader *body) {
  uint32_t count = ws_read_uleb32(body);
  for (uint32_t i = 0; i <= count && !body->bad; i++)
    ws_read_uleb32(body);
}

static void select_types(struct ws_reader *body) {
  uint32_t count = ws_read_uleb32(body);
  for (uint32_t i = 0; i < count && !body->bad; i++)
    ws_read_value_type(body);
}

static void try_table(struct ws_instruction *instruction, struct ws_reader *body) {
  enum { CATCH_REF = 1 }; // the last kind that names a tag
  block_type(instruction, body);
  uint32_t count = ws_read_uleb32(body);
  for (uint32_t i = 0; i < count && !body->bad; i++) {
    if (ws_read_u8(body) <= CATCH_REF)
      index_operand(instruction, body);
    ws_read_uleb32(body); // label
  }
}

static void misc(struct ws_instruction *instruction, struct ws_reader *body) {
  uint32_t opcode = instruction->suffix = ws_read_uleb32(body);
  if (opcode < WASM_OPCODE_MEMORY_INIT || (opcode >= 19 && opcode <= 22)) // trunc_sat, wide arithmetic
    return;
  instruction->accesses_memory = opcode <= WASM_OPCODE_MEMORY_FILL;
  switch (opcode) {
  case WASM_OPCODE_MEMORY_INIT:
  case 10: // memory.copy
  case 12: // table.init
  case 14: // table.copy
    index_operand(instruction, body);
    index_operand(instruction, body);
    break;
  case WASM_OPCODE_DATA_DROP:
  case WASM_OPCODE_MEMORY_FILL:
  case 13: // elem.drop
  case 15: // table.grow
  case 16: // table.size
  case 17: // table.fill
    index_operand(instruction, body);
    break;
  default:
    body->bad = true;
  }
}

static void simd(struct ws_instruction *instruction, struct ws_reader *body) {
  uint32_t opcode = instruction->suffix = ws_read_uleb32(body);
  bool lane_of_memory = opcode >= 84 && opcode <= 91;
  if (opcode <= 11 || lane_of_memory || opcode == 92 || opcode == 93)
    memarg(instruction, body);
  if (opcode == WASM_OPCODE_V128_CONST || opcode == 13) // i8x16.shuffle
    ws_read_bytes(body, 16);
  bool lane =
      (opcode >= 21 && opcode <= 34) || opcode == 0x121 || opcode == 0x122; // extract_lane, replace_lane
  if (lane_of_memory || lane)
    ws_read_u8(body);
  if (opcode > 0x1ff) // the relaxed ones end before
    body->bad = true;
}

static void atomic(struct ws_instruction *instruction, struct ws_reader *body) {
  enum { FENCE = 3, LAST = 0x4e };
  uint32_t opcode = instruction->suffix = ws_read_uleb32(body);
  if (opcode == FENCE)
    ws_read_u8(body);
  else if (opcode <= LAST)
    memarg(instruction, body);
  else
    body->bad = true;
}

struct ws_instruction ws_read_instruction(struct ws_reader *body) {
  struct ws_instruction instruction = {.opcode = ws_read_u8(body)};
  uint8_t opcode = instruction.opcode;
  if (opcode >= WASM_OPCODE_I32_LOAD && opcode <= WASM_OPCODE_I64_STORE32) {
    memarg(&instruction, body);
    return instruction;
  }
  if (opcode >= 0x45 && opcode <= 0xc4) // comparisons, arithmetic, conversions
    return instruction;
  switch (opcode) {
  case WASM_OPCODE_UNREACHABLE:
  case WASM_OPCODE_NOP:
  case 0x05: // else
  case 0x0a: // throw_ref
  case WASM_OPCODE_END:
  case 0x0f: // return
  case 0x19: // catch_all
  case WASM_OPCODE_DROP:
  case 0x1b: // select
  case 0xd1: // ref.is_null
  case 0xd3: // ref.eq
  case 0xd4: // ref.as_non_null
    break;
  case WASM_OPCODE_BLOCK:
  case 0x03: // loop
  case 0x04: // if
  case 0x06: // try
    block_type(&instruction, body);
    break;
  case 0x1f:
    try_table(&instruction, body);
    break;
  case 0x09: // rethrow
  case WASM_OPCODE_BR:
  case 0x0d: // br_if
  case 0x18: // delegate
  case WASM_OPCODE_LOCAL_GET:
  case WASM_OPCODE_LOCAL_SET:
  case 0x22: // local.tee
  case 0x3f: // memory.size
  case 0x40: // memory.grow
  case 0xd5: // br_on_null
  case 0xd6: // br_on_non_null
    instruction.value = ws_read_uleb32(body);
    break;
  case WASM_OPCODE_BR_TABLE:
    br_table(body);
    break;
  case 0x1c: // select with types
    select_types(body);
    break;
  case 0x11: // call_indirect
  case 0x13: // return_call_indirect
    index_operand(&instruction, body);
    index_operand(&instruction, body);
    break;
  case 0x07: // catch
  case 0x08: // throw
  case WASM_OPCODE_CALL:
  case 0x12: // return_call
  case 0x14: // call_ref
  case 0x15: // return_call_ref
  case WASM_OPCODE_GLOBAL_GET:
  case WASM_OPCODE_GLOBAL_SET:
  case 0x25: // table.get
  case 0x26: // table.set
  case WASM_OPCODE_REF_FUNC:
    index_operand(&instruction, body);
    break;
  case WASM_OPCODE_REF_NULL:
    ws_read_sleb64(body);
    break;
  case WASM_OPCODE_I32_CONST:
  case WASM_OPCODE_I64_CONST:
    constant(&instruction, body);
    break;
  case WASM_OPCODE_F32_CONST:
    ws_read_bytes(body, 4);
    break;
  case WASM_OPCODE_F64_CONST:
    ws_read_bytes(body, 8);
    break;
  case WASM_OPCODE_MISC_PREFIX:
    misc(&instruction, body);
    break;
  case WASM_OPCODE_SIMD_PREFIX:
    simd(&instruction, body);
    break;
  case WASM_OPCODE_ATOMICS_PREFIX:
    atomic(&instruction, body);
    break;
  default:
    body->bad = true;
  }
  return instruction;
}
