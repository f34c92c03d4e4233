// What the files of a merged module's DWARF share: dwarf.c walks sections and units, dwarf_values.c what is
// in them.
#ifndef WASMSHARE_DWARF_SECTIONS_H
#define WASMSHARE_DWARF_SECTIONS_H

#include "base/map.h"
#include "format/dwarf.h"
#include "write/single_sections.h"

enum ws_debug_section {
  WS_DEBUG_INFO,
  WS_DEBUG_TYPES,
  WS_DEBUG_ABBREV,
  WS_DEBUG_LINE,
  WS_DEBUG_LINE_STR,
  WS_DEBUG_STR,
  WS_DEBUG_STR_OFFSETS,
  WS_DEBUG_ADDR,
  WS_DEBUG_RANGES,
  WS_DEBUG_RNGLISTS,
  WS_DEBUG_LOC,
  WS_DEBUG_LOCLISTS,
  WS_DEBUG_ARANGES,
  WS_DEBUG_PUBNAMES,
  WS_DEBUG_PUBTYPES,
  WS_DEBUG_GNU_PUBNAMES,
  WS_DEBUG_GNU_PUBTYPES,
  WS_DEBUG_NAMES,
  WS_DEBUG_MACINFO,
  WS_DEBUG_MACRO,
  WS_DEBUG_SECTIONS
};

static inline bool ws_dwarf_has_strings(enum ws_debug_section section) {
  return section == WS_DEBUG_STR || section == WS_DEBUG_LINE_STR;
}

// An abbreviation: its attributes are a part of a list of all.
struct ws_dwarf_abbreviation {
  uint64_t code;
  size_t first, count;
};

struct ws_dwarf_attribute {
  uint32_t name, form;
};

// The abbreviations of a unit, as those at one offset of .debug_abbrev.
struct ws_dwarf_abbreviations {
  uint64_t offset;
  bool read;
  struct ws_dwarf_abbreviation *items;
  size_t count, capacity;
  struct ws_dwarf_attribute *attributes;
  size_t attribute_count, attribute_capacity;
};

// The strings of .debug_str or .debug_line_str.
struct ws_dwarf_strings {
  struct ws_slice own; // of the module that is walked
  bool first;          // it is the first that has any
  uint32_t *moved;     // where its strings are among all, and one more, by where they were; or 0
  struct ws_map known; // where each is
};

// An offset into a section, and where it is in its own.
struct ws_dwarf_field {
  size_t at;
  uint64_t value;
  uint8_t size, into;
};

// A part of a section: a unit, a line table, a list of ranges. `unit` is the unit whose it is, or WS_NOTHING.
// The rest is dwarf_once.c's.
struct ws_dwarf_part {
  size_t start, end, moved; // `moved`: where it is written
  uint32_t unit, number;    // among the parts of its units
  uint8_t section;
  bool left_out;
  const struct ws_dwarf_field *fields;
  struct ws_site *sites;
  size_t field_count, site_count;
};

// What a section consists of.
struct ws_dwarf_map {
  struct ws_dwarf_part *parts;
  size_t part_count, part_capacity;
  struct ws_dwarf_field *fields;
  size_t field_count, field_capacity, first_field; // of the module that is walked
  struct ws_sites sites;
};

// Walking the sections of one module, in the merged ones.
struct ws_dwarf {
  struct ws_merge *merge;
  struct ws_buffer sections[WS_DEBUG_SECTIONS];
  uint32_t module;
  uint64_t bases[WS_DEBUG_SECTIONS], sizes[WS_DEBUG_SECTIONS]; // of the module's part
  struct ws_dwarf_abbreviations abbreviations;
  struct ws_dwarf_strings strings[WS_DEBUG_SECTIONS]; // of the two sections that have any
  struct ws_dwarf_map maps[WS_DEBUG_SECTIONS];
  uint32_t unit_count;
  bool entangled; // what is of which unit is not known

  // The unit that is walked.
  struct ws_reader reader; // of its section's part
  enum ws_debug_section section;
  uint16_t version;
  uint8_t address_size, offset_size;
  const char *problem;
};

// Notes the problem, or that memory ran out if it is NULL; returns false.
bool ws_dwarf_refuse(struct ws_dwarf *dwarf, const char *problem);
bool ws_dwarf_malformed(struct ws_dwarf *dwarf);

uint64_t ws_dwarf_number(struct ws_reader *reader, size_t size);
// Moves an offset of `size` bytes into a section. Linkers write ones for what was left out.
bool ws_dwarf_offset(struct ws_dwarf *dwarf, size_t size, enum ws_debug_section into);

// dwarf_strings.c. Begins with the strings of another module; there is room in `all`, which has those of all,
// for them and one byte more. False if memory ran out.
bool ws_dwarf_begin_strings(struct ws_dwarf_strings *strings, struct ws_buffer *all, struct ws_slice own);
// Where a string of the module is among all, or UINT32_MAX if memory ran out.
uint32_t ws_dwarf_move_string(struct ws_dwarf_strings *strings, struct ws_buffer *all, uint64_t offset);
void ws_dwarf_free_strings(struct ws_dwarf_strings *strings);

// dwarf_once.c; all return false if memory ran out. Finds the parts of the sections that have no units of
// their own, of one module; leaves out what several modules have of one object.
bool ws_dwarf_add_part(struct ws_dwarf_map *map, struct ws_dwarf_part part);
bool ws_dwarf_cut(struct ws_dwarf *dwarf);
bool ws_dwarf_once(struct ws_dwarf *dwarf);

// Each reads something and moves the offsets in it: a value of that attribute, or 0, in that form; an
// expression; an operand of one, by its letter in format/dwarf.h.
bool ws_dwarf_value(struct ws_dwarf *dwarf, uint32_t attribute, uint32_t form);
bool ws_dwarf_expression(struct ws_dwarf *dwarf, uint64_t size);
bool ws_dwarf_operand(struct ws_dwarf *dwarf, char kind);

#endif
