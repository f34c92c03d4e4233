// The custom sections of a merged module: those of one name are put together.
#include <stdlib.h>

#include "write/single_sections.h"
#include "write/view_functions.h"

enum { WASM_NAMES_DATA_SEGMENT = 9 }; // subsections of "name"

// ----------------------------------------------------------------------------------------------------- names

// Names by number in the merged module; those without one are empty.
struct names {
  struct ws_slice *functions, *globals;
  bool any;
};

static void note_name(const struct ws_merge *merge, struct names *names, uint32_t m, uint8_t kind,
                      uint32_t index, struct ws_slice name) {
  const struct ws_merge_module *from = &merge->modules[m];
  const struct ws_module *module = from->module;
  if (kind == WASM_NAMES_FUNCTION && index < (uint64_t)module->imported_functions + module->function_count) {
    const struct ws_merge_function *function = &merge->functions[from->first_function + index];
    if (function->live)
      names->functions[function->number] = name;
  } else if (kind == WASM_NAMES_GLOBAL && index < module->global_count) {
    const struct ws_merge_global *global = &merge->globals[from->first_global + index];
    if (global->live)
      names->globals[global->number] = name;
  }
}

static void read_names(const struct ws_merge *merge, uint32_t m, struct names *names) {
  const struct ws_section *section = ws_custom_section(merge->modules[m].module, "name");
  struct ws_reader reader = ws_reader(section ? section->content : (struct ws_slice){0});
  while (!reader.bad && reader.at < reader.end) {
    uint8_t kind = ws_read_u8(&reader);
    struct ws_reader part = ws_reader(ws_read_name(&reader));
    if (reader.bad || (kind != WASM_NAMES_FUNCTION && kind != WASM_NAMES_GLOBAL))
      continue;
    names->any = true;
    uint32_t count = ws_read_uleb32(&part);
    for (uint32_t i = 0; i < count && !part.bad; i++) {
      uint32_t index = ws_read_uleb32(&part);
      struct ws_slice name = ws_read_name(&part);
      if (!part.bad)
        note_name(merge, names, m, kind, index, name);
    }
  }
}

// A subsection: what has a name, by number.
static void put_name_map(struct ws_buffer *out, uint8_t kind, const struct ws_slice *names, uint32_t count) {
  struct ws_buffer map = {0};
  uint32_t named = 0;
  for (uint32_t i = 0; i < count; i++)
    named += names[i].size > 0;
  if (!named)
    return;
  ws_put_uleb(&map, named);
  for (uint32_t i = 0; i < count; i++) {
    if (!names[i].size)
      continue;
    ws_put_uleb(&map, i);
    ws_put_name(&map, names[i]);
  }
  ws_put_u8(out, kind);
  ws_put_uleb(out, map.size);
  ws_put_bytes(out, map.data, map.size);
  out->failed |= map.failed;
  ws_buffer_free(&map);
}

static bool put_segment_names(struct ws_merge *merge, struct ws_buffer *out) {
  struct ws_slice *names = ws_arena_new(&merge->arena, merge->segment_count, sizeof *names);
  if (!names)
    return false;
  uint32_t count = 0;
  for (uint32_t i = 0; i < merge->segment_count; i++)
    if (ws_single_is_written(&merge->segments[i]))
      names[count++] = merge->segments[i].name;
  put_name_map(out, WASM_NAMES_DATA_SEGMENT, names, count);
  return true;
}

static void name_global(const struct ws_merge *merge, struct names *names, uint32_t global,
                        const char *name) {
  if (global != WS_NOTHING && merge->globals[global].live)
    names->globals[merge->globals[global].number] = ws_slice_of(name);
}

