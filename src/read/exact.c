#include "read/exact.h"

#include <stdlib.h>
#include <string.h>

#include "read/instructions.h"
#include "read/relocations.h"

static bool is_table_index(const struct ws_module_info *info, uint64_t value) {
  return info->has_table && value >= info->table_base && value - info->table_base < info->table_size;
}

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
static bool is_ambiguous(const struct ws_module *module, const struct ws_global *global, struct ws_slice name) {
  const struct ws_module_info *info = &module->info;
  ws_got_data_symbol(name, &name);
  const struct ws_linker_symbol *known = ws_linker_symbol(name);
  return known && !(known->moves && known->base == WS_BASE_MEMORY) && !global->imported &&
         !ws_slice_is(name, "__stack_pointer") &&
         global->init.value >= info->data_base && global->init.value < info->data_end;
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

static void check_without_relocations(struct ws_module *module, bool trust_pic) {
  static const char advice[] = "link with -Wl,--emit-relocs (rustc: -Clink-arg=--emit-relocs)";
  bool has_data = module->info.data_end > module->info.data_base, pic = is_pic(module), initialised = false;
  struct ws_slice ambiguous = ambiguous_name(module);
  char name[128];
  for (size_t i = 0; i < module->segment_count; i++)
    initialised |= !ws_slice_is_zero(module->segments[i].bytes);
  if (has_data && !pic)
    ws_module_refuse(module, NULL, "has no linking section, so its pointers cannot be found: %s", advice);
  else if (!trust_pic && !is_code_exact(module))
    ws_module_refuse(
        module, NULL,
        "has no linking section, and nothing tells numbers in its code from addresses: %s, or use "
        "--trust-pic if all its code is PIC",
        advice);
  else if (ambiguous.size)
    ws_module_refuse(module, "GLOBAL",
                     "has no linking section, and nothing says whether %s is the linker's or a variable of the "
                     "program's own: %s",
                     ws_printable(ambiguous, name, sizeof name), advice);
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

// ---------------------------------------------------------------------------------- with relocations missing

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

static struct ws_section *relocations_for(const struct ws_module *module, const struct ws_section *target) {
  for (size_t i = 0; target && i < module->section_count; i++) {
    struct ws_reader reader = ws_reader(module->sections[i].content);
    if (module->sections[i].id == WS_SECTION_CUSTOM &&
        ws_slice_starts(module->sections[i].name, "reloc.") &&
        &module->sections[ws_read_uleb32(&reader)] == target)
      return &module->sections[i];
  }
  return NULL;
}

// The entries of a reloc.* section that has been read.
static struct ws_reader entries(const struct ws_section *section) {
  struct ws_reader reader = ws_reader(section ? section->content : (struct ws_slice){NULL, 0});
  if (section) {
    ws_read_uleb32(&reader); // the section that they are for
    ws_read_uleb32(&reader); // how many there are
  }
  return reader;
}

// What data without relocations may point to, should they have been taken away. Used only to refuse: what is
// no such word is no pointer.
//
// Linkers keep what something refers to. So what the code does not refer to is there because data does.
struct targets {
  const struct ws_module *module;
  bool *symbols;   // those that code takes the address of
  bool *functions; // those, among all functions
  // For each byte of static data whether it is part of a variable that code does not refer to, or of none.
  bool *unexplained;
};

static void free_targets(struct targets *targets) {
  free(targets->symbols);
  free(targets->functions);
  free(targets->unexplained);
}

static void note_symbols(struct targets *targets) {
  const struct ws_module *module = targets->module;
  struct ws_reader reader = entries(relocations_for(module, ws_section(module, WS_SECTION_CODE)));
  while (reader.at < reader.end && !reader.bad) {
    struct ws_relocation relocation = ws_read_relocation(&reader);
    bool takes = relocation.type != R_WASM_FUNCTION_INDEX_LEB && relocation.type != R_WASM_TYPE_INDEX_LEB;
    if (!takes || relocation.index >= module->symbol_count)
      continue;
    const struct ws_symbol *symbol = &module->symbols[relocation.index];
    targets->symbols[relocation.index] = true;
    if (symbol->kind == WS_SYMBOL_FUNCTION)
      targets->functions[symbol->index] = true;
  }
}

static void note_data(struct targets *targets) {
  const struct ws_module *module = targets->module;
  uint64_t base = module->info.data_base, size = module->info.data_end - base;
  memset(targets->unexplained, true, size + 1);
  for (unsigned explained = 2; explained-- > 0;) // what is part of two variables is explained by both
    for (uint32_t i = 0; i < module->symbol_count; i++) {
      const struct ws_symbol *symbol = &module->symbols[i];
      uint64_t address;
      enum ws_base unused;
      if (symbol->kind != WS_SYMBOL_DATA || (symbol->flags & WS_SYMBOL_ABSOLUTE) ||
          targets->symbols[i] != explained || !ws_symbol_target(module, symbol, &address, &unused))
        continue;
      if (address >= base && address - base <= size) {
        uint64_t left = size - (address - base);
        memset(targets->unexplained + (address - base), !explained,
               (symbol->size < left ? symbol->size : left) + 1);
      }
    }
}

static bool find_targets(const struct ws_module *module, struct targets *targets) {
  size_t functions = (size_t)module->imported_functions + module->function_count;
  uint64_t size = module->info.data_end - module->info.data_base;
  *targets = (struct targets){.module = module,
                              .symbols = calloc((size_t)module->symbol_count + 1, sizeof(bool)),
                              .functions = calloc(functions + 1, sizeof(bool)),
                              .unexplained = size < INT32_MAX ? malloc(size + 1) : NULL};
  if (!targets->symbols || !targets->functions || !targets->unexplained)
    return false;
  note_symbols(targets);
  note_data(targets);
  return true;
}

// Whether the word is the address of a variable, or a table index of a function. A pointer that is not aligned
// is rare, so what code refers to is not enough for one.
static bool is_target(const struct targets *targets, uint64_t word, bool aligned) {
  const struct ws_module_info *info = &targets->module->info;
  uint32_t function;
  if (word >= info->data_base && word <= info->data_end)
    return aligned || targets->unexplained[word - info->data_base];
  return is_table_index(info, word) &&
         !(ws_table_function(targets->module, word, &function) && targets->functions[function]);
}

// For each byte of the data section whether it is part of what has a relocation; NULL if memory runs out.
static bool *relocated_bytes(const struct ws_module *module, const struct ws_section *data) {
  bool *relocated = calloc(data->content.size + 1, sizeof *relocated);
  struct ws_reader reader = entries(relocations_for(module, data));
  while (relocated && reader.at < reader.end && !reader.bad) {
    struct ws_relocation relocation = ws_read_relocation(&reader);
    memset(relocated + relocation.offset, true, ws_relocation_width(relocation.type));
  }
  return relocated;
}

// Whether some word of the data that has no relocation may be a pointer.
static bool may_hold_pointers(const struct ws_module *module, const struct ws_section *data) {
  struct targets targets = {0};
  bool *relocated = relocated_bytes(module, data);
  bool found = !relocated || !find_targets(module, &targets);
  for (size_t i = 0; i < module->segment_count && !found; i++) {
    const struct ws_segment *segment = &module->segments[i];
    for (size_t k = 0; k + 4 <= segment->bytes.size && !found; k++) {
      const bool *has = relocated + segment->bytes_offset + k;
      uint64_t word;
      ws_operand_get(segment->bytes.data + k, WS_U32, &word);
      found = !has[0] && !has[1] && !has[2] && !has[3] &&
              is_target(&targets, word, (segment->address + k) % 4 == 0);
    }
  }
  free_targets(&targets);
  free(relocated);
  return found;
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
  return (is_address && has_data_symbols(module)) || is_table_index(info, value);
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
  return data && !data->relocated && !has_later_relocations(module, data) && may_hold_pointers(module, data);
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
  return data && data->left_out && may_hold_pointers(module, data);
}

void ws_check_exact(struct ws_module *module, bool trust_pic) {
  const struct ws_section *code = ws_section(module, WS_SECTION_CODE);
  if (!module->has_memory) {
    ws_module_refuse(module, NULL, "has no memory, so there is nothing to share");
  } else if (!module->has_linking) {
    check_without_relocations(module, trust_pic);
  } else if (code && !code->relocated && has_relocated_operands(module)) {
    ws_module_refuse(
        module, "linking",
        "has a linking section, but no relocations of its code: the file was cut off, or stripped of "
        "them");
  } else if (lost_exports(module)) {
    ws_module_refuse(
        module, "linking",
        "had exports that are gone: it was changed after it was linked, by Wizer perhaps, so give the "
        "linker's own output, and take snapshots of what was combined");
  } else if (left_out_pointers(module)) {
    ws_module_refuse(module, "reloc.DATA",
                     "relocations were taken away: it counts more than it has, and some of the data that has "
                     "none may be pointers; give the linker's own output");
  } else if (lacks_relocations(module)) {
    ws_module_refuse(
        module, NULL,
        "%s, and some of its relocations may be missing: the file was cut off, or stripped after linking "
        "(keep at least the target_features or the name section)",
        ends_with_relocations(module) ? "ends with its relocations" : "had sections removed by llvm-objcopy");
  }
}
