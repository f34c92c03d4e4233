// src/bytes.h: reading untrusted bytes, LEB128, operands of fixed width, buffers, arenas, checked sums.
#include "unit.h"

// ------------------------------------------------------------------------------------------ reading LEB128

#define ULEB32(...) read_u32(BYTES(__VA_ARGS__))
#define ULEB64(...) read_u64(BYTES(__VA_ARGS__))
#define SLEB32(...) read_s32(BYTES(__VA_ARGS__))
#define SLEB64(...) read_s64(BYTES(__VA_ARGS__))

// The readers of whole slices; what is malformed, or is not all of the slice, is marked by `bad_number`.
static const int64_t bad_number = INT64_C(0x5bad5bad5bad5bad);

#define READER(name, type, function)                                                                         \
  static type name(struct ws_slice bytes) {                                                                  \
    struct ws_reader reader = ws_reader(bytes);                                                              \
    type value = (type)function(&reader);                                                                    \
    if (reader.bad)                                                                                          \
      assert_int_equal(value, 0);                                                                            \
    return reader.bad || reader.at != reader.end ? (type)bad_number : value;                                 \
  }
READER(read_u32, int64_t, ws_read_uleb32)
READER(read_u64, uint64_t, ws_read_uleb64)
READER(read_s32, int64_t, ws_read_sleb32)
READER(read_s64, int64_t, ws_read_sleb64)

static void uleb32_takes_every_length_up_to_five_bytes(void **state) {
  (void)state;
  assert_int_equal(ULEB32(0x00), 0);
  assert_int_equal(ULEB32(0x7f), 127);
  assert_int_equal(ULEB32(0x80, 0x01), 128);
  assert_int_equal(ULEB32(0xff, 0x7f), 16383);
  assert_int_equal(ULEB32(0x80, 0x80, 0x01), 16384);
  assert_int_equal(ULEB32(0xff, 0xff, 0x7f), 2097151);
  assert_int_equal(ULEB32(0x80, 0x80, 0x80, 0x01), 2097152);
  assert_int_equal(ULEB32(0xff, 0xff, 0xff, 0x7f), 268435455);
  assert_int_equal(ULEB32(0xff, 0xff, 0xff, 0xff, 0x0f), UINT32_MAX);
}

static void uleb32_takes_padding(void **state) {
  (void)state;
  assert_int_equal(ULEB32(0x80, 0x00), 0);
  assert_int_equal(ULEB32(0x85, 0x80, 0x00), 5);
  assert_int_equal(ULEB32(0x85, 0x80, 0x80, 0x80, 0x00), 5);
}

static void uleb32_refuses_a_sixth_byte(void **state) {
  (void)state;
  assert_int_equal(ULEB32(0x85, 0x80, 0x80, 0x80, 0x80, 0x00), bad_number);
  assert_int_equal(ULEB32(0x80, 0x80, 0x80, 0x80, 0x80), bad_number);
}

static void uleb32_refuses_bits_beyond_32(void **state) {
  (void)state;
  assert_int_equal(ULEB32(0xff, 0xff, 0xff, 0xff, 0x1f), bad_number);
  assert_int_equal(ULEB32(0x80, 0x80, 0x80, 0x80, 0x10), bad_number);
  assert_int_equal(ULEB32(0x80, 0x80, 0x80, 0x80, 0x70), bad_number);
}

static void uleb64_takes_ten_bytes_of_which_the_last_has_one_bit(void **state) {
  (void)state;
  assert_int_equal(ULEB64(0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01), UINT64_MAX);
  assert_int_equal(ULEB64(0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f), INT64_MAX);
  assert_int_equal(ULEB64(0x80, 0x80, 0x80, 0x80, 0x10), UINT64_C(1) << 32);
  assert_int_equal(ULEB64(0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x02), (uint64_t)bad_number);
  assert_int_equal(ULEB64(0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x81), (uint64_t)bad_number);
  assert_int_equal(ULEB64(0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x00),
                   (uint64_t)bad_number);
}

