#include "write/code.h"

#include <stdlib.h>

#include "write/functions.h"

// A body that does nothing, in as many bytes as the old one.
static struct ws_slice make_empty(struct ws_image *image, size_t size) {
  struct ws_buffer body = {0};
  ws_put_u8(&body, 0); // no locals
  while (body.size + 1 < size && !body.failed)
    ws_put_u8(&body, WASM_OPCODE_NOP);
  ws_put_u8(&body, WASM_OPCODE_END);
  return ws_buffer_keep(&body, &image->arena);
}

// The defined function whose place a runner takes, or WS_NO_FUNCTION.
static uint32_t emptied_function(const struct ws_image *image) {
  uint32_t constructors = image->input->changes.constructors;
  return constructors == WS_NO_FUNCTION ? WS_NO_FUNCTION : constructors - image->module->imported_functions;
}

static const struct ws_appended *replacement(const struct ws_image *image, uint32_t function) {
  for (size_t i = 0; i < image->appended_count; i++)
    if (image->appended[i].replaces == function)
      return &image->appended[i];
  return NULL;
}

static int compare_indices(const void *left, const void *right) {
  uint32_t a = *(const uint32_t *)left, b = *(const uint32_t *)right;
  return a < b ? -1 : a > b;
}

// The functions as they are, but calls in place of those that others were appended for. Returns false if
// memory runs out.
static bool put_functions(struct ws_image *image, struct ws_image_section *section) {
  const struct ws_module *module = image->module;
  uint32_t *replaced = ws_arena_new(&image->arena, image->appended_count + 1, sizeof *replaced);
  uint32_t emptied = emptied_function(image);
  size_t count = 0, next = 0, at = module->code_count_size;
  if (!replaced)
    return false;
  for (size_t i = 0; i < image->appended_count; i++)
    if (image->appended[i].replaces != WS_NEW_FUNCTION)
      replaced[count++] = image->appended[i].replaces;
  if (emptied != WS_NO_FUNCTION)
    replaced[count++] = emptied;
  qsort(replaced, count, sizeof *replaced, compare_indices);
  for (size_t i = 0; i < count; i++) {
    const struct ws_function *function = &module->functions[replaced[i]];
    struct ws_slice call = replaced[i] == emptied ? make_empty(image, function->size)
                                                  : ws_call_appended(image, replacement(image, replaced[i]));
    if (!call.data)
      return false;
    section->pieces[section->piece_count++] = ws_image_cut(section->source, at, function->offset, &next);
    section->pieces[section->piece_count++] = (struct ws_piece){.bytes = call};
    at = function->offset + function->size;
  }
  if (section->source)
    section->pieces[section->piece_count++] =
        ws_image_cut(section->source, at, section->source->content.size, &next);
  return true;
}

static bool put_appended(struct ws_image *image, struct ws_image_section *section) {
  for (size_t i = 0; i < image->appended_count; i++) {
    const struct ws_appended *appended = &image->appended[i];
    struct ws_buffer size = {0};
    ws_put_uleb(&size, appended->body.size);
    struct ws_slice kept = ws_buffer_keep(&size, &image->arena);
    if (!kept.data)
      return false;
    section->pieces[section->piece_count++] = (struct ws_piece){.bytes = kept};
    section->pieces[section->piece_count++] =
        (struct ws_piece){appended->body, appended->fixups, appended->fixup_count, 0};
  }
  return true;
}

bool ws_write_code(struct ws_image *image) {
  const struct ws_module *module = image->module;
  if (!image->appended_count && emptied_function(image) == WS_NO_FUNCTION)
    return true;
  struct ws_image_section *section = ws_image_need(image, WS_SECTION_CODE);
  if (!section)
    return false;
  uint64_t total = (uint64_t)module->function_count + image->appended_count;
  size_t count_size = ws_uleb_size(total);
  if (count_size < module->code_count_size)
    count_size = module->code_count_size;
  image->code_shift = (uint32_t)count_size - module->code_count_size;
  uint8_t *count = ws_arena_new(&image->arena, count_size, 1);
  section->pieces = ws_arena_new(&image->arena, 4 * image->appended_count + 4, sizeof *section->pieces);
  if (!count || !section->pieces)
    return false;
  for (size_t i = 0; i < count_size; i++)
    count[i] = (uint8_t)(((total >> (7 * i)) & 0x7f) | (i + 1 < count_size ? 0x80 : 0));
  section->pieces[0].bytes = (struct ws_slice){count, count_size};
  section->piece_count = 1;
  return put_functions(image, section) && put_appended(image, section);
}
