// Modules taken apart, to become one: functions, pieces of data, globals, tables and tags, and what each of
// them refers to. Each space of each module is numbered on after that of the module before, so that a number
// finds an item of any module.
#ifndef WASMSHARE_ATOMS_H
#define WASMSHARE_ATOMS_H

#include "base/map.h"
#include "link/link.h"
#include "read/relocations.h"

// A module, and what its names mean.
struct ws_merge_input {
  const struct ws_module *module;
  const char *name;
  const size_t *from;                 // for each import, the module that exports it, or WS_HOST
  const struct ws_one_symbol *one_of; // for each symbol; NULL if each stands for itself
  size_t heap;          // the first module whose allocator is one with this one's: see struct ws_one
  bool heap_is_divided; // and whether one of the two has another
};

enum ws_edge_kind {
  WS_EDGE_NONE,     // the operand stays as it is: null, a tombstone, a constant
  WS_EDGE_FUNCTION, // or its slot in the function table
  WS_EDGE_DATUM,
  WS_EDGE_TLS, // the same, as an offset in the thread's block
  WS_EDGE_GLOBAL,
  WS_EDGE_TABLE,
  WS_EDGE_TAG,
  WS_EDGE_TYPE,   // of the module that the edge is of
  WS_EDGE_LINKER, // what the linker defines: enum ws_merge_symbol
  WS_EDGE_START,  // of an output segment: __start_NAME
  WS_EDGE_STOP,
};

// What a relocation, or a global's initial value, refers to.
struct ws_edge {
  uint32_t offset; // of the operand, in the section's content
  uint8_t type;    // enum ws_relocation_type
  uint8_t kind;    // enum ws_edge_kind
  uint32_t target; // the item's number
  uint64_t addend; // of data: from the start of the atom
};

// The symbols whose value the linker makes.
enum ws_merge_symbol {
  WS_MERGE_ZERO, // __memory_base
  WS_MERGE_TABLE_BASE,
  WS_MERGE_STACK_LOW,
  WS_MERGE_STACK_HIGH,
  WS_MERGE_DATA_START, // __global_base, __dso_handle
  WS_MERGE_DATA_END,
  WS_MERGE_HEAP_BASE,
  WS_MERGE_HEAP_END,
  WS_MERGE_TLS_BASE,
  WS_MERGE_TLS_SIZE,
  WS_MERGE_TLS_ALIGN,
  WS_MERGE_FIRST_PAGE_END,
  WS_MERGE_INIT_FLAG,
};

#define WS_NOTHING UINT32_MAX

// Functions that are written anew, in place of those of all modules. After them come two for each module:
// what it calls in place of memory.size and memory.grow, if it must be told of less memory than there is.
enum ws_merge_synthetic {
  WS_CALL_CTORS,
  WS_INIT_MEMORY,
  WS_INIT_TLS,
  WS_LINKER_FUNCTIONS,                // how many are in place of the linker's
  WS_RUN_START = WS_LINKER_FUNCTIONS, // calls the constructors and merge->start
  WS_SYNTHETIC_COUNT
};
extern const char *const ws_synthetic_names[WS_SYNTHETIC_COUNT];

struct ws_merge_function {
  uint32_t module, index; // in the module's space; of a synthetic one, the index is WS_NOTHING
  uint32_t one;           // the function that stands for it
  uint32_t first_edge;    // of merge->edges, if it is defined
  uint32_t edge_count;
  bool live;
  bool declared;         // named by ref.func
  bool copy;             // stays, as its module's allocator is another: see targets.c
  bool wrapper;          // the linker's, of an export: it runs constructors and destructors around it
  bool uses_memory_size; // asks for the size of the memory, or grows it
  uint32_t number;       // in the merged module
  uint32_t slot;         // in the function table, or 0
  uint32_t code_offset;  // of its body, in the merged code section
};

// A part of a data segment that is kept or dropped as a whole.
struct ws_merge_datum {
  uint32_t module, segment;
  uint32_t offset, size; // in the segment
  uint32_t first_edge, edge_count;
  uint32_t output; // merge->segments
  uint32_t next;   // in that, or WS_NOTHING
  bool live;
  uint64_t alignment;
  uint64_t address;
};

struct ws_merge_global {
  uint32_t module, index;
  uint32_t one;
  bool live;
  bool constant;       // `init` says what it holds, else it is as it was
  struct ws_edge init; // an address, a table slot, a number of the linker's
  uint32_t number;
  bool again; // another, which holds the same, has this number too
};

// A table or a tag.
struct ws_merge_item {
  uint32_t module, index;
  uint32_t one;
  bool live;
  uint32_t number;
};

// A data segment of the merged module: those of one name.
struct ws_merge_segment {
  struct ws_slice name;
  bool tls, zero;        // zero: is not written
  bool whole;            // its name is a C identifier: all of it is kept, in order, if any of it is
  uint32_t head, tail;   // of the list of its data
  uint32_t first, count; // in merge->placed
  uint64_t address, size, alignment;
};

