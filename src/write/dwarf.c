// DWARF of a merged module: the modules' sections one after another. Linkers keep the relocations of
// addresses in it, but not those of offsets from one debug section into another: these are found by walking
// units and abbreviations, and moved by as much as comes before.
#include "write/dwarf.h"

#include <stdlib.h>

static const char *const section_names[WS_DEBUG_SECTIONS] = {
    [WS_DEBUG_INFO] = ".debug_info",
    [WS_DEBUG_TYPES] = ".debug_types",
    [WS_DEBUG_ABBREV] = ".debug_abbrev",
    [WS_DEBUG_LINE] = ".debug_line",
    [WS_DEBUG_LINE_STR] = ".debug_line_str",
    [WS_DEBUG_STR] = ".debug_str",
    [WS_DEBUG_STR_OFFSETS] = ".debug_str_offsets",
    [WS_DEBUG_ADDR] = ".debug_addr",
    [WS_DEBUG_RANGES] = ".debug_ranges",
    [WS_DEBUG_RNGLISTS] = ".debug_rnglists",
    [WS_DEBUG_LOC] = ".debug_loc",
    [WS_DEBUG_LOCLISTS] = ".debug_loclists",
    [WS_DEBUG_ARANGES] = ".debug_aranges",
    [WS_DEBUG_PUBNAMES] = ".debug_pubnames",
    [WS_DEBUG_PUBTYPES] = ".debug_pubtypes",
    [WS_DEBUG_GNU_PUBNAMES] = ".debug_gnu_pubnames",
    [WS_DEBUG_GNU_PUBTYPES] = ".debug_gnu_pubtypes",
    [WS_DEBUG_NAMES] = ".debug_names",
    [WS_DEBUG_MACINFO] = ".debug_macinfo",
    [WS_DEBUG_MACRO] = ".debug_macro",
};

// The length at the start of a unit, which says the size of its offsets. The reader then ends with the unit.
static bool read_length(struct ws_dwarf *dwarf, struct ws_reader *section) {
  uint64_t length = ws_dwarf_number(section, 4);
  dwarf->offset_size = 4;
  if (length == DW_LENGTH_DWARF64) {
    length = ws_dwarf_number(section, 8);
    dwarf->offset_size = 8;
  }
  if (section->bad || length > ws_read_left(section))
    return ws_dwarf_malformed(dwarf);
  dwarf->reader = ws_reader((struct ws_slice){section->at, (size_t)length});
  section->at += length;
  return true;
}

// --------------------------------------------------------------------------------------------- abbreviations

static bool add_abbreviation(struct ws_dwarf_abbreviations *list, uint64_t code) {
  struct ws_dwarf_abbreviation *items =
      ws_make_room(list->items, list->count, &list->capacity, sizeof *items);
  if (!items)
    return false;
  list->items = items;
  items[list->count++] = (struct ws_dwarf_abbreviation){code, list->attribute_count, 0};
  return true;
}

static bool add_attribute(struct ws_dwarf_abbreviations *list, struct ws_dwarf_attribute attribute) {
  struct ws_dwarf_attribute *attributes =
      ws_make_room(list->attributes, list->attribute_count, &list->attribute_capacity, sizeof *attributes);
  if (!attributes)
    return false;
  list->attributes = attributes;
  attributes[list->attribute_count++] = attribute;
  list->items[list->count - 1].count++;
  return true;
}

