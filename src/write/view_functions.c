#include "write/view_functions.h"

#include "read/instructions.h"
#include "read/memory_users.h"

// The end of the module's own range, in pages.
static void put_own_end(struct ws_buffer *body, bool is_64, uint64_t end, uint32_t *operand) {
  uint8_t bytes[10];
  enum ws_encoding encoding = is_64 ? WS_SLEB64 : WS_SLEB32;
  ws_put_u8(body, wasm_opcode_const(is_64));
  *operand = (uint32_t)body->size;
  ws_operand_put(bytes, encoding, end);
  ws_put_bytes(body, bytes, ws_encoding_width(encoding));
  ws_put_const(body, is_64, 16);
  ws_put_u8(body, is_64 ? WASM_OPCODE_I64_SHR_U : WASM_OPCODE_I32_SHR_U);
}

void ws_put_view_size(struct ws_buffer *body, const struct ws_view_functions *view, uint64_t end,
                      uint32_t *operand) {
  ws_put_u8(body, 0); // no locals
  if (!view->sealed) {
    ws_put_u8(body, WASM_OPCODE_GLOBAL_GET);
    ws_put_uleb(body, view->grown);
    ws_put_u8(body, WASM_OPCODE_IF);
    ws_put_u8(body, ws_address_type(view->is_64));
    ws_put_bytes(body, (const uint8_t[]){WASM_OPCODE_MEMORY_SIZE, 0, WASM_OPCODE_ELSE}, 3);
  }
  put_own_end(body, view->is_64, end, operand);
  if (!view->sealed)
    ws_put_u8(body, WASM_OPCODE_END);
  ws_put_u8(body, WASM_OPCODE_END);
}

// What memory.grow returns, which says so if it grew; but growing by nothing is asking for the size.
static void put_growing(struct ws_buffer *body, const struct ws_view_functions *view) {
  const uint8_t get[] = {WASM_OPCODE_LOCAL_GET, 0};
  ws_put_bytes(body, get, sizeof get);
  ws_put_bytes(body, (const uint8_t[]){WASM_OPCODE_MEMORY_GROW, 0, WASM_OPCODE_LOCAL_TEE, 0}, 4);
  ws_put_const(body, view->is_64, UINT64_MAX);
  ws_put_u8(body, view->is_64 ? WASM_OPCODE_I64_NE : WASM_OPCODE_I32_NE);
  ws_put_bytes(body, (const uint8_t[]){WASM_OPCODE_IF, WASM_TYPE_NORESULT, WASM_OPCODE_I32_CONST, 1}, 4);
  ws_put_u8(body, WASM_OPCODE_GLOBAL_SET);
  ws_put_uleb(body, view->grown);
  ws_put_u8(body, WASM_OPCODE_END);
  ws_put_bytes(body, get, sizeof get);
}

void ws_put_view_grow(struct ws_buffer *body, const struct ws_view_functions *view) {
  ws_put_u8(body, 0); // no locals
  ws_put_bytes(body, (const uint8_t[]){WASM_OPCODE_LOCAL_GET, 0}, 2);
  ws_put_u8(body, view->is_64 ? WASM_OPCODE_I64_EQZ : WASM_OPCODE_I32_EQZ);
  ws_put_bytes(body, (const uint8_t[]){WASM_OPCODE_IF, ws_address_type(view->is_64), WASM_OPCODE_CALL}, 3);
  ws_put_uleb(body, view->size);
  ws_put_u8(body, WASM_OPCODE_ELSE);
  if (view->sealed)
    ws_put_const(body, view->is_64, UINT64_MAX);
  else
    put_growing(body, view);
  ws_put_u8(body, WASM_OPCODE_END);
  ws_put_u8(body, WASM_OPCODE_END);
}

void ws_put_viewed(struct ws_buffer *out, struct ws_slice body, const struct ws_view_functions *view,
                   uint32_t *operands, size_t count) {
  struct ws_reader reader = ws_reader(body);
  size_t start = out->size, next = 0;
  ws_skip_locals(&reader);
  for (uint32_t copied = 0; copied < body.size;) {
    struct ws_memory_site site = {.start = (uint32_t)body.size, .end = (uint32_t)body.size};
    bool found = ws_next_memory_site(&reader, &site);
    for (; next < count && operands[next] < site.start; next++)
      operands[next] = (uint32_t)(operands[next] - copied + (out->size - start));
    ws_put_bytes(out, body.data + copied, site.start - copied);
    if (found) {
      ws_put_u8(out, WASM_OPCODE_CALL);
      ws_put_uleb(out, site.grows ? view->grow : view->size);
    }
    copied = site.end;
  }
}
