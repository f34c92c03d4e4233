#include "read/linking.h"

#include <string.h>

// Linking.md: subsections of "linking", and flags of segments
enum { LINKING_VERSION = 2, SEGMENT_TLS = 2 };

static bool malformed(struct ws_module *module, struct ws_error *error, const char *section,
                      const struct ws_reader *reader) {
  return ws_module_fail(module, error, section, reader->at, "malformed section");
}

static bool read_segment_info(struct ws_module *module, struct ws_reader *reader, struct ws_error *error) {
  const uint8_t *at = reader->at;
  uint32_t count = ws_read_uleb32(reader);
  // lld describes every segment that it laid out, and writes every one of them when it emits relocations.
  if (!reader->bad && count != module->segment_count)
    return ws_module_fail(
        module, error, "linking", at,
        "describes %u data segments, but there are %zu: the module was rewritten after linking", count,
        module->segment_count);
  for (uint32_t i = 0; i < count && !reader->bad; i++) {
    struct ws_segment *segment = &module->segments[i];
    segment->name = ws_read_name(reader);
    segment->alignment = ws_read_uleb32(reader);
    segment->tls = ws_read_uleb32(reader) & SEGMENT_TLS;
    if (segment->alignment > 31)
      reader->bad = true;
  }
  return true;
}

// An import among those of its kind, and among all.
struct import_cursor {
  uint32_t index;
  size_t at;
};

// The name of an imported function, global, ... is that of its import, unless the symbol gives one. Symbols
// come in order of what they name, mostly, so `*last` is where to go on.
static struct ws_slice import_name(const struct ws_module *module, struct import_cursor *last, uint8_t kind,
                                   uint32_t index) {
  struct import_cursor cursor = index < last->index ? (struct import_cursor){0} : *last;
  for (; cursor.at < module->import_count; cursor.at++) {
    if (module->imports[cursor.at].kind != kind)
      continue;
    if (cursor.index == index) {
      *last = cursor;
      return module->imports[cursor.at].name;
    }
    cursor.index++;
  }
  return (struct ws_slice){(const uint8_t *)"", 0};
}

static bool read_symbol(struct ws_module *module, struct ws_reader *reader, struct import_cursor *last,
                        struct ws_symbol *symbol) {
  static const uint8_t import_kinds[] = {WS_FUNCTION, 0, WS_GLOBAL, 0, WS_TAG, WS_TABLE};
  const uint32_t tables = module->table_count;
  const uint32_t functions = module->imported_functions + module->function_count;
  symbol->kind = ws_read_u8(reader);
  symbol->flags = ws_read_uleb32(reader);
  bool undefined = symbol->flags & WS_SYMBOL_UNDEFINED;
  switch (symbol->kind) {
  case WS_SYMBOL_FUNCTION:
  case WS_SYMBOL_GLOBAL:
  case WS_SYMBOL_TAG:
  case WS_SYMBOL_TABLE:
    symbol->index = ws_read_uleb32(reader);
    if (!undefined || (symbol->flags & WS_SYMBOL_EXPLICIT_NAME))
      symbol->name = ws_read_name(reader);
    else
      symbol->name = import_name(module, &last[symbol->kind], import_kinds[symbol->kind], symbol->index);
    return !(symbol->kind == WS_SYMBOL_FUNCTION && symbol->index >= functions) &&
           !(symbol->kind == WS_SYMBOL_GLOBAL && symbol->index >= module->global_count) &&
           !(symbol->kind == WS_SYMBOL_TABLE && symbol->index >= tables);
  case WS_SYMBOL_DATA:
    symbol->name = ws_read_name(reader);
    if (undefined)
      return true;
    symbol->index = ws_read_uleb32(reader);
    symbol->offset = ws_read_uleb64(reader);
    symbol->size = ws_read_uleb64(reader);
    if (symbol->flags & WS_SYMBOL_ABSOLUTE)
      return !(symbol->flags & WS_SYMBOL_TLS); // what is thread-local is in a segment
    return symbol->index < module->segment_count &&
           symbol->offset <= module->segments[symbol->index].bytes.size;
  case WS_SYMBOL_SECTION:
    symbol->name = (struct ws_slice){(const uint8_t *)"", 0};
    symbol->index = ws_read_uleb32(reader);
    return symbol->index < module->section_count;
  default:
    return false;
  }
}

static void note_function(struct ws_function *function, const struct ws_symbol *symbol) {
  function->name = symbol->name;
  function->has_symbol = true;
  function->has_local_symbol |= (symbol->flags & WS_SYMBOL_LOCAL) != 0;
}

