// What a module does with memory that it was not given, found from the functions that name __heap_base, grow
// the memory or ask for its size, and from what they do with the answers (heap_flow.c). What is not seen to
// be one of the good classes is `unknown`.
#include "read/heap.h"

#include <stdio.h>
#include <stdlib.h>

#include "read/heap_flow.h"
#include "read/instructions.h"
#include "read/memory_users.h"
#include "read/relocation_entries.h"

enum { BUDGET = 1 << 24 };

// A call, or another use of a function: both are indices of defined functions.
struct edge {
  uint32_t from, to;
};

// What is known of a defined function, each a bit.
enum {
  NAMES = WS_NAMES_HEAP_BASE | WS_NAMES_HEAP_END | WS_NAMES_DATA_END,
  OPERATES = 8,   // grows the memory, or reads its size
  REACHABLE = 16, //
  RELOCATED = 32, // there are relocations in it
  OUTSIDE = 64,   // it is exported, or called through a table
  IN_TABLE = 128, //
  FOLLOWED = 256, // what it does matters
  CHECKED = 512,  // it calls what compares its arguments with __heap_end
  USES = 1024,    // it may use what says where memory is
};

struct heap {
  struct ws_module *module;
  struct ws_error *error;
  uint16_t *functions; // flags
  uint8_t *inlined;    // enum ws_heap_inlined
  struct edge *edges;  // in order of `from`
  size_t edge_count, edge_capacity;
  struct ws_heap_operand *operands;
  size_t operand_count, operand_capacity;
  struct ws_heap_unread *unread;
  size_t unread_count, unread_capacity;
  unsigned data_names;
  bool has_heap_globals; // GOT globals that hold one of these addresses
  uint32_t data_end;     // the symbol; UINT32_MAX if there is none
  struct ws_heap_flow flow;
  struct ws_plain plain;
  struct ws_arena scratch;
  struct ws_relocations code, data;
  // Who was seen to do it first; UINT32_MAX if nobody
  uint32_t names_base, names_end, bounded, checked, names_data_end, grows, ignores, orders, takes, claims,
      lost;
  uint32_t needs_room;
};

static bool no_memory(struct heap *heap) {
  return ws_fail_memory(heap->error, heap->module->file);
}

// ---------------------------------------------------------------------------------------------- who operates

static bool operates(const struct ws_module *module, uint32_t index) {
  struct ws_reader body = ws_reader(ws_function_body(module, index));
  struct ws_memory_site site;
  ws_skip_locals(&body);
  return ws_next_memory_site(&body, &site) || body.bad;
}

static void find_operations(struct heap *heap) {
  const struct ws_module *module = heap->module;
  for (uint32_t i = 0; (i = ws_next_like_memory_user(module, i)) < module->function_count; i++)
    if (operates(module, i))
      heap->functions[i] |= OPERATES;
}

// ------------------------------------------------------------------------------------- who names __heap_base

static unsigned name_of(uint8_t base) {
  return base == WS_BASE_HEAP_BASE ? WS_NAMES_HEAP_BASE : base == WS_BASE_HEAP_END ? WS_NAMES_HEAP_END : 0;
}

static bool name_operand(struct heap *heap, uint32_t offset, unsigned name) {
  uint32_t function = ws_function_at(heap->module, offset);
  if (function == UINT32_MAX)
    return true;
  struct ws_heap_operand *operands =
      ws_make_room(heap->operands, heap->operand_count, &heap->operand_capacity, sizeof *operands);
  if (!operands)
    return no_memory(heap);
  heap->operands = operands;
  heap->operands[heap->operand_count++] = (struct ws_heap_operand){offset, name != WS_NAMES_HEAP_END};
  heap->functions[function] |= (uint16_t)name;
  return true;
}

static int compare_operands(const void *left, const void *right) {
  const struct ws_heap_operand *a = left, *b = right;
  return (a->offset > b->offset) - (a->offset < b->offset);
}

// A variable that says where memory is from the start.
static void know_variable(struct heap *heap, uint32_t offset) {
  const struct ws_module *module = heap->module;
  for (uint32_t i = 0; i < module->segment_count; i++) {
    const struct ws_segment *segment = &module->segments[i];
    if (segment->placed && offset - segment->bytes_offset < segment->bytes.size)
      ws_range_add(&heap->flow.variables, segment->address + offset - segment->bytes_offset,
                   module->memory.is_64 ? 8 : 4);
  }
}

