#include "link/atoms.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "read/instructions.h"

enum { WASM_INIT_FUNCS = 6 }; // linking.md: subsections of "linking"

bool ws_merge_fail(const struct ws_merge *merge, uint32_t module, const char *section, const char *format,
                   ...) {
  char message[sizeof merge->error->message];
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(message, sizeof message, format, arguments);
  va_end(arguments);
  return ws_fail(merge->error, merge->modules[module].module->file, section, WS_NO_OFFSET, "%s", message);
}

bool ws_merge_fail_memory(const struct ws_merge *merge) {
  return ws_fail_memory(merge->error, NULL);
}

// ---------------------------------------------------------------------------------------- what can be merged

// Those that only declare what ref.func names are made anew.
static bool is_declarative(const struct ws_element *element) {
  return element->before.size > 0 && (element->before.data[0] & 3) == 3;
}

static bool check_module(const struct ws_merge *merge, uint32_t index) {
  const struct ws_module *module = merge->modules[index].module;
  const struct ws_module_info *info = &module->info;
  if (!info->exact) {
    *merge->error = info->inexact;
    return false;
  }
  if (module->prepared)
    return ws_merge_fail(merge, index, NULL,
                         "was prepared, so its relocations are gone: give the linker's own output");
  if (!info->has_relocations)
    return ws_merge_fail(merge, index, NULL,
                         "has no relocations, so its indices cannot be renumbered: link it with "
                         "-Wl,--emit-relocs (rustc: -Clink-arg=--emit-relocs)");
  for (uint32_t i = 0; i < module->function_count; i++)
    if (ws_slice_starts(module->functions[i].name, "__wasm_apply_") &&
        module->functions[i].size > sizeof "\x00\x0b" - 1) // no locals, and the end
      return ws_merge_fail(merge, index, NULL,
                           "is position-independent and has threads, so that its globals are made for each "
                           "thread, which cannot be merged yet: compile it without -fPIC");
  if (module->function_count && !module->types)
    return ws_merge_fail(merge, index, "TYPE",
                         "has types that are no function types, which cannot be merged yet");
  if (info->memory64 != merge->is_64 || info->shared != merge->shared)
    return ws_merge_fail(merge, index, NULL, "does not mix with %s: one has a %s memory, the other does not",
                         merge->modules[0].module->file,
                         info->memory64 != merge->is_64 ? "64-bit" : "shared");
  for (size_t i = 0; i < module->element_count; i++)
    if (!module->elements[i].indirect_table && !is_declarative(&module->elements[i]))
      return ws_merge_fail(merge, index, "ELEMENT",
                           "has elements of another table than that of function pointers, which cannot be "
                           "merged yet");
  for (size_t i = 0; i < module->type_count; i++) {
    struct ws_slice lists[] = {module->types[i].parameters, module->types[i].results};
    for (size_t k = 0; k < 2; k++)
      for (size_t at = 0; at < lists[k].size; at++)
        if (lists[k].data[at] == WASM_TYPE_NULLABLE || lists[k].data[at] == WASM_TYPE_NONNULLABLE)
          return ws_merge_fail(merge, index, "TYPE",
                               "has a function type that names another type, which cannot be merged yet");
  }
  return true;
}

// ------------------------------------------------------------------------------------------------- numbering

static void *new_array(struct ws_merge *merge, size_t count, size_t size) {
  return ws_arena_new(&merge->arena, count, size);
}

// The indices of the imports of each kind.
static bool list_imports(struct ws_merge *merge, struct ws_merge_module *into) {
  const struct ws_module *module = into->module;
  uint32_t counts[WS_TAG + 1] = {0}, *lists[WS_TAG + 1];
  for (size_t i = 0; i < module->import_count; i++)
    counts[module->imports[i].kind]++;
  for (size_t kind = 0; kind <= WS_TAG; kind++) {
    into->imports[kind] = lists[kind] = new_array(merge, counts[kind], sizeof **lists);
    if (!lists[kind])
      return false;
  }
  for (size_t i = 0; i < module->import_count; i++)
    *lists[module->imports[i].kind]++ = (uint32_t)i;
  into->imported_tags = counts[WS_TAG];
  return true;
}

// Core specification, 5.5.16: the tag section.
static bool read_tags(struct ws_merge *merge, uint32_t index) {
  struct ws_merge_module *into = &merge->modules[index];
  const struct ws_section *section = ws_section(into->module, WS_SECTION_TAG);
  struct ws_reader reader = ws_reader(section ? section->content : (struct ws_slice){0});
  uint32_t defined = section ? ws_read_uleb32(&reader) : 0;
  if (defined > ws_read_left(&reader))
    return ws_merge_fail(merge, index, "TAG", "malformed section");
  into->tag_count = into->imported_tags + defined;
  into->tag_types = new_array(merge, into->tag_count, sizeof *into->tag_types);
  if (!into->tag_types)
    return ws_merge_fail_memory(merge);
  for (uint32_t i = 0; i < into->tag_count && !reader.bad; i++) {
    bool imported = i < into->imported_tags;
    struct ws_reader import = {0};
    if (imported)
      import = ws_reader(into->module->imports[into->imports[WS_TAG][i]].detail);
    struct ws_reader *from = imported ? &import : &reader;
    if (ws_read_u8(from) != 0)
      from->bad = true;
    into->tag_types[i] = ws_read_uleb32(from);
    if (from->bad || into->tag_types[i] >= into->module->type_count)
      return ws_merge_fail(merge, index, "TAG", "has a tag of a type that does not exist");
  }
  return !reader.bad || ws_merge_fail(merge, index, "TAG", "malformed section");
}

static bool list_sections(struct ws_merge *merge, struct ws_merge_module *into) {
  const struct ws_module *module = into->module;
  into->sections = new_array(merge, module->section_count, sizeof *into->sections);
  if (!into->sections)
    return false;
  for (size_t i = 0; i < module->section_count; i++)
    if (!module->sections[i].added)
      into->sections[into->section_count++] = &module->sections[i];
  return true;
}

