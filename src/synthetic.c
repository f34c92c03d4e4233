#include "synthetic.h"

enum {
  UNREACHABLE = 0x00,
  NOP = 0x01,
  BLOCK = 0x02,
  END = 0x0b,
  BR = 0x0c,
  BR_TABLE = 0x0e,
  CALL = 0x10,
  DROP = 0x1a,
  LOCAL_GET = 0x20,
  LOCAL_SET = 0x21,
  LOCAL_TEE = 0x22,
  GLOBAL_GET = 0x23,
  GLOBAL_SET = 0x24,
  I32_STORE = 0x36,
  I64_STORE = 0x37,
  I32_CONST = 0x41,
  I64_CONST = 0x42,
  I32_ADD = 0x6a,
  I64_ADD = 0x7c,
  PREFIX_MISC = 0xfc,
  MEMORY_INIT = 8,
  DATA_DROP = 9,
  MEMORY_FILL = 11,
  PREFIX_ATOMIC = 0xfe,
  ATOMIC_NOTIFY = 0x00,
  ATOMIC_WAIT32 = 0x01,
  I32_ATOMIC_STORE = 0x17,
  I32_ATOMIC_CMPXCHG = 0x48,
};

enum { MAXIMUM_STACK = 8, MAXIMUM_FUNCTIONS = 16, MAXIMUM_OPERANDS = 4096 };

// A value on the operand stack: a constant and where its operand is, or something else.
struct value {
  bool constant;
  uint64_t number;
  uint32_t start, end; // of the operand, in the body
};

// An operand that must be rewritten: an address, or a call.
struct operand {
  uint32_t start, end;
  uint64_t number;
  bool call;
};

