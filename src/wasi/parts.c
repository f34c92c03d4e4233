// wasmshare.wasm is without what --link, --single and verify need; whole.wasm has it.
#include "base/parts.h"

const bool ws_has_one_program = false;
const bool ws_has_verify = false;