// Numbers the items of all modules on; false if there are too many.
static bool number_items(struct ws_merge *merge) {
  uint64_t functions = 0, globals = 0, tables = 0, tags = 0, symbols = 0, types = 0;
  for (size_t i = 0; i < merge->module_count; i++) {
    struct ws_merge_module *into = &merge->modules[i];
    const struct ws_module *module = into->module;
    into->first_function = (uint32_t)functions;
    into->first_global = (uint32_t)globals;
    into->first_table = (uint32_t)tables;
    into->first_tag = (uint32_t)tags;
    into->first_symbol = (uint32_t)symbols;
    into->first_type = (uint32_t)types;
    functions += (uint64_t)module->imported_functions + module->function_count;
    globals += module->global_count;
    tables += module->table_count;
    tags += into->tag_count;
    symbols += module->symbol_count;
    types += module->type_count;
  }
  uint64_t counts[] = {functions, globals, tables, tags, symbols, types};
  for (size_t i = 0; i < sizeof counts / sizeof *counts; i++)
    if (counts[i] > INT32_MAX)
      return false;
  merge->function_count = (uint32_t)functions;
  merge->global_count = (uint32_t)globals;
  merge->table_count = (uint32_t)tables;
  merge->tag_count = (uint32_t)tags;
  merge->symbol_count = (uint32_t)symbols;
  merge->type_count = (uint32_t)types;
  return true;
}

static bool make_items(struct ws_merge *merge) {
  merge->first_synthetic = merge->function_count;
  merge->function_count += WS_SYNTHETIC_COUNT;
  merge->functions = new_array(merge, merge->function_count, sizeof *merge->functions);
  merge->globals = new_array(merge, merge->global_count, sizeof *merge->globals);
  merge->tables = new_array(merge, merge->table_count, sizeof *merge->tables);
  merge->tags = new_array(merge, merge->tag_count, sizeof *merge->tags);
  merge->symbols = new_array(merge, merge->symbol_count, sizeof *merge->symbols);
  if (!merge->functions || !merge->globals || !merge->tables || !merge->tags || !merge->symbols)
    return false;
  for (uint32_t i = merge->first_synthetic; i < merge->function_count; i++)
    merge->functions[i] = (struct ws_merge_function){.index = WS_NOTHING, .one = i};
  for (uint32_t m = 0; m < merge->module_count; m++) {
    const struct ws_merge_module *from = &merge->modules[m];
    const struct ws_module *module = from->module;
    for (uint32_t i = 0; i < module->imported_functions + module->function_count; i++)
      merge->functions[from->first_function + i] =
          (struct ws_merge_function){.module = m, .index = i, .one = WS_NOTHING};
    for (uint32_t i = 0; i < module->global_count; i++)
      merge->globals[from->first_global + i] =
          (struct ws_merge_global){.module = m, .index = i, .one = WS_NOTHING};
    for (uint32_t i = 0; i < module->table_count; i++)
      merge->tables[from->first_table + i] =
          (struct ws_merge_item){.module = m, .index = i, .one = WS_NOTHING};
    for (uint32_t i = 0; i < from->tag_count; i++)
      merge->tags[from->first_tag + i] = (struct ws_merge_item){.module = m, .index = i, .one = WS_NOTHING};
  }
  return true;
}

// ------------------------------------------------------------------------------------------------ data atoms

// A data symbol, to be sorted by place.
struct place {
  uint32_t segment, symbol;
  uint64_t offset, end;
};

static int compare_places(const void *left, const void *right) {
  const struct place *a = left, *b = right;
  if (a->segment != b->segment)
    return a->segment < b->segment ? -1 : 1;
  if (a->offset != b->offset)
    return a->offset < b->offset ? -1 : 1;
  return a->symbol < b->symbol ? -1 : a->symbol > b->symbol;
}

static bool is_c_identifier(struct ws_slice name) {
  for (size_t i = 0; i < name.size; i++) {
    uint8_t c = name.data[i];
    bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
    if (!letter && !(i > 0 && c >= '0' && c <= '9'))
      return false;
  }
  return name.size > 0;
}

static uint64_t alignment_at(const struct ws_segment *segment, uint64_t offset) {
  uint64_t largest = UINT64_C(1) << segment->alignment, low = offset & (0 - offset);
  return offset == 0 || low > largest ? largest : low;
}

static void add_datum(struct ws_merge *merge, uint32_t module, uint32_t segment, uint64_t offset) {
  const struct ws_segment *in = &merge->modules[module].module->segments[segment];
  merge->data[merge->datum_count++] = (struct ws_merge_datum){.module = module,
                                                              .segment = segment,
                                                              .offset = (uint32_t)offset,
                                                              .size = (uint32_t)(in->bytes.size - offset),
                                                              .alignment = alignment_at(in, offset)};
}

// Cuts one segment at its symbols. Symbols that overlap are of one atom, and what follows a symbol's end is
// of its atom.
static void split_segment(struct ws_merge *merge, uint32_t module, uint32_t segment,
                          const struct place **places, const struct place *end) {
  const struct ws_merge_module *from = &merge->modules[module];
  const struct ws_segment *in = &from->module->segments[segment];
  bool whole = is_c_identifier(in->name);
  uint64_t covered = 0;
  add_datum(merge, module, segment, 0);
  for (; *places < end && (*places)->segment == segment; ++*places) {
    const struct place *place = *places;
    struct ws_merge_datum *last = &merge->data[merge->datum_count - 1];
    if (!whole && place->offset > last->offset && place->offset >= covered &&
        place->offset < in->bytes.size) {
      last->size = (uint32_t)place->offset - last->offset;
      add_datum(merge, module, segment, place->offset);
      last = &merge->data[merge->datum_count - 1];
    }
    covered = place->end > covered ? place->end : covered;
    merge->symbols[from->first_symbol + place->symbol] = (struct ws_edge){
        .kind = WS_EDGE_DATUM, .target = merge->datum_count - 1, .addend = place->offset - last->offset};
  }
}

static bool is_datum_symbol(const struct ws_symbol *symbol) {
  return symbol->kind == WS_SYMBOL_DATA && !(symbol->flags & (WS_SYMBOL_UNDEFINED | WS_SYMBOL_ABSOLUTE));
}

static bool split_data(struct ws_merge *merge) {
  uint64_t most = 0;
  for (size_t m = 0; m < merge->module_count; m++)
    most += merge->modules[m].module->segment_count + merge->modules[m].module->symbol_count;
  merge->data = new_array(merge, most, sizeof *merge->data);
  struct place *places = malloc((most + 1) * sizeof *places);
  if (!merge->data || !places) {
    free(places);
    return ws_merge_fail_memory(merge);
  }
  for (uint32_t m = 0; m < merge->module_count; m++) {
    struct ws_merge_module *from = &merge->modules[m];
    size_t count = 0;
    for (uint32_t i = 0; i < from->module->symbol_count; i++) {
      const struct ws_symbol *symbol = &from->module->symbols[i];
      if (is_datum_symbol(symbol))
        places[count++] = (struct place){symbol->index, i, symbol->offset, symbol->offset + symbol->size};
    }
    if (count)
      qsort(places, count, sizeof *places, compare_places);
    const struct place *next = places;
    from->first_datum = merge->datum_count;
    for (uint32_t i = 0; i < from->module->segment_count; i++)
      split_segment(merge, m, i, &next, places + count);
    from->datum_count = merge->datum_count - from->first_datum;
  }
  free(places);
  return true;
}

