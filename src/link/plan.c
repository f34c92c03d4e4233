// Planning: where each module goes.
#include <inttypes.h>
#include <string.h>

#include "link/heaps.h"
#include "link/types.h"
#include "link/unify.h"
#include "read/checks.h"

// Below this a null pointer with a small offset would land; linkers leave it free too, unless the stack is
// there.
enum { NULL_GUARD = 1024, STACK_ALIGNMENT = 16 };

static uint64_t address_limit(bool memory64) {
  // What lld allows: https://github.com/WebAssembly/memory64/issues/33 leaves the larger one open.
  return memory64 ? UINT64_C(1) << 34 : UINT64_C(1) << 32;
}

static bool check_module(const struct ws_module *module, struct ws_error *error) {
  if (!module->info.exact) {
    *error = module->info.inexact;
    return false;
  }
  return true;
}

static bool check_mix(const struct ws_link *link, struct ws_error *error) {
  for (size_t i = 1; i < link->count; i++)
    if (!ws_check_same_memory(link->inputs[i].module, link->inputs[0].module, error))
      return false;
  return true;
}

static const char *address_space(bool memory64) {
  return memory64 ? "16 GiB of a 64-bit memory" : "4 GiB of a 32-bit memory";
}

static bool too_large(const struct ws_module *module, bool memory64, struct ws_error *error) {
  return ws_fail(error, module->file, NULL, WS_NO_OFFSET, "does not fit: the layout would go beyond the %s",
                 address_space(memory64));
}

// Whether the module keeps a stack of its own.
static bool owns_stack(const struct ws_link *link, const struct ws_module *module) {
  return module->info.has_stack && !module->info.imports_stack && !link->options.share_stack;
}

// The lowest and the highest address of what the module has in memory, as linked.
static void extent(const struct ws_module_info *info, bool has_stack, uint64_t *low, uint64_t *high) {
  bool has_data = info->data_end > info->data_base;
  *low = has_data ? info->data_base : has_stack ? info->stack_low : 0;
  *high = has_data ? info->data_end : has_stack ? info->stack_pointer : 0;
  if (has_stack && info->stack_low < *low)
    *low = info->stack_low;
  if (has_stack && info->stack_pointer > *high)
    *high = info->stack_pointer;
  if (info->heap_base > *high && !info->has_relocations)
    *high = info->heap_base;
}

// Puts one module at the first place from `cursor` up, and moves the cursor behind it.
static bool place_next(const struct ws_link *link, const struct ws_plan_options *options,
                       struct ws_input *input, uint64_t *cursor, struct ws_error *error) {
  const struct ws_module *module = input->module;
  const struct ws_module_info *info = &module->info;
  struct ws_placement *placement = &input->placement;
  uint64_t limit = address_limit(info->memory64);
  uint64_t low, high, base, extra_stack = 0, extra_data = 0;
  bool has_stack = owns_stack(link, module);
  extent(info, has_stack, &low, &high);
  uint64_t alignment = info->alignment > options->alignment ? info->alignment : options->alignment;
  bool stack_first = has_stack && info->stack_low == low;
  if (high > limit || *cursor > limit)
    return too_large(module, info->memory64, error);
  if (*cursor < NULL_GUARD && !stack_first && high > low)
    *cursor = NULL_GUARD;
  low &= ~(alignment - 1);
  if (!ws_align_up(&base, *cursor, alignment))
    return too_large(module, info->memory64, error);
  uint64_t offset = base - low;
  if (has_stack) {
    if (options->extra_stack > limit || !ws_align_up(&extra_stack, options->extra_stack, STACK_ALIGNMENT))
      return too_large(module, info->memory64, error);
    if (stack_first && !ws_align_up(&extra_data, extra_stack, alignment))
      return too_large(module, info->memory64, error);
  }
  placement->base = base;
  placement->offset = offset + extra_data;
  placement->data_base = info->data_base + placement->offset;
  placement->data_end = info->data_end + placement->offset;
  placement->stack_low = info->stack_low + offset;
  placement->stack_pointer = info->stack_pointer + offset + extra_stack;
  placement->table_base = info->table_base;
  placement->table_size = info->table_size;
  placement->tls_offset = 0;
  uint64_t end = high + offset + (stack_first ? extra_data : extra_stack);
  if (has_stack && placement->stack_pointer > end)
    end = placement->stack_pointer;
  if (base > limit || end > limit)
    return too_large(module, info->memory64, error);
  placement->size = end - base;
  *cursor = end;
  return true;
}

