#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "command.h"

bool open_input(const char *path, struct input_file *file) {
  *file = (struct input_file){.path = path};
  int descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK); // a pipe may have no other end
  struct stat status;
  if (descriptor < 0 || fstat(descriptor, &status) != 0) {
    fail("%s: cannot open: %s", path, strerror(errno));
    if (descriptor >= 0)
      close(descriptor);
    return false;
  }
  bool ok = true;
  if (!S_ISREG(status.st_mode)) {
    ok = fail("%s: is %s, not a file", path, S_ISDIR(status.st_mode) ? "a directory" : "a device or a pipe");
  } else if (status.st_size > 0) {
    void *bytes = mmap(NULL, (size_t)status.st_size, PROT_READ, MAP_PRIVATE, descriptor, 0);
    ok = bytes != MAP_FAILED;
    if (ok) {
      *file = (struct input_file){path, bytes, (size_t)status.st_size, descriptor};
      return true;
    }
    fail("%s: cannot read: %s", path, strerror(errno));
  }
  close(descriptor);
  return ok;
}

void close_input(struct input_file *file) {
  if (file->size) {
    munmap((void *)(uintptr_t)file->bytes, file->size);
    close(file->descriptor);
  }
  *file = (struct input_file){0};
}

bool make_directory(struct output_set *set, const char *directory) {
  if (mkdir(directory, 0777) == 0) {
    set->made_directory = strdup(directory);
    return true;
  }
  struct stat status;
  if (errno == EEXIST && stat(directory, &status) == 0 && S_ISDIR(status.st_mode))
    return true;
  int error = errno;
  // Like mkdir -p; parents that had to be made stay.
  const char *slash = strrchr(directory, '/');
  if (error == ENOENT && slash && slash != directory) {
    char *parent = strndup(directory, (size_t)(slash - directory));
    struct output_set parents = {0};
    bool ok = parent && make_directory(&parents, parent);
    free(parents.made_directory);
    free(parent);
    if (!ok)
      return false;
    if (mkdir(directory, 0777) == 0) {
      set->made_directory = strdup(directory);
      return true;
    }
    if (slash[1] == '\0')
      return true;
    error = errno;
  }
  return fail("%s: cannot make the directory: %s", directory, strerror(error == EEXIST ? ENOTDIR : error));
}

static bool is_input(const struct options *inputs, const char *path) {
  struct stat output, input;
  if (stat(path, &output) != 0)
    return false;
  for (size_t i = 0; i < inputs->input_count; i++)
    if (stat(inputs->inputs[i].path, &input) == 0 && input.st_dev == output.st_dev &&
        input.st_ino == output.st_ino)
      return true;
  return false;
}

// Whether two paths name one file, which need not exist.
static bool same_output(const char *a, const char *b) {
  const char *slash_a = strrchr(a, '/'), *slash_b = strrchr(b, '/');
  if (strcmp(slash_a ? slash_a + 1 : a, slash_b ? slash_b + 1 : b) != 0)
    return false;
  char *directory_a = slash_a ? strndup(a, (size_t)(slash_a - a + 1)) : strdup(".");
  char *directory_b = slash_b ? strndup(b, (size_t)(slash_b - b + 1)) : strdup(".");
  struct stat at_a, at_b;
  bool same = directory_a && directory_b && stat(directory_a, &at_a) == 0 && stat(directory_b, &at_b) == 0 &&
              at_a.st_dev == at_b.st_dev && at_a.st_ino == at_b.st_ino;
  free(directory_a);
  free(directory_b);
  return same;
}

static char *join(const char *directory, const char *name, const char *extension, const char *end) {
  size_t size = strlen(directory) + strlen(name) + strlen(extension) + strlen(end) + 2;
  char *path = malloc(size);
  bool bare = directory[0] == '\0' || directory[strlen(directory) - 1] == '/';
  if (path)
    snprintf(path, size, "%s%s%s%s%s", directory, bare ? "" : "/", name, extension, end);
  return path;
}

