// What symbols and imports mean: the items that stand for them in the merged module.
#include "link/merged_heaps.h"
#include "link/types.h"

// --------------------------------------------------------------------------------------------------- symbols

static const struct {
  const char *name;
  enum ws_merge_symbol symbol;
} linker_symbols[] = {
    {"__memory_base", WS_MERGE_ZERO},
    {"__table_base", WS_MERGE_TABLE_BASE},
    {"__stack_low", WS_MERGE_STACK_LOW},
    {"__stack_high", WS_MERGE_STACK_HIGH},
    {"__stack_pointer", WS_MERGE_STACK_HIGH},
    {"__global_base", WS_MERGE_DATA_START},
    {"__dso_handle", WS_MERGE_DATA_START},
    {"__data_end", WS_MERGE_DATA_END},
    {"__heap_base", WS_MERGE_HEAP_BASE},
    {"__heap_end", WS_MERGE_HEAP_END},
    {"__tls_base", WS_MERGE_TLS_BASE},
    {"__tls_size", WS_MERGE_TLS_SIZE},
    {"__tls_align", WS_MERGE_TLS_ALIGN},
    {"__wasm_first_page_end", WS_MERGE_FIRST_PAGE_END},
    {"__wasm_init_memory_flag", WS_MERGE_INIT_FLAG},
};

// A bound of a section of that name, of all modules.
static struct ws_edge bound_edge(const struct ws_merge *merge, struct ws_slice name) {
  enum ws_bound bound = ws_bound_of(name, &name);
  const uint32_t *segment = bound ? ws_map_find(&merge->segment_names, name) : NULL;
  if (!segment)
    return (struct ws_edge){.kind = WS_EDGE_NONE};
  return (struct ws_edge){.kind = bound == WS_BOUND_START ? WS_EDGE_START : WS_EDGE_STOP, .target = *segment};
}

struct ws_edge ws_merge_linker_edge(const struct ws_merge *merge, struct ws_slice name) {
  for (size_t i = 0; i < sizeof linker_symbols / sizeof *linker_symbols; i++)
    if (ws_slice_is(name, linker_symbols[i].name))
      return (struct ws_edge){.kind = WS_EDGE_LINKER, .target = linker_symbols[i].symbol};
  return bound_edge(merge, name);
}

// What a symbol names in its own module.
static void set_symbol(struct ws_merge *merge, uint32_t m, uint32_t index) {
  const struct ws_merge_module *from = &merge->modules[m];
  const struct ws_symbol *symbol = &from->module->symbols[index];
  struct ws_edge *edge = &merge->symbols[from->first_symbol + index];
  switch (symbol->kind) {
  case WS_SYMBOL_FUNCTION:
    *edge = (struct ws_edge){.kind = WS_EDGE_FUNCTION, .target = from->first_function + symbol->index};
    break;
  case WS_SYMBOL_GLOBAL:
    *edge = (struct ws_edge){.kind = WS_EDGE_GLOBAL, .target = from->first_global + symbol->index};
    break;
  case WS_SYMBOL_TABLE:
    *edge = (struct ws_edge){.kind = WS_EDGE_TABLE, .target = from->first_table + symbol->index};
    break;
  case WS_SYMBOL_TAG:
    if (symbol->index < from->tag_count)
      *edge = (struct ws_edge){.kind = WS_EDGE_TAG, .target = from->first_tag + symbol->index};
    break;
  case WS_SYMBOL_DATA:
    if (symbol->flags & WS_SYMBOL_ABSOLUTE)
      *edge = ws_merge_linker_edge(merge, symbol->name);
    else if (symbol->flags & WS_SYMBOL_UNDEFINED) // its own module has nothing in that section
      *edge = bound_edge(merge, symbol->name);
    break; // others: split_data
  default:
    break;
  }
}

// -------------------------------------------------------------------------------------- what stands for what

struct ws_one_symbol ws_merge_one_of(const struct ws_merge *merge, uint32_t m, uint32_t symbol) {
  const struct ws_merge_input *input = &merge->modules[m].input;
  return input->one_of ? input->one_of[symbol] : (struct ws_one_symbol){m, symbol};
}

// For each item, the symbol that its module knows it by: the first that is not local, and means the item
// itself if one does. Of several names of a function, some may mean another module's.
struct known {
  uint32_t *functions, *globals, *tables, *tags;
};