static bool find_names(struct heap *heap) {
  const struct ws_module *module = heap->module;
  const struct ws_section *code = ws_section(module, WS_SECTION_CODE);
  const struct ws_section *data = ws_section(module, WS_SECTION_DATA);
  bool named = module->info.uses_heap_base || module->info.uses_heap_end;
  for (size_t i = 0; named && i < code->fixup_count; i++) {
    unsigned name = name_of(code->fixups[i].base);
    if (name && !name_operand(heap, code->fixups[i].offset, name))
      return false;
  }
  for (size_t i = 0; named && data && i < data->fixup_count; i++)
    if (name_of(data->fixups[i].base)) {
      heap->data_names |= name_of(data->fixups[i].base);
      know_variable(heap, data->fixups[i].offset);
    }
  const struct ws_symbol *data_end = ws_absolute_symbol(module, "__data_end");
  for (uint32_t i = 0; i < module->global_count; i++)
    heap->has_heap_globals |= ws_heap_global(module, i) != 0;
  heap->data_end = data_end ? (uint32_t)(data_end - module->symbols) : UINT32_MAX;
  return true;
}

unsigned ws_heap_global(const struct ws_module *module, uint32_t index) {
  if (index >= module->global_count)
    return 0;
  const struct ws_global *global = &module->globals[index];
  struct ws_slice symbol;
  if (global->imported || !global->moves || global->mutable)
    return 0;
  if (ws_got_data_symbol(global->name, &symbol) && ws_slice_is(symbol, "__data_end"))
    return WS_NAMES_DATA_END;
  return name_of(global->base);
}

static void name_global(struct heap *heap, uint32_t function, uint64_t index) {
  if (index < heap->module->global_count)
    heap->functions[function] |= (uint16_t)ws_heap_global(heap->module, (uint32_t)index);
}

// ------------------------------------------------------------------------------------------- who calls whom

static bool add_edge(struct heap *heap, uint32_t from, uint64_t function) {
  uint64_t to = function - heap->module->imported_functions;
  if (function < heap->module->imported_functions || to >= heap->module->function_count)
    return true;
  struct edge *edges = ws_make_room(heap->edges, heap->edge_count, &heap->edge_capacity, sizeof *edges);
  if (!edges)
    return no_memory(heap);
  heap->edges = edges;
  heap->edges[heap->edge_count++] = (struct edge){from, (uint32_t)to};
  return true;
}

static bool decode_edges(struct heap *heap, uint32_t index) {
  struct ws_reader body = ws_reader(ws_function_body(heap->module, index));
  ws_skip_locals(&body);
  while (!body.bad && body.at < body.end) {
    ws_pass_plain(&heap->plain, &body, body.end);
    struct ws_instruction instruction = ws_read_instruction(&body);
    uint8_t opcode = instruction.opcode;
    if (opcode == WASM_OPCODE_GLOBAL_GET)
      name_global(heap, index, instruction.value);
    if ((opcode == WASM_OPCODE_CALL || opcode == WASM_OPCODE_RETURN_CALL || opcode == WASM_OPCODE_REF_FUNC) &&
        !add_edge(heap, index, instruction.value))
      return false;
  }
  return true;
}

// Every call that a compiler made has a relocation. Functions without any are the linker's, or call nothing.
static bool next_function(struct heap *heap, uint32_t *function) {
  bool decoded = heap->functions[*function] & RELOCATED;
  return (decoded || decode_edges(heap, *function)) && ++*function;
}

static bool relocated_edge(struct heap *heap, const struct ws_section *code,
                           const struct ws_relocation *relocation, uint32_t *function) {
  const struct ws_function *functions = heap->module->functions;
  while (functions[*function].offset + functions[*function].size <= relocation->offset)
    if (!next_function(heap, function) || *function == heap->module->function_count)
      return *function == heap->module->function_count;
  heap->functions[*function] |= RELOCATED;
  bool address = ws_relocation_has_addend(relocation->type);
  if (address && relocation->index == heap->data_end)
    return name_operand(heap, relocation->offset, WS_NAMES_DATA_END);
  const struct ws_symbol *symbols = heap->module->symbols;
  bool known = relocation->index < heap->module->symbol_count;
  if (relocation->type == R_WASM_FUNCTION_INDEX_LEB && known)
    return add_edge(heap, *function, symbols[relocation->index].index);
  uint64_t index;
  if (relocation->type == R_WASM_GLOBAL_INDEX_LEB && heap->has_heap_globals &&
      ws_operand_get(code->content.data + relocation->offset, WS_LEB32, &index))
    name_global(heap, *function, index);
  return true;
}

