// What the merged module exports: what its modules export, and how it is started.
#ifndef WASMSHARE_EXPORTS_H
#define WASMSHARE_EXPORTS_H

#include "link/gc.h"

// An export that a module has under its own name: that of an item.
struct ws_merge_owner {
  uint32_t item, module;
};

struct ws_merge_exports {
  struct ws_merge_export *items;
  size_t count, capacity;
  struct ws_merge_owner *owners; // by module
  size_t owner_count, owner_capacity;
};

void ws_merge_exports_free(struct ws_merge_exports *exports);

// Fills the lists; they are the caller's to free. False, with an error, if two modules export a name for
// different things and no preference says which of them is meant.
bool ws_merge_choose_exports(struct ws_merge *merge, struct ws_merge_exports *exports);

#endif