static bool read_abbreviations(struct ws_dwarf *dwarf, uint64_t offset) {
  struct ws_dwarf_abbreviations *list = &dwarf->abbreviations;
  if (list->read && list->offset == offset)
    return true;
  list->count = list->attribute_count = 0;
  list->read = false;
  if (offset > dwarf->sizes[WS_DEBUG_ABBREV])
    return ws_dwarf_malformed(dwarf);
  struct ws_reader reader = ws_reader(
      (struct ws_slice){dwarf->sections[WS_DEBUG_ABBREV].data + dwarf->bases[WS_DEBUG_ABBREV] + offset,
                        (size_t)(dwarf->sizes[WS_DEBUG_ABBREV] - offset)});
  for (;;) {
    uint64_t code = ws_read_uleb64(&reader);
    if (code == 0 || reader.bad)
      break;
    ws_read_uleb64(&reader); // tag
    ws_read_u8(&reader);     // whether it has children
    if (!add_abbreviation(list, code))
      return ws_dwarf_refuse(dwarf, NULL);
    for (;;) {
      uint64_t name = ws_read_uleb64(&reader), form = ws_read_uleb64(&reader);
      if (form == DW_FORM_implicit_const)
        ws_read_long_sleb64(&reader);
      if (reader.bad || (name == 0 && form == 0))
        break;
      if (name > UINT32_MAX || form > UINT32_MAX)
        return ws_dwarf_malformed(dwarf);
      if (!add_attribute(list, (struct ws_dwarf_attribute){(uint32_t)name, (uint32_t)form}))
        return ws_dwarf_refuse(dwarf, NULL);
    }
  }
  list->read = !reader.bad;
  list->offset = offset;
  return list->read || ws_dwarf_malformed(dwarf);
}

// Compilers number them from 1 on.
static const struct ws_dwarf_abbreviation *find_abbreviation(const struct ws_dwarf_abbreviations *list,
                                                             uint64_t code) {
  if (code - 1 < list->count && list->items[code - 1].code == code)
    return &list->items[code - 1];
  for (size_t i = 0; i < list->count; i++)
    if (list->items[i].code == code)
      return &list->items[i];
  return NULL;
}

// ----------------------------------------------------------------------------------------------------- units

// DWARF 5, 7.5.1; before that, the same without a kind, and in another order.
static bool walk_unit_header(struct ws_dwarf *dwarf, uint64_t *abbreviations) {
  struct ws_reader *reader = &dwarf->reader;
  uint8_t kind = 0;
  dwarf->version = (uint16_t)ws_dwarf_number(reader, 2);
  if (reader->bad || dwarf->version < 2 || dwarf->version > 5)
    return ws_dwarf_refuse(dwarf, "DWARF of a version that this wasmshare does not know");
  if (dwarf->version == 5) {
    kind = ws_read_u8(reader);
    dwarf->address_size = ws_read_u8(reader);
  }
  struct ws_reader before = *reader;
  *abbreviations = ws_dwarf_number(&before, dwarf->offset_size);
  if (!ws_dwarf_offset(dwarf, dwarf->offset_size, WS_DEBUG_ABBREV))
    return false;
  if (dwarf->version < 5)
    dwarf->address_size = ws_read_u8(reader);
  if (kind == DW_UT_skeleton || kind == DW_UT_split_compile)
    ws_read_bytes(reader, 8);
  if (kind == DW_UT_type || kind == DW_UT_split_type || dwarf->section == WS_DEBUG_TYPES)
    ws_read_bytes(reader, (size_t)8 + dwarf->offset_size); // signature, and offset in the unit
  bool sane = dwarf->address_size == 4 || dwarf->address_size == 8;
  return (!reader->bad && sane) || ws_dwarf_malformed(dwarf);
}

static bool walk_unit(struct ws_dwarf *dwarf) {
  uint64_t offset = 0;
  if (!walk_unit_header(dwarf, &offset) || !read_abbreviations(dwarf, offset))
    return false;
  const struct ws_dwarf_abbreviations *list = &dwarf->abbreviations;
  while (dwarf->reader.at < dwarf->reader.end) {
    uint64_t code = ws_read_uleb64(&dwarf->reader);
    if (code == 0)
      continue; // the end of a list of children, or padding
    const struct ws_dwarf_abbreviation *abbreviation = find_abbreviation(list, code);
    if (!abbreviation || dwarf->reader.bad)
      return ws_dwarf_malformed(dwarf);
    for (size_t i = 0; i < abbreviation->count; i++) {
      const struct ws_dwarf_attribute *attribute = &list->attributes[abbreviation->first + i];
      if (!ws_dwarf_value(dwarf, attribute->name, attribute->form))
        return false;
    }
  }
  return !dwarf->reader.bad || ws_dwarf_malformed(dwarf);
}

