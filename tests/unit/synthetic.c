// src/read/synthetic.h: the functions that the linker writes itself, whose addresses have no relocations.
#include "unit.h"

enum { FLAG = 1100 }; // that threads share

#define I32_ATOMIC_STORE 0xfe, 0x17, 0x02, 0x00
#define I32_ATOMIC_CMPXCHG 0xfe, 0x48, 0x02, 0x00
#define MEMORY_ATOMIC_NOTIFY 0xfe, 0x00, 0x02, 0x00
#define MEMORY_ATOMIC_WAIT32 0xfe, 0x01, 0x02, 0x00
#define BLOCK 0x02, 0x40

static const struct ws_address *address_at(const struct ws_linker_function *function, size_t index) {
  assert_in_range(index, 0, function->address_count - 1);
  return &function->addresses[index];
}

// The only function of the linker's that was found.
static const struct ws_linker_function *only_function(const struct ws_module *module) {
  assert_int_equal(module->linker_function_count, 1);
  assert_int_equal(module->linker_functions[0].function, 0);
  return &module->linker_functions[0];
}

// ------------------------------------------------------------------------------------------- what is found

static void an_address_is_found_with_its_place_in_the_body(void **state) {
  (void)state;
  struct sample sample = with_function(
      "__wasm_init_memory", BYTES(0, ADDRESS(ZEROS), I32_CONST, 0, I32_CONST, 32, MEMORY_FILL, END));
  struct ws_buffer bytes = build(&sample);
  struct ws_module *module = read_bytes(&bytes, NULL);
  assert_int_equal(only_function(module)->address_count, 1);
  const struct ws_address *address = address_at(only_function(module), 0);
  assert_int_equal(address->start, 2);
  assert_int_equal(address->end, 4);
  assert_int_equal(address->value, ZEROS);
  assert_true(module->functions[0].synthetic && module->functions[0].unpadded);
  assert_int_equal(ws_section(module, WS_SECTION_CODE)->fixup_count, 0);
  ws_module_free(module);
  ws_buffer_free(&bytes);
}

static void what_it_writes_to_belongs_to_the_data(void **state) {
  (void)state;
  struct sample sample = with_function(
      "__wasm_init_memory", BYTES(0, ADDRESS(ZEROS), I32_CONST, 0, I32_CONST, 32, MEMORY_FILL, END));
  struct ws_buffer bytes = build(&sample);
  struct ws_module *module = read_bytes(&bytes, NULL);
  assert_int_equal(module->init_begin, ZEROS);
  assert_int_equal(module->init_end, ZEROS + 32);
  assert_int_equal(ws_module_info(module)->data_base, DATA);
  assert_int_equal(ws_module_info(module)->data_end, ZEROS + 32);
  ws_module_free(module);
  ws_buffer_free(&bytes);
}

static void a_function_whose_addresses_are_padded_has_fixups(void **state) {
  (void)state;
  struct sample sample =
      with_function("__wasm_init_memory", BYTES(0, I32_CONST, 0x80, 0x90, 0x80, 0x80, 0x00, I32_CONST, 0,
                                                I32_CONST, 32, MEMORY_FILL, END));
  struct ws_buffer bytes = build(&sample);
  struct ws_module *module = read_bytes(&bytes, NULL);
  assert_int_equal(address_at(only_function(module), 0)->value, ZEROS);
  assert_false(module->functions[0].unpadded);
  const struct ws_section *code = ws_section(module, WS_SECTION_CODE);
  assert_int_equal(code->fixup_count, 1);
  assert_int_equal(code->fixups[0].offset, BODY_OFFSET + 2);
  assert_int_equal(code->fixups[0].base, WS_BASE_MEMORY);
  ws_module_free(module);
  ws_buffer_free(&bytes);
}

static void a_function_without_addresses_has_none(void **state) {
  (void)state;
  struct sample sample = with_function("__wasm_init_tls", BYTES(0, END));
  struct ws_buffer bytes = build(&sample);
  struct ws_module *module = read_bytes(&bytes, NULL);
  assert_int_equal(only_function(module)->address_count, 0);
  assert_false(module->functions[0].unpadded);
  assert_int_equal(ws_section(module, WS_SECTION_CODE)->fixup_count, 0);
  ws_module_free(module);
  ws_buffer_free(&bytes);
}

static void a_start_function_is_the_linkers_whatever_its_name(void **state) {
  (void)state;
  struct sample sample =
      with_function("", BYTES(0, ADDRESS(ZEROS), I32_CONST, 0, I32_CONST, 32, MEMORY_FILL, END));
  struct ws_buffer bytes = build(&sample);
  struct ws_module *module = read_bytes(&bytes, NULL);
  assert_int_equal(address_at(only_function(module), 0)->value, ZEROS);
  ws_module_free(module);
  ws_buffer_free(&bytes);
}

