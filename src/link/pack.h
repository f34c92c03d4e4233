// The numbers of what is kept, and its addresses.
#ifndef WASMSHARE_PACK_H
#define WASMSHARE_PACK_H

#include "link/gc.h"

// Numbers what was marked, of every space, and gives slots to functions whose address is taken.
bool ws_merge_number(struct ws_merge *merge);
// Lays out the memory.
bool ws_merge_place(struct ws_merge *merge);

// The number of a type of a module in the merged module; WS_NOTHING if memory runs out.
uint32_t ws_merge_type(struct ws_merge *merge, uint32_t module, uint32_t type);
// That of the type of a function that is written anew.
uint32_t ws_merge_synthetic_type(struct ws_merge *merge, uint32_t function);

// The segment of thread-local variables, or NULL.
const struct ws_merge_segment *ws_merge_tls(const struct ws_merge *merge);

// What an operand must be: `site` is its own address, if it is in data.
uint64_t ws_merge_value(const struct ws_merge *merge, uint32_t module, const struct ws_edge *edge,
                        uint64_t site);

#endif
