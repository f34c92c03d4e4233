#include "write/image.h"

#include <string.h>

#include "read/sections.h"

struct ws_image_section *ws_image_find(struct ws_image *image, enum ws_section_id id) {
  for (size_t i = 0; i < image->section_count; i++)
    if (image->sections[i].id == id)
      return &image->sections[i];
  return NULL;
}

// The sections as they were read, each in one piece; with room for those that may have to be added.
bool ws_image_take(struct ws_image *image) {
  enum { MOST_ADDED = 7 }; // IMPORT, FUNCTION, GLOBAL, EXPORT, START, ELEMENT, CODE
  const struct ws_module *module = image->module;
  size_t count = module->section_count;
  image->sections = ws_arena_new(&image->arena, count + MOST_ADDED, sizeof *image->sections);
  struct ws_piece *pieces = ws_arena_new(&image->arena, count, sizeof *pieces);
  if (!image->sections || !pieces)
    return false;
  for (size_t i = 0; i < count; i++) {
    const struct ws_section *section = &module->sections[i];
    bool memory =
        section->id == WS_SECTION_MEMORY && module->memory_import == SIZE_MAX; // it becomes an import
    pieces[i] = (struct ws_piece){section->content, section->fixups, section->fixup_count, 0};
    image->sections[i] = (struct ws_image_section){
        .id = section->id,
        .dropped = memory || (ws_is_link_metadata(module, section) &&
                              !(image->link->options.keep_relocs && module->has_linking)),
        .name = section->name,
        .source = section,
        .pieces = &pieces[i],
        .piece_count = 1};
  }
  image->section_count = count;
  return true;
}

// A section that the module may lack, put where it belongs.
struct ws_image_section *ws_image_need(struct ws_image *image, enum ws_section_id id) {
  struct ws_image_section *section = ws_image_find(image, id);
  if (section)
    return section;
  struct ws_piece *piece = ws_arena_new(&image->arena, 1, sizeof *piece);
  if (!piece)
    return NULL;
  piece->bytes.data = (const uint8_t *)"";
  size_t at = 0;
  for (size_t i = 0; i < image->section_count; i++)
    if (image->sections[i].id != WS_SECTION_CUSTOM &&
        ws_section_order(image->sections[i].id) < ws_section_order((uint8_t)id))
      at = i + 1;
  section = &image->sections[at];
  memmove(section + 1, section, (image->section_count++ - at) * sizeof *section);
  *section = (struct ws_image_section){.id = (uint8_t)id, .pieces = piece, .piece_count = 1};
  return section;
}

struct ws_slice ws_image_source_content(const struct ws_image_section *section) {
  return section->source ? section->source->content : (struct ws_slice){(const uint8_t *)"", 0};
}

const struct ws_section *ws_image_source(const struct ws_image *image, enum ws_section_id id) {
  for (size_t i = 0; i < image->section_count; i++)
    if (image->sections[i].id == id)
      return image->sections[i].source;
  return NULL;
}

bool ws_image_set(struct ws_image *image, struct ws_image_section *section, struct ws_buffer *built,
                  const struct ws_fixup *fixups, size_t fixup_count) {
  struct ws_slice bytes = ws_buffer_keep(built, &image->arena);
  if (!bytes.data)
    return false;
  section->pieces[0] = (struct ws_piece){bytes, fixups, fixup_count, 0};
  section->piece_count = 1;
  return true;
}

size_t ws_image_section_size(const struct ws_image_section *section) {
  bool custom = section->id == WS_SECTION_CUSTOM;
  size_t size = custom ? ws_uleb_size(section->name.size) + section->name.size : 0;
  for (size_t i = 0; i < section->piece_count; i++)
    size += section->pieces[i].bytes.size;
  return size;
}

// Cuts a stretch of the content out, with its fixups. `*next` is the first fixup that lies in it or behind.
struct ws_piece ws_image_cut(const struct ws_section *section, size_t from, size_t to, size_t *next) {
  while (*next < section->fixup_count && section->fixups[*next].offset < from)
    ++*next;
  struct ws_piece piece = {
      {section->content.data + from, to - from}, section->fixups + *next, 0, (uint32_t)from};
  while (*next < section->fixup_count && section->fixups[*next].offset < to) {
    ++*next;
    piece.fixup_count++;
  }
  return piece;
}

