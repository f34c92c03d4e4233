// What one program would have once, of what a module defines: language.h has the rules.
#include "link/language.h"

static const char *rule_of(const struct ws_symbol *symbol) {
  bool is_variable = symbol->kind == WS_SYMBOL_DATA;
  if (symbol->kind == WS_SYMBOL_TAG)
    return "tag";
  if (ws_is_library_name(symbol->name))
    return "library";
  switch (ws_name_owner(symbol->name)) {
  case WS_NAME_CXX:
    return is_variable ? "c++" : NULL;
  case WS_NAME_RUST:
    return is_variable ? "rust" : NULL;
  case WS_NAME_PLAIN:
    return symbol->flags & WS_SYMBOL_WEAK ? "weak" : NULL;
  default:
    return NULL;
  }
}

// Segments are called as object files call sections.
static bool is_read_only(const struct ws_module *module, const struct ws_symbol *symbol) {
  return symbol->kind == WS_SYMBOL_DATA && ws_slice_starts(module->segments[symbol->index].name, ".rodata");
}

static bool is_seen(const struct ws_symbol *symbol) {
  bool is_local = (symbol->flags & WS_SYMBOL_LOCAL) || ws_was_local(symbol->name);
  return symbol->name.size > 0 && !(symbol->flags & (WS_SYMBOL_UNDEFINED | WS_SYMBOL_ABSOLUTE)) &&
         (!is_local || (symbol->kind == WS_SYMBOL_DATA && ws_is_local_name_unique(symbol->name)));
}

void ws_module_shareable(const struct ws_module *module,
                         void (*tell)(void *context, const struct ws_shareable *shareable), void *context) {
  static const enum ws_external_kind kinds[] = {
      [WS_SYMBOL_FUNCTION] = WS_FUNCTION, [WS_SYMBOL_DATA] = WS_MEMORY, [WS_SYMBOL_TAG] = WS_TAG};
  for (uint32_t i = 0; i < module->symbol_count; i++) {
    const struct ws_symbol *symbol = &module->symbols[i];
    if ((symbol->kind != WS_SYMBOL_FUNCTION && symbol->kind != WS_SYMBOL_DATA &&
         symbol->kind != WS_SYMBOL_TAG) ||
        !is_seen(symbol))
      continue;
    const char *rule = rule_of(symbol);
    if (!rule || (symbol->kind == WS_SYMBOL_FUNCTION && symbol->index < module->imported_functions))
      continue;
    char name[512];
    tell(context, &(struct ws_shareable){.name = ws_printable(symbol->name, name, sizeof name),
                                         .kind = kinds[symbol->kind],
                                         .rule = rule,
                                         .read_only = is_read_only(module, symbol)});
  }
}
