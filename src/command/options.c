#include <ctype.h>
#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "../suggest.h"
#include "command.h"

enum option_id {
  OUTPUT = 'o',
  NAME = 256,
  EXTRA_STACK,
  BASE,
  ALIGN,
  HEAP_SIZE,
  MAX_MEMORY,
  STACK,
  STACK_SIZE,
  TABLE,
  HEAP_OWNER,
  THREADS,
  HOST_IMPORT,
  HOST_IMPORTS,
  PREFER,
  KEEP_RELOCS,
  TRUST_PIC,
  PRINT_MAP,
  DEPFILE,
  MAP,
  OFFSET,
  HEAP_BASE,
  TABLE_OFFSET,
  JSON,
};

static const struct option long_options[] = {
    {"output", required_argument, NULL, OUTPUT},
    {"name", required_argument, NULL, NAME},
    {"extra-stack", required_argument, NULL, EXTRA_STACK},
    {"base", required_argument, NULL, BASE},
    {"align", required_argument, NULL, ALIGN},
    {"heap-size", required_argument, NULL, HEAP_SIZE},
    {"max-memory", required_argument, NULL, MAX_MEMORY},
    {"stack", required_argument, NULL, STACK},
    {"stack-size", required_argument, NULL, STACK_SIZE},
    {"table", required_argument, NULL, TABLE},
    {"heap-owner", required_argument, NULL, HEAP_OWNER},
    {"threads", required_argument, NULL, THREADS},
    {"host-import", required_argument, NULL, HOST_IMPORT},
    {"host-imports", required_argument, NULL, HOST_IMPORTS},
    {"prefer", required_argument, NULL, PREFER},
    {"keep-relocs", no_argument, NULL, KEEP_RELOCS},
    {"trust-pic", no_argument, NULL, TRUST_PIC},
    {"print-map", no_argument, NULL, PRINT_MAP},
    {"depfile", required_argument, NULL, DEPFILE},
    {"map", required_argument, NULL, MAP},
    {"offset", required_argument, NULL, OFFSET},
    {"heap-base", required_argument, NULL, HEAP_BASE},
    {"table-offset", required_argument, NULL, TABLE_OFFSET},
    {"json", no_argument, NULL, JSON},
    {NULL, 0, NULL, 0},
};

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
  if (!digit || *end || errno || (value << shift) >> shift != value) {
    fail("--%s: '%s' is not a number: give one as in 65536, 0x10000, 64K or 1M", option, text);
    return false;
  }
  *size = value << shift;
  return true;
}

static bool parse_sharing(const char *option, const char *text, bool *share) {
  *share = strcmp(text, "shared") == 0;
  if (*share || strcmp(text, "private") == 0)
    return true;
  fail("--%s: '%s' is neither 'private' nor 'shared'", option, text);
  return false;
}

static bool set_option(struct options *options, int option, const char *name) {
  switch (option) {
  case OUTPUT:
    options->output = optarg;
    return true;
  case NAME:
    options->layout_name = optarg;
    return true;
  case DEPFILE:
    options->depfile = optarg;
    return true;
  case MAP:
    options->map_file = optarg;
    return true;
  case EXTRA_STACK:
    return parse_size(name, optarg, &options->plan.extra_stack);
  case BASE:
    return parse_size(name, optarg, &options->plan.base);
  case ALIGN:
    return parse_size(name, optarg, &options->plan.alignment);
  case HEAP_SIZE:
    return parse_size(name, optarg, &options->plan.heap_size);
  case MAX_MEMORY:
    if (!parse_size(name, optarg, &options->plan.max_memory))
      return false;
    if (options->plan.max_memory == 0)
      fail("--max-memory: must be at least one page of 64K");
    return options->plan.max_memory != 0;
  case STACK:
    return parse_sharing(name, optarg, &options->share_stack);
  case TABLE:
    return parse_sharing(name, optarg, &options->share_table);
  case STACK_SIZE:
    return parse_size(name, optarg, &options->plan.stack_size);
  case HEAP_OWNER:
    options->heap_owner = optarg;
    return true;
  case THREADS:
    return parse_size(name, optarg, &options->plan.threads);
  case HOST_IMPORT:
    if (!strchr(optarg, '.')) {
      fail("--host-import: '%s' is not MODULE.NAME; for all imports from a module, use --host-imports",
           optarg);
      return false;
    }
    options->host_imports[options->host_import_count++] = optarg;
    return true;
  case HOST_IMPORTS:
    options->host_modules[options->host_module_count++] = optarg;
    return true;
  case PREFER:
    options->prefer[options->prefer_count++] = optarg;
    return true;
  case OFFSET:
    options->has_offset = true;
    // A module can move down: the address space wraps.
    if (optarg[0] == '-') {
      if (!parse_size(name, optarg + 1, &options->offset))
        return false;
      options->offset = 0 - options->offset;
      return true;
    }
    return parse_size(name, optarg, &options->offset);
  case HEAP_BASE:
    options->has_heap_base = true;
    return parse_size(name, optarg, &options->heap_base);
  case TABLE_OFFSET:
    return parse_size(name, optarg, &options->table_offset);
  case KEEP_RELOCS:
    options->keep_relocs = true;
    return true;
  case TRUST_PIC:
    options->trust_pic = true;
    return true;
  case PRINT_MAP:
    options->print_map = true;
    return true;
  case JSON:
    options->json = true;
    return true;
  }
  return false;
}

