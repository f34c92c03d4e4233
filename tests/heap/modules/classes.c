// As Zig's wasm_allocator: each size of blocks has pages of its own, and large blocks are pages.
#include "allocator.h"
static char *next[32], *end[32];
static char *more(size n) {
  int class = __builtin_ctzl((unsigned long)n);
  if (n >= PAGE)
    return grow(n);
  if (next[class] == end[class]) {
    if (!(next[class] = end[class] = grow(PAGE)))
      return 0;
    end[class] += PAGE;
  }
  next[class] += n;
  return next[class] - n;
}
