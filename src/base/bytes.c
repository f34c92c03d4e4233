#include "base/bytes.h"

#include <stdlib.h>
#include <string.h>

#include "format/wasm.h"

int ws_slice_compare(struct ws_slice a, struct ws_slice b) {
  size_t common = a.size < b.size ? a.size : b.size;
  int order = common ? memcmp(a.data, b.data, common) : 0;
  return order ? order : a.size < b.size ? -1 : a.size > b.size;
}

bool ws_slice_equal(struct ws_slice a, struct ws_slice b) {
  return a.size == b.size && (a.size == 0 || memcmp(a.data, b.data, a.size) == 0);
}

bool ws_slice_contains(struct ws_slice slice, const char *text) {
  size_t size = strlen(text);
  for (size_t i = 0; i + size <= slice.size; i++)
    if (memcmp(slice.data + i, text, size) == 0)
      return true;
  return false;
}

bool ws_slice_is_zero(struct ws_slice slice) {
  return slice.size == 0 || (slice.data[0] == 0 && memcmp(slice.data, slice.data + 1, slice.size - 1) == 0);
}

// Like FNV-1a, but of eight bytes at once.
uint64_t ws_slice_hash(struct ws_slice slice) {
  const uint64_t prime = UINT64_C(0x9e3779b97f4a7c15);
  uint64_t hash = slice.size;
  const uint8_t *at = slice.data, *end = slice.size ? at + slice.size : at;
  for (; end - at >= 8; at += 8) {
    hash = (hash ^ ws_eight_bytes(at)) * prime;
    hash ^= hash >> 32;
  }
  uint64_t rest = 0;
  while (at < end)
    rest = rest << 8 | *at++;
  hash = (hash ^ rest) * prime;
  return hash ^ hash >> 32;
}

struct ws_reader ws_reader(struct ws_slice slice) {
  // An empty slice may have no bytes to point at; give it some, so that pointers are always comparable.
  const uint8_t *data = slice.data ? slice.data : (const uint8_t *)"";
  return (struct ws_reader){.start = data, .at = data, .end = data + slice.size, .bad = false};
}

size_t ws_read_left(const struct ws_reader *reader) {
  return (size_t)(reader->end - reader->at);
}
size_t ws_read_offset(const struct ws_reader *reader) {
  return (size_t)(reader->at - reader->start);
}

#ifndef __OPTIMIZE_SIZE__ // it only makes it faster

// The seven lower bits of each of eight bytes.
static uint64_t join_sevens(uint64_t bytes) {
  bytes = (bytes & UINT64_C(0x007f007f007f007f)) | (bytes & UINT64_C(0x7f007f007f007f00)) >> 1;
  bytes = (bytes & UINT64_C(0x00003fff00003fff)) | (bytes & UINT64_C(0x3fff00003fff0000)) >> 2;
  return (bytes & UINT64_C(0x000000000fffffff)) | (bytes & UINT64_C(0x0fffffff00000000)) >> 4;
}

// One that ends within eight bytes and is no longer than it may be, and of whose last byte all bits are used,
// or those that are not are clear.
static bool read_short_leb(struct ws_reader *reader, unsigned bits, bool is_signed, uint64_t *value) {
  if (reader->bad || ws_read_left(reader) < 8)
    return false;
  uint64_t bytes = ws_eight_bytes(reader->at), ends = ~bytes & UINT64_C(0x8080808080808080);
  if (!ends)
    return false;
  unsigned size = (unsigned)__builtin_ctzll(ends) / 8 + 1, used = 7 * size;
  *value = join_sevens(bytes & (UINT64_MAX >> (64 - 8 * size)));
  if (used > bits && (used >= bits + 7 || *value >> (is_signed ? bits - 1 : bits)))
    return false;
  if (is_signed && (*value >> (used - 1) & 1))
    *value |= UINT64_MAX << used;
  reader->at += size;
  return true;
}

#else

