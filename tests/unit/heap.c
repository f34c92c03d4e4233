// The class of a module's heap: from single functions, instruction by instruction.
#include "unit.h"

#define SET 0x21
#define GET 0x20
#define GROW 0x41, 0x01, 0x40, 0x00                          // i32.const 1; memory.grow
#define BYTES_OF_PAGES 0x41, 0x10, 0x74                      // i32.const 16; i32.shl
#define STORE_LOCAL 0x41, 0x08, 0x20, 0x00, 0x36, 0x02, 0x00 // i32.const 8; local.get 0; i32.store

static enum ws_heap_class class_of(struct ws_slice body, bool memory64) {
  struct sample sample = {.pages = 2,
                          .memory64 = memory64,
                          .data_base = 1024,
                          .data_size = 16,
                          .table = true,
                          .function = "f",
                          .body = body};
  struct ws_buffer bytes = build(&sample);
  struct ws_module *module = read_bytes(&bytes, NULL);
  enum ws_heap_class class = ws_module_info(module)->heap;
  assert_non_null(ws_module_info(module)->heap_reason);
  ws_module_free(module);
  ws_buffer_free(&bytes);
  return class;
}

#define assert_class(expected, ...) assert_int_equal(class_of(BYTES(__VA_ARGS__, 0x0b), false), expected)

static void what_grows_nothing_has_no_heap(void **state) {
  (void)state;
  assert_class(WS_HEAP_NONE, 0);
  assert_class(WS_HEAP_NONE, 0, 0x3f, 0x00, 0x1a); // memory.size; drop
  // Bytes that look like memory.grow, and are a constant
  assert_class(WS_HEAP_NONE, 0, 0x43, 0x40, 0x00, 0x40, 0x00, 0x1a);
}

static void what_is_dropped_is_ignored(void **state) {
  (void)state;
  assert_class(WS_HEAP_CONTIGUOUS, 0, GROW, 0x1a);
  // if (memory.grow(1) == -1) unreachable
  assert_class(WS_HEAP_CONTIGUOUS, 0, GROW, 0x41, 0x7f, 0x46, 0x04, 0x40, 0x00, 0x0b);
  // A number of pages is no address, and neither is a sum that may be anywhere.
  assert_class(WS_HEAP_CONTIGUOUS, 1, 1, 0x7f, GROW, SET, 0, STORE_LOCAL);
  assert_class(WS_HEAP_CONTIGUOUS, 1, 1, 0x7f, GROW, BYTES_OF_PAGES, 0x41, 0x00, 0x28, 0x02, 0x04, 0x6a, SET,
               0, STORE_LOCAL);
}

static void what_is_kept_is_used(void **state) {
  (void)state;
  assert_class(WS_HEAP_GROWS, 1, 1, 0x7f, GROW, BYTES_OF_PAGES, SET, 0, STORE_LOCAL);
  // memory.grow(1) * 65536
  assert_class(WS_HEAP_GROWS, 1, 1, 0x7f, GROW, 0x41, 0x80, 0x80, 0x04, 0x6c, SET, 0, STORE_LOCAL);
  // As an address: i32.load
  assert_class(WS_HEAP_GROWS, 0, GROW, BYTES_OF_PAGES, 0x28, 0x02, 0x00, 0x1a);
  // Only where it has not failed: if (p != -1) store
  assert_class(WS_HEAP_GROWS, 1, 1, 0x7f, GROW, 0x22, 0, 0x41, 0x7f, 0x47, 0x04, 0x40, GET, 0, BYTES_OF_PAGES,
               SET, 0, STORE_LOCAL, 0x0b);
  assert_class(WS_HEAP_GROWS, 1, 1, 0x7f, GROW, 0x22, 0, 0x41, 0x00, 0x48, 0x04, 0x40, 0x05, GET, 0,
               BYTES_OF_PAGES, SET, 0, STORE_LOCAL, 0x0b);
}

static void every_way_through_a_function_counts(void **state) {
  (void)state;
  // if (load 4) store
  assert_class(WS_HEAP_CONTIGUOUS, 1, 1, 0x7f, GROW, BYTES_OF_PAGES, SET, 0, 0x41, 0x00, 0x28, 0x02, 0x04,
               0x04, 0x40, STORE_LOCAL, 0x0b);
  // The same by br_if, br_table and return
  assert_class(WS_HEAP_CONTIGUOUS, 1, 1, 0x7f, GROW, BYTES_OF_PAGES, SET, 0, 0x02, 0x40, 0x41, 0x00, 0x28,
               0x02, 0x04, 0x0d, 0, STORE_LOCAL, 0x0b);
  assert_class(WS_HEAP_CONTIGUOUS, 1, 1, 0x7f, GROW, BYTES_OF_PAGES, SET, 0, 0x02, 0x40, 0x02, 0x40, 0x41,
               0x00, 0x28, 0x02, 0x04, 0x0e, 1, 0, 1, 0x0b, STORE_LOCAL, 0x0b);
  assert_class(WS_HEAP_CONTIGUOUS, 1, 1, 0x7f, GROW, BYTES_OF_PAGES, SET, 0, 0x41, 0x00, 0x28, 0x02, 0x04,
               0x04, 0x40, 0x0f, 0x0b, STORE_LOCAL);
  // What ends in unreachable does not.
  assert_class(WS_HEAP_GROWS, 1, 1, 0x7f, GROW, BYTES_OF_PAGES, SET, 0, 0x41, 0x00, 0x28, 0x02, 0x04, 0x04,
               0x40, 0x00, 0x0b, STORE_LOCAL);
  // In a loop: the second time round, the local is what was grown the first time.
  assert_class(WS_HEAP_GROWS, 1, 1, 0x7f, 0x03, 0x40, GROW, BYTES_OF_PAGES, SET, 0, STORE_LOCAL, 0x41, 0x00,
               0x28, 0x02, 0x04, 0x0d, 0, 0x0b);
  // Dead code is not looked at.
  assert_class(WS_HEAP_NONE, 0, 0x02, 0x40, 0x0c, 0, 0x02, 0x40, GROW, 0x1a, 0x0b, 0x0b);
}

