#include "read/checks.h"

#include "base/parallel.h"
#include "read/heap.h"
#include "read/llvm.h"
#include "read/operands.h"
#include "read/relocation_entries.h"

static bool make_all(const struct ws_module *module, struct ws_error *error) {
  return ws_check_operands(module, ws_find_relocations(module, WS_SECTION_CODE), error) &&
         ws_object_agrees(module, error);
}

#ifdef __wasi__ // has no threads

void ws_checks_start(struct ws_module *module) {
  (void)module;
}

bool ws_checks_go_on(const struct ws_module *module, struct ws_error *error) {
  return make_all(module, error);
}

bool ws_checks_find_heap(struct ws_module *module, struct ws_error *error) {
  return ws_read_heap(module, error);
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

#include <stdatomic.h>
#include <unistd.h>

enum { LLVM, OPERANDS, CHECKS = OPERANDS + WS_CODE_PARTS };

struct check {
  bool pass;
  struct ws_error error;
};

// Each is made by whoever takes it: a thread, or who waits for them.
struct ws_checks {
  const struct ws_module *module;
  struct check check[CHECKS], heap;
  atomic_size_t ready, taken; // how many
  struct ws_thread threads[2], heap_thread;
  size_t thread_count;
  pthread_mutex_t lock; // of what follows
  bool finds_heap, ended;
};

static bool make(const struct ws_module *module, size_t i, struct ws_error *error) {
  return i == LLVM ? ws_object_agrees(module, error)
                   : ws_check_operands(module, module->code_entries[i - OPERANDS], error);
}

static void take(void *context) {
  struct ws_checks *checks = context;
  size_t i = atomic_load(&checks->taken);
  while (i < atomic_load(&checks->ready)) {
    if (!atomic_compare_exchange_weak(&checks->taken, &i, i + 1))
      continue;
    checks->check[i].pass = make(checks->module, i, &checks->check[i].error);
    i = atomic_load(&checks->taken);
  }
}

static void start_thread(struct ws_checks *checks) {
  checks->thread_count += ws_thread_start(&checks->threads[checks->thread_count], take, checks);
}

void ws_checks_start(struct ws_module *module) {
  enum { LARGE = 64 * 1024 };
  struct ws_checks *checks =
      module->bytes.size < LARGE ? NULL : ws_arena_new(&module->arena, 1, sizeof *checks);
  if (!checks || pthread_mutex_init(&checks->lock, NULL) != 0)
    return;
  checks->module = module;
  checks->heap.pass = true;
  atomic_store(&checks->ready, LLVM + 1);
  module->checks = checks;
  start_thread(checks);
}

bool ws_checks_go_on(const struct ws_module *module, struct ws_error *error) {
  struct ws_checks *checks = module->checks;
  if (!checks)
    return make_all(module, error);
  atomic_store(&checks->ready, CHECKS);
  if (sysconf(_SC_NPROCESSORS_ONLN) > 2) // beside this thread's and the first one's
    start_thread(checks);
  return true;
}

static void find_heap(void *context) {
  struct ws_module *module = context;
  struct check *heap = &module->checks->heap;
  heap->pass = ws_read_heap(module, &heap->error);
}

bool ws_checks_find_heap(struct ws_module *module, struct ws_error *error) {
  struct ws_checks *checks = module->checks;
  if (!checks || !ws_thread_start(&checks->heap_thread, find_heap, module))
    return ws_read_heap(module, error);
  checks->finds_heap = true;
  return true;
}

static void end_heap(struct ws_checks *checks) {
  if (checks->finds_heap)
    ws_thread_join(&checks->heap_thread);
  checks->finds_heap = false;
}

void ws_checks_await_heap(const struct ws_module *module) {
  struct ws_checks *checks = module->checks;
  if (!checks)
    return;
  pthread_mutex_lock(&checks->lock);
  end_heap(checks);
  pthread_mutex_unlock(&checks->lock);
}

// Makes what nobody has taken, and waits for the rest.
static void end(struct ws_checks *checks) {
  take(checks);
  for (size_t i = 0; i < checks->thread_count; i++)
    ws_thread_join(&checks->threads[i]);
  end_heap(checks);
  checks->ended = true;
}

bool ws_checks_passed(const struct ws_module *module, struct ws_error *error) {
  struct ws_checks *checks = module->checks;
  if (!checks)
    return true;
  pthread_mutex_lock(&checks->lock);
  if (!checks->ended)
    end(checks);
  pthread_mutex_unlock(&checks->lock);
  const struct check *failed = checks->heap.pass ? NULL : &checks->heap;
  for (size_t i = OPERANDS; i < CHECKS && !failed; i++)
    failed = checks->check[i].pass ? NULL : &checks->check[i];
  if (!failed && !checks->check[LLVM].pass) // which says less
    failed = &checks->check[LLVM];
  if (failed)
    *error = failed->error;
  return !failed;
}

void ws_checks_free(struct ws_module *module) {
  struct ws_checks *checks = module->checks;
  if (!checks)
    return;
  atomic_store(&checks->ready, 0); // nothing more is taken
  if (!checks->ended)
    end(checks);
  pthread_mutex_destroy(&checks->lock);
}

#endif
