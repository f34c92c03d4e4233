// In C: the owner, with wasi-libc's malloc, or a module without a C library that imports another's.
#include "worker.h"

void *malloc(size_t size);
void *realloc(void *block, size_t size);
void *aligned_alloc(size_t align, size_t size);
void free(void *block);

// What malloc aligns to: the alignment of max_align_t.
#define MALLOC_ALIGN 16

void *EXPORT(take)(size_t size, size_t align) {
  return align <= MALLOC_ALIGN ? malloc(size) : aligned_alloc(align, (size + align - 1) / align * align);
}

void EXPORT(give)(void *block, size_t align) {
  (void)align;
  free(block);
}

void *EXPORT(resize)(void *block, size_t old_size, size_t align, size_t size) {
  if (align <= MALLOC_ALIGN)
    return realloc(block, size);
  uint8_t *from = block, *to = take(size, align);
  for (size_t i = 0; to && i < old_size && i < size; i++)
    to[i] = from[i];
  if (to)
    free(block);
  return to;
}
