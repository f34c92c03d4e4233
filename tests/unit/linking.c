// src/read/linking.h: the sections that say what things are: linking, name, target_features.
#include "unit.h"

#include "read/linking.h"
#include "read/sections.h"

static const struct sample plain = {
    .stack_pointer = 65536, .data_base = 65536, .data_size = 16, .alignment = 4, .function = "f"};

// The module as far as ws_read_linking goes: LLVM and the relocations come later.
static struct ws_module *decode(const struct ws_buffer *bytes, struct ws_error *error) {
  struct ws_module *module = calloc(1, sizeof *module);
  assert_non_null(module);
  module->file = "sample.wasm";
  module->bytes = (struct ws_slice){bytes->data, bytes->size};
  *error = (struct ws_error){.message = ""};
  if (ws_read_sections(module, error) && ws_read_linking(module, error))
    return module;
  ws_module_free(module);
  return NULL;
}

static struct ws_module *decode_sample(const struct sample *sample, struct ws_buffer *bytes) {
  struct ws_error error;
  *bytes = build(sample);
  struct ws_module *module = decode(bytes, &error);
  if (!module)
    fail_msg("refused: %s: %s", error.section, error.message);
  return module;
}

static struct ws_error refusal_of(const struct sample *sample) {
  struct ws_error error;
  struct ws_buffer bytes = build(sample);
  assert_null(decode(&bytes, &error));
  ws_buffer_free(&bytes);
  return error;
}

// The plain sample with another linking section: version 2 and one subsection.
static struct ws_error refusal_of_subsection(uint8_t kind, struct ws_slice content) {
  struct ws_buffer linking = {0};
  ws_put_u8(&linking, 2);
  ws_put_u8(&linking, kind);
  ws_put_name(&linking, content);
  struct sample sample = plain;
  sample.linking = (struct ws_slice){linking.data, linking.size};
  struct ws_error error = refusal_of(&sample);
  ws_buffer_free(&linking);
  assert_string_equal(error.section, "linking");
  return error;
}

// ------------------------------------------------------------------------------------------------- symbols

static void symbols_have_kind_flags_name_and_place(void **state) {
  (void)state;
  struct ws_buffer bytes;
  struct ws_module *module = decode_sample(&plain, &bytes);
  assert_true(module->has_linking);
  assert_int_equal(module->symbol_count, 4);

  assert_int_equal(module->symbols[FUNCTION_SYMBOL].kind, WS_SYMBOL_FUNCTION);
  assert_int_equal(module->symbols[FUNCTION_SYMBOL].index, 0);
  assert_slice_is(module->symbols[FUNCTION_SYMBOL].name, text("f"));

  assert_int_equal(module->symbols[DATA_SYMBOL].kind, WS_SYMBOL_DATA);
  assert_slice_is(module->symbols[DATA_SYMBOL].name, text("datum"));
  assert_int_equal(module->symbols[DATA_SYMBOL].index, 0);
  assert_int_equal(module->symbols[DATA_SYMBOL].offset, 0);
  assert_int_equal(module->symbols[DATA_SYMBOL].size, 16);

  assert_int_equal(module->symbols[STACK_SYMBOL].kind, WS_SYMBOL_GLOBAL);
  assert_slice_is(module->symbols[STACK_SYMBOL].name, text("__stack_pointer"));

  assert_int_equal(module->symbols[UNDEFINED_SYMBOL].flags, WS_SYMBOL_UNDEFINED);
  assert_slice_is(module->symbols[UNDEFINED_SYMBOL].name, text("elsewhere"));
  ws_module_free(module);
  ws_buffer_free(&bytes);
}

static void symbols_name_functions_and_globals(void **state) {
  (void)state;
  struct ws_buffer bytes;
  struct ws_module *module = decode_sample(&plain, &bytes);
  assert_slice_is(module->functions[0].name, text("f"));
  assert_slice_is(module->globals[0].name, text("__stack_pointer"));
  ws_module_free(module);
  ws_buffer_free(&bytes);
}

