// What initialises a library object runs once, as in a static link, though each module that was linked with
// the object has a copy. A copy is that of the same object if it is the same and works on variables that are
// one.
#ifndef WASMSHARE_ONCE_H
#define WASMSHARE_ONCE_H

#include "link/objects.h"

// Makes one of the init functions of all modules what is one, in `stands`. False if memory runs out, or if a
// module's list of them is malformed.
bool ws_find_once(struct ws_match *match, const uint32_t *rank, const uint32_t *bound, struct ws_arena *arena,
                  uint32_t *stands, struct ws_error *error);

#endif
