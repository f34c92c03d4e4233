#include "read/whole_code.h"

#include "read/instructions.h"
#include "read/operands.h"

// A function whose operands are compared with its relocations.
struct look {
  const struct ws_module *module;
  struct ws_plain plain;
  struct ws_relocations left; // of this function and those after it
  uint32_t offset;            // of the body
  const uint8_t *body;
  struct ws_code_note *note;
};

const char *ws_code_problem_text(enum ws_code_problem problem) {
  static const char *const texts[] = {
      [WS_CODE_IS_KNOWN] = "",
      [WS_CODE_NAMES_SEGMENT] = "names a data or element segment, which no relocation can",
      [WS_CODE_LACKS_RELOCATION] = "has an index without a relocation: relocations were taken away",
      [WS_CODE_HAS_OTHER_OPERAND] = "has a relocation that is not for the operand at its place",
      [WS_CODE_LACKS_OPERAND] = "has a relocation where there is no operand",
      [WS_CODE_IS_NOT_READ] = "is malformed, or has an instruction that this wasmshare does not know"};
  return texts[problem];
}

static bool fits(const struct look *look, const struct ws_relocation *relocation,
                 const struct ws_operand *operand) {
  enum ws_encoding encoding = ws_relocation_kinds[relocation->type].encoding;
  switch (ws_relocation_kinds[relocation->type].operand) {
  case WS_REL_FUNCTION_INDEX:
    return operand->space == WS_SPACE_FUNCTION && operand->width == ws_encoding_width(encoding);
  case WS_REL_TYPE_INDEX:
    return operand->space == WS_SPACE_TYPE && operand->width == ws_encoding_width(encoding);
  case WS_REL_GLOBAL_INDEX:
    return operand->space == WS_SPACE_GLOBAL && operand->width == ws_encoding_width(encoding);
  case WS_REL_TAG_INDEX:
    return operand->space == WS_SPACE_TAG && operand->width == ws_encoding_width(encoding);
  case WS_REL_TABLE_NUMBER:
    return operand->space == WS_SPACE_TABLE && operand->width == ws_encoding_width(encoding);
  default:
    return ws_is_pointer_operand(encoding, operand, look->body + operand->offset);
  }
}

static void note_problem(struct look *look, enum ws_code_problem problem) {
  if (look->note->problem == WS_CODE_IS_KNOWN)
    look->note->problem = (uint8_t)problem;
}

// An operand without a relocation: does it mean the same everywhere?
static void look_at_unrelocated(struct look *look, const struct ws_operand *operand) {
  switch (operand->space) {
  case WS_SPACE_CONSTANT:
  case WS_SPACE_OFFSET:
    return;
  case WS_SPACE_DATA_SEGMENT:
  case WS_SPACE_ELEMENT_SEGMENT:
    note_problem(look, WS_CODE_NAMES_SEGMENT);
    return;
  case WS_SPACE_TABLE:
    look->note->names_first_table |= operand->value == 0 && operand->width == 1;
    if (operand->value != 0 || operand->width != 1)
      note_problem(look, WS_CODE_LACKS_RELOCATION);
    return;
  default:
    if (operand->space != WS_SPACE_MEMORY || operand->value != 0)
      note_problem(look, WS_CODE_LACKS_RELOCATION);
  }
}

static void look_at_operand(void *context, const struct ws_operand *operand) {
  struct look *look = context;
  if (look->left.count == 0 || look->left.list->offset != look->offset + operand->offset)
    look_at_unrelocated(look, operand);
  else if (!fits(look, ws_next_relocation(&look->left), operand))
    note_problem(look, WS_CODE_HAS_OTHER_OPERAND);
}

// Passes an instruction whose one operand is of 32 bits and has the next relocation, as most that have one
// are.
static bool pass_relocated(struct look *look, struct ws_reader *body) {
  enum { WIDTH = 5, MOST_LAST = 8 }; // a last byte that is less is good with and without a sign
  static const uint8_t spaces[] = {
      ['f'] = 1 + WS_SPACE_FUNCTION, ['t'] = 1 + WS_SPACE_TYPE,   ['g'] = 1 + WS_SPACE_GLOBAL,
      ['T'] = 1 + WS_SPACE_TABLE,    ['e'] = 1 + WS_SPACE_TAG,    ['i'] = 1 + WS_SPACE_CONSTANT,
      ['I'] = 1 + WS_SPACE_CONSTANT, ['a'] = 1 + WS_SPACE_OFFSET, ['z'] = 0};
  const uint8_t *at = body->at;
  const char *immediates = ws_immediates(at[0]);
  if (look->left.count == 0 || body->end - at < 2 + WIDTH || !immediates[0] || immediates[1] != WS_NO_MORE)
    return false;
  uint8_t space = spaces[(unsigned char)immediates[0]];
  bool has_alignment = space == 1 + WS_SPACE_OFFSET;
  const uint8_t *operand = at + (has_alignment ? 2 : 1);
  uint32_t offset = (uint32_t)(operand - body->start);
  bool is_padded = operand[0] & operand[1] & operand[2] & operand[3] & 0x80;
  if (space == 0 || look->offset + offset != look->left.list->offset || !is_padded ||
      operand[4] >= MOST_LAST || (has_alignment && at[1] >= WASM_MEMARG_HAS_MEMORY))
    return false;
  look_at_operand(
      look, &(struct ws_operand){.space = (enum ws_space)(space - 1), .offset = offset, .width = WIDTH});
  body->at = operand + WIDTH;
  return true;
}

// Most instructions have no index, and are passed without being decoded in full, as far as the next one that
// has a relocation.
static void look_at_function(struct look *look, uint32_t index) {
  struct ws_operand_visitor visitor = {look_at_operand, look};
  struct ws_reader body = ws_reader(ws_function_body(look->module, index));
  look->offset = look->module->functions[index].offset;
  look->body = body.start;
  ws_visit_locals(&body, &visitor);
  while (!body.bad && body.at < body.end && look->note->problem == WS_CODE_IS_KNOWN) {
    const uint8_t *next = look->left.count ? body.start + (look->left.list->offset - look->offset) : body.end;
    ws_pass_plain(&look->plain, &body, next < body.end ? next : body.end);
    if (!pass_relocated(look, &body))
      ws_visit_instruction(&body, &visitor);
  }
  if (body.bad)
    note_problem(look, WS_CODE_IS_NOT_READ);
  if (look->left.count && look->left.list->offset - look->offset < (size_t)(body.end - body.start))
    note_problem(look, WS_CODE_LACKS_OPERAND);
}

bool ws_look_at_code(const struct ws_module *module, uint32_t first, uint32_t end, struct ws_code_note *notes,
                     struct ws_error *error) {
  if (first == end)
    return true;
  const struct ws_function *functions = module->functions;
  struct ws_relocations all = ws_relocations_of(module, WS_SECTION_CODE);
  struct look look = {.module = module, .left = ws_relocations_in(all, functions[first].offset, UINT32_MAX)};
  ws_find_plain(&look.plain);
  for (uint32_t i = first; i < end; i++) {
    struct ws_relocations here = look.left;
    uint32_t after = functions[i].offset + functions[i].size;
    look.note = &notes[i];
    look_at_function(&look, i);
    while (look.left.count && look.left.list->offset < after)
      ws_next_relocation(&look.left);
    here.count -= look.left.count;
    if (look.note->problem != WS_CODE_IS_KNOWN && !ws_check_operands(module, here, error))
      return false;
  }
  return true;
}
