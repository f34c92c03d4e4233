#include "read/module.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct ws_section *ws_section(const struct ws_module *module, enum ws_section_id id) {
  return module->section_of[id];
}

struct ws_section *ws_custom_section(const struct ws_module *module, const char *name) {
  for (size_t i = 0; i < module->section_count; i++)
    if (module->sections[i].id == WS_SECTION_CUSTOM && ws_slice_is(module->sections[i].name, name))
      return &module->sections[i];
  return NULL;
}

bool ws_module_fail(const struct ws_module *module, struct ws_error *error, const char *section,
                    const uint8_t *at, const char *format, ...) {
  char message[sizeof error->message];
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(message, sizeof message, format, arguments);
  va_end(arguments);
  const uint8_t *start = module->bytes.data;
  uint64_t offset =
      at && at >= start && at <= start + module->bytes.size ? (uint64_t)(at - start) : WS_NO_OFFSET;
  return ws_fail(error, module->file, section, offset, "%s", message);
}

void ws_module_refuse(struct ws_module *module, const char *section, enum ws_refusal code, const char *format,
                      ...) {
  if (!module->info.exact)
    return;
  char message[sizeof module->info.inexact.message];
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(message, sizeof message, format, arguments);
  va_end(arguments);
  module->info.exact = false;
  module->info.refusal = code;
  ws_fail(&module->info.inexact, module->file, section, WS_NO_OFFSET, "%s", message);
}

const char *ws_refusal_name(enum ws_refusal refusal) {
  static const char *const names[WS_REFUSALS] = {
      [WS_NOT_REFUSED] = "not-refused",
      [WS_NO_MEMORY] = "no-memory",
      [WS_NO_RELOCATIONS] = "no-relocations",
      [WS_RELOCATIONS_MISSING] = "relocations-missing",
      [WS_CHANGED_AFTER_LINKING] = "changed-after-linking",
      [WS_UNKNOWN_POINTER] = "unknown-pointer",
  };
  return names[refusal];
}

// Where the export of that name is in the table, or where it would be.
static uint32_t *export_slot(const struct ws_module *module, struct ws_slice name) {
  size_t at = ws_slice_hash(name) & (module->export_slot_count - 1);
  while (module->export_slots[at] &&
         !ws_slice_equal(module->exports[module->export_slots[at] - 1].name, name))
    at = (at + 1) & (module->export_slot_count - 1);
  return &module->export_slots[at];
}

bool ws_index_exports(struct ws_module *module) {
  size_t count = 2;
  while (count < 2 * module->export_count)
    count *= 2;
  module->export_slots = ws_arena_new(&module->arena, count, sizeof *module->export_slots);
  module->export_slot_count = count;
  for (size_t i = 0; i < module->export_count && module->export_slots; i++)
    *export_slot(module, module->exports[i].name) = (uint32_t)i + 1;
  return module->export_slots != NULL;
}

const struct ws_export *ws_find_export(const struct ws_module *module, struct ws_slice name) {
  uint32_t found = module->export_slots ? *export_slot(module, name) : 0;
  return found ? &module->exports[found - 1] : NULL;
}