// What is made anew, or stands for one of every module, is called what linkers call it.
static void name_made(const struct ws_merge *merge, struct names *names) {
  for (uint32_t i = 0; i < WS_SYNTHETIC_COUNT; i++)
    if (merge->functions[merge->first_synthetic + i].live)
      names->functions[merge->functions[merge->first_synthetic + i].number] =
          ws_slice_of(ws_synthetic_names[i]);
  for (uint32_t i = merge->first_synthetic + WS_SYNTHETIC_COUNT; i < merge->function_count; i++)
    if (merge->functions[i].live)
      names->functions[merge->functions[i].number] = ws_slice_of(
          i == ws_merge_view_function(merge, merge->functions[i].module, true) ? WS_VIEW_GROW_NAME
                                                                               : WS_VIEW_SIZE_NAME);
  name_global(merge, names, merge->stack_pointer, "__stack_pointer");
  name_global(merge, names, merge->tls_base, "__tls_base");
}

static bool give_names(struct ws_single_writer *writer) {
  struct ws_merge *merge = writer->merge;
  struct names names = {.functions =
                            ws_arena_new(&merge->arena, merge->functions_used, sizeof *names.functions),
                        .globals = ws_arena_new(&merge->arena, merge->globals_used, sizeof *names.globals)};
  struct ws_buffer content = {0};
  if (!names.functions || !names.globals)
    return false;
  for (uint32_t m = 0; m < merge->module_count; m++)
    read_names(merge, m, &names);
  if (!names.any)
    return true;
  name_made(merge, &names);
  put_name_map(&content, WASM_NAMES_FUNCTION, names.functions, merge->functions_used);
  put_name_map(&content, WASM_NAMES_GLOBAL, names.globals, merge->globals_used);
  bool ok = put_segment_names(merge, &content);
  ws_give_custom(writer, ws_slice_of("name"), &content);
  return ok;
}

// ------------------------------------------------------------------------------------------------- producers

// tool-conventions, ProducersSection.md: fields, each a list of names and versions. Of one tool, the version
// that was named first.
struct producers {
  struct ws_merge *merge;
  struct producer_field {
    struct ws_slice name;
    struct ws_buffer values;
    uint32_t count;
  } fields[8];
  size_t count;
  struct ws_map seen;
};

static struct producer_field *find_field(struct producers *producers, struct ws_slice name) {
  for (size_t i = 0; i < producers->count; i++)
    if (ws_slice_equal(producers->fields[i].name, name))
      return &producers->fields[i];
  if (producers->count == sizeof producers->fields / sizeof *producers->fields)
    return NULL; // there are three
  producers->fields[producers->count] = (struct producer_field){.name = name};
  return &producers->fields[producers->count++];
}

static void add_producer(struct producers *producers, struct producer_field *field, struct ws_slice name,
                         struct ws_slice version) {
  struct ws_buffer key = {0};
  ws_put_name(&key, field->name);
  ws_put_name(&key, name);
  struct ws_slice kept = ws_buffer_keep(&key, &producers->merge->arena);
  size_t before = producers->seen.count;
  if (!kept.data || !ws_map_add(&producers->seen, kept, 0)) {
    field->values.failed = true;
    return;
  }
  if (producers->seen.count == before)
    return;
  ws_put_name(&field->values, name);
  ws_put_name(&field->values, version);
  field->count++;
}

static void read_producers(struct producers *producers, struct ws_slice content) {
  struct ws_reader reader = ws_reader(content);
  uint32_t fields = ws_read_uleb32(&reader);
  for (uint32_t i = 0; i < fields && !reader.bad; i++) {
    struct ws_slice name = ws_read_name(&reader);
    uint32_t values = ws_read_uleb32(&reader);
    struct producer_field *field = reader.bad ? NULL : find_field(producers, name);
    for (uint32_t k = 0; k < values && !reader.bad; k++) {
      struct ws_slice value = ws_read_name(&reader), version = ws_read_name(&reader);
      if (field && !reader.bad)
        add_producer(producers, field, value, version);
    }
  }
}

