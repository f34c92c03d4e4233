#include "link/finder.h"

#include <stdlib.h>

#include "link/allocators.h"
#include "link/language.h"
#include "link/namesakes.h"
#include "link/once.h"

static struct ws_one_symbol name_node(const struct ws_finder *finder, uint32_t node) {
  uint32_t module = finder->match.module[node];
  return (struct ws_one_symbol){module, node - finder->match.in[module].base};
}

static const char *copy_name(struct ws_arena *arena, struct ws_slice name) {
  char *copy = ws_arena_new(arena, name.size + 1, 1);
  return copy ? ws_printable(name, copy, name.size + 1) : NULL;
}

// ---------------------------------------------------------------------------------------------- what is kept

// Notes that what one module calls by the name of a symbol is not the other's.
static bool keep(struct ws_finder *finder, const struct ws_symbol *symbol, uint32_t module, uint32_t other,
                 enum ws_kept_reason reason, bool has_state) {
  struct ws_one_kept *kept =
      ws_make_room(finder->kept, finder->kept_count, &finder->kept_capacity, sizeof *kept);
  if (!kept)
    return ws_finder_out_of_memory(finder);
  finder->kept = kept;
  const char *name = copy_name(finder->arena, symbol->name);
  if (!name)
    return ws_finder_out_of_memory(finder);
  kept[finder->kept_count++] = (struct ws_one_kept){.name = name,
                                                    .kind = (enum ws_symbol_kind)symbol->kind,
                                                    .reason = reason,
                                                    .has_state = has_state,
                                                    .module = module,
                                                    .other = other};
  return true;
}

bool ws_keep_apart(struct ws_finder *finder, uint32_t first, uint32_t other, enum ws_kept_reason reason) {
  return keep(finder, ws_finder_symbol(finder, other), finder->match.module[first],
              finder->match.module[other], reason, finder->has_state[first] || finder->has_state[other]);
}

const char *ws_kept_reason(enum ws_kept_reason reason) {
  switch (reason) {
  case WS_KEPT_PLAIN:
    return "no rule of a language makes two strong definitions of its name one";
  case WS_KEPT_OWN:
    return "the objects that define it define plain names, too, so that they are of no C or C++ library";
  case WS_KEPT_DIFFERENT:
    return "its copies differ, as those of different versions or compiled with different flags do";
  case WS_KEPT_OBJECT:
    return "other functions or variables of the same library object differ";
  case WS_KEPT_SIZE:
    return "its copies have different sizes";
  case WS_KEPT_THREAD_LOCAL:
    return "one is thread-local and the other is not";
  case WS_KEPT_TYPE:
    return "its copies have different types";
  case WS_KEPT_SECTION:
    return "each module has its own section of that name: --single puts them together";
  case WS_KEPT_UNRELATED:
    return "the parts of the library object that have it have no function in common";
  case WS_KEPT_OPTIMISED:
    return "link-time optimisation made it local, and its name does not tell whether it is inline: compile "
           "with -fvisibility=default, and link with -Wl,--export-dynamic";
  case WS_KEPT_UNMANGLED:
    return "functions of C++ that are one work on it, but its name may be one of C: put it into a namespace";
  }
  return "?";
}

// Whether a module has something in the section that begins at a symbol.
static bool has_part(const struct ws_module *module, const struct ws_symbol *start) {
  struct ws_slice section;
  ws_bound_of(start->name, &section);
  for (uint32_t i = 0; i < module->symbol_count; i++)
    if ((module->symbols[i].flags & WS_SYMBOL_ABSOLUTE) &&
        ws_slice_equal(module->symbols[i].name, start->name))
      return true;
  return ws_has_segment(module, section);
}

