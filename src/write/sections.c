#include "write/sections.h"

#include <string.h>

#include "link/wrappers.h"
#include "runtime/wasmshare_load.h"
#include "write/rebind.h"

static bool write_types(struct ws_image *image) {
  if (!image->new_type_count)
    return true;
  struct ws_image_section *section = ws_image_find(image, WS_SECTION_TYPE);
  struct ws_reader reader = ws_reader(ws_image_source_content(section));
  struct ws_buffer built = {0};
  ws_put_uleb(&built, (uint64_t)ws_read_uleb32(&reader) + image->new_type_count);
  ws_put_bytes(&built, reader.at, ws_read_left(&reader));
  for (size_t i = 0; i < image->new_type_count; i++)
    ws_put_slice(&built, image->new_types[i]);
  return ws_image_set(image, section, &built, NULL, 0);
}

static struct ws_load_limits as_limits(const struct ws_image *image, struct ws_slice old) {
  const uint8_t *start = image->module->bytes.data;
  return (struct ws_load_limits){.at = old.data ? (size_t)(old.data - start) : 0, .size = old.size};
}

static struct ws_load_limits memory_limits(const struct ws_image *image) {
  const struct ws_placement *placement = image->placement;
  const struct ws_limits *old = &image->module->memory;
  struct ws_load_limits limits = as_limits(image, old->bytes);
  limits.shared = old->shared;
  limits.is_64 = old->is_64;
  limits.minimum = placement->pages;
  limits.has_maximum = placement->has_maximum;
  limits.maximum = placement->maximum_pages;
  return limits;
}

// A shared table has room for all modules, and can grow for more; a private one moves up with its elements.
// One that is imported may have been shared before: then it needs no more than those.
static struct ws_load_limits table_limits(const struct ws_image *image) {
  const struct ws_placement *placement = image->placement;
  const struct ws_module_info *info = &image->module->info;
  const struct ws_table *table = ws_indirect_table(image->module);
  if (!table)
    return (struct ws_load_limits){.at = 0};
  bool imported = image->module->indirect_table < image->module->imported_tables;
  uint64_t delta = placement->table_base - info->table_base;
  struct ws_load_limits limits = as_limits(image, table->limits.bytes);
  limits.shared = table->limits.shared;
  limits.is_64 = table->limits.is_64;
  limits.minimum =
      (imported && info->has_table ? info->table_base + info->table_size : table->limits.minimum) + delta;
  limits.has_maximum = table->limits.has_maximum && !placement->table_end;
  limits.maximum = table->limits.maximum + delta;
  if (placement->table_end)
    limits.minimum = placement->table_end;
  return limits;
}

static struct ws_load_range as_range(const struct ws_image *image, const struct ws_image_section *section) {
  if (!section || !section->source)
    return (struct ws_load_range){0};
  size_t content = (size_t)(section->source->content.data - image->module->bytes.data);
  return (struct ws_load_range){content - 2, content, content + section->source->content.size};
}

static struct ws_load_sections as_sections(struct ws_image *image) {
  const struct ws_module *module = image->module;
  return (struct ws_load_sections){
      .bytes = module->bytes.data,
      .imports = as_range(image, ws_image_find(image, WS_SECTION_IMPORT)),
      .tables = as_range(image, ws_image_find(image, WS_SECTION_TABLE)),
      .memory = memory_limits(image),
      .table = table_limits(image),
      .add_memory = module->memory_import == SIZE_MAX && module->has_memory,
      .move_table = image->moved_table,
      .stack_pointer =
          image->moved_stack_pointer ? module->globals[module->imported_globals].detail.data : NULL};
}

// The content of a section with the edits that were made to it.
static bool apply_edits(struct ws_image *image, struct ws_image_section *section,
                        const struct ws_load_edits *edits, const uint8_t *bytes, struct ws_load_range range) {
  struct ws_buffer built = {0};
  size_t at = range.content;
  for (size_t i = 0; i < edits->count; i++) {
    const struct ws_load_edit *edit = &edits->edits[i];
    if (edit->at < range.content) // of the section's size, which is not part of it
      continue;
    ws_put_bytes(&built, bytes + at, edit->at - at);
    ws_put_bytes(&built, edit->bytes, edit->size);
    at = edit->at + edit->remove;
  }
  ws_put_bytes(&built, bytes + at, range.end - at);
  return ws_image_set(image, section, &built, NULL, 0);
}

