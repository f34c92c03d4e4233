// Preparing: the module as it is where it was linked to be, and a section with what placing it takes. The
// section's format is in docs/prepared-format.md; runtime/wasmshare_load.c is what reads it.
#include <stdlib.h>
#include <string.h>

#include "read/checks.h"
#include "read/memory_users.h"
#include "read/sections.h"
#include "runtime/wasmshare_load.h"
#include "write/custom.h"
#include "write/make.h"
#include "write/place.h"

// A fixup by its place in the file. Those of one kind are written together.
struct site {
  uint32_t kind;
  uint32_t offset;
  uint8_t width;
};

static int compare_sites(const void *left, const void *right) {
  const struct site *a = left, *b = right;
  if (a->kind != b->kind)
    return a->kind < b->kind ? -1 : 1;
  return a->offset < b->offset ? -1 : a->offset > b->offset;
}

static bool collect(void *context, const void *bytes, size_t size) {
  struct ws_buffer *buffer = context;
  ws_put_bytes(buffer, bytes, size);
  return !buffer->failed;
}

// The module as it was linked.
static struct ws_placement unmoved(const struct ws_module *module) {
  const struct ws_module_info *info = &module->info;
  return (struct ws_placement){
      .stack_low = info->stack_low,
      .stack_pointer = info->stack_pointer,
      .heap_base = module->heap_base,
      .heap_end = module->heap_end,
      // It is not known yet beside which modules it will be.
      .memory_view = info->heap == WS_HEAP_CLAIMS_ONCE && !module->prepared ? WS_VIEW_BOUNDED : WS_VIEW_WHOLE,
      .table_base = info->table_base,
      .pages = module->memory.minimum,
      .maximum_pages = module->memory.maximum,
      .has_maximum = module->memory.has_maximum,
  };
}

// What was written, with the sections of the module that they are.
struct written {
  const struct ws_module *from;
  const struct ws_image *image;
  struct ws_module module; // sections only
  uint64_t covered;        // to the end of the last section that matters to placing
  struct site *sites;
  size_t site_count;
};

static uint64_t offset_of(const struct written *written, const uint8_t *at) {
  return (uint64_t)(at - written->module.bytes.data);
}

// The fixups of a section, whose content starts at `start` in the file.
static void add_sites(struct written *written, const struct ws_image_section *section, uint64_t start) {
  for (size_t i = 0; i < section->piece_count; i++) {
    const struct ws_piece *piece = &section->pieces[i];
    for (size_t k = 0; k < piece->fixup_count; k++) {
      const struct ws_fixup *fixup = &piece->fixups[k];
      uint32_t minus = fixup->minus == WS_BASE_COUNT ? 0 : fixup->minus + 1u;
      if (fixup->base != WS_BASE_CODE) // offsets in the code are final now
        written->sites[written->site_count++] = (struct site){
            fixup->encoding | (uint32_t)fixup->base << 3 | minus << 6,
            (uint32_t)(start + fixup->offset - piece->origin), (uint8_t)ws_encoding_width(fixup->encoding)};
    }
    start += piece->bytes.size;
  }
}

static size_t count_fixups(const struct ws_image *image) {
  size_t count = 0;
  for (size_t i = 0; i < image->section_count; i++)
    for (size_t k = 0; k < image->sections[i].piece_count && !image->sections[i].dropped; k++)
      count += image->sections[i].pieces[k].fixup_count;
  return count;
}

static bool find_sites(struct written *written, struct ws_error *error) {
  const struct ws_image *image = written->image;
  size_t written_index = 0;
  written->sites = calloc(count_fixups(image) + 1, sizeof *written->sites);
  if (!written->sites)
    return ws_fail_memory(error, written->from->file);
  bool after_tables = false;
  for (size_t i = 0; i < image->section_count; i++) {
    const struct ws_image_section *section = &image->sections[i];
    if (section->dropped)
      continue;
    const struct ws_section *placed = &written->module.sections[written_index++];
    uint64_t start = offset_of(written, placed->content.data);
    size_t found = written->site_count;
    after_tables |= section->id != WS_SECTION_CUSTOM &&
                    ws_section_order(section->id) >= ws_section_order(WS_SECTION_GLOBAL);
    add_sites(written, section, start);
    if (written->site_count > found && !after_tables)
      return ws_module_fail(written->from, error, NULL, NULL,
                            "has pointers in a custom section that comes before its code, so it cannot be "
                            "prepared: give the linker's own output");
    if (written->site_count > found || section->id != WS_SECTION_CUSTOM)
      written->covered = start + placed->content.size;
  }
  qsort(written->sites, written->site_count, sizeof *written->sites, compare_sites);
  return true;
}

