#include "read/relocated.h"

bool ws_index_relocations(const struct ws_module *module, enum ws_section_id section, struct ws_arena *arena,
                          struct ws_relocation_index *index) {
  size_t most, count = 0;
  struct ws_reader reader = ws_reader(ws_find_relocations(module, section, &most));
  struct ws_relocation *list = ws_arena_new(arena, most, sizeof *list);
  while (list && count < most && !reader.bad) {
    list[count] = ws_read_relocation(&reader);
    count += !reader.bad;
  }
  *index = (struct ws_relocation_index){list, count};
  return list != NULL;
}

struct ws_relocation_cursor ws_relocations_in(const struct ws_relocation_index *index, uint32_t begin,
                                              uint32_t end) {
  const struct ws_relocation *list = index->list;
  size_t first =
      ws_first_at_least(list, index->count, sizeof *list, offsetof(struct ws_relocation, offset), begin);
  return (struct ws_relocation_cursor){list + first, list + index->count, begin, end};
}