static void an_undefined_function_is_called_as_its_import_unless_it_has_a_name(void **state) {
  (void)state;
  struct ws_buffer bytes = {0};
  put_header(&bytes);
  struct ws_buffer content = {0};
  ws_put_bytes(&content, "\1\x60\0\0", 4);
  put_section(&bytes, WS_SECTION_TYPE, &content);
  ws_put_bytes(&content, "\2\3env\5first\0\0\3env\6second\0\0", 26);
  put_section(&bytes, WS_SECTION_IMPORT, &content);
  put_custom(&bytes, "linking",
             BYTES(2, WASM_SYMBOL_TABLE, 13, 2, WS_SYMBOL_FUNCTION, WS_SYMBOL_UNDEFINED, 0,
                   WS_SYMBOL_FUNCTION, WS_SYMBOL_UNDEFINED | WS_SYMBOL_EXPLICIT_NAME, 1, 5, 'o', 't', 'h',
                   'e', 'r'));
  struct ws_error error;
  struct ws_module *module = decode(&bytes, &error);
  assert_non_null(module);
  assert_int_equal(module->symbol_count, 2);
  assert_slice_is(module->symbols[0].name, text("first"));
  assert_slice_is(module->symbols[1].name, text("other"));
  ws_module_free(module);
  ws_buffer_free(&bytes);
}

static void a_data_symbol_may_be_at_the_end_of_its_segment_but_not_beyond(void **state) {
  (void)state;
  struct sample sample = plain;
  struct ws_buffer bytes;
  sample.linking = BYTES(2, WASM_SYMBOL_TABLE, 8, 1, WS_SYMBOL_DATA, 0, 1, 'e', 0, 16, 0);
  ws_module_free(decode_sample(&sample, &bytes));
  ws_buffer_free(&bytes);
  assert_says(refusal_of_subsection(WASM_SYMBOL_TABLE, BYTES(1, WS_SYMBOL_DATA, 0, 1, 'e', 0, 17, 0)).message,
              "symbol 0");
}

static void an_absolute_symbol_is_its_address_and_in_no_segment(void **state) {
  (void)state;
  struct sample sample = plain;
  struct ws_buffer bytes;
  sample.linking =
      BYTES(2, WASM_SYMBOL_TABLE, 11, 1, WS_SYMBOL_DATA, 0x84, 0x04, 1, 'h', 99, 0x80, 0x80, 0x40, 0);
  struct ws_module *module = decode_sample(&sample, &bytes);
  assert_int_equal(module->symbols[0].flags, WS_SYMBOL_ABSOLUTE | WS_SYMBOL_HIDDEN);
  assert_int_equal(module->symbols[0].offset, 0x100000);
  ws_module_free(module);
  ws_buffer_free(&bytes);
}

static void an_absolute_symbol_is_not_thread_local(void **state) {
  (void)state;
  assert_says(refusal_of_subsection(WASM_SYMBOL_TABLE, BYTES(1, WS_SYMBOL_DATA, 0x84, 0x06, 1, 'h', 0, 16, 0))
                  .message,
              "symbol 0");
}

static void symbols_of_what_does_not_exist_are_refused(void **state) {
  (void)state;
  assert_says(refusal_of_subsection(WASM_SYMBOL_TABLE, BYTES(1, WS_SYMBOL_FUNCTION, 0, 1, 1, 'x')).message,
              "not exist");
  assert_says(refusal_of_subsection(WASM_SYMBOL_TABLE, BYTES(1, WS_SYMBOL_GLOBAL, 0, 1, 1, 'x')).message,
              "not exist");
  assert_says(refusal_of_subsection(WASM_SYMBOL_TABLE, BYTES(1, WS_SYMBOL_TABLE, 0, 0, 1, 'x')).message,
              "not exist");
  assert_says(refusal_of_subsection(WASM_SYMBOL_TABLE, BYTES(1, WS_SYMBOL_DATA, 0, 1, 'x', 1, 0, 1)).message,
              "not exist");
  assert_says(refusal_of_subsection(WASM_SYMBOL_TABLE, BYTES(1, WS_SYMBOL_SECTION, 0, 99)).message,
              "not exist");
  assert_says(refusal_of_subsection(WASM_SYMBOL_TABLE, BYTES(1, 6, 0, 0)).message, "unknown kind");
}

static void a_count_beyond_the_bytes_is_refused_before_anything_is_allocated(void **state) {
  (void)state;
  assert_says(refusal_of_subsection(WASM_SYMBOL_TABLE, BYTES(0xff, 0xff, 0xff, 0xff, 0x0f)).message,
              "malformed");
}

static void bytes_after_the_last_symbol_are_refused(void **state) {
  (void)state;
  assert_says(refusal_of_subsection(WASM_SYMBOL_TABLE, BYTES(0, 0)).message, "malformed");
}

// ------------------------------------------------------------------------------------------------ segments