// Imports of a table, and of tags, that only a module of one program has.
static bool add_imports(struct ws_image *image, struct ws_image_section *section) {
  const struct ws_changes *changes = &image->input->changes;
  if (!image->added_table && changes->tag_count == 0)
    return true;
  struct ws_reader reader = ws_reader(section->pieces[0].bytes);
  struct ws_buffer built = {0};
  ws_put_uleb(&built, (uint64_t)ws_read_uleb32(&reader) + image->added_table + changes->tag_count);
  ws_put_bytes(&built, reader.at, ws_read_left(&reader));
  if (image->added_table) {
    ws_put_bytes(&built, "\3env\x19__indirect_function_table\1\x70", 32);
    ws_put_u8(&built, ws_image_table_is_64(image) ? WASM_LIMITS_FLAG_IS_64 : 0);
    ws_put_uleb(&built, image->placement->table_end);
  }
  for (size_t i = 0; i < changes->tag_count; i++) {
    const char *from = image->link->inputs[changes->tags[i].from].name;
    ws_put_name(&built, ws_slice_of(from));
    ws_put_name(&built, ws_slice_of(changes->tags[i].name));
    ws_put_u8(&built, WS_TAG);
    ws_put_slice(&built, image->module->tags[i].detail);
  }
  return ws_image_set(image, section, &built, NULL, 0);
}

// The tags that the module still defines.
static bool write_tags(struct ws_image *image) {
  const struct ws_module *module = image->module;
  size_t first = image->input->changes.tag_count;
  struct ws_image_section *section = ws_image_find(image, WS_SECTION_TAG);
  if (!section || first == 0)
    return true;
  section->dropped = first == module->tag_count;
  struct ws_buffer built = {0};
  ws_put_uleb(&built, module->tag_count - first);
  for (size_t i = first; i < module->tag_count; i++)
    ws_put_slice(&built, module->tags[i].detail);
  return ws_image_set(image, section, &built, NULL, 0);
}

static uint32_t count_runners(const struct ws_changes *changes) {
  uint32_t count = 0;
  for (unsigned i = 0; i < WS_RUNNERS; i++)
    count += changes->runners[i].name != NULL;
  return count;
}

static const struct ws_slice memory_name = {(const uint8_t *)"memory", sizeof "memory" - 1};

// The exports as they are, but that of what a runner takes the place of is the runner.
static void put_old_exports(const struct ws_image *image, struct ws_buffer *built) {
  const struct ws_module *module = image->module;
  const struct ws_changes *changes = &image->input->changes;
  bool runs = changes->runners[WS_RUN_CONSTRUCTORS].name != NULL;
  for (size_t i = 0; i < module->export_count; i++) {
    const struct ws_export *export = &module->exports[i];
    bool taken = runs && export->kind == WS_FUNCTION && export->index == changes->constructors;
    bool starts = runs && export->kind == WS_FUNCTION && export->index == changes->start;
    bool unwraps = changes->unwraps && export->kind == WS_FUNCTION;
    uint32_t runner = ws_trampoline_index(image, (uint32_t)changes->trampoline_count);
    ws_put_name(built, export->name);
    ws_put_u8(built, export->kind);
    ws_put_uleb(built, taken     ? runner
                       : starts  ? runner + count_runners(changes)
                       : unwraps ? ws_exported_function(module, export)
                                 : export->index);
  }
}

static bool imports_wasi(const struct ws_module *module) {
  for (size_t i = 0; i < module->import_count; i++)
    if (ws_slice_starts(module->imports[i].module, "wasi_"))
      return true;
  return false;
}

// A host's WASI reads and writes the memory that the calling module exports as `memory` (WASI application
// ABI);
// --import-memory takes that export away. What is only shifted stays as it is.
static bool adds_memory_export(const struct ws_image *image) {
  const struct ws_module *module = image->module;
  return !image->link->shifted && module->has_memory && imports_wasi(module) &&
         !ws_find_export(module, memory_name);
}

static bool write_exports(struct ws_image *image) {
  const struct ws_changes *changes = &image->input->changes;
  bool adds_memory = adds_memory_export(image);
  if (changes->export_count == 0 && !changes->runners[WS_RUN_CONSTRUCTORS].name && !changes->unwraps &&
      !adds_memory)
    return true;
  struct ws_image_section *section = ws_image_need(image, WS_SECTION_EXPORT);
  if (!section)
    return false;
  struct ws_buffer built = {0};
  ws_put_uleb(&built, image->module->export_count + changes->export_count + adds_memory);
  put_old_exports(image, &built);
  for (size_t i = 0; i < changes->export_count; i++) {
    const struct ws_new_export *export = &changes->exports[i];
    ws_put_name(&built, export->name);
    ws_put_u8(&built, export->kind);
    ws_put_uleb(&built,
                export->kind == WS_FUNCTION ? ws_trampoline_index(image, export->index - 1) : export->index);
  }
  if (adds_memory) {
    ws_put_name(&built, memory_name);
    ws_put_u8(&built, WS_MEMORY);
    ws_put_uleb(&built, 0); // there is one memory
  }
  return ws_image_set(image, section, &built, NULL, 0);
}

