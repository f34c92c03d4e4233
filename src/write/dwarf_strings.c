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
static uint32_t intern(struct ws_map *known, struct ws_buffer *all, struct ws_slice string) {
  const uint32_t *at = ws_map_find(known, string);
  if (at)
    return *at;
  uint32_t offset = (uint32_t)all->size;
  ws_put_slice(all, string);
  ws_put_u8(all, 0);
  struct ws_slice kept = {all->failed ? NULL : all->data + offset, string.size};
  return kept.data && ws_map_add(known, kept, offset) ? offset : UINT32_MAX;
}

// Those of the first module stay as they are.
static bool take_first(struct ws_dwarf_strings *strings, struct ws_buffer *all) {
  ws_put_slice(all, strings->own);
  if (!all->failed && all->data[all->size - 1] != 0)
    ws_put_u8(all, 0);
  strings->first = true;
  return !all->failed;
}

static bool index_first(struct ws_dwarf_strings *strings, const struct ws_buffer *all) {
  if (strings->known.count)
    return true;
  struct ws_slice whole = {all->data, all->size};
  for (size_t at = 0; at < whole.size;) {
    struct ws_slice string = string_at(whole, at);
    if (!ws_map_add(&strings->known, string, (uint32_t)at))
      return false;
    at += string.size + 1;
  }
  return true;
}

bool ws_dwarf_begin_strings(struct ws_dwarf_strings *strings, struct ws_buffer *all, struct ws_slice own) {
  free(strings->moved);
  strings->moved = NULL;
  strings->own = own;
  strings->first = false;
  if (own.size == 0)
    return true;
  if (all->size == 0)
    return take_first(strings, all);
  strings->moved = calloc(own.size, sizeof *strings->moved);
  return strings->moved && index_first(strings, all);
}

uint32_t ws_dwarf_move_string(struct ws_dwarf_strings *strings, struct ws_buffer *all, uint64_t offset) {
  if (strings->first)
    return (uint32_t)offset;
  if (offset >= strings->own.size) // at the end there is none
    return intern(&strings->known, all, (struct ws_slice){(const uint8_t *)"", 0});
  if (strings->moved[offset])
    return strings->moved[offset] - 1;
  // Linkers let a string be the end of another, which is taken as a whole.
  size_t start = (size_t)offset;
  while (start > 0 && strings->own.data[start - 1] != 0)
    start--;
  uint32_t whole = intern(&strings->known, all, string_at(strings->own, start));
  if (whole == UINT32_MAX)
    return whole;
  uint32_t moved = whole + (uint32_t)(offset - start);
  strings->moved[offset] = moved + 1;
  return moved;
}

void ws_dwarf_free_strings(struct ws_dwarf_strings *strings) {
  free(strings->moved);
  ws_map_free(&strings->known);
}
