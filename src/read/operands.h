// Relocations of code against the instructions that are there.
#ifndef WASMSHARE_OPERANDS_H
#define WASMSHARE_OPERANDS_H

#include "read/module.h"

// Whether every pointer in code that relocations name is an operand of its kind and width. Otherwise
// something changed the code, and what would be rewritten is no pointer. The fixups are in their order.
bool ws_check_operands(const struct ws_module *module, struct ws_error *error);

#endif
