#include "base/map.h"

#include <stdlib.h>

// The entry of a key, or the empty one where it would be. The table is never full.
static struct ws_map_entry *find(const struct ws_map *map, struct ws_slice key, uint32_t hash) {
  size_t at = hash & (map->capacity - 1);
  while (map->entries[at].key.data &&
         (map->entries[at].hash != hash || !ws_slice_equal(map->entries[at].key, key)))
    at = (at + 1) & (map->capacity - 1);
  return &map->entries[at];
}

static bool grow(struct ws_map *map) {
  struct ws_map larger = {.capacity = map->capacity ? 2 * map->capacity : 64, .count = map->count};
  larger.entries = calloc(larger.capacity, sizeof *larger.entries);
  if (!larger.entries)
    return false;
  for (size_t i = 0; i < map->capacity; i++)
    if (map->entries[i].key.data)
      *find(&larger, map->entries[i].key, map->entries[i].hash) = map->entries[i];
  free(map->entries);
  *map = larger;
  return true;
}

uint32_t *ws_map_add(struct ws_map *map, struct ws_slice key, uint32_t value) {
  if (map->count >= map->capacity / 2 && !grow(map))
    return NULL;
  if (!key.data)
    key.data = (const uint8_t *)"";
  uint32_t hash = (uint32_t)ws_slice_hash(key);
  struct ws_map_entry *entry = find(map, key, hash);
  if (!entry->key.data) {
    *entry = (struct ws_map_entry){key, value, hash};
    map->count++;
  }
  return &entry->value;
}

uint32_t *ws_map_find(const struct ws_map *map, struct ws_slice key) {
  if (!map->capacity)
    return NULL;
  struct ws_map_entry *entry = find(map, key, (uint32_t)ws_slice_hash(key));
  return entry->key.data ? &entry->value : NULL;
}

void ws_map_free(struct ws_map *map) {
  free(map->entries);
  *map = (struct ws_map){0};
}
