// src/write/image.h: the sections of a module as they are written, with every pointer of full width.
#include "unit.h"

#include "write/image.h"
#include "write/make.h"

enum { PAGE = 65536 };

// A sample as far as its image; it is not moved.
struct imaged {
  struct ws_buffer bytes;
  struct ws_module *module;
  struct ws_link *link;
  struct ws_image image;
};

static struct imaged *image_of(const struct sample *sample, const struct ws_link_options *options) {
  struct imaged *imaged = calloc(1, sizeof *imaged);
  assert_non_null(imaged);
  imaged->bytes = build(sample);
  imaged->module = read_bytes(&imaged->bytes, NULL);
  imaged->link = link_one(imaged->module, options);
  imaged->link->inputs[0].placement = (struct ws_placement){.pages = 1, .table_base = 1};
  struct ws_error error;
  if (!ws_image_make(&imaged->image, imaged->link, 0, &error))
    fail_with(&error);
  return imaged;
}
#define NO_CHOICES NULL
#define KEEP_RELOCS LINK_OPTIONS(.keep_relocs = true)
#define SHARE_STACK LINK_OPTIONS(.share_stack = true)
#define SHARE_TABLE LINK_OPTIONS(.share_table = true)

static void free_imaged(struct imaged *imaged) {
  ws_image_free(&imaged->image);
  ws_link_free(imaged->link);
  ws_module_free(imaged->module);
  ws_buffer_free(&imaged->bytes);
  free(imaged);
}

static const struct ws_image_section *find(const struct imaged *imaged, enum ws_section_id id) {
  for (size_t i = 0; i < imaged->image.section_count; i++)
    if (imaged->image.sections[i].id == id && !imaged->image.sections[i].dropped)
      return &imaged->image.sections[i];
  return NULL;
}

// The pieces of a section in one, with its first fixups, at their offsets there.
struct content {
  struct ws_buffer bytes;
  struct ws_fixup fixups[4];
  size_t fixup_count;
};

static struct content content_of(const struct imaged *imaged, enum ws_section_id id) {
  struct content content = {.fixup_count = 0};
  const struct ws_image_section *section = find(imaged, id);
  assert_non_null(section);
  for (size_t i = 0; i < section->piece_count; i++) {
    const struct ws_piece *piece = &section->pieces[i];
    for (size_t k = 0; k < piece->fixup_count; k++) {
      struct ws_fixup fixup = piece->fixups[k];
      assert_in_range(fixup.offset, piece->origin,
                      piece->origin + piece->bytes.size - ws_encoding_width(fixup.encoding));
      fixup.offset += (uint32_t)content.bytes.size - piece->origin;
      if (content.fixup_count < sizeof content.fixups / sizeof *content.fixups)
        content.fixups[content.fixup_count] = fixup;
      content.fixup_count++;
    }
    ws_put_slice(&content.bytes, piece->bytes);
  }
  return content;
}

static void assert_content(const struct imaged *imaged, enum ws_section_id id, struct ws_slice expected) {
  struct content content = content_of(imaged, id);
  assert_slice_is(built(&content.bytes), expected);
  ws_buffer_free(&content.bytes);
}

// ---------------------------------------------------------------------------- the linker's functions, again

// Clears 32 bytes at ZEROS, with an address that is as short as can be.
static const uint8_t fill[] = {0, ADDRESS(ZEROS), I32_CONST, 0, I32_CONST, 32, MEMORY_FILL, END};
static struct sample with_fill(void) {
  return with_function("__wasm_init_memory", (struct ws_slice){fill, sizeof fill});
}
// The same, with the address padded.
#define PADDED_FILL 0, I32_CONST, 0x80, 0x90, 0x80, 0x80, 0x00, I32_CONST, 0, I32_CONST, 32, MEMORY_FILL, END

static void a_function_with_an_address_is_written_again_with_the_address_padded(void **state) {
  (void)state;
  struct sample sample = with_fill();
  struct imaged *imaged = image_of(&sample, NO_CHOICES);
  assert_int_equal(imaged->image.appended_count, 1);
  const struct ws_appended *appended = &imaged->image.appended[0];
  assert_int_equal(appended->replaces, 0);
  assert_int_equal(appended->type, 0);
  assert_slice_is(appended->name, text("__wasm_init_memory"));
  assert_slice_is(appended->body, BYTES(PADDED_FILL));
  assert_int_equal(appended->fixup_count, 1);
  assert_int_equal(appended->fixups[0].offset, 2);
  uint64_t value;
  assert_true(ws_operand_get(appended->body.data + appended->fixups[0].offset, WS_SLEB32, &value));
  assert_int_equal(value, ZEROS);
  assert_false(imaged->image.starts); // the start function stays what it was
  free_imaged(imaged);
}

