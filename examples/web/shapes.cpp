// In C++: classes with virtual functions, which Rust calls. Objects lie in the heap of the C module.
#include <stddef.h>
#include "body.h"

#define EXPORT(name) __attribute__((export_name(#name))) name

extern "C" void *malloc(size_t);
extern "C" void free(void *);

void *operator new(size_t size) {
  void *object = malloc(size);
  if (!object)
    __builtin_trap();
  return object;
}
void operator delete(void *object) noexcept {
  free(object);
}
void operator delete(void *object, size_t) noexcept {
  free(object);
}
extern "C" void __cxa_pure_virtual() {
  __builtin_trap();
}

struct Shape {
  virtual float reach() const = 0;
  virtual int outline(float (*points)[2]) const = 0;
  virtual ~Shape() = default;

  explicit Shape(const body &start) : body(start) {}
  struct body body;

protected:
  // Points all around, each turned from the last by an angle of that cosine and sine; every other is moved
  // inwards.
  int around(float (*points)[2], int count, float cos, float sin, float inwards = 1) const {
    float x = body.cos, y = body.sin;
    for (int i = 0; i < count; i++) {
      const float radius = i % 2 ? body.size * inwards : body.size;
      points[i][0] = body.x + radius * x;
      points[i][1] = body.y + radius * y;
      const float turned = cos * x - sin * y;
      y = sin * x + cos * y;
      x = turned;
    }
    return count;
  }
};

struct Circle final : Shape {
  using Shape::Shape;
  float reach() const override { return body.size; }
  int outline(float (*points)[2]) const override { return around(points, 32, 0.98078528f, 0.19509032f); }
};

struct Square final : Shape {
  using Shape::Shape;
  float reach() const override { return 0.85f * body.size; }
  int outline(float (*points)[2]) const override { return around(points, 4, 0, 1); }
};

struct Star final : Shape {
  using Shape::Shape;
  float reach() const override { return 0.8f * body.size; }
  int outline(float (*points)[2]) const override {
    return around(points, 10, 0.80901699f, 0.58778525f, 0.5f);
  }
};

extern "C" Shape *EXPORT(make)(int kind, float x, float y, float vx, float vy, float size) {
  const body start = {x, y, vx, vy, 1, 0, vx / 60, size, 0};
  switch (kind) {
  case 0:
    return new Circle(start);
  case 1:
    return new Square(start);
  default:
    return new Star(start);
  }
}

extern "C" void EXPORT(unmake)(Shape *shape) {
  delete shape;
}
