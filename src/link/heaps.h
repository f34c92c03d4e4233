// Heaps: who hands out what. Memory that nobody has yet is in one place, from the end of all modules up;
// every allocator has a range of its own there, which may be empty, and takes more from memory.grow.
#ifndef WASMSHARE_HEAPS_H
#define WASMSHARE_HEAPS_H

#include "link/link.h"

// Decides each module's class of heap, who owns the initial heap, and what each is told about the size of the
// memory. Fails if two modules cannot be in one memory.
bool ws_choose_heaps(struct ws_link *link, const struct ws_plan_options *options, struct ws_error *error);

// Places the ranges from the plan's heap_base up, and finds its heap_end. Returns false if that would be
// beyond `limit`.
bool ws_place_heaps(struct ws_link *link, const struct ws_plan_options *options, uint64_t limit);

#endif
