// combine --single: one module, and with -o its layout, which is printed while the module is written.
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/thread.h"
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

// What names the file in its layout, allocated. Reports and returns NULL on failure.
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

// The program that is written.
struct writing {
  const struct options *options;
  struct layout layout;
  struct single single;                    // of the layout
  struct output_file *files[LAYOUT_FILES]; // of the layout, if there is a directory for it
  struct ws_thread printer;
  bool prints; // in that thread
};

static void print_layout(void *context) {
  const struct writing *writing = context;
  print_layout_files(writing->files, &writing->layout);
}

// What is written is known: the layout is printed meanwhile.
static bool begin_layout(void *context, const struct ws_single_info *info) {
  struct writing *writing = context;
  writing->single.info = info;
  writing->layout.plan = info->plan;
  if (!writing->options->output)
    return true;
  if (!open_layout_files(writing->options, &writing->layout, writing->files))
    return false;
  enum { MANY = 256 }; // a thread takes less time
  writing->prints = info->export_count >= MANY && ws_thread_start(&writing->printer, print_layout, writing);
  if (!writing->prints)
    print_layout(writing);
  return true;
}

static bool name_in_layout(struct writing *writing) {
  char *file = file_in_layout(writing->options);
  writing->single.file = file;
  return file &&
         (is_utf8(file) || fail("%s: is not UTF-8, as names in a layout are", writing->options->single));
}

// The one file, and its layout.
static bool write_program(struct writing *writing, const struct ws_plan_options *plan) {
  const struct options *options = writing->options;
  struct ws_error error;
  struct ws_single_options merging = {WS_OPTIONS(merging), .import_memory = options->import_memory,
                                      .strip_debug = options->strip_debug, .described = begin_layout,
                                      .context = writing};
  struct output_file *file = open_output(xprintf("%s", options->single), options);
  bool ok = file && (!options->output || name_in_layout(writing)) &&
            (ws_link_write_single(writing->layout.link, plan, &merging, (struct ws_sink){write_output, file},
                                  &error) ||
             fail_with(&error));
  if (writing->prints)
    ws_thread_join(&writing->printer);
  return ok && (!options->output || flush_layout_files(writing->files));
}

bool write_single(const struct options *options, const struct ws_plan_options *plan,
                  const struct layout *layout) {
  struct writing writing = {.options = options, .layout = *layout};
  writing.layout.single = &writing.single;
  writing.layout.script = single_mjs;
  writing.layout.types = single_d_mts;
  bool ok = (!options->output || make_directory(options->output)) && write_program(&writing, plan) &&
            write_map(options, &writing.layout) && (!options->depfile || write_depfile(options)) &&
            report_map(options, &writing.layout) && commit_outputs();
  free(writing.single.file);
  return ok;
}