static void segments_have_name_alignment_and_whether_they_are_thread_local(void **state) {
  (void)state;
  struct sample sample = plain;
  struct ws_buffer bytes;
  sample.linking = BYTES(2, WASM_SEGMENT_INFO, 9, 1, 5, '.', 't', 'b', 's', 's', 6, 2);
  struct ws_module *module = decode_sample(&sample, &bytes);
  assert_slice_is(module->segments[0].name, text(".tbss"));
  assert_int_equal(module->segments[0].alignment, 6);
  assert_true(module->segments[0].tls);
  ws_module_free(module);
  ws_buffer_free(&bytes);
}

static void another_number_of_segments_than_the_linker_wrote_is_refused(void **state) {
  (void)state;
  assert_says(refusal_of_subsection(WASM_SEGMENT_INFO, BYTES(2, 1, 'a', 0, 0, 1, 'b', 0, 0)).message,
              "describes 2 data segments, but there are 1");
  assert_says(refusal_of_subsection(WASM_SEGMENT_INFO, BYTES(0)).message, "rewritten after linking");
}

static void an_alignment_that_is_no_address_is_refused(void **state) {
  (void)state;
  assert_says(refusal_of_subsection(WASM_SEGMENT_INFO, BYTES(1, 1, 'a', 32, 0)).message, "malformed");
}

// ------------------------------------------------------------------------------------- the section as such

static void subsections_that_say_nothing_about_pointers_are_skipped(void **state) {
  (void)state;
  struct sample sample = plain;
  struct ws_buffer bytes;
  sample.linking = BYTES(2, 6, 2, 0xff, 0xff, 99, 0, WASM_SYMBOL_TABLE, 1, 0);
  struct ws_module *module = decode_sample(&sample, &bytes);
  assert_true(module->has_linking);
  assert_int_equal(module->symbol_count, 0);
  ws_module_free(module);
  ws_buffer_free(&bytes);
}

static void another_version_is_refused(void **state) {
  (void)state;
  struct sample sample = plain;
  sample.linking = BYTES(3);
  assert_says(refusal_of(&sample).message, "version 3");
}

static void a_second_linking_section_is_refused(void **state) {
  (void)state;
  struct ws_error error;
  struct ws_buffer bytes = build(&plain);
  put_custom(&bytes, "linking", BYTES(2));
  assert_null(decode(&bytes, &error));
  assert_says(error.message, "repeated");
  ws_buffer_free(&bytes);
}

static void a_linking_section_cut_off_anywhere_is_refused(void **state) {
  (void)state;
  struct ws_buffer bytes;
  struct ws_module *module = decode_sample(&plain, &bytes);
  struct ws_slice whole = ws_custom_section(module, "linking")->content;
  const uint8_t *symbols = whole.data + 3 + whole.data[2]; // behind version and WASM_SEGMENT_INFO
  for (size_t size = 1; size < whole.size; size++) {
    if (size == 1 || whole.data + size == symbols)
      continue; // between subsections: valid
    struct sample sample = plain;
    sample.linking = (struct ws_slice){whole.data, size};
    assert_string_equal(refusal_of(&sample).section, "linking");
  }
  ws_module_free(module);
  ws_buffer_free(&bytes);
}

static void a_shared_library_is_refused(void **state) {
  (void)state;
  struct ws_error error;
  struct ws_buffer bytes = build(&plain);
  put_custom(&bytes, "dylink.0", BYTES(0));
  assert_null(decode(&bytes, &error));
  assert_says(error.message, "shared library");
  ws_buffer_free(&bytes);
}

// --------------------------------------------------------------------------------------------------- names

enum { LOCAL_NAMES = 2 };

static void the_name_section_names_what_the_symbol_table_does_not(void **state) {
  (void)state;
  struct sample sample = plain;
  struct ws_buffer bytes;
  sample.linking = BYTES(2);
  sample.names =
      BYTES(WASM_NAMES_FUNCTION, 4, 1, 0, 1, 'n', LOCAL_NAMES, 1, 0xff, WASM_NAMES_GLOBAL, 4, 1, 0, 1, 'g');
  struct ws_module *module = decode_sample(&sample, &bytes);
  assert_slice_is(module->functions[0].name, text("n"));
  assert_slice_is(module->globals[0].name, text("g"));
  ws_module_free(module);
  ws_buffer_free(&bytes);
}

