// What a module does with memory that it was not given: ws_module_info.heap.
#ifndef WASMSHARE_HEAP_H
#define WASMSHARE_HEAP_H

#include "read/module.h"

// Fills `heap`, `heap_reason` and `grows_memory` of the info, and makes `initial_heap` what the heap needs,
// when all else is known.
bool ws_read_heap(struct ws_module *module, struct ws_error *error);

#endif
