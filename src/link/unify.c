#include "link/unify.h"

#include <stdlib.h>
#include <string.h>

// ------------------------------------------------------------------------------------------------------------ things

bool ws_find_things(struct ws_link *link, struct ws_error *error) {
  const struct ws_module **modules = calloc(link->count + 1, sizeof *modules);
  const char **names = calloc(link->count + 1, sizeof *names);
  size_t *prefer = calloc(link->options.prefer_count + 1, sizeof *prefer), prefer_count = 0;
  bool ok = (modules && names && prefer) || ws_fail_memory(error, "");
  for (size_t i = 0; ok && i < link->count; i++) {
    modules[i] = link->inputs[i].module;
    names[i] = link->inputs[i].name;
  }
  for (size_t i = 0; ok && i < link->options.prefer_count; i++)
    for (size_t k = 0; k < link->count; k++)
      if (strcmp(link->options.prefer[i], names[k]) == 0)
        prefer[prefer_count++] = k;
  struct ws_one_options options = {.prefer = prefer, .prefer_count = prefer_count};
  ok = ok && ws_find_one(modules, names, link->count, &options, &link->arena, &link->one, error);
  free(modules);
  free(names);
  free(prefer);
  return ok;
}

static const struct ws_symbol *symbol_of(const struct ws_link *link, struct ws_one_symbol at) {
  return &link->inputs[at.module].module->symbols[at.symbol];
}

// What stands for a symbol of the `index`th module.
static struct ws_one_symbol stands_for(const struct ws_link *link, size_t index, uint32_t symbol) {
  return link->one.of[index][symbol];
}

// The kinds of symbols for imports.
static int symbol_kind(uint8_t external_kind) {
  switch (external_kind) {
  case WS_FUNCTION:
    return WS_SYMBOL_FUNCTION;
  case WS_GLOBAL:
    return WS_SYMBOL_GLOBAL;
  case WS_TAG:
    return WS_SYMBOL_TAG;
  default:
    return -1;
  }
}

size_t ws_meaning(const struct ws_link *link, const struct ws_input *user, size_t import) {
  const struct ws_module *module = user->module;
  size_t index = (size_t)(user - link->inputs);
  int kind = symbol_kind(module->imports[import].kind);
  uint32_t number = 0;
  for (size_t i = 0; i < import; i++)
    number += module->imports[i].kind == module->imports[import].kind;
  for (uint32_t i = 0; i < module->symbol_count; i++) {
    const struct ws_symbol *symbol = &module->symbols[i];
    if (symbol->kind != kind || !(symbol->flags & WS_SYMBOL_UNDEFINED) || symbol->index != number)
      continue;
    struct ws_one_symbol at = stands_for(link, index, i);
    return at.module == index || (symbol_of(link, at)->flags & WS_SYMBOL_UNDEFINED) ? WS_HOST : at.module;
  }
  return WS_HOST;
}

// ------------------------------------------------------------------------------------------------------------- slots

// The slot of a function in the shared table, among those of a module.
struct slot {
  enum { NO_SLOT, OF_A_COPY, OF_AN_IMPORT, OF_ITSELF } quality;
  uint32_t module, index; // counted from the module's first
};

// A module's functions: which symbol each has, and where the slots of those are that stand for something.
struct functions {
  uint32_t *symbols; // one more than the index of a symbol, or 0
  struct slot *slots;
  uint32_t count;
};

struct unifier {
  struct ws_link *link;
  struct ws_arena arena; // what is needed until all is placed
  struct functions *functions;
};

static bool list_functions(struct unifier *unifier) {
  struct ws_link *link = unifier->link;
  unifier->functions = ws_arena_new(&link->arena, link->count, sizeof *unifier->functions);
  if (!unifier->functions)
    return false;
  for (size_t i = 0; i < link->count; i++) {
    const struct ws_module *module = link->inputs[i].module;
    struct functions *functions = &unifier->functions[i];
    functions->count = module->imported_functions + module->function_count;
    functions->symbols = ws_arena_new(&link->arena, functions->count, sizeof *functions->symbols);
    functions->slots = ws_arena_new(&link->arena, functions->count, sizeof *functions->slots);
    if (!functions->symbols || !functions->slots)
      return false;
    for (uint32_t k = 0; k < module->symbol_count; k++)
      if (module->symbols[k].kind == WS_SYMBOL_FUNCTION && module->symbols[k].index < functions->count)
        functions->symbols[module->symbols[k].index] = k + 1;
  }
  return true;
}

