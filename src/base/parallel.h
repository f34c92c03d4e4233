// Work that is done in several threads, where the system has them.
#ifndef WASMSHARE_PARALLEL_H
#define WASMSHARE_PARALLEL_H

#include <stddef.h>

// Calls job(context, i) for every i below `count`, in no certain order, and returns when all are done. Job 0
// is done in the caller's thread.
void ws_parallel(size_t count, void (*job)(void *context, size_t index), void *context);

#endif
