#include "write/data.h"

#include "read/zeros.h"

// How many bytes of each segment are written. What __wasm_init_memory clears has no need of its bytes either
// way, unless the module may be read again; of others, the zeros behind the last pointer can be left out.
bool ws_find_kept(struct ws_image *image) {
  const struct ws_module *module = image->module;
  const struct ws_section *data = ws_image_source(image, WS_SECTION_DATA);
  image->kept = ws_arena_new(&image->arena, module->segment_count, sizeof *image->kept);
  size_t fixup = 0;
  for (size_t i = 0; image->kept && i < module->segment_count; i++) {
    const struct ws_segment *segment = &module->segments[i];
    bool whole = image->link->options.keep_relocs || (!segment->passive && !ws_can_clear(module));
    image->kept[i] = segment->bytes.size - (whole ? 0 : segment->zeros);
    for (; fixup < data->fixup_count &&
           data->fixups[fixup].offset < segment->bytes_offset + segment->bytes.size;
         fixup++) {
      size_t end = data->fixups[fixup].offset + ws_encoding_width(data->fixups[fixup].encoding) -
                   segment->bytes_offset;
      if (end > image->kept[i])
        image->kept[i] = end;
    }
  }
  return image->kept != NULL;
}

static bool put_segment(struct ws_image *image, struct ws_image_section *section, size_t index,
                        struct ws_fixup *fixup, uint64_t *offset, size_t *next) {
  const struct ws_module *module = image->module;
  const struct ws_segment *segment = &module->segments[index];
  size_t kept = image->kept[index];
  struct ws_buffer header = {0};
  if (index == 0)
    ws_put_uleb(&header, module->segment_count);
  ws_put_u8(&header, segment->passive);
  if (!segment->passive)
    *fixup = ws_image_constant(&header, module->memory.is_64, segment->address, WS_BASE_MEMORY, WS_NO_SYMBOL);
  ws_put_uleb(&header, kept);
  *offset += header.size;
  image->segment_offsets[index] = (uint32_t)*offset;
  struct ws_slice bytes = ws_buffer_keep(&header, &image->arena);
  section->pieces[section->piece_count++] = (struct ws_piece){bytes, fixup, !segment->passive, 0};
  section->pieces[section->piece_count++] =
      ws_image_cut(section->source, segment->bytes_offset, segment->bytes_offset + kept, next);
  *offset += kept;
  return bytes.data != NULL;
}

bool ws_write_data(struct ws_image *image) {
  const struct ws_module *module = image->module;
  struct ws_image_section *section = ws_image_find(image, WS_SECTION_DATA);
  image->segment_offsets = ws_arena_new(&image->arena, module->segment_count, sizeof *image->segment_offsets);
  if (!image->segment_offsets || !section || module->segment_count == 0)
    return image->segment_offsets != NULL;
  struct ws_fixup *fixups = ws_arena_new(&image->arena, module->segment_count, sizeof *fixups);
  section->pieces = ws_arena_new(&image->arena, 2 * module->segment_count, sizeof *section->pieces);
  if (!fixups || !section->pieces)
    return false;
  section->piece_count = 0;
  uint64_t offset = 0;
  size_t next = 0;
  for (size_t i = 0; i < module->segment_count; i++)
    if (!put_segment(image, section, i, &fixups[i], &offset, &next))
      return false;
  return true;
}
