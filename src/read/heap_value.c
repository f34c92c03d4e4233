#include "read/heap_value.h"

enum {
  PAGE_BITS = 16,
  HEADER = 1024, // what an allocator may have before its first block, at most
  DATA = 1024    // where static data is, at least
};

struct ws_heap_value ws_constant_value(uint64_t number) {
  return (struct ws_heap_value){
      .number = number, .what = WS_VALUE_CONSTANT, .made = WS_MADE_OF_NUMBERS, .nonzero = number != 0};
}

bool ws_is_constant(const struct ws_heap_value *value) {
  return value->what == WS_VALUE_CONSTANT && !value->size && !value->grown && !value->base;
}

bool ws_is_of_memory(const struct ws_heap_value *value) {
  return value->size || value->grown || value->own;
}

bool ws_is_grown_address(const struct ws_heap_value *value) {
  return value->grown && value->bytes && value->near && !value->chosen;
}

uint8_t ws_kept_guards(const struct ws_heap_value *value) {
  return value->nonzero || value->base || ws_is_of_memory(value) ? UINT8_MAX : value->keeps;
}

static uint8_t made_of(const struct ws_heap_value *a, const struct ws_heap_value *b) {
  if (!a->made || !b->made)
    return WS_MADE_OF_ANYTHING;
  return a->made > b->made ? a->made : b->made;
}

static bool is_pages(const struct ws_heap_value *value) {
  return ws_is_constant(value) ? value->number % WS_PAGE_SIZE == 0 : value->pages;
}

uint16_t ws_place_variables(const struct ws_heap_value *value) {
  return value->what == WS_VALUE_LENGTH ? 0 : value->variables;
}

static int8_t join_count(int8_t a, int8_t b) {
  return a == 0 ? b : b == 0 || a == b ? a : WS_SOME;
}

static int8_t add_counts(int8_t a, int8_t b) {
  int sum = a + b;
  return a == WS_SOME || b == WS_SOME || sum < -1 || sum > 1 ? WS_SOME : (int8_t)sum;
}

struct ws_heap_value ws_join_values(const struct ws_heap_value *a, const struct ws_heap_value *b) {
  struct ws_heap_value both = *a;
  bool from_a = ws_is_of_memory(a), from_b = ws_is_of_memory(b);
  if (memcmp(a, b, sizeof *a) == 0) { // as most are
    both.keeps = ws_kept_guards(a);
    both.bytes |= !from_a;
    both.near |= !from_a;
    both.current |= !a->size;
    both.pages = is_pages(a);
    both.local = 0;
    return both;
  }
  if (a->what != b->what || a->number != b->number) {
    both.what = a->what == b->what && a->what == WS_VALUE_ELEMENT ? WS_VALUE_ELEMENT : WS_VALUE_UNKNOWN;
    both.number = 0;
  }
  both.test = a->test == b->test && a->number == b->number ? a->test : WS_TEST_NONE;
  both.made = made_of(a, b);
  both.origin = !a->origin || a->origin == b->origin ? b->origin : b->origin ? WS_SEVERAL_ORIGINS : a->origin;
  both.shift = a->shift > b->shift ? a->shift : b->shift;
  both.own = a->own == b->own || !from_b ? a->own : from_a ? WS_NOT_OWN : b->own;
  both.size = join_count(a->size, b->size);
  both.grown = join_count(a->grown, b->grown);
  both.base = join_count(a->base, b->base);
  both.nonzero = a->nonzero && b->nonzero;
  both.framed = a->framed || b->framed;
  both.end = a->end || b->end;
  both.maybe = a->maybe || b->maybe || a->size != b->size || a->grown != b->grown;
  both.chosen = a->chosen || b->chosen;
  both.bytes = (a->bytes || !from_a) && (b->bytes || !from_b);
  both.near = (a->near || !from_a) && (b->near || !from_b);
  both.current = (a->current || !a->size) && (b->current || !b->size);
  both.guards = !a->size ? b->guards : !b->size ? a->guards : a->guards & b->guards;
  both.keeps = ws_kept_guards(a) & ws_kept_guards(b);
  both.variables =
      a->what == b->what ? a->variables | b->variables : ws_place_variables(a) | ws_place_variables(b);
  both.pages =
      (is_pages(a) || (b->variables && !a->variables)) && (is_pages(b) || (a->variables && !b->variables));
  both.aims = a->aims | b->aims;
  both.local = 0;
  return both;
}

