#include <ctype.h>
#include <errno.h>
#include <getopt.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "base/suggest.h"
#include "command/command.h"

// What the field of an option is in struct options.
enum kind {
  FLAG,    // bool; takes no value
  TEXT,    // const char *
  LIST,    // struct list: may be given several times
  SIZE,    // uint64_t
  OFFSET,  // the same, which may be negative: addresses wrap
  SHARING, // bool: "shared" or "private"
};

#define FIELD(name) offsetof(struct options, name)

static const struct row {
  const char *name, *value, *help; // value: what help calls it, NULL for FLAG
  unsigned commands;               // those that have it
  enum kind kind;
  size_t field, given; // given: a bool that becomes true, or 0
} rows[] = {
    {"output", "OUT", "the file of relocate, the directory of others (default: .)",
     COMBINE | RELOCATE | PREPARE, TEXT, FIELD(output), 0},
    {"name", "NAME", "of layout.h, .mjs, ..., in place of layout", COMBINE, TEXT, FIELD(layout_name), 0},
    {"extra-stack", "N", "added to each module's own stack", COMBINE, SIZE, FIELD(plan.extra_stack), 0},
    {"base", "N", "start above N", COMBINE, SIZE, FIELD(plan.base), 0},
    {"align", "N", "align each module to N", COMBINE, SIZE, FIELD(plan.alignment), 0},
    {"heap-size", "N", "initial heap", COMBINE, SIZE, FIELD(plan.heap_size), 0},
    {"max-memory", "N", "maximum of the memory", COMBINE, SIZE, FIELD(plan.max_memory), FIELD(has_maximum)},
    {"link", NULL, "make the modules one program", COMBINE, FLAG, FIELD(link), 0},
    {"stack", "shared", "one stack, below all modules", COMBINE, SHARING, FIELD(share_stack), 0},
    {"stack-size", "N", "its size (default: the largest of a module)", COMBINE, SIZE, FIELD(plan.stack_size),
     0},
    {"table", "shared", "one function table", COMBINE, SHARING, FIELD(share_table), 0},
    {"heap-owner", "NAME", "the module that gets the initial heap", COMBINE, TEXT, FIELD(plan.heap_owner), 0},
    {"heap", "NAME=CLASS", "vouch for what the heap of a module is: see wasmshare(1)", COMBINE | PREPARE,
     LIST, FIELD(heaps), 0},
    {"threads", "N", "room for N threads beside the first", COMBINE, SIZE, FIELD(plan.threads), 0},
    {"host-import", "MOD.NAME", "an import that the host gives", COMBINE | INSPECT, LIST, FIELD(host_imports),
     0},
    {"host-imports", "MOD", "imports that the host gives: all from MOD", COMBINE | INSPECT, LIST,
     FIELD(host_modules), 0},
    {"prefer", "NAME", "the module to take of several that export a name", COMBINE, LIST, FIELD(prefer), 0},
    {"single", "FILE.wasm", "write one module, in place of one for each", COMBINE, TEXT, FIELD(single), 0},
    {"import-memory", NULL, "--single: import the memory, in place of exporting it", COMBINE, FLAG,
     FIELD(import_memory), 0},
    {"strip-debug", NULL, "--single: leave DWARF out", COMBINE, FLAG, FIELD(strip_debug), 0},
    {"print-map", NULL, "print what is where", COMBINE, FLAG, FIELD(print_map), 0},
    {"map", "FILE.svg", "draw what is where", COMBINE, TEXT, FIELD(map_file), 0},
    {"env", "FILE.wasm", "write a module that makes memory, stack pointer and table", COMBINE, TEXT,
     FIELD(env_file), 0},
    {"offset", "N", "how far to move; negative to move down", RELOCATE, OFFSET, FIELD(offset),
     FIELD(has_offset)},
    {"heap-base", "N", "the new heap base (default: it moves too)", RELOCATE, SIZE, FIELD(heap_base),
     FIELD(has_heap_base)},
    {"table-offset", "N", "how far function pointers move, in elements", RELOCATE, SIZE, FIELD(table_offset),
     0},
    {"needs", "FILE.wasm", "print linker flags with which this exports what the modules ask for", INSPECT,
     TEXT, FIELD(needs), 0},
    {"json", NULL, "print JSON", INSPECT, FLAG, FIELD(json), 0},
    {"keep-relocs", NULL, "keep relocations, so that the outputs can be moved again", COMBINE | RELOCATE,
     FLAG, FIELD(keep_relocs), 0},
    {"trust-pic", NULL, "vouch that what has no relocations is PIC, and no static a pointer",
     COMBINE | RELOCATE | PREPARE | INSPECT, FLAG, FIELD(trust_pic), 0},
    {"depfile", "FILE", "write dependencies, for make and ninja", COMBINE | PREPARE, TEXT, FIELD(depfile), 0},
};
enum { OUTPUT = 0, ROWS = sizeof rows / sizeof *rows, FIRST_LONG = 256 /* above all short options */ };

