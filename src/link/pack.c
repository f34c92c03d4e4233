#include "link/pack.h"

#include <inttypes.h>
#include <stdlib.h>

#include "link/merged_heaps.h"
#include "read/checks.h"

// ----------------------------------------------------------------------------------------------------- types

static uint32_t add_type(struct ws_merge *merge, struct ws_slice parameters, struct ws_slice results) {
  struct ws_buffer bytes = {0};
  ws_put_u8(&bytes, WASM_TYPE_FUNC);
  // Each value type is one byte: others are refused.
  ws_put_name(&bytes, parameters);
  ws_put_name(&bytes, results);
  struct ws_slice kept = ws_buffer_keep(&bytes, &merge->arena);
  uint32_t *at = kept.data ? ws_map_add(&merge->type_numbers, kept, (uint32_t)merge->types_used) : NULL;
  if (!at)
    return WS_NOTHING;
  if (*at == merge->types_used) {
    struct ws_slice *types =
        ws_make_room(merge->types, merge->types_used, &merge->types_capacity, sizeof *types);
    if (!types)
      return WS_NOTHING;
    merge->types = types;
    types[merge->types_used++] = kept;
  }
  return *at;
}

uint32_t ws_merge_type(struct ws_merge *merge, uint32_t m, uint32_t type) {
  const struct ws_merge_module *from = &merge->modules[m];
  uint32_t *known = &merge->type_of[from->first_type + type];
  if (*known == WS_NOTHING)
    *known = add_type(merge, from->module->types[type].parameters, from->module->types[type].results);
  return *known;
}

uint32_t ws_merge_synthetic_type(struct ws_merge *merge, uint32_t function) {
  struct ws_slice none = {(const uint8_t *)"", 0};
  struct ws_slice address = {(const uint8_t *)(merge->is_64 ? "\x7e" : "\x7f"), 1};
  uint32_t which = function - merge->first_synthetic;
  if (which < WS_SYNTHETIC_COUNT)
    return add_type(merge, which == WS_INIT_TLS ? address : none, none);
  bool grows = (which - WS_SYNTHETIC_COUNT) % 2;
  return add_type(merge, grows ? address : none, address);
}

// --------------------------------------------------------------------------------------------------- numbers

static bool is_imported(const struct ws_merge *merge, const struct ws_merge_function *function) {
  return function->index < merge->modules[function->module].module->imported_functions;
}

// Host imports come first, then what is written anew, then the modules' own.
static bool number_functions(struct ws_merge *merge) {
  uint32_t next = 0;
  for (uint32_t i = 0; i < merge->first_synthetic; i++)
    if (merge->functions[i].live && is_imported(merge, &merge->functions[i]))
      merge->functions[i].number = next++;
  merge->imported_functions = next;
  for (uint32_t i = merge->first_synthetic; i < merge->function_count; i++)
    if (merge->functions[i].live)
      merge->functions[i].number = next++;
  for (uint32_t i = 0; i < merge->first_synthetic; i++)
    if (merge->functions[i].live && !is_imported(merge, &merge->functions[i]))
      merge->functions[i].number = next++;
  merge->functions_used = next;
  return true;
}

// What a global that never changes holds, as the key of a map; empty for others.
static struct ws_slice constant_key(struct ws_merge *merge, const struct ws_merge_global *global) {
  const struct ws_global *is = &merge->modules[global->module].module->globals[global->index];
  const struct ws_edge *init = &global->init;
  bool is_heaps = init->kind == WS_EDGE_LINKER &&
                  (init->target == WS_MERGE_HEAP_BASE || init->target == WS_MERGE_HEAP_END);
  uint32_t module = is_heaps ? global->module : 0; // each has its own
  uint64_t key[] = {init->kind, init->type, init->target, (uint64_t)init->addend, module, is->init.kind};
  struct ws_buffer buffer = {0};
  if (global->constant && !is->mutable)
    ws_put_bytes(&buffer, key, sizeof key);
  return ws_buffer_keep(&buffer, &merge->arena);
}

