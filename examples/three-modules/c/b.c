// The module that changes objects. C does not let us call the function `double`; its export may be named so.

#include "object.h"

EXPORT(double) void double_value(struct object *object) {
  object->value *= 2;
}

static const char *const text = "b, written in C: it doubles objects";

EXPORT(description) const char *description(void) {
  return text;
}
