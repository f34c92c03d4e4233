#include "write/functions.h"

#include <string.h>

#include "read/instructions.h"
#include "read/memory_users.h"
#include "read/sections.h"
#include "read/zeros.h"
#include "write/memory_view.h"

// One of the linker's functions, with every address of full width.
static bool rewrite_function(struct ws_image *image, const struct ws_linker_function *function) {
  const struct ws_module *module = image->module;
  struct ws_slice old = ws_function_body(module, function->function);
  struct ws_appended *appended = ws_image_append(
      image, function->function, module->functions[function->function].name, function->address_count);
  if (!appended)
    return false;
  appended->type = module->function_types[function->function];
  struct ws_buffer body = {0};
  uint32_t copied = 0;
  for (size_t i = 0; i < function->address_count; i++) {
    const struct ws_address *address = &function->addresses[i];
    enum ws_encoding encoding = module->memory.is_64 ? WS_SLEB64 : WS_SLEB32;
    uint8_t operand[10];
    ws_put_bytes(&body, old.data + copied, address->start - copied);
    copied = address->end;
    ws_image_add_address(image, appended, &body);
    ws_operand_put(operand, encoding, address->value);
    ws_put_bytes(&body, operand, ws_encoding_width(encoding));
  }
  ws_put_bytes(&body, old.data + copied, old.size - copied);
  return ws_image_keep_body(image, appended, &body);
}

// No locals, and the function's own arguments on the stack.
static void put_arguments(struct ws_buffer *body, const struct ws_type *type) {
  struct ws_reader parameters =
      ws_reader(type ? type->parameters : (struct ws_slice){(const uint8_t *)"", 0});
  ws_put_u8(body, 0);
  for (uint32_t i = 0; parameters.at < parameters.end && !parameters.bad; i++) {
    ws_read_value_type(&parameters);
    ws_put_u8(body, WASM_OPCODE_LOCAL_GET);
    ws_put_uleb(body, i);
  }
}

static const struct ws_type *type_of(const struct ws_module *module, uint32_t function) {
  return module->types ? &module->types[module->function_types[function]] : NULL;
}

// Whether some function of the module makes a tail call.
static bool has_tail_calls(const struct ws_module *module) {
  for (uint32_t i = 0; i < module->function_count; i++) {
    struct ws_reader body = ws_reader(ws_function_body(module, i));
    ws_skip_locals(&body);
    while (body.at < body.end && !body.bad) {
      uint8_t opcode = ws_read_instruction(&body).opcode;
      if (opcode == WASM_OPCODE_RETURN_CALL || opcode == WASM_OPCODE_RETURN_CALL_INDIRECT)
        return true;
    }
  }
  return false;
}

// Calls another module's function, through the table, with the same arguments. If the module has tail calls,
// this is one, so that the stack does not grow where the program's does not.
static bool append_trampoline(struct ws_image *image, const struct ws_trampoline *trampoline,
                              bool tail_calls) {
  const struct ws_module *module = image->module;
  const struct ws_module *callee = image->link->inputs[trampoline->to.module].module;
  struct ws_slice name = {(const uint8_t *)"", 0};
  if (trampoline->to.index >= callee->imported_functions)
    name = callee->functions[trampoline->to.index - callee->imported_functions].name;
  struct ws_appended *appended = ws_image_append(image, WS_NEW_FUNCTION, name, 0);
  if (!appended)
    return false;
  appended->type = ws_function_type(module, trampoline->function);
  struct ws_buffer body = {0};
  put_arguments(&body, module->types ? &module->types[appended->type] : NULL);
  ws_put_const(&body, ws_image_table_is_64(image), trampoline->slot);
  ws_put_u8(&body, tail_calls ? WASM_OPCODE_RETURN_CALL_INDIRECT : WASM_OPCODE_CALL_INDIRECT);
  ws_put_uleb(&body, appended->type);
  ws_put_uleb(&body, ws_image_table(image));
  ws_put_u8(&body, WASM_OPCODE_END);
  return ws_image_keep_body(image, appended, &body);
}

// Code that fills memory with zeros.
static void put_fill(const struct ws_image *image, struct ws_appended *appended, struct ws_buffer *body,
                     uint64_t address, size_t size) {
  uint8_t operand[10];
  bool is_64 = image->module->memory.is_64;
  enum ws_encoding encoding = is_64 ? WS_SLEB64 : WS_SLEB32;
  ws_put_u8(body, wasm_opcode_const(is_64));
  ws_image_add_address(image, appended, body);
  ws_operand_put(operand, encoding, address);
  ws_put_bytes(body, operand, ws_encoding_width(encoding));
  ws_put_u8(body, WASM_OPCODE_I32_CONST);
  ws_put_sleb(body, 0);
  ws_put_u8(body, wasm_opcode_const(is_64));
  ws_put_sleb(body, (int64_t)size);
  ws_put_u8(body, WASM_OPCODE_MISC_PREFIX);
  ws_put_uleb(body, WASM_OPCODE_MEMORY_FILL);
  ws_put_u8(body, 0); // the memory
}

