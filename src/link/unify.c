#include "link/unify.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "link/language.h"
#include "link/start.h"
#include "link/types.h"

// ------------------------------------------------------------------------------------------------------------
// things

bool ws_find_things(struct ws_link *link, struct ws_error *error) {
  const struct ws_module **modules = calloc(link->count + 1, sizeof *modules);
  const char **names = calloc(link->count + 1, sizeof *names);
  size_t *prefer = calloc(link->options.prefer_count + 1, sizeof *prefer);
  bool ok = (modules && names && prefer) || ws_fail_memory(error, "");
  for (size_t i = 0; ok && i < link->count; i++) {
    modules[i] = link->inputs[i].module;
    names[i] = link->inputs[i].name;
  }
  size_t prefer_count = ok ? ws_find_preferred(link, prefer) : 0;
  struct ws_one_options options = {prefer, prefer_count, .side_by_side = !ws_is_one_program(link),
                                   .one_file = ws_is_single(link)};
  ok = ok && ws_find_one(modules, names, link->count, &options, &link->arena, &link->one, error);
  free(modules);
  free(names);
  free(prefer);
  return ok;
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
    return at.module == index || (ws_link_symbol(link, at)->flags & WS_SYMBOL_UNDEFINED) ? WS_HOST
                                                                                         : at.module;
  }
  return WS_HOST;
}

// -------------------------------------------------------------------------------------------------------------
// slots

// The slot of a function in the shared table, among those of a module.
struct slot {
  enum { NO_SLOT, OF_A_COPY, OF_AN_IMPORT, OF_ITSELF } quality;
  uint32_t module, index; // counted from the module's first
};

// A module's functions: which symbol each has, one that means itself if there is one, and where the slots of
// those are that stand for something.
struct functions {
  uint32_t *symbols; // one more than the index of a symbol, or 0
  struct slot *slots;
  uint32_t count;
};

struct unifier {
  struct ws_link *link;
  const struct ws_module **modules;
  struct functions *functions;
  size_t *place; // of each module in the order of instantiation
};

// Of several names of a function, some may mean another module's.
static bool means_itself(const struct ws_link *link, size_t module, uint32_t symbol) {
  struct ws_one_symbol at = stands_for(link, module, symbol);
  return at.module == module && at.symbol == symbol;
}

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
    for (uint32_t k = 0; k < module->symbol_count; k++) {
      if (module->symbols[k].kind != WS_SYMBOL_FUNCTION || module->symbols[k].index >= functions->count)
        continue;
      uint32_t *symbol = &functions->symbols[module->symbols[k].index];
      if (!*symbol || !means_itself(link, i, *symbol - 1))
        *symbol = k + 1;
    }
  }
  return true;
}

// The import of a function from the host, or NULL.
static const struct ws_import *host_import(const struct ws_link *link, struct ws_link_function function) {
  const struct ws_input *input = &link->inputs[function.module];
  const struct ws_import *import = function.index < input->module->imported_functions
                                       ? ws_nth_import(input->module, WS_FUNCTION, function.index)
                                       : NULL;
  return import && input->imports[import - input->module->imports].from == WS_HOST ? import : NULL;
}

static bool is_same_import(const struct ws_module *module, const struct ws_import *import,
                           const struct ws_module *other_module, const struct ws_import *other) {
  return module->types && other_module->types && ws_slice_equal(import->module, other->module) &&
         ws_slice_equal(import->name, other->name) &&
         ws_is_same_type(&module->types[import->type], &other_module->types[other->type]);
}

// A function of the host is one, whichever module imports it: the first that does stands for all.
static struct ws_link_function first_import(const struct unifier *unifier, struct ws_link_function function) {
  const struct ws_link *link = unifier->link;
  const struct ws_import *import = host_import(link, function);
  struct ws_link_function first = function;
  for (size_t i = 0; import && i < link->count; i++) {
    const struct ws_module *module = link->inputs[i].module;
    for (uint32_t k = 0; unifier->place[i] < unifier->place[first.module] && k < module->imported_functions;
         k++) {
      struct ws_link_function other = {(uint32_t)i, k};
      const struct ws_import *another = host_import(link, other);
      if (another && is_same_import(link->inputs[function.module].module, import, module, another))
        first = other;
    }
  }
  return first;
}

