#include "read/unrelocated.h"

// A byte of a LEB128 that others follow.
static bool goes_on(uint8_t byte) {
  return byte & 0x80;
}

// Decodes up to the byte at `at`: is it the last one of a padded operand? Where there is an instruction that is
// not known, it may be.
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

// Looks for four bytes of a LEB128, and a fifth, or later one, that adds nothing to its value: no compiler
// writes that by itself. Of four bytes in a row one is at every fourth place.
void ws_look_between(struct ws_unrelocated *found, uint32_t from, uint32_t to) {
  const uint8_t *at = found->content + from, *end = found->content + to;
  while (end - at > 4) {
    if (!goes_on(at[3])) {
      at += 4;
    } else if (!goes_on(at[2])) {
      at += 3;
    } else if (!goes_on(at[1])) {
      at += 2;
    } else if (!goes_on(at[0])) {
      at += 1;
    } else {
      for (at += 4; at < end && goes_on(*at);)
        at++;
      if (at < end && (*at == 0x00 || *at == 0x7f))
        look_closer(found, (uint32_t)(at - found->content));
      at++;
    }
  }
}