struct ws_merge_module {
  const struct ws_module *module;
  struct ws_merge_input input;
  uint32_t first_function, first_global, first_table, first_tag, first_symbol, first_type, first_datum;
  uint32_t datum_count, tag_count, imported_tags;
  uint32_t constructors; // the linker's function that calls them, or WS_NO_FUNCTION
  bool notes_growth; // merged_heaps.c: a global says whether a module whose heap is this one's has grown the
                     // memory
  uint32_t grown;    // the number of that
  const uint32_t *imports[WS_TAG + 1];   // of each kind: the indices of its imports
  uint32_t *tag_types;                   // of all its tags
  const struct ws_section **sections;    // as they were read, in order: what reloc.* and symbols number
  const struct ws_section **relocations; // the reloc.* section for each, or NULL
  size_t section_count;
};

struct ws_merge_options {
  bool import_memory;
  bool strip_debug;
  struct ws_plan_options plan;
  const size_t *prefer; // of several modules that export a name, the first of these is taken
  size_t prefer_count;
};

struct ws_merge {
  struct ws_arena arena;
  struct ws_error *error;
  const struct ws_merge_options *options;
  struct ws_merge_module *modules;
  size_t module_count;
  bool is_64, shared;

  struct ws_merge_function *functions; // then the synthetic ones
  uint32_t first_synthetic;
  struct ws_merge_datum *data;
  struct ws_merge_global *globals;
  struct ws_merge_item *tables, *tags;
  uint32_t function_count, datum_count, global_count, table_count, tag_count, symbol_count, type_count;
  struct ws_edge *symbols; // what each symbol refers to
  struct ws_edge *edges;   // of code, then of data, of each module
  size_t edge_count;

  struct ws_merge_segment *segments;
  uint32_t segment_count;
  struct ws_map segment_names;

  uint32_t indirect_table;          // number of the first of them, or WS_NOTHING
  uint32_t stack_pointer, tls_base; // likewise, of globals

  // pack.c: how many there are of each in the merged module, imports first
  uint32_t imported_functions, functions_used, imported_globals, globals_used, imported_tables, tables_used,
      imported_tags, tags_used;
  struct ws_slice *types; // as they are written
  size_t types_used, types_capacity;
  struct ws_map type_numbers;
  uint32_t *type_of; // the number of each type of the modules, or WS_NOTHING
  uint32_t *slots;   // functions of the table, from slot 1 on
  size_t slot_count, slot_capacity;
  uint32_t *placed; // the data, by output segment
  uint64_t stack_low, stack_high, data_start, data_end, heap_base, init_flag;
  uint64_t pages, maximum_pages;
  bool has_maximum;

  struct ws_link *heaps; // merged_heaps.c: the modules, and what is decided about their heaps

  // The constructors, in the order in which they run.
  uint32_t *constructors;
  size_t constructor_count;
  uint32_t start; // exports.c: the program's _start, if that runs no constructors; or WS_NOTHING
};

// Takes the modules apart. False, with an error, if one cannot be merged.
bool ws_merge_read(struct ws_merge *merge, const struct ws_merge_input *inputs, size_t count);
void ws_merge_free(struct ws_merge *merge);

// Its parts. targets.c: what symbols and imports mean; edges.c: what code, data and globals refer to;
// constructors.c.
bool ws_merge_find_targets(struct ws_merge *merge);
bool ws_merge_read_edges(struct ws_merge *merge);
bool ws_merge_order_constructors(struct ws_merge *merge);
// The symbol that stands for one of a module.
struct ws_one_symbol ws_merge_one_of(const struct ws_merge *merge, uint32_t module, uint32_t symbol);
// What a symbol of the linker's stands for; WS_EDGE_NONE if it is none that moves.
struct ws_edge ws_merge_linker_edge(const struct ws_merge *merge, struct ws_slice name);

bool ws_merge_same_function_types(const struct ws_merge *merge, uint32_t a, uint32_t b);
bool ws_merge_same_types(const struct ws_merge *merge, uint32_t a, uint32_t b);

// Whether it is a variable in a data segment.
static inline bool ws_is_datum_symbol(const struct ws_symbol *symbol) {
  return symbol->kind == WS_SYMBOL_DATA && !(symbol->flags & (WS_SYMBOL_UNDEFINED | WS_SYMBOL_ABSOLUTE));
}

// The number of what a module calls in place of memory.size or memory.grow.
static inline uint32_t ws_merge_view_function(const struct ws_merge *merge, size_t module, bool grows) {
  return merge->first_synthetic + WS_SYNTHETIC_COUNT + 2 * (uint32_t)module + grows;
}

// The function of that index in a module's space: the one that stands for it.
uint32_t ws_merge_function_at(const struct ws_merge *merge, uint32_t module, uint32_t index);
// What a relocation refers to; `operand` is what its site holds.
struct ws_edge ws_merge_edge(const struct ws_merge *merge, uint32_t module,
                             const struct ws_relocation *relocation, uint64_t operand);
// An error of one module.
bool ws_merge_fail(const struct ws_merge *merge, uint32_t module, const char *section, const char *format,
                   ...) WS_PRINTF(4, 5);
bool ws_merge_fail_memory(const struct ws_merge *merge);
// The name of a function as its module's symbol table or names have it.
struct ws_slice ws_merge_function_name(const struct ws_merge *merge, uint32_t function);

#endif
