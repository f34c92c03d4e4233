// A module for threads, of which there are two: NAME(count_up) is left_count_up or right_count_up.

#include <stdatomic.h>
#include <stdint.h>

#ifndef CLEARED // how many words of .bss
#define CLEARED 1024
#endif
#define EXPORT __attribute__((visibility("default")))

static _Atomic uint32_t total = START;
static _Atomic uint32_t *volatile pointer_to_total = &total;
static _Atomic uint32_t in_bss[CLEARED];
static _Thread_local uint32_t own_count = START + 7;
static _Thread_local uint32_t own_sum;

EXPORT void NAME(count_up)(uint32_t times) {
  for (uint32_t i = 0; i < times; i++) {
    atomic_fetch_add(pointer_to_total, 1);
    atomic_fetch_add(&in_bss[i % CLEARED], 1);
    // volatile: or the loop becomes one addition
    ++*(volatile uint32_t *)&own_count;
    *(volatile uint32_t *)&own_sum += i % 3;
  }
}
EXPORT uint32_t NAME(get_total)(void) { return atomic_load(&total); }
EXPORT uint32_t NAME(get_bss_total)(void) {
  uint32_t sum = 0;
  for (uint32_t i = 0; i < CLEARED; i++)
    sum += atomic_load(&in_bss[i]);
  return sum;
}
EXPORT uint32_t NAME(get_own_count)(void) { return own_count; }
EXPORT uint32_t NAME(get_own_sum)(void) { return own_sum; }
EXPORT uint32_t *NAME(own_count_address)(void) { return &own_count; }
