// src/read/relocations.h: the table of relocation types against LLVM's, and what a reloc.* section may say.
#include "unit.h"

#include "read/relocations.h"

// -------------------------------------------------------------------------------------- the table of types

static const struct {
  unsigned number;
  const char *name;
} llvm_types[] = {
#define WASM_RELOC(name, number) {number, #name},
#include <llvm/BinaryFormat/WasmRelocs.def>
#undef WASM_RELOC
};
enum { LLVM_TYPES = sizeof llvm_types / sizeof *llvm_types };

static void every_type_that_llvm_knows_has_the_same_number_and_name(void **state) {
  (void)state;
  for (size_t i = 0; i < LLVM_TYPES; i++) {
    assert_non_null(ws_relocation_name(llvm_types[i].number));
    assert_string_equal(ws_relocation_name(llvm_types[i].number), llvm_types[i].name);
  }
}

static void no_other_type_has_a_name(void **state) {
  (void)state;
  for (unsigned number = 0; number < 256; number++) {
    bool known = false;
    for (size_t i = 0; i < LLVM_TYPES; i++)
      known |= llvm_types[i].number == number;
    if (!known)
      assert_null(ws_relocation_name(number));
  }
  assert_null(ws_relocation_name(UINT32_MAX));
}

// Linking.md: MEMORY_ADDR_*, FUNCTION_OFFSET_* and SECTION_OFFSET_* have one.
static void addresses_and_offsets_have_addends(void **state) {
  (void)state;
  for (size_t i = 0; i < LLVM_TYPES; i++) {
    const char *name = llvm_types[i].name;
    assert_int_equal(ws_relocation_has_addend(llvm_types[i].number), strstr(name, "MEMORY_ADDR") ||
                                                                         strstr(name, "FUNCTION_OFFSET") ||
                                                                         strstr(name, "SECTION_OFFSET"));
  }
  assert_false(ws_relocation_has_addend(255));
}

static void the_public_limit_has_room_for_every_type(void **state) {
  (void)state;
  for (size_t i = 0; i < LLVM_TYPES; i++)
    assert_in_range(llvm_types[i].number, 0, WS_RELOCATION_TYPES - 1);
}

// --------------------------------------------------------------------------------------- what sections say

#define NOTHING ((struct ws_slice){0})
#define PADDED(low, high) (uint8_t)(0x80 | (low)), (uint8_t)(0x80 | (high)), 0x80, 0x80, 0x00
// 1040 is 0x410: the data and its 16th byte.
#define DATA_ADDRESS PADDED(0x10, 0x08)

// A module whose function has one i32.const with a padded operand at offset 5 of the code section.
static struct sample with_operand(struct ws_slice body, struct ws_slice relocations, uint32_t count) {
  return (struct sample){.stack_pointer = 65536,
                         .data_base = 1040,
                         .data_size = 32,
                         .table = true,
                         .function = "f",
                         .body = body,
                         .code_relocations = relocations,
                         .code_relocation_count = count};
}
// The body begins with its local declarations and an opcode.
enum { OPERAND = BODY_OFFSET + 1 + 1 + 1 };

static struct ws_error error_in_code(struct ws_slice body, struct ws_slice relocations, uint32_t count) {
  struct sample sample = with_operand(body, relocations, count);
  struct ws_buffer bytes = build(&sample);
  struct ws_error error = error_of(&bytes);
  ws_buffer_free(&bytes);
  assert_string_equal(error.file, "sample.wasm");
  assert_string_equal(error.section, "reloc.CODE");
  return error;
}
#define CONST_BODY(...) BYTES(0x00, 0x41, __VA_ARGS__, 0x1a, 0x0b)
// The same, built from a list of relocation entries.
#define ERROR_OF(body, count, ...) error_in_code(body, BYTES(__VA_ARGS__), count).message