// Position-independent code of several modules has the address of a thing in a global of each: one will do.
static bool number_global(struct ws_merge *merge, struct ws_map *constants, struct ws_merge_global *global,
                          uint32_t *next) {
  struct ws_slice key = constant_key(merge, global);
  const uint32_t *number = key.size ? ws_map_add(constants, key, *next) : next;
  if (!key.data || !number)
    return ws_merge_fail_memory(merge);
  global->number = *number;
  global->again = *number != *next;
  *next += !global->again;
  return true;
}

static bool number_globals(struct ws_merge *merge) {
  struct ws_map constants = {0};
  bool ok = true;
  uint32_t next = 0;
  for (int defined = 0; defined < 2; defined++) {
    for (uint32_t i = 0; i < merge->global_count && ok; i++) {
      struct ws_merge_global *global = &merge->globals[i];
      bool imports =
          merge->modules[global->module].module->globals[global->index].imported && i != merge->stack_pointer;
      if (global->live && imports == !defined)
        ok = number_global(merge, &constants, global, &next);
    }
    if (!defined)
      merge->imported_globals = next;
  }
  for (size_t m = 0; m < merge->module_count; m++)
    if (merge->modules[m].notes_growth)
      merge->modules[m].grown = next++;
  merge->globals_used = next;
  ws_map_free(&constants);
  return ok;
}

// The indirect function table is the first of those that are defined.
static void number_tables(struct ws_merge *merge) {
  uint32_t next = 0;
  for (uint32_t i = 0; i < merge->table_count; i++) {
    struct ws_merge_item *table = &merge->tables[i];
    if (table->live && i != merge->indirect_table &&
        table->index < merge->modules[table->module].module->imported_tables)
      table->number = next++;
  }
  merge->imported_tables = next;
  if (merge->indirect_table != WS_NOTHING)
    merge->tables[merge->indirect_table].number = next++;
  for (uint32_t i = 0; i < merge->table_count; i++) {
    struct ws_merge_item *table = &merge->tables[i];
    if (table->live && i != merge->indirect_table &&
        table->index >= merge->modules[table->module].module->imported_tables)
      table->number = next++;
  }
  merge->tables_used = next;
}

static void number_tags(struct ws_merge *merge) {
  uint32_t next = 0;
  for (int defined = 0; defined < 2; defined++) {
    for (uint32_t i = 0; i < merge->tag_count; i++) {
      struct ws_merge_item *tag = &merge->tags[i];
      if (tag->live && (tag->index >= merge->modules[tag->module].imported_tags) == defined)
        tag->number = next++;
    }
    if (!defined)
      merge->imported_tags = next;
  }
  merge->tags_used = next;
}

static bool takes_slot(const struct ws_edge *edge) {
  enum ws_relocated what = ws_relocation_kinds[edge->type].operand;
  return edge->kind == WS_EDGE_FUNCTION && (what == WS_REL_TABLE_INDEX || what == WS_REL_TABLE_INDEX_REL);
}

static bool give_slot(struct ws_merge *merge, uint32_t function) {
  if (merge->functions[function].slot)
    return true;
  uint32_t *slots = ws_make_room(merge->slots, merge->slot_count, &merge->slot_capacity, sizeof *slots);
  if (!slots)
    return false;
  merge->slots = slots;
  slots[merge->slot_count++] = function;
  merge->functions[function].slot = (uint32_t)merge->slot_count; // the slot 0 is for null
  return true;
}

static bool give_slots(struct ws_merge *merge, uint32_t first, uint32_t count) {
  for (uint32_t i = first; i < first + count; i++)
    if (takes_slot(&merge->edges[i]) && !give_slot(merge, merge->edges[i].target))
      return false;
  return true;
}