static void sleb32_extends_the_sign_of_the_last_byte(void **state) {
  (void)state;
  assert_int_equal(SLEB32(0x00), 0);
  assert_int_equal(SLEB32(0x3f), 63);
  assert_int_equal(SLEB32(0x40), -64);
  assert_int_equal(SLEB32(0x7f), -1);
  assert_int_equal(SLEB32(0xc0, 0x00), 64);
  assert_int_equal(SLEB32(0xbf, 0x7f), -65);
  assert_int_equal(SLEB32(0x80, 0x7f), -128);
  assert_int_equal(SLEB32(0xff, 0xff, 0xff, 0xff, 0x07), INT32_MAX);
  assert_int_equal(SLEB32(0x80, 0x80, 0x80, 0x80, 0x78), INT32_MIN);
  assert_int_equal(SLEB32(0xff, 0xff, 0xff, 0xff, 0x7f), -1);
}

static void sleb32_refuses_unused_bits_that_are_not_the_sign(void **state) {
  (void)state;
  assert_int_equal(SLEB32(0xff, 0xff, 0xff, 0xff, 0x0f), bad_number);
  assert_int_equal(SLEB32(0x80, 0x80, 0x80, 0x80, 0x08), bad_number);
  assert_int_equal(SLEB32(0x80, 0x80, 0x80, 0x80, 0x70), bad_number);
  assert_int_equal(SLEB32(0xff, 0xff, 0xff, 0xff, 0x3f), bad_number);
  assert_int_equal(SLEB32(0xff, 0xff, 0xff, 0xff, 0xff, 0x7f), bad_number);
}

static void sleb64_extends_the_sign_and_refuses_unused_bits_that_are_not_it(void **state) {
  (void)state;
  assert_int_equal(SLEB64(0x7f), -1);
  assert_int_equal(SLEB64(0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x00), INT64_MAX);
  assert_int_equal(SLEB64(0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x7f), INT64_MIN);
  assert_int_equal(SLEB64(0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x40), INT64_MIN / 2);
  assert_int_equal(SLEB64(0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x01), bad_number);
  assert_int_equal(SLEB64(0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x7e), bad_number);
  assert_int_equal(SLEB64(0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0xff), bad_number);
}

static void leb_that_ends_too_soon_is_refused_at_every_length(void **state) {
  (void)state;
  static const uint8_t unfinished[] = {0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80};
  for (size_t size = 0; size <= sizeof unfinished; size++) {
    struct ws_slice slice = {unfinished, size};
    assert_int_equal(read_u64(slice), (uint64_t)bad_number);
    assert_int_equal(read_s64(slice), bad_number);
    if (size > 4)
      continue;
    assert_int_equal(read_u32(slice), bad_number);
    assert_int_equal(read_s32(slice), bad_number);
  }
}

// Short numbers near the end of the bytes and in their middle take different ways through ws_read_uleb32.
static void uleb32_reads_the_same_whatever_follows(void **state) {
  (void)state;
  static const uint32_t numbers[] = {0, 1, 127, 128, 300, 16383, 16384, 2097151, 2097152, UINT32_MAX};
  for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
    struct ws_buffer buffer = {0};
    ws_put_uleb(&buffer, numbers[i]);
    size_t size = buffer.size;
    for (size_t more = 0; more < 8; more++) {
      struct ws_reader reader = ws_reader((struct ws_slice){buffer.data, buffer.size});
      assert_int_equal(ws_read_uleb32(&reader), numbers[i]);
      assert_false(reader.bad);
      assert_int_equal(ws_read_offset(&reader), size);
      ws_put_u8(&buffer, 0xff);
    }
    ws_buffer_free(&buffer);
  }
}

// -------------------------------------------------------------------------------------------------- reader

