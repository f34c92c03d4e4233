#include <stdlib.h>
#include <string.h>

#include "command.h"

static bool write_modules(const struct options *options, const struct layout *layout,
                          struct output_set *set) {
  for (size_t i = 0; i < layout->count; i++) {
    struct output_file *file =
        open_output(set, output_directory(options), layout->modules[i].name, ".wasm", options);
    const struct placed *placed = &layout->modules[i];
    if (!file || !write_placed(file, placed->module, &placed->placement, &placed->file))
      return false;
  }
  return true;
}

// Writes what `print` prints to `path`, or if that is NULL beside the modules, as the layout's name with
// `extension`.
static bool write_printed(const struct options *options, const struct layout *layout, struct output_set *set,
                          const char *path, const char *extension,
                          void (*print)(FILE *, const struct layout *)) {
  char *text = NULL;
  size_t size = 0;
  FILE *stream = open_memstream(&text, &size);
  if (stream) {
    print(stream, layout);
    if (fclose(stream) != 0) {
      free(text);
      text = NULL;
    }
  }
  if (!text || size == 0) { // nothing at all: what it is made of could not be
    free(text);
    return fail("out of memory");
  }
  struct output_file *file =
      path ? open_output_path(set, path, options)
           : open_output(set, output_directory(options), layout->name, extension, options);
  bool ok = file && write_text(file, text, size);
  free(text);
  return ok;
}

static void print_json(FILE *to, const struct layout *layout) {
  char *text = layout_json(layout);
  if (text)
    fputs(text, to);
  free(text);
}

static bool write_all(const struct options *options, const struct layout *layout, struct output_set *set) {
  return make_directory(set, output_directory(options)) && write_modules(options, layout, set) &&
         write_printed(options, layout, set, NULL, ".h", print_header) &&
         write_printed(options, layout, set, NULL, ".mjs", print_script) &&
         write_printed(options, layout, set, NULL, ".d.mts", print_types) &&
         write_printed(options, layout, set, NULL, ".json", print_json) &&
         (!options->map_file ||
          write_printed(options, layout, set, options->map_file, NULL, print_picture)) &&
         (!options->depfile || write_depfile(options, set)) && commit_outputs(set);
}

// The index of the module of that name; `option` is what asked for it.
static bool find_module(const struct layout *layout, const char *option, const char *name, size_t *index) {
  for (*index = 0; *index < layout->count; ++*index)
    if (strcmp(name, layout->modules[*index].name) == 0)
      return true;
  return fail("--%s: there is no module called '%s'", option, name);
}

static void report_problem(void *context, const struct ws_error *problem) {
  (void)context;
  fail_with(problem);
}

static bool resolve_names(const struct options *options, const struct layout *layout,
                          struct ws_module *const *modules) {
  const char **names = calloc(layout->count, sizeof *names);
  size_t *prefer = calloc(options->prefer.count + 1, sizeof *prefer);
  struct ws_error error;
  bool ok = names && prefer;
  if (!ok)
    fail("out of memory");
  for (size_t i = 0; i < layout->count && ok; i++)
    names[i] = layout->modules[i].name;
  for (size_t i = 0; i < options->prefer.count && ok; i++)
    ok = find_module(layout, "prefer", options->prefer.items[i], &prefer[i]);
  ok = ok && ws_resolve(modules, layout->count,
                        &(struct ws_resolve_options){.names = names,
                                                     .host_imports = options->host_imports.items,
                                                     .host_modules = options->host_modules.items,
                                                     .host_import_count = options->host_imports.count,
                                                     .host_module_count = options->host_modules.count,
                                                     .prefer = prefer,
                                                     .prefer_count = options->prefer.count,
                                                     .report = report_problem});
  if (ok && !ws_instantiation_order(modules, layout->count, layout->order, &error))
    ok = fail_with(&error);
  free(names);
  free(prefer);
  return ok;
}

static bool plan_modules(const struct options *options, struct layout *layout,
                         struct ws_module *const *modules, struct ws_placement *placements) {
  struct ws_plan_options plan = options->plan;
  struct ws_error error;
  size_t owner;
  if (options->heap_owner) {
    if (!find_module(layout, "heap-owner", options->heap_owner, &owner))
      return false;
    plan.heap_owner = modules[owner];
  }
  if (plan.stack_size && !options->share_stack)
    return fail("--stack-size: is for --stack=shared; private stacks have the size that they were linked "
                "with, and --extra-stack");
  return ws_plan(modules, layout->count, &plan, &layout->plan, placements, &error) || fail_with(&error);
}

static bool plan_layout(const struct options *options, struct layout *layout) {
  struct ws_module **modules = calloc(layout->count, sizeof *modules);
  struct ws_placement *placements = calloc(layout->count, sizeof *placements);
  bool ok = modules && placements;
  if (!ok)
    fail("out of memory");
  for (size_t i = 0; i < layout->count && ok; i++)
    modules[i] = layout->modules[i].module;
  ok = ok && resolve_names(options, layout, modules) && plan_modules(options, layout, modules, placements);
  for (size_t i = 0; i < layout->count && ok; i++)
    layout->modules[i].placement = placements[i];
  free(modules);
  free(placements);
  return ok;
}

bool command_combine(const struct options *options) {
  struct layout layout = {.name = options->layout_name, .count = options->input_count};
  struct output_set set = {0};
  layout.modules = calloc(layout.count, sizeof *layout.modules);
  layout.order = calloc(layout.count, sizeof *layout.order);
  bool ok = layout.modules && layout.order ? check_names(options) : fail("out of memory");
  for (size_t i = 0; i < layout.count && ok; i++) {
    struct placed *placed = &layout.modules[i];
    placed->name = options->inputs[i].name;
    placed->path = options->inputs[i].path;
    ok = read_input(options, placed->path, true, &placed->file, &placed->module);
  }
  ok = ok && plan_layout(options, &layout) && write_all(options, &layout, &set);
  if (ok && options->print_map)
    print_map(stdout, &layout);
  discard_outputs(&set);
  for (size_t i = 0; i < layout.count && layout.modules; i++) {
    ws_module_free(layout.modules[i].module);
    close_input(&layout.modules[i].file);
  }
  free(layout.modules);
  free(layout.order);
  return ok;
}
