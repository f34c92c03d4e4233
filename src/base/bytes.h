// Bounded reading, LEB128, growable buffers, an arena: what every stage needs to handle untrusted bytes.
#ifndef WASMSHARE_BYTES_H
#define WASMSHARE_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

// Bytes that somebody else owns.
struct ws_slice {
  const uint8_t *data;
  size_t size;
};

static inline struct ws_slice ws_slice_of(const char *text) {
  return (struct ws_slice){(const uint8_t *)text, strlen(text)};
}
// These are here, so that a compiler knows the length of a constant text.
static inline bool ws_slice_is(struct ws_slice slice, const char *text) {
  size_t size = strlen(text);
  return slice.size == size && memcmp(slice.data, text, size) == 0;
}
static inline bool ws_slice_starts(struct ws_slice slice, const char *text) {
  size_t size = strlen(text);
  return slice.size >= size && memcmp(slice.data, text, size) == 0;
}
// As memcmp compares them; of two that begin alike, the shorter one comes first.
int ws_slice_compare(struct ws_slice a, struct ws_slice b);
bool ws_slice_equal(struct ws_slice a, struct ws_slice b);
bool ws_slice_contains(struct ws_slice slice, const char *text);
bool ws_slice_is_zero(struct ws_slice slice);
// For hash tables.
uint64_t ws_slice_hash(struct ws_slice slice);

// Reads from untrusted bytes. A read past the end or a malformed LEB sets `bad` and yields 0 from then on, so
// a decoder checks once after a group of reads. Loops over a count must check `bad` in their condition.
struct ws_reader {
  const uint8_t *start;
  const uint8_t *at;
  const uint8_t *end;
  bool bad;
};

struct ws_reader ws_reader(struct ws_slice slice);
size_t ws_read_left(const struct ws_reader *reader);
size_t ws_read_offset(const struct ws_reader *reader);
uint32_t ws_read_long_uleb32(struct ws_reader *reader); // any length; ws_read_uleb32 is for callers
uint64_t ws_read_uleb64(struct ws_reader *reader);
int32_t ws_read_sleb32(struct ws_reader *reader);
int64_t ws_read_long_sleb64(struct ws_reader *reader); // any length; ws_read_sleb64 is for callers
struct ws_slice ws_read_bytes(struct ws_reader *reader, size_t size);
struct ws_slice ws_read_name(struct ws_reader *reader); // a length and that many bytes
struct ws_slice ws_read_utf8(struct ws_reader *reader); // a name that must be UTF-8
bool ws_is_utf8(struct ws_slice text);

// The size of the UTF-8 sequence at `at`, of which `left` bytes, at least 1, can be read; 0 if there is none.
size_t ws_utf8_size(const uint8_t *at, size_t left);

static inline uint8_t ws_read_u8(struct ws_reader *reader) {
  if (reader->bad || reader->at == reader->end) {
    reader->bad = true;
    return 0;
  }
  return *reader->at++;
}

// Relocations are read by the million, and their numbers have one to four bytes.
static inline uint32_t ws_read_uleb32(struct ws_reader *reader) {
  const uint8_t *at = reader->at;
  if (!reader->bad && reader->end - at >= 4) {
    if (at[0] < 0x80) {
      reader->at += 1;
      return at[0];
    }
    if (at[1] < 0x80) {
      reader->at += 2;
      return (at[0] & 0x7fu) | (uint32_t)at[1] << 7;
    }
    if (at[2] < 0x80) {
      reader->at += 3;
      return (at[0] & 0x7fu) | (at[1] & 0x7fu) << 7 | (uint32_t)at[2] << 14;
    }
    if (at[3] < 0x80) {
      reader->at += 4;
      return (at[0] & 0x7fu) | (at[1] & 0x7fu) << 7 | (at[2] & 0x7fu) << 14 | (uint32_t)at[3] << 21;
    }
  }
  return ws_read_long_uleb32(reader);
}

// Addends: most have one to three bytes.
static inline int64_t ws_read_sleb64(struct ws_reader *reader) {
  const uint8_t *at = reader->at;
  if (!reader->bad && reader->end - at >= 3) {
    // The highest bit of the last byte is the sign: its weight is negative.
    if (at[0] < 0x80) {
      reader->at += 1;
      return at[0] - 2 * (at[0] & 0x40);
    }
    if (at[1] < 0x80) {
      reader->at += 2;
      return ((at[0] & 0x7f) | at[1] << 7) - 2 * ((at[1] & 0x40) << 7);
    }
    if (at[2] < 0x80) {
      reader->at += 3;
      return ((at[0] & 0x7f) | (at[1] & 0x7f) << 7 | at[2] << 14) - 2 * ((at[2] & 0x40) << 14);
    }
  }
  return ws_read_long_sleb64(reader);
}

// Frees everything that one owner allocated, at once.
struct ws_arena {
  struct ws_arena_block *blocks;
};

// Returns zeroed memory for `count` objects of `size` bytes, or NULL.
void *ws_arena_new(struct ws_arena *arena, size_t count, size_t size);
void ws_arena_free(struct ws_arena *arena);
// The bytes, with a zero at their end. NULL if memory runs out.
char *ws_arena_text(struct ws_arena *arena, struct ws_slice text);

