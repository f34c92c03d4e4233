#include "read/sections.h"

#include <stdlib.h>
#include <string.h>

static const char *const section_names[] = {"custom", "TYPE",   "IMPORT",    "FUNCTION", "TABLE",
                                            "MEMORY", "GLOBAL", "EXPORT",    "START",    "ELEMENT",
                                            "CODE",   "DATA",   "DATACOUNT", "TAG"};

unsigned ws_section_order(uint8_t id) {
  static const uint8_t order[] = {0, 1, 2, 3, 4, 5, 7, 8, 9, 10, 12, 13, 11, 6};
  return order[id];
}

const char *ws_section_name(const struct ws_section *section, char *text, size_t size) {
  if (section->id == WS_SECTION_CUSTOM)
    return ws_printable(section->name, text, size);
  const char *name = section_names[section->id];
  return ws_printable((struct ws_slice){(const uint8_t *)name, strlen(name)}, text, size);
}

static struct ws_limits read_limits(struct ws_reader *reader) {
  const uint8_t *start = reader->at;
  uint8_t flags = ws_read_u8(reader);
  struct ws_limits limits = {.has_maximum = flags & WASM_LIMITS_FLAG_HAS_MAX,
                             .shared = flags & WASM_LIMITS_FLAG_IS_SHARED,
                             .is_64 = flags & WASM_LIMITS_FLAG_IS_64};
  limits.custom_pages = flags & WASM_LIMITS_FLAG_HAS_PAGE_SIZE;
  if (flags & ~(WASM_LIMITS_FLAG_HAS_MAX | WASM_LIMITS_FLAG_IS_SHARED | WASM_LIMITS_FLAG_IS_64 |
                WASM_LIMITS_FLAG_HAS_PAGE_SIZE))
    reader->bad = true;
  limits.minimum = limits.is_64 ? ws_read_uleb64(reader) : ws_read_uleb32(reader);
  if (limits.has_maximum)
    limits.maximum = limits.is_64 ? ws_read_uleb64(reader) : ws_read_uleb32(reader);
  if (limits.custom_pages)
    ws_read_uleb32(reader);
  limits.bytes = (struct ws_slice){start, (size_t)(reader->at - start)};
  return limits;
}

uint8_t ws_read_value_type(struct ws_reader *reader) {
  uint8_t type = ws_read_u8(reader);
  if (type == WASM_TYPE_NULLABLE || type == WASM_TYPE_NONNULLABLE)
    ws_read_sleb64(reader);
  return type;
}

static struct ws_table read_table_type(struct ws_reader *reader) {
  struct ws_table table = {.element_type = ws_read_value_type(reader)};
  table.limits = read_limits(reader);
  return table;
}

struct ws_expression ws_read_expression(struct ws_reader *reader) {
  struct ws_expression expression = {.kind = WS_CONSTANT_OTHER};
  const uint8_t *start = reader->at;
  for (unsigned count = 0; !reader->bad; count++) {
    uint8_t opcode = ws_read_u8(reader);
    if (opcode == WASM_OPCODE_END)
      break;
    enum ws_constant kind = WS_CONSTANT_OTHER;
    switch (opcode) {
    case WASM_OPCODE_I32_CONST:
      expression.value = (uint32_t)ws_read_sleb32(reader);
      kind = WS_CONSTANT_I32;
      break;
    case WASM_OPCODE_I64_CONST:
      expression.value = (uint64_t)ws_read_sleb64(reader);
      kind = WS_CONSTANT_I64;
      break;
    case WASM_OPCODE_GLOBAL_GET:
    case WASM_OPCODE_REF_FUNC:
      ws_read_uleb32(reader);
      break;
    case WASM_OPCODE_REF_NULL:
      ws_read_sleb64(reader);
      break;
    case WASM_OPCODE_F32_CONST:
      ws_read_bytes(reader, 4);
      break;
    case WASM_OPCODE_F64_CONST:
      ws_read_bytes(reader, 8);
      break;
    case WASM_OPCODE_SIMD_PREFIX:
      if (ws_read_uleb32(reader) == WASM_OPCODE_V128_CONST)
        ws_read_bytes(reader, 16);
      else
        reader->bad = true;
      break;
    case WASM_OPCODE_I32_ADD:
    case WASM_OPCODE_I32_SUB:
    case WASM_OPCODE_I32_MUL:
    case WASM_OPCODE_I64_ADD:
    case WASM_OPCODE_I64_SUB:
    case WASM_OPCODE_I64_MUL:
      break;
    default:
      reader->bad = true;
    }
    expression.kind = count == 0 ? kind : WS_CONSTANT_OTHER;
  }
  expression.bytes = (struct ws_slice){start, (size_t)(reader->at - start)};
  return expression;
}

