// Whether all of a module's pointers are known.
#ifndef WASMSHARE_EXACT_H
#define WASMSHARE_EXACT_H

#include "read/module.h"

// Refuses a module whose pointers cannot all have been found: one without relocations, unless it is position
// independent and holds no data that could have pointers (or `trust_pic` vouches for that), and one whose
// relocations may have been cut off.
void ws_check_exact(struct ws_module *module, bool trust_pic);

#endif