static void an_address_becomes_a_fixup_that_moves_with_the_memory(void **state) {
  (void)state;
  // memory address of the symbol plus 4, which the operand is
  struct sample sample = with_operand(CONST_BODY(PADDED(0x14, 0x08)),
                                      BYTES(R_WASM_MEMORY_ADDR_SLEB, OPERAND - 1, DATA_SYMBOL, 4), 1);
  struct ws_buffer bytes = build(&sample);
  struct ws_module *module = read_bytes(&bytes, NULL);
  const struct ws_section *code = ws_section(module, WS_SECTION_CODE);
  assert_int_equal(code->fixup_count, 1);
  assert_int_equal(code->fixups[0].offset, OPERAND - 1);
  assert_int_equal(code->fixups[0].encoding, WS_SLEB32);
  assert_int_equal(code->fixups[0].base, WS_BASE_MEMORY);
  assert_int_equal(code->fixups[0].minus, WS_BASE_COUNT);
  assert_int_equal(ws_module_info(module)->relocations[R_WASM_MEMORY_ADDR_SLEB], 1);
  ws_module_free(module);
  ws_buffer_free(&bytes);
}

static void an_addend_may_be_below_zero(void **state) {
  (void)state;
  // 1040 - 1024 = 16
  struct sample sample =
      with_operand(CONST_BODY(PADDED(0x10, 0x00)),
                   BYTES(R_WASM_MEMORY_ADDR_SLEB, OPERAND - 1, DATA_SYMBOL, 0x80, 0x78), 1);
  struct ws_buffer bytes = build(&sample);
  struct ws_module *module = read_bytes(&bytes, NULL);
  assert_int_equal(ws_section(module, WS_SECTION_CODE)->fixup_count, 1);
  ws_module_free(module);
  ws_buffer_free(&bytes);
}

static void an_addend_of_more_than_48_bits_is_malformed(void **state) {
  (void)state;
  // 2^47, which takes a 49th bit for the sign
  assert_string_equal(ERROR_OF(CONST_BODY(PADDED(0x10, 0x00)), 1, R_WASM_MEMORY_ADDR_SLEB, OPERAND - 1,
                               DATA_SYMBOL, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x20),
                      "malformed section");
}

static void a_function_pointer_becomes_a_fixup_that_moves_with_the_table(void **state) {
  (void)state;
  struct sample sample = with_operand(CONST_BODY(PADDED(0x01, 0x00)),
                                      BYTES(R_WASM_TABLE_INDEX_SLEB, OPERAND - 1, FUNCTION_SYMBOL), 1);
  struct ws_buffer bytes = build(&sample);
  struct ws_module *module = read_bytes(&bytes, NULL);
  const struct ws_section *code = ws_section(module, WS_SECTION_CODE);
  assert_int_equal(code->fixup_count, 1);
  assert_int_equal(code->fixups[0].base, WS_BASE_TABLE);
  ws_module_free(module);
  ws_buffer_free(&bytes);
}

static void indices_are_counted_and_stay(void **state) {
  (void)state;
  // call f; global.get 0; drop
  struct sample sample = with_operand(BYTES(0x00, 0x10, PADDED(0, 0), 0x23, PADDED(0, 0), 0x1a, 0x0b),
                                      BYTES(R_WASM_FUNCTION_INDEX_LEB, OPERAND - 1, FUNCTION_SYMBOL,
                                            R_WASM_GLOBAL_INDEX_LEB, OPERAND + 5, STACK_SYMBOL),
                                      2);
  struct ws_buffer bytes = build(&sample);
  struct ws_module *module = read_bytes(&bytes, NULL);
  assert_int_equal(ws_section(module, WS_SECTION_CODE)->fixup_count, 0);
  assert_int_equal(ws_module_info(module)->relocations[R_WASM_FUNCTION_INDEX_LEB], 1);
  assert_int_equal(ws_module_info(module)->relocations[R_WASM_GLOBAL_INDEX_LEB], 1);
  ws_module_free(module);
  ws_buffer_free(&bytes);
}