static void the_new_function_comes_last_and_the_old_one_calls_it(void **state) {
  (void)state;
  enum { NOP = 0x01, CALL = 0x10 };
  struct sample sample = with_fill();
  struct imaged *imaged = image_of(&sample, NO_CHOICES);
  assert_content(imaged, WS_SECTION_FUNCTION, BYTES(2, 0, 0));
  assert_content(imaged, WS_SECTION_START, BYTES(0));
  struct content code = content_of(imaged, WS_SECTION_CODE);
  assert_slice_is(built(&code.bytes),
                  BYTES(2, 12, 0, CALL, 1, NOP, NOP, NOP, NOP, NOP, NOP, NOP, NOP, END, 15, PADDED_FILL));
  assert_int_equal(code.fixup_count, 1);
  assert_int_equal(code.fixups[0].offset, 17);
  assert_int_equal(code.fixups[0].base, WS_BASE_MEMORY);
  ws_buffer_free(&code.bytes);
  free_imaged(imaged);
}

// The code section of a sample whose function is left alone.
static void assert_code_stays(const struct sample *sample, size_t fixups) {
  struct imaged *imaged = image_of(sample, NO_CHOICES);
  assert_int_equal(imaged->image.appended_count, 0);
  assert_int_equal(imaged->image.code_shift, 0);
  struct content code = content_of(imaged, WS_SECTION_CODE);
  assert_slice_is(built(&code.bytes), ws_section(imaged->module, WS_SECTION_CODE)->content);
  assert_int_equal(code.fixup_count, fixups);
  if (fixups)
    assert_int_equal(code.fixups[0].offset, BODY_OFFSET + 2);
  ws_buffer_free(&code.bytes);
  free_imaged(imaged);
}

static void a_function_whose_addresses_are_padded_stays_where_it_is(void **state) {
  (void)state;
  struct sample sample = with_function("__wasm_init_memory", BYTES(PADDED_FILL));
  assert_code_stays(&sample, 1);
}

static void a_function_without_addresses_stays_as_it_is(void **state) {
  (void)state;
  struct sample sample = with_function("__wasm_init_tls", BYTES(0, END));
  assert_code_stays(&sample, 0);
}

static void the_programs_own_functions_stay_as_they_are(void **state) {
  (void)state;
  struct sample sample = with_function("f", BYTES(0, 0x43, 0, 0, 0, 0, 0x1a, END)); // f32.const, drop
  sample.starts = false;
  assert_code_stays(&sample, 0);
}

static void a_start_function_is_written_again_whatever_its_name(void **state) {
  (void)state;
  struct sample sample = with_fill();
  sample.function = "";
  struct imaged *imaged = image_of(&sample, NO_CHOICES);
  assert_int_equal(imaged->image.appended_count, 1);
  free_imaged(imaged);
}

static void there_can_be_any_number_of_addresses(void **state) {
  (void)state;
  struct ws_buffer body = {0};
  ws_put_u8(&body, 0);
  for (int i = 0; i < 5000; i++)
    ws_put_slice(&body, BYTES(ADDRESS(ZEROS), I32_CONST, 0, I32_CONST, 1, MEMORY_FILL));
  ws_put_u8(&body, END);
  struct sample sample = with_function("__wasm_init_memory", built(&body));
  struct imaged *imaged = image_of(&sample, NO_CHOICES);
  const struct ws_appended *appended = &imaged->image.appended[0];
  assert_int_equal(appended->fixup_count, 5000);
  for (size_t i = 0; i < 5000; i++) {
    uint64_t value;
    assert_true(ws_operand_get(appended->body.data + appended->fixups[i].offset, WS_SLEB32, &value));
    assert_int_equal(value, ZEROS);
  }
  free_imaged(imaged);
  ws_buffer_free(&body);
}

// ---------------------------------------------------------------------------------------------------- data

