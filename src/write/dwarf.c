// DWARF of a merged module: the modules' sections one after another. Linkers keep the relocations of
// addresses in it, but not those of offsets from one debug section into another: these are found by walking
// units and abbreviations, and moved by as much as comes before.
#include "format/dwarf.h"

#include <stdlib.h>

#include "write/single_sections.h"

enum section {
  INFO,
  TYPES,
  ABBREV,
  LINE,
  LINE_STR,
  STR,
  STR_OFFSETS,
  ADDR,
  RANGES,
  RNGLISTS,
  LOC,
  LOCLISTS,
  ARANGES,
  PUBNAMES,
  PUBTYPES,
  GNU_PUBNAMES,
  GNU_PUBTYPES,
  NAMES,
  MACINFO,
  MACRO,
  SECTIONS
};

static const char *const section_names[SECTIONS] = {
    [INFO] = ".debug_info",
    [TYPES] = ".debug_types",
    [ABBREV] = ".debug_abbrev",
    [LINE] = ".debug_line",
    [LINE_STR] = ".debug_line_str",
    [STR] = ".debug_str",
    [STR_OFFSETS] = ".debug_str_offsets",
    [ADDR] = ".debug_addr",
    [RANGES] = ".debug_ranges",
    [RNGLISTS] = ".debug_rnglists",
    [LOC] = ".debug_loc",
    [LOCLISTS] = ".debug_loclists",
    [ARANGES] = ".debug_aranges",
    [PUBNAMES] = ".debug_pubnames",
    [PUBTYPES] = ".debug_pubtypes",
    [GNU_PUBNAMES] = ".debug_gnu_pubnames",
    [GNU_PUBTYPES] = ".debug_gnu_pubtypes",
    [NAMES] = ".debug_names",
    [MACINFO] = ".debug_macinfo",
    [MACRO] = ".debug_macro",
};

// An abbreviation: its attributes are a part of a list of all.
struct abbreviation {
  uint64_t code;
  size_t first, count;
};

struct attribute {
  uint32_t name, form;
};

// The abbreviations of a unit, as those at one offset of .debug_abbrev.
struct abbreviations {
  uint64_t offset;
  bool read;
  struct abbreviation *items;
  size_t count, capacity;
  struct attribute *attributes;
  size_t attribute_count, attribute_capacity;
};

// Walking the sections of one module, in the merged ones.
struct dwarf {
  struct ws_merge *merge;
  struct ws_buffer sections[SECTIONS];
  uint32_t module;
  uint64_t bases[SECTIONS], sizes[SECTIONS]; // of the module's part
  struct abbreviations abbreviations;

  // The unit that is walked.
  struct ws_reader reader; // of its section's part
  enum section section;
  uint16_t version;
  uint8_t address_size, offset_size;
  const char *problem;
};

static bool refuse(struct dwarf *dwarf, const char *problem) {
  if (!dwarf->problem)
    dwarf->problem = problem;
  return false;
}

static bool malformed(struct dwarf *dwarf) {
  return refuse(dwarf, "malformed DWARF");
}

// --------------------------------------------------------------------------------------------------- offsets

static uint64_t read_number(struct ws_reader *reader, size_t size) {
  struct ws_slice bytes = ws_read_bytes(reader, size);
  uint64_t value = 0;
  for (size_t i = 0; i < size && !reader->bad; i++)
    value |= (uint64_t)bytes.data[i] << (8 * i);
  return value;
}

// The bytes that the reader has just read, to be written.
static uint8_t *written(struct dwarf *dwarf, size_t size) {
  struct ws_buffer *content = &dwarf->sections[dwarf->section];
  return content->data + (dwarf->reader.at - content->data) - size;
}

