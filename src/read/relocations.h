// Decodes reloc.* (tool-conventions, Linking.md), checks every operand against what its relocation says it
// must be, and turns those that move into fixups.
#ifndef WASMSHARE_RELOCATIONS_H
#define WASMSHARE_RELOCATIONS_H

#include "read/module.h"

// Fills the "relocations.c" block, the fixups of the code, data and debug sections (with offsets in the
// sections as read), and what GOT globals hold. An unknown type, an operand that does not hold what its
// relocation says, or one that lies across a boundary is an error.
bool ws_read_relocations(struct ws_module *module, struct ws_error *error);

// Whether entries of this type have an addend: those of addresses, and of offsets into sections.
static inline bool ws_relocation_has_addend(unsigned type) {
  switch (type) {
  case R_WASM_MEMORY_ADDR_LEB:
  case R_WASM_MEMORY_ADDR_SLEB:
  case R_WASM_MEMORY_ADDR_I32:
  case R_WASM_MEMORY_ADDR_REL_SLEB:
  case R_WASM_MEMORY_ADDR_LEB64:
  case R_WASM_MEMORY_ADDR_SLEB64:
  case R_WASM_MEMORY_ADDR_I64:
  case R_WASM_MEMORY_ADDR_REL_SLEB64:
  case R_WASM_MEMORY_ADDR_TLS_SLEB:
  case R_WASM_MEMORY_ADDR_TLS_SLEB64:
  case R_WASM_MEMORY_ADDR_LOCREL_I32:
  case R_WASM_FUNCTION_OFFSET_I32:
  case R_WASM_FUNCTION_OFFSET_I64:
  case R_WASM_SECTION_OFFSET_I32:
    return true;
  default:
    return false;
  }
}

// How wide the operand of a relocation of a known type is, in bytes.
size_t ws_relocation_width(unsigned type);

// An entry of a reloc.* section.
struct ws_relocation {
  uint8_t type;
  uint32_t offset, index;
  uint64_t addend; // 0 if the type has none
};

static inline struct ws_relocation ws_read_relocation(struct ws_reader *reader) {
  struct ws_relocation relocation = {.type = ws_read_u8(reader)};
  relocation.offset = ws_read_uleb32(reader);
  relocation.index = ws_read_uleb32(reader);
  if (ws_relocation_has_addend(relocation.type))
    relocation.addend = (uint64_t)ws_read_sleb64(reader);
  return relocation;
}
void ws_put_relocation(struct ws_buffer *buffer, const struct ws_relocation *relocation);

// The entry of the indirect function table at `index`, as linked. False if there is none.
bool ws_table_function(const struct ws_module *module, uint64_t index, uint32_t *function);

// The external of a symbol with an addend beyond what its site holds; UINT32_MAX if memory runs out.
uint32_t ws_external(struct ws_module *module, uint32_t symbol, uint64_t addend);

#endif
