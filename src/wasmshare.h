// WasmShare: gives separately linked WebAssembly modules one linear memory.
//
// The way of a module through this library:
//
//     ws_module_read    bytes -> sections, symbols and fixups: every pointer, exactly
//     ws_module_info    what was found
//     ws_link_new       a link: what is shared, what the host gives
//     ws_link_add       the modules in it
//     ws_link_resolve   which module gives another what it imports
//     ws_link_plan      where each module goes
//     ws_link_write     the moved module, as bytes handed to a sink
//
// Nothing here prints, exits, or keeps state between calls. A module is never changed once it is read: it can
// be in many links, and be used from many threads, at the same time. A link belongs to one thread while it is
// resolved and planned; after that its modules can be written from several. LLVM makes one exception: the
// handler of its fatal errors is one per process, and is installed while any module is being read. No other
// part of the process may install its own meanwhile.
//
// Structs of options start with their size, so that later versions can add to them: WS_OPTIONS fills it in.
//
// Formats: the WebAssembly core specification (binary format), and tool-conventions' Linking.md (linking,
// reloc.*) and DynamicLinking.md (GOT globals).
#ifndef WASMSHARE_H
#define WASMSHARE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(_WIN32) || !defined(__GNUC__)
#define WS_API
#else
#define WS_API __attribute__((visibility("default")))
#endif

// The beginning of an options struct's initialiser: struct ws_link_options options = {WS_OPTIONS(options),
// ...};
#define WS_OPTIONS(options) .size = sizeof(options)

#define WS_VERSION "0.1.0"
#define WS_PAGE_SIZE 65536u

// -------------------------------------------------------------------------------------------------- errors

#define WS_NO_OFFSET UINT64_MAX

enum ws_error_code {
  WS_ERROR_MODULE, // of a module, or of what was asked of it
  WS_ERROR_MEMORY, // there was none left
  WS_ERROR_SINK,   // a sink returned false
};

// Why a call failed. Every function that takes one fills it when it returns false, and only then.
struct ws_error {
  enum ws_error_code code;
  char file[256];    // the name the module was read under, or ""
  char section[64];  // the section concerned ("CODE", "reloc.DATA", "linking", ...), or ""
  uint64_t offset;   // byte offset in the file, or WS_NO_OFFSET
  char message[512]; // what is wrong and what to do about it: one line, no newline
};

// Writes "FILE: section SECTION at 0xOFFSET: MESSAGE" into `line`, leaving out what the error does not have.
WS_API void ws_error_format(const struct ws_error *error, char *line, size_t size);

// ------------------------------------------------------------------------------------------------- reading

struct ws_module;

// What a module does with memory that nobody has yet: with what is between __heap_base and the end of the
// memory, and with what memory.grow returns. Found from relocations, symbols and reachable code.
enum ws_heap_class {
  WS_HEAP_NONE,        // hands out nothing
  WS_HEAP_GROWS,       // takes what memory.grow returns, wherever that is, and nothing else
  WS_HEAP_BOUNDED,     // takes [__heap_base, __heap_end) first, and then the same
  WS_HEAP_CLAIMS_ONCE, // takes [__heap_base, the end of the memory at its first allocation) first, and then
                       // the same
  WS_HEAP_CONTIGUOUS,  // takes all from __heap_base up: what is grown must follow what there was
  WS_HEAP_UNKNOWN,     // names __heap_base, and nothing says what it does with it
  WS_HEAP_CLASSES
};

// "none", "grows", "bounded", "claims-once", "contiguous", "unknown"; NULL for others.
WS_API const char *ws_heap_class_name(enum ws_heap_class heap);

