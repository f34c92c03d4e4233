// One function that heap_flow.c follows: what is on its operand stack, in its locals and in its frame on the
// shadow stack, in each of its blocks (heap_run.c), and what its accesses to memory mean (heap_memory.c).
#ifndef WASMSHARE_HEAP_RUN_H
#define WASMSHARE_HEAP_RUN_H

#include "read/heap_flow.h"
#include "read/heap_value.h"
#include "read/instructions.h"

enum {
  WS_RUN_CALLS = 8,    // from one to the next, at most
  WS_RUN_FRAMES = 256, // blocks in blocks, at most
  WS_RUN_STACK = 128,  // operands
  WS_RUN_SLOTS = 24,
  WS_RUN_NOWHERE = INT32_MIN / 2, // where the stack pointer is, if that is not known: no variable is there
};

// A variable in the frame.
struct ws_run_slot {
  int64_t offset;
  uint32_t width;
  struct ws_heap_value value;
};

struct ws_run_state {
  bool live;
  bool pending;    // memory was grown, and nothing has asked yet where
  uint8_t grown;   // how often the module itself has grown it, with nobody else in between,
  bool failed;     // the last time without success
  bool follows;    // the grown pages lie beside something of the program's
  bool elsewhere;  // the grown pages may not be where the program expected them
  uint8_t guards;  // those that were seen to be zero
  bool exposed;    // others know where the frame is
  uint16_t old;    // variables that are as they were before the memory was grown
  uint16_t moved;  // those that were moved since
  uint32_t bounds; // that are as they were before the memory was grown
  uint16_t behind; // those that are old, and belong to one that was moved
  int64_t pointer; // __stack_pointer, from what it was at first
  unsigned slot_count;
  struct ws_run_slot slots[WS_RUN_SLOTS];
  struct ws_heap_value *values; // locals, and then operands
  uint32_t capacity;            // of values
};

struct ws_run_frame {
  uint8_t opcode;
  bool has_else;
  uint32_t parameters, results, height;
  const uint8_t *start;      // of a loop's body
  struct ws_run_state label; // of all branches to it
  struct ws_run_state other; // of an if: where it does not hold; of a loop: at its start
};

// What a call takes up, which the next one that is as deep has again.
struct ws_run_room {
  struct ws_run_frame *frames[WS_RUN_FRAMES]; // allocated when first entered
  uint32_t *used_in;
  struct ws_run_state now, taken;
  uint32_t locals; // that there is room for
};

// One function that is being followed.
struct ws_run {
  struct ws_heap_flow *flow;
  struct ws_run *caller;
  unsigned calls;
  struct ws_reader reader;
  const uint8_t *code; // the content of the section
  uint32_t local_count, result_count, depth;
  // Where nothing branches: the locals that are used as addresses are not zero.
  uint32_t stretch;  // number of the stretch of such instructions
  uint32_t *used_in; // by local: the last stretch in which its value was so used
  uint32_t owed;     // guards that were set to what is in a local that has yet to be used
  uint16_t owed_by;  // the local after it
  size_t frame_count;
  struct ws_run_state now, taken; // by a branch
  struct ws_run_frame **frames;
};

// What cannot be followed ends it. Returns false.
bool ws_run_lose(struct ws_run *run);
// Gives a run that has its locals' number the room that it needs. False if memory runs out.
bool ws_run_begin(struct ws_run *run);
// The operand stack; a run that has more than there is room for is lost.
void ws_run_push(struct ws_run *run, struct ws_heap_value value);
struct ws_heap_value ws_run_pop(struct ws_run *run);
// The number of parameters and results of a type.
bool ws_run_type_counts(struct ws_run *run, uint64_t type, uint32_t *parameters, uint32_t *results);
// Blocks and branches. They return false if the run is lost.
bool ws_run_enter(struct ws_run *run, uint8_t opcode, uint32_t parameters, uint32_t results);
bool ws_run_enter_block(struct ws_run *run, const struct ws_instruction *instruction);
void ws_run_branch(struct ws_run *run, uint64_t label);
bool ws_run_branch_if(struct ws_run *run, uint64_t label);
bool ws_run_branch_table(struct ws_run *run, struct ws_reader at);
void ws_run_return_from(struct ws_run *run);
bool ws_run_otherwise(struct ws_run *run);
bool ws_run_leave(struct ws_run *run);

