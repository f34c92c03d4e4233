#include "link/objects.h"

#include <stdlib.h>

#include "link/allocators.h"
#include "link/language.h"
#include "link/own.h"

// A namespace or class in which a part of a module defines functions.
struct scope {
  uint32_t part;
  struct ws_slice name;
};

struct search {
  struct ws_match *match;
  struct ws_definitions *definitions;
  const uint32_t *rank; // of each module
  const bool *strong;   // of each thing
  struct ws_arena *arena;
  uint32_t *same;       // a forest: things that are the same
  uint32_t *part;       // match->part
  bool *is_library;     // of each part: it has a function of a library
  bool *differs;        // of each part: there are other versions of what is in it
  struct scope *scopes; // of C++ functions, by part
  size_t scope_count;
  uint32_t *object; // a forest of parts: copies of one object
  uint32_t
      *variant; // of each part: those of an object that agree; WS_NO_NODE for parts of an object that is torn
};

// ---------------------------------------------------------------------------------------------- strength

void ws_note_strong_things(const struct ws_match *match, bool *strong) {
  for (uint32_t i = 0; i < match->node_count; i++)
    strong[match->thing[i]] |=
        !(ws_match_symbol(match, i)->flags & (WS_SYMBOL_WEAK | WS_SYMBOL_LOCAL | WS_SYMBOL_UNDEFINED));
}

enum ws_binding_strength ws_binding_strength(const struct ws_match *match, const bool *strong,
                                             uint32_t node) {
  uint32_t flags = ws_match_symbol(match, node)->flags;
  if (flags & WS_SYMBOL_LOCAL)
    return WS_BINDING_LOCAL;
  if (!(flags & WS_SYMBOL_WEAK))
    return WS_BINDING_STRONG;
  bool is_alias = strong[match->thing[node]] && match->owner[node] != WS_NAME_CXX;
  return is_alias ? WS_BINDING_ALIAS : WS_BINDING_WEAK;
}

// ---------------------------------------------------------------------------------------------- versions

// Variables of Rust need no comparison: their names say all.
static bool may_be_one_object(const struct ws_defined_name *name) {
  bool is_function = name->kind == WS_SYMBOL_FUNCTION;
  if (!is_function && name->kind != WS_SYMBOL_DATA)
    return false;
  return name->first != name->last && (name->owner == WS_NAME_CXX || name->owner == WS_NAME_LIBRARY ||
                                       (name->owner == WS_NAME_RUST && is_function));
}

// The definitions of a name that are compared are those with the strength of the strongest of them.
static enum ws_binding_strength strongest(const struct search *search, const struct ws_defined_name *name) {
  enum ws_binding_strength result = WS_BINDING_LOCAL;
  for (uint32_t i = name->first; i != WS_NO_NODE; i = search->definitions->list[i].next) {
    if (search->definitions->list[i].is_own)
      continue;
    enum ws_binding_strength strength =
        ws_binding_strength(search->match, search->strong, search->definitions->list[i].node);
    result = strength > result ? strength : result;
  }
  return result;
}

// A name whose definitions are being sorted into versions.
struct sorting {
  uint32_t name;
  uint32_t from; // the first definition without a version
  enum ws_binding_strength strength;
};

static bool is_unsorted(const struct search *search, const struct sorting *sorting, uint32_t definition) {
  const struct ws_definition *one = &search->definitions->list[definition];
  return one->version == WS_NO_NODE && !one->is_own &&
         ws_binding_strength(search->match, search->strong, one->node) == sorting->strength;
}

static uint32_t next_unsorted(const struct search *search, const struct sorting *sorting,
                              uint32_t definition) {
  while (definition != WS_NO_NODE && !is_unsorted(search, sorting, definition))
    definition = search->definitions->list[definition].next;
  return definition;
}

