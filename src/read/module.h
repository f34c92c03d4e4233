// A module inside the library: what a file says, and nothing that a choice decides. Reading fills it, each
// block in the file that it names; after that it is only read.
#ifndef WASMSHARE_MODULE_H
#define WASMSHARE_MODULE_H

#include "base/bytes.h"
#include "base/error.h"
#include "format/wasm.h"
#include "wasmshare.h"

// A pointer of fixed width in a section.
struct ws_fixup {
  uint32_t offset;  // in the section's content
  uint8_t encoding; // enum ws_encoding
  uint8_t base;     // enum ws_base: its delta is added
  uint8_t minus;    // enum ws_base whose delta is taken off again, or WS_BASE_COUNT: for relative pointers
  uint8_t unused;
  uint32_t
      target; // index of what it names: a ws_external for WS_BASE_EXTERNAL, else a symbol or WS_NO_SYMBOL
};

// A base of fixups in an image: the operand becomes the value that `target` is the index of. See
// write/rebind.c.
enum { WS_BASE_VALUE = WS_BASE_COUNT + 1 };

// The index of a relocation whose symbol was not linked: what DWARF says of functions that were left out, and
// pointers to weak functions that are undefined, which are null. lld up to 19 writes these; later ones leave
// out the entry, but count it (lld/wasm/InputChunks.cpp, writeRelocations).
#define WS_NO_SYMBOL UINT32_MAX

struct ws_section {
  uint8_t id;
  bool relocated;          // a reloc.* section was for it
  uint32_t left_out;       // relocations that the section for it counts, and does not have
  struct ws_slice name;    // custom sections only
  struct ws_slice content; // for a custom section, without its name
  struct ws_fixup *fixups; // in order of offset; those of globals, elements and segments are with these
  size_t fixup_count, fixup_capacity;
  struct ws_relocation *relocations; // of code and data: in order of offset (relocation_entries.h)
  size_t relocation_count;
};

// A function's type: its encoded value types.
struct ws_type {
  struct ws_slice parameters, results;
};

struct ws_limits {
  bool has_maximum, shared, is_64, custom_pages;
  uint64_t minimum, maximum;
  struct ws_slice bytes; // as read
};

struct ws_table {
  bool initialised;     // by an expression of its own
  uint8_t element_type; // core specification, 5.3.5
  struct ws_limits limits;
};

struct ws_import {
  struct ws_slice module, name;
  const char *module_text, *name_text; // read.c
  uint8_t kind;                        // enum ws_external_kind
  struct ws_slice detail;              // what follows the kind
  uint32_t type;                       // functions
  struct ws_limits limits;             // memories
  struct ws_table table;               // tables
};

struct ws_export {
  struct ws_slice name;
  uint8_t kind;
  uint32_t index;
};

// A constant expression: the few forms that matter here, and "other" for those that hold no number.
enum ws_constant { WS_CONSTANT_I32, WS_CONSTANT_I64, WS_CONSTANT_OTHER };

struct ws_expression {
  enum ws_constant kind;
  uint64_t value;        // i32 values are zero-extended
  struct ws_slice bytes; // including the end opcode
};

struct ws_global {
  bool imported, mutable;
  uint8_t type;
  struct ws_slice detail; // of a defined one: its type as it is written
  struct ws_expression init;
  struct ws_slice name; // from the name section, an export or the symbol table; may be empty
  bool moves;
  bool explained;  // it is known what it holds, pointer or not
  uint8_t base;    // enum ws_base, when it moves
  uint32_t target; // as in a fixup
};

struct ws_function {
  uint32_t offset; // of the body, after its size, in the code section's content
  uint32_t size;
  bool has_symbol, has_local_symbol; // linking.c: what an object defines has one, local or not
  bool synthetic;                    // synthetic.c: the linker wrote it
  bool unpadded;                     // synthetic.c: and its addresses are not of full width
  bool takes_size;                   // heap.c: takes memory up to what memory.size says in it
  struct ws_slice name;              // from the name section or the symbol table; may be empty
};

struct ws_tag {
  struct ws_slice detail; // its type, as it is written
};

struct ws_segment {
  bool passive;
  bool placed; // its address is known: active segments, and passive ones that the init function copies
  bool tls;
  uint64_t address;
  struct ws_slice bytes;
  uint32_t bytes_offset; // in the data section's content
  struct ws_slice name;  // linking.md: WASM_SEGMENT_INFO
  uint32_t alignment;    // as a power of two
  size_t zeros; // bytes at its end that are zero, and need not be written if they are cleared at the start
};

