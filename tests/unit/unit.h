// What the unit tests share: cmocka, and modules built byte by byte.
#ifndef WASMSHARE_UNIT_H
#define WASMSHARE_UNIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "read/module.h"

// A slice of bytes that are written out: BYTES(0x00, 0x0b).
#define BYTES(...) ((struct ws_slice){(const uint8_t[]){__VA_ARGS__}, sizeof((const uint8_t[]){__VA_ARGS__})})

static inline struct ws_slice text(const char *from) {
  return (struct ws_slice){(const uint8_t *)from, strlen(from)};
}

// What was built so far.
static inline struct ws_slice built(const struct ws_buffer *buffer) {
  return (struct ws_slice){buffer->data, buffer->size};
}

#define assert_slice_is(slice, expected)                                                                     \
  do {                                                                                                       \
    struct ws_slice is_ = (slice), should_ = (expected);                                                     \
    assert_int_equal(is_.size, should_.size);                                                                \
    assert_memory_equal(is_.data, should_.data, should_.size);                                               \
  } while (0)

// ------------------------------------------------------------------------------------------------ sections

static inline void put_header(struct ws_buffer *module) {
  ws_put_bytes(module, "\0asm\1\0\0\0", 8);
}

// Appends a section and frees its content.
static inline void put_section(struct ws_buffer *module, enum ws_section_id id, struct ws_buffer *content) {
  ws_put_u8(module, (uint8_t)id);
  ws_put_name(module, (struct ws_slice){content->data, content->size});
  ws_buffer_free(content);
}

static inline void put_custom(struct ws_buffer *module, const char *name, struct ws_slice content) {
  struct ws_buffer named = {0};
  ws_put_name(&named, text(name));
  ws_put_slice(&named, content);
  put_section(module, WS_SECTION_CUSTOM, &named);
}

// ------------------------------------------------------------------------------------ a module of a linker

// The symbols of every sample, in order.
enum { FUNCTION_SYMBOL, DATA_SYMBOL, STACK_SYMBOL, UNDEFINED_SYMBOL };

// A module like wasm-ld --emit-relocs makes: one function, one data segment, one stack. What is 0 is left
// out.
struct sample {
  const char *first; // name of a custom section that comes before all others
  bool memory64, shared, defines_memory;
  uint64_t pages, maximum;
  uint64_t stack_pointer;
  bool weak_stack_pointer;       // its symbol is
  uint64_t data_base, data_size; // of bytes 1, 2, 3, ..., or of `data`
  const uint8_t *data;
  const char *datum, *elsewhere; // names of the data symbol and the undefined one, instead of these
  bool passive;
  uint32_t alignment; // as a power of two
  bool table;         // has the function, at index 1
  const char *function;
  struct ws_slice body; // from its local declarations to its end
  bool starts;          // the function is the start function
  bool bulk_memory;
  struct ws_slice debug;   // content of a section .debug_info
  struct ws_slice linking; // content of that section, instead of one that fits
  struct ws_slice names;   // content of the section name
  struct ws_slice code_relocations, data_relocations, debug_relocations; // entries only
  uint32_t code_relocation_count, data_relocation_count, debug_relocation_count;
};

static inline void put_limits(struct ws_buffer *to, const struct sample *sample) {
  ws_put_u8(to, (uint8_t)((sample->maximum ? 1 : 0) | (sample->shared ? 2 : 0) | (sample->memory64 ? 4 : 0)));
  ws_put_uleb(to, sample->pages);
  if (sample->maximum)
    ws_put_uleb(to, sample->maximum);
}

static inline void put_address(struct ws_buffer *to, const struct sample *sample, uint64_t address) {
  ws_put_u8(to, sample->memory64 ? 0x42 : 0x41); // i64.const, i32.const
  ws_put_sleb(to, sample->memory64 ? (int64_t)address : (int32_t)(uint32_t)address);
  ws_put_u8(to, 0x0b);
}

