// ws_prepare, and what reads what it wrote: ws_module_read and ws_load_open.
#include "unit.h"

#include "runtime/wasmshare_load.h"
#include "write/make.h"
#include "write/place.h"

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

static bool stop(void *context, const void *bytes, size_t size) {
  (void)context, (void)bytes, (void)size;
  return false;
}

static struct ws_buffer prepared(const struct sample *from) {
  struct ws_buffer linked = build(from), bytes = {0};
  struct ws_module *module = read_bytes(&linked, NULL);
  struct ws_error error = {.message = ""};
  if (!ws_prepare(module, (struct ws_sink){collect, &bytes}, &error))
    fail_with(&error);
  ws_module_free(module);
  ws_buffer_free(&linked);
  return bytes;
}

// The module at a placement, whatever would be planned for it.
static struct ws_buffer placed(const struct ws_module *module, const struct ws_placement *placement,
                               const struct ws_link_options *options) {
  struct ws_buffer bytes = {0};
  struct ws_image image;
  struct ws_error error = {.message = ""};
  struct ws_link *link = link_one(module, options);
  link->inputs[0].placement = *placement;
  if (!ws_image_make(&image, link, 0, &error) || !ws_place(&image, (struct ws_sink){collect, &bytes}, &error))
    fail_with(&error);
  ws_image_free(&image);
  ws_link_free(link);
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
  struct ws_module *module = read_bytes(&linked, NULL);
  for (int shared = 0; shared < 4; shared++) {
    struct ws_placement placement = {.offset = 0x100000,
                                     .stack_low = 0x20000,
                                     .stack_pointer = 0x30000,
                                     .heap_base = 0x200000,
                                     .heap_end = 0x300000,
                                     .table_base = 200,
                                     .table_end = shared & 2 ? 300 : 0,
                                     .pages = 0x30};
    struct ws_link_options options = {WS_OPTIONS(options), .share_stack = shared & 1,
                                      .share_table = shared & 2};
    struct ws_buffer expected = placed(module, &placement, &options);
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
    ws_buffer_free(&expected);
  }
  ws_module_free(module);
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

static void what_is_decided_about_a_module_is_not_in_what_is_prepared(void **state) {
  (void)state;
  struct ws_buffer linked = build(&sample), expected = prepared(&sample);
  struct ws_module *module = read_bytes(&linked, NULL);
  struct ws_link_options *const choices[] = {LINK_OPTIONS(.share_stack = true),
                                             LINK_OPTIONS(.share_table = true),
                                             LINK_OPTIONS(.keep_relocs = true)};
  for (size_t i = 0; i < sizeof choices / sizeof *choices; i++) {
    struct ws_link *link = link_one(module, choices[i]);
    struct ws_error error = {.message = ""};
    struct ws_buffer bytes = {0};
    assert_true(ws_link_plan(link, PLAN_OPTIONS(.base = 4 * PAGE), &error));
    assert_true(ws_prepare(module, (struct ws_sink){collect, &bytes}, &error));
    assert_slice_is(built(&bytes), built(&expected));
    ws_buffer_free(&bytes);
    ws_link_free(link);
  }
  ws_module_free(module);
  ws_buffer_free(&linked);
  ws_buffer_free(&expected);
}

static void a_prepared_module_has_no_relocations_that_could_be_kept(void **state) {
  (void)state;
  struct ws_buffer bytes = prepared(&sample);
  struct ws_module *module = read_bytes(&bytes, NULL);
  struct ws_link *link = new_link(LINK_OPTIONS(.keep_relocs = true));
  struct ws_error error = {.message = ""};
  assert_false(ws_link_add(link, module, "one", &error));
  assert_string_equal(error.file, "sample.wasm");
  assert_says(error.message, "is prepared, so there are no relocations to keep");
  ws_link_free(link);
  ws_module_free(module);
  ws_buffer_free(&bytes);
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
      cmocka_unit_test(what_is_decided_about_a_module_is_not_in_what_is_prepared),
      cmocka_unit_test(a_prepared_module_has_no_relocations_that_could_be_kept),
      cmocka_unit_test(a_sink_that_stops_ends_it_without_a_message),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