// Pairs the first unsorted definition of a name with all others.
static bool pair_definitions(const struct search *search, struct sorting *sorting) {
  struct ws_definition *list = search->definitions->list;
  const uint32_t *thing = search->match->thing;
  list[sorting->from].version = sorting->from;
  for (uint32_t i = next_unsorted(search, sorting, sorting->from); i != WS_NO_NODE;
       i = next_unsorted(search, sorting, list[i].next))
    if (ws_match_add(search->match, thing[list[sorting->from].node], thing[list[i].node]) == WS_NO_NODE)
      return false;
  return true;
}

// Gives those that are the same as the first its version.
static bool take_version(const struct search *search, const struct sorting *sorting) {
  struct ws_definition *list = search->definitions->list;
  const uint32_t *thing = search->match->thing;
  for (uint32_t i = next_unsorted(search, sorting, sorting->from); i != WS_NO_NODE;
       i = next_unsorted(search, sorting, list[i].next)) {
    uint32_t pair = ws_match_add(search->match, thing[list[sorting->from].node], thing[list[i].node]);
    if (pair == WS_NO_NODE)
      return false;
    if (!search->match->pairs[pair].different)
      list[i].version = sorting->from;
  }
  return true;
}

// Each round compares all names at once, since functions depend on each other; names of which there are more
// versions go into the next one.
static bool sort_versions(struct search *search) {
  struct ws_definitions *definitions = search->definitions;
  struct sorting *list = ws_arena_new(search->arena, definitions->name_count, sizeof *list);
  size_t count = 0;
  if (!list)
    return false;
  for (uint32_t i = 0; i < definitions->name_count; i++)
    if (may_be_one_object(&definitions->names[i])) {
      const struct ws_defined_name *name = &definitions->names[i];
      list[count] = (struct sorting){i, name->first, strongest(search, name)};
      // Weak definitions of C++ are one by their names, and inline functions tell nothing of a library.
      count += list[count].strength != WS_BINDING_WEAK || name->owner != WS_NAME_CXX;
    }
  for (uint32_t i = 0; i < definitions->count; i++)
    if (definitions->list[i].is_own)
      definitions->list[i].version = i;
  while (count > 0) {
    size_t kept = 0;
    for (size_t i = 0; i < count; i++) {
      list[i].from = next_unsorted(search, &list[i], list[i].from);
      if (list[i].from == WS_NO_NODE)
        continue;
      if (!pair_definitions(search, &list[i]))
        return false;
      list[kept++] = list[i];
    }
    count = kept;
    if (!ws_match_compare(search->match))
      return false;
    for (size_t i = 0; i < count; i++)
      if (!take_version(search, &list[i]))
        return false;
  }
  return true;
}

// ----------------------------------------------------------------------------------------------- objects

static void join_same(struct search *search) {
  const struct ws_match *match = search->match;
  for (uint32_t i = 0; i < match->node_count; i++)
    search->same[i] = search->object[i] = i;
  for (size_t i = 0; i < match->pair_count; i++) {
    const struct ws_pair *pair = &match->pairs[i];
    // Nobody compares the addresses of string literals, and each module has more of them than it needs to.
    if (pair->different || ws_is_private_name(ws_match_symbol(match, pair->x)->name))
      continue;
    ws_join_roots(search->same, pair->x, pair->y);
    ws_join_roots(search->object, ws_find_root(search->part, pair->x), ws_find_root(search->part, pair->y));
  }
}

// That a part of an object has, or its variables are used by, a version of what is named so.
struct claim {
  uint32_t object, part, name, version;
};

struct claims {
  struct claim *list;
  size_t count, capacity;
};

static bool add_claim(struct search *search, struct claims *claims, uint32_t thing, uint32_t name,
                      uint32_t version) {
  struct claim *list = ws_make_room(claims->list, claims->count, &claims->capacity, sizeof *list);
  if (!list)
    return false;
  claims->list = list;
  uint32_t part = ws_find_root(search->part, thing);
  search->differs[part] = true;
  list[claims->count++] = (struct claim){ws_find_root(search->object, part), part, name, version};
  return true;
}

