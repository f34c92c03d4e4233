// Heaps of modules that are merged: who hands out what, by the rules of heaps.h, of what is left of each of
// them.
#ifndef WASMSHARE_MERGED_HEAPS_H
#define WASMSHARE_MERGED_HEAPS_H

#include "link/atoms.h"

// Has it found what the heaps do of which the classes will be asked for.
void ws_merge_want_heaps(const struct ws_merge_input *inputs, size_t count);

// Decides, once it is known what is kept, each module's class of heap, and what it is told about the size of
// the memory. Fails as ws_choose_heaps does.
bool ws_merge_choose_heaps(struct ws_merge *merge);

// Places the ranges of the heap after the data. Returns false if they go beyond `limit`.
bool ws_merge_place_heaps(struct ws_merge *merge, uint64_t limit);

// The first module whose allocator is one with this one's: itself perhaps.
uint32_t ws_merge_heap_of(const struct ws_merge *merge, uint32_t module);
// Whether the allocators of two modules are not one, and have ranges of their own, at least one of them.
bool ws_merge_heaps_differ(const struct ws_merge *merge, uint32_t a, uint32_t b);
// Whether it works for the heap of its module, so that a copy of it in a module with another heap is not the
// same.
bool ws_merge_is_of_heap(const struct ws_merge *merge, const struct ws_merge_function *function);
// Whether it is a function that is kept and that is told another size of the memory than it has.
bool ws_merge_has_view(const struct ws_merge *merge, const struct ws_merge_function *function);

#endif
