#include "link/divided.h"

#include <stdlib.h>
#include <string.h>

#include "link/unify.h"

static bool add(struct ws_link *link, size_t module, size_t other, struct ws_slice name,
                struct ws_error *error) {
  struct ws_divided *divided =
      ws_make_room(link->divided, link->divided_count, &link->divided_capacity, sizeof *divided);
  char *copy = ws_arena_new(&link->arena, name.size + 1, 1);
  if (!divided || !copy)
    return ws_fail_memory(error, "");
  link->divided = divided;
  divided[link->divided_count++] =
      (struct ws_divided){.name = ws_printable(name, copy, name.size + 1), .module = module, .other = other};
  return true;
}

// A type's own data, which programs compare by address, or a definition of which a linker keeps one.
static bool is_one_by_language(const struct ws_symbol *symbol) {
  return symbol->kind == WS_SYMBOL_TAG ||
         (symbol->kind == WS_SYMBOL_DATA &&
          ((symbol->flags & WS_SYMBOL_WEAK) || ws_slice_starts(symbol->name, "_ZTI")));
}

// Variables and tags that several modules have, and weak ones that a module has not.
static bool find_symbols(struct ws_link *link, size_t index, struct ws_error *error) {
  const struct ws_module *module = link->inputs[index].module;
  bool shared = link->options.share_stack || link->options.share_table;
  for (uint32_t i = 0; i < module->symbol_count; i++) {
    const struct ws_symbol *symbol = &module->symbols[i];
    struct ws_one_symbol at = link->one.of[index][i];
    if (at.module == index)
      continue;
    bool undefined = symbol->flags & WS_SYMBOL_UNDEFINED;
    bool stays_null = undefined && symbol->kind == WS_SYMBOL_DATA && (symbol->flags & WS_SYMBOL_WEAK) &&
                      !(ws_link_symbol(link, at)->flags & WS_SYMBOL_UNDEFINED);
    bool is_double = shared && !undefined && is_one_by_language(symbol);
    if ((stays_null || is_double) && !add(link, at.module, index, symbol->name, error))
      return false;
  }
  return true;
}

static bool is_in_table(const struct ws_module *module, uint32_t function) {
  for (size_t i = 0; i < module->element_count; i++)
    for (uint32_t k = 0;
         module->elements[i].indirect_table && module->elements[i].functions && k < module->elements[i].count;
         k++)
      if (module->elements[i].functions[k] == function)
        return true;
  return false;
}

// Functions whose address is taken in the module that has them and in one that imports them.
static bool find_functions(struct ws_link *link, size_t index, struct ws_error *error) {
  const struct ws_module *module = link->inputs[index].module;
  for (uint32_t i = 0; i < module->symbol_count; i++) {
    const struct ws_symbol *symbol = &module->symbols[i];
    struct ws_one_symbol at = link->one.of[index][i];
    if (symbol->kind == WS_SYMBOL_FUNCTION && (symbol->flags & WS_SYMBOL_UNDEFINED) && at.module != index &&
        is_in_table(module, symbol->index) &&
        is_in_table(link->inputs[at.module].module, ws_link_symbol(link, at)->index) &&
        !add(link, at.module, index, symbol->name, error))
      return false;
  }
  return true;
}

static bool has_weak_variables(const struct ws_link *link) {
  for (size_t i = 0; i < link->count; i++) {
    const struct ws_module *module = link->inputs[i].module;
    for (uint32_t k = 0; k < module->symbol_count; k++)
      if (module->symbols[k].kind == WS_SYMBOL_DATA && (module->symbols[k].flags & WS_SYMBOL_WEAK) &&
          (module->symbols[k].flags & WS_SYMBOL_UNDEFINED))
        return true;
  }
  return false;
}

bool ws_find_divided(struct ws_link *link, struct ws_error *error) {
  bool shared = link->options.share_stack || link->options.share_table;
  link->divided_count = 0;
  if (link->count < 2 || (!shared && !has_weak_variables(link)))
    return true;
  struct ws_error ignored; // what makes one program impossible does not matter here
  if (!ws_find_things(link, &ignored))
    return ignored.code != WS_ERROR_MEMORY || ws_fail_memory(error, "");
  for (size_t i = 0; i < link->count; i++)
    if (!find_symbols(link, i, error) || (link->options.share_table && !find_functions(link, i, error)))
      return false;
  return true;
}
