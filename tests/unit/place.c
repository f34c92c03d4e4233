// ws_link_write and ws_check_placed: the moved module, as bytes.
#include "unit.h"

enum { PAGE = 65536 };

// One pointer of each kind: in code, in data (at 8 to data, at 12 to a function), the stack's, the segments'
// own.
enum { OPERAND = BODY_OFFSET + 2 };
static const uint8_t body[] = {0x00, 0x41, 0x80, 0x80, 0x84, 0x80, 0x00, 0x1a, 0x0b}; // i32.const, drop
static const uint8_t code_relocations[] = {R_WASM_MEMORY_ADDR_SLEB, OPERAND, DATA_SYMBOL, 0};
static const uint8_t data[32] = {1, 2, 3, 4, 5, 6, 7, 8, 0, 0, 1, 0, 1, 0, 0, 0, 17, 18};
static const uint8_t names[] = {7,   18,  1,   0,   15,  '_', '_', 's', 't', 'a',
                                'c', 'k', '_', 'p', 'o', 'i', 'n', 't', 'e', 'r'};
static uint8_t data_relocations[] = {R_WASM_MEMORY_ADDR_I32, 0, DATA_SYMBOL,    0,
                                     R_WASM_TABLE_INDEX_I32, 0, FUNCTION_SYMBOL};

static struct sample sample(void) {
  struct sample sample = {.stack_pointer = PAGE,
                          .data_base = PAGE,
                          .data_size = sizeof data,
                          .data = data,
                          .alignment = 4,
                          .table = true,
                          .pages = 2,
                          .names = {names, sizeof names},
                          .function = "f",
                          .body = {body, sizeof body},
                          .code_relocations = {code_relocations, sizeof code_relocations},
                          .code_relocation_count = 1,
                          .data_relocations = {data_relocations, sizeof data_relocations},
                          .data_relocation_count = 2};
  data_relocations[1] = (uint8_t)(data_offset(&sample) + 8);
  data_relocations[5] = (uint8_t)(data_offset(&sample) + 12);
  return sample;
}

// --------------------------------------------------------------------------------------------------- sinks

struct stopping {
  size_t calls, allowed;
};

static bool stop(void *context, const void *bytes, size_t size) {
  struct stopping *stopping = context;
  assert_non_null(bytes);
  assert_true(size > 0);
  assert_in_range(stopping->calls, 0, stopping->allowed); // none after it was told to stop
  return stopping->calls++ < stopping->allowed;
}

// Reads the sample, places it, and reads the result again.
struct moved {
  struct ws_buffer before, after;
  struct ws_module *module, *result;
  struct ws_link *link;
  struct ws_placement placement;
};

static struct moved move(const struct sample *from, uint64_t offset, uint64_t table_offset,
                         const struct ws_link_options *options) {
  struct moved moved = {.before = build(from)};
  moved.module = read_bytes(&moved.before, NULL);
  moved.link = shifted(moved.module, options, offset, table_offset);
  moved.placement = *ws_link_placement(moved.link, 0);
  moved.after = written(moved.link, 0);
  moved.result = read_named("placed.wasm", &moved.after, READ_OPTIONS(.placed = true));
  return moved;
}

static void free_moved(struct moved *moved) {
  ws_link_free(moved->link);
  ws_module_free(moved->result);
  ws_module_free(moved->module);
  ws_buffer_free(&moved->after);
  ws_buffer_free(&moved->before);
}

static struct ws_slice content_of(const struct ws_module *module, enum ws_section_id id) {
  const struct ws_section *section = ws_section(module, id);
  assert_non_null(section);
  return section->content;
}

// -------------------------------------------------------------------------------------- what moves, or not

