#include "link/own.h"

#include <stdlib.h>

#include "link/language.h"
#include "link/objects.h"

// A plain name that a part of a module defines.
struct plain {
  uint32_t part, name;
};

struct search {
  struct ws_match *match;
  struct ws_definitions *definitions;
  const bool *strong;
  uint32_t *part;       // match->part
  struct plain *plains; // by part and name
  size_t plain_count;
  bool *has_plain, *is_library; // of each part
  bool found;                   // another part of a library
};

static int compare_plains(const void *a, const void *b) {
  const struct plain *x = a, *y = b;
  if (x->part != y->part)
    return x->part < y->part ? -1 : 1;
  return x->name < y->name ? -1 : x->name > y->name;
}

static bool list_plains(struct search *search, struct ws_arena *arena) {
  const struct ws_definitions *definitions = search->definitions;
  struct plain *plains = search->plains = ws_arena_new(arena, definitions->count, sizeof *plains);
  if (!plains)
    return false;
  for (uint32_t i = 0; i < definitions->name_count; i++)
    for (uint32_t k = definitions->names[i].first; k != WS_NO_NODE; k = definitions->list[k].next) {
      uint32_t node = definitions->list[k].node;
      if (!ws_match_is_own(search->match, node))
        continue;
      uint32_t part = ws_find_root(search->part, node);
      search->has_plain[part] = true;
      plains[search->plain_count++] = (struct plain){part, i};
    }
  if (search->plain_count)
    qsort(plains, search->plain_count, sizeof *plains, compare_plains);
  return true;
}

static size_t first_plain(const struct search *search, uint32_t part) {
  return ws_first_at_least(search->plains, search->plain_count, sizeof *search->plains,
                           offsetof(struct plain, part), part);
}

static bool includes(const struct search *search, uint32_t part, uint32_t other) {
  const struct plain *plains = search->plains;
  size_t i = first_plain(search, part);
  for (size_t k = first_plain(search, other); k < search->plain_count && plains[k].part == other; k++) {
    while (i < search->plain_count && plains[i].part == part && plains[i].name < plains[k].name)
      i++;
    if (i == search->plain_count || plains[i].part != part || plains[i].name != plains[k].name)
      return false;
  }
  return true;
}

static bool is_candidate(const struct search *search, uint32_t node) {
  enum ws_name_owner owner = (enum ws_name_owner)search->match->owner[node];
  return (owner == WS_NAME_CXX || owner == WS_NAME_LIBRARY) &&
         ws_binding_strength(search->match, search->strong, node) >= WS_BINDING_ALIAS;
}

static void compare_parts(struct search *search, uint32_t node, uint32_t other) {
  uint32_t a = ws_find_root(search->part, node), b = ws_find_root(search->part, other);
  if (search->match->module[node] == search->match->module[other] || !search->match->is_used[a] ||
      !search->match->is_used[b] || (search->is_library[a] && search->is_library[b]))
    return;
  if (includes(search, a, b) || includes(search, b, a))
    search->is_library[a] = search->is_library[b] = search->found = true;
}

// What two modules have of a name of C++'s, if one of them has plain names beside it. C has no such rule: a
// plug-in may well have a function that is called log().
static void compare_name(struct search *search, const struct ws_defined_name *name) {
  const struct ws_definition *list = search->definitions->list;
  for (uint32_t i = name->first; i != WS_NO_NODE; i = list[i].next)
    for (uint32_t k = list[i].next; k != WS_NO_NODE && is_candidate(search, list[i].node); k = list[k].next)
      if (is_candidate(search, list[k].node) &&
          (search->has_plain[ws_find_root(search->part, list[i].node)] ||
           search->has_plain[ws_find_root(search->part, list[k].node)]))
        compare_parts(search, list[i].node, list[k].node);
}

// A library uses its own plain names, not those of its users.
static void note_library(void *context, uint32_t thing, uint32_t operand) {
  struct search *search = context;
  uint32_t used = ws_find_root(search->part, search->match->thing[operand]);
  if (search->is_library[used] || !search->is_library[ws_find_root(search->part, thing)] ||
      !ws_match_is_own(search->match, operand))
    return;
  search->is_library[used] = search->found = true;
}

// The names of a library's interface are the library's, where it has them.
static void take_plains(const struct search *search) {
  for (size_t i = 0; i < search->plain_count; i++)
    if (search->is_library[search->plains[i].part])
      search->definitions->names[search->plains[i].name].owner = WS_NAME_LIBRARY;
  for (uint32_t i = 0; i < search->match->node_count; i++)
    if (search->is_library[ws_find_root(search->part, i)] && ws_match_is_own(search->match, i))
      search->match->owner[i] = WS_NAME_LIBRARY;
}

static void note_definitions(const struct search *search) {
  const struct ws_definitions *definitions = search->definitions;
  for (size_t i = 0; i < definitions->name_count; i++)
    for (uint32_t k = definitions->names[i].first; k != WS_NO_NODE; k = definitions->list[k].next) {
      uint32_t node = definitions->list[k].node, part = ws_find_root(search->part, node);
      bool is_plain = definitions->names[i].owner == WS_NAME_LIBRARY && ws_match_is_own(search->match, node);
      definitions->list[k].is_own =
          is_plain || (search->has_plain[part] && !search->is_library[part] && is_candidate(search, node));
    }
}

bool ws_note_own(struct ws_match *match, struct ws_definitions *definitions, const bool *strong,
                 struct ws_arena *arena) {
  struct search search = {.match = match, .definitions = definitions, .strong = strong, .part = match->part};
  bool **const lists[] = {&search.has_plain, &search.is_library};
  for (size_t i = 0; i < sizeof lists / sizeof *lists; i++)
    if (!(*lists[i] = ws_arena_new(arena, match->node_count, sizeof **lists[i])))
      return false;
  if (!list_plains(&search, arena))
    return false;
  for (size_t i = 0; i < definitions->name_count; i++)
    if (definitions->names[i].owner == WS_NAME_CXX)
      compare_name(&search, &definitions->names[i]);
  while (search.found) {
    search.found = false;
    ws_match_visit(match, note_library, &search);
  }
  take_plains(&search);
  note_definitions(&search);
  return true;
}
