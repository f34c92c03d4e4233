#include "read/memory_users.h"

#include <string.h>

#include "read/instructions.h"
#include "read/relocation_entries.h"
#include "read/sections.h"

bool ws_next_memory_site(struct ws_reader *body, struct ws_memory_site *site) {
  while (!body->bad && body->at < body->end) {
    uint32_t start = (uint32_t)ws_read_offset(body);
    uint8_t opcode = ws_read_instruction(body).opcode;
    if (body->bad || (opcode != WASM_OPCODE_MEMORY_SIZE && opcode != WASM_OPCODE_MEMORY_GROW))
      continue;
    *site = (struct ws_memory_site){start, (uint32_t)ws_read_offset(body), opcode == WASM_OPCODE_MEMORY_GROW};
    return true;
  }
  return false;
}

// Whether the byte is like an opcode of theirs, and the one after it like the index 0. There is no branch in
// here, so that many are looked at at once.
static inline bool may_be_site(const uint8_t *at) {
  return ((at[0] == WASM_OPCODE_MEMORY_SIZE) | (at[0] == WASM_OPCODE_MEMORY_GROW)) & ((at[1] & 0x7f) == 0);
}

enum { AT_ONCE = 64 };

// The same for so many bytes, and the one after each.
static bool may_have_site(const uint8_t *bytes) {
  uint8_t any = 0;
  for (size_t i = 0; i < AT_ONCE; i++)
    any |= (uint8_t)may_be_site(bytes + i);
  return any;
}

uint32_t ws_next_like_memory_user(const struct ws_module *module, uint32_t function) {
  const struct ws_section *code = ws_section(module, WS_SECTION_CODE);
  if (function >= module->function_count || !code)
    return module->function_count;
  const uint8_t *bytes = code->content.data;
  for (size_t i = module->functions[function].offset; i + 1 < code->content.size; i++) {
    while (i + AT_ONCE < code->content.size && !may_have_site(bytes + i))
      i += AT_ONCE;
    uint32_t at = i + 1 < code->content.size && may_be_site(bytes + i) ? ws_function_at(module, (uint32_t)i)
                                                                       : UINT32_MAX;
    if (at != UINT32_MAX)
      return at;
  }
  return module->function_count;
}

bool ws_uses_memory_size(const struct ws_module *module, uint32_t function) {
  struct ws_reader body = ws_reader(ws_function_body(module, function));
  struct ws_memory_site site;
  if (module->functions[function].synthetic)
    return false;
  ws_skip_locals(&body);
  return ws_next_memory_site(&body, &site);
}

size_t ws_count_memory_users(const struct ws_module *module) {
  size_t count = 0;
  for (uint32_t i = 0; (i = ws_next_like_memory_user(module, i)) < module->function_count; i++)
    count += ws_uses_memory_size(module, i);
  return count;
}

uint64_t ws_with_limited(const struct ws_module *module, uint64_t count) {
  enum { OWN_FUNCTIONS = 2 };
  uint64_t least = count + OWN_FUNCTIONS, most = least + module->function_count;
  return ws_uleb_size(least) == ws_uleb_size(most) ? least : least + ws_count_memory_users(module);
}

size_t ws_call_size(const struct ws_module *module, uint32_t function, uint64_t callee) {
  size_t size = WS_CALL_BODY_SIZE + ws_uleb_size(callee);
  if (!module->types)
    return size;
  struct ws_reader parameters = ws_reader(module->types[module->function_types[function]].parameters);
  for (uint32_t i = 0; parameters.at < parameters.end && !parameters.bad; i++) {
    ws_read_value_type(&parameters);
    size += 1 + ws_uleb_size(i); // local.get
  }
  return size;
}

// Whether a body has room for a call that takes its place.
static bool has_room(const struct ws_module *module, uint32_t function) {
  // No more are appended than there are, and these.
  uint64_t callee =
      ws_with_limited(module, 2 * ((uint64_t)module->imported_functions + module->function_count));
  return module->types && ws_call_size(module, function, callee) <= module->functions[function].size;
}

// Whether a relocation of the code or the data section refers to it.
static bool is_referred_to(const struct ws_module *module, enum ws_section_id section, uint32_t index) {
  struct ws_relocations relocations = ws_relocations_of(module, section);
  for (size_t i = 0; i < relocations.count; i++) {
    const struct ws_relocation *relocation = &relocations.list[i];
    const struct ws_symbol *symbol = &module->symbols[relocation->index];
    if (relocation->type != R_WASM_TYPE_INDEX_LEB && relocation->index < module->symbol_count &&
        symbol->kind == WS_SYMBOL_FUNCTION && symbol->index == index)
      return true;
  }
  return false;
}

// Whether nothing in the module uses a function: it is for the host, if it is for anything.
static bool is_for_host(const struct ws_module *module, uint32_t function) {
  uint32_t index = module->imported_functions + function;
  return module->info.has_relocations && !(module->has_start && module->start == index) &&
         !is_referred_to(module, WS_SECTION_CODE, index) && !is_referred_to(module, WS_SECTION_DATA, index);
}

bool ws_is_limited(const struct ws_module *module, uint32_t function) {
  return ws_uses_memory_size(module, function) &&
         (has_room(module, function) || !is_for_host(module, function));
}

bool ws_can_limit_memory(const struct ws_module *module, struct ws_error *error) {
  for (uint32_t i = 0; (i = ws_next_like_memory_user(module, i)) < module->function_count; i++) {
    char name[128];
    if (ws_is_limited(module, i) && !has_room(module, i))
      return ws_fail(
          error, module->file, "CODE", WS_NO_OFFSET,
          "%s asks for the size of the memory, or grows it, and has no room for a call in its place",
          ws_printable(module->functions[i].name, name, sizeof name));
  }
  return true;
}
