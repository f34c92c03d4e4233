#include "read/relocations.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "read/instructions.h"
#include "read/unrelocated.h"

// The state of reading one reloc.* section.
struct pass {
  struct ws_module *module;
  struct ws_section *target;
  const char *name; // of the reloc section, for errors
  bool debug;       // the target is DWARF, which has tombstones
  // What MEMORY_ADDR_REL is relative to, or NULL: 0 until a module has been moved (see emit_relocs.c).
  const struct ws_symbol *memory_base;
  uint32_t end;                      // of the previous operand
  size_t container;                  // the function or segment that the previous operand was in
  struct ws_unrelocated unrelocated; // what the code has between its relocations
  struct ws_error *error;
};

static const uint8_t *site(const struct pass *pass, const struct ws_relocation *relocation) {
  return pass->target->content.data + relocation->offset;
}

static bool fail(const struct pass *pass, const struct ws_relocation *relocation, const char *what) {
  return ws_module_fail(pass->module, pass->error, pass->name, site(pass, relocation), "%s: %s",
                        ws_relocation_kinds[relocation->type].name, what);
}

// The module was linked, and then changed by something that does not know relocations.
static bool stale(const struct pass *pass, const struct ws_relocation *relocation, const char *what) {
  return ws_module_fail(pass->module, pass->error, pass->name, site(pass, relocation), "%s: %s" WS_REWRITTEN,
                        ws_relocation_kinds[relocation->type].name, what);
}

bool ws_table_function(const struct ws_module *module, uint64_t index, uint32_t *function) {
  for (size_t i = 0; i < module->element_count; i++) {
    const struct ws_element *element = &module->elements[i];
    if (!element->indirect_table || !element->constant || !element->functions || index < element->offset ||
        index - element->offset >= element->count)
      continue;
    *function = element->functions[index - element->offset];
    return true;
  }
  return false;
}

uint32_t ws_external(struct ws_module *module, uint32_t symbol, uint64_t addend) {
  // Uses of one symbol come in runs; a symbol listed twice does no harm.
  for (size_t i = module->external_count, tries = 0; i > 0 && tries < 64; i--, tries++)
    if (module->externals[i - 1].symbol == symbol && module->externals[i - 1].addend == addend)
      return (uint32_t)(i - 1);
  struct ws_external *externals =
      ws_make_room(module->externals, module->external_count, &module->external_capacity, sizeof *externals);
  if (!externals)
    return UINT32_MAX;
  module->externals = externals;
  struct ws_symbol *named = &module->symbols[symbol];
  char *copy = ws_arena_new(&module->arena, named->name.size + 1, 1);
  if (!copy)
    return UINT32_MAX;
  module->externals[module->external_count] =
      (struct ws_external){.symbol = symbol,
                           .first = !named->external,
                           .name = ws_printable(named->name, copy, named->name.size + 1),
                           .addend = addend};
  named->external = true;
  return (uint32_t)module->external_count++;
}

static void note_heap(struct ws_module *module, enum ws_base base) {
  module->info.uses_heap_base |= base == WS_BASE_HEAP_BASE;
  module->info.uses_heap_end |= base == WS_BASE_HEAP_END;
}

static bool add_fixup(const struct pass *pass, const struct ws_relocation *relocation, enum ws_base base,
                      enum ws_base minus, uint32_t target) {
  if (!pass->debug)
    note_heap(pass->module, base);
  struct ws_fixup fixup = {.offset = relocation->offset,
                           .encoding = (uint8_t)ws_relocation_kinds[relocation->type].encoding,
                           .base = (uint8_t)base,
                           .minus = (uint8_t)minus,
                           .target = target};
  return ws_add_fixup(pass->target, fixup) || ws_fail_memory(pass->error, pass->module->file);
}

// The bits that the operand has.
static uint64_t operand_mask(const struct ws_relocation *relocation) {
  return ws_encoding_is_64(ws_relocation_kinds[relocation->type].encoding) ? UINT64_MAX : UINT32_MAX;
}

// Whether it is the value in DWARF of what was not linked in.
static bool is_tombstone(const struct pass *pass, enum ws_encoding encoding, uint64_t value) {
  return pass->debug && ws_is_tombstone(encoding, value);
}

