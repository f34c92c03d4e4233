#include "exact.h"

// Position-independent code reaches its data through this global, and through GOT globals; all are known by
// name.
static bool is_pic(const struct ws_module *module) {
  for (uint32_t i = 0; i < module->global_count; i++)
    if (ws_slice_is(module->globals[i].name, "GOT.data.internal.__memory_base"))
      return true;
  return false;
}

static void judge_without_relocations(struct ws_module *module, bool trust_pic) {
  static const char advice[] = "link with -Wl,--emit-relocs (rustc: -Clink-arg=--emit-relocs)";
  bool has_data = module->info.data_end > module->info.data_base, initialised = false;
  for (size_t i = 0; i < module->segment_count; i++)
    initialised |= !ws_slice_is_zero(module->segments[i].bytes);
  if (has_data && !is_pic(module))
    ws_module_refuse(module, NULL, "has no linking section, so its pointers cannot be found: %s", advice);
  else if (initialised && !trust_pic)
    ws_module_refuse(module, NULL,
                     "is position-independent, but has no linking section, and its initialised data may hold "
                     "pointers: %s, or use --trust-pic if all its code is PIC and no static holds a pointer",
                     advice);
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
      if ((word >= info->data_base && word <= info->data_end) ||
          (info->has_table && word >= info->table_base && word - info->table_base < info->table_size))
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
  bool addresses = has_data_symbols(module);
  for (size_t i = 0; i < code.size; i++) {
    uint64_t value = 0;
    size_t size = 0;
    for (; size < 4 && i + size < code.size && code.data[i + size] >= 0x80; size++)
      value |= (uint64_t)(code.data[i + size] & 0x7f) << (7 * size);
    if (i + size == code.size || code.data[i + size] >= 0x80)
      continue;
    uint8_t last = code.data[i + size];
    value = (uint32_t)(value | (uint64_t)last << (7 * size));
    bool wide = size == 4, negative = wide && (code.data[i + 3] & 0x40);
    if (wide && last == (negative ? 0x7f : 0x00))
      return true;
    if (addresses &&
        ((info->data_end > info->data_base && value >= info->data_base && value <= info->data_end) ||
         (info->has_stack && value != 0 && (value == info->stack_low || value == info->stack_pointer)) ||
         value == module->heap_base || (wide && value <= module->heap_base)))
      return true;
    if (info->table_size > 0 && value >= info->table_base && value - info->table_base < info->table_size)
      return true;
  }
  return false;
}

// Relocations come after everything that they are for, so a file that was cut off between two sections can
// still be a module. What linkers write after them (names, producers, features) shows that it is whole;
// --strip-all leaves none of that, but no DWARF either.
static bool may_be_cut_off(const struct ws_module *module) {
  const struct ws_section *last = &module->sections[module->section_count - 1];
  if (last->id != WS_SECTION_CUSTOM ||
      (!ws_slice_is(last->name, "linking") && !ws_slice_starts(last->name, "reloc.")))
    return false;
  for (size_t i = 0; i < module->section_count; i++)
    if (module->sections[i].id == WS_SECTION_CUSTOM && ws_slice_starts(module->sections[i].name, ".debug_"))
      return true;
  const struct ws_section *data = ws_section(module, WS_SECTION_DATA);
  return data && !data->relocated && may_hold_pointers(module);
}

void ws_judge(struct ws_module *module, bool trust_pic) {
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
  } else if (may_be_cut_off(module)) {
    ws_module_refuse(
        module, NULL,
        "ends with its relocations, and some may be missing: the file was cut off, or stripped after "
        "linking (keep at least the target_features or the name section)");
  }
}
