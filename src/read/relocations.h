// Decodes reloc.* (tool-conventions, Linking.md), checks every operand against what its relocation says it
// must be, and turns those that move into fixups.
#ifndef WASMSHARE_RELOCATIONS_H
#define WASMSHARE_RELOCATIONS_H

#include "read/module.h"

// Fills the "relocations.c" block, the fixups of the code, data and debug sections (with offsets in the
// sections as read), and what GOT globals hold. An unknown type, an operand that does not hold what its
// relocation says, or one that lies across a boundary is an error.
bool ws_read_relocations(struct ws_module *module, struct ws_error *error);

// What the operand of a relocation is.
enum ws_relocated {
  WS_REL_FUNCTION_INDEX,
  WS_REL_TYPE_INDEX,
  WS_REL_GLOBAL_INDEX, // of a global, or of the GOT global of a data or function symbol
  WS_REL_TAG_INDEX,
  WS_REL_TABLE_NUMBER,
  WS_REL_TABLE_INDEX,        // a function pointer
  WS_REL_TABLE_INDEX_REL,    // the same, relative to the table base
  WS_REL_MEMORY_ADDR,        // an address
  WS_REL_MEMORY_ADDR_REL,    // the same, relative to the memory base
  WS_REL_MEMORY_ADDR_TLS,    // relative to the thread's block
  WS_REL_MEMORY_ADDR_LOCREL, // relative to the operand's own address
  WS_REL_FUNCTION_OFFSET,    // in the code section
  WS_REL_SECTION_OFFSET,     // in a custom section
};

// By type: see format/relocations.def.
extern const struct ws_relocation_kind {
  const char *name;
  enum ws_encoding encoding;
  enum ws_relocated operand;
  bool has_addend;
} ws_relocation_kinds[WS_RELOCATION_TYPES];

static inline bool ws_relocation_has_addend(unsigned type) {
  return type < WS_RELOCATION_TYPES && ws_relocation_kinds[type].has_addend;
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
