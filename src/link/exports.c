#include "link/exports.h"

#include <stdlib.h>

#include "link/link.h"
#include "link/same.h"
#include "link/start.h"
#include "link/wrappers.h"

// Names that each module's own start has; the merged module has one.
static const char start_name[] = "_start", initialize_name[] = "_initialize",
                  ctors_name[] = "__wasm_call_ctors";

// The function symbols of a module that others can see, by name.
static bool list_symbols(const struct ws_merge *merge, uint32_t m, struct ws_map *symbols) {
  const struct ws_module *module = merge->modules[m].module;
  for (uint32_t i = 0; i < module->symbol_count; i++) {
    const struct ws_symbol *symbol = &module->symbols[i];
    if (symbol->kind == WS_SYMBOL_FUNCTION && !(symbol->flags & WS_SYMBOL_LOCAL) &&
        !ws_map_add(symbols, symbol->name, i))
      return ws_merge_fail_memory(merge);
  }
  return true;
}

// What an exported function is in the program: what its name means, as one function can have several, and
// they need not mean the same.
static uint32_t function_of(const struct ws_merge *merge, uint32_t m, const struct ws_map *symbols,
                            const struct ws_export *export) {
  const struct ws_merge_module *from = &merge->modules[m];
  uint32_t target = ws_merge_function_at(merge, m, ws_exported_function(from->module, export));
  const uint32_t *symbol = ws_map_find(symbols, export->name);
  bool named = symbol && ws_merge_function_at(merge, m, from->module->symbols[*symbol].index) == target;
  return named ? merge->symbols[from->first_symbol + *symbol].target : target;
}

// Or WS_NOTHING: as "memory", the merged module exports its memory in any case.
static uint32_t target_of(const struct ws_merge *merge, uint32_t m, const struct ws_map *symbols,
                          const struct ws_export *export) {
  const struct ws_merge_module *from = &merge->modules[m];
  switch (export->kind) {
  case WS_MEMORY:
    return ws_slice_is(export->name, "memory") ? WS_NOTHING : 0;
  case WS_FUNCTION:
    return function_of(merge, m, symbols, export);
  case WS_GLOBAL:
    return merge->globals[from->first_global + export->index].one;
  case WS_TABLE:
    return merge->tables[from->first_table + export->index].one;
  default:
    return export->index < from->tag_count ? merge->tags[from->first_tag + export->index].one : WS_NOTHING;
  }
}

static bool same_target(const struct ws_merge *merge, const struct ws_merge_export *a,
                        const struct ws_merge_export *b) {
  if (a->kind != b->kind)
    return false;
  if (a->target == b->target)
    return true;
  if (a->kind != WS_GLOBAL)
    return false;
  const struct ws_merge_global *left = &merge->globals[a->target], *right = &merge->globals[b->target];
  return left->constant && right->constant && left->init.kind == right->init.kind &&
         left->init.target == right->init.target && left->init.addend == right->init.addend;
}

static size_t rank(const struct ws_merge_options *options, size_t module) {
  size_t i = 0;
  while (i < options->prefer_count && options->prefer[i] != module)
    i++;
  return i;
}

static bool report_both(const struct ws_merge *merge, const struct ws_merge_export *a,
                        const struct ws_merge_export *b) {
  char name[128];
  ws_printable(a->name, name, sizeof name);
  return ws_merge_fail(merge, b->module, "EXPORT",
                       "exports the %s %s, and so does %s, and they are not the same: say which one the "
                       "merged module exports with --prefer",
                       ws_external_kind_name((enum ws_external_kind)b->kind), name,
                       merge->modules[a->module].module->file);
}

struct chooser {
  struct ws_merge *merge;
  struct ws_merge_exports *list;
  struct ws_map names;
};

// The module of an export of the list has it so.
static bool own(struct chooser *chooser, uint32_t item, uint32_t module) {
  struct ws_merge_exports *list = chooser->list;
  struct ws_merge_owner *owners =
      ws_make_room(list->owners, list->owner_count, &list->owner_capacity, sizeof *owners);
  if (!owners)
    return ws_merge_fail_memory(chooser->merge);
  list->owners = owners;
  owners[list->owner_count++] = (struct ws_merge_owner){item, module};
  return true;
}

// The export of a preferred module takes the place of another: those who had that have none of its name.
static void replace(struct ws_merge_exports *list, uint32_t item, const struct ws_merge_export *export) {
  size_t kept = 0;
  for (size_t i = 0; i < list->owner_count; i++)
    if (list->owners[i].item != item)
      list->owners[kept++] = list->owners[i];
  list->owner_count = kept;
  list->items[item] = *export;
}

