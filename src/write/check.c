// Checking a placed module against where it should be, from its own bytes.
#include <inttypes.h>

#include "read/module.h"

static bool outside(const struct ws_module *module, struct ws_error *error, const char *section,
                    const char *what, uint64_t start, uint64_t end, uint64_t low, uint64_t high) {
  if (start >= low && start <= end && end <= high)
    return false;
  ws_fail(error, module->file, section, WS_NO_OFFSET,
          "%s is at 0x%" PRIx64 "..0x%" PRIx64 ", outside its module's 0x%" PRIx64 "..0x%" PRIx64, what,
          start, end, low, high);
  return true;
}

static bool differs(const struct ws_module *module, struct ws_error *error, const char *section,
                    const char *what, uint64_t is, uint64_t should) {
  if (is == should)
    return false;
  ws_fail(error, module->file, section, WS_NO_OFFSET, "%s is %" PRIu64 ", but the layout says %" PRIu64, what,
          is, should);
  return true;
}

static bool check_memory(const struct ws_module *module, const struct ws_placement *placement,
                         struct ws_error *error) {
  const struct ws_module_info *info = &module->info;
  if (!info->has_memory || !info->imports_memory)
    return ws_fail(error, module->file, "IMPORT", WS_NO_OFFSET, "does not import a memory");
  if (info->has_maximum != placement->has_maximum)
    return ws_fail(error, module->file, "IMPORT", WS_NO_OFFSET,
                   "its memory %s a maximum, but the layout's %s",
                   info->has_maximum ? "has" : "does not have", placement->has_maximum ? "has" : "does not");
  return !differs(module, error, "IMPORT", "the minimum of its memory", info->memory_minimum,
                  placement->pages) &&
         !(info->has_maximum && differs(module, error, "IMPORT", "the maximum of its memory",
                                        info->memory_maximum, placement->maximum_pages));
}

static bool check_pointer(const struct ws_module *module, const struct ws_placement *placement,
                          enum ws_base base, uint64_t value, const char *section, const char *what,
                          struct ws_error *error) {
  switch (base) {
  case WS_BASE_MEMORY:
    return true; // checked against the range by the caller, which knows what the value is
  case WS_BASE_STACK_LOW:
    return !differs(module, error, section, what, value, placement->stack_low);
  case WS_BASE_STACK_HIGH:
    return !differs(module, error, section, what, value, placement->stack_pointer);
  case WS_BASE_HEAP_BASE:
    return !differs(module, error, section, what, value, placement->heap_base);
  case WS_BASE_HEAP_END:
    return !differs(module, error, section, what, value,
                    module->info.memory64 ? placement->heap_end : (uint32_t)placement->heap_end);
  case WS_BASE_TABLE:
  case WS_BASE_CODE:
  case WS_BASE_EXTERNAL:
  case WS_BASE_COUNT:
    return true;
  }
  return true;
}

// Whether a global holds the address of another module's variable, or in one program its function. Not by the
// name, which linkers write demangled there.
static bool is_bound(struct ws_slice name, uint64_t value, const struct ws_binding *bindings, size_t count) {
  bool bound = false;
  for (size_t i = 0; i < count; i++)
    bound |= bindings[i].address == value;
  return bound && ws_slice_starts(name, "GOT.");
}

// What the linker defines (__data_end, ...) says where something begins or ends: it need not be in the data,
// but is between the stack's and the data's ends, or in front of them for want of alignment.
static bool is_end(struct ws_slice name) {
  ws_got_data_symbol(name, &name);
  return !ws_slice_is(name, "__wasm_init_memory_flag") && ws_linker_symbol(name);
}

static bool is_astray(const struct ws_module *module, struct ws_error *error, const char *section,
                      const struct ws_placement *placement, const char *what, uint64_t value) {
  bool has_data = placement->data_end > placement->data_base;
  if (!has_data && module->info.imports_stack) // it is the end of a stack that is not there
    return false;
  uint64_t low = placement->data_base > WS_PAGE_SIZE ? placement->data_base - WS_PAGE_SIZE : 0;
  uint64_t high = placement->data_end;
  if (!module->info.imports_stack) {
    low = placement->stack_low < low ? placement->stack_low : low;
    high = placement->stack_pointer > high ? placement->stack_pointer : high;
  }
  return outside(module, error, section, what, value, value, low, high + 15);
}

