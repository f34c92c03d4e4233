// Writes several modules as one.
#ifndef WASMSHARE_SINGLE_H
#define WASMSHARE_SINGLE_H

#include "link/atoms.h"

// Merges the modules, in link order, and hands the result to the sink. `planned`, if not NULL, is told what
// became of the memory and the table. False, with an error, if one of them cannot be merged, or if what they
// export does not go together.
bool ws_write_single(const struct ws_merge_input *inputs, size_t count,
                     const struct ws_merge_options *options, struct ws_plan *planned, struct ws_sink sink,
                     struct ws_error *error);

#endif
