// What each module of the heap test does, in C, C++ and Rust: takes blocks from its allocator, gives back blocks of any
// module's, resizes them, and fills and checks them with bytes that depend on where they were put.
#pragma once

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define EXPORT(name) __attribute__((export_name(#name))) name

void *take(size_t size, size_t align);
void give(void *block, size_t align);
void *resize(void *block, size_t old_size, size_t align, size_t size);

// The byte at an address. After a block has moved, what is in it still is that of the old address.
static inline uint8_t pattern(size_t address, uint32_t seed) {
  return (uint8_t)(((uint32_t)address * 2654435761u ^ seed) >> 24);
}

void EXPORT(fill)(uint8_t *bytes, size_t size, uint32_t seed) {
  for (size_t i = 0; i < size; i++)
    bytes[i] = pattern((size_t)bytes + i, seed);
}

// How many bytes are not what was put at `address`.
size_t EXPORT(wrong)(const uint8_t *bytes, size_t size, uint32_t seed, size_t address) {
  size_t count = 0;
  for (size_t i = 0; i < size; i++)
    count += bytes[i] != pattern(address + i, seed);
  return count;
}

// Takes pages past the allocator, which it must leave alone: their address, or 0.
void *EXPORT(grow)(size_t pages) {
  size_t before = __builtin_wasm_memory_grow(0, pages);
  return before == (size_t)-1 ? NULL : (void *)(before * 65536);
}

#ifdef __cplusplus
}
#endif
