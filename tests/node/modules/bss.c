// A module with much zeroed and some initialised data, and functions that dirty all of it.

#include <stdint.h>

#define EXPORT(name) __attribute__((export_name(#name)))

static uint8_t zeroed[1 << 20];
static uint8_t zeroed_but_for_its_first_byte[4096] = {1};
static uint32_t initialised[64] = {10, 20, 30};

EXPORT(zeroed_size) uint32_t zeroed_size(void) {
  return sizeof zeroed;
}

EXPORT(zeroed_address) uint8_t *zeroed_address(void) {
  return zeroed;
}

EXPORT(make_dirty) void make_dirty(void) {
  for (uint32_t i = 0; i < sizeof zeroed; i++)
    zeroed[i] = 0xaa;
  for (uint32_t i = 0; i < sizeof zeroed_but_for_its_first_byte; i++)
    zeroed_but_for_its_first_byte[i] = 0xbb;
  for (uint32_t i = 0; i < sizeof initialised / sizeof *initialised; i++)
    initialised[i] = ~0u;
}

// How many bytes and words differ from what the source says they start as.
EXPORT(count_dirty) uint32_t count_dirty(void) {
  uint32_t count = 0;
  for (uint32_t i = 0; i < sizeof zeroed; i++)
    count += zeroed[i] != 0;
  for (uint32_t i = 0; i < sizeof zeroed_but_for_its_first_byte; i++)
    count += zeroed_but_for_its_first_byte[i] != (i == 0);
  for (uint32_t i = 0; i < sizeof initialised / sizeof *initialised; i++)
    count += initialised[i] != (i < 3 ? 10 * (i + 1) : 0);
  return count;
}
