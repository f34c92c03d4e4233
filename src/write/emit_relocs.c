#include "write/emit_relocs.h"

#include <string.h>

#include "read/relocations.h"

// Maps an index among the sections that were read to one among those that are written.
static uint32_t new_section_index(const struct ws_module *module, uint32_t old) {
  uint32_t read = 0, written = 0;
  for (size_t i = 0; i < module->section_count; i++) {
    const struct ws_section *section = &module->sections[i];
    if (!section->added && read++ == old)
      return written;
    written += !section->dropped;
  }
  return written;
}

static const struct ws_section *old_section(const struct ws_module *module, uint32_t old) {
  uint32_t read = 0;
  for (size_t i = 0; i < module->section_count; i++)
    if (!module->sections[i].added && read++ == old)
      return &module->sections[i];
  return NULL;
}

static uint32_t new_offset(const struct ws_module *module, const struct ws_section *target, uint32_t offset) {
  if (target->id == WS_SECTION_CODE)
    return offset + module->code_shift;
  if (target->id != WS_SECTION_DATA)
    return offset;
  for (size_t i = 0; i < module->segment_count; i++) {
    const struct ws_segment *segment = &module->segments[i];
    if (offset < segment->bytes_offset + segment->bytes.size)
      return offset - segment->bytes_offset + segment->final_offset;
  }
  return offset;
}

// Whether what the symbol names was defined by the module, and is now an import.
static bool became_import(const struct ws_module *module, const struct ws_symbol *symbol) {
  return (symbol->kind == WS_SYMBOL_GLOBAL && module->moved_stack_pointer &&
          symbol->index == module->imported_globals) ||
         (symbol->kind == WS_SYMBOL_TABLE && module->moved_table && symbol->index == module->imported_tables);
}

static bool put_symbol(struct ws_module *module, struct ws_section *section, struct ws_buffer *built,
                       const struct ws_symbol *symbol) {
  ws_put_u8(built, symbol->kind);
  uint32_t flags = symbol->flags;
  if (became_import(module, symbol))
    flags |= WS_SYMBOL_UNDEFINED | WS_SYMBOL_EXPLICIT_NAME;
  ws_put_uleb(built, flags);
  bool undefined = symbol->flags & WS_SYMBOL_UNDEFINED;
  switch (symbol->kind) {
  case WS_SYMBOL_SECTION:
    ws_put_uleb(built, new_section_index(module, symbol->index));
    return true;
  case WS_SYMBOL_DATA:
    ws_put_name(built, symbol->name);
    if (undefined)
      return true;
    ws_put_uleb(built, symbol->index);
    uint64_t address;
    enum ws_base base;
    if ((symbol->flags & WS_SYMBOL_ABSOLUTE) && ws_symbol_target(module, symbol, &address, &base)) {
      enum ws_encoding encoding = module->memory.is_64 ? WS_LEB64 : WS_LEB32;
      uint8_t operand[10];
      ws_operand_put(operand, encoding, address);
      struct ws_fixup fixup = {.offset = (uint32_t)built->size,
                               .encoding = (uint8_t)encoding,
                               .base = (uint8_t)base,
                               .minus = WS_BASE_COUNT};
      ws_put_bytes(built, operand, ws_encoding_width(encoding));
      if (!ws_add_fixup(section, fixup))
        return false;
    } else {
      ws_put_uleb(built, symbol->offset);
    }
    ws_put_uleb(built, symbol->size);
    return true;
  default:
    ws_put_uleb(built, symbol->index);
    if (!undefined || (flags & WS_SYMBOL_EXPLICIT_NAME))
      ws_put_name(built, symbol->name);
    return true;
  }
}

// Where a stack begins can be seen in what the linker made, but not any more in what was moved: say it in the
// linker's own way.
static bool needs_stack_low(const struct ws_module *module) {
  return module->info.has_stack && !ws_absolute_symbol(module, "__stack_low");
}

// The symbol table changes size; every other subsection is kept as it is.
static bool keep_linking(struct ws_module *module, struct ws_section *section) {
  struct ws_reader reader = ws_reader(section->content);
  struct ws_buffer built = {0};
  ws_put_uleb(&built, ws_read_uleb32(&reader));
  while (!reader.bad && reader.at < reader.end) {
    uint8_t kind = ws_read_u8(&reader);
    struct ws_slice part = ws_read_name(&reader);
    ws_put_u8(&built, kind);
    if (kind != WASM_SYMBOL_TABLE) {
      ws_put_name(&built, part);
      continue;
    }
    // The size comes before the fixups' offsets are known to be final, so it is padded.
    size_t size_at = built.size;
    ws_put_bytes(&built, "\0\0\0\0\0", 5);
    struct ws_symbol stack_low = {.kind = WS_SYMBOL_DATA,
                                  .flags = WS_SYMBOL_HIDDEN | WS_SYMBOL_ABSOLUTE,
                                  .name = {(const uint8_t *)"__stack_low", strlen("__stack_low")},
                                  .offset = module->info.stack_low};
    bool add = needs_stack_low(module);
    ws_put_uleb(&built, (uint64_t)module->symbol_count + add);
    for (uint32_t i = 0; i < module->symbol_count; i++)
      if (!put_symbol(module, section, &built, &module->symbols[i]))
        built.failed = true;
    if (add && !put_symbol(module, section, &built, &stack_low))
      built.failed = true;
    if (!built.failed)
      ws_operand_put(built.data + size_at, WS_LEB32, built.size - size_at - 5);
  }
  section->pieces[0] = ws_buffer_keep(&built, &module->arena);
  return section->pieces[0].data != NULL;
}

static bool keep_relocs(struct ws_module *module, struct ws_section *section) {
  struct ws_reader reader = ws_reader(section->content);
  struct ws_buffer built = {0};
  uint32_t old = ws_read_uleb32(&reader);
  const struct ws_section *target = old_section(module, old);
  ws_put_uleb(&built, new_section_index(module, old));
  ws_put_uleb(&built, ws_read_uleb32(&reader)); // the count, which may be too high: see WS_NO_SYMBOL
  while (reader.at < reader.end) {
    struct ws_relocation relocation = ws_read_relocation(&reader);
    relocation.offset = new_offset(module, target, relocation.offset);
    ws_put_relocation(&built, &relocation);
  }
  section->pieces[0] = ws_buffer_keep(&built, &module->arena);
  return section->pieces[0].data != NULL;
}

bool ws_keep_relocations(struct ws_module *module) {
  for (size_t i = 0; i < module->section_count; i++) {
    struct ws_section *section = &module->sections[i];
    if (section->id == WS_SECTION_CUSTOM &&
        (ws_slice_is(section->name, "linking") || ws_slice_starts(section->name, "reloc.")))
      section->dropped = false;
  }
  for (size_t i = 0; i < module->section_count; i++) {
    struct ws_section *section = &module->sections[i];
    if (section->id != WS_SECTION_CUSTOM)
      continue;
    if (ws_slice_is(section->name, "linking") && !keep_linking(module, section))
      return false;
    if (ws_slice_starts(section->name, "reloc.") && !keep_relocs(module, section))
      return false;
  }
  return true;
}