static void give_producers(struct ws_single_writer *writer) {
  struct ws_merge *merge = writer->merge;
  struct producers producers = {.merge = merge};
  for (size_t m = 0; m < merge->module_count; m++) {
    const struct ws_section *section = ws_custom_section(merge->modules[m].module, "producers");
    if (section)
      read_producers(&producers, section->content);
  }
  struct ws_buffer content = {0};
  ws_put_uleb(&content, producers.count);
  for (size_t i = 0; i < producers.count; i++) {
    struct producer_field *field = &producers.fields[i];
    ws_put_name(&content, field->name);
    ws_put_uleb(&content, field->count);
    ws_put_bytes(&content, field->values.data, field->values.size);
    content.failed |= field->values.failed;
    ws_buffer_free(&field->values);
  }
  if (producers.count)
    ws_give_custom(writer, ws_slice_of("producers"), &content);
  ws_buffer_free(&content);
  ws_map_free(&producers.seen);
}

// -------------------------------------------------------------------------------------------------- features

static int compare_slices(const void *left, const void *right) {
  return ws_slice_compare(*(const struct ws_slice *)left, *(const struct ws_slice *)right);
}

// Linking.md: the features that are used, each with its prefix.
static bool give_features(struct ws_single_writer *writer) {
  struct ws_merge *merge = writer->merge;
  struct ws_map seen = {0};
  bool ok = true;
  for (size_t m = 0; m < merge->module_count; m++) {
    const struct ws_section *section = ws_custom_section(merge->modules[m].module, "target_features");
    struct ws_reader reader = ws_reader(section ? section->content : (struct ws_slice){0});
    uint32_t count = section ? ws_read_uleb32(&reader) : 0;
    for (uint32_t i = 0; i < count && !reader.bad; i++) {
      const uint8_t *at = reader.at;
      ws_read_u8(&reader);
      ws_read_name(&reader);
      if (!reader.bad)
        ok = ok && ws_map_add(&seen, (struct ws_slice){at, (size_t)(reader.at - at)}, 0);
    }
  }
  struct ws_slice *features = ws_arena_new(&merge->arena, seen.count, sizeof *features);
  size_t count = 0;
  for (size_t i = 0; i < seen.capacity && features; i++)
    if (seen.entries[i].key.data)
      features[count++] = seen.entries[i].key;
  if (count) {
    qsort(features, count, sizeof *features, compare_slices);
    struct ws_buffer content = {0};
    ws_put_uleb(&content, count);
    for (size_t i = 0; i < count; i++)
      ws_put_slice(&content, features[i]);
    ws_give_custom(writer, ws_slice_of("target_features"), &content);
  }
  ws_map_free(&seen);
  return ok && features;
}

// ------------------------------------------------------------------------------------------ with relocations

// What stands for something that is not in the module: lld/wasm/InputFiles.cpp, getTombstoneForSection. 0 if
// the addend does.
static uint64_t tombstone_of(struct ws_slice section) {
  if (ws_slice_starts(section, ".debug_ranges") || ws_slice_starts(section, ".debug_loc"))
    return UINT64_MAX - 1;
  if (ws_slice_starts(section, ".debug_") || ws_slice_starts(section, "llvm.func_attr."))
    return UINT64_MAX;
  return 0;
}

// Whether the item is in the merged module.
static bool is_live(const struct ws_merge *merge, const struct ws_edge *edge) {
  switch ((enum ws_edge_kind)edge->kind) {
  case WS_EDGE_FUNCTION:
    return merge->functions[edge->target].live &&
           (ws_relocation_kinds[edge->type].operand == WS_REL_FUNCTION_INDEX ||
            merge->functions[edge->target].slot);
  case WS_EDGE_DATUM:
  case WS_EDGE_TLS:
    return merge->data[edge->target].live;
  case WS_EDGE_GLOBAL:
    return merge->globals[edge->target].live;
  case WS_EDGE_TABLE:
    return merge->tables[edge->target].live;
  case WS_EDGE_TAG:
    return merge->tags[edge->target].live;
  case WS_EDGE_TYPE:
    return merge->type_of[edge->target] != WS_NOTHING;
  case WS_EDGE_START:
  case WS_EDGE_STOP:
    return merge->segments[edge->target].count > 0;
  case WS_EDGE_LINKER:
    return true;
  case WS_EDGE_NONE:
    break;
  }
  return false;
}

