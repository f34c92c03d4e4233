// The instruction decoder: where each instruction ends, and which operands linkers could have relocated.
#include "unit.h"

#include "read/instructions.h"

static struct ws_instruction read_one(struct ws_slice bytes, size_t *size) {
  struct ws_reader reader = ws_reader(bytes);
  struct ws_instruction instruction = ws_read_instruction(&reader);
  assert_false(reader.bad);
  *size = ws_read_offset(&reader);
  return instruction;
}

// What follows each is an `end`, which must be left.
#define assert_ends(...)                                                                                     \
  do {                                                                                                       \
    size_t size_;                                                                                            \
    struct ws_slice bytes_ = BYTES(__VA_ARGS__, 0x0b);                                                       \
    read_one(bytes_, &size_);                                                                                \
    assert_int_equal(size_, bytes_.size - 1);                                                                \
  } while (0)

static void every_instruction_ends_where_the_next_begins(void **state) {
  (void)state;
  assert_ends(0x00);                                           // unreachable
  assert_ends(0x02, 0x40);                                     // block
  assert_ends(0x03, 0x7f);                                     // loop (result i32)
  assert_ends(0x04, 0x63, 0x70);                               // if (result (ref null func))
  assert_ends(0x02, 0x80, 0x01);                               // block (type 128)
  assert_ends(0x06, 0x40);                                     // try
  assert_ends(0x07, 0x00);                                     // catch
  assert_ends(0x08, 0x81, 0x00);                               // throw
  assert_ends(0x09, 0x01);                                     // rethrow
  assert_ends(0x0a);                                           // throw_ref
  assert_ends(0x0c, 0x00);                                     // br
  assert_ends(0x0e, 0x02, 0x00, 0x80, 0x01, 0x01);             // br_table
  assert_ends(0x10, 0x80, 0x80, 0x80, 0x80, 0x00);             // call
  assert_ends(0x11, 0x80, 0x80, 0x80, 0x80, 0x00, 0x00);       // call_indirect
  assert_ends(0x12, 0x05);                                     // return_call
  assert_ends(0x13, 0x05, 0x00);                               // return_call_indirect
  assert_ends(0x14, 0x05);                                     // call_ref
  assert_ends(0x18, 0x00);                                     // delegate
  assert_ends(0x19);                                           // catch_all
  assert_ends(0x1b);                                           // select
  assert_ends(0x1c, 0x01, 0x6f);                               // select (result externref)
  assert_ends(0x1f, 0x40, 0x02, 0x00, 0x01, 0x00, 0x03, 0x00); // try_table (catch 1 0) (catch_all_ref 0)
  assert_ends(0x20, 0x80, 0x01);                               // local.get
  assert_ends(0x22, 0x00);                                     // local.tee
  assert_ends(0x25, 0x01);                                     // table.get
  assert_ends(0x28, 0x02, 0x80, 0x80, 0x04);                   // i32.load
  assert_ends(0x3e, 0x42, 0x01, 0x08);                         // i64.store32 of memory 1
  assert_ends(0x3f, 0x00);                                     // memory.size
  assert_ends(0x40, 0x00);                                     // memory.grow
  assert_ends(0x41, 0x7f);                                     // i32.const
  assert_ends(0x42, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x7f);
  assert_ends(0x43, 0x0b, 0x0b, 0x0b, 0x0b);                         // f32.const
  assert_ends(0x44, 0x0b, 0x0b, 0x0b, 0x0b, 0x0b, 0x0b, 0x0b, 0x0b); // f64.const
  assert_ends(0x6a);                                                 // i32.add
  assert_ends(0xc4);                                                 // i64.extend32_s
  assert_ends(0xd0, 0x70);                                           // ref.null
  assert_ends(0xd1);                                                 // ref.is_null
  assert_ends(0xd2, 0x05);                                           // ref.func
  assert_ends(0xd5, 0x00);                                           // br_on_null
  assert_ends(0x1c, 0x01, 0x63, 0x70);                               // select (result (ref null func))
  assert_ends(0xfc, 0x13);                                           // i64.add128
  assert_ends(0xfd, 0xa1, 0x02, 0x00);                               // f16x8.extract_lane
  assert_ends(0xfc, 0x07);                                           // i64.trunc_sat_f64_u
  assert_ends(0xfc, 0x08, 0x01, 0x00);                               // memory.init
  assert_ends(0xfc, 0x09, 0x01);                                     // data.drop
  assert_ends(0xfc, 0x0a, 0x00, 0x00);                               // memory.copy
  assert_ends(0xfc, 0x0b, 0x00);                                     // memory.fill
  assert_ends(0xfc, 0x0c, 0x01, 0x00);                               // table.init
  assert_ends(0xfc, 0x0f, 0x00);                                     // table.grow
  assert_ends(0xfd, 0x00, 0x04, 0x10);                               // v128.load
  assert_ends(0xfd, 0x0b, 0x04, 0x10);                               // v128.store
  assert_ends(0xfd, 0x0c, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16); // v128.const
  assert_ends(0xfd, 0x0d, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 0);  // i8x16.shuffle
  assert_ends(0xfd, 0x0e);                                                        // i8x16.swizzle
  assert_ends(0xfd, 0x15, 0x0b);                                                  // i8x16.extract_lane_s
  assert_ends(0xfd, 0x54, 0x00, 0x10, 0x0b);                                      // v128.load8_lane
  assert_ends(0xfd, 0x5c, 0x02, 0x10);                                            // v128.load32_zero
  assert_ends(0xfd, 0xae, 0x01);                                                  // i32x4.add
  assert_ends(0xfd, 0x80, 0x02);                                                  // i8x16.relaxed_swizzle
  assert_ends(0xfe, 0x00, 0x02, 0x10);                                            // memory.atomic.notify
  assert_ends(0xfe, 0x03, 0x00);                                                  // atomic.fence
  assert_ends(0xfe, 0x4e, 0x02, 0x10); // i64.atomic.rmw32.cmpxchg_u
}

