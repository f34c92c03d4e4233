// The relocations of a part of a section: of one function, of one variable. They are read from the bytes of
// the reloc.* section each time, so that a module with millions of them takes no more memory.
#ifndef WASMSHARE_RELOCATED_H
#define WASMSHARE_RELOCATED_H

#include "read/module.h"
#include "read/relocations.h"

// Where in a reloc.* section to begin for an offset in the section that it is for.
struct ws_relocation_mark {
  uint32_t offset; // of the operand that the entry is for
  uint32_t at;     // of the entry
};

struct ws_relocation_index {
  struct ws_slice entries;
  struct ws_relocation_mark *marks; // of every 16th entry
  size_t mark_count;
};

// Indexes the relocations of the code or the data section; there may be none. False if memory runs out.
bool ws_index_relocations(const struct ws_module *module, enum ws_section_id section, struct ws_arena *arena,
                          struct ws_relocation_index *index);

struct ws_relocation_cursor {
  struct ws_reader reader;
  uint32_t begin, end;
};

// Those from offset `begin` up to `end`, in order.
struct ws_relocation_cursor ws_relocations_in(const struct ws_relocation_index *index, uint32_t begin,
                                              uint32_t end);
bool ws_next_relocation(struct ws_relocation_cursor *cursor, struct ws_relocation *relocation);

#endif