// The function that a symbol for one means: the module that has it, and its index there.
static struct ws_link_function meant_function(const struct unifier *unifier, size_t module, uint32_t symbol) {
  struct ws_one_symbol at = stands_for(unifier->link, module, symbol);
  const struct ws_symbol *stands = ws_link_symbol(unifier->link, at);
  if (stands->kind != WS_SYMBOL_FUNCTION || stands->index >= unifier->functions[at.module].count)
    return (struct ws_link_function){(uint32_t)module,
                                     unifier->link->inputs[module].module->symbols[symbol].index};
  return first_import(unifier, (struct ws_link_function){at.module, stands->index});
}

// The function that stands for one of a module's.
static struct ws_link_function function_for(const struct unifier *unifier, size_t module, uint32_t index) {
  uint32_t symbol = unifier->functions[module].symbols[index];
  return symbol ? meant_function(unifier, module, symbol - 1)
                : (struct ws_link_function){(uint32_t)module, index};
}

static struct slot *slot_of(const struct unifier *unifier, struct ws_link_function function) {
  return &unifier->functions[function.module].slots[function.index];
}

// Whether calls of a module's own copy of a function must reach another one.
static const struct ws_one_call *find_call(const struct ws_link *link, size_t module, uint32_t symbol) {
  for (size_t i = 0; i < link->one.call_count; i++)
    if (link->one.calls[i].from.module == module && link->one.calls[i].from.symbol == symbol)
      return &link->one.calls[i];
  return NULL;
}

// Whether a module comes too early for what it imports from another.
static bool is_deferred(const struct unifier *unifier, size_t user, size_t from) {
  return from < unifier->link->count && unifier->place[from] > unifier->place[user];
}

static void offer_slot(struct unifier *unifier, size_t module, uint32_t index, uint32_t slot) {
  const struct ws_link *link = unifier->link;
  struct ws_link_function function = function_for(unifier, module, index);
  struct slot offered = {.quality = OF_A_COPY, .module = (uint32_t)module, .index = slot};
  uint32_t symbol = unifier->functions[module].symbols[index];
  if (function.module == module && function.index == index)
    offered.quality = OF_ITSELF;
  else if (index < link->inputs[module].module->imported_functions) {
    if (is_deferred(unifier, module, function.module))
      return; // nothing, or something slow, until the other module is there
    offered.quality = OF_AN_IMPORT;
  } else if (symbol && find_call(link, module, symbol - 1))
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
      for (uint32_t n = 0;
           element->indirect_table && element->constant && element->functions && n < element->count; n++)
        if (element->functions[n] < unifier->functions[i].count)
          offer_slot(unifier, i, element->functions[n],
                     (uint32_t)(element->offset - module->info.table_base) + n);
    }
  }
}

