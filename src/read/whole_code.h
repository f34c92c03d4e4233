// All operands in code, and not only pointers: for who renumbers what they are indices of.
#ifndef WASMSHARE_WHOLE_CODE_H
#define WASMSHARE_WHOLE_CODE_H

#include "read/module.h"

// Why the indices in a function's body are not all known.
enum ws_code_problem {
  WS_CODE_IS_KNOWN,
  WS_CODE_NAMES_SEGMENT,
  WS_CODE_LACKS_RELOCATION,
  WS_CODE_HAS_OTHER_OPERAND,
  WS_CODE_LACKS_OPERAND,
  WS_CODE_IS_NOT_READ,
};

// What is wrong with it: what "the function NAME" is followed by.
const char *ws_code_problem_text(enum ws_code_problem problem);

struct ws_code_note {
  uint8_t problem;        // enum ws_code_problem
  bool names_first_table; // as call_indirect did before reference types: by a zero byte
};

// Notes what is to be said of some of the module's functions, from `first` up to `end`, in `notes`, which has
// one for each of all. What ws_check_operands refuses is an error here, too.
bool ws_look_at_code(const struct ws_module *module, uint32_t first, uint32_t end, struct ws_code_note *notes,
                     struct ws_error *error);

#endif