static void there_can_be_any_number_of_addresses(void **state) {
  (void)state;
  struct ws_buffer body = {0};
  ws_put_u8(&body, 0);
  for (int i = 0; i < 5000; i++)
    ws_put_slice(&body, BYTES(ADDRESS(ZEROS), I32_CONST, 0, I32_CONST, 1, MEMORY_FILL));
  ws_put_u8(&body, END);
  struct sample sample = with_function("__wasm_init_memory", built(&body));
  struct ws_buffer bytes = build(&sample);
  struct ws_module *module = read_bytes(&bytes, NULL);
  assert_int_equal(only_function(module)->address_count, 5000);
  assert_int_equal(address_at(only_function(module), 4999)->value, ZEROS);
  ws_module_free(module);
  ws_buffer_free(&bytes);
  ws_buffer_free(&body);
}

static void the_programs_own_functions_are_not_decoded(void **state) {
  (void)state;
  // f32.const, which no function of the linker's has
  struct sample sample = with_function("f", BYTES(0, 0x43, 0, 0, 0, 0, 0x1a, END));
  sample.starts = false;
  struct ws_buffer bytes = build(&sample);
  struct ws_module *module = read_bytes(&bytes, NULL);
  assert_int_equal(module->linker_function_count, 0);
  ws_module_free(module);
  ws_buffer_free(&bytes);
}

static void a_passive_segment_is_where_it_is_copied_to(void **state) {
  (void)state;
  struct sample sample =
      with_passive_data(BYTES(0, ADDRESS(DATA), I32_CONST, 0, I32_CONST, 16, MEMORY_INIT, DATA_DROP, END));
  struct ws_buffer bytes = build(&sample);
  struct ws_module *module = read_bytes(&bytes, NULL);
  assert_true(module->segments[0].placed);
  assert_int_equal(module->segments[0].address, DATA);
  assert_int_equal(module->segments[0].zeros, 0);
  assert_int_equal(address_at(only_function(module), 0)->value, DATA);
  ws_module_free(module);
  ws_buffer_free(&bytes);
}

static void a_passive_segment_of_zeros_is_where_it_is_cleared_and_its_bytes_are_not_needed(void **state) {
  (void)state;
  static const uint8_t zeros[16];
  struct sample sample =
      with_passive_data(BYTES(0, ADDRESS(ZEROS), I32_CONST, 0, I32_CONST, 16, MEMORY_FILL, END));
  sample.data = zeros;
  struct ws_buffer bytes = build(&sample);
  struct ws_module *module = read_bytes(&bytes, NULL);
  assert_true(module->segments[0].placed);
  assert_int_equal(module->segments[0].address, ZEROS);
  assert_int_equal(module->segments[0].zeros, 16);
  ws_module_free(module);
  ws_buffer_free(&bytes);
}

// As lld/wasm/Writer.cpp has it: the first thread initialises, the others wait for it.
static void every_address_of_the_threads_handshake_is_found(void **state) {
  (void)state;
  struct sample sample = with_passive_data(
      BYTES(0, BLOCK, BLOCK, BLOCK,                                                               //
            ADDRESS(FLAG), I32_CONST, 0, I32_CONST, 1, I32_ATOMIC_CMPXCHG, 0x0e, 2, 0, 1, 2, END, // br_table
            ADDRESS(DATA), I32_CONST, 0, I32_CONST, 16, MEMORY_INIT,                              //
            ADDRESS(FLAG), I32_CONST, 2, I32_ATOMIC_STORE,                                        //
            ADDRESS(FLAG), I32_CONST, 0x7f, MEMORY_ATOMIC_NOTIFY, 0x1a, 0x0c, 1, END,             // drop, br
            ADDRESS(FLAG), I32_CONST, 1, 0x42, 0x7f, MEMORY_ATOMIC_WAIT32, 0x1a, END, DATA_DROP, END));
  struct ws_buffer bytes = build(&sample);
  struct ws_module *module = read_bytes(&bytes, NULL);
  const struct ws_linker_function *function = only_function(module);
  static const uint64_t addresses[] = {FLAG, DATA, FLAG, FLAG, FLAG};
  assert_int_equal(function->address_count, 5);
  for (size_t i = 0; i < 5; i++)
    assert_int_equal(address_at(function, i)->value, addresses[i]);
  assert_int_equal(module->init_begin, DATA);
  assert_int_equal(module->init_end, FLAG + 4);
  ws_module_free(module);
  ws_buffer_free(&bytes);
}

// ----------------------------------------------------------------------------------------- what is refused

static struct ws_error refusal_of(struct sample sample) {
  struct ws_buffer bytes = build(&sample);
  struct ws_error error = error_of(&bytes);
  ws_buffer_free(&bytes);
  assert_string_equal(error.section, "CODE");
  assert_says(error.message, "in __wasm_init_memory, which the linker wrote");
  return error;
}
#define REFUSAL_OF(...) refusal_of(with_function("__wasm_init_memory", BYTES(0, __VA_ARGS__, END))).message
#define PASSIVE_REFUSAL_OF(...) refusal_of(with_passive_data(BYTES(0, __VA_ARGS__, END))).message

