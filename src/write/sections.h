// Sections other than code and data, written anew.
#ifndef WASMSHARE_SECTIONS_H
#define WASMSHARE_SECTIONS_H

#include "write/image.h"

// Writes those that change. False if memory runs out.
bool ws_write_sections(struct ws_image *image);

#endif
