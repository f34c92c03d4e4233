#include "exact.h"

// What position-independent code adds to the addresses and to the table indices in it.
static bool is_base(const struct ws_module *module, uint32_t global) {
  struct ws_slice symbol;
  return global < module->global_count && ws_got_data_symbol(module->globals[global].name, &symbol) &&
         (ws_slice_is(symbol, "__memory_base") || ws_slice_is(symbol, "__table_base"));
}

static bool is_table_index(const struct ws_module_info *info, uint64_t value) {
  return info->has_table && value >= info->table_base && value - info->table_base < info->table_size;
}

static bool is_pic(const struct ws_module *module) {
  for (uint32_t i = 0; i < module->global_count; i++)
    if (is_base(module, i))
      return true;
  return false;
}

// What the rest of this file looks for are bytes that could be an operand. What is found may be part of
// something else: it is used only to refuse, never to move anything.

struct leb {
  uint64_t value; // unsigned
  size_t size;
  uint8_t last; // byte
  bool sign;    // the highest bit in front of that byte
};

// Reads the LEB128 at `at`, of `most` bytes at most. False if there is none.
static bool read_leb(struct ws_slice bytes, size_t at, size_t most, struct leb *leb) {
  *leb = (struct leb){0};
  for (; leb->size < most && at + leb->size < bytes.size; leb->size++) {
    uint8_t byte = bytes.data[at + leb->size];
    leb->value |= (uint64_t)(byte & 0x7f) << (7 * leb->size);
    leb->last = byte;
    if (byte < 0x80) {
      leb->size++;
      return true;
    }
    leb->sign = byte & 0x40;
  }
  return false;
}

// Whether it is as wide as what linkers relocate, and its value needs less: then a linker wrote it. A
// positive signed number ends with a byte of zeros when its highest bit is the one before that.
static bool is_padded(const struct leb *leb, bool is_signed) {
  return (leb->size == 5 || leb->size == 10) && leb->last == (is_signed && leb->sign ? 0x7f : 0x00);
}

// An operand: what follows a constant, a global's name, a call, or the alignment of a load or store.
struct operand {
  enum { NO_OPERAND, ADDRESS, GLOBAL, OTHER } kind;
  uint64_t value;
  bool padded;
};

// Finds one at `at`, by what is before it.
static struct operand operand_at(const struct ws_module *module, struct ws_slice body, size_t at) {
  struct operand operand = {NO_OPERAND, 0, false};
  struct leb leb;
  uint8_t before = body.data[at - 1], opcode = at > 1 ? body.data[at - 2] : 0,
          prefix = at > 2 ? body.data[at - 3] : 0;
  bool constant = before == WASM_OPCODE_I32_CONST || before == WASM_OPCODE_I64_CONST;
  bool memarg = before <= 4 && ((opcode >= WASM_OPCODE_I32_LOAD && opcode <= WASM_OPCODE_I64_STORE32) ||
                                prefix == WASM_OPCODE_SIMD_PREFIX || prefix == WASM_OPCODE_ATOMICS_PREFIX);
  if (!read_leb(body, at, 10, &leb))
    return operand;
  if (constant || memarg)
    operand.kind = ADDRESS;
  else if (before == WASM_OPCODE_GLOBAL_GET)
    operand.kind = GLOBAL;
  else if (before == WASM_OPCODE_CALL)
    operand.kind = OTHER;
  // Constants above 128 MiB need their last byte.
  bool high = module->memory.minimum > (UINT64_C(1) << 27) / WS_PAGE_SIZE;
  operand.value = leb.value;
  operand.padded = is_padded(&leb, constant && !high);
  return operand;
}

// Whether a constant may be a pointer: an index of the function table, or an address of what the module has
// or the linker defines. Linkers leave the first 1024 bytes free.
static bool may_be_pointer(const struct ws_module *module, uint64_t value) {
  const struct ws_module_info *info = &module->info;
  uint64_t end = ws_memory_size(module);
  if (is_table_index(info, value))
    return true;
  if (value < 1024 || value > end)
    return false;
  if (info->data_end > info->data_base ||
      module->memory_import == SIZE_MAX) // then zeroed data can be anywhere
    return true;
  bool knows_heap = info->has_stack;
  for (uint32_t i = 0; i < module->global_count; i++)
    knows_heap |= module->globals[i].moves && module->globals[i].base == WS_BASE_HEAP_BASE;
  return value == info->stack_low || value == info->stack_pointer || value == module->heap_base ||
         value == end || (!knows_heap && value % 16 == 0);
}

// Whether a function has an operand that is an address, or a table index, and takes no base that it could be
// added to. A function as a whole is compiled to be position-independent, or not.
static bool is_absolute(const struct ws_module *module, struct ws_slice body, bool rewritten) {
  bool absolute = false;
  for (size_t i = 1; i < body.size; i++) {
    struct operand operand = operand_at(module, body, i);
    if (operand.kind == GLOBAL && operand.value < module->global_count &&
        is_base(module, (uint32_t)operand.value))
      return false;
    absolute |=
        operand.kind == ADDRESS && (operand.padded || (rewritten && may_be_pointer(module, operand.value)));
  }
  return absolute;
}

// What rewrites a module, such as wasm-opt, leaves no padding: then any constant that could be an address has
// to be taken for one.
static bool is_rewritten(const struct ws_module *module, struct ws_slice code) {
  for (size_t i = 1; i < code.size; i++) {
    struct operand operand = operand_at(module, code, i);
    if (operand.kind != NO_OPERAND && operand.padded)
      return false;
  }
  return true;
}