// Gives a function a slot if it has none.
static bool need_slot(struct unifier *unifier, struct ws_link_function function) {
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

// Functions whose address is taken, where the one that is meant has no slot. An element may be there for any
// name of its function.
static bool need_slots(struct unifier *unifier) {
  struct ws_link *link = unifier->link;
  for (size_t i = 0; i < link->count; i++) {
    const struct ws_module *module = link->inputs[i].module;
    const struct functions *functions = &unifier->functions[i];
    bool *has_element = ws_arena_new(&link->arena, functions->count, sizeof *has_element);
    if (!has_element)
      return false;
    for (size_t k = 0; k < module->element_count; k++) {
      const struct ws_element *element = &module->elements[k];
      for (uint32_t n = 0;
           element->indirect_table && element->constant && element->functions && n < element->count; n++) {
        if (element->functions[n] >= functions->count)
          continue;
        has_element[element->functions[n]] = true;
        if (!need_slot(unifier, function_for(unifier, i, element->functions[n])))
          return false;
      }
    }
    for (uint32_t k = 0; k < module->symbol_count; k++) {
      const struct ws_symbol *symbol = &module->symbols[k];
      if (symbol->kind == WS_SYMBOL_FUNCTION && symbol->index < functions->count &&
          has_element[symbol->index] && functions->symbols[symbol->index] != k + 1 &&
          !need_slot(unifier, meant_function(unifier, i, k)))
        return false;
    }
  }
  return true;
}

// Calls of a function, by one of its symbols, go to another module's.
static bool add_trampoline(struct unifier *unifier, struct ws_one_symbol from, struct ws_link_function to) {
  struct ws_link *link = unifier->link;
  struct ws_changes *changes = &link->inputs[from.module].changes;
  struct ws_trampoline *trampolines = ws_make_room(changes->trampolines, changes->trampoline_count,
                                                   &changes->trampoline_capacity, sizeof *trampolines);
  if (!trampolines)
    return false;
  changes->trampolines = trampolines;
  trampolines[changes->trampoline_count++] =
      (struct ws_trampoline){.function = ws_link_symbol(link, from)->index, .to = to};
  changes->symbols[from.symbol].callee = (uint32_t)changes->trampoline_count;
  return need_slot(unifier, to);
}

static bool redirect_calls(struct unifier *unifier) {
  const struct ws_link *link = unifier->link;
  for (size_t i = 0; i < link->one.call_count; i++) {
    const struct ws_one_call *call = &link->one.calls[i];
    struct ws_link_function to = {call->to.module, ws_link_symbol(link, call->to)->index};
    if (!add_trampoline(unifier, call->from, to))
      return false;
  }
  return true;
}

static const struct ws_export *exported_function(const struct ws_module *module, struct ws_slice name) {
  const struct ws_export *export = ws_find_export(module, name);
  return export && export->kind == WS_FUNCTION ? export : NULL;
}

// Imports that come later than their module are called through the table.
static bool forward_imports(struct unifier *unifier, size_t index) {
  struct ws_link *link = unifier->link;
  const struct ws_input *input = &link->inputs[index];
  const struct ws_module *module = input->module;
  for (uint32_t k = 0; k < module->symbol_count; k++) {
    const struct ws_symbol *symbol = &module->symbols[k];
    if (symbol->kind != WS_SYMBOL_FUNCTION || symbol->index >= module->imported_functions ||
        input->changes.symbols[k].callee)
      continue;
    size_t import = (size_t)(ws_nth_import(module, WS_FUNCTION, symbol->index) - module->imports),
           from = input->imports[import].from;
    if (from == WS_HOST || !is_deferred(unifier, index, from))
      continue;
    const struct ws_export *export =
        exported_function(link->inputs[from].module, module->imports[import].name);
    if (export &&
        !add_trampoline(unifier, (struct ws_one_symbol){(uint32_t)index, k},
                        (struct ws_link_function){(uint32_t)from,
                                                  ws_exported_function(link->inputs[from].module, export)}))
      return false;
  }
  return true;
}

// ---------------------------------------------------------------------------------------------------- tags

static const char *copy_name(struct ws_link *link, struct ws_slice name) {
  char *copy = ws_arena_new(&link->arena, name.size + 1, 1);
  return copy ? memcpy(copy, name.data, name.size) : NULL;
}

static bool add_export(struct ws_changes *changes, struct ws_new_export export) {
  struct ws_new_export *exports =
      ws_make_room(changes->exports, changes->export_count, &changes->export_capacity, sizeof *exports);
  if (!exports)
    return false;
  changes->exports = exports;
  exports[changes->export_count++] = export;
  return true;
}

static bool can_export(const struct ws_module *module, struct ws_slice name) {
  return ws_is_utf8(name) && !memchr(name.data, '\0', name.size) && !ws_find_export(module, name);
}

// A name for the export of a tag: its own, unless something else is exported by that, or it is no name.
static struct ws_slice name_tag(struct ws_link *link, const struct ws_module *module,
                                const struct ws_symbol *tag) {
  struct ws_slice name = tag->name;
  char *text = NULL;
  for (uint32_t number = 0; !can_export(module, name); number++) {
    enum { MOST = 32 };
    if (!text && !(text = ws_arena_new(&link->arena, MOST, 1)))
      return (struct ws_slice){0};
    int size = snprintf(text, MOST, "__wasmshare_tag_%" PRIu32, number);
    name = (struct ws_slice){(const uint8_t *)text, (size_t)size};
  }
  return name;
}

// The name under which a module exports one of its tags, added if there is none.
static bool export_tag(struct ws_link *link, struct ws_input *input, const struct ws_symbol *tag,
                       const char **text) {
  const struct ws_module *module = input->module;
  for (size_t i = 0; i < module->export_count; i++)
    if (module->exports[i].kind == WS_TAG && module->exports[i].index == tag->index)
      return (*text = copy_name(link, module->exports[i].name)) != NULL;
  struct ws_changes *changes = &input->changes;
  for (size_t i = 0; i < changes->export_count; i++)
    if (changes->exports[i].kind == WS_TAG && changes->exports[i].index == tag->index)
      return (*text = copy_name(link, changes->exports[i].name)) != NULL;
  struct ws_slice name = name_tag(link, module, tag);
  if (!name.data || !(*text = copy_name(link, name)))
    return false;
  return add_export(changes, (struct ws_new_export){name, WS_TAG, tag->index});
}

// Tags that are one with another module's become imports, the first ones first.
static bool unify_tags(struct ws_link *link, size_t index, struct ws_error *error) {
  struct ws_input *input = &link->inputs[index];
  const struct ws_module *module = input->module;
  uint32_t imported = ws_count_imported_tags(module);
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
    if (!export_tag(link, &link->inputs[at.module], ws_link_symbol(link, at), &tag->name))
      return ws_fail_memory(error, module->file);
  }
  while (input->changes.tag_count < module->tag_count &&
         input->changes.tags[input->changes.tag_count].from != WS_HOST)
    input->changes.tag_count++;
  for (uint32_t i = (uint32_t)input->changes.tag_count; i < module->tag_count; i++)
    if (input->changes.tags[i].from != WS_HOST)
      return ws_module_fail(
          module, error, "TAG", NULL,
          "defines a tag of its own before one that is one with another module's, so that cannot be "
          "imported: combine it without --link");
  return true;
}

