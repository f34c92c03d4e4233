#include "write/bss.h"

#include <string.h>

enum { MINIMUM_ZEROS = 64 };

static size_t trailing_zeros(struct ws_slice bytes) {
  size_t zeros = 0;
  while (zeros < bytes.size && bytes.data[bytes.size - 1 - zeros] == 0)
    zeros++;
  return zeros;
}

// Code that fills memory with zeros. Returns where the address is in it.
static uint32_t put_fill(struct ws_buffer *body, bool is_64, uint64_t address, size_t size) {
  uint8_t operand[10];
  ws_operand_put(operand, is_64 ? WS_SLEB64 : WS_SLEB32, address);
  ws_put_u8(body, wasm_opcode_const(is_64));
  uint32_t at = (uint32_t)body->size;
  ws_put_bytes(body, operand, is_64 ? 10 : 5);
  ws_put_u8(body, WASM_OPCODE_I32_CONST);
  ws_put_sleb(body, 0);
  ws_put_u8(body, wasm_opcode_const(is_64));
  ws_put_sleb(body, (int64_t)size);
  ws_put_u8(body, WASM_OPCODE_MISC_PREFIX);
  ws_put_uleb(body, WASM_OPCODE_MEMORY_FILL);
  ws_put_u8(body, 0); // the memory
  return at;
}

// How many zeros at the end of a segment need not be written: `used` bytes of it, up to its last pointer, do.
static size_t spare_zeros(const struct ws_segment *segment, size_t used) {
  size_t zeros = trailing_zeros(segment->bytes);
  if (zeros > segment->bytes.size - used)
    zeros = segment->bytes.size - used;
  return segment->passive || zeros < MINIMUM_ZEROS ? 0 : zeros;
}

// Appends the start function, and takes its `body`; `addresses` says where the addresses are in that.
static bool append_start(struct ws_module *module, struct ws_buffer *body, const uint32_t *addresses,
                         size_t count) {
  struct ws_appended *appended = ws_append_function(module);
  if (!appended) {
    ws_buffer_free(body);
    return false;
  }
  appended->replaces = WS_NEW_FUNCTION;
  appended->body = ws_buffer_keep(body, &module->arena);
  appended->addresses = ws_arena_new(&module->arena, count, sizeof *addresses);
  appended->address_count = count;
  if (!appended->body.data || !appended->addresses)
    return false;
  memcpy(appended->addresses, addresses, count * sizeof *addresses);
  return true;
}

bool ws_cut_zeros(struct ws_module *module, struct ws_error *error) {
  bool possible = module->has_bulk_memory && !module->keep_relocs && module->info.exact &&
                  (module->type_count > 0 || module->void_type >= 0);
  if (!possible) {
    // What __wasm_init_memory clears has no need of its bytes either way.
    for (size_t i = 0; i < module->segment_count; i++)
      if (module->keep_relocs || !module->info.exact)
        module->segments[i].kept = module->segments[i].bytes.size;
    return true;
  }
  const struct ws_section *data = ws_section(module, WS_SECTION_DATA);
  struct ws_buffer body = {0};
  uint32_t addresses[64];
  size_t count = 0, fixup = 0;
  ws_put_u8(&body, 0); // no locals
  for (size_t i = 0; i < module->segment_count; i++) {
    struct ws_segment *segment = &module->segments[i];
    uint32_t end = segment->bytes_offset + (uint32_t)segment->bytes.size;
    size_t used = 0;
    for (; fixup < data->fixup_count && data->fixups[fixup].offset < end; fixup++)
      used = data->fixups[fixup].offset + ws_encoding_width(data->fixups[fixup].encoding) -
             segment->bytes_offset;
    module->info.zero_bytes += segment->bytes.size - segment->kept;
    size_t zeros = count < sizeof addresses / sizeof *addresses ? spare_zeros(segment, used) : 0;
    if (zeros == 0)
      continue;
    segment->kept = segment->bytes.size - zeros;
    module->info.zero_bytes += zeros;
    addresses[count++] = put_fill(&body, module->memory.is_64, segment->address + segment->kept, zeros);
  }
  if (count == 0) {
    ws_buffer_free(&body);
    return true;
  }
  if (module->has_start) {
    ws_put_u8(&body, WASM_OPCODE_CALL);
    ws_put_uleb(&body, module->start);
  }
  ws_put_u8(&body, WASM_OPCODE_END);
  return append_start(module, &body, addresses, count) || ws_fail_memory(error, module->file);
}
