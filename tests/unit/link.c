// struct ws_link: what is decided about modules is the link's own. Modules are read once and are in several
// links, one after another and at the same time; each link writes what it would write if there were no other.
#include "unit.h"

#include <pthread.h>

enum { PAGE = 65536 };

// A module with pointers to its own datum, in its code and at the 4th byte of its data, and to one that
// another module has, in its code and, 12 bytes further than that, at the 8th byte of its data.
enum {
  OWN_OPERAND = BODY_OFFSET + 2,
  OTHER_OPERAND = OWN_OPERAND + 5 + 2,
  OWN_POINTER = 4,
  OTHER_POINTER = 8
};
static const uint8_t body[] = {0x00, 0x41, 0x80, 0x80, 0x84, 0x80, 0x00, 0x1a, // i32.const, drop
                               0x41, 0x80, 0x80, 0x80, 0x80, 0x00, 0x1a, 0x0b};
static const uint8_t code_relocations[] = {R_WASM_MEMORY_ADDR_SLEB, OWN_OPERAND,   DATA_SYMBOL,      0,
                                           R_WASM_MEMORY_ADDR_SLEB, OTHER_OPERAND, UNDEFINED_SYMBOL, 0};
static const uint8_t data[24] = {1, 2, 3, 4, 0, 0, 1, 0, 12, 0, 0, 0, 13, 14};
static const uint8_t names[] = {7,   18,  1,   0,   15,  '_', '_', 's', 't', 'a',
                                'c', 'k', '_', 'p', 'o', 'i', 'n', 't', 'e', 'r'};

static struct ws_module *read_user(const char *file, const char *datum, const char *elsewhere,
                                   struct ws_buffer *bytes) {
  struct sample sample = {.stack_pointer = PAGE,
                          .data_base = PAGE,
                          .data_size = sizeof data,
                          .data = data,
                          .datum = datum,
                          .elsewhere = elsewhere,
                          .alignment = 4,
                          .table = true,
                          .pages = 2,
                          .names = {names, sizeof names},
                          .function = "f",
                          .body = {body, sizeof body},
                          .code_relocations = {code_relocations, sizeof code_relocations},
                          .code_relocation_count = 2,
                          .data_relocation_count = 2};
  const uint8_t at = (uint8_t)data_offset(&sample);
  const uint8_t relocations[] = {R_WASM_MEMORY_ADDR_I32, (uint8_t)(at + OWN_POINTER),   DATA_SYMBOL,      0,
                                 R_WASM_MEMORY_ADDR_I32, (uint8_t)(at + OTHER_POINTER), UNDEFINED_SYMBOL, 12};
  sample.data_relocations = (struct ws_slice){relocations, sizeof relocations};
  *bytes = build(&sample);
  return read_named(file, bytes, NULL);
}

// Two modules that use each other's variables. Each test reads them once.
static struct ws_buffer bytes[2];
static struct ws_module *modules[2];
static const char *const datums[] = {"counter", "total"};

static int set_up(void **state) {
  (void)state;
  modules[0] = read_user("one.wasm", datums[0], datums[1], &bytes[0]);
  modules[1] = read_user("two.wasm", datums[1], datums[0], &bytes[1]);
  return 0;
}

static int tear_down(void **state) {
  (void)state;
  for (size_t i = 0; i < 2; i++) {
    ws_module_free(modules[i]);
    ws_buffer_free(&bytes[i]);
  }
  return 0;
}

// A link of both.
static struct ws_link *link_both(const struct ws_link_options *options) {
  struct ws_link *link = new_link(options);
  add_module(link, modules[0], "one");
  add_module(link, modules[1], "two");
  return link;
}

static void resolve_and_plan(struct ws_link *link, const struct ws_plan_options *options) {
  struct ws_error error;
  if (!ws_link_resolve(link, &error) || !ws_link_plan(link, options, &error))
    fail_with(&error);
}

// Reads a module that was written.
static struct ws_module *read_written(const struct ws_link *link, size_t module, struct ws_buffer *to) {
  *to = written(link, module);
  return read_named("placed.wasm", to, READ_OPTIONS(.placed = true, .trust_pic = true));
}

