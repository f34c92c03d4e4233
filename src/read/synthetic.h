// The functions that the linker writes itself (__wasm_init_memory, ...): they hold addresses, have no
// relocations, and do not pad. They are decoded instruction by instruction, and rewritten with padded
// operands. Reference: lld/wasm/Writer.cpp, the create...Function() family.
#ifndef WASMSHARE_SYNTHETIC_H
#define WASMSHARE_SYNTHETIC_H

#include "read/module.h"

// Fills the "synthetic.c" block, and the addresses of passive segments. An instruction that is not expected
// there is an error.
bool ws_read_synthetic(struct ws_module *module, struct ws_error *error);

#endif
