// ws_link_plan and ws_link_shift: where modules go.
#include "unit.h"

enum { PAGE = 65536, KIB = 1024 };
#define GIB (UINT64_C(1) << 30)

// Linked with the stack first: [0, 64 KiB) is the stack, 100 bytes of data follow.
static const struct sample stack_first = {
    .stack_pointer = PAGE, .data_base = PAGE, .data_size = 100, .alignment = 4};
// Linked with the data first: 100 bytes from 1024 on, and a stack of 4 KiB behind them.
static const struct sample data_first = {
    .stack_pointer = KIB + 112 + 4 * KIB, .data_base = KIB, .data_size = 100, .alignment = 4};

// Up to four modules, planned together.
static struct ws_buffer bytes[4];
static struct ws_module *modules[4];
static struct ws_link *together;
static struct ws_placement placements[4];
static struct ws_plan plan;
static struct ws_error error;
static struct ws_link_options sharing;

static void link_samples(size_t count, const struct sample *const *samples) {
  static const char *const names[] = {"first.wasm", "second.wasm", "third.wasm", "fourth.wasm"};
  together = new_link(&sharing);
  for (size_t i = 0; i < count; i++) {
    bytes[i] = build(samples[i]);
    modules[i] = read_named(names[i], &bytes[i], NULL);
    add_module(together, modules[i], names[i]);
  }
}

static void free_link(void) {
  ws_link_free(together);
  together = NULL;
  for (size_t i = 0; i < 4; i++) {
    ws_module_free(modules[i]);
    ws_buffer_free(&bytes[i]);
    modules[i] = NULL;
  }
}

static int set_up(void **state) {
  (void)state;
  sharing = (struct ws_link_options){WS_OPTIONS(sharing)};
  return 0;
}

static int tear_down(void **state) {
  (void)state;
  free_link();
  return 0;
}

// Takes over what was planned.
static void take_plan(size_t count) {
  plan = *ws_link_planned(together);
  for (size_t i = 0; i < count; i++)
    placements[i] = *ws_link_placement(together, i);
}

static bool plan_samples(const struct ws_plan_options *options, size_t count,
                         const struct sample *const *samples) {
  free_link();
  link_samples(count, samples);
  error = (struct ws_error){.message = ""};
  bool ok = ws_link_plan(together, options, &error);
  if (ok)
    take_plan(count);
  return ok;
}

#define SAMPLES(...)                                                                                         \
  sizeof((const struct sample *[]){__VA_ARGS__}) / sizeof(struct sample *), (const struct sample *const[]) { \
    __VA_ARGS__                                                                                              \
  }
#define DEFAULTS NULL
#define assert_planned(...)                                                                                  \
  do {                                                                                                       \
    if (!plan_samples(__VA_ARGS__))                                                                          \
      fail_msg("refused: %s", error.message);                                                                \
  } while (0)
#define assert_not_planned(what, ...)                                                                        \
  do {                                                                                                       \
    assert_false(plan_samples(__VA_ARGS__));                                                                 \
    assert_says(error.message, what);                                                                        \
  } while (0)

// --------------------------------------------------------------------------------------- one after another

static void a_module_whose_stack_comes_first_stays_at_zero(void **state) {
  (void)state;
  assert_planned(DEFAULTS, SAMPLES(&stack_first));
  assert_int_equal(placements[0].offset, 0);
  assert_int_equal(placements[0].base, 0);
  assert_int_equal(placements[0].size, PAGE + 100);
  assert_int_equal(placements[0].stack_low, 0);
  assert_int_equal(placements[0].stack_pointer, PAGE);
  assert_int_equal(placements[0].data_base, PAGE);
  assert_int_equal(placements[0].data_end, PAGE + 100);
}

