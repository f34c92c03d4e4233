// Keeps words in pages that it takes for itself, as Rust's allocator does.

#include <stdint.h>

#define EXPORT(name) __attribute__((export_name(#name)))

enum { WORDS = 100000 };
static uint32_t *words;

EXPORT(keep) void keep(void) {
  words = (uint32_t *)(__builtin_wasm_memory_grow(0, WORDS * 4 / 65536 + 1) << 16);
  for (uint32_t i = 0; i < WORDS; i++)
    words[i] = i;
}

EXPORT(lost) uint32_t lost(void) {
  uint32_t lost = 0;
  for (uint32_t i = 0; i < WORDS; i++)
    lost += words[i] != i;
  return lost;
}
