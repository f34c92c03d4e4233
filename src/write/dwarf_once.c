// What several modules have of one object of a library, its DWARF is in each of them. In a merged module it
// is there once, as in a static link: a unit with its lines, abbreviations, ranges, ... is left out if it is
// as that of another module, but for where things are; and where one has nothing, what the other has is
// taken.
#include <stdlib.h>

#include "write/dwarf.h"

// ---------------------------------------------------------------------------------------------------- parts

bool ws_dwarf_add_part(struct ws_dwarf_map *map, struct ws_dwarf_part part) {
  struct ws_dwarf_part *parts = ws_make_room(map->parts, map->part_count, &map->part_capacity, sizeof *parts);
  if (!parts)
    return false;
  map->parts = parts;
  parts[map->part_count++] = part;
  return true;
}

// The part that an offset leads into, or NULL.
static struct ws_dwarf_part *part_at(const struct ws_dwarf_map *map, uint64_t offset) {
  size_t low = 0, high = map->part_count;
  while (low < high) {
    size_t middle = low + (high - low) / 2;
    if (map->parts[middle].start <= offset)
      low = middle + 1;
    else
      high = middle;
  }
  return low ? &map->parts[low - 1] : NULL;
}

static bool add_until(struct ws_dwarf_map *map, size_t *start, size_t end) {
  struct ws_dwarf_part part = {.start = *start, .end = end, .unit = WS_NOTHING};
  *start = end;
  return part.start >= end || ws_dwarf_add_part(map, part);
}

// Sections of which nothing but lengths is known.
static bool cut_at_lengths(const struct ws_dwarf *dwarf, struct ws_dwarf_map *map,
                           enum ws_debug_section section) {
  size_t start = (size_t)dwarf->bases[section], end = start + (size_t)dwarf->sizes[section];
  while (start < end) {
    struct ws_reader reader =
        ws_reader((struct ws_slice){dwarf->sections[section].data + start, end - start});
    uint64_t length = ws_dwarf_number(&reader, 4);
    if (length == DW_LENGTH_DWARF64)
      length = ws_dwarf_number(&reader, 8);
    bool whole = !reader.bad && length <= ws_read_left(&reader);
    if (!add_until(map, &start, whole ? start + ws_read_offset(&reader) + (size_t)length : end))
      return false;
  }
  return true;
}

static int compare_offsets(const void *left, const void *right) {
  uint64_t a = *(const uint64_t *)left, b = *(const uint64_t *)right;
  return a < b ? -1 : a > b;
}

// Sections of lists one after another, without lengths: each begins where an offset says so.
static bool cut_at_offsets(const struct ws_dwarf *dwarf, struct ws_dwarf_map *map,
                           enum ws_debug_section section) {
  size_t start = (size_t)dwarf->bases[section], end = start + (size_t)dwarf->sizes[section], count = 0,
         most = 0;
  if (start == end)
    return true;
  for (int i = 0; i < WS_DEBUG_SECTIONS; i++)
    most += dwarf->maps[i].field_count - dwarf->maps[i].first_field;
  uint64_t *offsets = calloc(most + 1, sizeof *offsets);
  if (!offsets)
    return false;
  for (int i = 0; i < WS_DEBUG_SECTIONS; i++)
    for (size_t k = dwarf->maps[i].first_field; k < dwarf->maps[i].field_count; k++)
      if (dwarf->maps[i].fields[k].into == section)
        offsets[count++] = dwarf->maps[i].fields[k].value;
  qsort(offsets, count, sizeof *offsets, compare_offsets);
  offsets[count++] = end;
  bool ok = true;
  for (size_t i = 0; i < count && ok; i++)
    ok = add_until(map, &start, (size_t)offsets[i]);
  free(offsets);
  return ok;
}

