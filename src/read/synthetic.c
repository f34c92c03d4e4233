#include "read/synthetic.h"

#include <stdlib.h>
#include <string.h>

#include "read/instructions.h"
#include "read/memory_users.h"

enum { MAXIMUM_STACK = 8 };

// A value on the operand stack: a constant and where its operand is, or something else.
struct value {
  bool constant;
  uint64_t number;
  uint32_t start, end; // of the operand, in the body
};

// The linker's functions that were found, one after another, and the operands of the one that is decoded.
struct functions {
  uint32_t *found; // indices among the defined ones
  size_t count;
  struct ws_address *operands;
  size_t capacity;
  uint32_t unpadded; // how many will be written anew
};

struct decoder {
  struct ws_module *module;
  struct ws_error *error;
  struct functions *functions;
  uint32_t function; // index among the defined ones
  struct ws_slice body;
  struct ws_reader reader;
  struct value stack[MAXIMUM_STACK];
  size_t depth;
  size_t operand_count;
  size_t next_fill; // the passive segment that a memory.fill may stand for
  bool padded;      // every address is padded already
};

static bool unexpected(struct decoder *decoder, const char *what) {
  char name[128];
  const struct ws_function *function = &decoder->module->functions[decoder->function];
  return ws_module_fail(
      decoder->module, decoder->error, "CODE", decoder->reader.at,
      "%s in %s, which the linker wrote: this wasmshare does not know this linker's output", what,
      function->name.size ? ws_printable(function->name, name, sizeof name) : "the start function");
}

static bool push(struct decoder *decoder, struct value value) {
  if (decoder->depth == MAXIMUM_STACK)
    return unexpected(decoder, "too deep an operand stack");
  decoder->stack[decoder->depth++] = value;
  return true;
}

static bool pop(struct decoder *decoder, struct value *value) {
  *value = (struct value){0};
  if (decoder->depth == 0)
    return unexpected(decoder, "an empty operand stack");
  *value = decoder->stack[--decoder->depth];
  return true;
}

static bool add_operand(struct decoder *decoder, uint32_t start, uint32_t end, uint64_t number) {
  struct functions *functions = decoder->functions;
  struct ws_address *operands =
      ws_make_room(functions->operands, decoder->operand_count, &functions->capacity, sizeof *operands);
  if (!operands)
    return ws_fail_memory(decoder->error, decoder->module->file);
  functions->operands = operands;
  // Addresses are found when they are consumed, not in order of place; keep them in order of place.
  size_t at = decoder->operand_count++;
  for (; at > 0 && functions->operands[at - 1].start > start; at--)
    functions->operands[at] = functions->operands[at - 1];
  functions->operands[at] = (struct ws_address){start, end, number};
  return true;
}

// The constant is an address of `size` bytes of static data.
static bool address(struct decoder *decoder, struct value value, uint64_t size) {
  struct ws_module *module = decoder->module;
  if (!value.constant)
    return true; // computed from a pointer that moves by itself: a local or a global
  uint64_t end;
  if (!ws_add(&end, value.number, size))
    return unexpected(decoder, "an address beyond the end of memory");
  if (module->init_begin == module->init_end)
    module->init_begin = value.number;
  if (value.number < module->init_begin)
    module->init_begin = value.number;
  if (end > module->init_end)
    module->init_end = end;
  if (value.end - value.start != (module->memory.is_64 ? 10u : 5u))
    decoder->padded = false;
  return add_operand(decoder, value.start, value.end, value.number);
}

// memory.fill clears zeroed data. When relocations are kept, that data is in a passive segment too.
static bool fill(struct decoder *decoder, struct value to, struct value size) {
  struct ws_module *module = decoder->module;
  if (!to.constant || !size.constant)
    return unexpected(decoder, "a memory.fill of something that is not constant");
  if (module->has_linking && module->memory.shared) {
    size_t i = decoder->next_fill;
    while (i < module->segment_count &&
           !(module->segments[i].passive && !module->segments[i].placed &&
             module->segments[i].bytes.size == size.number && ws_slice_is_zero(module->segments[i].bytes)))
      i++;
    if (i == module->segment_count)
      return unexpected(decoder, "a memory.fill for which there is no zeroed data segment");
    module->segments[i].placed = true;
    module->segments[i].address = to.number;
    module->segments[i].zeros = module->segments[i].bytes.size;
    decoder->next_fill = i + 1;
  }
  return address(decoder, to, size.number);
}

