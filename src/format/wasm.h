// The numbers of the binary formats: the core specification (chapter 5), the tool conventions (Linking.md),
// and the proposals that linkers use. Those that LLVM's llvm/BinaryFormat/Wasm.h has are called as they are
// there.
#ifndef WASMSHARE_WASM_H
#define WASMSHARE_WASM_H

#include <stdbool.h>
#include <stdint.h>

enum ws_section_id {
  WS_SECTION_CUSTOM = 0,
  WS_SECTION_TYPE = 1,
  WS_SECTION_IMPORT = 2,
  WS_SECTION_FUNCTION = 3,
  WS_SECTION_TABLE = 4,
  WS_SECTION_MEMORY = 5,
  WS_SECTION_GLOBAL = 6,
  WS_SECTION_EXPORT = 7,
  WS_SECTION_START = 8,
  WS_SECTION_ELEMENT = 9,
  WS_SECTION_CODE = 10,
  WS_SECTION_DATA = 11,
  WS_SECTION_DATA_COUNT = 12,
  WS_SECTION_TAG = 13,
};

enum {
  WASM_TYPE_NORESULT = 0x40, // of a block
  WASM_TYPE_FUNC = 0x60,
  WASM_TYPE_F64 = 0x7c,
  WASM_TYPE_F32 = 0x7d,
  WASM_TYPE_I64 = 0x7e,
  WASM_TYPE_I32 = 0x7f,
  WASM_TYPE_NULLABLE = 0x63, // (ref null ht)
  WASM_TYPE_NONNULLABLE = 0x64,
  WASM_TYPE_FUNCREF = 0x70,
};

enum {
  WASM_LIMITS_FLAG_HAS_MAX = 0x1,
  WASM_LIMITS_FLAG_IS_SHARED = 0x2,
  WASM_LIMITS_FLAG_IS_64 = 0x4,
  WASM_LIMITS_FLAG_HAS_PAGE_SIZE = 0x8,
};

enum { WASM_TABLE_INITIALISED = 0x40 }; // in front of the type of a table with an initialiser

enum {
#define WS_OPCODE(number, name, immediates) WASM_OPCODE_##name = number,
#include "format/opcodes.def"
  WASM_OPCODE_MISC_PREFIX = 0xfc,
  WASM_OPCODE_SIMD_PREFIX = 0xfd,
  WASM_OPCODE_ATOMICS_PREFIX = 0xfe,
};

enum { WASM_MEMARG_HAS_MEMORY = 0x40 }; // in the alignment: the index of a memory follows

enum { // after WASM_OPCODE_MISC_PREFIX
#define WS_MISC_OPCODE(number, name, immediates) WASM_OPCODE_##name = number,
#include "format/opcodes.def"
};

enum { // after WASM_OPCODE_SIMD_PREFIX
#define WS_SIMD_OPCODE(number, name, immediates) WASM_OPCODE_##name = number,
#include "format/opcodes.def"
};

enum { // after WASM_OPCODE_ATOMICS_PREFIX
#define WS_ATOMIC_OPCODE(number, name, immediates) WASM_OPCODE_##name = number,
#include "format/opcodes.def"
};

static inline uint8_t ws_address_type(bool is_64) {
  return is_64 ? WASM_TYPE_I64 : WASM_TYPE_I32;
}
static inline uint8_t wasm_opcode_const(bool is_64) {
  return is_64 ? WASM_OPCODE_I64_CONST : WASM_OPCODE_I32_CONST;
}

static inline uint8_t wasm_limits_flags(bool has_maximum, bool shared, bool is_64) {
  return (uint8_t)((has_maximum ? WASM_LIMITS_FLAG_HAS_MAX : 0) | (shared ? WASM_LIMITS_FLAG_IS_SHARED : 0) |
                   (is_64 ? WASM_LIMITS_FLAG_IS_64 : 0));
}

// Subsections of "linking"
enum { WASM_SEGMENT_INFO = 5, WASM_INIT_FUNCS = 6, WASM_SYMBOL_TABLE = 8 };

// linking.md: WASM_SYMBOL_TABLE
enum ws_symbol_kind {
  WS_SYMBOL_FUNCTION,
  WS_SYMBOL_DATA,
  WS_SYMBOL_GLOBAL,
  WS_SYMBOL_SECTION,
  WS_SYMBOL_TAG,
  WS_SYMBOL_TABLE,
};

enum ws_symbol_flag {
  WS_SYMBOL_WEAK = 0x1,
  WS_SYMBOL_LOCAL = 0x2,
  WS_SYMBOL_HIDDEN = 0x4,
  WS_SYMBOL_UNDEFINED = 0x10,
  WS_SYMBOL_EXPORTED = 0x20,
  WS_SYMBOL_NO_STRIP = 0x80,
  WS_SYMBOL_EXPLICIT_NAME = 0x40,
  WS_SYMBOL_TLS = 0x100,
  WS_SYMBOL_ABSOLUTE = 0x200,
};

enum ws_relocation_type {
#define WS_RELOCATION(number, name, encoding, operand, has_addend) R_WASM_##name = number,
#include "format/relocations.def"
};

// Subsections of "name"
enum { WASM_NAMES_FUNCTION = 1, WASM_NAMES_GLOBAL = 7 };

#endif
