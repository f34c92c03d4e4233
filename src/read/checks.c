#include "read/checks.h"

#include "base/parallel.h"
#include "read/heap.h"
#include "read/llvm.h"
#include "read/operands.h"
#include "read/relocation_entries.h"

bool ws_checks_make(const struct ws_module *module, struct ws_error *error) {
  return module->checks || (ws_check_operands(module, ws_relocations_of(module, WS_SECTION_CODE), error) &&
                            ws_object_agrees(module, error));
}

#ifdef __wasi__ // has no threads

void ws_checks_start(struct ws_module *module) {
  (void)module;
}

bool ws_checks_go_on(struct ws_module *module, bool find_heap, struct ws_error *error) {
  return !find_heap || ws_read_heap(module, error);
}

void ws_checks_await_heap(const struct ws_module *module) {
  (void)module;
}

bool ws_checks_passed(const struct ws_module *module, struct ws_error *error) {
  (void)module, (void)error;
  return true;
}

void ws_checks_free(struct ws_module *module) {
  (void)module;
}

#else

#include <unistd.h>

// In the order in which they can be done. The merged module waits for its heaps, and for nothing else, so the
// operands come after them, in parts.
enum { LLVM, HEAP, OPERANDS, PARTS = 8, CHECKS = OPERANDS + PARTS };

struct check {
  bool ended, pass;
  struct ws_error error;
};

// Each is made by whoever takes it: a thread, or who waits for it.
struct ws_checks {
  struct ws_module *module;
  bool finds_heap;
  pthread_mutex_t lock; // of what follows
  pthread_cond_t changed;
  struct check check[CHECKS];
  size_t ready, taken; // how many
  struct ws_thread threads[2];
  size_t thread_count;
};

static struct ws_relocations part(const struct ws_module *module, size_t index) {
  struct ws_relocations all = ws_relocations_of(module, WS_SECTION_CODE);
  size_t first = all.count * index / PARTS, end = all.count * (index + 1) / PARTS;
  return (struct ws_relocations){all.list + first, end - first};
}

static bool make(const struct ws_checks *checks, size_t i, struct ws_error *error) {
  switch (i) {
  case LLVM:
    return ws_object_agrees(checks->module, error);
  case HEAP:
    return !checks->finds_heap || ws_read_heap(checks->module, error);
  default:
    return ws_check_operands(checks->module, part(checks->module, i - OPERANDS), error);
  }
}

// Makes the next check, if it is ready, or waits until something changes. The caller holds the lock.
static void take_or_wait(struct ws_checks *checks) {
  if (checks->taken >= checks->ready) {
    pthread_cond_wait(&checks->changed, &checks->lock);
    return;
  }
  size_t i = checks->taken++;
  struct check *check = &checks->check[i];
  pthread_mutex_unlock(&checks->lock);
  bool pass = make(checks, i, &check->error);
  pthread_mutex_lock(&checks->lock);
  check->pass = pass;
  check->ended = true;
  if (i == HEAP)
    checks->ready = CHECKS;
  pthread_cond_broadcast(&checks->changed);
}

static void take_all(void *context) {
  struct ws_checks *checks = context;
  pthread_mutex_lock(&checks->lock);
  while (checks->taken < CHECKS)
    take_or_wait(checks);
  pthread_mutex_unlock(&checks->lock);
}

static void start_thread(struct ws_checks *checks) {
  checks->thread_count += ws_thread_start(&checks->threads[checks->thread_count], take_all, checks);
}

void ws_checks_start(struct ws_module *module) {
  enum { LARGE = 64 * 1024 };
  struct ws_checks *checks =
      module->bytes.size < LARGE ? NULL : ws_arena_new(&module->arena, 1, sizeof *checks);
  if (!checks || pthread_mutex_init(&checks->lock, NULL) != 0)
    return;
  if (pthread_cond_init(&checks->changed, NULL) != 0) {
    pthread_mutex_destroy(&checks->lock);
    return;
  }
  checks->module = module;
  checks->ready = LLVM + 1;
  module->checks = checks;
  start_thread(checks);
}

bool ws_checks_go_on(struct ws_module *module, bool find_heap, struct ws_error *error) {
  struct ws_checks *checks = module->checks;
  if (!checks)
    return !find_heap || ws_read_heap(module, error);
  pthread_mutex_lock(&checks->lock);
  checks->finds_heap = find_heap;
  checks->ready = HEAP + 1;
  pthread_cond_broadcast(&checks->changed);
  pthread_mutex_unlock(&checks->lock);
  if (sysconf(_SC_NPROCESSORS_ONLN) > 2) // beside this thread's and the first one's
    start_thread(checks);
  return true;
}

void ws_checks_await_heap(const struct ws_module *module) {
  struct ws_checks *checks = module->checks;
  if (!checks)
    return;
  pthread_mutex_lock(&checks->lock);
  while (!checks->check[HEAP].ended)
    if (checks->taken <= HEAP)
      take_or_wait(checks);
    else
      pthread_cond_wait(&checks->changed, &checks->lock);
  pthread_mutex_unlock(&checks->lock);
}

static bool all_ended(const struct ws_checks *checks) {
  for (size_t i = 0; i < CHECKS; i++)
    if (!checks->check[i].ended)
      return false;
  return true;
}

bool ws_checks_passed(const struct ws_module *module, struct ws_error *error) {
  struct ws_checks *checks = module->checks;
  if (!checks)
    return true;
  pthread_mutex_lock(&checks->lock);
  while (!all_ended(checks))
    take_or_wait(checks);
  pthread_mutex_unlock(&checks->lock);
  const struct check *failed = NULL;
  for (size_t i = HEAP; i < HEAP + CHECKS && !failed; i++) // LLVM's comes last, and says least
    failed = checks->check[i % CHECKS].pass ? NULL : &checks->check[i % CHECKS];
  if (failed)
    *error = failed->error;
  return !failed;
}

void ws_checks_free(struct ws_module *module) {
  struct ws_checks *checks = module->checks;
  if (!checks)
    return;
  pthread_mutex_lock(&checks->lock);
  checks->taken = CHECKS; // nothing more is
  pthread_cond_broadcast(&checks->changed);
  pthread_mutex_unlock(&checks->lock);
  for (size_t i = 0; i < checks->thread_count; i++)
    ws_thread_join(&checks->threads[i]);
  pthread_cond_destroy(&checks->changed);
  pthread_mutex_destroy(&checks->lock);
}

#endif
