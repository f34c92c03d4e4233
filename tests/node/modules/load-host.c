// A native host that places a prepared module. All it has of WasmShare is src/runtime.
//
//     load-host MODULE OUT shift OFFSET HEAP_BASE
//     load-host MODULE OUT place OFFSET STACK_LOW STACK_POINTER HEAP_BASE HEAP_END TABLE_BASE TABLE_END PAGES
//                                MAXIMUM_PAGES SHARE_STACK
//
// OUT is written in one go. MAXIMUM_PAGES is -1 for none.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "wasmshare_load.h"

static unsigned char *read_file(const char *path, size_t *size) {
  FILE *file = fopen(path, "rb");
  unsigned char *bytes = NULL;
  if (file && fseek(file, 0, SEEK_END) == 0) {
    *size = (size_t)ftell(file);
    rewind(file);
    bytes = malloc(*size + 1);
    if (bytes && fread(bytes, 1, *size, file) != *size)
      *size = 0;
  }
  if (file)
    fclose(file);
  return bytes;
}

static int fail(enum ws_load_status status) {
  fprintf(stderr, "%s\n", ws_load_message(status));
  return 1;
}

int main(int argc, char **argv) {
  struct ws_load_module module;
  struct ws_load_placement placement = {0};
  size_t size = 0;
  if (argc < 6)
    return 2;
  unsigned char *bytes = read_file(argv[1], &size);
  if (!bytes)
    return 2;
  enum ws_load_status status = ws_load_open(&module, bytes, size);
  if (status != WS_LOAD_OK)
    return fail(status);
  uint64_t numbers[10] = {0};
  for (int i = 4; i < argc && i < 14; i++)
    numbers[i - 4] = (uint64_t)strtoll(argv[i], NULL, 10);
  if (strcmp(argv[3], "shift") == 0) {
    ws_load_shift(&module, numbers[0], numbers[1], &placement);
  } else {
    placement = (struct ws_load_placement){
        .offset = numbers[0],
        .stack_low = numbers[1],
        .stack_pointer = numbers[2],
        .heap_base = numbers[3],
        .heap_end = numbers[4],
        .table_base = numbers[5],
        .table_end = numbers[6],
        .pages = numbers[7],
        .maximum_pages = numbers[8],
        .has_maximum = numbers[8] != UINT64_MAX,
        .share_stack = numbers[9],
        .share_table = numbers[6] != 0,
    };
  }
  size_t placed = ws_load_size(&module, &placement);
  unsigned char *to = malloc(placed + 1);
  if (!to)
    return 2;
  if (placed && ws_load_place(&module, &placement, to, placed - 1) != WS_LOAD_SPACE)
    return 3; // it must not write behind the end
  status = ws_load_place(&module, &placement, to, placed);
  if (status != WS_LOAD_OK)
    return fail(status);
  FILE *out = fopen(argv[2], "wb");
  if (!out || fwrite(to, 1, placed, out) != placed || fclose(out) != 0)
    return 2;
  free(to);
  free(bytes);
  return 0;
}
