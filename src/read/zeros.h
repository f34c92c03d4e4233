// Zeroed data at the end of segments (.bss, mostly; --emit-relocs writes it out) need not be written: a start
// function clears it, so that a module can be instantiated again over a used memory.
#ifndef WASMSHARE_ZEROS_H
#define WASMSHARE_ZEROS_H

#include "read/module.h"

// Finds how many bytes of each segment can be left out, once all fixups are known and in order.
void ws_find_zeros(struct ws_module *module);

// Whether a start function can clear what is left out.
bool ws_can_clear(const struct ws_module *module);
// Whether that function clears the zeros of a segment. Those of passive segments are the linker's to clear.
bool ws_is_clearable(const struct ws_segment *segment);
// How many segments it clears.
size_t ws_count_clearable(const struct ws_module *module);

#endif