// Functions that ref.func names must be declared in an element segment (core specification, 3.4.14).
static void note_declared(struct ws_merge *merge, const struct ws_merge_function *function) {
  const struct ws_section *code = ws_section(merge->modules[function->module].module, WS_SECTION_CODE);
  for (uint32_t i = 0; i < function->edge_count; i++) {
    const struct ws_edge *edge = &merge->edges[function->first_edge + i];
    if (edge->kind == WS_EDGE_FUNCTION && ws_relocation_kinds[edge->type].operand == WS_REL_FUNCTION_INDEX &&
        code && code->content.data[edge->offset - 1] == WASM_OPCODE_REF_FUNC)
      merge->functions[edge->target].declared = true;
  }
}

// One slot for each function whose address is taken, in order of first use.
static bool assign_slots(struct ws_merge *merge) {
  bool ok = true;
  for (uint32_t i = 0; i < merge->first_synthetic && ok; i++) {
    const struct ws_merge_function *function = &merge->functions[i];
    if (!function->live)
      continue;
    ok = give_slots(merge, function->first_edge, function->edge_count);
    if (!function->wrapper)
      note_declared(merge, function);
  }
  for (uint32_t i = 0; i < merge->datum_count && ok; i++)
    if (merge->data[i].live)
      ok = give_slots(merge, merge->data[i].first_edge, merge->data[i].edge_count);
  for (uint32_t i = 0; i < merge->global_count && ok; i++) {
    const struct ws_merge_global *global = &merge->globals[i];
    if (global->live && global->constant && takes_slot(&global->init))
      ok = give_slot(merge, global->init.target);
  }
  return ok;
}

// Types come in the order in which they are used: imports, functions, then what the code names.
static bool number_types(struct ws_merge *merge) {
  merge->type_of = ws_arena_new(&merge->arena, merge->type_count, sizeof *merge->type_of);
  if (!merge->type_of)
    return false;
  memset(merge->type_of, 0xff, merge->type_count * sizeof *merge->type_of);
  for (uint32_t i = 0; i < merge->first_synthetic; i++) {
    const struct ws_merge_function *function = &merge->functions[i];
    if (!function->live)
      continue;
    const struct ws_merge_module *from = &merge->modules[function->module];
    uint32_t type = is_imported(merge, function)
                        ? from->module->imports[from->imports[WS_FUNCTION][function->index]].type
                        : from->module->function_types[function->index - from->module->imported_functions];
    if (ws_merge_type(merge, function->module, type) == WS_NOTHING)
      return false;
    for (uint32_t k = 0; k < function->edge_count; k++) {
      const struct ws_edge *edge = &merge->edges[function->first_edge + k];
      if (edge->kind == WS_EDGE_TYPE &&
          ws_merge_type(merge, function->module, edge->target - from->first_type) == WS_NOTHING)
        return false;
    }
  }
  for (uint32_t i = 0; i < merge->tag_count; i++) {
    const struct ws_merge_item *tag = &merge->tags[i];
    if (tag->live &&
        ws_merge_type(merge, tag->module, merge->modules[tag->module].tag_types[tag->index]) == WS_NOTHING)
      return false;
  }
  return true;
}

bool ws_merge_number(struct ws_merge *merge) {
  number_functions(merge);
  if (!number_globals(merge))
    return false;
  number_tables(merge);
  number_tags(merge);
  if (!number_types(merge) || !assign_slots(merge))
    return ws_merge_fail_memory(merge);
  if (merge->slot_count && merge->indirect_table == WS_NOTHING)
    return ws_merge_fail(
        merge, merge->functions[merge->slots[0]].module, "TABLE",
        "has a function whose address is taken, but no module has a table of such functions");
  return true;
}

// ------------------------------------------------------------------------------------------------- addresses

static bool too_large(const struct ws_merge *merge) {
  return ws_fail(merge->error, merge->modules[0].module->file, NULL, WS_NO_OFFSET,
                 "the stack, the data and the heap of the merged module do not fit into the address space");
}

