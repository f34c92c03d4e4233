// Writing an image to a sink, with every pointer moved.
#ifndef WASMSHARE_PLACE_H
#define WASMSHARE_PLACE_H

#include "write/image.h"

enum { WS_HEADER_SIZE = 8 }; // of a module: magic and version

// How far what each base stands for is moved; the last one is 0.
void ws_find_deltas(const struct ws_image *image, uint64_t deltas[WS_BASE_COUNT + 1]);

// Writes the image as it is at its placement. Fails as ws_link_write does.
bool ws_place(const struct ws_image *image, struct ws_sink sink, struct ws_error *error);

#endif