// In order of `from`, as relocations are in order of place.
static bool read_edges(struct heap *heap, const struct ws_section *code) {
  uint32_t function = 0, count = heap->module->function_count;
  for (size_t i = 0; i < heap->code.count && function < count; i++)
    if (!relocated_edge(heap, code, &heap->code.list[i], &function))
      return false;
  while (function < count)
    if (!next_function(heap, &function))
      return false;
  for (size_t i = 0; heap->data_end != UINT32_MAX && i < heap->data.count; i++)
    if (ws_relocation_has_addend(heap->data.list[i].type) && heap->data.list[i].index == heap->data_end)
      heap->data_names |= WS_NAMES_DATA_END;
  return true;
}

static void reach_outside(struct heap *heap, uint64_t function, uint16_t how) {
  uint64_t defined = function - heap->module->imported_functions;
  if (function >= heap->module->imported_functions && defined < heap->module->function_count)
    heap->functions[defined] |= how;
}

// Exports, the start function, and all that is in tables.
static void find_roots(struct heap *heap) {
  const struct ws_module *module = heap->module;
  for (size_t i = 0; i < module->export_count; i++)
    if (module->exports[i].kind == WS_FUNCTION)
      reach_outside(heap, module->exports[i].index, OUTSIDE);
  if (module->has_start)
    reach_outside(heap, module->start, OUTSIDE);
  for (size_t i = 0; i < module->element_count; i++) {
    const struct ws_element *element = &module->elements[i];
    for (uint32_t k = 0; element->functions && k < element->count; k++)
      reach_outside(heap, element->functions[k], OUTSIDE | IN_TABLE);
    for (uint32_t k = 0; !element->functions && k < module->function_count; k++)
      heap->functions[k] |= OUTSIDE | IN_TABLE; // given by expressions: it may be any
  }
}

static size_t first_edge(const struct heap *heap, uint32_t from) {
  return ws_first_at_least(heap->edges, heap->edge_count, sizeof *heap->edges, offsetof(struct edge, from),
                           from);
}

static bool reach(struct heap *heap) {
  uint32_t count = heap->module->function_count,
           *left = ws_arena_new(&heap->module->arena, count, sizeof *left);
  if (!left)
    return no_memory(heap);
  uint32_t waiting = 0;
  for (uint32_t i = 0; i < count; i++)
    if (heap->functions[i] & OUTSIDE) {
      heap->functions[i] |= REACHABLE;
      left[waiting++] = i;
    }
  while (waiting > 0) {
    uint32_t from = left[--waiting];
    for (size_t i = first_edge(heap, from); i < heap->edge_count && heap->edges[i].from == from; i++) {
      uint32_t to = heap->edges[i].to;
      if (heap->functions[to] & REACHABLE)
        continue;
      heap->functions[to] |= REACHABLE;
      left[waiting++] = to;
    }
  }
  return true;
}

static bool find_reachable(struct heap *heap, const struct ws_section *code) {
  if (!read_edges(heap, code))
    return false;
  if (heap->operand_count)
    qsort(heap->operands, heap->operand_count, sizeof *heap->operands, compare_operands);
  find_roots(heap);
  return reach(heap);
}

// -------------------------------------------------------------------------------------- what they do with it

// Whether the operand is the offset of a store.
static bool is_of_store(const struct ws_section *code, const struct ws_relocation *relocation) {
  bool offset = relocation->type == R_WASM_MEMORY_ADDR_LEB || relocation->type == R_WASM_MEMORY_ADDR_LEB64;
  enum { BEFORE = 2 }; // the opcode, and how it is aligned
  if (!offset || relocation->offset < BEFORE)
    return false;
  uint8_t opcode = code->content.data[relocation->offset - BEFORE];
  return opcode >= WASM_OPCODE_I32_STORE && opcode <= WASM_OPCODE_I64_STORE32;
}

// What start-up code reads __heap_base for: where the stack may end.
static bool is_known_reader(const struct ws_module *module, uint32_t index) {
  static const char *const names[] = {"__wasi_init_tp", "__init_tp"};
  for (size_t i = 0; i < sizeof names / sizeof *names; i++)
    if (ws_slice_is(module->functions[index].name, names[i]))
      return true;
  return false;
}

// wasi-libc's allocator, which looks whether its range has room for anything. Others may put a header there.
static bool may_have_no_room(const struct ws_module *module, uint32_t index) {
  struct ws_slice name = module->functions[index].name;
  return ws_slice_is(name, "dlmalloc") || ws_slice_is(name, "try_init_allocator");
}

