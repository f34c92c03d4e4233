#include "link/allocators.h"

#include <stdlib.h>

#include "link/language.h"
#include "link/objects.h"

unsigned ws_allocator_role(struct ws_slice name) {
  // C11 7.22.3, POSIX, and what C libraries have beside them. realloc() of a null pointer is malloc().
  static const struct {
    const char *name;
    unsigned role;
  } functions[] = {{"malloc", WS_MAKES_MEMORY},
                   {"calloc", WS_MAKES_MEMORY},
                   {"aligned_alloc", WS_MAKES_MEMORY},
                   {"posix_memalign", WS_MAKES_MEMORY},
                   {"memalign", WS_MAKES_MEMORY},
                   {"valloc", WS_MAKES_MEMORY},
                   {"realloc", WS_MAKES_MEMORY | WS_TAKES_MEMORY},
                   {"reallocarray", WS_MAKES_MEMORY | WS_TAKES_MEMORY},
                   {"free", WS_TAKES_MEMORY}};
  for (size_t i = 0; i < sizeof functions / sizeof *functions; i++)
    if (ws_slice_is(name, functions[i].name))
      return functions[i].role;
  return 0;
}

// The `index`th definition, if it is of such a function.
static unsigned role_of(const struct ws_match *match, const struct ws_definitions *definitions,
                        size_t index) {
  const struct ws_symbol *symbol = ws_match_symbol(match, definitions->list[index].node);
  bool is_function = symbol->kind == WS_SYMBOL_FUNCTION &&
                     !(symbol->flags & (WS_SYMBOL_UNDEFINED | WS_SYMBOL_LOCAL)) &&
                     match->owner[definitions->list[index].node] != WS_NAME_PLAIN;
  return is_function ? ws_allocator_role(symbol->name) : 0;
}

// --------------------------------------------------------------------------------------------------- the
// same objects

struct local {
  struct ws_slice name;
  uint32_t node;
};

static int compare_locals(const void *a, const void *b) {
  const struct local *x = a, *y = b;
  int names = ws_slice_compare(x->name, y->name);
  return names != 0 ? names : x->node < y->node ? -1 : x->node > y->node;
}

// Lists the local functions of the objects that are marked.
static struct local *list_locals(const struct ws_match *match, const bool *marked, struct ws_arena *arena,
                                 size_t *count) {
  struct local *locals = ws_arena_new(arena, match->node_count, sizeof *locals);
  *count = 0;
  for (uint32_t i = 0; locals && i < match->node_count; i++) {
    const struct ws_symbol *symbol = ws_match_symbol(match, i);
    if (symbol->kind == WS_SYMBOL_FUNCTION && (symbol->flags & WS_SYMBOL_LOCAL) && match->thing[i] == i &&
        marked[ws_find_root(match->part, i)])
      locals[(*count)++] = (struct local){symbol->name, i};
  }
  if (*count)
    qsort(locals, *count, sizeof *locals, compare_locals);
  return locals;
}

bool ws_pair_allocators(struct ws_match *match, const struct ws_definitions *definitions,
                        struct ws_arena *arena) {
  bool *marked = ws_arena_new(arena, match->node_count, sizeof *marked);
  if (!marked)
    return false;
  for (size_t i = 0; i < definitions->count; i++)
    if (role_of(match, definitions, i) && !definitions->list[i].is_own)
      marked[ws_find_root(match->part, definitions->list[i].node)] = true;
  size_t count;
  const struct local *locals = list_locals(match, marked, arena, &count);
  if (!locals)
    return false;
  for (size_t i = 0; i < count; i++)
    for (size_t k = i + 1; k < count && ws_slice_equal(locals[i].name, locals[k].name); k++)
      if (match->module[locals[i].node] != match->module[locals[k].node] &&
          ws_match_add(match, locals[i].node, locals[k].node) == WS_NO_NODE)
        return false;
  return true;
}

// -------------------------------------------------------------------------------------------------- the
// state of a heap