// A constant expression of full width, and its fixup.
struct ws_fixup ws_image_constant(struct ws_buffer *built, bool is_64, uint64_t value, enum ws_base base,
                                  uint32_t target) {
  uint8_t operand[10];
  enum ws_encoding encoding = is_64 ? WS_SLEB64 : WS_SLEB32;
  ws_operand_put(operand, encoding, value);
  ws_put_u8(built, wasm_opcode_const(is_64));
  struct ws_fixup fixup = {.offset = (uint32_t)built->size,
                           .encoding = (uint8_t)encoding,
                           .base = (uint8_t)base,
                           .minus = WS_BASE_COUNT,
                           .target = target};
  ws_put_bytes(built, operand, ws_encoding_width(encoding));
  ws_put_u8(built, WASM_OPCODE_END);
  return fixup;
}

struct ws_appended *ws_image_append(struct ws_image *image, uint32_t replaces, struct ws_slice name,
                                    size_t most_fixups) {
  struct ws_appended *appended = &image->appended[image->appended_count];
  *appended = (struct ws_appended){.replaces = replaces, .name = name};
  appended->fixups = ws_arena_new(&image->arena, most_fixups, sizeof *appended->fixups);
  return appended->fixups ? appended : NULL;
}

void ws_image_add_address(const struct ws_image *image, struct ws_appended *appended,
                          const struct ws_buffer *body) {
  appended->fixups[appended->fixup_count++] =
      (struct ws_fixup){.offset = (uint32_t)body->size,
                        .encoding = image->module->memory.is_64 ? WS_SLEB64 : WS_SLEB32,
                        .base = WS_BASE_MEMORY,
                        .minus = WS_BASE_COUNT,
                        .target = WS_NO_SYMBOL};
}

bool ws_image_keep_body(struct ws_image *image, struct ws_appended *appended, struct ws_buffer *body) {
  appended->body = ws_buffer_keep(body, &image->arena);
  image->appended_count++;
  return appended->body.data != NULL;
}

// The function table: where it is, or will be, and whether its indices are 64-bit.
uint32_t ws_image_table(const struct ws_image *image) {
  return image->added_table ? image->module->table_count : image->module->indirect_table;
}
bool ws_image_table_is_64(const struct ws_image *image) {
  const struct ws_table *table = ws_indirect_table(image->module);
  return table && !image->added_table ? table->limits.is_64 : image->module->memory.is_64;
}

static uint32_t count_rewritten(const struct ws_module *module) {
  uint32_t count = 0;
  for (size_t i = 0; i < module->linker_function_count; i++)
    count += module->functions[module->linker_functions[i].function].unpadded;
  return count;
}

uint32_t ws_trampoline_index(const struct ws_image *image, uint32_t trampoline) {
  const struct ws_module *module = image->module;
  return module->imported_functions + module->function_count + count_rewritten(module) + trampoline;
}

static bool same_type(const struct ws_type *type, struct ws_slice encoded) {
  struct ws_reader reader = ws_reader(encoded);
  ws_read_u8(&reader); // that it is a function's
  ws_read_uleb32(&reader);
  struct ws_slice parameters = ws_read_bytes(&reader, type->parameters.size);
  ws_read_uleb32(&reader);
  return !reader.bad && ws_slice_equal(parameters, type->parameters) &&
         ws_slice_equal((struct ws_slice){reader.at, ws_read_left(&reader)}, type->results);
}

bool ws_image_type(struct ws_image *image, struct ws_slice type, uint32_t *index) {
  enum { MOST_TYPES = 16 };
  const struct ws_module *module = image->module;
  if (!module->types) { // not all are functions': it is the one that is known
    *index = (uint32_t)module->void_type;
    return true;
  }
  for (*index = 0; *index < module->type_count; ++*index)
    if (same_type(&module->types[*index], type))
      return true;
  if (!image->new_types)
    image->new_types = ws_arena_new(&image->arena, MOST_TYPES, sizeof *image->new_types);
  uint8_t *copy = ws_arena_new(&image->arena, type.size, 1);
  if (!image->new_types || !copy)
    return false;
  memcpy(copy, type.data, type.size);
  *index = module->type_count + (uint32_t)image->new_type_count;
  image->new_types[image->new_type_count++] = (struct ws_slice){copy, type.size};
  return true;
}

void ws_image_free(struct ws_image *image) {
  ws_arena_free(&image->arena);
}
