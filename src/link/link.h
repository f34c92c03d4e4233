// A link: what is decided about modules that are put into one memory. Modules are only read; one can be in
// many links, at the same time. The passes are in files of their own, in this order:
//
//     names.c   which module gives another what it imports
//     order.c   in which order they are instantiated
//     unify.c   with one_program, how what is one thing becomes one
//     heaps.c   who hands out what
//     plan.c    where each goes
#ifndef WASMSHARE_LINK_H
#define WASMSHARE_LINK_H

#include "base/map.h"
#include "base/parts.h"
#include "link/start.h"
#include "link/wrappers.h"

// Where an import of a module comes from.
struct ws_link_import {
  bool supplied; // by the layout: the memory, a shared stack pointer, the function table
  size_t from;   // index of the module that exports it, or WS_HOST
};

// The variable of another module that a ws_external stands for.
struct ws_link_external {
  size_t from;      // index of the module that defines it, or WS_HOST
  uint64_t linked;  // its address as linked there
  uint64_t address; // where it went
};

// What a symbol of a module means in the program, if that is not what it has itself.
struct ws_rebound {
  enum { WS_REBOUND_NOT, WS_REBOUND_ADDRESS, WS_REBOUND_SLOT } kind;
  uint64_t value;  // the address where it went, or the slot in the shared function table
  uint32_t callee; // of a function: one more than the index of the new function that is called instead, or 0:
                   // those are the trampolines, and then the runners
};

// A function of some module of a link.
struct ws_link_function {
  uint32_t module, index;
};

// A new function that calls another module's, through the table.
struct ws_trampoline {
  uint32_t function; // what it is called instead of: an index in the module
  struct ws_link_function to;
  uint64_t slot; // where that is
};

// A new function that calls functions of all modules, one after another.
struct ws_runner {
  const char *name;
  struct ws_link_function *calls;
  uint64_t *slots; // where they are
  size_t count;
};
enum { WS_RUN_CONSTRUCTORS, WS_RUN_END, WS_RUNNERS };

// An export that a module gets.
struct ws_new_export {
  struct ws_slice name;
  uint8_t kind;
  uint32_t index; // of a function: one of the new ones, counted as by `callee`
};

// An import that a tag becomes.
struct ws_tag_import {
  size_t from;      // index of the module
  const char *name; // of the export there
};

// What makes a module part of one program. All of it is empty if it is not.
struct ws_changes {
  struct ws_rebound *symbols; // one for each symbol, or NULL
  uint32_t *slots;            // functions that get slots in the table, behind the module's own
  size_t slot_count, slot_capacity;
  struct ws_trampoline *trampolines;
  size_t trampoline_count, trampoline_capacity;
  struct ws_runner runners[WS_RUNNERS]; // those that the module has
  uint32_t constructors; // __wasm_call_ctors, whose place a runner takes: its index, or WS_NO_FUNCTION
  uint32_t start;        // what is exported as _start and calls that: its index, or WS_NO_FUNCTION
  bool unwraps;          // exports are those of wrappers.h
  struct ws_new_export *exports;
  size_t export_count, export_capacity;
  struct ws_tag_import *tags; // the first tags that it defines
  size_t tag_count;
};

// A module in a link, and what was decided about it.
struct ws_input {
  const struct ws_module *module;
  const char *name;                   // what imports call it
  struct ws_link_import *imports;     // one for each of the module's
  struct ws_link_external *externals; // one for each of the module's
  bool takes_nothing;                 // what would take memory was left out: see merged_heaps.c
  enum ws_heap_class heap;
  struct ws_changes changes;
  struct ws_placement placement;
};

struct ws_link {
  struct ws_arena arena;
  struct ws_link_options options;
  struct ws_input *inputs;
  size_t count, capacity;
  struct ws_map names; // of the modules: their indices
  bool resolved, planned;
  bool shifted;               // planned by ws_link_shift
  size_t *order;              // of instantiation
  struct ws_one one;          // with one_program: what is one thing
  struct unifier *unifier;    // unify.c
  struct ws_end end;          // with one_program, but for one module: what runs at the end
  struct ws_divided *divided; // without one_program: see divided.c
  size_t divided_count, divided_capacity;
  struct ws_input *heap_owner; // who has the initial heap, or NULL
  struct ws_plan plan;
};

// Whether the modules become one program.
static inline bool ws_is_one_program(const struct ws_link *link) {
  return ws_has_one_program && link->options.one_program;
}

// Whether that is one module.
static inline bool ws_is_single(const struct ws_link *link) {
  return ws_has_one_program && link->options.single;
}

// Options as this version knows them, from a caller that may know fewer of them, or none, or more.
void ws_take_options(void *options, size_t size, const void *given, size_t given_size);

// Fills `order` with the indices of the modules so that each comes after those that give it something, and
// otherwise in their own order. Modules may need each other's functions in a cycle: one of those then comes
// too early for some of its imports. Fails if that is an import of anything but a function.
bool ws_find_order(struct ws_link *link, struct ws_error *error);

// Whether a module that has no function table imports the shared one, for new functions in it or calls
// through it.
static inline bool ws_adds_table(const struct ws_input *input) {
  const struct ws_changes *changes = &input->changes;
  bool needs = changes->slot_count || changes->trampoline_count;
  for (unsigned i = 0; i < WS_RUNNERS; i++)
    needs |= changes->runners[i].count > 0;
  return needs && !input->module->info.has_table && !input->module->info.imports_table;
}

// Whether the stack pointer, the table, can become an import; fails if not.
bool ws_check_sharing(const struct ws_module *module, bool share_stack, bool share_table,
                      struct ws_error *error);

// Fills in which modules options.prefer names, in its order; what is no module's name is left out. Returns
// how many.
size_t ws_find_preferred(const struct ws_link *link, size_t *modules);

static inline const struct ws_symbol *ws_link_symbol(const struct ws_link *link, struct ws_one_symbol at) {
  return &link->inputs[at.module].module->symbols[at.symbol];
}

void ws_clear_changes(struct ws_changes *changes);

#endif