static unsigned fitness(const struct ws_merge *merge, uint32_t m, uint32_t symbol) {
  struct ws_one_symbol one = ws_merge_one_of(merge, m, symbol);
  bool is_global = !(merge->modules[m].module->symbols[symbol].flags & WS_SYMBOL_LOCAL);
  bool means_itself = one.module == m && one.symbol == symbol;
  return is_global ? (means_itself ? 2 : 1) : 0;
}

static void note_known(const struct ws_merge *merge, uint32_t m, uint32_t *known, uint32_t target,
                       uint32_t index) {
  if (known[target] == WS_NOTHING || fitness(merge, m, known[target]) < fitness(merge, m, index))
    known[target] = index;
}

static bool find_known(struct ws_merge *merge, struct known *known) {
  uint32_t **lists[] = {&known->functions, &known->globals, &known->tables, &known->tags};
  uint32_t counts[] = {merge->function_count, merge->global_count, merge->table_count, merge->tag_count};
  for (size_t i = 0; i < 4; i++) {
    *lists[i] = ws_arena_new(&merge->arena, counts[i], sizeof **lists[i]);
    if (!*lists[i])
      return ws_merge_fail_memory(merge);
    memset(*lists[i], 0xff, counts[i] * sizeof **lists[i]);
  }
  for (uint32_t m = 0; m < merge->module_count; m++) {
    const struct ws_merge_module *from = &merge->modules[m];
    for (uint32_t i = 0; i < from->module->symbol_count; i++) {
      const struct ws_edge *edge = &merge->symbols[from->first_symbol + i];
      uint32_t *list = edge->kind == WS_EDGE_FUNCTION ? known->functions
                       : edge->kind == WS_EDGE_GLOBAL ? known->globals
                       : edge->kind == WS_EDGE_TABLE  ? known->tables
                       : edge->kind == WS_EDGE_TAG    ? known->tags
                                                      : NULL;
      if (list)
        note_known(merge, m, list, edge->target, i);
    }
  }
  return true;
}

// How items are found while it is not yet known what stands for each.
struct resolver {
  struct ws_merge *merge;
  struct known known;
  struct ws_map host; // imports of the host, by their names and types
};

static const uint8_t kind_of_edge[] = {[WS_EDGE_FUNCTION] = WS_FUNCTION,
                                       [WS_EDGE_GLOBAL] = WS_GLOBAL,
                                       [WS_EDGE_TABLE] = WS_TABLE,
                                       [WS_EDGE_TAG] = WS_TAG};

// An item before it is resolved.
struct item {
  uint32_t module, index, *one;
  const struct ws_import *import; // NULL if it is defined
  size_t import_index;
  uint32_t symbol; // or WS_NOTHING
};

static struct item get_item(const struct resolver *resolver, enum ws_edge_kind kind, uint32_t number) {
  struct ws_merge *merge = resolver->merge;
  struct item item = {.symbol = WS_NOTHING};
  const struct ws_merge_module *from;
  uint32_t imported = 0;
  switch (kind) {
  case WS_EDGE_FUNCTION: {
    struct ws_merge_function *function = &merge->functions[number];
    item = (struct item){
        function->module, function->index, &function->one, NULL, 0, resolver->known.functions[number]};
    imported = merge->modules[item.module].module->imported_functions;
    break;
  }
  case WS_EDGE_GLOBAL: {
    struct ws_merge_global *global = &merge->globals[number];
    item =
        (struct item){global->module, global->index, &global->one, NULL, 0, resolver->known.globals[number]};
    imported = merge->modules[item.module].module->imported_globals;
    break;
  }
  case WS_EDGE_TABLE: {
    struct ws_merge_item *table = &merge->tables[number];
    item = (struct item){table->module, table->index, &table->one, NULL, 0, resolver->known.tables[number]};
    imported = merge->modules[item.module].module->imported_tables;
    break;
  }
  default: {
    struct ws_merge_item *tag = &merge->tags[number];
    item = (struct item){tag->module, tag->index, &tag->one, NULL, 0, resolver->known.tags[number]};
    imported = merge->modules[item.module].imported_tags;
    break;
  }
  }
  from = &merge->modules[item.module];
  if (item.index < imported) {
    item.import_index = from->imports[kind_of_edge[kind]][item.index];
    item.import = &from->module->imports[item.import_index];
  }
  return item;
}

