// wasmshare.wasm is without what --link and --single need; whole.wasm has it.
#include "link/parts.h"

const bool ws_has_one_program = false;