// Line tables name their files by offsets from DWARF 5 on (6.2.4).
static bool walk_entries(struct ws_dwarf *dwarf) {
  enum { MOST = 255 };
  struct ws_reader *reader = &dwarf->reader;
  uint32_t forms[MOST];
  uint8_t formats = ws_read_u8(reader);
  for (uint8_t i = 0; i < formats; i++) {
    ws_read_uleb64(reader); // content type
    uint64_t form = ws_read_uleb64(reader);
    forms[i] = form > UINT32_MAX ? 0 : (uint32_t)form;
  }
  uint64_t count = ws_read_uleb64(reader);
  if (reader->bad || (count && !formats))
    return ws_dwarf_malformed(dwarf);
  for (uint64_t i = 0; i < count; i++)
    for (uint8_t k = 0; k < formats; k++)
      if (!ws_dwarf_value(dwarf, 0, forms[k]))
        return false;
  return true;
}

static bool walk_line_table(struct ws_dwarf *dwarf) {
  struct ws_reader *reader = &dwarf->reader;
  dwarf->version = (uint16_t)ws_dwarf_number(reader, 2);
  if (dwarf->version < 5)
    return !reader->bad || ws_dwarf_malformed(dwarf);
  ws_read_bytes(reader, 2); // sizes of addresses and segment selectors
  ws_dwarf_number(reader, dwarf->offset_size);
  ws_read_bytes(reader, 5); // instruction length, operations, default, line base and range
  uint8_t opcode_base = ws_read_u8(reader);
  if (reader->bad || opcode_base == 0)
    return ws_dwarf_malformed(dwarf);
  ws_read_bytes(reader, (size_t)opcode_base - 1);
  return walk_entries(dwarf) && walk_entries(dwarf); // directories, files
}

// DWARF 5, 7.26: what comes after the header are offsets into .debug_str.
static bool walk_string_offsets(struct ws_dwarf *dwarf) {
  ws_dwarf_number(&dwarf->reader, 4); // version and padding
  while (dwarf->reader.at < dwarf->reader.end && !dwarf->reader.bad)
    if (!ws_dwarf_offset(dwarf, dwarf->offset_size, WS_DEBUG_STR))
      return false;
  return !dwarf->reader.bad || ws_dwarf_malformed(dwarf);
}

// .debug_aranges, .debug_pubnames and their like: a version, and the offset of a unit.
static bool walk_unit_offset(struct ws_dwarf *dwarf) {
  ws_dwarf_number(&dwarf->reader, 2);
  return ws_dwarf_offset(dwarf, dwarf->offset_size, WS_DEBUG_INFO);
}

// DWARF 5, 6.1.1.4.
static bool walk_names(struct ws_dwarf *dwarf) {
  struct ws_reader *reader = &dwarf->reader;
  ws_dwarf_number(reader, 4); // version and padding
  uint64_t units = ws_dwarf_number(reader, 4), local_types = ws_dwarf_number(reader, 4),
           foreign_types = ws_dwarf_number(reader, 4), buckets = ws_dwarf_number(reader, 4),
           names = ws_dwarf_number(reader, 4);
  ws_dwarf_number(reader, 4); // size of the abbreviations
  uint64_t augmentation = ws_dwarf_number(reader, 4);
  ws_read_bytes(reader, (size_t)augmentation);
  for (uint64_t i = 0; i < units + local_types && !reader->bad; i++)
    if (!ws_dwarf_offset(dwarf, dwarf->offset_size, WS_DEBUG_INFO))
      return false;
  ws_read_bytes(reader, (size_t)(8 * foreign_types));
  ws_read_bytes(reader, (size_t)(4 * buckets));
  if (buckets)
    ws_read_bytes(reader, (size_t)(4 * names)); // hashes
  for (uint64_t i = 0; i < names && !reader->bad; i++)
    if (!ws_dwarf_offset(dwarf, dwarf->offset_size, WS_DEBUG_STR))
      return false;
  return !reader->bad || ws_dwarf_malformed(dwarf);
}