static uint32_t first_of_kind(const struct ws_merge_module *from, uint8_t kind) {
  return kind == WS_FUNCTION ? from->first_function
         : kind == WS_GLOBAL ? from->first_global
         : kind == WS_TABLE  ? from->first_table
                             : from->first_tag;
}

// The first import of the host that is the same.
static uint32_t host_import(struct resolver *resolver, const struct item *item, uint32_t number) {
  struct ws_merge *merge = resolver->merge;
  const struct ws_module *module = merge->modules[item->module].module;
  struct ws_buffer key = {0};
  ws_put_u8(&key, item->import->kind);
  ws_put_name(&key, item->import->module);
  ws_put_name(&key, item->import->name);
  uint32_t type = item->import->kind == WS_FUNCTION ? item->import->type
                  : item->import->kind == WS_TAG    ? merge->modules[item->module].tag_types[item->index]
                                                    : WS_NOTHING;
  if (type < module->type_count) {
    ws_put_name(&key, module->types[type].parameters);
    ws_put_name(&key, module->types[type].results);
  }
  if (item->import->kind == WS_GLOBAL || item->import->kind == WS_TABLE)
    ws_put_slice(&key, item->import->detail);
  struct ws_slice kept = ws_buffer_keep(&key, &merge->arena);
  uint32_t *first = kept.data ? ws_map_add(&resolver->host, kept, number) : NULL;
  return first ? *first : WS_NOTHING;
}

static bool is_stack_pointer(const struct ws_module *module, uint32_t index, const struct ws_import *import) {
  const struct ws_global *global = &module->globals[index];
  if (import)
    return ws_slice_is(import->module, "env") && ws_slice_is(import->name, "__stack_pointer");
  return global->moves && global->base == WS_BASE_STACK_HIGH && global->mutable;
}

// Whether the linker made a function that is called so; a program may have one of that name, too.
static bool is_linkers(const struct ws_module *module, uint32_t index, uint32_t synthetic) {
  if (index < module->imported_functions)
    return false;
  const struct ws_function *function = &module->functions[index - module->imported_functions];
  return synthetic == WS_CALL_CTORS ? !function->has_local_symbol : function->synthetic;
}

static struct ws_slice defined_name(const struct ws_module *module, uint32_t index) {
  if (index < module->imported_functions)
    return (struct ws_slice){(const uint8_t *)"", 0};
  return module->functions[index - module->imported_functions].name;
}

const char *const ws_synthetic_names[WS_SYNTHETIC_COUNT] = {[WS_CALL_CTORS] = "__wasm_call_ctors",
                                                            [WS_INIT_MEMORY] = "__wasm_init_memory",
                                                            [WS_INIT_TLS] = "__wasm_init_tls",
                                                            [WS_RUN_START] = "__wasmshare_start"};

// The function that is made anew in place of one that the linker made, or WS_NOTHING.
static uint32_t synthetic_for(const struct ws_merge *merge, uint32_t m, uint32_t index) {
  const struct ws_module *module = merge->modules[m].module;
  struct ws_slice name = defined_name(module, index);
  if (index == merge->modules[m].constructors && is_linkers(module, index, WS_CALL_CTORS))
    return merge->first_synthetic + WS_CALL_CTORS;
  for (uint32_t i = 0; i < WS_LINKER_FUNCTIONS; i++)
    if (ws_slice_is(name, ws_synthetic_names[i]) && is_linkers(module, index, i))
      return merge->first_synthetic + i;
  return WS_NOTHING;
}

// What is one in every link: the stack pointer, the thread's block, the function table. WS_NOTHING for
// others.
static uint32_t single_item(struct ws_merge *merge, enum ws_edge_kind kind, const struct item *item,
                            uint32_t number) {
  const struct ws_module *module = merge->modules[item->module].module;
  uint32_t *single = NULL;
  if (kind == WS_EDGE_FUNCTION && !item->import)
    return synthetic_for(merge, item->module, item->index);
  if (kind == WS_EDGE_GLOBAL && is_stack_pointer(module, item->index, item->import))
    single = &merge->stack_pointer;
  else if (kind == WS_EDGE_GLOBAL && !item->import &&
           ws_slice_is(module->globals[item->index].name, "__tls_base"))
    single = &merge->tls_base;
  else if (kind == WS_EDGE_TABLE && item->index == module->indirect_table)
    single = &merge->indirect_table;
  if (!single)
    return WS_NOTHING;
  if (*single == WS_NOTHING)
    *single = number;
  return *single;
}

