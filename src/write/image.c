#include "write/image.h"

#include <stdlib.h>
#include <string.h>

#include "write/emit_relocs.h"
#include "write/bss.h"

// A section that the input may lack, put where it belongs.
static struct ws_section *need_section(struct ws_module *module, enum ws_section_id id) {
  struct ws_section *section = ws_section(module, id);
  if (section)
    return section;
  struct ws_section *sections = ws_arena_new(&module->arena, module->section_count + 1, sizeof *sections);
  struct ws_slice *piece = ws_arena_new(&module->arena, 1, sizeof *piece);
  if (!sections || !piece)
    return NULL;
  size_t at = 0, last_standard = 0;
  for (size_t i = 0; i < module->section_count; i++)
    if (module->sections[i].id != WS_SECTION_CUSTOM &&
        ws_section_order(module->sections[i].id) < ws_section_order((uint8_t)id))
      last_standard = i + 1;
  at = last_standard;
  memcpy(sections, module->sections, at * sizeof *sections);
  memcpy(sections + at + 1, module->sections + at, (module->section_count - at) * sizeof *sections);
  piece->data = (const uint8_t *)"";
  sections[at] = (struct ws_section){
      .id = (uint8_t)id, .content = *piece, .pieces = piece, .piece_count = 1, .added = true};
  module->sections = sections;
  module->section_count++;
  return &sections[at];
}

// Replaces a section's content by what was built.
static bool set_content(struct ws_module *module, struct ws_section *section, struct ws_buffer *built) {
  struct ws_slice content = ws_buffer_keep(built, &module->arena);
  if (!content.data)
    return false;
  section->pieces[0] = content;
  section->piece_count = 1;
  return true;
}

// Writes a constant expression of full width, and adds its fixup. What is in `built` starts at `start` in the
// section.
static bool put_constant(struct ws_section *section, struct ws_buffer *built, uint64_t start, bool is_64,
                         uint64_t value, struct ws_fixup fixup) {
  uint8_t operand[10];
  fixup.encoding = is_64 ? WS_SLEB64 : WS_SLEB32;
  fixup.minus = WS_BASE_COUNT;
  ws_operand_put(operand, fixup.encoding, value);
  ws_put_u8(built, wasm_opcode_const(is_64));
  fixup.offset = (uint32_t)(start + built->size);
  ws_put_bytes(built, operand, ws_encoding_width(fixup.encoding));
  ws_put_u8(built, WASM_OPCODE_END);
  return ws_add_fixup(section, fixup);
}

static bool write_types(struct ws_module *module) {
  bool needed = module->appended_count &&
                module->appended[module->appended_count - 1].replaces == WS_NEW_FUNCTION &&
                module->void_type < 0;
  if (!needed)
    return true;
  struct ws_section *section = ws_section(module, WS_SECTION_TYPE);
  struct ws_reader reader = ws_reader(section->content);
  ws_read_uleb32(&reader);
  struct ws_buffer types = {0};
  ws_put_uleb(&types, (uint64_t)module->type_count + 1);
  ws_put_bytes(&types, reader.at, ws_read_left(&reader));
  ws_put_bytes(&types, "\x60\x00\x00", 3); // () -> ()
  module->void_type = module->type_count;
  return set_content(module, section, &types);
}

static bool write_functions(struct ws_module *module) {
  if (!module->appended_count)
    return true;
  struct ws_section *section = need_section(module, WS_SECTION_FUNCTION);
  if (!section)
    return false;
  struct ws_buffer functions = {0};
  ws_put_uleb(&functions, (uint64_t)module->function_count + module->appended_count);
  struct ws_reader reader = ws_reader(section->content);
  ws_read_uleb32(&reader);
  ws_put_bytes(&functions, reader.at, ws_read_left(&reader));
  for (size_t i = 0; i < module->appended_count; i++) {
    uint32_t replaced = module->appended[i].replaces;
    ws_put_uleb(&functions,
                replaced == WS_NEW_FUNCTION ? (uint64_t)module->void_type : module->function_types[replaced]);
  }
  return set_content(module, section, &functions);
}