static void assert_writes(const struct ws_link *link, size_t module, const struct ws_buffer *expected) {
  struct ws_buffer is = written(link, module);
  assert_slice_is(built(&is), built(expected));
  ws_buffer_free(&is);
}

// ------------------------------------------------------------------------------- the same modules, other
// choices

// Links that differ in what is shared and where they begin.
static const struct {
  struct ws_link_options sharing;
  struct ws_plan_options planning;
} choices[] = {
    {{.size = sizeof(struct ws_link_options)}, {.size = sizeof(struct ws_plan_options)}},
    {{.size = sizeof(struct ws_link_options), .share_stack = true},
     {.size = sizeof(struct ws_plan_options), .base = 3 * PAGE, .stack_size = 4096}},
    {{.size = sizeof(struct ws_link_options), .share_table = true},
     {.size = sizeof(struct ws_plan_options), .base = 100, .extra_stack = 160}},
    {{.size = sizeof(struct ws_link_options), .share_stack = true, .share_table = true},
     {.size = sizeof(struct ws_plan_options), .heap_size = 5 * PAGE, .max_memory = 40 * PAGE}},
};
enum { CHOICES = sizeof choices / sizeof *choices };

// What each choice makes of each module when they are read for it alone.
static void write_apart(struct ws_buffer (*expected)[2]) {
  for (size_t i = 0; i < CHOICES; i++) {
    tear_down(NULL);
    set_up(NULL);
    struct ws_link *link = link_both(&choices[i].sharing);
    resolve_and_plan(link, &choices[i].planning);
    for (size_t k = 0; k < 2; k++)
      expected[i][k] = written(link, k);
    ws_link_free(link);
  }
}

static void free_written(struct ws_buffer (*expected)[2]) {
  for (size_t i = 0; i < CHOICES; i++)
    for (size_t k = 0; k < 2; k++)
      ws_buffer_free(&expected[i][k]);
}

static void links_in_turns_write_what_each_writes_by_itself(void **state) {
  (void)state;
  struct ws_buffer expected[CHOICES][2];
  struct ws_link *links[CHOICES];
  write_apart(expected);
  for (size_t i = 1; i < CHOICES; i++) // they differ indeed
    assert_true(expected[i][0].size != expected[0][0].size ||
                memcmp(expected[i][0].data, expected[0][0].data, expected[0][0].size) != 0);

  for (size_t i = 0; i < CHOICES; i++)
    links[i] = link_both(&choices[i].sharing);
  for (size_t i = 0; i < CHOICES; i++)
    resolve_and_plan(links[i], &choices[i].planning);
  for (size_t k = 0; k < 2; k++)
    for (size_t i = 0; i < CHOICES; i++)
      assert_writes(links[i], k, &expected[i][k]);
  // And again, planned and freed between what the others write.
  for (size_t i = CHOICES; i-- > 0;) {
    resolve_and_plan(links[i], &choices[i].planning);
    assert_writes(links[0], 1, &expected[0][1]);
    assert_writes(links[i], 0, &expected[i][0]);
    if (i > 0)
      ws_link_free(links[i]);
  }
  assert_writes(links[0], 0, &expected[0][0]);
  ws_link_free(links[0]);
  free_written(expected);
}

static void keeping_relocations_is_up_to_the_link(void **state) {
  (void)state;
  static const struct sample alone = {.stack_pointer = PAGE, .data_base = PAGE, .data_size = 16, .pages = 2};
  struct ws_buffer from = build(&alone);
  struct ws_module *module = read_bytes(&from, NULL);
  struct ws_link *keeps = shifted(module, LINK_OPTIONS(.keep_relocs = true), PAGE, 0),
                 *drops = shifted(module, NULL, 2 * PAGE, 0);
  struct ws_buffer kept, dropped;
  struct ws_module *with = read_written(keeps, 0, &kept), *without = read_written(drops, 0, &dropped);
  assert_true(ws_module_info(with)->has_relocations);
  assert_false(ws_module_info(without)->has_relocations);
  ws_module_free(with);
  ws_module_free(without);
  ws_buffer_free(&kept);
  ws_buffer_free(&dropped);
  ws_link_free(keeps);
  ws_link_free(drops);
  ws_module_free(module);
  ws_buffer_free(&from);
}

