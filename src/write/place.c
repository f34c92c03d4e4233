// Placing: adding a delta at every fixup, while the pieces of the image go to the sink.
#include "write/place.h"

#include <stdlib.h>
#include <string.h>

#include "read/checks.h"

enum { CHUNK = 128 * 1024 };

struct writer {
  const struct ws_image *image;
  struct ws_sink sink;
  uint64_t deltas[WS_BASE_COUNT + 1]; // the last one is 0: nothing is taken off
  uint8_t *chunk;
  size_t used;
  bool stopped;
};

static void flush(struct writer *writer) {
  if (writer->used && !writer->stopped)
    writer->stopped = !writer->sink.write(writer->sink.context, writer->chunk, writer->used);
  writer->used = 0;
}

static void put(struct writer *writer, const void *bytes, size_t size) {
  if (size > CHUNK - writer->used)
    flush(writer);
  if (size > CHUNK) {
    if (!writer->stopped)
      writer->stopped = !writer->sink.write(writer->sink.context, bytes, size);
    return;
  }
  if (size)
    memcpy(writer->chunk + writer->used, bytes, size);
  writer->used += size;
}

static void put_uleb(struct writer *writer, uint64_t value) {
  uint8_t bytes[10];
  size_t size = ws_uleb_size(value);
  for (size_t i = 0; i < size; i++)
    bytes[i] = (uint8_t)(((value >> (7 * i)) & 0x7f) | (i + 1 < size ? 0x80 : 0));
  put(writer, bytes, size);
}

static void apply(const struct writer *writer, const struct ws_fixup *fixup, uint8_t *at) {
  if (fixup->base == WS_BASE_VALUE) {
    ws_operand_put(at, fixup->encoding, writer->image->values[fixup->target]);
    return;
  }
  uint64_t value, delta = writer->deltas[fixup->base] - writer->deltas[fixup->minus];
  if (fixup->base == WS_BASE_EXTERNAL)
    delta += writer->image->input->externals[fixup->target].address +
             writer->image->module->externals[fixup->target].addend;
  ws_operand_get(at, fixup->encoding, &value);
  ws_operand_put(at, fixup->encoding, value + delta);
}

static void put_piece(struct writer *writer, const struct ws_piece *piece) {
  const struct ws_fixup *fixups = piece->fixups;
  struct ws_slice bytes = piece->bytes;
  size_t next = 0;
  for (size_t at = 0; at < bytes.size;) {
    size_t until = next < piece->fixup_count ? fixups[next].offset - piece->origin : bytes.size;
    if (until - at > CHUNK || until == bytes.size) {
      put(writer, bytes.data + at, until - at);
      at = until;
      continue;
    }
    // As much as there is room for, but no part of a pointer; then the pointers, where they are now.
    size_t room = CHUNK - writer->used, size = bytes.size - at < room ? bytes.size - at : room;
    uint8_t *to = writer->chunk + writer->used;
    memcpy(to, bytes.data + at, size);
    for (; next < piece->fixup_count && fixups[next].offset - piece->origin - at < size; next++) {
      size_t offset = fixups[next].offset - piece->origin - at;
      if (ws_encoding_width(fixups[next].encoding) > size - offset) {
        size = offset;
        break;
      }
      apply(writer, &fixups[next], to + offset);
    }
    writer->used += size;
    at += size;
    if (at < bytes.size)
      flush(writer);
  }
}

static void put_section(struct writer *writer, const struct ws_image_section *section) {
  put(writer, &section->id, 1);
  put_uleb(writer, ws_image_section_size(section));
  if (section->id == WS_SECTION_CUSTOM) {
    put_uleb(writer, section->name.size);
    put(writer, section->name.data, section->name.size);
  }
  for (size_t i = 0; i < section->piece_count; i++)
    put_piece(writer, &section->pieces[i]);
}

void ws_find_deltas(const struct ws_image *image, uint64_t deltas[WS_BASE_COUNT + 1]) {
  const struct ws_placement *placement = image->placement;
  const struct ws_module *module = image->module;
  const struct ws_module_info *info = &module->info;
  deltas[WS_BASE_MEMORY] = placement->offset;
  deltas[WS_BASE_STACK_LOW] = placement->stack_low - info->stack_low;
  deltas[WS_BASE_STACK_HIGH] = placement->stack_pointer - info->stack_pointer;
  deltas[WS_BASE_HEAP_BASE] = placement->heap_base - module->heap_base;
  deltas[WS_BASE_HEAP_END] = placement->heap_end - module->heap_end;
  deltas[WS_BASE_TABLE] = placement->table_base - info->table_base;
  deltas[WS_BASE_CODE] = image->code_shift;
}

bool ws_place(const struct ws_image *image, struct ws_sink sink, struct ws_error *error) {
  const struct ws_module *module = image->module;
  struct writer writer = {.image = image, .sink = sink, .chunk = malloc(CHUNK)};
  if (!writer.chunk)
    return ws_fail_memory(error, module->file);
  ws_find_deltas(image, writer.deltas);
  put(&writer, module->bytes.data, WS_HEADER_SIZE);
  for (size_t i = 0; i < image->section_count && !writer.stopped; i++)
    if (!image->sections[i].dropped)
      put_section(&writer, &image->sections[i]);
  flush(&writer);
  free(writer.chunk);
  if (writer.stopped)
    return ws_fail_sink(error, module->file);
  return ws_checks_passed(module, error);
}