// The size of the shared stack, unless it is given: that of the largest. 0 if nothing says.
static uint64_t largest_stack(const struct ws_link *link) {
  uint64_t size = 0;
  for (size_t i = 0; i < link->count; i++) {
    const struct ws_module_info *info = &link->inputs[i].module->info;
    if (info->has_stack && info->stack_pointer - info->stack_low > size)
      size = info->stack_pointer - info->stack_low;
  }
  return size;
}

// One stack for all, below everything, so that overflowing it leaves the memory and traps.
static bool plan_stack(struct ws_link *link, const struct ws_plan_options *options, uint64_t *cursor,
                       struct ws_error *error) {
  struct ws_plan *plan = &link->plan;
  uint64_t limit = address_limit(plan->memory64);
  plan->shared_stack = link->options.share_stack;
  if (!plan->shared_stack)
    return true;
  uint64_t size = options->stack_size ? options->stack_size : largest_stack(link);
  for (size_t i = 0; i < link->count && size == 0; i++)
    if (link->inputs[i].module->info.imports_stack)
      return ws_fail(error, link->inputs[i].module->file, NULL, WS_NO_OFFSET,
                     "imports its stack, and no module says how large it is: say so with --stack-size");
  if (options->base > limit || size > limit || options->extra_stack > limit ||
      !ws_align_up(&plan->stack_low, options->base, STACK_ALIGNMENT) ||
      !ws_align_up(&size, size + options->extra_stack, STACK_ALIGNMENT) || plan->stack_low + size > limit)
    return too_large(link->inputs[0].module, plan->memory64, error);
  plan->stack_pointer = plan->stack_low + size;
  *cursor = plan->stack_pointer;
  return true;
}

// Where in a thread's area each module's thread-local variables are. Moves `*end` behind them.
static bool plan_thread_locals(struct ws_link *link, uint64_t *end, uint64_t *alignment,
                               struct ws_error *error) {
  uint64_t limit = address_limit(link->plan.memory64);
  for (size_t i = 0; i < link->count; i++) {
    const struct ws_module *module = link->inputs[i].module;
    const struct ws_module_info *info = &module->info;
    if (info->tls_size && !info->exports_init_tls)
      return ws_fail(error, module->file, NULL, WS_NO_OFFSET,
                     "has thread-local variables, but no way to make them for a new thread: link it with "
                     "-Wl,--export=__wasm_init_tls");
    if (info->tls_alignment > *alignment)
      *alignment = info->tls_alignment;
    if (info->tls_size > limit || !ws_align_up(end, *end, info->tls_size ? info->tls_alignment : 1))
      return too_large(module, link->plan.memory64, error);
    link->inputs[i].placement.tls_offset = *end;
    *end += info->tls_size;
    if (*end > limit)
      return too_large(module, link->plan.memory64, error);
  }
  return true;
}