// What is done with values (heap_memory.c).

// The value, as a local has it or is given it.
struct ws_heap_value ws_run_get_local(const struct ws_run *run, uint32_t index);
void ws_run_set_local(struct ws_run *run, uint32_t index, const struct ws_heap_value *value);
// Something branches, or others run.
void ws_run_end_stretch(struct ws_run *run);

// The value goes to where it is not followed; with the address of a variable in the frame, so does what is
// there.
void ws_run_escape(struct ws_run *run, const struct ws_heap_value *value);
// The guards in whose variables it may point, before their end.
uint8_t ws_run_aims(const struct ws_heap_flow *flow, const struct ws_heap_value *value);
// The same, of an access at an unknown distance.
uint8_t ws_run_aims_at(const struct ws_heap_flow *flow, const struct ws_instruction *instruction);
// The operand of an instruction that copies or fills memory: what is in the frame is used, if it is there.
void ws_run_touch(struct ws_run *run, const struct ws_heap_value *value);
// Others may write to the frame, if they know where it is.
void ws_run_forget_slots(struct ws_run *run);
// Code of others may run, and grow the memory.
void ws_run_forget_order(struct ws_run *run);

// What becomes of variables that say where memory is (heap_range.c).

// Which of them is loaded.
void ws_range_load(const struct ws_heap_flow *flow, const struct ws_heap_value *address, uint64_t offset,
                   uint32_t width, struct ws_heap_value *value);
void ws_range_store(struct ws_run *run, const struct ws_heap_value *address, uint64_t offset, uint32_t width,
                    const struct ws_heap_value *value);
// The value is used as an address, or goes to others who may.
void ws_range_give(struct ws_heap_flow *flow, const struct ws_heap_value *value);
// They are compared, and one may be the bound of the other.
void ws_range_bound(struct ws_heap_flow *flow, const struct ws_heap_value *bound,
                    const struct ws_heap_value *other);
// The memory is grown by as much.
void ws_range_step(struct ws_heap_flow *flow, const struct ws_heap_value *pages);
// Two belong together if they are compared.
void ws_range_compare(struct ws_heap_flow *flow, const struct ws_heap_value *a,
                      const struct ws_heap_value *b);
// Whether the condition says, if it holds or if it does not, that something follows what was there before.
bool ws_range_follows(const struct ws_heap_value *condition, bool holds);
// Or that something lies beside what was grown.
bool ws_range_beside(const struct ws_heap_value *condition, bool holds);
// The variables of which it says that.
uint16_t ws_range_of_same(const struct ws_heap_flow *flow, const struct ws_heap_value *condition);
// They are not as they were before.
void ws_range_renew(struct ws_run_state *state, uint16_t bits);
// Others may have changed them.
void ws_range_forget(struct ws_run_state *state);

// What instructions give.
struct ws_heap_value ws_run_memory_size(struct ws_run *run);
struct ws_heap_value ws_run_memory_grow(struct ws_run *run, struct ws_heap_value pages);
struct ws_heap_value ws_run_relation(struct ws_run *run, uint8_t opcode, const struct ws_heap_value *a,
                                     const struct ws_heap_value *b);
// Whether the operand is __heap_base, not just a number; or __data_end, which may be as good.
int8_t ws_run_base_of(const struct ws_run *run, const uint8_t *operand);
// Whether it is __heap_end.
bool ws_run_is_end(const struct ws_run *run, const uint8_t *operand);
void ws_run_load(struct ws_run *run, const struct ws_instruction *instruction);
void ws_run_store(struct ws_run *run, const struct ws_instruction *instruction);

#endif
