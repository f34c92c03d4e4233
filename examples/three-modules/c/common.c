// The module that creates objects. Its allocator owns the heap: everything from __heap_base up, which is the
// address after *all* modules once they are placed.

#include "object.h"

#include <stdalign.h>
#include <stddef.h>

extern unsigned char __heap_base;
static uintptr_t heap_top;

static void *allocate(size_t size) {
  const size_t alignment = alignof(max_align_t), page_size = 65536;
  if (heap_top == 0)
    heap_top = (uintptr_t)&__heap_base;

  uintptr_t start = (heap_top + alignment - 1) / alignment * alignment, end = start + size;
  size_t pages = __builtin_wasm_memory_size(0), needed = (end + page_size - 1) / page_size;
  if (needed > pages && __builtin_wasm_memory_grow(0, needed - pages) == (size_t)-1)
    __builtin_trap();
  heap_top = end;
  return (void *)start;
}

EXPORT(create_object) struct object *create_object(int64_t value) {
  struct object *object = allocate(sizeof *object);
  object->value = value;
  return object;
}

static const char *const text = "common, written in C: it creates objects";

// An address in this module's own data: right only if placing moved the data and every pointer to it.
EXPORT(description) const char *description(void) {
  return text;
}
