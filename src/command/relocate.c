#include "command/command.h"

bool command_relocate(const struct options *options) {
  if (options->input_count != 1)
    return fail("relocate: takes one module; combine takes several");
  if (!options->output || !options->has_offset)
    return fail("relocate: needs -o OUT and --offset N");
  struct input_file file = {0};
  struct ws_module *module = NULL;
  struct ws_placement placement;
  struct ws_error error;
  bool ok = read_input(options, options->inputs[0].path, true, &file, &module) &&
            (ws_plan_shift(module, options->offset, options->table_offset,
                           options->has_heap_base ? &options->heap_base : NULL, &placement, &error) ||
             fail_with(&error));
  struct output_file *output = ok ? open_output(xprintf("%s", options->output), options) : NULL;
  ok = output && write_placed(output, module, &placement, &file) && commit_outputs();
  ws_module_free(module);
  close_input(&file);
  return ok;
}
