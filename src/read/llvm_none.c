// In place of llvm.c, where there is no LLVM to link: nothing checks what our own reader finds.
#include "read/llvm.h"

const char ws_object_reader[] = "";

bool ws_object_agrees(const struct ws_module *module, struct ws_error *error) {
  (void)module, (void)error;
  return true;
}
