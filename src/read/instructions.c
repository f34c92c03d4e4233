#include "read/instructions.h"

#include "read/sections.h"

// What each opcode is followed by: see opcodes.def. There is no such instruction if that does not end with
// WS_NO_MORE.
#define ROW(number, name, immediates) [number] = immediates ";",
typedef char immediates_row[4];
static const immediates_row plain_immediates[256] = {
#define WS_OPCODE ROW
#include "format/opcodes.def"
};
static const immediates_row misc_immediates[] = {
#define WS_MISC_OPCODE ROW
#include "format/opcodes.def"
};
static const immediates_row simd_immediates[] = {
#define WS_SIMD_OPCODE ROW
#include "format/opcodes.def"
};
static const immediates_row atomic_immediates[] = {
#define WS_ATOMIC_OPCODE ROW
#include "format/opcodes.def"
};
#undef ROW

enum {
  MISC_COUNT = sizeof misc_immediates / sizeof *misc_immediates,
  SIMD_COUNT = sizeof simd_immediates / sizeof *simd_immediates,
  ATOMIC_COUNT = sizeof atomic_immediates / sizeof *atomic_immediates,
  SIMD_LAST = 0x1ff, // of half precision, whose instructions without immediates are not listed
};

// One instruction being read.
struct decoder {
  struct ws_reader *body;
  struct ws_instruction *instruction;
  const struct ws_operand_visitor *visitor; // or NULL
};

// Notes an operand that is what was read from `start` on.
static void note(const struct decoder *decoder, const uint8_t *start, enum ws_operand_kind kind,
                 enum ws_space space, uint64_t value) {
  const struct ws_reader *body = decoder->body;
  struct ws_instruction *instruction = decoder->instruction;
  if (body->bad)
    return;
  instruction->kind = kind;
  instruction->value = value;
  instruction->width = (uint8_t)(body->at - start);
  if (decoder->visitor) {
    struct ws_operand operand = {space, (uint32_t)(start - body->start), instruction->width, value};
    decoder->visitor->visit(decoder->visitor->context, &operand);
  }
  if (instruction->width != 5 && instruction->width != 10)
    return;
  // A positive signed number ends with a byte of zeros when its highest bit is the one before that.
  bool negative = kind == WS_OPERAND_CONSTANT && (body->at[-2] & 0x40);
  instruction->padded |= body->at[-1] == (negative ? 0x7f : 0x00);
}

static void index_operand(const struct decoder *decoder, enum ws_space space) {
  const uint8_t *start = decoder->body->at;
  uint32_t value = ws_read_uleb32(decoder->body);
  note(decoder, start, WS_OPERAND_INDEX, space, value);
}

static void memarg(const struct decoder *decoder) {
  struct ws_reader *body = decoder->body;
  if (ws_read_uleb32(body) & WASM_MEMARG_HAS_MEMORY)
    index_operand(decoder, WS_SPACE_MEMORY);
  const uint8_t *start = body->at;
  uint64_t value = ws_read_uleb64(body);
  note(decoder, start, WS_OPERAND_OFFSET, WS_SPACE_OFFSET, value);
  decoder->instruction->accesses_memory = true;
}

static void constant(const struct decoder *decoder, bool is_64) {
  struct ws_reader *body = decoder->body;
  const uint8_t *start = body->at;
  uint64_t value = is_64 ? (uint64_t)ws_read_sleb64(body) : (uint32_t)ws_read_sleb32(body);
  note(decoder, start, WS_OPERAND_CONSTANT, WS_SPACE_CONSTANT, value);
}

// A heap type: a type's index, or a negative number for one that the specification names.
static void heap_type(const struct decoder *decoder) {
  struct ws_reader *body = decoder->body;
  const uint8_t *start = body->at;
  int64_t type = ws_read_sleb64(body);
  decoder->instruction->value = (uint64_t)type;
  if (type >= 0)
    note(decoder, start, WS_OPERAND_INDEX, WS_SPACE_TYPE, (uint64_t)type);
}

static void value_type(const struct decoder *decoder) {
  uint8_t type = ws_read_u8(decoder->body);
  if (type == WASM_TYPE_NULLABLE || type == WASM_TYPE_NONNULLABLE)
    heap_type(decoder);
}