static void modules_follow_each_other_in_the_given_order(void **state) {
  (void)state;
  assert_planned(DEFAULTS, SAMPLES(&stack_first, &data_first, &stack_first));
  assert_int_equal(placements[0].base, 0);
  assert_int_equal(placements[1].base, PAGE + 112); // 16-byte aligned behind 100 bytes of data
  assert_int_equal(placements[1].size, 112 + 4 * KIB);
  assert_int_equal(placements[2].base, placements[1].base + placements[1].size);
  assert_int_equal(plan.heap_base, placements[2].base + PAGE + 112);

  assert_planned(DEFAULTS, SAMPLES(&data_first, &stack_first));
  assert_int_equal(placements[0].base, KIB);
  assert_int_equal(placements[1].base, KIB + 112 + 4 * KIB);
}

static void every_module_keeps_its_own_stack(void **state) {
  (void)state;
  assert_planned(DEFAULTS, SAMPLES(&stack_first, &stack_first, &data_first));
  uint64_t second = PAGE + 112, third = 2 * second;
  assert_int_equal(placements[1].stack_low, second);
  assert_int_equal(placements[1].stack_pointer, second + PAGE);
  assert_int_equal(placements[1].data_base, second + PAGE);
  assert_int_equal(placements[2].data_base, third);
  assert_int_equal(placements[2].stack_low, third + 112);
  assert_int_equal(placements[2].stack_pointer, third + 112 + 4 * KIB);
}

static void an_offset_is_what_static_data_moved_by_even_down(void **state) {
  (void)state;
  struct sample high = data_first;
  high.data_base = 0x100000;
  high.stack_pointer = 0x100000 + 112 + 4 * KIB;
  assert_planned(DEFAULTS, SAMPLES(&stack_first, &stack_first, &high));
  assert_int_equal(placements[1].offset, PAGE + 112);
  assert_int_equal(placements[2].offset, (uint64_t)2 * (PAGE + 112) - 0x100000);
  assert_int_equal(placements[2].data_base, 2 * (PAGE + 112));
}

static void one_heap_follows_all_modules(void **state) {
  (void)state;
  assert_planned(DEFAULTS, SAMPLES(&stack_first, &data_first));
  uint64_t end = PAGE + 112 + 112 + 4 * KIB;
  assert_int_equal(plan.heap_base, end);
  for (size_t i = 0; i < 2; i++) {
    assert_int_equal(placements[i].heap_base, plan.heap_base);
    assert_int_equal(placements[i].heap_end, plan.heap_end);
    assert_int_equal(placements[i].pages, plan.pages);
  }
}

static void a_module_with_neither_stack_nor_data_takes_no_room(void **state) {
  (void)state;
  static const struct sample empty = {.pages = 1};
  assert_planned(DEFAULTS, SAMPLES(&stack_first, &empty, &stack_first));
  assert_int_equal(placements[1].size, 0);
  assert_int_equal(placements[2].base, PAGE + 112);
  assert_planned(DEFAULTS, SAMPLES(&empty));
  assert_int_equal(plan.pages, 0);
}

static void data_without_a_stack_is_placed(void **state) {
  (void)state;
  static const struct sample data = {.data_base = PAGE, .data_size = 48};
  assert_planned(DEFAULTS, SAMPLES(&stack_first, &data));
  assert_int_equal(placements[1].data_base, PAGE + 112);
  assert_int_equal(placements[1].data_end, PAGE + 112 + 48);
  assert_int_equal(placements[1].base, PAGE + 112);
  assert_int_equal(placements[1].size, 48);
}

// ----------------------------------------------------------------------------------------------- alignment

static void a_module_is_aligned_as_its_data_asks(void **state) {
  (void)state;
  struct sample aligned = stack_first;
  aligned.alignment = 12;
  assert_planned(DEFAULTS, SAMPLES(&stack_first, &aligned));
  assert_int_equal(placements[1].base, PAGE + 4 * KIB);
  assert_int_equal(placements[1].offset % (4 * KIB), 0);
}

