// Planning: where each module goes. Modules know nothing of each other; this is the one place that sees them
// all.
#include <inttypes.h>

#include "read/module.h"

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

static bool check_mix(struct ws_module *const *modules, size_t count, struct ws_error *error) {
  for (size_t i = 1; i < count; i++) {
    const struct ws_module_info *first = &modules[0]->info, *info = &modules[i]->info;
    if (info->memory64 != first->memory64)
      return ws_fail(error, modules[i]->file, NULL, WS_NO_OFFSET,
                     "has a %d-bit memory, but %s has a %d-bit one: one memory can be only one of them",
                     info->memory64 ? 64 : 32, modules[0]->file, first->memory64 ? 64 : 32);
    if (info->shared != first->shared)
      return ws_fail(error, modules[i]->file, NULL, WS_NO_OFFSET,
                     "%s a shared memory, but %s %s: link both with -Wl,--shared-memory, or neither",
                     info->shared ? "has" : "does not have", modules[0]->file,
                     first->shared ? "has" : "does not");
  }
  return true;
}

static const char *address_space(bool memory64) {
  return memory64 ? "16 GiB of a 64-bit memory" : "4 GiB of a 32-bit memory";
}

static bool too_large(const struct ws_module *module, bool memory64, struct ws_error *error) {
  return ws_fail(error, module->file, NULL, WS_NO_OFFSET, "does not fit: the layout would go beyond the %s",
                 address_space(memory64));
}

