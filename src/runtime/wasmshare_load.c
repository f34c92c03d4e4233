#include "wasmshare_load.h"

#include <string.h>

enum { CUSTOM = 0, IMPORT = 2, TABLE = 4, GLOBAL = 6, I64_CONST = 0x42, PAGE = 65536 };

const char *ws_load_message(enum ws_load_status status) {
  switch (status) {
  case WS_LOAD_OK:
    return "no error";
  case WS_LOAD_NOT_A_MODULE:
    return "is not a WebAssembly module, or is cut off";
  case WS_LOAD_NOT_PREPARED:
    return "is not prepared for placing at load time: run `wasmshare prepare` on it";
  case WS_LOAD_VERSION:
    return "was prepared by another version of WasmShare: prepare it again";
  case WS_LOAD_CHANGED:
    return "was changed after it was prepared: prepare what comes last out of the build";
  case WS_LOAD_MALFORMED:
    return "has a malformed section wasmshare: prepare the module again";
  case WS_LOAD_STACK:
    return "has a stack pointer that is not the first global that it defines, so it cannot be shared";
  case WS_LOAD_TABLE:
    return "has a function table that is not the first table that it defines, so it cannot be shared";
  case WS_LOAD_SPACE:
    return "does not fit the buffer";
  }
  return "?";
}

// ------------------------------------------------------------------------------------------------- reading

static uint32_t word_at(const uint8_t *at) {
  return at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24;
}

static uint64_t long_at(const uint8_t *at) {
  return word_at(at) | (uint64_t)word_at(at + 4) << 32;
}

struct ws_load_sum ws_load_add(struct ws_load_sum sum, const uint8_t *bytes, size_t size) {
  for (size_t at = 0; at < size; at += 8) {
    sum.value += long_at(bytes + (size - at < 8 ? size - 8 : at)) * (sum.words * 2 + 1);
    sum.words++;
  }
  return sum;
}

struct reader {
  const uint8_t *bytes;
  size_t at, end;
  bool bad;
};

static uint64_t read_uleb(struct reader *reader) {
  uint64_t value = 0;
  for (unsigned shift = 0; !reader->bad && reader->at < reader->end && shift < 64; shift += 7) {
    uint8_t byte = reader->bytes[reader->at++];
    if (shift == 63 && byte > 1)
      break;
    value |= (uint64_t)(byte & 0x7f) << shift;
    if (byte < 0x80)
      return value;
  }
  reader->bad = true;
  return 0;
}

static size_t read_size(struct reader *reader) {
  uint64_t value = read_uleb(reader);
  if (value > reader->end - reader->at)
    reader->bad = true;
  return reader->bad ? 0 : (size_t)value;
}

static struct reader read_range(const struct ws_load_module *module, const struct ws_load_range *range) {
  return (struct reader){module->bytes, range->content, range->end, false};
}

static bool find_sections(struct ws_load_module *module) {
  struct reader reader = {module->bytes, 8, module->size, false};
  while (!reader.bad && reader.at < reader.end) {
    struct ws_load_range range = {.start = reader.at};
    uint8_t id = module->bytes[reader.at++];
    size_t size = read_size(&reader);
    range.content = reader.at;
    range.end = reader.at += size;
    struct ws_load_range *kept = id == IMPORT   ? &module->imports
                                 : id == TABLE  ? &module->tables
                                 : id == GLOBAL ? &module->globals
                                                : NULL;
    if (id == CUSTOM) {
      struct reader custom = read_range(module, &range);
      size_t length = read_size(&custom);
      if (!custom.bad && length == 9 && memcmp(module->bytes + custom.at, "wasmshare", 9) == 0) {
        kept = &module->prepared;
        range.content = custom.at + length;
      }
    }
    if (kept && kept->start)
      return false; // twice
    if (kept)
      *kept = range;
  }
  return !reader.bad;
}

static bool read_limits(const struct ws_load_module *module, const struct ws_load_range *section, size_t at,
                        struct ws_load_limits *limits) {
  struct reader reader = read_range(module, section);
  if (at <= section->content || at >= section->end)
    return false;
  reader.at = at;
  uint8_t flags = module->bytes[reader.at++];
  *limits = (struct ws_load_limits){.at = at,
                                    .has_maximum = flags & 1,
                                    .shared = flags & 2,
                                    .is_64 = flags & 4,
                                    .minimum = read_uleb(&reader)};
  if (limits->has_maximum)
    limits->maximum = read_uleb(&reader);
  limits->size = reader.at - at;
  return !reader.bad && flags < 8;
}

