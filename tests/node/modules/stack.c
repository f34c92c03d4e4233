// A module that uses much of its stack, and keeps data beside it.

#include <stdint.h>

#define EXPORT(name) __attribute__((export_name(#name)))

enum { FRAME = 1024 };

static uint32_t data[1024] = {1, 2, 3};

EXPORT(fill) void fill(uint32_t value) {
  for (uint32_t i = 0; i < 1024; i++)
    data[i] = value;
}

EXPORT(count_changes) uint32_t count_changes(uint32_t value) {
  uint32_t changes = 0;
  for (uint32_t i = 0; i < 1024; i++)
    changes += data[i] != value;
  return changes;
}

// Where the stack ends.
EXPORT(stack_low) uint8_t *stack_low(void) {
  extern uint8_t __stack_low;
  return &__stack_low;
}

// Calls itself `depth` times, each time with more than FRAME bytes on the stack. Returns the lowest address that it used,
// or 0 when one of the calls found its bytes changed by another.
EXPORT(use_stack) uint8_t *use_stack(uint32_t depth) {
  volatile uint8_t frame[FRAME];
  for (uint32_t i = 0; i < FRAME; i++)
    frame[i] = (uint8_t)(depth + i);
  uint8_t *lowest = depth == 0 ? (uint8_t *)frame : use_stack(depth - 1);
  for (uint32_t i = 0; i < FRAME; i++)
    if (frame[i] != (uint8_t)(depth + i))
      return 0;
  return lowest;
}