// What lld leaves in a custom section that is not DWARF, for what was not linked in: all ones, or the addend.
static bool is_left_out(const struct pass *pass, const struct ws_relocation *relocation, uint64_t value) {
  uint64_t mask = operand_mask(relocation);
  return pass->target->id == WS_SECTION_CUSTOM && !pass->debug &&
         (value == mask || value == (ws_addend(relocation) & mask));
}

// lld leaves 0 or the addend in place of an undefined symbol's address. A weak symbol stays null.
static bool undefined_operand(const struct pass *pass, const struct ws_relocation *relocation,
                              const struct ws_symbol *symbol, uint64_t value) {
  enum ws_relocated operand = ws_relocation_kinds[relocation->type].operand;
  if (is_tombstone(pass, ws_relocation_kinds[relocation->type].encoding, value))
    return true;
  if (value != 0 && value != (ws_addend(relocation) & operand_mask(relocation)))
    return stale(pass, relocation, "the operand of an undefined symbol is not its addend");
  if (symbol->flags & WS_SYMBOL_WEAK)
    return true;
  if (operand == WS_REL_MEMORY_ADDR_TLS || operand == WS_REL_MEMORY_ADDR_LOCREL)
    return fail(pass, relocation, "a relative address of an undefined symbol cannot be moved");
  uint32_t external = ws_external(pass->module, relocation->index, ws_addend(relocation) - value);
  if (external == UINT32_MAX)
    return ws_fail_memory(pass->error, pass->module->file);
  return add_fixup(pass, relocation, WS_BASE_EXTERNAL,
                   operand == WS_REL_MEMORY_ADDR_REL ? WS_BASE_MEMORY : WS_BASE_COUNT, external);
}

// What a relative operand is relative to; 0 for others.
static bool operand_origin(const struct pass *pass, const struct ws_relocation *relocation,
                           uint64_t *origin) {
  enum ws_relocated operand = ws_relocation_kinds[relocation->type].operand;
  *origin = operand == WS_REL_MEMORY_ADDR_REL && pass->memory_base ? pass->memory_base->offset : 0;
  if (operand == WS_REL_MEMORY_ADDR_REL && !pass->memory_base)
    return fail(pass, relocation, "is relative to __memory_base, which is not there");
  if (operand != WS_REL_MEMORY_ADDR_LOCREL)
    return true;
  if (pass->target->id != WS_SECTION_DATA)
    return fail(pass, relocation, "is only known in data");
  const struct ws_segment *segment = &pass->module->segments[pass->container];
  *origin = segment->address + (relocation->offset - segment->bytes_offset);
  return true;
}

// lld's own absolute symbols are hidden. One that is not known might be an address.
static void refuse_unknown(const struct pass *pass, const struct ws_symbol *symbol) {
  char name[128];
  if ((symbol->flags & WS_SYMBOL_HIDDEN) && !ws_linker_symbol(symbol->name))
    ws_module_refuse(
        pass->module, pass->name, WS_UNKNOWN_POINTER,
        "uses %s, which the linker defines, and this wasmshare does not know whether it is an address",
        ws_printable(symbol->name, name, sizeof name));
}