// As numbers that are easy to compare: docs/prepared-format.md.
static enum ws_load_heap heap_number(const struct ws_module_info *info) {
  switch (info->heap) {
  case WS_HEAP_NONE:
    return WS_LOAD_HEAP_NONE;
  case WS_HEAP_GROWS:
    return WS_LOAD_HEAP_GROWS;
  case WS_HEAP_BOUNDED:
  case WS_HEAP_CLAIMS_ONCE:
    return info->grows_memory ? WS_LOAD_HEAP_BOUNDED : WS_LOAD_HEAP_FIXED;
  case WS_HEAP_CONTIGUOUS:
    return WS_LOAD_HEAP_CONTIGUOUS;
  case WS_HEAP_UNKNOWN:
  case WS_HEAP_CLASSES:
    break;
  }
  return WS_LOAD_HEAP_UNKNOWN;
}

static uint64_t flags(const struct ws_module *module) {
  const struct ws_module_info *info = &module->info;
  const struct ws_global *first =
      module->imported_globals < module->global_count ? &module->globals[module->imported_globals] : NULL;
  bool can_share_stack = first && first->moves && first->base == WS_BASE_STACK_HIGH && first->mutable;
  bool can_share_table = !ws_why_table_stays(module);
  return (uint64_t)info->has_stack | (uint64_t)info->imports_stack << 1 | (uint64_t)can_share_stack << 2 |
         (uint64_t)info->has_table << 3 | (uint64_t)info->imports_table << 4 |
         (uint64_t)can_share_table << 5 | (uint64_t)info->uses_heap_base << 6 |
         (uint64_t)info->uses_heap_end << 7 | (uint64_t)info->has_relocations << 8 |
         (uint64_t)heap_number(info) << 9 | (uint64_t)(info->heap == WS_HEAP_CLAIMS_ONCE) << 12;
}

// Where the limits of the table that the functions are in are, or 0 if nothing changes them.
static uint64_t table_limits(const struct written *written) {
  const struct ws_module *from = written->from, *module = &written->module;
  bool changes = from->indirect_table < module->imported_tables || from->info.has_table;
  return changes && from->indirect_table < module->table_count
             ? offset_of(written, module->tables[from->indirect_table].limits.bytes.data)
             : 0;
}

static unsigned exponent(uint64_t power_of_two) {
  unsigned exponent = 0;
  while (UINT64_C(1) << exponent < power_of_two)
    exponent++;
  return exponent;
}

static void put_facts(const struct written *written, struct ws_buffer *section) {
  const struct ws_module *module = written->from;
  const struct ws_module_info *info = &module->info;
  ws_put_uleb(section, written->covered);
  ws_put_uleb(section, flags(module));
  ws_put_uleb(section, exponent(info->alignment));
  ws_put_uleb(section, info->data_base);
  ws_put_uleb(section, info->data_end - info->data_base);
  ws_put_uleb(section, info->stack_low);
  ws_put_uleb(section, info->stack_pointer - info->stack_low);
  ws_put_uleb(section, info->heap_base);
  ws_put_uleb(section, module->heap_base);
  ws_put_uleb(section, module->heap_end);
  ws_put_uleb(section, info->initial_heap);
  ws_put_uleb(section, info->zero_bytes);
  ws_put_uleb(section, info->tls_size);
  ws_put_uleb(section, exponent(info->tls_alignment));
  ws_put_uleb(section, info->table_base);
  ws_put_uleb(section, info->table_size);
  ws_put_uleb(section, module->indirect_table);
  ws_put_uleb(section, offset_of(written, written->module.memory.bytes.data));
  ws_put_uleb(section, table_limits(written));
}

static void put_fixups(const struct written *written, struct ws_buffer *section) {
  for (size_t i = 0, end; i < written->site_count; i = end) {
    uint64_t from = 0;
    for (end = i; end < written->site_count && written->sites[end].kind == written->sites[i].kind;)
      end++;
    ws_put_uleb(section, written->sites[i].kind);
    ws_put_uleb(section, end - i);
    for (size_t k = i; k < end; k++) {
      ws_put_uleb(section, written->sites[k].offset - from);
      from = (uint64_t)written->sites[k].offset + written->sites[k].width;
    }
  }
}