struct ws_element {
  bool active;
  bool constant;       // active, at a constant offset
  bool indirect_table; // active, in the indirect function table
  uint32_t table;      // if active
  uint64_t offset;
  struct ws_slice before, rest; // the bytes before and after the offset expression, if there is one
  const uint32_t *functions;    // function indices; NULL if given by expressions
  uint32_t count;
};

struct ws_symbol {
  uint8_t kind;
  bool external; // there is a ws_external for it
  uint32_t flags;
  uint32_t index; // of the function, global, tag, table, section or data segment
  struct ws_slice name;
  uint64_t offset, size; // data symbols; the offset of an absolute one is its address
};

// One of the linker's own functions: it has no relocations, so it was decoded.
struct ws_linker_function {
  uint32_t function;            // index among the defined ones
  struct ws_address *addresses; // the operands in it that are addresses, in order
  size_t address_count;
};
struct ws_address {
  uint32_t start, end; // of the operand, in the function's body
  uint64_t value;
};
// What calls one without arguments is no shorter, beside the function's index: no locals, call, end.
#define WS_CALL_BODY_SIZE 3u
// The name of the start function that clears zeroed data, in a placed module.
#define WS_CLEAR_FUNCTION "__wasmshare_clear_bss"

// An undefined data symbol that the module's pointers name.
struct ws_external {
  uint32_t symbol;
  bool first; // of those for its symbol
  const char *name;
  uint64_t addend; // added to what the site already holds
};

struct ws_module {
  const char *file;
  struct ws_slice bytes;
  struct ws_arena arena;
  struct ws_module_info info;

  // sections.c
  struct ws_section *sections;
  size_t section_count;
  struct ws_section *section_of[WS_SECTION_TAG + 1]; // by its id, but for custom ones
  struct ws_type *types;                             // NULL if not all are functions
  uint32_t type_count;
  int64_t void_type; // index of the type () -> (), or -1
  struct ws_import *imports;
  size_t import_count;
  uint32_t imported_functions, imported_tables;
  uint32_t *function_types; // of the defined functions
  uint32_t function_count;  // defined functions
  struct ws_function *functions;
  struct ws_table *tables; // imported ones first
  uint32_t table_count;
  uint32_t indirect_table; // index of the indirect function table: see ws_set_indirect_table()
  struct ws_limits memory;
  bool has_memory;
  size_t memory_import;      // index in imports, or SIZE_MAX
  struct ws_global *globals; // imported ones first
  uint32_t global_count, imported_globals;
  struct ws_export *exports;
  uint32_t *export_slots;   // a hash table of them by name: one after the index, or 0 (ws_find_export)
  size_t export_slot_count; // a power of two
  size_t export_count;
  struct ws_tag *tags; // defined ones
  uint32_t tag_count;
  bool has_start;
  uint32_t start;
  struct ws_element *elements;
  size_t element_count;
  struct ws_segment *segments;
  size_t segment_count;
  uint32_t code_count_size; // bytes of the function count at the start of the code section's content

  // linking.c
  bool has_linking, has_bulk_memory;
  struct ws_symbol *symbols;
  uint32_t symbol_count;

  // synthetic.c
  struct ws_linker_function *linker_functions;
  size_t linker_function_count;
  uint64_t init_begin,
      init_end; // the addresses that the linker's own functions touch; equal if there are none
  enum ws_heap_class vouched_heap; // by who reads it; WS_HEAP_CLASSES if nobody has
  bool needs_room; // heap.c: all of the heap that it was linked with, and not only whole pages
  bool may_shift;  // functions that are appended when it is written may move every code offset

  struct ws_checks *checks;        // checks.c: NULL unless they go on beside
  struct ws_code_note *code_notes; // whole_code.c: one for each function, or NULL if nobody asked for them

  // relocations.c
  struct ws_external *externals;
  size_t external_count, external_capacity;

  // read.c
  bool placed;                  // ws_link_write wrote it
  uint64_t heap_base, heap_end; // __heap_base and __heap_end, as linked

  // prepared.c
  bool prepared; // its section wasmshare says where the pointers are, and every one has its full width
};

// The place of a section among the others; custom sections, of order 0, may be anywhere.
unsigned ws_section_order(uint8_t id);
// What is said of a module whose relocations are not of what it is now.
#define WS_REWRITTEN                                                                                         \
  "; the module was rewritten after it was linked, by wasm-opt perhaps (clang -O runs it when it finds it: " \
  "link with --no-wasm-opt), so give the linker's own output"