struct ws_read_options {
  size_t size; // of this struct
  // Take a module without relocations although it has initialised data, or code that is not seen to be PIC:
  // assume that all its code is, and that no initialised data holds a pointer.
  bool trust_pic;
  // Do not wait for the checks that go on in a thread of their own for a large module: that its relocations
  // are of operands, and that LLVM's reader finds the same. ws_link_write waits for them, and fails if the
  // module does not pass; what ws_module_info and ws_link_plan say is not confirmed until then. Nor wait for
  // what its heap does: `heap`, `heap_reason` and `grows_memory` of ws_module_info must not be looked at
  // before ws_link_plan or ws_prepare.
  bool check_later;
  // Do not find out what its heap does, which is half of the time: then that is unknown. For a module that is
  // moved alone.
  bool skip_heap;
  // Look at all of its code, and not only at the pointers in it, for ws_link_write_single, which else does so
  // when it writes.
  bool whole_code;
  // The module was written by ws_link_write, so that its start function is one of WasmShare's own.
  bool placed;
  // What its heap is, in place of what is found, or NULL. A prepared module says that itself.
  const enum ws_heap_class *heap;
};

// Reads a linked module and finds every pointer in it.
// `name` is used in errors only, and copied. `bytes` are borrowed and must outlive the module. `options` may
// be NULL. Succeeds for a well-formed module that cannot be moved exactly: ws_module_info then says why not,
// and ws_link_plan and ws_link_write refuse it. Returns NULL and fills `error` if the bytes are malformed,
// are not a linked core module, or contradict their own relocations, or if memory runs out. Free the result
// with ws_module_free, after the links that it is in.
WS_API struct ws_module *ws_module_read(const char *name, const void *bytes, size_t size,
                                        const struct ws_read_options *options, struct ws_error *error);
WS_API void ws_module_free(struct ws_module *module);

// What a pointer is relative to: what moves it.
enum ws_base {
  WS_BASE_MEMORY,     // static data
  WS_BASE_STACK_LOW,  // lowest byte of the stack
  WS_BASE_STACK_HIGH, // initial stack pointer
  WS_BASE_HEAP_BASE,
  WS_BASE_HEAP_END,
  WS_BASE_TABLE,    // function pointers
  WS_BASE_CODE,     // offsets into the code section, in DWARF
  WS_BASE_EXTERNAL, // a data symbol that another module defines
  WS_BASE_COUNT
};

// One name of `ws_base`, for people: "memory", "stack-low", ...
WS_API const char *ws_base_name(enum ws_base base);

enum { WS_RELOCATION_TYPES = 32 };

// The name of a relocation type, as Linking.md has it ("R_WASM_MEMORY_ADDR_LEB"), or NULL if there is no such
// type.
WS_API const char *ws_relocation_name(unsigned type);

// What a module can import or export: core specification, 5.5.5.
enum ws_external_kind { WS_FUNCTION, WS_TABLE, WS_MEMORY, WS_GLOBAL, WS_TAG };

// "function", "table", ...
WS_API const char *ws_external_kind_name(enum ws_external_kind kind);

// A global that holds a pointer.
struct ws_pointer_global {
  uint32_t index; // in the module's global index space
  const char *name;
  enum ws_base base;
  uint64_t value; // as linked
};

// Why a module cannot be moved exactly.
enum ws_refusal {
  WS_NOT_REFUSED,
  WS_NO_MEMORY,             // there is nothing to share
  WS_NO_RELOCATIONS,        // not linked with --emit-relocs: linking it again helps
  WS_RELOCATIONS_MISSING,   // linked so, but some are gone: cut off, or stripped
  WS_CHANGED_AFTER_LINKING, // what the relocations are for is not what it was
  WS_UNKNOWN_POINTER,       // nothing says whether a number is an address
  WS_REFUSALS
};

// One of them, for programs: "no-relocations", ...
WS_API const char *ws_refusal_name(enum ws_refusal refusal);

// What was found in a module. Addresses are as linked, in bytes; pages are WS_PAGE_SIZE bytes.
struct ws_module_info {
  bool exact;              // whether the module can be moved exactly
  struct ws_error inexact; // why not, when `exact` is false
  enum ws_refusal refusal; // the same, for programs
  bool for_wasm_bindgen;   // it has an interface that the wasm-bindgen command makes, of the placed module

