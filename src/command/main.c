// wasmshare: gives separately linked WebAssembly modules one linear memory.
// Exit status: 0, or 1 with one line on stderr that says what is wrong.
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../suggest.h"
#include "command.h"

static const char help[] =
    "wasmshare " WS_VERSION ": one linear memory for separately linked WebAssembly modules\n"
    "\n"
    "  wasmshare combine [options] MODULE...   place modules one after another, write them and headers\n"
    "    -o DIR             where to (default: .)     --print-map        print what is where\n"
    "    --name NAME        of layout.h, .mjs, ...    --depfile FILE     dependencies, for make and ninja\n"
    "    --extra-stack N    added to each stack       --heap-size N      initial heap\n"
    "    --base N           start above N             --max-memory N     maximum of the memory\n"
    "    --align N          of each module            --keep-relocs      so that it can be moved again\n"
    "    --stack=shared     one stack, below all      --stack-size N     its size (default: the largest)\n"
    "    --table=shared     one function table        --heap-owner NAME  only it gets the initial heap\n"
    "    --threads N        room for N more threads   --prefer NAME      of several that export a name\n"
    "    --host-import MODULE.NAME, --host-imports MODULE     imports that the host gives\n"
    "    --trust-pic        take PIC without relocations although it has initialised data\n"
    "    --map FILE.svg     draw what is where\n"
    "  wasmshare relocate MODULE -o OUT --offset N [--heap-base N] [--table-offset N] [--keep-relocs] "
    "[--trust-pic]\n"
    "  wasmshare prepare [-o DIR] [--trust-pic] [--depfile FILE] MODULE...\n"
    "                                         make them placeable at load time, without their relocations\n"
    "  wasmshare inspect [--json] [--trust-pic] MODULE...   what was found, and whether it is exact\n"
    "  wasmshare heap-base MODULE                           the heap base, in decimal\n"
    "  wasmshare verify LAYOUT.json|DIR                     check written modules against their layout\n"
    "  wasmshare verify MODULE                              check a prepared module\n"
    "  wasmshare --help | --version | --makefile            the last: path of wasmshare.mk, to include\n"
    "\n"
    "MODULE is a path, or NAME=PATH. Sizes are bytes: 65536, 0x10000, 64K, 1M. Link modules with\n"
    "  clang:    -Wl,--emit-relocs,--import-memory --no-wasm-opt\n"
    "  wasm-ld:  --emit-relocs --import-memory\n"
    "  rustc:    -Clink-arg=--emit-relocs -Clink-arg=--import-memory\n"
    "Example:\n"
    "  wasmshare combine -o out common.wasm a.wasm plugin=build/b.wasm --print-map\n";

int fail(const char *format, ...) {
  char line[1024];
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(line, sizeof line, format, arguments);
  va_end(arguments);
  for (char *at = line; *at; at++)
    if (*at == '\n' || *at == '\r')
      *at = ' ';
  fprintf(stderr, "wasmshare: error: %s\n", line);
  return 1;
}

int fail_with(const struct ws_error *error) {
  char line[1024];
  if (!error->message[0]) // of a sink that stopped: write_output has said why
    return 1;
  ws_error_format(error, line, sizeof line);
  return fail("%s", line);
}

// An installation can be moved: where wasmshare.mk is, from the command's directory (WS_SHARE), is what was
// configured. A build tree has it in its own share.
static int print_makefile(void) {
  static const char *const places[] = {"/" WS_SHARE "/wasmshare.mk", "/share/wasmshare/wasmshare.mk"};
  char command[4096], path[sizeof command + sizeof WS_SHARE + 32];
  ssize_t size = readlink("/proc/self/exe", command, sizeof command - 1);
  if (size <= 0)
    return fail("cannot tell where wasmshare is installed: cannot read /proc/self/exe");
  command[size] = '\0';
  *strrchr(command, '/') = '\0';
  for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
    snprintf(path, sizeof path, "%s%s", command, places[i]);
    if (access(path, R_OK) == 0) {
      // A name without "..", so that make sees one file.
      char *real = realpath(path, NULL);
      puts(real ? real : path);
      free(real);
      return 0;
    }
  }
  return fail("wasmshare.mk is not where it was installed with wasmshare: in %s/" WS_SHARE, command);
}

static const struct {
  const char *name, *options;
  int (*run)(const struct options *options);
} commands[] = {
    {"combine",
     " output name extra-stack base align heap-size max-memory stack stack-size table heap-owner threads "
     "host-import host-imports prefer "
     "keep-relocs trust-pic print-map map depfile ",
     command_combine},
    {"relocate", " output offset heap-base table-offset keep-relocs trust-pic ", command_relocate},
    {"inspect", " json trust-pic ", command_inspect},
    {"prepare", " output trust-pic depfile ", command_prepare},
    {"heap-base", " ", command_heap_base},
    {"verify", " ", command_verify},
};

static int run(int argc, char **argv) {
  if (argc < 2)
    return fail("needs a command; see wasmshare --help");
  if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 || strcmp(argv[1], "help") == 0) {
    fputs(help, stdout);
    return 0;
  }
  if (strcmp(argv[1], "--version") == 0 || strcmp(argv[1], "-V") == 0) {
    puts("wasmshare " WS_VERSION);
    return 0;
  }
  if (strcmp(argv[1], "--makefile") == 0)
    return print_makefile();
  for (size_t i = 0; i < sizeof commands / sizeof *commands; i++) {
    if (strcmp(argv[1], commands[i].name) != 0)
      continue;
    if (argc > 2 && (strcmp(argv[2], "--help") == 0 || strcmp(argv[2], "-h") == 0)) {
      fputs(help, stdout);
      return 0;
    }
    struct options options;
    int status =
        parse_options(argc - 1, argv + 1, commands[i].options, &options) ? commands[i].run(&options) : 1;
    free_options(&options);
    return status;
  }
  struct ws_suggestion suggestion = ws_suggest((struct ws_slice){(const uint8_t *)argv[1], strlen(argv[1])});
  for (size_t i = 0; i < sizeof commands / sizeof *commands; i++)
    ws_offer(&suggestion, (struct ws_slice){(const uint8_t *)commands[i].name, strlen(commands[i].name)}, i);
  if (suggestion.from != SIZE_MAX)
    return fail("unknown command '%s'; did you mean %s?", argv[1], commands[suggestion.from].name);
  return fail("unknown command '%s'; see wasmshare --help", argv[1]);
}

int main(int argc, char **argv) {
  signal(SIGXFSZ, SIG_IGN); // a file that may not be so large is an error of write()
  int status = run(argc, argv);
  // What could not be printed was not done.
  if (fflush(stdout) != 0 && status == 0)
    status = fail("cannot write to standard output");
  return status;
}