// Random bytes, of which many are the same or go on, read from all there are and with others behind them.
static void every_leb_reads_the_same_whatever_follows(void **state) {
  (void)state;
  uint32_t random = 1;
  for (int i = 0; i < 200000; i++) {
    uint8_t bytes[24];
    size_t size = 0;
    do {
      random = random * 1664525 + 1013904223;
      uint8_t byte = (uint8_t)(random >> 24);
      bytes[size++] = random >> 8 & 3 ? byte | 0x80 : byte & (random >> 10 & 1 ? 0x4f : 0x7f);
    } while ((bytes[size - 1] & 0x80) && size < 12);
    struct ws_reader alone[4], followed[4];
    memset(bytes + size, i & 1 ? 0xff : 0, sizeof bytes - size);
    uint64_t values[2][4];
    for (int k = 0; k < 4; k++) {
      alone[k] = ws_reader((struct ws_slice){bytes, size});
      followed[k] = ws_reader((struct ws_slice){bytes, sizeof bytes});
    }
    for (int k = 0; k < 2; k++) {
      struct ws_reader *from = k ? followed : alone;
      values[k][0] = ws_read_uleb32(&from[0]);
      values[k][1] = ws_read_uleb64(&from[1]);
      values[k][2] = (uint64_t)ws_read_sleb32(&from[2]);
      values[k][3] = (uint64_t)ws_read_sleb64(&from[3]);
    }
    for (int k = 0; k < 4 && size < 12; k++) {
      assert_int_equal(alone[k].bad, followed[k].bad);
      assert_int_equal(values[0][k], values[1][k]);
      assert_true(alone[k].bad || alone[k].at == followed[k].at);
    }
  }
}

static void a_bad_reader_yields_nothing_more(void **state) {
  (void)state;
  struct ws_reader reader = ws_reader(BYTES(0x05, 0x01, 0x02, 0x03, 0x04));
  assert_int_equal(ws_read_bytes(&reader, 6).size, 0);
  assert_true(reader.bad);
  assert_int_equal(ws_read_u8(&reader), 0);
  assert_int_equal(ws_read_uleb32(&reader), 0);
  assert_int_equal(ws_read_uleb64(&reader), 0);
  assert_int_equal(ws_read_sleb32(&reader), 0);
  assert_int_equal(ws_read_bytes(&reader, 1).size, 0);
  assert_int_equal(ws_read_name(&reader).size, 0);
}

static void bytes_and_names_end_within_the_slice(void **state) {
  (void)state;
  struct ws_reader reader = ws_reader(BYTES(2, 'o', 'k', 3, 'n', 'o'));
  assert_slice_is(ws_read_name(&reader), text("ok"));
  assert_int_equal(ws_read_left(&reader), 3);
  assert_int_equal(ws_read_offset(&reader), 3);
  assert_int_equal(ws_read_name(&reader).size, 0);
  assert_true(reader.bad);

  reader = ws_reader(BYTES(1, 2));
  assert_int_equal(ws_read_bytes(&reader, SIZE_MAX).size, 0);
  assert_true(reader.bad);
}

static void an_empty_slice_without_bytes_can_be_read(void **state) {
  (void)state;
  struct ws_reader reader = ws_reader((struct ws_slice){NULL, 0});
  assert_int_equal(ws_read_left(&reader), 0);
  assert_int_equal(ws_read_bytes(&reader, 0).size, 0);
  assert_false(reader.bad);
  assert_int_equal(ws_read_u8(&reader), 0);
  assert_true(reader.bad);
}

static void slices_are_compared_whole(void **state) {
  (void)state;
  assert_true(ws_slice_is(text("linking"), "linking"));
  assert_false(ws_slice_is(text("linking"), "link"));
  assert_false(ws_slice_is(text("link"), "linking"));
  assert_true(ws_slice_starts(text("reloc.CODE"), "reloc."));
  assert_false(ws_slice_starts(text("rel"), "reloc."));
  assert_true(ws_slice_equal(text("same"), text("same")));
  assert_false(ws_slice_equal(text("same"), text("some")));
  assert_true(ws_slice_equal((struct ws_slice){NULL, 0}, text("")));
}

