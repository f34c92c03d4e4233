#include "write/image.h"

#include <stdlib.h>
#include <string.h>

#include "read/instructions.h"
#include "read/memory_users.h"
#include "read/sections.h"
#include "read/zeros.h"
#include "runtime/wasmshare_load.h"
#include "write/custom.h"
#include "write/emit_relocs.h"
#include "write/memory_view.h"
#include "write/rebind.h"

// ---------------------------------------------------------------------------------------------------------- sections

static struct ws_image_section *find_section(struct ws_image *image, enum ws_section_id id) {
  for (size_t i = 0; i < image->section_count; i++)
    if (image->sections[i].id == id)
      return &image->sections[i];
  return NULL;
}

// The sections as they were read, each in one piece; with room for those that may have to be added.
static bool take_sections(struct ws_image *image) {
  enum { MOST_ADDED = 7 }; // IMPORT, FUNCTION, GLOBAL, EXPORT, START, ELEMENT, CODE
  const struct ws_module *module = image->module;
  size_t count = module->section_count;
  image->sections = ws_arena_new(&image->arena, count + MOST_ADDED, sizeof *image->sections);
  struct ws_piece *pieces = ws_arena_new(&image->arena, count, sizeof *pieces);
  if (!image->sections || !pieces)
    return false;
  for (size_t i = 0; i < count; i++) {
    const struct ws_section *section = &module->sections[i];
    bool memory = section->id == WS_SECTION_MEMORY && module->memory_import == SIZE_MAX; // it becomes an import
    pieces[i] = (struct ws_piece){section->content, section->fixups, section->fixup_count, 0};
    image->sections[i] = (struct ws_image_section){
        .id = section->id,
        .dropped = memory || (ws_is_link_metadata(module, section) &&
                              !(image->link->options.keep_relocs && module->has_linking)),
        .name = section->name,
        .source = section,
        .pieces = &pieces[i],
        .piece_count = 1};
  }
  image->section_count = count;
  return true;
}

// A section that the module may lack, put where it belongs.
static struct ws_image_section *need_section(struct ws_image *image, enum ws_section_id id) {
  struct ws_image_section *section = find_section(image, id);
  if (section)
    return section;
  struct ws_piece *piece = ws_arena_new(&image->arena, 1, sizeof *piece);
  if (!piece)
    return NULL;
  piece->bytes.data = (const uint8_t *)"";
  size_t at = 0;
  for (size_t i = 0; i < image->section_count; i++)
    if (image->sections[i].id != WS_SECTION_CUSTOM &&
        ws_section_order(image->sections[i].id) < ws_section_order((uint8_t)id))
      at = i + 1;
  section = &image->sections[at];
  memmove(section + 1, section, (image->section_count++ - at) * sizeof *section);
  *section = (struct ws_image_section){.id = (uint8_t)id, .pieces = piece, .piece_count = 1};
  return section;
}

static struct ws_slice source_content(const struct ws_image_section *section) {
  return section->source ? section->source->content : (struct ws_slice){(const uint8_t *)"", 0};
}

const struct ws_section *ws_image_source(const struct ws_image *image, enum ws_section_id id) {
  for (size_t i = 0; i < image->section_count; i++)
    if (image->sections[i].id == id)
      return image->sections[i].source;
  return NULL;
}

bool ws_image_set(struct ws_image *image, struct ws_image_section *section, struct ws_buffer *built,
                  const struct ws_fixup *fixups, size_t fixup_count) {
  struct ws_slice bytes = ws_buffer_keep(built, &image->arena);
  if (!bytes.data)
    return false;
  section->pieces[0] = (struct ws_piece){bytes, fixups, fixup_count, 0};
  section->piece_count = 1;
  return true;
}

size_t ws_image_section_size(const struct ws_image_section *section) {
  bool custom = section->id == WS_SECTION_CUSTOM;
  size_t size = custom ? ws_uleb_size(section->name.size) + section->name.size : 0;
  for (size_t i = 0; i < section->piece_count; i++)
    size += section->pieces[i].bytes.size;
  return size;
}

// A constant expression of full width, and its fixup.
static struct ws_fixup put_constant(struct ws_buffer *built, bool is_64, uint64_t value, enum ws_base base,
                                    uint32_t target) {
  uint8_t operand[10];
  enum ws_encoding encoding = is_64 ? WS_SLEB64 : WS_SLEB32;
  ws_operand_put(operand, encoding, value);
  ws_put_u8(built, wasm_opcode_const(is_64));
  struct ws_fixup fixup = {.offset = (uint32_t)built->size,
                           .encoding = (uint8_t)encoding,
                           .base = (uint8_t)base,
                           .minus = WS_BASE_COUNT,
                           .target = target};
  ws_put_bytes(built, operand, ws_encoding_width(encoding));
  ws_put_u8(built, WASM_OPCODE_END);
  return fixup;
}

// ------------------------------------------------------------------------------------------------- appended functions

struct ws_appended *ws_image_append(struct ws_image *image, uint32_t replaces, struct ws_slice name,
                                    size_t most_fixups) {
  struct ws_appended *appended = &image->appended[image->appended_count];
  *appended = (struct ws_appended){.replaces = replaces, .name = name};
  appended->fixups = ws_arena_new(&image->arena, most_fixups, sizeof *appended->fixups);
  return appended->fixups ? appended : NULL;
}