static void alignment_asked_for_holds_for_every_module_unless_its_data_needs_more(void **state) {
  (void)state;
  struct sample aligned = stack_first;
  aligned.alignment = 13;
  assert_planned(PLAN_OPTIONS(.alignment = 4 * KIB, .base = 16),
                 SAMPLES(&stack_first, &stack_first, &aligned));
  assert_int_equal(placements[0].base, 4 * KIB);
  assert_int_equal(placements[1].base, 4 * KIB + PAGE + 4 * KIB);
  assert_int_equal(placements[2].base % (8 * KIB), 0);
}

static void an_alignment_that_is_no_power_of_two_is_refused(void **state) {
  (void)state;
  assert_not_planned("not a power of two", PLAN_OPTIONS(.alignment = 48), SAMPLES(&stack_first));
}

// ------------------------------------------------------------------------------------ base, the null guard

static void data_leaves_room_for_null_pointers(void **state) {
  (void)state;
  struct sample low = data_first;
  low.data_base = 16;
  low.stack_pointer = 16 + 112 + 4 * KIB;
  assert_planned(DEFAULTS, SAMPLES(&low));
  assert_int_equal(placements[0].data_base, KIB);
  assert_planned(PLAN_OPTIONS(.base = 100), SAMPLES(&low));
  assert_int_equal(placements[0].data_base, KIB);
  assert_planned(PLAN_OPTIONS(.base = 2000), SAMPLES(&low));
  assert_int_equal(placements[0].data_base, 2000);
}

static void nothing_is_placed_below_the_base(void **state) {
  (void)state;
  assert_planned(PLAN_OPTIONS(.base = 100), SAMPLES(&stack_first));
  assert_int_equal(placements[0].base, 112);
  assert_int_equal(placements[0].stack_low, 112);
  assert_planned(PLAN_OPTIONS(.base = 3 * PAGE + 1), SAMPLES(&stack_first, &data_first));
  assert_int_equal(placements[0].base, 3 * PAGE + 16);
  assert_int_equal(placements[1].base, 4 * PAGE + 16 + 112);
}

// --------------------------------------------------------------------------------------------- extra stack

static void extra_stack_before_data_moves_the_data_up(void **state) {
  (void)state;
  assert_planned(PLAN_OPTIONS(.extra_stack = 1000), SAMPLES(&stack_first, &stack_first));
  assert_int_equal(placements[0].stack_low, 0);
  assert_int_equal(placements[0].stack_pointer, PAGE + 1008);
  assert_int_equal(placements[0].data_base, PAGE + 1008);
  assert_int_equal(placements[0].offset, 1008);
  assert_int_equal(placements[0].size, PAGE + 1008 + 100);
  assert_int_equal(placements[1].stack_low, PAGE + 1008 + 112);
  assert_int_equal(placements[1].stack_pointer - placements[1].stack_low, PAGE + 1008);
}

static void data_behind_extra_stack_keeps_its_alignment(void **state) {
  (void)state;
  struct sample aligned = stack_first;
  aligned.alignment = 12;
  assert_planned(PLAN_OPTIONS(.extra_stack = 16), SAMPLES(&aligned));
  assert_int_equal(placements[0].stack_pointer, PAGE + 16);
  assert_int_equal(placements[0].data_base, PAGE + 4 * KIB);
  assert_int_equal(placements[0].size, PAGE + 4 * KIB + 100);
}

static void extra_stack_behind_data_leaves_the_data_where_it_is(void **state) {
  (void)state;
  assert_planned(PLAN_OPTIONS(.extra_stack = 1000), SAMPLES(&data_first, &data_first));
  assert_int_equal(placements[0].offset, 0);
  assert_int_equal(placements[0].data_base, KIB);
  assert_int_equal(placements[0].stack_low, KIB + 112);
  assert_int_equal(placements[0].stack_pointer, KIB + 112 + 4 * KIB + 1008);
  assert_int_equal(placements[0].size, 112 + 4 * KIB + 1008);
  assert_int_equal(placements[1].data_base, KIB + 112 + 4 * KIB + 1008);
}

