#include "write/memory_view.h"

#include <string.h>

#include "read/instructions.h"
#include "read/memory_users.h"

#define SIZE_NAME "__wasmshare_memory_size"
#define GROW_NAME "__wasmshare_memory_grow"

static struct ws_slice text(const char *from) {
  return (struct ws_slice){(const uint8_t *)from, strlen(from)};
}

static void put_const(struct ws_buffer *body, bool is_64, int64_t value) {
  ws_put_u8(body, wasm_opcode_const(is_64));
  ws_put_sleb(body, value);
}

// What all functions here need to know.
struct view {
  struct ws_image *image;
  bool is_64, sealed;
  uint32_t size_function, grow_function; // indices in the written module
  uint32_t grown;                        // the global that says that the module has grown the memory
};

// The end of the module's own range, in pages.
static void put_own_end(const struct view *view, struct ws_appended *appended, struct ws_buffer *body) {
  uint8_t operand[10];
  enum ws_encoding encoding = view->is_64 ? WS_SLEB64 : WS_SLEB32;
  ws_put_u8(body, wasm_opcode_const(view->is_64));
  appended->fixups[appended->fixup_count++] = (struct ws_fixup){.offset = (uint32_t)body->size,
                                                                .encoding = (uint8_t)encoding,
                                                                .base = WS_BASE_HEAP_END,
                                                                .minus = WS_BASE_COUNT,
                                                                .target = WS_NO_SYMBOL};
  ws_operand_put(operand, encoding, view->image->module->heap_end);
  ws_put_bytes(body, operand, ws_encoding_width(encoding));
  put_const(body, view->is_64, 16);
  ws_put_u8(body, view->is_64 ? WASM_OPCODE_I64_SHR_U : WASM_OPCODE_I32_SHR_U);
}

// () -> pages
static bool append_size(const struct view *view) {
  struct ws_appended *appended = ws_image_append(view->image, WS_NEW_FUNCTION, text(SIZE_NAME), 1);
  uint8_t type[] = {WASM_TYPE_FUNC, 0, 1, ws_address_type(view->is_64)};
  if (!appended || !ws_image_type(view->image, (struct ws_slice){type, sizeof type}, &appended->type))
    return false;
  struct ws_buffer body = {0};
  ws_put_u8(&body, 0); // no locals
  if (!view->sealed) {
    ws_put_u8(&body, WASM_OPCODE_GLOBAL_GET);
    ws_put_uleb(&body, view->grown);
    ws_put_u8(&body, WASM_OPCODE_IF);
    ws_put_u8(&body, ws_address_type(view->is_64));
    ws_put_bytes(&body, (const uint8_t[]){WASM_OPCODE_MEMORY_SIZE, 0, WASM_OPCODE_ELSE}, 3);
  }
  put_own_end(view, appended, &body);
  if (!view->sealed)
    ws_put_u8(&body, WASM_OPCODE_END);
  ws_put_u8(&body, WASM_OPCODE_END);
  return ws_image_keep_body(view->image, appended, &body);
}

// What memory.grow returns, which says so if it grew; but growing by nothing is asking for the size.
static void put_growing(const struct view *view, struct ws_buffer *body) {
  const uint8_t get[] = {WASM_OPCODE_LOCAL_GET, 0};
  ws_put_bytes(body, get, sizeof get);
  ws_put_bytes(body, (const uint8_t[]){WASM_OPCODE_MEMORY_GROW, 0, WASM_OPCODE_LOCAL_TEE, 0}, 4);
  put_const(body, view->is_64, -1);
  ws_put_u8(body, view->is_64 ? WASM_OPCODE_I64_NE : WASM_OPCODE_I32_NE);
  ws_put_bytes(body, (const uint8_t[]){WASM_OPCODE_IF, WASM_TYPE_NORESULT, WASM_OPCODE_I32_CONST, 1}, 4);
  ws_put_u8(body, WASM_OPCODE_GLOBAL_SET);
  ws_put_uleb(body, view->grown);
  ws_put_u8(body, WASM_OPCODE_END);
  ws_put_bytes(body, get, sizeof get);
}