static void add_address(const struct ws_image *image, struct ws_appended *appended, const struct ws_buffer *body) {
  appended->fixups[appended->fixup_count++] =
      (struct ws_fixup){.offset = (uint32_t)body->size,
                        .encoding = image->module->memory.is_64 ? WS_SLEB64 : WS_SLEB32,
                        .base = WS_BASE_MEMORY,
                        .minus = WS_BASE_COUNT,
                        .target = WS_NO_SYMBOL};
}

bool ws_image_keep_body(struct ws_image *image, struct ws_appended *appended, struct ws_buffer *body) {
  appended->body = ws_buffer_keep(body, &image->arena);
  image->appended_count++;
  return appended->body.data != NULL;
}

// One of the linker's functions, with every address of full width.
static bool rewrite_function(struct ws_image *image, const struct ws_linker_function *function) {
  const struct ws_module *module = image->module;
  struct ws_slice old = ws_function_body(module, function->function);
  struct ws_appended *appended =
      ws_image_append(image, function->function, module->functions[function->function].name, function->address_count);
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
    add_address(image, appended, &body);
    ws_operand_put(operand, encoding, address->value);
    ws_put_bytes(&body, operand, ws_encoding_width(encoding));
  }
  ws_put_bytes(&body, old.data + copied, old.size - copied);
  return ws_image_keep_body(image, appended, &body);
}