// ------------------------------------------------------------------------------------------------ operands

static const struct {
  enum ws_encoding encoding;
  size_t width;
  bool is_64;
} encodings[] = {{WS_LEB32, 5, false},  {WS_SLEB32, 5, false}, {WS_LEB64, 10, true},
                 {WS_SLEB64, 10, true}, {WS_U32, 4, false},    {WS_U64, 8, true}};
enum { ENCODINGS = sizeof encodings / sizeof *encodings };

static const uint64_t boundaries[] = {0,
                                      1,
                                      63,
                                      64,
                                      127,
                                      128,
                                      8191,
                                      8192,
                                      16383,
                                      16384,
                                      UINT32_C(0x7fffffff),
                                      UINT32_C(0x80000000),
                                      UINT32_MAX - 1,
                                      UINT32_MAX,
                                      UINT64_C(1) << 32,
                                      UINT64_C(1) << 34,
                                      INT64_MAX,
                                      UINT64_C(1) << 63,
                                      UINT64_MAX - 1,
                                      UINT64_MAX};
enum { BOUNDARIES = sizeof boundaries / sizeof *boundaries };

static void operands_have_the_width_of_their_encoding(void **state) {
  (void)state;
  for (size_t i = 0; i < ENCODINGS; i++) {
    assert_int_equal(ws_encoding_width(encodings[i].encoding), encodings[i].width);
    assert_int_equal(ws_encoding_is_64(encodings[i].encoding), encodings[i].is_64);
  }
}

static void operands_round_trip_at_every_boundary_and_touch_nothing_else(void **state) {
  (void)state;
  for (size_t i = 0; i < ENCODINGS; i++) {
    for (size_t k = 0; k < BOUNDARIES; k++) {
      uint8_t bytes[12];
      memset(bytes, 0xa5, sizeof bytes);
      ws_operand_put(bytes + 1, encodings[i].encoding, boundaries[k]);
      assert_int_equal(bytes[0], 0xa5);
      assert_int_equal(bytes[1 + encodings[i].width], 0xa5);
      uint64_t value;
      assert_true(ws_operand_get(bytes + 1, encodings[i].encoding, &value));
      assert_int_equal(value, encodings[i].is_64 ? boundaries[k] : (uint32_t)boundaries[k]);
    }
  }
}

// What is written must be valid in the place of an operand: i32.const and memory addresses, or i64.const.
static void written_lebs_are_what_a_strict_reader_takes(void **state) {
  (void)state;
  for (size_t k = 0; k < BOUNDARIES; k++) {
    uint8_t bytes[10];
    uint64_t value = boundaries[k];
    ws_operand_put(bytes, WS_LEB32, value);
    assert_int_equal(read_u32((struct ws_slice){bytes, 5}), (uint32_t)value);
    ws_operand_put(bytes, WS_SLEB32, value);
    assert_int_equal(read_s32((struct ws_slice){bytes, 5}), (int32_t)(uint32_t)value);
    ws_operand_put(bytes, WS_LEB64, value);
    assert_int_equal(read_u64((struct ws_slice){bytes, 10}), value);
    ws_operand_put(bytes, WS_SLEB64, value);
    assert_int_equal(read_s64((struct ws_slice){bytes, 10}), (int64_t)value);
  }
}

