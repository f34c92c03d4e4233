// Decodes the sections of a core module (WebAssembly core specification, chapter 5: binary format).
#ifndef WASMSHARE_SECTIONS_H
#define WASMSHARE_SECTIONS_H

#include "read/module.h"

// Fills the "sections.c" block of a module whose `file` and `bytes` are set, but for where functions are.
// Malformed bytes are an error.
bool ws_read_sections(struct ws_module *module, struct ws_error *error);
// Finds the functions in the code section. In a large module, that is most of what there is to do.
bool ws_read_code(struct ws_module *module, struct ws_error *error);

// Decodes a value type, one byte, or (ref ht), (ref null ht) followed by a heap type; returns that byte.
uint8_t ws_read_value_type(struct ws_reader *reader);

// Decodes a constant expression, including its end opcode.
struct ws_expression ws_read_expression(struct ws_reader *reader);

#endif
