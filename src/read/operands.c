// Reading all code would take longer than all else that placing does. So the bytes before an operand are
// looked at first: is there a byte that, if an instruction begins with it, makes the operand part of that
// one? If there is none, the operand's own instruction begins where it seems to. Where there is one,
// instructions are read from the last place at which one is known to begin.
#include "read/operands.h"

#include <string.h>

// The longest instruction that is no list: a prefix, an opcode of five bytes, and sixteen more or two LEB128s
// and a lane.
enum { LONGEST = 22 };

// By a byte, if it is an opcode: how far after it a certain opcode may be as its first operand, or within it,
// where that is no further than LONGEST.
struct reaches {
  uint8_t of[256];
};

struct check {
  const struct ws_module *module;
  const uint8_t *content; // of the code section
  struct reaches constants, accesses;
  bool has_second[256]; // by opcode: it has two LEB128s
  struct ws_plain plain;
  // The function
  struct ws_reader body;     // at the last place known to be the start of an instruction
  const uint8_t *searched;   // from there, lists were looked for up to here
  const uint8_t *lists_end;  // the end of what may be a list, as br_table has one
  const uint8_t *target;     // the operand in question
  enum ws_encoding encoding; // its
  bool found;
};

// Alignments are smaller than any of the opcodes in question, and there is one memory.
static uint8_t reach_of(const struct ws_module *module, uint8_t opcode, uint8_t least) {
  switch (ws_immediates(opcode)[0]) {
  case WS_NO_MORE:
  case 'a':
  case 'm':
  case 'B': // a list
    return 0;
  case 'b': // no value type is as small as a constant's opcode
    return least < WASM_OPCODE_I32_CONST && module->type_count > least;
  case 'g':
    return module->global_count > least;
  case 'T':
    return module->table_count > least;
  case 'e':
    return ws_count_imported_tags(module) + module->tag_count > least;
  case '4':
    return 4;
  case '8':
    return 8;
  case '\0': // not known, and so not there, or a prefix
    return opcode >= WASM_OPCODE_MISC_PREFIX && opcode <= WASM_OPCODE_ATOMICS_PREFIX ? LONGEST : 0;
  }
  return 1;
}

static void find_reaches(struct check *check) {
  for (unsigned i = 0; i < 256; i++) {
    const char *immediates = ws_immediates((uint8_t)i);
    check->constants.of[i] = reach_of(check->module, (uint8_t)i, WASM_OPCODE_I32_CONST);
    check->accesses.of[i] = reach_of(check->module, (uint8_t)i, WASM_OPCODE_I32_LOAD);
    check->has_second[i] =
        immediates[0] == 'a' || (immediates[0] && immediates[0] != WS_NO_MORE && immediates[1] != WS_NO_MORE);
  }
}

static bool is_pointer(enum ws_relocated operand) {
  return operand >= WS_REL_TABLE_INDEX && operand <= WS_REL_MEMORY_ADDR_LOCREL;
}

// An unsigned operand belongs to a load or store, a signed one to a constant.
static enum ws_space space_of(enum ws_encoding encoding) {
  return encoding == WS_LEB32 || encoding == WS_LEB64 ? WS_SPACE_OFFSET : WS_SPACE_CONSTANT;
}

static uint8_t constant_opcode(enum ws_encoding encoding) {
  return ws_encoding_is_64(encoding) ? WASM_OPCODE_I64_CONST : WASM_OPCODE_I32_CONST;
}

// ---------------------------------------------------------------------------------------------- a cheap look

// An instruction begins there. None that begins before goes on after it.
static void begin_at(struct check *check, const uint8_t *at) {
  check->body.at = check->searched = check->lists_end = at;
}

// The end of the labels of what may be a br_table; if that would be beyond the function, its start.
static const uint8_t *end_of_labels(struct ws_reader list) {
  const uint64_t tops = UINT64_C(0x8080808080808080), ones = UINT64_C(0x0101010101010101);
  uint64_t left = (uint64_t)ws_read_uleb32(&list) + 1;
  while (left >= 8 && list.end - list.at >= 8) {
    left -= ((~ws_eight_bytes(list.at) & tops) >> 7) * ones >> 56; // the bytes that end a LEB128
    list.at += 8;
  }
  while (left > 0 && list.at < list.end)
    left -= !(*list.at++ & 0x80);
  return left ? list.start : list.at;
}

// If that is malformed, where that shows.
static const uint8_t *end_of_try_table(struct ws_reader list) {
  ws_read_instruction(&list);
  return list.at;
}

// Notes what may be lists up to `end`: there is no saying how long those are but by reading them.
static void find_lists(struct check *check, const uint8_t *end) {
  static const uint8_t opcodes[] = {WASM_OPCODE_BR_TABLE, WASM_OPCODE_TRY_TABLE};
  for (size_t i = 0; i < sizeof opcodes; i++)
    for (const uint8_t *at = check->searched; at < end; at++) {
      at = memchr(at, opcodes[i], (size_t)(end - at));
      if (!at)
        break;
      bool labels = opcodes[i] == WASM_OPCODE_BR_TABLE;
      struct ws_reader list = {.start = at, .at = at + labels, .end = check->body.end};
      const uint8_t *list_end = labels ? end_of_labels(list) : end_of_try_table(list);
      if (list_end > check->lists_end)
        check->lists_end = list_end;
    }
  if (end > check->searched)
    check->searched = end;
}

static bool is_access(uint8_t opcode) {
  return opcode >= WASM_OPCODE_I32_LOAD && opcode <= WASM_OPCODE_I64_STORE32;
}

// The start of an LEB128 that ends before `at`, and is not before `first`.
static const uint8_t *leb_before(const uint8_t *first, const uint8_t *at) {
  if (at > first)
    at--;
  while (at > first && (at[-1] & 0x80))
    at--;
  return at;
}

