// Relocations of code against the instructions that are there.
#ifndef WASMSHARE_OPERANDS_H
#define WASMSHARE_OPERANDS_H

#include "read/module.h"

// Whether every relocation of the code section, among some entries, that is of a pointer is of an operand of
// its kind and width. Otherwise something changed the code, and what would be rewritten is no pointer.
// Relocations that relocations.c refuses are left to it.
bool ws_check_operands(const struct ws_module *module, struct ws_slice entries, struct ws_error *error);

#endif