// (pages) -> pages
static bool append_grow(const struct view *view) {
  struct ws_appended *appended = ws_image_append(view->image, WS_NEW_FUNCTION, text(GROW_NAME), 0);
  uint8_t address = ws_address_type(view->is_64), type[] = {WASM_TYPE_FUNC, 1, address, 1, address};
  if (!appended || !ws_image_type(view->image, (struct ws_slice){type, sizeof type}, &appended->type))
    return false;
  struct ws_buffer body = {0};
  ws_put_u8(&body, 0); // no locals
  ws_put_bytes(&body, (const uint8_t[]){WASM_OPCODE_LOCAL_GET, 0}, 2);
  ws_put_u8(&body, view->is_64 ? WASM_OPCODE_I64_EQZ : WASM_OPCODE_I32_EQZ);
  ws_put_bytes(&body, (const uint8_t[]){WASM_OPCODE_IF, address, WASM_OPCODE_CALL}, 3);
  ws_put_uleb(&body, view->size_function);
  ws_put_u8(&body, WASM_OPCODE_ELSE);
  if (view->sealed)
    put_const(&body, view->is_64, -1);
  else
    put_growing(view, &body);
  ws_put_u8(&body, WASM_OPCODE_END);
  ws_put_u8(&body, WASM_OPCODE_END);
  return ws_image_keep_body(view->image, appended, &body);
}

// A copy of a function, with calls in place of its memory.size and memory.grow.
static bool append_copy(const struct view *view, uint32_t function) {
  const struct ws_module *module = view->image->module;
  const struct ws_section *code = ws_image_source(view->image, WS_SECTION_CODE);
  struct ws_slice old = ws_function_body(module, function);
  size_t next = 0, first = module->functions[function].offset;
  while (next < code->fixup_count && code->fixups[next].offset < first)
    next++;
  size_t count = 0;
  while (next + count < code->fixup_count && code->fixups[next + count].offset < first + old.size)
    count++;
  struct ws_appended *appended =
      ws_image_append(view->image, function, module->functions[function].name, count);
  if (!appended)
    return false;
  appended->type = module->function_types[function];
  struct ws_reader reader = ws_reader(old);
  struct ws_buffer body = {0};
  ws_skip_locals(&reader);
  for (uint32_t copied = 0; copied < old.size;) {
    struct ws_memory_site site = {.start = (uint32_t)old.size, .end = (uint32_t)old.size};
    bool found = ws_next_memory_site(&reader, &site);
    for (; count > 0 && code->fixups[next].offset - first < site.start; next++, count--) {
      struct ws_fixup fixup = code->fixups[next];
      fixup.offset = (uint32_t)(fixup.offset - first - copied + body.size);
      appended->fixups[appended->fixup_count++] = fixup;
    }
    ws_put_bytes(&body, old.data + copied, site.start - copied);
    if (found) {
      ws_put_u8(&body, WASM_OPCODE_CALL);
      ws_put_uleb(&body, site.grows ? view->grow_function : view->size_function);
    }
    copied = site.end;
  }
  return ws_image_keep_body(view->image, appended, &body);
}

bool ws_append_memory_view(struct ws_image *image) {
  const struct ws_module *module = image->module;
  enum ws_memory_view kind = image->placement->memory_view;
  if (kind == WS_VIEW_WHOLE || ws_count_memory_users(module) == 0)
    return true;
  uint32_t first = module->imported_functions + module->function_count + (uint32_t)image->appended_count;
  struct view view = {.image = image,
                      .is_64 = module->memory.is_64,
                      .sealed = kind == WS_VIEW_SEALED,
                      .size_function = first,
                      .grow_function = first + 1,
                      .grown = module->global_count};
  image->adds_global = !view.sealed;
  if (!append_size(&view) || !append_grow(&view))
    return false;
  for (uint32_t i = 0; i < module->function_count; i++)
    if (ws_uses_memory_size(module, i) && !append_copy(&view, i))
      return false;
  return true;
}