static void a_pointer_in_data_becomes_a_fixup(void **state) {
  (void)state;
  uint8_t data[32] = {0};
  ws_operand_put(data + 8, WS_U32, 1040);
  ws_operand_put(data + 12, WS_U32, 1);
  struct sample sample = with_operand(NOTHING, NOTHING, 0);
  sample.data = data;
  uint8_t at = (uint8_t)data_offset(&sample);
  uint8_t entries[] = {R_WASM_MEMORY_ADDR_I32, (uint8_t)(at + 8),  DATA_SYMBOL,    0,
                       R_WASM_TABLE_INDEX_I32, (uint8_t)(at + 12), FUNCTION_SYMBOL};
  sample.data_relocations = (struct ws_slice){entries, sizeof entries};
  sample.data_relocation_count = 2;
  struct ws_buffer bytes = build(&sample);
  struct ws_module *module = read_bytes(&bytes, NULL);
  // One of each is the segment's own.
  assert_int_equal(ws_module_info(module)->fixups[WS_BASE_MEMORY], 2);
  assert_int_equal(ws_module_info(module)->fixups[WS_BASE_TABLE], 2);
  const struct ws_section *section = ws_section(module, WS_SECTION_DATA);
  assert_int_equal(section->fixup_count, 2);
  assert_int_equal(section->fixups[0].offset, at + 8);
  assert_int_equal(section->fixups[0].encoding, WS_U32);
  assert_int_equal(section->fixups[0].base, WS_BASE_MEMORY);
  assert_int_equal(section->fixups[0].target, DATA_SYMBOL);
  assert_int_equal(section->fixups[1].offset, at + 12);
  assert_int_equal(section->fixups[1].base, WS_BASE_TABLE);
  assert_int_equal(section->fixups[1].target, FUNCTION_SYMBOL);
  ws_module_free(module);
  ws_buffer_free(&bytes);
}

static void an_address_relative_to_its_own_place_stays(void **state) {
  (void)state;
  uint8_t data[32] = {0};
  ws_operand_put(data + 8, WS_U32, (uint32_t)-8); // from the 9th byte to the first
  struct sample sample = with_operand(NOTHING, NOTHING, 0);
  sample.data = data;
  uint8_t entries[] = {R_WASM_MEMORY_ADDR_LOCREL_I32, (uint8_t)(data_offset(&sample) + 8), DATA_SYMBOL, 0};
  sample.data_relocations = (struct ws_slice){entries, sizeof entries};
  sample.data_relocation_count = 1;
  struct ws_buffer bytes = build(&sample);
  struct ws_module *module = read_bytes(&bytes, NULL);
  assert_int_equal(ws_section(module, WS_SECTION_DATA)->fixup_count, 0);
  assert_int_equal(ws_module_info(module)->fixups[WS_BASE_MEMORY], 1); // the segment's address alone
  ws_module_free(module);
  ws_buffer_free(&bytes);
}

static void an_operand_outside_every_function_is_refused(void **state) {
  (void)state;
  // 1 is the size of the body
  assert_says(ERROR_OF(CONST_BODY(DATA_ADDRESS), 1, R_WASM_MEMORY_ADDR_SLEB, 1, DATA_SYMBOL, 0),
              "outside every function");
}

static void operands_that_overlap_are_refused(void **state) {
  (void)state;
  assert_says(ERROR_OF(CONST_BODY(DATA_ADDRESS), 2, R_WASM_MEMORY_ADDR_SLEB, OPERAND - 1, DATA_SYMBOL, 0,
                       R_WASM_MEMORY_ADDR_SLEB, OPERAND, DATA_SYMBOL, 0),
              "overlaps");
}

static void an_operand_that_is_not_padded_is_refused(void **state) {
  (void)state;
  assert_says(ERROR_OF(BYTES(0x00, 0x41, 0x90, 0x08, 0x1a, 0x01, 0x01, 0x0b), 1, R_WASM_MEMORY_ADDR_SLEB,
                       OPERAND - 1, DATA_SYMBOL, 0),
              "not padded");
}