static bool init(struct decoder *decoder, uint32_t index, struct value to, struct value from,
                 struct value size) {
  struct ws_module *module = decoder->module;
  if (index >= module->segment_count || !module->segments[index].passive || !from.constant ||
      from.number != 0 || !size.constant || size.number != module->segments[index].bytes.size)
    return unexpected(decoder, "a memory.init that does not copy a whole passive segment");
  if (to.constant) {
    module->segments[index].placed = true;
    module->segments[index].address = to.number;
  } else {
    module->segments[index].tls = true; // each thread's own block
  }
  return address(decoder, to, size.number);
}

static bool misc(struct decoder *decoder) {
  struct ws_reader *reader = &decoder->reader;
  struct value a, b, c;
  switch (ws_read_uleb32(reader)) {
  case WASM_OPCODE_MEMORY_INIT: {
    uint32_t index = ws_read_uleb32(reader);
    ws_read_u8(reader);
    return pop(decoder, &c) && pop(decoder, &b) && pop(decoder, &a) && init(decoder, index, a, b, c);
  }
  case WASM_OPCODE_MEMORY_FILL:
    ws_read_u8(reader);
    return pop(decoder, &c) && pop(decoder, &b) && pop(decoder, &a) && fill(decoder, a, c);
  case WASM_OPCODE_DATA_DROP:
    ws_read_uleb32(reader);
    return true;
  default:
    return unexpected(decoder, "an unexpected bulk-memory instruction");
  }
}

// The handshake on the flag that says which thread initialises memory.
static bool atomic(struct decoder *decoder) {
  struct ws_reader *reader = &decoder->reader;
  uint32_t opcode = ws_read_uleb32(reader);
  ws_read_uleb32(reader);                          // alignment
  if (ws_read_uleb64(reader) != 0 && !reader->bad) // offset
    return unexpected(decoder, "an atomic instruction with an offset");
  size_t others = opcode == WASM_OPCODE_ATOMIC_NOTIFY || opcode == WASM_OPCODE_I32_ATOMIC_STORE ? 1 : 2;
  struct value other, flag;
  if (opcode != WASM_OPCODE_ATOMIC_NOTIFY && opcode != WASM_OPCODE_I32_ATOMIC_WAIT &&
      opcode != WASM_OPCODE_I32_ATOMIC_STORE && opcode != WASM_OPCODE_I32_RMW_CMPXCHG)
    return unexpected(decoder, "an unexpected atomic instruction");
  for (size_t i = 0; i < others; i++)
    if (!pop(decoder, &other))
      return false;
  if (!pop(decoder, &flag) || !address(decoder, flag, 4))
    return false;
  return opcode == WASM_OPCODE_I32_ATOMIC_STORE || push(decoder, (struct value){0});
}

// __wasm_apply_tls_relocs and its like store what GOT globals hold.
static bool store(struct decoder *decoder, uint64_t size) {
  struct value value, to;
  ws_read_uleb32(&decoder->reader);
  if (ws_read_uleb64(&decoder->reader) != 0 && !decoder->reader.bad)
    return unexpected(decoder, "a store with an offset");
  if (!pop(decoder, &value) || !pop(decoder, &to))
    return false;
  if (value.constant)
    return unexpected(decoder, "a store of a constant");
  return address(decoder, to, size);
}

static bool global_set(struct decoder *decoder) {
  uint32_t index = ws_read_uleb32(&decoder->reader);
  struct value value;
  if (!pop(decoder, &value))
    return false;
  if (!value.constant)
    return true;
  // The only global that is set to a constant is __tls_base, to the first thread's block.
  const struct ws_module *module = decoder->module;
  if (index >= module->global_count ||
      (module->globals[index].name.size && !ws_slice_is(module->globals[index].name, "__tls_base")))
    return unexpected(decoder, "a constant assigned to a global that is not __tls_base");
  return address(decoder, value, 0);
}

static bool br_table(struct decoder *decoder) {
  uint32_t count = ws_read_uleb32(&decoder->reader);
  for (uint32_t i = 0; i <= count && !decoder->reader.bad; i++)
    ws_read_uleb32(&decoder->reader);
  struct value value;
  return pop(decoder, &value);
}

static void find_function(struct ws_module *module, struct functions *functions, uint32_t index) {
  uint32_t defined = index - module->imported_functions;
  if (index < module->imported_functions || defined >= module->function_count ||
      module->functions[defined].synthetic)
    return;
  module->functions[defined].synthetic = true;
  functions->found[functions->count++] = defined;
}