// Allocates an array for a count that the bytes claim, or an empty one if so many entries could not fit in
// them. NULL if memory runs out, which it reports.
static void *new_array(struct ws_module *module, struct ws_reader *reader, uint32_t count, size_t size,
                       struct ws_error *error) {
  if (reader->bad || count > ws_read_left(reader)) {
    reader->bad = true;
    count = 0;
  }
  void *array = ws_arena_new(&module->arena, count, size);
  if (!array)
    ws_fail_memory(error, module->file);
  return array;
}

static struct ws_slice read_value_types(struct ws_reader *reader) {
  uint32_t count = ws_read_uleb32(reader);
  const uint8_t *start = reader->at;
  for (uint32_t i = 0; i < count && !reader->bad; i++)
    ws_read_value_type(reader);
  return (struct ws_slice){start, (size_t)(reader->at - start)};
}

static bool read_types(struct ws_module *module, struct ws_reader *reader, struct ws_error *error) {
  uint32_t count = ws_read_uleb32(reader);
  struct ws_type *types = new_array(module, reader, count, sizeof *types, error);
  if (!types)
    return false;
  for (uint32_t i = 0; i < count && !reader->bad; i++) {
    uint8_t form = ws_read_u8(reader);
    if (form != WASM_TYPE_FUNC) {
      // Structures, arrays, or a recursive group: how many types that is, nothing here needs to know. What
      // modules import from each other is compared by engines then, and no function of a new type can be
      // appended.
      reader->at = reader->end;
      return true;
    }
    types[i].parameters = read_value_types(reader);
    types[i].results = read_value_types(reader);
    if (types[i].parameters.size == 0 && types[i].results.size == 0 && module->void_type < 0)
      module->void_type = i;
  }
  module->types = types;
  module->type_count = count;
  return true;
}

static bool several_memories(const struct ws_module *module, struct ws_error *error, const char *section) {
  return ws_module_fail(module, error, section, NULL,
                        "has more than one memory: a module can share only the one that it has");
}

// Of types that are not all functions', there are more than are counted.
static bool check_type(const struct ws_module *module, const char *section, uint32_t type,
                       struct ws_error *error) {
  return !module->types || type < module->type_count ||
         ws_module_fail(module, error, section, NULL, "has a function of type %u, which does not exist",
                        type);
}

static bool read_imports(struct ws_module *module, struct ws_reader *reader, struct ws_error *error) {
  uint32_t count = ws_read_uleb32(reader);
  module->imports = new_array(module, reader, count, sizeof *module->imports, error);
  if (!module->imports)
    return false;
  module->import_count = count;
  for (uint32_t i = 0; i < count && !reader->bad; i++) {
    struct ws_import *import = &module->imports[i];
    import->module = ws_read_utf8(reader);
    import->name = ws_read_utf8(reader);
    import->kind = ws_read_u8(reader);
    const uint8_t *detail = reader->at;
    switch (import->kind) {
    case WS_FUNCTION:
      import->type = ws_read_uleb32(reader);
      if (!reader->bad && !check_type(module, "IMPORT", import->type, error))
        return false;
      module->imported_functions++;
      break;
    case WS_TABLE:
      import->table = read_table_type(reader);
      module->imported_tables++;
      break;
    case WS_MEMORY:
      import->limits = read_limits(reader);
      if (module->has_memory)
        return several_memories(module, error, "IMPORT");
      module->has_memory = true;
      module->memory = import->limits;
      module->memory_import = i;
      break;
    case WS_GLOBAL:
      ws_read_value_type(reader);
      ws_read_u8(reader);
      module->imported_globals++;
      break;
    case WS_TAG:
      ws_read_u8(reader);
      ws_read_uleb32(reader);
      break;
    default:
      reader->bad = true;
    }
    import->detail = (struct ws_slice){detail, (size_t)(reader->at - detail)};
  }
  return true;
}

