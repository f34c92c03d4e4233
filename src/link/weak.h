// Weak functions that a module calls, that it does not define, and that another module does. The linker has
// taken them for undefined: it made a stub for each (lld/wasm/SymbolTable.cpp, handleWeakUndefines), which
// its relocations name from then on. Those of the stub's address are there, though the operand is null.
//
// Of a function whose address is asked for, but that is never called, there is no stub, and no trace.
#ifndef WASMSHARE_WEAK_H
#define WASMSHARE_WEAK_H

#include "link/definitions.h"

struct ws_weak_function {
  uint32_t stub, to; // nodes: the stub, and the definition in another module
};

// Lists them all. False if memory runs out.
bool ws_find_weak_functions(const struct ws_match *match, const struct ws_definitions *definitions,
                            struct ws_arena *arena, struct ws_weak_function **functions, size_t *count);

#endif