// What a function of the linker's calls is one, too.
static bool call(struct decoder *decoder) {
  struct ws_module *module = decoder->module;
  uint32_t callee = ws_read_uleb32(&decoder->reader);
  uint32_t defined = callee - module->imported_functions;
  if (decoder->reader.bad)
    return true;
  if (callee < module->imported_functions || defined >= module->function_count || !module->types ||
      module->types[module->function_types[defined]].results.size > 0)
    return unexpected(decoder, "a call of an import, or that returns something");
  for (size_t i = 0; i < module->types[module->function_types[defined]].parameters.size; i++) {
    struct value value;
    if (!pop(decoder, &value))
      return false;
    if (value.constant)
      return unexpected(decoder, "a call that passes a constant");
  }
  find_function(module, decoder->functions, callee);
  return true;
}

static bool constant(struct decoder *decoder, bool is_64) {
  uint32_t start = (uint32_t)ws_read_offset(&decoder->reader);
  uint64_t number =
      is_64 ? (uint64_t)ws_read_sleb64(&decoder->reader) : (uint32_t)ws_read_sleb32(&decoder->reader);
  return push(decoder, (struct value){true, number, start, (uint32_t)ws_read_offset(&decoder->reader)});
}

static bool instruction(struct decoder *decoder, unsigned *blocks) {
  struct ws_reader *reader = &decoder->reader;
  struct value value;
  uint8_t opcode = ws_read_u8(reader);
  switch (opcode) {
  case WASM_OPCODE_UNREACHABLE:
  case WASM_OPCODE_NOP:
    return true;
  case WASM_OPCODE_BLOCK:
    ++*blocks;
    return ws_read_u8(reader) == 0x40 || unexpected(decoder, "a block with a result");
  case WASM_OPCODE_END:
    --*blocks;
    return true;
  case WASM_OPCODE_BR:
    ws_read_uleb32(reader);
    return true;
  case WASM_OPCODE_BR_TABLE:
    return br_table(decoder);
  case WASM_OPCODE_CALL:
    return call(decoder);
  case WASM_OPCODE_DROP:
    return pop(decoder, &value);
  case WASM_OPCODE_LOCAL_GET:
  case WASM_OPCODE_GLOBAL_GET:
    ws_read_uleb32(reader);
    return push(decoder, (struct value){0});
  case WASM_OPCODE_LOCAL_SET:
    ws_read_uleb32(reader);
    return pop(decoder, &value) && (!value.constant || unexpected(decoder, "a constant kept in a local"));
  case WASM_OPCODE_GLOBAL_SET:
    return global_set(decoder);
  case WASM_OPCODE_I32_STORE:
  case WASM_OPCODE_I64_STORE:
    return store(decoder, opcode == WASM_OPCODE_I64_STORE ? 8 : 4);
  case WASM_OPCODE_I32_CONST:
  case WASM_OPCODE_I64_CONST:
    return constant(decoder, opcode == WASM_OPCODE_I64_CONST);
  case WASM_OPCODE_I32_ADD:
  case WASM_OPCODE_I64_ADD: {
    struct value other;
    return pop(decoder, &value) && pop(decoder, &other) &&
           (value.constant && other.constant ? unexpected(decoder, "a sum of constants")
                                             : push(decoder, (struct value){0}));
  }
  case WASM_OPCODE_MISC_PREFIX:
    return misc(decoder);
  case WASM_OPCODE_ATOMICS_PREFIX:
    return atomic(decoder);
  default:
    return unexpected(decoder, "an unexpected instruction");
  }
}

static bool decode(struct decoder *decoder) {
  struct ws_reader *reader = &decoder->reader;
  ws_skip_locals(reader);
  unsigned blocks = 1;
  while (blocks > 0 && !reader->bad)
    if (!instruction(decoder, &blocks))
      return false;
  if (reader->bad || reader->at != reader->end)
    return unexpected(decoder, "a malformed body");
  return true;
}

// A function whose addresses are not padded will become a call of one that is appended: it has to be as long
// as such a call, and to take and return nothing.
static bool check_rewritable(struct decoder *decoder) {
  struct ws_module *module = decoder->module;
  if (module->function_types[decoder->function] != module->void_type)
    return unexpected(decoder, "parameters or results beside addresses");
  uint64_t callee =
      (uint64_t)module->imported_functions + module->function_count + decoder->functions->unpadded;
  if (decoder->body.size < WS_CALL_BODY_SIZE + ws_uleb_size(callee))
    return unexpected(decoder, "too short a body");
  module->functions[decoder->function].unpadded = true;
  decoder->functions->unpadded++;
  return true;
}

