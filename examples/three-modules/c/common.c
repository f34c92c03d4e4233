// The module that creates objects. Its allocator uses what memory.grow gives it, wherever that is, so it can be beside
// any others, and beside modules that are loaded later.

#include "object.h"

#include <stdalign.h>
#include <stddef.h>

static uintptr_t heap_top, heap_end;

static void *allocate(size_t size) {
  const size_t alignment = alignof(max_align_t), page_size = 65536;
  uintptr_t start = (heap_top + alignment - 1) / alignment * alignment;
  if (heap_end - start < size) {
    size_t pages = (size + page_size - 1) / page_size, first = __builtin_wasm_memory_grow(0, pages);
    if (first == (size_t)-1)
      __builtin_trap();
    start = first * page_size;
    heap_end = start + pages * page_size;
  }
  heap_top = start + size;
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