static void operands_are_written_as_the_linker_writes_them(void **state) {
  (void)state;
  uint8_t bytes[10];
  ws_operand_put(bytes, WS_LEB32, 0x12345678);
  assert_slice_is(((struct ws_slice){bytes, 5}), BYTES(0xf8, 0xac, 0xd1, 0x91, 0x01));
  ws_operand_put(bytes, WS_SLEB32, UINT32_MAX);
  assert_slice_is(((struct ws_slice){bytes, 5}), BYTES(0xff, 0xff, 0xff, 0xff, 0x7f));
  ws_operand_put(bytes, WS_SLEB32, 0x80000000);
  assert_slice_is(((struct ws_slice){bytes, 5}), BYTES(0x80, 0x80, 0x80, 0x80, 0x78));
  ws_operand_put(bytes, WS_LEB64, UINT64_MAX);
  assert_slice_is(((struct ws_slice){bytes, 10}),
                  BYTES(0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01));
  ws_operand_put(bytes, WS_SLEB64, UINT64_C(1) << 63);
  assert_slice_is(((struct ws_slice){bytes, 10}),
                  BYTES(0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x7f));
  ws_operand_put(bytes, WS_U32, 0x12345678);
  assert_slice_is(((struct ws_slice){bytes, 4}), BYTES(0x78, 0x56, 0x34, 0x12));
  ws_operand_put(bytes, WS_U64, UINT64_C(0x0123456789abcdef));
  assert_slice_is(((struct ws_slice){bytes, 8}), BYTES(0xef, 0xcd, 0xab, 0x89, 0x67, 0x45, 0x23, 0x01));
}

// Moving down adds a delta below zero; addresses near the end of memory pass through the sign bit.
static void adding_to_an_operand_wraps_around_at_its_width(void **state) {
  (void)state;
  for (size_t i = 0; i < ENCODINGS; i++) {
    uint8_t bytes[10];
    uint64_t value, all = encodings[i].is_64 ? UINT64_MAX : UINT32_MAX;
    enum ws_encoding encoding = encodings[i].encoding;
    ws_operand_put(bytes, encoding, 0x1000);
    assert_true(ws_operand_get(bytes, encoding, &value));
    ws_operand_put(bytes, encoding, value - 0x1001);
    assert_true(ws_operand_get(bytes, encoding, &value));
    assert_int_equal(value, all);
    ws_operand_put(bytes, encoding, value + 0x1001);
    assert_true(ws_operand_get(bytes, encoding, &value));
    assert_int_equal(value, 0x1000);
  }
}

static void an_operand_that_is_not_padded_to_its_width_is_refused(void **state) {
  (void)state;
  for (size_t i = 0; i < ENCODINGS; i++) {
    size_t width = encodings[i].width;
    if (encodings[i].encoding == WS_U32 || encodings[i].encoding == WS_U64)
      continue;
    for (size_t wrong = 0; wrong < width; wrong++) {
      uint8_t bytes[10];
      uint64_t value;
      ws_operand_put(bytes, encodings[i].encoding, 0x123456);
      assert_true(ws_operand_get(bytes, encodings[i].encoding, &value));
      bytes[wrong] ^= 0x80;
      assert_false(ws_operand_get(bytes, encodings[i].encoding, &value));
    }
  }
}

// ------------------------------------------------------------------------------------------------- buffers

static size_t shortest_sleb(int64_t value) {
  size_t size = 1;
  while (size < 10 && (value >= INT64_C(1) << (7 * size - 1) || value < -(INT64_C(1) << (7 * size - 1))))
    size++;
  return size;
}

static void numbers_are_written_in_their_shortest_form(void **state) {
  (void)state;
  static const int64_t numbers[] = {0,   1,    -1,    63,   64,        -64,       -65,       127,      128,
                                    300, 8191, -8192, 8192, INT32_MAX, INT32_MIN, INT64_MAX, INT64_MIN};
  for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
    struct ws_buffer buffer = {0};
    ws_put_sleb(&buffer, numbers[i]);
    assert_int_equal(read_s64((struct ws_slice){buffer.data, buffer.size}), numbers[i]);
    assert_int_equal(buffer.size, shortest_sleb(numbers[i]));
    buffer.size = 0;
    ws_put_uleb(&buffer, (uint64_t)numbers[i]);
    assert_int_equal(read_u64((struct ws_slice){buffer.data, buffer.size}), (uint64_t)numbers[i]);
    assert_true(buffer.size == 1 || buffer.data[buffer.size - 1] != 0);
    assert_int_equal(buffer.size, ws_uleb_size((uint64_t)numbers[i]));
    ws_buffer_free(&buffer);
  }
}