static void the_last_plan_counts(void **state) {
  (void)state;
  struct ws_buffer expected[CHOICES][2];
  write_apart(expected);
  struct ws_link *link = link_both(&choices[0].sharing);
  resolve_and_plan(link, &choices[0].planning);
  assert_writes(link, 0, &expected[0][0]);
  uint64_t offset = ws_link_placement(link, 1)->offset, pages = ws_link_planned(link)->pages;

  resolve_and_plan(link, PLAN_OPTIONS(.base = 7 * PAGE, .extra_stack = 4096, .max_memory = 99 * PAGE));
  assert_int_not_equal(ws_link_placement(link, 1)->offset, offset);
  assert_true(ws_link_placement(link, 1)->has_maximum);
  struct ws_buffer result;
  struct ws_module *moved = read_written(link, 1, &result);
  assert_int_equal(moved->segments[0].address, ws_link_placement(link, 1)->data_base);
  assert_int_equal(ws_module_info(moved)->memory_maximum, 99);
  ws_module_free(moved);
  ws_buffer_free(&result);

  resolve_and_plan(link, &choices[0].planning);
  assert_int_equal(ws_link_placement(link, 1)->offset, offset);
  assert_false(ws_link_placement(link, 1)->has_maximum);
  assert_int_equal(ws_link_planned(link)->pages, pages);
  for (size_t k = 0; k < 2; k++)
    assert_writes(link, k, &expected[0][k]);
  ws_link_free(link);
  free_written(expected);
}

// --------------------------------------------------------------------------------- variables of another
// module

static uint64_t number_at(const struct ws_module *module, enum ws_section_id id, size_t offset,
                          enum ws_encoding encoding) {
  const struct ws_section *section = ws_section(module, id);
  uint64_t value;
  assert_non_null(section);
  assert_in_range(offset, 0, section->content.size - ws_encoding_width(encoding));
  assert_true(ws_operand_get(section->content.data + offset, encoding, &value));
  return value;
}

// That both modules, as the link writes them, point to where it put their own datum and the other's.
static void assert_bound_to_each_other(const struct ws_link *link) {
  for (size_t i = 0; i < 2; i++) {
    uint64_t own = ws_link_placement(link, i)->data_base, other = ws_link_placement(link, 1 - i)->data_base;
    struct ws_binding binding;
    assert_true(ws_link_binding(link, i, 0, &binding));
    assert_string_equal(binding.name, datums[1 - i]);
    assert_int_equal(binding.from, 1 - i);
    assert_int_equal(binding.address, other);
    assert_false(ws_link_binding(link, i, 1, &binding));

    struct ws_buffer result;
    struct ws_module *module = read_written(link, i, &result);
    size_t in_data = module->segments[0].bytes_offset;
    assert_int_equal(number_at(module, WS_SECTION_CODE, OWN_OPERAND, WS_SLEB32), own);
    assert_int_equal(number_at(module, WS_SECTION_CODE, OTHER_OPERAND, WS_SLEB32), other);
    assert_int_equal(number_at(module, WS_SECTION_DATA, in_data + OWN_POINTER, WS_U32), own);
    assert_int_equal(number_at(module, WS_SECTION_DATA, in_data + OTHER_POINTER, WS_U32), other + 12);
    ws_module_free(module);
    ws_buffer_free(&result);
  }
}

static void each_link_writes_the_addresses_of_variables_that_it_planned(void **state) {
  (void)state;
  struct ws_link *low = link_both(NULL), *high = link_both(LINK_OPTIONS(.share_stack = true));
  resolve_and_plan(low, NULL);
  resolve_and_plan(high, PLAN_OPTIONS(.base = 16 * PAGE));
  assert_int_not_equal(ws_link_placement(low, 0)->data_base, ws_link_placement(high, 0)->data_base);
  assert_bound_to_each_other(low);
  assert_bound_to_each_other(high);
  assert_bound_to_each_other(low);
  ws_link_free(low);
  assert_bound_to_each_other(high);
  ws_link_free(high);
}

static void variables_are_where_the_last_plan_put_them(void **state) {
  (void)state;
  struct ws_link *link = link_both(NULL);
  struct ws_error error;
  resolve_and_plan(link, NULL);
  uint64_t first = ws_link_placement(link, 0)->data_base;
  assert_true(ws_link_plan(link, PLAN_OPTIONS(.base = 16 * PAGE), &error)); // resolved as it was
  assert_int_not_equal(ws_link_placement(link, 0)->data_base, first);
  assert_bound_to_each_other(link);
  ws_link_free(link);
}

