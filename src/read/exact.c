#include "read/exact.h"

#include <stdio.h>

#include "read/instructions.h"
#include "read/toolchain.h"
#include "read/unrelocated_data.h"

// ------------------------------------------------------------------------------------- without relocations

// What position-independent code adds to the addresses and to the table indices in it.
static bool is_base(const struct ws_module *module, uint64_t global) {
  struct ws_slice symbol;
  return global < module->global_count && ws_got_data_symbol(module->globals[global].name, &symbol) &&
         (ws_slice_is(symbol, "__memory_base") || ws_slice_is(symbol, "__table_base"));
}

static bool is_pic(const struct ws_module *module) {
  for (uint32_t i = 0; i < module->global_count; i++)
    if (is_base(module, i))
      return true;
  return false;
}

// What there is in a function, or in all of them.
struct operands {
  bool relocated; // as only linkers leave them
  bool constants; // or loads, or stores: anything that can have an address in it
  bool absolute;  // addresses or table indices, and no base that they could be added to
};

// A linker pads what it relocates to its full width. Constants from 128 MiB on, and offsets from 256 MiB on,
// need that anyway.
static bool may_be_relocated(const struct ws_module *module, const struct ws_instruction *instruction) {
  bool high = module->memory.minimum >= (UINT64_C(1) << 27) / WS_PAGE_SIZE;
  bool wide = instruction->width == 5 || (module->memory.is_64 && instruction->width == 10);
  return instruction->padded || (high && wide);
}

static bool is_address_operand(const struct ws_instruction *instruction) {
  return instruction->kind == WS_OPERAND_CONSTANT || instruction->kind == WS_OPERAND_OFFSET;
}

// Position-independent code gets a base from a global; one function is compiled to be so, or not. False if it
// cannot be decoded.
static bool find_operands(const struct ws_module *module, struct ws_slice body, struct operands *operands) {
  struct ws_reader reader = ws_reader(body);
  bool takes_base = false, has_addresses = false;
  ws_skip_locals(&reader);
  while (!reader.bad && reader.at < reader.end) {
    struct ws_instruction instruction = ws_read_instruction(&reader);
    bool address = is_address_operand(&instruction);
    takes_base |= instruction.opcode == WASM_OPCODE_GLOBAL_GET && is_base(module, instruction.value);
    has_addresses |= address && may_be_relocated(module, &instruction);
    operands->relocated |= instruction.padded;
    operands->constants |= address || instruction.accesses_memory;
  }
  operands->absolute |= has_addresses && !takes_base;
  return !reader.bad;
}

// Whether a global holds a number that no linker has explained by a name of its own.
static bool has_own_globals(const struct ws_module *module) {
  for (uint32_t i = 0; i < module->global_count; i++) {
    const struct ws_global *global = &module->globals[i];
    if (!global->imported && !global->moves && global->init.kind != WS_CONSTANT_OTHER &&
        !ws_linker_symbol(global->name))
      return true;
  }
  return false;
}

// Whether there is no address or table index in the code but what is added to a base. What rewrites a module,
// such as wasm-opt, leaves no padding: then nothing tells an address from any other number, in code or in a
// global.
static bool is_code_exact(const struct ws_module *module) {
  struct operands operands = {0};
  for (uint32_t i = 0; i < module->function_count; i++)
    if (!module->functions[i].synthetic && !find_operands(module, ws_function_body(module, i), &operands))
      return false;
  return operands.relocated ? !operands.absolute : !operands.constants && !has_own_globals(module);
}

// What a global of that name holds is the linker's, or the address of a variable of the program's own that is
// called so: what the linker defines does not lie within the data.
static bool is_ambiguous(const struct ws_module *module, const struct ws_global *global,
                         struct ws_slice name) {
  const struct ws_module_info *info = &module->info;
  ws_got_data_symbol(name, &name);
  const struct ws_linker_symbol *known = ws_linker_symbol(name);
  return known && !(known->moves && known->base == WS_BASE_MEMORY) && !global->imported &&
         !ws_slice_is(name, "__stack_pointer") && global->init.value >= info->data_base &&
         global->init.value < info->data_end;
}