static uint64_t largest_stack(const struct ws_merge *merge) {
  uint64_t size = 0;
  for (size_t m = 0; m < merge->module_count; m++) {
    const struct ws_module_info *info = &merge->modules[m].module->info;
    if (info->has_stack && info->stack_pointer - info->stack_low > size)
      size = info->stack_pointer - info->stack_low;
  }
  return size;
}

// The stack comes first, so that overflowing it traps.
static bool place_stack(struct ws_merge *merge, uint64_t *cursor) {
  enum { NO_STACK_BASE = 1024 }; // lld's default, which keeps address 0 free
  uint64_t size = merge->options->plan.stack_size ? merge->options->plan.stack_size : largest_stack(merge);
  uint64_t low, high;
  bool has_stack = merge->stack_pointer != WS_NOTHING;
  if (!ws_align_up(&low, merge->options->plan.base, 16) || !ws_add(&high, low, has_stack ? size : 0) ||
      !ws_align_up(&high, high, 16))
    return false;
  merge->stack_low = low;
  merge->stack_high = high;
  *cursor = high < NO_STACK_BASE ? NO_STACK_BASE : high;
  return true;
}

// The live data of each output segment, in link order.
static bool list_data(struct ws_merge *merge) {
  uint32_t total = 0;
  for (uint32_t i = 0; i < merge->datum_count; i++)
    if (merge->data[i].live)
      merge->segments[merge->data[i].output].count++;
  for (uint32_t i = 0; i < merge->segment_count; i++) {
    merge->segments[i].first = total;
    total += merge->segments[i].count;
    merge->segments[i].count = 0;
  }
  merge->placed = ws_arena_new(&merge->arena, total, sizeof *merge->placed);
  if (!merge->placed)
    return ws_merge_fail_memory(merge);
  for (uint32_t i = 0; i < merge->datum_count; i++) {
    struct ws_merge_segment *segment = &merge->segments[merge->data[i].output];
    if (merge->data[i].live)
      merge->placed[segment->first + segment->count++] = i;
  }
  return true;
}

static bool place_segment(struct ws_merge *merge, struct ws_merge_segment *segment, uint64_t *cursor) {
  segment->alignment = 1;
  for (uint32_t i = 0; i < segment->count; i++) {
    uint64_t alignment = merge->data[merge->placed[segment->first + i]].alignment;
    segment->alignment = alignment > segment->alignment ? alignment : segment->alignment;
  }
  if (!ws_align_up(cursor, *cursor, segment->alignment))
    return false;
  segment->address = *cursor;
  for (uint32_t i = 0; i < segment->count; i++) {
    struct ws_merge_datum *datum = &merge->data[merge->placed[segment->first + i]];
    if (!ws_align_up(cursor, *cursor, datum->alignment))
      return false;
    datum->address = *cursor;
    if (!ws_add(cursor, *cursor, datum->size))
      return false;
  }
  segment->size = *cursor - segment->address;
  return true;
}

// Thread-local variables first, zeroed data last, as wasm-ld does.
static unsigned place_of(const struct ws_merge_segment *segment) {
  return segment->tls ? 0 : segment->zero ? 2 : 1;
}

static bool place_data(struct ws_merge *merge, uint64_t *cursor) {
  if (!ws_align_up(cursor, *cursor, 16))
    return false;
  merge->data_start = *cursor;
  for (unsigned place = 0; place < 3; place++)
    for (uint32_t i = 0; i < merge->segment_count; i++)
      if (place_of(&merge->segments[i]) == place && merge->segments[i].count &&
          !place_segment(merge, &merge->segments[i], cursor))
        return false;
  merge->data_end = *cursor;
  if (!merge->shared || !merge->datum_count)
    return true;
  // What the threads agree on, so that one of them initialises the memory.
  if (!ws_align_up(&merge->init_flag, *cursor, 4))
    return false;
  return ws_add(cursor, merge->init_flag, 4);
}

static bool needs_room(const struct ws_module *module) {
  ws_checks_await_heap(module);
  return module->needs_room;
}

