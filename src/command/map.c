// The memory map, for people: as text, and as a picture.
#include <inttypes.h>
#include <string.h>

#include "command/command.h"

// One stretch of memory, from low to high; `module` is NULL for what nobody uses.
struct region {
  uint64_t start, end;
  const char *module, *what;
  unsigned owner; // index of the module, for its colour; the count of modules for what all share
  bool stack;
};

typedef void (*visit)(void *context, const struct region *region);

struct walk {
  visit visit;
  void *context;
  uint64_t cursor;
};

static void step(struct walk *walk, uint64_t start, uint64_t end, const char *module, const char *what,
                 size_t owner) {
  if (end <= start)
    return;
  if (start > walk->cursor)
    walk->visit(walk->context, &(struct region){walk->cursor, start, NULL, "unused", (unsigned)owner, false});
  bool stack = strcmp(what, "stack") == 0;
  walk->visit(walk->context, &(struct region){start, end, module, what, (unsigned)owner, stack});
  walk->cursor = end;
}

// The ranges of the heap that are a module's own, and what lies between them.
static void walk_heaps(struct walk *walk, const struct layout *layout) {
  const struct ws_plan *plan = &layout->plan;
  uint64_t cursor = plan->heap_base;
  while (cursor < plan->heap_end) {
    const struct placed *next = NULL;
    for (size_t i = 0; i < layout->count; i++) {
      const struct placed *placed = &layout->modules[i];
      const struct ws_placement *at = &placed->placement;
      bool own = owns_heap(layout, i) && at->heap_base >= cursor && at->heap_base < at->heap_end;
      if (own && (!next || at->heap_base < next->placement.heap_base))
        next = placed;
    }
    uint64_t start = next ? next->placement.heap_base : plan->heap_end;
    step(walk, cursor, start, "(all)", "heap, at the start", layout->count);
    if (next)
      step(walk, start, next->placement.heap_end, next->name, "heap, at the start",
           (size_t)(next - layout->modules));
    cursor = next ? next->placement.heap_end : plan->heap_end;
  }
}

// Visits every region in order of address.
static void walk_regions(const struct layout *layout, visit function, void *context) {
  const struct ws_plan *plan = &layout->plan;
  struct walk walk = {function, context, 0};
  if (plan->shared_stack)
    step(&walk, plan->stack_low, plan->stack_pointer, "(all)", "stack", layout->count);
  if (single_of(layout))
    step(&walk, plan->stack_pointer, plan->heap_base, "(all)", "static data", layout->count);
  for (size_t i = 0; i < layout->count && !single_of(layout); i++) {
    const struct placed *placed = &layout->modules[i];
    const struct ws_placement *at = &placed->placement;
    bool has_stack = ws_module_info(placed->module)->has_stack && !plan->shared_stack;
    bool data_first = has_stack && at->data_end > at->data_base && at->data_base < at->stack_low;
    if (has_stack && !data_first)
      step(&walk, at->stack_low, at->stack_pointer, placed->name, "stack", i);
    step(&walk, at->data_base, at->data_end, placed->name, "static data", i);
    if (data_first)
      step(&walk, at->stack_low, at->stack_pointer, placed->name, "stack", i);
  }
  for (uint64_t i = 0; i < plan->thread_count; i++) {
    uint64_t base = plan->thread_base + i * plan->thread_size, stack = base + plan->thread_stack_size;
    step(&walk, base, stack, "(thread)", "stack", layout->count);
    step(&walk, stack, base + plan->thread_size, "(thread)", "thread-local variables", layout->count);
  }
  walk_heaps(&walk, layout);
}

static const char *print_size(char text[32], uint64_t size) {
  static const char *const units[] = {"B", "KiB", "MiB", "GiB"};
  unsigned unit = 0;
  uint64_t whole = size, tenths = 0;
  while (whole >= 1024 && unit < 3) {
    tenths = whole % 1024 * 10 / 1024;
    whole /= 1024;
    unit++;
  }
  if (unit == 0)
    snprintf(text, 32, "%" PRIu64 " B", whole);
  else
    snprintf(text, 32, "%" PRIu64 ".%" PRIu64 " %s", whole, tenths, units[unit]);
  return text;
}

// ------------------------------------------------------------------------------------------------- as text

struct text_map {
  FILE *to;
  int width;
};

static void print_region(void *context, const struct region *region) {
  const struct text_map *map = context;
  char size[32];
  fprintf(map->to, "  0x%0*" PRIx64 " %11s  %-16s %s\n", map->width, region->start,
          print_size(size, region->end - region->start), region->module ? region->module : "", region->what);
}