// Moves an offset of `size` bytes into a section. Linkers write ones for what was left out.
static bool move_offset(struct dwarf *dwarf, size_t size, enum section into) {
  uint64_t value = read_number(&dwarf->reader, size), ones = size == 8 ? UINT64_MAX : UINT32_MAX;
  if (dwarf->reader.bad)
    return malformed(dwarf);
  if (value == ones)
    return true;
  uint64_t moved = value + dwarf->bases[into];
  if (value > dwarf->sizes[into])
    return refuse(dwarf, "DWARF with an offset beyond the end of its section");
  if (moved > ones)
    return refuse(dwarf, "too much DWARF for offsets of 32 bits");
  ws_operand_put(written(dwarf, size), size == 8 ? WS_U64 : WS_U32, moved);
  return true;
}

// The length at the start of a unit, which says the size of its offsets. The reader then ends with the unit.
static bool read_length(struct dwarf *dwarf, struct ws_reader *section) {
  uint64_t length = read_number(section, 4);
  dwarf->offset_size = 4;
  if (length == DW_LENGTH_DWARF64) {
    length = read_number(section, 8);
    dwarf->offset_size = 8;
  }
  if (section->bad || length > ws_read_left(section))
    return malformed(dwarf);
  dwarf->reader = ws_reader((struct ws_slice){section->at, (size_t)length});
  section->at += length;
  return true;
}

// --------------------------------------------------------------------------------------------- abbreviations

static bool add_abbreviation(struct abbreviations *list, uint64_t code) {
  struct abbreviation *items = ws_make_room(list->items, list->count, &list->capacity, sizeof *items);
  if (!items)
    return false;
  list->items = items;
  items[list->count++] = (struct abbreviation){code, list->attribute_count, 0};
  return true;
}

static bool add_attribute(struct abbreviations *list, struct attribute attribute) {
  struct attribute *attributes =
      ws_make_room(list->attributes, list->attribute_count, &list->attribute_capacity, sizeof *attributes);
  if (!attributes)
    return false;
  list->attributes = attributes;
  attributes[list->attribute_count++] = attribute;
  list->items[list->count - 1].count++;
  return true;
}

static bool read_abbreviations(struct dwarf *dwarf, uint64_t offset) {
  struct abbreviations *list = &dwarf->abbreviations;
  if (list->read && list->offset == offset)
    return true;
  list->count = list->attribute_count = 0;
  list->read = false;
  if (offset > dwarf->sizes[ABBREV])
    return malformed(dwarf);
  struct ws_reader reader = ws_reader((struct ws_slice){
      dwarf->sections[ABBREV].data + dwarf->bases[ABBREV] + offset, (size_t)(dwarf->sizes[ABBREV] - offset)});
  for (;;) {
    uint64_t code = ws_read_uleb64(&reader);
    if (code == 0 || reader.bad)
      break;
    ws_read_uleb64(&reader); // tag
    ws_read_u8(&reader);     // whether it has children
    if (!add_abbreviation(list, code))
      return refuse(dwarf, NULL);
    for (;;) {
      uint64_t name = ws_read_uleb64(&reader), form = ws_read_uleb64(&reader);
      if (form == DW_FORM_implicit_const)
        ws_read_long_sleb64(&reader);
      if (reader.bad || (name == 0 && form == 0))
        break;
      if (name > UINT32_MAX || form > UINT32_MAX)
        return malformed(dwarf);
      if (!add_attribute(list, (struct attribute){(uint32_t)name, (uint32_t)form}))
        return refuse(dwarf, NULL);
    }
  }
  list->read = !reader.bad;
  list->offset = offset;
  return list->read || malformed(dwarf);
}

// Compilers number them from 1 on.
static const struct abbreviation *find_abbreviation(const struct abbreviations *list, uint64_t code) {
  if (code - 1 < list->count && list->items[code - 1].code == code)
    return &list->items[code - 1];
  for (size_t i = 0; i < list->count; i++)
    if (list->items[i].code == code)
      return &list->items[i];
  return NULL;
}

// ----------------------------------------------------------------------------------------------- expressions

static bool walk_expression(struct dwarf *dwarf, uint64_t size);

