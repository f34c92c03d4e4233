#include "read/checks.h"

#include "base/parts.h"
#include "base/thread.h"
#include "read/heap.h"
#include "read/llvm.h"
#include "read/operands.h"
#include "read/whole_code.h"

// Looks at the functions from `first` up to `end`.
static bool look_at(const struct ws_module *module, uint32_t first, uint32_t end, struct ws_error *error) {
  const struct ws_function *functions = module->functions;
  uint32_t count = module->function_count;
  if (ws_has_one_program && module->code_notes)
    return ws_look_at_code(module, first, end, module->code_notes, error);
  return ws_check_operands(module,
                           ws_relocations_in(ws_relocations_of(module, WS_SECTION_CODE),
                                             first < count ? functions[first].offset : UINT32_MAX,
                                             end < count ? functions[end].offset : UINT32_MAX),
                           error);
}

bool ws_checks_make(const struct ws_module *module, struct ws_error *error) {
  return module->checks ||
         (look_at(module, 0, module->function_count, error) && ws_object_agrees(module, error));
}

#ifdef __wasi__ // has no threads

void ws_checks_start(struct ws_module *module) {
  (void)module;
}

bool ws_checks_go_on(struct ws_module *module, bool find_heap, struct ws_error *error) {
  return !find_heap || ws_read_heap(module, error);
}

