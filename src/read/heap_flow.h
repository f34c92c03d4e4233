// Follows, through the body of a function, what memory.grow and memory.size return and where __heap_base
// goes: does the function ask where the pages are that it has grown, and does it take memory that it was not
// given?
//
// An abstract interpretation (of the operand stack, the locals, and the variables in the function's own frame
// on the shadow stack) that errs to one side: what cannot be followed makes `lost` true, and a module whose
// functions are lost is of the class unknown.
#ifndef WASMSHARE_HEAP_FLOW_H
#define WASMSHARE_HEAP_FLOW_H

#include "read/module.h"

// Addresses that say where the memory is that nothing was linked into, each a bit.
enum { WS_NAMES_HEAP_BASE = 1, WS_NAMES_HEAP_END = 2, WS_NAMES_DATA_END = 4 };

// An operand in the code section that is one of them.
struct ws_heap_operand {
  uint32_t offset; // in the section's content
  bool is_base;    // where that memory begins, and not where it ends
};

// A variable that is written, and read nowhere.
struct ws_heap_unread {
  uint64_t start, size;
};

// Which of them a GOT global holds for position-independent code; 0 if none.
unsigned ws_heap_global(const struct ws_module *module, uint32_t index);

// Functions that are followed where they are called: what they find there matters, or what they return.
enum ws_heap_inlined { WS_NOT_INLINED, WS_INLINED_IF_POSSIBLE, WS_INLINED };

enum { WS_HEAP_GUARDS = 8, WS_HEAP_BASE_STORES = 4, WS_HEAP_VARIABLES = 16, WS_HEAP_BOUNDS = 32 };

// Variables that say where memory is: at `places` from where pointers, `bases`, point to (heap_range.c),
// which are 0 if there is none.
struct ws_heap_variables {
  unsigned count;
  uint64_t bases[WS_HEAP_VARIABLES], places[WS_HEAP_VARIABLES];
  uint8_t widths[WS_HEAP_VARIABLES];
  uint16_t paired[WS_HEAP_VARIABLES]; // those that it is compared with, each a bit
  uint16_t advanced;                  // those that go on from where they were
  uint16_t given;                     // and whose value is an address for somebody
};

// Variables, by where values are loaded from, that bound what is handed out: they are compared with more than
// another variable. They may be lengths.
struct ws_heap_bounds {
  unsigned count;
  uint32_t origins[WS_HEAP_BOUNDS];
  uint32_t used;   // those that are so compared
  uint32_t scaled; // numbers of pages
  uint32_t steps;  // by how much the memory is grown, if they are compared with nothing else
  uint32_t raised; // those that are moved on where memory was grown that may be elsewhere
};

struct ws_heap_flow {
  const struct ws_module *module;
  const struct ws_heap_operand *operands; // in order of offset
  size_t operand_count;
  const struct ws_heap_unread *unread;
  size_t unread_count;
  const uint8_t *inlined;    // enum ws_heap_inlined, by defined function
  bool follows_arguments;    // to where it is known what is done through them
  uint32_t stack_pointer;    // the global; UINT32_MAX if there is none
  struct ws_arena *arena;    // for what following takes
  struct ws_run_room *rooms; // by the depth of calls; NULL at first
  uint64_t budget;           // instructions that may still be looked at

  // Addresses of variables that were seen to be zero before something was done once.
  uint64_t guards[WS_HEAP_GUARDS];
  unsigned guard_count;
  uint8_t guard_widths[WS_HEAP_GUARDS];     // in bytes; 0 if it is not known yet
  uint64_t guard_variables[WS_HEAP_GUARDS]; // where the variables begin that they are in
  uint32_t guards_set;                      // to something that is not zero, each one a bit
  uint32_t guards_cleared;                  // to what may be zero, or it may be done elsewhere

  struct ws_heap_variables variables;
  struct ws_heap_bounds bounds;

  // What was found, in all functions that were followed so far.
  bool lost;
  bool grows, reads_size;
  bool ignores_grown;   // memory is grown, and where the new pages are makes no difference
  bool compares_size;   // addresses are compared with memory.size
  bool takes_size;      // memory up to memory.size is taken, at any time
  uint32_t claims;      // or only while one of these guards is zero; 0 if it is not taken
  bool relies_on_order; // on nobody growing the memory between two of its own steps

  uint16_t moved; // variables that were moved to grown memory, where others were not

  // What was found in the last function alone.
  bool raises;                        // a variable is moved on, where memory was grown that may be elsewhere
  bool has_bounds;                    // something is compared as bounds are
  bool expects_grown, uses_elsewhere; // compares where the grown pages are, and goes on if they are elsewhere
  bool returns_pages, returns_address; // its caller has to ask where the grown pages are
  bool returns_size;
  bool gives_address;                        // where the grown pages are is stored through an argument
  bool stores_base;                          // __heap_base is put into a variable
  uint64_t base_stores[WS_HEAP_BASE_STORES]; // whose address is known
  unsigned base_store_count;
  bool uses_base; // or used as an address, passed on or returned
  bool uses_end;  // __heap_end is compared, put into a variable or passed on
  bool returns_end;
  bool checks_arguments; // __heap_end is compared with what is made of arguments, which its callers give
};

// Adds one, if there is room.
void ws_range_add(struct ws_heap_variables *variables, uint64_t address, uint32_t width);
// Whether some of them are what pointers point to.
bool ws_range_has_pointed(const struct ws_heap_variables *variables, uint16_t bits);
// Whether more is known of them.
bool ws_range_differs(const struct ws_heap_flow *a, const struct ws_heap_flow *b);

// Follows the defined function `index`, called with unknown arguments.
void ws_follow_heap(struct ws_heap_flow *flow, uint32_t index);

#endif
