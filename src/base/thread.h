// Threads, where the system has them: WASI has not, and none can be started there.
#ifndef WASMSHARE_THREAD_H
#define WASMSHARE_THREAD_H

#include <stdbool.h>

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

#else

struct ws_thread {
  char none;
};

static inline bool ws_thread_start(struct ws_thread *thread, void (*run)(void *context), void *context) {
  (void)thread, (void)run, (void)context;
  return false;
}

static inline void ws_thread_join(struct ws_thread *thread) {
  (void)thread;
}

#endif

#endif
