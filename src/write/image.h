// The normal form: the module's sections as they are written, except for what depends on where it goes. Every
// pointer in it has a fixed width, so placing it is adding numbers in place.
#ifndef WASMSHARE_NORMAL_H
#define WASMSHARE_NORMAL_H

#include "read/module.h"

// Turns the sections into their final pieces, and the offsets of all fixups into offsets there.
bool ws_make_normal(struct ws_module *module, struct ws_error *error);

// Puts a section's fixups in order of place.
void ws_sort_fixups(struct ws_section *section);

#endif
