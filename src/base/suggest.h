// Near misses: what somebody may have meant by a name that is not there.
#ifndef WASMSHARE_SUGGEST_H
#define WASMSHARE_SUGGEST_H

#include "base/bytes.h"

// The best of the names that were offered, if one is near enough to be what was meant.
struct ws_suggestion {
  struct ws_slice wanted, name;
  size_t distance;
  size_t from; // what the name was offered with, or SIZE_MAX if none is near
};

struct ws_suggestion ws_suggest(struct ws_slice wanted);
void ws_offer(struct ws_suggestion *suggestion, struct ws_slice name, size_t from);

#endif