// Whether the start function clears what is not written of a segment.
static bool clears(const struct ws_image *image, size_t segment) {
  return ws_is_clearable(&image->module->segments[segment]) &&
         image->kept[segment] < image->module->segments[segment].bytes.size;
}

// Calls one function of a runner, which has no parameters, and drops what it returns.
static bool put_runner_call(struct ws_image *image, struct ws_buffer *body, struct ws_link_function function,
                            uint64_t slot) {
  const struct ws_module *callee = image->link->inputs[function.module].module;
  const struct ws_type *type = &callee->types[ws_function_type(callee, function.index)];
  struct ws_buffer encoded = {0};
  uint32_t index = 0, results = 0;
  struct ws_reader reader = ws_reader(type->results);
  for (; reader.at < reader.end && !reader.bad; results++)
    ws_read_value_type(&reader);
  ws_put_bytes(&encoded, (const uint8_t[]){WASM_TYPE_FUNC, 0}, 2);
  ws_put_uleb(&encoded, results);
  ws_put_slice(&encoded, type->results);
  bool ok = !encoded.failed && ws_image_type(image, (struct ws_slice){encoded.data, encoded.size}, &index);
  ws_buffer_free(&encoded);
  if (callee == image->module) {
    ws_put_u8(body, WASM_OPCODE_CALL);
    ws_put_uleb(body, function.index);
  } else {
    ws_put_const(body, ws_image_table_is_64(image), slot);
    ws_put_u8(body, WASM_OPCODE_CALL_INDIRECT);
    ws_put_uleb(body, index);
    ws_put_uleb(body, ws_image_table(image));
  }
  for (uint32_t i = 0; i < results; i++)
    ws_put_u8(body, WASM_OPCODE_DROP);
  return ok;
}

static bool append_runner(struct ws_image *image, const struct ws_runner *runner) {
  static const struct ws_slice type = {(const uint8_t *)"\x60\x00\x00", 3};
  struct ws_slice name = ws_slice_of(runner->name);
  struct ws_appended *appended = ws_image_append(image, WS_NEW_FUNCTION, name, 0);
  if (!appended || !ws_image_type(image, type, &appended->type))
    return false;
  struct ws_buffer body = {0};
  bool ok = true;
  ws_put_u8(&body, 0); // no locals
  for (size_t i = 0; i < runner->count && ok; i++)
    ok = put_runner_call(image, &body, runner->calls[i], runner->slots[i]);
  ws_put_u8(&body, WASM_OPCODE_END);
  return ws_image_keep_body(image, appended, &body) && ok;
}

// What is exported as _start: the module's own, behind a call of the runner if it runs no constructors; else
// a copy, with calls of the runner in place of those of the module's own constructors.
struct start_copy {
  struct ws_image *image;
  struct ws_buffer body;
  struct ws_slice old;
  size_t copied;
};

static void copy_start_operand(void *context, const struct ws_operand *operand) {
  struct start_copy *copy = context;
  const struct ws_changes *changes = &copy->image->input->changes;
  if (operand->space != WS_SPACE_FUNCTION || operand->value != changes->constructors)
    return;
  ws_put_bytes(&copy->body, copy->old.data + copy->copied, operand->offset - copy->copied);
  ws_put_uleb(&copy->body, ws_trampoline_index(copy->image, (uint32_t)changes->trampoline_count));
  copy->copied = operand->offset + operand->width;
}

static void copy_start(struct start_copy *copy) {
  struct ws_operand_visitor visitor = {copy_start_operand, copy};
  struct ws_reader reader = ws_reader(copy->old);
  ws_skip_locals(&reader);
  while (reader.at < reader.end && !reader.bad)
    ws_visit_instruction(&reader, &visitor);
  ws_put_bytes(&copy->body, copy->old.data + copy->copied, copy->old.size - copy->copied);
}