bool ws_unify_tags(struct ws_link *link, struct ws_error *error) {
  for (size_t i = 0; i < link->count; i++)
    ws_clear_changes(&link->inputs[i].changes);
  for (size_t i = 0; i < link->count; i++)
    if (!unify_tags(link, i, error))
      return false;
  return true;
}

// ------------------------------------------------------------------------------------------------ beginning
// and end

// What hosts call first, by the conventions of WASI and of linkers.
static const struct ws_slice start_name = {(const uint8_t *)"_start", 6},
                             initialize_name = {(const uint8_t *)"_initialize", 11},
                             call_name = {(const uint8_t *)"__wasm_call_ctors", 17};

// The module that runs constructors: the program, whose _start does; or else the first, which the host
// initialises first.
static size_t starting_module(const struct ws_link *link) {
  for (size_t i = 0; i < link->count; i++)
    if (exported_function(link->inputs[i].module, start_name))
      return i;
  return link->order[0];
}

static bool fill_runner(struct unifier *unifier, size_t host, unsigned which, const char *name,
                        const struct ws_one_symbol *functions, size_t count) {
  struct ws_link *link = unifier->link;
  struct ws_runner *runner = &link->inputs[host].changes.runners[which];
  runner->calls = ws_arena_new(&link->arena, count, sizeof *runner->calls);
  runner->slots = ws_arena_new(&link->arena, count, sizeof *runner->slots);
  if (!runner->calls || !runner->slots)
    return false;
  for (size_t i = 0; i < count; i++) {
    struct ws_link_function function = {functions[i].module, ws_link_symbol(link, functions[i])->index};
    runner->calls[i] = function;
    if (function.module != host && !need_slot(unifier, function))
      return false;
  }
  runner->name = name;
  runner->count = count;
  return true;
}

static uint32_t runner_callee(const struct ws_changes *changes, unsigned which) {
  uint32_t callee = (uint32_t)changes->trampoline_count + 1;
  for (unsigned i = 0; i < which; i++)
    callee += changes->runners[i].name != NULL;
  return callee;
}

// Every module's own __wasm_call_ctors does nothing any more; a new function in the first module runs those
// of all, and takes its place for whoever calls it: the host, _initialize, or the linker's _start. A program
// without any of its own has a _start that calls nothing of the kind: it gets one that does.
static bool run_constructors(struct unifier *unifier, size_t host) {
  struct ws_link *link = unifier->link;
  for (size_t i = 0; i < link->count; i++)
    link->inputs[i].changes.constructors = ws_constructors_of(link->inputs[i].module);
  const struct ws_module *module = link->inputs[host].module;
  struct ws_changes *changes = &link->inputs[host].changes;
  uint32_t callee = runner_callee(changes, WS_RUN_CONSTRUCTORS);
  for (uint32_t i = 0; i < module->symbol_count; i++)
    if (module->symbols[i].kind == WS_SYMBOL_FUNCTION && module->symbols[i].index == changes->constructors)
      changes->symbols[i].callee = callee;
  const struct ws_export *start = exported_function(module, start_name);
  bool runs_none = changes->constructors == WS_NO_FUNCTION;
  if (start && start->index >= module->imported_functions &&
      (runs_none || ws_wrapped_function(module, start->index) != start->index))
    changes->start = start->index;
  bool called = start || exported_function(module, initialize_name) || exported_function(module, call_name);
  return called || add_export(changes, (struct ws_new_export){initialize_name, WS_FUNCTION, callee});
}