// The function that stands for one of a module's: the module that has it, and its index there.
struct function {
  uint32_t module, index;
};

static struct function function_for(const struct unifier *unifier, size_t module, uint32_t index) {
  uint32_t symbol = unifier->functions[module].symbols[index];
  if (!symbol)
    return (struct function){(uint32_t)module, index};
  struct ws_one_symbol at = stands_for(unifier->link, module, symbol - 1);
  const struct ws_symbol *stands = symbol_of(unifier->link, at);
  if (stands->kind != WS_SYMBOL_FUNCTION || stands->index >= unifier->functions[at.module].count)
    return (struct function){(uint32_t)module, index};
  return (struct function){at.module, stands->index};
}

static struct slot *slot_of(const struct unifier *unifier, struct function function) {
  return &unifier->functions[function.module].slots[function.index];
}

// Whether calls of a module's own copy of a function must reach another one.
static const struct ws_one_call *find_call(const struct ws_link *link, size_t module, uint32_t symbol) {
  for (size_t i = 0; i < link->one.call_count; i++)
    if (link->one.calls[i].from.module == module && link->one.calls[i].from.symbol == symbol)
      return &link->one.calls[i];
  return NULL;
}

static void offer_slot(struct unifier *unifier, size_t module, uint32_t index, uint32_t slot) {
  const struct ws_link *link = unifier->link;
  struct function function = function_for(unifier, module, index);
  struct slot offered = {.quality = OF_A_COPY, .module = (uint32_t)module, .index = slot};
  uint32_t symbol = unifier->functions[module].symbols[index];
  if (function.module == module && function.index == index)
    offered.quality = OF_ITSELF;
  else if (index < link->inputs[module].module->imported_functions)
    offered.quality = OF_AN_IMPORT;
  else if (symbol && find_call(link, module, symbol - 1))
    return; // another definition than the one that is meant
  struct slot *best = slot_of(unifier, function);
  if (offered.quality > best->quality)
    *best = offered;
}

// The slots that functions have already.
static void find_slots(struct unifier *unifier) {
  for (size_t i = 0; i < unifier->link->count; i++) {
    const struct ws_module *module = unifier->link->inputs[i].module;
    for (size_t k = 0; k < module->element_count; k++) {
      const struct ws_element *element = &module->elements[k];
      for (uint32_t n = 0; element->indirect_table && element->constant && element->functions && n < element->count; n++)
        if (element->functions[n] < unifier->functions[i].count)
          offer_slot(unifier, i, element->functions[n], (uint32_t)(element->offset - module->info.table_base) + n);
    }
  }
}

// Gives a function a slot if it has none.
static bool need_slot(struct unifier *unifier, struct function function) {
  struct slot *slot = slot_of(unifier, function);
  if (slot->quality != NO_SLOT)
    return true;
  struct ws_input *input = &unifier->link->inputs[function.module];
  struct ws_changes *changes = &input->changes;
  uint32_t *slots = ws_make_room(changes->slots, changes->slot_count, &changes->slot_capacity, sizeof *slots);
  if (!slots)
    return false;
  changes->slots = slots;
  slots[changes->slot_count] = function.index;
  *slot = (struct slot){OF_ITSELF, function.module,
                        (uint32_t)(input->module->info.table_size + changes->slot_count)};
  changes->slot_count++;
  return true;
}

static uint64_t placed_slot(const struct ws_link *link, const struct slot *slot) {
  return link->inputs[slot->module].placement.table_base + slot->index;
}

// Functions whose address is taken, where the one that is meant has no slot; and those that are called instead of
// others.
static bool need_slots(struct unifier *unifier) {
  struct ws_link *link = unifier->link;
  for (size_t i = 0; i < link->count; i++) {
    const struct ws_module *module = link->inputs[i].module;
    for (size_t k = 0; k < module->element_count; k++) {
      const struct ws_element *element = &module->elements[k];
      for (uint32_t n = 0; element->indirect_table && element->constant && element->functions && n < element->count; n++)
        if (element->functions[n] < unifier->functions[i].count &&
            !need_slot(unifier, function_for(unifier, i, element->functions[n])))
          return false;
    }
  }
  return true;
}