static bool memory_operand(const struct pass *pass, const struct ws_relocation *relocation,
                           const struct ws_symbol *symbol, uint64_t value) {
  enum ws_relocated operand = ws_relocation_kinds[relocation->type].operand;
  uint64_t address, origin;
  enum ws_base base;
  if (symbol->kind != WS_SYMBOL_DATA)
    return fail(pass, relocation, "its symbol is no data symbol");
  if (symbol->flags & WS_SYMBOL_UNDEFINED)
    return undefined_operand(pass, relocation, symbol, value);
  if (symbol->flags & WS_SYMBOL_TLS) {
    // A thread-local symbol's value is relative to the thread's block, except where there is only one thread.
    if (value == ((symbol->offset + ws_addend(relocation)) & operand_mask(relocation)))
      return true;
    if (operand == WS_REL_MEMORY_ADDR_TLS)
      return fail(pass, relocation,
                  "the operand is not the offset of its thread-local variable, as wasm-ld 19 makes it "
                  "without --shared-memory: link with that, or with a newer wasm-ld");
  } else if (operand == WS_REL_MEMORY_ADDR_TLS) {
    return fail(pass, relocation, "its symbol is not thread-local");
  }
  bool moves = ws_symbol_target(pass->module, symbol, &address, &base);
  bool placed = (symbol->flags & WS_SYMBOL_ABSOLUTE) || pass->module->segments[symbol->index].placed;
  if (!operand_origin(pass, relocation, &origin))
    return false;
  if (!placed || value != ((address + ws_addend(relocation) - origin) & operand_mask(relocation))) {
    if (is_tombstone(pass, ws_relocation_kinds[relocation->type].encoding, value))
      return true;
    return placed
               ? stale(pass, relocation, "the operand is not the address of its symbol")
               : fail(pass, relocation, "its symbol is in a passive segment that nothing copies into memory");
  }
  if (!moves) {
    refuse_unknown(pass, symbol);
    return true;
  }
  bool relative = operand == WS_REL_MEMORY_ADDR_REL || operand == WS_REL_MEMORY_ADDR_LOCREL;
  if (relative && base == WS_BASE_MEMORY)
    return true;
  return add_fixup(pass, relocation, base, relative ? WS_BASE_MEMORY : WS_BASE_COUNT, relocation->index);
}

static bool table_operand(const struct pass *pass, const struct ws_relocation *relocation,
                          const struct ws_symbol *symbol, uint64_t value) {
  if (symbol->kind != WS_SYMBOL_FUNCTION)
    return fail(pass, relocation, "its symbol is no function");
  if (is_tombstone(pass, ws_relocation_kinds[relocation->type].encoding, value))
    return true;
  bool relative = ws_relocation_kinds[relocation->type].operand == WS_REL_TABLE_INDEX_REL;
  uint32_t function;
  if (!ws_table_function(pass->module, relative ? value + pass->module->info.table_base : value, &function) ||
      function != symbol->index) {
    // Functions that do not exist, and weak ones that are undefined, have no entry: they are null.
    if (value == 0)
      return true;
    return stale(pass, relocation, "the operand is not the table index of its function");
  }
  return relative || add_fixup(pass, relocation, WS_BASE_TABLE, WS_BASE_COUNT, relocation->index);
}

// The operand is the index of a global that holds the symbol's address (tool-conventions, DynamicLinking.md).
static bool got_operand(const struct pass *pass, const struct ws_relocation *relocation,
                        const struct ws_symbol *symbol, uint64_t index) {
  struct ws_module *module = pass->module;
  // DWARF of position-independent code names __memory_base also where no code does, and no global has it.
  if (is_tombstone(pass, ws_relocation_kinds[relocation->type].encoding, index))
    return true;
  if (index >= module->global_count)
    return stale(pass, relocation, "the global does not exist");
  struct ws_global *global = &module->globals[index];
  if (global->imported || global->explained)
    return true;
  if (global->init.kind == WS_CONSTANT_OTHER)
    return fail(pass, relocation, "its GOT global is not initialised by a constant");
  uint64_t mask = global->init.kind == WS_CONSTANT_I64 ? UINT64_MAX : UINT32_MAX;
  uint64_t value = global->init.value;
  global->explained = true;
  global->target = relocation->index;
  if (symbol->kind == WS_SYMBOL_FUNCTION) {
    uint32_t function;
    global->base = WS_BASE_TABLE;
    global->moves = ws_table_function(module, value, &function) && function == symbol->index;
    return global->moves || value == 0 ||
           stale(pass, relocation, "its GOT global does not hold its table index");
  }
  if (symbol->kind != WS_SYMBOL_DATA)
    return fail(pass, relocation, "its symbol has no address");
  if (symbol->flags & WS_SYMBOL_UNDEFINED) {
    global->moves = !(symbol->flags & WS_SYMBOL_WEAK);
    global->base = global->moves ? WS_BASE_EXTERNAL : WS_BASE_MEMORY;
    if (value != 0)
      return stale(pass, relocation, "the GOT global of an undefined symbol is not null");
    if (global->moves && (global->target = ws_external(module, relocation->index, 0)) == UINT32_MAX)
      return ws_fail_memory(pass->error, module->file);
    return true;
  }
  uint64_t address;
  enum ws_base base;
  bool moves = ws_symbol_target(module, symbol, &address, &base);
  if ((symbol->flags & WS_SYMBOL_TLS) && value == symbol->offset)
    return true;
  if (value != (address & mask))
    return stale(pass, relocation, "its GOT global does not hold the address of its symbol");
  if (!moves)
    refuse_unknown(pass, symbol);
  global->moves = moves;
  global->base = (uint8_t)base;
  note_heap(module, base);
  return true;
}