static void an_operand_that_is_not_the_address_of_its_symbol_is_refused(void **state) {
  (void)state;
  assert_says(ERROR_OF(CONST_BODY(DATA_ADDRESS), 1, R_WASM_MEMORY_ADDR_SLEB, OPERAND - 1, DATA_SYMBOL, 1),
              "not the address of its symbol");
}

static void an_operand_that_is_not_the_table_index_of_its_function_is_refused(void **state) {
  (void)state;
  assert_says(ERROR_OF(CONST_BODY(PADDED(2, 0)), 1, R_WASM_TABLE_INDEX_SLEB, OPERAND - 1, FUNCTION_SYMBOL),
              "not the table index of its function");
}

// What reading says of a function that begins with some bytes, and then has a constant with an address.
static const char *error_after(struct ws_slice before) {
  static const uint8_t constant[] = {0x41, DATA_ADDRESS, 0x1a, 0x00, 0x00, 0x0b};
  uint8_t body[64] = {0};
  memcpy(body + 1, before.data, before.size);
  memcpy(body + 1 + before.size, constant, sizeof constant);
  uint8_t operand = (uint8_t)(OPERAND - 1 + before.size);
  struct sample sample = with_operand((struct ws_slice){body, 1 + before.size + sizeof constant},
                                      BYTES(R_WASM_MEMORY_ADDR_SLEB, operand, DATA_SYMBOL, 0), 1);
  struct ws_buffer bytes = build(&sample);
  static struct ws_error error;
  error.message[0] = '\0';
  ws_module_free(ws_module_read("sample.wasm", bytes.data, bytes.size, NULL, &error));
  ws_buffer_free(&bytes);
  return error.message;
}
#define AFTER(...) error_after(BYTES(__VA_ARGS__))

static void a_relocation_within_another_instruction_is_refused(void **state) {
  (void)state;
  assert_says(AFTER(0x41), "not of an operand");                            // i32.const 65
  assert_says(AFTER(0x41, 0xf1), "not of an operand");                      // of two bytes
  assert_says(AFTER(0x20), "not of an operand");                            // local.get
  assert_says(AFTER(0x0c), "not of an operand");                            // br
  assert_says(AFTER(0x10), "not of an operand");                            // call
  assert_says(AFTER(0x28, 0x02), "not of an operand");                      // i32.load
  assert_says(AFTER(0x28, 0x82, 0x00), "not of an operand");                // its alignment has two bytes
  assert_says(AFTER(0x28, 0x42, 0x00), "not of an operand");                // of a numbered memory
  assert_says(AFTER(0x11, 0x00), "not of an operand");                      // call_indirect
  assert_says(AFTER(0x43, 1, 2, 3), "not of an operand");                   // f32.const
  assert_says(AFTER(0x44, 1, 2, 3, 4, 5, 6, 7), "not of an operand");       // f64.const
  assert_says(AFTER(0xfd, 0x0c, 1, 2, 3, 4, 5, 6), "not of an operand");    // v128.const
  assert_says(AFTER(0xfd, 0x8c, 0, 1, 2, 3, 4, 5, 6), "not of an operand"); // its opcode has three bytes
  assert_says(AFTER(0xfe, 0x10, 0x02), "not of an operand");                // i32.atomic.load
  assert_says(AFTER(0x0e, 0x03, 0, 0), "not of an operand");                // br_table
  assert_says(AFTER(0x1f, 0x40, 0x02, 0x00, 0x01), "not of an operand");    // try_table
}