static bool write_globals(struct ws_module *module) {
  struct ws_section *section = ws_section(module, WS_SECTION_GLOBAL);
  if (!section)
    return true;
  struct ws_buffer built = {0};
  struct ws_reader reader = ws_reader(section->content);
  uint32_t first = module->imported_globals;
  ws_put_uleb(&built, ws_read_uleb32(&reader) - module->moved_stack_pointer);
  if (module->moved_stack_pointer) {
    // As the last imported global it has the index that it had as the first defined one.
    struct ws_slice init = module->globals[first++].init.bytes;
    reader.at = init.data + init.size;
  }
  for (uint32_t i = first; i < module->global_count; i++) {
    const struct ws_global *global = &module->globals[i];
    ws_put_bytes(&built, reader.at, (size_t)(global->init.bytes.data - reader.at)); // the global's type
    reader.at = global->init.bytes.data + global->init.bytes.size;
    if (!global->moves || global->init.kind == WS_CONSTANT_OTHER) {
      ws_put_slice(&built, global->init.bytes);
      continue;
    }
    struct ws_fixup fixup = {.base = global->base, .external = global->external};
    if (!put_constant(section, &built, 0, global->init.kind == WS_CONSTANT_I64, global->init.value, fixup))
      return false;
  }
  return set_content(module, section, &built);
}

static bool write_start(struct ws_module *module) {
  if (!module->appended_count || module->appended[module->appended_count - 1].replaces != WS_NEW_FUNCTION)
    return true;
  struct ws_section *section = need_section(module, WS_SECTION_START);
  struct ws_buffer built = {0};
  ws_put_uleb(&built,
              (uint64_t)module->imported_functions + module->function_count + module->appended_count - 1);
  return section && set_content(module, section, &built);
}

static bool write_elements(struct ws_module *module) {
  struct ws_section *section = ws_section(module, WS_SECTION_ELEMENT);
  if (!section)
    return true;
  struct ws_buffer built = {0};
  ws_put_uleb(&built, module->element_count);
  for (size_t i = 0; i < module->element_count; i++) {
    const struct ws_element *element = &module->elements[i];
    ws_put_slice(&built, element->before);
    const uint8_t *expression = element->before.data + element->before.size;
    if (!element->indirect_table || !element->constant) {
      ws_put_bytes(&built, expression, (size_t)(element->rest.data - expression));
    } else if (!put_constant(section, &built, 0, *expression == WASM_OPCODE_I64_CONST, element->offset,
                             (struct ws_fixup){.base = WS_BASE_TABLE})) {
      return false;
    }
    ws_put_slice(&built, element->rest);
  }
  return set_content(module, section, &built);
}

// The functions as they are, but thunks in place of those that others were appended for. What follows the
// last thunk is a piece too. Returns how many pieces that are.
static size_t put_functions(const struct ws_module *module, const struct ws_section *section,
                            struct ws_slice *pieces) {
  size_t used = 0;
  const uint8_t *at = section->content.data + module->code_count_size;
  for (uint32_t i = 0; i < module->function_count; i++) {
    const struct ws_function *function = &module->functions[i];
    if (!function->thunk)
      continue;
    const uint8_t *body = section->content.data + function->offset;
    pieces[used++] = (struct ws_slice){at, (size_t)(body - at)};
    pieces[used++] = *function->thunk;
    at = body + function->size;
  }
  pieces[used++] = (struct ws_slice){at, (size_t)(section->content.data + section->content.size - at)};
  return used;
}

// The appended functions, which start at `offset` in the section.
static bool put_appended(struct ws_module *module, struct ws_section *section, uint64_t offset,
                         struct ws_buffer *built) {
  for (size_t i = 0; i < module->appended_count; i++) {
    const struct ws_appended *appended = &module->appended[i];
    ws_put_uleb(built, appended->body.size);
    for (size_t k = 0; k < appended->address_count; k++) {
      struct ws_fixup fixup = {.offset = (uint32_t)(offset + built->size + appended->addresses[k]),
                               .encoding = module->memory.is_64 ? WS_SLEB64 : WS_SLEB32,
                               .base = WS_BASE_MEMORY,
                               .minus = WS_BASE_COUNT};
      if (!ws_add_fixup(section, fixup))
        return false;
    }
    ws_put_slice(built, appended->body);
  }
  return true;
}