// Whether the byte before an operand of code is the opcode of an instruction that has one of that kind: see
// opcodes.def. (Of pointers, operands.c proves it.)
static bool follows_opcode(const struct pass *pass, const struct ws_relocation *relocation, char kind) {
  return pass->target->id != WS_SECTION_CODE || ws_immediates(site(pass, relocation)[-1])[0] == kind ||
         stale(pass, relocation, "is not of an operand of that kind");
}

// The operand of a relocation whose symbol exists.
static bool symbol_operand(const struct pass *pass, const struct ws_relocation *relocation, uint64_t value) {
  const struct ws_symbol *symbol = &pass->module->symbols[relocation->index];
  enum ws_encoding encoding = ws_relocation_kinds[relocation->type].encoding;
  switch (ws_relocation_kinds[relocation->type].operand) {
  case WS_REL_MEMORY_ADDR:
  case WS_REL_MEMORY_ADDR_REL:
  case WS_REL_MEMORY_ADDR_TLS:
  case WS_REL_MEMORY_ADDR_LOCREL:
    return memory_operand(pass, relocation, symbol, value);
  case WS_REL_TABLE_INDEX:
  case WS_REL_TABLE_INDEX_REL:
    return table_operand(pass, relocation, symbol, value);
  case WS_REL_GLOBAL_INDEX:
    if (!follows_opcode(pass, relocation, 'g'))
      return false;
    if (symbol->kind != WS_SYMBOL_GLOBAL)
      return got_operand(pass, relocation, symbol, value);
    return value == symbol->index || stale(pass, relocation, "the operand is not the index of its global");
  case WS_REL_FUNCTION_INDEX:
    if (!follows_opcode(pass, relocation, 'f'))
      return false;
    if (symbol->kind != WS_SYMBOL_FUNCTION)
      return fail(pass, relocation, "its symbol is no function");
    return value == symbol->index || is_tombstone(pass, encoding, value) ||
           stale(pass, relocation, "the operand is not the index of its function");
  case WS_REL_FUNCTION_OFFSET:
    if (!is_tombstone(pass, encoding, value))
      return add_fixup(pass, relocation, WS_BASE_CODE, WS_BASE_COUNT, relocation->index);
    return true;
  case WS_REL_SECTION_OFFSET: // not asked for
  case WS_REL_TAG_INDEX:
  case WS_REL_TABLE_NUMBER:
  case WS_REL_TYPE_INDEX:
    return true;
  }
  return true;
}

static bool check_operand(const struct pass *pass, const struct ws_relocation *relocation) {
  struct ws_module *module = pass->module;
  enum ws_encoding encoding = ws_relocation_kinds[relocation->type].encoding;
  enum ws_relocated operand = ws_relocation_kinds[relocation->type].operand;
  uint64_t value;
  if ((operand == WS_REL_FUNCTION_OFFSET || operand == WS_REL_SECTION_OFFSET) &&
      pass->target->id != WS_SECTION_CUSTOM)
    return fail(pass, relocation, "is only known in custom sections");
  // Most of DWARF's relocations are these, and they move only if the code section grows in front of them.
  if (operand == WS_REL_FUNCTION_OFFSET && !module->may_shift)
    return true;
  // These never do: where they are need not come into memory.
  if (operand == WS_REL_SECTION_OFFSET)
    return relocation->index < module->symbol_count || relocation->index == WS_NO_SYMBOL ||
           fail(pass, relocation, "its symbol does not exist");
  if (!ws_operand_get(site(pass, relocation), encoding, &value))
    return stale(pass, relocation,
                 "the operand is not padded to its full width, as --compress-relocations leaves it");
  if (operand == WS_REL_TYPE_INDEX)
    return value == relocation->index || stale(pass, relocation, "the operand is not its type");
  bool null = value == 0 && (operand == WS_REL_TABLE_INDEX || operand == WS_REL_TABLE_INDEX_REL);
  if (relocation->index == WS_NO_SYMBOL &&
      (null || is_tombstone(pass, encoding, value) || is_left_out(pass, relocation, value)))
    return true;
  if (relocation->index >= module->symbol_count)
    return fail(pass, relocation, "its symbol does not exist");
  return symbol_operand(pass, relocation, value);
}