bool ws_dwarf_cut(struct ws_dwarf *dwarf) {
  static const enum ws_debug_section lists[] = {WS_DEBUG_ABBREV, WS_DEBUG_RANGES, WS_DEBUG_LOC,
                                                WS_DEBUG_MACINFO, WS_DEBUG_MACRO};
  for (size_t i = 0; i < sizeof lists / sizeof *lists; i++)
    if (!cut_at_offsets(dwarf, &dwarf->maps[lists[i]], lists[i]))
      return false;
  for (int i = 0; i < WS_DEBUG_SECTIONS; i++)
    dwarf->maps[i].first_field = dwarf->maps[i].field_count;
  return cut_at_lengths(dwarf, &dwarf->maps[WS_DEBUG_ADDR], WS_DEBUG_ADDR) &&
         cut_at_lengths(dwarf, &dwarf->maps[WS_DEBUG_RNGLISTS], WS_DEBUG_RNGLISTS);
}

// --------------------------------------------------------------------------------------------------- groups

// Units that refer to each other, or to the same part, with all that they refer to.
struct group {
  struct ws_dwarf_part **parts; // in order of sections, and of where they are
  size_t count;
  uint64_t hash;
  uint32_t next; // with the same hash, or WS_NOTHING
};

struct once {
  struct ws_dwarf *dwarf;
  uint32_t *parents; // of units; a group's first unit is its own
  struct ws_dwarf_part **parts;
  struct group *groups;
  size_t part_count, group_count;
};

static uint32_t root_of(const struct once *once, uint32_t unit) {
  while (once->parents[unit] != unit)
    unit = once->parents[unit] = once->parents[once->parents[unit]];
  return unit;
}

static void join(const struct once *once, struct ws_dwarf_part *one, struct ws_dwarf_part *other) {
  if (one->unit == WS_NOTHING) {
    one->unit = other->unit;
  } else if (other->unit == WS_NOTHING) {
    other->unit = one->unit;
  } else {
    uint32_t a = root_of(once, one->unit), b = root_of(once, other->unit);
    once->parents[a < b ? b : a] = a < b ? a : b;
  }
}

// What an offset is in and where it leads belong together. False if some of it is in no part.
static bool join_all(const struct once *once) {
  const struct ws_dwarf_map *maps = once->dwarf->maps;
  for (int i = 0; i < WS_DEBUG_SECTIONS; i++)
    for (size_t k = 0; k < maps[i].field_count; k++) {
      const struct ws_dwarf_field *field = &maps[i].fields[k];
      struct ws_dwarf_part *in = part_at(&maps[i], field->at),
                           *to = part_at(&maps[field->into], field->value);
      if (!in || !to)
        return false;
      join(once, in, to);
    }
  for (int i = 0; i < WS_DEBUG_SECTIONS; i++)
    for (size_t k = 0; k < maps[i].field_count; k++) {
      const struct ws_dwarf_field *field = &maps[i].fields[k];
      if (part_at(&maps[i], field->at)->unit == WS_NOTHING &&
          part_at(&maps[field->into], field->value)->unit != WS_NOTHING)
        return false;
    }
  return true;
}

static size_t width_of(const struct ws_site *site) {
  return ws_encoding_width((enum ws_encoding)site->encoding);
}

// Gives each part its offsets and relocated sites. False if one is not within a part, or they are in
// disorder.
static bool attach(struct ws_dwarf_map *map) {
  size_t field = 0, site = 0, end = 0;
  for (size_t i = 0; i < map->part_count; i++) {
    struct ws_dwarf_part *part = &map->parts[i];
    part->fields = map->fields + field;
    part->sites = map->sites.items + site;
    for (end = part->start; field < map->field_count && map->fields[field].at < part->end; field++) {
      const struct ws_dwarf_field *one = &map->fields[field];
      if (one->at < end || one->size > part->end - one->at)
        return false;
      end = one->at + one->size;
      part->field_count++;
    }
    for (end = part->start; site < map->sites.count && map->sites.items[site].at < part->end; site++) {
      const struct ws_site *one = &map->sites.items[site];
      size_t width = width_of(one);
      if (one->at < end || width > part->end - one->at)
        return false;
      end = one->at + width;
      part->site_count++;
    }
  }
  return field == map->field_count && site == map->sites.count;
}