// A function that works on a variable claims the part that it is in, too: one of a library on one of a
// library, and an author's on an author's. But what every version of a library has alike is no version's.
static bool claim_operands(struct search *search, struct claims *claims, uint32_t node, uint32_t name,
                           uint32_t version, bool is_own) {
  struct ws_match *match = search->match;
  bool is_library = !is_own && ws_is_library_name(ws_match_symbol(match, node)->name);
  uint32_t module = match->module[node];
  struct ws_relocations left = ws_match_relocations(match, match->thing[node]);
  const struct ws_relocation *relocation;
  while ((relocation = ws_next_relocation(&left)) != NULL) {
    if (relocation->type == R_WASM_TYPE_INDEX_LEB ||
        relocation->index >= match->modules[module]->symbol_count)
      continue;
    uint32_t operand = match->in[module].base + relocation->index;
    const struct ws_symbol *symbol = ws_match_symbol(match, operand);
    bool is_variable = symbol->kind == WS_SYMBOL_DATA &&
                       !(symbol->flags & (WS_SYMBOL_LOCAL | WS_SYMBOL_UNDEFINED | WS_SYMBOL_ABSOLUTE));
    if (is_variable && ws_is_library_name(symbol->name) == is_library && !ws_has_fixed_type(symbol->name) &&
        !add_claim(search, claims, match->thing[operand], name, version))
      return false;
  }
  return true;
}

// Claims are only needed of names of which there are several versions.
static bool list_claims(struct search *search, struct claims *claims) {
  const struct ws_definitions *definitions = search->definitions;
  for (uint32_t i = 0; i < definitions->name_count; i++) {
    const struct ws_defined_name *name = &definitions->names[i];
    uint32_t version = WS_NO_NODE;
    bool differs = false;
    for (uint32_t k = name->first; k != WS_NO_NODE; k = definitions->list[k].next) {
      if (ws_binding_strength(search->match, search->strong, definitions->list[k].node) == WS_BINDING_WEAK)
        continue;
      uint32_t other = definitions->list[k].version;
      differs |= other != WS_NO_NODE && version != WS_NO_NODE && other != version;
      version = other != WS_NO_NODE ? other : version;
    }
    for (uint32_t k = name->first; differs && k != WS_NO_NODE; k = definitions->list[k].next) {
      const struct ws_definition *definition = &definitions->list[k];
      if (definition->version == WS_NO_NODE)
        continue;
      if (!add_claim(search, claims, search->match->thing[definition->node], i, definition->version) ||
          (name->kind == WS_SYMBOL_FUNCTION &&
           !claim_operands(search, claims, definition->node, i, definition->version, definition->is_own)))
        return false;
    }
  }
  return true;
}

// By object, and in it by part, in order of modules.
static int compare_claims(const void *a, const void *b) {
  const struct claim *x = a, *y = b;
  if (x->object != y->object)
    return x->object < y->object ? -1 : 1;
  return x->part < y->part ? -1 : x->part > y->part;
}

// What the variants of one object have: which version of a name.
struct held {
  uint32_t variant, name, version;
};

struct variants {
  struct held *slots;
  size_t slot_count;
};

static struct held *find_held(const struct variants *variants, uint32_t variant, uint32_t name) {
  uint64_t hash = ((uint64_t)variant << 32 | name) * UINT64_C(0x9e3779b97f4a7c15);
  size_t at = (size_t)(hash ^ hash >> 32) & (variants->slot_count - 1);
  while (variants->slots[at].variant != WS_NO_NODE &&
         (variants->slots[at].variant != variant || variants->slots[at].name != name))
    at = (at + 1) & (variants->slot_count - 1);
  return &variants->slots[at];
}

