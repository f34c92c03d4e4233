// Placing prepared modules at load time, for native hosts: this file and wasmshare_load.c are all there is to
// it. No allocation, no LLVM, nothing of a C library but memcpy and memcmp.
//
//     struct ws_load_module module;
//     struct ws_load_placement placement;
//     ws_load_open(&module, bytes, size);                       // checks the digest
//     ws_load_shift(&module, offset, heap_base, &placement);    // or fill the placement yourself
//     size_t placed = ws_load_size(&module, &placement);
//     ws_load_place(&module, &placement, buffer, placed);       // what `wasmshare relocate` writes
//
// `wasmshare prepare` makes such modules; docs/prepared-format.md describes the format, byte by byte.
#ifndef WASMSHARE_LOAD_H
#define WASMSHARE_LOAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

enum { WS_LOAD_FORMAT = 3 }; // the version of the format

enum ws_load_status {
  WS_LOAD_OK,
  WS_LOAD_NOT_A_MODULE,
  WS_LOAD_NOT_PREPARED,
  WS_LOAD_VERSION,   // prepared by another version of WasmShare
  WS_LOAD_CHANGED,   // its bytes are not those that were prepared
  WS_LOAD_MALFORMED, // its section makes no sense
  WS_LOAD_STACK,     // its stack cannot be shared
  WS_LOAD_TABLE,     // its table cannot be shared
  WS_LOAD_SPACE,     // the buffer is too small
};

// What is wrong and what to do about it, for people: one line.
const char *ws_load_message(enum ws_load_status status);

// What moves a pointer. The numbers are those of the format.
enum ws_load_base {
  WS_LOAD_MEMORY,     // static data
  WS_LOAD_STACK_LOW,  // lowest byte of the stack
  WS_LOAD_STACK_HIGH, // initial stack pointer
  WS_LOAD_HEAP_BASE,
  WS_LOAD_HEAP_END,
  WS_LOAD_TABLE_BASE, // function pointers
  WS_LOAD_BASES,
};

// How a pointer is written. The numbers are those of the format.
enum ws_load_encoding {
  WS_LOAD_LEB32,  // 5 bytes, padded unsigned LEB128
  WS_LOAD_SLEB32, // 5 bytes, padded signed LEB128
  WS_LOAD_LEB64,  // 10 bytes
  WS_LOAD_SLEB64, // 10 bytes
  WS_LOAD_U32,    // 4 bytes, little endian
  WS_LOAD_U64,    // 8 bytes
};

// The bytes of a section of the module: from its id, from its content, and to its end. All 0 if there is
// none.
struct ws_load_range {
  size_t start, content, end;
};

struct ws_load_limits {
  size_t at, size; // in the module; 0 if there are none
  bool has_maximum, shared, is_64;
  uint64_t minimum, maximum;
};

// What a module does with memory that it was not given. Those after WS_LOAD_HEAP_GROWS have a range of their
// own,
// [__heap_base, __heap_end); those after WS_LOAD_HEAP_FIXED take all that follows, too.
enum ws_load_heap {
  WS_LOAD_HEAP_NONE,    // hands out nothing
  WS_LOAD_HEAP_GROWS,   // what memory.grow returns
  WS_LOAD_HEAP_BOUNDED, // its range, and then what memory.grow returns
  WS_LOAD_HEAP_FIXED,   // its range
  WS_LOAD_HEAP_CONTIGUOUS,
  WS_LOAD_HEAP_UNKNOWN,
  WS_LOAD_HEAPS
};

// A prepared module, opened. Addresses are as linked, in bytes.
struct ws_load_module {
  const uint8_t *bytes;
  size_t size;

  bool has_stack, imports_stack, can_share_stack;
  bool has_table, imports_table, can_share_table;
  bool uses_heap_base, uses_heap_end; // it names __heap_base, __heap_end
  enum ws_load_heap heap;
  bool claimed;         // until it was prepared, all memory that there was when it began
  bool has_relocations; // linked with --emit-relocs
  uint64_t alignment;
  uint64_t data_base, data_end;
  uint64_t stack_low, stack_pointer;
  uint64_t end;                     // of stack and data: what `wasmshare heap-base` prints
  uint64_t heap_base, heap_end;     // what the linker said that __heap_base and __heap_end are
  uint64_t initial_heap;            // bytes that it was linked with, and may need
  uint64_t zero_bytes;              // cleared at the start instead of shipped
  uint64_t tls_size, tls_alignment; // of a thread's block of thread-local variables, with a shared memory
  uint64_t table_base, table_size;
  uint32_t table_index;
  struct ws_load_limits memory, table;

  size_t covered; // how many bytes of the module the digest is for
  size_t fixups;  // where they begin
  struct ws_load_range imports, tables, globals, prepared;
};

