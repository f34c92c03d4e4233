#include <stdlib.h>
#include <string.h>

#include "base/parts.h"
#include "command/command.h"

static bool write_modules(const struct options *options, const struct layout *layout) {
  for (size_t i = 0; i < layout->count; i++) {
    const struct placed *placed = &layout->modules[i];
    struct output_file *file = open_output(output_path(options, placed->name, ".wasm"), options);
    if (!file || !write_placed(file, layout->link, i, &placed->file))
      return false;
  }
  return true;
}

static const struct layout_file {
  const char *extension;
  void (*print)(FILE *to, const struct layout *layout);
} layout_files[LAYOUT_FILES] = {
    {".h", print_header}, {".mjs", print_script}, {".d.mts", print_types}, {".json", print_json}};

bool open_layout_files(const struct options *options, const struct layout *layout,
                       struct output_file *files[LAYOUT_FILES]) {
  for (size_t i = 0; i < LAYOUT_FILES; i++) {
    files[i] = open_output(output_path(options, layout->name, layout_files[i].extension), options);
    if (!files[i] || !open_stream(files[i]))
      return false;
  }
  return true;
}

void print_layout_files(struct output_file *const files[LAYOUT_FILES], const struct layout *layout) {
  for (size_t i = 0; i < LAYOUT_FILES; i++)
    layout_files[i].print(files[i]->stream, layout);
}

bool flush_layout_files(struct output_file *const files[LAYOUT_FILES]) {
  for (size_t i = 0; i < LAYOUT_FILES; i++)
    if (!flush_stream(files[i]))
      return false;
  return true;
}

static bool write_layout_files(const struct options *options, const struct layout *layout) {
  struct output_file *files[LAYOUT_FILES];
  if (!open_layout_files(options, layout, files))
    return false;
  print_layout_files(files, layout);
  return flush_layout_files(files);
}

bool write_map(const struct options *options, const struct layout *layout) {
  if (!options->map_file)
    return true;
  struct output_file *file =
      ws_has_other_outputs ? open_output(xprintf("%s", options->map_file), options) : NULL;
  FILE *to = file ? open_stream(file) : NULL;
  if (to)
    print_picture(to, layout);
  return to && flush_stream(file);
}

static bool write_all(const struct options *options, const struct layout *layout) {
  return make_directory(output_directory(options)) && write_modules(options, layout) &&
         write_layout_files(options, layout) && write_map(options, layout) &&
         (!options->env_file || (ws_has_other_outputs && write_env(options, layout))) &&
         (!options->depfile || write_depfile(options));
}

bool report_map(const struct options *options, const struct layout *layout) {
  if (options->print_map)
    print_map(stdout, layout);
  return flush_printed();
}

enum { MOST_NAMES = 3 }; // that a warning gives

// Adds a name to a list of them.
static char *add_name(char *list, size_t index, const char *name) {
  char *longer = index == 0 ? xprintf("%s", name) : xprintf("%s, %s", list, name);
  free(list);
  return longer;
}

// One warning of all that one program would have once.
static void warn_of_divided(const struct layout *layout) {
  struct ws_divided divided, first = {.name = NULL};
  char *names = NULL;
  size_t count = 0;
  for (; ws_link_divided(layout->link, count, &divided); count++) {
    if (count == 0)
      first = divided;
    if (count < MOST_NAMES)
      names = add_name(names, count, divided.name);
  }
  if (count > 0)
    warn("%s: %s%s: what is one thing in one program is not here, as between this module and %s: --link "
         "makes them one "
         "program",
         layout->modules[first.other].path, names, count > MOST_NAMES ? " and others" : "",
         layout->modules[first.module].path);
  free(names);
}

// One note of what stays apart in one program for other reasons than that its names are its authors'.
static void warn_of_kept(const struct layout *layout) {
  struct ws_kept kept, first = {.name = NULL};
  const char *last = ""; // of one name there may be several
  char *names = NULL;
  size_t count = 0, used = 0;
  for (; ws_link_kept(layout->link, count, &kept); count++) {
    if (!kept.is_library || strcmp(kept.name, last) == 0)
      continue;
    last = kept.name;
    if (used == 0)
      first = kept;
    if (used < MOST_NAMES)
      names = add_name(names, used, kept.name);
    used++;
  }
  if (used > 0)
    warn("%s: %s%s: stays apart from that of %s: %s", layout->modules[first.other].path, names,
         used > MOST_NAMES ? " and others" : "", layout->modules[first.module].path, first.reason);
  free(names);
}

