// wasmshare.wasm is without what --env, --keep-relocs, --link, --single, --map and verify need; whole.wasm
// has it.
#include "base/parts.h"

const bool ws_has_one_program = false;
const bool ws_has_kept_relocs = false;
const bool ws_has_verify = false;
const bool ws_has_other_outputs = false;
