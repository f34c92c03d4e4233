// Pointers in globals. The global section has no relocations: a global is a pointer because of what it is
// named for (in the symbol table, the name section or an export) or because a relocation says that it is a
// symbol's GOT entry, and never because of its value.
#ifndef WASMSHARE_GLOBALS_H
#define WASMSHARE_GLOBALS_H

#include "base/map.h"
#include "read/module.h"

// Decides for every global whether and with what it moves, after relocations.c has said what it knows. A
// module with a global that may or may not be a pointer is refused.
bool ws_read_globals(struct ws_module *module, struct ws_error *error);
// The data symbols that are defined and not local: adds the index of each under its name. False if memory
// runs out.
bool ws_name_data(const struct ws_module *module, struct ws_map *names);

#endif