bool ws_same_value(const struct ws_heap_value *a, const struct ws_heap_value *b) {
  struct ws_heap_value here = *a; // which local it is in makes no difference
  here.local = b->local;
  return memcmp(&here, b, sizeof here) == 0;
}

enum ws_heap_test ws_opposite_test(enum ws_heap_test test) {
  static const enum ws_heap_test opposites[] = {
      [WS_TEST_NONE] = WS_TEST_NONE,         [WS_TEST_FAILED] = WS_TEST_NOT_FAILED,
      [WS_TEST_NOT_FAILED] = WS_TEST_FAILED, [WS_TEST_SAME] = WS_TEST_NOT_SAME,
      [WS_TEST_NOT_SAME] = WS_TEST_SAME,     [WS_TEST_EQUAL] = WS_TEST_NOT_EQUAL,
      [WS_TEST_NOT_EQUAL] = WS_TEST_EQUAL,   [WS_TEST_ZERO] = WS_TEST_NOT_ZERO,
      [WS_TEST_NOT_ZERO] = WS_TEST_ZERO};
  return opposites[test];
}

static uint64_t cut(uint64_t number, bool is_64) {
  return is_64 ? number : (uint32_t)number;
}

// A result that is of both in some way.
struct ws_heap_value ws_mix_values(const struct ws_heap_value *a, const struct ws_heap_value *b) {
  struct ws_heap_value result = {.guards = !a->size   ? b->guards
                                           : !b->size ? a->guards
                                                      : a->guards & b->guards};
  result.made = made_of(a, b);
  result.size = a->size || b->size ? WS_SOME : 0;
  result.grown = a->grown || b->grown ? WS_SOME : 0;
  result.base = a->base || b->base ? WS_SOME : 0;
  result.bytes = a->bytes || b->bytes;
  result.maybe = a->maybe || b->maybe;
  result.framed = a->framed || b->framed;
  result.chosen = a->chosen || b->chosen;
  result.current = (a->current || !a->size) && (b->current || !b->size);
  return result;
}

// Of a sum of an address and what lies behind it, that.
static void add_origins(struct ws_heap_value *sum, const struct ws_heap_value *a,
                        const struct ws_heap_value *b, bool is_64) {
  bool address = a->variables || !a->origin, other = b->variables || !b->origin;
  bool exact = address || (a->shift && !b->shift);
  const struct ws_heap_value *from = exact && b->origin && !ws_is_constant(b) ? b : a;
  int64_t number = ws_is_constant(b) ? ws_signed(b->number, is_64) : INT32_MAX;
  uint8_t least = number > 1 ? WS_RAISED : number == 1 ? WS_STEPPED : WS_AS_LOADED;
  sum->origin = from->origin;
  sum->shift = from->shift > least || (a->origin && b->origin && address != other) ? from->shift : least;
}

