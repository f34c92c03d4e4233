// Decodes function bodies, as far as their operands go (core specification, 5.4, and the proposals for
// threads and exceptions).
#ifndef WASMSHARE_INSTRUCTIONS_H
#define WASMSHARE_INSTRUCTIONS_H

#include "base/bytes.h"

struct ws_instruction {
  uint8_t opcode; // or its prefix
  enum ws_operand_kind {
    WS_OPERAND_NONE,
    WS_OPERAND_CONSTANT, // of i32.const or i64.const
    WS_OPERAND_OFFSET,   // of a load or store
    WS_OPERAND_INDEX,    // of a function, type, table, global or tag
  } kind;
  uint32_t suffix; // what follows a prefix
  uint64_t
      value;     // of the last operand; of a block, its type; of a branch, its label; of local.get, the local
  uint8_t width; // of the last operand, in bytes
  bool padded;   // an operand has the full width of 5 or 10 bytes and needs less, as linkers leave what they
                 // relocate
  bool accesses_memory;
};

// Skips the local declarations at the start of a function's body.
void ws_skip_locals(struct ws_reader *body);

// Reads the next instruction. An unknown or malformed one makes the reader bad.
struct ws_instruction ws_read_instruction(struct ws_reader *body);

// The space that an operand's number is of.
enum ws_space {
  WS_SPACE_FUNCTION,
  WS_SPACE_TYPE,
  WS_SPACE_GLOBAL,
  WS_SPACE_TABLE,
  WS_SPACE_MEMORY,
  WS_SPACE_TAG,
  WS_SPACE_DATA_SEGMENT,
  WS_SPACE_ELEMENT_SEGMENT,
  WS_SPACE_CONSTANT, // of i32.const and i64.const, which may be addresses and table indices
  WS_SPACE_OFFSET,   // of loads and stores, which may be addresses
};

// A number in a function's body.
struct ws_operand {
  enum ws_space space;
  uint32_t offset; // in what the reader reads
  uint8_t width;   // in bytes
  uint64_t value;
};

// Called with each operand, in order; `context` is the caller's.
struct ws_operand_visitor {
  void (*visit)(void *context, const struct ws_operand *operand);
  void *context;
};

// Skips the local declarations, and shows the types that they name.
void ws_visit_locals(struct ws_reader *body, const struct ws_operand_visitor *visitor);

// Reads the next instruction, and shows all its operands.
struct ws_instruction ws_visit_instruction(struct ws_reader *body, const struct ws_operand_visitor *visitor);

// Plain instructions, which are most: they name nothing by an index.
struct ws_plain {
  // By opcode: how long it is if every LEB128 in it has one byte, or 0 if it is not plain; the bit of its
  // last byte that says that there are more; and which bits of the byte after the opcode must be as in
  // `wanted`.
  struct {
    uint8_t size, more, given, wanted;
  } of[256];
};

void ws_find_plain(struct ws_plain *plain);

// Passes plain instructions that end at `stop` or before, but not the last one. It may stop before others,
// too.
void ws_pass_plain(const struct ws_plain *plain, struct ws_reader *body, const uint8_t *stop);

// What a one-byte opcode is followed by: letters of format/opcodes.def and then WS_NO_MORE. "" if it is a
// prefix, or not known.
#define WS_NO_MORE ';'
const char *ws_immediates(uint8_t opcode);

#endif