// How many things that modules have in common are one in one program.
static void print_merged(FILE *to, const struct layout *layout) {
  struct ws_merged merged;
  size_t functions = 0, variables = 0, tags = 0;
  for (size_t i = 0; ws_link_merged(layout->link, i, &merged); i++) {
    functions += merged.kind == WS_FUNCTION;
    variables += merged.kind == WS_MEMORY;
    tags += merged.kind == WS_TAG;
  }
  if (layout->plan.one_program)
    fprintf(to, "  one thing in several modules: %zu function%s, %zu variable%s, %zu tag%s\n", functions,
            functions == 1 ? "" : "s", variables, variables == 1 ? "" : "s", tags, tags == 1 ? "" : "s");
}

void print_map(FILE *to, const struct layout *layout) {
  struct text_map map = {to, layout->plan.memory64 ? 10 : 8};
  fprintf(to, "  %-*s %11s  %-16s %s\n", map.width + 2, "address", "size", "module", "what");
  walk_regions(layout, print_region, &map);
  fprintf(to, "  0x%0*" PRIx64 " %11s  %-16s end: %" PRIu64 " page%s of 64 KiB\n", map.width,
          layout->plan.heap_end, "", "", layout->plan.pages, layout->plan.pages == 1 ? "" : "s");
  print_merged(to, layout);
}

// ------------------------------------------------------------------------------------------------------ as
// a picture

enum { LEFT = 110, WIDTH = 300, GAP_HEIGHT = 8 };

struct picture {
  FILE *to;
  unsigned y;
  int width;
  size_t modules;
};

// Heights grow with the logarithm of the size: 4 bytes can be seen beside 4 MiB.
static unsigned region_height(const struct region *region) {
  unsigned height = 22;
  if (!region->module && region->end - region->start < 64)
    return GAP_HEIGHT;
  for (uint64_t size = region->end - region->start; size >= 1024; size /= 2)
    height += 4;
  return height;
}

static void put_xml(FILE *to, const char *text) {
  for (; *text; text++) {
    if (*text == '<' || *text == '&')
      fputs(*text == '<' ? "&lt;" : "&amp;", to);
    else
      putc(*text, to);
  }
}

static void measure_region(void *context, const struct region *region) {
  struct picture *picture = context;
  picture->y += region_height(region);
}

static void draw_region(void *context, const struct region *region) {
  struct picture *picture = context;
  unsigned height = region_height(region);
  char size[32], fill[40];
  print_size(size, region->end - region->start);
  // Hues a golden angle apart differ for any number of modules; what is shared is grey.
  if (region->module && region->owner < picture->modules)
    snprintf(fill, sizeof fill, "hsl(%u 55%% %u%%)", region->owner * 137 % 360 + 200,
             region->stack ? 86 : 74);
  else
    snprintf(fill, sizeof fill, "%s", region->module ? "#e4e4e4" : "#ffffff");
  if (height > GAP_HEIGHT)
    fprintf(picture->to, "<text x=\"%d\" y=\"%u\" class=\"address\">0x%0*" PRIx64 "</text>\n", LEFT - 8,
            picture->y + 4, picture->width, region->start);
  fprintf(picture->to, "<g><title>0x%" PRIx64 " to 0x%" PRIx64 ": ", region->start, region->end);
  put_xml(picture->to, region->module ? region->module : "");
  fprintf(picture->to,
          " %s, %" PRIu64 " bytes</title><rect x=\"%d\" y=\"%u\" width=\"%d\" height=\"%u\" fill=\"%s\"/>",
          region->what, region->end - region->start, LEFT, picture->y, WIDTH, height, fill);
  if (height > GAP_HEIGHT) {
    fprintf(picture->to, "<text x=\"%d\" y=\"%u\">", LEFT + 10, picture->y + height / 2 + 4);
    put_xml(picture->to, region->module && region->owner < picture->modules ? region->module : "");
    fprintf(picture->to, " %s</text><text x=\"%d\" y=\"%u\" class=\"size\">%s</text>", region->what,
            LEFT + WIDTH - 10, picture->y + height / 2 + 4, size);
  }
  fputs("</g>\n", picture->to);
  picture->y += height;
}

void print_picture(FILE *to, const struct layout *layout) {
  struct picture picture = {
      .to = to, .y = 12, .width = layout->plan.memory64 ? 10 : 8, .modules = layout->count};
  walk_regions(layout, measure_region, &picture);
  fprintf(to,
          "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%u\" font-family=\"sans-serif\" "
          "font-size=\"13\">\n"
          "<style>rect { stroke: #555 } .address { font: 11px monospace; text-anchor: end; fill: #777 } "
          ".size { text-anchor: end; fill: #333 }</style>\n"
          "<rect width=\"100%%\" height=\"100%%\" fill=\"#fff\" style=\"stroke: none\"/>\n",
          LEFT + WIDTH + 12, picture.y + 16);
  picture.y = 12;
  walk_regions(layout, draw_region, &picture);
  fprintf(to, "<text x=\"%d\" y=\"%u\" class=\"address\">0x%0*" PRIx64 "</text>\n</svg>\n", LEFT - 8,
          picture.y + 4, picture.width, layout->plan.heap_end);
}