// What a symbolic link names is written, not the link replaced.
static bool follow_link(struct output_file *file) {
  struct stat status;
  if (lstat(file->path, &status) != 0 || !S_ISLNK(status.st_mode) || stat(file->path, &status) != 0 ||
      !S_ISREG(status.st_mode))
    return true;
  char *path = realpath(file->path, NULL), *temporary = path ? join("", path, "", ".XXXXXX") : NULL;
  if (!temporary) {
    fail("%s: cannot write: %s", file->path, strerror(errno));
    free(path);
    return false;
  }
  free(file->path);
  free(file->temporary);
  file->path = path;
  file->temporary = temporary;
  return true;
}

struct output_file *open_output(struct output_set *set, const char *directory, const char *name,
                                const char *extension, const struct options *inputs) {
  struct output_file *files = realloc(set->files, (set->count + 1) * sizeof *files);
  if (!files) {
    fail("out of memory");
    return NULL;
  }
  set->files = files;
  struct output_file *file = &files[set->count];
  *file = (struct output_file){.path = join(directory, name, extension, ""),
                               .temporary = join(directory, name, extension, ".XXXXXX"),
                               .descriptor = -1};
  set->count++;
  if (!file->path || !file->temporary) {
    fail("out of memory");
    return NULL;
  }
  if (!follow_link(file))
    return NULL;
  if (is_input(inputs, file->path)) {
    fail("%s: would overwrite an input: choose another directory with -o", file->path);
    return NULL;
  }
  for (size_t i = 0; i + 1 < set->count; i++) {
    if (same_output(set->files[i].path, file->path)) {
      fail("%s: two outputs would have this name: choose another", file->path);
      return NULL;
    }
  }
  struct stat status;
  if (stat(file->path, &status) == 0 && S_ISDIR(status.st_mode)) {
    fail("%s: cannot write: is a directory", file->path);
    return NULL;
  }
  if (stat(file->path, &status) == 0 && !S_ISREG(status.st_mode)) {
    // A pipe or a device is written to, not replaced.
    free(file->temporary);
    file->temporary = NULL;
    file->descriptor = open(file->path, O_WRONLY | O_CLOEXEC);
    file->in_place = true;
    if (file->descriptor < 0)
      fail("%s: cannot write: %s", file->path, strerror(errno));
    return file->descriptor < 0 ? NULL : file;
  }
  file->descriptor = mkstemp(file->temporary);
  if (file->descriptor < 0) {
    fail("%s: cannot write: %s", file->path, strerror(errno));
    free(file->temporary);
    file->temporary = NULL;
    return NULL;
  }
  // mkstemp makes private files; these are as any other output.
  mode_t mask = umask(0);
  umask(mask);
  fchmod(file->descriptor, 0666 & ~mask);
  return file;
}

struct output_file *open_output_path(struct output_set *set, const char *path, const struct options *inputs) {
  const char *slash = strrchr(path, '/');
  char *directory = slash ? strndup(path, (size_t)(slash - path + 1)) : strdup(".");
  if (!directory) {
    fail("out of memory");
    return NULL;
  }
  struct output_file *file = open_output(set, directory, slash ? slash + 1 : path, "", inputs);
  free(directory);
  return file;
}

// Writes what is in the output's input as it is written, such as DWARF, from file to file: it need not come
// into memory. Returns how much that was, or -1.
static ssize_t copy_from_input(const struct output_file *file, const char *at, size_t size) {
#ifdef __linux__
  const struct input_file *input = file->input;
  size_t offset = input ? (uintptr_t)at - (uintptr_t)input->bytes : 0;
  if (input && offset < input->size && size <= input->size - offset) {
    off64_t from = (off64_t)offset;
    return copy_file_range(input->descriptor, &from, file->descriptor, NULL, size, 0);
  }
#endif
  (void)file, (void)at, (void)size;
  return -1;
}