// An operand lies within one function body, or within the bytes of one segment.
static bool check_container(struct pass *pass, const struct ws_relocation *relocation, uint32_t end) {
  const struct ws_module *module = pass->module;
  if (pass->target->id == WS_SECTION_CODE) {
    while (pass->container < module->function_count &&
           module->functions[pass->container].offset + module->functions[pass->container].size <=
               relocation->offset)
      pass->container++;
    if (pass->container == module->function_count ||
        relocation->offset < module->functions[pass->container].offset)
      return stale(pass, relocation, "lies outside every function");
    if (end > module->functions[pass->container].offset + module->functions[pass->container].size)
      return stale(pass, relocation, "lies across the end of a function");
    if (module->functions[pass->container].unpadded)
      return fail(pass, relocation, "lies in a function that the linker wrote, where it makes none");
  } else if (pass->target->id == WS_SECTION_DATA) {
    while (pass->container < module->segment_count &&
           module->segments[pass->container].bytes_offset + module->segments[pass->container].bytes.size <=
               relocation->offset)
      pass->container++;
    if (pass->container == module->segment_count ||
        relocation->offset < module->segments[pass->container].bytes_offset)
      return stale(pass, relocation, "lies outside every data segment");
    if (end > module->segments[pass->container].bytes_offset + module->segments[pass->container].bytes.size)
      return stale(pass, relocation, "lies across the end of a data segment");
  }
  return true;
}

static bool read_relocation(struct pass *pass, struct ws_reader *reader) {
  const uint8_t *at = reader->at;
  struct ws_relocation relocation = ws_read_relocation(reader);
  if (at < reader->end && !ws_relocation_name(*at))
    return ws_module_fail(pass->module, pass->error, pass->name, at,
                          "relocation type %u is unknown to this wasmshare", *at);
  if (reader->bad)
    return ws_module_fail(pass->module, pass->error, pass->name, reader->at, "malformed section");
  pass->module->info.relocations[relocation.type]++;

  uint64_t end =
      (uint64_t)relocation.offset + ws_encoding_width(ws_relocation_kinds[relocation.type].encoding);
  if (end > pass->target->content.size)
    return ws_module_fail(pass->module, pass->error, pass->name, at,
                          "%s lies outside its section" WS_REWRITTEN,
                          ws_relocation_kinds[relocation.type].name);
  if (relocation.offset < pass->end)
    return fail(pass, &relocation, "overlaps the relocation before it, or is out of order");
  if (!check_container(pass, &relocation, (uint32_t)end))
    return false;
  if (pass->target->id == WS_SECTION_CODE)
    ws_look_between(&pass->unrelocated, pass->end, relocation.offset);
  pass->end = (uint32_t)end;
  if (pass->target->relocations)
    pass->target->relocations[pass->target->relocation_count++] = relocation;
  return check_operand(pass, &relocation);
}