// The index of a module, and so whose variable it is, is each link's own.
static void modules_in_another_order_are_other_modules_to_their_link(void **state) {
  (void)state;
  struct ws_buffer other_bytes;
  struct ws_module *other = read_user("other.wasm", datums[1], datums[0], &other_bytes);
  struct ws_link *link = link_both(NULL), *with_other = new_link(NULL);
  add_module(with_other, other, "two");
  add_module(with_other, modules[0], "one");
  resolve_and_plan(link, NULL);
  resolve_and_plan(with_other, PLAN_OPTIONS(.base = 5 * PAGE));
  struct ws_binding binding;
  assert_true(ws_link_binding(link, 0, 0, &binding));
  assert_int_equal(binding.from, 1);
  assert_int_equal(binding.address, ws_link_placement(link, 1)->data_base);
  assert_true(ws_link_binding(with_other, 1, 0, &binding));
  assert_int_equal(binding.from, 0);
  assert_int_equal(binding.address, ws_link_placement(with_other, 0)->data_base);
  assert_bound_to_each_other(link);
  ws_link_free(link);
  ws_link_free(with_other);
  ws_module_free(other);
  ws_buffer_free(&other_bytes);
}

static void variables_that_were_not_resolved_are_not_planned(void **state) {
  (void)state;
  struct ws_link *link = link_both(NULL), *lonely = link_one(modules[0], NULL);
  struct ws_error error;
  assert_false(ws_link_plan(link, NULL, &error));
  assert_string_equal(error.file, "one.wasm");
  assert_says(error.message, "uses the variable total");
  resolve_and_plan(link, NULL); // which says nothing about other links
  assert_false(ws_link_resolve(lonely, &error));
  assert_false(ws_link_plan(lonely, NULL, &error));
  assert_says(error.message, "uses the variable total");
  assert_false(ws_link_shift(lonely, PAGE, 0, NULL, &error));
  assert_says(error.message, "uses the variable total");
  ws_link_free(link);
  ws_link_free(lonely);
}

// ------------------------------------------------------------------------------------------------------
// stacks

static bool overlap(uint64_t low, uint64_t high, uint64_t other_low, uint64_t other_high) {
  return low < other_high && other_low < high;
}

// The module's own stack pointer as it was written; 0 if it imports one instead.
static uint64_t private_stack_pointer(const struct ws_link *link, size_t index) {
  struct ws_buffer result;
  struct ws_module *module = read_written(link, index, &result);
  bool imports = ws_module_info(module)->imports_stack;
  assert_int_equal(module->global_count, 1);
  assert_int_equal(module->imported_globals, imports);
  uint64_t pointer = imports ? 0 : module->globals[0].init.value;
  ws_module_free(module);
  ws_buffer_free(&result);
  return pointer;
}

static void no_stack_of_a_module_lies_in_one_that_is_shared_elsewhere(void **state) {
  (void)state;
  struct ws_link *shares = link_both(LINK_OPTIONS(.share_stack = true)), *keeps = link_both(NULL);
  resolve_and_plan(shares, NULL);
  resolve_and_plan(keeps, NULL);
  const struct ws_plan *plan = ws_link_planned(shares);
  assert_true(plan->shared_stack);
  assert_false(ws_link_planned(keeps)->shared_stack);
  for (size_t i = 0; i < 2; i++) {
    // All run on the one stack: no other pointer is there, and no data.
    const struct ws_placement *shared = ws_link_placement(shares, i);
    assert_int_equal(shared->stack_low, plan->stack_low);
    assert_int_equal(shared->stack_pointer, plan->stack_pointer);
    assert_false(overlap(shared->data_base, shared->data_end, plan->stack_low, plan->stack_pointer));
    assert_int_equal(shared->size, sizeof data); // with no room for a stack of its own
    assert_int_equal(private_stack_pointer(shares, i), 0);
    // Each has its own, apart from the other's range and from its own data.
    const struct ws_placement *own = ws_link_placement(keeps, i), *other = ws_link_placement(keeps, 1 - i);
    assert_int_equal(private_stack_pointer(keeps, i), own->stack_pointer);
    assert_int_equal(own->stack_pointer - own->stack_low, PAGE);
    assert_int_equal(own->size, PAGE + sizeof data);
    assert_false(overlap(own->stack_low, own->stack_pointer, other->base, other->base + other->size));
    assert_false(overlap(own->stack_low, own->stack_pointer, own->data_base, own->data_end));
    assert_in_range(own->stack_low, own->base, own->base + own->size - PAGE);
  }
  ws_link_free(shares);
  ws_link_free(keeps);
}