// Whether a variable in which the function has put __heap_base is set by others, too, as that of an allocator
// is. What start-up code knows of the stack stays as it is.
static bool is_set_elsewhere(const struct heap *heap, uint32_t index) {
  const struct ws_section *code = ws_section(heap->module, WS_SECTION_CODE);
  for (size_t i = 0; heap->flow.base_store_count && i < heap->code.count; i++) {
    const struct ws_relocation *relocation = &heap->code.list[i];
    bool is_64 = relocation->type == R_WASM_MEMORY_ADDR_LEB64;
    uint64_t address;
    if (!is_of_store(code, relocation) || ws_function_at(heap->module, relocation->offset) == index ||
        !ws_operand_get(code->content.data + relocation->offset, is_64 ? WS_LEB64 : WS_LEB32, &address))
      continue;
    for (unsigned k = 0; k < heap->flow.base_store_count; k++)
      if (heap->flow.base_stores[k] == address)
        return true;
  }
  return false;
}

static void note(uint32_t *who, bool now, uint32_t index) {
  if (now && *who == UINT32_MAX)
    *who = index;
}

static void note_names(struct heap *heap, uint32_t index, bool lost) {
  const struct ws_heap_flow *flow = &heap->flow;
  uint16_t flags = heap->functions[index];
  bool reads =
      !(flags & OPERATES) && !lost && !flow->uses_base &&
      (!flow->stores_base || (is_known_reader(heap->module, index) && !is_set_elsewhere(heap, index)));
  note(&heap->names_base, (flags & WS_NAMES_HEAP_BASE) && !reads, index);
  note(&heap->needs_room, (flags & NAMES) && !reads && !may_have_no_room(heap->module, index), index);
  note(&heap->names_data_end, (flags & WS_NAMES_DATA_END) && !reads, index);
  note(&heap->names_end, flags & WS_NAMES_HEAP_END, index);
  // What a function returns, its callers use, if they are in the module.
  bool bounded = lost || flow->uses_end || (flow->returns_end && !(flags & OUTSIDE));
  note(&heap->bounded, (flags & WS_NAMES_HEAP_END) && bounded, index);
  note(&heap->checked, (flags & CHECKED) && flow->uses_end, index);
}

static void mark_callers(struct heap *heap, uint32_t index, uint16_t why, bool *again) {
  for (size_t i = 0; i < heap->edge_count; i++) {
    uint16_t *caller = &heap->functions[heap->edges[i].from];
    if (heap->edges[i].to != index || !(*caller & REACHABLE) || (*caller & why))
      continue;
    *caller |= why;
    *again = true;
  }
}

static void follow_callers(struct heap *heap, uint32_t index, enum ws_heap_inlined how, uint16_t why,
                           bool *again) {
  if (heap->inlined[index] >= how)
    return;
  heap->inlined[index] = (uint8_t)how;
  *again = true;
  mark_callers(heap, index, why, again);
}

// One guard has to be before all of them.
static void join_claims(struct ws_heap_flow *flow, uint32_t claims) {
  if (!flow->claims || !claims) {
    flow->claims |= claims;
    return;
  }
  flow->claims &= claims;
  flow->takes_size |= flow->claims == 0;
}

static void follow(struct heap *heap, uint32_t index, bool *again) {
  struct ws_heap_flow *flow = &heap->flow, before = *flow;
  uint16_t flags = heap->functions[index];
  flow->lost = flow->grows = flow->compares_size = false;
  flow->claims = 0;
  flow->moved = 0;
  ws_follow_heap(flow, index);
  heap->module->functions[index].takes_size =
      flow->returns_size || flow->claims || (flow->takes_size && !before.takes_size);
  note_names(heap, index, flow->lost);
  // What only names it need not be followed.
  bool lost = flow->lost && (flags & (OPERATES | FOLLOWED));
  // An address is for whoever calls through a table to use; what he does with pages is not known.
  lost |= flow->returns_pages && (flags & IN_TABLE);
  // A function that does nothing but compare checks its arguments.
  flow->compares_size = (flow->compares_size && (flow->grows || (flags & NAMES))) || before.compares_size;
  flow->grows |= before.grows;
  bool returns = flow->returns_address || flow->returns_pages || flow->returns_size;
  if (!lost && !(flags & OUTSIDE) &&
      (returns || flow->ignores_grown != before.ignores_grown || flow->takes_size != before.takes_size)) {
    // What it does is judged where it is called, with what is known there.
    flow->ignores_grown = before.ignores_grown;
    flow->takes_size = before.takes_size;
    flow->claims = 0;
    returns = true;
  }
  if (returns)
    follow_callers(heap, index, WS_INLINED, FOLLOWED, again);
  else if (flow->checks_arguments)
    follow_callers(heap, index, WS_INLINED_IF_POSSIBLE, CHECKED, again);
  if ((flow->raises && !flow->has_bounds) || ws_range_has_pointed(&flow->variables, flow->moved))
    mark_callers(heap, index, USES, again); // who has the same pointer
  flow->moved |= before.moved;
  join_claims(flow, before.claims);
  flow->lost = before.lost || lost;
  note(&heap->lost, lost, index);
  note(&heap->grows, flow->grows, index);
  note(&heap->ignores, flow->ignores_grown, index);
  note(&heap->orders, flow->relies_on_order, index);
  note(&heap->takes, flow->takes_size || flow->compares_size, index);
  note(&heap->claims, flow->claims != 0, index);
}

