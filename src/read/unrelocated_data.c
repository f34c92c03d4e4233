#include "read/unrelocated_data.h"

#include <stdlib.h>
#include <string.h>

#include "read/relocations.h"

bool ws_is_table_index(const struct ws_module *module, uint64_t value) {
  const struct ws_module_info *info = &module->info;
  return info->has_table && value >= info->table_base && value - info->table_base < info->table_size;
}

// What is known of static data and functions.
struct search {
  const struct ws_module *module;
  bool any;            // what code refers to is no less a pointer
  uint64_t base, size; // of the data
  bool *symbols;       // those that code takes the address of
  bool *functions;     // of which code or data takes the address
  bool *relocated;     // bytes of the data section that have a relocation
  // Bytes of static data: of a variable; of one that code does not refer to; of one that may hold nothing but
  // pointers.
  bool *known, *unexplained, *suspect;
};

static void note_code(struct search *search) {
  const struct ws_module *module = search->module;
  struct ws_relocations relocations = ws_relocations_of(module, WS_SECTION_CODE);
  for (size_t i = 0; i < relocations.count; i++) {
    uint32_t type = relocations.list[i].type, index = relocations.list[i].index;
    bool calls = type == R_WASM_FUNCTION_INDEX_LEB || type == R_WASM_TYPE_INDEX_LEB;
    if (calls || index >= module->symbol_count)
      continue;
    search->symbols[index] = true;
    if (module->symbols[index].kind == WS_SYMBOL_FUNCTION)
      search->functions[module->symbols[index].index] = true;
  }
}

static void note_relocated(struct search *search) {
  const struct ws_module *module = search->module;
  struct ws_relocations relocations = ws_relocations_of(module, WS_SECTION_DATA);
  for (size_t i = 0; i < relocations.count; i++) {
    uint32_t index = relocations.list[i].index;
    memset(search->relocated + relocations.list[i].offset, true,
           ws_relocation_width(relocations.list[i].type));
    if (index < module->symbol_count && module->symbols[index].kind == WS_SYMBOL_FUNCTION)
      search->functions[module->symbols[index].index] = true;
  }
}

static bool is_address(const struct search *search, uint64_t word) {
  return word >= search->base && word - search->base <= search->size;
}

static enum ws_encoding pointer(const struct search *search) {
  return search->module->memory.is_64 ? WS_U64 : WS_U32;
}

// Whether every word of a variable is an address or null, where compilers align pointers.
static bool may_be_pointers(const struct search *search, const struct ws_symbol *symbol, uint64_t address) {
  const struct ws_segment *segment = &search->module->segments[symbol->index];
  size_t width = ws_encoding_width(pointer(search));
  if (address % width || symbol->size % width || symbol->size > segment->bytes.size - symbol->offset)
    return false;
  for (uint64_t at = 0; at < symbol->size; at += width) {
    uint64_t word;
    ws_operand_get(segment->bytes.data + symbol->offset + at, pointer(search), &word);
    if (word != 0 && !is_address(search, word))
      return false;
  }
  return true;
}

// Marks a variable's bytes for `what` it is.
static void mark(const struct search *search, bool *bytes, const struct ws_symbol *symbol, uint64_t address,
                 bool what) {
  uint64_t left = search->size - (address - search->base);
  uint64_t size = symbol->size ? symbol->size : 1; // a label's own byte
  for (uint64_t i = 0; i < size && i < left; i++)
    bytes[address - search->base + i] |= what;
}

static void note_variables(struct search *search) {
  const struct ws_module *module = search->module;
  for (uint32_t i = 0; i < module->symbol_count; i++) {
    const struct ws_symbol *symbol = &module->symbols[i];
    uint64_t address;
    enum ws_base base;
    if (symbol->kind != WS_SYMBOL_DATA || (symbol->flags & (WS_SYMBOL_ABSOLUTE | WS_SYMBOL_UNDEFINED)) ||
        !module->segments[symbol->index].placed || !ws_symbol_target(module, symbol, &address, &base) ||
        !is_address(search, address))
      continue;
    mark(search, search->known, symbol, address, true);
    mark(search, search->unexplained, symbol, address, !search->symbols[i]);
    mark(search, search->suspect, symbol, address, may_be_pointers(search, symbol, address));
  }
}

static bool begin(struct search *search, const struct ws_module *module, const struct ws_section *data) {
  size_t functions = (size_t)module->imported_functions + module->function_count;
  *search = (struct search){.module = module,
                            .base = module->info.data_base,
                            .size = module->info.data_end - module->info.data_base};
  if (search->size > INT32_MAX)
    return false;
  search->symbols = calloc((size_t)module->symbol_count + 1, sizeof(bool));
  search->functions = calloc(functions + 1, sizeof(bool));
  search->relocated = calloc(data->content.size + 1, sizeof(bool));
  search->known = calloc((size_t)search->size + 1, sizeof(bool));
  search->unexplained = calloc((size_t)search->size + 1, sizeof(bool));
  search->suspect = calloc((size_t)search->size + 1, sizeof(bool));
  if (!search->symbols || !search->functions || !search->relocated || !search->known ||
      !search->unexplained || !search->suspect)
    return false;
  note_code(search);
  note_relocated(search);
  note_variables(search);
  return true;
}

static void end(struct search *search) {
  free(search->symbols);
  free(search->functions);
  free(search->relocated);
  free(search->known);
  free(search->unexplained);
  free(search->suspect);
}

// Whether the word of static data at `address` may be a pointer; UINT64_MAX where each thread has its own.
static bool is_pointer(const struct search *search, uint64_t address, uint64_t word) {
  uint32_t function;
  if (is_address(search, word)) {
    uint64_t at = address - search->base, to = word - search->base;
    bool referred = search->known[to] && !search->unexplained[to];
    bool any = search->any && address % ws_encoding_width(pointer(search)) == 0;
    return any || !referred || at > search->size || !search->known[at] || search->suspect[at];
  }
  return ws_is_table_index(search->module, word) &&
         (!ws_table_function(search->module, word, &function) || !search->functions[function]);
}

bool ws_may_hold_pointers(const struct ws_module *module, const struct ws_section *data, bool any) {
  struct search search;
  bool found = !begin(&search, module, data);
  search.any = any;
  size_t width = module->memory.is_64 ? 8 : 4;
  for (size_t i = 0; i < module->segment_count && !found; i++) {
    const struct ws_segment *segment = &module->segments[i];
    for (size_t k = 0; k + width <= segment->bytes.size && !found; k++) {
      const bool *has = search.relocated + segment->bytes_offset + k;
      uint64_t word;
      ws_operand_get(segment->bytes.data + k, pointer(&search), &word);
      found = !memchr(has, true, width) &&
              is_pointer(&search, segment->placed ? segment->address + k : UINT64_MAX, word);
    }
  }
  end(&search);
  return found;
}