static int compare_parts(const void *left, const void *right) {
  const struct ws_dwarf_part *a = *(struct ws_dwarf_part *const *)left,
                             *b = *(struct ws_dwarf_part *const *)right;
  if (a->unit != b->unit)
    return a->unit < b->unit ? -1 : 1;
  if (a->section != b->section)
    return a->section < b->section ? -1 : 1;
  return a->start < b->start ? -1 : a->start > b->start;
}

// Lists the parts that are of a unit, by groups.
static bool list_parts(struct once *once) {
  struct ws_dwarf_map *maps = once->dwarf->maps;
  size_t most = 0;
  for (int i = 0; i < WS_DEBUG_SECTIONS; i++)
    most += maps[i].part_count;
  once->parts = calloc(most + 1, sizeof *once->parts);
  once->groups = calloc((size_t)once->dwarf->unit_count + 1, sizeof *once->groups);
  if (!once->parts || !once->groups)
    return false;
  for (int i = 0; i < WS_DEBUG_SECTIONS; i++)
    for (size_t k = 0; k < maps[i].part_count; k++) {
      struct ws_dwarf_part *part = &maps[i].parts[k];
      part->section = (uint8_t)i;
      if (part->unit == WS_NOTHING)
        continue;
      part->unit = root_of(once, part->unit);
      once->parts[once->part_count++] = part;
    }
  qsort(once->parts, once->part_count, sizeof(struct ws_dwarf_part *), compare_parts);
  for (size_t i = 0; i < once->part_count; i++) {
    if (i == 0 || once->parts[i]->unit != once->parts[i - 1]->unit)
      once->groups[once->group_count++].parts = &once->parts[i];
    struct group *group = &once->groups[once->group_count - 1];
    once->parts[i]->number = (uint32_t)group->count++;
  }
  return true;
}

// ----------------------------------------------------------------------------------------------------- twins

static uint8_t *content_of(const struct once *once, const struct ws_dwarf_part *part) {
  return once->dwarf->sections[part->section].data + part->start;
}

// Clears what lies elsewhere in each module, and takes a hash of what is the same in twins: how large the
// parts are, and how each begins. Linkers keep no relocation of some things that were dropped, so more is not
// known to be.
static void clear(const struct once *once, struct group *group) {
  enum { BEGINNING = 16 };
  group->hash = group->count;
  for (size_t i = 0; i < group->count; i++) {
    const struct ws_dwarf_part *part = group->parts[i];
    uint8_t *content = content_of(once, part);
    for (size_t k = 0; k < part->field_count; k++)
      memset(content + (part->fields[k].at - part->start), 0, part->fields[k].size);
    for (size_t k = 0; k < part->site_count; k++)
      memset(content + (part->sites[k].at - part->start), 0, width_of(&part->sites[k]));
    size_t size = part->end - part->start;
    bool begins = part->section <= WS_DEBUG_LINE && size > BEGINNING;
    group->hash = group->hash * 31 + size;
    group->hash = group->hash * 31 + ws_slice_hash((struct ws_slice){content, begins ? BEGINNING : 0});
  }
}

// Whether two offsets lead to the same place in their groups.
static bool same_field(const struct once *once, const struct ws_dwarf_part *one,
                       const struct ws_dwarf_field *a, const struct ws_dwarf_part *other,
                       const struct ws_dwarf_field *b) {
  if (a->into != b->into || a->size != b->size || a->at - one->start != b->at - other->start)
    return false;
  const struct ws_dwarf_map *map = &once->dwarf->maps[a->into];
  const struct ws_dwarf_part *left = part_at(map, a->value), *right = part_at(map, b->value);
  return left->number == right->number && a->value - left->start == b->value - right->start;
}