// Lists of things that are spread over object files, and gathered by linkers, in a section with a name that
// is a C identifier.
static bool keep_sections(struct ws_finder *finder) {
  struct ws_arena *arena = &finder->scratch;
  const struct ws_symbol **starts = ws_arena_new(arena, finder->match.node_count, sizeof *starts);
  size_t count = 0;
  if (!starts)
    return ws_finder_out_of_memory(finder);
  for (uint32_t i = 0; i < finder->match.node_count && !finder->options->one_file; i++) {
    const struct ws_symbol *symbol = ws_finder_symbol(finder, i);
    struct ws_slice section;
    if (symbol->kind != WS_SYMBOL_DATA || !(symbol->flags & (WS_SYMBOL_ABSOLUTE | WS_SYMBOL_UNDEFINED)) ||
        ws_bound_of(symbol->name, &section) != WS_BOUND_START)
      continue;
    size_t known = 0;
    while (known < count && !ws_slice_equal(starts[known]->name, symbol->name))
      known++;
    if (known < count)
      continue;
    starts[count++] = symbol;
    uint32_t module = finder->match.module[i];
    for (uint32_t other = 0; other < finder->count; other++)
      if (other != module && has_part(finder->modules[other], symbol) &&
          !keep(finder, symbol, module, other, WS_KEPT_SECTION, true))
        return false;
  }
  return true;
}

// ----------------------------------------------------------------------------------------------------- calls

static int compare_overrides(const void *a, const void *b) {
  const struct ws_override *x = a, *y = b;
  return x->from < y->from ? -1 : x->from > y->from;
}

// A call may stay where it is if what it reaches does the same, on the same variables.
static bool find_calls(struct ws_finder *finder) {
  struct ws_match *match = &finder->match;
  const uint32_t *thing = match->thing;
  for (size_t i = 0; i < finder->override_count; i++) {
    const struct ws_override *override = &finder->overrides[i];
    if (override->is_needed && finder->match.owner[override->from] != WS_NAME_PLAIN &&
        ws_match_add(match, thing[override->to], thing[override->from]) == WS_NO_NODE)
      return ws_finder_out_of_memory(finder);
  }
  if (!ws_match_compare(match))
    return ws_finder_out_of_memory(finder);
  struct ws_one_call *calls = ws_arena_new(finder->arena, finder->override_count, sizeof *calls);
  if (!calls)
    return ws_finder_out_of_memory(finder);
  if (finder->override_count)
    qsort(finder->overrides, finder->override_count, sizeof *finder->overrides, compare_overrides);
  for (size_t i = 0; i < finder->override_count; i++) {
    const struct ws_override *override = &finder->overrides[i];
    bool is_needed = override->is_needed;
    if (is_needed && finder->match.owner[override->from] != WS_NAME_PLAIN) {
      const struct ws_pair *pair =
          &match->pairs[ws_match_add(match, thing[override->to], thing[override->from])];
      is_needed = pair->different || pair->depends;
    }
    if (is_needed)
      calls[finder->one->call_count++] = (struct ws_one_call){
          name_node(finder, override->from), name_node(finder, ws_finder_resolve(finder, override->from))};
  }
  finder->one->calls = calls;
  return true;
}

// --------------------------------------------------------------------------------------------------- callees

static bool is_defined(const struct ws_symbol *symbol) {
  return symbol->kind == WS_SYMBOL_FUNCTION && !(symbol->flags & WS_SYMBOL_UNDEFINED);
}

// Whether two copies of a function call the same functions, as far as these are defined.
static bool call_the_same(const struct ws_finder *finder, uint32_t x, uint32_t y, int depth) {
  enum { MOST_DEPTH = 8 }; // of local functions
  const struct ws_match *match = &finder->match;
  struct ws_beside operands = ws_match_beside(match, x, y);
  while (ws_next_beside(&operands)) {
    uint32_t a = operands.x, b = operands.y;
    if (a == WS_NO_NODE || b == WS_NO_NODE)
      continue;
    const struct ws_symbol *symbol = ws_finder_symbol(finder, a), *other = ws_finder_symbol(finder, b);
    if (!is_defined(symbol) || !is_defined(other) ||
        ws_finder_resolve(finder, a) == ws_finder_resolve(finder, b))
      continue;
    bool local = symbol->flags & other->flags & WS_SYMBOL_LOCAL;
    if (!local || (depth < MOST_DEPTH && !call_the_same(finder, match->thing[a], match->thing[b], depth + 1)))
      return false;
  }
  return true;
}

