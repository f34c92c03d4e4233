// What code, data and globals refer to.
#include "link/atoms.h"
#include "link/wrappers.h"

#include <stdlib.h>

#include "read/globals.h"
#include "read/instructions.h"

// ----------------------------------------------------------------------------------------------------- edges

// A function that has no entry in its module's table is null where its address is taken: it is weak, and the
// linker has written a stub for it.
static bool is_null(const struct ws_merge *merge, uint32_t m, const struct ws_relocation *relocation,
                    uint64_t operand, uint32_t target) {
  const struct ws_merge_module *from = &merge->modules[m];
  uint32_t own = from->module->symbols[relocation->index].index, function;
  if (ws_relocation_kinds[relocation->type].operand == WS_REL_TABLE_INDEX_REL)
    operand += from->module->info.table_base;
  return target == from->first_function + own &&
         !(ws_table_function(from->module, operand, &function) && function == own);
}

// A thread-local variable is named by its offset in the thread's block, or by its address if there is only
// one thread.
static bool is_tls_offset(const struct ws_symbol *symbol, const struct ws_relocation *relocation,
                          uint64_t operand) {
  uint64_t mask = ws_encoding_is_64(ws_relocation_kinds[relocation->type].encoding) ? UINT64_MAX : UINT32_MAX;
  return ws_is_datum_symbol(symbol) && (symbol->flags & WS_SYMBOL_TLS) &&
         operand == ((symbol->offset + ws_addend(relocation)) & mask);
}

struct ws_edge ws_merge_edge(const struct ws_merge *merge, uint32_t m, const struct ws_relocation *relocation,
                             uint64_t operand) {
  const struct ws_merge_module *from = &merge->modules[m];
  struct ws_edge edge = {.kind = WS_EDGE_NONE};
  enum ws_relocated what = ws_relocation_kinds[relocation->type].operand;
  if (what == WS_REL_TYPE_INDEX) {
    edge.kind = relocation->index < from->module->type_count ? WS_EDGE_TYPE : WS_EDGE_NONE;
    edge.target = from->first_type + relocation->index;
  } else if (relocation->index < from->module->symbol_count) {
    edge = merge->symbols[from->first_symbol + relocation->index];
    edge.addend += ws_addend(relocation);
    if ((what == WS_REL_TABLE_INDEX || what == WS_REL_TABLE_INDEX_REL) &&
        is_null(merge, m, relocation, operand, edge.target))
      edge.kind = WS_EDGE_NONE;
    if (is_tls_offset(&from->module->symbols[relocation->index], relocation, operand) &&
        edge.kind == WS_EDGE_DATUM)
      edge.kind = WS_EDGE_TLS;
    if (what == WS_REL_GLOBAL_INDEX && edge.kind != WS_EDGE_GLOBAL) {
      edge = (struct ws_edge){.kind = WS_EDGE_NONE};
      if (operand < from->module->global_count)
        edge = (struct ws_edge){.kind = WS_EDGE_GLOBAL,
                                .target = merge->globals[from->first_global + operand].one};
    }
  }
  edge.type = relocation->type;
  edge.offset = relocation->offset;
  return edge;
}

// What a GOT global holds is said by the symbols of those who use it.
static void note_got(struct ws_merge *merge, uint32_t m, const struct ws_relocation *relocation,
                     uint64_t operand) {
  const struct ws_merge_module *from = &merge->modules[m];
  if (ws_relocation_kinds[relocation->type].operand != WS_REL_GLOBAL_INDEX ||
      relocation->index >= from->module->symbol_count || operand >= from->module->global_count ||
      from->module->symbols[relocation->index].kind == WS_SYMBOL_GLOBAL)
    return;
  struct ws_merge_global *global = &merge->globals[from->first_global + operand];
  if (from->module->globals[operand].imported || global->constant)
    return;
  struct ws_relocation held = {.type = merge->is_64 ? R_WASM_TABLE_INDEX_I64 : R_WASM_TABLE_INDEX_I32,
                               .index = relocation->index};
  uint64_t value = from->module->globals[operand].init.value;
  if (from->module->symbols[relocation->index].kind == WS_SYMBOL_DATA)
    held.type = merge->is_64 ? R_WASM_MEMORY_ADDR_I64 : R_WASM_MEMORY_ADDR_I32;
  global->init = ws_merge_edge(merge, m, &held, value);
  global->constant = global->init.kind != WS_EDGE_NONE;
}

static bool add_edge(struct ws_merge *merge, size_t *capacity, const struct ws_edge *edge) {
  struct ws_edge *edges = ws_make_room(merge->edges, merge->edge_count, capacity, sizeof *edges);
  if (!edges)
    return ws_merge_fail_memory(merge);
  merge->edges = edges;
  merge->edges[merge->edge_count++] = *edge;
  return true;
}

