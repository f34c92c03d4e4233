#include "write/rebind.h"

#include <string.h>

#include "read/relocations.h"

static const struct ws_rebound *find_rebound(const struct ws_image *image, uint32_t symbol) {
  const struct ws_changes *changes = &image->input->changes;
  if (!changes->symbols || symbol >= image->module->symbol_count)
    return NULL;
  const struct ws_rebound *rebound = &changes->symbols[symbol];
  return rebound->kind == WS_REBOUND_NOT && !rebound->callee ? NULL : rebound;
}

bool ws_is_rebound(const struct ws_image *image, uint32_t symbol) {
  const struct ws_rebound *rebound = find_rebound(image, symbol);
  return rebound && rebound->kind != WS_REBOUND_NOT;
}

// What the fixups of one section become.
struct rebinder {
  struct ws_image *image;
  struct ws_section *section; // a copy of the one that was read
  struct ws_fixup *fixups;    // those of rebound operands
  size_t count;
  size_t segment; // that the last operand was in
};

// Where the operand itself went, for one that is relative to its own address.
static uint64_t own_address(struct rebinder *rebinder, uint32_t offset) {
  const struct ws_module *module = rebinder->image->module;
  const struct ws_segment *segments = module->segments;
  while (rebinder->segment + 1 < module->segment_count &&
         offset >= segments[rebinder->segment].bytes_offset + segments[rebinder->segment].bytes.size)
    rebinder->segment++;
  const struct ws_segment *segment = &segments[rebinder->segment];
  return segment->address + (offset - segment->bytes_offset) + rebinder->image->placement->offset;
}

// Where the block of a module's thread-local variables begins, when there is only one thread.
static uint64_t thread_block(const struct ws_input *input) {
  const struct ws_module *module = input->module;
  for (size_t i = 0; i < module->segment_count; i++)
    if (module->segments[i].tls)
      return module->segments[i].address + input->placement.offset;
  return 0;
}

// From a module's block to a variable that went to `address` in the block of another one.
static uint64_t thread_distance(const struct ws_image *image, uint32_t symbol, uint64_t address) {
  const struct ws_input *input = image->input;
  size_t index = (size_t)(input - image->link->inputs);
  const struct ws_input *other = &image->link->inputs[image->link->one.of[index][symbol].module];
  if (!image->link->plan.thread_count)
    return address - thread_block(input);
  return address - thread_block(other) + other->placement.tls_offset - input->placement.tls_offset;
}

// The operand's new value. False if it stays as it is.
static bool new_value(struct rebinder *rebinder, const struct ws_relocation *relocation,
                      const struct ws_rebound *rebound, uint64_t *value) {
  const struct ws_image *image = rebinder->image;
  bool is_address = rebound->kind == WS_REBOUND_ADDRESS, is_slot = rebound->kind == WS_REBOUND_SLOT;
  switch (ws_relocation_kinds[relocation->type].operand) {
  case WS_REL_MEMORY_ADDR:
    *value = rebound->value + ws_addend(relocation);
    return is_address;
  case WS_REL_MEMORY_ADDR_REL:
    *value = rebound->value + ws_addend(relocation) - image->placement->offset;
    return is_address;
  case WS_REL_MEMORY_ADDR_TLS:
    *value = thread_distance(image, relocation->index, rebound->value) + ws_addend(relocation);
    return is_address;
  case WS_REL_MEMORY_ADDR_LOCREL:
    *value = rebound->value + ws_addend(relocation) - own_address(rebinder, relocation->offset);
    return is_address;
  case WS_REL_TABLE_INDEX:
    *value = rebound->value;
    return is_slot;
  case WS_REL_TABLE_INDEX_REL:
    *value = rebound->value - image->placement->table_base;
    return is_slot;
  case WS_REL_FUNCTION_INDEX:
    *value = rebound->callee ? ws_trampoline_index(image, rebound->callee - 1) : 0;
    return rebound->callee != 0 && rebinder->section->id == WS_SECTION_CODE;
  default:
    return false;
  }
}

// Whether an operand is the null of something that was not linked, which stays.
static bool is_tombstone(const struct rebinder *rebinder, const struct ws_relocation *relocation) {
  uint64_t value = 0;
  enum ws_encoding encoding = ws_relocation_kinds[relocation->type].encoding;
  ws_operand_get(rebinder->section->content.data + relocation->offset, encoding, &value);
  return rebinder->section->id == WS_SECTION_CUSTOM && ws_is_tombstone(encoding, value);
}

