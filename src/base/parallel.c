#include "base/parallel.h"

#ifdef __wasi__ // has no threads

void ws_parallel(size_t count, void (*job)(void *context, size_t index), void *context) {
  for (size_t i = 0; i < count; i++)
    job(context, i);
}

#else

#include <pthread.h>
#include <stdatomic.h>
#include <unistd.h>

struct work {
  void (*job)(void *context, size_t index);
  void *context;
  size_t count;
  atomic_size_t next;
};

static void *run(void *context) {
  struct work *work = context;
  size_t index;
  while ((index = atomic_fetch_add(&work->next, 1)) < work->count)
    work->job(work->context, index);
  return NULL;
}

void ws_parallel(size_t count, void (*job)(void *context, size_t index), void *context) {
  enum { MOST = 8 };
  struct work work = {.job = job, .context = context, .count = count};
  pthread_t threads[MOST];
  size_t started = 0;
  if (count == 0)
    return;
  long processors = count > 1 ? sysconf(_SC_NPROCESSORS_ONLN) : 1;
  atomic_store(&work.next, 1);
  while (started < MOST && started + 1 < count && (long)started + 1 < processors &&
         pthread_create(&threads[started], NULL, run, &work) == 0)
    started++;
  job(context, 0);
  run(&work);
  for (size_t i = 0; i < started; i++)
    pthread_join(threads[i], NULL);
}

#endif