static bool agrees(const struct variants *variants, uint32_t variant, const struct claim *claims,
                   size_t count) {
  for (size_t i = 0; i < count; i++) {
    const struct held *held = find_held(variants, variant, claims[i].name);
    if (held->variant != WS_NO_NODE && held->version != claims[i].version)
      return false;
  }
  return true;
}

// Puts the parts of one object that agree about all names into one variant each, the first that fits.
static void part_ways(struct search *search, const struct variants *variants, const struct claim *claims,
                      size_t count, uint32_t *firsts) {
  size_t found = 0;
  for (size_t i = 0, next; i < count; i = next) {
    for (next = i; next < count && claims[next].part == claims[i].part;)
      next++;
    size_t k = 0;
    while (k < found && !agrees(variants, firsts[k], claims + i, next - i))
      k++;
    if (k == found) // the object itself is the first of its variants: parts without claims are of that
      firsts[found++] = k == 0 ? claims[i].object : claims[i].part;
    search->variant[claims[i].part] = firsts[k];
    for (size_t c = i; c < next; c++)
      *find_held(variants, firsts[k], claims[c].name) =
          (struct held){firsts[k], claims[c].name, claims[c].version};
  }
}

static bool split_objects(struct search *search) {
  struct claims claims = {0};
  struct variants variants = {.slot_count = 16};
  bool ok = list_claims(search, &claims);
  while (variants.slot_count < 2 * claims.count)
    variants.slot_count *= 2;
  variants.slots = ok ? malloc(variants.slot_count * sizeof *variants.slots) : NULL;
  uint32_t *firsts = ok ? malloc((claims.count + 1) * sizeof *firsts) : NULL;
  ok = variants.slots && firsts;
  if (ok) {
    memset(variants.slots, 0xff, variants.slot_count * sizeof *variants.slots);
    if (claims.count)
      qsort(claims.list, claims.count, sizeof *claims.list, compare_claims);
    for (size_t i = 0, next; i < claims.count; i = next) {
      for (next = i; next < claims.count && claims.list[next].object == claims.list[i].object;)
        next++;
      part_ways(search, &variants, claims.list + i, next - i, firsts);
    }
  }
  free(firsts);
  free(variants.slots);
  free(claims.list);
  return ok;
}

// ------------------------------------------------------------------------------------------ what stands

// A thing, and what it is one with.
struct member {
  uint32_t same, variant, rank, node;
};

static int compare_members(const void *a, const void *b) {
  const struct member *x = a, *y = b;
  if (x->same != y->same)
    return x->same < y->same ? -1 : 1;
  if (x->variant != y->variant)
    return x->variant < y->variant ? -1 : 1;
  return x->rank < y->rank ? -1 : x->rank > y->rank;
}

static bool is_one_with(const struct member *a, const struct member *b) {
  return a->same == b->same && a->variant == b->variant;
}

// Lists the things that are the same as another one.
static struct member *list_members(struct search *search, size_t *count) {
  const struct ws_match *match = search->match;
  bool *joined = calloc(match->node_count + 1, sizeof *joined);
  size_t most = 0;
  for (uint32_t i = 0; i < match->node_count && joined; i++) {
    uint32_t root = ws_find_root(search->same, i);
    most += root != i ? (joined[root] ? 1u : 2u) : 0u;
    joined[root] |= root != i;
  }
  struct member *members = joined ? malloc((most + 1) * sizeof *members) : NULL;
  *count = 0;
  for (uint32_t i = 0; i < match->node_count && members; i++) {
    uint32_t root = ws_find_root(search->same, i);
    if (joined[root])
      members[(*count)++] = (struct member){root, search->variant[ws_find_root(search->part, i)],
                                            search->rank[match->module[i]], i};
  }
  free(joined);
  return members;
}

