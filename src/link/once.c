#include "link/once.h"

#include <stdlib.h>

#include "link/language.h"
#include "read/init_functions.h"

struct search {
  struct ws_match *match;
  const uint32_t *bound;
  uint32_t *stands;
};

// An init function. Those of one name, priority and hash may be copies: there can be thousands of one name.
struct copy {
  struct ws_slice name;
  uint64_t hash;
  uint32_t priority, rank, node;
};

static int compare_copies(const void *a, const void *b) {
  const struct copy *x = a, *y = b;
  int names = ws_slice_compare(x->name, y->name);
  if (names != 0)
    return names;
  if (x->priority != y->priority)
    return x->priority < y->priority ? -1 : 1;
  if (x->hash != y->hash)
    return x->hash < y->hash ? -1 : 1;
  if (x->rank != y->rank)
    return x->rank < y->rank ? -1 : 1;
  return x->node < y->node ? -1 : x->node > y->node;
}

static bool may_be_copies(const struct copy *x, const struct copy *y) {
  return x->priority == y->priority && x->hash == y->hash && ws_slice_equal(x->name, y->name);
}

// ------------------------------------------------------------------------------------------ what it works on

// What the operands of a function say of the object that it is of.
struct work {
  bool is_one;    // they all are the same things, too
  bool is_linked; // one of them is of its own object
};

// Dynamic initialisation of a C++ file is for its own variables; any other function may use those of others.
static bool initialises(const struct ws_symbol *function, const struct ws_symbol *variable) {
  if (variable->flags & WS_SYMBOL_LOCAL)
    return true;
  return ws_slice_starts(function->name, "_GLOBAL__") && !(variable->flags & WS_SYMBOL_WEAK) &&
         ws_name_owner(variable->name) == WS_NAME_CXX && !ws_is_library_name(variable->name);
}

// How far to look into local functions that an init function calls, or registers to be called at the end.
enum { MOST_DEPTH = 4 };

// Who uses a thing: only an init function, and local functions that only that one uses?
struct users {
  const struct search *search;
  uint32_t thing, init;
  int depth;
  bool only;
};

static bool is_only_used_by(const struct search *search, uint32_t thing, uint32_t init, int depth);

static void note_user(void *context, uint32_t user, uint32_t operand) {
  struct users *users = context;
  const struct ws_match *match = users->search->match;
  if (!users->only || match->thing[operand] != users->thing || user == users->thing || user == users->init)
    return;
  const struct ws_symbol *symbol = ws_match_symbol(match, user);
  users->only = symbol->kind == WS_SYMBOL_FUNCTION && (symbol->flags & WS_SYMBOL_LOCAL) &&
                users->depth < MOST_DEPTH &&
                is_only_used_by(users->search, user, users->init, users->depth + 1);
}

static bool is_only_used_by(const struct search *search, uint32_t thing, uint32_t init, int depth) {
  struct users users = {search, thing, init, depth, true};
  ws_match_visit(search->match, note_user, &users);
  return users.only;
}

// Two init functions, or local functions that they call.
struct sides {
  uint32_t x, y;
};

static struct work weigh(const struct search *search, struct sides roots, uint32_t x, uint32_t y, int depth);

// Whether two variables are for nothing but the init functions: of copies, one is not used then.
static bool are_for_themselves(const struct search *search, struct sides roots, uint32_t x, uint32_t y) {
  const struct ws_match *match = search->match;
  return ws_slice_equal(ws_match_symbol(match, x)->name, ws_match_symbol(match, y)->name) &&
         ws_match_looks_same(match, x, y) && is_only_used_by(search, match->thing[x], roots.x, 0) &&
         is_only_used_by(search, match->thing[y], roots.y, 0);
}

static struct work weigh_operand(const struct search *search, struct sides roots, uint32_t x, uint32_t y,
                                 int depth) {
  const struct ws_symbol *symbol = ws_match_symbol(search->match, x),
                         *other = ws_match_symbol(search->match, y);
  bool is_function = symbol->kind == WS_SYMBOL_FUNCTION, is_variable = symbol->kind == WS_SYMBOL_DATA;
  if ((!is_function && !is_variable) || (symbol->flags & WS_SYMBOL_ABSOLUTE) ||
      ws_is_private_name(symbol->name))
    return (struct work){.is_one = true};
  uint32_t to_x = ws_resolve_node(search->bound, search->stands, x),
           to_y = ws_resolve_node(search->bound, search->stands, y);
  if (to_x == to_y)
    return (struct work){.is_one = true,
                         .is_linked =
                             is_variable && initialises(ws_match_symbol(search->match, roots.x), symbol)};
  if (symbol->flags & other->flags & WS_SYMBOL_UNDEFINED) // the host's
    return (struct work){.is_one = to_x == x && to_y == y};
  if (is_function && (symbol->flags & other->flags & WS_SYMBOL_LOCAL) && depth < MOST_DEPTH)
    return weigh(search, roots, search->match->thing[x], search->match->thing[y], depth + 1);
  if (is_variable && (symbol->flags & other->flags & WS_SYMBOL_LOCAL))
    return (struct work){.is_one = are_for_themselves(search, roots, x, y)};
  return (struct work){0};
}

