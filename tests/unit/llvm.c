// src/read/llvm.h: LLVM's reader beside ours, and what becomes of its fatal errors.
#include "unit.h"

#include <pthread.h>

#include "read/linking.h"
#include "read/llvm.h"
#include "read/sections.h"

// One call with a relocation, at offset 3 of the code section.
static const struct sample sample = {
    .stack_pointer = 65536,
    .data_base = 65536,
    .data_size = 16,
    .function = "f",
    // call f, with a padded operand
    .body = {(const uint8_t[]){0x00, 0x10, 0x80, 0x80, 0x80, 0x80, 0x00, 0x0b}, 8},
    .code_relocations = {(const uint8_t[]){0, 4, FUNCTION_SYMBOL}, 3},
    .code_relocation_count = 1,
};

// The module with its sections read, and its symbols if they can be, so that LLVM is the first to look
// further.
static struct ws_module *read_sections(struct ws_slice bytes) {
  struct ws_error error;
  struct ws_module *module = calloc(1, sizeof *module);
  assert_non_null(module);
  module->file = "sample.wasm";
  module->bytes = bytes;
  assert_true(ws_read_sections(module, &error));
  if (!ws_read_linking(module, &error))
    module->symbol_count = 0;
  return module;
}

static struct ws_buffer with_linking_section(struct ws_slice content) {
  struct ws_buffer module = {0};
  put_header(&module);
  put_custom(&module, "linking", content);
  return module;
}

static void a_module_that_llvm_reads_alike_is_agreed_on(void **state) {
  (void)state;
  struct ws_buffer bytes = build(&sample);
  struct ws_module *module = read_sections((struct ws_slice){bytes.data, bytes.size});
  struct ws_error error;
  assert_true(ws_object_agrees(module, &error));
  ws_module_free(module);
  ws_buffer_free(&bytes);
}

static void dwarf_and_names_are_hidden_without_moving_other_sections(void **state) {
  (void)state;
  struct sample with_dwarf = sample;
  with_dwarf.first = ".debug_info";
  struct ws_buffer bytes = build(&with_dwarf);
  put_custom(&bytes, "name", BYTES(1, 7, 2, 0, 1, 'f', 0, 1, 'g')); // LLVM would refuse two names
  struct ws_module *module = read_sections((struct ws_slice){bytes.data, bytes.size});
  struct ws_error error;
  assert_true(ws_object_agrees(module, &error));
  ws_module_free(module);
  ws_buffer_free(&bytes);
}

static void subsections_that_relocations_do_not_need_are_hidden(void **state) {
  (void)state;
  struct ws_buffer bytes = with_linking_section(BYTES(2, 6, 1, 0xff, 8, 1, 0)); // malformed WASM_INIT_FUNCS
  struct ws_module *module = read_sections((struct ws_slice){bytes.data, bytes.size});
  struct ws_error error;
  assert_true(ws_object_agrees(module, &error));
  ws_module_free(module);
  ws_buffer_free(&bytes);
}

static void relocations_that_only_llvm_finds_are_an_error(void **state) {
  (void)state;
  struct ws_buffer bytes = build(&sample);
  struct ws_module *module = read_sections((struct ws_slice){bytes.data, bytes.size});
  uint8_t code = (uint8_t)(ws_section(module, WS_SECTION_CODE) - module->sections);
  ws_module_free(module);
  put_custom(&bytes, "reloc.CODE", BYTES(code, 0)); // for LLVM, it has what the first one has
  module = read_sections((struct ws_slice){bytes.data, bytes.size});
  struct ws_error error;
  assert_false(ws_object_agrees(module, &error));
  assert_string_equal(error.section, "reloc.CODE");
  assert_says(error.message, "LLVM's reader finds other relocations");
  ws_module_free(module);
  ws_buffer_free(&bytes);
}

static struct ws_error refusal(struct ws_slice linking) {
  struct ws_buffer bytes = with_linking_section(linking);
  struct ws_module *module = read_sections((struct ws_slice){bytes.data, bytes.size});
  struct ws_error error = {.message = ""};
  assert_false(ws_object_agrees(module, &error));
  assert_string_equal(error.file, "sample.wasm");
  ws_module_free(module);
  ws_buffer_free(&bytes);
  return error;
}

static void what_llvm_refuses_is_an_error_with_its_reason(void **state) {
  (void)state;
  assert_says(refusal(BYTES(99)).message, "LLVM's reader refuses it: unexpected metadata version: 99");
}

static void a_name_that_llvm_quotes_comes_without_control_characters(void **state) {
  (void)state;
  // A symbol table of two global symbols of the same name, which is an escape sequence.
  struct sample twice = {
      .stack_pointer = 65536,
      .linking = BYTES(2, 8, 17, 2, 2, 0, 0, 4, '\x1b', '[', '2', 'J', 2, 0, 0, 4, '\x1b', '[', '2', 'J')};
  struct ws_buffer bytes = build(&twice);
  struct ws_error error = error_of(&bytes);
  assert_says(error.message, "duplicate symbol name");
  assert_null(strchr(error.message, '\x1b'));
  ws_buffer_free(&bytes);
}

