#include "command/command.h"

bool command_relocate(const struct options *options) {
  if (options->input_count != 1)
    return fail("relocate: takes one module; combine takes several");
  if (!options->output || !options->has_offset)
    return fail("relocate: needs -o OUT and --offset N");
  struct input_file file = {0};
  struct ws_module *module = NULL;
  struct ws_error error;
  struct ws_link *link = new_link(options);
  bool ok = link && read_input(options, options->inputs[0].path, TO_MOVE, &file, &module) &&
            ((ws_link_add(link, module, options->inputs[0].name, &error) &&
              ws_link_shift(link, options->offset, options->table_offset,
                            options->has_heap_base ? &options->heap_base : NULL, &error)) ||
             fail_with(&error));
  struct output_file *output = ok ? open_output(xprintf("%s", options->output), options) : NULL;
  ok = output && write_placed(output, link, 0, &file) && commit_outputs();
  ws_link_free(link);
  ws_module_free(module);
  close_input(&file);
  return ok;
}
