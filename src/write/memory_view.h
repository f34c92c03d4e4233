// What a module is told about the size of the memory. An allocator that takes all memory up to its end has a
// right to no more than its own range of the heap: its memory.size and memory.grow become calls of functions
// that say so.
#ifndef WASMSHARE_MEMORY_VIEW_H
#define WASMSHARE_MEMORY_VIEW_H

#include "write/image.h"

// Appends the functions that take the place of those that have such instructions, and those that they call.
// False if memory runs out.
bool ws_append_memory_view(struct ws_image *image);

#endif
