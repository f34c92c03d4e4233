#include "command.h"

static bool prepare_input(const struct options *options, const struct input *input, struct output_set *set) {
  struct input_file file = {0};
  struct ws_module *module = NULL;
  struct ws_error error;
  bool ok = read_input(options, input->path, true, &file, &module);
  struct output_file *output =
      ok ? open_output(set, output_directory(options), input->name, ".wasm", options) : NULL;
  ok = output && (ws_prepare(module, (struct ws_sink){write_output, output}, &error) || fail_with(&error));
  ws_module_free(module);
  close_input(&file);
  return ok;
}

bool command_prepare(const struct options *options) {
  struct output_set set = {0};
  bool ok = check_names(options) && make_directory(&set, output_directory(options));
  for (size_t i = 0; i < options->input_count && ok; i++)
    ok = prepare_input(options, &options->inputs[i], &set);
  ok = ok && (!options->depfile || write_depfile(options, &set)) && commit_outputs(&set);
  discard_outputs(&set);
  return ok;
}