static bool read_symbols(struct ws_module *module, struct ws_reader *reader, struct ws_error *error) {
  uint32_t count = ws_read_uleb32(reader);
  if (reader->bad || count > ws_read_left(reader))
    return malformed(module, error, "linking", reader);
  module->symbols = ws_arena_new(&module->arena, count, sizeof *module->symbols);
  if (!module->symbols)
    return ws_fail_memory(error, module->file);
  module->symbol_count = count;
  struct import_cursor last[WS_SYMBOL_TABLE + 1] = {0};
  for (uint32_t i = 0; i < count && !reader->bad; i++) {
    const uint8_t *at = reader->at;
    struct ws_symbol *symbol = &module->symbols[i];
    if (!read_symbol(module, reader, last, symbol) && !reader->bad)
      return ws_module_fail(
          module, error, "linking", at,
          "symbol %u is of unknown kind or names something that does not exist" WS_REWRITTEN, i);
    if (reader->bad)
      break;
    if (symbol->kind == WS_SYMBOL_FUNCTION && (symbol->flags & WS_SYMBOL_UNDEFINED) &&
        symbol->index >= module->imported_functions)
      return ws_module_fail(module, error, "linking", at,
                            "symbol %u is a function that is neither defined nor imported: link with "
                            "--allow-undefined, which imports it, not with --warn-unresolved-symbols or "
                            "--unresolved-symbols=ignore-all",
                            i);
    if (symbol->kind == WS_SYMBOL_GLOBAL)
      module->globals[symbol->index].name = symbol->name;
    if (symbol->kind == WS_SYMBOL_FUNCTION && symbol->index >= module->imported_functions)
      note_function(&module->functions[symbol->index - module->imported_functions], symbol);
  }
  return true;
}

static bool read_linking(struct ws_module *module, const struct ws_section *section, struct ws_error *error) {
  struct ws_reader reader = ws_reader(section->content);
  uint32_t version = ws_read_uleb32(&reader);
  if (!reader.bad && version != LINKING_VERSION)
    return ws_module_fail(module, error, "linking", section->content.data,
                          "is of version %u; this wasmshare knows version %d", version, LINKING_VERSION);
  while (!reader.bad && reader.at < reader.end) {
    uint8_t kind = ws_read_u8(&reader);
    struct ws_reader part = ws_reader(ws_read_name(&reader));
    if (reader.bad)
      break;
    if (kind == WASM_SYMBOL_TABLE) {
      if (!read_symbols(module, &part, error))
        return false;
    } else if (kind == WASM_SEGMENT_INFO) {
      if (!read_segment_info(module, &part, error))
        return false;
    } else {
      continue;
    }
    if (part.bad || part.at != part.end)
      return malformed(module, error, "linking", &part);
  }
  if (reader.bad)
    return malformed(module, error, "linking", &reader);
  module->has_linking = true;
  return true;
}

static bool read_names(struct ws_module *module, struct ws_section *section) {
  struct ws_reader reader = ws_reader(section->content);
  while (!reader.bad && reader.at < reader.end) {
    uint8_t kind = ws_read_u8(&reader);
    struct ws_reader part = ws_reader(ws_read_name(&reader));
    if (reader.bad || (kind != WASM_NAMES_FUNCTION && kind != WASM_NAMES_GLOBAL))
      continue;
    uint32_t count = ws_read_uleb32(&part);
    for (uint32_t i = 0; i < count && !part.bad; i++) {
      uint32_t index = ws_read_uleb32(&part);
      struct ws_slice name = ws_read_name(&part);
      if (part.bad)
        break;
      uint32_t defined = index - module->imported_functions;
      if (kind == WASM_NAMES_FUNCTION && index >= module->imported_functions &&
          defined < module->function_count)
        module->functions[defined].name = name;
      if (kind == WASM_NAMES_GLOBAL && index < module->global_count)
        module->globals[index].name = name;
    }
    if (part.bad || part.at != part.end)
      return false;
  }
  return !reader.bad;
}

static bool read_features(struct ws_module *module, struct ws_section *section) {
  struct ws_reader reader = ws_reader(section->content);
  uint32_t count = ws_read_uleb32(&reader);
  for (uint32_t i = 0; i < count && !reader.bad; i++) {
    uint8_t prefix = ws_read_u8(&reader);
    struct ws_slice name = ws_read_name(&reader);
    if (prefix == '+' && (ws_slice_is(name, "bulk-memory") || ws_slice_is(name, "bulk-memory-opt")))
      module->has_bulk_memory = true;
  }
  return !reader.bad;
}

bool ws_read_linking(struct ws_module *module, struct ws_error *error) {
  // Names first: what the symbol table says of the same thing is the truth, but GOT globals and the linker's
  // own functions have nothing but a name.
  struct ws_section *names = ws_custom_section(module, "name");
  if (names && !read_names(module, names)) {
    struct ws_reader at = ws_reader(names->content);
    return malformed(module, error, "name", &at);
  }
  for (size_t i = 0; i < module->section_count; i++) {
    struct ws_section *section = &module->sections[i];
    if (section->id != WS_SECTION_CUSTOM)
      continue;
    struct ws_reader at = ws_reader(section->content);
    if (ws_slice_is(section->name, "linking")) {
      if (module->has_linking)
        return ws_module_fail(module, error, "linking", section->content.data, "section is repeated");
      if (!read_linking(module, section, error))
        return false;
    } else if (ws_slice_is(section->name, "dylink.0") || ws_slice_is(section->name, "dylink")) {
      return ws_module_fail(
          module, error, "dylink", section->content.data,
          "is a shared library, or is linked at run time: link it without -shared, -pie and "
          "--unresolved-symbols=import-dynamic, and with "
          "-Wl,--no-entry,--import-memory,--emit-relocs");
    } else if (ws_slice_is(section->name, "target_features") && !read_features(module, section)) {
      return malformed(module, error, "target_features", &at);
    }
  }
  return true;
}
