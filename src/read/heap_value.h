// A value as heap_flow.c follows it, and what arithmetic makes of it.
#ifndef WASMSHARE_HEAP_VALUE_H
#define WASMSHARE_HEAP_VALUE_H

#include "read/module.h"

enum { WS_SOME = 2 };

// What a condition says if it holds.
enum ws_heap_test {
  WS_TEST_NONE,
  WS_TEST_FAILED, // memory.grow has failed
  WS_TEST_NOT_FAILED,
  WS_TEST_SAME, // the grown pages are where the program expected them
  WS_TEST_NOT_SAME,
  WS_TEST_EQUAL, // two others are equal
  WS_TEST_NOT_EQUAL,
  WS_TEST_ZERO, // the variable at `number` is zero
  WS_TEST_NOT_ZERO,
};

enum ws_heap_number {
  WS_VALUE_UNKNOWN,
  WS_VALUE_CONSTANT,
  WS_VALUE_IN_FRAME,
  WS_VALUE_LOADED,
  WS_VALUE_ARGUMENT,
  WS_VALUE_ELEMENT, // the address of an element of the variable there
  // The number says nothing of these:
  WS_VALUE_PLACE, // where memory was grown before, if that may be it
  WS_VALUE_LENGTH // between the variables of which it is
};
// What a value is made of, if that is nothing but numbers, where the heap begins and ends, and arguments.
enum ws_heap_made { WS_MADE_OF_ANYTHING, WS_MADE_OF_NUMBERS, WS_MADE_OF_ARGUMENTS };
// How it differs from what was loaded: by what was taken off, by one, or by more.
enum ws_heap_shift { WS_AS_LOADED, WS_LOWERED, WS_STEPPED, WS_RAISED };
enum ws_heap_own { WS_NOT_OWN, WS_OWN_END, WS_OWN_LENGTH };

// A value is a sum: a number, and what memory.size and memory.grow returned and __heap_base is, each of them
// taken as often as is said here: 0, 1, -1, or WS_SOME times.
struct ws_heap_value {
  uint64_t number;
  uint32_t origin;    // where that was loaded of which it is a sum (heap_range.c); 0 if nowhere
  uint16_t local;     // what is in the local before this one, which it was got from; 0 if none
  uint16_t variables; // that say where memory is, and of which it is the sum (heap_range.c), each a bit
  uint8_t guards;     // that were zero when memory.size was read
  uint8_t keeps;      // guards of which it comes: it is not zero if they are not
  uint8_t aims;       // guards that may be where it points, as one of several addresses
  uint8_t what;       // the number is: enum ws_heap_number
  uint8_t test;       // enum ws_heap_test
  uint8_t made;       // enum ws_heap_made
  uint8_t shift;      // enum ws_heap_shift
  uint8_t own;        // memory.size, when the module has just grown the memory itself: enum ws_heap_own
  int8_t size, grown, base;
  bool nonzero;
  bool end;     // it comes from __heap_end
  bool framed;  // it may be an address in the frame
  bool maybe;   // or it is none of that
  bool chosen;  // and what decides that is neither failure nor where the pages are
  bool near;    // not more than a header away from what was returned
  bool current; // nobody has grown the memory since
  bool pages;   // all in it that is not of the variables is whole pages
  bool bytes;   // not pages
  uint8_t padding[4];
};

#define WS_SEVERAL_ORIGINS UINT32_MAX

static const struct ws_heap_value ws_any_value = {.what = WS_VALUE_UNKNOWN};
struct ws_heap_value ws_constant_value(uint64_t number);
bool ws_is_constant(const struct ws_heap_value *value);
// Whether it comes from memory.size or memory.grow.
bool ws_is_of_memory(const struct ws_heap_value *value);
// Whether it is where grown pages are.
bool ws_is_grown_address(const struct ws_heap_value *value);
// The variables that it is a sum of, and not a length between them.
uint16_t ws_place_variables(const struct ws_heap_value *value);
// The guards that are not zero, or stay so, when this is stored there.
uint8_t ws_kept_guards(const struct ws_heap_value *value);
// What may be either.
struct ws_heap_value ws_join_values(const struct ws_heap_value *a, const struct ws_heap_value *b);
bool ws_same_value(const struct ws_heap_value *a, const struct ws_heap_value *b);
// What depends on both in some way.
struct ws_heap_value ws_mix_values(const struct ws_heap_value *a, const struct ws_heap_value *b);

// The number, with its sign.
static inline int64_t ws_signed(uint64_t number, bool is_64) {
  return is_64 ? (int64_t)number : (int32_t)(uint32_t)number;
}

enum ws_heap_test ws_opposite_test(enum ws_heap_test test);
// A condition keeps the address of the variable that it is about, and nothing else.
struct ws_heap_value ws_condition(enum ws_heap_test test, uint64_t number);
struct ws_heap_value ws_opposite_condition(const struct ws_heap_value *condition);
struct ws_heap_value ws_equals_zero(const struct ws_heap_value *value);
struct ws_heap_value ws_equals(const struct ws_heap_value *a, const struct ws_heap_value *b, bool is_64);
// Whether `less` < or <= `more`, without signs, says that memory.grow has failed.
bool ws_is_failed_page(const struct ws_heap_value *less, const struct ws_heap_value *more);

// An instruction that takes two numbers and gives one.
struct ws_heap_value ws_compute(uint8_t opcode, const struct ws_heap_value *a, const struct ws_heap_value *b);

#endif