bool write_output(void *context, const void *bytes, size_t size) {
  struct output_file *file = context;
  const char *at = bytes;
  while (size > 0) {
    ssize_t written = copy_from_input(file, at, size);
    if (written <= 0) // another file system, perhaps, or no file
      written = write(file->descriptor, at, size);
    if (written < 0 && errno == EINTR)
      continue;
    if (written <= 0)
      return fail("%s: cannot write: %s", file->path, strerror(errno));
    at += written;
    size -= (size_t)written;
  }
  return true;
}

bool write_text(struct output_file *file, const char *text, size_t size) {
  return write_output(file, text, size);
}

// Gives an output its real name. A file that had that name takes the temporary one, so that it can be given
// back; besides, a file system that has a file replaced writes the new one to disk at once, which takes
// longer than all else.
static bool put_in_place(struct output_file *file) {
#ifdef RENAME_EXCHANGE
  file->exchanged = renameat2(AT_FDCWD, file->temporary, AT_FDCWD, file->path, RENAME_EXCHANGE) == 0;
#endif
  file->in_place = file->exchanged || rename(file->temporary, file->path) == 0;
  if (!file->in_place)
    fail("%s: cannot write: %s", file->path, strerror(errno));
  return file->in_place;
}

static void take_back(struct output_file *file) {
#ifdef RENAME_EXCHANGE
  if (file->exchanged)
    renameat2(AT_FDCWD, file->temporary, AT_FDCWD, file->path, RENAME_EXCHANGE);
#endif
  if (file->in_place && !file->exchanged && file->temporary)
    unlink(file->path);
}

bool commit_outputs(struct output_set *set) {
  for (size_t i = 0; i < set->count; i++) {
    int descriptor = set->files[i].descriptor;
    set->files[i].descriptor = -1;
    if (close(descriptor) != 0)
      return fail("%s: cannot write: %s", set->files[i].path, strerror(errno));
  }
  for (size_t i = 0; i < set->count; i++) {
    if (set->files[i].in_place || put_in_place(&set->files[i]))
      continue;
    while (i-- > 0)
      take_back(&set->files[i]);
    return false;
  }
  free(set->made_directory);
  set->made_directory = NULL;
  return true;
}

void discard_outputs(struct output_set *set) {
  for (size_t i = 0; i < set->count; i++) {
    struct output_file *file = &set->files[i];
    if (file->descriptor >= 0)
      close(file->descriptor);
    if (file->temporary && (!file->in_place || file->exchanged))
      unlink(file->temporary);
    free(file->path);
    free(file->temporary);
  }
  if (set->made_directory)
    rmdir(set->made_directory);
  free(set->made_directory);
  free(set->files);
  *set = (struct output_set){0};
}

const char *output_directory(const struct options *options) {
  return options->output ? options->output : ".";
}

bool write_placed(struct output_file *file, const struct ws_module *module,
                  const struct ws_placement *placement, const struct input_file *input) {
  struct ws_error error;
  file->input = input;
  return ws_place(module, placement, (struct ws_sink){write_output, file}, &error) || fail_with(&error);
}

// A name in a rule: `special` is what make means something by there.
static void put_dependency(FILE *to, const char *path, const char *special) {
  for (; *path; path++) {
    if (strchr(special, *path))
      putc('\\', to);
    if (*path == '$')
      putc('$', to);
    putc(*path, to);
  }
}

// Make's syntax, which Ninja reads too.
bool write_depfile(const struct options *options, struct output_set *set) {
  char *text = NULL;
  size_t size = 0;
  FILE *stream = open_memstream(&text, &size);
  if (!stream)
    return fail("out of memory");
  for (size_t i = 0; i < set->count; i++) {
    fputs(i ? " \\\n " : "", stream);
    put_dependency(stream, set->files[i].path, " #\\:%");
  }
  putc(':', stream);
  for (size_t i = 0; i < options->input_count; i++) {
    fputs(" \\\n ", stream);
    put_dependency(stream, options->inputs[i].path, " #\\:");
  }
  putc('\n', stream);
  bool ok = fclose(stream) == 0;
  struct output_file *file = ok ? open_output_path(set, options->depfile, options) : NULL;
  ok = file && write_text(file, text, size);
  free(text);
  return ok;
}