// A global's index can be an operand that no relocation tells of; it is moved in place if it fits.
static bool walk_location(struct dwarf *dwarf) {
  struct ws_reader *reader = &dwarf->reader;
  const struct ws_merge_module *from = &dwarf->merge->modules[dwarf->module];
  uint8_t kind = ws_read_u8(reader);
  if (kind == DW_WASM_GLOBAL_U32) { // has a relocation
    ws_read_bytes(reader, 4);
    return !reader->bad || malformed(dwarf);
  }
  const uint8_t *start = reader->at;
  uint64_t index = ws_read_uleb64(reader);
  if (reader->bad || kind > DW_WASM_GLOBAL_U32)
    return refuse(dwarf, "a WebAssembly location of unknown kind in DWARF");
  if (kind != DW_WASM_GLOBAL)
    return true;
  if (index >= from->module->global_count)
    return malformed(dwarf);
  const struct ws_merge_global *global =
      &dwarf->merge->globals[dwarf->merge->globals[from->first_global + index].one];
  size_t size = (size_t)(reader->at - start);
  if (!global->live)
    return true;
  if (ws_uleb_size(global->number) > size)
    return refuse(dwarf, "a global's index in DWARF that has no room for its new number");
  uint8_t *at = written(dwarf, size);
  for (size_t i = 0; i < size; i++)
    at[i] = (uint8_t)((global->number >> (7 * i) & 0x7f) | (i + 1 < size ? 0x80 : 0));
  return true;
}

static bool walk_operand(struct dwarf *dwarf, char kind) {
  struct ws_reader *reader = &dwarf->reader;
  switch (kind) {
  case '1':
  case '2':
  case '4':
  case '8':
    ws_read_bytes(reader, (size_t)(kind - '0'));
    break;
  case 'A':
    ws_read_bytes(reader, dwarf->address_size);
    break;
  case 'u':
    ws_read_uleb64(reader);
    break;
  case 's':
    ws_read_long_sleb64(reader);
    break;
  case 'B':
    ws_read_bytes(reader, (size_t)ws_read_uleb64(reader));
    break;
  case 'b':
    ws_read_bytes(reader, ws_read_u8(reader));
    break;
  case 'E':
    return walk_expression(dwarf, ws_read_uleb64(reader));
  case 'R':
    return move_offset(dwarf, dwarf->version == 2 ? dwarf->address_size : dwarf->offset_size, INFO);
  case 'W':
    return walk_location(dwarf);
  }
  return !reader->bad || malformed(dwarf);
}

static const char *operands_of(uint8_t operation) {
#define OPERATION(number, operands)                                                                          \
  if (operation == (number))                                                                                 \
    return operands;
  DW_OPERATIONS(OPERATION)
#undef OPERATION
  if (operation >= DW_OP_breg0 && operation <= DW_OP_breg31)
    return "s";
  return operation < DW_OP_lo_user || operation == DW_OP_GNU_push_tls_address ? "" : NULL;
}

static bool walk_expression(struct dwarf *dwarf, uint64_t size) {
  struct ws_reader *reader = &dwarf->reader;
  if (reader->bad || size > ws_read_left(reader))
    return malformed(dwarf);
  const uint8_t *end = reader->at + size;
  while (reader->at < end) {
    const char *operands = operands_of(ws_read_u8(reader));
    if (!operands)
      return refuse(dwarf, "an operation in DWARF that this wasmshare does not know");
    for (; *operands; operands++)
      if (!walk_operand(dwarf, *operands))
        return false;
  }
  return reader->at == end || malformed(dwarf);
}

// ------------------------------------------------------------------------------------------------ attributes