// No locals, and the function's own arguments on the stack.
static void put_arguments(struct ws_buffer *body, const struct ws_type *type) {
  struct ws_reader parameters = ws_reader(type ? type->parameters : (struct ws_slice){(const uint8_t *)"", 0});
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

// The function table: where it is, or will be, and whether its indices are 64-bit.
static uint32_t table_index(const struct ws_image *image) {
  return image->added_table ? image->module->table_count : image->module->indirect_table;
}
static bool table_is_64(const struct ws_image *image) {
  const struct ws_table *table = ws_indirect_table(image->module);
  return table && !image->added_table ? table->limits.is_64 : image->module->memory.is_64;
}

static uint32_t count_rewritten(const struct ws_module *module) {
  uint32_t count = 0;
  for (size_t i = 0; i < module->linker_function_count; i++)
    count += module->functions[module->linker_functions[i].function].unpadded;
  return count;
}

uint32_t ws_trampoline_index(const struct ws_image *image, uint32_t trampoline) {
  const struct ws_module *module = image->module;
  return module->imported_functions + module->function_count + count_rewritten(module) + trampoline;
}

// The index of a function's type; functions are numbered with imports first.
static uint32_t function_type(const struct ws_module *module, uint32_t function) {
  if (function >= module->imported_functions)
    return module->function_types[function - module->imported_functions];
  for (size_t i = 0;; i++)
    if (module->imports[i].kind == WS_FUNCTION && function-- == 0)
      return module->imports[i].type;
}

static void put_slot(const struct ws_image *image, struct ws_buffer *body, uint64_t slot) {
  bool is_64 = table_is_64(image);
  ws_put_u8(body, wasm_opcode_const(is_64));
  ws_put_sleb(body, is_64 ? (int64_t)slot : (int32_t)(uint32_t)slot);
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

// Calls another module's function, through the table, with the same arguments. If the module has tail calls, this is one,
// so that the stack does not grow where the program's does not.
static bool append_trampoline(struct ws_image *image, const struct ws_trampoline *trampoline, bool tail_calls) {
  const struct ws_module *module = image->module;
  const struct ws_module *callee = image->link->inputs[trampoline->to.module].module;
  struct ws_slice name = {(const uint8_t *)"", 0};
  if (trampoline->to.index >= callee->imported_functions)
    name = callee->functions[trampoline->to.index - callee->imported_functions].name;
  struct ws_appended *appended = ws_image_append(image, WS_NEW_FUNCTION, name, 0);
  if (!appended)
    return false;
  appended->type = function_type(module, trampoline->function);
  struct ws_buffer body = {0};
  put_arguments(&body, module->types ? &module->types[appended->type] : NULL);
  put_slot(image, &body, trampoline->slot);
  ws_put_u8(&body, tail_calls ? WASM_OPCODE_RETURN_CALL_INDIRECT : WASM_OPCODE_CALL_INDIRECT);
  ws_put_uleb(&body, appended->type);
  ws_put_uleb(&body, table_index(image));
  ws_put_u8(&body, WASM_OPCODE_END);
  return ws_image_keep_body(image, appended, &body);
}

static bool same_type(const struct ws_type *type, struct ws_slice encoded) {
  struct ws_reader reader = ws_reader(encoded);
  ws_read_u8(&reader); // that it is a function's
  ws_read_uleb32(&reader);
  struct ws_slice parameters = ws_read_bytes(&reader, type->parameters.size);
  ws_read_uleb32(&reader);
  return !reader.bad && ws_slice_equal(parameters, type->parameters) &&
         ws_slice_equal((struct ws_slice){reader.at, ws_read_left(&reader)}, type->results);
}

bool ws_image_type(struct ws_image *image, struct ws_slice type, uint32_t *index) {
  enum { MOST_TYPES = 16 };
  const struct ws_module *module = image->module;
  if (!module->types) { // not all are functions': it is the one that is known
    *index = (uint32_t)module->void_type;
    return true;
  }
  for (*index = 0; *index < module->type_count; ++*index)
    if (same_type(&module->types[*index], type))
      return true;
  if (!image->new_types)
    image->new_types = ws_arena_new(&image->arena, MOST_TYPES, sizeof *image->new_types);
  uint8_t *copy = ws_arena_new(&image->arena, type.size, 1);
  if (!image->new_types || !copy)
    return false;
  memcpy(copy, type.data, type.size);
  *index = module->type_count + (uint32_t)image->new_type_count;
  image->new_types[image->new_type_count++] = (struct ws_slice){copy, type.size};
  return true;
}

// Code that fills memory with zeros.
static void put_fill(const struct ws_image *image, struct ws_appended *appended, struct ws_buffer *body,
                     uint64_t address, size_t size) {
  uint8_t operand[10];
  bool is_64 = image->module->memory.is_64;
  enum ws_encoding encoding = is_64 ? WS_SLEB64 : WS_SLEB32;
  ws_put_u8(body, wasm_opcode_const(is_64));
  add_address(image, appended, body);
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

// How many bytes of each segment are written. What __wasm_init_memory clears has no need of its bytes either way, unless
// the module may be read again; of others, the zeros behind the last pointer can be left out.
static bool find_kept(struct ws_image *image) {
  const struct ws_module *module = image->module;
  const struct ws_section *data = ws_image_source(image, WS_SECTION_DATA);
  image->kept = ws_arena_new(&image->arena, module->segment_count, sizeof *image->kept);
  size_t fixup = 0;
  for (size_t i = 0; image->kept && i < module->segment_count; i++) {
    const struct ws_segment *segment = &module->segments[i];
    bool whole = image->link->options.keep_relocs || (!segment->passive && !ws_can_clear(module));
    image->kept[i] = segment->bytes.size - (whole ? 0 : segment->zeros);
    for (; fixup < data->fixup_count && data->fixups[fixup].offset < segment->bytes_offset + segment->bytes.size; fixup++) {
      size_t end = data->fixups[fixup].offset + ws_encoding_width(data->fixups[fixup].encoding) - segment->bytes_offset;
      if (end > image->kept[i])
        image->kept[i] = end;
    }
  }
  return image->kept != NULL;
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
  const struct ws_type *type = &callee->types[function_type(callee, function.index)];
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
    put_slot(image, body, slot);
    ws_put_u8(body, WASM_OPCODE_CALL_INDIRECT);
    ws_put_uleb(body, index);
    ws_put_uleb(body, table_index(image));
  }
  for (uint32_t i = 0; i < results; i++)
    ws_put_u8(body, WASM_OPCODE_DROP);
  return ok;
}

static bool append_runner(struct ws_image *image, const struct ws_runner *runner) {
  static const struct ws_slice type = {(const uint8_t *)"\x60\x00\x00", 3};
  struct ws_slice name = {(const uint8_t *)runner->name, strlen(runner->name)};
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

// What is exported as _start, with calls of the runner in place of those of the module's own constructors.
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

static bool append_start_copy(struct ws_image *image) {
  const struct ws_module *module = image->module;
  uint32_t start = image->input->changes.start;
  if (start == WS_NO_FUNCTION)
    return true;
  struct ws_appended *appended =
      ws_image_append(image, WS_NEW_FUNCTION, module->functions[start - module->imported_functions].name, 0);
  if (!appended)
    return false;
  appended->type = function_type(module, start);
  struct start_copy copy = {.image = image, .old = ws_function_body(module, start - module->imported_functions)};
  struct ws_operand_visitor visitor = {copy_start_operand, &copy};
  struct ws_reader reader = ws_reader(copy.old);
  ws_skip_locals(&reader);
  while (reader.at < reader.end && !reader.bad)
    ws_visit_instruction(&reader, &visitor);
  ws_put_bytes(&copy.body, copy.old.data + copy.copied, copy.old.size - copy.copied);
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
      put_fill(image, appended, &body, segment->address + image->kept[i], segment->bytes.size - image->kept[i]);
  }
  if (module->has_start) {
    ws_put_u8(&body, WASM_OPCODE_CALL);
    ws_put_uleb(&body, module->start);
  }
  ws_put_u8(&body, WASM_OPCODE_END);
  image->starts = true;
  return ws_image_keep_body(image, appended, &body);
}

static bool append_functions(struct ws_image *image) {
  const struct ws_module *module = image->module;
  enum { NEW_FUNCTIONS = 3 }; // those of memory_view.c, and the start function
  bool limited = image->placement->memory_view != WS_VIEW_WHOLE;
  const struct ws_changes *changes = &image->input->changes;
  size_t most = module->linker_function_count + changes->trampoline_count + WS_RUNNERS + 1 + (limited ? ws_count_memory_users(module) : 0) + NEW_FUNCTIONS;
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

// Calls the appended function in as many bytes as the old one had: no other code moves, and whoever calls it can go
// on doing so.
static struct ws_slice make_call(struct ws_image *image, const struct ws_appended *appended) {
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

// -------------------------------------------------------------------------------------------- sections, written anew

static bool write_types(struct ws_image *image) {
  if (!image->new_type_count)
    return true;
  struct ws_image_section *section = find_section(image, WS_SECTION_TYPE);
  struct ws_reader reader = ws_reader(source_content(section));
  struct ws_buffer built = {0};
  ws_put_uleb(&built, (uint64_t)ws_read_uleb32(&reader) + image->new_type_count);
  ws_put_bytes(&built, reader.at, ws_read_left(&reader));
  for (size_t i = 0; i < image->new_type_count; i++)
    ws_put_slice(&built, image->new_types[i]);
  return ws_image_set(image, section, &built, NULL, 0);
}

static struct ws_load_limits as_limits(const struct ws_image *image, struct ws_slice old) {
  const uint8_t *start = image->module->bytes.data;
  return (struct ws_load_limits){.at = old.data ? (size_t)(old.data - start) : 0, .size = old.size};
}

static struct ws_load_limits memory_limits(const struct ws_image *image) {
  const struct ws_placement *placement = image->placement;
  const struct ws_limits *old = &image->module->memory;
  struct ws_load_limits limits = as_limits(image, old->bytes);
  limits.shared = old->shared;
  limits.is_64 = old->is_64;
  limits.minimum = placement->pages;
  limits.has_maximum = placement->has_maximum;
  limits.maximum = placement->maximum_pages;
  return limits;
}

// A shared table has room for all modules, and can grow for more; a private one moves up with its elements.
// One that is imported may have been shared before: then it needs no more than those.
static struct ws_load_limits table_limits(const struct ws_image *image) {
  const struct ws_placement *placement = image->placement;
  const struct ws_module_info *info = &image->module->info;
  const struct ws_table *table = ws_indirect_table(image->module);
  if (!table)
    return (struct ws_load_limits){.at = 0};
  bool imported = image->module->indirect_table < image->module->imported_tables;
  uint64_t delta = placement->table_base - info->table_base;
  struct ws_load_limits limits = as_limits(image, table->limits.bytes);
  limits.shared = table->limits.shared;
  limits.is_64 = table->limits.is_64;
  limits.minimum =
      (imported && info->has_table ? info->table_base + info->table_size : table->limits.minimum) + delta;
  limits.has_maximum = table->limits.has_maximum && !placement->table_end;
  limits.maximum = table->limits.maximum + delta;
  if (placement->table_end)
    limits.minimum = placement->table_end;
  return limits;
}

static struct ws_load_range as_range(const struct ws_image *image, const struct ws_image_section *section) {
  if (!section || !section->source)
    return (struct ws_load_range){0};
  size_t content = (size_t)(section->source->content.data - image->module->bytes.data);
  return (struct ws_load_range){content - 2, content, content + section->source->content.size};
}

static struct ws_load_sections as_sections(struct ws_image *image) {
  const struct ws_module *module = image->module;
  return (struct ws_load_sections){
      .bytes = module->bytes.data,
      .imports = as_range(image, find_section(image, WS_SECTION_IMPORT)),
      .tables = as_range(image, find_section(image, WS_SECTION_TABLE)),
      .memory = memory_limits(image),
      .table = table_limits(image),
      .add_memory = module->memory_import == SIZE_MAX && module->has_memory,
      .move_table = image->moved_table,
      .stack_pointer =
          image->moved_stack_pointer ? module->globals[module->imported_globals].detail.data : NULL};
}

// The content of a section with the edits that were made to it.
static bool apply_edits(struct ws_image *image, struct ws_image_section *section, const struct ws_load_edits *edits,
                        const uint8_t *bytes, struct ws_load_range range) {
  struct ws_buffer built = {0};
  size_t at = range.content;
  for (size_t i = 0; i < edits->count; i++) {
    const struct ws_load_edit *edit = &edits->edits[i];
    if (edit->at < range.content) // of the section's size, which is not part of it
      continue;
    ws_put_bytes(&built, bytes + at, edit->at - at);
    ws_put_bytes(&built, edit->bytes, edit->size);
    at = edit->at + edit->remove;
  }
  ws_put_bytes(&built, bytes + at, range.end - at);
  return ws_image_set(image, section, &built, NULL, 0);
}

// Imports of a table, and of tags, that only a module of one program has.
static bool add_imports(struct ws_image *image, struct ws_image_section *section) {
  const struct ws_changes *changes = &image->input->changes;
  if (!image->added_table && changes->tag_count == 0)
    return true;
  struct ws_reader reader = ws_reader(section->pieces[0].bytes);
  struct ws_buffer built = {0};
  ws_put_uleb(&built, (uint64_t)ws_read_uleb32(&reader) + image->added_table + changes->tag_count);
  ws_put_bytes(&built, reader.at, ws_read_left(&reader));
  if (image->added_table) {
    ws_put_bytes(&built, "\3env\x19__indirect_function_table\1\x70", 32);
    ws_put_u8(&built, table_is_64(image) ? WASM_LIMITS_FLAG_IS_64 : 0);
    ws_put_uleb(&built, image->placement->table_end);
  }
  for (size_t i = 0; i < changes->tag_count; i++) {
    const char *from = image->link->inputs[changes->tags[i].from].name;
    ws_put_name(&built, (struct ws_slice){(const uint8_t *)from, strlen(from)});
    ws_put_name(&built, (struct ws_slice){(const uint8_t *)changes->tags[i].name, strlen(changes->tags[i].name)});
    ws_put_u8(&built, WS_TAG);
    ws_put_slice(&built, image->module->tags[i].detail);
  }
  return ws_image_set(image, section, &built, NULL, 0);
}

// The tags that the module still defines.
static bool write_tags(struct ws_image *image) {
  const struct ws_module *module = image->module;
  size_t first = image->input->changes.tag_count;
  struct ws_image_section *section = find_section(image, WS_SECTION_TAG);
  if (!section || first == 0)
    return true;
  section->dropped = first == module->tag_count;
  struct ws_buffer built = {0};
  ws_put_uleb(&built, module->tag_count - first);
  for (size_t i = first; i < module->tag_count; i++)
    ws_put_slice(&built, module->tags[i].detail);
  return ws_image_set(image, section, &built, NULL, 0);
}

static uint32_t count_runners(const struct ws_changes *changes) {
  uint32_t count = 0;
  for (unsigned i = 0; i < WS_RUNNERS; i++)
    count += changes->runners[i].name != NULL;
  return count;
}

static const struct ws_slice memory_name = {(const uint8_t *)"memory", sizeof "memory" - 1};

// The exports as they are, but that of what a runner takes the place of is the runner.
static void put_old_exports(const struct ws_image *image, struct ws_buffer *built) {
  const struct ws_module *module = image->module;
  const struct ws_changes *changes = &image->input->changes;
  bool runs = changes->runners[WS_RUN_CONSTRUCTORS].name != NULL;
  for (size_t i = 0; i < module->export_count; i++) {
    const struct ws_export *export = &module->exports[i];
    bool taken = runs && export->kind == WS_FUNCTION && export->index == changes->constructors;
    bool starts = runs && export->kind == WS_FUNCTION && export->index == changes->start;
    uint32_t runner = ws_trampoline_index(image, (uint32_t)changes->trampoline_count);
    ws_put_name(built, export->name);
    ws_put_u8(built, export->kind);
    ws_put_uleb(built, taken ? runner : starts ? runner + count_runners(changes) : export->index);
  }
}

static bool imports_wasi(const struct ws_module *module) {
  for (size_t i = 0; i < module->import_count; i++)
    if (ws_slice_starts(module->imports[i].module, "wasi_"))
      return true;
  return false;
}

// A host's WASI reads and writes the memory that the calling module exports as `memory` (WASI application ABI);
// --import-memory takes that export away. What is only shifted stays as it is.
static bool adds_memory_export(const struct ws_image *image) {
  const struct ws_module *module = image->module;
  return !image->link->shifted && module->has_memory && imports_wasi(module) &&
         !ws_find_export(module, memory_name);
}

static bool write_exports(struct ws_image *image) {
  const struct ws_changes *changes = &image->input->changes;
  bool adds_memory = adds_memory_export(image);
  if (changes->export_count == 0 && !changes->runners[WS_RUN_CONSTRUCTORS].name && !adds_memory)
    return true;
  struct ws_image_section *section = need_section(image, WS_SECTION_EXPORT);
  if (!section)
    return false;
  struct ws_buffer built = {0};
  ws_put_uleb(&built, image->module->export_count + changes->export_count + adds_memory);
  put_old_exports(image, &built);
  for (size_t i = 0; i < changes->export_count; i++) {
    const struct ws_new_export *export = &changes->exports[i];
    ws_put_name(&built, export->name);
    ws_put_u8(&built, export->kind);
    ws_put_uleb(&built, export->kind == WS_FUNCTION ? ws_trampoline_index(image, export->index - 1) : export->index);
  }
  if (adds_memory) {
    ws_put_name(&built, memory_name);
    ws_put_u8(&built, WS_MEMORY);
    ws_put_uleb(&built, 0); // there is one memory
  }
  return ws_image_set(image, section, &built, NULL, 0);
}

static bool write_imports(struct ws_image *image) {
  struct ws_load_sections sections = as_sections(image);
  struct ws_image_section *section = image->module->has_memory ? need_section(image, WS_SECTION_IMPORT)
                                                               : find_section(image, WS_SECTION_IMPORT);
  if (!section)
    return !image->module->has_memory;
  if (!section->source) { // none yet: an empty one
    sections.bytes = (const uint8_t *)"\0\0\0";
    sections.imports = (struct ws_load_range){0, 2, 3};
  }
  struct ws_load_edits edits = {.count = 0};
  ws_load_edit_imports(&sections, &edits);
  return apply_edits(image, section, &edits, sections.bytes, sections.imports) && add_imports(image, section);
}

// A table section is written again when it has the indirect function table, which leaves it, or grows by what
// is below the module.
static bool write_tables(struct ws_image *image) {
  const struct ws_module *module = image->module;
  struct ws_image_section *section = find_section(image, WS_SECTION_TABLE);
  if (!section || !module->info.has_table || module->indirect_table < module->imported_tables)
    return true;
  struct ws_load_sections sections = as_sections(image);
  struct ws_load_edits edits = {.count = 0};
  ws_load_edit_tables(&sections, &edits);
  return apply_edits(image, section, &edits, sections.bytes, sections.tables);
}

static bool write_functions(struct ws_image *image) {
  if (!image->appended_count)
    return true;
  struct ws_image_section *section = need_section(image, WS_SECTION_FUNCTION);
  if (!section)
    return false;
  struct ws_buffer built = {0};
  struct ws_reader reader = ws_reader(source_content(section));
  ws_read_uleb32(&reader);
  ws_put_uleb(&built, (uint64_t)image->module->function_count + image->appended_count);
  ws_put_bytes(&built, reader.at, reader.bad ? 0 : ws_read_left(&reader));
  for (size_t i = 0; i < image->appended_count; i++)
    ws_put_uleb(&built, image->appended[i].type);
  return ws_image_set(image, section, &built, NULL, 0);
}

static bool write_globals(struct ws_image *image) {
  const struct ws_module *module = image->module;
  struct ws_image_section *section =
      image->adds_global ? need_section(image, WS_SECTION_GLOBAL) : find_section(image, WS_SECTION_GLOBAL);
  if (!section)
    return !image->adds_global;
  struct ws_fixup *fixups = ws_arena_new(&image->arena, module->global_count, sizeof *fixups);
  if (!fixups)
    return false;
  size_t fixup_count = 0;
  struct ws_buffer built = {0};
  struct ws_reader reader = ws_reader(source_content(section));
  uint32_t first = module->imported_globals;
  ws_put_uleb(&built, ws_read_uleb32(&reader) - image->moved_stack_pointer + image->adds_global);
  if (image->moved_stack_pointer) {
    // As the last imported global it has the index that it had as the first defined one.
    struct ws_slice init = module->globals[first++].init.bytes;
    reader.at = init.data + init.size;
  }
  for (uint32_t i = first; i < module->global_count; i++) {
    const struct ws_global *global = &module->globals[i];
    ws_put_bytes(&built, reader.at, (size_t)(global->init.bytes.data - reader.at)); // the global's type
    reader.at = global->init.bytes.data + global->init.bytes.size;
    if ((!global->moves && !ws_is_rebound(image, global->target)) || global->init.kind == WS_CONSTANT_OTHER)
      ws_put_slice(&built, global->init.bytes);
    else
      fixups[fixup_count++] = ws_rebind_global(
          image, put_constant(&built, global->init.kind == WS_CONSTANT_I64, global->init.value,
                              (enum ws_base)global->base, global->target));
  }
  if (image->adds_global)
    ws_put_bytes(&built, (const uint8_t[]){WASM_TYPE_I32, 1, WASM_OPCODE_I32_CONST, 0, WASM_OPCODE_END}, 5);
  return ws_image_set(image, section, &built, fixups, fixup_count);
}

static bool write_start(struct ws_image *image) {
  if (!image->starts)
    return true;
  struct ws_image_section *section = need_section(image, WS_SECTION_START);
  struct ws_buffer built = {0};
  ws_put_uleb(&built, (uint64_t)image->module->imported_functions + image->module->function_count +
                          image->appended_count - 1);
  return section && ws_image_set(image, section, &built, NULL, 0);
}

// Functions that get slots behind the module's own.
static struct ws_fixup put_slots(const struct ws_image *image, struct ws_buffer *built) {
  const struct ws_changes *changes = &image->input->changes;
  const struct ws_module_info *info = &image->module->info;
  enum { EXPLICIT_TABLE = 2, FUNCTIONS = 0 };
  uint32_t table = table_index(image);
  ws_put_u8(built, table ? EXPLICIT_TABLE : 0);
  if (table)
    ws_put_uleb(built, table);
  struct ws_fixup fixup =
      put_constant(built, table_is_64(image), info->table_base + info->table_size, WS_BASE_TABLE, WS_NO_SYMBOL);
  if (table)
    ws_put_u8(built, FUNCTIONS);
  ws_put_uleb(built, changes->slot_count);
  for (size_t i = 0; i < changes->slot_count; i++)
    ws_put_uleb(built, changes->slots[i]);
  return fixup;
}

static bool write_elements(struct ws_image *image) {
  const struct ws_module *module = image->module;
  bool adds = image->input->changes.slot_count > 0;
  struct ws_image_section *section =
      adds ? need_section(image, WS_SECTION_ELEMENT) : find_section(image, WS_SECTION_ELEMENT);
  if (!section)
    return !adds;
  struct ws_fixup *fixups = ws_arena_new(&image->arena, module->element_count + 1, sizeof *fixups);
  if (!fixups)
    return false;
  size_t fixup_count = 0;
  struct ws_buffer built = {0};
  ws_put_uleb(&built, module->element_count + adds);
  for (size_t i = 0; i < module->element_count; i++) {
    const struct ws_element *element = &module->elements[i];
    ws_put_slice(&built, element->before);
    const uint8_t *expression = element->before.data + element->before.size;
    if (!element->indirect_table || !element->constant)
      ws_put_bytes(&built, expression, (size_t)(element->rest.data - expression));
    else
      fixups[fixup_count++] = put_constant(&built, *expression == WASM_OPCODE_I64_CONST, element->offset,
                                           WS_BASE_TABLE, WS_NO_SYMBOL);
    ws_put_slice(&built, element->rest);
  }
  if (adds)
    fixups[fixup_count++] = put_slots(image, &built);
  return ws_image_set(image, section, &built, fixups, fixup_count);
}

// ---------------------------------------------------------------------------------------------------- code and data

// Cuts a stretch of the content out, with its fixups. `*next` is the first fixup that lies in it or behind.
static struct ws_piece cut(const struct ws_section *section, size_t from, size_t to, size_t *next) {
  while (*next < section->fixup_count && section->fixups[*next].offset < from)
    ++*next;
  struct ws_piece piece = {{section->content.data + from, to - from}, section->fixups + *next, 0, (uint32_t)from};
  while (*next < section->fixup_count && section->fixups[*next].offset < to) {
    ++*next;
    piece.fixup_count++;
  }
  return piece;
}

// A body that does nothing, in as many bytes as the old one.
static struct ws_slice make_empty(struct ws_image *image, size_t size) {
  struct ws_buffer body = {0};
  ws_put_u8(&body, 0); // no locals
  while (body.size + 1 < size && !body.failed)
    ws_put_u8(&body, WASM_OPCODE_NOP);
  ws_put_u8(&body, WASM_OPCODE_END);
  return ws_buffer_keep(&body, &image->arena);
}

// The defined function whose place a runner takes, or WS_NO_FUNCTION.
static uint32_t emptied_function(const struct ws_image *image) {
  uint32_t constructors = image->input->changes.constructors;
  return constructors == WS_NO_FUNCTION ? WS_NO_FUNCTION : constructors - image->module->imported_functions;
}

static const struct ws_appended *replacement(const struct ws_image *image, uint32_t function) {
  for (size_t i = 0; i < image->appended_count; i++)
    if (image->appended[i].replaces == function)
      return &image->appended[i];
  return NULL;
}

static int compare_indices(const void *left, const void *right) {
  uint32_t a = *(const uint32_t *)left, b = *(const uint32_t *)right;
  return a < b ? -1 : a > b;
}

// The functions as they are, but calls in place of those that others were appended for. Returns false if memory
// runs out.
static bool put_functions(struct ws_image *image, struct ws_image_section *section) {
  const struct ws_module *module = image->module;
  uint32_t *replaced = ws_arena_new(&image->arena, image->appended_count + 1, sizeof *replaced);
  uint32_t emptied = emptied_function(image);
  size_t count = 0, next = 0, at = module->code_count_size;
  if (!replaced)
    return false;
  for (size_t i = 0; i < image->appended_count; i++)
    if (image->appended[i].replaces != WS_NEW_FUNCTION)
      replaced[count++] = image->appended[i].replaces;
  if (emptied != WS_NO_FUNCTION)
    replaced[count++] = emptied;
  qsort(replaced, count, sizeof *replaced, compare_indices);
  for (size_t i = 0; i < count; i++) {
    const struct ws_function *function = &module->functions[replaced[i]];
    struct ws_slice call = replaced[i] == emptied ? make_empty(image, function->size)
                                                  : make_call(image, replacement(image, replaced[i]));
    if (!call.data)
      return false;
    section->pieces[section->piece_count++] = cut(section->source, at, function->offset, &next);
    section->pieces[section->piece_count++] = (struct ws_piece){.bytes = call};
    at = function->offset + function->size;
  }
  if (section->source)
    section->pieces[section->piece_count++] = cut(section->source, at, section->source->content.size, &next);
  return true;
}

static bool put_appended(struct ws_image *image, struct ws_image_section *section) {
  for (size_t i = 0; i < image->appended_count; i++) {
    const struct ws_appended *appended = &image->appended[i];
    struct ws_buffer size = {0};
    ws_put_uleb(&size, appended->body.size);
    struct ws_slice kept = ws_buffer_keep(&size, &image->arena);
    if (!kept.data)
      return false;
    section->pieces[section->piece_count++] = (struct ws_piece){.bytes = kept};
    section->pieces[section->piece_count++] =
        (struct ws_piece){appended->body, appended->fixups, appended->fixup_count, 0};
  }
  return true;
}

static bool write_code(struct ws_image *image) {
  const struct ws_module *module = image->module;
  if (!image->appended_count && emptied_function(image) == WS_NO_FUNCTION)
    return true;
  struct ws_image_section *section = need_section(image, WS_SECTION_CODE);
  if (!section)
    return false;
  uint64_t total = (uint64_t)module->function_count + image->appended_count;
  size_t count_size = ws_uleb_size(total);
  if (count_size < module->code_count_size)
    count_size = module->code_count_size;
  image->code_shift = (uint32_t)count_size - module->code_count_size;
  uint8_t *count = ws_arena_new(&image->arena, count_size, 1);
  section->pieces = ws_arena_new(&image->arena, 4 * image->appended_count + 4, sizeof *section->pieces);
  if (!count || !section->pieces)
    return false;
  for (size_t i = 0; i < count_size; i++)
    count[i] = (uint8_t)(((total >> (7 * i)) & 0x7f) | (i + 1 < count_size ? 0x80 : 0));
  section->pieces[0].bytes = (struct ws_slice){count, count_size};
  section->piece_count = 1;
  return put_functions(image, section) && put_appended(image, section);
}

static bool put_segment(struct ws_image *image, struct ws_image_section *section, size_t index, struct ws_fixup *fixup,
                        uint64_t *offset, size_t *next) {
  const struct ws_module *module = image->module;
  const struct ws_segment *segment = &module->segments[index];
  size_t kept = image->kept[index];
  struct ws_buffer header = {0};
  if (index == 0)
    ws_put_uleb(&header, module->segment_count);
  ws_put_u8(&header, segment->passive);
  if (!segment->passive)
    *fixup = put_constant(&header, module->memory.is_64, segment->address, WS_BASE_MEMORY, WS_NO_SYMBOL);
  ws_put_uleb(&header, kept);
  *offset += header.size;
  image->segment_offsets[index] = (uint32_t)*offset;
  struct ws_slice bytes = ws_buffer_keep(&header, &image->arena);
  section->pieces[section->piece_count++] = (struct ws_piece){bytes, fixup, !segment->passive, 0};
  section->pieces[section->piece_count++] =
      cut(section->source, segment->bytes_offset, segment->bytes_offset + kept, next);
  *offset += kept;
  return bytes.data != NULL;
}

static bool write_data(struct ws_image *image) {
  const struct ws_module *module = image->module;
  struct ws_image_section *section = find_section(image, WS_SECTION_DATA);
  image->segment_offsets = ws_arena_new(&image->arena, module->segment_count, sizeof *image->segment_offsets);
  if (!image->segment_offsets || !section || module->segment_count == 0)
    return image->segment_offsets != NULL;
  struct ws_fixup *fixups = ws_arena_new(&image->arena, module->segment_count, sizeof *fixups);
  section->pieces = ws_arena_new(&image->arena, 2 * module->segment_count, sizeof *section->pieces);
  if (!fixups || !section->pieces)
    return false;
  section->piece_count = 0;
  uint64_t offset = 0;
  size_t next = 0;
  for (size_t i = 0; i < module->segment_count; i++)
    if (!put_segment(image, section, i, &fixups[i], &offset, &next))
      return false;
  return true;
}

// ------------------------------------------------------------------------------------------------------------- names

// The function names, with those of the appended ones, which have the highest indices, behind them.
static void put_function_names(const struct ws_image *image, struct ws_slice part, struct ws_buffer *built) {
  const struct ws_module *module = image->module;
  struct ws_reader names = ws_reader(part);
  struct ws_buffer rewritten = {0};
  ws_put_uleb(&rewritten, (uint64_t)ws_read_uleb32(&names) + image->appended_count);
  ws_put_bytes(&rewritten, names.at, ws_read_left(&names));
  for (size_t i = 0; i < image->appended_count; i++) {
    ws_put_uleb(&rewritten, (uint64_t)module->imported_functions + module->function_count + i);
    ws_put_name(&rewritten, image->appended[i].name);
  }
  ws_put_name(built, (struct ws_slice){rewritten.data, rewritten.size});
  built->failed |= rewritten.failed;
  ws_buffer_free(&rewritten);
}

static bool write_names(struct ws_image *image) {
  struct ws_image_section *section = NULL;
  for (size_t i = 0; i < image->section_count && !section; i++)
    if (image->sections[i].id == WS_SECTION_CUSTOM && ws_slice_is(image->sections[i].name, "name"))
      section = &image->sections[i];
  if (!section || !image->appended_count)
    return true;
  struct ws_reader reader = ws_reader(source_content(section));
  struct ws_buffer built = {0};
  while (!reader.bad && reader.at < reader.end) {
    uint8_t kind = ws_read_u8(&reader);
    struct ws_slice part = ws_read_name(&reader);
    ws_put_u8(&built, kind);
    if (kind == WASM_NAMES_FUNCTION)
      put_function_names(image, part, &built);
    else
      ws_put_name(&built, part);
  }
  return ws_image_set(image, section, &built, NULL, 0);
}

// --------------------------------------------------------------------------------------------------------------- all

// A prepared module has its final form already, but for what becomes an import, and the limits.
static bool make(struct ws_image *image) {
  bool prepared = image->module->prepared;
  if (!take_sections(image) || !ws_rebind_image(image) || !find_kept(image) ||
      (!prepared && !append_functions(image)) || !write_globals(image))
    return false;
  if (!prepared && !(write_types(image) && write_functions(image) && write_start(image) && write_elements(image) &&
                     write_code(image) && write_data(image) && write_names(image)))
    return false;
  return write_imports(image) && write_tables(image) && write_tags(image) && write_exports(image) &&
         (!image->link->options.keep_relocs || !image->module->has_linking || ws_emit_relocs(image)) &&
         ws_write_custom(image);
}

bool ws_image_make(struct ws_image *image, const struct ws_link *link, size_t module, struct ws_error *error) {
  const struct ws_input *input = &link->inputs[module];
  const struct ws_module_info *info = &input->module->info;
  *image = (struct ws_image){
      .link = link,
      .input = input,
      .module = input->module,
      .placement = &input->placement,
      .moved_stack_pointer = link->options.share_stack && info->has_stack && !info->imports_stack,
      .moved_table = link->options.share_table && info->has_table && !info->imports_table,
      .added_table = ws_adds_table(input),
  };
  return make(image) || ws_fail_memory(error, input->module->file);
}

void ws_image_free(struct ws_image *image) {
  ws_arena_free(&image->arena);
}
