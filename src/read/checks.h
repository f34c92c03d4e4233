// What must hold of a module beside what relocations.c finds, and changes nothing in it: every relocation of
// code is of an operand (operands.c), and LLVM's reader finds the same relocations (llvm.c).
#ifndef WASMSHARE_CHECKS_H
#define WASMSHARE_CHECKS_H

#include "read/module.h"

// For a large module, where they take as long as our own reading: begins each in a thread of its own, once
// sections and symbols were read, and sets module->checks. For others that stays NULL.
void ws_checks_start(struct ws_module *module);
// Makes them now, unless they were started.
bool ws_checks_make(const struct ws_module *module, struct ws_error *error);
// Waits for what was started, if anything was, and says whether the module passes. May be called again, and
// by any thread.
bool ws_checks_passed(const struct ws_module *module, struct ws_error *error);
void ws_checks_free(struct ws_module *module);

#endif