static bool write_imports(struct ws_image *image) {
  struct ws_load_sections sections = as_sections(image);
  struct ws_image_section *section = image->module->has_memory ? ws_image_need(image, WS_SECTION_IMPORT)
                                                               : ws_image_find(image, WS_SECTION_IMPORT);
  if (!section)
    return !image->module->has_memory;
  if (!section->source) { // none yet: an empty one
    sections.bytes = (const uint8_t *)"\0\0\0";
    sections.imports = (struct ws_load_range){0, 2, 3};
  }
  struct ws_load_edits edits = {.count = 0};
  ws_load_edit_imports(&sections, &edits);
  return apply_edits(image, section, &edits, sections.bytes, sections.imports) && add_imports(image, section);
}

// A table section is written again when it has the indirect function table, which leaves it, or grows by what
// is below the module.
static bool write_tables(struct ws_image *image) {
  const struct ws_module *module = image->module;
  struct ws_image_section *section = ws_image_find(image, WS_SECTION_TABLE);
  if (!section || !module->info.has_table || module->indirect_table < module->imported_tables)
    return true;
  struct ws_load_sections sections = as_sections(image);
  struct ws_load_edits edits = {.count = 0};
  ws_load_edit_tables(&sections, &edits);
  return apply_edits(image, section, &edits, sections.bytes, sections.tables);
}

static bool write_functions(struct ws_image *image) {
  if (!image->appended_count)
    return true;
  struct ws_image_section *section = ws_image_need(image, WS_SECTION_FUNCTION);
  if (!section)
    return false;
  struct ws_buffer built = {0};
  struct ws_reader reader = ws_reader(ws_image_source_content(section));
  ws_read_uleb32(&reader);
  ws_put_uleb(&built, (uint64_t)image->module->function_count + image->appended_count);
  ws_put_bytes(&built, reader.at, reader.bad ? 0 : ws_read_left(&reader));
  for (size_t i = 0; i < image->appended_count; i++)
    ws_put_uleb(&built, image->appended[i].type);
  return ws_image_set(image, section, &built, NULL, 0);
}

static bool write_globals(struct ws_image *image) {
  const struct ws_module *module = image->module;
  struct ws_image_section *section =
      image->adds_global ? ws_image_need(image, WS_SECTION_GLOBAL) : ws_image_find(image, WS_SECTION_GLOBAL);
  if (!section)
    return !image->adds_global;
  struct ws_fixup *fixups = ws_arena_new(&image->arena, module->global_count, sizeof *fixups);
  if (!fixups)
    return false;
  size_t fixup_count = 0;
  struct ws_buffer built = {0};
  struct ws_reader reader = ws_reader(ws_image_source_content(section));
  uint32_t first = module->imported_globals;
  ws_put_uleb(&built, ws_read_uleb32(&reader) - image->moved_stack_pointer + image->adds_global);
  if (image->moved_stack_pointer) {
    // As the last imported global it has the index that it had as the first defined one.
    struct ws_slice init = module->globals[first++].init.bytes;
    reader.at = init.data + init.size;
  }
  for (uint32_t i = first; i < module->global_count; i++) {
    const struct ws_global *global = &module->globals[i];
    ws_put_bytes(&built, reader.at, (size_t)(global->init.bytes.data - reader.at)); // the global's type
    reader.at = global->init.bytes.data + global->init.bytes.size;
    if ((!global->moves && !ws_is_rebound(image, global->target)) || global->init.kind == WS_CONSTANT_OTHER)
      ws_put_slice(&built, global->init.bytes);
    else
      fixups[fixup_count++] = ws_rebind_global(
          image, ws_image_constant(&built, global->init.kind == WS_CONSTANT_I64, global->init.value,
                                   (enum ws_base)global->base, global->target));
  }
  if (image->adds_global)
    ws_put_bytes(&built, (const uint8_t[]){WASM_TYPE_I32, 1, WASM_OPCODE_I32_CONST, 0, WASM_OPCODE_END}, 5);
  return ws_image_set(image, section, &built, fixups, fixup_count);
}

static bool write_start(struct ws_image *image) {
  if (!image->starts)
    return true;
  struct ws_image_section *section = ws_image_need(image, WS_SECTION_START);
  struct ws_buffer built = {0};
  ws_put_uleb(&built, (uint64_t)image->module->imported_functions + image->module->function_count +
                          image->appended_count - 1);
  return section && ws_image_set(image, section, &built, NULL, 0);
}