static struct ws_heap_value add(const struct ws_heap_value *a, const struct ws_heap_value *b, bool is_64) {
  if (ws_is_constant(a) && ws_is_constant(b))
    return ws_constant_value(cut(a->number + b->number, is_64));
  if (ws_is_constant(a)) {
    const struct ws_heap_value *other = a;
    a = b;
    b = other;
  }
  struct ws_heap_value sum = ws_mix_values(a, b);
  sum.size = add_counts(a->size, b->size);
  sum.grown = add_counts(a->grown, b->grown);
  sum.base = add_counts(a->base, b->base);
  sum.own = ws_is_of_memory(b) ? WS_NOT_OWN : a->own;
  sum.variables = ws_place_variables(a) | ws_place_variables(b);
  bool distance = !sum.variables && !ws_is_of_memory(&sum) && !sum.base;
  if (distance && (a->what == WS_VALUE_LENGTH || b->what == WS_VALUE_LENGTH)) {
    sum.what = WS_VALUE_LENGTH;
    sum.variables = a->variables | b->variables;
  } else if (a->what == WS_VALUE_ELEMENT ||
             (ws_is_constant(b) && b->number >= DATA && b->number <= INT32_MAX)) {
    sum.what = WS_VALUE_ELEMENT;
    sum.number = (a->what == WS_VALUE_ELEMENT ? a->number : 0) + (ws_is_constant(b) ? b->number : 0);
  } else if (a->what == WS_VALUE_PLACE || b->what == WS_VALUE_PLACE) {
    sum.what = WS_VALUE_PLACE;
  }
  add_origins(&sum, a, b, is_64);
  sum.pages = is_pages(a) && is_pages(b);
  if (a->what == WS_VALUE_IN_FRAME && ws_is_constant(b)) {
    sum.what = WS_VALUE_IN_FRAME;
    sum.number = a->number + (uint64_t)ws_signed(b->number, is_64);
  }
  // Pointers go up, and counters may go down to zero.
  if (!ws_is_constant(b) || ws_signed(b->number, is_64) > 0)
    sum.keeps = ws_kept_guards(a) | ws_kept_guards(b);
  if (ws_is_constant(b))
    sum.aims = a->aims;
  int64_t number = ws_signed(b->number, is_64), near = a->bytes ? HEADER : 1;
  sum.near = a->near && ws_is_constant(b) && number > -near && number < near;
  return sum;
}

static struct ws_heap_value subtract(const struct ws_heap_value *a, const struct ws_heap_value *b,
                                     bool is_64) {
  if (ws_is_constant(b)) {
    struct ws_heap_value negative = ws_constant_value(cut(0 - b->number, is_64));
    return add(a, &negative, is_64);
  }
  struct ws_heap_value difference = ws_mix_values(a, b);
  difference.size = add_counts(a->size, b->size == WS_SOME ? WS_SOME : (int8_t)-b->size);
  difference.grown = add_counts(a->grown, b->grown == WS_SOME ? WS_SOME : (int8_t)-b->grown);
  difference.base = add_counts(a->base, b->base == WS_SOME ? WS_SOME : (int8_t)-b->base);
  difference.variables = a->variables | b->variables;
  if (b->variables)
    difference.what = WS_VALUE_LENGTH;
  difference.origin = a->origin;
  difference.shift = a->shift == WS_AS_LOADED ? WS_LOWERED : a->shift;
  difference.pages = is_pages(a) && is_pages(b);
  difference.own = a->own ? WS_OWN_LENGTH : WS_NOT_OWN;
  return difference;
}