static void every_pointer_moves(void **state) {
  (void)state;
  struct sample from = sample();
  struct moved moved = move(&from, 0x123450, 7, NULL);
  uint64_t value;
  assert_true(ws_operand_get(content_of(moved.result, WS_SECTION_CODE).data + OPERAND, WS_SLEB32, &value));
  assert_int_equal(value, PAGE + 0x123450);
  const uint8_t *bytes = moved.result->segments[0].bytes.data;
  assert_true(ws_operand_get(bytes + 8, WS_U32, &value));
  assert_int_equal(value, PAGE + 0x123450);
  assert_true(ws_operand_get(bytes + 12, WS_U32, &value));
  assert_int_equal(value, 1 + 7);
  assert_int_equal(moved.result->segments[0].address, PAGE + 0x123450);
  assert_int_equal(moved.result->globals[0].init.value, PAGE + 0x123450);
  assert_int_equal(moved.result->elements[0].offset, 1 + 7);
  free_moved(&moved);
}

static void nothing_else_changes(void **state) {
  (void)state;
  struct sample from = sample();
  struct moved moved = move(&from, 0x123450, 0, NULL);
  const uint8_t *bytes = moved.result->segments[0].bytes.data;
  assert_memory_equal(bytes, data, 8);
  assert_memory_equal(bytes + 12, data + 12, sizeof data - 12);
  static const enum ws_section_id unchanged[] = {WS_SECTION_TYPE, WS_SECTION_FUNCTION, WS_SECTION_TABLE};
  for (size_t i = 0; i < sizeof unchanged / sizeof *unchanged; i++)
    assert_slice_is(content_of(moved.result, unchanged[i]), content_of(moved.module, unchanged[i]));
  assert_slice_is(ws_custom_section(moved.result, "target_features")->content,
                  ws_custom_section(moved.module, "target_features")->content);
  struct ws_slice was = content_of(moved.module, WS_SECTION_CODE),
                  is = content_of(moved.result, WS_SECTION_CODE);
  assert_int_equal(is.size, was.size);
  assert_memory_equal(is.data, was.data, OPERAND);
  assert_memory_equal(is.data + OPERAND + 5, was.data + OPERAND + 5, 2);
  free_moved(&moved);
}

static void a_module_that_moved_past_the_sign_bit_can_move_back(void **state) {
  (void)state;
  static const uint64_t offsets[] = {UINT64_C(0x80000000) - PAGE, UINT64_C(0xffe00000)};
  struct sample from = sample();
  from.stack_pointer = 2 * PAGE; // behind the data: what is known of a stack is its high end
  struct moved stayed = move(&from, 0, 0, NULL);
  for (size_t i = 0; i < 2; i++) {
    struct moved up = move(&from, offsets[i], 0, LINK_OPTIONS(.keep_relocs = true));
    uint64_t value;
    assert_true(ws_operand_get(content_of(up.result, WS_SECTION_CODE).data + OPERAND, WS_SLEB32, &value));
    assert_int_equal(value, PAGE + offsets[i]);

    struct ws_module *again = read_bytes(&up.after, NULL);
    struct ws_link *down = shifted(again, NULL, 0 - offsets[i], 0);
    struct ws_buffer back = written(down, 0);
    assert_slice_is(built(&back), built(&stayed.after));
    ws_buffer_free(&back);
    ws_link_free(down);
    ws_module_free(again);
    free_moved(&up);
  }
  free_moved(&stayed);
}

static void a_table_grows_by_what_its_functions_move(void **state) {
  (void)state;
  struct sample from = sample();
  struct moved moved = move(&from, 0, 100, NULL);
  assert_int_equal(moved.result->tables[0].limits.minimum, 2 + 100);
  assert_int_equal(moved.result->tables[0].limits.maximum, 2 + 100);
  free_moved(&moved);
}

static void sixty_four_bit_addresses_move_past_four_gibibytes(void **state) {
  (void)state;
  static const struct sample wide = {
      .memory64 = true, .stack_pointer = PAGE, .data_base = PAGE, .data_size = 32};
  struct moved moved = move(&wide, UINT64_C(5) << 30, 0, NULL);
  assert_int_equal(moved.result->segments[0].address, PAGE + (UINT64_C(5) << 30));
  assert_int_equal(moved.result->globals[0].init.value, PAGE + (UINT64_C(5) << 30));
  free_moved(&moved);
}

// Data of several times the writer's own buffer: pointers every 7 bytes, so that some lie across its end, and
// then none, so that bytes are handed on without a copy.
enum { LARGE = 700000, POINTERS_END = 350000 };
static uint8_t large_data[LARGE];