static void a_module_without_a_stack_gets_no_extra_stack(void **state) {
  (void)state;
  static const struct sample data = {.data_base = PAGE, .data_size = 48};
  assert_planned(PLAN_OPTIONS(.extra_stack = 1000), SAMPLES(&data, &data));
  assert_int_equal(placements[1].base, placements[0].base + 48);
}

// ------------------------------------------------------------------------------------------- heap, maximum

static void without_a_heap_size_the_memory_ends_with_the_page_of_the_heap_base(void **state) {
  (void)state;
  assert_planned(DEFAULTS, SAMPLES(&stack_first));
  assert_int_equal(plan.heap_base, PAGE + 112);
  assert_int_equal(plan.pages, 2);
  assert_int_equal(plan.heap_end, 2 * PAGE);
  struct sample whole_pages = stack_first;
  whole_pages.data_size = PAGE;
  assert_planned(DEFAULTS, SAMPLES(&whole_pages));
  assert_int_equal(plan.pages, 2);
}

static void the_heap_has_at_least_the_size_asked_for(void **state) {
  (void)state;
  assert_planned(PLAN_OPTIONS(.heap_size = PAGE - 112), SAMPLES(&stack_first));
  assert_int_equal(plan.pages, 2);
  assert_planned(PLAN_OPTIONS(.heap_size = PAGE - 111), SAMPLES(&stack_first));
  assert_int_equal(plan.pages, 3);
  assert_int_equal(plan.heap_end, 3 * PAGE);
}

static void a_maximum_asked_for_replaces_those_of_the_modules(void **state) {
  (void)state;
  struct sample limited = stack_first;
  limited.maximum = 4;
  assert_planned(PLAN_OPTIONS(.max_memory = 100 * PAGE), SAMPLES(&limited));
  assert_true(plan.has_maximum);
  assert_int_equal(plan.maximum_pages, 100);
  assert_int_equal(placements[0].maximum_pages, 100);
}

static void otherwise_the_largest_maximum_of_the_modules_is_theirs_together(void **state) {
  (void)state;
  struct sample small = stack_first, large = stack_first;
  small.maximum = 5;
  large.maximum = 50;
  assert_planned(DEFAULTS, SAMPLES(&large, &small, &stack_first));
  assert_true(plan.has_maximum);
  assert_int_equal(plan.maximum_pages, 50);
  assert_planned(DEFAULTS, SAMPLES(&stack_first));
  assert_false(plan.has_maximum);
  assert_false(placements[0].has_maximum);
}

static void more_than_the_maximum_is_refused(void **state) {
  (void)state;
  struct sample limited = stack_first;
  limited.maximum = 2;
  assert_planned(DEFAULTS, SAMPLES(&limited));
  assert_not_planned("more than the maximum of 131072", DEFAULTS, SAMPLES(&limited, &limited));
  assert_planned(PLAN_OPTIONS(.max_memory = 3 * PAGE), SAMPLES(&limited, &limited));
  assert_not_planned("more than the maximum of 65536", PLAN_OPTIONS(.max_memory = PAGE),
                     SAMPLES(&stack_first));
  assert_not_planned("more than the maximum", PLAN_OPTIONS(.max_memory = 2 * PAGE, .heap_size = PAGE),
                     SAMPLES(&stack_first));
}

static void a_maximum_that_is_no_whole_number_of_pages_is_refused(void **state) {
  (void)state;
  assert_not_planned("not a whole number of pages", PLAN_OPTIONS(.max_memory = 3 * PAGE + 1),
                     SAMPLES(&stack_first));
}

// --------------------------------------------------------------------------------------- the address space

static void a_layout_may_fill_four_gibibytes_but_not_more(void **state) {
  (void)state;
  struct sample large = {.stack_pointer = 4 * GIB - PAGE};
  assert_planned(PLAN_OPTIONS(.heap_size = PAGE), SAMPLES(&large));
  assert_int_equal(plan.pages, 65536);
  assert_int_equal(plan.heap_end, 4 * GIB);
  assert_not_planned("beyond the 4 GiB", PLAN_OPTIONS(.heap_size = PAGE + 1), SAMPLES(&large));
  assert_not_planned("beyond the 4 GiB", DEFAULTS, SAMPLES(&large, &stack_first));
  assert_string_equal(error.file, "second.wasm");
}

