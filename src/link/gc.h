// What of the merged modules is reached, as wasm-ld --gc-sections has it (lld/wasm/MarkLive.cpp).
#ifndef WASMSHARE_GC_H
#define WASMSHARE_GC_H

#include "link/atoms.h"

// An export of the merged module.
struct ws_merge_export {
  struct ws_slice name;
  uint8_t kind;    // enum ws_external_kind
  uint32_t target; // the item's number
  uint32_t module; // that exported it
};

// Marks what these exports and the constructors reach, and what must be kept.
bool ws_merge_mark(struct ws_merge *merge, const struct ws_merge_export *exports, size_t count);

#endif
