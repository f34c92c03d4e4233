// A reactor of WASI's, which prints when it begins and when it is called.
#include <stdio.h>
static const char *const names[] = {"nobody", "WASI"};
__attribute__((constructor)) static void begin(void) { printf("constructor\n"); }
__attribute__((export_name("hello"))) void hello(void) {
  printf("hello %s\n", names[1]);
  fflush(stdout);
}