void print_options(FILE *to, unsigned command) {
  for (size_t i = 0; i < ROWS; i++) {
    const struct row *row = &rows[i];
    char option[64];
    snprintf(option, sizeof option, "%s%s%s%s", i == OUTPUT ? "-o, --" : "--", row->name,
             row->value ? "=" : "", row->value ? row->value : "");
    if (row->commands & command)
      fprintf(to, "  %-24s %s\n", option, row->help);
  }
}

// A number of bytes: decimal or 0x, with K, M or G for powers of 1024.
static bool parse_size(const char *option, const char *text, uint64_t *size) {
  char *end;
  errno = 0;
  bool digit = isdigit((unsigned char)text[0]);
  uint64_t value = strtoull(text, &end, strncmp(text, "0x", 2) == 0 ? 16 : 10);
  unsigned shift = 0;
  if (digit && end != text && *end) {
    const char *units = "KMG", *unit = strchr(units, toupper((unsigned char)*end));
    if (unit) {
      shift = 10 * (unsigned)(unit - units + 1);
      end++;
    }
  }
  if (!digit || *end || errno || (value << shift) >> shift != value)
    return fail("--%s: '%s' is not a number: give one as in 65536, 0x10000, 64K or 1M", option, text);
  *size = value << shift;
  return true;
}

static bool parse_sharing(const char *option, const char *text, bool *share) {
  *share = strcmp(text, "shared") == 0;
  if (*share || strcmp(text, "private") == 0)
    return true;
  return fail("--%s: '%s' is neither 'private' nor 'shared'", option, text);
}

static bool set_option(struct options *options, const struct row *row, const char *value) {
  void *field = (char *)options + row->field;
  if (row->given)
    *(bool *)((char *)options + row->given) = true;
  switch (row->kind) {
  case FLAG:
    *(bool *)field = true;
    return true;
  case TEXT:
    *(const char **)field = value;
    return true;
  case LIST: {
    struct list *list = field;
    list->items[list->count++] = value;
    return true;
  }
  case SHARING:
    return parse_sharing(row->name, value, field);
  case SIZE:
    return parse_size(row->name, value, field);
  case OFFSET: {
    uint64_t *offset = field;
    if (!parse_size(row->name, value + (value[0] == '-'), offset))
      return false;
    if (value[0] == '-')
      *offset = 0 - *offset;
    return true;
  }
  }
  return false;
}

// What one file has no use for, and why.
static const struct {
  const char *option, *reason;
} not_single[] = {
    {"extra-stack", "one file has one stack: give its size with --stack-size"},
    {"align", "the modules have no ranges of their own in one file"},
    {"stack", "one file has one stack"},
    {"table", "one file has one function table"},
    {"threads", "threads get their stacks and thread-local variables from the program, or from the host"},
    {"env", "one file has its own stack pointer and function table"},
    {"keep-relocs", "one file has no relocations"},
};

// Whether an option that was given goes with one file, or with several.
static bool check_single(const struct options *options, const struct row *row) {
  bool shares = row->kind == SHARING && *(const bool *)((const char *)options + row->field);
  for (size_t i = 0; options->single && !shares && i < sizeof not_single / sizeof *not_single; i++)
    if (strcmp(row->name, not_single[i].option) == 0)
      return fail("--%s: is not for --single: %s", row->name, not_single[i].reason);
  if (options->single && !options->output && strcmp(row->name, "name") == 0)
    return fail("--name: is of the layout, which --single writes with -o alone");
  bool of_single = strcmp(row->name, "import-memory") == 0 || strcmp(row->name, "strip-debug") == 0;
  return options->single || !of_single || fail("--%s: is for --single", row->name);
}

// What can be said of the values without a module.
static bool check_options(const struct options *options, const bool *given) {
  for (size_t i = 0; i < ROWS; i++)
    if (given[i] && !check_single(options, &rows[i]))
      return false;
  if (options->has_maximum && options->plan.max_memory == 0)
    return fail("--max-memory: must be at least one page of 64K");
  for (size_t i = 0; i < options->host_imports.count; i++)
    if (!strchr(options->host_imports.items[i], '.'))
      return fail("--host-import: '%s' is not MODULE.NAME; for all imports from a module, use --host-imports",
                  options->host_imports.items[i]);
  return true;
}

