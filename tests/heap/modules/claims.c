// As older wasi-libc's: first all memory that there is.
#include "allocator.h"
static char *next, *end;
static char *more(size n) {
  if (!next)
    next = aligned(&__heap_base), end = (char *)end_of_memory();
  if ((size)(end - next) < n) {
    char *piece = grow(n);
    if (!piece)
      return 0;
    next = piece;
    end = piece + pages(n) * PAGE;
  }
  next += n;
  return next - n;
}
