// Decodes reloc.* (tool-conventions, Linking.md), checks every operand against what its relocation says it
// must be, and turns those that move into fixups.
#ifndef WASMSHARE_RELOCATIONS_H
#define WASMSHARE_RELOCATIONS_H

#include "read/relocation_entries.h"

// Fills the "relocations.c" block, the fixups of the code, data and debug sections (with offsets in the
// sections as read), and what GOT globals hold. An unknown type, an operand that does not hold what its
// relocation says, or one that lies across a boundary is an error.
bool ws_read_relocations(struct ws_module *module, struct ws_error *error);

// The entry of the indirect function table at `index`, as linked. False if there is none.
bool ws_table_function(const struct ws_module *module, uint64_t index, uint32_t *function);

// The external of a symbol with an addend beyond what its site holds; UINT32_MAX if memory runs out.
uint32_t ws_external(struct ws_module *module, uint32_t symbol, uint64_t addend);

#endif
