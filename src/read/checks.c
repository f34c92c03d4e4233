#include "read/checks.h"

#include "read/llvm.h"
#include "read/operands.h"

static bool check(const struct ws_module *module, struct ws_error *error) {
  return ws_check_operands(module, error) && ws_object_agrees(module, error);
}

bool ws_checks_make(const struct ws_module *module, struct ws_error *error) {
  return module->checks || check(module, error);
}

#ifdef __wasi__ // has no threads

void ws_checks_start(struct ws_module *module) {
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

struct ws_checks {
  struct ws_module module; // as it was when they began: later, sections are added
  bool pass;
  struct ws_error error;
  pthread_t thread;
  pthread_mutex_t lock;
  bool ended;
};

static void *check_beside(void *context) {
  struct ws_checks *checks = context;
  checks->pass = check(&checks->module, &checks->error);
  return NULL;
}

void ws_checks_start(struct ws_module *module) {
  enum { LARGE = 64 * 1024 };
  struct ws_checks *checks =
      module->bytes.size < LARGE ? NULL : ws_arena_new(&module->arena, 1, sizeof *checks);
  if (!checks || pthread_mutex_init(&checks->lock, NULL) != 0)
    return;
  checks->module = *module;
  if (pthread_create(&checks->thread, NULL, check_beside, checks) == 0)
    module->checks = checks;
  else
    pthread_mutex_destroy(&checks->lock);
}

bool ws_checks_passed(const struct ws_module *module, struct ws_error *error) {
  struct ws_checks *checks = module->checks;
  if (!checks)
    return true;
  pthread_mutex_lock(&checks->lock);
  if (!checks->ended)
    pthread_join(checks->thread, NULL);
  checks->ended = true;
  pthread_mutex_unlock(&checks->lock);
  if (!checks->pass)
    *error = checks->error;
  return checks->pass;
}

void ws_checks_free(struct ws_module *module) {
  struct ws_error error;
  ws_checks_passed(module, &error);
  if (module->checks)
    pthread_mutex_destroy(&module->checks->lock);
}

#endif
