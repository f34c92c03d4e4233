// The wrappers that linkers put around the exports of a program, as if each call were a run of it: they run
// the constructors, call the function with what they were called with, and run the destructors. In one
// program only _start has one: others call the functions themselves.
#ifndef WASMSHARE_WRAPPERS_H
#define WASMSHARE_WRAPPERS_H

#include "read/module.h"

#define WS_NO_FUNCTION UINT32_MAX

// The function that a wrapper is for, or `function` itself if it is none.
uint32_t ws_wrapped_function(const struct ws_module *module, uint32_t function);

// The function that calls a module's own init functions, which the linker made; WS_NO_FUNCTION if it was left
// out, as it is from a program that has none: what starts that one does not run constructors.
uint32_t ws_constructors_of(const struct ws_module *module);

// What others call by an export: the function itself, where a wrapper is exported;
// but _start, and what hosts call to run constructors, stay.
uint32_t ws_exported_function(const struct ws_module *module, const struct ws_export *export);

#endif
