// demangle.wasm: what a C++ library knows of mangled names, beside the command, which seldom needs it.
#include <stddef.h>
#include <stdlib.h>

char *__cxa_demangle(const char *mangled, char *buffer, size_t *size, int *status);

__attribute__((export_name("allocate"))) void *allocate(size_t size) {
  return malloc(size);
}

// What it returns, and the name that it was given, are of allocate(), and nobody frees them: each name is
// asked for once.
__attribute__((export_name("demangle"))) const char *demangle(const char *mangled) {
  return __cxa_demangle(mangled, NULL, NULL, NULL);
}
