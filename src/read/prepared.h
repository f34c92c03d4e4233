// Prepared modules, as prepare.c writes them: the facts and fixups come out of their section `wasmshare`.
#ifndef WASMSHARE_PREPARED_H
#define WASMSHARE_PREPARED_H

#include "read/module.h"

bool ws_is_prepared(const struct ws_module *module);

// Fills in what is otherwise found by looking at relocations, symbols and names.
bool ws_read_prepared(struct ws_module *module, struct ws_error *error);

#endif
