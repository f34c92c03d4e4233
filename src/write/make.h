// How an image is made, and with it what ws_link_write writes.
#ifndef WASMSHARE_MAKE_H
#define WASMSHARE_MAKE_H

#include "write/image.h"

// Makes the image of a module of a link, which was planned; ws_image_free frees it. Fails if memory runs out.
bool ws_image_make(struct ws_image *image, const struct ws_link *link, size_t module, struct ws_error *error);

#endif
