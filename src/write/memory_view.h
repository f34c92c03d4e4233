// What a module is told about the size of the memory. An allocator that takes all memory up to its end has a right to
// no more than its own range of the heap: its memory.size and memory.grow become calls of functions that say so.
#ifndef WASMSHARE_MEMORY_VIEW_H
#define WASMSHARE_MEMORY_VIEW_H

#include "write/image.h"

// Whether the module's memory.size and memory.grow can be replaced; fails if not.
bool ws_can_limit_memory(const struct ws_module *module, struct ws_error *error);

// How many of the module's functions have such instructions.
size_t ws_count_memory_users(const struct ws_module *module);

// Appends the functions that take the place of those that have such instructions, and those that they call. False if
// memory runs out.
bool ws_append_memory_view(struct ws_image *image);

#endif
