// As Emscripten's: all from __heap_base up is one heap.
#include "allocator.h"
static address brk = (address)&__heap_base;
static void *sbrk(size n) {
  address from = brk, to = (from + n + ALIGNMENT - 1) & ~(address)(ALIGNMENT - 1);
  if (to > end_of_memory() && !grow(to - end_of_memory()))
    return (void *)-1;
  brk = to;
  return (void *)from;
}
static char *more(size n) {
  static int begun;
  if (!begun++)
    brk = (address)aligned((void *)brk);
  void *piece = sbrk(n);
  return piece == (void *)-1 ? 0 : piece;
}