// LLVM reports these with report_fatal_error, which aborts the process when nobody catches it.
static void what_aborts_llvm_is_an_error_with_its_reason(void **state) {
  (void)state;
  // A symbol table (8) whose count is cut off, and one whose count is longer than 64 bits.
  assert_says(refusal(BYTES(2, 8, 1, 0x80)).message, "malformed uleb128, extends past end");
  assert_says(
      refusal(BYTES(2, 8, 11, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f)).message,
      "uleb128 too big for uint64");
}

static void after_what_aborts_llvm_other_modules_are_read_as_ever(void **state) {
  (void)state;
  for (int i = 0; i < 3; i++) {
    refusal(BYTES(2, 8, 1, 0x80));
    struct ws_buffer bytes = build(&sample);
    struct ws_module *module = read_bytes(&bytes, NULL);
    assert_true(ws_module_info(module)->exact);
    assert_int_equal(ws_module_info(module)->relocations[0], 1);
    ws_module_free(module);
    ws_buffer_free(&bytes);
  }
  assert_says(refusal(BYTES(99)).message, "unexpected metadata version");
}

// LLVM would look up the names of what these relocations say, far behind the last symbol.
static void relocations_of_symbols_that_do_not_exist_are_not_shown_to_llvm(void **state) {
  (void)state;
  static const uint8_t function_index[] = {0, 4, 0xff, 0xff, 0xff, 0xff, 7}, type_index[] = {6, 4, 99},
                       function_offset[] = {8, 4, 0xff, 0xff, 0xff, 0xff, 7, 0};
  static const struct ws_slice entries[] = {{function_index, sizeof function_index},
                                            {type_index, sizeof type_index},
                                            {function_offset, sizeof function_offset}};
  for (size_t i = 0; i < sizeof entries / sizeof *entries; i++) {
    struct sample wrong = sample;
    wrong.code_relocations = entries[i];
    struct ws_buffer bytes = build(&wrong);
    struct ws_module *module = read_sections((struct ws_slice){bytes.data, bytes.size});
    struct ws_error error;
    assert_false(ws_object_agrees(module, &error));
    assert_string_equal(error.section, "reloc.CODE");
    assert_says(error.message, "symbol that does not exist");
    ws_module_free(module);
    assert_true(error_of(&bytes).message[0]);
    ws_buffer_free(&bytes);
  }
}

static void section_symbols_of_later_sections_are_not_shown_to_llvm(void **state) {
  (void)state;
  struct sample wrong = sample;
  wrong.linking = BYTES(2, 8, 9, 2, 0, 0, 0, 1, 'f', 3, 2, 7);
  struct ws_buffer bytes = build(&wrong);
  struct ws_error error = error_of(&bytes);
  assert_string_equal(error.section, "linking");
  assert_says(error.message, "symbol 1 is of a section that comes later");
  ws_buffer_free(&bytes);
}

// ------------------------------------------------------------------------------- large modules, in threads

static struct ws_buffer build_large(struct ws_slice linking) {
  struct sample large = sample;
  large.data_size = 100000;
  large.pages = 4;
  large.linking = linking;
  return build(&large);
}
#define TWICE BYTES(2, 8, 11, 2, 0, 0, 0, 1, 'f', 0, 0, 0, 1, 'f') // a symbol table of two symbols f

static bool ignore(void *context, const void *bytes, size_t size) {
  *(size_t *)context += size;
  return bytes != NULL;
}

// Places a module that was read without waiting for LLVM.
static bool place_later(const struct ws_buffer *bytes, struct ws_error *error) {
  size_t size = 0;
  struct ws_module *module = read_bytes(bytes, READ_OPTIONS(.check_later = true));
  assert_non_null(module->checks);
  struct ws_link *link = shifted(module, NULL, 65536, 0);
  bool ok = ws_link_write(link, 0, (struct ws_sink){ignore, &size}, error);
  assert_int_equal(ws_link_write(link, 0, (struct ws_sink){ignore, &size}, error), ok);
  assert_true(size > 200000);
  ws_link_free(link);
  ws_module_free(module);
  return ok;
}

// Merges one that was read so.
static bool merge_later(const struct ws_buffer *bytes, bool whole_code, struct ws_error *error) {
  size_t size = 0;
  struct ws_module *module = read_bytes(bytes, READ_OPTIONS(.check_later = true, .whole_code = whole_code));
  struct ws_link *link = ws_link_new(
      &(struct ws_link_options){.size = sizeof(struct ws_link_options), .one_program = true, .single = true},
      error);
  bool ok = ws_link_add(link, module, "large", error) && ws_link_resolve(link, error) &&
            ws_link_write_single(link, NULL, NULL, (struct ws_sink){ignore, &size}, error);
  ws_link_free(link);
  ws_module_free(module);
  return ok;
}