// Two variables of one module that are one with the same of another: then it is not certain what is what, and
// all of this object stays apart. Functions may be: LLVM makes equal ones one, where it sees them.
static void note_torn(struct search *search, const struct member *members, size_t count) {
  for (size_t i = 1; i < count; i++)
    if (is_one_with(&members[i - 1], &members[i]) && members[i - 1].rank == members[i].rank &&
        ws_match_symbol(search->match, members[i].node)->kind == WS_SYMBOL_DATA)
      search->variant[members[i].variant] = WS_NO_NODE;
}

static bool choose(struct search *search, uint32_t *stands) {
  const struct ws_match *match = search->match;
  size_t count;
  struct member *members = list_members(search, &count);
  if (!members)
    return false;
  if (count)
    qsort(members, count, sizeof *members, compare_members);
  note_torn(search, members, count);
  for (uint32_t i = 0; i < match->node_count; i++)
    stands[i] = i;
  for (size_t i = 0, first = 0; i < count; i++) {
    if (!is_one_with(&members[first], &members[i]))
      first = i;
    if (search->variant[members[i].variant] != WS_NO_NODE)
      stands[members[i].node] = members[first].node;
  }
  free(members);
  for (uint32_t i = 0; i < match->node_count; i++)
    stands[i] = stands[match->thing[i]];
  return true;
}

// ---------------------------------------------------------------------------------------------- no proof

// A local variable of a C or C++ library.
struct loner {
  struct ws_slice name;
  uint64_t size;
  uint32_t node;
};

static int compare_loners(const void *a, const void *b) {
  const struct loner *x = a, *y = b;
  int names = ws_slice_compare(x->name, y->name);
  if (names != 0)
    return names;
  if (x->size != y->size)
    return x->size < y->size ? -1 : 1;
  return x->node < y->node ? -1 : x->node > y->node;
}

static int compare_scopes(const void *a, const void *b) {
  const struct scope *x = a, *y = b;
  if (x->part != y->part)
    return x->part < y->part ? -1 : 1;
  return ws_slice_compare(x->name, y->name);
}

// Lists them for what is not its author's own, nor the C++ library's. What several modules have of a library
// of C++, something else of each uses.
static bool list_scopes(struct search *search) {
  const struct ws_match *match = search->match;
  const struct ws_definitions *definitions = search->definitions;
  search->scopes = ws_arena_new(search->arena, definitions->count, sizeof *search->scopes);
  if (!search->scopes)
    return false;
  for (size_t i = 0; i < definitions->count; i++) {
    uint32_t node = definitions->list[i].node, part = ws_find_root(search->part, node);
    struct ws_slice name = ws_scope(ws_match_symbol(match, node)->name);
    if (name.size && match->is_used[part] && !definitions->list[i].is_own &&
        ws_match_symbol(match, node)->kind == WS_SYMBOL_FUNCTION && match->owner[node] == WS_NAME_CXX &&
        ws_binding_strength(match, search->strong, node) == WS_BINDING_STRONG)
      search->scopes[search->scope_count++] = (struct scope){part, name};
  }
  if (search->scope_count)
    qsort(search->scopes, search->scope_count, sizeof *search->scopes, compare_scopes);
  return true;
}

static size_t first_scope(const struct search *search, uint32_t part) {
  return ws_first_at_least(search->scopes, search->scope_count, sizeof *search->scopes,
                           offsetof(struct scope, part), part);
}

static bool has_scope(const struct search *search, uint32_t part) {
  size_t at = first_scope(search, part);
  return at < search->scope_count && search->scopes[at].part == part;
}

static bool have_common_scope(const struct search *search, uint32_t part, uint32_t other) {
  const struct scope *scopes = search->scopes;
  size_t begin = first_scope(search, other);
  for (size_t i = first_scope(search, part); i < search->scope_count && scopes[i].part == part; i++)
    for (size_t k = begin; k < search->scope_count && scopes[k].part == other; k++)
      if (ws_slice_equal(scopes[i].name, scopes[k].name))
        return true;
  return false;
}

