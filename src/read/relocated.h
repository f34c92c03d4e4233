// The relocations of the code or the data section as a list, and those of a part of it: of one function, of
// one variable.
#ifndef WASMSHARE_RELOCATED_H
#define WASMSHARE_RELOCATED_H

#include "read/module.h"
#include "read/relocations.h"

struct ws_relocation_index {
  const struct ws_relocation *list; // in order of offset
  size_t count;
};

// Reads the relocations of the code or the data section; there may be none. False if memory runs out.
bool ws_index_relocations(const struct ws_module *module, enum ws_section_id section, struct ws_arena *arena,
                          struct ws_relocation_index *index);

struct ws_relocation_cursor {
  const struct ws_relocation *at, *list_end;
  uint32_t begin, end;
};

// Those from offset `begin` up to `end`, in order.
struct ws_relocation_cursor ws_relocations_in(const struct ws_relocation_index *index, uint32_t begin,
                                              uint32_t end);
// The next one, or NULL.
static inline const struct ws_relocation *ws_next_relocation(struct ws_relocation_cursor *cursor) {
  return cursor->at < cursor->list_end && cursor->at->offset < cursor->end ? cursor->at++ : NULL;
}

#endif