// ------------------------------------------------------------------------------------------- output segments

// Segments are put together by what comes before the second dot, as wasm-ld does (lld/wasm/Writer.cpp,
// getOutputDataSegmentName).
static struct ws_slice output_name(const struct ws_segment *segment) {
  static const char *const names[] = {".tdata", ".tbss", ".text", ".data", ".bss", ".rodata"};
  if (segment->tls)
    return (struct ws_slice){(const uint8_t *)".tdata", 6};
  for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
    size_t size = strlen(names[i]);
    if (ws_slice_starts(segment->name, names[i]) &&
        (segment->name.size == size || segment->name.data[size] == '.'))
      return (struct ws_slice){(const uint8_t *)names[i], size};
  }
  return segment->name;
}

static bool make_segments(struct ws_merge *merge) {
  merge->segments = new_array(merge, merge->datum_count, sizeof *merge->segments);
  if (!merge->segments)
    return ws_merge_fail_memory(merge);
  for (uint32_t i = 0; i < merge->datum_count; i++) {
    struct ws_merge_datum *datum = &merge->data[i];
    const struct ws_segment *from = &merge->modules[datum->module].module->segments[datum->segment];
    struct ws_slice name = output_name(from);
    uint32_t *at = ws_map_add(&merge->segment_names, name, merge->segment_count);
    if (!at)
      return ws_merge_fail_memory(merge);
    if (*at == merge->segment_count)
      merge->segments[merge->segment_count++] = (struct ws_merge_segment){
          .name = name, .tls = from->tls, .whole = is_c_identifier(name), .zero = ws_slice_is(name, ".bss")};
    merge->segments[*at].zero &=
        ws_slice_is_zero((struct ws_slice){from->bytes.data + datum->offset, datum->size});
    datum->output = *at;
  }
  return true;
}

// --------------------------------------------------------------------------------------------------- symbols

static const struct {
  const char *name;
  enum ws_merge_symbol symbol;
} linker_symbols[] = {
    {"__memory_base", WS_MERGE_ZERO},
    {"__table_base", WS_MERGE_TABLE_BASE},
    {"__stack_low", WS_MERGE_STACK_LOW},
    {"__stack_high", WS_MERGE_STACK_HIGH},
    {"__stack_pointer", WS_MERGE_STACK_HIGH},
    {"__global_base", WS_MERGE_DATA_START},
    {"__dso_handle", WS_MERGE_DATA_START},
    {"__data_end", WS_MERGE_DATA_END},
    {"__heap_base", WS_MERGE_HEAP_BASE},
    {"__heap_end", WS_MERGE_HEAP_END},
    {"__tls_base", WS_MERGE_TLS_BASE},
    {"__tls_size", WS_MERGE_TLS_SIZE},
    {"__tls_align", WS_MERGE_TLS_ALIGN},
    {"__wasm_first_page_end", WS_MERGE_FIRST_PAGE_END},
    {"__wasm_init_memory_flag", WS_MERGE_INIT_FLAG},
};

static struct ws_edge linker_edge(const struct ws_merge *merge, struct ws_slice name) {
  for (size_t i = 0; i < sizeof linker_symbols / sizeof *linker_symbols; i++)
    if (ws_slice_is(name, linker_symbols[i].name))
      return (struct ws_edge){.kind = WS_EDGE_LINKER, .target = linker_symbols[i].symbol};
  bool start = ws_slice_starts(name, "__start_");
  if (start || ws_slice_starts(name, "__stop_")) {
    size_t prefix = strlen(start ? "__start_" : "__stop_");
    const uint32_t *segment =
        ws_map_find(&merge->segment_names, (struct ws_slice){name.data + prefix, name.size - prefix});
    if (segment)
      return (struct ws_edge){.kind = start ? WS_EDGE_START : WS_EDGE_STOP, .target = *segment};
  }
  return (struct ws_edge){.kind = WS_EDGE_NONE};
}

// What a symbol names in its own module.
static void set_symbol(struct ws_merge *merge, uint32_t m, uint32_t index) {
  const struct ws_merge_module *from = &merge->modules[m];
  const struct ws_symbol *symbol = &from->module->symbols[index];
  struct ws_edge *edge = &merge->symbols[from->first_symbol + index];
  switch (symbol->kind) {
  case WS_SYMBOL_FUNCTION:
    *edge = (struct ws_edge){.kind = WS_EDGE_FUNCTION, .target = from->first_function + symbol->index};
    break;
  case WS_SYMBOL_GLOBAL:
    *edge = (struct ws_edge){.kind = WS_EDGE_GLOBAL, .target = from->first_global + symbol->index};
    break;
  case WS_SYMBOL_TABLE:
    *edge = (struct ws_edge){.kind = WS_EDGE_TABLE, .target = from->first_table + symbol->index};
    break;
  case WS_SYMBOL_TAG:
    if (symbol->index < from->tag_count)
      *edge = (struct ws_edge){.kind = WS_EDGE_TAG, .target = from->first_tag + symbol->index};
    break;
  case WS_SYMBOL_DATA:
    if (symbol->flags & WS_SYMBOL_ABSOLUTE)
      *edge = linker_edge(merge, symbol->name);
    break; // others: split_data
  default:
    break;
  }
}

// -------------------------------------------------------------------------------------- what stands for what

// For each item, the symbol that its module knows it by, the first that is not local.
struct known {
  uint32_t *functions, *globals, *tables, *tags;
};

static void note_known(const struct ws_merge *merge, uint32_t m, uint32_t *known, uint32_t target,
                       uint32_t index) {
  const struct ws_merge_module *from = &merge->modules[m];
  if (known[target] == WS_NOTHING || ((from->module->symbols[known[target]].flags & WS_SYMBOL_LOCAL) &&
                                      !(from->module->symbols[index].flags & WS_SYMBOL_LOCAL)))
    known[target] = index;
}

