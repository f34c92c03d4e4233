#include "read/relocation_entries.h"

const struct ws_relocation_kind ws_relocation_kinds[WS_RELOCATION_TYPES] = {
#define WS_RELOCATION(number, name, encoding, operand, has_addend)                                           \
  [number] = {"R_WASM_" #name, WS_##encoding, WS_REL_##operand, has_addend},
#include "format/relocations.def"
};
const char *ws_relocation_name(unsigned type) {
  return type < WS_RELOCATION_TYPES ? ws_relocation_kinds[type].name : NULL;
}

size_t ws_relocation_width(unsigned type) {
  return type < WS_RELOCATION_TYPES && ws_relocation_kinds[type].name
             ? ws_encoding_width(ws_relocation_kinds[type].encoding)
             : 0;
}

void ws_put_relocation(struct ws_buffer *buffer, const struct ws_relocation *relocation) {
  ws_put_u8(buffer, relocation->type);
  ws_put_uleb(buffer, relocation->offset);
  ws_put_uleb(buffer, relocation->index);
  if (ws_relocation_has_addend(relocation->type))
    ws_put_sleb(buffer, (int64_t)ws_addend(relocation));
}

struct ws_relocations ws_relocations_of(const struct ws_module *module, enum ws_section_id id) {
  static const struct ws_relocation none;
  const struct ws_section *section = ws_section(module, id);
  return section && section->relocations
             ? (struct ws_relocations){section->relocations, section->relocation_count}
             : (struct ws_relocations){&none, 0};
}

static size_t first_at(struct ws_relocations relocations, uint32_t offset) {
  return ws_first_at_least(relocations.list, relocations.count, sizeof *relocations.list,
                           offsetof(struct ws_relocation, offset), offset);
}

struct ws_relocations ws_relocations_in(struct ws_relocations relocations, uint32_t begin, uint32_t end) {
  size_t first = first_at(relocations, begin);
  return (struct ws_relocations){relocations.list + first, first_at(relocations, end) - first};
}
