// Reading: the order of the stages, and what they found in one place.
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "read/exact.h"
#include "read/globals.h"
#include "read/linking.h"
#include "read/module.h"
#include "read/checks.h"
#include "read/prepared.h"
#include "read/relocations.h"
#include "read/sections.h"
#include "read/synthetic.h"
#include "read/toolchain.h"
#include "read/whole_code.h"
#include "read/zeros.h"

static const char *copy_text(struct ws_module *module, struct ws_slice text) {
  char *copy = ws_arena_new(&module->arena, text.size + 1, 1);
  return copy ? ws_printable(text, copy, text.size + 1) : NULL;
}

static bool describe_memory(struct ws_module *module) {
  struct ws_module_info *info = &module->info;
  info->has_memory = module->has_memory;
  info->imports_memory = module->memory_import != SIZE_MAX;
  info->memory64 = module->memory.is_64;
  info->shared = module->memory.shared;
  info->memory_minimum = module->memory.minimum;
  info->memory_maximum = module->memory.maximum;
  info->has_maximum = module->memory.has_maximum;
  info->memory_module = "env";
  info->memory_name = "memory";
  if (info->imports_memory) {
    info->memory_module = copy_text(module, module->imports[module->memory_import].module);
    info->memory_name = copy_text(module, module->imports[module->memory_import].name);
  }
  return info->memory_module && info->memory_name;
}

// False if data lies beyond the end of the address space.
static bool describe_data(struct ws_module *module) {
  struct ws_module_info *info = &module->info;
  uint64_t low = UINT64_MAX, high = 0, alignment = 16;
  if (module->init_begin != module->init_end) {
    low = module->init_begin;
    high = module->init_end;
  }
  for (size_t i = 0; i < module->segment_count; i++) {
    const struct ws_segment *segment = &module->segments[i];
    if (UINT64_C(1) << segment->alignment > alignment)
      alignment = UINT64_C(1) << segment->alignment;
    if (!segment->placed || segment->bytes.size == 0)
      continue;
    uint64_t end;
    if (!ws_add(&end, segment->address, segment->bytes.size))
      return false;
    low = segment->address < low ? segment->address : low;
    high = end > high ? end : high;
  }
  // Without WASM_SEGMENT_INFO nothing says how data is aligned; a page is as much as a linker can be asked
  // for.
  info->alignment = module->has_linking || low > high ? alignment : WS_PAGE_SIZE;
  info->data_base = low > high ? 0 : low;
  info->data_end = low > high ? 0 : high;
  return true;
}

// Linkers place data where they say that it is aligned. Where something else says so, the gaps would be as it
// likes.
static bool check_alignment(const struct ws_module *module, struct ws_error *error) {
  for (size_t i = 0; i < module->segment_count; i++) {
    const struct ws_segment *segment = &module->segments[i];
    if (segment->placed && segment->bytes.size && segment->address % (UINT64_C(1) << segment->alignment))
      return ws_module_fail(module, error, "linking", NULL,
                            "data segment %zu is not aligned to the %" PRIu64
                            " bytes that it says" WS_REWRITTEN,
                            i, UINT64_C(1) << segment->alignment);
  }
  return true;
}

// What the linker said that __heap_base or __heap_end is; `otherwise` if nothing in the module names it.
static uint64_t linked_value(const struct ws_module *module, const char *name, enum ws_base base,
                             uint64_t otherwise) {
  const struct ws_symbol *symbol = ws_absolute_symbol(module, name);
  if (symbol)
    return symbol->offset;
  for (uint32_t i = 0; i < module->global_count; i++) {
    uint64_t value = module->globals[i].init.value;
    // Without symbols it may be the address of a variable that is called so: that lies within the data.
    bool own = !module->has_linking && value >= module->info.data_base && value < module->info.data_end;
    if (module->globals[i].moves && module->globals[i].base == base && !own)
      return value;
  }
  return otherwise;
}

#define ADDRESS_SPACE_32 (UINT64_C(1) << 32)

