// What must hold of a module beside what relocations.c finds, and changes nothing in it: LLVM's reader finds
// the same relocations (llvm.c), and every relocation of a pointer in code is of an operand (operands.c). And
// what may be found later than the rest: what its heap does (heap.c), and all other operands in code, for who
// asks for them (whole_code.c).
#ifndef WASMSHARE_CHECKS_H
#define WASMSHARE_CHECKS_H

#include "read/module.h"

// For a large module, where the checks take as long as our own reading: has LLVM's made in a thread, once
// sections and symbols were read, and sets module->checks. For others that stays NULL.
void ws_checks_start(struct ws_module *module);
// Makes all now, once relocations were read, if none was started.
bool ws_checks_make(const struct ws_module *module, struct ws_error *error);
// When all else is known, has the others made. Before, it finds what the module's heap does, unless that is
// not asked for: in a thread, too, if the checks are. Of modules that become one (code_notes), most work on
// the heap of the first: what the heaps of the others do is found if somebody wants to know.
bool ws_checks_go_on(struct ws_module *module, bool find_heap, struct ws_error *error);
// Says that it will be waited for. By any thread, as what follows.
void ws_checks_want_heap(const struct ws_module *module);
// Waits for that alone.
void ws_checks_await_heap(const struct ws_module *module);
// Waits for what was started, if anything was, and says whether the module passes. May be called again.
bool ws_checks_passed(const struct ws_module *module, struct ws_error *error);
void ws_checks_free(struct ws_module *module);

#endif
