// The command: what its parts share.
#ifndef WASMSHARE_COMMAND_H
#define WASMSHARE_COMMAND_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

#include "base/parts.h"
#include "wasmshare.h"

// --------------------------------------------------------------------------------------- main.c, options.c

// A module as named on the command line: "path" or "name=path".
struct input {
  char *name;
  const char *path;
};

// Texts of an option that may be given several times.
struct list {
  const char **items;
  size_t count;
};

struct options {
  const char *output;      // -o
  const char *layout_name; // --name
  const char *depfile;
  const char *map_file, *env_file;
  const char *single; // the file of one module for all
  const char *needs;  // the module for which inspect prints flags, as it was named
  struct ws_plan_options plan;
  bool has_maximum, has_offset, has_heap_base;
  uint64_t offset, heap_base, table_offset;
  bool import_memory, strip_debug;
  bool trust_pic, keep_relocs, link, share_stack, share_table, print_map, json;
  struct list host_imports, host_modules, prefer; // prefer: names of modules
  struct list heaps;                              // NAME=CLASS
  struct input *inputs;
  size_t input_count;
};

// Reports "wasmshare: error: ..." on stderr as one line, and returns false.
bool fail(const char *format, ...)
#if defined(__GNUC__)
    __attribute__((format(printf, 1, 2)))
#endif
    ;
bool fail_with(const struct ws_error *error);
// Reports "wasmshare: warning: ...", if the command succeeds: an error is all that is said otherwise.
void warn(const char *format, ...)
#if defined(__GNUC__)
    __attribute__((format(printf, 1, 2)))
#endif
    ;
// Whether all that was printed on stdout is there. Reports if not.
bool flush_printed(void);

// Memory. If there is none, the command ends there: these do not return NULL. xprintf is sprintf to memory.
void *xmalloc(size_t size);
void *xcalloc(size_t count, size_t size);
char *xprintf(const char *format, ...)
#if defined(__GNUC__)
    __attribute__((format(printf, 1, 2)))
#endif
    ;
// Reports that, removes what the outputs have left behind, and exits.
_Noreturn void out_of_memory(void);

// The commands, as a set.
enum { COMBINE = 1, RELOCATE = 2, PREPARE = 4, INSPECT = 8, HEAP_BASE = 16, VERIFY = 32 };

// Prints the options of a command, each with what it is for.
void print_options(FILE *to, unsigned command);
// Parses the arguments of a command, argv[0]. Reports what is wrong and returns false.
bool parse_input(const char *argument, struct input *input); // one module
bool parse_options(int argc, char **argv, unsigned command, struct options *options);
void free_options(struct options *options);

// The commands. They report what is wrong and return false.
bool command_combine(const struct options *options);
bool command_relocate(const struct options *options);
bool command_inspect(const struct options *options);
bool command_heap_base(const struct options *options);
bool command_verify(const struct options *options);
bool command_prepare(const struct options *options);

// ------------------------------------------------------------------------------------------------ inputs.c

// A file's bytes, mapped.
struct input_file {
  const char *path;
  const void *bytes;
  size_t size;
  int descriptor; // while size is not 0
};

bool open_input(const char *path, struct input_file *file);
// Of a large file, what was read need not stay in memory: it is read again where it is needed.
void forget_input(const struct input_file *file);
void close_input(struct input_file *file);

// What a module is read for: placing it completes the checks, and moving it alone needs the least.
enum purpose { TO_INSPECT, TO_PLACE, TO_MOVE };
// Reads a module of an input, reporting errors.
bool read_input(const struct options *options, const char *path, enum purpose purpose,
                struct input_file *file, struct ws_module **module);
// The same, of which the class of its heap is known, if that is not NULL.
bool read_vouched(const struct options *options, const char *path, enum purpose purpose,
                  const enum ws_heap_class *heap, struct input_file *file, struct ws_module **module);
