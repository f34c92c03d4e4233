// combine --single: one module.
#include "command/command.h"

bool write_single(const struct options *options, const struct ws_plan_options *plan, const struct layout *layout) {
  struct ws_error error;
  struct ws_single_options single = {
      WS_OPTIONS(single), .import_memory = options->import_memory, .strip_debug = options->strip_debug};
  struct output_file *file = open_output(xprintf("%s", options->single), options);
  return file &&
         (ws_link_write_single(layout->link, plan, &single, (struct ws_sink){write_output, file}, &error) ||
          fail_with(&error)) &&
         (!options->depfile || write_depfile(options)) && commit_outputs();
}