  bool memory64;
  bool shared;
  bool has_memory;                         // imports or defines a memory
  bool imports_memory;                     // as the input had it; a placed module always does
  const char *memory_module, *memory_name; // what a placed module imports its memory as
  uint64_t memory_minimum, memory_maximum; // pages
  bool has_maximum;

  bool has_stack;
  uint64_t stack_low, stack_pointer; // the initial stack pointer is one past the stack's highest byte
  uint64_t data_base, data_end;      // equal when there is no static data
  uint64_t heap_base;                // end of stack and data, rounded up to 16
  uint64_t initial_heap; // bytes of heap that it was linked with, and that its own range has at least
  uint64_t alignment;    // the largest that any data segment asks for, at least 16
  bool imports_stack;    // the stack pointer is imported
  bool uses_heap_base, uses_heap_end; // code or data names __heap_base, __heap_end
  enum ws_heap_class heap;
  bool grows_memory;                // code that can be reached has memory.grow
  const char *heap_reason;          // how the class is known: a short phrase
  uint64_t tls_size, tls_alignment; // of a thread's block of thread-local variables, with a shared memory
  bool exports_init_tls;            // __wasm_init_tls, which a new thread calls with its block
  // Calling an export, other than _start, runs its constructors again: the linker takes it for a program that
  // is run anew at each call (lld/wasm/Writer.cpp, createCommandExportWrappers). Not known without names.
  bool reruns_constructors;
  bool has_table;                  // an indirect function table, which may be empty
  bool imports_table;              // the table is imported
  uint64_t table_base, table_size; // in elements

  bool has_relocations;                      // linked with --emit-relocs
  bool prepared;                             // written by ws_prepare
  uint64_t zero_bytes;                       // zeroed data that is cleared at the start instead of shipped
  uint64_t relocations[WS_RELOCATION_TYPES]; // how many of each type
  uint64_t fixups[WS_BASE_COUNT];            // pointers found, by what moves them
  const struct ws_pointer_global *globals;
  size_t global_count;
};

WS_API const struct ws_module_info *ws_module_info(const struct ws_module *module);

// Something of a module that one program would have once.
struct ws_shareable {
  const char *name;           // for the time of the call
  enum ws_external_kind kind; // a function, a tag, or a variable: WS_MEMORY
  const char *rule; // why: "c++", "rust", "tag"; "library", of C or C++; "weak", which a strong one overrides
  bool read_only;   // a variable in a segment for those that are never written
};

// Calls `tell` for each, in the order of the module's symbols.
WS_API void ws_module_shareable(const struct ws_module *module,
                                void (*tell)(void *context, const struct ws_shareable *shareable),
                                void *context);

// ------------------------------------------------------------------------------------------------- linking

#define WS_HOST SIZE_MAX // in place of the index of a module

// Modules that are put into one memory, and what is decided about them.
struct ws_link;

// What modules share, and how their names are resolved. Texts and arrays are borrowed, and must outlive the
// link.
struct ws_link_options {
  size_t size; // of this struct
  // Import the stack pointer as env.__stack_pointer, so that all modules run on one stack.
  bool share_stack;
  // Import the indirect function table as env.__indirect_function_table, so that function pointers mean the
  // same in every module.
  bool share_table;
  // Make the modules one program: they share stack and table, and what the languages say is one thing is one.
  // Then they are for use together, all of them.
  bool one_program;
  // Make them one module: see ws_link_write_single. Implies one_program.
  bool single;
  // Keep the linking and reloc.* sections, rewritten, so that the written modules can be moved again. Zeroed
  // data is then written out, as the linker does. Not with one_program.
  bool keep_relocs;
  // Imports that the host gives: "MODULE.NAME", and MODULE for all imports from it.
  const char *const *host_imports, *const *host_modules;
  size_t host_import_count, host_module_count;
  // Names of modules: of several that export a name, the first of these is taken.
  const char *const *prefer;
  size_t prefer_count;
  // Called with each name that cannot be resolved; may be NULL.
  void (*report)(void *context, const struct ws_error *problem);
  void *context;
};