// Thread-local variables that are one with another module's are at a distance that is the same in every
// thread's area. Where the host makes threads by itself, it is not known.
static bool check_thread_locals(const struct ws_link *link, struct ws_error *error) {
  char name[128];
  if (!link->plan.shared || !ws_is_one_program(link))
    return true;
  for (size_t i = 0; i < link->count; i++) {
    const struct ws_module *module = link->inputs[i].module;
    for (uint32_t k = 0; k < module->symbol_count; k++) {
      uint32_t other = link->one.of[i][k].module;
      if (module->symbols[k].kind == WS_SYMBOL_DATA && (module->symbols[k].flags & WS_SYMBOL_TLS) &&
          other != i)
        return ws_fail(
            error, module->file, NULL, WS_NO_OFFSET,
            "has the thread-local variable %s, which is one with that of %s: say for how many threads "
            "beside the first, with --threads N",
            ws_printable(module->symbols[k].name, name, sizeof name), link->inputs[other].name);
    }
  }
  return true;
}

// An area for each thread: a stack, and thread-local variables of every module. In one program, what the
// first thread has of these is before the areas, as if it had one.
static bool plan_threads(struct ws_link *link, const struct ws_plan_options *options, uint64_t *cursor,
                         struct ws_error *error) {
  struct ws_plan *plan = &link->plan;
  const struct ws_module *first = link->inputs[0].module, *last = link->inputs[link->count - 1].module;
  uint64_t limit = address_limit(plan->memory64), alignment = STACK_ALIGNMENT;
  if (!options->threads)
    return check_thread_locals(link, error);
  if (!plan->shared)
    return ws_fail(error, first->file, NULL, WS_NO_OFFSET,
                   "does not have a shared memory, which threads need: link with -pthread "
                   "-Wl,--shared-memory,--max-memory=N");
  if (!plan->shared_stack)
    return ws_fail(error, first->file, NULL, WS_NO_OFFSET,
                   "keeps a stack of its own, which only one thread can use: threads need --stack=shared");
  uint64_t end = plan->thread_stack_size = plan->stack_pointer - plan->stack_low;
  if (!plan_thread_locals(link, &end, &alignment, error))
    return false;
  plan->thread_count = options->threads;
  uint64_t first_locals = ws_is_one_program(link) ? end - plan->thread_stack_size + alignment : 0;
  if (!ws_align_up(&plan->thread_size, end, alignment) || *cursor > limit ||
      !ws_align_up(&plan->thread_base, *cursor + first_locals, alignment) || plan->thread_base > limit ||
      (plan->thread_size && plan->thread_count > (limit - plan->thread_base) / plan->thread_size))
    return too_large(last, plan->memory64, error);
  *cursor = plan->thread_base + plan->thread_count * plan->thread_size;
  return true;
}

// Entry 0 stays null; then each module's functions.
static void plan_table(struct ws_link *link) {
  uint64_t next = 1;
  link->plan.shared_table = link->options.share_table;
  for (size_t i = 0; i < link->count && link->plan.shared_table; i++) {
    const struct ws_module_info *info = &link->inputs[i].module->info;
    size_t more = link->inputs[i].changes.slot_count;
    struct ws_placement *placement = &link->inputs[i].placement;
    placement->table_base = info->has_table || more ? next : 0;
    placement->table_size += more;
    next += placement->table_size;
  }
  link->plan.table_size = link->plan.shared_table ? next : 0;
  for (size_t i = 0; i < link->count; i++)
    link->inputs[i].placement.table_end = link->plan.table_size;
}

// The most pages that the memory may have, if anything says so.
static bool plan_maximum(struct ws_link *link, const struct ws_plan_options *options,
                         struct ws_error *error) {
  struct ws_plan *plan = &link->plan;
  plan->maximum_pages = options->max_memory / WS_PAGE_SIZE;
  plan->has_maximum = options->max_memory != 0;
  if (plan->maximum_pages > address_limit(plan->memory64) / WS_PAGE_SIZE)
    return ws_fail(error, "", NULL, WS_NO_OFFSET, "--max-memory is beyond the %s",
                   address_space(plan->memory64));
  for (size_t i = 0; i < link->count && !options->max_memory; i++) {
    const struct ws_module_info *info = &link->inputs[i].module->info;
    plan->has_maximum |= info->has_maximum;
    if (info->has_maximum && info->memory_maximum > plan->maximum_pages)
      plan->maximum_pages = info->memory_maximum;
  }
  return true;
}

