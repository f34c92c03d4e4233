// The module that reads objects.

#include "object.h"

EXPORT(get_value) int64_t get_value(const struct object *object) {
  return object->value;
}

static const char *const text = "a, written in C: it reads objects";

EXPORT(description) const char *description(void) {
  return text;
}
