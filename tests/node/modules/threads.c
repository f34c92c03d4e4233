// A module for threads: initialised data that they share, and thread-local variables.

#include <stdatomic.h>
#include <stdint.h>

#define EXPORT(name) __attribute__((export_name(#name)))

static _Atomic uint32_t total = 1000;
// volatile: or the compiler, which knows what is in it, would not look
static _Atomic uint32_t *volatile pointer_to_total = &total;
static _Atomic uint32_t in_bss[1024];

static _Thread_local uint32_t own_count = 7;
static _Thread_local uint32_t own_sum;

EXPORT(count_up) void count_up(uint32_t times) {
  for (uint32_t i = 0; i < times; i++) {
    atomic_fetch_add(pointer_to_total, 1);
    atomic_fetch_add(&in_bss[i % 1024], 1);
    // volatile: or the loop becomes one addition
    ++*(volatile uint32_t *)&own_count;
    *(volatile uint32_t *)&own_sum += i % 3;
  }
}

EXPORT(get_total) uint32_t get_total(void) {
  return atomic_load(&total);
}

EXPORT(get_bss_total) uint32_t get_bss_total(void) {
  uint32_t sum = 0;
  for (uint32_t i = 0; i < 1024; i++)
    sum += atomic_load(&in_bss[i]);
  return sum;
}

EXPORT(get_own_count) uint32_t get_own_count(void) {
  return own_count;
}

EXPORT(get_own_sum) uint32_t get_own_sum(void) {
  return own_sum;
}

EXPORT(own_count_address) uint32_t *own_count_address(void) {
  return &own_count;
}

EXPORT(stack_address) uintptr_t stack_address(void) {
  int local;
  int *volatile address = &local;
  return (uintptr_t)address;
}

EXPORT(total_address) _Atomic uint32_t *total_address(void) {
  return &total;
}