// The file of a module whose memory has that maximum.
static const char *with_maximum(const struct ws_link *link, uint64_t pages) {
  for (size_t i = 0; i < link->count; i++) {
    const struct ws_module *module = link->inputs[i].module;
    if (module->info.has_maximum && module->info.memory_maximum == pages)
      return module->file;
  }
  return "";
}

// The memory that all of them import.
static bool plan_memory(struct ws_link *link, const struct ws_plan_options *options, struct ws_error *error) {
  struct ws_plan *plan = &link->plan;
  const struct ws_module *last = link->inputs[link->count - 1].module;
  uint64_t limit = address_limit(plan->memory64), needed;
  if (options->heap_size > limit || !ws_add(&needed, plan->heap_base, options->heap_size) ||
      !ws_align_up(&needed, needed, WS_PAGE_SIZE) || !ws_place_heaps(link, options, limit))
    return too_large(last, plan->memory64, error);
  plan->pages = plan->heap_end / WS_PAGE_SIZE;
  if (!plan_maximum(link, options, error))
    return false;
  // What modules declare is for each by itself: heaps that they were linked with may go beyond.
  if (!options->max_memory && needed / WS_PAGE_SIZE <= plan->maximum_pages &&
      plan->pages > plan->maximum_pages)
    plan->maximum_pages = plan->pages;
  if (plan->has_maximum && plan->pages > plan->maximum_pages)
    return ws_fail(error, options->max_memory ? "" : with_maximum(link, plan->maximum_pages), NULL,
                   WS_NO_OFFSET,
                   "the layout needs %" PRIu64 " bytes of memory, which is more than the maximum of %" PRIu64
                   ": raise it with --max-memory",
                   plan->pages * WS_PAGE_SIZE, plan->maximum_pages * WS_PAGE_SIZE);
  return true;
}

static bool unresolved(const struct ws_module *module, const struct ws_external *external,
                       struct ws_error *error) {
  return ws_fail(error, module->file, NULL, WS_NO_OFFSET,
                 "uses the variable %s, which it does not define: combine it with the module that does",
                 external->name);
}

// The variables of other modules get their addresses.
static bool bind(struct ws_link *link, struct ws_error *error) {
  for (size_t i = 0; i < link->count; i++) {
    const struct ws_module *module = link->inputs[i].module;
    for (size_t k = 0; k < module->external_count; k++) {
      struct ws_link_external *external = &link->inputs[i].externals[k];
      if (external->from >= link->count)
        return unresolved(module, &module->externals[k], error);
      const struct ws_input *definer = &link->inputs[external->from];
      if (link->options.keep_relocs)
        return ws_fail(error, module->file, NULL, WS_NO_OFFSET,
                       "uses the variable %s of %s, and what is bound cannot be moved again: leave out "
                       "--keep-relocs",
                       module->externals[k].name, definer->module->file);
      external->address = external->linked + definer->placement.offset;
    }
  }
  return true;
}

static bool check_options(const struct ws_link *link, const struct ws_plan_options *options,
                          struct ws_error *error) {
  if (link->count == 0)
    return ws_fail(error, "", NULL, WS_NO_OFFSET, "there are no modules to combine");
  if (ws_is_one_program(link) && (ws_is_single(link) || !link->resolved))
    return ws_fail(error, "", NULL, WS_NO_OFFSET,
                   ws_is_single(link) ? "the modules become one, which has no plan"
                                      : "the names of the modules of one program were not resolved");
  if (options->alignment & (options->alignment - 1))
    return ws_fail(error, "", NULL, WS_NO_OFFSET, "the alignment %" PRIu64 " is not a power of two",
                   options->alignment);
  if (options->max_memory % WS_PAGE_SIZE)
    return ws_fail(error, "", NULL, WS_NO_OFFSET,
                   "the maximum memory of %" PRIu64 " bytes is not a whole number of pages of %u bytes",
                   options->max_memory, WS_PAGE_SIZE);
  return true;
}