static inline void put_symbol(struct ws_buffer *to, uint8_t kind, uint8_t flags, uint32_t index,
                              const char *name) {
  ws_put_u8(to, kind);
  ws_put_u8(to, flags);
  if (kind != WS_SYMBOL_DATA)
    ws_put_uleb(to, index);
  ws_put_name(to, text(name));
}

static inline void put_linking(struct ws_buffer *module, const struct sample *sample) {
  struct ws_buffer symbols = {0}, segments = {0}, linking = {0};
  ws_put_uleb(&symbols, 4);
  if (sample->function)
    put_symbol(&symbols, WS_SYMBOL_FUNCTION, 0, 0, sample->function);
  else
    put_symbol(&symbols, WS_SYMBOL_DATA, WS_SYMBOL_UNDEFINED, 0, "no_function");
  put_symbol(&symbols, WS_SYMBOL_DATA, sample->data_size ? 0 : WS_SYMBOL_UNDEFINED, 0,
             sample->datum ? sample->datum : "datum");
  if (sample->data_size) {
    ws_put_uleb(&symbols, 0); // segment
    ws_put_uleb(&symbols, 0); // offset in it
    ws_put_uleb(&symbols, sample->data_size);
  }
  if (sample->stack_pointer)
    put_symbol(&symbols, WS_SYMBOL_GLOBAL, sample->weak_stack_pointer ? WS_SYMBOL_WEAK : 0, 0,
               "__stack_pointer");
  else
    put_symbol(&symbols, WS_SYMBOL_DATA, WS_SYMBOL_UNDEFINED, 0, "no_stack");
  put_symbol(&symbols, WS_SYMBOL_DATA, WS_SYMBOL_UNDEFINED, 0,
             sample->elsewhere ? sample->elsewhere : "elsewhere");
  ws_put_uleb(&segments, sample->data_size ? 1 : 0);
  if (sample->data_size) {
    ws_put_name(&segments, text(".data"));
    ws_put_uleb(&segments, sample->alignment);
    ws_put_uleb(&segments, 0); // flags
  }
  ws_put_uleb(&linking, 2);
  ws_put_u8(&linking, 5); // WASM_SEGMENT_INFO
  ws_put_name(&linking, built(&segments));
  ws_put_u8(&linking, 8); // WASM_SYMBOL_TABLE
  ws_put_name(&linking, built(&symbols));
  put_custom(module, "linking", built(&linking));
  ws_buffer_free(&symbols);
  ws_buffer_free(&segments);
  ws_buffer_free(&linking);
}

static inline void put_relocations(struct ws_buffer *module, const char *name, uint8_t section,
                                   uint32_t count, struct ws_slice entries) {
  struct ws_buffer content = {0};
  ws_put_uleb(&content, section);
  ws_put_uleb(&content, count);
  ws_put_slice(&content, entries);
  put_custom(module, name, built(&content));
  ws_buffer_free(&content);
}

// Where the bytes of the sample's function and data begin in their sections.
enum { BODY_OFFSET = 2 };
static inline uint32_t data_offset(const struct sample *sample) {
  struct ws_buffer address = {0};
  put_address(&address, sample, sample->data_base);
  size_t size = sample->passive ? 0 : address.size;
  ws_buffer_free(&address);
  return (uint32_t)(2 + size + ws_uleb_size(sample->data_size));
}