static struct sample large_sample(struct ws_buffer *relocations) {
  struct sample from = {.stack_pointer = PAGE, .data_base = PAGE, .data_size = LARGE, .data = large_data};
  for (size_t i = 0; i < LARGE; i++)
    large_data[i] = (uint8_t)(i * 31 + i / 251);
  for (uint32_t at = 0; at < POINTERS_END; at += 7) {
    ws_operand_put(large_data + at, WS_U32, PAGE);
    ws_put_u8(relocations, R_WASM_MEMORY_ADDR_I32);
    ws_put_uleb(relocations, data_offset(&from) + at);
    ws_put_bytes(relocations, (const uint8_t[]){DATA_SYMBOL, 0}, 2);
    from.data_relocation_count++;
  }
  from.data_relocations = built(relocations);
  return from;
}

static void large_data_is_written_whole_with_its_pointers_moved(void **state) {
  (void)state;
  struct ws_buffer relocations = {0};
  struct sample from = large_sample(&relocations);
  struct moved moved = move(&from, 0x4320, 0, NULL);
  for (uint32_t at = 0; at < POINTERS_END; at += 7)
    ws_operand_put(large_data + at, WS_U32, PAGE + 0x4320);
  assert_int_equal(moved.result->segments[0].bytes.size, LARGE);
  assert_memory_equal(moved.result->segments[0].bytes.data, large_data, LARGE);
  free_moved(&moved);
  ws_buffer_free(&relocations);
}

// ---------------------------------------------------------------------------------------- memory, sections

static void the_memory_import_has_the_pages_of_the_layout(void **state) {
  (void)state;
  struct sample from = sample();
  from.maximum = 50;
  struct moved moved = move(&from, 10 * PAGE, 0, NULL);
  assert_int_equal(ws_module_info(moved.result)->memory_minimum, moved.placement.pages);
  assert_int_equal(ws_module_info(moved.result)->memory_maximum, 50);
  free_moved(&moved);
}

static void a_memory_of_its_own_becomes_the_import_env_memory(void **state) {
  (void)state;
  struct sample from = sample();
  from.defines_memory = true;
  struct moved moved = move(&from, 0, 0, NULL);
  assert_false(ws_module_info(moved.module)->imports_memory);
  assert_true(ws_module_info(moved.result)->imports_memory);
  assert_string_equal(ws_module_info(moved.result)->memory_module, "env");
  assert_string_equal(ws_module_info(moved.result)->memory_name, "memory");
  assert_null(ws_section(moved.result, WS_SECTION_MEMORY));
  free_moved(&moved);
}

static void relocations_are_left_out_unless_they_are_to_be_kept(void **state) {
  (void)state;
  struct sample from = sample();
  struct moved moved = move(&from, 16, 0, NULL);
  assert_null(ws_custom_section(moved.result, "linking"));
  assert_null(ws_custom_section(moved.result, "reloc.CODE"));
  assert_null(ws_custom_section(moved.result, "reloc.DATA"));
  free_moved(&moved);
  moved = move(&from, 16, 0, LINK_OPTIONS(.keep_relocs = true));
  assert_non_null(ws_custom_section(moved.result, "linking"));
  assert_non_null(ws_custom_section(moved.result, "reloc.CODE"));
  assert_non_null(ws_custom_section(moved.result, "reloc.DATA"));
  free_moved(&moved);
}

static void zeros_at_the_end_of_data_are_cleared_at_the_start_instead_of_written(void **state) {
  (void)state;
  static uint8_t mostly_zero[5000] = {1, 2, 3};
  static const struct sample from = {.stack_pointer = PAGE,
                                     .data_base = PAGE,
                                     .data_size = sizeof mostly_zero,
                                     .data = mostly_zero,
                                     .function = "f",
                                     .bulk_memory = true};
  struct moved moved = move(&from, 0x10000, 0, NULL);
  assert_int_equal(ws_module_info(moved.module)->zero_bytes, sizeof mostly_zero - 3);
  assert_int_equal(moved.result->segments[0].bytes.size, 3);
  assert_true(moved.result->has_start);
  assert_int_equal(moved.result->init_begin, 2 * PAGE + 3);
  assert_int_equal(moved.result->init_end, 2 * PAGE + sizeof mostly_zero);
  free_moved(&moved);

  struct sample without_bulk_memory = from;
  without_bulk_memory.bulk_memory = false;
  moved = move(&without_bulk_memory, 0x10000, 0, NULL);
  assert_int_equal(moved.result->segments[0].bytes.size, sizeof mostly_zero);
  free_moved(&moved);
}