// Reads the relocations of the code or of the data.
static bool read_edges(struct ws_merge *merge, uint32_t m, enum ws_section_id id, size_t *capacity) {
  const struct ws_module *module = merge->modules[m].module;
  const struct ws_section *section = ws_section(module, id);
  struct ws_relocations relocations = ws_relocations_of(module, id);
  for (size_t i = 0; i < relocations.count; i++) {
    const struct ws_relocation *relocation = &relocations.list[i];
    uint64_t operand;
    ws_operand_get(section->content.data + relocation->offset, ws_relocation_kinds[relocation->type].encoding,
                   &operand);
    note_got(merge, m, relocation, operand);
    struct ws_edge edge = ws_merge_edge(merge, m, relocation, operand);
    if (!add_edge(merge, capacity, &edge))
      return false;
  }
  return true;
}

static bool reserve_edges(struct ws_merge *merge, size_t *capacity) {
  for (uint32_t m = 0; m < merge->module_count; m++)
    *capacity += ws_relocations_of(merge->modules[m].module, WS_SECTION_CODE).count +
                 ws_relocations_of(merge->modules[m].module, WS_SECTION_DATA).count;
  merge->edges = malloc((*capacity + 1) * sizeof *merge->edges);
  return merge->edges || ws_merge_fail_memory(merge);
}

// Gives each function and each datum its part of the edges, which are in order of place.
static void assign_code_edges(struct ws_merge *merge, uint32_t m, size_t first, size_t end) {
  const struct ws_merge_module *from = &merge->modules[m];
  size_t at = first;
  for (uint32_t i = 0; i < from->module->function_count; i++) {
    const struct ws_function *body = &from->module->functions[i];
    struct ws_merge_function *function =
        &merge->functions[from->first_function + from->module->imported_functions + i];
    while (at < end && merge->edges[at].offset < body->offset)
      at++;
    function->first_edge = (uint32_t)at;
    while (at < end && merge->edges[at].offset < body->offset + body->size)
      at++;
    function->edge_count = (uint32_t)at - function->first_edge;
  }
}

static void assign_data_edges(struct ws_merge *merge, uint32_t m, size_t first, size_t end) {
  const struct ws_merge_module *from = &merge->modules[m];
  size_t at = first;
  for (uint32_t i = 0; i < from->datum_count; i++) {
    struct ws_merge_datum *datum = &merge->data[from->first_datum + i];
    uint64_t start = (uint64_t)from->module->segments[datum->segment].bytes_offset + datum->offset;
    while (at < end && merge->edges[at].offset < start)
      at++;
    datum->first_edge = (uint32_t)at;
    while (at < end && merge->edges[at].offset < start + datum->size)
      at++;
    datum->edge_count = (uint32_t)at - datum->first_edge;
  }
}

// A wrapper of an export, which the linker made, has no relocations: its calls are decoded.
struct wrapper {
  struct ws_merge *merge;
  struct ws_merge_function *function;
  size_t *capacity;
  bool ok;
};

static void add_call(void *context, const struct ws_operand *operand) {
  struct wrapper *wrapper = context;
  const struct ws_module *module = wrapper->merge->modules[wrapper->function->module].module;
  if (operand->space != WS_SPACE_FUNCTION ||
      operand->value >= (uint64_t)module->imported_functions + module->function_count)
    return;
  struct ws_edge edge = {
      .kind = WS_EDGE_FUNCTION,
      .type = R_WASM_FUNCTION_INDEX_LEB,
      .offset = operand->offset,
      .target = ws_merge_function_at(wrapper->merge, wrapper->function->module, (uint32_t)operand->value)};
  wrapper->ok = wrapper->ok && add_edge(wrapper->merge, wrapper->capacity, &edge);
  wrapper->function->edge_count++;
}

static bool read_wrapper(struct ws_merge *merge, struct ws_merge_function *function, size_t *capacity) {
  const struct ws_module *module = merge->modules[function->module].module;
  struct wrapper wrapper = {merge, function, capacity, true};
  struct ws_operand_visitor visitor = {add_call, &wrapper};
  struct ws_reader body = ws_reader(ws_function_body(module, function->index - module->imported_functions));
  function->first_edge = (uint32_t)merge->edge_count;
  ws_visit_locals(&body, NULL);
  while (!body.bad && body.at < body.end && wrapper.ok)
    ws_visit_instruction(&body, &visitor);
  if (body.bad)
    return ws_merge_fail(merge, function->module, "CODE", "has a malformed function");
  return wrapper.ok;
}

