#include "write/emit_relocs.h"

#include <string.h>

#include "read/relocations.h"

// Maps an index among the sections that were read to one among those that are written.
static uint32_t new_section_index(const struct ws_image *image, uint32_t old) {
  uint32_t written = 0;
  for (size_t i = 0; i < image->section_count; i++) {
    if (image->sections[i].source == &image->module->sections[old])
      return written;
    written += !image->sections[i].dropped;
  }
  return written;
}

static uint32_t new_offset(const struct ws_image *image, const struct ws_section *target, uint32_t offset) {
  const struct ws_module *module = image->module;
  if (target->id == WS_SECTION_CODE)
    return offset + image->code_shift;
  if (target->id != WS_SECTION_DATA)
    return offset;
  for (size_t i = 0; i < module->segment_count; i++) {
    const struct ws_segment *segment = &module->segments[i];
    if (offset < segment->bytes_offset + segment->bytes.size)
      return offset - segment->bytes_offset + image->segment_offsets[i];
  }
  return offset;
}

// Whether what the symbol names was defined by the module, and is now an import.
static bool became_import(const struct ws_image *image, const struct ws_symbol *symbol) {
  const struct ws_module *module = image->module;
  return (symbol->kind == WS_SYMBOL_GLOBAL && image->moved_stack_pointer &&
          symbol->index == module->imported_globals) ||
         (symbol->kind == WS_SYMBOL_TABLE && image->moved_table && symbol->index == module->imported_tables);
}

// What is built of the linking section: its bytes, and the addresses in it.
struct linking {
  struct ws_image *image;
  struct ws_buffer built;
  struct ws_fixup *fixups;
  size_t fixup_count;
};

// The address of an absolute symbol, of full width, which moves.
static void put_address(struct linking *linking, uint64_t address, enum ws_base base) {
  enum ws_encoding encoding = linking->image->module->memory.is_64 ? WS_LEB64 : WS_LEB32;
  uint8_t operand[10];
  ws_operand_put(operand, encoding, address);
  linking->fixups[linking->fixup_count++] = (struct ws_fixup){.offset = (uint32_t)linking->built.size,
                                                              .encoding = (uint8_t)encoding,
                                                              .base = (uint8_t)base,
                                                              .minus = WS_BASE_COUNT,
                                                              .target = WS_NO_SYMBOL};
  ws_put_bytes(&linking->built, operand, ws_encoding_width(encoding));
}

static void put_symbol(struct linking *linking, const struct ws_symbol *symbol) {
  const struct ws_module *module = linking->image->module;
  struct ws_buffer *built = &linking->built;
  uint64_t address;
  enum ws_base base;
  bool undefined = symbol->flags & WS_SYMBOL_UNDEFINED;
  uint32_t flags = symbol->flags;
  if (became_import(linking->image, symbol)) {
    flags |= WS_SYMBOL_UNDEFINED | WS_SYMBOL_EXPLICIT_NAME;
    flags &= ~(uint32_t)WS_SYMBOL_WEAK; // of globals and tables, weak ones are defined
  }
  ws_put_u8(built, symbol->kind);
  ws_put_uleb(built, flags);
  switch (symbol->kind) {
  case WS_SYMBOL_SECTION:
    ws_put_uleb(built, new_section_index(linking->image, symbol->index));
    break;
  case WS_SYMBOL_DATA:
    ws_put_name(built, symbol->name);
    if (undefined)
      break;
    ws_put_uleb(built, symbol->index);
    if ((symbol->flags & WS_SYMBOL_ABSOLUTE) && ws_symbol_target(module, symbol, &address, &base))
      put_address(linking, address, base);
    else
      ws_put_uleb(built, symbol->offset);
    ws_put_uleb(built, symbol->size);
    break;
  default:
    ws_put_uleb(built, symbol->index);
    if (!undefined || (flags & WS_SYMBOL_EXPLICIT_NAME))
      ws_put_name(built, symbol->name);
  }
}

