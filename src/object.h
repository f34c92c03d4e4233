// The only file that knows LLVM. libObject reads the module too: it must accept it, and must find the same
// relocations in its code and data as relocations.c does, before anything is moved. (Its C interface gives
// neither addends nor the flags, alignments and lengths of symbols, so it cannot be the only reader.)
#ifndef WASMSHARE_OBJECT_H
#define WASMSHARE_OBJECT_H

#include "module.h"

struct ws_object;

// Has libObject read the module. NULL if it refuses it, including by what LLVM calls a fatal error.
struct ws_object *ws_object_open(const struct ws_module *module, struct ws_error *error);
void ws_object_close(struct ws_object *object);

// Goes to the relocations of a section, by its index in the module.
bool ws_object_select(struct ws_object *object, size_t section);
// The next relocation there; false after the last.
bool ws_object_next(struct ws_object *object, uint64_t *type, uint64_t *offset);

// Whether libObject is shown a section: DWARF and names are most of a large module, and it has no use for
// them here.
bool ws_object_sees(const struct ws_section *section);

#endif