// The section that an attribute's value is an offset into, or SECTIONS.
static enum section section_of(const struct dwarf *dwarf, uint32_t attribute) {
  bool old = dwarf->version < 5;
  switch (attribute) {
  case DW_AT_stmt_list:
  case DW_AT_LLVM_stmt_sequence:
    return LINE;
  case DW_AT_macro_info:
    return MACINFO;
  case DW_AT_macros:
  case DW_AT_GNU_macros:
    return MACRO;
  case DW_AT_ranges:
    return old ? RANGES : RNGLISTS;
  case DW_AT_GNU_ranges_base:
    return RANGES;
  case DW_AT_str_offsets_base:
    return STR_OFFSETS;
  case DW_AT_addr_base:
  case DW_AT_GNU_addr_base:
    return ADDR;
  case DW_AT_rnglists_base:
    return RNGLISTS;
  case DW_AT_loclists_base:
    return LOCLISTS;
  case DW_AT_location:
  case DW_AT_string_length:
  case DW_AT_return_addr:
  case DW_AT_data_member_location:
  case DW_AT_frame_base:
  case DW_AT_segment:
  case DW_AT_static_link:
  case DW_AT_use_location:
  case DW_AT_vtable_elem_location:
    return old ? LOC : LOCLISTS;
  default:
    return SECTIONS;
  }
}

// A number of four or eight bytes, which was how DWARF 2 and 3 wrote offsets into sections.
static bool walk_data(struct dwarf *dwarf, uint32_t attribute, size_t size) {
  enum section into = section_of(dwarf, attribute);
  if (dwarf->version < 4 && into != SECTIONS && size == dwarf->offset_size)
    return move_offset(dwarf, size, into);
  ws_read_bytes(&dwarf->reader, size);
  return !dwarf->reader.bad || malformed(dwarf);
}

static bool walk_offset(struct dwarf *dwarf, uint32_t attribute) {
  enum section into = section_of(dwarf, attribute);
  if (into == SECTIONS)
    return refuse(dwarf, "an offset in DWARF that this wasmshare does not know the section of");
  return move_offset(dwarf, dwarf->offset_size, into);
}

static size_t fixed_size(const struct dwarf *dwarf, uint32_t form) {
  switch (form) {
  case DW_FORM_addr:
    return dwarf->address_size;
  case DW_FORM_data1:
  case DW_FORM_flag:
  case DW_FORM_ref1:
  case DW_FORM_strx1:
  case DW_FORM_addrx1:
    return 1;
  case DW_FORM_data2:
  case DW_FORM_ref2:
  case DW_FORM_strx2:
  case DW_FORM_addrx2:
    return 2;
  case DW_FORM_strx3:
  case DW_FORM_addrx3:
    return 3;
  case DW_FORM_ref4:
  case DW_FORM_strx4:
  case DW_FORM_addrx4:
    return 4;
  case DW_FORM_ref8:
  case DW_FORM_ref_sig8:
    return 8;
  case DW_FORM_data16:
    return 16;
  default:
    return 0;
  }
}

static bool walk_block(struct dwarf *dwarf, uint32_t attribute, uint64_t size) {
  // Before DWARF 4, expressions were blocks, and nothing but the attribute told them from others.
  if (dwarf->version < 4 && section_of(dwarf, attribute) == LOC)
    return walk_expression(dwarf, size);
  ws_read_bytes(&dwarf->reader, size > SIZE_MAX ? SIZE_MAX : (size_t)size);
  return !dwarf->reader.bad || malformed(dwarf);
}

