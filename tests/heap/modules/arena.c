// What it was linked with, and no more.
#include "allocator.h"
static char *next;
static char *more(size n) {
  if (!next)
    next = aligned(&__heap_base);
  if ((size)((char *)&__heap_end - next) < n)
    return 0;
  next += n;
  return next - n;
}
size EXPORT(room)(void) { return (size)(&__heap_end - &__heap_base); }