static bool find_constructors_of_all(struct unifier *unifier, struct ws_error *error) {
  struct ws_link *link = unifier->link;
  struct ws_constructor *constructors;
  size_t count;
  if (!ws_order_constructors(unifier->modules, link->count, &link->one, &link->arena, &constructors, &count,
                             error))
    return false;
  if (count == 0)
    return true;
  struct ws_one_symbol *functions = ws_arena_new(&link->arena, count, sizeof *functions);
  for (size_t i = 0; functions && i < count; i++)
    functions[i] = constructors[i].function;
  size_t host = starting_module(link);
  return (functions &&
          fill_runner(unifier, host, WS_RUN_CONSTRUCTORS, "__wasmshare_call_ctors", functions, count) &&
          run_constructors(unifier, host)) ||
         ws_fail_memory(error, "");
}

// What runs when the program ends is exported, for hosts of programs without main.
static bool find_end(struct unifier *unifier, struct ws_error *error) {
  static const struct ws_slice name = {(const uint8_t *)WS_EXIT_FUNCTION, sizeof WS_EXIT_FUNCTION - 1};
  struct ws_link *link = unifier->link;
  if (!ws_find_end(unifier->modules, link->count, &link->one, &link->arena, &link->end, error))
    return false;
  const struct ws_end *end = &link->end;
  size_t count = 0;
  for (unsigned kind = 0; kind < WS_END_RUNS; kind++)
    count += end->counts[kind];
  if (count == 0)
    return true;
  struct ws_one_symbol *functions = ws_arena_new(&link->arena, count, sizeof *functions);
  size_t used = 0, host = starting_module(link);
  for (unsigned kind = 0; functions && kind < WS_END_RUNS; kind++)
    for (size_t i = 0; i < end->counts[kind]; i++)
      functions[used++] = end->functions[kind][i];
  struct ws_changes *changes = &link->inputs[host].changes;
  return (functions && fill_runner(unifier, host, WS_RUN_END, WS_EXIT_FUNCTION, functions, count) &&
          add_export(changes,
                     (struct ws_new_export){name, WS_FUNCTION, runner_callee(changes, WS_RUN_END)})) ||
         ws_fail_memory(error, "");
}

static bool has_exit(const struct ws_module *module) {
  for (uint32_t i = 0; i < module->function_count; i++)
    if (ws_slice_is(module->functions[i].name, "exit") && !module->functions[i].synthetic)
      return true;
  return exported_function(module, start_name);
}

bool ws_find_lost(struct ws_link *link, struct ws_error *error) {
  const struct ws_module **modules = ws_arena_new(&link->arena, link->count, sizeof *modules);
  bool ends = false;
  for (size_t i = 0; i < link->count && modules; i++) {
    modules[i] = link->inputs[i].module;
    ends |= has_exit(modules[i]);
  }
  if (!modules)
    return ws_fail_memory(error, "");
  if (!ws_find_end(modules, link->count, &link->one, &link->arena, &link->end, error))
    return false;
  for (unsigned kind = 0; kind < WS_END_RUNS && !ends; kind++)
    link->end.missing_counts[kind] = 0;
  return true;
}

// ---------------------------------------------------------------------------------------------------------------
// all

// Others call what a program exports, and not its wrapper.
static void unwrap_exports(struct ws_input *input) {
  const struct ws_module *module = input->module;
  for (size_t i = 0; i < module->export_count; i++)
    if (module->exports[i].kind == WS_FUNCTION)
      input->changes.unwraps |= ws_exported_function(module, &module->exports[i]) != module->exports[i].index;
}

static bool prepare(struct unifier *unifier) {
  struct ws_link *link = unifier->link;
  unifier->place = ws_arena_new(&link->arena, link->count, sizeof *unifier->place);
  unifier->modules = ws_arena_new(&link->arena, link->count, sizeof *unifier->modules);
  if (!unifier->place || !unifier->modules || !list_functions(unifier))
    return false;
  for (size_t i = 0; i < link->count; i++) {
    struct ws_changes *changes = &link->inputs[i].changes;
    unifier->place[link->order[i]] = i;
    unifier->modules[i] = link->inputs[i].module;
    changes->symbols =
        ws_arena_new(&link->arena, link->inputs[i].module->symbol_count, sizeof *changes->symbols);
    if (!changes->symbols)
      return false;
    unwrap_exports(&link->inputs[i]);
  }
  find_slots(unifier);
  if (!need_slots(unifier) || !redirect_calls(unifier))
    return false;
  for (size_t i = 0; i < link->count; i++)
    if (!forward_imports(unifier, i))
      return false;
  return true;
}