static bool read_functions(struct ws_module *module, struct ws_reader *reader, struct ws_error *error) {
  uint32_t count = ws_read_uleb32(reader);
  const struct ws_section *code = ws_section(module, WS_SECTION_CODE);
  if (count && !reader->bad && !code)
    return ws_module_fail(module, error, "FUNCTION", NULL,
                          "declares functions, but there is no code section");
  if (code && count > code->content.size)
    reader->bad = true;
  module->function_types = new_array(module, reader, count, sizeof *module->function_types, error);
  module->functions = new_array(module, reader, count, sizeof *module->functions, error);
  if (!module->function_types || !module->functions)
    return false;
  module->function_count = reader->bad ? 0 : count;
  for (uint32_t i = 0; i < count && !reader->bad; i++) {
    module->function_types[i] = ws_read_uleb32(reader);
    if (!reader->bad && !check_type(module, "FUNCTION", module->function_types[i], error))
      return false;
  }
  return true;
}

static bool read_tables(struct ws_module *module, struct ws_reader *reader, struct ws_error *error) {
  uint32_t count = ws_read_uleb32(reader);
  module->tables = new_array(module, reader, count, sizeof *module->tables, error);
  if (!module->tables)
    return false;
  module->table_count = count;
  for (uint32_t i = 0; i < count && !reader->bad; i++) {
    bool initialised = reader->at < reader->end && *reader->at == WASM_TABLE_INITIALISED;
    if (initialised)
      ws_read_bytes(reader, 2);
    module->tables[i] = read_table_type(reader);
    module->tables[i].initialised = initialised;
    if (initialised)
      ws_read_expression(reader);
  }
  return true;
}

static bool read_memories(struct ws_module *module, struct ws_reader *reader, struct ws_error *error) {
  uint32_t count = ws_read_uleb32(reader);
  for (uint32_t i = 0; i < count && !reader->bad; i++) {
    struct ws_limits limits = read_limits(reader);
    if (module->has_memory)
      return several_memories(module, error, "MEMORY");
    module->has_memory = true;
    module->memory = limits;
  }
  return true;
}

static bool read_globals(struct ws_module *module, struct ws_reader *reader, struct ws_error *error) {
  uint32_t count = ws_read_uleb32(reader);
  struct ws_global *globals = new_array(module, reader, count, sizeof *globals, error);
  if (!globals)
    return false;
  for (uint32_t i = 0; i < count && !reader->bad; i++) {
    const uint8_t *type = reader->at;
    globals[i].type = ws_read_value_type(reader);
    globals[i].mutable = ws_read_u8(reader) == 1;
    globals[i].detail = (struct ws_slice){type, (size_t)(reader->at - type)};
    globals[i].init = ws_read_expression(reader);
  }
  module->globals = globals;
  module->global_count = count;
  return true;
}

static bool read_exports(struct ws_module *module, struct ws_reader *reader, struct ws_error *error) {
  uint32_t count = ws_read_uleb32(reader);
  module->exports = new_array(module, reader, count, sizeof *module->exports, error);
  if (!module->exports)
    return false;
  module->export_count = count;
  for (uint32_t i = 0; i < count && !reader->bad; i++) {
    module->exports[i].name = ws_read_utf8(reader);
    module->exports[i].kind = ws_read_u8(reader);
    module->exports[i].index = ws_read_uleb32(reader);
  }
  return reader->bad || ws_index_exports(module) || ws_fail_memory(error, module->file);
}