static struct ws_heap_value bit_and(const struct ws_heap_value *a, const struct ws_heap_value *b,
                                    bool is_64) {
  if (ws_is_constant(a) && ws_is_constant(b))
    return ws_constant_value(cut(a->number & b->number, is_64));
  if (a->test == WS_TEST_NOT_FAILED && b->test == WS_TEST_NOT_FAILED)
    return *a;
  struct ws_heap_value result = ws_is_of_memory(a) || a->base ? *a : *b;
  if (ws_is_constant(b) && b->number == 1 && a->test != WS_TEST_NONE)
    return *a; // a condition
  if (ws_is_of_memory(a) && ws_is_of_memory(b))
    result = ws_mix_values(a, b);
  if (ws_is_constant(b) && b->number < WS_PAGE_SIZE && (result.bytes || !ws_is_of_memory(&result)))
    return (struct ws_heap_value){.made = made_of(a, b)}; // less than a page is no address
  result.what = a->what == WS_VALUE_LENGTH || b->what == WS_VALUE_LENGTH ? WS_VALUE_LENGTH : WS_VALUE_UNKNOWN;
  result.made = made_of(a, b);
  result.origin = ws_is_constant(a) ? b->origin : a->origin;
  result.shift = ws_is_constant(a) ? b->shift : a->shift;
  result.test = WS_TEST_NONE;
  result.nonzero = false;
  result.framed = a->framed || b->framed;
  result.variables = a->variables | b->variables;
  result.pages = ws_is_constant(b) && b->number % WS_PAGE_SIZE == 0 && !result.variables;
  // What is grown is aligned to a page, so more than that is asked for; what rounds to pages is some end.
  bool is_page = ws_is_constant(b) && ws_signed(b->number, is_64) >= -(int64_t)WS_PAGE_SIZE;
  result.near |= result.grown && result.bytes && !is_page;
  return result;
}

static struct ws_heap_value bit_or(const struct ws_heap_value *a, const struct ws_heap_value *b, bool is_64) {
  if (ws_is_constant(a) && ws_is_constant(b))
    return ws_constant_value(a->number | b->number);
  return a->test == WS_TEST_FAILED && b->test == WS_TEST_FAILED ? *a : add(a, b, is_64);
}

static struct ws_heap_value multiply(const struct ws_heap_value *a, const struct ws_heap_value *b,
                                     uint64_t factor, bool is_64) {
  if (ws_is_constant(a) && ws_is_constant(b))
    return ws_constant_value(cut(a->number * factor, is_64));
  if (factor != WS_PAGE_SIZE || !ws_is_constant(b) || a->bytes) {
    struct ws_heap_value product = ws_mix_values(a, b);
    product.origin = a->origin;
    product.shift = a->shift;
    product.pages = factor && factor % WS_PAGE_SIZE == 0;
    product.variables = factor == WS_PAGE_SIZE ? ws_place_variables(a) : 0;
    return product;
  }
  struct ws_heap_value product = *a;
  product.bytes = product.pages = true;
  product.variables = ws_place_variables(a);
  product.made = made_of(a, b);
  product.what = WS_VALUE_UNKNOWN;
  product.test = WS_TEST_NONE;
  return product;
}

static struct ws_heap_value shift_left(const struct ws_heap_value *a, const struct ws_heap_value *b,
                                       bool is_64) {
  uint64_t factor = ws_is_constant(b) ? UINT64_C(1) << (b->number & (is_64 ? 63 : 31)) : 0;
  return factor ? multiply(a, b, factor, is_64) : ws_mix_values(a, b);
}

static struct ws_heap_value shift_right(const struct ws_heap_value *a, const struct ws_heap_value *b,
                                        bool is_64) {
  uint64_t bits = ws_is_constant(b) ? b->number & (is_64 ? 63 : 31) : 64;
  if (ws_is_constant(a) && bits < 64)
    return ws_constant_value(cut(a->number, is_64) >> bits);
  if (bits != PAGE_BITS || !a->bytes || !ws_is_of_memory(a)) {
    struct ws_heap_value shifted = ws_mix_values(a, b);
    shifted.origin = a->origin;
    shifted.shift = WS_RAISED;
    shifted.pages = bits == PAGE_BITS; // as many
    return shifted;
  }
  struct ws_heap_value shifted = *a;
  shifted.bytes = false;
  return shifted;
}

