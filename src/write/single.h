// Writes several modules as one.
#ifndef WASMSHARE_SINGLE_H
#define WASMSHARE_SINGLE_H

#include "link/atoms.h"

// Merges the modules, in link order, and hands the result to the sink. `single` says who is told of it; what
// it is told is kept by `arena`. False, with an error, if one of them cannot be merged, or if what they
// export does not go together.
bool ws_write_single(const struct ws_merge_input *inputs, size_t count,
                     const struct ws_merge_options *options, const struct ws_single_options *single,
                     struct ws_arena *arena, struct ws_sink sink, struct ws_error *error);

#endif