static void an_instruction_that_linkers_do_not_write_there_is_refused(void **state) {
  (void)state;
  assert_says(REFUSAL_OF(ADDRESS(DATA), 0x28, 2, 0, 0x1a), "an unexpected instruction");    // i32.load
  assert_says(REFUSAL_OF(0x43, 0, 0, 0, 0, 0x1a), "an unexpected instruction");             // f32.const
  assert_says(REFUSAL_OF(ADDRESS(DATA), 0xfd, 0, 0, 0, 0x1a), "an unexpected instruction"); // v128.load
  assert_says(REFUSAL_OF(ADDRESS(DATA), I32_CONST, 0, I32_CONST, 1, 0xfc, 10, 0, 0),        // memory.copy
              "an unexpected bulk-memory instruction");
  assert_says(REFUSAL_OF(ADDRESS(FLAG), I32_CONST, 1, 0xfe, 0x1e, 2, 0, 0x1a), // i32.atomic.rmw.add
              "an unexpected atomic instruction");
}

static void an_address_that_cannot_be_seen_whole_is_refused(void **state) {
  (void)state;
  assert_says(
      REFUSAL_OF(ADDRESS(DATA), I32_CONST, 8, 0x6a, I32_CONST, 0, I32_CONST, 1, MEMORY_FILL), // i32.add
      "a sum of constants");
  assert_says(REFUSAL_OF(ADDRESS(DATA), 0x21, 0), "a constant kept in a local");
  assert_says(REFUSAL_OF(ADDRESS(FLAG), I32_CONST, 2, 0xfe, 0x17, 2, 4),
              "an atomic instruction with an offset");
  assert_says(REFUSAL_OF(ADDRESS(DATA), 0x23, 0, 0x36, 2, 4),
              "a store with an offset"); // global.get, i32.store
  assert_says(REFUSAL_OF(ADDRESS(DATA), I32_CONST, 1, 0x36, 2, 0), "a store of a constant");
  assert_says(REFUSAL_OF(ADDRESS(DATA), 0x24, 0), "a global that is not __tls_base");
}

static void memory_that_is_not_wholly_known_is_refused(void **state) {
  (void)state;
  assert_says(REFUSAL_OF(0x23, 0, I32_CONST, 0, I32_CONST, 1, MEMORY_FILL), "a memory.fill of something");
  assert_says(REFUSAL_OF(ADDRESS(ZEROS), I32_CONST, 0, 0x23, 0, MEMORY_FILL), "a memory.fill of something");
  assert_says(PASSIVE_REFUSAL_OF(ADDRESS(ZEROS), I32_CONST, 0, I32_CONST, 99, MEMORY_FILL),
              "no zeroed data segment");
  assert_says(PASSIVE_REFUSAL_OF(ADDRESS(DATA), I32_CONST, 0, I32_CONST, 15, MEMORY_INIT),
              "does not copy a whole passive segment");
  assert_says(PASSIVE_REFUSAL_OF(ADDRESS(DATA), I32_CONST, 1, I32_CONST, 16, MEMORY_INIT),
              "does not copy a whole passive segment");
}

static void a_body_that_makes_no_sense_is_refused(void **state) {
  (void)state;
  assert_says(REFUSAL_OF(MEMORY_FILL), "an empty operand stack");
  assert_says(REFUSAL_OF(END, 0x01), "a malformed body"); // goes on after its end
  assert_says(REFUSAL_OF(BLOCK), "a malformed body");     // ends before its end
  assert_says(REFUSAL_OF(0x02, 0x7f, I32_CONST, 0, END, 0x1a), "a block with a result");
  assert_says(REFUSAL_OF(0x10, 99),
              "a call of an import, or that returns something"); // of a function that does not exist
  assert_says(REFUSAL_OF(I32_CONST, 0, I32_CONST, 0, I32_CONST, 0, I32_CONST, 0, I32_CONST, 0, I32_CONST, 0,
                         I32_CONST, 0, I32_CONST, 0, I32_CONST, 0),
              "too deep an operand stack");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(an_address_is_found_with_its_place_in_the_body),
      cmocka_unit_test(what_it_writes_to_belongs_to_the_data),
      cmocka_unit_test(a_function_whose_addresses_are_padded_has_fixups),
      cmocka_unit_test(a_function_without_addresses_has_none),
      cmocka_unit_test(a_start_function_is_the_linkers_whatever_its_name),
      cmocka_unit_test(there_can_be_any_number_of_addresses),
      cmocka_unit_test(the_programs_own_functions_are_not_decoded),
      cmocka_unit_test(a_passive_segment_is_where_it_is_copied_to),
      cmocka_unit_test(a_passive_segment_of_zeros_is_where_it_is_cleared_and_its_bytes_are_not_needed),
      cmocka_unit_test(every_address_of_the_threads_handshake_is_found),
      cmocka_unit_test(an_instruction_that_linkers_do_not_write_there_is_refused),
      cmocka_unit_test(an_address_that_cannot_be_seen_whole_is_refused),
      cmocka_unit_test(memory_that_is_not_wholly_known_is_refused),
      cmocka_unit_test(a_body_that_makes_no_sense_is_refused),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