// An offset into the code section is of the module's own copy of a function, which may have been dropped.
static bool code_offset(const struct ws_merge *merge, uint32_t m, const struct ws_relocation *relocation,
                        uint64_t *value) {
  const struct ws_merge_module *from = &merge->modules[m];
  const struct ws_module *module = from->module;
  const struct ws_symbol *symbol = &module->symbols[relocation->index];
  if (symbol->kind != WS_SYMBOL_FUNCTION || symbol->index < module->imported_functions)
    return false;
  const struct ws_merge_function *function = &merge->functions[from->first_function + symbol->index];
  *value +=
      (uint64_t)function->code_offset - module->functions[symbol->index - module->imported_functions].offset;
  return function->live;
}

// False if nothing is known of what is there. `*live` says whether it is in the merged module.
static bool relocate(const struct ws_merge *merge, uint32_t m, struct ws_slice section,
                     const struct ws_relocation *relocation, uint8_t *site, bool *live) {
  enum ws_encoding encoding = ws_relocation_kinds[relocation->type].encoding;
  enum ws_relocated what = ws_relocation_kinds[relocation->type].operand;
  uint64_t value;
  if (what == WS_REL_SECTION_OFFSET || !ws_operand_get(site, encoding, &value))
    return false;
  *live = false;
  if (tombstone_of(section) && ws_is_tombstone(encoding, value))
    return true;
  if (relocation->index >= merge->modules[m].module->symbol_count)
    return false;
  if (what == WS_REL_FUNCTION_OFFSET) {
    *live = code_offset(merge, m, relocation, &value);
  } else {
    struct ws_edge edge = ws_merge_edge(merge, m, relocation, value);
    if (edge.kind == WS_EDGE_NONE)
      return false;
    *live = is_live(merge, &edge);
    if (*live)
      value = ws_merge_value(merge, m, &edge, 0);
  }
  if (!*live)
    value = tombstone_of(section) ? tombstone_of(section) : ws_addend(relocation);
  ws_operand_put(site, encoding, value);
  return true;
}

static void note_site(struct ws_sites *sites, struct ws_buffer *out, size_t at, enum ws_encoding encoding,
                      bool live) {
  struct ws_site *items = ws_make_room(sites->items, sites->count, &sites->capacity, sizeof *items);
  out->failed |= !items;
  if (!items)
    return;
  sites->items = items;
  items[sites->count] = (struct ws_site){.at = at, .encoding = (uint8_t)encoding, .live = live};
  ws_operand_get(out->data + at, encoding, &items[sites->count++].value);
}

void ws_put_relocated(const struct ws_merge *merge, uint32_t m, size_t number, struct ws_buffer *out,
                      struct ws_sites *sites) {
  const struct ws_section *section = merge->modules[m].sections[number];
  const struct ws_section *relocations = merge->modules[m].relocations[number];
  size_t start = out->size;
  ws_put_slice(out, section->content);
  if (!relocations || out->failed)
    return;
  struct ws_reader reader = ws_reader(relocations->content);
  ws_read_uleb32(&reader);
  uint32_t count = ws_read_uleb32(&reader);
  for (uint32_t i = 0; i < count && !reader.bad && reader.at < reader.end; i++) {
    struct ws_relocation relocation = ws_read_relocation(&reader);
    size_t at = start + (size_t)relocation.offset;
    bool live;
    if (relocate(merge, m, section->name, &relocation, out->data + at, &live) && sites)
      note_site(sites, out, at, ws_relocation_kinds[relocation.type].encoding, live);
  }
}

// ---------------------------------------------------------------------------------------------------- others