static bool add_trampoline(struct unifier *unifier, const struct ws_one_call *call) {
  struct ws_link *link = unifier->link;
  struct ws_changes *changes = &link->inputs[call->from.module].changes;
  struct function to = {call->to.module, symbol_of(link, call->to)->index};
  struct ws_trampoline *trampolines = ws_make_room(changes->trampolines, changes->trampoline_count,
                                                   &changes->trampoline_capacity, sizeof *trampolines);
  if (!trampolines)
    return false;
  changes->trampolines = trampolines;
  trampolines[changes->trampoline_count++] = (struct ws_trampoline){.function = symbol_of(link, call->from)->index};
  changes->symbols[call->from.symbol].callee = (uint32_t)changes->trampoline_count;
  return need_slot(unifier, to);
}

// -------------------------------------------------------------------------------------------------------------- tags

static uint32_t count_imported_tags(const struct ws_module *module) {
  uint32_t count = 0;
  for (size_t i = 0; i < module->import_count; i++)
    count += module->imports[i].kind == WS_TAG;
  return count;
}

static const char *copy_name(struct ws_link *link, struct ws_slice name) {
  char *copy = ws_arena_new(&link->arena, name.size + 1, 1);
  return copy ? memcpy(copy, name.data, name.size) : NULL;
}

// The name under which a module exports one of its tags, added if there is none.
static bool export_tag(struct ws_link *link, struct ws_input *input, const struct ws_symbol *tag, const char **text) {
  const struct ws_module *module = input->module;
  for (size_t i = 0; i < module->export_count; i++)
    if (module->exports[i].kind == WS_TAG && module->exports[i].index == tag->index)
      return (*text = copy_name(link, module->exports[i].name)) != NULL;
  struct ws_changes *changes = &input->changes;
  if (!(*text = copy_name(link, tag->name)))
    return false;
  for (size_t i = 0; i < changes->export_count; i++)
    if (changes->exports[i].kind == WS_TAG && changes->exports[i].index == tag->index)
      return true;
  struct ws_new_export *exports =
      ws_make_room(changes->exports, changes->export_count, &changes->export_capacity, sizeof *exports);
  if (!exports)
    return false;
  changes->exports = exports;
  exports[changes->export_count++] = (struct ws_new_export){tag->name, WS_TAG, tag->index};
  return true;
}

// Tags that are one with another module's become imports, the first ones first.
static bool unify_tags(struct ws_link *link, size_t index, struct ws_error *error) {
  struct ws_input *input = &link->inputs[index];
  const struct ws_module *module = input->module;
  uint32_t imported = count_imported_tags(module);
  input->changes.tags = ws_arena_new(&link->arena, module->tag_count, sizeof *input->changes.tags);
  if (!input->changes.tags)
    return ws_fail_memory(error, module->file);
  for (uint32_t i = 0; i < module->tag_count; i++)
    input->changes.tags[i].from = WS_HOST;
  for (uint32_t i = 0; i < module->symbol_count; i++) {
    const struct ws_symbol *symbol = &module->symbols[i];
    struct ws_one_symbol at = stands_for(link, index, i);
    if (symbol->kind != WS_SYMBOL_TAG || (symbol->flags & WS_SYMBOL_UNDEFINED) || at.module == index ||
        symbol->index < imported || symbol->index - imported >= module->tag_count)
      continue;
    struct ws_tag_import *tag = &input->changes.tags[symbol->index - imported];
    tag->from = at.module;
    if (!export_tag(link, &link->inputs[at.module], symbol_of(link, at), &tag->name))
      return ws_fail_memory(error, module->file);
  }
  while (input->changes.tag_count < module->tag_count && input->changes.tags[input->changes.tag_count].from != WS_HOST)
    input->changes.tag_count++;
  for (uint32_t i = (uint32_t)input->changes.tag_count; i < module->tag_count; i++)
    if (input->changes.tags[i].from != WS_HOST)
      return ws_module_fail(module, error, "TAG", NULL,
                            "defines a tag of its own before one that is one with another module's, so that cannot be "
                            "imported: combine it without --link");
  return true;
}

