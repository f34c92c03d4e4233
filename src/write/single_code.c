// The code of a merged module: every function as it was, but for its operands.
#include "link/merged_heaps.h"
#include "read/whole_code.h"
#include "write/single_sections.h"
#include "write/view_functions.h"

// ----------------------------------------------------------------------------------------- what is accounted

static bool is_written(const struct ws_merge *merge, const struct ws_merge_function *function) {
  return function->live && function->index >= merge->modules[function->module].module->imported_functions;
}

// Whether it is written as it was read, but for its operands.
static bool is_copied(const struct ws_merge *merge, const struct ws_merge_function *function) {
  return is_written(merge, function) && !function->wrapper;
}

static bool report(const struct ws_merge *merge, const struct ws_merge_function *function,
                   enum ws_code_problem problem) {
  char name[128];
  uint32_t number = merge->modules[function->module].first_function + function->index;
  ws_printable(ws_merge_function_name(merge, number), name, sizeof name);
  return ws_merge_fail(merge, function->module, "CODE", "the function %s %s",
                       name[0] ? name : "without a name", ws_code_problem_text(problem));
}

// What was noted of a module's functions when it was read, or what is noted now.
static const struct ws_code_note *notes_of(struct ws_merge *merge, uint32_t m) {
  const struct ws_module *module = merge->modules[m].module;
  if (module->code_notes)
    return module->code_notes;
  struct ws_code_note *notes = ws_arena_new(&merge->arena, module->function_count, sizeof *notes);
  if (!notes)
    return ws_merge_fail_memory(merge), NULL;
  return ws_look_at_code(module, 0, module->function_count, notes, merge->error) ? notes : NULL;
}