// -----------------------------------------------------------------------------------------------------
// threads

// Fails a thread's work without cmocka, which belongs to the first thread.
static bool writes(const struct ws_link *link, size_t module, const struct ws_buffer *expected) {
  struct ws_buffer is = {0};
  struct ws_error error;
  bool same = ws_link_write(link, module, (struct ws_sink){collect, &is}, &error) &&
              is.size == expected->size && memcmp(is.data, expected->data, is.size) == 0;
  ws_buffer_free(&is);
  return same;
}

struct work {
  const struct ws_link *link;     // that was planned, if there is one for all
  const struct ws_module *module; // instead of the two
  size_t choice;
  const struct ws_buffer *expected; // of each module
  bool ok;
};

static bool link_and_write(const struct work *work) {
  struct ws_error error;
  struct ws_link *link = ws_link_new(&choices[work->choice].sharing, &error);
  bool ok = link && ws_link_add(link, modules[0], "one", &error) &&
            ws_link_add(link, modules[1], "two", &error) && ws_link_resolve(link, &error) &&
            ws_link_plan(link, &choices[work->choice].planning, &error) &&
            writes(link, 0, &work->expected[0]) && writes(link, 1, &work->expected[1]);
  ws_link_free(link);
  return ok;
}

enum { TIMES = 200 };

static void *link_and_write_often(void *context) {
  struct work *work = context;
  work->ok = true;
  for (int i = 0; i < TIMES && work->ok; i++)
    work->ok = link_and_write(work);
  return NULL;
}

static void *write_often(void *context) {
  struct work *work = context;
  work->ok = true;
  for (int i = 0; i < TIMES && work->ok; i++)
    work->ok = writes(work->link, 0, &work->expected[0]) && writes(work->link, 1, &work->expected[1]);
  return NULL;
}

static void run_all(void *(*run)(void *), struct work *work, size_t count) {
  pthread_t threads[CHOICES];
  for (size_t i = 0; i < count; i++)
    assert_int_equal(pthread_create(&threads[i], NULL, run, &work[i]), 0);
  for (size_t i = 0; i < count; i++)
    assert_int_equal(pthread_join(threads[i], NULL), 0);
  for (size_t i = 0; i < count; i++)
    assert_true(work[i].ok);
}

static void modules_are_linked_and_written_in_several_threads(void **state) {
  (void)state;
  struct ws_buffer expected[CHOICES][2];
  struct work work[CHOICES];
  write_apart(expected);
  for (size_t i = 0; i < CHOICES; i++)
    work[i] = (struct work){.choice = i, .expected = expected[i]};
  run_all(link_and_write_often, work, CHOICES);
  free_written(expected);
}

static void a_link_that_is_planned_is_written_from_several_threads(void **state) {
  (void)state;
  struct ws_buffer expected[CHOICES][2];
  struct work work[CHOICES];
  write_apart(expected);
  struct ws_link *link = link_both(&choices[1].sharing);
  resolve_and_plan(link, &choices[1].planning);
  for (size_t i = 0; i < CHOICES; i++)
    work[i] = (struct work){.link = link, .expected = expected[1]};
  run_all(write_often, work, CHOICES);
  ws_link_free(link);
  free_written(expected);
}

static void *write_checked_later(void *context) {
  struct work *work = context;
  struct ws_error error;
  struct ws_link *link = ws_link_new(&choices[work->choice].sharing, &error);
  work->ok = link && ws_link_add(link, work->module, "one", &error) &&
             ws_link_plan(link, &choices[work->choice].planning, &error) && writes(link, 0, work->expected);
  ws_link_free(link);
  return NULL;
}

