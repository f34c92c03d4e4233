#include "error.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

const char *ws_printable(struct ws_slice from, char *text, size_t size) {
  size_t count = from.size < size - 1 ? from.size : size - 1;
  for (size_t i = 0; i < count; i++) {
    uint8_t byte = from.data[i];
    text[i] = (char)(byte < 0x20 || byte == 0x7f ? '?' : byte);
  }
  text[count] = '\0';
  return text;
}

bool ws_fail(struct ws_error *error, const char *file, const char *section, uint64_t offset,
             const char *format, ...) {
  ws_printable((struct ws_slice){(const uint8_t *)file, strlen(file)}, error->file, sizeof error->file);
  snprintf(error->section, sizeof error->section, "%s", section ? section : "");
  error->offset = offset;
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(error->message, sizeof error->message, format, arguments);
  va_end(arguments);
  for (char *at = error->message; *at; at++)
    if (*at == '\n' || *at == '\r')
      *at = ' ';
  return false;
}

bool ws_fail_memory(struct ws_error *error, const char *file) {
  return ws_fail(error, file, NULL, WS_NO_OFFSET, "out of memory");
}

void ws_error_format(const struct ws_error *error, char *line, size_t size) {
  char place[96] = "";
  if (error->section[0] && error->offset != WS_NO_OFFSET)
    snprintf(place, sizeof place, "section %s at 0x%" PRIx64 ": ", error->section, error->offset);
  else if (error->section[0])
    snprintf(place, sizeof place, "section %s: ", error->section);
  else if (error->offset != WS_NO_OFFSET)
    snprintf(place, sizeof place, "at 0x%" PRIx64 ": ", error->offset);
  snprintf(line, size, "%s%s%s%s", error->file, error->file[0] ? ": " : "", place, error->message);
}
