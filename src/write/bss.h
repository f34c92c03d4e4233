// Zeroed data at the end of segments (.bss, mostly) is not written, but cleared by an appended start
// function, so that a module can be instantiated again over a used memory.
#ifndef WASMSHARE_ZEROS_H
#define WASMSHARE_ZEROS_H

#include "read/module.h"

// Decides how much of each segment is kept, and appends the function that clears the rest.
bool ws_cut_zeros(struct ws_module *module, struct ws_error *error);

#endif
