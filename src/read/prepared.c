#include "read/prepared.h"

#include "runtime/wasmshare_load.h"

// The numbers of the format are those of the library.
_Static_assert((int)WS_LOAD_MEMORY == (int)WS_BASE_MEMORY &&
                   (int)WS_LOAD_STACK_LOW == (int)WS_BASE_STACK_LOW &&
                   (int)WS_LOAD_STACK_HIGH == (int)WS_BASE_STACK_HIGH &&
                   (int)WS_LOAD_HEAP_BASE == (int)WS_BASE_HEAP_BASE &&
                   (int)WS_LOAD_HEAP_END == (int)WS_BASE_HEAP_END &&
                   (int)WS_LOAD_TABLE_BASE == (int)WS_BASE_TABLE,
               "bases");
_Static_assert((int)WS_LOAD_LEB32 == (int)WS_LEB32 && (int)WS_LOAD_SLEB32 == (int)WS_SLEB32 &&
                   (int)WS_LOAD_LEB64 == (int)WS_LEB64 && (int)WS_LOAD_SLEB64 == (int)WS_SLEB64 &&
                   (int)WS_LOAD_U32 == (int)WS_U32 && (int)WS_LOAD_U64 == (int)WS_U64,
               "encodings");

bool ws_is_prepared(const struct ws_module *module) {
  return ws_custom_section(module, "wasmshare") != NULL;
}

static bool malformed(const struct ws_module *module, struct ws_error *error) {
  return ws_module_fail(module, error, "wasmshare", NULL, "%s", ws_load_message(WS_LOAD_MALFORMED));
}

static enum ws_heap_class heap_class(const struct ws_load_module *prepared) {
  static const enum ws_heap_class classes[] = {[WS_LOAD_HEAP_NONE] = WS_HEAP_NONE,
                                               [WS_LOAD_HEAP_GROWS] = WS_HEAP_GROWS,
                                               [WS_LOAD_HEAP_BOUNDED] = WS_HEAP_BOUNDED,
                                               [WS_LOAD_HEAP_FIXED] = WS_HEAP_BOUNDED,
                                               [WS_LOAD_HEAP_CONTIGUOUS] = WS_HEAP_CONTIGUOUS,
                                               [WS_LOAD_HEAP_UNKNOWN] = WS_HEAP_UNKNOWN};
  return prepared->claimed ? WS_HEAP_CLAIMS_ONCE : classes[prepared->heap];
}

static void take_facts(struct ws_module *module, const struct ws_load_module *prepared) {
  struct ws_module_info *info = &module->info;
  info->prepared = true;
  info->has_stack = prepared->has_stack;
  info->stack_low = prepared->stack_low;
  info->stack_pointer = prepared->stack_pointer;
  info->data_base = prepared->data_base;
  info->data_end = prepared->data_end;
  info->alignment = prepared->alignment;
  info->heap_base = prepared->end;
  info->initial_heap = prepared->initial_heap;
  info->uses_heap_base = prepared->uses_heap_base;
  info->uses_heap_end = prepared->uses_heap_end;
  info->heap = heap_class(prepared);
  info->heap_reason = "as it was when it was prepared";
  info->grows_memory = info->heap != WS_HEAP_NONE && prepared->heap != WS_LOAD_HEAP_FIXED;
  info->has_table = prepared->has_table;
  info->table_base = prepared->table_base;
  info->table_size = prepared->table_size;
  info->has_relocations = prepared->has_relocations;
  info->zero_bytes = prepared->zero_bytes;
  info->tls_size = prepared->tls_size;
  info->tls_alignment = prepared->tls_alignment;
  module->heap_base = prepared->heap_base;
  module->heap_end = prepared->heap_end;
  ws_set_indirect_table(module, prepared->table_index);
  module->prepared = true;
}

