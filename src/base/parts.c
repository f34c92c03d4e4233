#include "base/parts.h"

const bool ws_has_one_program = true;
const bool ws_has_kept_relocs = true;
const bool ws_has_verify = true;
const bool ws_has_other_outputs = true;
