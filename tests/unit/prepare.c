// ws_prepare, and what reads what it wrote: ws_module_read and ws_load_open.
#include "unit.h"

#include "runtime/wasmshare_load.h"

enum { PAGE = 65536 };
enum { OPERAND = BODY_OFFSET + 2 };

static const uint8_t body[] = {0x00, 0x41, 0x80, 0x80, 0x84, 0x80, 0x00, 0x1a, 0x0b}; // i32.const, drop
static const uint8_t code_relocations[] = {R_WASM_MEMORY_ADDR_SLEB, OPERAND, DATA_SYMBOL, 0};
static const uint8_t names[] = {7,   18,  1,   0,   15,  '_', '_', 's', 't', 'a',
                                'c', 'k', '_', 'p', 'o', 'i', 'n', 't', 'e', 'r'};

static const struct sample sample = {.stack_pointer = PAGE,
                                     .data_base = PAGE,
                                     .data_size = 40,
                                     .alignment = 6,
                                     .table = true,
                                     .pages = 3,
                                     .maximum = 9,
                                     .names = {names, sizeof names},
                                     .function = "f",
                                     .body = {body, sizeof body},
                                     .code_relocations = {code_relocations, sizeof code_relocations},
                                     .code_relocation_count = 1};

static bool collect(void *context, const void *bytes, size_t size) {
  ws_put_bytes(context, bytes, size);
  return true;
}

static bool stop(void *context, const void *bytes, size_t size) {
  (void)context, (void)bytes, (void)size;
  return false;
}

static struct ws_buffer prepared(const struct sample *from) {
  struct ws_buffer linked = build(from), bytes = {0};
  struct ws_module *module = read_bytes(&linked, NULL);
  struct ws_error error = {.message = ""};
  if (!ws_prepare(module, (struct ws_sink){collect, &bytes}, &error))
    fail_msg("refused: %s", error.message);
  ws_module_free(module);
  ws_buffer_free(&linked);
  return bytes;
}

static struct ws_buffer placed(struct ws_module *module, const struct ws_placement *placement) {
  struct ws_buffer bytes = {0};
  struct ws_error error = {.message = ""};
  if (!ws_place(module, placement, (struct ws_sink){collect, &bytes}, &error))
    fail_msg("refused: %s", error.message);
  return bytes;
}

// --------------------------------------------------------------------------------------------------- facts

static void what_is_read_is_what_was_prepared(void **state) {
  (void)state;
  struct ws_buffer linked = build(&sample), bytes = prepared(&sample);
  struct ws_module *before = read_bytes(&linked, NULL), *after = read_bytes(&bytes, NULL);
  const struct ws_module_info *was = ws_module_info(before), *is = ws_module_info(after);
  assert_true(is->prepared && !was->prepared && is->exact && is->has_relocations);
  assert_int_equal(is->stack_pointer, PAGE);
  assert_int_equal(is->data_base, PAGE);
  assert_int_equal(is->data_end, PAGE + 40);
  assert_int_equal(is->alignment, 64);
  assert_int_equal(is->memory_minimum, 3);
  assert_int_equal(is->memory_maximum, 9);
  assert_int_equal(is->heap_base, was->heap_base);
  assert_int_equal(is->initial_heap, was->initial_heap);
  assert_true(is->has_table);
  assert_int_equal(is->table_base, 1);
  assert_int_equal(is->table_size, 1);
  assert_memory_equal(is->fixups, was->fixups, sizeof is->fixups);
  assert_int_equal(is->global_count, was->global_count);
  ws_module_free(before);
  ws_module_free(after);
  ws_buffer_free(&linked);
  ws_buffer_free(&bytes);
}

static void a_host_reads_the_same(void **state) {
  (void)state;
  struct ws_buffer bytes = prepared(&sample);
  struct ws_load_module module;
  assert_int_equal(ws_load_open(&module, bytes.data, bytes.size), WS_LOAD_OK);
  assert_true(module.has_stack && module.can_share_stack && !module.imports_stack);
  assert_true(module.has_table && module.can_share_table && !module.imports_table);
  assert_int_equal(module.stack_pointer, PAGE);
  assert_int_equal(module.data_end, PAGE + 40);
  assert_int_equal(module.alignment, 64);
  assert_int_equal(module.memory.minimum, 3);
  assert_int_equal(module.memory.maximum, 9);
  assert_int_equal(module.table.minimum, 2);
  unsigned found[WS_LOAD_BASES] = {0};
  struct ws_load_fixups fixups = ws_load_fixups(&module);
  while (ws_load_next(&fixups))
    found[fixups.fixup.base]++;
  assert_false(fixups.malformed);
  assert_int_equal(found[WS_LOAD_MEMORY], 2); // the operand, and the segment
  assert_int_equal(found[WS_LOAD_STACK_HIGH], 1);
  assert_int_equal(found[WS_LOAD_TABLE_BASE], 1);
  ws_buffer_free(&bytes);
}

// ------------------------------------------------------------------------------------------------- placing