static void placing_leaves_the_module_as_it_was(void **state) {
  (void)state;
  struct sample from = sample();
  struct ws_buffer bytes = build(&from);
  struct ws_module *module = read_bytes(&bytes, NULL);
  struct ws_link *here = shifted(module, NULL, 16, 0), *there = shifted(module, NULL, 0x100000, 9);
  struct ws_buffer first = written(here, 0), second = written(there, 0), third = written(here, 0);
  assert_slice_is(built(&first), built(&third));
  assert_int_equal(first.size, second.size);
  ws_link_free(here);
  ws_link_free(there);
  ws_buffer_free(&first);
  ws_buffer_free(&second);
  ws_buffer_free(&third);
  ws_module_free(module);
  ws_buffer_free(&bytes);
}

// ------------------------------------------------------------------------------------------------ refusals

static void a_sink_that_stops_ends_it_with_an_error_of_its_own(void **state) {
  (void)state;
  struct ws_buffer relocations = {0};
  struct sample from = large_sample(&relocations);
  struct ws_buffer bytes = build(&from);
  struct ws_module *module = read_bytes(&bytes, NULL);
  struct ws_link *link = shifted(module, NULL, PAGE, 0);
  size_t allowed = 0;
  for (bool stopped = true; stopped; allowed++) {
    struct stopping stopping = {.allowed = allowed};
    struct ws_error error = {.code = WS_ERROR_MODULE};
    stopped = !ws_link_write(link, 0, (struct ws_sink){stop, &stopping}, &error);
    assert_int_equal(error.code, stopped ? WS_ERROR_SINK : WS_ERROR_MODULE);
    assert_int_equal(stopping.calls, stopped ? allowed + 1 : allowed);
  }
  assert_true(allowed > 3); // it stopped in the middle too
  ws_link_free(link);
  ws_module_free(module);
  ws_buffer_free(&bytes);
  ws_buffer_free(&relocations);
}

static void an_inexact_module_is_refused_for_its_own_reason(void **state) {
  (void)state;
  struct ws_buffer bytes = {0};
  put_header(&bytes);
  struct ws_module *module = read_named("bare.wasm", &bytes, NULL);
  struct ws_link *link = link_one(module, NULL);
  struct stopping stopping = {0};
  struct ws_error error;
  assert_false(ws_link_shift(link, 0, 0, NULL, &error));
  assert_string_equal(error.file, "bare.wasm");
  assert_says(error.message, "has no memory");
  assert_false(ws_link_write(link, 0, (struct ws_sink){stop, &stopping}, &error));
  assert_says(error.message, "nothing was planned");
  assert_int_equal(stopping.calls, 0);
  ws_link_free(link);
  ws_module_free(module);
  ws_buffer_free(&bytes);
}

static void a_module_that_was_not_planned_is_not_written(void **state) {
  (void)state;
  struct sample from = sample();
  struct ws_buffer bytes = build(&from);
  struct ws_module *module = read_bytes(&bytes, NULL);
  struct ws_link *link = link_one(module, NULL);
  struct ws_error error;
  struct stopping stopping = {0};
  const struct ws_sink sink = {stop, &stopping};
  assert_false(ws_link_write(link, 0, sink, &error));
  assert_says(error.message, "nothing was planned");
  assert_null(ws_link_placement(link, 0));
  assert_null(ws_link_planned(link));

  assert_true(ws_link_plan(link, NULL, &error));
  assert_non_null(ws_link_placement(link, 0));
  assert_null(ws_link_placement(link, 1));
  assert_false(ws_link_write(link, 1, sink, &error)); // there is no such module
  assert_says(error.message, "nothing was planned");

  add_module(link, module, "two"); // the plan was without it
  assert_false(ws_link_write(link, 0, sink, &error));
  assert_false(ws_link_plan(link, PLAN_OPTIONS(.alignment = 48), &error));
  assert_false(ws_link_write(link, 0, sink, &error));
  assert_int_equal(stopping.calls, 0);
  ws_link_free(link);
  ws_module_free(module);
  ws_buffer_free(&bytes);
}

