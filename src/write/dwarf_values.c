// Values in DWARF: offsets, expressions, and attributes in their forms.
#include "write/dwarf.h"

bool ws_dwarf_refuse(struct ws_dwarf *dwarf, const char *problem) {
  if (!dwarf->problem)
    dwarf->problem = problem;
  return false;
}

bool ws_dwarf_malformed(struct ws_dwarf *dwarf) {
  return ws_dwarf_refuse(dwarf, "malformed DWARF");
}

// --------------------------------------------------------------------------------------------------- offsets

uint64_t ws_dwarf_number(struct ws_reader *reader, size_t size) {
  struct ws_slice bytes = ws_read_bytes(reader, size);
  uint64_t value = 0;
  for (size_t i = 0; i < size && !reader->bad; i++)
    value |= (uint64_t)bytes.data[i] << (8 * i);
  return value;
}

// The bytes that the reader has just read, to be written.
static uint8_t *written(struct ws_dwarf *dwarf, size_t size) {
  struct ws_buffer *content = &dwarf->sections[dwarf->section];
  return content->data + (dwarf->reader.at - content->data) - size;
}

// For dwarf_once.c, which moves it once more.
static bool note_field(struct ws_dwarf *dwarf, size_t size, enum ws_debug_section into, uint64_t value) {
  struct ws_dwarf_map *map = &dwarf->maps[dwarf->section];
  struct ws_dwarf_field *fields =
      ws_make_room(map->fields, map->field_count, &map->field_capacity, sizeof *fields);
  if (!fields)
    return ws_dwarf_refuse(dwarf, NULL);
  map->fields = fields;
  size_t at = (size_t)(written(dwarf, size) - dwarf->sections[dwarf->section].data);
  fields[map->field_count++] = (struct ws_dwarf_field){at, value, (uint8_t)size, (uint8_t)into};
  dwarf->entangled |=
      value == dwarf->bases[into] + dwarf->sizes[into]; // the end, where another module's begins
  return true;
}

bool ws_dwarf_offset(struct ws_dwarf *dwarf, size_t size, enum ws_debug_section into) {
  uint64_t value = ws_dwarf_number(&dwarf->reader, size), ones = size == 8 ? UINT64_MAX : UINT32_MAX;
  if (dwarf->reader.bad)
    return ws_dwarf_malformed(dwarf);
  if (value == ones)
    return true;
  if (value > dwarf->sizes[into])
    return ws_dwarf_refuse(dwarf, "DWARF with an offset beyond the end of its section");
  uint64_t moved = value + dwarf->bases[into];
  if (ws_dwarf_has_strings(into)) {
    uint32_t string = ws_dwarf_move_string(&dwarf->strings[into], &dwarf->sections[into], value);
    if (string == UINT32_MAX)
      return ws_dwarf_refuse(dwarf, NULL);
    moved = string;
  }
  if (moved > ones)
    return ws_dwarf_refuse(dwarf, "too much DWARF for offsets of 32 bits");
  ws_operand_put(written(dwarf, size), size == 8 ? WS_U64 : WS_U32, moved);
  return ws_dwarf_has_strings(into) || dwarf->merge->module_count == 1 ||
         note_field(dwarf, size, into, moved);
}

// ----------------------------------------------------------------------------------------------- expressions