// Whether a module has that name, which an option gives. Reports if not.
bool check_module_name(const struct options *options, const char *option, const char *name);
// Parses NAME=CLASS. The name is copied.
bool parse_heap(const struct options *options, const char *text, struct ws_heap_claim *claim);
// A link as the options say.
struct ws_link *new_link(const struct options *options);
// Whether the modules' names can be those of files and C macros, and tell them apart. Reports if not.
bool check_names(const struct options *options);

// ----------------------------------------------------------------------------------------------- outputs.c

// Output files are written under temporary names, and take their real ones together, at the end.
struct output_file {
  char *path, *temporary;
  int descriptor;                 // -1 until there is a difference from the file that is there
  int old;                        // that file, up to there, or -1
  uint64_t unchanged;             // how much of it was found to be the same
  FILE *stream;                   // of the descriptor, or NULL
  const struct input_file *input; // that parts of it are borrowed from, or NULL
  bool in_place;                  // has its real name, or is there already
  bool exchanged;                 // and what had it before, has the temporary one
  struct output_file *next;
};

// What -o says, or the current directory.
const char *output_directory(const struct options *options);
// The path of a file there.
char *output_path(const struct options *options, const char *name, const char *extension);
// Makes the directory if it is not there.
bool make_directory(const char *directory);
// Opens another output; reports and returns NULL on failure. Takes `path` over. Inputs must not be
// overwritten.
struct output_file *open_output(char *path, const struct options *inputs);
bool write_output(void *file, const void *bytes, size_t size); // a ws_sink for a struct output_file
// To print to the output, or NULL; and then, whether all that was printed is there. They report what is
// wrong.
FILE *open_stream(struct output_file *file);
bool flush_stream(struct output_file *file);
// Writes a module of a link, read from `input`, as it was planned. Reports and returns false on failure.
bool write_placed(struct output_file *file, const struct ws_link *link, size_t module,
                  const struct input_file *input);
// What the outputs so far are made of, for make and ninja.
bool write_depfile(const struct options *options);
// Closes all outputs and gives them their names; an output that is there already, with the same bytes, is
// left as it is. On failure nothing new is left behind, and what was there is there again, unless the file
// system cannot exchange two names.
bool commit_outputs(void);
// From now on, signals that end the command remove what was not committed.
void catch_signals(void);
// Removes what was not committed and what was replaced, and forgets all outputs.
void discard_outputs(void);

// ------------------------------------------------------------------------------------------------ system.c

// Whether each of two files has the other's name now: not every system or file system can do that.
bool exchange_names(const char *a, const char *b);
// Copies from file to file; returns how much, or -1.
ssize_t copy_range(int from, uint64_t offset, int to, size_t size);
// Of a mapped file, the memory can be used otherwise until it is read again.
void forget_pages(const void *bytes, size_t size);
// Lets memory that was freed be used again rather than given back, before threads begin.
void keep_memory(void);
// Has signals that end the command go to the handler first.
void handle_signals(void (*handler)(int));
// Without symbolic links and "..", if the system has that, allocated; or NULL, with errno.
char *real_path(const char *path);
// Where this command is, allocated; or NULL. `called` is argv[0].
char *command_path(const char *called);
// Before all else: has relative paths begin where the command was called. Reports if that cannot be.
bool begin_command(void);

// ------------------------------------------------------------------------------------------------ layout.c

// A combined module.
struct placed {
  const char *name, *path;
  struct ws_module *module;
  struct ws_placement placement;
  struct input_file file;
};

// The one file of --single.
struct single {
  char *file; // its path, from where the layout is
  const struct ws_single_info *info;
};

// templates/, which end the files: see cmake/Embed.cmake.
extern const char loader_mjs[], layout_mjs[], single_mjs[], layout_d_mts[], single_d_mts[];

struct layout {
  const char *name;
  const char *script, *types;  // how layout.mjs and layout.d.mts end
  const struct single *single; // or NULL
  struct ws_link *link;
  struct ws_plan plan;
  const size_t *order; // of instantiation

  struct placed *modules; // as in the link
  size_t count;
};

// The one file of a layout, or NULL.
static inline const struct single *single_of(const struct layout *layout) {
  return ws_has_one_program ? layout->single : NULL;
}

