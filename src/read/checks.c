#include "read/checks.h"

#include "read/heap.h"
#include "read/llvm.h"
#include "read/operands.h"

static bool (*const all[])(const struct ws_module *module, struct ws_error *error) = {ws_check_operands,
                                                                                      ws_object_agrees};
enum { CHECKS = sizeof all / sizeof *all };

bool ws_checks_make(const struct ws_module *module, struct ws_error *error) {
  bool pass = true;
  for (size_t i = 0; i < CHECKS && pass && !module->checks; i++)
    pass = all[i](module, error);
  return pass;
}

#ifdef __wasi__ // has no threads

void ws_checks_start(struct ws_module *module) {
  (void)module;
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

#include <pthread.h>

struct check {
  struct ws_checks *checks;
  size_t which;
  bool started, pass;
  struct ws_error error;
  pthread_t thread;
};

struct ws_checks {
  struct ws_module module; // as it was when they began: later, sections are added
  struct check check[CHECKS];
  struct check heap;
  pthread_mutex_t lock;
  bool ended;
};

static void *run(void *context) {
  struct check *check = context;
  check->pass = all[check->which](&check->checks->module, &check->error);
  return NULL;
}

void ws_checks_start(struct ws_module *module) {
  enum { LARGE = 64 * 1024 };
  struct ws_checks *checks =
      module->bytes.size < LARGE ? NULL : ws_arena_new(&module->arena, 1, sizeof *checks);
  if (!checks || pthread_mutex_init(&checks->lock, NULL) != 0)
    return;
  checks->module = *module;
  checks->heap.pass = true;
  for (size_t i = 0; i < CHECKS; i++) {
    struct check *check = &checks->check[i];
    *check = (struct check){.checks = checks, .which = i};
    check->started = pthread_create(&check->thread, NULL, run, check) == 0;
  }
  module->checks = checks;
}

static void *find_heap(void *context) {
  struct ws_module *module = context;
  struct check *heap = &module->checks->heap;
  heap->pass = ws_read_heap(module, &heap->error);
  return NULL;
}

bool ws_checks_find_heap(struct ws_module *module, struct ws_error *error) {
  struct ws_checks *checks = module->checks;
  if (!checks || pthread_create(&checks->heap.thread, NULL, find_heap, module) != 0)
    return ws_read_heap(module, error);
  checks->heap.started = true;
  return true;
}

static void end_heap(struct ws_checks *checks) {
  if (checks->heap.started)
    pthread_join(checks->heap.thread, NULL);
  checks->heap.started = false;
}

void ws_checks_await_heap(const struct ws_module *module) {
  struct ws_checks *checks = module->checks;
  if (!checks)
    return;
  pthread_mutex_lock(&checks->lock);
  end_heap(checks);
  pthread_mutex_unlock(&checks->lock);
}

// Waits for all, and makes those for which there was no thread.
static void end(struct ws_checks *checks) {
  for (size_t i = 0; i < CHECKS; i++)
    if (checks->check[i].started)
      pthread_join(checks->check[i].thread, NULL);
    else
      run(&checks->check[i]);
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
  for (size_t i = 0; i < CHECKS && !failed; i++)
    failed = checks->check[i].pass ? NULL : &checks->check[i];
  if (failed)
    *error = failed->error;
  return !failed;
}

void ws_checks_free(struct ws_module *module) {
  struct ws_error error;
  ws_checks_passed(module, &error);
  if (module->checks)
    pthread_mutex_destroy(&module->checks->lock);
}

#endif