// Element segments: core specification, 5.5.12.
static bool read_elements(struct ws_module *module, struct ws_reader *reader, struct ws_error *error) {
  uint32_t count = ws_read_uleb32(reader);
  module->elements = new_array(module, reader, count, sizeof *module->elements, error);
  if (!module->elements)
    return false;
  module->element_count = count;
  for (uint32_t i = 0; i < count && !reader->bad; i++) {
    struct ws_element *element = &module->elements[i];
    const uint8_t *start = reader->at;
    uint32_t flags = ws_read_uleb32(reader);
    if (flags > 7)
      reader->bad = true;
    bool explicit_index = flags & 2, expressions = flags & 4;
    element->active = !(flags & 1);
    element->table = element->active && explicit_index ? ws_read_uleb32(reader) : 0;
    element->before = (struct ws_slice){start, (size_t)(reader->at - start)};
    if (element->active) {
      struct ws_expression offset = ws_read_expression(reader);
      element->constant = offset.kind != WS_CONSTANT_OTHER;
      element->offset = offset.value;
    }
    start = reader->at;
    if (flags & 3) // an element kind, or a reference type
      ws_read_value_type(reader);
    element->count = ws_read_uleb32(reader);
    uint32_t *functions = NULL;
    if (!expressions) {
      functions = new_array(module, reader, element->count, sizeof *functions, error);
      if (!functions)
        return false;
    }
    for (uint32_t k = 0; k < element->count && !reader->bad; k++) {
      if (expressions)
        ws_read_expression(reader);
      else
        functions[k] = ws_read_uleb32(reader);
    }
    element->functions = functions;
    element->rest = (struct ws_slice){start, (size_t)(reader->at - start)};
  }
  return true;
}

static bool read_data(struct ws_module *module, struct ws_reader *reader, struct ws_error *error) {
  uint32_t count = ws_read_uleb32(reader);
  module->segments = new_array(module, reader, count, sizeof *module->segments, error);
  if (!module->segments)
    return false;
  module->segment_count = count;
  for (uint32_t i = 0; i < count && !reader->bad; i++) {
    struct ws_segment *segment = &module->segments[i];
    const uint8_t *at = reader->at;
    uint32_t flags = ws_read_uleb32(reader);
    if (flags > 2)
      reader->bad = true;
    if (flags == 2 && ws_read_uleb32(reader) != 0)
      reader->bad = true;
    segment->passive = flags == 1;
    if (!segment->passive) {
      struct ws_expression offset = ws_read_expression(reader);
      if (!reader->bad && offset.kind == WS_CONSTANT_OTHER)
        return ws_module_fail(module, error, "DATA", at,
                              "data segment %u has an offset that is not a constant, as in shared libraries: "
                              "link it without -shared "
                              "and -pie, as a program, or as a reactor with --no-entry",
                              (unsigned)i);
      segment->placed = true;
      segment->address = offset.value;
    }
    uint32_t size = ws_read_uleb32(reader);
    segment->bytes_offset = (uint32_t)ws_read_offset(reader);
    segment->bytes = ws_read_bytes(reader, size);
  }
  return true;
}

static bool read_tags(struct ws_module *module, struct ws_reader *reader, struct ws_error *error) {
  uint32_t count = ws_read_uleb32(reader);
  module->tags = new_array(module, reader, count, sizeof *module->tags, error);
  if (!module->tags)
    return false;
  module->tag_count = count;
  for (uint32_t i = 0; i < count && !reader->bad; i++) {
    const uint8_t *detail = reader->at;
    ws_read_u8(reader); // its attribute
    ws_read_uleb32(reader);
    module->tags[i].detail = (struct ws_slice){detail, (size_t)(reader->at - detail)};
  }
  return true;
}