// The shared function table comes before the tables that a module defines, whose numbers are not changed.
static bool check_tables(const struct ws_link *link, struct ws_error *error) {
  for (size_t i = 0; i < link->count; i++) {
    const struct ws_module *module = link->inputs[i].module;
    if (ws_adds_table(&link->inputs[i]) && module->table_count > module->imported_tables)
      return ws_module_fail(
          module, error, "TABLE", NULL,
          "has tables, but none that linkers call __indirect_function_table, which it needs in one "
          "program: link it without --strip-all, or with a pointer to a function in it");
  }
  return true;
}

bool ws_unify_functions(struct ws_link *link, struct ws_error *error) {
  struct unifier *unifier = ws_arena_new(&link->arena, 1, sizeof *unifier);
  if (!unifier)
    return ws_fail_memory(error, "");
  unifier->link = link;
  link->unifier = unifier;
  return (prepare(unifier) || ws_fail_memory(error, "")) && find_constructors_of_all(unifier, error) &&
         find_end(unifier, error) && check_tables(link, error);
}

// Where a variable went that stands for another one. False if it is in no place.
static bool place_variable(const struct ws_link *link, struct ws_one_symbol at, uint64_t *address) {
  const struct ws_input *definer = &link->inputs[at.module];
  const struct ws_symbol *symbol = ws_link_symbol(link, at);
  enum ws_base base;
  if (symbol->kind != WS_SYMBOL_DATA || (symbol->flags & (WS_SYMBOL_UNDEFINED | WS_SYMBOL_ABSOLUTE)) ||
      !definer->module->segments[symbol->index].placed ||
      !ws_symbol_target(definer->module, symbol, address, &base))
    return false;
  *address += definer->placement.offset;
  return true;
}

// wasm-bindgen, run on a placed module, looks for functions that its descriptions name in that module's own
// elements. They are Rust's, which promises nothing about which functions have one address.
static bool keeps_slot(const struct ws_module *module, const struct ws_symbol *symbol) {
  return module->info.for_wasm_bindgen && ws_name_owner(symbol->name) == WS_NAME_RUST;
}

static void rebind_symbol(const struct ws_link *link, size_t module, uint32_t index,
                          struct ws_rebound *rebound) {
  const struct unifier *unifier = link->unifier;
  const struct ws_symbol *symbol = &link->inputs[module].module->symbols[index];
  struct ws_one_symbol at = stands_for(link, module, index);
  rebound->kind = WS_REBOUND_NOT;
  if (symbol->kind == WS_SYMBOL_DATA && (at.module != module || at.symbol != index)) {
    if (place_variable(link, at, &rebound->value))
      rebound->kind = WS_REBOUND_ADDRESS;
  } else if (symbol->kind == WS_SYMBOL_FUNCTION && !keeps_slot(link->inputs[module].module, symbol) &&
             symbol->index < unifier->functions[module].count) {
    const struct slot *slot = slot_of(unifier, meant_function(unifier, module, index));
    if (slot->quality != NO_SLOT) {
      rebound->value = placed_slot(link, slot);
      rebound->kind = WS_REBOUND_SLOT;
    }
  }
}

void ws_rebind(struct ws_link *link) {
  const struct unifier *unifier = link->unifier;
  for (size_t i = 0; i < link->count; i++) {
    struct ws_changes *changes = &link->inputs[i].changes;
    for (uint32_t k = 0; k < link->inputs[i].module->symbol_count; k++)
      rebind_symbol(link, i, k, &changes->symbols[k]);
    for (size_t k = 0; k < changes->trampoline_count; k++)
      changes->trampolines[k].slot = placed_slot(link, slot_of(unifier, changes->trampolines[k].to));
    for (unsigned k = 0; k < WS_RUNNERS; k++)
      for (size_t n = 0; n < changes->runners[k].count; n++)
        if (changes->runners[k].calls[n].module != i)
          changes->runners[k].slots[n] = placed_slot(link, slot_of(unifier, changes->runners[k].calls[n]));
  }
}
