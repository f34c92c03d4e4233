// wasmshare: gives separately linked WebAssembly modules one linear memory.
// Exit status: 0, or 1 with one line on stderr that says what is wrong.
#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <jansson.h>

#include "base/suggest.h"
#include "command/command.h"
#include "read/llvm.h"

// One line, whatever is in it.
static void report(const char *kind, char *line) {
  for (char *at = line; *at; at++)
    if (*at == '\n' || *at == '\r')
      *at = ' ';
  fprintf(stderr, "wasmshare: %s: %s\n", kind, line);
}

bool fail(const char *format, ...) {
  char line[1024];
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(line, sizeof line, format, arguments);
  va_end(arguments);
  report("error", line);
  return false;
}

static struct warning {
  char line[1024];
  struct warning *next;
} *warnings, **last_warning = &warnings;

void warn(const char *format, ...) {
  struct warning *warning = xcalloc(1, sizeof *warning);
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(warning->line, sizeof warning->line, format, arguments);
  va_end(arguments);
  *last_warning = warning;
  last_warning = &warning->next;
}

static void tell_warnings(bool ok) {
  for (struct warning *warning = warnings, *next; warning; warning = next) {
    next = warning->next;
    if (ok)
      report("warning", warning->line);
    free(warning);
  }
}

bool fail_with(const struct ws_error *error) {
  char line[1024];
  if (error->code == WS_ERROR_SINK) // write_output has said why
    return false;
  ws_error_format(error, line, sizeof line);
  return fail("%s", line);
}

// What could not be printed was not done.
bool flush_printed(void) {
  bool failed = ferror(stdout);
  return (fflush(stdout) == 0 && !failed) || fail("cannot write to standard output");
}

// An installation can be moved: where wasmshare.mk is, from the command's directory (WS_SHARE), is what was
// configured. A build tree has it in its own share.
static bool print_makefile(const char *called) {
  static const char *const places[] = {"/" WS_SHARE "/wasmshare.mk", "/share/wasmshare/wasmshare.mk"};
  char *directory = command_path(called), *found = NULL;
  if (!directory)
    return fail("cannot tell where wasmshare is installed: %s", strerror(errno));
  *strrchr(directory, '/') = '\0';
  for (size_t i = 0; i < sizeof places / sizeof *places && !found; i++) {
    char *path = xprintf("%s%s", directory, places[i]);
    if (access(path, R_OK) == 0) // a name without "..", so that make sees one file
      found = real_path(path);
    free(path);
  }
  bool ok =
      found ? puts(found) >= 0
            : fail("wasmshare.mk is not where it was installed with wasmshare: in %s/" WS_SHARE, directory);
  free(found);
  free(directory);
  return ok;
}

static const struct command {
  const char *name, *arguments, *summary;
  unsigned id;
  bool (*run)(const struct options *options);
} commands[] = {
    {"combine", "[options] MODULE...", "place modules one after another, and write headers", COMBINE,
     command_combine},
    {"relocate", "-o OUT --offset N MODULE", "move one module", RELOCATE, command_relocate},
    {"prepare", "[options] MODULE...", "make modules placeable at load time", PREPARE, command_prepare},
    {"inspect", "[options] MODULE...", "what was found, and whether it is exact", INSPECT, command_inspect},
    {"heap-base", "MODULE", "print the heap base, in decimal", HEAP_BASE, command_heap_base},
    {"verify", "LAYOUT.json|DIR|MODULE", "check what was combined or prepared", VERIFY, command_verify},
};
enum { COMMANDS = sizeof commands / sizeof *commands };

static bool is_help(const char *argument) {
  return strcmp(argument, "--help") == 0 || strcmp(argument, "-h") == 0;
}

static void print_command(const struct command *command) {
  char call[64];
  snprintf(call, sizeof call, "%s %s", command->name, command->arguments);
  printf("  wasmshare %-36s %s\n", call, command->summary);
}

static bool print_help(void) {
  puts("wasmshare " WS_VERSION ": one linear memory for separately linked WebAssembly modules\n");
  for (size_t i = 0; i < COMMANDS; i++)
    print_command(&commands[i]);
  puts("  wasmshare COMMAND --help                       its options\n"
       "  wasmshare --makefile                           print the path of wasmshare.mk, to include\n"
       "  wasmshare --version\n"
       "\n"
       "Link modules with\n"
       "  clang:    -Wl,--emit-relocs,--import-memory --no-wasm-opt\n"
       "  wasm-ld:  --emit-relocs --import-memory\n"
       "  rustc:    -Clink-arg=--emit-relocs -Clink-arg=--import-memory\n"
       "Example:\n"
       "  wasmshare combine -o out common.wasm a.wasm plugin=build/b.wasm --print-map");
  return true;
}

static bool print_command_help(const struct command *command) {
  print_command(command);
  puts("");
  print_options(stdout, command->id);
  puts("\nMODULE is a path, or NAME=PATH. Sizes are bytes: 65536, 0x10000, 64K, 1M.");
  return true;
}

static bool run_command(const struct command *command, int argc, char **argv) {
  for (int i = 1; i < argc; i++)
    if (is_help(argv[i]))
      return print_command_help(command);
  struct options options;
  bool ok = parse_options(argc, argv, command->id, &options) && command->run(&options);
  discard_outputs();
  free_options(&options);
  return ok;
}

static bool run(int argc, char **argv) {
  if (argc < 2)
    return fail("needs a command; see wasmshare --help");
  if (is_help(argv[1]) || strcmp(argv[1], "help") == 0)
    return print_help();
  if (strcmp(argv[1], "--version") == 0 || strcmp(argv[1], "-V") == 0) {
    printf("wasmshare " WS_VERSION "\nreaders: its own%s%s\n", *ws_object_reader ? ", " : "",
           ws_object_reader);
    return true;
  }
  if (strcmp(argv[1], "--makefile") == 0)
    return print_makefile(argv[0]);
  struct ws_suggestion suggestion = ws_suggest((struct ws_slice){(const uint8_t *)argv[1], strlen(argv[1])});
  for (size_t i = 0; i < COMMANDS; i++) {
    if (strcmp(argv[1], commands[i].name) == 0)
      return run_command(&commands[i], argc - 1, argv + 1);
    ws_offer(&suggestion, (struct ws_slice){(const uint8_t *)commands[i].name, strlen(commands[i].name)}, i);
  }
  if (suggestion.from != SIZE_MAX)
    return fail("unknown command '%s'; did you mean %s?", argv[1], commands[suggestion.from].name);
  return fail("unknown command '%s'; see wasmshare --help", argv[1]);
}

int main(int argc, char **argv) {
  signal(SIGXFSZ, SIG_IGN); // a file that may not be so large is an error of write()
  catch_signals();
  json_set_alloc_funcs(xmalloc, free);
  bool ok = begin_command() && run(argc, argv) && flush_printed();
  tell_warnings(ok);
  return ok ? 0 : 1;
}