// What is made anew, or would say something of one module that is not true of the merged one.
static bool is_left_out(struct ws_slice name) {
  static const char *const names[] = {"linking",
                                      "name",
                                      "producers",
                                      "target_features",
                                      "build_id",
                                      "sourceMappingURL",
                                      "external_debug_info"};
  for (size_t i = 0; i < sizeof names / sizeof *names; i++)
    if (ws_slice_is(name, names[i]))
      return true;
  return ws_slice_starts(name, "reloc.") || ws_slice_starts(name, ".debug_");
}

// The sections of one name.
struct joined {
  struct ws_slice name;
  struct ws_buffer content;
};

static bool join_others(struct ws_merge *merge, struct ws_map *names, struct joined *list) {
  for (uint32_t m = 0; m < merge->module_count; m++) {
    for (size_t i = 0; i < merge->modules[m].section_count; i++) {
      const struct ws_section *section = merge->modules[m].sections[i];
      if (section->id != WS_SECTION_CUSTOM || is_left_out(section->name))
        continue;
      const uint32_t *at = ws_map_add(names, section->name, (uint32_t)names->count);
      if (!at)
        return false;
      list[*at].name = section->name;
      ws_put_relocated(merge, m, i, &list[*at].content, NULL);
    }
  }
  return true;
}

// A piece of wasm-bindgen's section, with its size in four bytes before it.
static struct ws_slice read_piece(struct ws_reader *reader) {
  struct ws_slice piece = ws_read_bytes(reader, 4);
  uint64_t size = 0;
  if (!reader->bad)
    ws_operand_get(piece.data, WS_U32, &size);
  piece.size += ws_read_bytes(reader, (size_t)size).size;
  return piece;
}

// wasm-bindgen describes each crate in two pieces, a version and what the crate has, and refuses what is
// there twice: a crate that several modules have is described once, as it is where crates are linked at once.
// What cannot be read stays.
static bool describe_once(struct ws_buffer *content) {
  struct ws_reader reader = ws_reader((struct ws_slice){content->data, content->size});
  struct ws_map seen = {0};
  struct ws_buffer kept = {0};
  bool ok = true;
  while (ok && !reader.bad && reader.at < reader.end) {
    struct ws_slice description = read_piece(&reader);
    description.size += read_piece(&reader).size;
    uint32_t number = (uint32_t)seen.count;
    const uint32_t *at = reader.bad ? &number : ws_map_add(&seen, description, number);
    ok = at != NULL;
    if (ok && *at == number)
      ws_put_slice(&kept, description);
  }
  ws_map_free(&seen);
  if (!ok || reader.bad) {
    ws_buffer_free(&kept);
    return ok;
  }
  ws_buffer_free(content);
  *content = kept;
  return true;
}

static bool give_others(struct ws_single_writer *writer) {
  struct ws_merge *merge = writer->merge;
  size_t most = 0;
  for (size_t m = 0; m < merge->module_count; m++)
    most += merge->modules[m].section_count;
  struct joined *list = ws_arena_new(&merge->arena, most, sizeof *list);
  struct ws_map names = {0};
  bool ok = list && join_others(merge, &names, list);
  for (size_t i = 0; i < names.count; i++) {
    if (ws_slice_is(list[i].name, "__wasm_bindgen_unstable"))
      ok = ok && describe_once(&list[i].content);
    if (ok)
      ws_give_custom(writer, list[i].name, &list[i].content);
    else
      ws_buffer_free(&list[i].content);
  }
  ws_map_free(&names);
  return ok;
}

void ws_single_custom(struct ws_single_writer *writer) {
  if (!writer->merge->options->strip_debug)
    ws_single_dwarf(writer);
  if (!writer->ok)
    return;
  bool ok = give_others(writer) && give_names(writer);
  give_producers(writer);
  ok = ok && give_features(writer);
  if (!ok)
    writer->ok = writer->ok && ws_merge_fail_memory(writer->merge);
}