static void what_is_not_known_is_malformed(void **state) {
  (void)state;
  static const uint8_t unknown[][4] = {{0xfb, 0x00, 0x00}, {0x27},       {0xff},
                                       {0xfc, 0x17},       {0xfe, 0x4f}, {0xfd, 0x80, 0x04}};
  for (size_t i = 0; i < sizeof unknown / sizeof *unknown; i++) {
    struct ws_reader reader = ws_reader((struct ws_slice){unknown[i], sizeof unknown[i]});
    ws_read_instruction(&reader);
    assert_true(reader.bad);
  }
  struct ws_reader cut = ws_reader(BYTES(0x41, 0x80));
  ws_read_instruction(&cut);
  assert_true(cut.bad);
}

// Random bytes: what is passed is what the decoder reads, and names nothing.
static void plain_instructions_are_passed_as_they_are_read(void **state) {
  (void)state;
  struct ws_plain plain;
  ws_find_plain(&plain);
  uint32_t random = 1;
  size_t passed = 0;
  for (size_t i = 0; i < 200000; i++) {
    uint8_t bytes[24];
    for (size_t k = 0; k < sizeof bytes; k++) {
      random = random * 1664525 + 1013904223;
      bytes[k] = (uint8_t)(random >> 24) & (random >> 8 & 1 ? 0x7f : 0xff);
    }
    struct ws_slice all = {bytes, sizeof bytes};
    struct ws_reader body = ws_reader(all), read = ws_reader(all);
    ws_pass_plain(&plain, &body, body.start + i % sizeof bytes);
    assert_true(body.at <= body.start + i % sizeof bytes);
    while (read.at < body.at) {
      struct ws_instruction instruction = ws_read_instruction(&read);
      assert_false(read.bad);
      assert_int_not_equal(instruction.kind, WS_OPERAND_INDEX);
      passed++;
    }
    assert_ptr_equal(read.at, body.at);
  }
  assert_true(passed > 100000);
}