static bool is_library_function(const struct ws_symbol *symbol) {
  return symbol->kind == WS_SYMBOL_FUNCTION && !(symbol->flags & (WS_SYMBOL_LOCAL | WS_SYMBOL_UNDEFINED)) &&
         ws_is_library_name(symbol->name);
}

// A variable that may be inline, but has no namespace that would be in its name: static ones of C++ are
// mangled. In C there is no such thing, but modules may have objects of C, too.
static bool may_be_inline(const struct search *search, uint32_t node) {
  const struct ws_match *match = search->match;
  struct ws_slice name = ws_match_symbol(match, node)->name;
  return match->in[match->module[node]].is_optimised &&
         !search->is_library[ws_find_root(search->part, node)] && !ws_slice_starts(name, "_") &&
         !ws_slice_contains(name, ".");
}

static bool may_be_loner(const struct search *search, uint32_t node) {
  const struct ws_match *match = search->match;
  const struct ws_symbol *symbol = ws_match_symbol(match, node);
  uint32_t part = ws_find_root(search->part, node);
  return symbol->kind == WS_SYMBOL_DATA && (symbol->flags & WS_SYMBOL_LOCAL) &&
         !(symbol->flags & WS_SYMBOL_ABSOLUTE) && match->thing[node] == node &&
         (search->is_library[part] || has_scope(search, part) || may_be_inline(search, node)) &&
         !search->differs[part] && !ws_is_private_name(symbol->name) && !match->is_unique[node] &&
         !ws_slice_starts(match->modules[match->module[node]]->segments[symbol->index].name, ".rodata");
}

static struct loner *list_loners(const struct search *search, size_t *count) {
  const struct ws_match *match = search->match;
  struct loner *loners = NULL;
  size_t capacity = 0;
  bool ok = true;
  *count = 0;
  for (uint32_t i = 0; i < match->node_count && ok; i++) {
    if (!may_be_loner(search, i))
      continue;
    struct loner *longer = ws_make_room(loners, *count, &capacity, sizeof *loners);
    ok = longer;
    if (ok) {
      loners = longer;
      const struct ws_symbol *symbol = ws_match_symbol(match, i);
      loners[(*count)++] = (struct loner){symbol->name, symbol->size, i};
    }
  }
  if (!ok || *count == 0) {
    free(loners);
    return ok ? calloc(1, sizeof *loners) : NULL;
  }
  qsort(loners, *count, sizeof *loners, compare_loners);
  return loners;
}

// What of a group of functions (ws_state_group) each part has.
struct groups {
  unsigned *group, *members;
  bool differs[WS_STATE_GROUPS + 1]; // there are several versions of one of its functions
};

// Whether there are several versions of a name, in two modules or, if `in` is NULL, in all.
static bool has_versions(const struct search *search, const struct ws_defined_name *name,
                         const uint32_t in[2]) {
  const struct ws_definition *list = search->definitions->list;
  uint32_t version = WS_NO_NODE;
  for (uint32_t k = name->first; k != WS_NO_NODE; k = list[k].next) {
    uint32_t module = search->match->module[list[k].node];
    if ((in && module != in[0] && module != in[1]) || list[k].is_own || list[k].version == WS_NO_NODE)
      continue;
    if (version != WS_NO_NODE && version != list[k].version)
      return true;
    version = list[k].version;
  }
  return false;
}

static void note_versions(const struct search *search, struct groups *groups) {
  for (size_t i = 0; i < search->definitions->name_count; i++) {
    const struct ws_defined_name *name = &search->definitions->names[i];
    unsigned member, group = name->kind == WS_SYMBOL_FUNCTION ? ws_state_group(name->text, &member) : 0;
    groups->differs[group] |= group && has_versions(search, name, NULL);
  }
}