// A global's index can be an operand that no relocation tells of; it is moved in place if it fits.
static bool walk_location(struct ws_dwarf *dwarf) {
  struct ws_reader *reader = &dwarf->reader;
  const struct ws_merge_module *from = &dwarf->merge->modules[dwarf->module];
  uint8_t kind = ws_read_u8(reader);
  if (kind == DW_WASM_GLOBAL_U32) { // has a relocation
    ws_read_bytes(reader, 4);
    return !reader->bad || ws_dwarf_malformed(dwarf);
  }
  const uint8_t *start = reader->at;
  uint64_t index = ws_read_uleb64(reader);
  if (reader->bad || kind > DW_WASM_GLOBAL_U32)
    return ws_dwarf_refuse(dwarf, "a WebAssembly location of unknown kind in DWARF");
  if (kind != DW_WASM_GLOBAL)
    return true;
  if (index >= from->module->global_count)
    return ws_dwarf_malformed(dwarf);
  const struct ws_merge_global *global =
      &dwarf->merge->globals[dwarf->merge->globals[from->first_global + index].one];
  size_t size = (size_t)(reader->at - start);
  if (!global->live)
    return true;
  if (ws_uleb_size(global->number) > size)
    return ws_dwarf_refuse(dwarf, "a global's index in DWARF that has no room for its new number");
  uint8_t *at = written(dwarf, size);
  for (size_t i = 0; i < size; i++)
    at[i] = (uint8_t)((global->number >> (7 * i) & 0x7f) | (i + 1 < size ? 0x80 : 0));
  return true;
}

bool ws_dwarf_operand(struct ws_dwarf *dwarf, char kind) {
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
    return ws_dwarf_expression(dwarf, ws_read_uleb64(reader));
  case 'R':
    return ws_dwarf_offset(dwarf, dwarf->version == 2 ? dwarf->address_size : dwarf->offset_size,
                           WS_DEBUG_INFO);
  case 'W':
    return walk_location(dwarf);
  }
  return !reader->bad || ws_dwarf_malformed(dwarf);
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

bool ws_dwarf_expression(struct ws_dwarf *dwarf, uint64_t size) {
  struct ws_reader *reader = &dwarf->reader;
  if (reader->bad || size > ws_read_left(reader))
    return ws_dwarf_malformed(dwarf);
  const uint8_t *end = reader->at + size;
  while (reader->at < end) {
    const char *operands = operands_of(ws_read_u8(reader));
    if (!operands)
      return ws_dwarf_refuse(dwarf, "an operation in DWARF that this wasmshare does not know");
    for (; *operands; operands++)
      if (!ws_dwarf_operand(dwarf, *operands))
        return false;
  }
  return reader->at == end || ws_dwarf_malformed(dwarf);
}

// ------------------------------------------------------------------------------------------------ attributes

// The section that an attribute's value is an offset into, or WS_DEBUG_SECTIONS.
static enum ws_debug_section section_of(const struct ws_dwarf *dwarf, uint32_t attribute) {
  bool old = dwarf->version < 5;
  switch (attribute) {
  case DW_AT_stmt_list:
  case DW_AT_LLVM_stmt_sequence:
    return WS_DEBUG_LINE;
  case DW_AT_macro_info:
    return WS_DEBUG_MACINFO;
  case DW_AT_macros:
  case DW_AT_GNU_macros:
    return WS_DEBUG_MACRO;
  case DW_AT_ranges:
    return old ? WS_DEBUG_RANGES : WS_DEBUG_RNGLISTS;
  case DW_AT_GNU_ranges_base:
    return WS_DEBUG_RANGES;
  case DW_AT_str_offsets_base:
    return WS_DEBUG_STR_OFFSETS;
  case DW_AT_addr_base:
  case DW_AT_GNU_addr_base:
    return WS_DEBUG_ADDR;
  case DW_AT_rnglists_base:
    return WS_DEBUG_RNGLISTS;
  case DW_AT_loclists_base:
    return WS_DEBUG_LOCLISTS;
  case DW_AT_location:
  case DW_AT_string_length:
  case DW_AT_return_addr:
  case DW_AT_data_member_location:
  case DW_AT_frame_base:
  case DW_AT_segment:
  case DW_AT_static_link:
  case DW_AT_use_location:
  case DW_AT_vtable_elem_location:
    return old ? WS_DEBUG_LOC : WS_DEBUG_LOCLISTS;
  default:
    return WS_DEBUG_SECTIONS;
  }
}

