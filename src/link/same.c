// Two functions are the same if they have the same type and code, and what they refer to is one thing or, in
// turn, the same: functions, and data that is only read. Pairs that are being compared are taken to be the
// same meanwhile, so that what refers to itself can be.
#include "link/same.h"

#include <stdlib.h>

#include "link/merged_heaps.h"

// Pairs to be compared, and those that were.
struct pairs {
  struct pair {
    bool datum;
    uint32_t a, b;
  } *items;
  size_t count, capacity;
};

enum { MOST_PAIRS = 256 }; // more than what exports have beside what is one thing

static bool add_pair(struct pairs *pairs, struct pair pair, bool *failed) {
  for (size_t i = 0; i < pairs->count; i++)
    if (pairs->items[i].datum == pair.datum && pairs->items[i].a == pair.a)
      return pairs->items[i].b == pair.b;
  if (pairs->count == MOST_PAIRS)
    return false;
  struct pair *items = ws_make_room(pairs->items, pairs->count, &pairs->capacity, sizeof *items);
  if (!items) {
    *failed = true;
    return false;
  }
  pairs->items = items;
  items[pairs->count++] = pair;
  return true;
}

static bool is_constant(const struct ws_merge *merge, uint32_t datum) {
  return ws_slice_is(merge->segments[merge->data[datum].output].name, ".rodata");
}

// Compares what two operands name; a pair that may be the same is left for later.
static bool same_edge(const struct ws_merge *merge, struct pairs *pairs, const struct ws_edge *a,
                      const struct ws_edge *b, bool *failed) {
  if (a->type != b->type || a->kind != b->kind || a->addend != b->addend)
    return false;
  if (a->target == b->target)
    return true;
  if (a->kind == WS_EDGE_TYPE)
    return ws_merge_same_types(merge, a->target, b->target);
  if (a->kind == WS_EDGE_FUNCTION)
    return add_pair(pairs, (struct pair){false, a->target, b->target}, failed);
  return a->kind == WS_EDGE_DATUM && is_constant(merge, a->target) && is_constant(merge, b->target) &&
         add_pair(pairs, (struct pair){true, a->target, b->target}, failed);
}

// Bytes, where they are in their section, and what is referred to in them.
struct part {
  struct ws_slice bytes;
  uint32_t offset;
  const struct ws_edge *edges;
  uint32_t edge_count;
};

static bool same_part(const struct ws_merge *merge, struct pairs *pairs, const struct part *a,
                      const struct part *b, bool *failed) {
  if (a->bytes.size != b->bytes.size || a->edge_count != b->edge_count)
    return false;
  size_t at = 0;
  for (uint32_t i = 0; i < a->edge_count; i++) {
    size_t operand = a->edges[i].offset - a->offset;
    bool stays = a->edges[i].kind == WS_EDGE_NONE;
    if (b->edges[i].offset - b->offset != operand ||
        memcmp(a->bytes.data + at, b->bytes.data + at, operand - at) != 0 ||
        !same_edge(merge, pairs, &a->edges[i], &b->edges[i], failed))
      return false;
    at = operand + (stays ? 0 : ws_encoding_width(ws_relocation_kinds[a->edges[i].type].encoding));
  }
  return memcmp(a->bytes.data + at, b->bytes.data + at, a->bytes.size - at) == 0;
}

// False for a function without a body of its own.
static bool function_part(const struct ws_merge *merge, uint32_t number, struct part *part) {
  const struct ws_merge_function *function = &merge->functions[number];
  if (number >= merge->first_synthetic || function->wrapper)
    return false;
  const struct ws_module *module = merge->modules[function->module].module;
  if (function->index < module->imported_functions)
    return false;
  uint32_t index = function->index - module->imported_functions;
  *part = (struct part){ws_function_body(module, index), module->functions[index].offset,
                        merge->edges + function->first_edge, function->edge_count};
  return true;
}

static struct part datum_part(const struct ws_merge *merge, uint32_t number) {
  const struct ws_merge_datum *datum = &merge->data[number];
  const struct ws_segment *segment = &merge->modules[datum->module].module->segments[datum->segment];
  return (struct part){{segment->bytes.data + datum->offset, datum->size},
                       segment->bytes_offset + datum->offset,
                       merge->edges + datum->first_edge,
                       datum->edge_count};
}

// Whether two functions are of allocators that have ranges of their own.
static bool differ_in_heap(const struct ws_merge *merge, uint32_t a, uint32_t b) {
  const struct ws_merge_function *one = &merge->functions[a], *other = &merge->functions[b];
  return ws_merge_heaps_differ(merge, one->module, other->module) && ws_merge_is_of_heap(merge, one);
}

static bool same_pair(const struct ws_merge *merge, struct pairs *pairs, struct pair pair, bool *failed) {
  struct part a, b;
  if (pair.datum) {
    a = datum_part(merge, pair.a);
    b = datum_part(merge, pair.b);
  } else if (!ws_merge_same_function_types(merge, pair.a, pair.b) || !function_part(merge, pair.a, &a) ||
             !function_part(merge, pair.b, &b) || differ_in_heap(merge, pair.a, pair.b)) {
    return false;
  }
  return same_part(merge, pairs, &a, &b, failed);
}

bool ws_merge_same_functions(const struct ws_merge *merge, uint32_t a, uint32_t b, bool *same) {
  struct pairs pairs = {0};
  bool failed = false;
  *same = add_pair(&pairs, (struct pair){false, a, b}, &failed);
  for (size_t i = 0; i < pairs.count && *same && !failed; i++)
    *same = same_pair(merge, &pairs, pairs.items[i], &failed);
  free(pairs.items);
  return !failed || ws_merge_fail_memory(merge);
}