// What one or both of two parts have at a place that was relocated.
struct place {
  size_t at, width; // in the parts
  const struct ws_site *one, *other;
};

// The next one behind `*i` and `*k` sites of the two parts. False if there is none.
static bool next_place(const struct ws_dwarf_part *a, const struct ws_dwarf_part *b, size_t *i, size_t *k,
                       struct place *place) {
  const struct ws_site *one = *i < a->site_count ? &a->sites[*i] : NULL,
                       *other = *k < b->site_count ? &b->sites[*k] : NULL;
  size_t left = one ? one->at - a->start : SIZE_MAX, right = other ? other->at - b->start : SIZE_MAX;
  if (!one && !other)
    return false;
  place->at = left < right ? left : right;
  place->one = left == place->at ? one : NULL;
  place->other = right == place->at ? other : NULL;
  place->width = width_of(place->one ? place->one : place->other);
  *i += place->one != NULL;
  *k += place->other != NULL;
  return true;
}

// Linkers write this for what they have dropped.
static bool holds_tombstone(const uint8_t *at, const struct ws_site *like) {
  uint64_t value;
  return ws_operand_get(at, (enum ws_encoding)like->encoding, &value) &&
         ws_is_tombstone((enum ws_encoding)like->encoding, value);
}

// Whether one can say what both say.
static bool same_place(const struct place *place, const uint8_t *left, const uint8_t *right) {
  const struct ws_site *one = place->one, *other = place->other;
  if (!one)
    return holds_tombstone(left + place->at, other);
  if (!other)
    return holds_tombstone(right + place->at, one);
  return one->encoding == other->encoding && (!one->live || !other->live || one->value == other->value);
}

static bool same_content(const struct once *once, const struct ws_dwarf_part *a,
                         const struct ws_dwarf_part *b) {
  const uint8_t *left = content_of(once, a), *right = content_of(once, b);
  size_t size = a->end - a->start, at = 0, i = 0, k = 0;
  struct place place;
  while (next_place(a, b, &i, &k, &place)) {
    if (place.at < at || place.width > size - place.at || memcmp(left + at, right + at, place.at - at) != 0 ||
        !same_place(&place, left, right))
      return false;
    at = place.at + place.width;
  }
  return memcmp(left + at, right + at, size - at) == 0;
}

static bool same_part(const struct once *once, const struct ws_dwarf_part *a, const struct ws_dwarf_part *b) {
  if (a->section != b->section || a->end - a->start != b->end - b->start || a->field_count != b->field_count)
    return false;
  for (size_t i = 0; i < a->field_count; i++)
    if (!same_field(once, a, &a->fields[i], b, &b->fields[i]))
      return false;
  return same_content(once, a, b);
}

static bool are_twins(const struct once *once, const struct group *a, const struct group *b) {
  bool same = a->hash == b->hash && a->count == b->count;
  for (size_t i = 0; i < a->count && same; i++)
    same = same_part(once, a->parts[i], b->parts[i]);
  return same;
}

// Leaves out `other`, and has `one` say where what only the other has is. False if memory ran out.
static bool take_over(const struct once *once, struct group *one, struct group *other) {
  for (size_t n = 0; n < one->count; n++) {
    struct ws_dwarf_part *to = one->parts[n], *from = other->parts[n];
    struct ws_site *sites =
        ws_arena_new(&once->dwarf->merge->arena, to->site_count + from->site_count, sizeof *sites);
    size_t i = 0, k = 0, count = 0;
    struct place place;
    if (!sites)
      return false;
    while (next_place(to, from, &i, &k, &place)) {
      const struct ws_site *site = place.other && (!place.one || place.other->live) ? place.other : place.one;
      sites[count] = *site;
      sites[count++].at = to->start + place.at;
      memset(content_of(once, to) + place.at, 0, place.width);
    }
    to->sites = sites;
    to->site_count = count;
    from->left_out = true;
  }
  return true;
}

