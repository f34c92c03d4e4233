// Memory, or the end of the command: see out_of_memory().
#include <stdarg.h>
#include <stdlib.h>

#include "command/command.h"

void *xmalloc(size_t size) {
  void *memory = malloc(size);
  if (!memory)
    out_of_memory();
  return memory;
}

void *xcalloc(size_t count, size_t size) {
  void *memory = calloc(count, size);
  if (!memory)
    out_of_memory();
  return memory;
}

char *xprintf(const char *format, ...) {
  char *text;
  va_list arguments;
  va_start(arguments, format);
  int size = vasprintf(&text, format, arguments);
  va_end(arguments);
  if (size < 0)
    out_of_memory();
  return text;
}