// Functions that get slots behind the module's own.
static struct ws_fixup put_slots(const struct ws_image *image, struct ws_buffer *built) {
  const struct ws_changes *changes = &image->input->changes;
  const struct ws_module_info *info = &image->module->info;
  enum { EXPLICIT_TABLE = 2, FUNCTIONS = 0 };
  uint32_t table = ws_image_table(image);
  ws_put_u8(built, table ? EXPLICIT_TABLE : 0);
  if (table)
    ws_put_uleb(built, table);
  struct ws_fixup fixup = ws_image_constant(built, ws_image_table_is_64(image),
                                            info->table_base + info->table_size, WS_BASE_TABLE, WS_NO_SYMBOL);
  if (table)
    ws_put_u8(built, FUNCTIONS);
  ws_put_uleb(built, changes->slot_count);
  for (size_t i = 0; i < changes->slot_count; i++)
    ws_put_uleb(built, changes->slots[i]);
  return fixup;
}

static bool write_elements(struct ws_image *image) {
  const struct ws_module *module = image->module;
  bool adds = image->input->changes.slot_count > 0;
  struct ws_image_section *section =
      adds ? ws_image_need(image, WS_SECTION_ELEMENT) : ws_image_find(image, WS_SECTION_ELEMENT);
  if (!section)
    return !adds;
  struct ws_fixup *fixups = ws_arena_new(&image->arena, module->element_count + 1, sizeof *fixups);
  if (!fixups)
    return false;
  size_t fixup_count = 0;
  struct ws_buffer built = {0};
  ws_put_uleb(&built, module->element_count + adds);
  for (size_t i = 0; i < module->element_count; i++) {
    const struct ws_element *element = &module->elements[i];
    ws_put_slice(&built, element->before);
    const uint8_t *expression = element->before.data + element->before.size;
    if (!element->indirect_table || !element->constant)
      ws_put_bytes(&built, expression, (size_t)(element->rest.data - expression));
    else
      fixups[fixup_count++] = ws_image_constant(&built, *expression == WASM_OPCODE_I64_CONST, element->offset,
                                                WS_BASE_TABLE, WS_NO_SYMBOL);
    ws_put_slice(&built, element->rest);
  }
  if (adds)
    fixups[fixup_count++] = put_slots(image, &built);
  return ws_image_set(image, section, &built, fixups, fixup_count);
}

// The function names, with those of the appended ones, which have the highest indices, behind them.
static void put_function_names(const struct ws_image *image, struct ws_slice part, struct ws_buffer *built) {
  const struct ws_module *module = image->module;
  struct ws_reader names = ws_reader(part);
  struct ws_buffer rewritten = {0};
  ws_put_uleb(&rewritten, (uint64_t)ws_read_uleb32(&names) + image->appended_count);
  ws_put_bytes(&rewritten, names.at, ws_read_left(&names));
  for (size_t i = 0; i < image->appended_count; i++) {
    ws_put_uleb(&rewritten, (uint64_t)module->imported_functions + module->function_count + i);
    ws_put_name(&rewritten, image->appended[i].name);
  }
  ws_put_name(built, (struct ws_slice){rewritten.data, rewritten.size});
  built->failed |= rewritten.failed;
  ws_buffer_free(&rewritten);
}

static bool write_names(struct ws_image *image) {
  struct ws_image_section *section = NULL;
  for (size_t i = 0; i < image->section_count && !section; i++)
    if (image->sections[i].id == WS_SECTION_CUSTOM && ws_slice_is(image->sections[i].name, "name"))
      section = &image->sections[i];
  if (!section || !image->appended_count)
    return true;
  struct ws_reader reader = ws_reader(ws_image_source_content(section));
  struct ws_buffer built = {0};
  while (!reader.bad && reader.at < reader.end) {
    uint8_t kind = ws_read_u8(&reader);
    struct ws_slice part = ws_read_name(&reader);
    ws_put_u8(&built, kind);
    if (kind == WASM_NAMES_FUNCTION)
      put_function_names(image, part, &built);
    else
      ws_put_name(&built, part);
  }
  return ws_image_set(image, section, &built, NULL, 0);
}

bool ws_write_sections(struct ws_image *image) {
  if (!write_globals(image))
    return false;
  if (!image->module->prepared && !(write_types(image) && write_functions(image) && write_start(image) &&
                                    write_elements(image) && write_names(image)))
    return false;
  return write_imports(image) && write_tables(image) && write_tags(image) && write_exports(image);
}
