#include "read/zeros.h"

enum { MINIMUM_ZEROS = 64, MOST_SEGMENTS = 64 };

static size_t trailing_zeros(struct ws_slice bytes) {
  size_t zeros = 0;
  while (zeros < bytes.size && bytes.data[bytes.size - 1 - zeros] == 0)
    zeros++;
  return zeros;
}

// How many zeros at the end of a segment need not be written: `used` bytes of it, up to its last pointer, do.
static size_t spare_zeros(const struct ws_segment *segment, size_t used) {
  size_t zeros = trailing_zeros(segment->bytes);
  if (zeros > segment->bytes.size - used)
    zeros = segment->bytes.size - used;
  return segment->passive || zeros < MINIMUM_ZEROS ? 0 : zeros;
}

bool ws_can_clear(const struct ws_module *module) {
  return module->has_bulk_memory && module->info.exact && (module->type_count > 0 || module->void_type >= 0);
}

bool ws_is_clearable(const struct ws_segment *segment) {
  return !segment->passive && segment->zeros > 0;
}

size_t ws_count_clearable(const struct ws_module *module) {
  size_t count = 0;
  for (size_t i = 0; i < module->segment_count && ws_can_clear(module); i++)
    count += ws_is_clearable(&module->segments[i]);
  return count;
}

void ws_find_zeros(struct ws_module *module) {
  const struct ws_section *data = ws_section(module, WS_SECTION_DATA);
  size_t count = 0, fixup = 0;
  if (!ws_can_clear(module))
    return;
  for (size_t i = 0; i < module->segment_count; i++) {
    struct ws_segment *segment = &module->segments[i];
    uint32_t end = segment->bytes_offset + (uint32_t)segment->bytes.size;
    size_t used = 0;
    for (; fixup < data->fixup_count && data->fixups[fixup].offset < end; fixup++)
      used = data->fixups[fixup].offset + ws_encoding_width(data->fixups[fixup].encoding) -
             segment->bytes_offset;
    if (!segment->zeros && count < MOST_SEGMENTS) {
      segment->zeros = spare_zeros(segment, used);
      count += segment->zeros > 0;
    }
    module->info.zero_bytes += segment->zeros;
  }
}
