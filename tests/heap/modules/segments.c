// As mimalloc's: segments of a megabyte, at multiples of that, for which more is grown than is used.
#include "allocator.h"
enum { SEGMENT = 1 << 20 };
static char *next, *end;
static char *segment(size n) {
  char *piece = grow(n + SEGMENT);
  return piece ? (char *)(((address)piece + SEGMENT - 1) & ~(address)(SEGMENT - 1)) : 0;
}
static char *more(size n) {
  if (n > SEGMENT / 4)
    return segment(n);
  if ((size)(end - next) < n) {
    if (!(next = segment(SEGMENT)))
      return 0;
    end = next + SEGMENT;
  }
  next += n;
  return next - n;
}