struct decoder {
  struct ws_module *module;
  struct ws_error *error;
  uint32_t function; // index among the defined ones
  struct ws_slice body;
  struct ws_reader reader;
  struct value stack[MAXIMUM_STACK];
  size_t depth;
  struct operand *operands;
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

static bool add_operand(struct decoder *decoder, uint32_t start, uint32_t end, uint64_t number, bool call) {
  if (decoder->operand_count == MAXIMUM_OPERANDS)
    return unexpected(decoder, "too many addresses");
  // Addresses are found when they are consumed, not in order of place; keep them in order of place.
  size_t at = decoder->operand_count++;
  for (; at > 0 && decoder->operands[at - 1].start > start; at--)
    decoder->operands[at] = decoder->operands[at - 1];
  decoder->operands[at] = (struct operand){start, end, number, call};
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
  return add_operand(decoder, value.start, value.end, value.number, false);
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
    module->segments[i].kept = 0;
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
  case MEMORY_INIT: {
    uint32_t index = ws_read_uleb32(reader);
    ws_read_u8(reader);
    return pop(decoder, &c) && pop(decoder, &b) && pop(decoder, &a) && init(decoder, index, a, b, c);
  }
  case MEMORY_FILL:
    ws_read_u8(reader);
    return pop(decoder, &c) && pop(decoder, &b) && pop(decoder, &a) && fill(decoder, a, c);
  case DATA_DROP:
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
  size_t others = opcode == ATOMIC_NOTIFY || opcode == I32_ATOMIC_STORE ? 1 : 2;
  struct value other, flag;
  if (opcode != ATOMIC_NOTIFY && opcode != ATOMIC_WAIT32 && opcode != I32_ATOMIC_STORE &&
      opcode != I32_ATOMIC_CMPXCHG)
    return unexpected(decoder, "an unexpected atomic instruction");
  for (size_t i = 0; i < others; i++)
    if (!pop(decoder, &other))
      return false;
  if (!pop(decoder, &flag) || !address(decoder, flag, 4))
    return false;
  return opcode == I32_ATOMIC_STORE || push(decoder, (struct value){0});
}

// __wasm_apply_data_relocs and its like store what imported GOT globals hold.
static bool store(struct decoder *decoder) {
  struct value value, to;
  ws_read_uleb32(&decoder->reader);
  if (ws_read_uleb64(&decoder->reader) != 0 && !decoder->reader.bad)
    return unexpected(decoder, "a store with an offset");
  if (!pop(decoder, &value) || !pop(decoder, &to))
    return false;
  if (value.constant)
    return unexpected(decoder, "a store of a constant");
  return address(decoder, to, 4);
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

static bool call(struct decoder *decoder) {
  struct ws_module *module = decoder->module;
  uint32_t start = (uint32_t)ws_read_offset(&decoder->reader);
  uint32_t callee = ws_read_uleb32(&decoder->reader);
  uint32_t defined = callee - module->imported_functions;
  if (decoder->reader.bad)
    return true;
  if (callee < module->imported_functions || defined >= module->function_count ||
      module->function_types[defined] != module->void_type)
    return unexpected(decoder, "a call that takes or returns something");
  return add_operand(decoder, start, (uint32_t)ws_read_offset(&decoder->reader), callee, true);
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
  case UNREACHABLE:
  case NOP:
    return true;
  case BLOCK:
    ++*blocks;
    return ws_read_u8(reader) == 0x40 || unexpected(decoder, "a block with a result");
  case END:
    --*blocks;
    return true;
  case BR:
    ws_read_uleb32(reader);
    return true;
  case BR_TABLE:
    return br_table(decoder);
  case CALL:
    return call(decoder);
  case DROP:
    return pop(decoder, &value);
  case LOCAL_GET:
  case GLOBAL_GET:
    ws_read_uleb32(reader);
    return push(decoder, (struct value){0});
  case LOCAL_SET:
    ws_read_uleb32(reader);
    return pop(decoder, &value) && (!value.constant || unexpected(decoder, "a constant kept in a local"));
  case GLOBAL_SET:
    return global_set(decoder);
  case I32_STORE:
  case I64_STORE:
    return store(decoder);
  case I32_CONST:
  case I64_CONST:
    return constant(decoder, opcode == I64_CONST);
  case I32_ADD:
  case I64_ADD: {
    struct value other;
    return pop(decoder, &value) && pop(decoder, &other) &&
           (value.constant && other.constant ? unexpected(decoder, "a sum of constants")
                                             : push(decoder, (struct value){0}));
  }
  case PREFIX_MISC:
    return misc(decoder);
  case PREFIX_ATOMIC:
    return atomic(decoder);
  default:
    return unexpected(decoder, "an unexpected instruction");
  }
}

static bool decode(struct decoder *decoder) {
  struct ws_reader *reader = &decoder->reader;
  uint32_t groups = ws_read_uleb32(reader);
  for (uint32_t i = 0; i < groups && !reader->bad; i++) {
    ws_read_uleb32(reader);
    ws_read_u8(reader);
  }
  unsigned blocks = 1;
  while (blocks > 0 && !reader->bad)
    if (!instruction(decoder, &blocks))
      return false;
  if (reader->bad || reader->at != reader->end)
    return unexpected(decoder, "a malformed body");
  return true;
}

// Writes the body again with every address padded and every call going where it should now.
static bool rewrite(struct decoder *decoder) {
  struct ws_module *module = decoder->module;
  bool is_64 = module->memory.is_64;
  struct ws_appended *appended = &module->appended[module->appended_count];
  appended->addresses = ws_arena_new(&module->arena, decoder->operand_count, sizeof *appended->addresses);
  if (!appended->addresses)
    return ws_fail_memory(decoder->error, module->file);
  struct ws_buffer body = {0};
  uint32_t copied = 0;
  for (size_t i = 0; i < decoder->operand_count; i++) {
    const struct operand *operand = &decoder->operands[i];
    ws_put_bytes(&body, decoder->body.data + copied, operand->start - copied);
    copied = operand->end;
    if (operand->call) {
      ws_put_uleb(&body, ws_redirected(module, (uint32_t)operand->number));
      continue;
    }
    uint8_t padded[10];
    ws_operand_put(padded, is_64 ? WS_SLEB64 : WS_SLEB32, operand->number);
    appended->addresses[appended->address_count++] = (uint32_t)body.size;
    ws_put_bytes(&body, padded, is_64 ? 10 : 5);
  }
  ws_put_bytes(&body, decoder->body.data + copied, decoder->body.size - copied);
  appended->body = ws_buffer_keep(&body, &module->arena);
  if (!appended->body.data)
    return ws_fail_memory(decoder->error, module->file);
  appended->replaces = module->imported_functions + decoder->function;
  module->appended_count++;
  return true;
}

// A function that was rewritten before (see --keep-relocs) can stay where it is.
static bool fix_in_place(struct decoder *decoder) {
  struct ws_module *module = decoder->module;
  struct ws_section *code = ws_section(module, WS_SECTION_CODE);
  for (size_t i = 0; i < decoder->operand_count; i++) {
    if (decoder->operands[i].call)
      continue;
    struct ws_fixup fixup = {.offset =
                                 module->functions[decoder->function].offset + decoder->operands[i].start,
                             .encoding = module->memory.is_64 ? WS_SLEB64 : WS_SLEB32,
                             .base = WS_BASE_MEMORY,
                             .minus = WS_BASE_COUNT};
    if (!ws_add_fixup(module, code, fixup))
      return ws_fail_memory(decoder->error, module->file);
  }
  return true;
}

// Functions that call others come after those, so that calls can be redirected.
static const char *const synthetic_names[] = {"__wasm_apply_data_relocs",
                                              "__wasm_apply_global_relocs",
                                              "__wasm_apply_global_tls_relocs",
                                              "__wasm_apply_tls_relocs",
                                              "__wasm_init_memory",
                                              "__wasm_init_tls",
                                              "__wasm_start",
                                              WS_CLEAR_FUNCTION};

static bool read_function(struct ws_module *module, uint32_t index, struct operand *operands,
                          struct ws_error *error) {
  const struct ws_function *function = &module->functions[index];
  const struct ws_section *code = ws_section(module, WS_SECTION_CODE);
  struct ws_slice body = {code->content.data + function->offset, function->size};
  struct decoder decoder = {.module = module,
                            .error = error,
                            .function = index,
                            .body = body,
                            .reader = ws_reader(body),
                            .operands = operands,
                            .padded = true};
  if (!decode(&decoder))
    return false;
  bool addresses = false, redirects = false;
  for (size_t i = 0; i < decoder.operand_count; i++) {
    addresses |= !operands[i].call;
    redirects |=
        operands[i].call && ws_redirected(module, (uint32_t)operands[i].number) != operands[i].number;
  }
  if (!redirects && decoder.padded)
    return !addresses || fix_in_place(&decoder);
  return rewrite(&decoder);
}

bool ws_read_synthetic(struct ws_module *module, struct ws_error *error) {
  enum { NAMES = sizeof synthetic_names / sizeof *synthetic_names };
  uint32_t found[MAXIMUM_FUNCTIONS + 1];
  size_t count = 0;
  uint32_t start = module->has_start ? module->start - module->imported_functions : UINT32_MAX;
  if (module->has_start && module->start < module->imported_functions)
    start = UINT32_MAX;
  bool start_named = false;
  for (size_t n = 0; n < NAMES; n++) {
    for (uint32_t i = 0; i < module->function_count; i++) {
      if (!ws_slice_is(module->functions[i].name, synthetic_names[n]))
        continue;
      // A function that was rewritten before leaves a dead one of the same name.
      if (count == MAXIMUM_FUNCTIONS)
        break;
      found[count++] = i;
      start_named |= i == start;
    }
  }
  // Without names, what is known is that only the linker makes a start function.
  if (start < module->function_count && !start_named && (module->has_linking || module->placed))
    found[count++] = start;
  module->appended = ws_arena_new(&module->arena, MAXIMUM_FUNCTIONS + 2, sizeof *module->appended);
  struct operand *operands = count ? ws_arena_new(&module->arena, MAXIMUM_OPERANDS, sizeof *operands) : NULL;
  if (!module->appended || (count && !operands))
    return ws_fail_memory(error, module->file);
  for (size_t i = 0; i < count; i++)
    if (!read_function(module, found[i], operands, error))
      return false;
  uint64_t most = (uint64_t)module->function_count + module->appended_count + 1;
  module->may_shift = ws_uleb_size(most) > module->code_count_size;
  return true;
}