static void a_buffer_grows_and_keeps_what_it_had(void **state) {
  (void)state;
  struct ws_buffer buffer = {0};
  for (size_t i = 0; i < 100000; i++)
    ws_put_u8(&buffer, (uint8_t)(i * 7));
  assert_int_equal(buffer.size, 100000);
  for (size_t i = 0; i < 100000; i++)
    assert_int_equal(buffer.data[i], (uint8_t)(i * 7));
  ws_buffer_free(&buffer);
  assert_null(buffer.data);
  assert_int_equal(buffer.size, 0);
}

static void a_buffer_that_cannot_grow_takes_nothing_more(void **state) {
  (void)state;
  struct ws_buffer buffer = {0};
  ws_put_u8(&buffer, 1);
  volatile size_t too_much = SIZE_MAX - 8;
  ws_put_bytes(&buffer, "", too_much);
  assert_true(buffer.failed);
  ws_put_u8(&buffer, 2);
  assert_int_equal(buffer.size, 1);

  struct ws_arena arena = {0};
  assert_null(ws_buffer_keep(&buffer, &arena).data);
  assert_null(buffer.data);
  ws_arena_free(&arena);
}

static void what_a_buffer_held_lives_on_in_an_arena(void **state) {
  (void)state;
  struct ws_arena arena = {0};
  struct ws_buffer buffer = {0}, empty = {0};
  ws_put_name(&buffer, text("kept"));
  struct ws_slice kept = ws_buffer_keep(&buffer, &arena), nothing = ws_buffer_keep(&empty, &arena);
  assert_null(buffer.data);
  assert_slice_is(kept, BYTES(4, 'k', 'e', 'p', 't'));
  assert_non_null(nothing.data);
  assert_int_equal(nothing.size, 0);
  ws_arena_free(&arena);
}

// -------------------------------------------------------------------------------------------------- arenas

static void an_arena_gives_zeroed_memory_aligned_for_anything(void **state) {
  (void)state;
  static const size_t sizes[] = {1, 3, 8, 24, 1000, 16 * 1024, 16 * 1024 + 1, 100000, 0, 5};
  enum { SIZES = sizeof sizes / sizeof *sizes };
  struct ws_arena arena = {0};
  uint8_t *given[3 * SIZES];
  for (size_t i = 0; i < 3 * SIZES; i++) {
    size_t size = sizes[i % SIZES];
    given[i] = ws_arena_new(&arena, size, 1);
    assert_non_null(given[i]);
    assert_int_equal((uintptr_t)given[i] % _Alignof(max_align_t), 0);
    for (size_t k = 0; k < size; k++)
      assert_int_equal(given[i][k], 0);
    memset(given[i], (int)i + 1, size);
  }
  for (size_t i = 0; i < 3 * SIZES; i++)
    for (size_t k = 0; k < sizes[i % SIZES]; k++)
      assert_int_equal(given[i][k], i + 1);
  ws_arena_free(&arena);
  assert_null(arena.blocks);
}

static void a_large_object_does_not_hide_the_room_left_for_small_ones(void **state) {
  (void)state;
  struct ws_arena arena = {0};
  uint8_t *before = ws_arena_new(&arena, 1, sizeof(max_align_t));
  assert_non_null(ws_arena_new(&arena, 100000, 1));
  assert_ptr_equal(ws_arena_new(&arena, 1, 1), before + sizeof(max_align_t));
  ws_arena_free(&arena);
}

static void an_arena_refuses_sizes_that_overflow(void **state) {
  (void)state;
  struct ws_arena arena = {0};
  volatile size_t many = SIZE_MAX / 4;
  assert_null(ws_arena_new(&arena, many, 8));
  assert_null(ws_arena_new(&arena, many, many));
  assert_non_null(ws_arena_new(&arena, 0, many));
  ws_arena_free(&arena);
}

