// The state of finding what is one thing (one.c): what each name is bound to (bind.c), and whose memory each
// module's heap is (one_heaps.c).
#ifndef WASMSHARE_FINDER_H
#define WASMSHARE_FINDER_H

#include "link/definitions.h"
#include "link/match.h"
#include "link/objects.h"
#include "link/one.h"

struct ws_finder {
  const struct ws_module *const *modules;
  const char *const *names; // of the modules
  size_t count;
  const struct ws_one_options *options;
  struct ws_arena *arena; // of the results
  struct ws_one *one;
  struct ws_error *error;
  struct ws_arena scratch;
  struct ws_match match;
  struct ws_definitions definitions;
  uint32_t *rank;   // of each module: those that are preferred come first
  bool *strong;     // of each thing: it has a strong name
  bool *has_state;  // of each node: its object has variables
  uint32_t *stands; // of each node: the thing that stands for what it names
  uint32_t *bound;  // of each node: the node that its name is bound to, itself if its own
  struct ws_one_kept *kept;
  size_t kept_count, kept_capacity;
  struct ws_override *overrides;
  size_t override_count, override_capacity;
};

// A weak function and what its name is bound to.
struct ws_override {
  uint32_t from, to;
  bool is_needed; // or else they are one entity, and either will do
};

static inline const struct ws_symbol *ws_finder_symbol(const struct ws_finder *finder, uint32_t node) {
  return ws_match_symbol(&finder->match, node);
}

static inline bool ws_finder_out_of_memory(const struct ws_finder *finder) {
  return ws_fail_memory(finder->error, "");
}

static inline uint32_t ws_finder_resolve(const struct ws_finder *finder, uint32_t node) {
  return ws_resolve_node(finder->bound, finder->stands, node);
}

// Notes that what two nodes name stays apart, and why. This and what follows fails if memory runs out, or
// where it says so.
bool ws_keep_apart(struct ws_finder *finder, uint32_t first, uint32_t other, enum ws_kept_reason reason);

// Binds what several modules define by one name, as its language says. Fails if two definitions are as good.
bool ws_bind_names(struct ws_finder *finder);
// Says of variables that have names like C's, and on which functions of C++ work that both modules have, that
// they should be one: then what stays apart is not only what its author wants.
void ws_tell_unmangled(struct ws_finder *finder);
// Binds weak functions that the linker found undefined, and called a stub for.
bool ws_bind_stubs(struct ws_finder *finder);
// Binds undefined variables, and imports of functions, to what defines them.
bool ws_bind_undefined(struct ws_finder *finder);

// Finds in which module's heap each module allocates.
bool ws_find_heaps(struct ws_finder *finder);

#endif