static void a_heap_base_that_is_no_32_bit_address_is_refused(void **state) {
  (void)state;
  struct sample half = {.stack_pointer = 2 * GIB};
  assert_not_planned("beyond the 4 GiB", DEFAULTS, SAMPLES(&half, &half));
}

static void a_64_bit_layout_may_go_beyond_four_gibibytes(void **state) {
  (void)state;
  struct sample large = {.memory64 = true, .stack_pointer = 4 * GIB - PAGE};
  assert_planned(DEFAULTS, SAMPLES(&large, &large, &large));
  assert_true(plan.memory64);
  assert_int_equal(placements[2].stack_pointer, 3 * (4 * GIB - PAGE));
  assert_not_planned("beyond the 16 GiB", PLAN_OPTIONS(.base = 5 * PAGE),
                     SAMPLES(&large, &large, &large, &large));
}

static void options_so_large_that_sums_overflow_are_refused(void **state) {
  (void)state;
  static const uint64_t sizes[] = {4 * GIB, 4 * GIB + 1, INT64_MAX, UINT64_MAX - 15, UINT64_MAX};
  for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
    assert_not_planned("beyond the 4 GiB", PLAN_OPTIONS(.base = sizes[i]), SAMPLES(&stack_first));
    assert_not_planned("beyond the 4 GiB", PLAN_OPTIONS(.extra_stack = sizes[i]), SAMPLES(&stack_first));
    assert_not_planned("beyond the 4 GiB", PLAN_OPTIONS(.extra_stack = sizes[i]), SAMPLES(&data_first));
    assert_not_planned("beyond the 4 GiB", PLAN_OPTIONS(.heap_size = sizes[i]), SAMPLES(&stack_first));
  }
  assert_not_planned("beyond the 4 GiB", PLAN_OPTIONS(.alignment = UINT64_C(1) << 63),
                     SAMPLES(&stack_first, &stack_first));
  assert_not_planned("beyond the 4 GiB", PLAN_OPTIONS(.max_memory = UINT64_MAX - PAGE + 1),
                     SAMPLES(&stack_first));
}

// ---------------------------------------------------------------------------------- shared stack and table

static void a_shared_stack_is_as_large_as_the_largest_and_below_all_data(void **state) {
  (void)state;
  sharing.share_stack = true;
  assert_planned(DEFAULTS, SAMPLES(&data_first, &stack_first));
  assert_true(plan.shared_stack);
  assert_int_equal(plan.stack_low, 0);
  assert_int_equal(plan.stack_pointer, PAGE);
  for (size_t i = 0; i < 2; i++) {
    assert_int_equal(placements[i].stack_low, 0);
    assert_int_equal(placements[i].stack_pointer, PAGE);
  }
  assert_int_equal(placements[0].data_base, PAGE);
  assert_int_equal(placements[0].size, 100);
  assert_int_equal(placements[1].data_base, PAGE + 112);
  assert_int_equal(plan.heap_base, PAGE + 224);
}

static void a_shared_stack_has_the_size_asked_for_and_what_is_extra(void **state) {
  (void)state;
  sharing.share_stack = true;
  assert_planned(PLAN_OPTIONS(.stack_size = 5000, .extra_stack = 100, .base = 20),
                 SAMPLES(&stack_first, &stack_first));
  assert_int_equal(plan.stack_low, 32);
  assert_int_equal(plan.stack_pointer, 32 + 5104);
  assert_int_equal(placements[0].data_base, 32 + 5104);
  assert_not_planned("beyond the 4 GiB", PLAN_OPTIONS(.stack_size = UINT64_MAX), SAMPLES(&stack_first));
}

