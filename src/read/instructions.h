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

#endif
