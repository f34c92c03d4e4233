#include "write/memory_view.h"

#include <string.h>

#include "read/memory_users.h"
#include "write/view_functions.h"

// What all functions here need to know.
struct view {
  struct ws_image *image;
  struct ws_view_functions functions;
};

// () -> pages
static bool append_size(const struct view *view) {
  bool is_64 = view->functions.is_64;
  struct ws_appended *appended =
      ws_image_append(view->image, WS_NEW_FUNCTION, ws_slice_of(WS_VIEW_SIZE_NAME), 1);
  uint8_t type[] = {WASM_TYPE_FUNC, 0, 1, ws_address_type(is_64)};
  if (!appended || !ws_image_type(view->image, (struct ws_slice){type, sizeof type}, &appended->type))
    return false;
  struct ws_buffer body = {0};
  struct ws_fixup *fixup = &appended->fixups[appended->fixup_count++];
  *fixup = (struct ws_fixup){.encoding = (uint8_t)(is_64 ? WS_SLEB64 : WS_SLEB32),
                             .base = WS_BASE_HEAP_END,
                             .minus = WS_BASE_COUNT,
                             .target = WS_NO_SYMBOL};
  ws_put_view_size(&body, &view->functions, view->image->module->heap_end, &fixup->offset);
  return ws_image_keep_body(view->image, appended, &body);
}

// (pages) -> pages
static bool append_grow(const struct view *view) {
  struct ws_appended *appended =
      ws_image_append(view->image, WS_NEW_FUNCTION, ws_slice_of(WS_VIEW_GROW_NAME), 0);
  uint8_t address = ws_address_type(view->functions.is_64), type[] = {WASM_TYPE_FUNC, 1, address, 1, address};
  if (!appended || !ws_image_type(view->image, (struct ws_slice){type, sizeof type}, &appended->type))
    return false;
  struct ws_buffer body = {0};
  ws_put_view_grow(&body, &view->functions);
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
  appended->fixup_count = count;
  uint32_t *operands = ws_arena_new(&view->image->arena, count, sizeof *operands);
  if (!operands)
    return false;
  for (size_t i = 0; i < count; i++)
    operands[i] = (uint32_t)(code->fixups[next + i].offset - first);
  struct ws_buffer body = {0};
  ws_put_viewed(&body, old, &view->functions, operands, count);
  for (size_t i = 0; i < count; i++) {
    appended->fixups[i] = code->fixups[next + i];
    appended->fixups[i].offset = operands[i];
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
                      .functions = {.is_64 = module->memory.is_64,
                                    .sealed = kind == WS_VIEW_SEALED,
                                    .size = first,
                                    .grow = first + 1,
                                    .grown = module->global_count}};
  image->adds_global = !view.functions.sealed;
  if (!append_size(&view) || !append_grow(&view))
    return false;
  for (uint32_t i = 0; (i = ws_next_like_memory_user(module, i)) < module->function_count; i++)
    if (ws_is_limited(module, i) && !append_copy(&view, i))
      return false;
  return true;
}
