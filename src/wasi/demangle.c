// __cxa_demangle() of the command for WASI: another module does it, which the JavaScript around it loads when
// it is asked to.
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

// The size of what the name is demangled to, of which as much as there is room for is written; 0 if it is not
// mangled.
__attribute__((import_module("wasmshare"), import_name("demangle"))) size_t host_demangle(const char *mangled,
                                                                                          size_t size,
                                                                                          char *text,
                                                                                          size_t room);

char *__cxa_demangle(const char *mangled, char *buffer, size_t *size, int *status);

// As <cxxabi.h> has it, for a buffer and status of NULL.
char *__cxa_demangle(const char *mangled, char *buffer, size_t *size, int *status) {
  (void)buffer;
  (void)size;
  (void)status;
  size_t length = strlen(mangled), room = host_demangle(mangled, length, NULL, 0);
  char *text = room > 0 ? calloc(room + 1, 1) : NULL;
  if (text)
    host_demangle(mangled, length, text, room);
  return text;
}
