// The code of a merged module: every function as it was, but for its operands.
#include "link/merged_heaps.h"
#include "read/instructions.h"
#include "write/single_sections.h"
#include "write/view_functions.h"

// ----------------------------------------------------------------------------------------- what is accounted

// A function whose operands are compared with its relocations.
struct check {
  const struct ws_merge *merge;
  const struct ws_merge_function *function;
  uint32_t offset; // of the body, in the section as read
  const struct ws_edge *next, *end;
  const char *problem;
};

// The operands that each kind of relocation is for, each a bit.
static bool fits(enum ws_relocated what, enum ws_space space) {
  enum { CONSTANT = 1 << WS_SPACE_CONSTANT, OFFSET = 1 << WS_SPACE_OFFSET };
  static const uint16_t spaces[] = {[WS_REL_FUNCTION_INDEX] = 1 << WS_SPACE_FUNCTION,
                                    [WS_REL_TYPE_INDEX] = 1 << WS_SPACE_TYPE,
                                    [WS_REL_GLOBAL_INDEX] = 1 << WS_SPACE_GLOBAL,
                                    [WS_REL_TAG_INDEX] = 1 << WS_SPACE_TAG,
                                    [WS_REL_TABLE_NUMBER] = 1 << WS_SPACE_TABLE,
                                    [WS_REL_TABLE_INDEX] = CONSTANT,
                                    [WS_REL_TABLE_INDEX_REL] = CONSTANT,
                                    [WS_REL_MEMORY_ADDR] = CONSTANT | OFFSET,
                                    [WS_REL_MEMORY_ADDR_REL] = CONSTANT,
                                    [WS_REL_MEMORY_ADDR_TLS] = CONSTANT,
                                    [WS_REL_SECTION_OFFSET] = 0};
  return spaces[what] >> space & 1;
}

// Whether the relocation's symbol, or type, is what an index of its kind is of.
static bool names_its_kind(const struct ws_edge *edge) {
  static const uint8_t wanted[] = {
      [WS_REL_FUNCTION_INDEX] = WS_EDGE_FUNCTION, [WS_REL_TYPE_INDEX] = WS_EDGE_TYPE,
      [WS_REL_GLOBAL_INDEX] = WS_EDGE_GLOBAL,     [WS_REL_TAG_INDEX] = WS_EDGE_TAG,
      [WS_REL_TABLE_NUMBER] = WS_EDGE_TABLE,      [WS_REL_SECTION_OFFSET] = WS_EDGE_NONE};
  uint8_t kind = wanted[ws_relocation_kinds[edge->type].operand];
  return kind == WS_EDGE_NONE || edge->kind == kind;
}

// Whether an operand without a relocation means the same in the merged module.
static bool may_stay(const struct check *check, const struct ws_operand *operand) {
  const struct ws_merge *merge = check->merge;
  const struct ws_module *module = merge->modules[check->function->module].module;
  if (operand->space == WS_SPACE_CONSTANT || operand->space == WS_SPACE_OFFSET)
    return true;
  if (operand->space == WS_SPACE_MEMORY)
    return operand->value == 0;
  // Before reference types, call_indirect had a zero byte in place of a table.
  return operand->space == WS_SPACE_TABLE && operand->value == 0 && operand->width == 1 &&
         module->indirect_table == 0 && merge->tables[merge->indirect_table].number == 0;
}

static void check_operand(void *context, const struct ws_operand *operand) {
  struct check *check = context;
  uint32_t offset = check->offset + operand->offset;
  if (check->next == check->end || check->next->offset != offset) {
    if (!may_stay(check, operand))
      check->problem = operand->space == WS_SPACE_DATA_SEGMENT || operand->space == WS_SPACE_ELEMENT_SEGMENT
                           ? "names a data or element segment, which no relocation can"
                           : "has an index without a relocation: relocations were taken away";
    return;
  }
  const struct ws_edge *edge = check->next++;
  if (!fits(ws_relocation_kinds[edge->type].operand, operand->space) ||
      operand->width != ws_encoding_width(ws_relocation_kinds[edge->type].encoding) || !names_its_kind(edge))
    check->problem = "has a relocation that is not for the operand at its place";
}

