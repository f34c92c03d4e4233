// ws_link_resolve: who gives what to whom, and in which order modules are instantiated.
#include <stdio.h>

#include "unit.h"

#include "link/link.h"

// Modules that are nothing but their imports and exports: each has at most one function type, and one of
// both.
enum { MOST = 4 };
static struct ws_module modules[MOST];
static const char *const names[MOST] = {"one", "two", "three", "four"};
static struct ws_import imports[MOST][30];
static struct ws_export exports[MOST][2];
static struct ws_type types[MOST];
static uint32_t function_type; // 0, that of every function
static char problems[16384];
static struct ws_link *together;
static struct ws_error error;

static void report(void *context, const struct ws_error *problem) {
  (void)context;
  size_t used = strlen(problems);
  ws_error_format(problem, problems + used, sizeof problems - used - 1);
  strcat(problems, "\n");
}

static int set_up(void **state) {
  (void)state;
  static const uint8_t i32[] = {0x7f};
  problems[0] = '\0';
  for (size_t i = 0; i < MOST; i++) {
    types[i] = (struct ws_type){{i32, sizeof i32}, {i32, sizeof i32}};
    modules[i] = (struct ws_module){.file = names[i],
                                    .imports = imports[i],
                                    .exports = exports[i],
                                    .types = &types[i],
                                    .type_count = 1,
                                    .function_types = &function_type,
                                    .function_count = 1,
                                    .info.exact = true};
  }
  return 0;
}

static int tear_down(void **state) {
  (void)state;
  ws_link_free(together);
  together = NULL;
  for (size_t i = 0; i < MOST; i++)
    ws_arena_free(&modules[i].arena);
  return 0;
}

static void add_import(size_t module, const char *from, const char *name, enum ws_external_kind kind) {
  struct ws_module *to = &modules[module];
  to->imports[to->import_count++] = (struct ws_import){.module = text(from),
                                                       .name = text(name),
                                                       .module_text = from,
                                                       .name_text = name,
                                                       .kind = (uint8_t)kind};
}

static void add_export(size_t module, const char *name, enum ws_external_kind kind) {
  struct ws_module *to = &modules[module];
  to->exports[to->export_count++] = (struct ws_export){.name = text(name), .kind = (uint8_t)kind};
}

// A new link of the first `count` modules, resolved.
static bool resolve(size_t count, struct ws_link_options options) {
  options.size = sizeof options;
  options.report = report;
  ws_link_free(together);
  together = new_link(&options);
  for (size_t i = 0; i < count; i++) {
    assert_true(ws_index_exports(&modules[i]));
    add_module(together, &modules[i], names[i]);
  }
  error = (struct ws_error){.message = ""};
  return ws_link_resolve(together, &error);
}

// Which module gives another the only thing that it imports.
static size_t exporter_for(size_t module) {
  struct ws_import_info info;
  assert_true(ws_link_import(together, module, 0, &info));
  assert_string_equal(info.module, imports[module][0].module_text);
  assert_string_equal(info.name, imports[module][0].name_text);
  assert_int_equal(info.kind, imports[module][0].kind);
  assert_false(ws_link_import(together, module, 1, &info));
  return info.from;
}

#define OPTIONS(...) ((struct ws_link_options){__VA_ARGS__})
#define DEFAULTS OPTIONS(.prefer_count = 0)
#define assert_refused(what, ...)                                                                            \
  do {                                                                                                       \
    assert_false(resolve(__VA_ARGS__));                                                                      \
    assert_says(problems, what);                                                                             \
  } while (0)

static void an_import_from_env_is_what_another_module_exports(void **state) {
  (void)state;
  add_import(0, "env", "f", WS_FUNCTION);
  add_export(0, "f", WS_FUNCTION);
  add_export(2, "f", WS_FUNCTION);
  assert_true(resolve(3, DEFAULTS));
  assert_int_equal(exporter_for(0), 2);
}

static void an_import_of_a_module_is_what_that_exports(void **state) {
  (void)state;
  add_import(0, "three", "f", WS_FUNCTION);
  add_export(1, "f", WS_FUNCTION);
  add_export(2, "f", WS_FUNCTION);
  assert_true(resolve(3, DEFAULTS));
  assert_int_equal(exporter_for(0), 2);
}

static void an_export_of_another_kind_does_not_count(void **state) {
  (void)state;
  add_import(0, "env", "f", WS_FUNCTION);
  add_export(1, "f", WS_GLOBAL);
  assert_refused("one: imports the function env.f, which no module exports", 2, DEFAULTS);
}

static void what_comes_from_the_layout_is_not_looked_for(void **state) {
  (void)state;
  add_import(0, "env", "memory", WS_MEMORY);
  add_import(0, "env", "__indirect_function_table", WS_TABLE);
  assert_true(resolve(1, DEFAULTS));
  struct ws_import_info info;
  assert_false(ws_link_import(together, 0, 0, &info));
}

