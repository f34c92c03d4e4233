// Decodes the custom sections that say what things are: linking (tool-conventions, Linking.md), name (core
// specification, appendix) and target_features.
#ifndef WASMSHARE_LINKING_H
#define WASMSHARE_LINKING_H

#include "read/module.h"

// Fills the "linking.c" block, and names, TLS and alignments of functions, globals and segments. Malformed
// bytes are an error.
bool ws_read_linking(struct ws_module *module, struct ws_error *error);

#endif
