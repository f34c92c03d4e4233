// How a program of several modules begins and ends: in which order modules are instantiated and initialised,
// and what runs at the end.
#ifndef WASMSHARE_START_H
#define WASMSHARE_START_H

#include "link/one.h"

// An init function of a module.
struct ws_constructor {
  struct ws_one_symbol function;
  uint32_t priority;
};

// Lists what initialises the program, in order: by priority, then in the order of modules, then in that of
// the objects in a module, as one linker's __wasm_call_ctors (lld/wasm/Writer.cpp, calculateInitFunctions). A
// library object that several modules have is initialised once, by the one whose copy stands for it. The list
// is in the arena.
bool ws_order_constructors(const struct ws_module *const *modules, size_t count, const struct ws_one *one,
                           struct ws_arena *arena, struct ws_constructor **constructors,
                           size_t *constructor_count, struct ws_error *error);

// That a module needs something of another one.
struct ws_need {
  uint32_t module, from;
  bool is_function; // which may come later, by a forwarder
  bool early;       // found: it comes before what it needs
};

// Fills `order` with the modules so that each comes after those of which it needs anything but functions,
// then if possible after those of which it needs functions, and else in their own order. Says of each need
// whether it is early. What is not a function is only early where modules need such things of each other in a
// cycle: it must come from outside both. False if memory runs out.
bool ws_order_modules(size_t count, struct ws_need *needs, size_t need_count, uint32_t *order);

enum ws_end_kind {
  WS_END_HANDLERS, // __funcs_on_exit: what atexit() and destructors of static objects registered
  WS_END_FLUSH,    // __stdio_exit: buffered output
  WS_END_RUNS,     // those above run at the end; what follows, when a function of the library is called
  WS_END_QUICK = WS_END_RUNS, // __funcs_on_quick_exit: what at_quick_exit() registered, by quick_exit()
  WS_END_KINDS
};

// What must run when the program ends, in this order: handlers, and then output is flushed.
struct ws_end {
  // Functions () -> () of each C library that is one for itself, most often of one.
  struct ws_one_symbol *functions[WS_END_KINDS];
  size_t counts[WS_END_KINDS];
  // Modules that register handlers, or buffer output, but whose C library lacks the function in all modules:
  // linkers dropped it. Linking one of them with --export-if-defined=NAME keeps it.
  uint32_t *missing[WS_END_KINDS];
  size_t missing_counts[WS_END_KINDS];
};

// The name of that function, and what happens without it, as a sentence.
const char *ws_end_function(enum ws_end_kind kind);
const char *ws_end_loss(enum ws_end_kind kind);

bool ws_find_end(const struct ws_module *const *modules, size_t count, const struct ws_one *one,
                 struct ws_arena *arena, struct ws_end *end, struct ws_error *error);

#endif