// Appends the section to the module that it is about.
static bool append_section(const struct written *written, struct ws_buffer *bytes) {
  struct ws_buffer facts = {0}, section = {0};
  put_facts(written, &facts);
  put_fixups(written, &facts);
  struct ws_load_sum sum = {0, 0};
  sum = ws_load_add(sum, bytes->data, (size_t)written->covered);
  sum = ws_load_add(sum, facts.data, facts.size);
  ws_put_name(&section, (struct ws_slice){(const uint8_t *)"wasmshare", strlen("wasmshare")});
  ws_put_u8(&section, WS_LOAD_FORMAT);
  for (unsigned i = 0; i < 8; i++)
    ws_put_u8(&section, (uint8_t)(sum.value >> (8 * i)));
  ws_put_slice(&section, (struct ws_slice){facts.data, facts.size});
  ws_put_u8(bytes, WS_SECTION_CUSTOM);
  ws_put_name(bytes, (struct ws_slice){section.data, section.size});
  bool ok = !facts.failed && !section.failed && !bytes->failed;
  ws_buffer_free(&facts);
  ws_buffer_free(&section);
  return ok;
}

static bool prepare(const struct ws_image *image, struct ws_buffer *bytes, struct ws_error *error) {
  const struct ws_module *module = image->module;
  struct written written = {.from = module, .image = image, .module = {.file = module->file}};
  if (!ws_place(image, (struct ws_sink){collect, bytes}, error))
    return error->code == WS_ERROR_SINK ? ws_fail_memory(error, module->file) : false;
  written.module.bytes = (struct ws_slice){bytes->data, bytes->size};
  bool ok = ws_read_sections(&written.module, error) && find_sites(&written, error) &&
            (append_section(&written, bytes) || ws_fail_memory(error, module->file));
  struct ws_load_module prepared;
  enum ws_load_status status = ok ? ws_load_open(&prepared, bytes->data, bytes->size) : WS_LOAD_OK;
  if (status == WS_LOAD_MALFORMED) // numbers that are larger than any memory do not fit the format
    ok = ws_fail(error, module->file, NULL, WS_NO_OFFSET, "cannot be prepared: it has addresses beyond 2^53");
  else if (status != WS_LOAD_OK)
    ok = ws_fail(error, module->file, NULL, WS_NO_OFFSET, "cannot be prepared: %s", ws_load_message(status));
  free(written.sites);
  ws_arena_free(&written.module.arena);
  return ok;
}

bool ws_prepare(const struct ws_module *module, struct ws_sink sink, struct ws_error *error) {
  ws_checks_await_heap(module);
  if (module->external_count)
    return ws_fail(
        error, module->file, NULL, WS_NO_OFFSET,
        "uses the variable %s of another module, which only combine can bind: combine it with that "
        "module as the linker wrote it",
        module->externals[0].name);
  if (!ws_are_elements_constant(module)) // whether its table is shared is decided later
    return ws_fail(error, module->file, "ELEMENT", WS_NO_OFFSET,
                   "has elements of its function table at an offset that is not a constant, so it cannot be "
                   "prepared");
  if (module->info.heap == WS_HEAP_CLAIMS_ONCE && !ws_can_limit_memory(module, error))
    return false;
  struct ws_link *link = ws_link_new(NULL, error);
  // What cannot be at its own place cannot be at any other.
  bool ok = link && ws_link_add(link, module, "", error) && ws_link_shift(link, 0, 0, NULL, error);
  struct ws_buffer bytes = {0};
  if (ok) {
    struct ws_image image;
    link->inputs[0].placement = unmoved(module);
    link->shifted = false;
    ok = ws_image_make(&image, link, 0, error);
    // Placing it changes its imports, which come before the code.
    for (size_t i = 0; i < image.section_count; i++)
      image.sections[i].dropped |= ws_is_source_map(&image.sections[i]);
    ok = ok && prepare(&image, &bytes, error);
    ws_image_free(&image);
  }
  if (ok && !sink.write(sink.context, bytes.data, bytes.size))
    ok = ws_fail_sink(error, module->file);
  ws_link_free(link);
  ws_buffer_free(&bytes);
  return ok;
}
