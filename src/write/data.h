// The data section, and what of it need not be written: .bss.
#ifndef WASMSHARE_DATA_H
#define WASMSHARE_DATA_H

#include "write/image.h"

// Finds how many bytes of each segment are written. False if memory runs out.
bool ws_find_kept(struct ws_image *image);
bool ws_write_data(struct ws_image *image);

#endif
