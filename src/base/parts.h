// What a smaller program can be without: parts.c says that all is here, and in its place a program can have a
// file that says otherwise (src/wasi/parts.c). Linking then leaves out what nothing else uses.
#ifndef WASMSHARE_PARTS_H
#define WASMSHARE_PARTS_H

#include <stdbool.h>

// Whether modules can be made one program, or one module.
extern const bool ws_has_one_program;
// Whether modules can keep their relocations.
extern const bool ws_has_kept_relocs;
// Whether outputs can be verified.
extern const bool ws_has_verify;
// Whether there are --env and --map.
extern const bool ws_has_other_outputs;

#endif