static bool find_known(struct ws_merge *merge, struct known *known) {
  uint32_t **lists[] = {&known->functions, &known->globals, &known->tables, &known->tags};
  uint32_t counts[] = {merge->function_count, merge->global_count, merge->table_count, merge->tag_count};
  for (size_t i = 0; i < 4; i++) {
    *lists[i] = new_array(merge, counts[i], sizeof **lists[i]);
    if (!*lists[i])
      return ws_merge_fail_memory(merge);
    memset(*lists[i], 0xff, counts[i] * sizeof **lists[i]);
  }
  for (uint32_t m = 0; m < merge->module_count; m++) {
    const struct ws_merge_module *from = &merge->modules[m];
    for (uint32_t i = 0; i < from->module->symbol_count; i++) {
      const struct ws_edge *edge = &merge->symbols[from->first_symbol + i];
      uint32_t *list = edge->kind == WS_EDGE_FUNCTION ? known->functions
                       : edge->kind == WS_EDGE_GLOBAL ? known->globals
                       : edge->kind == WS_EDGE_TABLE  ? known->tables
                       : edge->kind == WS_EDGE_TAG    ? known->tags
                                                      : NULL;
      if (list)
        note_known(merge, m, list, edge->target, i);
    }
  }
  return true;
}

// How items are found while it is not yet known what stands for each.
struct resolver {
  struct ws_merge *merge;
  struct known known;
  struct ws_map host; // imports of the host, by their names and types
};

static struct ws_one_symbol one_of(const struct ws_merge *merge, uint32_t m, uint32_t symbol) {
  const struct ws_merge_input *input = &merge->modules[m].input;
  return input->one_of ? input->one_of[symbol] : (struct ws_one_symbol){m, symbol};
}

static const uint8_t kind_of_edge[] = {[WS_EDGE_FUNCTION] = WS_FUNCTION,
                                       [WS_EDGE_GLOBAL] = WS_GLOBAL,
                                       [WS_EDGE_TABLE] = WS_TABLE,
                                       [WS_EDGE_TAG] = WS_TAG};

// An item before it is resolved.
struct item {
  uint32_t module, index, *one;
  const struct ws_import *import; // NULL if it is defined
  size_t import_index;
  uint32_t symbol; // or WS_NOTHING
};

static struct item get_item(const struct resolver *resolver, enum ws_edge_kind kind, uint32_t number) {
  struct ws_merge *merge = resolver->merge;
  struct item item = {.symbol = WS_NOTHING};
  const struct ws_merge_module *from;
  uint32_t imported = 0;
  switch (kind) {
  case WS_EDGE_FUNCTION: {
    struct ws_merge_function *function = &merge->functions[number];
    item = (struct item){
        function->module, function->index, &function->one, NULL, 0, resolver->known.functions[number]};
    imported = merge->modules[item.module].module->imported_functions;
    break;
  }
  case WS_EDGE_GLOBAL: {
    struct ws_merge_global *global = &merge->globals[number];
    item =
        (struct item){global->module, global->index, &global->one, NULL, 0, resolver->known.globals[number]};
    imported = merge->modules[item.module].module->imported_globals;
    break;
  }
  case WS_EDGE_TABLE: {
    struct ws_merge_item *table = &merge->tables[number];
    item = (struct item){table->module, table->index, &table->one, NULL, 0, resolver->known.tables[number]};
    imported = merge->modules[item.module].module->imported_tables;
    break;
  }
  default: {
    struct ws_merge_item *tag = &merge->tags[number];
    item = (struct item){tag->module, tag->index, &tag->one, NULL, 0, resolver->known.tags[number]};
    imported = merge->modules[item.module].imported_tags;
    break;
  }
  }
  from = &merge->modules[item.module];
  if (item.index < imported) {
    item.import_index = from->imports[kind_of_edge[kind]][item.index];
    item.import = &from->module->imports[item.import_index];
  }
  return item;
}

static uint32_t first_of_kind(const struct ws_merge_module *from, uint8_t kind) {
  return kind == WS_FUNCTION ? from->first_function
         : kind == WS_GLOBAL ? from->first_global
         : kind == WS_TABLE  ? from->first_table
                             : from->first_tag;
}

// The first import of the host that is the same.
static uint32_t host_import(struct resolver *resolver, const struct item *item, uint32_t number) {
  struct ws_merge *merge = resolver->merge;
  const struct ws_module *module = merge->modules[item->module].module;
  struct ws_buffer key = {0};
  ws_put_u8(&key, item->import->kind);
  ws_put_name(&key, item->import->module);
  ws_put_name(&key, item->import->name);
  uint32_t type = item->import->kind == WS_FUNCTION ? item->import->type
                  : item->import->kind == WS_TAG    ? merge->modules[item->module].tag_types[item->index]
                                                    : WS_NOTHING;
  if (type < module->type_count) {
    ws_put_name(&key, module->types[type].parameters);
    ws_put_name(&key, module->types[type].results);
  }
  struct ws_slice kept = ws_buffer_keep(&key, &merge->arena);
  uint32_t *first = kept.data ? ws_map_add(&resolver->host, kept, number) : NULL;
  return first ? *first : WS_NOTHING;
}

static bool is_stack_pointer(const struct ws_module *module, uint32_t index, const struct ws_import *import) {
  const struct ws_global *global = &module->globals[index];
  if (import)
    return ws_slice_is(import->module, "env") && ws_slice_is(import->name, "__stack_pointer");
  return global->moves && global->base == WS_BASE_STACK_HIGH && global->mutable;
}

static struct ws_slice defined_name(const struct ws_module *module, uint32_t index) {
  if (index < module->imported_functions)
    return (struct ws_slice){(const uint8_t *)"", 0};
  return module->functions[index - module->imported_functions].name;
}

// The function that is made anew in place of one that the linker made, or WS_NOTHING.
static uint32_t synthetic_for(const struct ws_merge *merge, const struct ws_module *module, uint32_t index) {
  static const char *const names[] = {[WS_CALL_CTORS] = "__wasm_call_ctors",
                                      [WS_INIT_MEMORY] = "__wasm_init_memory",
                                      [WS_INIT_TLS] = "__wasm_init_tls"};
  struct ws_slice name = defined_name(module, index);
  for (uint32_t i = 0; i < WS_SYNTHETIC_COUNT; i++)
    if (ws_slice_is(name, names[i]))
      return merge->first_synthetic + i;
  return WS_NOTHING;
}

