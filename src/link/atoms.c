#include "link/atoms.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "link/types.h"
#include "link/wrappers.h"
#include "read/memory_users.h"
#include "read/relocations.h"

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
  return ws_fail_memory(merge->error, "");
}

// ---------------------------------------------------------------------------------------- what can be merged

// Those that only declare what ref.func names are made anew.
static bool is_declarative(const struct ws_element *element) {
  return element->before.size > 0 && (element->before.data[0] & 3) == 3;
}

// Whether a function of the linker's does what is not done anew: __wasm_apply_data_relocs and its like, if
// they are not empty. What thread-local variables point to is in their data, by its relocations; what points
// to them, __wasm_init_tls notes in globals.
static bool has_own_work(const struct ws_module *module, uint32_t defined) {
  static const char init_tls_name[] = "__wasm_init_tls";
  static const char *const made_anew[] = {"__wasm_init_memory", init_tls_name, "__wasm_apply_tls_relocs",
                                          "__wasm_apply_global_tls_relocs"};
  const struct ws_function *function = &module->functions[defined];
  uint32_t index = module->imported_functions + defined;
  if (!function->synthetic || function->size <= sizeof "\x00\x0b" - 1 || // locals and the end
      (module->has_start && module->start == index))
    return false;
  for (size_t i = 0; i < sizeof made_anew / sizeof *made_anew; i++)
    if (ws_slice_is(function->name, made_anew[i]))
      return false;
  const struct ws_export *init_tls =
      ws_find_export(module, (struct ws_slice){(const uint8_t *)init_tls_name, sizeof init_tls_name - 1});
  return !(init_tls && init_tls->index == index);
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
    if (has_own_work(module, i))
      return ws_merge_fail(
          merge, index, NULL,
          "is position-independent, and its linker has written a function without a name, or one "
          "that relocates it, which cannot be merged yet: compile it without -fPIC, or link it "
          "without --strip-all");
  if (!ws_check_same_memory(module, merge->modules[0].module, merge->error))
    return false;
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

// The indices of the imports of each kind.
static bool list_imports(struct ws_merge *merge, struct ws_merge_module *into) {
  const struct ws_module *module = into->module;
  uint32_t counts[WS_TAG + 1] = {0}, *lists[WS_TAG + 1];
  for (size_t i = 0; i < module->import_count; i++)
    counts[module->imports[i].kind]++;
  for (size_t kind = 0; kind <= WS_TAG; kind++) {
    into->imports[kind] = lists[kind] = ws_arena_new(&merge->arena, counts[kind], sizeof **lists);
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
  into->tag_types = ws_arena_new(&merge->arena, into->tag_count, sizeof *into->tag_types);
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
  into->sections = ws_arena_new(&merge->arena, module->section_count, sizeof *into->sections);
  into->relocations = ws_arena_new(&merge->arena, module->section_count, sizeof *into->relocations);
  if (!into->sections || !into->relocations)
    return false;
  for (size_t i = 0; i < module->section_count; i++)
    into->sections[into->section_count++] = &module->sections[i];
  for (size_t i = 0; i < into->section_count; i++) {
    const struct ws_section *section = into->sections[i];
    if (section->id != WS_SECTION_CUSTOM || !ws_slice_starts(section->name, "reloc."))
      continue;
    struct ws_reader reader = ws_reader(section->content);
    uint32_t target = ws_read_uleb32(&reader);
    if (!reader.bad && target < into->section_count)
      into->relocations[target] = section;
  }
  return true;
}

// Numbers the items of all modules on; false if there are too many.
static bool number_items(struct ws_merge *merge) {
  uint64_t functions = 0, globals = 0, tables = 0, tags = 0, symbols = 0, types = 0;
  for (size_t i = 0; i < merge->module_count; i++) {
    struct ws_merge_module *into = &merge->modules[i];
    const struct ws_module *module = into->module;
    into->constructors = ws_constructors_of(module);
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
  merge->function_count += WS_SYNTHETIC_COUNT + 2 * (uint32_t)merge->module_count;
  merge->functions = ws_arena_new(&merge->arena, merge->function_count, sizeof *merge->functions);
  merge->globals = ws_arena_new(&merge->arena, merge->global_count, sizeof *merge->globals);
  merge->tables = ws_arena_new(&merge->arena, merge->table_count, sizeof *merge->tables);
  merge->tags = ws_arena_new(&merge->arena, merge->tag_count, sizeof *merge->tags);
  merge->symbols = ws_arena_new(&merge->arena, merge->symbol_count, sizeof *merge->symbols);
  if (!merge->functions || !merge->globals || !merge->tables || !merge->tags || !merge->symbols)
    return false;
  for (uint32_t i = merge->first_synthetic; i < merge->function_count; i++)
    merge->functions[i] = (struct ws_merge_function){.index = WS_NOTHING, .one = i};
  for (uint32_t m = 0; m < merge->module_count; m++) {
    const struct ws_merge_module *from = &merge->modules[m];
    const struct ws_module *module = from->module;
    for (int grows = 0; grows < 2; grows++)
      merge->functions[ws_merge_view_function(merge, m, grows)].module = m;
    for (uint32_t i = 0; i < module->imported_functions + module->function_count; i++)
      merge->functions[from->first_function + i] =
          (struct ws_merge_function){.module = m, .index = i, .one = WS_NOTHING};
    for (uint32_t i = 0; (i = ws_next_like_memory_user(module, i)) < module->function_count; i++)
      merge->functions[from->first_function + module->imported_functions + i].uses_memory_size =
          ws_uses_memory_size(module, i);
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
  if (a->end != b->end)
    return a->end < b->end ? -1 : 1;
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

// The variables that something refers to, or may from elsewhere.
static void note_referred(const struct ws_module *module, bool *referred) {
  for (uint32_t i = 0; i < module->symbol_count; i++)
    referred[i] = (module->symbols[i].flags & (WS_SYMBOL_LOCAL | WS_SYMBOL_NO_STRIP)) != WS_SYMBOL_LOCAL;
  for (int id = WS_SECTION_CODE; id <= WS_SECTION_DATA; id++) {
    struct ws_relocations relocations = ws_relocations_of(module, (enum ws_section_id)id);
    for (; relocations.count > 0; relocations.list++, relocations.count--)
      if (relocations.list->type != R_WASM_TYPE_INDEX_LEB && relocations.list->index < module->symbol_count)
        referred[relocations.list->index] = true;
  }
}

// Whether there are symbols in the segment that nothing refers to, nor to those that overlap them.
static bool has_orphans(const bool *referred, uint32_t segment, const struct place *place,
                        const struct place *end) {
  uint64_t covered = 0;
  bool found = false;
  for (; place < end && place->segment == segment; place++) {
    if (place->offset >= covered) {
      if (found)
        break;
      found = true;
    }
    found &= !referred[place->symbol];
    covered = place->end > covered ? place->end : covered;
  }
  return found;
}

// Cuts one segment at its symbols. Symbols that overlap are of one atom, and what follows a symbol's end is
// of its atom. A symbol without a size may be the end of what comes before it, as assembly has it, or the
// start of what comes after: these stay together. So does all of a segment with something that nothing refers
// to: linkers keep that in a section with other symbols, from which it is reached, or if they keep
// everything.
static void split_segment(struct ws_merge *merge, uint32_t module, uint32_t segment, const bool *referred,
                          const struct place **places, const struct place *end) {
  const struct ws_merge_module *from = &merge->modules[module];
  const struct ws_segment *in = &from->module->segments[segment];
  bool whole = is_c_identifier(in->name) || has_orphans(referred, segment, *places, end);
  uint64_t covered = 0, label = UINT64_MAX; // where the last symbol without a size was
  add_datum(merge, module, segment, 0);
  for (; *places < end && (*places)->segment == segment; ++*places) {
    const struct place *place = *places;
    struct ws_merge_datum *last = &merge->data[merge->datum_count - 1];
    if (place->end == place->offset)
      label = place->offset;
    if (!whole && place->offset > last->offset && place->offset >= covered && place->offset != label) {
      last->size = (uint32_t)place->offset - last->offset;
      add_datum(merge, module, segment, place->offset);
      last = &merge->data[merge->datum_count - 1];
    }
    covered = place->end > covered ? place->end : covered;
    merge->symbols[from->first_symbol + place->symbol] = (struct ws_edge){
        .kind = WS_EDGE_DATUM, .target = merge->datum_count - 1, .addend = place->offset - last->offset};
  }
}

static bool split_data(struct ws_merge *merge) {
  size_t most = 0;
  for (size_t m = 0; m < merge->module_count; m++)
    most += merge->modules[m].module->segment_count + merge->modules[m].module->symbol_count;
  merge->data = ws_arena_new(&merge->arena, most, sizeof *merge->data);
  struct place *places = malloc((most + 1) * sizeof *places);
  bool *referred = ws_arena_new(&merge->arena, most, sizeof *referred);
  if (!merge->data || !places || !referred) {
    free(places);
    return ws_merge_fail_memory(merge);
  }
  for (uint32_t m = 0; m < merge->module_count; m++) {
    struct ws_merge_module *from = &merge->modules[m];
    size_t count = 0;
    for (uint32_t i = 0; i < from->module->symbol_count; i++) {
      const struct ws_symbol *symbol = &from->module->symbols[i];
      if (ws_is_datum_symbol(symbol))
        places[count++] = (struct place){symbol->index, i, symbol->offset, symbol->offset + symbol->size};
    }
    if (count)
      qsort(places, count, sizeof *places, compare_places);
    note_referred(from->module, referred);
    const struct place *next = places;
    from->first_datum = merge->datum_count;
    for (uint32_t i = 0; i < from->module->segment_count; i++)
      split_segment(merge, m, i, referred, &next, places + count);
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
  merge->segments = ws_arena_new(&merge->arena, merge->datum_count, sizeof *merge->segments);
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
      merge->segments[merge->segment_count++] = (struct ws_merge_segment){.name = name,
                                                                          .head = WS_NOTHING,
                                                                          .tls = from->tls,
                                                                          .whole = is_c_identifier(name),
                                                                          .zero = ws_slice_is(name, ".bss")};
    merge->segments[*at].zero &=
        ws_slice_is_zero((struct ws_slice){from->bytes.data + datum->offset, datum->size});
    datum->output = *at;
    datum->next = WS_NOTHING;
    struct ws_merge_segment *segment = &merge->segments[*at];
    if (segment->head == WS_NOTHING)
      segment->head = i;
    else
      merge->data[segment->tail].next = i;
    segment->tail = i;
  }
  return true;
}

// ------------------------------------------------------------------------------------------------------- all

bool ws_merge_read(struct ws_merge *merge, const struct ws_merge_input *inputs, size_t count) {
  merge->modules = ws_arena_new(&merge->arena, count, sizeof *merge->modules);
  if (!merge->modules)
    return ws_merge_fail_memory(merge);
  merge->module_count = count;
  merge->is_64 = inputs[0].module->info.memory64;
  merge->shared = inputs[0].module->info.shared;
  merge->indirect_table = merge->stack_pointer = merge->tls_base = merge->start = WS_NOTHING;
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
  return ws_merge_find_targets(merge) && ws_merge_read_edges(merge) && ws_merge_order_constructors(merge);
}

void ws_merge_free(struct ws_merge *merge) {
  ws_map_free(&merge->segment_names);
  ws_map_free(&merge->type_numbers);
  free(merge->edges);
  free(merge->types);
  free(merge->slots);
  ws_arena_free(&merge->arena);
}
