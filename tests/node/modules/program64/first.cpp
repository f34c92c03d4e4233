// One of two 64-bit modules of one program.
#include "shared.h"
__attribute__((weak)) long chosen(long) { return -1; }
long down(long n) {
  if (n < 0)
    throw Error{n * 100};
  return n == 0 ? count++ : up(n - 1);
}
static long (*own)(long) = chosen;
extern "C" __attribute__((export_name("run"))) long run(int which) {
  switch (which) {
  case 0: return down(6);
  case 1: return chosen(5);
  case 2: return own == pointer && own(7) == pointer(7);
  case 3: return caught(-3);
  default: return count;
  }
}
