// A program of WASI's, which imports from another module and ends with an exit code.
#include <stdio.h>

__attribute__((import_module("even"), import_name("is_even"))) int is_even(unsigned number);

static int constructed;

__attribute__((constructor)) static void construct(void) {
  if (fflush(stdout) == 0) // else the compiler would do it all
    constructed++;
}

int main(int argc, char **argv) {
  // no end of line: it is written when the program ends
  printf("%s: %d argument, %d constructor", argv[0], argc, constructed);
  return is_even(2) && !is_even(3) ? 3 : 1;
}