static void rebind(struct rebinder *rebinder, const struct ws_relocation *relocation) {
  struct ws_image *image = rebinder->image;
  const struct ws_rebound *rebound =
      relocation->type == R_WASM_TYPE_INDEX_LEB ? NULL : find_rebound(image, relocation->index);
  uint64_t value;
  if (!rebound || is_tombstone(rebinder, relocation) || !new_value(rebinder, relocation, rebound, &value))
    return;
  image->values[image->value_count] = value;
  rebinder->fixups[rebinder->count++] =
      (struct ws_fixup){.offset = relocation->offset,
                        .encoding = (uint8_t)ws_relocation_kinds[relocation->type].encoding,
                        .base = WS_BASE_VALUE,
                        .minus = WS_BASE_COUNT,
                        .target = (uint32_t)image->value_count++};
}

// The section's fixups, with the new ones in place of those of the same operands.
static bool merge(struct rebinder *rebinder) {
  struct ws_section *section = rebinder->section;
  size_t count = section->fixup_count + rebinder->count, k = 0, used = 0;
  struct ws_fixup *all = ws_arena_new(&rebinder->image->arena, count, sizeof *all);
  if (!all)
    return false;
  for (size_t i = 0; i < section->fixup_count; i++) {
    while (k < rebinder->count && rebinder->fixups[k].offset < section->fixups[i].offset)
      all[used++] = rebinder->fixups[k++];
    if (k == rebinder->count || rebinder->fixups[k].offset != section->fixups[i].offset)
      all[used++] = section->fixups[i];
  }
  while (k < rebinder->count)
    all[used++] = rebinder->fixups[k++];
  section->fixups = all;
  section->fixup_count = used;
  return true;
}

static bool rebind_section(struct ws_image *image, const struct ws_section *relocations) {
  struct ws_reader reader = ws_reader(relocations->content);
  uint32_t target = ws_read_uleb32(&reader), counted = ws_read_uleb32(&reader);
  size_t most = ws_most_relocations(&reader, counted);
  struct ws_image_section *section = &image->sections[target];
  struct rebinder rebinder = {.image = image,
                              .section = ws_arena_new(&image->arena, 1, sizeof *rebinder.section)};
  rebinder.fixups = ws_arena_new(&image->arena, most, sizeof *rebinder.fixups);
  uint64_t *values = ws_arena_new(&image->arena, image->value_count + most, sizeof *values);
  if (!rebinder.section || !rebinder.fixups || !values)
    return false;
  if (image->value_count)
    memcpy(values, image->values, image->value_count * sizeof *values);
  image->values = values;
  *rebinder.section = *section->source;
  while (!reader.bad && reader.at < reader.end) {
    struct ws_relocation relocation = ws_read_relocation(&reader);
    rebind(&rebinder, &relocation);
  }
  if (rebinder.count == 0)
    return true;
  section->source = rebinder.section;
  bool ok = merge(&rebinder);
  section->pieces[0].fixups = rebinder.section->fixups;
  section->pieces[0].fixup_count = rebinder.section->fixup_count;
  return ok;
}

// Room for the values of globals, which come last.
static bool need_values(struct ws_image *image) {
  uint64_t *values =
      ws_arena_new(&image->arena, image->value_count + image->module->global_count, sizeof *values);
  if (values && image->value_count)
    memcpy(values, image->values, image->value_count * sizeof *values);
  image->values = values;
  return values != NULL;
}

bool ws_rebind_image(struct ws_image *image) {
  const struct ws_module *module = image->module;
  if (!image->input->changes.symbols)
    return true;
  for (size_t i = 0; i < module->section_count; i++) {
    const struct ws_section *section = &module->sections[i];
    if (section->id == WS_SECTION_CUSTOM && ws_slice_starts(section->name, "reloc.") &&
        ws_is_link_metadata(module, section) && !rebind_section(image, section))
      return false;
  }
  return need_values(image);
}

struct ws_fixup ws_rebind_global(struct ws_image *image, struct ws_fixup fixup) {
  const struct ws_rebound *rebound = find_rebound(image, fixup.target);
  if (fixup.base == WS_BASE_EXTERNAL || !rebound || rebound->kind == WS_REBOUND_NOT)
    return fixup;
  image->values[image->value_count] = rebound->value;
  fixup.base = WS_BASE_VALUE;
  fixup.target = (uint32_t)image->value_count++;
  return fixup;
}