static void where_it_is_expected_it_may_be_compared(void **state) {
  (void)state;
  // if (p != load 4) store: it goes on where it was, or begins anew.
  assert_class(WS_HEAP_GROWS, 1, 1, 0x7f, GROW, BYTES_OF_PAGES, 0x22, 0, 0x41, 0x00, 0x28, 0x02, 0x04, 0x47,
               0x04, 0x40, STORE_LOCAL, 0x0b);
  // if (p != load 4) unreachable
  assert_class(WS_HEAP_CONTIGUOUS, 1, 1, 0x7f, GROW, BYTES_OF_PAGES, 0x41, 0x00, 0x28, 0x02, 0x04, 0x47, 0x04,
               0x40, 0x00, 0x0b);
}

static void the_size_is_where_it_grows_only_if_nobody_else_grew_it(void **state) {
  (void)state;
  // p = memory.size << 16; if (memory.grow(1) != -1) store p
  assert_class(WS_HEAP_GROWS, 1, 1, 0x7f, 0x3f, 0x00, BYTES_OF_PAGES, SET, 0, GROW, 0x41, 0x7f, 0x47, 0x04,
               0x40, STORE_LOCAL, 0x0b);
  // The size alone
  assert_class(WS_HEAP_UNKNOWN, 1, 1, 0x7f, 0x3f, 0x00, BYTES_OF_PAGES, SET, 0, STORE_LOCAL);
  // A call in between: call_indirect 0
  assert_class(WS_HEAP_UNKNOWN, 1, 1, 0x7f, 0x3f, 0x00, BYTES_OF_PAGES, SET, 0, 0x41, 0x01, 0x11, 0x80, 0x80,
               0x80, 0x80, 0x00, 0x00, STORE_LOCAL);
}

static void what_cannot_be_followed_is_unknown(void **state) {
  (void)state;
  assert_class(WS_HEAP_UNKNOWN, 0, GROW, 0x1a, 0x06, 0x40, 0x19, 0x0b);       // try catch_all end
  assert_class(WS_HEAP_UNKNOWN, 0, GROW, 0x1a, 0x41, 0x00, 0x25, 0x00, 0x1a); // table.get
}

static void vectors_and_atomics_are_passed_over(void **state) {
  (void)state;
  assert_class(WS_HEAP_GROWS, 1, 1, 0x7f, GROW, BYTES_OF_PAGES, SET, 0,
               STORE_LOCAL, // i32.const 0; v128.load; i32x4.add to itself
               0x41, 0x00, 0xfd, 0x00, 0x04, 0x00, 0x41, 0x00, 0xfd, 0x00, 0x04, 0x00, 0xfd, 0xae, 0x01,
               0x1a);
  assert_class(WS_HEAP_GROWS, 1, 1, 0x7f, GROW, BYTES_OF_PAGES, SET, 0, STORE_LOCAL, // i32.atomic.rmw.cmpxchg
               0x41, 0x00, 0x41, 0x00, 0x41, 0x00, 0xfe, 0x48, 0x02, 0x00, 0x1a, 0xfe, 0x03, 0x00);
}

static void names_are_as_the_command_has_them(void **state) {
  (void)state;
  assert_string_equal(ws_heap_class_name(WS_HEAP_NONE), "none");
  assert_string_equal(ws_heap_class_name(WS_HEAP_CLAIMS_ONCE), "claims-once");
  assert_string_equal(ws_heap_class_name(WS_HEAP_UNKNOWN), "unknown");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(what_grows_nothing_has_no_heap),
      cmocka_unit_test(what_is_dropped_is_ignored),
      cmocka_unit_test(what_is_kept_is_used),
      cmocka_unit_test(every_way_through_a_function_counts),
      cmocka_unit_test(where_it_is_expected_it_may_be_compared),
      cmocka_unit_test(the_size_is_where_it_grows_only_if_nobody_else_grew_it),
      cmocka_unit_test(what_cannot_be_followed_is_unknown),
      cmocka_unit_test(vectors_and_atomics_are_passed_over),
      cmocka_unit_test(names_are_as_the_command_has_them),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
