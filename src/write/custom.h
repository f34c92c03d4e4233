// Custom sections that say something of the whole file.
#ifndef WASMSHARE_CUSTOM_H
#define WASMSHARE_CUSTOM_H

#include "write/image.h"

// Whether it is the address of a source map.
bool ws_is_source_map(const struct ws_image_section *section);

// Drops or rewrites them, in an image that is otherwise made. False if memory runs out.
bool ws_write_custom(struct ws_image *image);

#endif