// The lowest and the highest address of what the module has in memory, as linked.
static void extent(const struct ws_module_info *info, uint64_t *low, uint64_t *high) {
  bool has_data = info->data_end > info->data_base, has_stack = info->has_stack && !info->imports_stack;
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
static bool place_next(const struct ws_module *module, const struct ws_plan_options *options,
                       uint64_t *cursor, struct ws_placement *placement, struct ws_error *error) {
  const struct ws_module_info *info = &module->info;
  uint64_t limit = address_limit(info->memory64);
  uint64_t low, high, base, extra_stack = 0, extra_data = 0;
  extent(info, &low, &high);
  uint64_t alignment = info->alignment > options->alignment ? info->alignment : options->alignment;
  bool has_stack = info->has_stack && !info->imports_stack;
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

// One stack for all, below everything, so that overflowing it leaves the memory and traps.
static bool plan_stack(struct ws_module *const *modules, size_t count, const struct ws_plan_options *options,
                       struct ws_plan *plan, uint64_t *cursor, struct ws_error *error) {
  uint64_t size = 0, limit = address_limit(plan->memory64);
  for (size_t i = 0; i < count; i++) {
    const struct ws_module_info *info = &modules[i]->info;
    plan->shared_stack |= modules[i]->share_stack;
    if (info->has_stack && info->stack_pointer - info->stack_low > size)
      size = info->stack_pointer - info->stack_low;
  }
  if (!plan->shared_stack)
    return true;
  if (options->stack_size)
    size = options->stack_size;
  for (size_t i = 0; i < count && size == 0; i++)
    if (modules[i]->info.imports_stack)
      return ws_fail(error, modules[i]->file, NULL, WS_NO_OFFSET,
                     "imports its stack, and no module says how large it is: say so with --stack-size");
  if (options->base > limit || size > limit || options->extra_stack > limit ||
      !ws_align_up(&plan->stack_low, options->base, STACK_ALIGNMENT) ||
      !ws_align_up(&size, size + options->extra_stack, STACK_ALIGNMENT) || plan->stack_low + size > limit)
    return too_large(modules[0], plan->memory64, error);
  plan->stack_pointer = plan->stack_low + size;
  *cursor = plan->stack_pointer;
  return true;
}

// An area for each thread: a stack, and thread-local variables of every module.
static bool plan_threads(struct ws_module *const *modules, size_t count,
                         const struct ws_plan_options *options, struct ws_plan *plan,
                         struct ws_placement *placements, uint64_t *cursor, struct ws_error *error) {
  uint64_t limit = address_limit(plan->memory64), alignment = STACK_ALIGNMENT;
  if (!options->threads)
    return true;
  if (!plan->shared)
    return ws_fail(error, modules[0]->file, NULL, WS_NO_OFFSET,
                   "does not have a shared memory, which threads need: link with -pthread "
                   "-Wl,--shared-memory,--max-memory=N");
  if (!plan->shared_stack)
    return ws_fail(error, modules[0]->file, NULL, WS_NO_OFFSET,
                   "keeps a stack of its own, which only one thread can use: threads need --stack=shared");
  uint64_t end = plan->thread_stack_size = plan->stack_pointer - plan->stack_low;
  for (size_t i = 0; i < count; i++) {
    const struct ws_module_info *info = &modules[i]->info;
    if (info->tls_size && !info->exports_init_tls)
      return ws_fail(error, modules[i]->file, NULL, WS_NO_OFFSET,
                     "has thread-local variables, but no way to make them for a new thread: link it with "
                     "-Wl,--export=__wasm_init_tls");
    if (info->tls_alignment > alignment)
      alignment = info->tls_alignment;
    if (info->tls_size > limit || !ws_align_up(&end, end, info->tls_size ? info->tls_alignment : 1))
      return too_large(modules[i], plan->memory64, error);
    placements[i].tls_offset = end;
    end += info->tls_size;
    if (end > limit)
      return too_large(modules[i], plan->memory64, error);
  }
  plan->thread_count = options->threads;
  if (!ws_align_up(&plan->thread_size, end, alignment) ||
      !ws_align_up(&plan->thread_base, *cursor, alignment) || plan->thread_base > limit ||
      (plan->thread_size && plan->thread_count > (limit - plan->thread_base) / plan->thread_size))
    return too_large(modules[count - 1], plan->memory64, error);
  *cursor = plan->thread_base + plan->thread_count * plan->thread_size;
  return true;
}

// Entry 0 stays null; then each module's functions.
static void plan_table(struct ws_module *const *modules, size_t count, struct ws_plan *plan,
                       struct ws_placement *placements) {
  uint64_t next = 1;
  for (size_t i = 0; i < count; i++) {
    if (!modules[i]->share_table)
      continue;
    plan->shared_table = true;
    placements[i].table_base = modules[i]->info.has_table ? next : 0;
    next += modules[i]->info.table_size;
  }
  plan->table_size = plan->shared_table ? next : 0;
  for (size_t i = 0; i < count; i++)
    placements[i].table_end = plan->table_size;
}

// Only one module can hand out the memory from __heap_base up; the others are given an empty heap at its end.
static bool plan_heap(struct ws_module *const *modules, size_t count, const struct ws_plan_options *options,
                      const struct ws_plan *plan, struct ws_placement *placements, struct ws_error *error) {
  const struct ws_module *owner = options->heap_owner;
  for (size_t i = 0; i < count; i++) {
    const struct ws_module_info *info = &modules[i]->info;
    bool owns = !options->heap_owner || modules[i] == owner;
    placements[i].heap_base = owns ? plan->heap_base : plan->heap_end;
    placements[i].heap_end = plan->heap_end;
    if (!info->uses_heap_base)
      continue;
    if (!options->heap_owner && owner)
      return ws_fail(
          error, modules[i]->file, NULL, WS_NO_OFFSET,
          "hands out the memory from __heap_base up, and so does %s, so they would overwrite each other: "
          "%s (docs/sharing.md, One heap)",
          owner->file,
          info->uses_heap_end || owner->info.uses_heap_end
              ? "say which one may with --heap-owner, or let one use the other's malloc"
              : "let one use the other's malloc");
    if (options->heap_owner && !owns && !info->uses_heap_end)
      return ws_fail(
          error, modules[i]->file, NULL, WS_NO_OFFSET,
          "takes all memory from __heap_base up, whatever __heap_end is, but %s is the heap's owner: let "
          "it own the heap, or use that one's malloc (docs/sharing.md, One heap)",
          owner->file);
    owner = options->heap_owner ? owner : modules[i];
  }
  return true;
}

// The memory that all of them import.
static bool plan_memory(struct ws_module *const *modules, size_t count, const struct ws_plan_options *options,
                        struct ws_plan *plan, struct ws_error *error) {
  const struct ws_module *last = modules[count - 1];
  uint64_t limit = address_limit(plan->memory64), end;
  if (options->heap_size > limit || !ws_add(&end, plan->heap_base, options->heap_size) ||
      !ws_align_up(&end, end, WS_PAGE_SIZE) || end > limit)
    return too_large(last, plan->memory64, error);
  plan->heap_end = end;
  plan->pages = end / WS_PAGE_SIZE;
  plan->maximum_pages = options->max_memory / WS_PAGE_SIZE;
  plan->has_maximum = options->max_memory != 0;
  if (plan->maximum_pages > limit / WS_PAGE_SIZE)
    return ws_fail(error, "", NULL, WS_NO_OFFSET, "--max-memory is beyond the %s",
                   address_space(plan->memory64));
  for (size_t i = 0; i < count && !options->max_memory; i++) {
    const struct ws_module_info *info = &modules[i]->info;
    plan->has_maximum |= info->has_maximum;
    if (info->has_maximum && info->memory_maximum > plan->maximum_pages)
      plan->maximum_pages = info->memory_maximum;
  }
  if (plan->has_maximum && plan->pages > plan->maximum_pages)
    return ws_fail(error, options->max_memory ? "" : last->file, NULL, WS_NO_OFFSET,
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
static bool bind(struct ws_module *const *modules, size_t count, const struct ws_placement *placements,
                 struct ws_error *error) {
  for (size_t i = 0; i < count; i++) {
    for (size_t k = 0; k < modules[i]->external_count; k++) {
      struct ws_external *external = &modules[i]->externals[k];
      if (external->from >= count)
        return unresolved(modules[i], external, error);
      if (modules[i]->keep_relocs)
        return ws_fail(error, modules[i]->file, NULL, WS_NO_OFFSET,
                       "uses the variable %s of %s, and what is bound cannot be moved again: leave out "
                       "--keep-relocs",
                       external->name, modules[external->from]->file);
      external->address = external->linked + placements[external->from].offset;
    }
    modules[i]->bound = true;
  }
  return true;
}

bool ws_plan(struct ws_module *const *modules, size_t count, const struct ws_plan_options *options,
             struct ws_plan *plan, struct ws_placement *placements, struct ws_error *error) {
  if (count == 0)
    return ws_fail(error, "", NULL, WS_NO_OFFSET, "there are no modules to combine");
  if (options->alignment & (options->alignment - 1))
    return ws_fail(error, "", NULL, WS_NO_OFFSET, "the alignment %" PRIu64 " is not a power of two",
                   options->alignment);
  if (options->max_memory % WS_PAGE_SIZE)
    return ws_fail(error, "", NULL, WS_NO_OFFSET,
                   "the maximum memory of %" PRIu64 " bytes is not a whole number of pages of %u bytes",
                   options->max_memory, WS_PAGE_SIZE);
  for (size_t i = 0; i < count; i++)
    if (!check_module(modules[i], error))
      return false;
  if (!check_mix(modules, count, error))
    return false;
  *plan = (struct ws_plan){.memory64 = modules[0]->info.memory64, .shared = modules[0]->info.shared};
  uint64_t cursor = options->base;
  if (!plan_stack(modules, count, options, plan, &cursor, error))
    return false;
  for (size_t i = 0; i < count; i++)
    if (!place_next(modules[i], options, &cursor, &placements[i], error))
      return false;
  if (!plan_threads(modules, count, options, plan, placements, &cursor, error))
    return false;
  if (!ws_align_up(&plan->heap_base, cursor, 16) || (!plan->memory64 && plan->heap_base > UINT32_MAX))
    return too_large(modules[count - 1], plan->memory64, error);
  if (!plan_memory(modules, count, options, plan, error))
    return false;
  plan_table(modules, count, plan, placements);
  for (size_t i = 0; i < count; i++) {
    if (plan->shared_stack) {
      placements[i].stack_low = plan->stack_low;
      placements[i].stack_pointer = plan->stack_pointer;
    }
    placements[i].pages = plan->pages;
    placements[i].maximum_pages = plan->maximum_pages;
    placements[i].has_maximum = plan->has_maximum;
  }
  return plan_heap(modules, count, options, plan, placements, error) &&
         bind(modules, count, placements, error);
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

bool ws_plan_shift(struct ws_module *module, uint64_t offset, uint64_t table_offset,
                   const uint64_t *heap_base, struct ws_placement *placement, struct ws_error *error) {
  if (!check_module(module, error))
    return false;
  if (module->external_count)
    return unresolved(module, &module->externals[0], error);
  const struct ws_module_info *info = &module->info;
  uint64_t limit = address_limit(info->memory64), mask = info->memory64 ? UINT64_MAX : UINT32_MAX;
  uint64_t low, high;
  extent(info, &low, &high);
  uint64_t base = (low + offset) & mask, end = base + (high - low);
  bool wraps = !info->memory64 && offset > UINT32_MAX && offset < UINT64_MAX - UINT32_MAX;
  if (wraps || high > limit || base > limit || end > limit)
    return ws_fail(error, module->file, NULL, WS_NO_OFFSET,
                   "cannot be moved by that offset: it would leave the %s", address_space(info->memory64));
  // Without relocations nothing says more than that a stack is aligned.
  uint64_t alignment = info->has_relocations ? info->alignment : STACK_ALIGNMENT;
  if (offset & (alignment - 1))
    return ws_fail(error, module->file, NULL, WS_NO_OFFSET,
                   "has data aligned to %" PRIu64 " bytes, and the offset is not a multiple of that",
                   alignment);
  if (heap_base && *heap_base < end)
    return ws_fail(error, module->file, NULL, WS_NO_OFFSET,
                   "would have its heap base at %" PRIu64 ", below its own end at %" PRIu64, *heap_base, end);
  if (table_offset > UINT32_MAX || !table_fits(module, table_offset))
    return ws_fail(error, module->file, NULL, WS_NO_OFFSET, "cannot be moved so far up its function table");
  *placement = (struct ws_placement){
      .offset = offset,
      .base = base,
      .size = high - low,
      .stack_low = (info->stack_low + offset) & mask,
      .stack_pointer = (info->stack_pointer + offset) & mask,
      .data_base = (info->data_base + offset) & mask,
      .data_end = (info->data_end + offset) & mask,
      .heap_base = heap_base ? *heap_base : (module->heap_base + offset) & mask,
      .table_base = info->table_base + table_offset,
      .has_maximum = info->has_maximum,
  };
  uint64_t top = placement->heap_base > end ? placement->heap_base : end;
  // At the very end of the address space the heap base would be 0.
  bool wrapped = !heap_base && module->heap_base >= high && placement->heap_base < end;
  if (wrapped || placement->heap_base > mask || !ws_add(&top, top, info->initial_heap) ||
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