// What one was linked with, as the allocators need it that work there.
static uint64_t largest_heap(const struct ws_merge *merge) {
  uint64_t largest = merge->options->plan.heap_size;
  for (uint32_t m = 0; m < merge->module_count; m++) {
    const struct ws_merge_module *from = &merge->modules[m];
    bool all = needs_room(merge->modules[ws_merge_heap_of(merge, m)].module) ||
               (from->input.heap_is_divided && needs_room(from->module));
    uint64_t heap = ws_linked_heap(from->module, all);
    largest = heap > largest ? heap : largest;
  }
  return largest;
}

// The maximum that was asked for, or else the largest that a module declares.
static void choose_maximum(struct ws_merge *merge) {
  uint64_t asked = merge->options->plan.max_memory;
  merge->has_maximum = asked > 0;
  merge->maximum_pages = asked / WS_PAGE_SIZE;
  for (size_t m = 0; m < merge->module_count && !asked; m++) {
    const struct ws_module_info *info = &merge->modules[m].module->info;
    merge->has_maximum |= info->has_maximum;
    if (info->has_maximum && info->memory_maximum > merge->maximum_pages)
      merge->maximum_pages = info->memory_maximum;
  }
}

// The one heap of all modules ends where the memory does. False if there are several.
static bool shorten_heap(const struct ws_merge *merge, uint64_t end) {
  struct ws_link *heaps = merge->heaps;
  for (size_t m = 0; m < heaps->count; m++) {
    const struct ws_placement *placement = &heaps->inputs[m].placement;
    if (placement->heap_end > end && placement->heap_base != merge->heap_base)
      return false;
  }
  for (size_t m = 0; m < heaps->count; m++)
    if (heaps->inputs[m].placement.heap_end > end)
      heaps->inputs[m].placement.heap_end = end;
  return true;
}

// Modules whose memory cannot grow have no room for the data of the others and as large a heap as each had:
// the heap has what the data leaves, as in a static link.
static void keep_to_maximum(struct ws_merge *merge, uint64_t *end) {
  uint64_t least = merge->heap_base + merge->options->plan.heap_size;
  ws_align_up(&least, least, WS_PAGE_SIZE);
  uint64_t pages = *end / WS_PAGE_SIZE;
  if (!merge->has_maximum || pages <= merge->maximum_pages || least / WS_PAGE_SIZE > merge->maximum_pages)
    return;
  if (shorten_heap(merge, merge->maximum_pages * WS_PAGE_SIZE))
    *end = merge->maximum_pages * WS_PAGE_SIZE;
  else if (!merge->options->plan.max_memory) // What modules declare is for each by itself, and its heap.
    merge->maximum_pages = pages;
}

static bool place_memory(struct ws_merge *merge, uint64_t cursor) {
  uint64_t limit = merge->is_64 ? UINT64_C(1) << 48 : UINT64_C(1) << 32, end;
  if (!ws_align_up(&merge->heap_base, cursor, 16) || !ws_add(&end, merge->heap_base, largest_heap(merge)) ||
      !ws_align_up(&end, end, WS_PAGE_SIZE) || end > limit || !ws_merge_place_heaps(merge, limit))
    return too_large(merge);
  // As large as a module was linked with, whoever uses it.
  end = merge->heaps->plan.heap_end > end ? merge->heaps->plan.heap_end : end;
  choose_maximum(merge);
  keep_to_maximum(merge, &end);
  merge->pages = end / WS_PAGE_SIZE;
  if (merge->has_maximum && merge->pages > merge->maximum_pages)
    return ws_fail(merge->error, merge->modules[0].module->file, NULL, WS_NO_OFFSET,
                   "the merged module needs %" PRIu64 " pages of memory, which is more than the maximum of "
                   "%" PRIu64 ": raise it with --max-memory",
                   merge->pages, merge->maximum_pages);
  return true;
}

bool ws_merge_place(struct ws_merge *merge) {
  uint64_t cursor = 0;
  if (!list_data(merge))
    return false;
  if (!place_stack(merge, &cursor) || !place_data(merge, &cursor))
    return too_large(merge);
  return place_memory(merge, cursor);
}