// -------------------------------------------------------------------------------------------------- checks

static void what_was_placed_passes_the_check(void **state) {
  (void)state;
  struct sample from = sample();
  for (int keep = 0; keep < 2; keep++) {
    struct moved moved = move(&from, 0x123450, 7, LINK_OPTIONS(.keep_relocs = keep));
    struct ws_error error = {.message = ""};
    if (!ws_check_placed(moved.result, &moved.placement, NULL, 0, &error))
      fail_msg("refused: %s", error.message);
    free_moved(&moved);
  }
}

static void what_is_not_where_the_layout_says_fails_the_check(void **state) {
  (void)state;
  struct sample from = sample();
  struct moved moved = move(&from, 0x123450, 7, NULL);
  const struct ws_placement right = moved.placement;
  struct ws_error error;

  struct ws_placement wrong = right;
  wrong.pages++;
  assert_false(ws_check_placed(moved.result, &wrong, NULL, 0, &error));
  assert_string_equal(error.section, "IMPORT");

  wrong = right;
  wrong.has_maximum = true;
  assert_false(ws_check_placed(moved.result, &wrong, NULL, 0, &error));
  assert_string_equal(error.section, "IMPORT");

  wrong = right;
  wrong.data_end--;
  assert_false(ws_check_placed(moved.result, &wrong, NULL, 0, &error));
  assert_string_equal(error.section, "DATA");

  wrong = right;
  wrong.data_base++;
  assert_false(ws_check_placed(moved.result, &wrong, NULL, 0, &error));
  assert_string_equal(error.section, "DATA");

  wrong = right;
  wrong.stack_pointer += 16;
  assert_false(ws_check_placed(moved.result, &wrong, NULL, 0, &error));
  assert_string_equal(error.section, "GLOBAL");

  wrong = right;
  wrong.table_base++;
  assert_false(ws_check_placed(moved.result, &wrong, NULL, 0, &error));
  assert_string_equal(error.section, "ELEMENT");

  wrong = right;
  wrong.table_size--;
  assert_false(ws_check_placed(moved.result, &wrong, NULL, 0, &error));
  assert_string_equal(error.section, "ELEMENT");

  assert_string_equal(error.file, "placed.wasm");
  free_moved(&moved);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(every_pointer_moves),
      cmocka_unit_test(nothing_else_changes),
      cmocka_unit_test(a_module_that_moved_past_the_sign_bit_can_move_back),
      cmocka_unit_test(a_table_grows_by_what_its_functions_move),
      cmocka_unit_test(sixty_four_bit_addresses_move_past_four_gibibytes),
      cmocka_unit_test(large_data_is_written_whole_with_its_pointers_moved),
      cmocka_unit_test(the_memory_import_has_the_pages_of_the_layout),
      cmocka_unit_test(a_memory_of_its_own_becomes_the_import_env_memory),
      cmocka_unit_test(relocations_are_left_out_unless_they_are_to_be_kept),
      cmocka_unit_test(zeros_at_the_end_of_data_are_cleared_at_the_start_instead_of_written),
      cmocka_unit_test(placing_leaves_the_module_as_it_was),
      cmocka_unit_test(a_sink_that_stops_ends_it_with_an_error_of_its_own),
      cmocka_unit_test(an_inexact_module_is_refused_for_its_own_reason),
      cmocka_unit_test(a_module_that_was_not_planned_is_not_written),
      cmocka_unit_test(what_was_placed_passes_the_check),
      cmocka_unit_test(what_is_not_where_the_layout_says_fails_the_check),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
