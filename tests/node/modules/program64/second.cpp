#include "shared.h"
long up(long n) { return n == 0 ? count++ : down(n - 1); }
long chosen(long n) { return n * 11; }
long (*const pointer)(long) = chosen;
long caught(long n) {
  try {
    return down(n);
  } catch (const Error &error) {
    return error.code;
  }
}