static inline struct ws_buffer build(const struct sample *sample) {
  struct ws_buffer module = {0}, content = {0};
  uint8_t sections = 0, code = 0, data = 0, debug = 0;
  put_header(&module);
  if (sample->first) {
    put_custom(&module, sample->first, text("anything"));
    sections++;
  }

  ws_put_bytes(&content, "\1\x60\0\0", 4); // () -> ()
  put_section(&module, WS_SECTION_TYPE, &content);
  sections++;
  if (!sample->defines_memory) {
    ws_put_u8(&content, 1);
    ws_put_name(&content, text("env"));
    ws_put_name(&content, text("memory"));
    ws_put_u8(&content, WS_MEMORY);
    put_limits(&content, sample);
    put_section(&module, WS_SECTION_IMPORT, &content);
    sections++;
  }
  if (sample->function) {
    ws_put_bytes(&content, "\1\0", 2); // of type 0
    put_section(&module, WS_SECTION_FUNCTION, &content);
    sections++;
  }
  if (sample->table) {
    ws_put_bytes(&content, "\1\x70\1\2\2", 5); // funcref, 2 to 2 elements
    put_section(&module, WS_SECTION_TABLE, &content);
    sections++;
  }
  if (sample->defines_memory) {
    ws_put_u8(&content, 1);
    put_limits(&content, sample);
    put_section(&module, WS_SECTION_MEMORY, &content);
    sections++;
  }
  if (sample->stack_pointer) {
    ws_put_u8(&content, 1);
    ws_put_u8(&content, sample->memory64 ? 0x7e : 0x7f); // i64, i32
    ws_put_u8(&content, 1);                              // mutable
    put_address(&content, sample, sample->stack_pointer);
    put_section(&module, WS_SECTION_GLOBAL, &content);
    sections++;
  }
  if (sample->starts) {
    ws_put_u8(&content, 0);
    put_section(&module, WS_SECTION_START, &content);
    sections++;
  }
  if (sample->table) {
    ws_put_bytes(&content, "\1\0\x41\1\x0b\1\0", 7); // function 0 at index 1
    put_section(&module, WS_SECTION_ELEMENT, &content);
    sections++;
  }
  if (sample->passive) {
    ws_put_u8(&content, 1);
    put_section(&module, WS_SECTION_DATA_COUNT, &content);
    sections++;
  }
  if (sample->function) {
    ws_put_u8(&content, 1);
    ws_put_name(&content, sample->body.size ? sample->body : BYTES(0x00, 0x0b));
    put_section(&module, WS_SECTION_CODE, &content);
    code = sections++;
  }
  if (sample->data_size) {
    ws_put_u8(&content, 1);
    ws_put_u8(&content, sample->passive);
    if (!sample->passive)
      put_address(&content, sample, sample->data_base);
    ws_put_uleb(&content, sample->data_size);
    if (sample->data)
      ws_put_bytes(&content, sample->data, sample->data_size);
    for (uint64_t i = 0; i < sample->data_size && !sample->data; i++)
      ws_put_u8(&content, (uint8_t)(i % 255 + 1));
    put_section(&module, WS_SECTION_DATA, &content);
    data = sections++;
  }
  if (sample->debug.size) {
    put_custom(&module, ".debug_info", sample->debug);
    debug = sections++;
  }
  if (sample->linking.size)
    put_custom(&module, "linking", sample->linking);
  else
    put_linking(&module, sample);
  if (sample->function)
    put_relocations(&module, "reloc.CODE", code, sample->code_relocation_count, sample->code_relocations);
  if (sample->data_relocation_count)
    put_relocations(&module, "reloc.DATA", data, sample->data_relocation_count, sample->data_relocations);
  if (sample->debug_relocation_count)
    put_relocations(&module, "reloc..debug_info", debug, sample->debug_relocation_count,
                    sample->debug_relocations);
  if (sample->names.size)
    put_custom(&module, "name", sample->names);
  put_custom(&module, "target_features",
             sample->bulk_memory ? BYTES(1, '+', 11, 'b', 'u', 'l', 'k', '-', 'm', 'e', 'm', 'o', 'r', 'y')
                                 : BYTES(0));
  assert_false(module.failed);
  return module;
}

// --------------------------------------------------------------------------------- the linker's own
// functions

// What they write to: data, and zeroed data.
enum { DATA = 1024, ZEROS = 2048 };

#define I32_CONST 0x41
#define MEMORY_FILL 0xfc, 0x0b, 0x00
#define MEMORY_INIT 0xfc, 0x08, 0x00, 0x00
#define DATA_DROP 0xfc, 0x09, 0x00
#define END 0x0b
// Addresses as the linker writes them there: as short as can be.
#define ADDRESS(value) I32_CONST, 0x80 | ((value) & 0x7f), (value) >> 7