// ---------------------------------------------------------------------------------------------------- sums

static void sums_that_overflow_are_refused_and_leave_the_output_alone(void **state) {
  (void)state;
  uint64_t sum = 7;
  assert_false(ws_add(&sum, UINT64_MAX, 1));
  assert_false(ws_add(&sum, 1, UINT64_MAX));
  assert_false(ws_align_up(&sum, UINT64_MAX, 2));
  assert_false(ws_align_up(&sum, UINT64_MAX - 14, 16));
  assert_int_equal(sum, 7);
  assert_true(ws_add(&sum, UINT64_MAX - 1, 1));
  assert_int_equal(sum, UINT64_MAX);
}

static void aligning_goes_up_to_the_next_multiple(void **state) {
  (void)state;
  uint64_t out;
  static const struct {
    uint64_t value, alignment, aligned;
  } cases[] = {{0, 16, 0},
               {1, 16, 16},
               {16, 16, 16},
               {17, 16, 32},
               {5, 1, 5},
               {65537, 65536, 131072},
               {UINT64_MAX - 15, 16, UINT64_MAX - 15},
               {1, UINT64_C(1) << 63, UINT64_C(1) << 63}};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    assert_true(ws_align_up(&out, cases[i].value, cases[i].alignment));
    assert_int_equal(out, cases[i].aligned);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(uleb32_takes_every_length_up_to_five_bytes),
      cmocka_unit_test(uleb32_takes_padding),
      cmocka_unit_test(uleb32_refuses_a_sixth_byte),
      cmocka_unit_test(uleb32_refuses_bits_beyond_32),
      cmocka_unit_test(uleb64_takes_ten_bytes_of_which_the_last_has_one_bit),
      cmocka_unit_test(sleb32_extends_the_sign_of_the_last_byte),
      cmocka_unit_test(sleb32_refuses_unused_bits_that_are_not_the_sign),
      cmocka_unit_test(sleb64_extends_the_sign_and_refuses_unused_bits_that_are_not_it),
      cmocka_unit_test(leb_that_ends_too_soon_is_refused_at_every_length),
      cmocka_unit_test(uleb32_reads_the_same_whatever_follows),
      cmocka_unit_test(every_leb_reads_the_same_whatever_follows),
      cmocka_unit_test(a_bad_reader_yields_nothing_more),
      cmocka_unit_test(bytes_and_names_end_within_the_slice),
      cmocka_unit_test(an_empty_slice_without_bytes_can_be_read),
      cmocka_unit_test(slices_are_compared_whole),
      cmocka_unit_test(operands_have_the_width_of_their_encoding),
      cmocka_unit_test(operands_round_trip_at_every_boundary_and_touch_nothing_else),
      cmocka_unit_test(written_lebs_are_what_a_strict_reader_takes),
      cmocka_unit_test(operands_are_written_as_the_linker_writes_them),
      cmocka_unit_test(adding_to_an_operand_wraps_around_at_its_width),
      cmocka_unit_test(an_operand_that_is_not_padded_to_its_width_is_refused),
      cmocka_unit_test(numbers_are_written_in_their_shortest_form),
      cmocka_unit_test(a_buffer_grows_and_keeps_what_it_had),
      cmocka_unit_test(a_buffer_that_cannot_grow_takes_nothing_more),
      cmocka_unit_test(what_a_buffer_held_lives_on_in_an_arena),
      cmocka_unit_test(an_arena_gives_zeroed_memory_aligned_for_anything),
      cmocka_unit_test(a_large_object_does_not_hide_the_room_left_for_small_ones),
      cmocka_unit_test(an_arena_refuses_sizes_that_overflow),
      cmocka_unit_test(sums_that_overflow_are_refused_and_leave_the_output_alone),
      cmocka_unit_test(aligning_goes_up_to_the_next_multiple),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