static void a_host_places_what_the_library_places(void **state) {
  (void)state;
  struct ws_buffer linked = build(&sample), bytes = prepared(&sample);
  for (int shared = 0; shared < 4; shared++) {
    struct ws_read_options options = {.share_stack = shared & 1, .share_table = shared & 2};
    struct ws_module *module = read_bytes(&linked, &options);
    struct ws_placement placement = {.offset = 0x100000,
                                     .stack_low = 0x20000,
                                     .stack_pointer = 0x30000,
                                     .heap_base = 0x200000,
                                     .heap_end = 0x300000,
                                     .table_base = 200,
                                     .table_end = shared & 2 ? 300 : 0,
                                     .pages = 0x30};
    struct ws_buffer expected = placed(module, &placement);
    struct ws_load_module loaded;
    assert_int_equal(ws_load_open(&loaded, bytes.data, bytes.size), WS_LOAD_OK);
    struct ws_load_placement at = {.offset = placement.offset,
                                   .stack_low = placement.stack_low,
                                   .stack_pointer = placement.stack_pointer,
                                   .heap_base = placement.heap_base,
                                   .heap_end = placement.heap_end,
                                   .table_base = placement.table_base,
                                   .table_end = placement.table_end,
                                   .pages = placement.pages,
                                   .share_stack = options.share_stack,
                                   .share_table = options.share_table};
    size_t size = ws_load_size(&loaded, &at);
    assert_int_equal(size, expected.size);
    uint8_t *to = malloc(size);
    assert_non_null(to);
    assert_int_equal(ws_load_place(&loaded, &at, to, size - 1), WS_LOAD_SPACE);
    assert_int_equal(ws_load_place(&loaded, &at, to, size), WS_LOAD_OK);
    assert_memory_equal(to, expected.data, size);
    free(to);
    ws_module_free(module);
    ws_buffer_free(&expected);
  }
  ws_buffer_free(&linked);
  ws_buffer_free(&bytes);
}

// ------------------------------------------------------------------------------------------------- refused

static void every_byte_that_matters_is_in_the_digest(void **state) {
  (void)state;
  struct ws_buffer bytes = prepared(&sample);
  struct ws_load_module module;
  assert_int_equal(ws_load_open(&module, bytes.data, bytes.size), WS_LOAD_OK);
  size_t covered = module.covered, section = module.prepared.content;
  assert_in_range(covered, bytes.size / 3, section); // code and data, not the names
  for (size_t i = 0; i < bytes.size; i++) {
    bytes.data[i] ^= 0x10;
    enum ws_load_status status = ws_load_open(&module, bytes.data, bytes.size);
    if (i < covered || i >= section)
      assert_int_not_equal(status, WS_LOAD_OK);
    bytes.data[i] ^= 0x10;
  }
  for (size_t size = 0; size < bytes.size; size++)
    assert_int_not_equal(ws_load_open(&module, bytes.data, size), WS_LOAD_OK);
  ws_buffer_free(&bytes);
}

static void the_error_names_the_file_and_says_what_to_do(void **state) {
  (void)state;
  struct ws_buffer bytes = prepared(&sample);
  bytes.data[bytes.size - 1] ^= 1;
  struct ws_error error = error_of(&bytes);
  assert_string_equal(error.file, "sample.wasm");
  assert_string_equal(error.section, "wasmshare");
  assert_says(error.message, "prepare");
  ws_buffer_free(&bytes);
}

static void what_is_decided_when_placing_is_refused_when_preparing(void **state) {
  (void)state;
  struct ws_buffer linked = build(&sample), bytes = {0};
  const struct ws_read_options options[] = {
      {.share_stack = true}, {.share_table = true}, {.keep_relocs = true}};
  for (size_t i = 0; i < sizeof options / sizeof *options; i++) {
    struct ws_error error = {.message = ""};
    struct ws_module *module = read_bytes(&linked, &options[i]);
    assert_false(ws_prepare(module, (struct ws_sink){collect, &bytes}, &error));
    assert_says(error.message, "before it is placed");
    ws_module_free(module);
  }
  assert_int_equal(bytes.size, 0);
  ws_buffer_free(&linked);
}

static void a_sink_that_stops_ends_it_without_a_message(void **state) {
  (void)state;
  struct ws_buffer linked = build(&sample);
  struct ws_error error = {.message = "?"};
  struct ws_module *module = read_bytes(&linked, NULL);
  assert_false(ws_prepare(module, (struct ws_sink){stop, NULL}, &error));
  assert_int_equal(error.code, WS_ERROR_SINK);
  ws_module_free(module);
  ws_buffer_free(&linked);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(what_is_read_is_what_was_prepared),
      cmocka_unit_test(a_host_reads_the_same),
      cmocka_unit_test(a_host_places_what_the_library_places),
      cmocka_unit_test(every_byte_that_matters_is_in_the_digest),
      cmocka_unit_test(the_error_names_the_file_and_says_what_to_do),
      cmocka_unit_test(what_is_decided_when_placing_is_refused_when_preparing),
      cmocka_unit_test(a_sink_that_stops_ends_it_without_a_message),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