static void a_stack_pointer_comes_from_the_layout_if_it_is_shared(void **state) {
  (void)state;
  add_import(0, "env", "__stack_pointer", WS_GLOBAL);
  modules[0].info.imports_stack = true;
  struct ws_import_info info;
  assert_true(resolve(1, OPTIONS(.share_stack = true)));
  assert_false(ws_link_import(together, 0, 0, &info));
  assert_refused("one: imports its stack pointer: combine it with --stack=shared", 1, DEFAULTS);
}

static void what_the_host_gives_is_not_looked_for(void **state) {
  (void)state;
  add_import(0, "env", "f", WS_FUNCTION);
  add_export(1, "f", WS_FUNCTION);
  assert_true(
      resolve(2, OPTIONS(.host_imports = (const char *const[]){"env.g", "env.f"}, .host_import_count = 2)));
  assert_true(exporter_for(0) == WS_HOST);
  assert_true(resolve(2, OPTIONS(.host_modules = (const char *const[]){"env"}, .host_module_count = 1)));
  assert_true(exporter_for(0) == WS_HOST);
  // a part of the name is not the name
  assert_true(
      resolve(2, OPTIONS(.host_imports = (const char *const[]){"env.", "env.ff"}, .host_import_count = 2)));
  assert_int_equal(exporter_for(0), 1);
}

static void wasi_is_the_hosts(void **state) {
  (void)state;
  add_import(0, "wasi_snapshot_preview1", "f", WS_FUNCTION);
  assert_true(resolve(1, DEFAULTS));
  assert_true(exporter_for(0) == WS_HOST);
}

static void of_two_exports_the_preferred_one_is_taken(void **state) {
  (void)state;
  add_import(0, "env", "f", WS_FUNCTION);
  for (size_t i = 1; i < 4; i++)
    add_export(i, "f", WS_FUNCTION);
  assert_refused("which both two and four export", 4, DEFAULTS);
  assert_true(resolve(4, OPTIONS(.prefer = (const char *const[]){"four", "two"}, .prefer_count = 2)));
  assert_int_equal(exporter_for(0), 3);
  assert_true(resolve(4, OPTIONS(.prefer = (const char *const[]){"one", "three"}, .prefer_count = 2)));
  assert_int_equal(exporter_for(0), 2);
}

static void types_must_be_the_same(void **state) {
  (void)state;
  add_import(0, "env", "f", WS_FUNCTION);
  add_export(1, "f", WS_FUNCTION);
  types[1].results = BYTES(0x7e);
  assert_refused("with another type than two exports it with: (i32) -> i32 here, (i32) -> i64 there", 2,
                 DEFAULTS);
  types[1] = (struct ws_type){BYTES(0x7f, 0x7b), {0}};
  assert_refused("with another type than two exports it with: (i32) -> i32 here, (i32, v128) -> () there", 2,
                 DEFAULTS);
}

static void types_that_refer_to_others_are_left_to_the_engine(void **state) {
  (void)state;
  add_import(0, "env", "f", WS_FUNCTION);
  add_export(1, "f", WS_FUNCTION);
  types[0].parameters = BYTES(0x64, 0x03);
  types[1].parameters = BYTES(0x64, 0x05);
  assert_true(resolve(2, DEFAULTS));
}

static void a_function_that_is_passed_on_has_the_type_of_its_import(void **state) {
  (void)state;
  add_import(0, "two", "f", WS_FUNCTION);
  add_import(1, "three", "g", WS_FUNCTION);
  add_export(1, "f", WS_FUNCTION); // index 0: the import
  add_export(2, "g", WS_FUNCTION);
  modules[1].imported_functions = 1;
  assert_true(resolve(3, DEFAULTS));
  assert_true(ws_link_import_matches(together, 0, 0, 1));
  types[0].results = BYTES(0x7c);
  assert_false(ws_link_import_matches(together, 0, 0, 1));
}

static void a_zero_byte_in_a_name_is_refused(void **state) {
  (void)state;
  add_import(0, "env", "f", WS_FUNCTION);
  imports[0][0].name = (struct ws_slice){(const uint8_t *)"f\0g", 3};
  assert_refused("a function with a zero byte in its name", 1, DEFAULTS);
}

static void a_near_miss_is_suggested(void **state) {
  (void)state;
  add_import(0, "env", "craete_object", WS_FUNCTION);
  add_export(1, "create_object", WS_FUNCTION);
  add_export(1, "create_objects", WS_FUNCTION);
  assert_refused("did you mean create_object, of two?", 2, DEFAULTS);
  problems[0] = '\0';
  exports[1][0].name = exports[1][1].name = text("something_else");
  assert_false(resolve(2, DEFAULTS));
  assert_null(strstr(problems, "did you mean"));
}

static void all_that_is_missing_is_reported(void **state) {
  (void)state;
  add_import(0, "env", "f", WS_FUNCTION);
  add_import(0, "two", "g", WS_FUNCTION);
  add_import(1, "other", "h", WS_GLOBAL);
  assert_refused("one: imports the function env.f, which no module exports", 2, DEFAULTS);
  assert_says(problems, "one: imports the function two.g, which two does not export");
  assert_says(problems, "two: imports the global other.h, which is of no module that is combined");
}