// What one C library has in two modules is one. But what asks there for the size of the memory, or grows it,
// works for its own module's heap, so that it stays beside its like if the allocators that call it are not
// one: other versions, perhaps. A weak function is there for others to stand for it.
static bool keeps_copy(const struct ws_merge *merge, const struct item *item, uint32_t at, uint32_t to) {
  const struct ws_symbol *symbol = &merge->modules[item->module].module->symbols[item->symbol];
  return !item->import && !(symbol->flags & WS_SYMBOL_WEAK) &&
         ws_merge_heaps_differ(merge, item->module, merge->functions[to].module) &&
         merge->functions[at].uses_memory_size;
}

// Follows imports and what stands for what, to the item that is in the merged module.
static bool resolve(struct resolver *resolver, enum ws_edge_kind kind, uint32_t number, uint32_t *one) {
  struct ws_merge *merge = resolver->merge;
  uint32_t at = number;
  for (size_t steps = 0; steps <= 2 * merge->module_count + 2; steps++) {
    struct item item = get_item(resolver, kind, at);
    if (*item.one != WS_NOTHING) {
      *one = *item.one;
      return true;
    }
    uint32_t single = single_item(merge, kind, &item, at);
    if (single != WS_NOTHING) {
      *one = single;
      return true;
    }
    if (item.symbol != WS_NOTHING) {
      struct ws_one_symbol other = ws_merge_one_of(merge, item.module, item.symbol);
      const struct ws_edge *edge = &merge->symbols[merge->modules[other.module].first_symbol + other.symbol];
      if (edge->kind != kind)
        return ws_merge_fail(merge, item.module, "linking", "symbol %u stands for something of another kind",
                             item.symbol);
      if (kind == WS_EDGE_FUNCTION && edge->target != at && keeps_copy(merge, &item, at, edge->target)) {
        merge->functions[at].copy = true;
        *one = at;
        return true;
      }
      if (edge->target != at) {
        at = edge->target;
        continue;
      }
    }
    if (!item.import) {
      *one = at;
      return true;
    }
    size_t from = merge->modules[item.module].input.from[item.import_index];
    if (from == WS_HOST) {
      *one = host_import(resolver, &item, at);
      return *one != WS_NOTHING || ws_merge_fail_memory(merge);
    }
    const struct ws_merge_module *exporter = &merge->modules[from];
    const struct ws_export *export = ws_find_export(exporter->module, item.import->name);
    if (!export || export->kind != item.import->kind)
      return ws_merge_fail(merge, item.module, "IMPORT", "imports what is not exported");
    at = first_of_kind(exporter, export->kind) + export->index;
  }
  return ws_merge_fail(merge, 0, "IMPORT", "imports what is imported in a cycle");
}

static const struct ws_type *type_of(const struct ws_merge *merge, uint32_t number) {
  const struct ws_merge_function *function = &merge->functions[number];
  const struct ws_merge_module *from = &merge->modules[function->module];
  const struct ws_module *module = from->module;
  if (function->index < module->imported_functions)
    return &module->types[module->imports[from->imports[WS_FUNCTION][function->index]].type];
  return &module->types[module->function_types[function->index - module->imported_functions]];
}

bool ws_merge_same_function_types(const struct ws_merge *merge, uint32_t a, uint32_t b) {
  return a < merge->first_synthetic && b < merge->first_synthetic &&
         ws_is_same_type(type_of(merge, a), type_of(merge, b));
}

// The type of that number, of all modules.
static const struct ws_type *numbered_type(const struct ws_merge *merge, uint32_t number) {
  size_t m = merge->module_count - 1;
  while (merge->modules[m].first_type > number)
    m--;
  return &merge->modules[m].module->types[number - merge->modules[m].first_type];
}

bool ws_merge_same_types(const struct ws_merge *merge, uint32_t a, uint32_t b) {
  return ws_is_same_type(numbered_type(merge, a), numbered_type(merge, b));
}