static void local_declarations_are_skipped(void **state) {
  (void)state;
  struct ws_reader reader = ws_reader(BYTES(0x03, 0x80, 0x01, 0x7f, 0x01, 0x63, 0x70, 0x02, 0x7b, 0x0b));
  ws_skip_locals(&reader);
  assert_int_equal(ws_read_offset(&reader), 9);
}

#define assert_operand(expected_kind, expected_value, expected_padded, accesses, ...)                        \
  do {                                                                                                       \
    size_t size_;                                                                                            \
    struct ws_instruction is_ = read_one(BYTES(__VA_ARGS__), &size_);                                        \
    assert_int_equal(is_.kind, expected_kind);                                                               \
    assert_int_equal(is_.value, expected_value);                                                             \
    assert_int_equal(is_.padded, expected_padded);                                                           \
    assert_int_equal(is_.accesses_memory, accesses);                                                         \
  } while (0)

static void operands_that_linkers_relocate_are_told_by_their_padding(void **state) {
  (void)state;
  assert_operand(WS_OPERAND_NONE, 0, false, false, 0x6a);
  assert_operand(WS_OPERAND_CONSTANT, 1040, false, false, 0x41, 0x90, 0x08);
  assert_operand(WS_OPERAND_CONSTANT, 1040, true, false, 0x41, 0x90, 0x88, 0x80, 0x80, 0x00);
  assert_operand(WS_OPERAND_CONSTANT, UINT32_MAX, true, false, 0x41, 0xff, 0xff, 0xff, 0xff, 0x7f);
  assert_operand(WS_OPERAND_CONSTANT, UINT32_C(1) << 27, false, false, 0x41, 0x80, 0x80, 0x80, 0xc0, 0x00);
  assert_operand(WS_OPERAND_CONSTANT, UINT32_C(0x80000000), false, false, 0x41, 0x80, 0x80, 0x80, 0x80, 0x78);
  assert_operand(WS_OPERAND_CONSTANT, 16, true, false, 0x42, 0x90, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80,
                 0x80, 0x00);
  assert_operand(WS_OPERAND_OFFSET, 1040, false, true, 0x28, 0x02, 0x90, 0x08);
  assert_operand(WS_OPERAND_OFFSET, 1040, true, true, 0x36, 0x02, 0x90, 0x88, 0x80, 0x80, 0x00);
  assert_operand(WS_OPERAND_OFFSET, 16, false, true, 0xfd, 0x00, 0x04, 0x10);
  assert_operand(WS_OPERAND_INDEX, 2, true, false, 0x23, 0x82, 0x80, 0x80, 0x80, 0x00);
  assert_operand(WS_OPERAND_INDEX, 0, true, false, 0x11, 0x81, 0x80, 0x80, 0x80, 0x00, 0x00);
  assert_operand(WS_OPERAND_INDEX, 0, false, true, 0xfc, 0x0b, 0x00);
  // What no linker relocates has a value, too.
  assert_operand(WS_OPERAND_NONE, 300, false, false, 0x20, 0xac, 0x02);
  assert_operand(WS_OPERAND_NONE, 2, false, false, 0x0d, 0x02);
  assert_operand(WS_OPERAND_NONE, (uint64_t)-64, false, false, 0x02, 0x40);
}

struct seen {
  struct ws_operand operands[8];
  size_t count;
};

static void see(void *context, const struct ws_operand *operand) {
  struct seen *seen = context;
  assert_true(seen->count < sizeof seen->operands / sizeof *seen->operands);
  seen->operands[seen->count++] = *operand;
}

#define assert_space(seen, nth, expected_space, expected_offset, expected_value)                             \
  do {                                                                                                       \
    assert_true((nth) < (seen)->count);                                                                      \
    assert_int_equal((seen)->operands[nth].space, expected_space);                                           \
    assert_int_equal((seen)->operands[nth].offset, expected_offset);                                         \
    assert_int_equal((seen)->operands[nth].value, expected_value);                                           \
  } while (0)

