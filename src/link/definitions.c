#include "link/definitions.h"

#include "link/language.h"

// The slot of a name, or the free one where it belongs.
static uint32_t *find_slot(const struct ws_definitions *definitions, uint8_t kind, struct ws_slice text) {
  size_t mask = definitions->slot_count - 1;
  for (size_t at = (ws_slice_hash(text) + kind) & mask;; at = (at + 1) & mask) {
    uint32_t *slot = &definitions->slots[at];
    if (*slot == WS_NO_NODE)
      return slot;
    const struct ws_defined_name *name = &definitions->names[*slot];
    if (name->kind == kind && ws_slice_equal(name->text, text))
      return slot;
  }
}

const struct ws_defined_name *ws_find_name(const struct ws_definitions *definitions, uint8_t kind,
                                           struct ws_slice text) {
  uint32_t slot = *find_slot(definitions, kind, text);
  return slot == WS_NO_NODE ? NULL : &definitions->names[slot];
}

static bool is_definition(const struct ws_match *match, uint32_t node) {
  const struct ws_symbol *symbol = ws_match_symbol(match, node);
  const struct ws_module *module = match->modules[match->module[node]];
  if ((symbol->flags & (WS_SYMBOL_UNDEFINED | WS_SYMBOL_ABSOLUTE)) || symbol->name.size == 0)
    return false;
  bool local = (symbol->flags & WS_SYMBOL_LOCAL) || ws_was_local(symbol->name);
  switch (symbol->kind) {
  case WS_SYMBOL_FUNCTION:
    return !local && symbol->index >= module->imported_functions &&
           !module->functions[symbol->index - module->imported_functions].synthetic;
  case WS_SYMBOL_DATA:
    return symbol->size > 0 && (!local || match->is_unique[node]);
  case WS_SYMBOL_TAG:
    return !local;
  default:
    return false;
  }
}

static void add_definition(const struct ws_match *match, struct ws_definitions *definitions, uint32_t node) {
  const struct ws_symbol *symbol = ws_match_symbol(match, node);
  struct ws_slice text = ws_name_base(symbol->name);
  uint32_t *slot = find_slot(definitions, symbol->kind, text);
  if (*slot == WS_NO_NODE) {
    *slot = (uint32_t)definitions->name_count;
    definitions->names[definitions->name_count++] =
        (struct ws_defined_name){text, symbol->kind, match->owner[node], WS_NO_NODE, WS_NO_NODE};
  }
  struct ws_defined_name *name = &definitions->names[*slot];
  if (match->owner[node] == WS_NAME_LIBRARY) // others of the name may be namesakes
    name->owner = WS_NAME_LIBRARY;
  if (name->last != WS_NO_NODE && match->thing[definitions->list[name->last].node] == match->thing[node])
    return; // the same symbol, twice in the table
  uint32_t index = (uint32_t)definitions->count++;
  definitions->list[index] = (struct ws_definition){.node = node, .next = WS_NO_NODE, .version = WS_NO_NODE};
  if (name->first == WS_NO_NODE)
    name->first = index;
  else
    definitions->list[name->last].next = index;
  name->last = index;
}

bool ws_list_definitions(const struct ws_match *match, const uint32_t *order, struct ws_arena *arena,
                         struct ws_definitions *definitions) {
  *definitions = (struct ws_definitions){0};
  size_t most = 0;
  for (uint32_t i = 0; i < match->node_count; i++)
    most += is_definition(match, i);
  for (definitions->slot_count = 16; definitions->slot_count < 2 * most;)
    definitions->slot_count *= 2;
  definitions->list = ws_arena_new(arena, most, sizeof *definitions->list);
  definitions->names = ws_arena_new(arena, most, sizeof *definitions->names);
  definitions->slots = ws_arena_new(arena, definitions->slot_count, sizeof *definitions->slots);
  if (!definitions->list || !definitions->names || !definitions->slots)
    return false;
  memset(definitions->slots, 0xff, definitions->slot_count * sizeof *definitions->slots);
  for (size_t i = 0; i < match->count; i++) {
    uint32_t base = match->in[order[i]].base;
    for (uint32_t k = 0; k < match->modules[order[i]]->symbol_count; k++)
      if (is_definition(match, base + k))
        add_definition(match, definitions, base + k);
  }
  return true;
}