static bool walk_value(struct dwarf *dwarf, uint32_t attribute, uint32_t form) {
  struct ws_reader *reader = &dwarf->reader;
  size_t fixed = fixed_size(dwarf, form);
  if (fixed) {
    ws_read_bytes(reader, fixed);
    return !reader->bad || malformed(dwarf);
  }
  switch (form) {
  case DW_FORM_data4:
    return walk_data(dwarf, attribute, 4);
  case DW_FORM_data8:
    return walk_data(dwarf, attribute, 8);
  case DW_FORM_sec_offset:
    return walk_offset(dwarf, attribute);
  case DW_FORM_strp:
    return move_offset(dwarf, dwarf->offset_size, STR);
  case DW_FORM_line_strp:
    return move_offset(dwarf, dwarf->offset_size, LINE_STR);
  case DW_FORM_ref_addr:
    return move_offset(dwarf, dwarf->version == 2 ? dwarf->address_size : dwarf->offset_size, INFO);
  case DW_FORM_exprloc:
    return walk_expression(dwarf, ws_read_uleb64(reader));
  case DW_FORM_block:
    return walk_block(dwarf, attribute, ws_read_uleb64(reader));
  case DW_FORM_block1:
    return walk_block(dwarf, attribute, ws_read_u8(reader));
  case DW_FORM_block2:
    return walk_block(dwarf, attribute, read_number(reader, 2));
  case DW_FORM_block4:
    return walk_block(dwarf, attribute, read_number(reader, 4));
  case DW_FORM_string:
    while (ws_read_u8(reader) != 0 && !reader->bad) {
    }
    break;
  case DW_FORM_sdata:
    ws_read_long_sleb64(reader);
    break;
  case DW_FORM_udata:
  case DW_FORM_ref_udata:
  case DW_FORM_strx:
  case DW_FORM_addrx:
  case DW_FORM_loclistx:
  case DW_FORM_rnglistx:
    ws_read_uleb64(reader);
    break;
  case DW_FORM_flag_present:
  case DW_FORM_implicit_const:
    break;
  case DW_FORM_indirect: {
    uint64_t actual = ws_read_uleb64(reader);
    if (reader->bad || actual == DW_FORM_indirect || actual > UINT32_MAX)
      return malformed(dwarf);
    return walk_value(dwarf, attribute, (uint32_t)actual);
  }
  default:
    return refuse(dwarf, "a form in DWARF that this wasmshare does not know");
  }
  return !reader->bad || malformed(dwarf);
}

// ----------------------------------------------------------------------------------------------------- units

// DWARF 5, 7.5.1; before that, the same without a kind, and in another order.
static bool walk_unit_header(struct dwarf *dwarf, uint64_t *abbreviations) {
  struct ws_reader *reader = &dwarf->reader;
  uint8_t kind = 0;
  dwarf->version = (uint16_t)read_number(reader, 2);
  if (reader->bad || dwarf->version < 2 || dwarf->version > 5)
    return refuse(dwarf, "DWARF of a version that this wasmshare does not know");
  if (dwarf->version == 5) {
    kind = ws_read_u8(reader);
    dwarf->address_size = ws_read_u8(reader);
  }
  struct ws_reader before = *reader;
  *abbreviations = read_number(&before, dwarf->offset_size);
  if (!move_offset(dwarf, dwarf->offset_size, ABBREV))
    return false;
  if (dwarf->version < 5)
    dwarf->address_size = ws_read_u8(reader);
  if (kind == DW_UT_skeleton || kind == DW_UT_split_compile)
    ws_read_bytes(reader, 8);
  if (kind == DW_UT_type || kind == DW_UT_split_type || dwarf->section == TYPES)
    ws_read_bytes(reader, (size_t)8 + dwarf->offset_size); // signature, and offset in the unit
  bool sane = dwarf->address_size == 4 || dwarf->address_size == 8;
  return (!reader->bad && sane) || malformed(dwarf);
}

static bool walk_unit(struct dwarf *dwarf) {
  uint64_t offset;
  if (!walk_unit_header(dwarf, &offset) || !read_abbreviations(dwarf, offset))
    return false;
  const struct abbreviations *list = &dwarf->abbreviations;
  while (dwarf->reader.at < dwarf->reader.end) {
    uint64_t code = ws_read_uleb64(&dwarf->reader);
    if (code == 0)
      continue; // the end of a list of children, or padding
    const struct abbreviation *abbreviation = find_abbreviation(list, code);
    if (!abbreviation || dwarf->reader.bad)
      return malformed(dwarf);
    for (size_t i = 0; i < abbreviation->count; i++) {
      const struct attribute *attribute = &list->attributes[abbreviation->first + i];
      if (!walk_value(dwarf, attribute->name, attribute->form))
        return false;
    }
  }
  return !dwarf->reader.bad || malformed(dwarf);
}

