// The hash table from bytes to numbers.
#include "unit.h"

#include <stdio.h>

#include "base/map.h"

static struct ws_slice key(char *text, int number) {
  return (struct ws_slice){(const uint8_t *)text, (size_t)sprintf(text, "key %d", number)};
}

static void a_key_keeps_its_first_value(void **state) {
  (void)state;
  struct ws_map map = {0};
  enum { COUNT = 5000 };
  static char texts[COUNT][16];
  for (int i = 0; i < COUNT; i++) {
    assert_null(ws_map_find(&map, key(texts[i], i)));
    assert_int_equal(*ws_map_add(&map, key(texts[i], i), (uint32_t)i), i);
    assert_int_equal(*ws_map_add(&map, key(texts[i], i), UINT32_MAX), i);
  }
  assert_int_equal(map.count, COUNT);
  for (int i = 0; i < COUNT; i++)
    assert_int_equal(*ws_map_find(&map, key(texts[i], i)), i);
  *ws_map_find(&map, key(texts[7], 7)) = 70;
  assert_int_equal(*ws_map_find(&map, key(texts[7], 7)), 70);
  ws_map_free(&map);
}

static void no_bytes_are_a_key_too(void **state) {
  (void)state;
  struct ws_map map = {0};
  assert_null(ws_map_find(&map, (struct ws_slice){0}));
  assert_int_equal(*ws_map_add(&map, (struct ws_slice){0}, 3), 3);
  assert_int_equal(*ws_map_find(&map, (struct ws_slice){(const uint8_t *)"", 0}), 3);
  assert_null(ws_map_find(&map, (struct ws_slice){(const uint8_t *)"x", 1}));
  ws_map_free(&map);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_key_keeps_its_first_value),
      cmocka_unit_test(no_bytes_are_a_key_too),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