// `item` is where the export is in the list, or WS_NOTHING if that is another's.
static bool add(struct chooser *chooser, struct ws_merge_export export, uint32_t *item) {
  struct ws_merge *merge = chooser->merge;
  struct ws_merge_exports *list = chooser->list;
  uint32_t *at = ws_map_add(&chooser->names, export.name, (uint32_t)list->count);
  if (!at)
    return ws_merge_fail_memory(merge);
  if (*at == list->count) {
    struct ws_merge_export *items = ws_make_room(list->items, list->count, &list->capacity, sizeof *items);
    if (!items)
      return ws_merge_fail_memory(merge);
    list->items = items;
    *item = (uint32_t)list->count;
    items[list->count++] = export;
    return true;
  }
  *item = *at;
  struct ws_merge_export *other = &list->items[*at];
  size_t old_rank = rank(merge->options, other->module), new_rank = rank(merge->options, export.module);
  bool same = same_target(merge, other, &export);
  if (!same && export.kind == WS_FUNCTION && other->kind == WS_FUNCTION &&
      !ws_merge_same_functions(merge, other->target, export.target, &same))
    return false;
  // Each module's _initialize runs the constructors: all of them, in the merged module.
  if (same || ws_slice_is(export.name, initialize_name))
    return true;
  if (old_rank == new_rank)
    return report_both(merge, other, &export);
  if (new_rank < old_rank)
    replace(list, *at, &export);
  else
    *item = WS_NOTHING;
  return true;
}

// What starts a program runs the constructors: those of the other modules, too, if it has none itself.
static uint32_t started(struct ws_merge *merge, uint32_t m, uint32_t start) {
  if (merge->constructor_count == 0 || merge->modules[m].constructors != WS_NO_FUNCTION)
    return start;
  merge->start = start;
  return merge->first_synthetic + WS_RUN_START;
}

static bool add_named(struct chooser *chooser, uint32_t m, const struct ws_map *symbols, bool is_program) {
  struct ws_merge *merge = chooser->merge;
  const struct ws_module *module = merge->modules[m].module;
  for (size_t i = 0; i < module->export_count; i++) {
    const struct ws_export *export = &module->exports[i];
    uint32_t target = target_of(merge, m, symbols, export);
    // A program is started by _start alone, which runs the constructors.
    if (target == WS_NOTHING || (is_program && ws_slice_is(export->name, initialize_name)))
      continue;
    if (ws_slice_is(export->name, "memory"))
      return ws_merge_fail(
          merge, m, "EXPORT",
          "exports something else than its memory as \"memory\", which is what the merged module "
          "exports so: rename it");
    if (ws_slice_is(export->name, start_name) && export->kind == WS_FUNCTION)
      target = started(merge, m, target);
    uint32_t item;
    if (!add(chooser, (struct ws_merge_export){export->name, export->kind, target, m}, &item) ||
        (item != WS_NOTHING && !own(chooser, item, m)))
      return false;
  }
  return true;
}

static bool add_module(struct chooser *chooser, uint32_t m, bool is_program) {
  struct ws_map symbols = {0};
  bool ok = list_symbols(chooser->merge, m, &symbols) && add_named(chooser, m, &symbols, is_program);
  ws_map_free(&symbols);
  return ok;
}

static bool exports_function(const struct ws_merge *merge, const char *name) {
  for (size_t m = 0; m < merge->module_count; m++) {
    const struct ws_export *export = ws_find_export(merge->modules[m].module, ws_slice_of(name));
    if (export && export->kind == WS_FUNCTION)
      return true;
  }
  return false;
}

// A host that gave its table to the modules finds it among the exports.
static bool imports_table(const struct ws_merge *merge) {
  for (size_t m = 0; m < merge->module_count; m++)
    if (merge->modules[m].module->info.imports_table)
      return true;
  return false;
}

void ws_merge_exports_free(struct ws_merge_exports *exports) {
  free(exports->items);
  free(exports->owners);
}

bool ws_merge_choose_exports(struct ws_merge *merge, struct ws_merge_exports *exports) {
  struct chooser chooser = {.merge = merge, .list = exports};
  bool is_program = exports_function(merge, start_name), ok = true;
  for (uint32_t m = 0; m < merge->module_count && ok; m++)
    ok = add_module(&chooser, m, is_program);
  uint32_t ctors = merge->first_synthetic + WS_CALL_CTORS, item;
  if (ok && !is_program && !exports_function(merge, initialize_name) &&
      (merge->constructor_count > 0 || exports_function(merge, ctors_name)))
    ok = add(&chooser, (struct ws_merge_export){ws_slice_of(initialize_name), WS_FUNCTION, ctors, 0}, &item);
  if (ok && merge->indirect_table != WS_NOTHING && imports_table(merge))
    ok = add(&chooser,
             (struct ws_merge_export){ws_slice_of("__indirect_function_table"), WS_TABLE,
                                      merge->indirect_table, 0},
             &item);
  ws_map_free(&chooser.names);
  return ok;
}