// Reads what was prepared, and checks that nothing was changed since. The bytes are borrowed, and must
// outlive `module`, which is undefined unless this returns WS_LOAD_OK. Returns any status but those of
// placing.
enum ws_load_status ws_load_open(struct ws_load_module *module, const void *bytes, size_t size);

// Whether the two would hand out the same memory, wherever they are: one takes all from its __heap_base up,
// and the other does so, too, or grows the memory. Others can be together, if each that is bounded has a heap
// of its own, of at least `initial_heap` bytes: heap_base == heap_end may be enough. The heap of one that
// takes all is behind everything else, and nothing can be placed later behind that.
bool ws_load_clash(const struct ws_load_module *one, const struct ws_load_module *other);

// Where a module goes. Addresses and sizes are in bytes, unless said otherwise.
struct ws_load_placement {
  uint64_t offset; // added, modulo the address size, to addresses of static data
  uint64_t stack_low, stack_pointer;
  uint64_t heap_base, heap_end;
  uint64_t table_base;    // in elements
  uint64_t table_end;     // minimum of a table that is shared, in elements; 0 for a private one
  uint64_t pages;         // minimum of its memory import, in pages of 64 KiB
  uint64_t maximum_pages; // the same of its maximum, if it has one
  bool has_maximum;
  bool share_stack, share_table; // import the stack pointer, the table
};

// Moves the module as a whole, with a heap from `heap_base` on of the size that it was linked with, as
// `wasmshare relocate --offset --heap-base` does. Whoever calls it sees to it that the place is free, that
// `offset` is a multiple of the alignment, and that nothing goes beyond the address space.
void ws_load_shift(const struct ws_load_module *module, uint64_t offset, uint64_t heap_base,
                   struct ws_load_placement *placement);

// The size of the module when it is placed; 0 if it cannot be placed so.
size_t ws_load_size(const struct ws_load_module *module, const struct ws_load_placement *placement);

// Writes the placed module, of ws_load_size bytes, to `to`, which must not overlap the module. Returns
// WS_LOAD_OK; or WS_LOAD_STACK, WS_LOAD_TABLE or WS_LOAD_SPACE, having written nothing; or WS_LOAD_MALFORMED,
// and what is in `to` is then to be thrown away.
enum ws_load_status ws_load_place(const struct ws_load_module *module,
                                  const struct ws_load_placement *placement, void *to, size_t capacity);

// ----------------------------------------------------------------------------------------------- the parts

struct ws_load_fixup {
  size_t at; // in the module
  enum ws_load_base base;
  enum ws_load_base minus; // whose delta is taken off again, or WS_LOAD_BASES
  enum ws_load_encoding encoding;
};

// Goes through the fixups of a module, group by group: all of one base and encoding, in order of place.
struct ws_load_fixups {
  const struct ws_load_module *module;
  size_t read;   // in the module
  uint64_t left; // in the group
  struct ws_load_fixup fixup;
  bool malformed; // why it ended
};
struct ws_load_fixups ws_load_fixups(const struct ws_load_module *module);
bool ws_load_next(struct ws_load_fixups *fixups);

unsigned ws_load_width(enum ws_load_encoding encoding);

// Bytes of a module that are replaced by others. The longest are those of a table's import: 32, and limits of
// 21 at most.
struct ws_load_edit {
  size_t at, remove, size;
  uint8_t bytes[53];
};
// In order of place. The most there are is 14: seven of imports, three of tables, three of globals, and the
// section that goes.
struct ws_load_edits {
  struct ws_load_edit edits[14];
  size_t count;
  size_t growth; // modulo its size: what has been put in, less what was taken out
};

// What an import section or a table section becomes. Limits whose `at` is not in the section are not in it.
struct ws_load_sections {
  const uint8_t *bytes;
  struct ws_load_range imports, tables;
  struct ws_load_limits memory,
      table;                    // as they will be; `at` and `size` are those of what they are instead of
  bool add_memory, move_table;  // become imports
  const uint8_t *stack_pointer; // so does this one: its type, and that it is mutable. Or NULL
};
// Appends the edits of the section's content and of its size.
void ws_load_edit_imports(const struct ws_load_sections *sections, struct ws_load_edits *edits);
void ws_load_edit_tables(const struct ws_load_sections *sections, struct ws_load_edits *edits);

// The digest, of parts of at least 8 bytes each. It begins as zeros.
struct ws_load_sum {
  uint64_t value;
  uint64_t words; // how many are in it
};
struct ws_load_sum ws_load_add(struct ws_load_sum sum, const uint8_t *bytes, size_t size);

#ifdef __cplusplus
}
#endif

#endif