// Line tables name their files by offsets from DWARF 5 on (6.2.4).
static bool walk_entries(struct dwarf *dwarf) {
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
    return malformed(dwarf);
  for (uint64_t i = 0; i < count; i++)
    for (uint8_t k = 0; k < formats; k++)
      if (!walk_value(dwarf, 0, forms[k]))
        return false;
  return true;
}

static bool walk_line_table(struct dwarf *dwarf) {
  struct ws_reader *reader = &dwarf->reader;
  dwarf->version = (uint16_t)read_number(reader, 2);
  if (dwarf->version < 5)
    return !reader->bad || malformed(dwarf);
  ws_read_bytes(reader, 2); // sizes of addresses and segment selectors
  read_number(reader, dwarf->offset_size);
  ws_read_bytes(reader, 5); // instruction length, operations, default, line base and range
  uint8_t opcode_base = ws_read_u8(reader);
  if (reader->bad || opcode_base == 0)
    return malformed(dwarf);
  ws_read_bytes(reader, (size_t)opcode_base - 1);
  return walk_entries(dwarf) && walk_entries(dwarf); // directories, files
}

// DWARF 5, 7.26: what comes after the header are offsets into .debug_str.
static bool walk_string_offsets(struct dwarf *dwarf) {
  read_number(&dwarf->reader, 4); // version and padding
  while (dwarf->reader.at < dwarf->reader.end && !dwarf->reader.bad)
    if (!move_offset(dwarf, dwarf->offset_size, STR))
      return false;
  return !dwarf->reader.bad || malformed(dwarf);
}

// .debug_aranges, .debug_pubnames and their like: a version, and the offset of a unit.
static bool walk_unit_offset(struct dwarf *dwarf) {
  read_number(&dwarf->reader, 2);
  return move_offset(dwarf, dwarf->offset_size, INFO);
}

// DWARF 5, 6.1.1.4.
static bool walk_names(struct dwarf *dwarf) {
  struct ws_reader *reader = &dwarf->reader;
  read_number(reader, 4); // version and padding
  uint64_t units = read_number(reader, 4), local_types = read_number(reader, 4),
           foreign_types = read_number(reader, 4), buckets = read_number(reader, 4),
           names = read_number(reader, 4);
  read_number(reader, 4); // size of the abbreviations
  uint64_t augmentation = read_number(reader, 4);
  ws_read_bytes(reader, (size_t)augmentation);
  for (uint64_t i = 0; i < units + local_types && !reader->bad; i++)
    if (!move_offset(dwarf, dwarf->offset_size, INFO))
      return false;
  ws_read_bytes(reader, (size_t)(8 * foreign_types));
  ws_read_bytes(reader, (size_t)(4 * buckets));
  if (buckets)
    ws_read_bytes(reader, (size_t)(4 * names)); // hashes
  for (uint64_t i = 0; i < names && !reader->bad; i++)
    if (!move_offset(dwarf, dwarf->offset_size, STR))
      return false;
  return !reader->bad || malformed(dwarf);
}

// -------------------------------------------------------------------------------------------- location lists

// DWARF 4, 2.6.2: pairs of addresses, each but the last with an expression, or a base instead of one.
static bool walk_old_locations(struct dwarf *dwarf) {
  struct ws_reader *reader = &dwarf->reader;
  dwarf->version = 4;
  dwarf->offset_size = 4;
  dwarf->address_size = dwarf->merge->is_64 ? 8 : 4;
  uint64_t ones = dwarf->merge->is_64 ? UINT64_MAX : UINT32_MAX;
  while (reader->at < reader->end && !reader->bad) {
    uint64_t begin = read_number(reader, dwarf->address_size), end = read_number(reader, dwarf->address_size);
    if (begin == ones || (begin == 0 && end == 0))
      continue;
    if (!walk_expression(dwarf, read_number(reader, 2)))
      return false;
  }
  return !reader->bad || malformed(dwarf);
}