// Where a stack begins can be seen in what the linker made, but not any more in what was moved: say it in the
// linker's own way.
static bool needs_stack_low(const struct ws_module *module) {
  return module->info.has_stack && !ws_absolute_symbol(module, "__stack_low");
}

// Whether a variable of the program's own is called so: of names that are not local there is one each.
static bool has_own_stack_low(const struct ws_module *module) {
  for (uint32_t i = 0; i < module->symbol_count; i++)
    if (module->symbols[i].kind == WS_SYMBOL_DATA && ws_slice_is(module->symbols[i].name, "__stack_low"))
      return true;
  return false;
}

static void put_symbols(struct linking *linking) {
  const struct ws_module *module = linking->image->module;
  struct ws_symbol stack_low = {.kind = WS_SYMBOL_DATA,
                                .flags = WS_SYMBOL_HIDDEN | WS_SYMBOL_ABSOLUTE,
                                .name = {(const uint8_t *)"__stack_low", strlen("__stack_low")},
                                .offset = module->info.stack_low};
  if (has_own_stack_low(module))
    stack_low.flags |= WS_SYMBOL_LOCAL;
  bool add = needs_stack_low(module);
  // The size comes before the fixups' offsets are known to be final, so it is padded.
  size_t size_at = linking->built.size;
  ws_put_bytes(&linking->built, "\0\0\0\0\0", 5);
  ws_put_uleb(&linking->built, (uint64_t)module->symbol_count + add);
  for (uint32_t i = 0; i < module->symbol_count; i++)
    put_symbol(linking, &module->symbols[i]);
  if (add)
    put_symbol(linking, &stack_low);
  if (!linking->built.failed)
    ws_operand_put(linking->built.data + size_at, WS_LEB32, linking->built.size - size_at - 5);
}

// The symbol table changes size; every other subsection is kept as it is.
static bool emit_linking(struct ws_image *image, struct ws_image_section *section) {
  struct ws_reader reader = ws_reader(section->source->content);
  struct linking linking = {
      .image = image,
      .fixups = ws_arena_new(&image->arena, (size_t)image->module->symbol_count + 1, sizeof *linking.fixups)};
  if (!linking.fixups)
    return false;
  ws_put_uleb(&linking.built, ws_read_uleb32(&reader));
  while (!reader.bad && reader.at < reader.end) {
    uint8_t kind = ws_read_u8(&reader);
    struct ws_slice part = ws_read_name(&reader);
    ws_put_u8(&linking.built, kind);
    if (kind == WASM_SYMBOL_TABLE)
      put_symbols(&linking);
    else
      ws_put_name(&linking.built, part);
  }
  return ws_image_set(image, section, &linking.built, linking.fixups, linking.fixup_count);
}

static bool emit_relocations(struct ws_image *image, struct ws_image_section *section) {
  struct ws_reader reader = ws_reader(section->source->content);
  struct ws_buffer built = {0};
  uint32_t old = ws_read_uleb32(&reader);
  ws_put_uleb(&built, new_section_index(image, old));
  uint32_t count = ws_read_uleb32(&reader); // which may be too high: see WS_NO_SYMBOL
  // Of data, it was seen that no pointer is without one. Where all pointers are moved, that could not be seen
  // again.
  const struct ws_section *target = &image->module->sections[old];
  ws_put_uleb(&built, target->id == WS_SECTION_DATA ? count - target->left_out : count);
  while (reader.at < reader.end) {
    struct ws_relocation relocation = ws_read_relocation(&reader);
    relocation.offset = new_offset(image, target, relocation.offset);
    ws_put_relocation(&built, &relocation);
  }
  return ws_image_set(image, section, &built, NULL, 0);
}

bool ws_emit_relocs(struct ws_image *image) {
  for (size_t i = 0; i < image->section_count; i++) {
    struct ws_image_section *section = &image->sections[i];
    if (section->id != WS_SECTION_CUSTOM)
      continue;
    if (ws_slice_is(section->name, "linking") && !emit_linking(image, section))
      return false;
    if (ws_slice_starts(section->name, "reloc.") && !emit_relocations(image, section))
      return false;
  }
  return true;
}
