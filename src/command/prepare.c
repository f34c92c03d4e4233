#include "command/command.h"

static bool prepare_input(const struct options *options, const struct input *input) {
  struct input_file file = {0};
  struct ws_module *module = NULL;
  struct ws_error error;
  bool ok = read_input(options, input->path, TO_PLACE, &file, &module);
  struct output_file *output = ok ? open_output(output_path(options, input->name, ".wasm"), options) : NULL;
  ok = output && (ws_prepare(module, (struct ws_sink){write_output, output}, &error) || fail_with(&error));
  ws_module_free(module);
  close_input(&file);
  return ok;
}

bool command_prepare(const struct options *options) {
  bool ok = check_names(options) && make_directory(output_directory(options));
  for (size_t i = 0; i < options->input_count && ok; i++)
    ok = prepare_input(options, &options->inputs[i]);
  return ok && (!options->depfile || write_depfile(options)) && commit_outputs();
}
