#include "read/init_functions.h"

static bool malformed(const struct ws_module *module, struct ws_error *error,
                      const struct ws_reader *reader) {
  return ws_module_fail(module, error, "linking", reader->at, "malformed section");
}

static bool is_defined_function(const struct ws_module *module, uint32_t symbol) {
  return symbol < module->symbol_count && module->symbols[symbol].kind == WS_SYMBOL_FUNCTION &&
         !(module->symbols[symbol].flags & WS_SYMBOL_UNDEFINED) &&
         module->symbols[symbol].index >= module->imported_functions;
}

// What it returns is dropped.
static bool takes_arguments(const struct ws_module *module, uint32_t symbol) {
  const struct ws_type *types = module->types;
  return types && types[ws_function_type(module, module->symbols[symbol].index)].parameters.size > 0;
}

static bool read_functions(const struct ws_module *module, struct ws_reader *reader, struct ws_arena *arena,
                           struct ws_init_function **functions, size_t *count, struct ws_error *error) {
  uint32_t most = ws_read_uleb32(reader);
  if (reader->bad || most > ws_read_left(reader))
    return malformed(module, error, reader);
  struct ws_init_function *list = ws_arena_new(arena, most, sizeof *list);
  if (!list)
    return ws_fail_memory(error, module->file);
  for (uint32_t i = 0; i < most; i++) {
    const uint8_t *at = reader->at;
    list[i].priority = ws_read_uleb32(reader);
    list[i].symbol = ws_read_uleb32(reader);
    if (reader->bad)
      return malformed(module, error, reader);
    if (!is_defined_function(module, list[i].symbol))
      return ws_module_fail(module, error, "linking", at, "init function %u is not a function of the module",
                            i);
    if (takes_arguments(module, list[i].symbol))
      return ws_module_fail(module, error, "linking", at, "init function %u takes arguments", i);
  }
  *functions = list;
  *count = most;
  return reader->at == reader->end || malformed(module, error, reader);
}

// The linker has sorted them by priority, and so must who changes its output: the order among those of one
// priority is that in which their objects were linked.
static bool are_sorted(const struct ws_init_function *functions, size_t count) {
  for (size_t i = 1; i < count; i++)
    if (functions[i - 1].priority > functions[i].priority)
      return false;
  return true;
}

bool ws_read_init_functions(const struct ws_module *module, struct ws_arena *arena,
                            struct ws_init_function **functions, size_t *count, struct ws_error *error) {
  *functions = NULL;
  *count = 0;
  const struct ws_section *section = ws_custom_section(module, "linking");
  if (!section)
    return true;
  struct ws_reader reader = ws_reader(section->content);
  ws_read_uleb32(&reader); // the version, which was checked
  while (!reader.bad && reader.at < reader.end) {
    uint8_t kind = ws_read_u8(&reader);
    struct ws_reader part = ws_reader(ws_read_name(&reader));
    if (reader.bad)
      return malformed(module, error, &reader);
    if (kind == WASM_INIT_FUNCS) {
      if (!read_functions(module, &part, arena, functions, count, error))
        return false;
      return are_sorted(*functions, *count) || ws_module_fail(module, error, "linking", part.start,
                                                              "init functions are not in order of priority");
    }
  }
  return true;
}