static const char *option_name(int option) {
  for (size_t i = 0; long_options[i].name; i++)
    if (long_options[i].val == option)
      return long_options[i].name;
  return "";
}

static bool is_allowed(const char *allowed, const char *name) {
  char word[64];
  snprintf(word, sizeof word, " %s ", name);
  return strstr(allowed, word) != NULL;
}

static bool add_input(struct options *options, const char *argument) {
  struct input *input = &options->inputs[options->input_count];
  // "name=path", unless a directory comes before the '=': then it is part of the path.
  const char *equals = strchr(argument, '='), *slash = strchr(argument, '/');
  bool named = equals && (!slash || slash > equals);
  input->path = named ? equals + 1 : argument;
  const char *name = named ? argument : strrchr(argument, '/') ? strrchr(argument, '/') + 1 : argument;
  size_t size = named ? (size_t)(equals - argument) : strlen(name);
  if (!named && size > 5 && strcmp(name + size - 5, ".wasm") == 0)
    size -= 5;
  if (size == 0 || !*input->path) {
    fail("'%s': a module is given as PATH or NAME=PATH", argument);
    return false;
  }
  input->name = malloc(size + 1);
  if (!input->name) {
    fail("out of memory");
    return false;
  }
  memcpy(input->name, name, size);
  input->name[size] = '\0';
  options->input_count++;
  return true;
}

static void fail_unknown(const char *command, const char *allowed, const char *word) {
  size_t dashes = strspn(word, "-"), size = strcspn(word + dashes, "=");
  struct ws_suggestion suggestion = ws_suggest((struct ws_slice){(const uint8_t *)word + dashes, size});
  for (size_t i = 0; long_options[i].name; i++) {
    const char *name = long_options[i].name;
    // The beginning of several names is as near to each as can be.
    bool begins = dashes == 2 && size > 0 && strncmp(name, word + dashes, size) == 0;
    if (is_allowed(allowed, name))
      ws_offer(&suggestion, (struct ws_slice){(const uint8_t *)name, begins ? size : strlen(name)}, i);
  }
  if (suggestion.from != SIZE_MAX)
    fail("%s: unknown option %s; did you mean --%s?", command, word, long_options[suggestion.from].name);
  else
    fail("%s: unknown option %s; see wasmshare --help", command, word);
}

bool parse_options(int argc, char **argv, const char *allowed, struct options *options) {
  *options = (struct options){.layout_name = "layout"};
  options->inputs = calloc((size_t)argc + 1, sizeof *options->inputs);
  options->host_imports = calloc((size_t)argc + 1, sizeof *options->host_imports);
  options->host_modules = calloc((size_t)argc + 1, sizeof *options->host_modules);
  options->prefer = calloc((size_t)argc + 1, sizeof *options->prefer);
  if (!options->inputs || !options->host_imports || !options->host_modules || !options->prefer) {
    fail("out of memory");
    return false;
  }
  opterr = 0;
  int option;
  while ((option = getopt_long(argc, argv, ":o:", long_options, NULL)) != -1) {
    if (option == '?' || option == ':') {
      // A short option may be one of several in a word, which is not behind us then.
      const char short_option[] = {'-', (char)optopt, '\0'};
      if (option == ':')
        fail("%s %s: needs a value", argv[0], argv[optind - 1]);
      else if (optopt >= NAME)
        fail("%s: --%s takes no value", argv[0], option_name(optopt));
      else
        fail_unknown(argv[0], allowed, optopt ? short_option : argv[optind - 1]);
      return false;
    }
    const char *name = option_name(option);
    if (!is_allowed(allowed, name)) {
      fail("%s: has no option --%s; see wasmshare --help", argv[0], name);
      return false;
    }
    if (!set_option(options, option, name))
      return false;
  }
  for (int i = optind; i < argc; i++)
    if (!add_input(options, argv[i]))
      return false;
  if (options->input_count == 0) {
    fail("%s: needs a file; see wasmshare --help", argv[0]);
    return false;
  }
  return true;
}

void free_options(struct options *options) {
  for (size_t i = 0; i < options->input_count; i++)
    free(options->inputs[i].name);
  free(options->inputs);
  free(options->host_imports);
  free(options->host_modules);
  free(options->prefer);
}