// An empty link. `options` may be NULL: nothing is shared then. Returns NULL if relocations are to be kept in
// one program, which they do not describe, or if memory runs out.
WS_API struct ws_link *ws_link_new(const struct ws_link_options *options, struct ws_error *error);
WS_API void ws_link_free(struct ws_link *link);

// Adds a module. `name` is what imports call it: `common` for the import common.make; it is copied. Fails if
// another module has that name, if what is to be shared is not the first that the module defines or no other
// can stand in for it, if relocations are to be kept that are not there, if it is to be of one program and
// has no symbols, as what is prepared, or if memory runs out.
WS_API bool ws_link_add(struct ws_link *link, const struct ws_module *module, const char *name,
                        struct ws_error *error);

// Finds for every import of every module, and for every data symbol that it uses and does not define (linked
// with --allow-undefined), the module that exports it, and in which order modules are instantiated. An import
// MODULE.NAME is looked for in the module of that name, and one from `env`, where linkers put what is
// undefined, in all others. The memory, and a stack pointer and function table that are shared, come from the
// layout; WASI and wasm-bindgen from the host. Fails after reporting every module that is inexact, or else
// every name that no module exports, or that several do, or whose type differs: 20 of them, and how many more
// there are; `error` is the first of them. Fails, too, if modules need each other in a cycle in which not all
// that is imported are functions.
WS_API bool ws_link_resolve(struct ws_link *link, struct ws_error *error);

// The indices of the modules, each after those that give it something, as far as that can be. NULL before
// ws_link_resolve.
WS_API const size_t *ws_link_order(const struct ws_link *link);

// Something that several modules have, and that is one in one program. The texts live as long as the link.
struct ws_merged {
  const char *name;
  enum ws_external_kind kind; // a function, a tag, or a variable: WS_MEMORY
  size_t module;              // whose it is
  size_t count;               // of modules that have it
};
// Something of one name in two modules, or one library object, that stays apart all the same.
struct ws_kept {
  const char *name;
  size_t module, other;
  const char *reason; // as the rest of a sentence: "its copies differ"
  bool is_library;    // it would have been one if the copies were the same
};
// Something that one program would have once, in modules that share stack or table without being one.
struct ws_divided {
  const char *name;
  size_t module, other;
};

// Something that a module leaves to be done when the program ends, and that is not done.
struct ws_lost {
  size_t module;
  const char *what;     // as a sentence: "output in buffers is lost"
  const char *function; // would do it, but the linkers dropped it
};

// The `index`th of each, once names are resolved. False if there are no more.
WS_API bool ws_link_merged(const struct ws_link *link, size_t index, struct ws_merged *merged);
WS_API bool ws_link_kept(const struct ws_link *link, size_t index, struct ws_kept *kept);
WS_API bool ws_link_divided(const struct ws_link *link, size_t index, struct ws_divided *divided);
WS_API bool ws_link_lost(const struct ws_link *link, size_t index, struct ws_lost *lost);

// An import that does not come from the layout. The texts live as long as the module.
struct ws_import_info {
  const char *module, *name;
  enum ws_external_kind kind;
  size_t from; // index of the module that exports it, or WS_HOST
};

// The `index`th such import of a module. False if there are no more.
WS_API bool ws_link_import(const struct ws_link *link, size_t module, size_t index,
                           struct ws_import_info *import);

// Whether a module imports its function table, as it is written.
WS_API bool ws_link_imports_table(const struct ws_link *link, size_t module);

// Whether a module exports something of that kind under that name, as it is written.
WS_API bool ws_link_exports(const struct ws_link *link, size_t module, enum ws_external_kind kind,
                            const char *name);

// Whether a module exports what the `index`th import of another asks for, with the same type.
WS_API bool ws_link_import_matches(const struct ws_link *link, size_t module, size_t index, size_t exporter);

// Calls `tell` for each name that a module must export for the others: what they import or use as a variable,
// and neither the host nor another of them has. Each once, in byte order, whether the module has it or not;
// the names do not end with a zero byte. Resolves nothing. Fails if memory runs out.
WS_API bool ws_link_needs(const struct ws_link *link, size_t module,
                          void (*tell)(void *context, const char *name, size_t size), void *context,
                          struct ws_error *error);