static bool read_start(struct ws_module *module, struct ws_reader *reader, struct ws_error *error) {
  (void)error;
  module->has_start = true;
  module->start = ws_read_uleb32(reader);
  return true;
}

// Each returns false, and an error, for what it can name; what does not parse makes the reader bad.
static bool (*const readers[])(struct ws_module *, struct ws_reader *, struct ws_error *) = {
    [WS_SECTION_TYPE] = read_types,         [WS_SECTION_IMPORT] = read_imports,
    [WS_SECTION_FUNCTION] = read_functions, [WS_SECTION_TABLE] = read_tables,
    [WS_SECTION_MEMORY] = read_memories,    [WS_SECTION_GLOBAL] = read_globals,
    [WS_SECTION_EXPORT] = read_exports,     [WS_SECTION_START] = read_start,
    [WS_SECTION_ELEMENT] = read_elements,   [WS_SECTION_DATA] = read_data,
    [WS_SECTION_TAG] = read_tags,
};

static bool malformed(const struct ws_module *module, const struct ws_section *section,
                      const struct ws_reader *reader, struct ws_error *error) {
  char name[64];
  return ws_module_fail(module, error, ws_section_name(section, name, sizeof name), reader->at,
                        "malformed section, or a feature that this wasmshare does not know");
}

static bool read_section(struct ws_module *module, const struct ws_section *section, struct ws_error *error) {
  struct ws_reader reader = ws_reader(section->content);
  if (!readers[section->id])
    return true;
  if (!readers[section->id](module, &reader, error))
    return false;
  return (!reader.bad && ws_read_left(&reader) == 0) || malformed(module, section, &reader, error);
}

static bool check_indices(struct ws_module *module, struct ws_error *error) {
  uint64_t functions = (uint64_t)module->imported_functions + module->function_count;
  uint64_t counts[] = {functions, module->table_count, module->has_memory, module->global_count, UINT32_MAX};
  if (module->has_start && module->start >= functions)
    return ws_module_fail(module, error, "START", NULL, "start function %u does not exist", module->start);
  for (size_t i = 0; i < module->export_count; i++) {
    const struct ws_export *export = &module->exports[i];
    if (export->kind > WS_TAG || export->index >= counts[export->kind])
      return ws_module_fail(module, error, "EXPORT", export->name.data,
                            "exports something that does not exist");
  }
  for (size_t i = 0; i < module->element_count; i++)
    if (module->elements[i].active && module->elements[i].table >= module->table_count)
      return ws_module_fail(module, error, "ELEMENT", module->elements[i].before.data,
                            "has elements for a table that does not exist");
  return true;
}

// Puts the imported globals and tables in front of the defined ones, so that an index finds its own.
static bool join_imports(struct ws_module *module) {
  size_t globals = (size_t)module->imported_globals + module->global_count, global = 0;
  size_t tables = (size_t)module->imported_tables + module->table_count, table = 0;
  struct ws_global *all_globals = ws_arena_new(&module->arena, globals, sizeof *all_globals);
  struct ws_table *all_tables = ws_arena_new(&module->arena, tables, sizeof *all_tables);
  if (!all_globals || !all_tables || globals > UINT32_MAX || tables > UINT32_MAX)
    return false;
  for (size_t i = 0; i < module->import_count; i++) {
    if (module->imports[i].kind == WS_GLOBAL)
      all_globals[global++].imported = true;
    else if (module->imports[i].kind == WS_TABLE)
      all_tables[table++] = module->imports[i].table;
  }
  if (module->global_count)
    memcpy(all_globals + global, module->globals, module->global_count * sizeof *all_globals);
  if (module->table_count)
    memcpy(all_tables + table, module->tables, module->table_count * sizeof *all_tables);
  module->globals = all_globals;
  module->global_count = (uint32_t)globals;
  module->tables = all_tables;
  module->table_count = (uint32_t)tables;
  return true;
}