static void share(struct ws_link *link) {
  const struct ws_plan *plan = &link->plan;
  for (size_t i = 0; i < link->count; i++) {
    struct ws_placement *placement = &link->inputs[i].placement;
    if (plan->shared_stack) {
      placement->stack_low = plan->stack_low;
      placement->stack_pointer = plan->stack_pointer;
    }
    placement->pages = plan->pages;
    placement->maximum_pages = plan->maximum_pages;
    placement->has_maximum = plan->has_maximum;
  }
}

static bool plan_modules(struct ws_link *link, const struct ws_plan_options *options,
                         struct ws_error *error) {
  struct ws_plan *plan = &link->plan;
  uint64_t cursor = options->base;
  if (!ws_choose_heaps(link, options, error) || !plan_stack(link, options, &cursor, error))
    return false;
  for (size_t i = 0; i < link->count; i++)
    if (!place_next(link, options, &link->inputs[i], &cursor, error))
      return false;
  if (!plan_threads(link, options, &cursor, error))
    return false;
  if (!ws_align_up(&plan->heap_base, cursor, 16) || (!plan->memory64 && plan->heap_base > UINT32_MAX))
    return too_large(link->inputs[link->count - 1].module, plan->memory64, error);
  if (!plan_memory(link, options, error))
    return false;
  plan_table(link);
  share(link);
  if (!bind(link, error))
    return false;
  if (ws_is_one_program(link))
    ws_rebind(link);
  return true;
}

bool ws_link_plan(struct ws_link *link, const struct ws_plan_options *given, struct ws_error *error) {
  struct ws_plan_options options;
  ws_take_options(&options, sizeof options, given, given ? given->size : 0);
  link->planned = link->shifted = false;
  if (!check_options(link, &options, error))
    return false;
  for (size_t i = 0; i < link->count; i++) {
    ws_checks_await_heap(link->inputs[i].module);
    if (!check_module(link->inputs[i].module, error))
      return false;
  }
  if (!check_mix(link, error))
    return false;
  const struct ws_module_info *first = &link->inputs[0].module->info;
  link->plan = (struct ws_plan){
      .memory64 = first->memory64, .shared = first->shared, .one_program = ws_is_one_program(link)};
  link->planned = plan_modules(link, &options, error);
  return link->planned;
}

// Whether what is in the function table, and the limits of it, can move up.
static bool table_fits(const struct ws_module *module, uint64_t offset) {
  const struct ws_module_info *info = &module->info;
  const struct ws_table *table = ws_indirect_table(module);
  uint64_t end;
  if (!info->has_table)
    return true;
  uint64_t most = table->limits.has_maximum ? table->limits.maximum : table->limits.minimum;
  return ws_add(&end, info->table_base, info->table_size) && ws_add(&end, end, offset) && end <= UINT32_MAX &&
         (offset == 0 || (ws_add(&end, most, offset) && end <= UINT32_MAX));
}

// The place of a module that is moved by `offset`, without its memory. `mask` has the bits of an address.
static void shift(const struct ws_module *module, uint64_t offset, uint64_t table_offset, uint64_t mask,
                  struct ws_placement *placement) {
  const struct ws_module_info *info = &module->info;
  placement->offset = offset;
  placement->stack_low = (info->stack_low + offset) & mask;
  placement->stack_pointer = (info->stack_pointer + offset) & mask;
  placement->data_base = (info->data_base + offset) & mask;
  placement->data_end = (info->data_end + offset) & mask;
  placement->heap_base = (module->heap_base + offset) & mask;
  placement->table_base = info->table_base + table_offset;
  placement->table_size = info->table_size;
  placement->has_maximum = info->has_maximum;
}

