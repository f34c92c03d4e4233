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
    ws_put_sleb(buffer, (int64_t)relocation->addend);
}

struct ws_slice ws_find_relocations(const struct ws_module *module, enum ws_section_id id, size_t *most) {
  for (size_t i = 0; i < module->section_count; i++) {
    const struct ws_section *section = &module->sections[i];
    if (section->id != WS_SECTION_CUSTOM || !ws_slice_starts(section->name, "reloc."))
      continue;
    struct ws_reader reader = ws_reader(section->content);
    uint32_t target = ws_read_uleb32(&reader);
    uint32_t counted = ws_read_uleb32(&reader); // there may be fewer (WS_NO_SYMBOL)
    if (reader.bad || target >= module->section_count || module->sections[target].id != id)
      continue;
    if (most)
      *most = ws_most_relocations(&reader, counted);
    return ws_read_bytes(&reader, ws_read_left(&reader));
  }
  if (most)
    *most = 0;
  return (struct ws_slice){(const uint8_t *)"", 0};
}