struct json_t; // jansson's

// What a layout says of a module in numbers.
struct module_numbers {
  struct ws_placement at;
  bool has_stack, has_tls;
};

// A number of the layout, in a struct ws_plan, or of a module in it, in a struct module_numbers: all that
// writes, reads or types one goes by these.
struct field {
  const char *name, *macro;
  // Of C and JavaScript: an ADDRESS is as wide as the memory has it, a COUNT in C only, a NUMBER in neither.
  // A DISTANCE is an ADDRESS that may be negative.
  enum { ADDRESS, DISTANCE, COUNT, NUMBER, BOOLEAN } kind;
  size_t place;    // of the value: a uint64_t, or a bool for BOOLEAN
  size_t given;    // of the bool that says whether there is one, or ALWAYS
  bool of_threads; // there is one if there are threads
  bool undefined;  // without one, in JavaScript, rather than null
  const char *comment;
  const char *heading;  // in JavaScript, on it and those after it that have none
  const char *nullable; // when there is none
};
#define ALWAYS SIZE_MAX

// In order; the last has no name.
extern const struct field plan_fields[], module_fields[];

struct module_numbers module_numbers(const struct layout *layout, const struct placed *placed);
// Whether the record, which the field is part of, has a value for it, and which.
bool field_is_given(const struct field *field, const void *record);
uint64_t field_value(const struct field *field, const void *record);
// Reads a record from layout.json. False if it does not have all fields, as docs/layout.schema.json has them.
bool read_fields(const struct field *fields, const struct json_t *json, void *record);

// The export that runs a module's constructors, or NULL.
const char *constructors_of(const struct ws_link *link, size_t module);
// Whether the module that an import comes from, or WS_HOST, is instantiated later than the one that imports
// it.
bool is_deferred(const struct layout *layout, size_t importer, size_t from);

// Whether a module has a range of the heap to itself.
bool owns_heap(const struct layout *layout, size_t module);
// The module's name as part of a C macro: upper case, '_' for what C does not allow.
char *macro_name(const char *name);
// Whether JSON can hold the text.
bool is_utf8(const char *text);
// Whether it is in a string of JSON as it is.
bool is_plain(const char *text);
// The text for jansson, with '?' for what JSON cannot hold.
struct json_t *json_text(const char *text);
// The same as JSON has it, and JavaScript too, in quotes; to be freed.
char *json_string_text(const char *text);
// Prints JSON, indented, and the end of the line.
void print_tree(FILE *to, const struct json_t *json);
// layout.json
void print_json(FILE *to, const struct layout *layout);

// ------------------------------------------------------------------------------------------------ single.c

// Writes the modules of a resolved link as one, and its layout if there is a directory for it.
bool write_single(const struct options *options, const struct ws_plan_options *plan,
                  const struct layout *layout);

// ----------------------------------------------------------------------------------------------- combine.c

// layout.h, .mjs, .d.mts and .json, beside the modules: opening and flushing report what is wrong and return
// false. Printing may be in a thread.
enum { LAYOUT_FILES = 4 };
bool open_layout_files(const struct options *options, const struct layout *layout,
                       struct output_file *files[LAYOUT_FILES]);
void print_layout_files(struct output_file *const files[LAYOUT_FILES], const struct layout *layout);
bool flush_layout_files(struct output_file *const files[LAYOUT_FILES]);
// What --map and --print-map ask for. What cannot be printed is an error, so it is before the outputs are
// there.
bool write_map(const struct options *options, const struct layout *layout);
bool report_map(const struct options *options, const struct layout *layout);

// --------------------------------------------------------------------------------- headers.c, env.c, map.c

// layout.h, layout.mjs, layout.d.mts
void print_header(FILE *to, const struct layout *layout);
void print_script(FILE *to, const struct layout *layout);
void print_types(FILE *to, const struct layout *layout);

// The file of --env. Reports and returns false on failure.
bool write_env(const struct options *options, const struct layout *layout);

void print_map(FILE *to, const struct layout *layout);
void print_picture(FILE *to, const struct layout *layout); // SVG

#endif