static void the_address_of_a_segment_comes_before_the_pointers_in_it(void **state) {
  (void)state;
  uint8_t data[32] = {0};
  struct sample sample = {.stack_pointer = PAGE,
                          .data_base = DATA,
                          .data_size = sizeof data,
                          .data = data,
                          .table = true,
                          .function = "f"};
  uint8_t at = (uint8_t)data_offset(&sample);
  uint8_t entries[] = {R_WASM_MEMORY_ADDR_I32, (uint8_t)(at + 8),  DATA_SYMBOL,    0,
                       R_WASM_TABLE_INDEX_I32, (uint8_t)(at + 12), FUNCTION_SYMBOL};
  ws_operand_put(data + 8, WS_U32, DATA);
  ws_operand_put(data + 12, WS_U32, 1);
  sample.data_relocations = (struct ws_slice){entries, sizeof entries};
  sample.data_relocation_count = 2;
  struct imaged *imaged = image_of(&sample, NO_CHOICES);
  struct content content = content_of(imaged, WS_SECTION_DATA);
  uint32_t start = imaged->image.segment_offsets[0];
  assert_int_equal(start, 1 + 1 + 1 + 5 + 1 + 1); // the count, the flags, the padded address, the size
  assert_memory_equal(content.bytes.data + start, data, sizeof data);
  assert_int_equal(content.fixup_count, 3);
  assert_int_equal(content.fixups[0].offset, 3);
  assert_int_equal(content.fixups[0].encoding, WS_SLEB32);
  assert_int_equal(content.fixups[0].base, WS_BASE_MEMORY);
  assert_int_equal(content.fixups[1].offset, start + 8);
  assert_int_equal(content.fixups[1].encoding, WS_U32);
  assert_int_equal(content.fixups[1].base, WS_BASE_MEMORY);
  assert_int_equal(content.fixups[2].offset, start + 12);
  assert_int_equal(content.fixups[2].base, WS_BASE_TABLE);
  ws_buffer_free(&content.bytes);
  free_imaged(imaged);
}

static void a_passive_segment_that_is_copied_is_written_whole(void **state) {
  (void)state;
  struct sample sample =
      with_passive_data(BYTES(0, ADDRESS(DATA), I32_CONST, 0, I32_CONST, 16, MEMORY_INIT, DATA_DROP, END));
  struct imaged *imaged = image_of(&sample, NO_CHOICES);
  assert_content(imaged, WS_SECTION_DATA,
                 BYTES(1, 1, 16, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16));
  free_imaged(imaged);
}

static void of_a_passive_segment_that_is_cleared_nothing_is_written_unless_it_is_read_again(void **state) {
  (void)state;
  static const uint8_t zeros[16];
  struct sample sample =
      with_passive_data(BYTES(0, ADDRESS(ZEROS), I32_CONST, 0, I32_CONST, 16, MEMORY_FILL, END));
  sample.data = zeros;
  struct imaged *imaged = image_of(&sample, NO_CHOICES);
  assert_content(imaged, WS_SECTION_DATA, BYTES(1, 1, 0));
  free_imaged(imaged);
  imaged = image_of(&sample, KEEP_RELOCS);
  assert_content(imaged, WS_SECTION_DATA, BYTES(1, 1, 16, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0));
  free_imaged(imaged);
}

static void zeros_at_the_end_of_a_segment_are_cleared_by_a_function_that_starts(void **state) {
  (void)state;
  static const uint8_t data[128] = {1, 2, 3, 4};
  struct sample sample = {.stack_pointer = PAGE,
                          .data_base = DATA,
                          .data_size = sizeof data,
                          .data = data,
                          .function = "f",
                          .bulk_memory = true};
  struct imaged *imaged = image_of(&sample, NO_CHOICES);
  assert_true(imaged->image.starts);
  assert_int_equal(imaged->image.appended_count, 1);
  const struct ws_appended *appended = &imaged->image.appended[0];
  assert_int_equal(appended->replaces, WS_NEW_FUNCTION);
  assert_slice_is(appended->name, text(WS_CLEAR_FUNCTION));
  // 1028 is 0x404; 124 bytes
  assert_slice_is(appended->body, BYTES(0, I32_CONST, 0x84, 0x88, 0x80, 0x80, 0x00, I32_CONST, 0, I32_CONST,
                                        0xfc, 0x00, MEMORY_FILL, END));
  assert_int_equal(appended->fixup_count, 1);
  assert_int_equal(appended->fixups[0].offset, 2);
  assert_content(imaged, WS_SECTION_START, BYTES(1));
  assert_content(imaged, WS_SECTION_DATA,
                 BYTES(1, 0, I32_CONST, 0x80, 0x88, 0x80, 0x80, 0x00, END, 4, 1, 2, 3, 4));
  free_imaged(imaged);

  imaged = image_of(&sample, KEEP_RELOCS);
  assert_false(imaged->image.starts);
  assert_int_equal(imaged->image.appended_count, 0);
  assert_null(find(imaged, WS_SECTION_START));
  free_imaged(imaged);
}

