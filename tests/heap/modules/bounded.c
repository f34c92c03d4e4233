// As newer wasi-libc's: first what is between __heap_base and __heap_end.
#include "allocator.h"
static char *next, *end;
static char *more(size n) {
  if (!next)
    next = aligned(&__heap_base), end = (char *)&__heap_end;
  if (end < next || (size)(end - next) < n) {
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