static bool write_code(struct ws_module *module) {
  if (!module->appended_count)
    return true;
  struct ws_section *section = need_section(module, WS_SECTION_CODE);
  if (!section)
    return false;
  uint64_t total = (uint64_t)module->function_count + module->appended_count;
  size_t count_size = ws_uleb_size(total);
  if (count_size < module->code_count_size)
    count_size = module->code_count_size;
  module->code_shift = (uint32_t)count_size - module->code_count_size;
  uint8_t *count = ws_arena_new(&module->arena, count_size, 1);
  struct ws_slice *pieces = ws_arena_new(&module->arena, 3 * module->appended_count + 2, sizeof *pieces);
  if (!count || !pieces)
    return false;
  for (size_t i = 0; i < count_size; i++)
    count[i] = (uint8_t)(((total >> (7 * i)) & 0x7f) | (i + 1 < count_size ? 0x80 : 0));
  for (size_t i = 0; i < section->fixup_count; i++)
    section->fixups[i].offset += module->code_shift;
  struct ws_buffer built = {0};
  bool ok = put_appended(module, section, section->content.size + module->code_shift, &built);
  pieces[0] = (struct ws_slice){count, count_size};
  size_t used = 1 + put_functions(module, section, pieces + 1);
  pieces[used] = ws_buffer_keep(&built, &module->arena);
  section->pieces = pieces;
  section->piece_count = used + 1;
  return ok && pieces[used].data;
}

static bool write_segments(struct ws_module *module, struct ws_section *section,
                           const struct ws_section *old) {
  struct ws_slice *pieces = ws_arena_new(&module->arena, 2 * module->segment_count + 1, sizeof *pieces);
  if (!pieces)
    return false;
  size_t used = 0, fixup = 0;
  uint64_t offset = 0;
  for (size_t i = 0; i < module->segment_count; i++) {
    struct ws_segment *segment = &module->segments[i];
    struct ws_buffer header = {0};
    if (i == 0)
      ws_put_uleb(&header, module->segment_count);
    ws_put_u8(&header, segment->passive);
    if (!segment->passive && !put_constant(section, &header, offset, module->memory.is_64, segment->address,
                                           (struct ws_fixup){.base = WS_BASE_MEMORY}))
      return false;
    ws_put_uleb(&header, segment->kept);
    offset += header.size;
    pieces[used] = ws_buffer_keep(&header, &module->arena);
    if (!pieces[used++].data)
      return false;
    segment->final_offset = (uint32_t)offset;
    for (;
         fixup < old->fixup_count && old->fixups[fixup].offset < segment->bytes_offset + segment->bytes.size;
         fixup++) {
      struct ws_fixup moved = old->fixups[fixup];
      moved.offset = moved.offset - segment->bytes_offset + segment->final_offset;
      if (!ws_add_fixup(section, moved))
        return false;
    }
    pieces[used++] = (struct ws_slice){segment->bytes.data, segment->kept};
    offset += segment->kept;
  }
  if (module->segment_count == 0)
    return true;
  section->pieces = pieces;
  section->piece_count = used;
  return true;
}

static bool write_data(struct ws_module *module) {
  struct ws_section *section = ws_section(module, WS_SECTION_DATA);
  if (!section)
    return true;
  // The fixups of addresses come between those of the segments' bytes; the new list is in order too.
  struct ws_section old = *section;
  section->fixups = NULL;
  section->fixup_count = section->fixup_capacity = 0;
  bool ok = write_segments(module, section, &old);
  free(old.fixups);
  return ok;
}