// The stack has a global, but no symbol for its low end unless the program names it: it is either first, from
// 0 up, or directly behind the data (lld/wasm/Writer.cpp, layoutMemory).
static bool describe_stack(struct ws_module *module) {
  struct ws_module_info *info = &module->info;
  for (uint32_t i = 0; i < module->global_count && !info->has_stack; i++) {
    const struct ws_global *global = &module->globals[i];
    if (global->imported || !global->moves || global->base != WS_BASE_STACK_HIGH || !global->mutable)
      continue;
    info->has_stack = true;
    info->stack_pointer = global->init.value;
  }
  if (!info->has_stack)
    return true;
  // A stack that ends where the address space does begins with 0.
  bool wraps = !info->memory64 && ws_memory_size(module) == ADDRESS_SPACE_32;
  if (wraps && info->stack_pointer == 0 && info->data_end > 0)
    info->stack_pointer = ADDRESS_SPACE_32;
  uint64_t behind;
  if (!ws_align_up(&behind, info->data_end, 16))
    return false;
  info->stack_low = info->data_end > info->data_base && info->stack_pointer > info->data_base ? behind : 0;
  info->stack_low = linked_value(module, "__stack_low", WS_BASE_STACK_LOW, info->stack_low);
  if (info->data_end == info->data_base) // there is none, but it has a place
    info->data_base = info->data_end = info->stack_low;
  return info->stack_low <= info->stack_pointer;
}

static bool describe_heap(struct ws_module *module) {
  struct ws_module_info *info = &module->info;
  uint64_t end = info->data_end > info->stack_pointer ? info->data_end : info->stack_pointer;
  if (!ws_align_up(&info->heap_base, end, 16))
    return false;
  module->heap_base = linked_value(module, "__heap_base", WS_BASE_HEAP_BASE, info->heap_base);
  // Without relocations, what the linker laid out can only be seen from its end.
  if (!module->has_linking && module->heap_base > info->heap_base)
    info->heap_base = module->heap_base;
  module->heap_end = linked_value(module, "__heap_end", WS_BASE_HEAP_END, ws_memory_size(module));
  return true;
}

static bool describe_imports(struct ws_module *module) {
  for (size_t i = 0; i < module->import_count; i++) {
    struct ws_import *import = &module->imports[i];
    module->info.imports_stack |= import->kind == WS_GLOBAL && ws_slice_is(import->name, "__stack_pointer");
    module->info.imports_table |= ws_is_function_table(import);
    import->module_text = ws_arena_text(&module->arena, import->module);
    import->name_text = ws_arena_text(&module->arena, import->name);
    if (!import->module_text || !import->name_text)
      return false;
  }
  return true;
}

// The indirect function table is the one that linkers call so. If names were stripped, it is the one that
// functions are put into; a program's other tables are no business of ours. `*named` becomes true if a symbol
// says so, or an export, as lld gives one that is empty no symbol.
static uint32_t find_indirect_table(const struct ws_module *module, bool *named) {
  for (uint32_t i = 0; i < module->symbol_count; i++)
    if (module->symbols[i].kind == WS_SYMBOL_TABLE &&
        ws_slice_is(module->symbols[i].name, "__indirect_function_table")) {
      *named = true;
      return module->symbols[i].index;
    }
  for (size_t i = 0, imported = 0; i < module->import_count; i++) {
    if (ws_is_function_table(&module->imports[i]))
      return (uint32_t)imported;
    imported += module->imports[i].kind == WS_TABLE;
  }
  for (size_t i = 0; i < module->export_count; i++)
    if (module->exports[i].kind == WS_TABLE &&
        ws_slice_is(module->exports[i].name, "__indirect_function_table")) {
      *named = true;
      return module->exports[i].index;
    }
  for (size_t i = 0; i < module->element_count; i++) {
    const struct ws_element *element = &module->elements[i];
    if (element->active && element->constant && element->table < module->table_count &&
        module->tables[element->table].element_type == WASM_TYPE_FUNCREF)
      return element->table;
  }
  return UINT32_MAX;
}

// What the module puts into that table: what its elements span, or nothing at lld's default place.
static void describe_table(struct ws_module *module) {
  struct ws_module_info *info = &module->info;
  uint64_t low = UINT64_MAX, high = 0;
  bool named = false;
  ws_set_indirect_table(module, find_indirect_table(module, &named));
  for (size_t i = 0; i < module->element_count; i++) {
    const struct ws_element *element = &module->elements[i];
    if (!element->indirect_table || !element->constant)
      continue;
    uint64_t end = element->offset + element->count;
    low = element->offset < low ? element->offset : low;
    high = end > high ? end : high;
  }
  info->has_table = named || low <= high;
  // An empty one begins where it ends (lld/wasm/SyntheticSections.cpp, TableSection and ImportSection).
  info->table_base = low <= high ? low : named ? ws_indirect_table(module)->limits.minimum : 0;
  info->table_size = low <= high ? high - low : 0;
}