static bool report(const struct check *check, const char *problem) {
  char name[128];
  uint32_t number = check->merge->modules[check->function->module].first_function + check->function->index;
  ws_printable(ws_merge_function_name(check->merge, number), name, sizeof name);
  return ws_merge_fail(check->merge, check->function->module, "CODE", "the function %s %s",
                       name[0] ? name : "without a name", problem);
}

// Passes an instruction whose one operand is of 32 bits and has the next relocation, as most that have one
// are.
static bool pass_relocated(struct check *check, struct ws_reader *body) {
  enum { WIDTH = 5, MOST_LAST = 8 }; // a last byte that is less is good with and without a sign
  static const uint8_t spaces[] = {
      ['f'] = 1 + WS_SPACE_FUNCTION, ['t'] = 1 + WS_SPACE_TYPE,   ['g'] = 1 + WS_SPACE_GLOBAL,
      ['T'] = 1 + WS_SPACE_TABLE,    ['e'] = 1 + WS_SPACE_TAG,    ['i'] = 1 + WS_SPACE_CONSTANT,
      ['I'] = 1 + WS_SPACE_CONSTANT, ['a'] = 1 + WS_SPACE_OFFSET, ['z'] = 0};
  const uint8_t *at = body->at;
  const char *immediates = ws_immediates(at[0]);
  if (check->next == check->end || body->end - at < 2 + WIDTH || !immediates[0] ||
      immediates[1] != WS_NO_MORE)
    return false;
  uint8_t space = spaces[(unsigned char)immediates[0]];
  bool has_alignment = space == 1 + WS_SPACE_OFFSET;
  const uint8_t *operand = at + (has_alignment ? 2 : 1);
  uint32_t offset = (uint32_t)(operand - body->start);
  bool is_padded = operand[0] & operand[1] & operand[2] & operand[3] & 0x80;
  if (space == 0 || check->offset + offset != check->next->offset || !is_padded || operand[4] >= MOST_LAST ||
      (has_alignment && at[1] >= WASM_MEMARG_HAS_MEMORY))
    return false;
  check_operand(check,
                &(struct ws_operand){.space = (enum ws_space)(space - 1), .offset = offset, .width = WIDTH});
  body->at = operand + WIDTH;
  return true;
}

// When indices are renumbered, every one of them must be known. Most instructions have none, and are passed
// without being decoded in full, as far as the next one that has a relocation.
static bool check_function(const struct ws_merge *merge, const struct ws_plain *plain,
                           const struct ws_merge_function *function) {
  const struct ws_module *module = merge->modules[function->module].module;
  uint32_t index = function->index - module->imported_functions, offset = module->functions[index].offset;
  const struct ws_edge *edges = merge->edges + function->first_edge;
  struct check check = {merge, function, offset, edges, edges + function->edge_count, NULL};
  struct ws_operand_visitor visitor = {check_operand, &check};
  struct ws_reader body = ws_reader(ws_function_body(module, index));
  ws_visit_locals(&body, &visitor);
  while (!body.bad && body.at < body.end && !check.problem) {
    ws_pass_plain(plain, &body,
                  check.next < check.end ? body.start + (check.next->offset - offset) : body.end);
    if (!pass_relocated(&check, &body))
      ws_visit_instruction(&body, &visitor);
  }
  if (check.problem)
    return report(&check, check.problem);
  if (body.bad)
    return report(&check, "is malformed, or has an instruction that this wasmshare does not know");
  return check.next == check.end || report(&check, "has a relocation where there is no operand");
}

// Whether the function is written as it was read, but for its operands.
static bool is_copied(const struct ws_merge *merge, const struct ws_merge_function *function) {
  return function->live && !function->wrapper &&
         function->index >= merge->modules[function->module].module->imported_functions;
}

