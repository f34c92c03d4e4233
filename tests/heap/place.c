// place DIRECTORY FROM PLACED MODULE...: places prepared modules one after another from the address FROM up,
// as a native host does, beside the first PLACED of them, which are there already. Writes those that are new
// to DIRECTORY, and says on stdout, as JSON, where they are.
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "wasmshare_load.h"

enum { PAGE = 65536, MOST = 16 };

static uint64_t up(uint64_t value, uint64_t alignment) {
  return (value + alignment - 1) / alignment * alignment;
}

static void fail(const char *what, const char *path) {
  fprintf(stderr, "%s: %s\n", path, what);
  exit(1);
}

static void check(enum ws_load_status status, const char *path) {
  if (status != WS_LOAD_OK)
    fail(ws_load_message(status), path);
}

static struct ws_load_module open_module(const char *path) {
  struct ws_load_module module;
  FILE *file = fopen(path, "rb");
  if (!file || fseek(file, 0, SEEK_END) != 0)
    fail("cannot be read", path);
  size_t size = (size_t)ftell(file);
  void *bytes = malloc(size);
  rewind(file);
  if (!bytes || fread(bytes, 1, size, file) != size)
    fail("cannot be read", path);
  fclose(file);
  check(ws_load_open(&module, bytes, size), path);
  return module;
}

static void write_module(const struct ws_load_module *module, const struct ws_load_placement *placement,
                         const char *directory, const char *path) {
  char to[4096];
  const char *name = strrchr(path, '/');
  size_t size = ws_load_size(module, placement);
  void *bytes = malloc(size);
  if (!bytes)
    fail("is too large", path);
  check(ws_load_place(module, placement, bytes, size), path);
  snprintf(to, sizeof to, "%s/%s", directory, name ? name + 1 : path);
  FILE *file = fopen(to, "wb");
  if (!file || fwrite(bytes, 1, size, file) != size || fclose(file) != 0)
    fail("cannot be written", to);
  free(bytes);
}

int main(int argc, char **argv) {
  if (argc < 5 || argc - 4 > MOST)
    return 2;
  struct ws_load_module modules[MOST];
  struct ws_load_placement placements[MOST];
  uint64_t end = strtoull(argv[2], NULL, 10);
  int placed = atoi(argv[3]), count = argc - 4;
  char **paths = argv + 4;
  for (int i = 0; i < count; i++) {
    modules[i] = open_module(paths[i]);
    for (int k = 0; k < i; k++)
      if (ws_load_clash(&modules[i], &modules[k]) ||
          (k < placed && i >= placed && modules[k].heap > WS_LOAD_HEAP_FIXED))
        fail("has no heap beside the others: one takes all memory", paths[i]);
  }
  for (int i = placed; i < count; i++) {
    uint64_t offset = up(end, modules[i].alignment);
    ws_load_shift(&modules[i], offset, modules[i].end + offset, &placements[i]);
    end = modules[i].end + offset;
  }
  // Behind them all, each has the heap that it was linked with; and nobody else has the rest of a page. Who
  // takes all that follows comes last.
  for (int takes_all = 0; takes_all < 2; takes_all++)
    for (int i = placed; i < count; i++) {
      if ((modules[i].heap > WS_LOAD_HEAP_FIXED) != takes_all)
        continue;
      uint64_t size = modules[i].heap > WS_LOAD_HEAP_GROWS ? modules[i].initial_heap : 0;
      placements[i].heap_base = up(end, 16);
      end = placements[i].heap_end = up(placements[i].heap_base + size, PAGE);
    }
  printf("{ \"pages\": %" PRIu64 ", \"modules\": [", end / PAGE);
  for (int i = placed; i < count; i++) {
    const struct ws_load_module *module = &modules[i];
    placements[i].pages = end / PAGE;
    write_module(module, &placements[i], argv[1], paths[i]);
    printf("%s{ \"dataBase\": %" PRIu64 ", \"dataEnd\": %" PRIu64 ", \"stackLow\": %" PRIu64
           ", \"stackPointer\": %" PRIu64 " }",
           i > placed ? ", " : "", module->data_base + placements[i].offset,
           module->data_end + placements[i].offset, placements[i].stack_low, placements[i].stack_pointer);
  }
  printf("] }\n");
}