static void describe_threads(struct ws_module *module) {
  struct ws_module_info *info = &module->info;
  // lld keeps the flag of the variables, but not that of their segment.
  for (uint32_t i = 0; i < module->symbol_count; i++) {
    const struct ws_symbol *symbol = &module->symbols[i];
    if (symbol->kind == WS_SYMBOL_DATA && (symbol->flags & WS_SYMBOL_TLS) &&
        !(symbol->flags & (WS_SYMBOL_UNDEFINED | WS_SYMBOL_ABSOLUTE)))
      module->segments[symbol->index].tls = true;
  }
  for (size_t i = 0; i < module->segment_count && module->memory.shared; i++) {
    const struct ws_segment *segment = &module->segments[i];
    if (!segment->tls)
      continue;
    info->tls_size = segment->bytes.size;
    info->tls_alignment = UINT64_C(1) << segment->alignment;
  }
  // What C gives the most aligned of its basic types; a placed module is where its alignment was known.
  if (info->tls_size && !module->has_linking)
    info->tls_alignment = module->placed ? 1 : 16;
}

static bool is_command_wrapper(const struct ws_module *module, uint32_t index) {
  static const char suffix[] = ".command_export";
  uint32_t defined = index - module->imported_functions;
  if (index < module->imported_functions || defined >= module->function_count)
    return false;
  struct ws_slice name = module->functions[defined].name;
  size_t size = sizeof suffix - 1;
  return name.size > size && memcmp(name.data + name.size - size, suffix, size) == 0;
}

static void describe_exports(struct ws_module *module) {
  struct ws_module_info *info = &module->info;
  for (size_t i = 0; i < module->export_count; i++) {
    const struct ws_export *export = &module->exports[i];
    if (export->kind != WS_FUNCTION)
      continue;
    info->exports_init_tls |= ws_slice_is(export->name, "__wasm_init_tls");
    info->reruns_constructors |=
        !ws_slice_is(export->name, "_start") && is_command_wrapper(module, export->index);
  }
}

static bool describe_globals(struct ws_module *module) {
  struct ws_module_info *info = &module->info;
  for (uint32_t i = 0; i < module->global_count; i++)
    info->global_count += module->globals[i].moves;
  struct ws_pointer_global *globals = ws_arena_new(&module->arena, info->global_count, sizeof *globals);
  if (!globals)
    return false;
  struct ws_slice *exported = ws_arena_new(&module->arena, module->global_count, sizeof *exported);
  if (!exported)
    return false;
  for (size_t i = module->export_count; i-- > 0;)
    if (module->exports[i].kind == WS_GLOBAL)
      exported[module->exports[i].index] = module->exports[i].name;
  size_t count = 0;
  for (uint32_t i = 0; i < module->global_count; i++) {
    const struct ws_global *global = &module->globals[i];
    if (!global->moves)
      continue;
    struct ws_slice name = global->name.size ? global->name : exported[i];
    globals[count++] = (struct ws_pointer_global){
        .index = i, .name = copy_text(module, name), .base = global->base, .value = global->init.value};
    if (!globals[count - 1].name)
      return false;
  }
  info->globals = globals;
  return true;
}

// Pointers by what moves them: in sections, globals, element and data segments, and in functions that the
// linker wrote or that clear zeroed data.
static void count_fixups(struct ws_module *module) {
  uint64_t *counts = module->info.fixups;
  for (size_t i = 0; i < module->section_count; i++)
    for (size_t k = 0; k < module->sections[i].fixup_count; k++)
      counts[module->sections[i].fixups[k].base]++;
  for (uint32_t i = 0; i < module->global_count; i++)
    if (module->globals[i].moves && module->globals[i].init.kind != WS_CONSTANT_OTHER)
      counts[module->globals[i].base]++;
  if (module->prepared)
    return;
  for (size_t i = 0; i < module->element_count; i++)
    counts[WS_BASE_TABLE] += module->elements[i].indirect_table && module->elements[i].constant;
  for (size_t i = 0; i < module->segment_count; i++)
    counts[WS_BASE_MEMORY] += !module->segments[i].passive;
  for (size_t i = 0; i < module->linker_function_count; i++)
    if (module->functions[module->linker_functions[i].function].unpadded)
      counts[WS_BASE_MEMORY] += module->linker_functions[i].address_count;
  counts[WS_BASE_MEMORY] += ws_count_clearable(module);
}

// What a prepared module says as well as any other.
static bool describe_rest(struct ws_module *module, const struct ws_read_options *options,
                          struct ws_error *error) {
  if (!module->prepared)
    module->info.initial_heap = ws_linked_heap(module, false);
  describe_exports(module);
  if (!describe_memory(module) || !describe_globals(module))
    return ws_fail_memory(error, module->file);
  for (size_t i = 0; i < module->section_count; i++)
    ws_sort_fixups(&module->sections[i]);
  if (!module->prepared)
    ws_find_zeros(module);
  count_fixups(module);
  if (module->prepared)
    return true;
  module->info.heap = WS_HEAP_UNKNOWN;
  module->info.heap_reason = "nobody looked";
  return ws_checks_go_on(module, !(options && options->skip_heap), error);
}

