// Outputs appear all together or not at all, and those that are there already with the same bytes stay as
// they are.
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "command/command.h"

// ------------------------------------------------------------------------------------- outputs, as a whole

static struct {
  struct output_file *first;
  struct made_directory {
    char *path;
    struct made_directory *next; // was made before
  } *directories;
} outputs;

// Removes what the command has made so far and not committed, and the old files that were replaced.
static void remove_temporaries(void) {
  for (const struct output_file *file = outputs.first; file; file = file->next)
    if (file->temporary && (!file->in_place || file->exchanged))
      unlink(file->temporary);
  for (const struct made_directory *made = outputs.directories; made; made = made->next)
    rmdir(made->path);
}

// A signal that ends the command removes them too. Its handler can run at any moment, and in a thread of the
// library while this one goes on. So `busy` is held by whoever changes the outputs, or removes them for good.
static atomic_flag busy = ATOMIC_FLAG_INIT;
static atomic_int pending; // a signal that came, or 0

static void end_by_signal(int number) {
  pending = number;
  if (atomic_flag_test_and_set(&busy))
    return; // end_change() comes back to it
  remove_temporaries();
  signal(number, SIG_DFL);
  raise(number);
}

static void begin_change(void) {
  while (atomic_flag_test_and_set(&busy)) {
  } // until a signal's handler in another thread has ended the process
}

static void end_change(void) {
  atomic_flag_clear(&busy);
  if (pending)
    end_by_signal(pending);
}

void catch_signals(void) {
  handle_signals(end_by_signal);
}

static void free_directories(void) {
  while (outputs.directories) {
    struct made_directory *made = outputs.directories;
    outputs.directories = made->next;
    free(made->path);
    free(made);
  }
}

static void close_old(struct output_file *file) {
  if (file->old >= 0)
    close(file->old);
  file->old = -1;
}

static int close_output(struct output_file *file) {
  int status = file->stream ? fclose(file->stream) : file->descriptor >= 0 ? close(file->descriptor) : 0;
  file->stream = NULL;
  file->descriptor = -1;
  close_old(file);
  return status;
}

static void free_files(void) {
  while (outputs.first) {
    struct output_file *file = outputs.first;
    outputs.first = file->next;
    free(file->path);
    free(file->temporary);
    free(file);
  }
}

void discard_outputs(void) {
  for (struct output_file *file = outputs.first; file; file = file->next)
    close_output(file); // which may wait, for the reader of a pipe: a signal can still end that
  begin_change();
  remove_temporaries();
  free_directories();
  free_files();
  end_change();
}

void out_of_memory(void) {
  fail("out of memory");
  begin_change();
  remove_temporaries();
  _exit(1); // what was printed is incomplete; and a thread of the library may be at work
}

const char *output_directory(const struct options *options) {
  return options->output ? options->output : ".";
}

char *output_path(const struct options *options, const char *name, const char *extension) {
  const char *directory = output_directory(options), *slash = strrchr(directory, '/');
  return xprintf("%s%s%s%s", directory, slash && !slash[1] ? "" : "/", name, extension);
}

// Returns 0, or what errno says is wrong.
static int make_one(const char *directory) {
  struct made_directory *made = xcalloc(1, sizeof *made);
  made->path = xprintf("%s", directory);
  begin_change();
  int error = mkdir(directory, 0777) == 0 ? 0 : errno;
  if (!error) {
    made->next = outputs.directories;
    outputs.directories = made;
  }
  end_change();
  if (!error)
    return 0;
  free(made->path);
  free(made);
  struct stat status;
  if (error == EEXIST && stat(directory, &status) == 0)
    return S_ISDIR(status.st_mode) ? 0 : ENOTDIR;
  return error;
}

// Like mkdir -p.
bool make_directory(const char *directory) {
  int error = make_one(directory);
  const char *slash = strrchr(directory, '/');
  if (error == ENOENT && slash && slash != directory) {
    char *parent = xprintf("%.*s", (int)(slash - directory), directory);
    bool ok = make_directory(parent);
    free(parent);
    if (!ok)
      return false;
    error = make_one(directory);
  }
  return error == 0 || fail("%s: cannot make the directory: %s", directory, strerror(error));
}

// ------------------------------------------------------------------------------------------------ an output

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
  char *directory_a = slash_a ? xprintf("%.*s", (int)(slash_a - a + 1), a) : xprintf(".");
  char *directory_b = slash_b ? xprintf("%.*s", (int)(slash_b - b + 1), b) : xprintf(".");
  struct stat at_a, at_b;
  bool same = stat(directory_a, &at_a) == 0 && stat(directory_b, &at_b) == 0 && at_a.st_dev == at_b.st_dev &&
              at_a.st_ino == at_b.st_ino;
  free(directory_a);
  free(directory_b);
  return same;
}