static bool read_wrappers(struct ws_merge *merge, size_t *capacity) {
  for (uint32_t m = 0; m < merge->module_count; m++) {
    const struct ws_module *module = merge->modules[m].module;
    for (size_t i = 0; i < module->export_count; i++) {
      const struct ws_export *export = &module->exports[i];
      if (export->kind != WS_FUNCTION || export->index < module->imported_functions)
        continue;
      struct ws_merge_function *function =
          &merge->functions[merge->modules[m].first_function + export->index];
      if (function->wrapper || function->edge_count ||
          ws_wrapped_function(module, export->index) == export->index)
        continue;
      function->wrapper = true;
      if (!read_wrapper(merge, function, capacity))
        return false;
    }
  }
  return true;
}

static bool read_all_edges(struct ws_merge *merge) {
  size_t capacity = 0;
  if (!reserve_edges(merge, &capacity))
    return false;
  for (uint32_t m = 0; m < merge->module_count; m++) {
    size_t code = merge->edge_count;
    if (!read_edges(merge, m, WS_SECTION_CODE, &capacity))
      return false;
    size_t data = merge->edge_count;
    if (!read_edges(merge, m, WS_SECTION_DATA, &capacity))
      return false;
    if (merge->edge_count > UINT32_MAX)
      return ws_merge_fail_memory(merge);
    assign_code_edges(merge, m, code, data);
    assign_data_edges(merge, m, data, merge->edge_count);
  }
  return read_wrappers(merge, &capacity);
}

// --------------------------------------------------------------------------------------------------- globals

// Notes what a global holds, if it is known.
static void set_init(const struct ws_merge *merge, struct ws_merge_global *global, struct ws_edge edge) {
  edge.type = edge.kind == WS_EDGE_FUNCTION
                  ? (merge->is_64 ? R_WASM_TABLE_INDEX_I64 : R_WASM_TABLE_INDEX_I32)
                  : (merge->is_64 ? R_WASM_MEMORY_ADDR_I64 : R_WASM_MEMORY_ADDR_I32);
  global->init = edge;
  global->constant = edge.kind != WS_EDGE_NONE;
}

// A global that the linker made to export an address.
static bool explain_by_export(struct ws_merge *merge, uint32_t m, const struct ws_map *names,
                              const struct ws_export *export) {
  const struct ws_merge_module *from = &merge->modules[m];
  const struct ws_global *is = &from->module->globals[export->index];
  struct ws_merge_global *global = &merge->globals[from->first_global + export->index];
  if (is->imported || global->constant || is->init.kind == WS_CONSTANT_OTHER || is->mutable)
    return true;
  const uint32_t *symbol = ws_map_find(names, export->name);
  struct ws_relocation none = {.type = merge->is_64 ? R_WASM_MEMORY_ADDR_I64 : R_WASM_MEMORY_ADDR_I32};
  struct ws_edge edge =
      symbol ? merge->symbols[from->first_symbol + *symbol] : ws_merge_linker_edge(merge, export->name);
  if (symbol && edge.kind == WS_EDGE_DATUM &&
      is_tls_offset(&from->module->symbols[*symbol], &none, is->init.value))
    edge.kind = WS_EDGE_TLS;
  if (edge.kind == WS_EDGE_NONE && is->moves)
    return ws_merge_fail(merge, m, "GLOBAL", "exports an address for which there is no symbol");
  set_init(merge, global, edge);
  return true;
}

static void explain_by_name(struct ws_merge *merge, uint32_t m, uint32_t index) {
  const struct ws_global *is = &merge->modules[m].module->globals[index];
  struct ws_merge_global *global = &merge->globals[merge->modules[m].first_global + index];
  if (is->imported || global->constant || is->init.kind == WS_CONSTANT_OTHER || is->name.size == 0)
    return;
  struct ws_slice name = is->name;
  ws_got_data_symbol(is->name, &name);
  set_init(merge, global, ws_merge_linker_edge(merge, name));
}

static bool explain_globals(struct ws_merge *merge) {
  bool ok = true;
  for (uint32_t m = 0; m < merge->module_count && ok; m++) {
    const struct ws_module *module = merge->modules[m].module;
    for (uint32_t i = 0; i < module->global_count; i++)
      explain_by_name(merge, m, i);
    struct ws_map names = {0};
    ok = ws_name_data(module, &names) || ws_merge_fail_memory(merge);
    for (size_t i = 0; i < module->export_count && ok; i++)
      if (module->exports[i].kind == WS_GLOBAL)
        ok = explain_by_export(merge, m, &names, &module->exports[i]);
    ws_map_free(&names);
  }
  return ok;
}

bool ws_merge_read_edges(struct ws_merge *merge) {
  return read_all_edges(merge) && explain_globals(merge);
}
