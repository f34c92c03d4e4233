// In one program, what a module's pointers name may be another module's: their operands get new values, by
// the relocations that say what they name.
#ifndef WASMSHARE_REBIND_H
#define WASMSHARE_REBIND_H

#include "write/image.h"

// Gives the image's sections fixups for all operands whose symbols are rebound. False if memory runs out.
bool ws_rebind_image(struct ws_image *image);

// Whether a symbol means something else than what the module has.
bool ws_is_rebound(const struct ws_image *image, uint32_t symbol);
// The fixup of a global that holds the address of a symbol.
struct ws_fixup ws_rebind_global(struct ws_image *image, struct ws_fixup fixup);

#endif