// Globals are written anew when the first of them leaves: what is known of them is kept with them.
static bool take_global(struct ws_module *module, const uint8_t *at, const struct ws_fixup *fixup,
                        uint32_t *next) {
  for (; *next < module->global_count; ++*next) {
    struct ws_global *global = &module->globals[*next];
    if (global->imported || global->init.bytes.data + 1 < at)
      continue;
    enum ws_encoding encoding = global->init.kind == WS_CONSTANT_I32   ? WS_SLEB32
                                : global->init.kind == WS_CONSTANT_I64 ? WS_SLEB64
                                                                       : WS_U64;
    if (global->init.bytes.data + 1 != at || encoding != fixup->encoding || fixup->minus != WS_BASE_COUNT ||
        global->moves)
      return false;
    global->moves = global->explained = true;
    global->base = fixup->base;
    global->target = WS_NO_SYMBOL;
    return true;
  }
  return false;
}

static bool take_fixups(struct ws_module *module, const struct ws_load_module *prepared,
                        struct ws_error *error) {
  struct ws_load_fixups fixups = ws_load_fixups(prepared);
  size_t section_index = 0;
  uint32_t global = 0;
  for (size_t last = 0; ws_load_next(&fixups); last = fixups.fixup.at) {
    const uint8_t *at = module->bytes.data + fixups.fixup.at;
    if (fixups.fixup.at < last) {
      section_index = 0; // the next group
      global = 0;
    }
    while (section_index < module->section_count &&
           at >= module->sections[section_index].content.data + module->sections[section_index].content.size)
      section_index++;
    if (section_index == module->section_count)
      return malformed(module, error);
    struct ws_section *section = &module->sections[section_index];
    struct ws_fixup fixup = {
        .offset = (uint32_t)(at - section->content.data),
        .encoding = (uint8_t)fixups.fixup.encoding,
        .base = (uint8_t)fixups.fixup.base,
        .minus = fixups.fixup.minus == WS_LOAD_BASES ? WS_BASE_COUNT : (uint8_t)fixups.fixup.minus,
        .target = WS_NO_SYMBOL,
    };
    uint64_t value;
    bool fits = at >= section->content.data &&
                ws_encoding_width(fixup.encoding) <= section->content.size - fixup.offset;
    if (!fits || !ws_operand_get(at, fixup.encoding, &value))
      return malformed(module, error);
    switch (section->id) {
    case WS_SECTION_GLOBAL:
      if (!take_global(module, at, &fixup, &global))
        return malformed(module, error);
      break;
    case WS_SECTION_ELEMENT:
    case WS_SECTION_CODE:
    case WS_SECTION_DATA:
    case WS_SECTION_CUSTOM:
      if (!ws_add_fixup(section, fixup))
        return ws_fail_memory(error, module->file);
      break;
    default:
      return malformed(module, error);
    }
  }
  return !fixups.malformed || malformed(module, error);
}

static bool overlap(const struct ws_section *section) {
  for (size_t i = 1; i < section->fixup_count; i++) {
    const struct ws_fixup *last = &section->fixups[i - 1];
    if (section->fixups[i].offset < last->offset + ws_encoding_width(last->encoding))
      return true;
  }
  return false;
}

bool ws_read_prepared(struct ws_module *module, struct ws_error *error) {
  struct ws_load_module prepared;
  enum ws_load_status status = ws_load_open(&prepared, module->bytes.data, module->bytes.size);
  if (status != WS_LOAD_OK)
    return ws_module_fail(module, error, "wasmshare", NULL, "%s", ws_load_message(status));
  take_facts(module, &prepared);
  if (module->info.has_table && !ws_indirect_table(module))
    return malformed(module, error);
  if (!take_fixups(module, &prepared, error))
    return false;
  for (size_t i = 0; i < module->section_count; i++) {
    ws_sort_fixups(&module->sections[i]);
    if (overlap(&module->sections[i]))
      return malformed(module, error);
  }
  return true;
}