// What lld leaves out, but counts, is the null of a function that is not there, in a padded operand. Every
// other operand that it pads has a relocation.
static void check_unrelocated(struct pass *pass) {
  struct ws_unrelocated *unrelocated = &pass->unrelocated;
  struct ws_module *module = pass->module;
  ws_look_between(unrelocated, pass->end, (uint32_t)pass->target->content.size);
  if (unrelocated->operands) {
    char name[128];
    const struct ws_function *function = &module->functions[unrelocated->first];
    ws_module_refuse(module, pass->name, WS_RELOCATIONS_MISSING,
                     "relocations were taken away: function %u (%s) has operands that a linker padded, and "
                     "none for them; give the linker's own output",
                     unrelocated->first + module->imported_functions,
                     function->name.size ? ws_printable(function->name, name, sizeof name)
                                         : "without a name");
  } else if (unrelocated->nulls != pass->target->left_out) {
    ws_module_refuse(module, pass->name, WS_RELOCATIONS_MISSING,
                     "relocations were taken away: it counts %u more than it has, but the code has %u null "
                     "pointers without one, for which linkers do so; give the linker's own output",
                     pass->target->left_out, unrelocated->nulls);
  }
}

// What looks at code and data later needs them again.
static bool list_relocations(struct pass *pass, size_t most) {
  struct ws_section *target = pass->target;
  target->relocations = ws_arena_new(&pass->module->arena, most, sizeof *target->relocations);
  return target->relocations || ws_fail_memory(pass->error, pass->module->file);
}

static bool read_reloc_section(struct ws_module *module, const struct ws_section *section,
                               const struct ws_symbol *memory_base, struct ws_error *error) {
  char name[64];
  struct ws_reader reader = ws_reader(section->content);
  struct pass pass = {.module = module,
                      .memory_base = memory_base,
                      .name = ws_section_name(section, name, sizeof name),
                      .unrelocated = {.module = module},
                      .error = error};
  uint32_t target = ws_read_uleb32(&reader);
  uint32_t count = ws_read_uleb32(&reader);
  if (reader.bad)
    return ws_module_fail(module, error, name, reader.at, "malformed section");
  if (target >= module->section_count || &module->sections[target] >= section)
    return ws_module_fail(module, error, name, section->content.data,
                          "is for section %u, which is not before it", target);
  pass.target = &module->sections[target];
  pass.unrelocated.content = pass.target->content.data;
  pass.debug = ws_slice_starts(pass.target->name, ".debug_");
  uint8_t id = pass.target->id;
  // What is written anew here is no linker's to relocate.
  bool ours = id == WS_SECTION_CUSTOM &&
              (ws_slice_is(pass.target->name, "name") || ws_is_link_metadata(module, pass.target));
  if ((id != WS_SECTION_CODE && id != WS_SECTION_DATA && id != WS_SECTION_CUSTOM) || ours)
    return ws_module_fail(module, error, name, section->content.data,
                          "is for section %u, which can have no relocations" WS_REWRITTEN, target);
  const struct ws_section *linking = ws_custom_section(module, "linking");
  if (!linking || linking > section)
    return ws_module_fail(module, error, name, section->content.data, "has no linking section before it");
  if (pass.target->relocated)
    return ws_module_fail(module, error, name, section->content.data,
                          "is for a section that has relocations already");
  pass.target->relocated = true;
  // Of code and data there may be fewer than were counted: see WS_NO_SYMBOL.
  bool may_lack = id != WS_SECTION_CUSTOM && count <= pass.target->content.size / 4;
  uint32_t held = 0;
  if (id != WS_SECTION_CUSTOM && !list_relocations(&pass, ws_most_relocations(&reader, count)))
    return false;
  for (; held < count && (reader.at < reader.end || !may_lack); held++)
    if (!read_relocation(&pass, &reader))
      return false;
  if (reader.at != reader.end)
    return ws_module_fail(module, error, name, reader.at, "malformed section");
  pass.target->left_out = count - held;
  if (id == WS_SECTION_CODE)
    check_unrelocated(&pass);
  return true;
}

bool ws_read_relocations(struct ws_module *module, struct ws_error *error) {
  const struct ws_symbol *memory_base = ws_absolute_symbol(module, "__memory_base");
  for (size_t i = 0; i < module->section_count; i++)
    if (module->sections[i].id == WS_SECTION_CUSTOM && ws_slice_starts(module->sections[i].name, "reloc.") &&
        !read_reloc_section(module, &module->sections[i], memory_base, error))
      return false;
  return true;
}