// A variable of the program's own may be called as what the linker defines, but not as its stack pointer.
static bool is_own_variable(const struct ws_placement *placement, struct ws_slice name, uint64_t value) {
  return !ws_slice_is(name, "__stack_pointer") && value >= placement->data_base &&
         value < placement->data_end;
}

static bool check_globals(const struct ws_module *module, const struct ws_placement *placement,
                          const struct ws_binding *bindings, size_t binding_count, struct ws_error *error) {
  for (size_t i = 0; i < module->info.global_count; i++) {
    const struct ws_pointer_global *global = &module->info.globals[i];
    char what[160];
    struct ws_slice name = {(const uint8_t *)global->name, 0};
    while (global->name[name.size])
      name.size++;
    ws_printable(name, what, sizeof what);
    // __memory_base stands for the module's address 0, which may be outside what it uses.
    if (ws_slice_is(name, "GOT.data.internal.__memory_base") || ws_slice_is(name, "__memory_base")) {
      uint64_t base = module->info.memory64 ? placement->offset : (uint32_t)placement->offset;
      if (differs(module, error, "GLOBAL", what, global->value, base))
        return false;
      continue;
    }
    if (global->base == WS_BASE_MEMORY && is_end(name)) {
      if (is_astray(module, error, "GLOBAL", placement, what, global->value))
        return false;
      continue;
    }
    if (global->base == WS_BASE_MEMORY && !is_bound(name, global->value, bindings, binding_count) &&
        outside(module, error, "GLOBAL", what, global->value, global->value, placement->data_base,
                placement->data_end))
      return false;
    if (global->base == WS_BASE_TABLE && placement->table_size > 0 && // else there is nothing for it to name
        !is_bound(name, global->value, bindings, binding_count) &&
        outside(module, error, "GLOBAL", what, global->value, global->value, placement->table_base,
                placement->table_base + placement->table_size))
      return false;
    if (!is_own_variable(placement, name, global->value) &&
        !check_pointer(module, placement, global->base, global->value, "GLOBAL", what, error))
      return false;
  }
  return true;
}

// With relocations kept, reading has checked every operand against its symbol; here are the symbols.
static bool check_symbols(const struct ws_module *module, const struct ws_placement *placement,
                          struct ws_error *error) {
  for (uint32_t i = 0; i < module->symbol_count; i++) {
    const struct ws_symbol *symbol = &module->symbols[i];
    uint64_t address;
    enum ws_base base;
    char name[128];
    if (symbol->kind != WS_SYMBOL_DATA || !ws_symbol_target(module, symbol, &address, &base))
      continue;
    ws_printable(symbol->name, name, sizeof name);
    bool placed = (symbol->flags & WS_SYMBOL_ABSOLUTE) || module->segments[symbol->index].placed;
    if (base == WS_BASE_MEMORY && placed && !is_end(symbol->name) &&
        outside(module, error, "linking", name, address, address, placement->data_base, placement->data_end))
      return false;
    if (!check_pointer(module, placement, base, address, "linking", name, error))
      return false;
  }
  return true;
}

bool ws_check_placed(const struct ws_module *module, const struct ws_placement *placement,
                     const struct ws_binding *bindings, size_t binding_count, struct ws_error *error) {
  if (!check_memory(module, placement, error))
    return false;
  for (size_t i = 0; i < module->segment_count; i++) {
    const struct ws_segment *segment = &module->segments[i];
    if (segment->placed && segment->bytes.size > 0 &&
        outside(module, error, "DATA", "a data segment", segment->address,
                segment->address + segment->bytes.size, placement->data_base, placement->data_end))
      return false;
  }
  if (module->init_begin != module->init_end &&
      outside(module, error, "CODE", "what the start function writes", module->init_begin, module->init_end,
              placement->data_base, placement->data_end))
    return false;
  for (size_t i = 0; i < module->import_count; i++)
    if (placement->table_end && ws_is_function_table(&module->imports[i]) &&
        differs(module, error, "IMPORT", "the minimum of its function table",
                module->imports[i].table.limits.minimum, placement->table_end))
      return false;
  for (size_t i = 0; i < module->element_count; i++) {
    const struct ws_element *element = &module->elements[i];
    if (element->indirect_table && element->constant && element->count > 0 &&
        outside(module, error, "ELEMENT", "an element segment", element->offset,
                element->offset + element->count, placement->table_base,
                placement->table_base + placement->table_size))
      return false;
  }
  return check_globals(module, placement, bindings, binding_count, error) &&
         check_symbols(module, placement, error);
}