// What it finds of others is all that matters.
static void look(struct heap *heap, uint32_t index) {
  struct ws_heap_flow before = heap->flow, *flow = &heap->flow;
  flow->lost = false;
  ws_follow_heap(flow, index);
  note(&heap->checked, (heap->functions[index] & CHECKED) && flow->uses_end, index);
  before.variables = flow->variables;
  before.bounds = flow->bounds;
  before.rooms = flow->rooms;
  before.budget = flow->budget;
  *flow = before;
}

static void follow_one(struct heap *heap, uint32_t index, bool *again) {
  uint16_t flags = heap->functions[index];
  if (flags & (OPERATES | NAMES | FOLLOWED))
    follow(heap, index, again);
  else if (flags & (CHECKED | USES))
    look(heap, index);
}

static bool variable(const struct ws_module *module, const struct ws_symbol *symbol, uint64_t *start,
                     uint64_t *size) {
  if (symbol->kind != WS_SYMBOL_DATA || (symbol->flags & (WS_SYMBOL_UNDEFINED | WS_SYMBOL_ABSOLUTE)))
    return false;
  *start = module->segments[symbol->index].address + symbol->offset;
  *size = symbol->size ? symbol->size : 1;
  return true;
}

// The guards that are in the variable that the symbol is of.
static uint32_t guards_of(const struct heap *heap, const struct ws_symbol *symbol) {
  uint64_t start, size;
  uint32_t guards = 0;
  if (!variable(heap->module, symbol, &start, &size))
    return 0;
  for (unsigned i = 0; i < heap->flow.guard_count; i++)
    if ((heap->flow.claims >> i & 1) && heap->flow.guards[i] - start < size)
      guards |= UINT32_C(1) << i;
  return guards;
}

// Where the variables begin that guards are in.
static void find_guard_variables(struct heap *heap) {
  const struct ws_module *module = heap->module;
  struct ws_heap_flow *flow = &heap->flow;
  memcpy(flow->guard_variables, flow->guards, sizeof flow->guards);
  for (uint32_t i = 0; flow->guard_count && i < module->symbol_count; i++) {
    uint64_t start, size;
    for (unsigned k = 0; k < flow->guard_count && variable(module, &module->symbols[i], &start, &size); k++)
      if (flow->guards[k] - start < size && start < flow->guard_variables[k])
        flow->guard_variables[k] = start;
  }
}

// Whether the symbol is of a variable that was moved to grown memory, where another was not.
static bool is_moved(const struct heap *heap, const struct ws_symbol *symbol) {
  const struct ws_heap_variables *variables = &heap->flow.variables;
  uint64_t start, size;
  if (!variable(heap->module, symbol, &start, &size))
    return false;
  for (unsigned i = 0; i < variables->count; i++)
    if ((heap->flow.moved >> i & 1) && !variables->bases[i] && variables->places[i] - start < size)
      return true;
  return false;
}

// Functions that name the variable that is a guard may set it back to zero; those that name one that was
// moved may go on from it.
static bool follow_users(struct heap *heap, bool *again) {
  const struct ws_module *module = heap->module;
  if (!heap->flow.claims && !heap->flow.moved)
    return true;
  uint16_t *why = calloc(module->symbol_count + 1, sizeof *why);
  if (!why)
    return no_memory(heap);
  for (uint32_t i = 0; i < module->symbol_count; i++)
    why[i] = (uint16_t)((guards_of(heap, &module->symbols[i]) ? FOLLOWED : 0) |
                        (is_moved(heap, &module->symbols[i]) ? USES : 0));
  for (size_t i = 0; i < heap->code.count; i++) {
    const struct ws_relocation *relocation = &heap->code.list[i];
    bool type = relocation->type == R_WASM_TYPE_INDEX_LEB; // whose index is no symbol's
    if (type || relocation->index >= module->symbol_count || !why[relocation->index])
      continue;
    uint32_t function = ws_function_at(module, relocation->offset);
    if (function == UINT32_MAX || !(heap->functions[function] & REACHABLE) ||
        !(why[relocation->index] & ~heap->functions[function]))
      continue;
    heap->functions[function] |= why[relocation->index];
    *again = true;
  }
  free(why);
  return true;
}