// ---------------------------------------------------------------------------------------------------- values

const struct ws_merge_segment *ws_merge_tls(const struct ws_merge *merge) {
  for (uint32_t i = 0; i < merge->segment_count; i++)
    if (merge->segments[i].tls && merge->segments[i].count)
      return &merge->segments[i];
  return NULL;
}

static uint64_t linker_value(const struct ws_merge *merge, uint32_t module, enum ws_merge_symbol symbol) {
  const struct ws_merge_segment *tls = ws_merge_tls(merge);
  const struct ws_placement *placement = &merge->heaps->inputs[module].placement;
  switch (symbol) {
  case WS_MERGE_ZERO:
    return 0;
  case WS_MERGE_TABLE_BASE:
    return 1;
  case WS_MERGE_STACK_LOW:
    return merge->stack_low;
  case WS_MERGE_STACK_HIGH:
    return merge->stack_high;
  case WS_MERGE_DATA_START:
    return merge->data_start;
  case WS_MERGE_DATA_END:
    return merge->data_end;
  case WS_MERGE_HEAP_BASE:
    return placement->heap_base;
  case WS_MERGE_HEAP_END:
    return placement->heap_end;
  case WS_MERGE_TLS_BASE:
    return tls && !merge->shared ? tls->address : 0;
  case WS_MERGE_TLS_SIZE:
    return tls ? tls->size : 0;
  case WS_MERGE_TLS_ALIGN:
    return tls ? tls->alignment : 1;
  case WS_MERGE_FIRST_PAGE_END:
    return WS_PAGE_SIZE;
  case WS_MERGE_INIT_FLAG:
    return merge->init_flag;
  }
  return 0;
}

static uint64_t address_of(const struct ws_merge *merge, uint32_t module, const struct ws_edge *edge) {
  const struct ws_merge_datum *datum = &merge->data[edge->target];
  switch ((enum ws_edge_kind)edge->kind) {
  case WS_EDGE_DATUM:
    return datum->address + edge->addend;
  case WS_EDGE_TLS:
    return datum->address - merge->segments[datum->output].address + edge->addend;
  case WS_EDGE_START:
    return merge->segments[edge->target].address + edge->addend;
  case WS_EDGE_STOP:
    return merge->segments[edge->target].address + merge->segments[edge->target].size + edge->addend;
  case WS_EDGE_LINKER:
    return linker_value(merge, module, (enum ws_merge_symbol)edge->target) + edge->addend;
  default:
    return 0;
  }
}

uint64_t ws_merge_value(const struct ws_merge *merge, uint32_t module, const struct ws_edge *edge,
                        uint64_t site) {
  switch (ws_relocation_kinds[edge->type].operand) {
  case WS_REL_FUNCTION_INDEX:
    return merge->functions[edge->target].number;
  case WS_REL_TYPE_INDEX:
    return merge->type_of[edge->target];
  case WS_REL_GLOBAL_INDEX:
    return merge->globals[edge->target].number;
  case WS_REL_TAG_INDEX:
    return merge->tags[edge->target].number;
  case WS_REL_TABLE_NUMBER:
    return merge->tables[edge->target].number;
  case WS_REL_TABLE_INDEX:
    return merge->functions[edge->target].slot;
  case WS_REL_TABLE_INDEX_REL:
    return merge->functions[edge->target].slot - UINT64_C(1); // relative to the table's base
  case WS_REL_MEMORY_ADDR:
  case WS_REL_MEMORY_ADDR_REL: // relative to the memory's base, which is 0
  case WS_REL_MEMORY_ADDR_TLS:
    return address_of(merge, module, edge);
  case WS_REL_MEMORY_ADDR_LOCREL:
    return address_of(merge, module, edge) - site;
  case WS_REL_FUNCTION_OFFSET:
  case WS_REL_SECTION_OFFSET:
    break; // of debug sections: dwarf.c
  }
  return 0;
}