// The path that the symbolic link names, allocated; or NULL, with errno.
static char *read_link(const char *path) {
  char target[4096];
  ssize_t size = readlink(path, target, sizeof target);
  if (size < 0)
    return NULL;
  const char *slash = strrchr(path, '/');
  int directory = slash && target[0] != '/' ? (int)(slash - path + 1) : 0;
  return xprintf("%.*s%.*s", directory, path, (int)size, target);
}

// What a symbolic link names is written, not the link replaced.
static bool follow_link(struct output_file *file) {
  struct stat status;
  // one that can be opened is not in a cycle
  while (lstat(file->path, &status) == 0 && S_ISLNK(status.st_mode) && stat(file->path, &status) == 0 &&
         S_ISREG(status.st_mode)) {
    char *path = read_link(file->path);
    if (!path)
      return fail("%s: cannot write: %s", file->path, strerror(errno));
    free(file->path);
    file->path = path;
  }
  return true;
}

static bool check_output(const char *path, const struct options *inputs) {
  struct stat status;
  if (is_input(inputs, path))
    return fail("%s: would overwrite an input: choose another directory, or another name", path);
  for (const struct output_file *other = outputs.first; other; other = other->next)
    if (same_output(other->path, path))
      return fail("%s: two outputs would have this name: choose another", path);
  if (stat(path, &status) == 0 && S_ISDIR(status.st_mode))
    return fail("%s: cannot write: is a directory", path);
  return true;
}

static bool is_special(const char *path) {
  struct stat status;
  return stat(path, &status) == 0 && !S_ISREG(status.st_mode);
}

// A pipe or a device is written to, not replaced.
static bool open_special(struct output_file *file) {
  file->descriptor = open(file->path, O_WRONLY | O_CLOEXEC);
  file->in_place = true;
  return file->descriptor >= 0 || fail("%s: cannot write: %s", file->path, strerror(errno));
}

// Opens a new file beside the output. Not with mkstemp, which makes it private: the mode is what any output
// has, and not every file system can change it afterwards.
static bool open_temporary(struct output_file *file) {
  for (unsigned i = 0;; i++) {
    char *temporary = xprintf("%s.%ld-%u", file->path, (long)getpid(), i);
    begin_change();
    file->descriptor = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    int error = errno;
    if (file->descriptor >= 0)
      file->temporary = temporary;
    end_change();
    if (file->descriptor >= 0)
      return true;
    free(temporary);
    if (error != EEXIST)
      return fail("%s: cannot write: %s", file->path, strerror(error));
  }
}

static void add_output(struct output_file *file) {
  struct output_file **end = &outputs.first;
  while (*end)
    end = &(*end)->next;
  begin_change();
  *end = file;
  end_change();
}

struct output_file *open_output(char *path, const struct options *inputs) {
  struct output_file *file = xcalloc(1, sizeof *file);
  *file = (struct output_file){.path = path, .descriptor = -1, .old = -1};
  if (!follow_link(file) || !check_output(file->path, inputs)) {
    free(file->path);
    free(file);
    return NULL;
  }
  add_output(file);
  if (is_special(file->path))
    return open_special(file) ? file : NULL;
  file->old = open(file->path, O_RDONLY | O_CLOEXEC);
  return file->old >= 0 || open_temporary(file) ? file : NULL;
}

// Whether these bytes are in the output's input as they are written, as DWARF can be; and where.
static bool is_of_input(const struct output_file *file, const char *bytes, size_t size, size_t *offset) {
  const struct input_file *input = file->input;
  *offset = input ? (uintptr_t)bytes - (uintptr_t)input->bytes : 0;
  return input && *offset < input->size && size <= input->size - *offset;
}

// Writes such bytes from file to file: they need not come into memory. Returns how many that were, or -1.
static ssize_t copy_from_input(const struct output_file *file, const char *at, size_t size) {
  size_t offset;
  return is_of_input(file, at, size, &offset)
             ? copy_range(file->input->descriptor, offset, file->descriptor, size)
             : -1;
}