// ------------------------------------------------------------------------------------------------ planning

// What a module is told about the size of the memory.
enum ws_memory_view {
  WS_VIEW_WHOLE,   // the truth
  WS_VIEW_BOUNDED, // that it ends at __heap_end, until the module has grown it
  WS_VIEW_SEALED,  // that it ends at __heap_end, and cannot grow
};

// Where one module goes. Addresses in bytes.
struct ws_placement {
  uint64_t offset;     // added, modulo the address size, to addresses of static data
  uint64_t base, size; // the module's own range: stack and static data
  uint64_t stack_low, stack_pointer;
  uint64_t data_base, data_end;
  uint64_t heap_base, heap_end; // __heap_base and __heap_end: its own range of the heap, which may be empty
  enum ws_memory_view memory_view;
  uint64_t table_base;    // index of its first function
  uint64_t table_size;    // how many it puts there: its own, and in a shared table those that others need
  uint64_t table_end;     // minimum of a shared table, in elements: those of all modules; 0 for a private one
  uint64_t tls_offset;    // of its thread-local variables, in bytes from the start of a thread's area
  uint64_t pages;         // minimum of its memory import
  uint64_t maximum_pages; // of its memory import, if it has one
  bool has_maximum;
};

struct ws_plan_options {
  size_t size;            // of this struct
  uint64_t base;          // lowest address that may be used
  uint64_t alignment;     // of every module's range: a power of two, or 0 for what the modules need
  uint64_t extra_stack;   // bytes added to every module's own stack, rounded up to 16
  uint64_t heap_size;     // initial heap, in bytes
  uint64_t max_memory;    // in bytes, a multiple of WS_PAGE_SIZE; 0 for what the modules declare, if they do
  uint64_t stack_size;    // of the shared stack; 0 for that of the module with the largest
  uint64_t threads;       // how many, beside the first, get a stack and thread-local variables of their own
  const char *heap_owner; // name of the module that gets the initial heap; NULL to have one chosen
  // What the caller vouches for about the heaps of modules, in place of what was found.
  const struct ws_heap_claim *heap_claims;
  size_t heap_claim_count;
};

struct ws_heap_claim {
  const char *name; // of the module in the link
  enum ws_heap_class heap;
};

struct ws_plan {
  bool memory64, shared;
  bool shared_stack, shared_table;
  bool one_program;                  // the modules are for use together, all of them
  uint64_t stack_low, stack_pointer; // of the shared stack
  uint64_t table_size;               // of the shared table, in elements, the null one at 0 included
  // One area for each thread, one after another: its stack, then a block of every module's thread-local
  // variables.
  uint64_t thread_count, thread_base, thread_size, thread_stack_size;
  uint64_t heap_base, heap_end;
  uint64_t pages, maximum_pages;
  bool has_maximum;
};

// Places modules one after another, in order, each keeping its own stack; one heap follows them all. With
// share_stack they have one stack instead, below them all, so that overflowing it traps; with share_table
// they get their own ranges of one table. With `threads`, each has an area behind the modules; that needs a
// shared memory, a shared stack, and
// __wasm_init_tls exported where there are such variables. Data symbols that a module does not define take
// the address that they have in the module that ws_link_resolve found (see ws_link_binding). A link can be
// planned again: the last plan counts. `options` may be NULL. Fails if a module is inexact, has no memory, or
// does not mix with the others, if two modules would hand out the same heap, if a data symbol is not
// resolved, or if the layout does not fit the address space or the maximum.
WS_API bool ws_link_plan(struct ws_link *link, const struct ws_plan_options *options, struct ws_error *error);

