#include <stdlib.h>
#include <string.h>

#include "command/command.h"

static bool write_modules(const struct options *options, const struct layout *layout) {
  for (size_t i = 0; i < layout->count; i++) {
    const struct placed *placed = &layout->modules[i];
    struct output_file *file = open_output(output_path(options, placed->name, ".wasm"), options);
    if (!file || !write_placed(file, placed->module, &placed->placement, &placed->file))
      return false;
  }
  return true;
}

// Writes what `print` prints to `path`.
static bool write_printed(const struct options *options, const struct layout *layout, char *path,
                          void (*print)(FILE *, const struct layout *)) {
  struct output_file *file = open_output(path, options);
  if (file)
    print(open_stream(file), layout);
  return file && flush_stream(file);
}

// Beside the modules, under the layout's name.
static bool write_layout(const struct options *options, const struct layout *layout, const char *extension,
                         void (*print)(FILE *, const struct layout *)) {
  return write_printed(options, layout, output_path(options, layout->name, extension), print);
}

static bool write_all(const struct options *options, const struct layout *layout) {
  return make_directory(output_directory(options)) && write_modules(options, layout) &&
         write_layout(options, layout, ".h", print_header) &&
         write_layout(options, layout, ".mjs", print_script) &&
         write_layout(options, layout, ".d.mts", print_types) &&
         write_layout(options, layout, ".json", print_json) &&
         (!options->map_file ||
          write_printed(options, layout, xprintf("%s", options->map_file), print_picture)) &&
         (!options->depfile || write_depfile(options));
}

// What cannot be printed is an error, so it is before the outputs are there.
static bool report_map(const struct options *options, const struct layout *layout) {
  if (options->print_map)
    print_map(stdout, layout);
  return flush_printed();
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
  const char **names = xcalloc(layout->count, sizeof *names);
  size_t *prefer = xcalloc(options->prefer.count + 1, sizeof *prefer);
  struct ws_error error;
  bool ok = true;
  for (size_t i = 0; i < layout->count; i++)
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
  ok = ok && (ws_instantiation_order(modules, layout->count, layout->order, &error) || fail_with(&error));
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
  struct ws_module **modules = xcalloc(layout->count, sizeof *modules);
  struct ws_placement *placements = xcalloc(layout->count, sizeof *placements);
  for (size_t i = 0; i < layout->count; i++)
    modules[i] = layout->modules[i].module;
  bool ok = resolve_names(options, layout, modules) && plan_modules(options, layout, modules, placements);
  for (size_t i = 0; i < layout->count && ok; i++)
    layout->modules[i].placement = placements[i];
  free(modules);
  free(placements);
  return ok;
}

bool command_combine(const struct options *options) {
  struct layout layout = {.name = options->layout_name, .count = options->input_count};
  layout.modules = xcalloc(layout.count, sizeof *layout.modules);
  layout.order = xcalloc(layout.count, sizeof *layout.order);
  bool ok = check_names(options);
  for (size_t i = 0; i < layout.count && ok; i++) {
    struct placed *placed = &layout.modules[i];
    placed->name = options->inputs[i].name;
    placed->path = options->inputs[i].path;
    ok = read_input(options, placed->path, true, &placed->file, &placed->module);
  }
  ok = ok && plan_layout(options, &layout) && write_all(options, &layout) && report_map(options, &layout) &&
       commit_outputs();
  for (size_t i = 0; i < layout.count; i++) {
    ws_module_free(layout.modules[i].module);
    close_input(&layout.modules[i].file);
  }
  free(layout.modules);
  free(layout.order);
  return ok;
}
