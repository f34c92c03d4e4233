// What the three modules hand to each other, by address.

#ifndef OBJECT_H
#define OBJECT_H

#include <stdint.h>

struct object {
  int64_t value;
};

#define EXPORT(name) __attribute__((export_name(#name)))

#endif