static bool find_twins(struct once *once) {
  struct ws_map first = {0};
  bool ok = true;
  for (uint32_t i = 0; i < once->group_count && ok; i++) {
    struct group *group = &once->groups[i];
    group->next = WS_NOTHING;
    struct ws_slice key = {(const uint8_t *)&group->hash, sizeof group->hash};
    uint32_t *at = ws_map_add(&first, key, i);
    if (!at || *at == i) {
      ok = at != NULL;
      continue;
    }
    uint32_t twin = *at, last = twin;
    while (twin != WS_NOTHING && !are_twins(once, &once->groups[twin], group)) {
      last = twin;
      twin = once->groups[twin].next;
    }
    if (twin == WS_NOTHING)
      once->groups[last].next = i;
    else
      ok = take_over(once, &once->groups[twin], group);
  }
  ws_map_free(&first);
  return ok;
}

// --------------------------------------------------------------------------------------------------- writing

// Closes the gaps.
static void move_parts(const struct once *once, enum ws_debug_section section) {
  struct ws_dwarf_map *map = &once->dwarf->maps[section];
  struct ws_buffer *out = &once->dwarf->sections[section];
  size_t size = 0;
  for (size_t i = 0; i < map->part_count; i++) {
    struct ws_dwarf_part *part = &map->parts[i];
    part->moved = size;
    if (part->left_out)
      continue;
    memmove(out->data + size, out->data + part->start, part->end - part->start);
    size += part->end - part->start;
  }
  if (map->part_count)
    out->size = size;
}

static void write_part(const struct once *once, enum ws_debug_section section,
                       const struct ws_dwarf_part *part) {
  uint8_t *content = once->dwarf->sections[section].data + part->moved;
  for (size_t i = 0; i < part->site_count; i++)
    ws_operand_put(content + (part->sites[i].at - part->start), (enum ws_encoding)part->sites[i].encoding,
                   part->sites[i].value);
  for (size_t i = 0; i < part->field_count; i++) {
    const struct ws_dwarf_field *field = &part->fields[i];
    const struct ws_dwarf_part *to = part_at(&once->dwarf->maps[field->into], field->value);
    ws_operand_put(content + (field->at - part->start), field->size == 8 ? WS_U64 : WS_U32,
                   to->moved + (field->value - to->start));
  }
}

static void write_all(const struct once *once) {
  for (int i = 0; i < WS_DEBUG_SECTIONS; i++)
    move_parts(once, (enum ws_debug_section)i);
  for (int i = 0; i < WS_DEBUG_SECTIONS; i++)
    for (size_t k = 0; k < once->dwarf->maps[i].part_count; k++)
      if (!once->dwarf->maps[i].parts[k].left_out)
        write_part(once, (enum ws_debug_section)i, &once->dwarf->maps[i].parts[k]);
}

bool ws_dwarf_once(struct ws_dwarf *dwarf) {
  struct once once = {.dwarf = dwarf, .parents = calloc((size_t)dwarf->unit_count + 1, sizeof *once.parents)};
  bool ok = once.parents, plain = !dwarf->entangled;
  for (uint32_t i = 0; i < dwarf->unit_count && ok; i++)
    once.parents[i] = i;
  for (int i = 0; i < WS_DEBUG_SECTIONS && plain; i++)
    plain = attach(&dwarf->maps[i]);
  if (ok && plain && join_all(&once)) {
    ok = list_parts(&once);
    for (size_t i = 0; i < once.group_count && ok; i++)
      clear(&once, &once.groups[i]);
    ok = ok && find_twins(&once);
    write_all(&once);
  }
  free(once.parents);
  free(once.parts);
  free(once.groups);
  return ok;
}