// Each of the links waits for LLVM, which reads the module only once.
static void a_module_that_is_still_checked_is_written_in_several_threads(void **state) {
  (void)state;
  static const struct sample large = {
      .stack_pointer = PAGE, .data_base = PAGE, .data_size = 100000, .pages = 4};
  struct ws_buffer from = build(&large), expected[CHOICES];
  struct ws_module *checked = read_bytes(&from, NULL),
                   *later = read_bytes(&from, READ_OPTIONS(.check_later = true));
  struct work work[CHOICES];
  for (size_t i = 0; i < CHOICES; i++) {
    struct ws_link *link = link_one(checked, &choices[i].sharing);
    struct ws_error error;
    assert_true(ws_link_plan(link, &choices[i].planning, &error));
    expected[i] = written(link, 0);
    work[i] = (struct work){.module = later, .choice = i, .expected = &expected[i]};
    ws_link_free(link);
  }
  run_all(write_checked_later, work, CHOICES);
  for (size_t i = 0; i < CHOICES; i++)
    ws_buffer_free(&expected[i]);
  ws_module_free(checked);
  ws_module_free(later);
  ws_buffer_free(&from);
}

// Reads a module and frees it, before its checks have ended and after.
static void *read_often(void *context) {
  struct work *work = context;
  work->ok = true;
  for (int i = 0; i < 20; i++) {
    struct ws_error error;
    struct ws_module *module = ws_module_read("large.wasm", work->expected->data, work->expected->size,
                                              READ_OPTIONS(.check_later = i & 1), &error);
    work->ok &= module && (i & 1 || ws_module_info(module)->heap == WS_HEAP_NONE);
    ws_module_free(module);
  }
  return NULL;
}

// All of them have one crew of threads.
static void large_modules_are_read_in_several_threads(void **state) {
  (void)state;
  static const struct sample large = {
      .stack_pointer = PAGE, .data_base = PAGE, .data_size = 100000, .pages = 4};
  struct ws_buffer from = build(&large);
  struct work work[CHOICES];
  for (size_t i = 0; i < CHOICES; i++)
    work[i] = (struct work){.expected = &from};
  run_all(read_often, work, CHOICES);
  ws_buffer_free(&from);
}

static void a_weak_stack_pointer_that_becomes_an_import_can_be_read_again(void **state) {
  (void)state;
  struct sample sample = {
      .stack_pointer = PAGE, .weak_stack_pointer = true, .data_base = PAGE, .data_size = 16, .function = "f"};
  struct ws_buffer from = build(&sample);
  struct ws_module *module = read_bytes(&from, NULL);
  struct ws_link *link = link_one(module, LINK_OPTIONS(.share_stack = true, .keep_relocs = true));
  resolve_and_plan(link, NULL);
  struct ws_buffer to = written(link, 0);
  ws_module_free(read_bytes(&to, NULL));
  ws_link_free(link);
  ws_module_free(module);
  ws_buffer_free(&from);
  ws_buffer_free(&to);
}

// ---------------------------------------------------------------------------------------------------- misuse

static struct sample small(void) {
  return (struct sample){
      .stack_pointer = PAGE, .data_base = PAGE, .data_size = 16, .alignment = 4, .function = "f"};
}

static void modules_and_things_that_are_not_there_are_nothing(void **state) {
  (void)state;
  struct sample sample = small();
  struct ws_buffer content = build(&sample);
  struct ws_module *module = read_bytes(&content, NULL);
  struct ws_link *link = link_one(module, NULL);
  resolve_and_plan(link, NULL);
  struct ws_import_info import;
  struct ws_binding binding;
  for (size_t index = 1; index; index = index == 1 ? WS_HOST : 0) {
    assert_false(ws_link_import(link, index, 0, &import));
    assert_false(ws_link_import_matches(link, index, 0, 0));
    assert_false(ws_link_import_matches(link, 0, 0, index));
    assert_false(ws_link_binding(link, index, 0, &binding));
    assert_false(ws_link_imports_table(link, index));
    assert_false(ws_link_exports(link, index, WS_FUNCTION, "f"));
    assert_int_equal(ws_link_heap(link, index), WS_HEAP_NONE);
    assert_null(ws_link_placement(link, index));
  }
  ws_link_free(link);
  ws_module_free(module);
  ws_buffer_free(&content);
}