bool ws_single_check_code(const struct ws_merge *merge, size_t part, size_t parts) {
  uint64_t count = merge->first_synthetic;
  struct ws_plain plain;
  ws_find_plain(&plain);
  for (uint64_t i = count * part / parts; i < count * (part + 1) / parts; i++)
    if (is_copied(merge, &merge->functions[i]) && !check_function(merge, &plain, &merge->functions[i]))
      return false;
  return true;
}

// ------------------------------------------------------------------------------------------------- functions

// Adds a body that was built, and empties the buffer.
static void put_built(struct ws_merge_function *function, struct ws_buffer *body, struct ws_buffer *out) {
  ws_put_uleb(out, body->size);
  function->code_offset = (uint32_t)out->size;
  ws_put_bytes(out, body->data, body->size);
  out->failed |= body->failed;
  ws_buffer_free(body);
}

// Writes what the operands must be; `operands` are where they are in the body. Those that are refused stay.
static void put_operands(const struct ws_merge *merge, const struct ws_merge_function *function,
                         const uint32_t *operands, uint8_t *body, size_t size) {
  for (uint32_t i = 0; i < function->edge_count; i++) {
    const struct ws_edge *edge = &merge->edges[function->first_edge + i];
    enum ws_encoding encoding = ws_relocation_kinds[edge->type].encoding;
    if (edge->kind != WS_EDGE_NONE && names_its_kind(edge) &&
        operands[i] + ws_encoding_width(encoding) <= size)
      ws_operand_put(body + operands[i], encoding, ws_merge_value(merge, function->module, edge, 0));
  }
}

// What a module calls in place of memory.size and memory.grow.
static struct ws_view_functions view_of(const struct ws_merge *merge, uint32_t module) {
  return (struct ws_view_functions){
      .is_64 = merge->is_64,
      .sealed = merge->heaps->inputs[module].placement.memory_view == WS_VIEW_SEALED,
      .size = merge->functions[ws_merge_view_function(merge, module, false)].number,
      .grow = merge->functions[ws_merge_view_function(merge, module, true)].number,
      .grown = merge->modules[ws_merge_heap_of(merge, module)].grown};
}

static void put_function(struct ws_merge *merge, struct ws_merge_function *function, uint32_t *operands,
                         struct ws_buffer *out) {
  const struct ws_module *module = merge->modules[function->module].module;
  uint32_t index = function->index - module->imported_functions;
  struct ws_slice body = ws_function_body(module, index);
  uint32_t offset = module->functions[index].offset;
  for (uint32_t i = 0; i < function->edge_count; i++)
    operands[i] = merge->edges[function->first_edge + i].offset - offset;
  struct ws_buffer viewed = {0};
  if (ws_merge_has_view(merge, function)) {
    struct ws_view_functions view = view_of(merge, function->module);
    ws_put_viewed(&viewed, body, &view, operands, function->edge_count);
    put_built(function, &viewed, out);
  } else {
    ws_put_uleb(out, body.size);
    function->code_offset = (uint32_t)out->size;
    ws_put_slice(out, body);
  }
  if (!out->failed)
    put_operands(merge, function, operands, out->data + function->code_offset,
                 out->size - function->code_offset);
}

// A wrapper's calls are not padded, so it is written anew around them.
static void put_wrapper(struct ws_merge *merge, struct ws_merge_function *function, struct ws_buffer *out) {
  const struct ws_module *module = merge->modules[function->module].module;
  struct ws_slice body = ws_function_body(module, function->index - module->imported_functions);
  struct ws_buffer built = {0};
  size_t copied = 0;
  for (uint32_t i = 0; i < function->edge_count; i++) {
    const struct ws_edge *edge = &merge->edges[function->first_edge + i];
    ws_put_bytes(&built, body.data + copied, edge->offset - copied);
    ws_put_uleb(&built, ws_merge_value(merge, function->module, edge, 0));
    struct ws_reader old = ws_reader((struct ws_slice){body.data + edge->offset, body.size - edge->offset});
    ws_read_uleb32(&old);
    copied = edge->offset + ws_read_offset(&old);
  }
  ws_put_bytes(&built, body.data + copied, body.size - copied);
  put_built(function, &built, out);
}

