// The code section.
#ifndef WASMSHARE_CODE_H
#define WASMSHARE_CODE_H

#include "write/image.h"

// Writes it, if functions were appended or take the place of others. False if memory runs out.
bool ws_write_code(struct ws_image *image);

#endif