bool ws_single_check_code(struct ws_merge *merge) {
  bool zero_is_first =
      merge->indirect_table != WS_NOTHING && merge->tables[merge->indirect_table].number == 0;
  for (uint32_t m = 0; m < merge->module_count; m++) {
    const struct ws_module *module = merge->modules[m].module;
    const struct ws_code_note *notes = notes_of(merge, m);
    if (!notes)
      return false;
    for (uint32_t i = 0; i < module->function_count; i++) {
      const struct ws_merge_function *function =
          &merge->functions[merge->modules[m].first_function + module->imported_functions + i];
      enum ws_code_problem problem = (enum ws_code_problem)notes[i].problem;
      if (notes[i].names_first_table && !(module->indirect_table == 0 && zero_is_first))
        problem = WS_CODE_LACKS_RELOCATION;
      if (problem != WS_CODE_IS_KNOWN && is_copied(merge, function))
        return report(merge, function, problem);
    }
  }
  return true;
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

// ------------------------------------------------------------------------------------------------- functions

// The code in order: what is built anew, and what is copied. It is gone through twice, as the section's size
// comes before it.
struct code {
  struct ws_merge *merge;
  struct ws_buffer built; // each body after its size
  uint64_t size;          // of the section's content so far
  uint32_t *operands;     // of one function after another: where they are in what is built
};

// Notes where a body goes.
static void place(struct code *code, struct ws_merge_function *function, size_t size) {
  function->code_offset = (uint32_t)(code->size + ws_uleb_size(size));
  code->size += ws_uleb_size(size) + size;
}

// Adds a body that was built, and empties the buffer.
static void put_built(struct code *code, struct ws_merge_function *function, struct ws_buffer *body) {
  place(code, function, body->size);
  ws_put_uleb(&code->built, body->size);
  ws_put_bytes(&code->built, body->data, body->size);
  code->built.failed |= body->failed;
  ws_buffer_free(body);
}

// Writes what the operands must be. Where they are in the body, `operands` says if it was built. Those that
// are refused stay.
static bool put_operands(const struct ws_merge *merge, const struct ws_merge_function *function,
                         const uint32_t *operands, uint8_t *body, size_t size) {
  const struct ws_module *module = merge->modules[function->module].module;
  uint32_t offset = module->functions[function->index - module->imported_functions].offset;
  for (uint32_t i = 0; i < function->edge_count; i++) {
    const struct ws_edge *edge = &merge->edges[function->first_edge + i];
    enum ws_encoding encoding = ws_relocation_kinds[edge->type].encoding;
    uint32_t at = operands ? operands[i] : edge->offset - offset;
    if (!names_its_kind(edge))
      return report(merge, function, WS_CODE_HAS_OTHER_OPERAND);
    if (edge->kind != WS_EDGE_NONE && at + ws_encoding_width(encoding) <= size)
      ws_operand_put(body + at, encoding, ws_merge_value(merge, function->module, edge, 0));
  }
  return true;
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

static bool build_viewed(struct code *code, struct ws_merge_function *function, struct ws_slice body) {
  const struct ws_merge *merge = code->merge;
  const struct ws_module *module = merge->modules[function->module].module;
  uint32_t offset = module->functions[function->index - module->imported_functions].offset;
  struct ws_buffer viewed = {0};
  struct ws_view_functions view = view_of(merge, function->module);
  for (uint32_t i = 0; i < function->edge_count; i++)
    code->operands[i] = merge->edges[function->first_edge + i].offset - offset;
  ws_put_viewed(&viewed, body, &view, code->operands, function->edge_count);
  bool ok = viewed.failed || put_operands(merge, function, code->operands, viewed.data, viewed.size);
  put_built(code, function, &viewed);
  return ok;
}

// A wrapper's calls are not padded, so it is written anew around them.
static bool build_wrapper(struct code *code, struct ws_merge_function *function, struct ws_slice body) {
  const struct ws_merge *merge = code->merge;
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
  put_built(code, function, &built);
  return true;
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

static void build_synthetic(struct code *code, enum ws_merge_synthetic which) {
  struct ws_merge *merge = code->merge;
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
  put_built(code, function, &body);
}

// The two functions of a module that is told of less memory than there is.
static void build_view(struct code *code, uint32_t module) {
  struct ws_merge *merge = code->merge;
  struct ws_merge_function *size = &merge->functions[ws_merge_view_function(merge, module, false)];
  struct ws_merge_function *grow = &merge->functions[ws_merge_view_function(merge, module, true)];
  struct ws_view_functions view = view_of(merge, module);
  struct ws_buffer body = {0};
  uint32_t operand;
  if (!size->live)
    return;
  ws_put_view_size(&body, &view, merge->heaps->inputs[module].placement.heap_end, &operand);
  put_built(code, size, &body);
  ws_put_view_grow(&body, &view);
  put_built(code, grow, &body);
}

static bool is_built(const struct ws_merge *merge, const struct ws_merge_function *function) {
  return function->wrapper || ws_merge_has_view(merge, function);
}

static struct ws_slice body_of(const struct ws_merge *merge, const struct ws_merge_function *function) {
  const struct ws_module *module = merge->modules[function->module].module;
  return ws_function_body(module, function->index - module->imported_functions);
}

// Finds out where each function goes, and builds those that are not copied.
static bool place_functions(struct code *code) {
  struct ws_merge *merge = code->merge;
  for (uint32_t i = 0; i < merge->first_synthetic; i++) {
    struct ws_merge_function *function = &merge->functions[i];
    if (!is_written(merge, function))
      continue;
    struct ws_slice body = body_of(merge, function);
    if (!is_built(merge, function))
      place(code, function, body.size);
    else if (!(function->wrapper ? build_wrapper : build_viewed)(code, function, body))
      return false;
    if (code->size > INT32_MAX)
      return ws_merge_fail(merge, function->module, "CODE", "is one too many: the merged code is too large");
  }
  return true;
}

static bool build(struct code *code) {
  struct ws_merge *merge = code->merge;
  uint32_t most_edges = 0;
  for (uint32_t i = 0; i < merge->first_synthetic; i++)
    if (merge->functions[i].edge_count > most_edges)
      most_edges = merge->functions[i].edge_count;
  code->operands = ws_arena_new(&merge->arena, most_edges, sizeof *code->operands);
  if (!code->operands)
    return ws_merge_fail_memory(merge);
  for (int i = 0; i < WS_SYNTHETIC_COUNT; i++)
    build_synthetic(code, (enum ws_merge_synthetic)i);
  for (uint32_t m = 0; m < merge->module_count; m++)
    build_view(code, m);
  return true;
}

// The next body that was built, with its size.
static struct ws_slice next_built(struct ws_reader *built) {
  const uint8_t *start = built->at;
  ws_read_bytes(built, ws_read_uleb32(built));
  return (struct ws_slice){start, (size_t)(built->at - start)};
}

static bool put_copied(const struct ws_merge *merge, const struct ws_merge_function *function,
                       struct ws_buffer *out) {
  struct ws_slice body = body_of(merge, function);
  ws_put_uleb(out, body.size);
  ws_put_slice(out, body);
  return out->failed || put_operands(merge, function, NULL, out->data + out->size - body.size, body.size);
}

// `first` is how much was built to come before all that modules have.
static void give_functions(struct ws_single_writer *writer, const struct code *code, size_t first) {
  enum { PIECE = 64 * 1024 };
  const struct ws_merge *merge = code->merge;
  struct ws_reader built = ws_reader((struct ws_slice){code->built.data, code->built.size});
  struct ws_buffer out = {0};
  ws_buffer_reserve(&out, 2 * PIECE);
  ws_put_slice(&out, ws_read_bytes(&built, first));
  for (uint32_t i = 0; i < merge->first_synthetic && writer->ok; i++) {
    const struct ws_merge_function *function = &merge->functions[i];
    if (!is_written(merge, function))
      continue;
    if (is_built(merge, function))
      ws_put_slice(&out, next_built(&built));
    else
      writer->ok = put_copied(merge, function, &out);
    if (out.size >= PIECE)
      ws_give_bytes(writer, &out);
  }
  ws_give_bytes(writer, &out);
  ws_buffer_free(&out);
}

void ws_single_code(struct ws_single_writer *writer) {
  struct ws_merge *merge = writer->merge;
  struct ws_buffer header = {0};
  uint32_t count = merge->functions_used - merge->imported_functions;
  struct code code = {.merge = merge, .size = ws_uleb_size(count)};
  writer->ok = build(&code);
  size_t first = code.built.size;
  writer->ok = writer->ok && place_functions(&code);
  if (code.built.failed)
    writer->ok = ws_merge_fail_memory(merge);
  ws_put_u8(&header, WS_SECTION_CODE);
  ws_put_uleb(&header, code.size);
  ws_put_uleb(&header, count);
  ws_give_bytes(writer, &header);
  ws_buffer_free(&header);
  if (writer->ok)
    give_functions(writer, &code, first);
  ws_buffer_free(&code.built);
}
