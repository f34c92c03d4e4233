// The numbers of DWARF 2 to 5 that offsets between sections depend on, called as LLVM's
// llvm/BinaryFormat/Dwarf.h has them.
#ifndef WASMSHARE_DWARF_H
#define WASMSHARE_DWARF_H

#define DW_LENGTH_DWARF64 UINT32_C(0xffffffff) // before a length of 8 bytes

enum {
  DW_UT_type = 0x02,
  DW_UT_skeleton = 0x04,
  DW_UT_split_compile = 0x05,
  DW_UT_split_type = 0x06,
};

// Attributes whose value can be an offset into a section that is no list of locations.
enum {
  DW_AT_stmt_list = 0x10,
  DW_AT_macro_info = 0x43,
  DW_AT_ranges = 0x55,
  DW_AT_str_offsets_base = 0x72,
  DW_AT_addr_base = 0x73,
  DW_AT_rnglists_base = 0x74,
  DW_AT_macros = 0x79,
  DW_AT_loclists_base = 0x8c,
  DW_AT_GNU_macros = 0x2119,
  DW_AT_GNU_ranges_base = 0x2132,
  DW_AT_GNU_addr_base = 0x2133,
  DW_AT_LLVM_stmt_sequence = 0x3e0c,
};

// Attributes whose value can be a list of locations.
enum {
  DW_AT_location = 0x02,
  DW_AT_string_length = 0x19,
  DW_AT_return_addr = 0x2a,
  DW_AT_data_member_location = 0x38,
  DW_AT_frame_base = 0x40,
  DW_AT_segment = 0x46,
  DW_AT_static_link = 0x48,
  DW_AT_use_location = 0x4a,
  DW_AT_vtable_elem_location = 0x4d,
};

enum {
  DW_FORM_addr = 0x01,
  DW_FORM_block2 = 0x03,
  DW_FORM_block4 = 0x04,
  DW_FORM_data2 = 0x05,
  DW_FORM_data4 = 0x06,
  DW_FORM_data8 = 0x07,
  DW_FORM_string = 0x08,
  DW_FORM_block = 0x09,
  DW_FORM_block1 = 0x0a,
  DW_FORM_data1 = 0x0b,
  DW_FORM_flag = 0x0c,
  DW_FORM_sdata = 0x0d,
  DW_FORM_strp = 0x0e,
  DW_FORM_udata = 0x0f,
  DW_FORM_ref_addr = 0x10,
  DW_FORM_ref1 = 0x11,
  DW_FORM_ref2 = 0x12,
  DW_FORM_ref4 = 0x13,
  DW_FORM_ref8 = 0x14,
  DW_FORM_ref_udata = 0x15,
  DW_FORM_indirect = 0x16,
  DW_FORM_sec_offset = 0x17,
  DW_FORM_exprloc = 0x18,
  DW_FORM_flag_present = 0x19,
  DW_FORM_strx = 0x1a,
  DW_FORM_addrx = 0x1b,
  DW_FORM_data16 = 0x1e,
  DW_FORM_line_strp = 0x1f,
  DW_FORM_ref_sig8 = 0x20,
  DW_FORM_implicit_const = 0x21,
  DW_FORM_loclistx = 0x22,
  DW_FORM_rnglistx = 0x23,
  DW_FORM_strx1 = 0x25,
  DW_FORM_strx2 = 0x26,
  DW_FORM_strx3 = 0x27,
  DW_FORM_strx4 = 0x28,
  DW_FORM_addrx1 = 0x29,
  DW_FORM_addrx2 = 0x2a,
  DW_FORM_addrx3 = 0x2b,
  DW_FORM_addrx4 = 0x2c,
};