static void what_only_looks_like_part_of_another_instruction_is_an_operand(void **state) {
  (void)state;
  assert_string_equal(AFTER(0x20, 0x41), "");                            // local.get 65
  assert_string_equal(AFTER(0x41, 0x41, 0x1a), "");                      // i32.const 65
  assert_string_equal(AFTER(0x41, 0xc1, 0x00, 0x1a), "");                // of two bytes
  assert_string_equal(AFTER(0x20, 0x44, 0x1a), "");                      // local.get 68
  assert_string_equal(AFTER(0x41, 0, 0x28, 0x02, 0x0e, 0x1a), "");       // i32.load offset=14
  assert_string_equal(AFTER(0x44, 0x41, 0, 0, 0, 0, 0, 0x0e, 0x10), ""); // f64.const
  assert_string_equal(AFTER(0x41, 0, 0x0e, 0x03, 0, 0, 0, 0), "");       // br_table
}

static void an_operand_of_another_kind_is_refused(void **state) {
  (void)state;
  struct ws_slice wide = BYTES(0x00, 0x42, DATA_ADDRESS, 0x1a, 0x0b); // i64.const
  struct ws_slice access = BYTES(0x00, 0x28, 0x02, DATA_ADDRESS, 0x1a, 0x0b);
  assert_says(ERROR_OF(wide, 1, R_WASM_MEMORY_ADDR_SLEB, OPERAND - 1, DATA_SYMBOL, 0), "not of an operand");
  assert_says(ERROR_OF(access, 1, R_WASM_MEMORY_ADDR_SLEB, OPERAND, DATA_SYMBOL, 0), "not of an operand");
  assert_says(ERROR_OF(CONST_BODY(DATA_ADDRESS), 1, R_WASM_MEMORY_ADDR_LEB, OPERAND - 1, DATA_SYMBOL, 0),
              "not of an operand");
  struct ws_slice block = BYTES(0x00, 0x02, PADDED(0, 0), 0x0b, 0x0b); // its type is no function
  assert_says(ERROR_OF(block, 1, R_WASM_FUNCTION_INDEX_LEB, OPERAND - 1, FUNCTION_SYMBOL),
              "not of an operand");
  struct ws_slice raw = BYTES(0x00, 0x41, 0x10, 0x04, 0x00, 0x00, 0x1a, 0x0b);
  assert_says(ERROR_OF(raw, 1, R_WASM_MEMORY_ADDR_I32, OPERAND - 1, DATA_SYMBOL, 0), "not of an operand");
}

// After it, only what stands before an operand is looked at.
static void an_operand_after_an_instruction_that_is_not_known_is_accepted(void **state) {
  (void)state;
  assert_string_equal(AFTER(0x27), "");
  assert_string_equal(AFTER(0x27, 0x20), "");
}

// -------------------------------------------------------------------------- DWARF, which LLVM is not shown

static struct sample with_debug(struct ws_slice debug, struct ws_slice relocations, uint32_t count) {
  struct sample sample = with_operand(NOTHING, NOTHING, 0);
  sample.debug = debug;
  sample.debug_relocations = relocations;
  sample.debug_relocation_count = count;
  return sample;
}

static struct ws_error error_in_debug(struct ws_slice debug, struct ws_slice relocations, uint32_t count) {
  struct sample sample = with_debug(debug, relocations, count);
  struct ws_buffer bytes = build(&sample);
  struct ws_error error = error_of(&bytes);
  ws_buffer_free(&bytes);
  assert_string_equal(error.section, "reloc..debug_info");
  return error;
}
#define DEBUG_ERROR_OF(count, ...)                                                                           \
  error_in_debug(BYTES(0x10, 0x04, 0x00, 0x00, 0x00), BYTES(__VA_ARGS__), count).message

static void an_address_in_dwarf_becomes_a_fixup_and_a_tombstone_does_not(void **state) {
  (void)state;
  struct sample sample =
      with_debug(BYTES(0x10, 0x04, 0x00, 0x00, 0xff, 0xff, 0xff, 0xff, 0xfe, 0xff, 0xff, 0xff),
                 BYTES(R_WASM_MEMORY_ADDR_I32, 0, DATA_SYMBOL, 0, R_WASM_MEMORY_ADDR_I32, 4, DATA_SYMBOL, 0,
                       R_WASM_MEMORY_ADDR_I32, 8, DATA_SYMBOL, 0),
                 3);
  struct ws_buffer bytes = build(&sample);
  struct ws_module *module = read_bytes(&bytes, NULL);
  const struct ws_section *debug = ws_custom_section(module, ".debug_info");
  assert_int_equal(debug->fixup_count, 1);
  assert_int_equal(debug->fixups[0].offset, 0);
  ws_module_free(module);
  ws_buffer_free(&bytes);
}