static bool read_facts(struct ws_load_module *module, struct reader *reader) {
  uint64_t flags = read_uleb(reader), alignment = read_uleb(reader);
  module->has_stack = flags & 1;
  module->imports_stack = flags & 2;
  module->can_share_stack = flags & 4;
  module->has_table = flags & 8;
  module->imports_table = flags & 16;
  module->can_share_table = flags & 32;
  module->uses_heap_base = flags & 64;
  module->uses_heap_end = flags & 128;
  module->has_relocations = flags & 256;
  module->heap = (enum ws_load_heap)(flags >> 9 & 7);
  module->claimed = flags & 4096;
  module->alignment = UINT64_C(1) << (alignment & 63);
  module->data_base = read_uleb(reader);
  module->data_end = module->data_base + read_uleb(reader);
  module->stack_low = read_uleb(reader);
  module->stack_pointer = module->stack_low + read_uleb(reader);
  module->end = read_uleb(reader);
  module->heap_base = read_uleb(reader);
  module->heap_end = read_uleb(reader);
  module->initial_heap = read_uleb(reader);
  module->zero_bytes = read_uleb(reader);
  module->tls_size = read_uleb(reader);
  uint64_t tls_alignment = read_uleb(reader);
  module->tls_alignment = module->tls_size ? UINT64_C(1) << (tls_alignment & 63) : 0;
  module->table_base = read_uleb(reader);
  module->table_size = read_uleb(reader);
  uint64_t index = read_uleb(reader);
  module->table_index = (uint32_t)index;
  uint64_t memory = read_uleb(reader), table = read_uleb(reader);
  module->fixups = reader->at;
  const uint64_t most = UINT64_C(1) << 53; // what JavaScript counts to
  if (reader->bad || flags > 8191 || (flags >> 9 & 7) >= WS_LOAD_HEAPS || alignment < 4 || alignment > 32 ||
      tls_alignment > 32 || module->tls_size > most || index > UINT32_MAX || memory > module->size ||
      table > module->size || module->data_base > most || module->data_end - module->data_base > most ||
      module->stack_low > most || module->stack_pointer - module->stack_low > most || module->end > most ||
      module->heap_base > most || module->heap_end > most || module->initial_heap > most ||
      module->table_base > UINT32_MAX || module->table_size > UINT32_MAX)
    return false;
  bool imported = table < module->imports.end;
  return read_limits(module, &module->imports, (size_t)memory, &module->memory) &&
         (!table ||
          read_limits(module, imported ? &module->imports : &module->tables, (size_t)table, &module->table));
}

enum ws_load_status ws_load_open(struct ws_load_module *module, const void *bytes, size_t size) {
  *module = (struct ws_load_module){.bytes = bytes, .size = size};
  if (size < 8 || memcmp(bytes, "\0asm\1\0\0\0", 8) != 0 || !find_sections(module))
    return WS_LOAD_NOT_A_MODULE;
  const struct ws_load_range *prepared = &module->prepared;
  if (!prepared->start)
    return WS_LOAD_NOT_PREPARED;
  struct reader reader = read_range(module, prepared);
  if (reader.end - reader.at < 9)
    return WS_LOAD_MALFORMED;
  const uint8_t *header = module->bytes + reader.at;
  if (header[0] != WS_LOAD_FORMAT)
    return WS_LOAD_VERSION;
  reader.at += 9;
  size_t summed = reader.at;
  uint64_t covered = read_uleb(&reader);
  if (reader.bad || covered < 8 || covered > prepared->start || prepared->end - summed < 8)
    return WS_LOAD_CHANGED;
  module->covered = (size_t)covered;
  struct ws_load_sum sum = ws_load_add((struct ws_load_sum){0, 0}, module->bytes, module->covered);
  sum = ws_load_add(sum, module->bytes + summed, prepared->end - summed);
  if (sum.value != long_at(header + 1))
    return WS_LOAD_CHANGED;
  return read_facts(module, &reader) ? WS_LOAD_OK : WS_LOAD_MALFORMED;
}

bool ws_load_clash(const struct ws_load_module *one, const struct ws_load_module *other) {
  bool all = one->heap > WS_LOAD_HEAP_FIXED, others = other->heap > WS_LOAD_HEAP_FIXED;
  bool grows = one->heap % WS_LOAD_HEAP_FIXED, other_grows = other->heap % WS_LOAD_HEAP_FIXED;
  return (all && (others || other_grows)) || (others && grows);
}

unsigned ws_load_width(enum ws_load_encoding encoding) {
  static const uint8_t widths[] = {5, 5, 10, 10, 4, 8};
  return widths[encoding];
}