// How many results the function leaves on the stack.
static size_t result_count(const struct ws_merge *merge, uint32_t number) {
  const struct ws_merge_function *function = &merge->functions[number];
  const struct ws_module *module = merge->modules[function->module].module;
  if (number >= merge->first_synthetic || function->index < module->imported_functions)
    return 0;
  return module->types[module->function_types[function->index - module->imported_functions]].results.size;
}

// __wasm_call_ctors: each constructor, once.
static void put_constructors(const struct ws_merge *merge, struct ws_buffer *body) {
  ws_put_u8(body, 0); // no locals
  for (size_t i = 0; i < merge->constructor_count; i++) {
    ws_put_u8(body, WASM_OPCODE_CALL);
    ws_put_uleb(body, merge->functions[merge->constructors[i]].number);
    for (size_t k = result_count(merge, merge->constructors[i]); k > 0; k--)
      ws_put_u8(body, WASM_OPCODE_DROP);
  }
  ws_put_u8(body, WASM_OPCODE_END);
}

// The _start of a program that has no constructors of its own.
static void put_start(const struct ws_merge *merge, struct ws_buffer *body) {
  const uint32_t calls[] = {merge->first_synthetic + WS_CALL_CTORS, merge->start};
  ws_put_u8(body, 0); // no locals
  for (int i = 0; i < 2; i++) {
    ws_put_u8(body, WASM_OPCODE_CALL);
    ws_put_uleb(body, merge->functions[calls[i]].number);
  }
  ws_put_u8(body, WASM_OPCODE_END);
}

static void put_memory_instruction(struct ws_buffer *body, uint32_t opcode) {
  ws_put_u8(body, WASM_OPCODE_MISC_PREFIX);
  ws_put_uleb(body, opcode);
}

// An atomic instruction on an i32, at its stack operand's address.
static void put_atomic(struct ws_buffer *body, uint32_t opcode) {
  ws_put_u8(body, WASM_OPCODE_ATOMICS_PREFIX);
  ws_put_uleb(body, opcode);
  ws_put_uleb(body, 2); // alignment, as a power of two
  ws_put_uleb(body, 0); // offset
}

static void put_block(struct ws_buffer *body) {
  enum { NO_RESULT = 0x40 };
  ws_put_u8(body, WASM_OPCODE_BLOCK);
  ws_put_u8(body, NO_RESULT);
}

// A memory that the host gives may not be clear.
static void put_fill(const struct ws_merge *merge, const struct ws_merge_segment *segment,
                     struct ws_buffer *body) {
  ws_put_const(body, merge->is_64, segment->address);
  ws_put_const(body, false, 0);
  ws_put_const(body, merge->is_64, segment->size);
  put_memory_instruction(body, WASM_OPCODE_MEMORY_FILL);
  ws_put_u8(body, 0); // the memory
}

static void put_copy(struct ws_buffer *body, const struct ws_merge_segment *segment, uint32_t index) {
  ws_put_const(body, false, 0);
  ws_put_const(body, false, (uint32_t)segment->size);
  put_memory_instruction(body, WASM_OPCODE_MEMORY_INIT);
  ws_put_uleb(body, index);
  ws_put_u8(body, 0); // the memory
}

// Position-independent code finds thread-local variables by globals, which each thread has for itself.
static void put_tls_pointers(const struct ws_merge *merge, struct ws_buffer *body) {
  for (uint32_t i = 0; i < merge->global_count; i++) {
    const struct ws_merge_global *global = &merge->globals[i];
    const struct ws_module *module = merge->modules[global->module].module;
    if (!global->live || !global->constant || global->init.kind != WS_EDGE_TLS ||
        !module->globals[global->index].mutable)
      continue;
    ws_put_u8(body, WASM_OPCODE_GLOBAL_GET);
    ws_put_uleb(body, merge->globals[merge->tls_base].number);
    ws_put_const(body, merge->is_64, ws_merge_value(merge, global->module, &global->init, 0));
    ws_put_u8(body, merge->is_64 ? WASM_OPCODE_I64_ADD : WASM_OPCODE_I32_ADD);
    ws_put_u8(body, WASM_OPCODE_GLOBAL_SET);
    ws_put_uleb(body, global->number);
  }
}