// The name of a global of which that is not known; an empty one if there is none.
static struct ws_slice ambiguous_name(const struct ws_module *module) {
  for (uint32_t i = 0; i < module->global_count; i++)
    if (is_ambiguous(module, &module->globals[i], module->globals[i].name))
      return module->globals[i].name;
  for (size_t i = 0; i < module->export_count; i++) {
    const struct ws_export *export = &module->exports[i];
    if (export->kind == WS_GLOBAL && is_ambiguous(module, &module->globals[export->index], export->name))
      return export->name;
  }
  return (struct ws_slice){NULL, 0};
}

static void refuse_ambiguous(struct ws_module *module, struct ws_slice symbol) {
  char name[128], why[192];
  snprintf(why, sizeof why, "and nothing says whether %s is the linker's or a variable of the program's own",
           ws_printable(symbol, name, sizeof name));
  ws_refuse_unlinked(module, "GLOBAL", why, "");
}

static void check_without_relocations(struct ws_module *module, bool trust_pic) {
  bool has_data = module->info.data_end > module->info.data_base, pic = is_pic(module), initialised = false;
  struct ws_slice ambiguous = ambiguous_name(module);
  for (size_t i = 0; i < module->segment_count; i++)
    initialised |= !ws_slice_is_zero(module->segments[i].bytes);
  if (has_data && !pic)
    ws_refuse_unlinked(module, NULL, "so its pointers cannot be found", WS_IF_PLACED);
  else if (!trust_pic && !is_code_exact(module))
    ws_refuse_unlinked(module, NULL, "and nothing tells numbers in its code from addresses",
                       ", or use --trust-pic if all its code is PIC");
  else if (ambiguous.size)
    refuse_ambiguous(module, ambiguous);
  else if (pic && module->memory_import == SIZE_MAX)
    ws_refuse_unlinked(module, NULL, "and defines its memory, so nothing says where its zeroed data is",
                       ", or with -Wl,--import-memory");
  else if (initialised && !trust_pic)
    ws_refuse_unlinked(module, NULL,
                       "and is position-independent, but its initialised data may hold pointers",
                       ", or use --trust-pic if all its code is PIC and no static holds a pointer");
}

// ---------------------------------------------------------------------------------- with relocations missing

// Relocations come after everything that they are for, so a file that was cut off between two sections can
// still be a module. What linkers write after them (names, producers, features) shows that it is whole;
// --strip-all leaves none of that, but no DWARF either.
static bool ends_with_relocations(const struct ws_module *module) {
  const struct ws_section *last = &module->sections[module->section_count - 1];
  return last->id == WS_SECTION_CUSTOM &&
         (ws_slice_is(last->name, "linking") || ws_slice_starts(last->name, "reloc."));
}

// Whether llvm-objcopy, which leaves an empty section in place of each, took sections away that may have had
// relocations: those are before all that linkers write after them.
static bool has_lost_sections(const struct ws_module *module) {
  static const char *const later[] = {"name", "producers", "target_features"};
  const struct ws_section *lost = ws_custom_section(module, ".objcopy.removed");
  bool may_be = lost != NULL;
  for (size_t i = 0; i < sizeof later / sizeof *later && may_be; i++) {
    const struct ws_section *section = ws_custom_section(module, later[i]);
    may_be = !section || section > lost;
  }
  return may_be;
}

// Whether relocations may be missing: the file may end too early, or they were taken away.
static bool may_lack_relocations(const struct ws_module *module) {
  return ends_with_relocations(module) || has_lost_sections(module);
}

static bool has_data_symbols(const struct ws_module *module) {
  for (uint32_t i = 0; i < module->symbol_count; i++)
    if (module->symbols[i].kind == WS_SYMBOL_DATA)
      return true;
  return false;
}

// Whether an operand that is not as linkers leave them is the value of what may have been relocated, should
// something have written it anew. Used only to refuse, as above.
static bool may_be_pointer(const struct ws_module *module, const struct ws_instruction *instruction) {
  const struct ws_module_info *info = &module->info;
  uint64_t value = instruction->value;
  bool is_address =
      (info->data_end > info->data_base && value >= info->data_base && value <= info->data_end) ||
      (info->has_stack && value != 0 && (value == info->stack_low || value == info->stack_pointer)) ||
      value == module->heap_base || (instruction->width >= 5 && value <= module->heap_base);
  return (is_address && has_data_symbols(module)) || ws_is_table_index(module, value);
}