static bool check_shift(const struct ws_module *module, uint64_t offset, uint64_t table_offset,
                        const uint64_t *heap_base, uint64_t end, struct ws_error *error) {
  // Without relocations nothing says more than that a stack is aligned.
  uint64_t alignment = module->info.has_relocations ? module->info.alignment : STACK_ALIGNMENT;
  if (offset & (alignment - 1))
    return ws_fail(error, module->file, NULL, WS_NO_OFFSET,
                   "has data aligned to %" PRIu64 " bytes, and the offset is not a multiple of that",
                   alignment);
  if (heap_base && *heap_base < end)
    return ws_fail(error, module->file, NULL, WS_NO_OFFSET,
                   "would have its heap base at %" PRIu64 ", below its own end at %" PRIu64, *heap_base, end);
  if (table_offset > UINT32_MAX || !table_fits(module, table_offset))
    return ws_fail(error, module->file, NULL, WS_NO_OFFSET, "cannot be moved so far up its function table");
  return true;
}

static bool shift_module(struct ws_link *link, uint64_t offset, uint64_t table_offset,
                         const uint64_t *heap_base, struct ws_error *error) {
  const struct ws_module *module = link->inputs[0].module;
  const struct ws_module_info *info = &module->info;
  struct ws_placement *placement = &link->inputs[0].placement;
  uint64_t limit = address_limit(info->memory64), mask = info->memory64 ? UINT64_MAX : UINT32_MAX;
  uint64_t low, high;
  extent(info, owns_stack(link, module), &low, &high);
  uint64_t base = (low + offset) & mask, end = base + (high - low);
  bool wraps = !info->memory64 && offset > UINT32_MAX && offset < UINT64_MAX - UINT32_MAX;
  if (wraps || high > limit || base > limit || end > limit)
    return ws_fail(error, module->file, NULL, WS_NO_OFFSET,
                   "cannot be moved by that offset: it would leave the %s", address_space(info->memory64));
  if (!check_shift(module, offset, table_offset, heap_base, end, error))
    return false;
  *placement = (struct ws_placement){.base = base, .size = high - low};
  shift(module, offset, table_offset, mask, placement);
  if (heap_base)
    placement->heap_base = *heap_base;
  // The very end of the address space, which linkers write as 0.
  bool at_end = !heap_base && placement->heap_base == 0 && end > limit - STACK_ALIGNMENT;
  if (at_end)
    placement->heap_base = limit;
  uint64_t top = placement->heap_base > end ? placement->heap_base : end;
  bool wrapped = !heap_base && module->heap_base >= high && placement->heap_base < end;
  if (wrapped || (!at_end && placement->heap_base > mask) ||
      !ws_add(&top, top, info->initial_heap / WS_PAGE_SIZE * WS_PAGE_SIZE) ||
      !ws_align_up(&top, top, WS_PAGE_SIZE) || top > limit)
    return too_large(module, info->memory64, error);
  placement->heap_end = top;
  placement->pages = top / WS_PAGE_SIZE;
  placement->maximum_pages = info->memory_maximum;
  if (info->has_maximum && placement->pages > placement->maximum_pages)
    return ws_fail(error, module->file, NULL, WS_NO_OFFSET,
                   "would need %" PRIu64 " pages of memory there, and declares a maximum of %" PRIu64
                   ": link it with a larger -Wl,--max-memory, or without --no-growable-memory",
                   placement->pages, placement->maximum_pages);
  return true;
}

bool ws_link_shift(struct ws_link *link, uint64_t offset, uint64_t table_offset, const uint64_t *heap_base,
                   struct ws_error *error) {
  link->planned = false;
  if (link->count != 1 || ws_is_one_program(link))
    return ws_fail(error, "", NULL, WS_NO_OFFSET, "only a module by itself can be shifted");
  const struct ws_module *module = link->inputs[0].module;
  if (!check_module(module, error))
    return false;
  if (module->external_count)
    return unresolved(module, &module->externals[0], error);
  link->planned = link->shifted = shift_module(link, offset, table_offset, heap_base, error);
  return link->planned;
}