static bool find_groups(const struct search *search, struct groups *groups) {
  const struct ws_match *match = search->match;
  groups->group = ws_arena_new(search->arena, match->node_count, sizeof *groups->group);
  groups->members = ws_arena_new(search->arena, match->node_count, sizeof *groups->members);
  if (!groups->group || !groups->members)
    return false;
  for (size_t i = 0; i < search->definitions->count; i++) {
    const struct ws_definition *definition = &search->definitions->list[i];
    const struct ws_symbol *symbol = ws_match_symbol(match, definition->node);
    if (definition->is_own || symbol->kind != WS_SYMBOL_FUNCTION ||
        match->owner[definition->node] == WS_NAME_PLAIN)
      continue;
    unsigned member, group = ws_state_group(symbol->name, &member);
    if (!group)
      continue;
    uint32_t part = ws_find_root(search->part, definition->node);
    groups->group[part] = group;
    groups->members[part] |= member;
  }
  note_versions(search, groups);
  return true;
}

// Whether they may be one variable.
static bool look_alike(const struct search *search, const struct loner *a, const struct loner *b) {
  return a->size == b->size && ws_slice_equal(a->name, b->name) &&
         search->match->module[a->node] != search->match->module[b->node] &&
         ws_match_looks_same(search->match, a->node, b->node);
}

// Whether one of two nodes is of one part, and one of the other.
static bool are_of(const struct search *search, uint32_t x, uint32_t y, uint32_t a, uint32_t b) {
  uint32_t in_x = ws_find_root(search->part, x), in_y = ws_find_root(search->part, y);
  return (in_x == a && in_y == b) || (in_x == b && in_y == a);
}

// Whether something that two parts have by one name, a local function or variable, differs.
static bool clash(const struct search *search, const struct loner *loners, size_t count, uint32_t a,
                  uint32_t b) {
  const struct ws_match *match = search->match;
  for (size_t i = 0; i < match->pair_count; i++)
    if (match->pairs[i].different && are_of(search, match->pairs[i].x, match->pairs[i].y, a, b))
      return true;
  for (size_t i = 0; i < count; i++)
    for (size_t k = i + 1; k < count && ws_slice_equal(loners[i].name, loners[k].name); k++)
      if (are_of(search, loners[i].node, loners[k].node, a, b) && !look_alike(search, &loners[i], &loners[k]))
        return true;
  return false;
}

// Whether two modules have different versions of a function of C's library.
static bool differ_in_library(const struct search *search, uint32_t module, uint32_t other) {
  const uint32_t in[] = {module, other};
  for (size_t i = 0; i < search->definitions->name_count; i++) {
    const struct ws_defined_name *name = &search->definitions->names[i];
    if (name->owner == WS_NAME_LIBRARY && has_versions(search, name, in))
      return true;
  }
  return false;
}

// Parts that have different functions of one group are of one object; those that have the same ones are
// compared. Of allocators it must be certain, as far as it can be, that they are of one version.
static bool join_groups(struct search *search) {
  size_t count;
  struct groups groups = {0};
  struct loner *loners = find_groups(search, &groups) ? list_loners(search, &count) : NULL;
  if (!loners)
    return false;
  for (size_t i = 1; i < count; i++) {
    uint32_t a = ws_find_root(search->part, loners[i - 1].node),
             b = ws_find_root(search->part, loners[i].node);
    if (!groups.group[a] || groups.group[a] != groups.group[b] || (groups.members[a] & groups.members[b]) ||
        groups.differs[groups.group[a]] || !look_alike(search, &loners[i - 1], &loners[i]) ||
        clash(search, loners, count, a, b) ||
        (groups.group[a] == WS_ALLOCATOR_GROUP &&
         differ_in_library(search, search->match->module[a], search->match->module[b])))
      continue;
    ws_join_roots(search->same, loners[i - 1].node, loners[i].node);
    ws_join_roots(search->object, a, b);
  }
  free(loners);
  return true;
}

