// combine --single: one module, and with -o its layout.
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "command/command.h"

// The directory that a path is in, without symbolic links and "..", allocated. Reports and returns NULL on
// failure.
static char *real_directory(const char *path) {
  const char *slash = strrchr(path, '/');
  char *directory = !slash ? xprintf(".") : xprintf("%.*s", (int)(slash - path + 1), path);
  char *real = real_path(directory);
  if (!real)
    fail("%s: cannot read: %s", directory, strerror(errno));
  free(directory);
  return real;
}

// How many bytes two paths of directories have in common, in whole names.
static size_t common_size(const char *a, const char *b) {
  size_t size = 0;
  for (size_t i = 0;; i++) {
    bool ends = (a[i] == 0 || a[i] == '/') && (b[i] == 0 || b[i] == '/');
    if (ends)
      size = i;
    if (a[i] != b[i] || a[i] == 0)
      return size;
  }
}

// What names the file in the layout, which is in `directory`; both are real paths.
static char *relative_path(const char *directory, const char *file_directory, const char *name) {
  size_t common = common_size(directory, file_directory);
  const char *down = file_directory + common, *up = directory + common;
  down += strspn(down, "/");
  char *path = *down ? xprintf("%s/%s", down, name) : xprintf("%s", name);
  while (*(up += strspn(up, "/"))) {
    char *longer = xprintf("../%s", path);
    free(path);
    path = longer;
    up += strcspn(up, "/");
  }
  return path;
}

static char *file_in_layout(const struct options *options) {
  const char *slash = strrchr(options->single, '/');
  char *inside = xprintf("%s/", output_directory(options));
  char *directory = real_directory(inside), *file = directory ? real_directory(options->single) : NULL;
  char *path = file ? relative_path(directory, file, slash ? slash + 1 : options->single) : NULL;
  free(inside);
  free(directory);
  free(file);
  return path;
}

bool open_single(struct single *single, const char *path, const char *name) {
  struct ws_error error;
  struct ws_link_options options = {WS_OPTIONS(options)};
  struct ws_read_options read = {WS_OPTIONS(read), .skip_heap = true};
  if (!open_input(path, &single->bytes))
    return false;
  single->module = ws_module_read(name, single->bytes.bytes, single->bytes.size, &read, &error);
  single->link = single->module ? ws_link_new(&options, &error) : NULL;
  return (single->link && ws_link_add(single->link, single->module, "", &error)) || fail_with(&error);
}

void close_single(struct single *single) {
  ws_link_free(single->link);
  ws_module_free(single->module);
  close_input(&single->bytes);
}

static void note_export(void *context, size_t module, const char *name, size_t size) {
  struct single *single = context;
  if (single->export_count == single->export_capacity) {
    size_t capacity = 2 * single->export_capacity + 16;
    struct single_export *exports = xcalloc(capacity, sizeof *exports);
    if (single->exports)
      memcpy(exports, single->exports, single->export_count * sizeof *exports);
    free(single->exports);
    single->exports = exports;
    single->export_capacity = capacity;
  }
  single->exports[single->export_count++] = (struct single_export){module, xprintf("%.*s", (int)size, name)};
}

static void forget_exports(struct single *single) {
  for (size_t i = 0; i < single->export_count; i++)
    free(single->exports[i].name);
  free(single->exports);
}

// The layout says of the file what is in it.
static bool write_layout(const struct options *options, const struct output_file *file,
                         const struct layout *layout, struct single *single) {
  single->file = file_in_layout(options);
  bool ok = single->file &&
            (is_utf8(single->file) || fail("%s: is not UTF-8, as names in a layout are", file->path)) &&
            open_single(single, file->temporary ? file->temporary : file->path, file->path) &&
            write_layout_files(options, layout);
  close_single(single);
  free(single->file);
  return ok;
}

bool write_single(const struct options *options, const struct ws_plan_options *plan,
                  const struct layout *layout) {
  struct ws_error error;
  struct single single = {.file = NULL};
  struct layout described = *layout;
  described.single = &single;
  described.script = single_mjs;
  described.types = single_d_mts;
  struct ws_single_options merging = {WS_OPTIONS(merging),
                                      .import_memory = options->import_memory,
                                      .strip_debug = options->strip_debug,
                                      .planned = &described.plan,
                                      .exported = options->output ? note_export : NULL,
                                      .context = &single};
  if (options->output && !make_directory(options->output))
    return false;
  struct output_file *file = open_output(xprintf("%s", options->single), options);
  bool ok =
      file &&
      (ws_link_write_single(layout->link, plan, &merging, (struct ws_sink){write_output, file}, &error) ||
       fail_with(&error)) &&
      (!options->output || write_layout(options, file, &described, &single)) &&
      write_map(options, &described) && (!options->depfile || write_depfile(options)) &&
      report_map(options, &described) && commit_outputs();
  forget_exports(&single);
  return ok;
}