enum { READ = 1, WRITTEN = 2 };

static void find_accesses(const struct heap *heap, uint8_t *accesses) {
  const struct ws_section *code = ws_section(heap->module, WS_SECTION_CODE);
  uint32_t count = heap->module->symbol_count;
  for (size_t i = 0; i < heap->code.count; i++) {
    const struct ws_relocation *relocation = &heap->code.list[i];
    if (relocation->type != R_WASM_TYPE_INDEX_LEB && relocation->index < count)
      accesses[relocation->index] |= is_of_store(code, relocation) ? WRITTEN : READ;
  }
  for (size_t i = 0; i < heap->data.count; i++)
    if (ws_relocation_has_addend(heap->data.list[i].type) && heap->data.list[i].index < count)
      accesses[heap->data.list[i].index] |= READ;
}

// A variable that is read.
struct read_variable {
  uint64_t start, end;
};

static int compare_reads(const void *left, const void *right) {
  const struct read_variable *a = left, *b = right;
  return (a->start > b->start) - (a->start < b->start);
}

// In order of address, each with the end of those before it, if that is further on.
static size_t list_reads(const struct heap *heap, const uint8_t *accesses, struct read_variable *reads) {
  const struct ws_module *module = heap->module;
  uint64_t start, size;
  size_t count = 0;
  for (uint32_t i = 0; i < module->symbol_count; i++)
    if ((accesses[i] & READ) && variable(module, &module->symbols[i], &start, &size))
      reads[count++] = (struct read_variable){start, start + size};
  qsort(reads, count, sizeof *reads, compare_reads);
  for (size_t i = 1; i < count; i++)
    if (reads[i].end < reads[i - 1].end)
      reads[i].end = reads[i - 1].end;
  return count;
}

// One address may have several names.
static bool is_read_as_another(const struct read_variable *reads, size_t count, uint64_t start,
                               uint64_t size) {
  size_t low = 0, high = count; // those that begin before its end
  while (low < high) {
    size_t middle = low + (high - low) / 2;
    if (reads[middle].start < start + size)
      low = middle + 1;
    else
      high = middle;
  }
  return low > 0 && reads[low - 1].end > start;
}

static bool list_unread(struct heap *heap, const uint8_t *accesses, struct read_variable *reads) {
  enum { MOST = 64 }; // there are hardly any
  size_t read_count = list_reads(heap, accesses, reads);
  for (uint32_t i = 0; i < heap->module->symbol_count && heap->unread_count < MOST; i++) {
    const struct ws_symbol *symbol = &heap->module->symbols[i];
    uint64_t start, size;
    if (accesses[i] != WRITTEN || (symbol->flags & WS_SYMBOL_EXPORTED) ||
        !variable(heap->module, symbol, &start, &size) || is_read_as_another(reads, read_count, start, size))
      continue;
    struct ws_heap_unread *unread =
        ws_make_room(heap->unread, heap->unread_count, &heap->unread_capacity, sizeof *unread);
    if (!unread)
      return no_memory(heap);
    heap->unread = unread;
    heap->unread[heap->unread_count++] = (struct ws_heap_unread){start, size};
  }
  return true;
}

// What is put there is not used.
static bool find_unread(struct heap *heap) {
  size_t count = heap->module->symbol_count + (size_t)1;
  uint8_t *accesses = calloc(count, sizeof *accesses);
  struct read_variable *reads = malloc(count * sizeof *reads);
  bool ok = accesses && reads ? true : no_memory(heap);
  if (ok) {
    find_accesses(heap, accesses);
    ok = list_unread(heap, accesses, reads);
  }
  free(reads);
  free(accesses);
  return ok;
}

// Who finds the address of a guard's variable in data may set it to anything.
static void find_guards_in_data(struct heap *heap) {
  const struct ws_module *module = heap->module;
  for (size_t i = 0; heap->flow.claims && i < heap->data.count; i++) {
    const struct ws_relocation *relocation = &heap->data.list[i];
    if (ws_relocation_has_addend(relocation->type) && relocation->index < module->symbol_count)
      heap->flow.guards_cleared |= guards_of(heap, &module->symbols[relocation->index]);
  }
}

