// Types of relocations, and the entries of reloc.* sections (tool-conventions, Linking.md).
#ifndef WASMSHARE_RELOCATION_ENTRIES_H
#define WASMSHARE_RELOCATION_ENTRIES_H

#include "read/module.h"

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

// An entry of a reloc.* section. There are many, so they are small: an addend has 48 bits, more than any
// engine's memory needs.
struct ws_relocation {
  uint32_t offset, index;
  uint32_t addend_low;
  int16_t addend_high;
  uint8_t type;
};

// 0 if the type has none; modulo 2^64.
static inline uint64_t ws_addend(const struct ws_relocation *relocation) {
  return (uint64_t)relocation->addend_high << 32 | relocation->addend_low;
}

static inline struct ws_relocation ws_read_relocation(struct ws_reader *reader) {
  struct ws_relocation relocation = {.type = ws_read_u8(reader)};
  relocation.offset = ws_read_uleb32(reader);
  relocation.index = ws_read_uleb32(reader);
  if (ws_relocation_has_addend(relocation.type)) {
    int64_t addend = ws_read_sleb64(reader), high = addend >> 32;
    reader->bad |= high != (int16_t)high;
    relocation.addend_low = (uint32_t)addend;
    relocation.addend_high = (int16_t)high;
  }
  return relocation;
}
// How many entries there can be, of as many as are counted, in what the reader has left.
static inline size_t ws_most_relocations(const struct ws_reader *reader, uint32_t counted) {
  enum { LEAST_SIZE = 3 }; // type, offset and index
  size_t most = ws_read_left(reader) / LEAST_SIZE;
  return counted < most ? counted : most;
}
void ws_put_relocation(struct ws_buffer *buffer, const struct ws_relocation *relocation);

// Relocations in order of offset.
struct ws_relocations {
  const struct ws_relocation *list;
  size_t count;
};

// Takes the first one away; NULL if there is none.
static inline const struct ws_relocation *ws_next_relocation(struct ws_relocations *left) {
  if (left->count == 0)
    return NULL;
  left->count--;
  return left->list++;
}

// Those of the code or the data section, of a module that has been read; there may be none.
struct ws_relocations ws_relocations_of(const struct ws_module *module, enum ws_section_id id);
// Of these, the ones from offset `begin` up to `end`.
struct ws_relocations ws_relocations_in(struct ws_relocations relocations, uint32_t begin, uint32_t end);

#endif
