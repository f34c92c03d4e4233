// The strings of DWARF are once in a merged module, as linkers have them.
#include <stdlib.h>

#include "write/dwarf.h"

// The string that begins at an offset, without the zero behind it.
static struct ws_slice string_at(struct ws_slice strings, size_t offset) {
  const uint8_t *start = strings.data + offset;
  const uint8_t *end = memchr(start, 0, strings.size - offset);
  return (struct ws_slice){start, end ? (size_t)(end - start) : strings.size - offset};
}

// Where a string is among those of all modules, or UINT32_MAX if memory ran out. There is room for all: what
// the map knows stays where it is.
static uint32_t add_string(struct ws_map *known, struct ws_buffer *all, struct ws_slice string) {
  const uint32_t *at = ws_map_find(known, string);
  if (at)
    return *at;
  if (all->size + string.size >= UINT32_MAX)
    return UINT32_MAX;
  uint32_t offset = (uint32_t)all->size;
  ws_put_slice(all, string);
  ws_put_u8(all, 0);
  if (all->failed || !ws_map_add(known, (struct ws_slice){all->data + offset, string.size}, offset))
    return UINT32_MAX;
  return offset;
}

bool ws_dwarf_begin_strings(struct ws_dwarf_strings *strings, struct ws_buffer *all, struct ws_slice own) {
  free(strings->moved);
  strings->moved = NULL;
  strings->own = own;
  strings->first = all->size == 0; // these stay as they are
  if (own.size == 0)
    return true;
  if (strings->first)
    ws_put_slice(all, own);
  if (strings->first && own.data[own.size - 1] != 0)
    ws_put_u8(all, 0);
  strings->moved = calloc(own.size, sizeof *strings->moved);
  return !all->failed && strings->moved;
}

// Linkers let a string be the end of another, which is taken as a whole.
static uint32_t place(struct ws_dwarf_strings *strings, struct ws_buffer *all, size_t offset) {
  if (strings->first)
    return (uint32_t)offset;
  size_t start = offset;
  while (start > 0 && strings->own.data[start - 1] != 0)
    start--;
  uint32_t whole = add_string(&strings->known, all, string_at(strings->own, start));
  return whole == UINT32_MAX ? whole : whole + (uint32_t)(offset - start);
}

uint32_t ws_dwarf_move_string(struct ws_dwarf_strings *strings, struct ws_buffer *all, uint64_t offset) {
  struct ws_slice empty = {(const uint8_t *)"", 0};
  if (offset >= strings->own.size) // at the end there is none
    return add_string(&strings->known, all, empty);
  if (strings->moved[offset])
    return strings->moved[offset] - 1;
  struct ws_slice string = string_at(strings->own, (size_t)offset);
  const uint32_t *at = ws_map_find(&strings->known, string);
  uint32_t moved = at ? *at : place(strings, all, (size_t)offset);
  if (moved == UINT32_MAX)
    return moved;
  struct ws_slice kept = {all->data + moved, string.size};
  if (!ws_map_add(&strings->known, kept, moved))
    return UINT32_MAX;
  strings->moved[offset] = moved + 1;
  return moved;
}

void ws_dwarf_free_strings(struct ws_dwarf_strings *strings) {
  free(strings->moved);
  ws_map_free(&strings->known);
}