// A function that was written anew before (see --keep-relocs) can stay as it is.
static bool add_fixups(struct decoder *decoder) {
  struct ws_module *module = decoder->module;
  struct ws_section *code = ws_section(module, WS_SECTION_CODE);
  for (size_t i = 0; i < decoder->operand_count; i++) {
    struct ws_fixup fixup = {.offset = module->functions[decoder->function].offset +
                                       decoder->functions->operands[i].start,
                             .encoding = module->memory.is_64 ? WS_SLEB64 : WS_SLEB32,
                             .base = WS_BASE_MEMORY,
                             .minus = WS_BASE_COUNT,
                             .target = WS_NO_SYMBOL};
    if (!ws_add_fixup(code, fixup))
      return ws_fail_memory(decoder->error, module->file);
  }
  return true;
}

static bool note_function(struct decoder *decoder) {
  struct ws_module *module = decoder->module;
  struct ws_linker_function *found = &module->linker_functions[module->linker_function_count++];
  found->function = decoder->function;
  found->addresses = ws_arena_new(&module->arena, decoder->operand_count, sizeof *found->addresses);
  if (!found->addresses)
    return ws_fail_memory(decoder->error, module->file);
  found->address_count = decoder->operand_count;
  if (decoder->operand_count)
    memcpy(found->addresses, decoder->functions->operands, decoder->operand_count * sizeof *found->addresses);
  return decoder->padded ? add_fixups(decoder) : check_rewritable(decoder);
}

static bool read_function(struct ws_module *module, struct functions *functions, uint32_t index,
                          struct ws_error *error) {
  struct ws_slice body = ws_function_body(module, index);
  struct decoder decoder = {.module = module,
                            .error = error,
                            .functions = functions,
                            .function = index,
                            .body = body,
                            .reader = ws_reader(body),
                            .padded = true};
  return decode(&decoder) && note_function(&decoder);
}

static bool is_linkers_name(struct ws_slice name) {
  static const char *const names[] = {"__wasm_apply_data_relocs",
                                      "__wasm_apply_global_relocs",
                                      "__wasm_apply_global_tls_relocs",
                                      "__wasm_apply_tls_relocs",
                                      "__wasm_init_memory",
                                      "__wasm_init_tls",
                                      "__wasm_start",
                                      WS_CLEAR_FUNCTION};
  for (size_t i = 0; i < sizeof names / sizeof *names; i++)
    if (ws_slice_is(name, names[i]))
      return true;
  return false;
}

// Whether a function that is called like one of the linker's is one: a program may have a function of that
// name, too. What an object defines has a symbol; what the linker makes has none, unless an object refers to
// it, as a thread's library does to __wasm_init_tls, which there is with a shared memory. Without symbols,
// only that and the start function are known to be the linker's, and what these call.
static bool is_linkers(const struct ws_module *module, uint32_t defined, struct ws_slice name) {
  const struct ws_function *function = &module->functions[defined];
  if (!is_linkers_name(name))
    return false;
  if (module->has_linking && !function->has_symbol)
    return true;
  if (module->memory.shared && !function->has_local_symbol && ws_slice_is(name, "__wasm_init_tls"))
    return true;
  return !module->has_linking && module->has_start && module->start - module->imported_functions == defined;
}

static void find_by_name(struct ws_module *module, struct functions *functions) {
  for (uint32_t i = 0; i < module->function_count; i++)
    if (is_linkers(module, i, module->functions[i].name))
      find_function(module, functions, module->imported_functions + i);
  for (size_t i = 0; i < module->export_count; i++) {
    const struct ws_export *export = &module->exports[i];
    if (export->kind == WS_FUNCTION && export->index >= module->imported_functions &&
        is_linkers(module, export->index - module->imported_functions, export->name))
      find_function(module, functions, export->index);
  }
}

bool ws_read_synthetic(struct ws_module *module, struct ws_error *error) {
  struct functions functions = {.found =
                                    ws_arena_new(&module->arena, module->function_count, sizeof(uint32_t))};
  if (!functions.found)
    return ws_fail_memory(error, module->file);
  find_by_name(module, &functions);
  // Only the linker makes a start function.
  if (module->has_start && (module->has_linking || module->placed))
    find_function(module, &functions, module->start);
  module->linker_functions =
      ws_arena_new(&module->arena, module->function_count, sizeof *module->linker_functions);
  bool ok = module->linker_functions || ws_fail_memory(error, module->file);
  for (size_t i = 0; i < functions.count && ok; i++)
    ok = read_function(module, &functions, functions.found[i], error);
  free(functions.operands);
  uint64_t most = (uint64_t)module->function_count + functions.unpadded + 1;
  if (ws_absolute_symbol(module, "__heap_base"))
    most = ws_with_limited(module, most);
  module->may_shift = ws_uleb_size(most) > module->code_count_size;
  return ok;
}