// DWARF 5, 7.29 and 2.6.2: kinds of entries, with their operands as those of expressions.
static bool walk_locations(struct dwarf *dwarf) {
  static const struct {
    const char *operands;
    bool has_expression;
  } kinds[] = {{"", false}, {"u", false}, {"uu", true}, {"uu", true}, {"uu", true},
               {"", true},  {"A", false}, {"AA", true}, {"Au", true}};
  struct ws_reader *reader = &dwarf->reader;
  dwarf->version = (uint16_t)read_number(reader, 2);
  dwarf->address_size = ws_read_u8(reader);
  ws_read_u8(reader); // size of segment selectors
  uint64_t offsets = read_number(reader, 4);
  ws_read_bytes(reader, (size_t)(offsets * dwarf->offset_size));
  while (reader->at < reader->end && !reader->bad) {
    uint8_t kind = ws_read_u8(reader);
    if (kind >= sizeof kinds / sizeof *kinds)
      return refuse(dwarf, "a location in DWARF that this wasmshare does not know");
    for (const char *operand = kinds[kind].operands; *operand; operand++)
      if (!walk_operand(dwarf, *operand))
        return false;
    if (kinds[kind].has_expression && !walk_expression(dwarf, ws_read_uleb64(reader)))
      return false;
  }
  return !reader->bad || malformed(dwarf);
}

// -------------------------------------------------------------------------------------------------- sections

static bool walk_macro(struct dwarf *dwarf, uint8_t operation) {
  struct ws_reader *reader = &dwarf->reader;
  switch (operation) {
  case DW_MACRO_define:
  case DW_MACRO_undef:
    ws_read_uleb64(reader); // line
    return walk_value(dwarf, 0, DW_FORM_string);
  case DW_MACRO_start_file:
  case DW_MACRO_define_strx:
  case DW_MACRO_undef_strx:
    ws_read_uleb64(reader);
    ws_read_uleb64(reader);
    return !reader->bad || malformed(dwarf);
  case DW_MACRO_end_file:
    return true;
  case DW_MACRO_define_strp:
  case DW_MACRO_undef_strp:
    ws_read_uleb64(reader);
    return move_offset(dwarf, dwarf->offset_size, STR);
  case DW_MACRO_import:
    return move_offset(dwarf, dwarf->offset_size, MACRO);
  default:
    return refuse(dwarf, "a macro in DWARF that this wasmshare does not know");
  }
}

// DWARF 5, 6.3.1: units without a length, each with an end of its own.
static bool walk_macros(struct dwarf *dwarf) {
  enum { OFFSET_SIZE = 1, LINE_OFFSET = 2, OPERANDS_TABLE = 4 };
  struct ws_reader *reader = &dwarf->reader;
  while (reader->at < reader->end) {
    dwarf->version = (uint16_t)read_number(reader, 2);
    uint8_t flags = ws_read_u8(reader);
    dwarf->offset_size = flags & OFFSET_SIZE ? 8 : 4;
    if (reader->bad || (flags & OPERANDS_TABLE))
      return refuse(dwarf, "macros with operations of their own in DWARF");
    if ((flags & LINE_OFFSET) && !move_offset(dwarf, dwarf->offset_size, LINE))
      return false;
    for (uint8_t operation; (operation = ws_read_u8(reader)) != 0;)
      if (!walk_macro(dwarf, operation))
        return false;
  }
  return !reader->bad || malformed(dwarf);
}

static bool (*const walkers[SECTIONS])(struct dwarf *) = {
    [INFO] = walk_unit,
    [TYPES] = walk_unit,
    [LINE] = walk_line_table,
    [STR_OFFSETS] = walk_string_offsets,
    [LOCLISTS] = walk_locations,
    [ARANGES] = walk_unit_offset,
    [PUBNAMES] = walk_unit_offset,
    [PUBTYPES] = walk_unit_offset,
    [GNU_PUBNAMES] = walk_unit_offset,
    [GNU_PUBTYPES] = walk_unit_offset,
    [NAMES] = walk_names,
};

