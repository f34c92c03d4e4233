// Keeping the linking and reloc.* sections true in a placed module (--keep-relocs), so that it can be moved
// again.
#ifndef WASMSHARE_EMIT_RELOCS_H
#define WASMSHARE_EMIT_RELOCS_H

#include "write/image.h"

// Rewrites them for the image: section indices, offsets, and the addresses of absolute symbols. False if
// memory runs out.
bool ws_emit_relocs(struct ws_image *image);

#endif