static bool write_on(struct output_file *file, const char *at, size_t size) {
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

enum { PIECE = 64 * 1024 };

// Whether the file that is there goes on with these bytes, after those that were compared before.
static bool is_unchanged(struct output_file *file, const char *bytes, size_t size) {
  enum { MUCH = 4 * 1024 * 1024 };
  char piece[PIECE];
  size_t kept = 0, offset;
  for (size_t done = 0; done < size;) {
    size_t left = size - done;
    ssize_t got = read(file->old, piece, left < sizeof piece ? left : sizeof piece);
    if (got <= 0 || memcmp(piece, bytes + done, (size_t)got) != 0)
      return false;
    done += (size_t)got;
    if (done - kept >= MUCH && is_of_input(file, bytes, size, &offset)) {
      forget_pages(bytes + kept, done - kept);
      kept = done;
    }
  }
  file->unchanged += size;
  return true;
}

// Begins a new file with what is unchanged of the one that is there.
static bool begin_anew(struct output_file *file) {
  if (!open_temporary(file))
    return false;
  bool ok = lseek(file->old, 0, SEEK_SET) == 0 || fail("%s: cannot read: %s", file->path, strerror(errno));
  for (uint64_t done = 0; ok && done < file->unchanged;) {
    char piece[PIECE];
    uint64_t left = file->unchanged - done;
    ssize_t got = read(file->old, piece, left < sizeof piece ? (size_t)left : sizeof piece);
    if (got <= 0)
      ok = fail("%s: cannot read: %s", file->path, got ? strerror(errno) : "it was changed meanwhile");
    ok = ok && write_on(file, piece, (size_t)got);
    done += ok ? (uint64_t)got : 0;
  }
  close_old(file);
  return ok;
}

bool write_output(void *context, const void *bytes, size_t size) {
  struct output_file *file = context;
  if (file->old >= 0 && is_unchanged(file, bytes, size))
    return true;
  return (file->old < 0 || begin_anew(file)) && write_on(file, bytes, size);
}

// What is printed is small. It is compared at the end.
FILE *open_stream(struct output_file *file) {
  if (file->descriptor < 0 && !open_temporary(file))
    return NULL;
  file->stream = fdopen(file->descriptor, "w");
  if (!file->stream)
    out_of_memory();
  return file->stream;
}

bool flush_stream(struct output_file *file) {
  bool failed = ferror(file->stream);
  // errno is of the last write that failed.
  return (fflush(file->stream) == 0 && !failed) || fail("%s: cannot write: %s", file->path, strerror(errno));
}

// Gives an output its real name. A file that had that name takes the temporary one, so that it can be given
// back; besides, a file system that has a file replaced writes the new one to disk at once, which takes
// longer than all else.
static bool put_in_place(struct output_file *file) {
  file->exchanged = exchange_names(file->temporary, file->path);
  file->in_place = file->exchanged || rename(file->temporary, file->path) == 0;
  if (!file->in_place)
    fail("%s: cannot write: %s", file->path, strerror(errno));
  return file->in_place;
}

static void take_back(struct output_file *file) {
  if (file->exchanged)
    exchange_names(file->temporary, file->path);
  if (file->in_place && !file->exchanged && file->temporary)
    unlink(file->path);
}

static bool put_all_in_place(void) {
  for (struct output_file *file = outputs.first; file; file = file->next) {
    if (file->in_place || put_in_place(file))
      continue;
    for (struct output_file *done = outputs.first; done != file; done = done->next)
      take_back(done);
    return false;
  }
  return true;
}

// Whether the file that is there begins with what was printed.
static bool is_printed_unchanged(struct output_file *file) {
  int printed = open(file->temporary, O_RDONLY | O_CLOEXEC);
  char piece[PIECE];
  ssize_t got = 0;
  bool same = printed >= 0;
  while (same && (got = read(printed, piece, sizeof piece)) > 0)
    same = is_unchanged(file, piece, (size_t)got);
  if (printed >= 0)
    close(printed);
  return same && got == 0;
}

// Whether the file that is there has the same bytes.
static bool is_all_unchanged(struct output_file *file) {
  char more;
  return file->old >= 0 && (!file->stream || is_printed_unchanged(file)) && read(file->old, &more, 1) == 0;
}

// Leaves what is there with the same bytes as it is, its time too: what is made of it need not be made again.
static bool end_output(struct output_file *file) {
  bool keep = is_all_unchanged(file);
  if (!keep && file->descriptor < 0 && !begin_anew(file))
    return false;
  if (close_output(file) != 0)
    return fail("%s: cannot write: %s", file->path, strerror(errno));
  if (!keep)
    return true;
  begin_change();
  if (file->temporary)
    unlink(file->temporary);
  free(file->temporary);
  file->temporary = NULL;
  file->in_place = true;
  end_change();
  return true;
}

bool commit_outputs(void) {
  for (struct output_file *file = outputs.first; file; file = file->next)
    if (!end_output(file))
      return false;
  begin_change();
  bool ok = put_all_in_place();
  if (ok)
    free_directories();
  end_change();
  return ok;
}

bool write_placed(struct output_file *file, const struct ws_link *link, size_t module,
                  const struct input_file *input) {
  struct ws_error error;
  file->input = input;
  return ws_link_write(link, module, (struct ws_sink){write_output, file}, &error) || fail_with(&error);
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
bool write_depfile(const struct options *options) {
  struct output_file *depfile = open_output(xprintf("%s", options->depfile), options);
  if (!depfile)
    return false;
  FILE *to = open_stream(depfile);
  if (!to)
    return false;
  for (const struct output_file *file = outputs.first; file != depfile; file = file->next) {
    fputs(file == outputs.first ? "" : " \\\n ", to);
    put_dependency(to, file->path, " #\\:%");
  }
  putc(':', to);
  for (size_t i = 0; i < options->input_count; i++) {
    fputs(" \\\n ", to);
    put_dependency(to, options->inputs[i].path, " #\\:");
  }
  putc('\n', to);
  return flush_stream(depfile);
}