// Names the appended functions. They have the highest indices, so their names come last.
static bool write_names(struct ws_module *module) {
  struct ws_section *section = ws_custom_section(module, "name");
  if (!section || !module->appended_count)
    return true;
  struct ws_reader reader = ws_reader(section->content);
  struct ws_buffer built = {0};
  while (!reader.bad && reader.at < reader.end) {
    uint8_t kind = ws_read_u8(&reader);
    struct ws_slice part = ws_read_name(&reader);
    ws_put_u8(&built, kind);
    if (kind != WASM_NAMES_FUNCTION) {
      ws_put_name(&built, part);
      continue;
    }
    struct ws_reader names = ws_reader(part);
    struct ws_buffer rewritten = {0};
    ws_put_uleb(&rewritten, (uint64_t)ws_read_uleb32(&names) + module->appended_count);
    ws_put_bytes(&rewritten, names.at, ws_read_left(&names));
    for (size_t i = 0; i < module->appended_count; i++) {
      uint32_t replaced = module->appended[i].replaces;
      struct ws_slice name = {(const uint8_t *)WS_CLEAR_FUNCTION, strlen(WS_CLEAR_FUNCTION)};
      if (replaced != WS_NEW_FUNCTION)
        name = module->functions[replaced].name;
      ws_put_uleb(&rewritten, (uint64_t)module->imported_functions + module->function_count + i);
      ws_put_name(&rewritten, name);
    }
    ws_put_name(&built, (struct ws_slice){rewritten.data, rewritten.size});
    built.failed |= rewritten.failed;
    ws_buffer_free(&rewritten);
  }
  return set_content(module, section, &built);
}

static int compare_fixups(const void *left, const void *right) {
  uint32_t a = ((const struct ws_fixup *)left)->offset, b = ((const struct ws_fixup *)right)->offset;
  return a < b ? -1 : a > b;
}

void ws_sort_fixups(struct ws_section *section) {
  for (size_t i = 1; i < section->fixup_count; i++) {
    if (section->fixups[i - 1].offset > section->fixups[i].offset) {
      qsort(section->fixups, section->fixup_count, sizeof *section->fixups, compare_fixups);
      return;
    }
  }
}

// With shared_stack and shared_table, what the module defined becomes the last import of its kind: no index
// changes.
static bool share(struct ws_module *module, struct ws_error *error) {
  const struct ws_module_info *info = &module->info;
  module->moved_stack_pointer = module->share_stack && info->has_stack && !info->imports_stack;
  module->moved_table = module->share_table && info->has_table && !info->imports_table;
  if (module->moved_stack_pointer) {
    const struct ws_global *first = &module->globals[module->imported_globals];
    if (!first->moves || first->base != WS_BASE_STACK_HIGH || !first->mutable)
      return ws_module_fail(
          module, error, "GLOBAL", NULL,
          "its stack pointer is not the first global that it defines, so it cannot be shared");
  }
  if (module->share_table && !ws_are_elements_constant(module))
    return ws_module_fail(
        module, error, "ELEMENT", NULL,
        "has elements of its function table at an offset that is not a constant, so it cannot "
        "be shared");
  const char *why = ws_why_table_stays(module);
  if (module->moved_table && why)
    return ws_module_fail(module, error, "TABLE", NULL, "its function table %s, so it cannot be shared", why);
  module->info.imports_stack |= module->moved_stack_pointer;
  module->info.imports_table |= module->moved_table;
  return true;
}

static void count_fixups(struct ws_module *module, const struct ws_section *section) {
  for (size_t i = 0; i < section->fixup_count; i++)
    module->info.fixups[section->fixups[i].base]++;
}

bool ws_make_normal(struct ws_module *module, struct ws_error *error) {
  if (!share(module, error))
    return false;
  if (!module->prepared && !ws_cut_zeros(module, error))
    return false;
  // The memory becomes an import.
  struct ws_section *memory = ws_section(module, WS_SECTION_MEMORY);
  if (memory && module->memory_import == SIZE_MAX)
    memory->dropped = true;
  bool ok = write_globals(module);
  if (!module->prepared)
    ok = ok && write_types(module) && write_functions(module) && write_start(module) &&
         write_elements(module) && write_code(module) && write_data(module) && write_names(module) &&
         (!module->has_memory || need_section(module, WS_SECTION_IMPORT));
  for (size_t i = 0; ok && i < module->section_count; i++) {
    ws_sort_fixups(&module->sections[i]);
    count_fixups(module, &module->sections[i]);
  }
  if (ok && module->keep_relocs && module->has_linking)
    ok = ws_keep_relocations(module);
  return ok || ws_fail_memory(error, module->file);
}