// A module's functions that make and take back memory, and the variables that they work on.
struct allocator {
  unsigned roles;
  struct ws_slice maker, taker; // names for messages
  uint32_t *functions;          // nodes; those that were added are looked at, too
  size_t function_count, function_capacity;
  uint32_t *variables; // nodes
  size_t variable_count, variable_capacity;
};

static bool add_node(uint32_t **list, size_t *count, size_t *capacity, uint32_t node) {
  for (size_t i = 0; i < *count; i++)
    if ((*list)[i] == node)
      return true;
  uint32_t *longer = ws_make_room(*list, *count, capacity, sizeof *longer);
  if (!longer)
    return false;
  *list = longer;
  longer[(*count)++] = node;
  return true;
}

// A variable that a heap may be in. errno is everybody's.
static bool may_be_state(const struct ws_match *match, uint32_t node) {
  const struct ws_symbol *symbol = ws_match_symbol(match, node);
  if (symbol->kind != WS_SYMBOL_DATA || (symbol->flags & (WS_SYMBOL_ABSOLUTE | WS_SYMBOL_TLS)) ||
      ws_slice_is(symbol->name, "errno") || ws_slice_starts(symbol->name, ".L"))
    return false;
  return (symbol->flags & WS_SYMBOL_UNDEFINED) ||
         !ws_slice_starts(match->modules[match->module[node]]->segments[symbol->index].name, ".rodata");
}

// Adds the variables, or the functions, that a function refers to.
static bool add_operands(const struct ws_match *match, struct allocator *allocator, uint32_t function,
                         bool variables) {
  uint32_t module = match->module[function];
  struct ws_relocations left = ws_match_relocations(match, function);
  const struct ws_relocation *relocation;
  while ((relocation = ws_next_relocation(&left)) != NULL) {
    if (relocation->type == R_WASM_TYPE_INDEX_LEB ||
        relocation->index >= match->modules[module]->symbol_count)
      continue;
    uint32_t node = match->thing[match->in[module].base + relocation->index];
    if (variables && may_be_state(match, node) &&
        !add_node(&allocator->variables, &allocator->variable_count, &allocator->variable_capacity, node))
      return false;
    if (!variables && ws_match_symbol(match, node)->kind == WS_SYMBOL_FUNCTION &&
        !add_node(&allocator->functions, &allocator->function_count, &allocator->function_capacity, node))
      return false;
  }
  return true;
}

// Adds what all functions of one object refer to.
static bool add_object(const struct ws_match *match, struct allocator *allocator, uint32_t root,
                       bool variables) {
  uint32_t module = match->module[root];
  for (uint32_t i = 0; i < match->modules[module]->function_count; i++) {
    uint32_t function = match->in[module].functions[i];
    if (function != WS_NO_NODE && ws_find_root(match->part, function) == root &&
        !add_operands(match, allocator, function, variables))
      return false;
  }
  return true;
}

// The variables of the objects that the functions are of; where these have none, of those that they call:
// calloc() may only call malloc().
static bool find_state(const struct ws_match *match, struct allocator *allocator) {
  for (size_t i = 0; i < allocator->function_count; i++) {
    uint32_t root = ws_find_root(match->part, allocator->functions[i]);
    bool is_known = false;
    for (size_t k = 0; k < i && !is_known; k++)
      is_known = ws_find_root(match->part, allocator->functions[k]) == root;
    size_t before = allocator->variable_count;
    if (!is_known && (!add_object(match, allocator, root, true) ||
                      (allocator->variable_count == before && !add_object(match, allocator, root, false))))
      return false;
  }
  return true;
}

static bool add_function(const struct ws_match *match, struct allocator *allocator, uint32_t node,
                         unsigned role) {
  struct ws_slice name = ws_match_symbol(match, node)->name;
  if ((role & WS_MAKES_MEMORY) && (!allocator->maker.size || !(role & WS_TAKES_MEMORY)))
    allocator->maker = name;
  if ((role & WS_TAKES_MEMORY) && (!allocator->taker.size || !(role & WS_MAKES_MEMORY)))
    allocator->taker = name;
  allocator->roles |= role;
  return add_node(&allocator->functions, &allocator->function_count, &allocator->function_capacity,
                  match->thing[node]);
}