// What is one in every link: the stack pointer, the thread's block, the function table. WS_NOTHING for
// others.
static uint32_t single_item(struct ws_merge *merge, enum ws_edge_kind kind, const struct item *item,
                            uint32_t number) {
  const struct ws_module *module = merge->modules[item->module].module;
  uint32_t *single = NULL;
  if (kind == WS_EDGE_FUNCTION && !item->import)
    return synthetic_for(merge, module, item->index);
  if (kind == WS_EDGE_GLOBAL && is_stack_pointer(module, item->index, item->import))
    single = &merge->stack_pointer;
  else if (kind == WS_EDGE_GLOBAL && !item->import &&
           ws_slice_is(module->globals[item->index].name, "__tls_base"))
    single = &merge->tls_base;
  else if (kind == WS_EDGE_TABLE && item->index == module->indirect_table)
    single = &merge->indirect_table;
  if (!single)
    return WS_NOTHING;
  if (*single == WS_NOTHING)
    *single = number;
  return *single;
}

// Follows imports and what stands for what, to the item that is in the merged module.
static bool resolve(struct resolver *resolver, enum ws_edge_kind kind, uint32_t number, uint32_t *one) {
  struct ws_merge *merge = resolver->merge;
  uint32_t at = number;
  for (size_t steps = 0; steps <= 2 * merge->module_count + 2; steps++) {
    struct item item = get_item(resolver, kind, at);
    if (*item.one != WS_NOTHING) {
      *one = *item.one;
      return true;
    }
    uint32_t single = single_item(merge, kind, &item, at);
    if (single != WS_NOTHING) {
      *one = single;
      return true;
    }
    if (item.symbol != WS_NOTHING) {
      struct ws_one_symbol other = one_of(merge, item.module, item.symbol);
      const struct ws_edge *edge = &merge->symbols[merge->modules[other.module].first_symbol + other.symbol];
      if (edge->kind != kind)
        return ws_merge_fail(merge, item.module, "linking", "symbol %u stands for something of another kind",
                             item.symbol);
      if (edge->target != at) {
        at = edge->target;
        continue;
      }
    }
    if (!item.import) {
      *one = at;
      return true;
    }
    size_t from = merge->modules[item.module].input.from[item.import_index];
    if (from == WS_HOST) {
      *one = host_import(resolver, &item, at);
      return *one != WS_NOTHING || ws_merge_fail_memory(merge);
    }
    const struct ws_merge_module *exporter = &merge->modules[from];
    const struct ws_export *export = ws_find_export(exporter->module, item.import->name);
    if (!export || export->kind != item.import->kind)
      return ws_merge_fail(merge, item.module, "IMPORT", "imports what is not exported");
    at = first_of_kind(exporter, export->kind) + export->index;
  }
  return ws_merge_fail(merge, 0, "IMPORT", "imports what is imported in a cycle");
}

static bool same_function_type(const struct ws_merge *merge, uint32_t a, uint32_t b) {
  const struct ws_type *types[2];
  uint32_t functions[] = {a, b};
  for (size_t i = 0; i < 2; i++) {
    const struct ws_merge_function *function = &merge->functions[functions[i]];
    const struct ws_merge_module *from = &merge->modules[function->module];
    const struct ws_module *module = from->module;
    uint32_t type = function->index < module->imported_functions
                        ? module->imports[from->imports[WS_FUNCTION][function->index]].type
                        : module->function_types[function->index - module->imported_functions];
    if (type >= module->type_count)
      return false;
    types[i] = &module->types[type];
  }
  return ws_slice_equal(types[0]->parameters, types[1]->parameters) &&
         ws_slice_equal(types[0]->results, types[1]->results);
}

static bool resolve_functions(struct resolver *resolver) {
  struct ws_merge *merge = resolver->merge;
  for (uint32_t i = 0; i < merge->first_synthetic; i++) {
    struct ws_merge_function *function = &merge->functions[i];
    uint32_t one = i;
    if (!resolve(resolver, WS_EDGE_FUNCTION, i, &one))
      return false;
    function->one = one;
    if (one != i && one < merge->first_synthetic && !same_function_type(merge, one, i)) {
      char name[128];
      ws_printable(ws_merge_function_name(merge, i), name, sizeof name);
      return ws_merge_fail(merge, function->module, NULL, "has another type of the function %s than %s", name,
                           merge->modules[merge->functions[one].module].module->file);
    }
  }
  return true;
}

static bool resolve_items(struct ws_merge *merge) {
  struct resolver resolver = {.merge = merge};
  bool ok = find_known(merge, &resolver.known) && resolve_functions(&resolver);
  for (uint32_t i = 0; ok && i < merge->global_count; i++) {
    uint32_t one = i;
    ok = resolve(&resolver, WS_EDGE_GLOBAL, i, &one);
    merge->globals[i].one = one;
  }
  for (uint32_t i = 0; ok && i < merge->table_count; i++) {
    uint32_t one = i;
    ok = resolve(&resolver, WS_EDGE_TABLE, i, &one);
    merge->tables[i].one = one;
  }
  for (uint32_t i = 0; ok && i < merge->tag_count; i++) {
    uint32_t one = i;
    ok = resolve(&resolver, WS_EDGE_TAG, i, &one);
    merge->tags[i].one = one;
  }
  ws_map_free(&resolver.host);
  return ok;
}

// The symbols' own targets become those of what stands for them.
static bool resolve_symbols(struct ws_merge *merge) {
  struct ws_edge *resolved = new_array(merge, merge->symbol_count, sizeof *resolved);
  if (!resolved)
    return ws_merge_fail_memory(merge);
  for (uint32_t m = 0; m < merge->module_count; m++) {
    const struct ws_merge_module *from = &merge->modules[m];
    for (uint32_t i = 0; i < from->module->symbol_count; i++) {
      struct ws_one_symbol one = one_of(merge, m, i);
      struct ws_edge edge = merge->symbols[merge->modules[one.module].first_symbol + one.symbol];
      if (edge.kind == WS_EDGE_FUNCTION)
        edge.target = merge->functions[edge.target].one;
      else if (edge.kind == WS_EDGE_GLOBAL)
        edge.target = merge->globals[edge.target].one;
      else if (edge.kind == WS_EDGE_TABLE)
        edge.target = merge->tables[edge.target].one;
      else if (edge.kind == WS_EDGE_TAG)
        edge.target = merge->tags[edge.target].one;
      resolved[from->first_symbol + i] = edge;
    }
  }
  merge->symbols = resolved;
  return true;
}

uint32_t ws_merge_function_at(const struct ws_merge *merge, uint32_t module, uint32_t index) {
  return merge->functions[merge->modules[module].first_function + index].one;
}

