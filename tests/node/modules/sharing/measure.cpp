#include "shape.h"

extern "C" __attribute__((export_name("measure"))) int measure(const Shape *shape) {
  return shape->area() + shape->scaled(100);
}