// --------------------------------------------------------------------------------------------------------------- all

static bool unify(struct unifier *unifier, struct ws_error *error) {
  struct ws_link *link = unifier->link;
  for (size_t i = 0; i < link->count; i++) {
    struct ws_changes *changes = &link->inputs[i].changes;
    changes->symbols = ws_arena_new(&link->arena, link->inputs[i].module->symbol_count, sizeof *changes->symbols);
    if (!changes->symbols)
      return ws_fail_memory(error, "");
  }
  if (!list_functions(unifier))
    return ws_fail_memory(error, "");
  find_slots(unifier);
  if (!need_slots(unifier))
    return ws_fail_memory(error, "");
  for (size_t i = 0; i < link->one.call_count; i++)
    if (!add_trampoline(unifier, &link->one.calls[i]))
      return ws_fail_memory(error, "");
  for (size_t i = 0; i < link->count; i++)
    if (!unify_tags(link, i, error))
      return false;
  return true;
}

void ws_clear_changes(struct ws_changes *changes) {
  free(changes->slots);
  free(changes->trampolines);
  free(changes->exports);
  *changes = (struct ws_changes){.symbols = NULL};
}

bool ws_unify(struct ws_link *link, struct ws_error *error) {
  for (size_t i = 0; i < link->count; i++)
    ws_clear_changes(&link->inputs[i].changes);
  struct unifier *unifier = ws_arena_new(&link->arena, 1, sizeof *unifier);
  if (!unifier)
    return ws_fail_memory(error, "");
  unifier->link = link;
  link->unifier = unifier;
  return unify(unifier, error);
}

// Where a variable went that stands for another one. False if it is in no place.
static bool place_variable(const struct ws_link *link, struct ws_one_symbol at, uint64_t *address) {
  const struct ws_input *definer = &link->inputs[at.module];
  const struct ws_symbol *symbol = symbol_of(link, at);
  enum ws_base base;
  if (symbol->kind != WS_SYMBOL_DATA || (symbol->flags & (WS_SYMBOL_UNDEFINED | WS_SYMBOL_ABSOLUTE)) ||
      !definer->module->segments[symbol->index].placed || !ws_symbol_target(definer->module, symbol, address, &base))
    return false;
  *address += definer->placement.offset;
  return true;
}

bool ws_rebind(struct ws_link *link, struct ws_error *error) {
  (void)error;
  const struct unifier *unifier = link->unifier;
  for (size_t i = 0; i < link->count; i++) {
    struct ws_input *input = &link->inputs[i];
    for (uint32_t k = 0; k < input->module->symbol_count; k++) {
      const struct ws_symbol *symbol = &input->module->symbols[k];
      struct ws_rebound *rebound = &input->changes.symbols[k];
      struct ws_one_symbol at = stands_for(link, i, k);
      rebound->kind = WS_REBOUND_NOT;
      if (symbol->kind == WS_SYMBOL_DATA && (at.module != i || at.symbol != k)) {
        if (place_variable(link, at, &rebound->value))
          rebound->kind = WS_REBOUND_ADDRESS;
      } else if (symbol->kind == WS_SYMBOL_FUNCTION && symbol->index < unifier->functions[i].count) {
        const struct slot *slot = slot_of(unifier, function_for(unifier, i, symbol->index));
        if (slot->quality != NO_SLOT) {
          rebound->value = placed_slot(link, slot);
          rebound->kind = WS_REBOUND_SLOT;
        }
      }
    }
    for (size_t k = 0; k < input->changes.trampoline_count; k++) {
      struct ws_trampoline *trampoline = &input->changes.trampolines[k];
      for (size_t n = 0; n < link->one.call_count; n++) {
        const struct ws_one_call *call = &link->one.calls[n];
        struct function to = {call->to.module, symbol_of(link, call->to)->index};
        if (call->from.module == i && symbol_of(link, call->from)->index == trampoline->function)
          trampoline->slot = placed_slot(link, slot_of(unifier, to));
      }
    }
  }
  return true;
}