static struct seen visit(struct ws_slice bytes) {
  struct seen seen = {0};
  struct ws_operand_visitor visitor = {see, &seen};
  struct ws_reader reader = ws_reader(bytes);
  ws_visit_instruction(&reader, &visitor);
  assert_false(reader.bad);
  assert_true(reader.at == reader.end);
  return seen;
}

static void every_operand_is_shown_with_its_space(void **state) {
  (void)state;
  struct seen seen = visit(BYTES(0x11, 0x85, 0x80, 0x80, 0x80, 0x00, 0x02)); // call_indirect
  assert_int_equal(seen.count, 2);
  assert_space(&seen, 0, WS_SPACE_TYPE, 1, 5);
  assert_space(&seen, 1, WS_SPACE_TABLE, 6, 2);
  assert_int_equal(seen.operands[0].width, 5);
  // try_table (type 3) (catch 1 0) (catch_ref 2 0) (catch_all 0)
  seen = visit(BYTES(0x1f, 0x03, 0x03, 0x00, 0x01, 0x00, 0x01, 0x02, 0x00, 0x02, 0x00));
  assert_int_equal(seen.count, 3);
  assert_space(&seen, 0, WS_SPACE_TYPE, 1, 3);
  assert_space(&seen, 1, WS_SPACE_TAG, 4, 1);
  assert_space(&seen, 2, WS_SPACE_TAG, 7, 2);
  seen = visit(BYTES(0x2d, 0x40, 0x01, 0x88, 0x02)); // i32.load8_u of memory 1
  assert_int_equal(seen.count, 2);
  assert_space(&seen, 0, WS_SPACE_MEMORY, 2, 1);
  assert_space(&seen, 1, WS_SPACE_OFFSET, 3, 264);
  seen = visit(BYTES(0xfc, 0x0c, 0x04, 0x01)); // table.init
  assert_space(&seen, 0, WS_SPACE_ELEMENT_SEGMENT, 2, 4);
  assert_space(&seen, 1, WS_SPACE_TABLE, 3, 1);
  seen = visit(BYTES(0xfc, 0x08, 0x07, 0x00)); // memory.init
  assert_space(&seen, 0, WS_SPACE_DATA_SEGMENT, 2, 7);
  assert_space(&seen, 1, WS_SPACE_MEMORY, 3, 0);
  seen = visit(BYTES(0xd0, 0x09)); // ref.null 9
  assert_space(&seen, 0, WS_SPACE_TYPE, 1, 9);
  assert_int_equal(visit(BYTES(0xd0, 0x6f)).count, 0); // ref.null extern
  assert_int_equal(visit(BYTES(0x02, 0x40)).count, 0); // block
  assert_int_equal(visit(BYTES(0x02, 0x7f)).count, 0); // block (result i32)
  seen = visit(BYTES(0x41, 0x90, 0x08));               // i32.const
  assert_space(&seen, 0, WS_SPACE_CONSTANT, 1, 1040);
  seen = visit(BYTES(0xd2, 0x06)); // ref.func
  assert_space(&seen, 0, WS_SPACE_FUNCTION, 1, 6);
}

static void locals_name_types_too(void **state) {
  (void)state;
  struct seen seen = {0};
  struct ws_operand_visitor visitor = {see, &seen};
  struct ws_reader reader = ws_reader(BYTES(0x02, 0x01, 0x7f, 0x01, 0x63, 0x04));
  ws_visit_locals(&reader, &visitor);
  assert_false(reader.bad);
  assert_int_equal(seen.count, 1);
  assert_space(&seen, 0, WS_SPACE_TYPE, 5, 4);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(every_instruction_ends_where_the_next_begins),
      cmocka_unit_test(what_is_not_known_is_malformed),
      cmocka_unit_test(plain_instructions_are_passed_as_they_are_read),
      cmocka_unit_test(local_declarations_are_skipped),
      cmocka_unit_test(operands_that_linkers_relocate_are_told_by_their_padding),
      cmocka_unit_test(every_operand_is_shown_with_its_space),
      cmocka_unit_test(locals_name_types_too),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