struct ws_load_fixups ws_load_fixups(const struct ws_load_module *module) {
  return (struct ws_load_fixups){.module = module, .read = module->fixups};
}

bool ws_load_next(struct ws_load_fixups *fixups) {
  if (fixups->malformed)
    return false;
  const struct ws_load_module *module = fixups->module;
  struct ws_load_fixup *fixup = &fixups->fixup;
  struct reader reader = {module->bytes, fixups->read, module->prepared.end, false};
  size_t from = fixup->at + ws_load_width(fixup->encoding);
  if (!fixups->left) {
    if (reader.at == reader.end)
      return false;
    uint64_t kind = read_uleb(&reader), minus = kind >> 6;
    fixups->left = read_uleb(&reader);
    fixup->encoding = (enum ws_load_encoding)(kind & 7);
    fixup->base = (enum ws_load_base)(kind >> 3 & 7);
    fixup->minus = minus ? (enum ws_load_base)(minus - 1) : WS_LOAD_BASES;
    if ((kind & 7) > WS_LOAD_U64 || (kind >> 3 & 7) >= WS_LOAD_BASES || minus > WS_LOAD_BASES ||
        !fixups->left)
      reader.bad = true;
    from = 0;
  }
  uint64_t gap = read_uleb(&reader);
  if (reader.bad || gap > module->covered - from ||
      module->covered - from - gap < ws_load_width(fixup->encoding)) {
    fixups->malformed = true;
    fixups->left = 0;
    fixups->read = module->prepared.end;
    return false;
  }
  fixup->at = from + (size_t)gap;
  fixups->left--;
  fixups->read = reader.at;
  return true;
}

// ------------------------------------------------------------------------------------------------- placing

void ws_load_shift(const struct ws_load_module *module, uint64_t offset, uint64_t heap_base,
                   struct ws_load_placement *placement) {
  uint64_t mask = module->memory.is_64 ? UINT64_MAX : UINT32_MAX, end = (module->end + offset) & mask;
  uint64_t size = module->memory.minimum * PAGE, top = heap_base > end ? heap_base : end;
  if (size > module->end)
    top += (size - module->end) / PAGE * PAGE;
  *placement = (struct ws_load_placement){
      .offset = offset,
      .stack_low = (module->stack_low + offset) & mask,
      .stack_pointer = (module->stack_pointer + offset) & mask,
      .heap_base = heap_base,
      .heap_end = (top + PAGE - 1) / PAGE * PAGE,
      .table_base = module->table_base,
      .pages = (top + PAGE - 1) / PAGE,
      .maximum_pages = module->memory.maximum,
      .has_maximum = module->memory.has_maximum,
  };
}

static struct ws_load_edit *add_edit(struct ws_load_edits *edits, size_t at, size_t remove) {
  struct ws_load_edit *edit = &edits->edits[edits->count++];
  edit->at = at;
  edit->remove = remove;
  edit->size = 0;
  edits->growth -= remove;
  return edit;
}

static void put(struct ws_load_edits *edits, struct ws_load_edit *edit, const void *bytes, size_t size) {
  memcpy(edit->bytes + edit->size, bytes, size);
  edit->size += size;
  edits->growth += size;
}

static void put_uleb(struct ws_load_edits *edits, struct ws_load_edit *edit, uint64_t value) {
  do {
    uint8_t byte = (value & 0x7f) | (value > 0x7f ? 0x80 : 0);
    put(edits, edit, &byte, 1);
    value >>= 7;
  } while (value);
}

static void put_limits(struct ws_load_edits *edits, struct ws_load_edit *edit,
                       const struct ws_load_limits *limits) {
  uint8_t flags =
      (uint8_t)((limits->has_maximum ? 1 : 0) | (limits->shared ? 2 : 0) | (limits->is_64 ? 4 : 0));
  put(edits, edit, &flags, 1);
  put_uleb(edits, edit, limits->minimum);
  if (limits->has_maximum)
    put_uleb(edits, edit, limits->maximum);
}

// The edit of a section's size, which is known when the section's other edits are.
struct resized {
  const struct ws_load_range *section;
  struct ws_load_edit *size;
  size_t growth;
};

static struct resized open_section(const struct ws_load_range *section, struct ws_load_edits *edits) {
  struct ws_load_edit *size = add_edit(edits, section->start + 1, section->content - section->start - 1);
  return (struct resized){section, size, edits->growth};
}

static void close_section(const struct resized *resized, struct ws_load_edits *edits) {
  const struct ws_load_range *section = resized->section;
  put_uleb(edits, resized->size, section->end - section->content + (edits->growth - resized->growth));
}