static void an_offset_into_the_code_becomes_no_fixup_while_the_code_stays(void **state) {
  (void)state;
  struct sample sample =
      with_debug(BYTES(0x02, 0x00, 0x00, 0x00), BYTES(R_WASM_FUNCTION_OFFSET_I32, 0, FUNCTION_SYMBOL, 0), 1);
  struct ws_buffer bytes = build(&sample);
  struct ws_module *module = read_bytes(&bytes, NULL);
  assert_int_equal(ws_custom_section(module, ".debug_info")->fixup_count, 0);
  assert_int_equal(ws_module_info(module)->relocations[R_WASM_FUNCTION_OFFSET_I32], 1);
  ws_module_free(module);
  ws_buffer_free(&bytes);
}

static void an_unknown_type_is_refused(void **state) {
  (void)state;
  assert_says(DEBUG_ERROR_OF(1, LLVM_TYPES, 0, DATA_SYMBOL, 0), "relocation type 27 is unknown");
}

static void an_operand_outside_its_section_is_refused(void **state) {
  (void)state;
  assert_says(DEBUG_ERROR_OF(1, R_WASM_MEMORY_ADDR_I32, 2, DATA_SYMBOL, 0), "lies outside its section");
  assert_says(DEBUG_ERROR_OF(1, R_WASM_MEMORY_ADDR_I32, 0xff, 0xff, 0xff, 0xff, 0x0f, DATA_SYMBOL, 0),
              "lies outside its section");
}

static void a_symbol_that_does_not_exist_is_refused(void **state) {
  (void)state;
  assert_says(DEBUG_ERROR_OF(1, R_WASM_MEMORY_ADDR_I32, 0, UNDEFINED_SYMBOL + 1, 0), "does not exist");
}

static void a_symbol_of_the_wrong_kind_is_refused(void **state) {
  (void)state;
  assert_says(DEBUG_ERROR_OF(1, R_WASM_MEMORY_ADDR_I32, 0, FUNCTION_SYMBOL, 0), "no data symbol");
  assert_says(DEBUG_ERROR_OF(1, R_WASM_TABLE_INDEX_I32, 0, DATA_SYMBOL), "no function");
}

static void more_entries_than_there_are_bytes_are_refused(void **state) {
  (void)state;
  assert_says(DEBUG_ERROR_OF(2, R_WASM_MEMORY_ADDR_I32, 0, DATA_SYMBOL, 0), "malformed");
  assert_says(DEBUG_ERROR_OF(UINT32_MAX, R_WASM_MEMORY_ADDR_I32, 0, DATA_SYMBOL, 0), "malformed");
}

// Why a module whose function does that cannot be moved exactly, or "": there is a relocation for the first
// operand, the address of the data.
static const char *why_inexact(struct ws_slice body, uint32_t count) {
  static struct ws_error inexact;
  struct sample sample =
      with_operand(body, BYTES(R_WASM_MEMORY_ADDR_SLEB, OPERAND - 1, DATA_SYMBOL, 0), count);
  struct ws_buffer bytes = build(&sample);
  struct ws_module *module = read_bytes(&bytes, NULL);
  assert_int_equal(ws_section(module, WS_SECTION_CODE)->fixup_count, 1);
  inexact = ws_module_info(module)->inexact;
  assert_int_equal(ws_module_info(module)->exact, inexact.message[0] == '\0');
  ws_module_free(module);
  ws_buffer_free(&bytes);
  return inexact.message;
}
// What follows the address, up to the end.
#define WHY(count, ...) why_inexact(BYTES(0x00, 0x41, DATA_ADDRESS, 0x1a, __VA_ARGS__, 0x0b), count)