// Room for one more item of `size` bytes behind the `count` of a list: the list, which may have moved, or
// NULL, and then it is as it was. The caller frees it.
void *ws_longer(void *items, size_t count, size_t *capacity, size_t size);
static inline void *ws_make_room(void *items, size_t count, size_t *capacity, size_t size) {
  return count < *capacity ? items : ws_longer(items, count, capacity, size);
}

// Of `count` items of `size` bytes, which are in order of the uint32_t at `field` in each: the first for
// which that is not less than `least`, or `count`.
static inline size_t ws_first_at_least(const void *items, size_t count, size_t size, size_t field,
                                       uint32_t least) {
  size_t low = 0, high = count;
  while (low < high) {
    size_t middle = low + (high - low) / 2;
    if (*(const uint32_t *)(const void *)((const char *)items + middle * size + field) < least)
      low = middle + 1;
    else
      high = middle;
  }
  return low;
}

// Bytes being built. A failed allocation sets `failed`, and later appends do nothing.
struct ws_buffer {
  uint8_t *data;
  size_t size;
  size_t capacity;
  bool failed;
};

void ws_buffer_free(struct ws_buffer *buffer);
// Makes room for `size` more bytes, where that is known beforehand.
void ws_buffer_reserve(struct ws_buffer *buffer, size_t size);
void ws_put_u8(struct ws_buffer *buffer, uint8_t byte);
void ws_put_bytes(struct ws_buffer *buffer, const void *bytes, size_t size);
void ws_put_slice(struct ws_buffer *buffer, struct ws_slice slice);
void ws_put_name(struct ws_buffer *buffer, struct ws_slice name);
void ws_put_uleb(struct ws_buffer *buffer, uint64_t value);
void ws_put_sleb(struct ws_buffer *buffer, int64_t value);
void ws_put_const(struct ws_buffer *buffer, bool is_64, uint64_t value); // i32.const or i64.const
// Limits of a memory or a table: `flags` are of WASM_LIMITS_FLAG_*, and say whether there is a maximum.
void ws_put_limits(struct ws_buffer *buffer, uint8_t flags, uint64_t minimum, uint64_t maximum);

// Moves what was built into the arena, and empties the buffer. The slice's data is NULL if allocation failed.
struct ws_slice ws_buffer_keep(struct ws_buffer *buffer, struct ws_arena *arena);

// The fixed-width operand encodings: what a relocation or a fixup can rewrite without moving anything.
enum ws_encoding {
  WS_LEB32,  // 5 bytes, padded unsigned LEB128
  WS_SLEB32, // 5 bytes, padded signed LEB128
  WS_LEB64,  // 10 bytes, padded unsigned LEB128
  WS_SLEB64, // 10 bytes, padded signed LEB128
  WS_U32,    // 4 bytes, little endian
  WS_U64,    // 8 bytes, little endian
};

static inline size_t ws_encoding_width(enum ws_encoding encoding) {
  return encoding < WS_LEB64 ? 5 : encoding < WS_U32 ? 10 : encoding == WS_U32 ? 4 : 8;
}
static inline bool ws_encoding_is_64(enum ws_encoding encoding) {
  return encoding == WS_LEB64 || encoding == WS_SLEB64 || encoding == WS_U64;
}

// Eight bytes, little endian.
static inline uint64_t ws_eight_bytes(const uint8_t *at) {
  return (uint64_t)at[0] | (uint64_t)at[1] << 8 | (uint64_t)at[2] << 16 | (uint64_t)at[3] << 24 |
         (uint64_t)at[4] << 32 | (uint64_t)at[5] << 40 | (uint64_t)at[6] << 48 | (uint64_t)at[7] << 56;
}

// lld's values for what was not linked in: all ones, or one less in .debug_ranges and .debug_loc.
static inline bool ws_is_tombstone(enum ws_encoding encoding, uint64_t value) {
  return value >= (ws_encoding_is_64(encoding) ? UINT64_MAX : UINT32_MAX) - 1;
}

// Reads the operand at `at`; 32-bit values are zero-extended. False if a LEB is not padded to its full width.
bool ws_operand_get_64(const uint8_t *at, enum ws_encoding encoding, uint64_t *value);
static inline bool ws_operand_get(const uint8_t *at, enum ws_encoding encoding, uint64_t *value) {
  if (ws_encoding_is_64(encoding))
    return ws_operand_get_64(at, encoding, value);
  if (encoding == WS_U32) {
    *value = (uint32_t)at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24;
    return true;
  }
  *value = (at[0] & 0x7fu) | (at[1] & 0x7fu) << 7 | (at[2] & 0x7fu) << 14 | (at[3] & 0x7fu) << 21 |
           (uint32_t)at[4] << 28;
  return (at[0] & at[1] & at[2] & at[3] & 0x80) && !(at[4] & 0x80);
}
// Writes `value`, cut to the encoding's width.
void ws_operand_put(uint8_t *at, enum ws_encoding encoding, uint64_t value);

size_t ws_uleb_size(uint64_t value);
bool ws_add(uint64_t *sum, uint64_t a, uint64_t b);                  // false on overflow
bool ws_align_up(uint64_t *out, uint64_t value, uint64_t alignment); // alignment is a power of two

#endif
