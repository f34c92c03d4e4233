#include <stdlib.h>
#include <string.h>

#include "command/command.h"

// What the options say of the module's heap; of several, the last.
static bool find_heap(const struct options *options, const char *name, struct ws_heap_claim *found) {
  *found = (struct ws_heap_claim){0};
  for (size_t i = 0; i < options->heaps.count; i++) {
    struct ws_heap_claim claim = {0};
    bool ok = parse_heap(options, options->heaps.items[i], &claim);
    bool is = ok && strcmp(claim.name, name) == 0;
    free((char *)claim.name);
    if (is)
      *found = (struct ws_heap_claim){name, claim.heap};
    if (!ok)
      return false;
  }
  return true;
}

static bool prepare_input(const struct options *options, const struct input *input) {
  struct input_file file = {0};
  struct ws_module *module = NULL;
  struct ws_error error;
  struct ws_heap_claim claim;
  bool ok = find_heap(options, input->name, &claim) &&
            read_vouched(options, input->path, TO_PLACE, claim.name ? &claim.heap : NULL, &file, &module);
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