static uint32_t object_of(const struct search *search, uint32_t node) {
  return ws_find_root(search->object, ws_find_root(search->part, node));
}

static bool may_be_of_one_object(const struct search *search, uint32_t x, uint32_t y) {
  uint32_t a = ws_find_root(search->part, x), b = ws_find_root(search->part, y);
  return (search->is_library[a] && search->is_library[b]) || have_common_scope(search, a, b);
}

// Variables that may be one, in parts of one object of which nothing is known.
static bool list_unrelated(struct search *search, struct ws_unrelated **list, size_t *count) {
  size_t loner_count, used = 0;
  struct loner *loners = list_loners(search, &loner_count);
  struct ws_unrelated *found = loners ? calloc(loner_count + 1, sizeof *found) : NULL;
  for (size_t i = 1; found && i < loner_count; i++)
    if (look_alike(search, &loners[i - 1], &loners[i]) &&
        object_of(search, loners[i - 1].node) != object_of(search, loners[i].node)) {
      bool are_inline = may_be_inline(search, loners[i - 1].node) && may_be_inline(search, loners[i].node);
      if (are_inline || may_be_of_one_object(search, loners[i - 1].node, loners[i].node))
        found[used++] = (struct ws_unrelated){loners[i - 1].node, loners[i].node, are_inline};
    }
  free(loners);
  *list = found;
  *count = used;
  return found;
}

static void note_state(const struct search *search, bool *has_state) {
  const struct ws_match *match = search->match;
  for (uint32_t i = 0; i < match->node_count; i++) {
    const struct ws_symbol *symbol = ws_match_symbol(match, i);
    has_state[ws_find_root(search->part, i)] |=
        symbol->kind == WS_SYMBOL_DATA && !ws_is_private_name(symbol->name) &&
        !(symbol->flags & (WS_SYMBOL_UNDEFINED | WS_SYMBOL_ABSOLUTE)) &&
        !ws_slice_starts(match->modules[match->module[i]]->segments[symbol->index].name, ".rodata");
  }
  for (uint32_t i = 0; i < match->node_count; i++)
    has_state[i] = has_state[ws_find_root(search->part, i)];
}

bool ws_find_objects(struct ws_match *match, struct ws_definitions *definitions, const bool *strong,
                     const uint32_t *rank, struct ws_arena *arena, uint32_t *stands, bool *has_state,
                     struct ws_unrelated **unrelated, size_t *unrelated_count) {
  struct search search = {.match = match,
                          .definitions = definitions,
                          .rank = rank,
                          .strong = strong,
                          .part = match->part,
                          .arena = arena};
  uint32_t **const forests[] = {&search.same, &search.object, &search.variant};
  for (size_t i = 0; i < sizeof forests / sizeof *forests; i++)
    if (!(*forests[i] = ws_arena_new(arena, match->node_count, sizeof **forests[i])))
      return false;
  search.is_library = ws_arena_new(arena, match->node_count, sizeof *search.is_library);
  search.differs = ws_arena_new(arena, match->node_count, sizeof *search.differs);
  if (!search.is_library || !search.differs)
    return false;
  for (uint32_t i = 0; i < match->node_count; i++)
    search.is_library[ws_find_root(search.part, i)] |=
        match->owner[i] != WS_NAME_PLAIN && is_library_function(ws_match_symbol(match, i));
  if (!ws_note_own(match, definitions, strong, arena) || !ws_pair_allocators(match, definitions, arena) ||
      !sort_versions(&search) || !ws_match_compare(match))
    return false;
  join_same(&search);
  if (!list_scopes(&search) || !join_groups(&search))
    return false;
  for (uint32_t i = 0; i < match->node_count; i++)
    search.variant[i] = ws_find_root(search.object, ws_find_root(search.part, i));
  note_state(&search, has_state);
  return split_objects(&search) && choose(&search, stands) &&
         list_unrelated(&search, unrelated, unrelated_count);
}