struct ws_slice ws_merge_function_name(const struct ws_merge *merge, uint32_t function) {
  const struct ws_merge_function *named = &merge->functions[function];
  const struct ws_merge_module *from = &merge->modules[named->module];
  if (named->index < from->module->imported_functions)
    return from->module->imports[from->imports[WS_FUNCTION][named->index]].name;
  return from->module->functions[named->index - from->module->imported_functions].name;
}

bool ws_is_command_wrapper(const struct ws_module *module, uint32_t index) {
  static const char suffix[] = ".command_export";
  struct ws_slice name = defined_name(module, index);
  size_t size = sizeof suffix - 1;
  return name.size > size && memcmp(name.data + name.size - size, suffix, size) == 0;
}

// ----------------------------------------------------------------------------------------------------- edges

// A function that has no entry in its module's table is null where its address is taken: it is weak, and the
// linker has written a stub for it.
static bool is_null(const struct ws_merge *merge, uint32_t m, const struct ws_relocation *relocation,
                    uint64_t operand, uint32_t target) {
  const struct ws_merge_module *from = &merge->modules[m];
  uint32_t own = from->module->symbols[relocation->index].index, function;
  if (ws_relocation_kinds[relocation->type].operand == WS_REL_TABLE_INDEX_REL)
    operand += from->module->info.table_base;
  return target == from->first_function + own &&
         !(ws_table_function(from->module, operand, &function) && function == own);
}

// A thread-local variable is named by its offset in the thread's block, or by its address if there is only
// one thread.
static bool is_tls_offset(const struct ws_symbol *symbol, const struct ws_relocation *relocation,
                          uint64_t operand) {
  uint64_t mask = ws_encoding_is_64(ws_relocation_kinds[relocation->type].encoding) ? UINT64_MAX : UINT32_MAX;
  return is_datum_symbol(symbol) && (symbol->flags & WS_SYMBOL_TLS) &&
         operand == ((symbol->offset + relocation->addend) & mask);
}

struct ws_edge ws_merge_edge(const struct ws_merge *merge, uint32_t m, const struct ws_relocation *relocation,
                             uint64_t operand) {
  const struct ws_merge_module *from = &merge->modules[m];
  struct ws_edge edge = {.kind = WS_EDGE_NONE};
  enum ws_relocated what = ws_relocation_kinds[relocation->type].operand;
  if (what == WS_REL_TYPE_INDEX) {
    edge.kind = WS_EDGE_TYPE;
    edge.target = from->first_type + relocation->index;
  } else if (relocation->index < from->module->symbol_count) {
    edge = merge->symbols[from->first_symbol + relocation->index];
    edge.addend += relocation->addend;
    if ((what == WS_REL_TABLE_INDEX || what == WS_REL_TABLE_INDEX_REL) &&
        is_null(merge, m, relocation, operand, edge.target))
      edge.kind = WS_EDGE_NONE;
    if (is_tls_offset(&from->module->symbols[relocation->index], relocation, operand) &&
        edge.kind == WS_EDGE_DATUM)
      edge.kind = WS_EDGE_TLS;
    if (what == WS_REL_GLOBAL_INDEX && edge.kind != WS_EDGE_GLOBAL)
      edge = (struct ws_edge){.kind = WS_EDGE_GLOBAL,
                              .target = operand < from->module->global_count
                                            ? merge->globals[from->first_global + operand].one
                                            : 0};
  }
  edge.type = relocation->type;
  edge.offset = relocation->offset;
  return edge;
}

// What a GOT global holds is said by the symbols of those who use it.
static void note_got(struct ws_merge *merge, uint32_t m, const struct ws_relocation *relocation,
                     uint64_t operand) {
  const struct ws_merge_module *from = &merge->modules[m];
  if (ws_relocation_kinds[relocation->type].operand != WS_REL_GLOBAL_INDEX ||
      relocation->index >= from->module->symbol_count || operand >= from->module->global_count ||
      from->module->symbols[relocation->index].kind == WS_SYMBOL_GLOBAL)
    return;
  struct ws_merge_global *global = &merge->globals[from->first_global + operand];
  if (from->module->globals[operand].imported || global->constant)
    return;
  struct ws_relocation held = {.type = merge->is_64 ? R_WASM_TABLE_INDEX_I64 : R_WASM_TABLE_INDEX_I32,
                               .index = relocation->index};
  uint64_t value = from->module->globals[operand].init.value;
  if (from->module->symbols[relocation->index].kind == WS_SYMBOL_DATA)
    held.type = merge->is_64 ? R_WASM_MEMORY_ADDR_I64 : R_WASM_MEMORY_ADDR_I32;
  global->init = ws_merge_edge(merge, m, &held, value);
  global->constant = global->init.kind != WS_EDGE_NONE;
}

static bool add_edge(struct ws_merge *merge, size_t *capacity, const struct ws_edge *edge) {
  struct ws_edge *edges = ws_make_room(merge->edges, merge->edge_count, capacity, sizeof *edges);
  if (!edges)
    return ws_merge_fail_memory(merge);
  merge->edges = edges;
  merge->edges[merge->edge_count++] = *edge;
  return true;
}

const struct ws_section *ws_merge_relocations(const struct ws_merge *merge, uint32_t module,
                                              const struct ws_section *section) {
  const struct ws_merge_module *from = &merge->modules[module];
  for (size_t i = 0; i < from->section_count; i++) {
    const struct ws_section *relocations = from->sections[i];
    if (relocations->id != WS_SECTION_CUSTOM || !ws_slice_starts(relocations->name, "reloc."))
      continue;
    struct ws_reader reader = ws_reader(relocations->content);
    uint32_t target = ws_read_uleb32(&reader);
    if (!reader.bad && target < from->section_count && from->sections[target] == section)
      return relocations;
  }
  return NULL;
}

// Reads the relocations of the code or of the data.
static bool read_edges(struct ws_merge *merge, uint32_t m, enum ws_section_id id, size_t *capacity) {
  const struct ws_merge_module *from = &merge->modules[m];
  const struct ws_section *target = ws_section(from->module, id);
  const struct ws_section *section = target ? ws_merge_relocations(merge, m, target) : NULL;
  if (!section)
    return true;
  struct ws_reader reader = ws_reader(section->content);
  ws_read_uleb32(&reader);
  uint32_t count = ws_read_uleb32(&reader);
  for (uint32_t i = 0; i < count && reader.at < reader.end && !reader.bad; i++) {
    struct ws_relocation relocation = ws_read_relocation(&reader);
    uint64_t operand;
    ws_operand_get(target->content.data + relocation.offset, ws_relocation_kinds[relocation.type].encoding,
                   &operand);
    note_got(merge, m, &relocation, operand);
    struct ws_edge edge = ws_merge_edge(merge, m, &relocation, operand);
    if (!add_edge(merge, capacity, &edge))
      return false;
  }
  return true;
}

