// Writing an image to a sink, with every pointer moved.
#ifndef WASMSHARE_PLACE_H
#define WASMSHARE_PLACE_H

#include "write/image.h"

// Writes the image as it is at its placement. Fails as ws_link_write does.
bool ws_place(const struct ws_image *image, struct ws_sink sink, struct ws_error *error);

#endif
