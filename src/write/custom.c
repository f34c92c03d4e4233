// Custom sections that say something of the whole file, which is another file once it is placed.
//
// sourceMappingURL (tool-conventions, Debugging.md): a source map's columns are offsets in the file, so it is
// true as long as the code is where it was. build_id (tool-conventions, BuildId.md): what debuggers look
// symbols up by, so what is at other addresses has another one.
#include "write/custom.h"

#include "write/place.h"

// -------------------------------------------------------------------------------------------------------
// source maps

bool ws_is_source_map(const struct ws_image_section *section) {
  return section->id == WS_SECTION_CUSTOM && ws_slice_is(section->name, "sourceMappingURL");
}

static bool is_code_moved(const struct ws_image *image) {
  size_t at = WS_HEADER_SIZE;
  for (size_t i = 0; i < image->section_count; i++) {
    const struct ws_image_section *section = &image->sections[i];
    size_t size = ws_image_section_size(section);
    if (section->id == WS_SECTION_CODE)
      return image->code_shift != 0 || !section->source ||
             at + 1 + ws_uleb_size(size) !=
                 (size_t)(section->source->content.data - image->module->bytes.data);
    if (!section->dropped)
      at += 1 + ws_uleb_size(size) + size;
  }
  return false;
}

// ---------------------------------------------------------------------------------------------------------
// build IDs

// Spreads every bit of a number over all others (splitmix64).
static uint64_t mix(uint64_t value) {
  value += 0x9e3779b97f4a7c15;
  value = (value ^ value >> 30) * 0xbf58476d1ce4e5b9;
  value = (value ^ value >> 27) * 0x94d049bb133111eb;
  return value ^ value >> 31;
}

static uint64_t add_move(uint64_t moves, uint64_t what, uint64_t by) {
  return by ? mix(mix(moves ^ what) ^ by) : moves;
}

// How far the module's pointers are moved, as one number, which is 0 if they are not; offsets in the code are
// none.
static uint64_t moves(const struct ws_image *image) {
  uint64_t deltas[WS_BASE_COUNT + 1], moves = 0, what = 0;
  ws_find_deltas(image, deltas);
  for (; what < WS_BASE_CODE; what++)
    moves = add_move(moves, what, deltas[what]);
  for (size_t i = 0; i < image->module->external_count; i++)
    moves = add_move(moves, what++, image->input->externals[i].address);
  for (size_t i = 0; i < image->value_count; i++)
    moves = add_move(moves, what++, image->values[i]);
  return moves;
}

static bool write_build_id(struct ws_image *image, struct ws_image_section *section, uint64_t moves) {
  struct ws_reader reader = ws_reader(section->source->content);
  uint32_t size = ws_read_uleb32(&reader);
  if (reader.bad || size != ws_read_left(&reader))
    return true;
  struct ws_buffer built = {0};
  for (uint32_t i = 0; i < size; i++)
    moves = mix(moves ^ reader.at[i]);
  ws_put_uleb(&built, size);
  for (uint32_t i = 0; i < size; i++) {
    moves = mix(moves);
    ws_put_u8(&built, (uint8_t)moves);
  }
  return ws_image_set(image, section, &built, NULL, 0);
}

// ---------------------------------------------------------------------------------------------------------------
// all

bool ws_write_custom(struct ws_image *image) {
  bool code_moved = is_code_moved(image);
  uint64_t moved = moves(image);
  for (size_t i = 0; i < image->section_count; i++) {
    struct ws_image_section *section = &image->sections[i];
    bool is_build_id = section->id == WS_SECTION_CUSTOM && ws_slice_is(section->name, "build_id");
    section->dropped |= code_moved && ws_is_source_map(section);
    if (is_build_id && moved && !write_build_id(image, section, moved))
      return false;
  }
  return true;
}