static void each_module_has_its_own_range_of_a_shared_table_whose_first_entry_is_null(void **state) {
  (void)state;
  struct sample with_table = stack_first;
  with_table.function = "f";
  with_table.table = true;
  assert_planned(DEFAULTS, SAMPLES(&with_table, &with_table));
  assert_false(plan.shared_table);
  assert_int_equal(placements[1].table_base, 1);

  sharing.share_table = true;
  assert_planned(DEFAULTS, SAMPLES(&with_table, &stack_first, &with_table));
  assert_true(plan.shared_table);
  assert_int_equal(plan.table_size, 3);
  assert_int_equal(placements[0].table_base, 1);
  assert_int_equal(placements[2].table_base, 2);
  for (size_t i = 0; i < 3; i++)
    assert_int_equal(placements[i].table_end, 3);
}

// ---------------------------------------------------------------------------------------------- the last
// plan

static void nothing_of_a_plan_is_left_in_the_next(void **state) {
  (void)state;
  struct sample threads = stack_first;
  threads.shared = true;
  threads.maximum = 64;
  sharing.share_stack = true;
  assert_planned(DEFAULTS, SAMPLES(&threads, &threads));
  const struct ws_plan first = plan;
  const struct ws_placement first_placements[] = {placements[0], placements[1]};
  assert_true(ws_link_plan(together,
                           PLAN_OPTIONS(.threads = 3, .base = PAGE, .stack_size = 3 * PAGE, .heap_size = PAGE,
                                        .heap_owner = "first.wasm", .max_memory = 99 * PAGE),
                           &error));
  take_plan(2);
  assert_int_equal(plan.thread_count, 3);
  assert_int_equal(plan.maximum_pages, 99);
  assert_int_not_equal(placements[0].heap_base, placements[1].heap_base);
  assert_int_not_equal(placements[1].tls_offset, 0);
  assert_true(ws_link_plan(together, DEFAULTS, &error));
  take_plan(2);
#define assert_as_first(field) assert_int_equal(plan.field, first.field)
  assert_as_first(stack_pointer);
  assert_as_first(thread_count);
  assert_as_first(thread_base);
  assert_as_first(thread_size);
  assert_as_first(heap_base);
  assert_as_first(heap_end);
  assert_as_first(maximum_pages);
#undef assert_as_first
  for (size_t i = 0; i < 2; i++) {
#define assert_as_first(field) assert_int_equal(placements[i].field, first_placements[i].field)
    assert_as_first(offset);
    assert_as_first(base);
    assert_as_first(stack_pointer);
    assert_as_first(heap_base);
    assert_as_first(tls_offset);
    assert_as_first(pages);
    assert_as_first(maximum_pages);
#undef assert_as_first
  }
}

// ----------------------------------------------------------------------------------------- what is refused

static void modules_of_32_and_64_bits_do_not_mix(void **state) {
  (void)state;
  struct sample wide = stack_first;
  wide.memory64 = true;
  assert_not_planned("has a 64-bit memory, but first.wasm has a 32-bit one", DEFAULTS,
                     SAMPLES(&stack_first, &wide));
  assert_string_equal(error.file, "second.wasm");
}

static void shared_and_unshared_memories_do_not_mix(void **state) {
  (void)state;
  struct sample threads = stack_first;
  threads.shared = true;
  threads.maximum = 16;
  assert_not_planned("shared memory", DEFAULTS, SAMPLES(&stack_first, &threads));
  assert_not_planned("shared memory", DEFAULTS, SAMPLES(&threads, &stack_first));
  assert_planned(DEFAULTS, SAMPLES(&threads, &threads));
  assert_true(plan.shared);
}

static void no_modules_are_refused(void **state) {
  (void)state;
  assert_not_planned("no modules", DEFAULTS, 0, NULL);
}

static void an_inexact_module_is_refused_for_its_own_reason(void **state) {
  (void)state;
  link_samples(1, (const struct sample *const[]){&stack_first});
  struct ws_buffer bare = {0};
  put_header(&bare);
  bytes[1] = bare;
  modules[1] = read_named("bare.wasm", &bytes[1], NULL);
  add_module(together, modules[1], "bare");
  assert_false(ws_link_plan(together, DEFAULTS, &error));
  assert_string_equal(error.file, "bare.wasm");
  assert_says(error.message, "has no memory");
}

