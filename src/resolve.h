// Binding the data symbols that a module uses and does not define (extern int counter; linked with
// --allow-undefined) to the module that exports them.
#ifndef WASMSHARE_RESOLVE_H
#define WASMSHARE_RESOLVE_H

#include "module.h"

// Fills in every external of every module. A symbol that no module exports, or that two do, is an error.
bool ws_resolve(struct ws_module *const *modules, size_t count, const struct ws_placement *placements,
                struct ws_error *error);

#endif
