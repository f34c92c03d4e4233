// Relocations of code against the instructions that are there.
#ifndef WASMSHARE_OPERANDS_H
#define WASMSHARE_OPERANDS_H

#include "read/instructions.h"
#include "read/relocation_entries.h"

// Whether each of these relocations of the code section that is of a pointer is of an operand of its kind and
// width. Otherwise something changed the code, and what would be rewritten is no pointer.
bool ws_check_operands(const struct ws_module *module, struct ws_relocations relocations,
                       struct ws_error *error);
// Whether that is an operand of an instruction that has pointers of that encoding: of a constant, or of a
// load or store. `at` is where it is.
bool ws_is_pointer_operand(enum ws_encoding encoding, const struct ws_operand *operand, const uint8_t *at);

#endif