// -------------------------------------------------------------------------------------------- location lists

// DWARF 4, 2.6.2: pairs of addresses, each but the last with an expression, or a base instead of one.
static bool walk_old_locations(struct ws_dwarf *dwarf) {
  struct ws_reader *reader = &dwarf->reader;
  dwarf->version = 4;
  dwarf->offset_size = 4;
  dwarf->address_size = dwarf->merge->is_64 ? 8 : 4;
  uint64_t ones = dwarf->merge->is_64 ? UINT64_MAX : UINT32_MAX;
  while (reader->at < reader->end && !reader->bad) {
    uint64_t begin = ws_dwarf_number(reader, dwarf->address_size),
             end = ws_dwarf_number(reader, dwarf->address_size);
    if (begin == ones || (begin == 0 && end == 0))
      continue;
    if (!ws_dwarf_expression(dwarf, ws_dwarf_number(reader, 2)))
      return false;
  }
  return !reader->bad || ws_dwarf_malformed(dwarf);
}

// DWARF 5, 7.29 and 2.6.2: kinds of entries, with their operands as those of expressions.
static bool walk_locations(struct ws_dwarf *dwarf) {
  static const struct {
    const char *operands;
    bool has_expression;
  } kinds[] = {{"", false}, {"u", false}, {"uu", true}, {"uu", true}, {"uu", true},
               {"", true},  {"A", false}, {"AA", true}, {"Au", true}};
  struct ws_reader *reader = &dwarf->reader;
  dwarf->version = (uint16_t)ws_dwarf_number(reader, 2);
  dwarf->address_size = ws_read_u8(reader);
  ws_read_u8(reader); // size of segment selectors
  uint64_t offsets = ws_dwarf_number(reader, 4);
  ws_read_bytes(reader, (size_t)(offsets * dwarf->offset_size));
  while (reader->at < reader->end && !reader->bad) {
    uint8_t kind = ws_read_u8(reader);
    if (kind >= sizeof kinds / sizeof *kinds)
      return ws_dwarf_refuse(dwarf, "a location in DWARF that this wasmshare does not know");
    for (const char *operand = kinds[kind].operands; *operand; operand++)
      if (!ws_dwarf_operand(dwarf, *operand))
        return false;
    if (kinds[kind].has_expression && !ws_dwarf_expression(dwarf, ws_read_uleb64(reader)))
      return false;
  }
  return !reader->bad || ws_dwarf_malformed(dwarf);
}

// -------------------------------------------------------------------------------------------------- sections

static bool walk_macro(struct ws_dwarf *dwarf, uint8_t operation) {
  struct ws_reader *reader = &dwarf->reader;
  switch (operation) {
  case DW_MACRO_define:
  case DW_MACRO_undef:
    ws_read_uleb64(reader); // line
    return ws_dwarf_value(dwarf, 0, DW_FORM_string);
  case DW_MACRO_start_file:
  case DW_MACRO_define_strx:
  case DW_MACRO_undef_strx:
    ws_read_uleb64(reader);
    ws_read_uleb64(reader);
    return !reader->bad || ws_dwarf_malformed(dwarf);
  case DW_MACRO_end_file:
    return true;
  case DW_MACRO_define_strp:
  case DW_MACRO_undef_strp:
    ws_read_uleb64(reader);
    return ws_dwarf_offset(dwarf, dwarf->offset_size, WS_DEBUG_STR);
  case DW_MACRO_import:
    return ws_dwarf_offset(dwarf, dwarf->offset_size, WS_DEBUG_MACRO);
  default:
    return ws_dwarf_refuse(dwarf, "a macro in DWARF that this wasmshare does not know");
  }
}

