// What is one thing in the program that separately linked modules are, as it would be if one linker had
// linked their objects: which definitions of a variable, function or tag are one, and which stay apart.
//
// Data is unified, code need not be: a second copy of a function that works on the first one's variables
// behaves as the first. So what follows from this is that the addresses of variables, the table slots of
// functions, and tags are those of the symbol that stands for them, and that calls listed in `calls` go
// elsewhere.
#ifndef WASMSHARE_ONE_H
#define WASMSHARE_ONE_H

#include "read/module.h"

struct ws_one_symbol {
  uint32_t module, symbol; // indices
};

// Something that several modules have, and that is one.
struct ws_one_merged {
  const char *name;
  enum ws_symbol_kind kind; // function, data or tag
  uint32_t module;          // whose it is
  uint32_t symbol;
  uint32_t count; // of modules that have it
};

enum ws_kept_reason {
  WS_KEPT_PLAIN,        // a strong definition of a plain name is its author's own
  WS_KEPT_OWN,          // its object also defines plain names: it is of no library, but its author's own
  WS_KEPT_DIFFERENT,    // the copies differ: another version, or other flags
  WS_KEPT_OBJECT,       // the copies are the same, but others of the same library object differ
  WS_KEPT_SIZE,         // variables of different size
  WS_KEPT_THREAD_LOCAL, // one is thread-local, the other is not
  WS_KEPT_TYPE,         // functions or tags of different types
  WS_KEPT_SECTION,      // __start_NAME: a linker would have put the sections of that name together
  WS_KEPT_UNRELATED,    // parts of one library object, it seems, that have no function in common
  WS_KEPT_OPTIMISED,    // local by link-time optimisation: it may be an inline variable, or not
  WS_KEPT_UNMANGLED,    // a variable of C++, it seems, whose name may be C's
};

// Something that has one name in two modules, or one library object that both have a part of, and that is not
// one.
struct ws_one_kept {
  const char *name;
  enum ws_symbol_kind kind;
  enum ws_kept_reason reason;
  uint32_t module, other; // where it is
  bool has_state;         // it is a variable, or a function of an object that has variables
};

// A function symbol that another definition overrides, or a stub for a weak one that the module does not
// define: calls of it must reach that one.
struct ws_one_call {
  struct ws_one_symbol from, to;
};

struct ws_one_options {
  // Indices of modules: of several that define a name, the first of these is taken. Else the first of all.
  const size_t *prefer;
  size_t prefer_count;
  bool side_by_side; // the modules are not one program: what would corrupt the heap of one is no error
  bool one_file;     // sections of one name are put together
};

struct ws_one {
  // of[module][symbol]: the symbol that stands for it; itself where it is its own. For undefined symbols, the
  // definition that they mean if no host gives it, or themselves if there is none, or several.
  struct ws_one_symbol **of;
  const struct ws_one_merged *merged; // by module and symbol
  size_t merged_count;
  const struct ws_one_kept *kept;
  size_t kept_count;
  const struct ws_one_call *calls; // by module and symbol
  size_t call_count;
  // For each module, the first one whose allocator is one with its own: itself if it has one of its own;
  // WS_HOST if nothing that it has hands out memory from __heap_base on. And whether one of these two has
  // another allocator, too.
  const size_t *heap;
  const bool *heap_is_divided;
};

// `names` are what the modules are called in messages and imports. Everything in `one` is in the arena. Fails
// if a weak definition has several strong ones that could stand for it and `prefer` does not say which, if a
// module frees what another heap made, or if memory runs out.
bool ws_find_one(const struct ws_module *const *modules, const char *const *names, size_t count,
                 const struct ws_one_options *options, struct ws_arena *arena, struct ws_one *one,
                 struct ws_error *error);

// Why something was kept apart, as the rest of a sentence: "its copies differ".
const char *ws_kept_reason(enum ws_kept_reason reason);

#endif