static bool read_module(struct ws_module *module, const struct ws_read_options *options,
                        struct ws_error *error) {
  if (!ws_read_sections(module, error))
    return false;
  // It keeps these sections, which are not for what it wrote.
  if (ws_custom_section(module, "linking") && ws_toolchain(module) == WS_TOOLCHAIN_WASM_BINDGEN)
    return ws_module_fail(module, error, NULL, NULL, "cannot be moved: %s",
                          ws_toolchain_advice(WS_TOOLCHAIN_WASM_BINDGEN));
  if (!ws_read_linking(module, error))
    return false;
  module->info.for_wasm_bindgen = ws_is_for_wasm_bindgen(module);
  if (module->memory_import != SIZE_MAX &&
      ws_slice_is(module->imports[module->memory_import].name, "__linear_memory"))
    return ws_module_fail(module, error, NULL, NULL,
                          "is an object file: link it first (wasm-ld --import-memory --emit-relocs)");
  if (module->memory.custom_pages)
    return ws_module_fail(module, error, NULL, NULL,
                          "has a memory with pages of another size than 64 KiB: link it without --page-size");
  if (!describe_imports(module))
    return ws_fail_memory(error, module->file);
  bool is_relocated = module->has_linking && !ws_is_prepared(module);
  if (is_relocated)
    ws_checks_start(module);
  if (!ws_read_code(module, error))
    return false;
  if (ws_is_prepared(module) && module->vouched_heap != WS_HEAP_CLASSES)
    return ws_module_fail(module, error, NULL, NULL,
                          "is prepared already, and says what its heap is: prepare what the linker wrote");
  if (ws_is_prepared(module))
    return ws_read_prepared(module, error) && describe_rest(module, options, error);
  if (!ws_read_synthetic(module, error))
    return false;
  describe_table(module);
  if (is_relocated && options && options->whole_code) {
    module->code_notes = ws_arena_new(&module->arena, module->function_count, sizeof *module->code_notes);
    if (!module->code_notes)
      return ws_fail_memory(error, module->file);
  }
  if (is_relocated && !(ws_read_relocations(module, error) && ws_checks_make(module, error)))
    return false;
  if (!ws_read_globals(module, error))
    return false;
  module->info.has_relocations = module->has_linking;
  if (!check_alignment(module, error))
    return false;
  bool fits = describe_data(module);
  // Linkers keep address 0 free, for the null pointer or the stack; wasm-ld -r starts there.
  if (module->has_linking && module->info.data_end > 0 && module->info.data_base == 0)
    return ws_module_fail(
        module, error, NULL, NULL,
        "has data at address 0, as an object file has (wasm-ld -r): link it, with --import-memory "
        "--emit-relocs and not with --global-base=0");
  if (!fits || !describe_stack(module) || !describe_heap(module))
    return ws_module_fail(module, error, NULL, NULL,
                          "has a stack or data beyond the end of the address space");
  describe_threads(module);
  ws_check_exact(module, options && options->trust_pic);
  return describe_rest(module, options, error);
}

struct ws_module *ws_module_read(const char *name, const void *bytes, size_t size,
                                 const struct ws_read_options *options, struct ws_error *error) {
  struct ws_module *module = calloc(1, sizeof *module);
  if (!module) {
    ws_fail_memory(error, name);
    return NULL;
  }
  module->bytes = (struct ws_slice){bytes, size};
  module->file = name;
  module->info.exact = true;
  module->placed = options && options->placed;
  module->vouched_heap = options && options->heap ? *options->heap : WS_HEAP_CLASSES;
  const char *copy = copy_text(module, (struct ws_slice){(const uint8_t *)name, strlen(name)});
  if (copy)
    module->file = copy;
  bool ok = copy ? read_module(module, options, error) : ws_fail_memory(error, name);
  if (ok && !(options && options->check_later)) {
    ws_checks_await_heap(module);
    ok = ws_checks_passed(module, error);
  }
  if (!ok) {
    ws_module_free(module);
    return NULL;
  }
  return module;
}

void ws_module_free(struct ws_module *module) {
  if (!module)
    return;
  ws_checks_free(module);
  for (size_t i = 0; i < module->section_count; i++)
    free(module->sections[i].fixups);
  free(module->externals);
  ws_arena_free(&module->arena);
  free(module);
}

const struct ws_module_info *ws_module_info(const struct ws_module *module) {
  return &module->info;
}