// Adds to the number at the start of a section. Returns where what it counts begins.
static size_t edit_count(const uint8_t *bytes, const struct ws_load_range *section,
                         struct ws_load_edits *edits, uint64_t by) {
  struct reader reader = {bytes, section->content, section->end, false};
  uint64_t count = read_uleb(&reader);
  if (by)
    put_uleb(edits, add_edit(edits, section->content, reader.at - section->content), count + by);
  return reader.at;
}

void ws_load_edit_imports(const struct ws_load_sections *sections, struct ws_load_edits *edits) {
  const struct ws_load_range *imports = &sections->imports;
  struct resized resized = open_section(imports, edits);
  edit_count(sections->bytes, imports, edits,
             (uint64_t)sections->add_memory + sections->move_table + (sections->stack_pointer != NULL));
  const struct ws_load_limits *limits[] = {&sections->memory, &sections->table};
  if (sections->table.at < sections->memory.at) {
    limits[0] = &sections->table;
    limits[1] = &sections->memory;
  }
  for (unsigned i = 0; i < 2; i++)
    if (limits[i]->at > imports->content && limits[i]->at < imports->end)
      put_limits(edits, add_edit(edits, limits[i]->at, limits[i]->size), limits[i]);
  struct ws_load_edit *edit = add_edit(edits, imports->end, 0);
  if (sections->add_memory) {
    put(edits, edit, "\3env\6memory\2", 12);
    put_limits(edits, edit, &sections->memory);
  }
  edit = add_edit(edits, imports->end, 0);
  if (sections->move_table) {
    put(edits, edit, "\3env\x19__indirect_function_table\1\x70", 32);
    put_limits(edits, edit, &sections->table);
  }
  edit = add_edit(edits, imports->end, 0);
  if (sections->stack_pointer) {
    put(edits, edit, "\3env\x0f__stack_pointer\3", 21);
    put(edits, edit, sections->stack_pointer, 2);
  }
  close_section(&resized, edits);
}

void ws_load_edit_tables(const struct ws_load_sections *sections, struct ws_load_edits *edits) {
  const struct ws_load_limits *table = &sections->table;
  struct resized tables = open_section(&sections->tables, edits);
  if (sections->move_table) {
    size_t entry = edit_count(sections->bytes, &sections->tables, edits, UINT64_MAX);
    add_edit(edits, entry, table->at + table->size - entry);
  } else {
    put_limits(edits, add_edit(edits, table->at, table->size), table);
  }
  close_section(&tables, edits);
}

static struct ws_load_limits table_limits(const struct ws_load_module *module,
                                          const struct ws_load_placement *placement) {
  struct ws_load_limits limits = module->table;
  uint64_t up = placement->table_base - module->table_base;
  limits.minimum = placement->table_end ? placement->table_end : limits.minimum + up;
  limits.has_maximum &= !placement->table_end;
  limits.maximum += up;
  return limits;
}

static struct ws_load_limits memory_limits(const struct ws_load_module *module,
                                           const struct ws_load_placement *placement) {
  struct ws_load_limits limits = module->memory;
  limits.minimum = placement->pages;
  limits.maximum = placement->maximum_pages;
  limits.has_maximum = placement->has_maximum;
  return limits;
}

// Takes away the first global: its type, whether it is mutable, and a constant of full width.
static void edit_globals(const struct ws_load_module *module, size_t stack_pointer,
                         struct ws_load_edits *edits) {
  struct resized globals = open_section(&module->globals, edits);
  edit_count(module->bytes, &module->globals, edits, UINT64_MAX);
  add_edit(edits, stack_pointer, module->bytes[stack_pointer + 2] == I64_CONST ? 14 : 9);
  close_section(&globals, edits);
}