// DWARF 5, 6.3.1: units without a length, each with an end of its own.
static bool walk_macros(struct ws_dwarf *dwarf) {
  enum { OFFSET_SIZE = 1, LINE_OFFSET = 2, OPERANDS_TABLE = 4 };
  struct ws_reader *reader = &dwarf->reader;
  while (reader->at < reader->end) {
    dwarf->version = (uint16_t)ws_dwarf_number(reader, 2);
    uint8_t flags = ws_read_u8(reader);
    dwarf->offset_size = flags & OFFSET_SIZE ? 8 : 4;
    if (reader->bad || (flags & OPERANDS_TABLE))
      return ws_dwarf_refuse(dwarf, "macros with operations of their own in DWARF");
    if ((flags & LINE_OFFSET) && !ws_dwarf_offset(dwarf, dwarf->offset_size, WS_DEBUG_LINE))
      return false;
    for (uint8_t operation; (operation = ws_read_u8(reader)) != 0;)
      if (!walk_macro(dwarf, operation))
        return false;
  }
  return !reader->bad || ws_dwarf_malformed(dwarf);
}

static bool (*const walkers[WS_DEBUG_SECTIONS])(struct ws_dwarf *) = {
    [WS_DEBUG_INFO] = walk_unit,
    [WS_DEBUG_TYPES] = walk_unit,
    [WS_DEBUG_LINE] = walk_line_table,
    [WS_DEBUG_STR_OFFSETS] = walk_string_offsets,
    [WS_DEBUG_LOCLISTS] = walk_locations,
    [WS_DEBUG_ARANGES] = walk_unit_offset,
    [WS_DEBUG_PUBNAMES] = walk_unit_offset,
    [WS_DEBUG_PUBTYPES] = walk_unit_offset,
    [WS_DEBUG_GNU_PUBNAMES] = walk_unit_offset,
    [WS_DEBUG_GNU_PUBTYPES] = walk_unit_offset,
    [WS_DEBUG_NAMES] = walk_names,
};

static bool is_unit(enum ws_debug_section section) {
  return section == WS_DEBUG_INFO || section == WS_DEBUG_TYPES;
}

// Walks the module's part of a section.
static bool walk_section(struct ws_dwarf *dwarf, enum ws_debug_section section) {
  struct ws_slice part = {dwarf->sections[section].data + dwarf->bases[section],
                          (size_t)dwarf->sizes[section]};
  struct ws_reader reader = ws_reader(part);
  dwarf->section = section;
  if (section == WS_DEBUG_LOC || section == WS_DEBUG_MACRO) { // have no lengths
    dwarf->reader = reader;
    return section == WS_DEBUG_LOC ? walk_old_locations(dwarf) : walk_macros(dwarf);
  }
  while (walkers[section] && reader.at < reader.end) {
    size_t start = (size_t)dwarf->bases[section] + ws_read_offset(&reader);
    if (!read_length(dwarf, &reader) || !walkers[section](dwarf))
      return false;
    size_t end = (size_t)dwarf->bases[section] + ws_read_offset(&reader);
    uint32_t unit = is_unit(section) ? dwarf->unit_count++ : WS_NOTHING;
    if (!ws_dwarf_add_part(&dwarf->maps[section],
                           (struct ws_dwarf_part){.start = start, .end = end, .unit = unit}))
      return ws_dwarf_refuse(dwarf, NULL);
  }
  return true;
}

static bool is_known(struct ws_slice name, enum ws_debug_section *section) {
  for (*section = 0; *section < WS_DEBUG_SECTIONS; ++*section)
    if (ws_slice_is(name, section_names[*section]))
      return true;
  return false;
}

