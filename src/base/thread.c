#if defined(__linux__) && !defined(_GNU_SOURCE)
#define _GNU_SOURCE // for affinities
#endif

#include "base/thread.h"

#ifndef __wasi__

#ifdef __GLIBC__ // other C libraries cannot begin a thread elsewhere

#include <sched.h>

// Linux may let a new thread wait for milliseconds behind its creator, on one processor, while another is
// idle. So it begins on another, and may then run on all.
static bool avoid_this_processor(struct ws_thread *thread, pthread_attr_t *attributes) {
  cpu_set_t processors;
  thread->avoids = sched_getcpu();
  if (thread->avoids < 0 || thread->avoids >= CPU_SETSIZE ||
      sched_getaffinity(0, sizeof processors, &processors) != 0)
    return false;
  CPU_CLR((size_t)thread->avoids, &processors);
  return CPU_COUNT(&processors) > 0 &&
         pthread_attr_setaffinity_np(attributes, sizeof processors, &processors) == 0;
}

static void use_all_processors(const struct ws_thread *thread) {
  cpu_set_t processors;
  if (thread->avoids < 0 || sched_getaffinity(0, sizeof processors, &processors) != 0)
    return;
  CPU_SET((size_t)thread->avoids, &processors);
  sched_setaffinity(0, sizeof processors, &processors);
}

#else

static bool avoid_this_processor(struct ws_thread *thread, pthread_attr_t *attributes) {
  (void)thread, (void)attributes;
  return false;
}

static void use_all_processors(const struct ws_thread *thread) {
  (void)thread;
}

#endif

static void *begin(void *context) {
  struct ws_thread *thread = context;
  use_all_processors(thread);
  thread->run(thread->context);
  return NULL;
}

bool ws_thread_start(struct ws_thread *thread, void (*run)(void *context), void *context) {
  pthread_attr_t attributes;
  thread->run = run;
  thread->context = context;
  bool has_attributes = pthread_attr_init(&attributes) == 0;
  if (!has_attributes || !avoid_this_processor(thread, &attributes))
    thread->avoids = -1;
  bool started = pthread_create(&thread->id, has_attributes ? &attributes : NULL, begin, thread) == 0;
  if (has_attributes)
    pthread_attr_destroy(&attributes);
  return started;
}

void ws_thread_join(struct ws_thread *thread) {
  pthread_join(thread->id, NULL);
}

#endif