static bool read_short_leb(struct ws_reader *reader, unsigned bits, bool is_signed, uint64_t *value) {
  (void)reader, (void)bits, (void)is_signed, (void)value;
  return false;
}

#endif

// LEB128 as the WebAssembly core specification has it: at most ceil(bits / 7) bytes, and the unused bits of
// the last one must be zero (unsigned) or copies of the sign (signed).
static uint64_t read_leb(struct ws_reader *reader, unsigned bits, bool is_signed) {
  uint64_t value = 0;
  if (read_short_leb(reader, bits, is_signed, &value))
    return value;
  value = 0;
  for (unsigned shift = 0; shift < bits; shift += 7) {
    uint8_t byte = ws_read_u8(reader);
    if (reader->bad)
      return 0;
    value |= (uint64_t)(byte & 0x7f) << shift;
    if (shift + 7 >= bits) {
      unsigned used = bits - shift;
      uint8_t rest = (uint8_t)(byte >> (is_signed ? used - 1 : used));
      uint8_t all = (uint8_t)(0x7f >> (is_signed ? used - 1 : used));
      if ((byte & 0x80) || (rest != 0 && !(is_signed && rest == all))) {
        reader->bad = true;
        return 0;
      }
    }
    if (!(byte & 0x80)) {
      if (is_signed && (byte & 0x40) && shift + 7 < 64)
        value |= UINT64_MAX << (shift + 7);
      return value;
    }
  }
  return value;
}

uint32_t ws_read_long_uleb32(struct ws_reader *reader) {
  return (uint32_t)read_leb(reader, 32, false);
}
uint64_t ws_read_uleb64(struct ws_reader *reader) {
  return read_leb(reader, 64, false);
}
int32_t ws_read_sleb32(struct ws_reader *reader) {
  return (int32_t)(uint32_t)read_leb(reader, 32, true);
}
int64_t ws_read_long_sleb64(struct ws_reader *reader) {
  return (int64_t)read_leb(reader, 64, true);
}

struct ws_slice ws_read_bytes(struct ws_reader *reader, size_t size) {
  if (reader->bad || size > ws_read_left(reader)) {
    reader->bad = true;
    return (struct ws_slice){reader->start, 0};
  }
  struct ws_slice slice = {reader->at, size};
  reader->at += size;
  return slice;
}

struct ws_slice ws_read_name(struct ws_reader *reader) {
  uint32_t size = ws_read_uleb32(reader);
  return ws_read_bytes(reader, size);
}

struct ws_arena_block {
  struct ws_arena_block *next;
  size_t used;
  size_t size;
  max_align_t bytes[];
};

enum { ARENA_BLOCK = 16 * 1024 };

void *ws_arena_new(struct ws_arena *arena, size_t count, size_t size) {
  if (size != 0 && count > (SIZE_MAX / 2) / size)
    return NULL;
  size_t wanted = (count * size + sizeof(max_align_t) - 1) / sizeof(max_align_t) * sizeof(max_align_t);
  if (wanted == 0)
    wanted = sizeof(max_align_t);
  struct ws_arena_block *block = arena->blocks;
  if (!block || block->size - block->used < wanted) {
    size_t room = wanted > ARENA_BLOCK ? wanted : ARENA_BLOCK;
    // calloc hands large blocks out as untouched zero pages.
    block = calloc(1, sizeof(*block) + room);
    if (!block)
      return NULL;
    block->size = room;
    // A block made for one large object must not hide the room left in the current one.
    if (arena->blocks && wanted > ARENA_BLOCK) {
      block->next = arena->blocks->next;
      arena->blocks->next = block;
    } else {
      block->next = arena->blocks;
      arena->blocks = block;
    }
  }
  void *result = (uint8_t *)block->bytes + block->used;
  block->used += wanted;
  return result;
}

char *ws_arena_text(struct ws_arena *arena, struct ws_slice text) {
  char *copy = ws_arena_new(arena, text.size + 1, 1);
  return copy && text.size ? memcpy(copy, text.data, text.size) : copy;
}