static inline struct sample with_function(const char *name, struct ws_slice body) {
  return (struct sample){.stack_pointer = 65536,
                         .data_base = DATA,
                         .data_size = 16,
                         .function = name,
                         .body = body,
                         .starts = true,
                         .pages = 1};
}

static inline struct sample with_passive_data(struct ws_slice body) {
  struct sample sample = with_function("__wasm_init_memory", body);
  sample.shared = sample.passive = true;
  sample.maximum = 16;
  return sample;
}

// ------------------------------------------------------------------------------------------------- options

// Each with its size: READ_OPTIONS(.trust_pic = true), and without anything for the defaults.
#define READ_OPTIONS(...) (&(struct ws_read_options){WS_OPTIONS(struct ws_read_options), __VA_ARGS__})
#define LINK_OPTIONS(...) (&(struct ws_link_options){WS_OPTIONS(struct ws_link_options), __VA_ARGS__})
#define PLAN_OPTIONS(...) (&(struct ws_plan_options){WS_OPTIONS(struct ws_plan_options), __VA_ARGS__})

// ---------------------------------------------------------------------------------------- read, or refused

static inline void fail_with(const struct ws_error *error) {
  char line[1024];
  ws_error_format(error, line, sizeof line);
  fail_msg("refused: %s", line);
}

static inline struct ws_module *read_named(const char *name, const struct ws_buffer *bytes,
                                           const struct ws_read_options *options) {
  struct ws_error error = {.message = ""};
  struct ws_module *module = ws_module_read(name, bytes->data, bytes->size, options, &error);
  if (!module)
    fail_with(&error);
  return module;
}

static inline struct ws_module *read_bytes(const struct ws_buffer *bytes,
                                           const struct ws_read_options *options) {
  return read_named("sample.wasm", bytes, options);
}

// The error with which reading fails.
static inline struct ws_error error_of(const struct ws_buffer *bytes) {
  struct ws_error error = {.message = ""};
  assert_null(ws_module_read("sample.wasm", bytes->data, bytes->size, NULL, &error));
  return error;
}

#define assert_says(message, part)                                                                           \
  do {                                                                                                       \
    if (!strstr((message), (part)))                                                                          \
      fail_msg("\"%s\" does not say \"%s\"", (message), (part));                                             \
  } while (0)

// -------------------------------------------------------------------------------------------------- linked

static inline struct ws_link *new_link(const struct ws_link_options *options) {
  struct ws_error error;
  struct ws_link *link = ws_link_new(options, &error);
  if (!link)
    fail_with(&error);
  return link;
}

static inline void add_module(struct ws_link *link, const struct ws_module *module, const char *name) {
  struct ws_error error;
  if (!ws_link_add(link, module, name, &error))
    fail_with(&error);
}

static inline struct ws_link *link_one(const struct ws_module *module,
                                       const struct ws_link_options *options) {
  struct ws_link *link = new_link(options);
  add_module(link, module, "one");
  return link;
}

// A link of one module, which is shifted.
static inline struct ws_link *shifted(const struct ws_module *module, const struct ws_link_options *options,
                                      uint64_t offset, uint64_t table_offset) {
  struct ws_error error;
  struct ws_link *link = link_one(module, options);
  if (!ws_link_shift(link, offset, table_offset, NULL, &error))
    fail_with(&error);
  return link;
}

static inline bool collect(void *context, const void *bytes, size_t size) {
  ws_put_bytes(context, bytes, size);
  return true;
}

// A module of a link as it is written.
static inline struct ws_buffer written(const struct ws_link *link, size_t module) {
  struct ws_buffer bytes = {0};
  struct ws_error error;
  if (!ws_link_write(link, module, (struct ws_sink){collect, &bytes}, &error))
    fail_with(&error);
  return bytes;
}

#endif