struct ws_heap_value ws_compute(uint8_t opcode, const struct ws_heap_value *a,
                                const struct ws_heap_value *b) {
  bool is_64 = opcode >= WASM_OPCODE_I64_ADD;
  switch (opcode) {
  case WASM_OPCODE_I32_ADD:
  case WASM_OPCODE_I64_ADD:
    return add(a, b, is_64);
  case WASM_OPCODE_I32_SUB:
  case WASM_OPCODE_I64_SUB:
    return subtract(a, b, is_64);
  case WASM_OPCODE_I32_MUL:
  case WASM_OPCODE_I64_MUL:
    return ws_is_constant(a) ? multiply(b, a, a->number, is_64)
                             : multiply(a, b, ws_is_constant(b) ? b->number : 0, is_64);
  case WASM_OPCODE_I32_AND:
  case WASM_OPCODE_I64_AND:
    return bit_and(a, b, is_64);
  case WASM_OPCODE_I32_OR:
  case WASM_OPCODE_I64_OR:
    return bit_or(a, b, is_64);
  case WASM_OPCODE_I32_SHL:
  case WASM_OPCODE_I64_SHL:
    return shift_left(a, b, is_64);
  case WASM_OPCODE_I32_SHR_U:
  case WASM_OPCODE_I64_SHR_U:
    return shift_right(a, b, is_64);
  default:
    return ws_mix_values(a, b);
  }
}

// Conditions keep the address of the variable that they are about, and nothing else.
struct ws_heap_value ws_condition(enum ws_heap_test test, uint64_t number) {
  return (struct ws_heap_value){.test = (uint8_t)test, .number = number};
}

struct ws_heap_value ws_opposite_condition(const struct ws_heap_value *condition) {
  struct ws_heap_value opposite = ws_condition(ws_opposite_test(condition->test), condition->number);
  opposite.variables = condition->variables;
  opposite.origin = condition->origin;
  return opposite;
}

struct ws_heap_value ws_equals_zero(const struct ws_heap_value *value) {
  if (ws_is_constant(value))
    return ws_constant_value(value->number == 0);
  if (value->nonzero)
    return ws_constant_value(0);
  if (ws_is_of_memory(value))
    return ws_condition(WS_TEST_FAILED, 0);
  if (value->what == WS_VALUE_LOADED)
    return ws_condition(WS_TEST_ZERO, value->number);
  return ws_opposite_condition(value);
}

// memory.grow returns -1 when it fails; programs make a null pointer of that.
static bool is_failure(const struct ws_heap_value *value, bool is_64) {
  uint64_t number = value->number;
  return ws_is_constant(value) && (number == 0 || number == cut(UINT64_MAX, is_64) ||
                                   number == cut(0 - (uint64_t)WS_PAGE_SIZE, is_64));
}

struct ws_heap_value ws_equals(const struct ws_heap_value *a, const struct ws_heap_value *b, bool is_64) {
  if (ws_is_constant(a) && ws_is_constant(b))
    return ws_constant_value(a->number == b->number);
  if (ws_is_constant(a)) {
    const struct ws_heap_value *other = a;
    a = b;
    b = other;
  }
  if (ws_is_constant(b) && b->number == 0)
    return ws_equals_zero(a);
  if (ws_is_of_memory(a) && is_failure(b, is_64))
    return ws_condition(WS_TEST_FAILED, 0);
  // With itself, it is compared to see whether a number is too large.
  bool itself = a->grown && b->grown && !a->maybe && !b->maybe;
  bool grown = (a->grown && a->near) || (b->grown && b->near);
  if (ws_is_constant(b))
    return ws_condition(WS_TEST_NONE, 0);
  struct ws_heap_value same = ws_condition(grown && !itself ? WS_TEST_SAME : WS_TEST_EQUAL, 0);
  same.variables = a->variables | b->variables;
  same.origin = a->grown || b->grown; // something lies beside what was grown
  return same;
}

// No page has a number that is as large as -1, and none that is used is page 0: x > 65535, x + 1 < 2.
bool ws_is_failed_page(const struct ws_heap_value *less, const struct ws_heap_value *more) {
  enum { LAST_PAGE = 65535 };
  if (ws_is_constant(less))
    return more->grown && !more->bytes && less->number >= LAST_PAGE;
  return less->grown == 1 && !less->bytes && more->number <= 2;
}
