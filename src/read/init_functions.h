// The functions that the linker calls to initialise the module: linking.md, WASM_INIT_FUNCS.
#ifndef WASMSHARE_INIT_FUNCTIONS_H
#define WASMSHARE_INIT_FUNCTIONS_H

#include "read/module.h"

struct ws_init_function {
  uint32_t priority; // those with a lower number run first
  uint32_t symbol;   // of a defined function
};

// Reads them, in the order in which __wasm_call_ctors calls them. None, if there is no such subsection.
bool ws_read_init_functions(const struct ws_module *module, struct ws_arena *arena,
                            struct ws_init_function **functions, size_t *count, struct ws_error *error);

#endif