static void two_modules_do_not_have_one_name(void **state) {
  (void)state;
  struct sample sample = small();
  struct ws_buffer content = build(&sample);
  struct ws_module *module = read_bytes(&content, NULL);
  struct ws_link *link = link_one(module, NULL);
  struct ws_error error;
  assert_false(ws_link_add(link, module, "one", &error));
  assert_says(error.message, "is called 'one', and so is sample.wasm");
  add_module(link, module, "other");
  ws_link_free(link);
  ws_module_free(module);
  ws_buffer_free(&content);
}

static void a_heap_of_a_class_that_is_none_is_refused(void **state) {
  (void)state;
  struct sample sample = small();
  struct ws_buffer content = build(&sample);
  struct ws_module *module = read_bytes(&content, NULL);
  struct ws_link *link = link_one(module, NULL);
  struct ws_heap_claim claim = {"one", WS_HEAP_CLASSES};
  struct ws_error error;
  assert_false(ws_link_plan(link, PLAN_OPTIONS(.heap_claims = &claim, .heap_claim_count = 1), &error));
  assert_says(error.message, "no class 6");
  ws_link_free(link);
  ws_module_free(module);
  ws_buffer_free(&content);
}

static void a_program_is_planned_after_it_is_resolved(void **state) {
  (void)state;
  struct sample sample = small();
  struct ws_buffer content = build(&sample);
  struct ws_module *module = read_bytes(&content, NULL);
  struct ws_link *link = link_one(module, LINK_OPTIONS(.one_program = true));
  struct ws_error error;
  assert_false(ws_link_plan(link, NULL, &error));
  assert_says(error.message, "were not resolved");
  assert_false(ws_link_shift(link, PAGE, 0, NULL, &error));
  assert_says(error.message, "by itself");
  ws_link_free(link);
  link = link_one(module, LINK_OPTIONS(.single = true));
  assert_true(ws_link_resolve(link, &error));
  assert_false(ws_link_plan(link, NULL, &error));
  assert_says(error.message, "has no plan");
  ws_link_free(link);
  ws_module_free(module);
  ws_buffer_free(&content);
}

static void the_modules_of_a_program_keep_no_relocations(void **state) {
  (void)state;
  struct ws_error error;
  assert_null(ws_link_new(LINK_OPTIONS(.one_program = true, .keep_relocs = true), &error));
  assert_says(error.message, "cannot keep their relocations");
}

static void options_without_a_size_are_defaults(void **state) {
  (void)state;
  struct sample sample = small();
  struct ws_buffer content = build(&sample), one = {0}, other = {0};
  struct ws_module *module = read_bytes(&content, NULL);
  struct ws_link_options none = {.share_stack = true, .one_program = true};
  struct ws_error error;
  struct ws_link *link = link_one(module, &none);
  struct ws_plan_options no_plan = {.base = 7 * PAGE};
  assert_true(ws_link_resolve(link, &error) && ws_link_plan(link, &no_plan, &error));
  assert_false(ws_link_planned(link)->shared_stack);
  assert_true(ws_link_planned(link)->pages < 7);
  ws_link_free(link);
  link = link_one(module, LINK_OPTIONS(.single = true));
  struct ws_single_options no_single = {.import_memory = true};
  assert_true(ws_link_resolve(link, &error));
  assert_true(ws_link_write_single(link, NULL, &no_single, (struct ws_sink){collect, &one}, &error));
  assert_true(ws_link_write_single(link, &no_plan, NULL, (struct ws_sink){collect, &other}, &error));
  assert_int_equal(one.size, other.size);
  assert_memory_equal(one.data, other.data, one.size);
  ws_link_free(link);
  ws_module_free(module);
  ws_buffer_free(&content);
  ws_buffer_free(&one);
  ws_buffer_free(&other);
}

static bool stop(void *context, const void *from, size_t size) {
  (void)context;
  (void)from;
  (void)size;
  return false;
}