// The section with this id, or NULL. There is at most one of each but custom ones.
struct ws_section *ws_section(const struct ws_module *module, enum ws_section_id id);
struct ws_section *ws_custom_section(const struct ws_module *module, const char *name);
const char *ws_section_name(const struct ws_section *section, char *text, size_t size);

// An error at `at`, which points into the module's bytes (or is NULL).
bool ws_module_fail(const struct ws_module *module, struct ws_error *error, const char *section,
                    const uint8_t *at, const char *format, ...) WS_PRINTF(5, 6);
// Records that the module cannot be moved exactly. The first reason stays.
void ws_module_refuse(struct ws_module *module, const char *section, enum ws_refusal code, const char *format,
                      ...) WS_PRINTF(4, 5);

// Makes that ws_find_export finds what is in module->exports. False if memory runs out.
bool ws_index_exports(struct ws_module *module);
// The export of that name, or NULL.
const struct ws_export *ws_find_export(const struct ws_module *module, struct ws_slice name);
// The import that is the `index`th of its kind, or NULL.
const struct ws_import *ws_nth_import(const struct ws_module *module, uint8_t kind, uint32_t index);
uint32_t ws_count_imported_tags(const struct ws_module *module);
// The index of a function's type, or UINT32_MAX if there is no such function. Imports are numbered first.
uint32_t ws_function_type(const struct ws_module *module, uint32_t function);

// Adds a fixup to a section; they are sorted by offset once all are known. False if memory runs out.
bool ws_add_fixup(struct ws_section *section, struct ws_fixup fixup);
void ws_sort_fixups(struct ws_section *section);

// lld defines __start_NAME and __stop_NAME for a segment whose name is a C identifier, where it has one.
enum ws_bound { WS_BOUND_NONE, WS_BOUND_START, WS_BOUND_STOP };
// Which of these a name is, and of which section.
enum ws_bound ws_bound_of(struct ws_slice symbol, struct ws_slice *section);
bool ws_has_segment(const struct ws_module *module, struct ws_slice name);
// Whether it is what lld defines by that name.
bool ws_is_segment_bound(const struct ws_module *module, struct ws_slice name, uint64_t value);

// Size of the memory at the start, in bytes; as much as there can be if that is too large to say.
uint64_t ws_memory_size(const struct ws_module *module);
// How much of it is heap, in bytes: all of that, or as many pages.
uint64_t ws_linked_heap(const struct ws_module *module, bool all);

// Says which table function pointers are indices of; UINT32_MAX if none.
void ws_set_indirect_table(struct ws_module *module, uint32_t index);
// That table; NULL if there is none.
const struct ws_table *ws_indirect_table(const struct ws_module *module);
// Whether all that fill it are at constant offsets, so that they can move.
bool ws_are_elements_constant(const struct ws_module *module);
// Why it cannot become the first imported table after those that the module imports, or NULL if it can.
const char *ws_why_table_stays(const struct ws_module *module);

// Whether the section is about linking or preparing, and not part of what is written unless it is kept.
bool ws_is_link_metadata(const struct ws_module *module, const struct ws_section *section);

// Whether it is the table that function pointers are indices of, which linkers name so.
bool ws_is_function_table(const struct ws_import *import);

// The body of a defined function, as read, from its local declarations to its end.
struct ws_slice ws_function_body(const struct ws_module *module, uint32_t index);
// The defined function whose body has that offset of the code section; UINT32_MAX if none.
uint32_t ws_function_at(const struct ws_module *module, uint32_t offset);

// The address of the symbol as linked, and what it moves with. False for a symbol whose value does not move.
bool ws_symbol_target(const struct ws_module *module, const struct ws_symbol *symbol, uint64_t *address,
                      enum ws_base *base);
// A symbol that linkers define, as lld does (lld/wasm/Driver.cpp, createSyntheticSymbols).
struct ws_linker_symbol {
  const char *name;
  bool moves; // it is an address, or a table index
  enum ws_base base;
};
// The one of that name, or NULL.
const struct ws_linker_symbol *ws_linker_symbol(struct ws_slice name);
// Whether the linker defined it: what a program defines is not absolute, or not hidden.
bool ws_is_linkers_symbol(const struct ws_symbol *symbol);
// The linker's data symbol of that name, whose offset is its address, or NULL.
const struct ws_symbol *ws_absolute_symbol(const struct ws_module *module, const char *name);
// Whether a global is called as lld calls the GOT entry of a data symbol, and if so, of which.
bool ws_got_data_symbol(struct ws_slice global, struct ws_slice *symbol);

#endif
