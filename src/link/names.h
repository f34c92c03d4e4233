// Who gives what by name: names.c.
#ifndef WASMSHARE_NAMES_H
#define WASMSHARE_NAMES_H

#include "link/link.h"

// Whether the options, or the interface that it is of, say that an import comes from the host.
bool ws_comes_from_host(const struct ws_link_options *options, const struct ws_import *import);

// The variable of that name that a module has for others, or NULL.
const struct ws_symbol *ws_find_variable(const struct ws_module *module, struct ws_slice name);

#endif