static enum ws_load_status make_edits(const struct ws_load_module *module,
                                      const struct ws_load_placement *placement,
                                      struct ws_load_edits *edits) {
  bool move_stack = placement->share_stack && module->has_stack && !module->imports_stack;
  bool move_table = placement->share_table && module->has_table && !module->imports_table;
  bool defines_table = module->table.at >= module->imports.end;
  size_t stack_pointer = 0;
  if (move_stack) {
    struct reader globals = read_range(module, &module->globals);
    read_uleb(&globals);
    stack_pointer = globals.at;
    if (!module->can_share_stack || globals.bad || globals.end - globals.at < 9)
      return WS_LOAD_STACK;
  }
  if (move_table && (!module->can_share_table || !defines_table))
    return WS_LOAD_TABLE;
  struct ws_load_sections sections = {.bytes = module->bytes,
                                      .imports = module->imports,
                                      .tables = module->tables,
                                      .memory = memory_limits(module, placement),
                                      .table = table_limits(module, placement),
                                      .move_table = move_table,
                                      .stack_pointer = move_stack ? module->bytes + stack_pointer : NULL};
  ws_load_edit_imports(&sections, edits);
  if (defines_table)
    ws_load_edit_tables(&sections, edits);
  if (move_stack)
    edit_globals(module, stack_pointer, edits);
  add_edit(edits, module->prepared.start, module->prepared.end - module->prepared.start);
  size_t from = 0;
  for (size_t i = 0; i < edits->count; i++) {
    if (edits->edits[i].at < from || edits->edits[i].remove > module->size - edits->edits[i].at)
      return WS_LOAD_MALFORMED;
    from = edits->edits[i].at + edits->edits[i].remove;
  }
  return WS_LOAD_OK;
}

size_t ws_load_size(const struct ws_load_module *module, const struct ws_load_placement *placement) {
  struct ws_load_edits edits = {.count = 0};
  return make_edits(module, placement, &edits) == WS_LOAD_OK ? module->size + edits.growth : 0;
}

static void apply(uint8_t *at, enum ws_load_encoding encoding, uint64_t delta) {
  unsigned width = ws_load_width(encoding), bits = encoding >= WS_LOAD_U32 ? 8 : 7;
  uint64_t value = 0;
  for (unsigned i = 0; i < width; i++)
    value |= (uint64_t)(at[i] & ((1u << bits) - 1)) << (bits * i);
  value += delta;
  if (encoding == WS_LOAD_LEB32)
    value &= UINT32_MAX;
  if (encoding == WS_LOAD_SLEB32)
    value = (uint64_t)(int64_t)(int32_t)(uint32_t)value;
  for (unsigned i = 0; i < width; i++) {
    uint64_t part = bits * i < 64 ? value >> (bits * i) : 0;
    // The tenth byte of a signed number holds its last bit and the sign.
    if (encoding == WS_LOAD_SLEB64 && i == 9)
      part = value >> 63 ? 0x7f : 0;
    at[i] = (uint8_t)(bits == 8 ? part : (part & 0x7f) | (i + 1 < width ? 0x80 : 0));
  }
}

enum ws_load_status ws_load_place(const struct ws_load_module *module,
                                  const struct ws_load_placement *placement, void *to, size_t capacity) {
  struct ws_load_edits edits = {.count = 0};
  enum ws_load_status status = make_edits(module, placement, &edits);
  if (status != WS_LOAD_OK)
    return status;
  if (capacity < module->size + edits.growth)
    return WS_LOAD_SPACE;
  uint8_t *out = to;
  size_t from = 0, written = 0;
  for (size_t i = 0; i < edits.count; i++) {
    const struct ws_load_edit *edit = &edits.edits[i];
    memcpy(out + written, module->bytes + from, edit->at - from);
    written += edit->at - from;
    memcpy(out + written, edit->bytes, edit->size);
    written += edit->size;
    from = edit->at + edit->remove;
  }
  memcpy(out + written, module->bytes + from, module->size - from);

  uint64_t deltas[WS_LOAD_BASES + 1] = {
      [WS_LOAD_MEMORY] = placement->offset,
      [WS_LOAD_STACK_LOW] = placement->stack_low - module->stack_low,
      [WS_LOAD_STACK_HIGH] = placement->stack_pointer - module->stack_pointer,
      [WS_LOAD_HEAP_BASE] = placement->heap_base - module->heap_base,
      [WS_LOAD_HEAP_END] = placement->heap_end - module->heap_end,
      [WS_LOAD_TABLE_BASE] = placement->table_base - module->table_base,
  };
  // The last edit takes out the section wasmshare, which is behind all fixups; they are behind all others.
  const struct ws_load_edit *prepared = &edits.edits[edits.count - 1];
  size_t behind = prepared[-1].at + prepared[-1].remove, growth = edits.growth + prepared->remove;
  struct ws_load_fixups fixups = ws_load_fixups(module);
  while (ws_load_next(&fixups)) {
    const struct ws_load_fixup *fixup = &fixups.fixup;
    if (fixup->at >= behind)
      apply(out + fixup->at + growth, fixup->encoding, deltas[fixup->base] - deltas[fixup->minus]);
    else if (!placement->share_stack || fixup->base != WS_LOAD_STACK_HIGH) // the pointer that is imported now
      return WS_LOAD_MALFORMED;
  }
  return fixups.malformed ? WS_LOAD_MALFORMED : WS_LOAD_OK;
}