// One warning of each thing that is not done when the program ends, for the first module that needs it.
static void warn_of_lost(const struct layout *layout) {
  struct ws_lost lost;
  const char *last = NULL;
  for (size_t i = 0; ws_link_lost(layout->link, i, &lost); i++) {
    if (!last || strcmp(last, lost.function) != 0)
      warn("%s: when the program ends, %s: its linker dropped what does that: link it with "
           "-Wl,--export-if-defined=%s",
           layout->modules[lost.module].path, lost.what, lost.function);
    last = lost.function;
  }
}

static bool resolve_names(const struct options *options, const struct layout *layout) {
  struct ws_error error;
  for (size_t i = 0; i < options->prefer.count; i++)
    if (!check_module_name(options, "prefer", options->prefer.items[i]))
      return false;
  if (!ws_link_resolve(layout->link, &error))
    return false;
  warn_of_divided(layout);
  warn_of_kept(layout);
  warn_of_lost(layout);
  return true;
}

static bool plan_with_claims(const struct options *options, const struct layout *layout,
                             struct ws_heap_claim *claims) {
  struct ws_plan_options plan = options->plan;
  struct ws_error error;
  for (size_t i = 0; i < options->heaps.count; i++)
    if (!parse_heap(options, options->heaps.items[i], &claims[i]))
      return false;
  plan.size = sizeof plan;
  plan.heap_claims = claims;
  plan.heap_claim_count = options->heaps.count;
  if (ws_has_one_program && options->single)
    return write_single(options, &plan, layout);
  return ws_link_plan(layout->link, &plan, &error) || fail_with(&error);
}

static bool check_plan(const struct options *options) {
  if (options->plan.heap_owner && !check_module_name(options, "heap-owner", options->plan.heap_owner))
    return false;
  if (options->plan.stack_size && !options->share_stack && !options->link && !options->single)
    return fail("--stack-size: is for --stack=shared; private stacks have the size that they were linked "
                "with, and --extra-stack");
  return true;
}

static bool plan_modules(const struct options *options, const struct layout *layout) {
  if (!check_plan(options))
    return false;
  struct ws_heap_claim *claims = xcalloc(options->heaps.count + 1, sizeof *claims);
  bool ok = plan_with_claims(options, layout, claims);
  for (size_t i = 0; i < options->heaps.count; i++)
    free((char *)claims[i].name);
  free(claims);
  return ok;
}

// Reads the modules into a link.
static bool read_modules(const struct options *options, struct layout *layout) {
  struct ws_error error;
  layout->link = new_link(options);
  for (size_t i = 0; i < layout->count && layout->link; i++) {
    struct placed *placed = &layout->modules[i];
    placed->name = options->inputs[i].name;
    placed->path = options->inputs[i].path;
    if (!read_input(options, placed->path, TO_PLACE, &placed->file, &placed->module))
      return false;
    if (!ws_link_add(layout->link, placed->module, placed->name, &error))
      return fail_with(&error);
  }
  return layout->link != NULL;
}

static bool plan_layout(const struct options *options, struct layout *layout) {
  if (!resolve_names(options, layout) || !plan_modules(options, layout))
    return false;
  layout->plan = *ws_link_planned(layout->link);
  layout->order = ws_link_order(layout->link);
  for (size_t i = 0; i < layout->count; i++)
    layout->modules[i].placement = *ws_link_placement(layout->link, i);
  return true;
}

bool command_combine(const struct options *options) {
  struct layout layout = {.name = options->layout_name,
                          .script = layout_mjs,
                          .types = layout_d_mts,
                          .count = options->input_count};
  layout.modules = xcalloc(layout.count, sizeof *layout.modules);
  bool ok = check_names(options) && read_modules(options, &layout);
  if (options->single)
    ok = ok && resolve_names(options, &layout) && plan_modules(options, &layout);
  else
    ok = ok && plan_layout(options, &layout) && write_all(options, &layout) && report_map(options, &layout) &&
         commit_outputs();
  ws_link_free(layout.link);
  for (size_t i = 0; i < layout.count; i++) {
    ws_module_free(layout.modules[i].module);
    close_input(&layout.modules[i].file);
  }
  free(layout.modules);
  return ok;
}
