#include "link/wrappers.h"

#include "read/instructions.h"

// lld/wasm/Writer.cpp, createCommandExportWrappers: nothing but calls, whose operands the linker does not
// pad, with what the wrapper was called with: of __wasm_call_ctors if there are constructors, of the
// function, and of
// __wasm_call_dtors, which is the C library's, if it has that.
struct wrapper {
  uint32_t calls[3];
  unsigned count; // without the destructors: 0 for what is no wrapper
};

static bool is_defined(const struct ws_module *module, uint64_t function) {
  return function >= module->imported_functions &&
         function < (uint64_t)module->imported_functions + module->function_count;
}

static struct wrapper read_wrapper(const struct ws_module *module, uint32_t function) {
  static const struct wrapper none = {0};
  struct wrapper wrapper = {0};
  if (!is_defined(module, function))
    return none;
  struct ws_reader body = ws_reader(ws_function_body(module, function - module->imported_functions));
  if (ws_read_uleb32(&body) != 0) // locals
    return none;
  while (!body.bad && body.at < body.end) {
    struct ws_instruction instruction = ws_read_instruction(&body);
    if (instruction.opcode == WASM_OPCODE_CALL && !instruction.padded && wrapper.count < 3 &&
        is_defined(module, instruction.value))
      wrapper.calls[wrapper.count++] = (uint32_t)instruction.value;
    else if (instruction.opcode != WASM_OPCODE_LOCAL_GET &&
             !(instruction.opcode == WASM_OPCODE_END && body.at == body.end))
      return none;
  }
  if (body.bad || wrapper.count < 2)
    return none;
  uint32_t last = wrapper.calls[wrapper.count - 1] - module->imported_functions;
  wrapper.count -= ws_slice_is(module->functions[last].name, "__wasm_call_dtors");
  return wrapper.count > 2 ? none : wrapper;
}

uint32_t ws_wrapped_function(const struct ws_module *module, uint32_t function) {
  struct wrapper wrapper = read_wrapper(module, function);
  return wrapper.count ? wrapper.calls[wrapper.count - 1] : function;
}

uint32_t ws_constructors_of(const struct ws_module *module) {
  for (uint32_t i = 0; i < module->function_count; i++)
    if (ws_slice_is(module->functions[i].name, "__wasm_call_ctors"))
      return module->imported_functions + i;
  // Without names, it is what all wrappers call first.
  for (size_t i = 0; i < module->export_count; i++) {
    if (module->exports[i].kind != WS_FUNCTION)
      continue;
    struct wrapper wrapper = read_wrapper(module, module->exports[i].index);
    if (wrapper.count)
      return wrapper.count == 2 ? wrapper.calls[0] : WS_NO_FUNCTION;
  }
  return WS_NO_FUNCTION;
}

uint32_t ws_exported_function(const struct ws_module *module, const struct ws_export *export) {
  static const char *const kept[] = {"_start", "_initialize", "__wasm_call_ctors"};
  for (size_t i = 0; i < sizeof kept / sizeof *kept; i++)
    if (ws_slice_is(export->name, kept[i]))
      return export->index;
  return ws_wrapped_function(module, export->index);
}
