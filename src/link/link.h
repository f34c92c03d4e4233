// A link: what is decided about modules that are put into one memory. Modules are only read; one can be in many
// links, at the same time. The passes are in files of their own, in this order:
//
//     names.c   which module gives another what it imports
//     order.c   in which order they are instantiated
//     heaps.c   who hands out what
//     plan.c    where each goes
#ifndef WASMSHARE_LINK_H
#define WASMSHARE_LINK_H

#include "read/module.h"

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

// A module in a link, and what was decided about it.
struct ws_input {
  const struct ws_module *module;
  const char *name;                   // what imports call it
  struct ws_link_import *imports;     // one for each of the module's
  struct ws_link_external *externals; // one for each of the module's
  enum ws_heap_class heap;
  struct ws_placement placement;
};

struct ws_link {
  struct ws_arena arena;
  struct ws_link_options options;
  struct ws_input *inputs;
  size_t count, capacity;
  bool resolved, planned;
  size_t *order; // of instantiation
  struct ws_input *heap_owner; // who has the initial heap, or NULL
  struct ws_plan plan;
};

// Fills `order` with the indices of the modules so that each comes after those that give it something, and otherwise
// in their own order. Modules may need each other's functions in a cycle: one of those then comes too early for some
// of its imports. Fails if that is an import of anything but a function.
bool ws_find_order(struct ws_link *link, struct ws_error *error);

#endif
