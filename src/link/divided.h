// What would be one thing in one program, and is not where modules are only side by side.
#ifndef WASMSHARE_DIVIDED_H
#define WASMSHARE_DIVIDED_H

#include "link/link.h"

// Finds it, in a link that is resolved without one_program. False if memory runs out.
bool ws_find_divided(struct ws_link *link, struct ws_error *error);

#endif