static uint32_t stack_pointer(const struct ws_module *module) {
  for (uint32_t i = 0; i < module->global_count; i++)
    if (ws_slice_is(module->globals[i].name, "__stack_pointer") ||
        (module->globals[i].moves && module->globals[i].base == WS_BASE_STACK_HIGH &&
         module->globals[i].mutable))
      return i;
  return UINT32_MAX;
}

static bool follow_all(struct heap *heap) {
  const struct ws_module *module = heap->module;
  uint64_t budget = BUDGET;
  bool names_base = heap->data_names & WS_NAMES_HEAP_BASE;
  for (uint32_t i = 0; i < module->function_count; i++)
    names_base |= (heap->functions[i] & REACHABLE) && (heap->functions[i] & WS_NAMES_HEAP_BASE);
  for (bool again = true; again;) {
    again = false;
    heap->orders = heap->names_base = heap->names_end = heap->bounded = heap->checked = heap->names_data_end =
        heap->grows = heap->ignores = heap->takes = heap->claims = heap->lost = heap->needs_room = UINT32_MAX;
    struct ws_heap_flow before = heap->flow;
    heap->flow = (struct ws_heap_flow){.module = module,
                                       .operands = heap->operands,
                                       .operand_count = heap->operand_count,
                                       .unread = heap->unread,
                                       .unread_count = heap->unread_count,
                                       .follows_arguments = names_base,
                                       .inlined = heap->inlined,
                                       .stack_pointer = stack_pointer(module),
                                       .arena = &heap->scratch,
                                       .rooms = before.rooms,
                                       .guard_count = before.guard_count,
                                       .variables = before.variables,
                                       .bounds = before.bounds,
                                       .budget = budget};
    heap->flow.bounds.used = 0;
    memcpy(heap->flow.guards, before.guards, sizeof before.guards);
    memcpy(heap->flow.guard_widths, before.guard_widths, sizeof before.guard_widths);
    find_guard_variables(heap);
    for (uint32_t i = 0; i < module->function_count; i++)
      if (heap->functions[i] & REACHABLE)
        follow_one(heap, i, &again);
    again |= heap->flow.guard_count != before.guard_count ||
             memcmp(heap->flow.guard_widths, before.guard_widths, sizeof before.guard_widths) != 0;
    if (!again && !follow_users(heap, &again))
      return false;
    again |= ws_range_differs(&heap->flow, &before);
    budget = heap->flow.budget;
  }
  return true;
}

// ------------------------------------------------------------------------------------------------ the class

static const char *function_name(const struct heap *heap, uint32_t index, char *text, size_t size) {
  if (index == UINT32_MAX)
    return "data";
  struct ws_slice name = heap->module->functions[index].name;
  if (name.size)
    return ws_printable(name, text, size);
  snprintf(text, size, "function %u", (unsigned)(index + heap->module->imported_functions));
  return text;
}

static bool decide(struct heap *heap, enum ws_heap_class class, uint32_t who, const char *what) {
  char name[128], reason[256];
  int size = snprintf(reason, sizeof reason, what, function_name(heap, who, name, sizeof name));
  char *copy = ws_arena_new(&heap->module->arena, (size_t)size + 1, 1);
  if (!copy)
    return no_memory(heap);
  heap->module->info.heap = class;
  heap->module->info.heap_reason = strcpy(copy, reason);
  return true;
}

