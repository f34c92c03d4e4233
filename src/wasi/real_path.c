// real_path() of the command for WASI: the JavaScript around it knows.
#include <errno.h>
#include <limits.h>
#include <string.h>

#include "command/command.h"

// The size of the path without links, "." and "..", which is written to `text`; or less than 0, an error.
__attribute__((import_module("wasmshare"), import_name("real_path"))) int
host_real_path(const char *path, size_t size, char *text, size_t room);

char *real_path(const char *path) {
  char text[PATH_MAX];
  int size = host_real_path(path, strlen(path), text, sizeof text);
  if (size < 0)
    errno = -size;
  return size < 0 ? NULL : xprintf("%.*s", size, text);
}
