#include "base/error.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

// The size of the UTF-8 sequence at `at`, or 0 if there is none or it stands for a control character.
static size_t sequence(const uint8_t *at, size_t left) {
  bool control = at[0] < 0x20 || at[0] == 0x7f || (at[0] == 0xc2 && left > 1 && at[1] < 0xa0);
  return control ? 0 : ws_utf8_size(at, left);
}

const char *ws_printable(struct ws_slice from, char *text, size_t size) {
  size_t used = 0;
  for (size_t i = 0; i < from.size;) {
    if (from.data[i] >= 0x20 && from.data[i] < 0x7f && size - used > 1) { // most
      text[used++] = (char)from.data[i++];
      continue;
    }
    size_t length = sequence(from.data + i, from.size - i), taken = length ? length : 1;
    if (taken >= size - used)
      break;
    if (length)
      memcpy(text + used, from.data + i, length);
    else
      text[used] = '?';
    used += taken;
    i += taken;
  }
  text[used] = '\0';
  return text;
}

static struct ws_slice text_slice(const char *text) {
  return (struct ws_slice){(const uint8_t *)text, strlen(text)};
}

bool ws_fail(struct ws_error *error, const char *file, const char *section, uint64_t offset,
             const char *format, ...) {
  char message[sizeof error->message];
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(message, sizeof message, format, arguments);
  va_end(arguments);
  ws_printable(text_slice(file), error->file, sizeof error->file);
  ws_printable(text_slice(section ? section : ""), error->section, sizeof error->section);
  ws_printable(text_slice(message), error->message, sizeof error->message);
  error->offset = offset;
  error->code = WS_ERROR_MODULE;
  return false;
}

bool ws_fail_memory(struct ws_error *error, const char *file) {
  ws_fail(error, file, NULL, WS_NO_OFFSET, "out of memory");
  error->code = WS_ERROR_MEMORY;
  return false;
}

bool ws_fail_sink(struct ws_error *error, const char *file) {
  ws_fail(error, file, NULL, WS_NO_OFFSET, "its bytes were not taken");
  error->code = WS_ERROR_SINK;
  return false;
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
