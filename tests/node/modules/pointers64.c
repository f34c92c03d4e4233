// A 64-bit module full of pointers: to data, to functions, into zeroed data, with addends on either side.

#include <stdint.h>

#define EXPORT(name) __attribute__((export_name(#name)))

static int64_t numbers[] = {100, 200, 300, 400};
static int64_t zeroed[4096];

// volatile: or the compiler, which knows what is in them, would not look
static int64_t *volatile pointers[] = {&numbers[0], &numbers[3], &zeroed[4095]};

static int64_t increment(int64_t x) {
  return x + 1;
}

static int64_t square(int64_t x) {
  return x * x;
}

static int64_t (*volatile functions[])(int64_t) = {increment, square};

EXPORT(numbers_address) int64_t *numbers_address(void) {
  return numbers;
}

EXPORT(sum) int64_t sum(void) {
  return *pointers[0] + *pointers[1] + *pointers[2];
}

EXPORT(store) void store(int64_t value) {
  *pointers[2] = value;
}

EXPORT(load) int64_t load(uint64_t i) {
  return zeroed[i];
}

EXPORT(apply) int64_t apply(uint64_t function, int64_t x) {
  return functions[function](x);
}

EXPORT(distance) int64_t distance(void) {
  return pointers[1] - pointers[0];
}