static void a_module_that_cannot_be_merged_or_written_says_so(void **state) {
  (void)state;
  struct sample sample = small();
  struct ws_buffer content = build(&sample), out = {0};
  struct ws_module *module = read_bytes(&content, NULL);
  struct ws_link *link = link_one(module, LINK_OPTIONS(.single = true));
  struct ws_sink sink = {collect, &out};
  struct ws_error error;
  assert_false(ws_link_write_single(link, NULL, NULL, sink, &error));
  assert_says(error.message, "not resolved");
  assert_true(ws_link_resolve(link, &error));
  assert_false(ws_link_write_single(link, PLAN_OPTIONS(.heap_size = UINT64_MAX), NULL, sink, &error));
  assert_string_equal(error.file, "sample.wasm");
  assert_int_equal(out.size, 0);
  assert_false(ws_link_write_single(link, NULL, NULL, (struct ws_sink){stop, NULL}, &error));
  assert_int_equal(error.code, WS_ERROR_SINK);
  ws_link_free(link);
  ws_module_free(module);
  ws_buffer_free(&content);
}

struct description {
  const struct ws_single_info *info;
  const struct ws_buffer *out; // what the sink got so far
  bool goes_on;
};

static bool describe(void *context, const struct ws_single_info *info) {
  struct description *description = context;
  assert_null(description->info);
  assert_int_equal(description->out->size, 0);
  description->info = info;
  return description->goes_on;
}

static void what_is_written_is_told_before_and_stays_with_the_link(void **state) {
  (void)state;
  struct sample sample = small();
  struct ws_buffer content = build(&sample), out = {0};
  struct ws_module *module = read_bytes(&content, NULL);
  struct ws_link *link = link_one(module, LINK_OPTIONS(.single = true));
  struct description description = {.out = &out};
  struct ws_single_options options = {WS_OPTIONS(options), .import_memory = true, .described = describe,
                                      .context = &description};
  struct ws_error error;
  assert_true(ws_link_resolve(link, &error));
  assert_false(ws_link_write_single(link, NULL, &options, (struct ws_sink){collect, &out}, &error));
  assert_int_equal(error.code, WS_ERROR_SINK);
  assert_int_equal(out.size, 0);
  description = (struct description){.out = &out, .goes_on = true};
  assert_true(ws_link_write_single(link, NULL, &options, (struct ws_sink){collect, &out}, &error));
  const struct ws_single_info *info = description.info;
  assert_non_null(info);
  assert_string_equal(info->memory_module, "env");
  assert_string_equal(info->memory_name, "memory");
  assert_null(info->constructors);
  assert_true(info->plan.pages > 0 && info->plan.one_program);
  for (size_t i = 0; i < info->export_count; i++)
    assert_int_equal(info->exports[i].module, 0);
  assert_int_equal(info->import_count, 0);
  ws_link_free(link);
  ws_module_free(module);
  ws_buffer_free(&content);
  ws_buffer_free(&out);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_weak_stack_pointer_that_becomes_an_import_can_be_read_again),
      cmocka_unit_test(modules_and_things_that_are_not_there_are_nothing),
      cmocka_unit_test(two_modules_do_not_have_one_name),
      cmocka_unit_test(what_is_written_is_told_before_and_stays_with_the_link),
      cmocka_unit_test(a_heap_of_a_class_that_is_none_is_refused),
      cmocka_unit_test(a_program_is_planned_after_it_is_resolved),
      cmocka_unit_test(the_modules_of_a_program_keep_no_relocations),
      cmocka_unit_test(options_without_a_size_are_defaults),
      cmocka_unit_test(a_module_that_cannot_be_merged_or_written_says_so),
      TEST(links_in_turns_write_what_each_writes_by_itself),
      TEST(keeping_relocations_is_up_to_the_link),
      TEST(the_last_plan_counts),
      TEST(each_link_writes_the_addresses_of_variables_that_it_planned),
      TEST(variables_are_where_the_last_plan_put_them),
      TEST(modules_in_another_order_are_other_modules_to_their_link),
      TEST(variables_that_were_not_resolved_are_not_planned),
      TEST(no_stack_of_a_module_lies_in_one_that_is_shared_elsewhere),
      TEST(modules_are_linked_and_written_in_several_threads),
      TEST(a_link_that_is_planned_is_written_from_several_threads),
      TEST(a_module_that_is_still_checked_is_written_in_several_threads),
      TEST(large_modules_are_read_in_several_threads),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