static void a_padded_operand_without_a_relocation_is_refused(void **state) {
  (void)state;
  assert_says(WHY(1, 0x41, PADDED(1, 0), 0x1a), "taken away: function 0 (f)");         // i32.const
  assert_says(WHY(1, 0x41, PADDED(0, 0), 0x1a), "taken away: it counts 0");            // of null
  assert_says(WHY(1, 0x41, 0xff, 0xff, 0xff, 0xff, 0x7f, 0x1a), "taken away");         // of -1
  assert_says(WHY(1, 0x42, PADDED(1, 0), 0x1a), "taken away");                         // i64.const
  assert_says(WHY(1, 0x41, 0, 0x28, 0x02, PADDED(4, 8), 0x1a), "taken away");          // i32.load
  assert_says(WHY(1, 0x10, PADDED(0, 0)), "taken away");                               // call
  assert_says(WHY(1, 0x41, 0, 0x11, PADDED(0, 0), 0x00), "taken away");                // call_indirect
  assert_says(WHY(1, 0x41, 0, 0x11, 0x00, PADDED(0, 0)), "taken away");                // its table
  assert_says(WHY(1, 0x23, PADDED(0, 0), 0x1a), "taken away");                         // global.get
  assert_says(WHY(1, 0x02, PADDED(0, 0), 0x0b), "taken away");                         // block of a type
  assert_says(WHY(1, 0x08, PADDED(0, 0)), "taken away");                               // throw
  assert_says(WHY(1, 0x1f, 0x40, 0x01, 0x00, PADDED(0, 0), 0x00, 0x0b), "taken away"); // try_table
  assert_says(WHY(1, 0x27, 0x41, PADDED(1, 0), 0x1a), "taken away"); // after what is unknown
}

static void a_number_that_is_as_long_as_it_must_be_needs_none(void **state) {
  (void)state;
  assert_string_equal(WHY(1, 0x01), "");
  assert_string_equal(WHY(1, 0x41, 0xff, 0xff, 0xff, 0xff, 0x07, 0x1a), ""); // i32.const of the largest
  assert_string_equal(WHY(1, 0x42, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x7f, 0x1a), "");
  assert_string_equal(WHY(1, 0x42, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x00, 0x1a), "");
  assert_string_equal(WHY(1, 0x44, 0x80, 0x80, 0x80, 0x80, 0x00, 0x80, 0x80, 0x00, 0x1a), ""); // f64.const
  assert_string_equal(WHY(1, 0x43, 0x80, 0x80, 0x80, 0x80, 0x1a), "");                         // f32.const
}

// As lld 20 and later have it, which counts what it leaves out: null pointers to functions that are not
// there.
static void fewer_entries_of_code_than_are_counted_are_for_nulls(void **state) {
  (void)state;
  assert_string_equal(WHY(2, 0x41, PADDED(0, 0), 0x1a), "");
  assert_string_equal(WHY(3, 0x41, PADDED(0, 0), 0x1a, 0x41, PADDED(0, 0), 0x1a), "");
  assert_says(WHY(2, 0x01), "taken away: it counts 1 more");
  assert_says(WHY(2, 0x41, PADDED(0, 0), 0x1a, 0x41, PADDED(0, 0), 0x1a), "taken away: it counts 1 more");
  assert_says(WHY(2, 0x41, PADDED(1, 0), 0x1a), "taken away: function 0 (f)");
  assert_says(ERROR_OF(CONST_BODY(PADDED(0x14, 0x08)), UINT32_MAX, R_WASM_MEMORY_ADDR_SLEB, OPERAND - 1,
                       DATA_SYMBOL, 4),
              "malformed");
  // cut off within one
  assert_says(ERROR_OF(CONST_BODY(PADDED(0x14, 0x08)), 2, R_WASM_MEMORY_ADDR_SLEB, OPERAND - 1, DATA_SYMBOL,
                       4, R_WASM_MEMORY_ADDR_SLEB),
              "malformed");
}