// Passive segments, and what is zero. The first thread's block is the data's own place.
static void put_segments(const struct ws_merge *merge, struct ws_buffer *body) {
  uint32_t index = 0;
  for (uint32_t i = 0; i < merge->segment_count; i++) {
    const struct ws_merge_segment *segment = &merge->segments[i];
    if (segment->zero && segment->size)
      put_fill(merge, segment, body);
    if (!merge->shared || !ws_single_is_written(segment))
      continue;
    if (segment->tls && merge->tls_base != WS_NOTHING) {
      ws_put_const(body, merge->is_64, segment->address);
      ws_put_u8(body, WASM_OPCODE_GLOBAL_SET);
      ws_put_uleb(body, merge->globals[merge->tls_base].number);
      put_tls_pointers(merge, body);
    }
    ws_put_const(body, merge->is_64, segment->address);
    put_copy(body, segment, index++);
  }
}

// One of the threads initialises the memory, as __wasm_init_memory of wasm-ld has it (lld/wasm/Writer.cpp,
// createInitMemoryFunction): the flag is 0 before, 1 meanwhile and 2 after.
static void put_handshake(const struct ws_merge *merge, struct ws_buffer *body) {
  put_block(body); // left when the memory is initialised
  put_block(body); // left to wait
  put_block(body); // left to initialise
  ws_put_const(body, merge->is_64, merge->init_flag);
  ws_put_const(body, false, 0);
  ws_put_const(body, false, 1);
  put_atomic(body, WASM_OPCODE_I32_RMW_CMPXCHG);
  ws_put_u8(body, WASM_OPCODE_BR_TABLE);
  ws_put_bytes(body, "\x02\x00\x01\x02", 4); // two labels and the default
  ws_put_u8(body, WASM_OPCODE_END);
  put_segments(merge, body);
  ws_put_const(body, merge->is_64, merge->init_flag);
  ws_put_const(body, false, 2);
  put_atomic(body, WASM_OPCODE_I32_ATOMIC_STORE);
  ws_put_const(body, merge->is_64, merge->init_flag);
  ws_put_const(body, false, UINT32_MAX); // all who wait
  put_atomic(body, WASM_OPCODE_ATOMIC_NOTIFY);
  ws_put_u8(body, WASM_OPCODE_DROP);
  ws_put_u8(body, WASM_OPCODE_BR);
  ws_put_uleb(body, 1);
  ws_put_u8(body, WASM_OPCODE_END);
  ws_put_const(body, merge->is_64, merge->init_flag);
  ws_put_const(body, false, 1);
  ws_put_u8(body, WASM_OPCODE_I64_CONST);
  ws_put_sleb(body, -1); // for ever
  put_atomic(body, WASM_OPCODE_I32_ATOMIC_WAIT);
  ws_put_u8(body, WASM_OPCODE_DROP);
  ws_put_u8(body, WASM_OPCODE_END);
}

static void put_init_memory(const struct ws_merge *merge, struct ws_buffer *body) {
  ws_put_u8(body, 0); // no locals
  if (!merge->shared) {
    put_segments(merge, body);
    ws_put_u8(body, WASM_OPCODE_END);
    return;
  }
  put_handshake(merge, body);
  uint32_t index = 0;
  for (uint32_t i = 0; i < merge->segment_count; i++) {
    if (!ws_single_is_written(&merge->segments[i]))
      continue;
    if (!merge->segments[i].tls) { // each thread's block is made of that one
      put_memory_instruction(body, WASM_OPCODE_DATA_DROP);
      ws_put_uleb(body, index);
    }
    index++;
  }
  ws_put_u8(body, WASM_OPCODE_END);
}

