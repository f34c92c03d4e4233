// In C: owns the heap, which C++ and Rust allocate from, too, and a list of shapes that it knows nothing
// about.
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include "body.h"

#define EXPORT(name) __attribute__((export_name(#name))) name

enum { MOST_SHAPES = 96, MOST_POINTS = 32 };

struct {
  float width, height;
} arena = {480, 300};

void *shapes[MOST_SHAPES];
int shape_count;
struct {
  int count;
  float points[MOST_POINTS][2];
} outlines[MOST_SHAPES];
int bumps;

static void bumped(struct body *body) {
  bumps++;
  body->glow = 1;
}

void (*EXPORT(on_bump)(void))(struct body *) {
  return bumped;
}

bool EXPORT(keep)(void *shape) {
  if (!shape || shape_count == MOST_SHAPES)
    return false;
  shapes[shape_count++] = shape;
  return true;
}

void *EXPORT(let_go)(void) {
  if (shape_count == 0)
    return NULL;
  void *shape = shapes[--shape_count];
  shapes[shape_count] = NULL;
  return shape;
}