// A number of four or eight bytes, which was how DWARF 2 and 3 wrote offsets into sections.
static bool walk_data(struct ws_dwarf *dwarf, uint32_t attribute, size_t size) {
  enum ws_debug_section into = section_of(dwarf, attribute);
  if (dwarf->version < 4 && into != WS_DEBUG_SECTIONS && size == dwarf->offset_size)
    return ws_dwarf_offset(dwarf, size, into);
  ws_read_bytes(&dwarf->reader, size);
  return !dwarf->reader.bad || ws_dwarf_malformed(dwarf);
}

static bool walk_offset(struct ws_dwarf *dwarf, uint32_t attribute) {
  enum ws_debug_section into = section_of(dwarf, attribute);
  if (into == WS_DEBUG_SECTIONS)
    return ws_dwarf_refuse(dwarf, "an offset in DWARF that this wasmshare does not know the section of");
  // Bases of lists without lengths, which DWARF 5 gave them.
  dwarf->entangled |= attribute == DW_AT_GNU_addr_base || attribute == DW_AT_GNU_ranges_base;
  return ws_dwarf_offset(dwarf, dwarf->offset_size, into);
}

static size_t fixed_size(const struct ws_dwarf *dwarf, uint32_t form) {
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

static bool walk_block(struct ws_dwarf *dwarf, uint32_t attribute, uint64_t size) {
  // Before DWARF 4, expressions were blocks, and nothing but the attribute told them from others.
  if (dwarf->version < 4 && section_of(dwarf, attribute) == WS_DEBUG_LOC)
    return ws_dwarf_expression(dwarf, size);
  ws_read_bytes(&dwarf->reader, size > SIZE_MAX ? SIZE_MAX : (size_t)size);
  return !dwarf->reader.bad || ws_dwarf_malformed(dwarf);
}

// A value that means the same wherever it is.
static bool pass_value(struct ws_dwarf *dwarf, uint32_t form) {
  struct ws_reader *reader = &dwarf->reader;
  size_t fixed = fixed_size(dwarf, form);
  ws_read_bytes(reader, fixed);
  switch (form) {
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
  default:
    if (!fixed)
      return ws_dwarf_refuse(dwarf, "a form in DWARF that this wasmshare does not know");
  }
  return !reader->bad || ws_dwarf_malformed(dwarf);
}

bool ws_dwarf_value(struct ws_dwarf *dwarf, uint32_t attribute, uint32_t form) {
  struct ws_reader *reader = &dwarf->reader;
  switch (form) {
  case DW_FORM_data4:
    return walk_data(dwarf, attribute, 4);
  case DW_FORM_data8:
    return walk_data(dwarf, attribute, 8);
  case DW_FORM_sec_offset:
    return walk_offset(dwarf, attribute);
  case DW_FORM_strp:
    return ws_dwarf_offset(dwarf, dwarf->offset_size, WS_DEBUG_STR);
  case DW_FORM_line_strp:
    return ws_dwarf_offset(dwarf, dwarf->offset_size, WS_DEBUG_LINE_STR);
  case DW_FORM_ref_addr:
    return ws_dwarf_offset(dwarf, dwarf->version == 2 ? dwarf->address_size : dwarf->offset_size,
                           WS_DEBUG_INFO);
  case DW_FORM_exprloc:
    return ws_dwarf_expression(dwarf, ws_read_uleb64(reader));
  case DW_FORM_block:
    return walk_block(dwarf, attribute, ws_read_uleb64(reader));
  case DW_FORM_block1:
    return walk_block(dwarf, attribute, ws_read_u8(reader));
  case DW_FORM_block2:
    return walk_block(dwarf, attribute, ws_dwarf_number(reader, 2));
  case DW_FORM_block4:
    return walk_block(dwarf, attribute, ws_dwarf_number(reader, 4));
  case DW_FORM_indirect: {
    uint64_t actual = ws_read_uleb64(reader);
    if (reader->bad || actual == DW_FORM_indirect || actual > UINT32_MAX)
      return ws_dwarf_malformed(dwarf);
    return ws_dwarf_value(dwarf, attribute, (uint32_t)actual);
  }
  default:
    return pass_value(dwarf, form);
  }
}