static bool has_absolute_function(const struct ws_module *module) {
  const struct ws_section *code = ws_section(module, WS_SECTION_CODE);
  bool rewritten = code && is_rewritten(module, code->content);
  for (uint32_t i = 0; i < module->function_count; i++) {
    const struct ws_function *function = &module->functions[i];
    struct ws_slice body = {code->content.data + function->offset, function->size};
    if (!function->synthetic && is_absolute(module, body, rewritten))
      return true;
  }
  return false;
}

static void judge_without_relocations(struct ws_module *module, bool trust_pic) {
  static const char advice[] = "link with -Wl,--emit-relocs (rustc: -Clink-arg=--emit-relocs)";
  bool has_data = module->info.data_end > module->info.data_base, pic = is_pic(module), initialised = false;
  for (size_t i = 0; i < module->segment_count; i++)
    initialised |= !ws_slice_is_zero(module->segments[i].bytes);
  if ((has_data && !pic) || (!trust_pic && has_absolute_function(module)))
    ws_module_refuse(module, NULL, "has no linking section, so its pointers cannot be found: %s", advice);
  else if (pic && module->memory_import == SIZE_MAX)
    ws_module_refuse(
        module, NULL,
        "has no linking section, and defines its memory, so nothing says where its zeroed data is: "
        "link with -Wl,--import-memory, or %s",
        advice + sizeof "link with " - 1);
  else if (initialised && !trust_pic)
    ws_module_refuse(module, NULL,
                     "is position-independent, but has no linking section, and its initialised data may hold "
                     "pointers: %s, or use --trust-pic if all its code is PIC and no static holds a pointer",
                     advice);
}

// Relocations come after everything that they are for, so a file that was cut off between two sections can
// still be a module. What linkers write after them (names, producers, features) shows that it is whole;
// --strip-all leaves none of that, but no DWARF either.
static bool ends_with_relocations(const struct ws_module *module) {
  const struct ws_section *last = &module->sections[module->section_count - 1];
  return last->id == WS_SECTION_CUSTOM &&
         (ws_slice_is(last->name, "linking") || ws_slice_starts(last->name, "reloc."));
}

// Whether relocations may be missing: the file may end too early, or llvm-objcopy took sections away.
static bool may_lack_relocations(const struct ws_module *module) {
  return ends_with_relocations(module) || ws_custom_section(module, ".objcopy.removed");
}

// Whether some word of the data is the address of data or an index of the function table. Used only to
// refuse: what is no such word is no pointer.
static bool may_hold_pointers(const struct ws_module *module) {
  const struct ws_module_info *info = &module->info;
  for (size_t i = 0; i < module->segment_count; i++) {
    struct ws_slice bytes = module->segments[i].bytes;
    for (size_t k = 0; k + 4 <= bytes.size; k++) {
      uint64_t word;
      ws_operand_get(bytes.data + k, WS_U32, &word);
      if ((word >= info->data_base && word <= info->data_end) || is_table_index(info, word))
        return true;
    }
  }
  return false;
}

static bool has_data_symbols(const struct ws_module *module) {
  for (uint32_t i = 0; i < module->symbol_count; i++)
    if (module->symbols[i].kind == WS_SYMBOL_DATA)
      return true;
  return false;
}

// Whether some bytes of the code could be an operand that the linker relocated: one that is longer than its
// value needs, as it makes all of those but addresses above 128 MiB; or an address, should something have
// written it anew. Used only to refuse, as above: a function that only computes, or follows the pointers that
// it is given, calls nothing and uses no variable, has none.
static bool may_hold_operands(const struct ws_module *module, struct ws_slice code) {
  const struct ws_module_info *info = &module->info;
  const struct ws_section *data = ws_section(module, WS_SECTION_DATA);
  bool addresses = has_data_symbols(module);
  // The relocations of code come before those of data.
  bool whole = !may_lack_relocations(module) || (data && data->relocated);
  for (size_t i = 0; i < code.size; i++) {
    struct leb leb;
    if (!read_leb(code, i, 5, &leb))
      continue;
    if (is_padded(&leb, true))
      return true;
    uint64_t value = (uint32_t)leb.value;
    bool wide = leb.size == 5;
    if (whole)
      continue;
    if (addresses &&
        ((info->data_end > info->data_base && value >= info->data_base && value <= info->data_end) ||
         (info->has_stack && value != 0 && (value == info->stack_low || value == info->stack_pointer)) ||
         value == module->heap_base || (wide && value <= module->heap_base)))
      return true;
    if (is_table_index(info, value))
      return true;
  }
  return false;
}

static bool lacks_relocations(const struct ws_module *module) {
  if (!may_lack_relocations(module))
    return false;
  for (size_t i = 0; i < module->section_count; i++)
    if (module->sections[i].id == WS_SECTION_CUSTOM && ws_slice_starts(module->sections[i].name, ".debug_"))
      return true;
  const struct ws_section *data = ws_section(module, WS_SECTION_DATA);
  return data && !data->relocated && may_hold_pointers(module);
}

void ws_check_exact(struct ws_module *module, bool trust_pic) {
  const struct ws_section *code = ws_section(module, WS_SECTION_CODE);
  if (!module->has_memory) {
    ws_module_refuse(module, NULL, "has no memory, so there is nothing to share");
  } else if (!module->has_linking) {
    judge_without_relocations(module, trust_pic);
  } else if (code && !code->relocated && may_hold_operands(module, code->content)) {
    ws_module_refuse(
        module, "linking",
        "has a linking section, but no relocations of its code: the file was cut off, or stripped of "
        "them");
  } else if (lacks_relocations(module)) {
    ws_module_refuse(
        module, NULL,
        "%s, and some of its relocations may be missing: the file was cut off, or stripped after linking "
        "(keep at least the target_features or the name section)",
        ends_with_relocations(module) ? "ends with its relocations" : "had sections removed by llvm-objcopy");
  }
}