// In place of that, shifts the one module of a link rigidly by `offset` bytes (modulo the address size, so
// that it can move down) and its function pointers by `table_offset` elements. `heap_base`, if not NULL, is
// its new heap base; otherwise that shifts too. Fails like ws_link_plan, and if the heap base would be below
// the module's end, the offset is not a multiple of the data's alignment (16, if nothing says what it is), or
// the function table cannot be so large.
WS_API bool ws_link_shift(struct ws_link *link, uint64_t offset, uint64_t table_offset,
                          const uint64_t *heap_base, struct ws_error *error);

// What was planned, for all modules and for one.
WS_API const struct ws_plan *ws_link_planned(const struct ws_link *link);
WS_API const struct ws_placement *ws_link_placement(const struct ws_link *link, size_t module);

// The class of a module's heap: what was found, or what ws_link_plan was told.
WS_API enum ws_heap_class ws_link_heap(const struct ws_link *link, size_t module);

// A data symbol of one module that another one uses.
struct ws_binding {
  const char *name;
  size_t from;      // index of the module that defines it
  uint64_t address; // where it went
};

// The `index`th symbol that ws_link_plan bound for a module. False if there are no more.
WS_API bool ws_link_binding(const struct ws_link *link, size_t module, size_t index,
                            struct ws_binding *binding);

// ------------------------------------------------------------------------------------------------- writing

// Takes the next bytes of a written module; returns false to stop.
struct ws_sink {
  bool (*write)(void *context, const void *bytes, size_t size);
  void *context;
};

// Writes a module as it was planned. Fails if memory runs out, a check that was left for later fails (see
// check_later), or the sink stops (WS_ERROR_SINK). What the sink was given is then to be thrown away.
WS_API bool ws_link_write(const struct ws_link *link, size_t module, struct ws_sink sink,
                          struct ws_error *error);

// A name that a module exports and that the one module exports, too, for the same thing.
struct ws_single_export {
  size_t module;
  const char *name;
};

// What the one module has for its host.
struct ws_single_info {
  struct ws_plan plan;                     // where its stack and heap are, and what memory and table it has
  const char *memory_module, *memory_name; // of the import of its memory; NULL if it defines that
  const char *constructors;                // the export that runs all constructors, or NULL
  const struct ws_import_info *imports;    // others than the memory, in its order
  size_t import_count;
  const struct ws_single_export *exports; // by module
  size_t export_count;
};

// Options of a program in one module.
struct ws_single_options {
  size_t size;        // of this struct
  bool import_memory; // rather than define and export it
  bool strip_debug;   // leave DWARF out
  // If not NULL, called once, before the sink is, and writing may yet fail. False stops, as the sink's does.
  // `info` is valid until ws_link_free.
  bool (*described)(void *context, const struct ws_single_info *info);
  void *context;
};

// Writes the modules of a link as one module, which was resolved with `single` and need not be planned.
// `plan` says what it says of a plan; `options` may be NULL. Fails if a module cannot be merged, if two
// modules export different things under one name, and as ws_link_write does.
WS_API bool ws_link_write_single(struct ws_link *link, const struct ws_plan_options *plan,
                                 const struct ws_single_options *options, struct ws_sink sink,
                                 struct ws_error *error);

// Writes the module as it is at the place that it was linked for, prepared: with a section that says all that
// placing it takes, so that it can be placed without its relocations, as early as at load time
// (docs/prepared-format.md). What is read from it is what was read from the module. Fails if the module is
// inexact, uses variables of other modules, or has elements at an offset that is not a constant or addresses
// beyond 2^53.
WS_API bool ws_prepare(const struct ws_module *module, struct ws_sink sink, struct ws_error *error);

// Checks a module that ws_link_write wrote, read with `placed` set, against the placement that it should
// have: its memory import, and that every data segment, pointer global, table entry and address in the start
// function, and every relocated pointer if relocations were kept, is what the placement says or inside its
// range. `bindings` are the variables of other modules that it uses, and in one program table slots of
// their functions, which GOT globals may hold. Fails with the first thing that is not.
WS_API bool ws_check_placed(const struct ws_module *module, const struct ws_placement *placement,
                            const struct ws_binding *bindings, size_t binding_count, struct ws_error *error);

#ifdef __cplusplus
}
#endif

#endif
