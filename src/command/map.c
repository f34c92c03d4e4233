// The memory map, for people.
#include <inttypes.h>

#include "command.h"

static void put_size(FILE *to, uint64_t size) {
  static const char *const units[] = {"B", "KiB", "MiB", "GiB"};
  unsigned unit = 0;
  uint64_t whole = size, tenths = 0;
  while (whole >= 1024 && unit < 3) {
    tenths = whole % 1024 * 10 / 1024;
    whole /= 1024;
    unit++;
  }
  char text[32];
  if (unit == 0)
    snprintf(text, sizeof text, "%" PRIu64 " %s", whole, units[unit]);
  else
    snprintf(text, sizeof text, "%" PRIu64 ".%" PRIu64 " %s", whole, tenths, units[unit]);
  fprintf(to, "%11s", text);
}

static void put_line(FILE *to, int width, uint64_t start, uint64_t end, const char *module, const char *what) {
  if (end <= start)
    return;
  fprintf(to, "  0x%0*" PRIx64 " ", width, start);
  put_size(to, end - start);
  fprintf(to, "  %-16s %s\n", module, what);
}

static void put_module(FILE *to, int width, const struct placed *placed, bool shared_stack, uint64_t *cursor) {
  const struct ws_placement *at = &placed->placement;
  const struct ws_module_info *info = ws_module_info(placed->module);
  struct {
    uint64_t start, end;
    const char *what;
  } parts[2] = {{at->stack_low, at->stack_pointer, "stack"}, {at->data_base, at->data_end, "static data"}};
  bool has_stack = info->has_stack && !shared_stack;
  if (!has_stack)
    parts[0].end = parts[0].start;
  unsigned first = has_stack && at->data_end > at->data_base && at->data_base < at->stack_low;
  for (unsigned i = 0; i < 2; i++) {
    unsigned k = i ^ first;
    if (parts[k].end <= parts[k].start)
      continue;
    put_line(to, width, *cursor, parts[k].start, "", "-");
    put_line(to, width, parts[k].start, parts[k].end, placed->name, parts[k].what);
    *cursor = parts[k].end;
  }
}

void print_map(FILE *to, const struct layout *layout) {
  const struct ws_plan *plan = &layout->plan;
  int width = plan->memory64 ? 10 : 8;
  uint64_t cursor = 0;
  fprintf(to, "  %-*s %11s  %-16s %s\n", width + 2, "address", "size", "module", "what");
  if (plan->shared_stack) {
    put_line(to, width, cursor, plan->stack_low, "", "-");
    put_line(to, width, plan->stack_low, plan->stack_pointer, "(all)", "stack");
    cursor = plan->stack_pointer;
  }
  for (size_t i = 0; i < layout->count; i++)
    put_module(to, width, &layout->modules[i], plan->shared_stack, &cursor);
  put_line(to, width, cursor, plan->heap_base, "", "-");
  put_line(to, width, plan->heap_base, plan->heap_end, "(all)", "heap, initially");
  fprintf(to, "  0x%0*" PRIx64 " %11s  %-16s end: %" PRIu64 " pages of 64 KiB\n", width, plan->heap_end, "", "",
          plan->pages);
}