// Whether the code has operands that a linker relocated. A function that only computes, or follows the
// pointers that it is given, calls nothing and uses no variable, has none.
static bool has_relocated_operands(const struct ws_module *module) {
  const struct ws_section *data = ws_section(module, WS_SECTION_DATA);
  // The relocations of code come before those of data.
  bool whole = !may_lack_relocations(module) || (data && data->relocated);
  for (uint32_t i = 0; i < module->function_count; i++) {
    if (module->functions[i].synthetic)
      continue;
    struct ws_reader body = ws_reader(ws_function_body(module, i));
    ws_skip_locals(&body);
    while (body.at < body.end) {
      struct ws_instruction instruction = ws_read_instruction(&body);
      if (body.bad || instruction.padded ||
          (!whole && is_address_operand(&instruction) && may_be_pointer(module, &instruction)))
        return true;
    }
  }
  return false;
}

// Whether there are relocations that linkers write after those of data.
static bool has_later_relocations(const struct ws_module *module, const struct ws_section *data) {
  for (const struct ws_section *section = data + 1; section < module->sections + module->section_count;
       section++)
    if (section->relocated)
      return true;
  return false;
}

static bool lacks_relocations(const struct ws_module *module) {
  if (!may_lack_relocations(module))
    return false;
  for (size_t i = 0; i < module->section_count; i++)
    if (module->sections[i].id == WS_SECTION_CUSTOM && ws_slice_starts(module->sections[i].name, ".debug_"))
      return true;
  const struct ws_section *data = ws_section(module, WS_SECTION_DATA);
  return data && !data->relocated && !has_later_relocations(module, data) &&
         ws_may_hold_pointers(module, data, false);
}

// Whether a function that was exported when the module was linked is not any more. What takes exports away,
// as Wizer does with the function that it has called, may have changed data too, in ways that no relocation
// tells of.
static bool lost_exports(const struct ws_module *module) {
  size_t exported = 0, exports = 0;
  bool wizer = false;
  for (uint32_t i = 0; i < module->symbol_count; i++) {
    const struct ws_symbol *symbol = &module->symbols[i];
    if (symbol->kind != WS_SYMBOL_FUNCTION || (symbol->flags & WS_SYMBOL_UNDEFINED))
      continue;
    exported += (symbol->flags & WS_SYMBOL_EXPORTED) != 0;
    wizer |= ws_slice_is(symbol->name, "wizer.initialize") && !ws_find_export(module, symbol->name);
  }
  for (size_t i = 0; i < module->export_count; i++)
    exports += module->exports[i].kind == WS_FUNCTION;
  return wizer || exports < exported;
}

// What lld leaves out, but counts, is null.
static bool left_out_pointers(const struct ws_module *module) {
  const struct ws_section *data = ws_section(module, WS_SECTION_DATA);
  return data && data->left_out && ws_may_hold_pointers(module, data, true);
}

void ws_check_exact(struct ws_module *module, bool trust_pic) {
  const struct ws_section *code = ws_section(module, WS_SECTION_CODE);
  if (!module->has_memory) {
    ws_module_refuse(module, NULL, WS_NO_MEMORY, "has no memory, so there is nothing to share");
  } else if (!module->has_linking) {
    check_without_relocations(module, trust_pic);
  } else if (code && !code->relocated && has_relocated_operands(module)) {
    ws_module_refuse(
        module, "linking", WS_RELOCATIONS_MISSING,
        "has a linking section, but no relocations of its code: the file was cut off, or stripped of "
        "them");
  } else if (lost_exports(module)) {
    ws_module_refuse(
        module, "linking", WS_CHANGED_AFTER_LINKING,
        "had exports that are gone: it was changed after it was linked, by Wizer perhaps, so give the "
        "linker's own output, and take snapshots of what was combined");
  } else if (left_out_pointers(module)) {
    ws_module_refuse(module, "reloc.DATA", WS_RELOCATIONS_MISSING,
                     "relocations were taken away: it counts more than it has, and some of the data that has "
                     "none may be pointers; give the linker's own output");
  } else if (lacks_relocations(module)) {
    ws_module_refuse(
        module, NULL, WS_RELOCATIONS_MISSING, "%s, and some of its relocations may be missing: %s",
        ends_with_relocations(module) ? "ends with its relocations" : "had sections removed by llvm-objcopy",
        ends_with_relocations(module) ? "the file was cut off, or stripped after linking (keep at least the "
                                        "target_features or the name section)"
                                      : "keep the name section, and take away nothing that is before it");
  }
}
