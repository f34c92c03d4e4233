// A module that keeps data in its part of the memory and notices when someone else writes there: a table of
// its own addresses, which only its linker and wasmshare know, and a buffer filled at run time.

#include <stdint.h>

#define EXPORT(name) __attribute__((export_name(#name)))

#define SIZE 65536
static uint32_t buffer[SIZE];

#define POINTERS(i) &buffer[i], &buffer[i + 1], &buffer[i + 2], &buffer[i + 3]
#define POSITIONS(i) i, i + 1, i + 2, i + 3
// volatile: the compiler knows that both tables agree, but the test is about what is in memory
static uint32_t *const volatile pointers[] = {POINTERS(0), POINTERS(1000), POINTERS(SIZE - 4)};
static const uint32_t positions[] = {POSITIONS(0), POSITIONS(1000), POSITIONS(SIZE - 4)};

static const char text[] = SENTENCE;

EXPORT(sentence) const char *sentence(void) {
  return text;
}

static uint32_t pattern(uint32_t seed, uint32_t i) {
  return (i + seed) * 2654435761u;
}

EXPORT(fill) void fill(uint32_t seed) {
  for (uint32_t i = 0; i < SIZE; i++)
    buffer[i] = pattern(seed, i);
}

// How many words of the buffer and of the table of addresses are not what they were.
EXPORT(count_changes) uint32_t count_changes(uint32_t seed) {
  uint32_t changes = 0;
  for (uint32_t i = 0; i < SIZE; i++)
    changes += buffer[i] != pattern(seed, i);
  for (uint32_t i = 0; i < sizeof positions / sizeof *positions; i++)
    changes += pointers[i] != &buffer[positions[i]];
  return changes;
}
