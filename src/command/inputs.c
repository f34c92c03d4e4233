// Modules as they are given to a command: their files, and their names.
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "command/command.h"

static bool is_large(const struct input_file *file) {
  enum { LARGE = 16 * 1024 * 1024 };
  return file->size >= LARGE;
}

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
      if (!is_large(file)) // what is freed of a large one is much
        keep_memory();
      return true;
    }
    fail("%s: cannot read: %s", path, strerror(errno));
  }
  close(descriptor);
  return ok;
}

void forget_input(const struct input_file *file) {
  if (is_large(file))
    forget_pages(file->bytes, file->size);
}

void close_input(struct input_file *file) {
  if (file->size) {
    munmap((void *)(uintptr_t)file->bytes, file->size);
    close(file->descriptor);
  }
  *file = (struct input_file){0};
}

// Unless the user says that wasm-bindgen's imports are the host's, and so knows of it.
static bool is_binding_expected(const struct options *options) {
  for (size_t i = 0; i < options->host_modules.count; i++)
    if (strcmp(options->host_modules.items[i], "__wbindgen_placeholder__") == 0)
      return true;
  return false;
}

bool check_module_name(const struct options *options, const char *option, const char *name) {
  for (size_t i = 0; i < options->input_count; i++)
    if (strcmp(name, options->inputs[i].name) == 0)
      return true;
  return fail("--%s: there is no module called '%s'", option, name);
}

bool parse_heap(const struct options *options, const char *text, struct ws_heap_claim *claim) {
  const char *separator = strrchr(text, '=');
  if (!separator)
    return fail("--heap: '%s' is not NAME=CLASS", text);
  char *name = xprintf("%.*s", (int)(separator - text), text);
  claim->name = name;
  while (ws_heap_class_name(claim->heap) && strcmp(ws_heap_class_name(claim->heap), separator + 1) != 0)
    claim->heap++;
  if (!ws_heap_class_name(claim->heap))
    return fail("--heap: '%s' is no class of heap: those are none, grows, bounded, claims-once, contiguous "
                "and unknown",
                separator + 1);
  return check_module_name(options, "heap", name);
}

bool read_input(const struct options *options, const char *path, enum purpose purpose,
                struct input_file *file, struct ws_module **module) {
  return read_vouched(options, path, purpose, NULL, file, module);
}

bool read_vouched(const struct options *options, const char *path, enum purpose purpose,
                  const enum ws_heap_class *heap, struct input_file *file, struct ws_module **module) {
  struct ws_error error;
  struct ws_read_options read = {WS_OPTIONS(read),
                                 .trust_pic = options->trust_pic,
                                 .check_later = purpose != TO_INSPECT,
                                 .skip_heap = purpose == TO_MOVE,
                                 .whole_code = options->single != NULL,
                                 .heap = heap};
  if (!open_input(path, file))
    return false;
  *module = ws_module_read(path, file->bytes, file->size, &read, &error);
  if (!*module)
    return fail_with(&error);
  if (purpose == TO_INSPECT)
    return true;
  forget_input(file);
  if (ws_module_info(*module)->reruns_constructors && !options->link && !options->single)
    warn("%s: every call of an export runs its constructors again: link it as a reactor "
         "(-mexec-model=reactor), or "
         "without a C library with -Wl,--export-if-defined=__wasm_call_ctors",
         path);
  if (ws_module_info(*module)->for_wasm_bindgen && !is_binding_expected(options))
    warn("%s: uses wasm-bindgen, itself or in a crate that it depends on: run wasm-bindgen on the placed "
         "module "
         "(see cargo wasmshare)",
         path);
  return true;
}

static void report_problem(void *context, const struct ws_error *problem) {
  (void)context;
  fail_with(problem);
}

struct ws_link *new_link(const struct options *options) {
  struct ws_error error;
  struct ws_link_options link = {WS_OPTIONS(link),
                                 .share_stack = options->share_stack,
                                 .share_table = options->share_table,
                                 .one_program = options->link,
                                 .single = options->single != NULL,
                                 .keep_relocs = options->keep_relocs,
                                 .host_imports = options->host_imports.items,
                                 .host_modules = options->host_modules.items,
                                 .host_import_count = options->host_imports.count,
                                 .host_module_count = options->host_modules.count,
                                 .prefer = options->prefer.items,
                                 .prefer_count = options->prefer.count,
                                 .report = report_problem};
  struct ws_link *made = ws_link_new(&link, &error);
  if (!made)
    fail_with(&error);
  return made;
}

static bool check_name(const char *name) {
  bool ok = *name && is_utf8(name) && strcmp(name, ".") != 0 && strcmp(name, "..") != 0;
  for (const char *at = name; *at && ok; at++)
    ok = *at != '/' && *at != '\\' && *at != '"' && (unsigned char)*at >= 0x20;
  return ok || fail("'%s': cannot be a name: it becomes part of file names", name);
}

// LAYOUT_A_TLS_OFFSET is a field of a, and another one of a_tls.
static bool same_field(const char *macro, const char *other) {
  size_t size = strlen(other);
  return strncmp(macro, other, size) == 0 && strcmp(macro + size, "_TLS") == 0;
}

static bool check_two_names(const struct input *input, const struct input *other) {
  const char *name = input->name, *path = input->path;
  if (strcmp(name, other->name) == 0)
    return fail("two modules are called '%s': give one another name, as in NAME=%s", name, path);
  char *macro = macro_name(name), *other_macro = macro_name(other->name);
  bool ok = true;
  if (strcmp(macro, other_macro) == 0)
    ok = fail("the modules '%s' and '%s' would both be %s in C: give one another name, as in NAME=%s",
              other->name, name, macro, path);
  else if (same_field(macro, other_macro) || same_field(other_macro, macro))
    ok = fail("the modules '%s' and '%s' would both have a macro %s_TLS_OFFSET: give one another name, as in "
              "NAME=%s",
              other->name, name, strlen(macro) < strlen(other_macro) ? macro : other_macro, path);
  free(macro);
  free(other_macro);
  return ok;
}

// Names become files and C macros; both must tell the modules apart.
bool check_names(const struct options *options) {
  bool ok = check_name(options->layout_name);
  for (size_t i = 0; i < options->input_count && ok; i++) {
    ok = check_name(options->inputs[i].name);
    for (size_t k = 0; k < i && ok; k++)
      ok = check_two_names(&options->inputs[i], &options->inputs[k]);
  }
  return ok;
}