// As lld up to 19 has it.
static void a_null_function_pointer_may_be_without_a_symbol(void **state) {
  (void)state;
  struct sample sample =
      with_operand(CONST_BODY(PADDED(0x00, 0x00)),
                   BYTES(R_WASM_TABLE_INDEX_SLEB, OPERAND - 1, 0xff, 0xff, 0xff, 0xff, 0x0f), 1);
  struct ws_buffer bytes = build(&sample);
  struct ws_module *module = read_bytes(&bytes, NULL);
  assert_int_equal(ws_section(module, WS_SECTION_CODE)->fixup_count, 0);
  ws_module_free(module);
  ws_buffer_free(&bytes);
  assert_says(ERROR_OF(CONST_BODY(PADDED(0x01, 0x00)), 1, R_WASM_TABLE_INDEX_SLEB, OPERAND - 1, 0xff, 0xff,
                       0xff, 0xff, 0x0f),
              "does not exist");
}

static void bytes_after_the_last_entry_are_refused(void **state) {
  (void)state;
  assert_says(DEBUG_ERROR_OF(1, R_WASM_MEMORY_ADDR_I32, 0, DATA_SYMBOL, 0, 0), "malformed");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(every_type_that_llvm_knows_has_the_same_number_and_name),
      cmocka_unit_test(no_other_type_has_a_name),
      cmocka_unit_test(addresses_and_offsets_have_addends),
      cmocka_unit_test(the_public_limit_has_room_for_every_type),
      cmocka_unit_test(an_address_becomes_a_fixup_that_moves_with_the_memory),
      cmocka_unit_test(an_addend_may_be_below_zero),
      cmocka_unit_test(an_addend_of_more_than_48_bits_is_malformed),
      cmocka_unit_test(a_function_pointer_becomes_a_fixup_that_moves_with_the_table),
      cmocka_unit_test(indices_are_counted_and_stay),
      cmocka_unit_test(a_pointer_in_data_becomes_a_fixup),
      cmocka_unit_test(an_address_relative_to_its_own_place_stays),
      cmocka_unit_test(an_operand_outside_every_function_is_refused),
      cmocka_unit_test(operands_that_overlap_are_refused),
      cmocka_unit_test(an_operand_that_is_not_padded_is_refused),
      cmocka_unit_test(an_operand_that_is_not_the_address_of_its_symbol_is_refused),
      cmocka_unit_test(an_operand_that_is_not_the_table_index_of_its_function_is_refused),
      cmocka_unit_test(a_relocation_within_another_instruction_is_refused),
      cmocka_unit_test(what_only_looks_like_part_of_another_instruction_is_an_operand),
      cmocka_unit_test(an_operand_of_another_kind_is_refused),
      cmocka_unit_test(an_operand_after_an_instruction_that_is_not_known_is_accepted),
      cmocka_unit_test(an_address_in_dwarf_becomes_a_fixup_and_a_tombstone_does_not),
      cmocka_unit_test(an_offset_into_the_code_becomes_no_fixup_while_the_code_stays),
      cmocka_unit_test(an_unknown_type_is_refused),
      cmocka_unit_test(an_operand_outside_its_section_is_refused),
      cmocka_unit_test(a_symbol_that_does_not_exist_is_refused),
      cmocka_unit_test(a_symbol_of_the_wrong_kind_is_refused),
      cmocka_unit_test(more_entries_than_there_are_bytes_are_refused),
      cmocka_unit_test(a_padded_operand_without_a_relocation_is_refused),
      cmocka_unit_test(a_number_that_is_as_long_as_it_must_be_needs_none),
      cmocka_unit_test(fewer_entries_of_code_than_are_counted_are_for_nulls),
      cmocka_unit_test(a_null_function_pointer_may_be_without_a_symbol),
      cmocka_unit_test(bytes_after_the_last_entry_are_refused),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
