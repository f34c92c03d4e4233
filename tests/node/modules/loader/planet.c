// Needs WASI before anything is called.
#include <stdlib.h>
#include <string.h>

static size_t length;

__attribute__((constructor)) static void look(void) {
  const char *name = getenv("PLANET");
  length = name ? strlen(name) : 0;
}

__attribute__((export_name("length"))) size_t length_of_name(void) {
  return length;
}
