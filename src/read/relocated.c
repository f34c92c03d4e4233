#include "read/relocated.h"

enum { ENTRIES_PER_MARK = 16 };

bool ws_index_relocations(const struct ws_module *module, enum ws_section_id section, struct ws_arena *arena,
                          struct ws_relocation_index *index) {
  *index = (struct ws_relocation_index){.entries = ws_find_relocations(module, section)};
  // An entry has three bytes at least.
  size_t most = index->entries.size / (3 * ENTRIES_PER_MARK) + 1;
  index->marks = ws_arena_new(arena, most, sizeof *index->marks);
  if (!index->marks)
    return false;
  struct ws_reader reader = ws_reader(index->entries);
  for (size_t i = 0; reader.at < reader.end && !reader.bad; i++) {
    uint32_t at = (uint32_t)ws_read_offset(&reader);
    struct ws_relocation relocation = ws_read_relocation(&reader);
    if (i % ENTRIES_PER_MARK == 0 && index->mark_count < most)
      index->marks[index->mark_count++] = (struct ws_relocation_mark){relocation.offset, at};
  }
  return true;
}

struct ws_relocation_cursor ws_relocations_in(const struct ws_relocation_index *index, uint32_t begin,
                                              uint32_t end) {
  size_t low = 0, high = index->mark_count; // the last mark that is not after `begin` is in [low, high)
  while (high - low > 1) {
    size_t middle = low + (high - low) / 2;
    if (index->marks[middle].offset <= begin)
      low = middle;
    else
      high = middle;
  }
  struct ws_relocation_cursor cursor = {ws_reader(index->entries), begin, end};
  if (index->mark_count > 0)
    cursor.reader.at += index->marks[low].at;
  return cursor;
}

bool ws_next_relocation(struct ws_relocation_cursor *cursor, struct ws_relocation *relocation) {
  while (cursor->reader.at < cursor->reader.end) {
    *relocation = ws_read_relocation(&cursor->reader);
    if (cursor->reader.bad || relocation->offset >= cursor->end)
      return false;
    if (relocation->offset >= cursor->begin)
      return true;
  }
  return false;
}