static void of_many_that_are_missing_the_first_are_reported(void **state) {
  (void)state;
  for (int i = 0; i < 23; i++)
    add_import(0, "env", i < 20 ? "first" : "later", WS_FUNCTION);
  assert_refused("one: imports the function env.first, which no module exports", 2, DEFAULTS);
  assert_null(strstr(problems, "env.later"));
  assert_says(problems, "and 3 more errors like these");
}

static void what_cannot_be_moved_is_reported_before_names(void **state) {
  (void)state;
  add_import(0, "env", "f", WS_FUNCTION);
  modules[1].info.exact = false;
  ws_fail(&modules[1].info.inexact, "two", NULL, WS_NO_OFFSET, "cannot be moved");
  assert_false(resolve(2, DEFAULTS));
  assert_string_equal(problems, "two: cannot be moved\n");
}

// --------------------------------------------------------------------------------------------------- order

static void assert_order(size_t count, const char *expected) {
  assert_true(resolve(count, DEFAULTS));
  const size_t *order = ws_link_order(together);
  char found[64] = "";
  for (size_t i = 0; i < count; i++)
    snprintf(found + strlen(found), sizeof found - strlen(found), "%s%s", i ? " " : "", names[order[i]]);
  assert_string_equal(found, expected);
}

static void modules_that_need_nothing_keep_their_order(void **state) {
  (void)state;
  assert_order(4, "one two three four");
}

static void a_module_comes_after_what_it_needs(void **state) {
  (void)state;
  add_import(0, "env", "f", WS_FUNCTION);
  add_import(1, "four", "g", WS_GLOBAL);
  add_export(1, "f", WS_FUNCTION);
  add_export(3, "g", WS_GLOBAL);
  modules[3].global_count = 1;
  static struct ws_global global;
  modules[3].globals = &global;
  imports[1][0].detail = global.detail;
  assert_order(4, "four two one three");
}

static void what_needs_a_circle_comes_after_it(void **state) {
  (void)state;
  add_import(0, "three", "h", WS_FUNCTION);
  add_import(1, "three", "h", WS_FUNCTION);
  add_import(2, "two", "g", WS_FUNCTION);
  add_export(1, "g", WS_FUNCTION);
  add_export(2, "h", WS_FUNCTION);
  assert_order(3, "two three one");
}

static void a_global_in_a_circle_is_refused(void **state) {
  (void)state;
  add_import(0, "two", "g", WS_TABLE);
  add_import(1, "one", "f", WS_TABLE);
  add_export(0, "f", WS_TABLE);
  add_export(1, "g", WS_TABLE);
  assert_false(resolve(2, DEFAULTS));
  assert_null(ws_link_order(together));
  assert_says(problems, "imports the table g of two, which needs this module first");
  assert_says(error.message, "imports the table g of two, which needs this module first");
}

static void a_long_chain_needs_no_deep_stack(void **state) {
  (void)state;
  enum { LENGTH = 200000 };
  static struct ws_external external;
  static const struct ws_module user = {.file = "user", .externals = &external, .external_count = 1};
  together = new_link(NULL);
  for (size_t i = 0; i < LENGTH; i++) {
    char name[32];
    snprintf(name, sizeof name, "user%zu", i);
    add_module(together, &user, name);
    together->inputs[i].externals[0].from = i + 1; // the last one's is no module
  }
  assert_true(ws_find_order(together, &error));
  for (size_t i = 0; i < LENGTH; i++)
    assert_int_equal(together->order[i], LENGTH - 1 - i);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(an_import_from_env_is_what_another_module_exports),
      TEST(an_import_of_a_module_is_what_that_exports),
      TEST(an_export_of_another_kind_does_not_count),
      TEST(what_comes_from_the_layout_is_not_looked_for),
      TEST(a_stack_pointer_comes_from_the_layout_if_it_is_shared),
      TEST(what_the_host_gives_is_not_looked_for),
      TEST(wasi_is_the_hosts),
      TEST(of_two_exports_the_preferred_one_is_taken),
      TEST(types_must_be_the_same),
      TEST(types_that_refer_to_others_are_left_to_the_engine),
      TEST(a_function_that_is_passed_on_has_the_type_of_its_import),
      TEST(a_zero_byte_in_a_name_is_refused),
      TEST(a_near_miss_is_suggested),
      TEST(all_that_is_missing_is_reported),
      TEST(of_many_that_are_missing_the_first_are_reported),
      TEST(what_cannot_be_moved_is_reported_before_names),
      TEST(modules_that_need_nothing_keep_their_order),
      TEST(a_module_comes_after_what_it_needs),
      TEST(what_needs_a_circle_comes_after_it),
      TEST(a_global_in_a_circle_is_refused),
      TEST(a_long_chain_needs_no_deep_stack),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
