// Looks for operands that linkers pad in code that no relocation is for.
#ifndef WASMSHARE_UNRELOCATED_H
#define WASMSHARE_UNRELOCATED_H

#include "read/instructions.h"
#include "read/module.h"

// What was found so far, in order of offset. Functions that the linker wrote are left out.
struct ws_unrelocated {
  const struct ws_module *module;
  const uint8_t *content; // of the code section
  uint32_t operands;      // padded operands that are no null pointers
  uint32_t nulls;         // padded constants that are 0
  uint32_t first;         // the first function with such an operand, among the defined ones

  uint32_t function;     // where the search has come to
  struct ws_reader body; // what of that function is not decoded yet, if it has been begun
};

// Goes on with the code section's content from `from` to `to`, in which there is no relocated operand.
void ws_look_between(struct ws_unrelocated *found, uint32_t from, uint32_t to);

#endif