static void put_behind_runner(struct start_copy *copy, uint32_t start) {
  ws_put_u8(&copy->body, 0); // no locals
  ws_put_u8(&copy->body, WASM_OPCODE_CALL);
  ws_put_uleb(&copy->body,
              ws_trampoline_index(copy->image, (uint32_t)copy->image->input->changes.trampoline_count));
  ws_put_u8(&copy->body, WASM_OPCODE_CALL);
  ws_put_uleb(&copy->body, start);
  ws_put_u8(&copy->body, WASM_OPCODE_END);
}

static bool append_start_copy(struct ws_image *image) {
  const struct ws_module *module = image->module;
  uint32_t start = image->input->changes.start;
  if (start == WS_NO_FUNCTION)
    return true;
  struct ws_appended *appended =
      ws_image_append(image, WS_NEW_FUNCTION, module->functions[start - module->imported_functions].name, 0);
  if (!appended)
    return false;
  appended->type = ws_function_type(module, start);
  struct start_copy copy = {.image = image,
                            .old = ws_function_body(module, start - module->imported_functions)};
  if (image->input->changes.constructors == WS_NO_FUNCTION)
    put_behind_runner(&copy, start);
  else
    copy_start(&copy);
  return ws_image_keep_body(image, appended, &copy.body);
}

// The start function, which clears what is not written, and calls the module's own start function then.
static bool append_start(struct ws_image *image) {
  static const struct ws_slice name = {(const uint8_t *)WS_CLEAR_FUNCTION, sizeof WS_CLEAR_FUNCTION - 1},
                               type = {(const uint8_t *)"\x60\x00\x00", 3};
  const struct ws_module *module = image->module;
  size_t count = 0;
  for (size_t i = 0; i < module->segment_count; i++)
    count += clears(image, i);
  if (count == 0)
    return true;
  struct ws_appended *appended = ws_image_append(image, WS_NEW_FUNCTION, name, count);
  if (!appended || !ws_image_type(image, type, &appended->type))
    return false;
  struct ws_buffer body = {0};
  ws_put_u8(&body, 0); // no locals
  for (size_t i = 0; i < module->segment_count; i++) {
    const struct ws_segment *segment = &module->segments[i];
    if (clears(image, i))
      put_fill(image, appended, &body, segment->address + image->kept[i],
               segment->bytes.size - image->kept[i]);
  }
  if (module->has_start) {
    ws_put_u8(&body, WASM_OPCODE_CALL);
    ws_put_uleb(&body, module->start);
  }
  ws_put_u8(&body, WASM_OPCODE_END);
  image->starts = true;
  return ws_image_keep_body(image, appended, &body);
}

bool ws_append_functions(struct ws_image *image) {
  const struct ws_module *module = image->module;
  enum { NEW_FUNCTIONS = 3 }; // those of memory_view.c, and the start function
  bool limited = image->placement->memory_view != WS_VIEW_WHOLE;
  const struct ws_changes *changes = &image->input->changes;
  size_t most = module->linker_function_count + changes->trampoline_count + WS_RUNNERS + 1 +
                (limited ? ws_count_memory_users(module) : 0) + NEW_FUNCTIONS;
  image->appended = ws_arena_new(&image->arena, most, sizeof *image->appended);
  if (!image->appended)
    return false;
  for (size_t i = 0; i < module->linker_function_count; i++)
    if (module->functions[module->linker_functions[i].function].unpadded &&
        !rewrite_function(image, &module->linker_functions[i]))
      return false;
  bool tail_calls = changes->trampoline_count && has_tail_calls(module);
  for (size_t i = 0; i < changes->trampoline_count; i++)
    if (!append_trampoline(image, &changes->trampolines[i], tail_calls))
      return false;
  for (unsigned i = 0; i < WS_RUNNERS; i++)
    if (changes->runners[i].name && !append_runner(image, &changes->runners[i]))
      return false;
  return append_start_copy(image) && ws_append_memory_view(image) && append_start(image);
}

// Calls the appended function in as many bytes as the old one had: no other code moves, and whoever calls it
// can go on doing so.
struct ws_slice ws_call_appended(struct ws_image *image, const struct ws_appended *appended) {
  const struct ws_module *module = image->module;
  size_t index = (size_t)(appended - image->appended);
  struct ws_buffer body = {0};
  put_arguments(&body, type_of(module, appended->replaces));
  ws_put_u8(&body, WASM_OPCODE_CALL);
  ws_put_uleb(&body, (uint64_t)module->imported_functions + module->function_count + index);
  while (body.size + 1 < module->functions[appended->replaces].size && !body.failed)
    ws_put_u8(&body, WASM_OPCODE_NOP);
  ws_put_u8(&body, WASM_OPCODE_END);
  return ws_buffer_keep(&body, &image->arena);
}