// Adds a module's sections to those before. The offsets in them move by what was there.
static bool add_module(struct ws_dwarf *dwarf, uint32_t m) {
  const struct ws_merge_module *from = &dwarf->merge->modules[m];
  struct ws_slice strings[WS_DEBUG_SECTIONS] = {{0}};
  bool several = dwarf->merge->module_count > 1;
  dwarf->module = m;
  dwarf->abbreviations.read = false;
  for (int i = 0; i < WS_DEBUG_SECTIONS; i++)
    dwarf->bases[i] = dwarf->sections[i].size;
  for (size_t i = 0; i < from->section_count; i++) {
    enum ws_debug_section section;
    if (from->sections[i]->id != WS_SECTION_CUSTOM || !ws_slice_starts(from->sections[i]->name, ".debug_"))
      continue;
    if (!is_known(from->sections[i]->name, &section)) {
      char name[64];
      ws_printable(from->sections[i]->name, name, sizeof name);
      return ws_merge_fail(dwarf->merge, m, name, "cannot be merged yet: leave DWARF out with --strip-debug");
    }
    if (!ws_dwarf_has_strings(section))
      ws_put_relocated(dwarf->merge, m, i, &dwarf->sections[section],
                       several ? &dwarf->maps[section].sites : NULL);
    else if (!strings[section].data)
      strings[section] = from->sections[i]->content;
    else
      return ws_merge_fail(dwarf->merge, m, section_names[section], "is there twice");
  }
  for (int i = 0; i < WS_DEBUG_SECTIONS; i++) {
    if (dwarf->sections[i].failed ||
        (ws_dwarf_has_strings((enum ws_debug_section)i) &&
         !ws_dwarf_begin_strings(&dwarf->strings[i], &dwarf->sections[i], strings[i])))
      return ws_merge_fail_memory(dwarf->merge);
    dwarf->sizes[i] = ws_dwarf_has_strings((enum ws_debug_section)i)
                          ? strings[i].size
                          : dwarf->sections[i].size - dwarf->bases[i];
  }
  for (int i = 0; i < WS_DEBUG_SECTIONS; i++) {
    if (walk_section(dwarf, (enum ws_debug_section)i))
      continue;
    if (!dwarf->problem)
      return ws_merge_fail_memory(dwarf->merge);
    return ws_merge_fail(dwarf->merge, m, section_names[i], "has %s: leave it out with --strip-debug",
                         dwarf->problem);
  }
  return !several || ws_dwarf_cut(dwarf) || ws_merge_fail_memory(dwarf->merge);
}

// Makes room for all sections.
static void reserve(struct ws_dwarf *dwarf) {
  size_t sizes[WS_DEBUG_SECTIONS] = {0};
  enum ws_debug_section section;
  for (uint32_t m = 0; m < dwarf->merge->module_count; m++) {
    const struct ws_merge_module *from = &dwarf->merge->modules[m];
    for (size_t i = 0; i < from->section_count; i++)
      if (from->sections[i]->id == WS_SECTION_CUSTOM && is_known(from->sections[i]->name, &section))
        sizes[section] += from->sections[i]->content.size + ws_dwarf_has_strings(section);
  }
  for (int i = 0; i < WS_DEBUG_SECTIONS; i++)
    if (sizes[i])
      ws_buffer_reserve(&dwarf->sections[i], sizes[i]);
}

void ws_single_dwarf(struct ws_single_writer *writer) {
  struct ws_dwarf dwarf = {.merge = writer->merge};
  reserve(&dwarf);
  for (uint32_t m = 0; m < writer->merge->module_count && writer->ok; m++)
    writer->ok = add_module(&dwarf, m);
  if (writer->ok && writer->merge->module_count > 1)
    writer->ok = ws_dwarf_once(&dwarf) || ws_merge_fail_memory(writer->merge);
  for (int i = 0; i < WS_DEBUG_SECTIONS; i++) {
    if (writer->ok && dwarf.sections[i].size)
      ws_give_custom(writer, ws_slice_of(section_names[i]), &dwarf.sections[i]);
    ws_buffer_free(&dwarf.sections[i]);
    ws_dwarf_free_strings(&dwarf.strings[i]);
    free(dwarf.maps[i].parts);
    free(dwarf.maps[i].fields);
    free(dwarf.maps[i].sites.items);
  }
  free(dwarf.abbreviations.items);
  free(dwarf.abbreviations.attributes);
}