void ws_arena_free(struct ws_arena *arena) {
  while (arena->blocks) {
    struct ws_arena_block *block = arena->blocks;
    arena->blocks = block->next;
    free(block);
  }
}

void *ws_longer(void *items, size_t count, size_t *capacity, size_t size) {
  size_t longer = count ? count * 2 : 16;
  items = longer > SIZE_MAX / size ? NULL : realloc(items, longer * size);
  if (items)
    *capacity = longer;
  return items;
}

void ws_buffer_free(struct ws_buffer *buffer) {
  free(buffer->data);
  *buffer = (struct ws_buffer){0};
}

// Gives the buffer a capacity; false if memory runs out.
static bool set_capacity(struct ws_buffer *buffer, size_t capacity) {
  uint8_t *data = realloc(buffer->data, capacity);
  if (!data) {
    buffer->failed = true;
    return false;
  }
  buffer->data = data;
  buffer->capacity = capacity;
  return true;
}

void ws_buffer_reserve(struct ws_buffer *buffer, size_t size) {
  if (buffer->failed || size <= buffer->capacity - buffer->size)
    return;
  if (size > SIZE_MAX - buffer->size)
    buffer->failed = true;
  else
    set_capacity(buffer, buffer->size + size);
}

void ws_put_bytes(struct ws_buffer *buffer, const void *bytes, size_t size) {
  if (buffer->failed || size == 0)
    return;
  if (size > buffer->capacity - buffer->size) {
    size_t capacity = buffer->capacity ? buffer->capacity : 64;
    while (capacity - buffer->size < size) {
      if (capacity > SIZE_MAX / 2) {
        buffer->failed = true;
        return;
      }
      capacity *= 2;
    }
    if (!set_capacity(buffer, capacity))
      return;
  }
  memcpy(buffer->data + buffer->size, bytes, size);
  buffer->size += size;
}

void ws_put_u8(struct ws_buffer *buffer, uint8_t byte) {
  ws_put_bytes(buffer, &byte, 1);
}
void ws_put_slice(struct ws_buffer *buffer, struct ws_slice slice) {
  ws_put_bytes(buffer, slice.data, slice.size);
}

void ws_put_name(struct ws_buffer *buffer, struct ws_slice name) {
  ws_put_uleb(buffer, name.size);
  ws_put_slice(buffer, name);
}

void ws_put_uleb(struct ws_buffer *buffer, uint64_t value) {
  do {
    uint8_t byte = value & 0x7f;
    value >>= 7;
    ws_put_u8(buffer, value ? byte | 0x80 : byte);
  } while (value);
}

void ws_put_sleb(struct ws_buffer *buffer, int64_t value) {
  for (;;) {
    uint8_t byte = (uint8_t)(value & 0x7f);
    // Division by 128 that rounds down: a shift of a negative value is implementation-defined.
    value = value < 0 ? ~(~value >> 7) : value >> 7;
    bool last = (value == 0 && !(byte & 0x40)) || (value == -1 && (byte & 0x40));
    ws_put_u8(buffer, last ? byte : byte | 0x80);
    if (last)
      return;
  }
}

void ws_put_const(struct ws_buffer *buffer, bool is_64, uint64_t value) {
  ws_put_u8(buffer, wasm_opcode_const(is_64));
  ws_put_sleb(buffer, is_64 ? (int64_t)value : (int32_t)(uint32_t)value);
}

void ws_put_limits(struct ws_buffer *buffer, uint8_t flags, uint64_t minimum, uint64_t maximum) {
  ws_put_u8(buffer, flags);
  ws_put_uleb(buffer, minimum);
  if (flags & WASM_LIMITS_FLAG_HAS_MAX)
    ws_put_uleb(buffer, maximum);
}

struct ws_slice ws_buffer_keep(struct ws_buffer *buffer, struct ws_arena *arena) {
  struct ws_slice slice = {NULL, 0};
  uint8_t *bytes = buffer->failed ? NULL : ws_arena_new(arena, buffer->size, 1);
  if (bytes) {
    if (buffer->size)
      memcpy(bytes, buffer->data, buffer->size);
    slice = (struct ws_slice){bytes, buffer->size};
  }
  ws_buffer_free(buffer);
  return slice;
}