// A type's index, a value type, or none. All but the first are negative as signed LEBs.
static void block_type(const struct decoder *decoder) {
  struct ws_reader *body = decoder->body;
  uint8_t type = body->at < body->end ? *body->at : 0;
  if (type == WASM_TYPE_NULLABLE || type == WASM_TYPE_NONNULLABLE)
    value_type(decoder);
  else
    heap_type(decoder);
}

// There can be thousands, most of one byte.
static void labels(const struct decoder *decoder) {
  struct ws_reader *body = decoder->body;
  uint64_t left = (uint64_t)ws_read_uleb32(body) + 1;
  while (left > 0 && !body->bad) {
    bool short_ones =
        left >= 8 && ws_read_left(body) >= 8 && !(ws_eight_bytes(body->at) & UINT64_C(0x8080808080808080));
    if (short_ones)
      body->at += 8;
    else
      ws_read_uleb32(body);
    left -= short_ones ? 8 : 1;
  }
}

static void value_types(const struct decoder *decoder) {
  uint32_t count = ws_read_uleb32(decoder->body);
  for (uint32_t i = 0; i < count && !decoder->body->bad; i++)
    value_type(decoder);
}

static void catch_clauses(const struct decoder *decoder) {
  enum { CATCH_REF = 1, CATCH_ALL_REF = 3 }; // the last kind that names a tag, and the last of all
  struct ws_reader *body = decoder->body;
  uint32_t count = ws_read_uleb32(body);
  for (uint32_t i = 0; i < count && !body->bad; i++) {
    uint8_t clause = ws_read_u8(body);
    if (clause <= CATCH_REF)
      index_operand(decoder, WS_SPACE_TAG);
    body->bad |= clause > CATCH_ALL_REF;
    ws_read_uleb32(body); // label
  }
}

void ws_visit_locals(struct ws_reader *body, const struct ws_operand_visitor *visitor) {
  struct ws_instruction none = {0};
  struct decoder decoder = {body, &none, visitor};
  uint32_t groups = ws_read_uleb32(body);
  for (uint32_t i = 0; i < groups && !body->bad; i++) {
    ws_read_uleb32(body);
    value_type(&decoder);
  }
}

void ws_skip_locals(struct ws_reader *body) {
  ws_visit_locals(body, NULL);
}

static void immediate(const struct decoder *decoder, char kind) {
  struct ws_reader *body = decoder->body;
  switch (kind) {
  case 'f':
    index_operand(decoder, WS_SPACE_FUNCTION);
    break;
  case 't':
    index_operand(decoder, WS_SPACE_TYPE);
    break;
  case 'g':
    index_operand(decoder, WS_SPACE_GLOBAL);
    break;
  case 'T':
    index_operand(decoder, WS_SPACE_TABLE);
    break;
  case 'm':
    index_operand(decoder, WS_SPACE_MEMORY);
    break;
  case 'e':
    index_operand(decoder, WS_SPACE_TAG);
    break;
  case 'd':
    index_operand(decoder, WS_SPACE_DATA_SEGMENT);
    break;
  case 'E':
    index_operand(decoder, WS_SPACE_ELEMENT_SEGMENT);
    break;
  case 'b':
    block_type(decoder);
    break;
  case 'h':
    heap_type(decoder);
    break;
  case 'V':
    value_types(decoder);
    break;
  case 'X':
    catch_clauses(decoder);
    break;
  case 'l':
    decoder->instruction->value = ws_read_uleb32(body);
    break;
  case 'B':
    labels(decoder);
    break;
  case 'a':
    memarg(decoder);
    break;
  case 'n':
    ws_read_u8(body);
    break;
  case 'i':
    constant(decoder, false);
    break;
  case 'I':
    constant(decoder, true);
    break;
  case '4':
    ws_read_bytes(body, 4);
    break;
  case '8':
    ws_read_bytes(body, 8);
    break;
  case 'v':
    ws_read_bytes(body, 16);
    break;
  }
}

