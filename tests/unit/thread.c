// Threads.
#ifndef _GNU_SOURCE
#define _GNU_SOURCE // for affinities
#endif
#include "unit.h"

#include "base/thread.h"

static void count(void *context) {
  ++*(int *)context;
}

static void a_thread_runs_once(void **state) {
  (void)state;
  struct ws_thread thread;
  int calls = 0;
  assert_true(ws_thread_start(&thread, count, &calls));
  ws_thread_join(&thread);
  assert_int_equal(calls, 1);
}

#ifdef __GLIBC__

#include <sched.h>

struct where {
  cpu_set_t may_run_on;
  bool known;
};

static void look(void *context) {
  struct where *where = context;
  where->known = sched_getaffinity(0, sizeof where->may_run_on, &where->may_run_on) == 0;
}

static void a_thread_may_run_where_its_creator_may(void **state) {
  (void)state;
  struct ws_thread thread;
  struct where mine, its;
  look(&mine);
  assert_true(ws_thread_start(&thread, look, &its));
  ws_thread_join(&thread);
  assert_true(mine.known && its.known);
  assert_true(CPU_EQUAL(&mine.may_run_on, &its.may_run_on));
}

// As in a container that has one.
static void a_thread_starts_where_there_is_one_processor(void **state) {
  (void)state;
  struct ws_thread thread;
  struct where all, its;
  look(&all);
  cpu_set_t one;
  CPU_ZERO(&one);
  for (size_t i = 0; i < CPU_SETSIZE && CPU_COUNT(&one) == 0; i++)
    if (CPU_ISSET(i, &all.may_run_on))
      CPU_SET(i, &one);
  assert_int_equal(sched_setaffinity(0, sizeof one, &one), 0);
  assert_true(ws_thread_start(&thread, look, &its));
  ws_thread_join(&thread);
  assert_int_equal(sched_setaffinity(0, sizeof all.may_run_on, &all.may_run_on), 0);
  assert_true(CPU_EQUAL(&one, &its.may_run_on));
}

#endif

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_thread_runs_once),
#ifdef __GLIBC__
      cmocka_unit_test(a_thread_may_run_where_its_creator_may),
      cmocka_unit_test(a_thread_starts_where_there_is_one_processor),
#endif
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
