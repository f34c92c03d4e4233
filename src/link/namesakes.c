#include "link/namesakes.h"

#include "format/wasm.h"
#include "link/language.h"

struct search {
  const struct ws_match *match;
  bool *has_state; // of each part: it has variables, or works on those of others
};

// A variable that a function which keeps nothing between calls has no use for.
static bool is_state(const struct ws_match *match, uint32_t node) {
  const struct ws_symbol *symbol = ws_match_symbol(match, node);
  if (symbol->kind != WS_SYMBOL_DATA || (symbol->flags & WS_SYMBOL_ABSOLUTE) ||
      ws_is_private_name(symbol->name))
    return false;
  // What implementations work with, and what the standard says of mathematical functions.
  if (!(symbol->flags & WS_SYMBOL_LOCAL) &&
      (ws_slice_starts(symbol->name, "_") || ws_slice_is(symbol->name, "errno") ||
       ws_slice_is(symbol->name, "signgam")))
    return match->owner[node] == WS_NAME_CXX || match->owner[node] == WS_NAME_RUST;
  return (symbol->flags & WS_SYMBOL_UNDEFINED) ||
         !ws_slice_starts(match->modules[match->module[node]]->segments[symbol->index].name, ".rodata");
}

static void note_state(void *context, uint32_t thing, uint32_t operand) {
  const struct search *search = context;
  if (is_state(search->match, operand))
    search->has_state[ws_find_root(search->match->part, thing)] = true;
}

static char type_letter(uint8_t type) {
  switch (type) {
  case WASM_TYPE_I32:
  case WASM_TYPE_I64:
    return 'n';
  case WASM_TYPE_F32:
    return 'f';
  case WASM_TYPE_F64:
    return 'd';
  default:
    return 'x';
  }
}

// Whether `text` begins as the types say; it is set to what follows.
static bool skip_types(const char **text, struct ws_slice types) {
  for (size_t i = 0; i < types.size; i++)
    if (*(*text)++ != type_letter(types.data[i]))
      return false;
  return true;
}

// Whether a function has the type that `text` says (ws_library_has). A module whose types are not known says
// nothing.
static bool has_type(const struct ws_module *module, const struct ws_symbol *function, const char *text) {
  uint32_t type = module->function_types[function->index - module->imported_functions];
  if (!module->types || type >= module->type_count)
    return true;
  struct ws_type found = module->types[type];
  return *text++ == '(' && skip_types(&text, found.parameters) && *text++ == ')' &&
         skip_types(&text, found.results) && *text == '\0';
}

static bool is_namesake(const struct search *search, uint32_t node) {
  const struct ws_match *match = search->match;
  const struct ws_symbol *symbol = ws_match_symbol(match, node);
  const struct ws_module *module = match->modules[match->module[node]];
  if (match->owner[node] != WS_NAME_LIBRARY || symbol->kind != WS_SYMBOL_FUNCTION ||
      (symbol->flags & (WS_SYMBOL_UNDEFINED | WS_SYMBOL_LOCAL)) || symbol->index < module->imported_functions)
    return false;
  const char *what = ws_library_has(symbol->name);
  if (!what || *what == '?')
    return false;
  return *what == '\0' ? search->has_state[ws_find_root(match->part, node)] : !has_type(module, symbol, what);
}

bool ws_find_namesakes(struct ws_match *match, struct ws_arena *arena) {
  struct search search = {match, ws_arena_new(arena, match->node_count, sizeof(bool))};
  if (!search.has_state)
    return false;
  ws_match_visit(match, note_state, &search);
  for (uint32_t i = 0; i < match->node_count; i++)
    if (is_namesake(&search, i))
      match->owner[i] = WS_NAME_PLAIN;
  return true;
}