// Walks the module's part of a section.
static bool walk_section(struct dwarf *dwarf, enum section section) {
  struct ws_slice part = {dwarf->sections[section].data + dwarf->bases[section],
                          (size_t)dwarf->sizes[section]};
  struct ws_reader reader = ws_reader(part);
  dwarf->section = section;
  if (section == LOC || section == MACRO) { // have no lengths
    dwarf->reader = reader;
    return section == LOC ? walk_old_locations(dwarf) : walk_macros(dwarf);
  }
  while (walkers[section] && reader.at < reader.end)
    if (!read_length(dwarf, &reader) || !walkers[section](dwarf))
      return false;
  return true;
}

static bool is_known(struct ws_slice name, enum section *section) {
  for (*section = 0; *section < SECTIONS; ++*section)
    if (ws_slice_is(name, section_names[*section]))
      return true;
  return false;
}

// Adds a module's sections to those before. The offsets in them move by what was there.
static bool add_module(struct dwarf *dwarf, uint32_t m) {
  const struct ws_merge_module *from = &dwarf->merge->modules[m];
  dwarf->module = m;
  dwarf->abbreviations.read = false;
  for (int i = 0; i < SECTIONS; i++)
    dwarf->bases[i] = dwarf->sections[i].size;
  for (size_t i = 0; i < from->section_count; i++) {
    enum section section;
    if (from->sections[i]->id != WS_SECTION_CUSTOM || !ws_slice_starts(from->sections[i]->name, ".debug_"))
      continue;
    if (!is_known(from->sections[i]->name, &section)) {
      char name[64];
      ws_printable(from->sections[i]->name, name, sizeof name);
      return ws_merge_fail(dwarf->merge, m, name, "cannot be merged yet: leave DWARF out with --strip-debug");
    }
    ws_put_relocated(dwarf->merge, m, i, &dwarf->sections[section]);
  }
  for (int i = 0; i < SECTIONS; i++) {
    if (dwarf->sections[i].failed)
      return ws_merge_fail_memory(dwarf->merge);
    dwarf->sizes[i] = dwarf->sections[i].size - dwarf->bases[i];
  }
  for (int i = 0; i < SECTIONS; i++) {
    if (walk_section(dwarf, (enum section)i))
      continue;
    if (!dwarf->problem)
      return ws_merge_fail_memory(dwarf->merge);
    return ws_merge_fail(dwarf->merge, m, section_names[i], "has %s: leave it out with --strip-debug",
                         dwarf->problem);
  }
  return true;
}

// Makes room for all sections.
static void reserve(struct dwarf *dwarf) {
  size_t sizes[SECTIONS] = {0};
  enum section section;
  for (uint32_t m = 0; m < dwarf->merge->module_count; m++) {
    const struct ws_merge_module *from = &dwarf->merge->modules[m];
    for (size_t i = 0; i < from->section_count; i++)
      if (from->sections[i]->id == WS_SECTION_CUSTOM && is_known(from->sections[i]->name, &section))
        sizes[section] += from->sections[i]->content.size;
  }
  for (int i = 0; i < SECTIONS; i++)
    if (sizes[i])
      ws_buffer_reserve(&dwarf->sections[i], sizes[i]);
}

void ws_single_dwarf(struct ws_single_writer *writer) {
  struct dwarf dwarf = {.merge = writer->merge};
  reserve(&dwarf);
  for (uint32_t m = 0; m < writer->merge->module_count && writer->ok; m++)
    writer->ok = add_module(&dwarf, m);
  for (int i = 0; i < SECTIONS; i++) {
    if (writer->ok && dwarf.sections[i].size)
      ws_give_custom(writer, ws_slice_of(section_names[i]), &dwarf.sections[i]);
    ws_buffer_free(&dwarf.sections[i]);
  }
  free(dwarf.abbreviations.items);
  free(dwarf.abbreviations.attributes);
}
