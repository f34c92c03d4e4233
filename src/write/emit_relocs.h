// Keeping the linking and reloc.* sections true in a placed module, for those who want to move it again.
#ifndef WASMSHARE_KEEP_H
#define WASMSHARE_KEEP_H

#include "read/module.h"

// Rewrites them for the normal form: section indices, offsets, and the addresses of absolute symbols. False
// if memory runs out.
bool ws_keep_relocations(struct ws_module *module);

#endif
