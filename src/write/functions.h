// Functions that are put behind the module's own: the linker's, with addresses of full width; those that call
// other modules, run constructors, or clear .bss.
#ifndef WASMSHARE_FUNCTIONS_H
#define WASMSHARE_FUNCTIONS_H

#include "write/image.h"

// Appends all of them. False if memory runs out.
bool ws_append_functions(struct ws_image *image);
// The body of the function that one was appended for: it calls that, in as many bytes as it had, so that no
// other code moves, and whoever calls it can go on doing so. No data if memory runs out.
struct ws_slice ws_call_appended(struct ws_image *image, const struct ws_appended *appended);

#endif