// Whether the opcode of a constant or of an access at `at` may be part of an instruction that begins before
// it.
static bool may_be_within(struct check *check, const uint8_t *at) {
  const struct reaches *reaches = is_access(at[0]) ? &check->accesses : &check->constants;
  const uint8_t *first = check->body.at;
  if (at == first)
    return false;
  if (at[-1] & 0x80)
    return true;
  const uint8_t *leb = leb_before(first, at), *other = leb_before(first, leb);
  if (leb > first && check->has_second[leb[-1]])
    return true;
  if (other > first && is_access(other[-1]) && (other[0] & WASM_MEMARG_HAS_MEMORY))
    return true;
  for (size_t i = 1; i <= LONGEST && at - first >= (ptrdiff_t)i; i++)
    if (reaches->of[*(at - i)] >= i)
      return true;
  find_lists(check, at);
  return at < check->lists_end;
}

// Whether it is clear that the target is the operand of a constant, or of a load or store.
static bool is_clear(struct check *check) {
  bool constant = space_of(check->encoding) == WS_SPACE_CONSTANT;
  const uint8_t *at = check->target - (constant ? 1 : 2);
  if (at < check->body.at || may_be_within(check, at))
    return false;
  return constant ? at[0] == constant_opcode(check->encoding)
                  : is_access(at[0]) && at[1] < WASM_MEMARG_HAS_MEMORY;
}

// -------------------------------------------------------------------------------------- reading instructions

bool ws_is_pointer_operand(enum ws_encoding encoding, const struct ws_operand *operand, const uint8_t *at) {
  // Constants of 32 and of 64 bits may be as wide as each other.
  return encoding <= WS_SLEB64 && operand->space == space_of(encoding) &&
         operand->width == ws_encoding_width(encoding) &&
         (operand->space != WS_SPACE_CONSTANT || at[-1] == constant_opcode(encoding));
}

static void visit(void *context, const struct ws_operand *operand) {
  struct check *check = context;
  check->found |= check->body.start + operand->offset == check->target &&
                  ws_is_pointer_operand(check->encoding, operand, check->target);
}

// Whether the byte before an operand is the alignment of a load or store.
static bool follows_alignment(const uint8_t *operand) {
  enum { MOST_ALIGNMENT = 0x10 };
  // Before an operand are the section's count, the function's size and its locals, and before the section, a
  // header.
  bool prefixed = operand[-3] == WASM_OPCODE_MISC_PREFIX || operand[-3] == WASM_OPCODE_SIMD_PREFIX ||
                  operand[-3] == WASM_OPCODE_ATOMICS_PREFIX;
  return operand[-1] < MOST_ALIGNMENT && (is_access(operand[-2]) || prefixed);
}

// Goes to the last load or store before the target that clearly begins where it seems to.
static void go_near(struct check *check) {
  const uint8_t *at = check->target - 1;
  while (at > check->body.at && (!is_access(at[0]) || may_be_within(check, at)))
    at--;
  begin_at(check, at);
}

// Reads on to the instruction that has the target. After one that is not known, only what stands before the
// target can be looked at.
static bool is_read(struct check *check) {
  struct ws_operand_visitor visitor = {visit, check};
  check->found = false;
  if (!check->body.bad)
    go_near(check);
  while (!check->body.bad && check->body.at <= check->target) {
    ws_pass_plain(&check->plain, &check->body, check->target);
    ws_visit_instruction(&check->body, &visitor);
  }
  begin_at(check, check->body.at);
  if (!check->body.bad || check->body.at >= check->target)
    return check->found;
  return space_of(check->encoding) == WS_SPACE_OFFSET ? follows_alignment(check->target)
                                                      : check->target[-1] == constant_opcode(check->encoding);
}

// ------------------------------------------------------------------------------------------- all relocations

static void begin_function(struct check *check, uint32_t index) {
  check->body = ws_reader(ws_function_body(check->module, index));
  ws_skip_locals(&check->body);
  begin_at(check, check->body.at);
}

static bool check_relocation(struct check *check, const struct ws_relocation *relocation) {
  check->encoding = ws_relocation_kinds[relocation->type].encoding;
  check->target = check->content + relocation->offset;
  if (check->encoding > WS_SLEB64) // no instruction has those
    return false;
  if (check->body.bad || !is_clear(check))
    return is_read(check);
  begin_at(check, check->target + ws_encoding_width(check->encoding));
  return true;
}

static bool check_code(struct check *check, struct ws_relocations relocations, struct ws_error *error) {
  const struct ws_module *module = check->module;
  const struct ws_function *functions = module->functions;
  uint32_t function = 0;
  for (size_t i = 0; i < relocations.count; i++) {
    const struct ws_relocation *relocation = &relocations.list[i];
    if (!is_pointer(ws_relocation_kinds[relocation->type].operand))
      continue;
    uint32_t before = function;
    while (functions[function].offset + functions[function].size <= relocation->offset)
      function++; // it is within one
    if (function != before || !check->body.start)
      begin_function(check, function);
    if (!check_relocation(check, relocation))
      return ws_module_fail(module, error, "reloc.CODE", check->target,
                            "%s: is not of an operand of that kind" WS_REWRITTEN,
                            ws_relocation_kinds[relocation->type].name);
  }
  return true;
}

bool ws_check_operands(const struct ws_module *module, struct ws_relocations relocations,
                       struct ws_error *error) {
  if (relocations.count == 0)
    return true;
  struct check check = {.module = module, .content = ws_section(module, WS_SECTION_CODE)->content.data};
  find_reaches(&check);
  ws_find_plain(&check.plain);
  return check_code(&check, relocations, error);
}