static void the_symbol_table_wins_over_the_name_section(void **state) {
  (void)state;
  struct sample sample = plain;
  struct ws_buffer bytes;
  sample.names = BYTES(WASM_NAMES_FUNCTION, 4, 1, 0, 1, 'n', WASM_NAMES_GLOBAL, 4, 1, 0, 1, 'g');
  struct ws_module *module = decode_sample(&sample, &bytes);
  assert_slice_is(module->functions[0].name, text("f"));
  assert_slice_is(module->globals[0].name, text("__stack_pointer"));
  ws_module_free(module);
  ws_buffer_free(&bytes);
}

static void names_of_what_does_not_exist_are_passed_over(void **state) {
  (void)state;
  struct sample sample = plain;
  struct ws_buffer bytes;
  sample.names = BYTES(WASM_NAMES_FUNCTION, 8, 1, 0xff, 0xff, 0xff, 0xff, 0x0f, 1, 'n', WASM_NAMES_GLOBAL, 4,
                       1, 1, 1, 'g');
  ws_module_free(decode_sample(&sample, &bytes));
  ws_buffer_free(&bytes);
}

static void a_malformed_name_section_is_refused(void **state) {
  (void)state;
  struct sample sample = plain;
  sample.names = BYTES(WASM_NAMES_FUNCTION, 3, 1, 0, 9);
  assert_string_equal(refusal_of(&sample).section, "name");
  sample.names = BYTES(WASM_NAMES_FUNCTION, 99);
  assert_string_equal(refusal_of(&sample).section, "name");
}

// ------------------------------------------------------------------------------------------------ features

static bool has_bulk_memory(struct ws_slice features) {
  struct ws_error error;
  struct ws_buffer bytes = {0};
  put_header(&bytes);
  put_custom(&bytes, "target_features", features);
  struct ws_module *module = decode(&bytes, &error);
  assert_non_null(module);
  bool has = module->has_bulk_memory;
  ws_module_free(module);
  ws_buffer_free(&bytes);
  return has;
}

static void bulk_memory_is_there_only_when_it_is_used(void **state) {
  (void)state;
  assert_true(has_bulk_memory(BYTES(1, '+', 11, 'b', 'u', 'l', 'k', '-', 'm', 'e', 'm', 'o', 'r', 'y')));
  assert_true(has_bulk_memory(BYTES(2, '+', 1, 'x', '+', 15, 'b', 'u', 'l', 'k', '-', 'm', 'e', 'm', 'o', 'r',
                                    'y', '-', 'o', 'p', 't')));
  assert_false(has_bulk_memory(BYTES(1, '-', 11, 'b', 'u', 'l', 'k', '-', 'm', 'e', 'm', 'o', 'r', 'y')));
  assert_false(has_bulk_memory(BYTES(0)));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(symbols_have_kind_flags_name_and_place),
      cmocka_unit_test(symbols_name_functions_and_globals),
      cmocka_unit_test(an_undefined_function_is_called_as_its_import_unless_it_has_a_name),
      cmocka_unit_test(a_data_symbol_may_be_at_the_end_of_its_segment_but_not_beyond),
      cmocka_unit_test(an_absolute_symbol_is_its_address_and_in_no_segment),
      cmocka_unit_test(an_absolute_symbol_is_not_thread_local),
      cmocka_unit_test(symbols_of_what_does_not_exist_are_refused),
      cmocka_unit_test(a_count_beyond_the_bytes_is_refused_before_anything_is_allocated),
      cmocka_unit_test(bytes_after_the_last_symbol_are_refused),
      cmocka_unit_test(segments_have_name_alignment_and_whether_they_are_thread_local),
      cmocka_unit_test(another_number_of_segments_than_the_linker_wrote_is_refused),
      cmocka_unit_test(an_alignment_that_is_no_address_is_refused),
      cmocka_unit_test(subsections_that_say_nothing_about_pointers_are_skipped),
      cmocka_unit_test(another_version_is_refused),
      cmocka_unit_test(a_second_linking_section_is_refused),
      cmocka_unit_test(a_linking_section_cut_off_anywhere_is_refused),
      cmocka_unit_test(a_shared_library_is_refused),
      cmocka_unit_test(the_name_section_names_what_the_symbol_table_does_not),
      cmocka_unit_test(the_symbol_table_wins_over_the_name_section),
      cmocka_unit_test(names_of_what_does_not_exist_are_passed_over),
      cmocka_unit_test(a_malformed_name_section_is_refused),
      cmocka_unit_test(bulk_memory_is_there_only_when_it_is_used),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
