// Compares functions and variables of different modules. Two are the same if their bytes are equal apart from
// relocated operands, and these refer to the same in turn: to something of the same global name, or to local
// functions and variables that are the same themselves. So from functions that are known to be one thing, the
// local variables that they work on are found.
#ifndef WASMSHARE_MATCH_H
#define WASMSHARE_MATCH_H

#include "read/relocation_entries.h"

struct ws_match_module {
  uint32_t base;         // the node of its first symbol
  uint32_t *functions;   // the node of each defined function, or WS_NO_NODE
  uint64_t *variables;   // one for each place in the data section: its offset there << 32 | its node
  size_t variable_count; // in order of offset
  struct ws_relocations code, data;
  bool is_optimised; // link-time optimisation made local what is C++'s
  uint32_t *first;   // of the code's relocations, for each defined function and one more
};

// Symbols of all modules are numbered through: nodes.
#define WS_NO_NODE UINT32_MAX

struct ws_match {
  const struct ws_module *const *modules;
  struct ws_match_module *in; // one for each module
  size_t count;
  uint32_t node_count;
  uint32_t *module; // of each node
  uint8_t *owner;   // enum ws_name_owner of each node's name; plain for local ones that are not mangled
  bool *is_used;    // of each part: by something else of its module
  bool *is_unique;  // of each node: a local symbol of its name can be found by that
  uint32_t *thing;  // the first node of the same module that names the same function or variable
  uint32_t *part;   // a union-find forest: things that refer to one local symbol, and that symbol, were in
                    // one object file
  struct ws_pair *pairs;
  size_t pair_count, pair_capacity, compared; // those before `compared` are decided
  struct ws_dependent *dependents;
  size_t dependent_count, dependent_capacity;
  uint32_t *slots; // a hash table of pairs: indices, or WS_NO_NODE
  size_t slot_count;
};

// Whether two things are the same.
struct ws_pair {
  uint32_t x, y;      // nodes that are things
  uint32_t dependent; // the first of a list of ws_dependent, or WS_NO_NODE
  bool different;
  bool depends; // on pairs of local functions and variables
};
struct ws_dependent {
  uint32_t pair; // is different if the one in whose list this is is
  uint32_t next;
};

bool ws_match_begin(struct ws_match *match, const struct ws_module *const *modules, size_t count,
                    struct ws_arena *arena, struct ws_error *error);
void ws_match_free(struct ws_match *match);

static inline const struct ws_symbol *ws_match_symbol(const struct ws_match *match, uint32_t node) {
  uint32_t module = match->module[node];
  return &match->modules[module]->symbols[node - match->in[module].base];
}

// The index of the pair of two things of one kind, which is added if it is not there. WS_NO_NODE if memory
// runs out.
uint32_t ws_match_add(struct ws_match *match, uint32_t x, uint32_t y);
// Decides all pairs that were added, and those that they depend on. False if memory runs out.
bool ws_match_compare(struct ws_match *match);

// Whether two variables have the same content, whatever their pointers point at.
bool ws_match_looks_same(const struct ws_match *match, uint32_t x, uint32_t y);

// The same for functions that may be the same, and most often another one for others.
uint64_t ws_match_hash(const struct ws_match *match, uint32_t node);

// Calls `visit` for each operand that names a symbol of its module: with the function or variable that it is
// in, and the node of that symbol.
void ws_match_visit(const struct ws_match *match,
                    void (*visit)(void *context, uint32_t thing, uint32_t operand), void *context);

// Whether it is a strong definition of a plain name: it is its author's own, so that two of one name are
// different things.
bool ws_match_is_own(const struct ws_match *match, uint32_t node);

// The root of a node in a union-find forest, and joining two: the lower root stays.
uint32_t ws_find_root(uint32_t *forest, uint32_t node);
void ws_join_roots(uint32_t *forest, uint32_t a, uint32_t b);

// What the operands of two functions or variables name, side by side, in order of place.
struct ws_beside {
  uint32_t x, y; // two nodes; WS_NO_NODE where nothing was linked
  bool apart;    // not all operands so far were at the same places
  const struct ws_match *match;
  uint32_t base_x, base_y, begin_x, begin_y;
  struct ws_relocations left_x, left_y;
};
struct ws_beside ws_match_beside(const struct ws_match *match, uint32_t x, uint32_t y);
// Goes to the next two that are no types; false if there are none.
bool ws_next_beside(struct ws_beside *beside);

// The relocations of a function or variable; none if it is not defined.
struct ws_relocations ws_match_relocations(const struct ws_match *match, uint32_t node);

#endif