// Two functions that are the same, but perhaps for what they work on.
static struct work weigh(const struct search *search, struct sides roots, uint32_t x, uint32_t y, int depth) {
  struct ws_beside operands = ws_match_beside(search->match, x, y);
  struct work work = {.is_one = true};
  while (work.is_one && ws_next_beside(&operands)) {
    if (operands.apart || operands.x == WS_NO_NODE || operands.y == WS_NO_NODE)
      return (struct work){0};
    struct work operand = weigh_operand(search, roots, operands.x, operands.y, depth);
    work.is_one &= operand.is_one;
    work.is_linked |= operand.is_linked;
  }
  return operands.apart ? (struct work){0} : work;
}

// A function whose own name is one thing needs no such proof.
static bool is_named(const struct ws_symbol *function) {
  enum ws_name_owner owner = ws_name_owner(function->name);
  return owner == WS_NAME_RUST || owner == WS_NAME_LIBRARY;
}

static bool is_copy(const struct search *search, uint32_t x, uint32_t y) {
  uint32_t pair = ws_match_add(search->match, x, y); // is there already
  const struct ws_symbol *symbol = ws_match_symbol(search->match, x);
  if (ws_name_owner(symbol->name) == WS_NAME_RUST)
    return true;
  if (pair == WS_NO_NODE || search->match->pairs[pair].different)
    return false;
  struct work work = weigh(search, (struct sides){x, y}, x, y, 0);
  return work.is_one && (work.is_linked || is_named(symbol));
}

// ----------------------------------------------------------------------------------------------------- all

// Of Rust's, the names say all.
static uint64_t hash_copy(const struct ws_match *match, uint32_t node) {
  return match->owner[node] == WS_NAME_RUST ? 0 : ws_match_hash(match, match->thing[node]);
}

static bool list_copies(const struct search *search, const uint32_t *rank, struct ws_arena *arena,
                        struct copy **copies, size_t *count, struct ws_error *error) {
  const struct ws_match *match = search->match;
  size_t capacity = 0;
  for (uint32_t i = 0; i < match->count; i++) {
    struct ws_init_function *functions;
    size_t function_count;
    if (!ws_read_init_functions(match->modules[i], arena, &functions, &function_count, error))
      return false;
    for (size_t k = 0; k < function_count; k++) {
      uint32_t node = match->in[i].base + functions[k].symbol;
      struct copy *longer = ws_make_room(*copies, *count, &capacity, sizeof **copies);
      if (!longer)
        return ws_fail_memory(error, "");
      *copies = longer;
      longer[(*count)++] = (struct copy){.name = ws_match_symbol(match, node)->name,
                                         .hash = hash_copy(match, node),
                                         .priority = functions[k].priority,
                                         .rank = rank[i],
                                         .node = match->thing[node]};
    }
  }
  if (*count)
    qsort(*copies, *count, sizeof **copies, compare_copies);
  return true;
}

static bool is_own(const struct search *search, const struct copy *copy) {
  return search->stands[copy->node] == copy->node;
}

// Pairs each of a run of possible copies with those before it of other modules, or says which are copies.
static bool visit_run(const struct search *search, const struct copy *copies, size_t count, bool compared) {
  for (size_t i = 1; i < count; i++) {
    for (size_t k = 0; k < i && is_own(search, &copies[i]); k++) {
      if (copies[k].rank == copies[i].rank || !is_own(search, &copies[k]))
        continue;
      if (!compared && ws_match_add(search->match, copies[k].node, copies[i].node) == WS_NO_NODE)
        return false;
      if (compared && is_copy(search, copies[k].node, copies[i].node))
        search->stands[copies[i].node] = copies[k].node;
    }
  }
  return true;
}

static bool visit_runs(const struct search *search, const struct copy *copies, size_t count, bool compared) {
  for (size_t i = 0, next; i < count; i = next) {
    for (next = i + 1; next < count && may_be_copies(&copies[i], &copies[next]);)
      next++;
    if (!visit_run(search, copies + i, next - i, compared))
      return false;
  }
  return true;
}

bool ws_find_once(struct ws_match *match, const uint32_t *rank, const uint32_t *bound, struct ws_arena *arena,
                  uint32_t *stands, struct ws_error *error) {
  struct search search = {match, bound, stands};
  struct copy *copies = NULL;
  size_t count = 0;
  bool ok = list_copies(&search, rank, arena, &copies, &count, error);
  if (ok && !(visit_runs(&search, copies, count, false) && ws_match_compare(match) &&
              visit_runs(&search, copies, count, true)))
    ok = ws_fail_memory(error, "");
  for (uint32_t i = 0; i < match->node_count && ok; i++)
    stands[i] = stands[match->thing[i]];
  free(copies);
  return ok;
}
