// Whether data that no relocation is for may be pointers, should their relocations have been taken away.
#ifndef WASMSHARE_UNRELOCATED_DATA_H
#define WASMSHARE_UNRELOCATED_DATA_H

#include "read/module.h"

// Whether it is the index of a function in the module's part of the function table.
bool ws_is_table_index(const struct ws_module *module, uint64_t value);

// Used only to refuse: what is no address of data and no table index is no pointer, and what is one need not
// be. Linkers keep only what something refers to. So where code does not refer to what a word is the address
// of, data does. Where it does, a word of a variable is taken for a pointer if nothing else is in that
// variable; with `any`, when some relocations are known to be missing, whatever else is there. Small numbers
// are table indices too often: they are pointers where no other relocation is for that function. Relocations
// have been read, and `data` is the module's data section.
bool ws_may_hold_pointers(const struct ws_module *module, const struct ws_section *data, bool any);

#endif
