// llvm.c is the only file that knows LLVM: libObject reads the module too, through its C interface. It must
// accept the module, and must find the same relocations in its code and data as relocations.c does, before
// anything is moved. (That interface gives neither addends nor the flags, alignments and lengths of symbols,
// so it cannot be the only reader.)
#ifndef WASMSHARE_OBJECT_H
#define WASMSHARE_OBJECT_H

#include "read/module.h"

// "LLVM 22.1.8", or nothing where there is no LLVM to link (llvm_none.c): then everything agrees.
extern const char ws_object_reader[];

// Whether libObject agrees about a module whose sections and symbols were read. If not, or if it gives up by
// what LLVM calls a fatal error, that is an error.
bool ws_object_agrees(const struct ws_module *module, struct ws_error *error);

#endif