// -----------------------------------------------------------------------------------------------------------
// conflicts

struct check {
  const struct ws_match *match;
  const uint32_t *bound, *stands;
  const struct allocator *allocators; // one for each module
};

// Whether two modules' heaps are two: what has one name in both is two variables, or nothing that both have
// is one.
static bool is_divided(const struct check *check, const struct allocator *a, const struct allocator *b) {
  bool has_common = false;
  for (size_t i = 0; i < a->variable_count; i++)
    for (size_t k = 0; k < b->variable_count; k++) {
      uint32_t x = a->variables[i], y = b->variables[k];
      bool is_one =
          ws_resolve_node(check->bound, check->stands, x) == ws_resolve_node(check->bound, check->stands, y);
      if (!is_one &&
          ws_slice_equal(ws_match_symbol(check->match, x)->name, ws_match_symbol(check->match, y)->name))
        return true;
      has_common |= is_one;
    }
  return a->variable_count > 0 && b->variable_count > 0 && !has_common;
}

// Whether both call a function of one name: then each has a heap of its own, and it is known that they
// differ.
static bool can_compare(const struct ws_match *match, const struct allocator *a, const struct allocator *b) {
  for (size_t i = 0; i < a->function_count; i++)
    for (size_t k = 0; k < b->function_count; k++)
      if (ws_allocator_role(ws_match_symbol(match, a->functions[i])->name) &&
          ws_slice_equal(ws_match_symbol(match, a->functions[i])->name,
                         ws_match_symbol(match, b->functions[k])->name))
        return true;
  return false;
}

static bool check_pair(const struct check *check, size_t taking, size_t making, struct ws_error *error) {
  const struct allocator *taker = &check->allocators[taking], *maker = &check->allocators[making];
  if (!(taker->roles & WS_TAKES_MEMORY) || !(maker->roles & WS_MAKES_MEMORY) ||
      !is_divided(check, taker, maker) ||
      ((taker->roles & WS_MAKES_MEMORY) && can_compare(check->match, taker, maker)))
    return true;
  char text[3][32];
  return ws_fail(error, check->match->modules[taking]->file, NULL, WS_NO_OFFSET,
                 "may call %s for what %s of %s made, and nothing that both have tells whether their C "
                 "libraries are the "
                 "same, with one heap: link it with -Wl,--export-if-defined=%s",
                 ws_printable(taker->taker, text[0], sizeof text[0]),
                 ws_printable(maker->maker, text[1], sizeof text[1]), check->match->modules[making]->file,
                 ws_printable(maker->maker, text[2], sizeof text[2]));
}

// Calls of a weak definition that another one overrides reach that one.
static bool find_allocators(const struct ws_match *match, const struct ws_definitions *definitions,
                            const uint32_t *bound, struct allocator *allocators) {
  for (size_t i = 0; i < definitions->count; i++) {
    uint32_t node = definitions->list[i].node;
    unsigned role = role_of(match, definitions, i);
    if (role && bound[node] == node && !add_function(match, &allocators[match->module[node]], node, role))
      return false;
  }
  for (size_t i = 0; i < match->count; i++)
    if (!find_state(match, &allocators[i]))
      return false;
  return true;
}

bool ws_check_allocators(const struct ws_match *match, const struct ws_definitions *definitions,
                         const uint32_t *bound, const uint32_t *stands, struct ws_arena *arena,
                         struct ws_error *error) {
  struct allocator *allocators = ws_arena_new(arena, match->count, sizeof *allocators);
  if (!allocators)
    return ws_fail_memory(error, "");
  const struct check check = {match, bound, stands, allocators};
  bool ok = find_allocators(match, definitions, bound, allocators) || ws_fail_memory(error, "");
  for (size_t i = 0; ok && i < match->count; i++)
    for (size_t k = 0; ok && k < match->count; k++)
      ok = i == k || check_pair(&check, i, k, error);
  for (size_t i = 0; i < match->count; i++) {
    free(allocators[i].functions);
    free(allocators[i].variables);
  }
  return ok;
}
