#include "base/parts.h"

const bool ws_has_one_program = true;
const bool ws_has_verify = true;
