#include "link/gc.h"

#include <stdlib.h>

// What is marked, and whose edges are still to be followed.
struct marker {
  struct ws_merge *merge;
  struct work {
    bool datum;
    uint32_t target;
  } *work;
  size_t count, capacity;
  bool *whole; // output segments that are kept as a whole, and were seen
  bool failed;
};

static void push(struct marker *marker, bool datum, uint32_t target) {
  struct work *work = ws_make_room(marker->work, marker->count, &marker->capacity, sizeof *work);
  if (!work) {
    marker->failed = true;
    return;
  }
  marker->work = work;
  work[marker->count++] = (struct work){datum, target};
}

static void mark_function(struct marker *marker, uint32_t target) {
  struct ws_merge_function *function = &marker->merge->functions[target];
  if (function->live)
    return;
  function->live = true;
  push(marker, false, target);
}

static void mark_segment(struct marker *marker, uint32_t segment);

static void mark_datum(struct marker *marker, uint32_t target) {
  struct ws_merge_datum *datum = &marker->merge->data[target];
  if (datum->live)
    return;
  datum->live = true;
  push(marker, true, target);
  if (marker->merge->segments[datum->output].whole)
    mark_segment(marker, datum->output);
}

// All of an output segment, which is asked for by its ends, or read as an array.
static void mark_segment(struct marker *marker, uint32_t segment) {
  if (marker->whole[segment])
    return;
  marker->whole[segment] = true;
  for (uint32_t i = marker->merge->segments[segment].head; i != WS_NOTHING; i = marker->merge->data[i].next)
    mark_datum(marker, i);
}

static void mark_edge(struct marker *marker, const struct ws_edge *edge);

static void mark_global(struct marker *marker, uint32_t target) {
  struct ws_merge_global *global = &marker->merge->globals[target];
  if (global->live)
    return;
  global->live = true;
  if (global->constant)
    mark_edge(marker, &global->init);
}

static void mark_edge(struct marker *marker, const struct ws_edge *edge) {
  switch ((enum ws_edge_kind)edge->kind) {
  case WS_EDGE_FUNCTION:
    mark_function(marker, edge->target);
    break;
  case WS_EDGE_DATUM:
  case WS_EDGE_TLS:
    mark_datum(marker, edge->target);
    break;
  case WS_EDGE_GLOBAL:
    mark_global(marker, edge->target);
    break;
  case WS_EDGE_TABLE:
    marker->merge->tables[edge->target].live = true;
    break;
  case WS_EDGE_TAG:
    marker->merge->tags[edge->target].live = true;
    break;
  case WS_EDGE_START:
  case WS_EDGE_STOP:
    mark_segment(marker, edge->target);
    break;
  case WS_EDGE_NONE:
  case WS_EDGE_TYPE:
  case WS_EDGE_LINKER:
    break;
  }
}

static void follow(struct marker *marker) {
  struct ws_merge *merge = marker->merge;
  while (marker->count > 0 && !marker->failed) {
    struct work work = marker->work[--marker->count];
    uint32_t first, count;
    if (work.datum) {
      first = merge->data[work.target].first_edge;
      count = merge->data[work.target].edge_count;
    } else {
      first = merge->functions[work.target].first_edge;
      count = merge->functions[work.target].edge_count;
    }
    for (uint32_t i = 0; i < count; i++)
      mark_edge(marker, &merge->edges[first + i]);
  }
}

// What its author asked to be kept: __attribute__((used)).
static void mark_kept(struct marker *marker) {
  struct ws_merge *merge = marker->merge;
  for (uint32_t m = 0; m < merge->module_count; m++) {
    const struct ws_merge_module *from = &merge->modules[m];
    for (uint32_t i = 0; i < from->module->symbol_count; i++) {
      const struct ws_edge *edge = &merge->symbols[from->first_symbol + i];
      if ((from->module->symbols[i].flags & WS_SYMBOL_NO_STRIP) &&
          (edge->kind == WS_EDGE_FUNCTION || edge->kind == WS_EDGE_DATUM))
        mark_edge(marker, edge);
    }
  }
}

static void mark_export(struct marker *marker, const struct ws_merge_export *export) {
  struct ws_merge *merge = marker->merge;
  switch (export->kind) {
  case WS_FUNCTION:
    mark_function(marker, export->target);
    break;
  case WS_GLOBAL:
    mark_global(marker, export->target);
    break;
  case WS_TABLE:
    merge->tables[export->target].live = true;
    break;
  case WS_TAG:
    merge->tags[export->target].live = true;
    break;
  default:
    break;
  }
}

bool ws_merge_mark(struct ws_merge *merge, const struct ws_merge_export *exports, size_t count) {
  struct marker marker = {.merge = merge, .whole = calloc(merge->segment_count + 1, sizeof(bool))};
  marker.failed = !marker.whole;
  for (size_t i = 0; i < count && !marker.failed; i++)
    mark_export(&marker, &exports[i]);
  for (size_t i = 0; i < merge->constructor_count && !marker.failed; i++)
    mark_function(&marker, merge->constructors[i]);
  if (!marker.failed && merge->start != WS_NOTHING) {
    mark_function(&marker, merge->start);
    mark_function(&marker, merge->first_synthetic + WS_CALL_CTORS);
  }
  if (!marker.failed)
    mark_kept(&marker);
  follow(&marker);
  free(marker.work);
  free(marker.whole);
  return !marker.failed || ws_merge_fail_memory(merge);
}