enum {
  DW_MACRO_define = 0x01,
  DW_MACRO_undef = 0x02,
  DW_MACRO_start_file = 0x03,
  DW_MACRO_end_file = 0x04,
  DW_MACRO_define_strp = 0x05,
  DW_MACRO_undef_strp = 0x06,
  DW_MACRO_import = 0x07,
  DW_MACRO_define_strx = 0x0b,
  DW_MACRO_undef_strx = 0x0c,
};

// Operations of expressions, with their operands, one letter each:
//
//   1 2 4 8 bytes   A an address   u ULEB128   s SLEB128   B ULEB128 and that many bytes   b a byte and as
//   many E an expression, with its size R an offset into .debug_info   W a WebAssembly location
#define DW_OPERATIONS(WITH)                                                                                  \
  WITH(0x03, "A")  /* addr */                                                                                \
  WITH(0x08, "1")  /* const1u */                                                                             \
  WITH(0x09, "1")  /* const1s */                                                                             \
  WITH(0x0a, "2")  /* const2u */                                                                             \
  WITH(0x0b, "2")  /* const2s */                                                                             \
  WITH(0x0c, "4")  /* const4u */                                                                             \
  WITH(0x0d, "4")  /* const4s */                                                                             \
  WITH(0x0e, "8")  /* const8u */                                                                             \
  WITH(0x0f, "8")  /* const8s */                                                                             \
  WITH(0x10, "u")  /* constu */                                                                              \
  WITH(0x11, "s")  /* consts */                                                                              \
  WITH(0x15, "1")  /* pick */                                                                                \
  WITH(0x23, "u")  /* plus_uconst */                                                                         \
  WITH(0x28, "2")  /* bra */                                                                                 \
  WITH(0x2f, "2")  /* skip */                                                                                \
  WITH(0x90, "u")  /* regx */                                                                                \
  WITH(0x91, "s")  /* fbreg */                                                                               \
  WITH(0x92, "us") /* bregx */                                                                               \
  WITH(0x93, "u")  /* piece */                                                                               \
  WITH(0x94, "1")  /* deref_size */                                                                          \
  WITH(0x95, "1")  /* xderef_size */                                                                         \
  WITH(0x98, "2")  /* call2 */                                                                               \
  WITH(0x99, "4")  /* call4 */                                                                               \
  WITH(0x9a, "R")  /* call_ref */                                                                            \
  WITH(0x9d, "uu") /* bit_piece */                                                                           \
  WITH(0x9e, "B")  /* implicit_value */                                                                      \
  WITH(0xa0, "Rs") /* implicit_pointer */                                                                    \
  WITH(0xa1, "u")  /* addrx */                                                                               \
  WITH(0xa2, "u")  /* constx */                                                                              \
  WITH(0xa3, "E")  /* entry_value */                                                                         \
  WITH(0xa4, "ub") /* const_type */                                                                          \
  WITH(0xa5, "uu") /* regval_type */                                                                         \
  WITH(0xa6, "1u") /* deref_type */                                                                          \
  WITH(0xa7, "1u") /* xderef_type */                                                                         \
  WITH(0xa8, "u")  /* convert */                                                                             \
  WITH(0xa9, "u")  /* reinterpret */                                                                         \
  WITH(0xed, "W")  /* WASM_location */                                                                       \
  WITH(0xf2, "Rs") /* GNU_implicit_pointer */                                                                \
  WITH(0xf3, "E")  /* GNU_entry_value */                                                                     \
  WITH(0xfb, "u")  /* GNU_addr_index */                                                                      \
  WITH(0xfc, "u")  /* GNU_const_index */

enum {
  DW_OP_breg0 = 0x70,
  DW_OP_breg31 = 0x8f,
  DW_OP_lo_user = 0xe0,
  DW_OP_GNU_push_tls_address = 0xe0,
};

// Kinds of WebAssembly locations (yurydelendik.github.io/webassembly-dwarf).
enum { DW_WASM_LOCAL, DW_WASM_GLOBAL, DW_WASM_OPERAND_STACK, DW_WASM_GLOBAL_U32 };

#endif