// Gives each function and each datum its part of the edges, which are in order of place.
static void assign_code_edges(struct ws_merge *merge, uint32_t m, size_t first, size_t end) {
  const struct ws_merge_module *from = &merge->modules[m];
  size_t at = first;
  for (uint32_t i = 0; i < from->module->function_count; i++) {
    const struct ws_function *body = &from->module->functions[i];
    struct ws_merge_function *function =
        &merge->functions[from->first_function + from->module->imported_functions + i];
    while (at < end && merge->edges[at].offset < body->offset)
      at++;
    function->first_edge = (uint32_t)at;
    while (at < end && merge->edges[at].offset < body->offset + body->size)
      at++;
    function->edge_count = (uint32_t)at - function->first_edge;
  }
}

static void assign_data_edges(struct ws_merge *merge, uint32_t m, size_t first, size_t end) {
  const struct ws_merge_module *from = &merge->modules[m];
  size_t at = first;
  for (uint32_t i = 0; i < from->datum_count; i++) {
    struct ws_merge_datum *datum = &merge->data[from->first_datum + i];
    uint64_t start = (uint64_t)from->module->segments[datum->segment].bytes_offset + datum->offset;
    while (at < end && merge->edges[at].offset < start)
      at++;
    datum->first_edge = (uint32_t)at;
    while (at < end && merge->edges[at].offset < start + datum->size)
      at++;
    datum->edge_count = (uint32_t)at - datum->first_edge;
  }
}

// A wrapper of an export, which the linker made, has no relocations: its calls are decoded.
struct wrapper {
  struct ws_merge *merge;
  struct ws_merge_function *function;
  size_t *capacity;
  bool ok;
};

static void add_call(void *context, const struct ws_operand *operand) {
  struct wrapper *wrapper = context;
  const struct ws_module *module = wrapper->merge->modules[wrapper->function->module].module;
  if (operand->space != WS_SPACE_FUNCTION ||
      operand->value >= (uint64_t)module->imported_functions + module->function_count)
    return;
  struct ws_edge edge = {
      .kind = WS_EDGE_FUNCTION,
      .type = R_WASM_FUNCTION_INDEX_LEB,
      .offset = operand->offset,
      .target = ws_merge_function_at(wrapper->merge, wrapper->function->module, (uint32_t)operand->value)};
  wrapper->ok = wrapper->ok && add_edge(wrapper->merge, wrapper->capacity, &edge);
  wrapper->function->edge_count++;
}

static bool read_wrapper(struct ws_merge *merge, struct ws_merge_function *function, size_t *capacity) {
  const struct ws_module *module = merge->modules[function->module].module;
  struct wrapper wrapper = {merge, function, capacity, true};
  struct ws_operand_visitor visitor = {add_call, &wrapper};
  struct ws_reader body = ws_reader(ws_function_body(module, function->index - module->imported_functions));
  function->first_edge = (uint32_t)merge->edge_count;
  ws_visit_locals(&body, NULL);
  while (!body.bad && body.at < body.end && wrapper.ok)
    ws_visit_instruction(&body, &visitor);
  if (body.bad)
    return ws_merge_fail(merge, function->module, "CODE", "has a malformed function");
  return wrapper.ok;
}

static bool read_wrappers(struct ws_merge *merge, size_t *capacity) {
  for (uint32_t i = 0; i < merge->first_synthetic; i++) {
    struct ws_merge_function *function = &merge->functions[i];
    if (function->one == i && function->edge_count == 0 &&
        ws_is_command_wrapper(merge->modules[function->module].module, function->index) &&
        !read_wrapper(merge, function, capacity))
      return false;
  }
  return true;
}

static bool read_all_edges(struct ws_merge *merge) {
  size_t capacity = 0;
  for (uint32_t m = 0; m < merge->module_count; m++) {
    size_t code = merge->edge_count;
    if (!read_edges(merge, m, WS_SECTION_CODE, &capacity))
      return false;
    size_t data = merge->edge_count;
    if (!read_edges(merge, m, WS_SECTION_DATA, &capacity))
      return false;
    if (merge->edge_count > UINT32_MAX)
      return ws_merge_fail_memory(merge);
    assign_code_edges(merge, m, code, data);
    assign_data_edges(merge, m, data, merge->edge_count);
  }
  return read_wrappers(merge, &capacity);
}

// --------------------------------------------------------------------------------------------------- globals

// Notes what a global holds, if it is known.
static void set_init(const struct ws_merge *merge, struct ws_merge_global *global, struct ws_edge edge) {
  edge.type = edge.kind == WS_EDGE_FUNCTION
                  ? (merge->is_64 ? R_WASM_TABLE_INDEX_I64 : R_WASM_TABLE_INDEX_I32)
                  : (merge->is_64 ? R_WASM_MEMORY_ADDR_I64 : R_WASM_MEMORY_ADDR_I32);
  global->init = edge;
  global->constant = edge.kind != WS_EDGE_NONE;
}

// A global that the linker made to export an address.
static bool explain_by_export(struct ws_merge *merge, uint32_t m, const struct ws_map *names,
                              const struct ws_export *export) {
  const struct ws_merge_module *from = &merge->modules[m];
  const struct ws_global *is = &from->module->globals[export->index];
  struct ws_merge_global *global = &merge->globals[from->first_global + export->index];
  if (is->imported || global->constant || is->init.kind == WS_CONSTANT_OTHER || is->mutable)
    return true;
  const uint32_t *symbol = ws_map_find(names, export->name);
  struct ws_relocation none = {.type = merge->is_64 ? R_WASM_MEMORY_ADDR_I64 : R_WASM_MEMORY_ADDR_I32};
  struct ws_edge edge =
      symbol ? merge->symbols[from->first_symbol + *symbol] : linker_edge(merge, export->name);
  if (symbol && edge.kind == WS_EDGE_DATUM &&
      is_tls_offset(&from->module->symbols[*symbol], &none, is->init.value))
    edge.kind = WS_EDGE_TLS;
  if (edge.kind == WS_EDGE_NONE && is->moves)
    return ws_merge_fail(merge, m, "GLOBAL", "exports an address for which there is no symbol");
  set_init(merge, global, edge);
  return true;
}