static bool classify(struct heap *heap) {
  const struct ws_heap_flow *flow = &heap->flow;
  bool base = heap->names_base != UINT32_MAX || (heap->data_names & WS_NAMES_HEAP_BASE);
  bool end = heap->names_end != UINT32_MAX || (heap->data_names & WS_NAMES_HEAP_END);
  uint32_t bounds =
      heap->bounded == UINT32_MAX && heap->checked != UINT32_MAX ? heap->names_end : heap->bounded;
  bool bounded = bounds != UINT32_MAX || (heap->data_names & WS_NAMES_HEAP_END);
  // Without relocations, who else sets a guard is not known.
  bool once = heap->module->has_linking && (flow->claims & flow->guards_set & ~flow->guards_cleared);
  if (flow->lost)
    return decide(heap, WS_HEAP_UNKNOWN, heap->lost, "what %s does with memory that it grows is not seen");
  if (flow->ignores_grown)
    return decide(heap, WS_HEAP_CONTIGUOUS, heap->ignores, "%s grows the memory, and ignores where");
  if (heap->module->memory.shared && flow->relies_on_order)
    return decide(heap, WS_HEAP_UNKNOWN, heap->orders,
                  "between two steps of %s, no other thread may grow the memory");
  if (heap->names_data_end != UINT32_MAX || (heap->data_names & WS_NAMES_DATA_END))
    return decide(heap, WS_HEAP_UNKNOWN, heap->names_data_end, "%s uses the address of __data_end");
  if (flow->takes_size || flow->compares_size)
    return decide(heap, WS_HEAP_UNKNOWN, heap->takes, "%s uses memory up to what memory.size says");
  if (flow->claims && (!once || !base || end))
    return decide(heap, WS_HEAP_UNKNOWN, heap->claims, "%s uses memory up to what memory.size says");
  if (flow->claims)
    return decide(heap, WS_HEAP_CLAIMS_ONCE, heap->claims,
                  "%s takes all from __heap_base up to what memory.size says, once");
  if (base && bounded)
    return decide(heap, WS_HEAP_BOUNDED, bounds, "%s names __heap_end");
  if (base && end)
    return decide(heap, WS_HEAP_UNKNOWN, heap->names_end,
                  "%s names __heap_end, and compares nothing with it");
  if (base)
    return decide(heap, WS_HEAP_UNKNOWN, heap->names_base, "%s names __heap_base, and nothing __heap_end");
  if (end)
    return decide(heap, WS_HEAP_UNKNOWN, heap->names_end, "%s names __heap_end, and nothing __heap_base");
  if (flow->grows)
    return decide(heap, WS_HEAP_GROWS, heap->grows, "%s grows the memory, and uses what it is given");
  return decide(heap, WS_HEAP_NONE, UINT32_MAX, "nothing takes memory");
}

// Who may need room has as much as it was linked with, also where that is less than a page.
static void keep_room(const struct heap *heap) {
  struct ws_module *module = heap->module;
  bool makes_do = heap->names_base != UINT32_MAX && heap->needs_room == UINT32_MAX && !heap->data_names;
  module->needs_room = module->info.heap > WS_HEAP_GROWS && !makes_do;
  if (module->needs_room)
    module->info.initial_heap = ws_linked_heap(module, true);
}

// Whether there is anything to find.
static bool may_have_heap(const struct heap *heap) {
  bool may = heap->data_names || heap->data_end != UINT32_MAX;
  may |= heap->has_heap_globals;
  for (uint32_t i = 0; i < heap->module->function_count && !may; i++)
    may = heap->functions[i] & (OPERATES | NAMES);
  return may;
}

static bool find(struct heap *heap, const struct ws_section *code) {
  if (!find_names(heap))
    return false;
  find_operations(heap);
  if (!may_have_heap(heap))
    return decide(heap, WS_HEAP_NONE, UINT32_MAX, "nothing takes memory");
  if (!heap->module->info.exact)
    return decide(heap, WS_HEAP_UNKNOWN, UINT32_MAX, "not all pointers are known");
  heap->code = ws_relocations_of(heap->module, WS_SECTION_CODE);
  heap->data = ws_relocations_of(heap->module, WS_SECTION_DATA);
  if (!find_unread(heap) || !find_reachable(heap, code) || !follow_all(heap))
    return false;
  find_guards_in_data(heap);
  heap->module->info.grows_memory = heap->flow.grows || heap->flow.lost;
  return classify(heap);
}

bool ws_read_heap(struct ws_module *module, struct ws_error *error) {
  const struct ws_section *code = ws_section(module, WS_SECTION_CODE);
  struct heap heap = {.module = module, .error = error, .names_base = UINT32_MAX};
  ws_find_plain(&heap.plain);
  heap.functions = ws_arena_new(&module->arena, module->function_count, sizeof *heap.functions);
  heap.inlined = ws_arena_new(&module->arena, module->function_count, sizeof *heap.inlined);
  bool ok = heap.functions && heap.inlined ? true : no_memory(&heap);
  if (ok)
    ok = code ? find(&heap, code) : decide(&heap, WS_HEAP_NONE, UINT32_MAX, "there is no code");
  if (ok && module->vouched_heap != WS_HEAP_CLASSES)
    ok = decide(&heap, module->vouched_heap, UINT32_MAX, "as was said");
  keep_room(&heap);
  free(heap.edges);
  free(heap.operands);
  free(heap.unread);
  ws_arena_free(&heap.scratch);
  return ok;
}

const char *ws_heap_class_name(enum ws_heap_class heap) {
  static const char *const names[] = {"none", "grows", "bounded", "claims-once", "contiguous", "unknown"};
  return heap < WS_HEAP_CLASSES ? names[heap] : NULL;
}
