// As TinyGo's: the memory is doubled, and its last bytes say what is used of it.
#include "allocator.h"
static char *next, *map;
static void move_map(void) {
  map = (char *)end_of_memory() - 256;
  for (int i = 0; i < 256; i++)
    ((volatile char *)map)[i] = (char)i;
}
static char *more(size n) {
  if (!next)
    next = aligned(&__heap_base), move_map();
  while (map < next || (size)(map - next) < n) {
    if (!grow(end_of_memory()))
      return 0;
    move_map();
  }
  next += n;
  return next - n;
}
