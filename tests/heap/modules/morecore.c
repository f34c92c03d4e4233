// All from sbrk, the C library's, is one heap; as many allocators of one's own have it.
#include "allocator.h"
#include <unistd.h>
static char *next, *end;
static char *more(size n) {
  if (!next)
    next = end = sbrk(0);
  if ((size)(end - next) < n) {
    if (sbrk((intptr_t)(pages(n) * PAGE)) == (void *)-1)
      return 0;
    end += pages(n) * PAGE;
  }
  next += n;
  return next - n;
}