// The data symbols that are not local, by name.
static bool name_data(const struct ws_module *module, struct ws_map *names) {
  for (uint32_t i = 0; i < module->symbol_count; i++) {
    const struct ws_symbol *symbol = &module->symbols[i];
    if (symbol->kind == WS_SYMBOL_DATA && !(symbol->flags & (WS_SYMBOL_UNDEFINED | WS_SYMBOL_LOCAL)) &&
        !ws_map_add(names, symbol->name, i))
      return false;
  }
  return true;
}

static void explain_by_name(struct ws_merge *merge, uint32_t m, uint32_t index) {
  const struct ws_global *is = &merge->modules[m].module->globals[index];
  struct ws_merge_global *global = &merge->globals[merge->modules[m].first_global + index];
  if (is->imported || global->constant || is->init.kind == WS_CONSTANT_OTHER || is->name.size == 0)
    return;
  struct ws_slice name = is->name;
  ws_got_data_symbol(is->name, &name);
  set_init(merge, global, linker_edge(merge, name));
}

static bool explain_globals(struct ws_merge *merge) {
  bool ok = true;
  for (uint32_t m = 0; m < merge->module_count && ok; m++) {
    const struct ws_module *module = merge->modules[m].module;
    for (uint32_t i = 0; i < module->global_count; i++)
      explain_by_name(merge, m, i);
    struct ws_map names = {0};
    ok = name_data(module, &names) || ws_merge_fail_memory(merge);
    for (size_t i = 0; i < module->export_count && ok; i++)
      if (module->exports[i].kind == WS_GLOBAL)
        ok = explain_by_export(merge, m, &names, &module->exports[i]);
    ws_map_free(&names);
  }
  return ok;
}

// ---------------------------------------------------------------------------------------------- constructors

struct constructor {
  uint32_t priority, function;
  size_t order;
};

static int compare_constructors(const void *left, const void *right) {
  const struct constructor *a = left, *b = right;
  if (a->priority != b->priority)
    return a->priority < b->priority ? -1 : 1;
  return a->order < b->order ? -1 : a->order > b->order;
}

struct constructors {
  struct constructor *items;
  size_t count, capacity;
};

static bool read_init_functions(struct ws_merge *merge, uint32_t m, struct ws_reader *reader,
                                struct constructors *list) {
  const struct ws_merge_module *from = &merge->modules[m];
  uint32_t count = ws_read_uleb32(reader);
  for (uint32_t i = 0; i < count && !reader->bad; i++) {
    uint32_t priority = ws_read_uleb32(reader), symbol = ws_read_uleb32(reader);
    if (reader->bad || symbol >= from->module->symbol_count ||
        merge->symbols[from->first_symbol + symbol].kind != WS_EDGE_FUNCTION)
      return ws_merge_fail(merge, m, "linking", "names a constructor that does not exist");
    struct constructor *items = ws_make_room(list->items, list->count, &list->capacity, sizeof *items);
    if (!items)
      return ws_merge_fail_memory(merge);
    list->items = items;
    items[list->count] =
        (struct constructor){priority, merge->symbols[from->first_symbol + symbol].target, list->count};
    list->count++;
  }
  return !reader->bad || ws_merge_fail(merge, m, "linking", "malformed section");
}

static bool find_constructors(struct ws_merge *merge, uint32_t m, struct constructors *list) {
  const struct ws_section *section = ws_custom_section(merge->modules[m].module, "linking");
  struct ws_reader reader = ws_reader(section->content);
  ws_read_uleb32(&reader); // version
  while (!reader.bad && reader.at < reader.end) {
    uint8_t kind = ws_read_u8(&reader);
    struct ws_reader part = ws_reader(ws_read_name(&reader));
    if (!reader.bad && kind == WASM_INIT_FUNCS && !read_init_functions(merge, m, &part, list))
      return false;
  }
  return true;
}

// By priority, then in link order; one that is of several modules runs once.
static bool order_constructors(struct ws_merge *merge) {
  struct constructors list = {0};
  bool ok = true;
  for (uint32_t m = 0; m < merge->module_count && ok; m++)
    ok = find_constructors(merge, m, &list);
  if (ok && list.count)
    qsort(list.items, list.count, sizeof *list.items, compare_constructors);
  bool *seen = calloc(merge->function_count + 1, sizeof *seen);
  merge->constructors = new_array(merge, list.count, sizeof *merge->constructors);
  if (ok && (!merge->constructors || !seen))
    ok = ws_merge_fail_memory(merge);
  for (size_t i = 0; i < list.count && ok; i++) {
    uint32_t function = list.items[i].function;
    if (!seen[function])
      merge->constructors[merge->constructor_count++] = function;
    seen[function] = true;
  }
  free(seen);
  free(list.items);
  return ok;
}

// ------------------------------------------------------------------------------------------------------- all

bool ws_merge_read(struct ws_merge *merge, const struct ws_merge_input *inputs, size_t count) {
  merge->modules = new_array(merge, count, sizeof *merge->modules);
  if (!merge->modules)
    return ws_merge_fail_memory(merge);
  merge->module_count = count;
  merge->is_64 = inputs[0].module->info.memory64;
  merge->shared = inputs[0].module->info.shared;
  merge->indirect_table = merge->stack_pointer = merge->tls_base = WS_NOTHING;
  for (uint32_t i = 0; i < count; i++) {
    merge->modules[i].module = inputs[i].module;
    merge->modules[i].input = inputs[i];
    if (!check_module(merge, i))
      return false;
    if (!list_imports(merge, &merge->modules[i]) || !list_sections(merge, &merge->modules[i]))
      return ws_merge_fail_memory(merge);
    if (!read_tags(merge, i))
      return false;
  }
  if (!number_items(merge) || !make_items(merge))
    return ws_merge_fail_memory(merge);
  if (!split_data(merge) || !make_segments(merge))
    return false;
  for (uint32_t m = 0; m < count; m++)
    for (uint32_t i = 0; i < inputs[m].module->symbol_count; i++)
      set_symbol(merge, m, i);
  return resolve_items(merge) && resolve_symbols(merge) && read_all_edges(merge) && explain_globals(merge) &&
         order_constructors(merge);
}

void ws_merge_free(struct ws_merge *merge) {
  ws_map_free(&merge->segment_names);
  ws_map_free(&merge->type_numbers);
  free(merge->edges);
  free(merge->types);
  free(merge->slots);
  ws_arena_free(&merge->arena);
}
