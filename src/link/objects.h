// Library objects that several modules were linked with. A static link takes the member of an archive once,
// with its local variables; modules that were linked apart each have a copy, or a part of one, since linkers
// drop what is not used. Copies of one object are found by the functions and variables that both have, by
// name, and that are the same. Where the copies differ, nothing of the object is one.
#ifndef WASMSHARE_OBJECTS_H
#define WASMSHARE_OBJECTS_H

#include "link/definitions.h"

// How a definition is bound. A weak name of C of something that also has a strong one is an alias; weak names
// of C++ are one by themselves, also where something else is at the same place: a variable's _ZTH, of which
// the objects that have it all initialise what they have beside it.
enum ws_binding_strength { WS_BINDING_LOCAL, WS_BINDING_WEAK, WS_BINDING_ALIAS, WS_BINDING_STRONG };

// Says of each thing whether it has a strong name; `strong` is one for each node, and all false.
void ws_note_strong_things(const struct ws_match *match, bool *strong);
enum ws_binding_strength ws_binding_strength(const struct ws_match *match, const bool *strong, uint32_t node);

// Two local variables of one name, in what two modules have of one library object, it seems, or that
// link-time optimisation made local: nothing tells whether they are the same.
struct ws_unrelated {
  uint32_t first, other; // nodes
  bool is_optimised;
};

// Says of definitions of names that mean one thing in a program which are the same (ws_definition.version),
// and fills `stands`, one for each node: the thing that stands for what it names, which is of the module that
// comes first by `rank`. Says of each node whether it is of an
// object that has variables. Lists the variables of libraries that may be one, but for which there is no
// proof; free the list. False if memory runs out.
bool ws_find_objects(struct ws_match *match, struct ws_definitions *definitions, const bool *strong,
                     const uint32_t *rank, struct ws_arena *arena, uint32_t *stands, bool *has_state,
                     struct ws_unrelated **unrelated, size_t *unrelated_count);

// The thing that a node means: its name may be bound to another one's, and that may be a copy of what stands
// for it.
static inline uint32_t ws_resolve_node(const uint32_t *bound, const uint32_t *stands, uint32_t node) {
  while (bound[node] != node)
    node = bound[node];
  return stands[node];
}

#endif