static bool resolve_functions(struct resolver *resolver) {
  struct ws_merge *merge = resolver->merge;
  for (uint32_t i = 0; i < merge->first_synthetic; i++) {
    struct ws_merge_function *function = &merge->functions[i];
    uint32_t one = i;
    if (!resolve(resolver, WS_EDGE_FUNCTION, i, &one))
      return false;
    function->one = one;
    if (one != i && one < merge->first_synthetic && !ws_merge_same_function_types(merge, one, i)) {
      char name[128], own[128], other[128];
      ws_printable(ws_merge_function_name(merge, i), name, sizeof name);
      return ws_merge_fail(merge, function->module, NULL,
                           "has another type of the function %s than %s: %s here, %s there", name,
                           merge->modules[merge->functions[one].module].module->file,
                           ws_type_text(type_of(merge, i), own, sizeof own),
                           ws_type_text(type_of(merge, one), other, sizeof other));
    }
  }
  return true;
}

static bool resolve_items(struct ws_merge *merge) {
  struct resolver resolver = {.merge = merge};
  bool ok = find_known(merge, &resolver.known) && resolve_functions(&resolver);
  for (uint32_t i = 0; ok && i < merge->global_count; i++) {
    uint32_t one = i;
    ok = resolve(&resolver, WS_EDGE_GLOBAL, i, &one);
    merge->globals[i].one = one;
  }
  for (uint32_t i = 0; ok && i < merge->table_count; i++) {
    uint32_t one = i;
    ok = resolve(&resolver, WS_EDGE_TABLE, i, &one);
    merge->tables[i].one = one;
  }
  for (uint32_t i = 0; ok && i < merge->tag_count; i++) {
    uint32_t one = i;
    ok = resolve(&resolver, WS_EDGE_TAG, i, &one);
    merge->tags[i].one = one;
  }
  ws_map_free(&resolver.host);
  return ok;
}

// The symbols' own targets become those of what stands for them.
static bool resolve_symbols(struct ws_merge *merge) {
  struct ws_edge *resolved = ws_arena_new(&merge->arena, merge->symbol_count, sizeof *resolved);
  if (!resolved)
    return ws_merge_fail_memory(merge);
  for (uint32_t m = 0; m < merge->module_count; m++) {
    const struct ws_merge_module *from = &merge->modules[m];
    for (uint32_t i = 0; i < from->module->symbol_count; i++) {
      struct ws_one_symbol one = ws_merge_one_of(merge, m, i);
      struct ws_edge edge = merge->symbols[merge->modules[one.module].first_symbol + one.symbol];
      const struct ws_edge *own = &merge->symbols[from->first_symbol + i];
      if (own->kind == WS_EDGE_FUNCTION && merge->functions[own->target].copy)
        edge = *own;
      if (edge.kind == WS_EDGE_FUNCTION)
        edge.target = merge->functions[edge.target].one;
      else if (edge.kind == WS_EDGE_GLOBAL)
        edge.target = merge->globals[edge.target].one;
      else if (edge.kind == WS_EDGE_TABLE)
        edge.target = merge->tables[edge.target].one;
      else if (edge.kind == WS_EDGE_TAG)
        edge.target = merge->tags[edge.target].one;
      resolved[from->first_symbol + i] = edge;
    }
  }
  merge->symbols = resolved;
  return true;
}

uint32_t ws_merge_function_at(const struct ws_merge *merge, uint32_t module, uint32_t index) {
  return merge->functions[merge->modules[module].first_function + index].one;
}

struct ws_slice ws_merge_function_name(const struct ws_merge *merge, uint32_t function) {
  const struct ws_merge_function *named = &merge->functions[function];
  const struct ws_merge_module *from = &merge->modules[named->module];
  if (named->index < from->module->imported_functions)
    return from->module->imports[from->imports[WS_FUNCTION][named->index]].name;
  return from->module->functions[named->index - from->module->imported_functions].name;
}

bool ws_merge_find_targets(struct ws_merge *merge) {
  for (uint32_t m = 0; m < merge->module_count; m++)
    for (uint32_t i = 0; i < merge->modules[m].module->symbol_count; i++)
      set_symbol(merge, m, i);
  return resolve_items(merge) && resolve_symbols(merge);
}
