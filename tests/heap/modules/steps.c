// As Rust's: all memory is from memory.grow, and what lies one after another is one piece.
#include "allocator.h"
static char *next, *end;
static char *more(size n) {
  if ((size)(end - next) < n) {
    char *piece = grow(n);
    if (!piece)
      return 0;
    if (piece != end)
      next = piece;
    end = piece + pages(n) * PAGE;
  }
  next += n;
  return next - n;
}