static void a_large_module_is_refused_as_a_small_one_is(void **state) {
  (void)state;
  struct ws_buffer bytes = build_large(TWICE);
  assert_says(error_of(&bytes).message, "LLVM's reader refuses it: duplicate symbol name");
  ws_buffer_free(&bytes);
}

static void placing_a_large_module_waits_for_llvm_and_fails_if_it_disagrees(void **state) {
  (void)state;
  struct ws_error error;
  struct ws_buffer right = build_large((struct ws_slice){0}), wrong = build_large(TWICE);
  assert_true(place_later(&right, &error));
  assert_false(place_later(&wrong, &error));
  assert_string_equal(error.file, "sample.wasm");
  assert_says(error.message, "duplicate symbol name");
  ws_buffer_free(&right);
  ws_buffer_free(&wrong);
}

static void merging_a_large_module_waits_for_llvm_and_fails_if_it_disagrees(void **state) {
  (void)state;
  struct ws_error error;
  struct ws_buffer right = build_large((struct ws_slice){0}), wrong = build_large(TWICE);
  for (int whole_code = 0; whole_code < 2; whole_code++) {
    if (!merge_later(&right, whole_code, &error))
      fail_msg("%s", error.message);
    assert_false(merge_later(&wrong, whole_code, &error));
    assert_says(error.message, "duplicate symbol name");
  }
  ws_buffer_free(&right);
  ws_buffer_free(&wrong);
}

static void what_both_readers_refuse_is_reported_by_ours(void **state) {
  (void)state;
  static const uint8_t beyond[] = {0, 0xff, 0x7f, FUNCTION_SYMBOL};
  struct sample large = sample;
  large.data_size = 100000;
  large.code_relocations = (struct ws_slice){beyond, sizeof beyond};
  struct ws_buffer bytes = build(&large);
  assert_says(error_of(&bytes).message, "R_WASM_FUNCTION_INDEX_LEB lies outside its section");
  ws_buffer_free(&bytes);
}

static void *read_many(void *context) {
  bool *ok = context;
  struct ws_buffer right = build_large((struct ws_slice){0}), wrong = build_large(TWICE);
  struct ws_error error;
  for (int i = 0; i < 20 && *ok; i++) {
    *ok = place_later(&right, &error) && !place_later(&wrong, &error);
    struct ws_buffer fatal = with_linking_section(BYTES(2, 8, 1, 0x80));
    struct ws_module *module = read_sections((struct ws_slice){fatal.data, fatal.size});
    *ok = *ok && !ws_object_agrees(module, &error) && strstr(error.message, "malformed uleb128");
    ws_module_free(module);
    ws_buffer_free(&fatal);
  }
  ws_buffer_free(&right);
  ws_buffer_free(&wrong);
  return NULL;
}

static void several_threads_can_read_at_once_although_some_abort_llvm(void **state) {
  (void)state;
  enum { THREADS = 4 };
  pthread_t threads[THREADS];
  bool ok[THREADS];
  for (int i = 0; i < THREADS; i++) {
    ok[i] = true;
    assert_int_equal(pthread_create(&threads[i], NULL, read_many, &ok[i]), 0);
  }
  for (int i = 0; i < THREADS; i++) {
    pthread_join(threads[i], NULL);
    assert_true(ok[i]);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_module_that_llvm_reads_alike_is_agreed_on),
      cmocka_unit_test(dwarf_and_names_are_hidden_without_moving_other_sections),
      cmocka_unit_test(subsections_that_relocations_do_not_need_are_hidden),
      cmocka_unit_test(relocations_that_only_llvm_finds_are_an_error),
      cmocka_unit_test(what_llvm_refuses_is_an_error_with_its_reason),
      cmocka_unit_test(a_name_that_llvm_quotes_comes_without_control_characters),
      cmocka_unit_test(what_aborts_llvm_is_an_error_with_its_reason),
      cmocka_unit_test(after_what_aborts_llvm_other_modules_are_read_as_ever),
      cmocka_unit_test(relocations_of_symbols_that_do_not_exist_are_not_shown_to_llvm),
      cmocka_unit_test(section_symbols_of_later_sections_are_not_shown_to_llvm),
      cmocka_unit_test(a_large_module_is_refused_as_a_small_one_is),
      cmocka_unit_test(placing_a_large_module_waits_for_llvm_and_fails_if_it_disagrees),
      cmocka_unit_test(merging_a_large_module_waits_for_llvm_and_fails_if_it_disagrees),
      cmocka_unit_test(what_both_readers_refuse_is_reported_by_ours),
      cmocka_unit_test(several_threads_can_read_at_once_although_some_abort_llvm),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