// ------------------------------------------------------------------------------------------- what is shared

static const struct sample shareable = {.stack_pointer = PAGE, .table = true, .function = "f"};
#define ENV_MEMORY 3, 'e', 'n', 'v', 6, 'm', 'e', 'm', 'o', 'r', 'y', WS_MEMORY, 0, 1

static void without_sharing_stack_pointer_and_table_stay(void **state) {
  (void)state;
  struct imaged *imaged = image_of(&shareable, NO_CHOICES);
  assert_content(imaged, WS_SECTION_IMPORT, BYTES(1, ENV_MEMORY));
  assert_content(imaged, WS_SECTION_TABLE, BYTES(1, 0x70, 1, 2, 2));
  struct content globals = content_of(imaged, WS_SECTION_GLOBAL);
  assert_slice_is(built(&globals.bytes), BYTES(1, 0x7f, 1, I32_CONST, 0x80, 0x80, 0x84, 0x80, 0x00, END));
  assert_int_equal(globals.fixup_count, 1);
  assert_int_equal(globals.fixups[0].base, WS_BASE_STACK_HIGH);
  ws_buffer_free(&globals.bytes);
  free_imaged(imaged);
}

static void a_stack_pointer_that_is_shared_becomes_an_import(void **state) {
  (void)state;
  struct imaged *imaged = image_of(&shareable, SHARE_STACK);
  assert_content(imaged, WS_SECTION_IMPORT,
                 BYTES(2, ENV_MEMORY, 3, 'e', 'n', 'v', 15, '_', '_', 's', 't', 'a', 'c', 'k', '_', 'p', 'o',
                       'i', 'n', 't', 'e', 'r', WS_GLOBAL, 0x7f, 1));
  assert_content(imaged, WS_SECTION_GLOBAL, BYTES(0));
  assert_content(imaged, WS_SECTION_TABLE, BYTES(1, 0x70, 1, 2, 2));
  free_imaged(imaged);
}

static void a_table_that_is_shared_becomes_an_import(void **state) {
  (void)state;
  struct imaged *imaged = image_of(&shareable, SHARE_TABLE);
  assert_content(imaged, WS_SECTION_IMPORT,
                 BYTES(2, ENV_MEMORY, 3, 'e', 'n', 'v', 25, '_', '_', 'i', 'n', 'd', 'i', 'r', 'e', 'c', 't',
                       '_', 'f', 'u', 'n', 'c', 't', 'i', 'o', 'n', '_', 't', 'a', 'b', 'l', 'e', WS_TABLE,
                       0x70, 1, 2, 2));
  assert_content(imaged, WS_SECTION_TABLE, BYTES(0));
  free_imaged(imaged);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_function_with_an_address_is_written_again_with_the_address_padded),
      cmocka_unit_test(the_new_function_comes_last_and_the_old_one_calls_it),
      cmocka_unit_test(a_function_whose_addresses_are_padded_stays_where_it_is),
      cmocka_unit_test(a_function_without_addresses_stays_as_it_is),
      cmocka_unit_test(the_programs_own_functions_stay_as_they_are),
      cmocka_unit_test(a_start_function_is_written_again_whatever_its_name),
      cmocka_unit_test(there_can_be_any_number_of_addresses),
      cmocka_unit_test(the_address_of_a_segment_comes_before_the_pointers_in_it),
      cmocka_unit_test(a_passive_segment_that_is_copied_is_written_whole),
      cmocka_unit_test(of_a_passive_segment_that_is_cleared_nothing_is_written_unless_it_is_read_again),
      cmocka_unit_test(zeros_at_the_end_of_a_segment_are_cleared_by_a_function_that_starts),
      cmocka_unit_test(without_sharing_stack_pointer_and_table_stay),
      cmocka_unit_test(a_stack_pointer_that_is_shared_becomes_an_import),
      cmocka_unit_test(a_table_that_is_shared_becomes_an_import),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
