// The data of a merged module.
#include "write/single_sections.h"

bool ws_single_is_written(const struct ws_merge_segment *segment) {
  return segment->count > 0 && segment->size > 0 && !segment->zero;
}

uint32_t ws_single_data_count(const struct ws_merge *merge) {
  uint32_t count = 0;
  for (uint32_t i = 0; i < merge->segment_count; i++)
    count += ws_single_is_written(&merge->segments[i]);
  return count;
}

static void put_zeros(struct ws_buffer *out, uint64_t count) {
  static const uint8_t zeros[64];
  for (; count > sizeof zeros; count -= sizeof zeros)
    ws_put_bytes(out, zeros, sizeof zeros);
  ws_put_bytes(out, zeros, (size_t)count);
}

static void put_datum(const struct ws_merge *merge, const struct ws_merge_datum *datum,
                      struct ws_buffer *out) {
  const struct ws_segment *segment = &merge->modules[datum->module].module->segments[datum->segment];
  size_t start = out->size;
  uint32_t offset = segment->bytes_offset + datum->offset;
  ws_put_bytes(out, segment->bytes.data + datum->offset, datum->size);
  for (uint32_t i = 0; i < datum->edge_count && !out->failed; i++) {
    const struct ws_edge *edge = &merge->edges[datum->first_edge + i];
    uint32_t at = edge->offset - offset;
    if (edge->kind != WS_EDGE_NONE)
      ws_operand_put(out->data + start + at, ws_relocation_kinds[edge->type].encoding,
                     ws_merge_value(merge, datum->module, edge, datum->address + at));
  }
}

static void put_segment(const struct ws_merge *merge, const struct ws_merge_segment *segment,
                        struct ws_buffer *out) {
  ws_put_u8(out, merge->shared); // passive, or active in memory 0
  if (!merge->shared) {
    ws_put_const(out, merge->is_64, segment->address);
    ws_put_u8(out, WASM_OPCODE_END);
  }
  ws_put_uleb(out, segment->size);
  uint64_t at = segment->address;
  for (uint32_t i = 0; i < segment->count; i++) {
    const struct ws_merge_datum *datum = &merge->data[merge->placed[segment->first + i]];
    put_zeros(out, datum->address - at);
    put_datum(merge, datum, out);
    at = datum->address + datum->size;
  }
}

bool ws_single_data(struct ws_merge *merge, struct ws_buffer *out) {
  ws_put_uleb(out, ws_single_data_count(merge));
  for (uint32_t i = 0; i < merge->segment_count; i++)
    if (ws_single_is_written(&merge->segments[i]))
      put_segment(merge, &merge->segments[i], out);
  return !out->failed || ws_merge_fail_memory(merge);
}