// --------------------------------------------------------------------------------------------------- shift

static bool shift(const struct sample *sample, uint64_t offset, uint64_t table_offset,
                  const uint64_t *heap_base) {
  free_link();
  link_samples(1, (const struct sample *const[]){sample});
  bool ok = ws_link_shift(together, offset, table_offset, heap_base, &error);
  if (ok)
    take_plan(1);
  return ok;
}

static void shifting_moves_everything_by_the_offset(void **state) {
  (void)state;
  assert_true(shift(&stack_first, PAGE, 0, NULL));
  assert_int_equal(placements[0].offset, PAGE);
  assert_int_equal(placements[0].base, PAGE);
  assert_int_equal(placements[0].stack_low, PAGE);
  assert_int_equal(placements[0].stack_pointer, 2 * PAGE);
  assert_int_equal(placements[0].data_base, 2 * PAGE);
  assert_int_equal(placements[0].data_end, 2 * PAGE + 100);
  assert_int_equal(placements[0].heap_base, 2 * PAGE + 112);
  assert_int_equal(placements[0].pages, 3);
}

static void shifting_can_go_down(void **state) {
  (void)state;
  struct sample high = data_first;
  high.data_base = 0x100000;
  high.stack_pointer = 0x100000 + 112 + 4 * KIB;
  assert_true(shift(&high, 4 * GIB - 0x80000, 0, NULL));
  assert_int_equal(placements[0].data_base, 0x80000);
  assert_true(shift(&high, (uint64_t)-0x80000, 0, NULL));
  assert_int_equal(placements[0].data_base, 0x80000);
  assert_int_equal(placements[0].stack_pointer, 0x80000 + 112 + 4 * KIB);
}

static void shifting_keeps_the_size_of_the_initial_heap(void **state) {
  (void)state;
  struct sample with_heap = stack_first;
  with_heap.pages = 2 + 10; // 10 whole pages behind the heap base
  assert_true(shift(&with_heap, 5 * PAGE, 0, NULL));
  assert_int_equal(placements[0].pages, 12 + 5);
  assert_int_equal(placements[0].heap_end, (uint64_t)17 * PAGE);
}

static void a_heap_base_that_is_given_does_not_shift(void **state) {
  (void)state;
  const uint64_t heap_base = 20 * PAGE;
  assert_true(shift(&stack_first, PAGE, 0, &heap_base));
  assert_int_equal(placements[0].heap_base, heap_base);
  assert_int_equal(placements[0].pages, 20);
}

static void function_pointers_shift_by_the_table_offset(void **state) {
  (void)state;
  struct sample with_table = stack_first;
  with_table.function = "f";
  with_table.table = true;
  assert_true(shift(&with_table, 0, 41, NULL));
  assert_int_equal(placements[0].table_base, 42);
  assert_false(shift(&with_table, 0, UINT32_MAX, NULL));
  assert_says(error.message, "function table");
  assert_false(shift(&with_table, 0, UINT64_MAX, NULL));
  assert_says(error.message, "function table");
}

static void shifting_out_of_the_address_space_is_refused(void **state) {
  (void)state;
  assert_false(shift(&stack_first, (uint64_t)-16, 0, NULL));
  assert_says(error.message, "would leave the 4 GiB");
  assert_false(shift(&stack_first, 4 * GIB - PAGE, 0, NULL));
  assert_says(error.message, "4 GiB");
  assert_true(shift(&stack_first, 4 * GIB - 2 * PAGE, 0, NULL));
  assert_int_equal(placements[0].pages, 65536);
  const uint64_t heap_base = UINT64_MAX;
  assert_false(shift(&stack_first, 0, 0, &heap_base));
  assert_says(error.message, "4 GiB");
}

