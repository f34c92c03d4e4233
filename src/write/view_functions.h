// The functions that take the place of memory.size and memory.grow in a module that is told another size of
// the memory than it has: see enum ws_memory_view.
#ifndef WASMSHARE_VIEW_FUNCTIONS_H
#define WASMSHARE_VIEW_FUNCTIONS_H

#include "base/bytes.h"

#define WS_VIEW_SIZE_NAME "__wasmshare_memory_size"
#define WS_VIEW_GROW_NAME "__wasmshare_memory_grow"

struct ws_view_functions {
  bool is_64, sealed;
  uint32_t size, grow; // indices in the written module
  uint32_t grown; // the global, an i32, that is 1 once the module has grown the memory; unless it is sealed
};

// Their bodies: () -> pages, and (pages) -> pages. `end` is where the module's own range of the heap ends;
// `operand` is where that is in the body, as a number of full width.
void ws_put_view_size(struct ws_buffer *body, const struct ws_view_functions *view, uint64_t end,
                      uint32_t *operand);
void ws_put_view_grow(struct ws_buffer *body, const struct ws_view_functions *view);

// Writes the body of another function, with calls of them in place of its memory.size and memory.grow.
// `operands` are offsets in it, in order; they become those in what is written.
void ws_put_viewed(struct ws_buffer *out, struct ws_slice body, const struct ws_view_functions *view,
                   uint32_t *operands, size_t count);

#endif
