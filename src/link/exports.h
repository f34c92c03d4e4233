// What the merged module exports: what its modules export, and how it is started.
#ifndef WASMSHARE_EXPORTS_H
#define WASMSHARE_EXPORTS_H

#include "link/gc.h"

struct ws_merge_exports {
  struct ws_merge_export *items;
  size_t count, capacity;
};

// Fills the list; it is the caller's to free. False, with an error, if two modules export a name for
// different things and no preference says which of them is meant.
bool ws_merge_choose_exports(struct ws_merge *merge, struct ws_merge_exports *exports);

#endif