static const char *what_it_is(struct ws_slice bytes) {
  if (bytes.size == 0)
    return ": it is empty";
  if (ws_slice_starts(bytes, "!<arch>"))
    return ", but an archive: link it first (wasm-ld --import-memory --emit-relocs)";
  if (ws_slice_starts(bytes, "(module") || ws_slice_starts(bytes, ";;"))
    return ", but its text: assemble it first (wat2wasm)";
  return " (no \\0asm at its start)";
}

static bool find_sections(struct ws_module *module, struct ws_error *error) {
  struct ws_reader reader = ws_reader(module->bytes);
  const uint8_t *header = ws_read_bytes(&reader, 8).data;
  if (reader.bad || memcmp(header, "\0asm", 4) != 0)
    return ws_module_fail(module, error, NULL, NULL, "is not a WebAssembly module%s",
                          what_it_is(module->bytes));
  if (header[6] == 1)
    return ws_module_fail(module, error, NULL, NULL,
                          "is a WebAssembly component: give the core modules that it was made of");
  if (memcmp(header + 4, "\1\0\0\0", 4) != 0)
    return ws_module_fail(module, error, NULL, header + 4, "is of an unknown WebAssembly version");

  size_t count = 0;
  struct ws_reader counter = reader;
  for (; !counter.bad && counter.at < counter.end; count++) {
    ws_read_u8(&counter);
    ws_read_bytes(&counter, ws_read_uleb32(&counter));
  }
  if (counter.bad)
    return ws_module_fail(module, error, NULL, counter.at, "is cut off, or has a malformed section header");
  module->sections = ws_arena_new(&module->arena, count, sizeof *module->sections);
  if (!module->sections)
    return ws_fail_memory(error, module->file);
  module->section_count = count;
  unsigned last = 0;
  for (size_t i = 0; i < count; i++) {
    struct ws_section *section = &module->sections[i];
    const uint8_t *at = reader.at;
    section->id = ws_read_u8(&reader);
    section->content = ws_read_name(&reader);
    if (section->id > WS_SECTION_TAG)
      return ws_module_fail(module, error, NULL, at, "has a section of unknown kind %u", section->id);
    if (section->id == WS_SECTION_CUSTOM) {
      struct ws_reader custom = ws_reader(section->content);
      section->name = ws_read_name(&custom);
      if (custom.bad)
        return ws_module_fail(module, error, "custom", at, "malformed section name");
      section->content = (struct ws_slice){custom.at, ws_read_left(&custom)};
    } else {
      unsigned order = ws_section_order(section->id);
      if (order <= last)
        return ws_module_fail(module, error, section_names[section->id], at,
                              "section is out of order or repeated");
      last = order;
      module->section_of[section->id] = section;
    }
  }
  return true;
}

bool ws_read_sections(struct ws_module *module, struct ws_error *error) {
  module->void_type = -1;
  module->memory_import = SIZE_MAX;
  if (module->bytes.size > INT32_MAX)
    return ws_module_fail(module, error, NULL, NULL, "is larger than 2 GiB");
  if (!find_sections(module, error))
    return false;
  for (size_t i = 0; i < module->section_count; i++)
    if (!read_section(module, &module->sections[i], error))
      return false;
  if (!join_imports(module))
    return ws_fail_memory(error, module->file);
  return check_indices(module, error);
}

bool ws_read_code(struct ws_module *module, struct ws_error *error) {
  const struct ws_section *code = ws_section(module, WS_SECTION_CODE);
  if (!code)
    return true;
  struct ws_reader reader = ws_reader(code->content);
  uint32_t count = ws_read_uleb32(&reader);
  module->code_count_size = (uint32_t)ws_read_offset(&reader);
  if (count != module->function_count)
    reader.bad = true;
  for (uint32_t i = 0; i < count && !reader.bad; i++) {
    uint32_t size = ws_read_uleb32(&reader);
    module->functions[i].offset = (uint32_t)ws_read_offset(&reader);
    module->functions[i].size = size;
    ws_read_bytes(&reader, size);
  }
  return (!reader.bad && ws_read_left(&reader) == 0) || malformed(module, code, &reader, error);
}
