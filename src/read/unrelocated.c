#include "read/unrelocated.h"

// A byte of a LEB128 that others follow.
static bool goes_on(uint8_t byte) {
  return byte & 0x80;
}

// Decodes up to the byte at `at`: is it the last one of a padded operand? Where there is an instruction that
// is not known, it may be.
static void decode(struct ws_unrelocated *found, const uint8_t *at) {
  struct ws_instruction instruction = {0};
  while (!found->body.bad && found->body.at <= at)
    instruction = ws_read_instruction(&found->body);
  if (!found->body.bad && !instruction.padded)
    return;
  if (!found->body.bad && instruction.kind == WS_OPERAND_CONSTANT && instruction.value == 0)
    found->nulls++;
  else if (found->operands++ == 0)
    found->first = found->function;
}

// The byte at `at` ends what may be a padded operand, or be within a floating-point constant or the size of a
// function.
static void look_closer(struct ws_unrelocated *found, uint32_t at) {
  const struct ws_module *module = found->module;
  const struct ws_function *functions = module->functions;
  uint32_t before = found->function;
  while (found->function < module->function_count &&
         functions[found->function].offset + functions[found->function].size <= at)
    found->function++;
  if (found->function == module->function_count || at < functions[found->function].offset ||
      functions[found->function].synthetic)
    return;
  if (found->function != before || !found->body.start) {
    found->body = ws_reader(ws_function_body(module, found->function));
    ws_skip_locals(&found->body);
  }
  decode(found, found->content + at);
}

// Whether a LEB128 needs its last byte. The sign of a number is the highest bit of its last byte but one, and
// only constants have signs.
static bool needs_last(const uint8_t *start, const uint8_t *last) {
  bool is_constant = start[-1] == WASM_OPCODE_I32_CONST || start[-1] == WASM_OPCODE_I64_CONST;
  bool negative = last[-1] & 0x40;
  return !(*last == 0x00 && !(is_constant && negative)) && !(*last == 0x7f && negative);
}

// Whether four bytes that go on begin with one of the `count` at `at`. It looks beyond them, but not beyond
// the file: after the code is reloc.CODE.
static bool has_run(const uint8_t *at, size_t count) {
  uint64_t found = 0;
  for (; count > 8; count -= 8, at += 8)
    found |= ws_eight_bytes(at) & ws_eight_bytes(at + 1) & ws_eight_bytes(at + 2) & ws_eight_bytes(at + 3);
  uint64_t last =
      ws_eight_bytes(at) & ws_eight_bytes(at + 1) & ws_eight_bytes(at + 2) & ws_eight_bytes(at + 3);
  found |= last & UINT64_MAX >> (64 - 8 * count);
  return found & UINT64_C(0x8080808080808080);
}

// Looks for four bytes of a LEB128, and a fifth, or later one, that adds nothing to its value: no compiler
// writes that by itself.
void ws_look_between(struct ws_unrelocated *found, uint32_t from, uint32_t to) {
  enum { STEP = 64 };
  const uint8_t *at = found->content + from, *end = found->content + to;
  while (end - at > 4) {
    size_t count = (size_t)(end - at) - 4;
    if (count > STEP)
      count = STEP;
    const uint8_t *until = at + count;
    if (!has_run(at, count))
      at = until;
    while (at < until) {
      if (!goes_on(*at++) || !goes_on(at[0]) || !goes_on(at[1]) || !goes_on(at[2]))
        continue;
      const uint8_t *start = at - 1;
      for (at += 3; at < end && goes_on(*at);)
        at++;
      if (at < end && !needs_last(start, at))
        look_closer(found, (uint32_t)(at - found->content));
    }
  }
}