static void an_offset_that_breaks_alignment_is_refused(void **state) {
  (void)state;
  struct sample aligned = stack_first;
  aligned.alignment = 12;
  assert_false(shift(&aligned, 2 * KIB, 0, NULL));
  assert_says(error.message, "aligned to 4096");
  assert_false(shift(&stack_first, 8, 0, NULL));
  assert_says(error.message, "aligned to 16");
}

static void several_modules_are_not_shifted(void **state) {
  (void)state;
  link_samples(2, (const struct sample *const[]){&stack_first, &stack_first});
  assert_false(ws_link_shift(together, PAGE, 0, NULL, &error));
  assert_says(error.message, "only a module by itself can be shifted");
}

static void shifting_beyond_the_maximum_is_refused(void **state) {
  (void)state;
  struct sample limited = stack_first;
  limited.maximum = 3;
  assert_true(shift(&limited, PAGE, 0, NULL));
  assert_int_equal(placements[0].maximum_pages, 3);
  assert_false(shift(&limited, 2 * PAGE, 0, NULL));
  assert_says(error.message, "4 pages");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(a_module_whose_stack_comes_first_stays_at_zero),
      TEST(modules_follow_each_other_in_the_given_order),
      TEST(every_module_keeps_its_own_stack),
      TEST(an_offset_is_what_static_data_moved_by_even_down),
      TEST(one_heap_follows_all_modules),
      TEST(a_module_with_neither_stack_nor_data_takes_no_room),
      TEST(data_without_a_stack_is_placed),
      TEST(a_module_is_aligned_as_its_data_asks),
      TEST(alignment_asked_for_holds_for_every_module_unless_its_data_needs_more),
      TEST(an_alignment_that_is_no_power_of_two_is_refused),
      TEST(data_leaves_room_for_null_pointers),
      TEST(nothing_is_placed_below_the_base),
      TEST(extra_stack_before_data_moves_the_data_up),
      TEST(data_behind_extra_stack_keeps_its_alignment),
      TEST(extra_stack_behind_data_leaves_the_data_where_it_is),
      TEST(a_module_without_a_stack_gets_no_extra_stack),
      TEST(without_a_heap_size_the_memory_ends_with_the_page_of_the_heap_base),
      TEST(the_heap_has_at_least_the_size_asked_for),
      TEST(a_maximum_asked_for_replaces_those_of_the_modules),
      TEST(otherwise_the_largest_maximum_of_the_modules_is_theirs_together),
      TEST(more_than_the_maximum_is_refused),
      TEST(a_maximum_that_is_no_whole_number_of_pages_is_refused),
      TEST(a_layout_may_fill_four_gibibytes_but_not_more),
      TEST(a_heap_base_that_is_no_32_bit_address_is_refused),
      TEST(a_64_bit_layout_may_go_beyond_four_gibibytes),
      TEST(options_so_large_that_sums_overflow_are_refused),
      TEST(a_shared_stack_is_as_large_as_the_largest_and_below_all_data),
      TEST(a_shared_stack_has_the_size_asked_for_and_what_is_extra),
      TEST(each_module_has_its_own_range_of_a_shared_table_whose_first_entry_is_null),
      TEST(nothing_of_a_plan_is_left_in_the_next),
      TEST(modules_of_32_and_64_bits_do_not_mix),
      TEST(shared_and_unshared_memories_do_not_mix),
      TEST(no_modules_are_refused),
      TEST(an_inexact_module_is_refused_for_its_own_reason),
      TEST(shifting_moves_everything_by_the_offset),
      TEST(shifting_can_go_down),
      TEST(shifting_keeps_the_size_of_the_initial_heap),
      TEST(a_heap_base_that_is_given_does_not_shift),
      TEST(function_pointers_shift_by_the_table_offset),
      TEST(shifting_out_of_the_address_space_is_refused),
      TEST(an_offset_that_breaks_alignment_is_refused),
      TEST(several_modules_are_not_shifted),
      TEST(shifting_beyond_the_maximum_is_refused),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
