// A hash table from bytes to numbers.
#ifndef WASMSHARE_MAP_H
#define WASMSHARE_MAP_H

#include "base/bytes.h"

struct ws_map {
  struct ws_map_entry {
    struct ws_slice key; // borrowed; its data is NULL in an empty entry
    uint32_t value, hash;
  } *entries;
  size_t capacity, count;
};

// The value of a key; a new one has `value`. NULL if memory runs out. The pointer holds until the next call.
uint32_t *ws_map_add(struct ws_map *map, struct ws_slice key, uint32_t value);
// The same for a key that is there, or NULL.
uint32_t *ws_map_find(const struct ws_map *map, struct ws_slice key);
void ws_map_free(struct ws_map *map);

#endif
