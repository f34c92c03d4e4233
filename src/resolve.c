#include "resolve.h"

// What a module says about a name.
enum visibility { UNKNOWN, HIDDEN, EXPORTED };

static bool exports_global(const struct ws_module *module, struct ws_slice name) {
  for (size_t i = 0; i < module->export_count; i++)
    if (module->exports[i].kind == WS_GLOBAL && ws_slice_equal(module->exports[i].name, name))
      return true;
  return false;
}

// clang makes symbols hidden unless told otherwise, and lld exports those that it is told to: a hidden symbol
// that is exported is meant for others.
static enum visibility find(const struct ws_module *module, struct ws_slice name, uint64_t *address) {
  enum visibility found = UNKNOWN;
  for (uint32_t i = 0; i < module->symbol_count; i++) {
    const struct ws_symbol *symbol = &module->symbols[i];
    enum ws_base base;
    if (symbol->kind != WS_SYMBOL_DATA || !ws_slice_equal(symbol->name, name) ||
        (symbol->flags & (WS_SYMBOL_UNDEFINED | WS_SYMBOL_ABSOLUTE | WS_SYMBOL_TLS)) ||
        !ws_symbol_target(module, symbol, address, &base))
      continue;
    bool hidden = symbol->flags & (WS_SYMBOL_HIDDEN | WS_SYMBOL_LOCAL);
    if (!hidden || exports_global(module, name))
      return EXPORTED;
    found = HIDDEN;
  }
  return found;
}

static bool resolve(struct ws_module *const *modules, size_t count, const struct ws_placement *placements,
                    const struct ws_module *user, struct ws_external *external, struct ws_error *error) {
  struct ws_slice symbol = user->symbols[external->symbol].name;
  const struct ws_module *definer = NULL, *hider = NULL;
  char name[128];
  ws_printable(symbol, name, sizeof name);
  for (size_t i = 0; i < count; i++) {
    uint64_t address;
    enum visibility visibility = modules[i] == user ? UNKNOWN : find(modules[i], symbol, &address);
    if (visibility == HIDDEN)
      hider = modules[i];
    if (visibility != EXPORTED)
      continue;
    if (definer)
      return ws_fail(error, user->file, NULL, WS_NO_OFFSET,
                     "uses the variable %s, which both %s and %s export", name, definer->file,
                     modules[i]->file);
    definer = modules[i];
    external->from = i;
    external->address = address + placements[i].offset;
  }
  if (definer && user->keep_relocs)
    return ws_fail(
        error, user->file, NULL, WS_NO_OFFSET,
        "uses the variable %s of %s, and what is bound cannot be moved again: leave out --keep-relocs", name,
        definer->file);
  if (definer)
    return true;
  if (hider)
    return ws_fail(
        error, user->file, NULL, WS_NO_OFFSET,
        "uses the variable %s, which %s defines but keeps to itself: link that with -Wl,--export=%s", name,
        hider->file, name);
  return ws_fail(error, user->file, NULL, WS_NO_OFFSET,
                 "uses the variable %s, which it does not define, and neither does any other module", name);
}

bool ws_resolve(struct ws_module *const *modules, size_t count, const struct ws_placement *placements,
                struct ws_error *error) {
  for (size_t i = 0; i < count; i++)
    for (size_t k = 0; k < modules[i]->external_count; k++)
      if (!resolve(modules, count, placements, modules[i], &modules[i]->externals[k], error))
        return false;
  return true;
}

bool ws_module_binding(const struct ws_module *module, size_t index, struct ws_binding *binding) {
  // A symbol with several addends is one binding.
  size_t seen = 0;
  for (size_t i = 0; i < module->external_count; i++) {
    if (!module->externals[i].first || seen++ != index)
      continue;
    *binding = (struct ws_binding){.name = module->externals[i].name,
                                   .from = module->externals[i].from,
                                   .address = module->externals[i].address};
    return true;
  }
  return false;
}
