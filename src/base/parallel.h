// Work that is done in several threads, where the system has them.
#ifndef WASMSHARE_PARALLEL_H
#define WASMSHARE_PARALLEL_H

#include <stdbool.h>
#include <stddef.h>

// Calls job(context, i) for every i below `count`, in no certain order, and returns when all are done. Job 0
// is done in the caller's thread.
void ws_parallel(size_t count, void (*job)(void *context, size_t index), void *context);

#ifndef __wasi__
#include <pthread.h>

struct ws_thread {
  pthread_t id;
  void (*run)(void *context);
  void *context;
  int avoids; // the processor that it must not begin on, or -1
};

// Starts a thread that calls run(context); at once, if a processor is idle. `thread` must stay where it is
// until the thread is joined. False if it cannot be started.
bool ws_thread_start(struct ws_thread *thread, void (*run)(void *context), void *context);
void ws_thread_join(struct ws_thread *thread);
#endif

#endif