void ws_checks_want_heap(const struct ws_module *module) {
  (void)module;
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

#include <stdlib.h>
#include <unistd.h>

// What others wait for comes first. The code is looked at in parts, of as many bytes each.
enum { HEAP, LLVM, CODE, PARTS = 8, CHECKS = CODE + PARTS };

struct check {
  enum { NOT_READY, READY, TAKEN, ENDED } state;
  bool pass;
  struct ws_error error;
};

// Each is made by whoever takes it: one of the threads, or who waits for it.
struct ws_checks {
  struct ws_module *module;
  bool finds_heap;
  struct check check[CHECKS];
  struct ws_checks *next; // of all modules
};

// The threads.
struct crew {
  struct ws_thread threads[8];
  size_t count, idle;
  bool dismissed;
};

// The checks of all modules, and who makes them.
static struct {
  pthread_mutex_t lock; // of all this, and of what is in the list
  pthread_cond_t changed;
  struct ws_checks *first;
  struct crew *crew;
  long processors; // 0 at first
} all = {.lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER};

static uint32_t first_in_part(const struct ws_module *module, size_t part) {
  const struct ws_section *code = ws_section(module, WS_SECTION_CODE);
  uint64_t offset = code ? (uint64_t)code->content.size * part / PARTS : 0;
  return (uint32_t)ws_first_at_least(module->functions, module->function_count, sizeof *module->functions,
                                     offsetof(struct ws_function, offset), (uint32_t)offset);
}

static bool make(const struct ws_checks *checks, size_t i, struct ws_error *error) {
  switch (i) {
  case HEAP:
    return !checks->finds_heap || ws_read_heap(checks->module, error);
  case LLVM:
    return ws_object_agrees(checks->module, error);
  default:
    return look_at(
        checks->module, first_in_part(checks->module, i - CODE),
        i + 1 < CHECKS ? first_in_part(checks->module, i + 1 - CODE) : checks->module->function_count, error);
  }
}

// Here and below, the caller holds the lock.
static void take(struct ws_checks *checks, size_t i) {
  struct check *check = &checks->check[i];
  check->state = TAKEN;
  pthread_mutex_unlock(&all.lock);
  bool pass = make(checks, i, &check->error);
  pthread_mutex_lock(&all.lock);
  check->pass = pass;
  check->state = ENDED;
  pthread_cond_broadcast(&all.changed);
}

static bool take_from(struct ws_checks *checks, size_t i) {
  bool ready = checks->check[i].state == READY;
  if (ready)
    take(checks, i);
  return ready;
}

// Makes the next check of any module; false if none is ready.
static bool take_any(void) {
  for (size_t i = 0; i < CHECKS; i++)
    for (struct ws_checks *checks = all.first; checks; checks = checks->next)
      if (take_from(checks, i))
        return true;
  return false;
}

static void work(void *context) {
  struct crew *crew = context;
  pthread_mutex_lock(&all.lock);
  while (!crew->dismissed)
    if (!take_any()) {
      crew->idle++;
      pthread_cond_wait(&all.changed, &all.lock);
      crew->idle--;
    }
  pthread_mutex_unlock(&all.lock);
}

// Begins another thread, if all others are busy and there is a processor for it, beside this thread's.
static void need_thread(void) {
  if (all.processors == 0)
    all.processors = sysconf(_SC_NPROCESSORS_ONLN);
  if (!all.crew)
    all.crew = calloc(1, sizeof *all.crew);
  struct crew *crew = all.crew;
  enum { MOST = sizeof crew->threads / sizeof *crew->threads };
  if (crew && crew->idle == 0 && crew->count < MOST && (long)crew->count + 1 < all.processors)
    crew->count += ws_thread_start(&crew->threads[crew->count], work, crew);
}

// Adds a module, of which nothing is ready. False if memory runs out.
static bool add(struct ws_module *module) {
  struct ws_checks *checks = ws_arena_new(&module->arena, 1, sizeof *checks);
  if (!checks)
    return false;
  checks->module = module;
  module->checks = checks;
  pthread_mutex_lock(&all.lock);
  struct ws_checks **last = &all.first;
  while (*last)
    last = &(*last)->next;
  *last = checks;
  pthread_mutex_unlock(&all.lock);
  return true;
}

// Has threads make what became ready.
static void call_crew(void) {
  need_thread();
  pthread_cond_broadcast(&all.changed);
}

void ws_checks_start(struct ws_module *module) {
  enum { LARGE = 64 * 1024 };
  if (module->bytes.size < LARGE || !add(module))
    return;
  pthread_mutex_lock(&all.lock);
  module->checks->check[LLVM].state = READY;
  call_crew();
  pthread_mutex_unlock(&all.lock);
}

// Of a module whose other checks were made.
static bool go_on_alone(struct ws_module *module, struct ws_error *error) {
  if (!module->code_notes)
    return ws_read_heap(module, error);
  if (!add(module))
    return ws_fail_memory(error, module->file);
  pthread_mutex_lock(&all.lock);
  module->checks->finds_heap = true;
  for (size_t i = 0; i < CHECKS; i++)
    if (i != HEAP)
      module->checks->check[i] = (struct check){.state = ENDED, .pass = true};
  pthread_mutex_unlock(&all.lock);
  return true;
}

bool ws_checks_go_on(struct ws_module *module, bool find_heap, struct ws_error *error) {
  struct ws_checks *checks = module->checks;
  if (!checks)
    return !find_heap || go_on_alone(module, error);
  pthread_mutex_lock(&all.lock);
  checks->finds_heap = find_heap;
  for (size_t i = 0; i < CHECKS; i++)
    if (i != LLVM && (i != HEAP || !module->code_notes || checks == all.first))
      checks->check[i].state = READY;
  call_crew();
  pthread_mutex_unlock(&all.lock);
  return true;
}

// Looks at code meanwhile.
static void await(struct ws_checks *checks, size_t i) {
  if (checks->check[i].state == NOT_READY)
    checks->check[i].state = READY;
  while (checks->check[i].state != ENDED) {
    bool took = take_from(checks, i);
    for (size_t k = CODE; k < CHECKS && !took; k++)
      took = take_from(checks, k);
    if (!took)
      pthread_cond_wait(&all.changed, &all.lock);
  }
}

void ws_checks_want_heap(const struct ws_module *module) {
  if (!module->checks)
    return;
  pthread_mutex_lock(&all.lock);
  struct check *heap = &module->checks->check[HEAP];
  if (heap->state == NOT_READY) {
    heap->state = READY;
    pthread_cond_broadcast(&all.changed);
  }
  pthread_mutex_unlock(&all.lock);
}

void ws_checks_await_heap(const struct ws_module *module) {
  if (!module->checks)
    return;
  pthread_mutex_lock(&all.lock);
  await(module->checks, HEAP);
  pthread_mutex_unlock(&all.lock);
}

bool ws_checks_passed(const struct ws_module *module, struct ws_error *error) {
  struct ws_checks *checks = module->checks;
  if (!checks)
    return true;
  pthread_mutex_lock(&all.lock);
  const struct check *failed = NULL;
  for (size_t i = CHECKS; i-- > 0;) { // LLVM's says least
    const struct check *check = &checks->check[i];
    if (i == HEAP && check->state == NOT_READY) // nobody wants to know
      continue;
    await(checks, i);
    if (!check->pass && (i != LLVM || !failed))
      failed = check;
  }
  pthread_mutex_unlock(&all.lock);
  if (failed)
    *error = failed->error;
  return !failed;
}

static bool is_running(const struct ws_checks *checks) {
  for (size_t i = 0; i < CHECKS; i++)
    if (checks->check[i].state == TAKEN)
      return true;
  return false;
}

// With the last module, the threads end.
static void dismiss(void) {
  struct crew *crew = all.crew;
  all.crew = NULL;
  crew->dismissed = true;
  pthread_cond_broadcast(&all.changed);
  pthread_mutex_unlock(&all.lock);
  for (size_t i = 0; i < crew->count; i++)
    ws_thread_join(&crew->threads[i]);
  free(crew);
  pthread_mutex_lock(&all.lock);
}

void ws_checks_free(struct ws_module *module) {
  struct ws_checks *checks = module->checks;
  if (!checks)
    return;
  pthread_mutex_lock(&all.lock);
  struct ws_checks **place = &all.first;
  while (*place != checks)
    place = &(*place)->next;
  *place = checks->next;
  while (is_running(checks))
    pthread_cond_wait(&all.changed, &all.lock);
  if (!all.first && all.crew)
    dismiss();
  pthread_mutex_unlock(&all.lock);
}

#endif
