// Whether two functions are the same: whichever of them is called, the same happens.
#ifndef WASMSHARE_SAME_H
#define WASMSHARE_SAME_H

#include "link/atoms.h"

// Sets `*same`. False, with an error, if memory runs out.
bool ws_merge_same_functions(const struct ws_merge *merge, uint32_t a, uint32_t b, bool *same);

#endif