// A copy of a library's function does not stand for another that calls a function that stayed apart: each
// module's printf() calls its vfprintf(). Then this one is for itself, too, and so are those that call it.
static void keep_callers(struct ws_finder *finder) {
  const struct ws_match *match = &finder->match;
  for (bool changed = finder->kept_count > 0; changed;) {
    changed = false;
    for (uint32_t i = 0; i < match->node_count; i++) {
      uint32_t thing = match->thing[i], stands = finder->stands[i];
      if (match->owner[i] != WS_NAME_LIBRARY || stands == thing || !is_defined(ws_finder_symbol(finder, i)) ||
          !is_defined(ws_finder_symbol(finder, stands)) || call_the_same(finder, thing, stands, 0))
        continue;
      for (uint32_t k = match->in [match->module[i]].base; k < match->node_count; k++)
        if (match->thing[k] == thing)
          finder->stands[k] = thing;
      changed = true;
    }
  }
}

// --------------------------------------------------------------------------------------------------- results

static bool fill_of(struct ws_finder *finder) {
  struct ws_one_symbol **of = ws_arena_new(finder->arena, finder->count, sizeof *of);
  struct ws_one_symbol *all = ws_arena_new(finder->arena, finder->match.node_count, sizeof *all);
  if (!of || !all)
    return ws_finder_out_of_memory(finder);
  for (uint32_t i = 0; i < finder->match.node_count; i++) {
    uint32_t to = ws_finder_resolve(finder, i);
    all[i] = name_node(finder, to == finder->match.thing[i] ? i : to);
  }
  for (size_t i = 0; i < finder->count; i++)
    of[i] = all + finder->match.in[i].base;
  finder->one->of = of;
  return true;
}

// Counts, for each node, the modules that have a definition for which it stands.
static bool fill_merged(struct ws_finder *finder) {
  const struct ws_match *match = &finder->match;
  uint32_t *counts = ws_arena_new(&finder->scratch, match->node_count, sizeof *counts);
  uint32_t *last = ws_arena_new(&finder->scratch, match->node_count, sizeof *last);
  if (!counts || !last)
    return ws_finder_out_of_memory(finder);
  size_t most = 0;
  for (uint32_t i = 0; i < match->node_count; i++) {
    uint32_t to = ws_finder_resolve(finder, i);
    if (match->module[to] == match->module[i] || (ws_finder_symbol(finder, i)->flags & WS_SYMBOL_UNDEFINED) ||
        last[to] == match->module[i] + 1)
      continue;
    most += counts[to] == 0;
    counts[to]++;
    last[to] = match->module[i] + 1;
  }
  struct ws_one_merged *merged = ws_arena_new(finder->arena, most, sizeof *merged);
  if (!merged)
    return ws_finder_out_of_memory(finder);
  for (uint32_t i = 0; i < match->node_count; i++) {
    if (counts[i] == 0)
      continue;
    struct ws_one_symbol at = name_node(finder, i);
    const char *name = copy_name(finder->arena, ws_finder_symbol(finder, i)->name);
    if (!name)
      return ws_finder_out_of_memory(finder);
    merged[finder->one->merged_count++] = (struct ws_one_merged){
        name, (enum ws_symbol_kind)ws_finder_symbol(finder, i)->kind, at.module, at.symbol, counts[i] + 1};
  }
  finder->one->merged = merged;
  return true;
}

static bool fill_kept(struct ws_finder *finder) {
  struct ws_one_kept *kept = ws_arena_new(finder->arena, finder->kept_count, sizeof *kept);
  if (!kept)
    return ws_finder_out_of_memory(finder);
  if (finder->kept_count)
    memcpy(kept, finder->kept, finder->kept_count * sizeof *kept);
  finder->one->kept = kept;
  finder->one->kept_count = finder->kept_count;
  return true;
}

// ------------------------------------------------------------------------------------------------------- all