bool ws_add_fixup(struct ws_section *section, struct ws_fixup fixup) {
  struct ws_fixup *fixups =
      ws_make_room(section->fixups, section->fixup_count, &section->fixup_capacity, sizeof *fixups);
  if (!fixups)
    return false;
  section->fixups = fixups;
  section->fixups[section->fixup_count++] = fixup;
  return true;
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

struct ws_slice ws_function_body(const struct ws_module *module, uint32_t index) {
  const struct ws_function *function = &module->functions[index];
  const struct ws_section *code = ws_section(module, WS_SECTION_CODE);
  return (struct ws_slice){code->content.data + function->offset, function->size};
}

uint32_t ws_function_at(const struct ws_module *module, uint32_t offset) {
  uint32_t low = 0, high = module->function_count;
  while (low < high) {
    uint32_t middle = low + (high - low) / 2;
    if (module->functions[middle].offset + module->functions[middle].size <= offset)
      low = middle + 1;
    else
      high = middle;
  }
  return low < module->function_count && module->functions[low].offset <= offset ? low : UINT32_MAX;
}

bool ws_is_link_metadata(const struct ws_module *module, const struct ws_section *section) {
  if (section->id != WS_SECTION_CUSTOM)
    return false;
  if (module->has_linking &&
      (ws_slice_is(section->name, "linking") || ws_slice_starts(section->name, "reloc.")))
    return true;
  return module->prepared && ws_slice_is(section->name, "wasmshare");
}

const struct ws_linker_symbol *ws_linker_symbol(struct ws_slice name) {
  static const struct ws_linker_symbol symbols[] = {
      {"__stack_pointer", true, WS_BASE_STACK_HIGH},
      {"__stack_high", true, WS_BASE_STACK_HIGH},
      {"__stack_low", true, WS_BASE_STACK_LOW},
      {"__heap_base", true, WS_BASE_HEAP_BASE},
      {"__heap_end", true, WS_BASE_HEAP_END},
      {"__data_end", true, WS_BASE_MEMORY},
      {"__global_base", true, WS_BASE_MEMORY},
      {"__dso_handle", true, WS_BASE_MEMORY},
      {"__memory_base", true, WS_BASE_MEMORY},
      {"__wasm_init_memory_flag", true, WS_BASE_MEMORY},
      {"__table_base", true, WS_BASE_TABLE},
      {"__tls_size", false, WS_BASE_MEMORY},
      {"__tls_align", false, WS_BASE_MEMORY},
      {"__wasm_first_page_end", false, WS_BASE_MEMORY}, // the page size, wherever the module is
  };
  for (size_t i = 0; i < sizeof symbols / sizeof *symbols; i++)
    if (ws_slice_is(name, symbols[i].name))
      return &symbols[i];
  return NULL;
}

// lld/wasm/SymbolTable.cpp, addOptionalDataSymbol and addSyntheticDataSymbol
bool ws_is_linkers_symbol(const struct ws_symbol *symbol) {
  const uint32_t flags = WS_SYMBOL_ABSOLUTE | WS_SYMBOL_HIDDEN;
  return symbol->kind == WS_SYMBOL_DATA && (symbol->flags & flags) == flags;
}

const struct ws_symbol *ws_absolute_symbol(const struct ws_module *module, const char *name) {
  for (uint32_t i = 0; i < module->symbol_count; i++)
    if (ws_is_linkers_symbol(&module->symbols[i]) && ws_slice_is(module->symbols[i].name, name))
      return &module->symbols[i];
  return NULL;
}

bool ws_got_data_symbol(struct ws_slice global, struct ws_slice *symbol) {
  static const char prefix[] = "GOT.data.internal.";
  if (!ws_slice_starts(global, prefix))
    return false;
  size_t size = sizeof prefix - 1;
  *symbol = (struct ws_slice){global.data + size, global.size - size};
  return true;
}

enum ws_bound ws_bound_of(struct ws_slice symbol, struct ws_slice *section) {
  static const char *const prefixes[] = {[WS_BOUND_START] = "__start_", [WS_BOUND_STOP] = "__stop_"};
  for (enum ws_bound bound = WS_BOUND_START; bound <= WS_BOUND_STOP; bound++) {
    size_t prefix = strlen(prefixes[bound]);
    if (ws_slice_starts(symbol, prefixes[bound])) {
      *section = (struct ws_slice){symbol.data + prefix, symbol.size - prefix};
      return bound;
    }
  }
  return WS_BOUND_NONE;
}

bool ws_has_segment(const struct ws_module *module, struct ws_slice name) {
  for (size_t i = 0; i < module->segment_count; i++)
    if (ws_slice_equal(module->segments[i].name, name))
      return true;
  return false;
}

bool ws_is_segment_bound(const struct ws_module *module, struct ws_slice name, uint64_t value) {
  enum ws_bound bound = ws_bound_of(name, &name);
  for (size_t i = 0; bound && i < module->segment_count; i++) {
    const struct ws_segment *segment = &module->segments[i];
    if (segment->placed && ws_slice_equal(segment->name, name) &&
        value == segment->address + (bound == WS_BOUND_START ? 0 : segment->bytes.size))
      return true;
  }
  return false;
}

bool ws_symbol_target(const struct ws_module *module, const struct ws_symbol *symbol, uint64_t *address,
                      enum ws_base *base) {
  *address = 0;
  if (symbol->flags & WS_SYMBOL_UNDEFINED)
    return false;
  *address = symbol->offset;
  *base = WS_BASE_MEMORY;
  if (symbol->flags & WS_SYMBOL_ABSOLUTE) {
    if (!ws_is_linkers_symbol(symbol))
      return false; // a number of the program's own
    const struct ws_linker_symbol *known = ws_linker_symbol(symbol->name);
    if (known)
      *base = known->base;
    return known ? known->moves : ws_is_segment_bound(module, symbol->name, symbol->offset);
  }
  const struct ws_segment *segment = &module->segments[symbol->index];
  *address += segment->address;
  return true;
}

const char *ws_base_name(enum ws_base base) {
  static const char *const names[] = {"memory",   "stack-low", "stack-high", "heap-base",
                                      "heap-end", "table",     "code",       "external"};
  return base < WS_BASE_COUNT ? names[base] : "?";
}

bool ws_is_function_table(const struct ws_import *import) {
  return import->kind == WS_TABLE && ws_slice_is(import->name, "__indirect_function_table");
}

uint64_t ws_memory_size(const struct ws_module *module) {
  uint64_t pages = module->memory.minimum;
  return pages > UINT64_MAX / WS_PAGE_SIZE ? UINT64_MAX : pages * WS_PAGE_SIZE;
}

uint64_t ws_linked_heap(const struct ws_module *module, bool all) {
  uint64_t size = ws_memory_size(module), base = module->info.heap_base, heap = size > base ? size - base : 0;
  return all ? heap : heap / WS_PAGE_SIZE * WS_PAGE_SIZE;
}

void ws_set_indirect_table(struct ws_module *module, uint32_t index) {
  module->indirect_table = index;
  for (size_t i = 0; i < module->element_count; i++)
    module->elements[i].indirect_table = module->elements[i].active && module->elements[i].table == index;
}

const struct ws_table *ws_indirect_table(const struct ws_module *module) {
  return module->indirect_table < module->table_count ? &module->tables[module->indirect_table] : NULL;
}

bool ws_are_elements_constant(const struct ws_module *module) {
  bool constant = true;
  for (size_t i = 0; i < module->element_count; i++)
    constant &= !module->elements[i].indirect_table || module->elements[i].constant;
  return constant;
}

const char *ws_why_table_stays(const struct ws_module *module) {
  const struct ws_table *table = ws_indirect_table(module);
  if (table && table->limits.is_64 != module->memory.is_64)
    return "has not the 64-bit indices that others have beside a 64-bit memory (link with wasm-ld 19 or "
           "newer)";
  if (module->indirect_table != module->imported_tables)
    return "is not the first table that it defines (link with -Wl,--import-table)";
  if (table && (table->initialised || table->element_type != WASM_TYPE_FUNCREF))
    return "has an initialiser, or elements of another type than funcref";
  return NULL;
}

const struct ws_import *ws_nth_import(const struct ws_module *module, uint8_t kind, uint32_t index) {
  for (size_t i = 0; i < module->import_count; i++)
    if (module->imports[i].kind == kind && index-- == 0)
      return &module->imports[i];
  return NULL;
}

uint32_t ws_count_imported_tags(const struct ws_module *module) {
  uint32_t count = 0;
  for (size_t i = 0; i < module->import_count; i++)
    count += module->imports[i].kind == WS_TAG;
  return count;
}

uint32_t ws_function_type(const struct ws_module *module, uint32_t function) {
  if (function < module->imported_functions)
    return ws_nth_import(module, WS_FUNCTION, function)->type;
  uint32_t defined = function - module->imported_functions;
  return defined < module->function_count ? module->function_types[defined] : UINT32_MAX;
}