bool ws_operand_get_64(const uint8_t *at, enum ws_encoding encoding, uint64_t *value) {
  size_t width = ws_encoding_width(encoding);
  uint64_t result = 0;
  if (encoding == WS_U64) {
    for (size_t i = 0; i < width; i++)
      result |= (uint64_t)at[i] << (8 * i);
    *value = result;
    return true;
  }
  for (size_t i = 0; i < width; i++) {
    bool last = i == width - 1;
    if (((at[i] & 0x80) != 0) == last)
      return false;
    // The tenth byte of a 64-bit LEB has one bit to give.
    result |= (uint64_t)(at[i] & 0x7f) << (7 * i);
  }
  *value = result;
  return true;
}

void ws_operand_put(uint8_t *at, enum ws_encoding encoding, uint64_t value) {
  size_t width = ws_encoding_width(encoding);
  if (encoding == WS_U32 || encoding == WS_U64) {
    for (size_t i = 0; i < width; i++)
      at[i] = (uint8_t)(value >> (8 * i));
    return;
  }
  for (size_t i = 0; i + 1 < width; i++)
    at[i] = (uint8_t)(value >> (7 * i) | 0x80);
  // The last byte has fewer bits of the value than it has room for; the rest of a signed one are its sign.
  unsigned bits = width == 5 ? 32 : 64, used = bits - 7 * ((unsigned)width - 1);
  uint8_t last = (uint8_t)((value >> (bits - used)) & ((1u << used) - 1));
  bool is_negative = (encoding == WS_SLEB32 || encoding == WS_SLEB64) && (value >> (bits - 1) & 1);
  at[width - 1] = (uint8_t)(is_negative ? last | (0x7fu << used & 0x7f) : last);
}

size_t ws_uleb_size(uint64_t value) {
  size_t size = 1;
  while (value >>= 7)
    size++;
  return size;
}

bool ws_add(uint64_t *sum, uint64_t a, uint64_t b) {
  if (a > UINT64_MAX - b)
    return false;
  *sum = a + b;
  return true;
}

bool ws_align_up(uint64_t *out, uint64_t value, uint64_t alignment) {
  uint64_t sum;
  if (!ws_add(&sum, value, alignment - 1))
    return false;
  *out = sum & ~(alignment - 1);
  return true;
}

size_t ws_utf8_size(const uint8_t *at, size_t left) {
  if (at[0] < 0x80)
    return 1;
  size_t size = at[0] >= 0xf0 && at[0] < 0xf5   ? 4
                : at[0] >= 0xe0 && at[0] < 0xf0 ? 3
                : at[0] >= 0xc2 && at[0] < 0xe0 ? 2
                                                : 0;
  if (size == 0 || size > left)
    return 0;
  for (size_t i = 1; i < size; i++)
    if ((at[i] & 0xc0) != 0x80)
      return 0;
  // Overlong forms, surrogates, and what is beyond Unicode.
  bool bad = (at[0] == 0xe0 && at[1] < 0xa0) || (at[0] == 0xed && at[1] >= 0xa0) ||
             (at[0] == 0xf0 && at[1] < 0x90) || (at[0] == 0xf4 && at[1] >= 0x90);
  return bad ? 0 : size;
}

bool ws_is_utf8(struct ws_slice text) {
  for (size_t i = 0, size; i < text.size; i += size)
    if (text.size - i >= 8 && !(ws_eight_bytes(text.data + i) & UINT64_C(0x8080808080808080)))
      size = 8; // as most have
    else if ((size = ws_utf8_size(text.data + i, text.size - i)) == 0)
      return false;
  return true;
}

struct ws_slice ws_read_utf8(struct ws_reader *reader) {
  struct ws_slice name = ws_read_name(reader);
  reader->bad |= !ws_is_utf8(name);
  return name;
}