// __wasm_init_tls: a thread's own block of variables, at the address that it is called with.
static void put_init_tls(const struct ws_merge *merge, struct ws_buffer *body) {
  const struct ws_merge_segment *tls = ws_merge_tls(merge);
  ws_put_u8(body, 0); // no locals
  if (merge->tls_base != WS_NOTHING && merge->globals[merge->tls_base].live) {
    ws_put_bytes(body, "\x20\x00", 2); // local.get 0
    ws_put_u8(body, WASM_OPCODE_GLOBAL_SET);
    ws_put_uleb(body, merge->globals[merge->tls_base].number);
    put_tls_pointers(merge, body);
  }
  uint32_t index = 0;
  for (uint32_t i = 0; tls && i < merge->segment_count && &merge->segments[i] != tls; i++)
    index += ws_single_is_written(&merge->segments[i]);
  if (tls && ws_single_is_written(tls)) {
    ws_put_bytes(body, "\x20\x00", 2);
    put_copy(body, tls, index);
  }
  ws_put_u8(body, WASM_OPCODE_END);
}

static void put_synthetic(struct ws_merge *merge, enum ws_merge_synthetic which, struct ws_buffer *out) {
  struct ws_merge_function *function = &merge->functions[merge->first_synthetic + which];
  if (!function->live)
    return;
  struct ws_buffer body = {0};
  if (which == WS_CALL_CTORS)
    put_constructors(merge, &body);
  else if (which == WS_INIT_MEMORY)
    put_init_memory(merge, &body);
  else if (which == WS_RUN_START)
    put_start(merge, &body);
  else
    put_init_tls(merge, &body);
  put_built(function, &body, out);
}

// The two functions of a module that is told of less memory than there is.
static void put_view(struct ws_merge *merge, uint32_t module, struct ws_buffer *out) {
  struct ws_merge_function *size = &merge->functions[ws_merge_view_function(merge, module, false)];
  struct ws_merge_function *grow = &merge->functions[ws_merge_view_function(merge, module, true)];
  struct ws_view_functions view = view_of(merge, module);
  struct ws_buffer body = {0};
  uint32_t operand;
  if (!size->live)
    return;
  ws_put_view_size(&body, &view, merge->heaps->inputs[module].placement.heap_end, &operand);
  put_built(size, &body, out);
  ws_put_view_grow(&body, &view);
  put_built(grow, &body, out);
}

bool ws_single_code(struct ws_merge *merge, struct ws_buffer *out) {
  size_t size = 0;
  uint32_t most_edges = 0;
  for (uint32_t i = 0; i < merge->first_synthetic; i++) {
    const struct ws_merge_function *function = &merge->functions[i];
    const struct ws_module *module = merge->modules[function->module].module;
    if (function->live && function->index >= module->imported_functions)
      size += module->functions[function->index - module->imported_functions].size + sizeof(uint32_t);
    most_edges = function->edge_count > most_edges ? function->edge_count : most_edges;
  }
  uint32_t *operands =
      ws_arena_new(&merge->arena, most_edges, sizeof *operands); // of one function after another
  if (!operands)
    return ws_merge_fail_memory(merge);
  ws_buffer_reserve(out, size);
  ws_put_uleb(out, merge->functions_used - merge->imported_functions);
  for (int i = 0; i < WS_SYNTHETIC_COUNT; i++)
    put_synthetic(merge, (enum ws_merge_synthetic)i, out);
  for (uint32_t m = 0; m < merge->module_count; m++)
    put_view(merge, m, out);
  for (uint32_t i = 0; i < merge->first_synthetic; i++) {
    struct ws_merge_function *function = &merge->functions[i];
    const struct ws_module *module = merge->modules[function->module].module;
    if (!function->live || function->index < module->imported_functions)
      continue;
    if (function->wrapper)
      put_wrapper(merge, function, out);
    else
      put_function(merge, function, operands, out);
    if (out->size > INT32_MAX)
      return ws_merge_fail(merge, function->module, "CODE", "is one too many: the merged code is too large");
  }
  return !out->failed || ws_merge_fail_memory(merge);
}
