// The functions of C's that hand out memory and take it back: they work on one heap (C11 7.22.3), though a
// linker leaves out those that a module does not call.
#ifndef WASMSHARE_ALLOCATORS_H
#define WASMSHARE_ALLOCATORS_H

#include "link/definitions.h"

enum { WS_MAKES_MEMORY = 1, WS_TAKES_MEMORY = 2 };

// What a function of that name does: both of these, one or none.
unsigned ws_allocator_role(struct ws_slice name);

// Adds the pairs of local functions of one name that objects with such functions have in different modules:
// where they are the same, so are the objects, even if the modules call none of the same functions. False
// if memory runs out.
bool ws_pair_allocators(struct ws_match *match, const struct ws_definitions *definitions,
                        struct ws_arena *arena);

// Fails if a module takes back memory of which it can have made none, and another one makes memory, from
// another heap than it is taken back to; or if nothing can tell whether that is another heap. `bound` and
// `stands` are as in ws_resolve_node.
bool ws_check_allocators(const struct ws_match *match, const struct ws_definitions *definitions,
                         const uint32_t *bound, const uint32_t *stands, struct ws_arena *arena,
                         struct ws_error *error);

#endif