// Reads the opcode's rest.
static const char *immediates_of(struct ws_reader *body, struct ws_instruction *instruction) {
  static const immediates_row unknown = "", unlisted = ";";
  uint8_t opcode = instruction->opcode;
  uint32_t number;
  switch (opcode) {
  case WASM_OPCODE_MISC_PREFIX:
    number = instruction->suffix = ws_read_uleb32(body);
    instruction->accesses_memory = number >= WASM_OPCODE_MEMORY_INIT && number <= WASM_OPCODE_MEMORY_FILL;
    return number < MISC_COUNT ? misc_immediates[number] : unknown;
  case WASM_OPCODE_SIMD_PREFIX:
    number = instruction->suffix = ws_read_uleb32(body);
    if (number < SIMD_COUNT && simd_immediates[number][0])
      return simd_immediates[number];
    return number <= SIMD_LAST ? unlisted : unknown;
  case WASM_OPCODE_ATOMICS_PREFIX:
    number = instruction->suffix = ws_read_uleb32(body);
    return number < ATOMIC_COUNT ? atomic_immediates[number] : unknown;
  default:
    return plain_immediates[opcode];
  }
}

const char *ws_immediates(uint8_t opcode) {
  return plain_immediates[opcode];
}

struct ws_instruction ws_visit_instruction(struct ws_reader *body, const struct ws_operand_visitor *visitor) {
  struct ws_instruction instruction = {.opcode = ws_read_u8(body)};
  const char *first = plain_immediates[instruction.opcode];
  if (first[0] == WS_NO_MORE) // most
    return instruction;
  if (first[0] == 'l' && first[1] == WS_NO_MORE) { // most others
    instruction.value = ws_read_uleb32(body);
    return instruction;
  }
  struct decoder decoder = {body, &instruction, visitor};
  const char *immediates = immediates_of(body, &instruction);
  if (!*immediates)
    body->bad = true;
  else
    for (; *immediates != WS_NO_MORE; immediates++)
      immediate(&decoder, *immediates);
  return instruction;
}

struct ws_instruction ws_read_instruction(struct ws_reader *body) {
  return ws_visit_instruction(body, NULL);
}

// ------------------------------------------------------------------------------------------ most of them

#ifdef __OPTIMIZE_SIZE__ // it only makes it faster

void ws_find_plain(struct ws_plain *plain) {
  (void)plain;
}

void ws_pass_plain(const struct ws_plain *plain, struct ws_reader *body, const uint8_t *stop) {
  (void)plain, (void)body, (void)stop;
}

#else

void ws_find_plain(struct ws_plain *plain) {
  enum { MORE = 0x80, NO_RESULT = 0x40 };
  *plain = (struct ws_plain){0};
  for (unsigned i = 0; i < 256; i++) {
    const char *immediates = plain_immediates[i];
    bool has_several = immediates[0] != WS_NO_MORE && immediates[1] != WS_NO_MORE;
    switch (has_several ? '\0' : immediates[0]) {
    case WS_NO_MORE:
      plain->of[i].size = 1;
      break;
    case 'l':
    case 'i':
    case 'I':
      plain->of[i].size = 2;
      plain->of[i].more = MORE;
      break;
    case 'a':
      plain->of[i].size = 3;
      plain->of[i].more = MORE;
      plain->of[i].given = MORE | WASM_MEMARG_HAS_MEMORY; // of the alignment
      break;
    case 'b':
      plain->of[i].size = 2;
      plain->of[i].given = 0xff;
      plain->of[i].wanted = NO_RESULT;
      break;
    case '4':
      plain->of[i].size = 5;
      break;
    case '8':
      plain->of[i].size = 9;
      break;
    }
  }
}

void ws_pass_plain(const struct ws_plain *plain, struct ws_reader *body, const uint8_t *stop) {
  enum { LONGEST = 9, MOST_LEB = 4 }; // of longer LEB128s, not all bits may be used
  const uint8_t *at = body->at;
  while (at < stop && body->end - at > LONGEST) {
    uint8_t opcode = at[0], size = plain->of[opcode].size;
    const uint8_t *next = at + size;
    if (size == 0 || ((at[1] ^ plain->of[opcode].wanted) & plain->of[opcode].given))
      break;
    if (next[-1] & plain->of[opcode].more) {
      for (unsigned i = 1; i < MOST_LEB && (next[-1] & 0x80); i++)
        next++;
      if (next[-1] & 0x80)
        break;
    }
    if (next > stop)
      break;
    at = next;
  }
  body->at = at;
}

#endif