bool parse_input(const char *argument, struct input *input) {
  // "name=path", unless a directory comes before the '=': then it is part of the path.
  const char *equals = strchr(argument, '='), *slash = strchr(argument, '/');
  bool named = equals && (!slash || slash > equals);
  input->path = named ? equals + 1 : argument;
  const char *name = named ? argument : strrchr(argument, '/') ? strrchr(argument, '/') + 1 : argument;
  size_t size = named ? (size_t)(equals - argument) : strlen(name);
  if (!named && size > 5 && strcmp(name + size - 5, ".wasm") == 0)
    size -= 5;
  if (size == 0 || !*input->path)
    return fail("'%s': a module is given as PATH or NAME=PATH", argument);
  input->name = xprintf("%.*s", (int)size, name);
  return true;
}

static bool fail_unknown(const char *name, unsigned command, const char *word) {
  size_t dashes = strspn(word, "-"), size = strcspn(word + dashes, "=");
  struct ws_suggestion suggestion = ws_suggest((struct ws_slice){(const uint8_t *)word + dashes, size});
  for (size_t i = 0; i < ROWS; i++) {
    const char *option = rows[i].name;
    // The beginning of several names is as near to each as can be.
    bool begins = dashes == 2 && size > 0 && strncmp(option, word + dashes, size) == 0;
    if (rows[i].commands & command)
      ws_offer(&suggestion, (struct ws_slice){(const uint8_t *)option, begins ? size : strlen(option)}, i);
  }
  if (suggestion.from != SIZE_MAX)
    return fail("%s: unknown option %s; did you mean --%s?", name, word, rows[suggestion.from].name);
  return fail("%s: unknown option %s; see wasmshare %s --help", name, word, name);
}

// What getopt_long did not take: `option` is what it returned, '?' or ':'.
static bool fail_option(char **argv, unsigned command, int option) {
  // A short option may be one of several in a word, which is not behind us then.
  const char short_option[] = {'-', (char)optopt, '\0'};
  if (option == ':')
    return fail("%s %s: needs a value", argv[0], optopt < FIRST_LONG ? short_option : argv[optind - 1]);
  if (optopt >= FIRST_LONG)
    return fail("%s: --%s takes no value", argv[0], rows[optopt - FIRST_LONG].name);
  return fail_unknown(argv[0], command, optopt ? short_option : argv[optind - 1]);
}

// No argument is in a list twice.
static void make_list(struct list *list, int argc) {
  list->items = xcalloc((size_t)argc, sizeof *list->items);
}

bool parse_options(int argc, char **argv, unsigned command, struct options *options) {
  *options = (struct options){.layout_name = "layout"};
  options->inputs = xcalloc((size_t)argc, sizeof *options->inputs);
  for (int i = 0; i < ROWS; i++)
    if (rows[i].kind == LIST)
      make_list((struct list *)((char *)options + rows[i].field), argc);
  struct option long_options[ROWS + 1] = {0};
  for (int i = 0; i < ROWS; i++)
    long_options[i] =
        (struct option){rows[i].name, rows[i].value ? required_argument : no_argument, NULL, FIRST_LONG + i};
  opterr = 0;
  bool given[ROWS] = {false};
  int option;
  while ((option = getopt_long(argc, argv, ":o:", long_options, NULL)) != -1) {
    if (option == '?' || option == ':')
      return fail_option(argv, command, option);
    const int index = option == 'o' ? OUTPUT : option - FIRST_LONG;
    const struct row *row = &rows[index];
    given[index] = true;
    if (!(row->commands & command))
      return fail("%s: has no option --%s; see wasmshare %s --help", argv[0], row->name, argv[0]);
    if (!set_option(options, row, optarg))
      return false;
  }
  for (int i = optind; i < argc; i++, options->input_count++)
    if (!parse_input(argv[i], &options->inputs[options->input_count]))
      return false;
  if (options->input_count == 0)
    return fail("%s: needs a file; see wasmshare %s --help", argv[0], argv[0]);
  return check_options(options, given);
}

void free_options(struct options *options) {
  for (size_t i = 0; i < options->input_count; i++)
    free(options->inputs[i].name);
  free(options->inputs);
  for (int i = 0; i < ROWS; i++)
    if (rows[i].kind == LIST)
      free(((struct list *)((char *)options + rows[i].field))->items);
}