// The order of preference of the modules, and the place of each in it.
static uint32_t *rank_modules(struct ws_finder *finder) {
  uint32_t *order = ws_arena_new(&finder->scratch, finder->count, sizeof *order);
  finder->rank = ws_arena_new(&finder->scratch, finder->count, sizeof *finder->rank);
  if (!order || !finder->rank)
    return NULL;
  memset(finder->rank, 0xff, finder->count * sizeof *finder->rank);
  uint32_t used = 0;
  for (size_t i = 0; i < finder->options->prefer_count + finder->count; i++) {
    size_t module =
        i < finder->options->prefer_count ? finder->options->prefer[i] : i - finder->options->prefer_count;
    if (finder->rank[module] != UINT32_MAX)
      continue;
    order[used] = (uint32_t)module;
    finder->rank[module] = used++;
  }
  return order;
}

static bool find(struct ws_finder *finder) {
  struct ws_arena *scratch = &finder->scratch;
  if (!ws_match_begin(&finder->match, finder->modules, finder->count, scratch, finder->error))
    return false;
  if (!ws_find_namesakes(&finder->match, scratch))
    return ws_finder_out_of_memory(finder);
  uint32_t nodes = finder->match.node_count;
  const uint32_t *order = rank_modules(finder);
  finder->strong = ws_arena_new(scratch, nodes, sizeof *finder->strong);
  finder->stands = ws_arena_new(scratch, nodes, sizeof *finder->stands);
  finder->bound = ws_arena_new(scratch, nodes, sizeof *finder->bound);
  finder->has_state = ws_arena_new(scratch, nodes, sizeof *finder->has_state);
  if (!order || !finder->strong || !finder->has_state || !finder->stands || !finder->bound)
    return ws_finder_out_of_memory(finder);
  for (uint32_t i = 0; i < nodes; i++)
    finder->bound[i] = i;
  ws_note_strong_things(&finder->match, finder->strong);
  struct ws_unrelated *unrelated = NULL;
  size_t unrelated_count = 0;
  if (!ws_list_definitions(&finder->match, order, scratch, &finder->definitions) ||
      !ws_find_objects(&finder->match, &finder->definitions, finder->strong, finder->rank, scratch,
                       finder->stands, finder->has_state, &unrelated, &unrelated_count))
    return ws_finder_out_of_memory(finder);
  bool ok = true;
  for (size_t i = 0; i < unrelated_count && ok; i++)
    ok = ws_keep_apart(finder, unrelated[i].first, unrelated[i].other,
                       unrelated[i].is_optimised ? WS_KEPT_OPTIMISED : WS_KEPT_UNRELATED);
  free(unrelated);
  if (!ok)
    return false;
  if (!keep_sections(finder) || !ws_bind_names(finder) || !ws_bind_stubs(finder) ||
      !ws_bind_undefined(finder))
    return false;
  keep_callers(finder);
  ws_tell_unmangled(finder);
  return ws_find_once(&finder->match, finder->rank, finder->bound, scratch, finder->stands, finder->error) &&
         (finder->options->side_by_side ||
          ws_check_allocators(&finder->match, &finder->definitions, finder->bound, finder->stands, scratch,
                              finder->error)) &&
         find_calls(finder) && fill_of(finder) && fill_merged(finder) && fill_kept(finder) &&
         ws_find_heaps(finder);
}

bool ws_find_one(const struct ws_module *const *modules, const char *const *names, size_t count,
                 const struct ws_one_options *options, struct ws_arena *arena, struct ws_one *one,
                 struct ws_error *error) {
  static const struct ws_one_options defaults = {0};
  struct ws_one found = {0};
  struct ws_finder finder = {.modules = modules,
                             .names = names,
                             .count = count,
                             .options = options ? options : &defaults,
                             .arena = arena,
                             .one = &found,
                             .error = error};
  bool ok = find(&finder);
  ws_match_free(&finder.match);
  ws_arena_free(&finder.scratch);
  free(finder.kept);
  free(finder.overrides);
  if (ok)
    *one = found;
  return ok;
}
