#include "write/single.h"

#include <stdlib.h>
#include <string.h>

#include "link/exports.h"
#include "link/merged_heaps.h"
#include "read/checks.h"
#include "read/instructions.h"
#include "write/single_sections.h"

// ---------------------------------------------------------------------------------------------- the sections

static void put_types(const struct ws_merge *merge, struct ws_buffer *out) {
  ws_put_uleb(out, merge->types_used);
  for (size_t i = 0; i < merge->types_used; i++)
    ws_put_slice(out, merge->types[i]);
}

static void put_memory_limits(const struct ws_merge *merge, struct ws_buffer *out) {
  ws_put_limits(out, wasm_limits_flags(merge->has_maximum, merge->shared, merge->is_64), merge->pages,
                merge->maximum_pages);
}

static bool is_imported_function(const struct ws_merge *merge, uint32_t number) {
  const struct ws_merge_function *function = &merge->functions[number];
  return number < merge->first_synthetic &&
         function->index < merge->modules[function->module].module->imported_functions;
}

static bool is_imported_global(const struct ws_merge *merge, uint32_t number) {
  const struct ws_merge_global *global = &merge->globals[number];
  return number != merge->stack_pointer &&
         merge->modules[global->module].module->globals[global->index].imported;
}

static bool is_imported_table(const struct ws_merge *merge, uint32_t number) {
  const struct ws_merge_item *table = &merge->tables[number];
  return number != merge->indirect_table &&
         table->index < merge->modules[table->module].module->imported_tables;
}

static bool is_imported_tag(const struct ws_merge *merge, uint32_t number) {
  const struct ws_merge_item *tag = &merge->tags[number];
  return tag->index < merge->modules[tag->module].imported_tags;
}

// A type's number, if there was memory to give it one.
static void put_type(struct ws_buffer *out, uint32_t type) {
  out->failed |= type == WS_NOTHING;
  ws_put_uleb(out, type);
}

// An item of a module that the merged module imports.
struct imported {
  uint32_t module;
  enum ws_external_kind kind;
  uint32_t index;
};

static size_t count_imported(const struct ws_merge *merge) {
  return (size_t)merge->imported_functions + merge->imported_globals + merge->imported_tables +
         merge->imported_tags;
}

// All of them, in the order of their numbers; NULL if memory runs out.
static const struct imported *list_imported(struct ws_merge *merge) {
  struct imported *list = ws_arena_new(&merge->arena, count_imported(merge), sizeof *list), *end = list;
  if (!list)
    return NULL;
  for (uint32_t i = 0; i < merge->first_synthetic; i++)
    if (merge->functions[i].live && is_imported_function(merge, i))
      *end++ = (struct imported){merge->functions[i].module, WS_FUNCTION, merge->functions[i].index};
  for (uint32_t i = 0; i < merge->global_count; i++)
    if (merge->globals[i].live && is_imported_global(merge, i))
      *end++ = (struct imported){merge->globals[i].module, WS_GLOBAL, merge->globals[i].index};
  for (uint32_t i = 0; i < merge->table_count; i++)
    if (merge->tables[i].live && is_imported_table(merge, i))
      *end++ = (struct imported){merge->tables[i].module, WS_TABLE, merge->tables[i].index};
  for (uint32_t i = 0; i < merge->tag_count; i++)
    if (merge->tags[i].live && is_imported_tag(merge, i))
      *end++ = (struct imported){merge->tags[i].module, WS_TAG, merge->tags[i].index};
  return list;
}

static const struct ws_import *import_of(const struct ws_merge *merge, const struct imported *item) {
  const struct ws_merge_module *from = &merge->modules[item->module];
  return &from->module->imports[from->imports[item->kind][item->index]];
}

static void put_imported(struct ws_merge *merge, const struct imported *item, struct ws_buffer *out) {
  const struct ws_import *import = import_of(merge, item);
  ws_put_name(out, import->module);
  ws_put_name(out, import->name);
  ws_put_u8(out, (uint8_t)item->kind);
  if (item->kind == WS_FUNCTION) {
    put_type(out, ws_merge_type(merge, item->module, import->type));
  } else if (item->kind == WS_TAG) {
    ws_put_u8(out, 0); // an exception
    put_type(out, ws_merge_type(merge, item->module, merge->modules[item->module].tag_types[item->index]));
  } else {
    ws_put_slice(out, import->detail);
  }
}

static const char memory_module[] = "env", memory_name[] = "memory";

static void put_imports(struct ws_merge *merge, const struct imported *list, struct ws_buffer *out) {
  bool memory = merge->options->import_memory;
  ws_put_uleb(out, count_imported(merge) + memory);
  if (memory) {
    ws_put_name(out, ws_slice_of(memory_module));
    ws_put_name(out, ws_slice_of(memory_name));
    ws_put_u8(out, WS_MEMORY);
    put_memory_limits(merge, out);
  }
  for (size_t i = 0; i < count_imported(merge); i++)
    put_imported(merge, &list[i], out);
}

static void put_functions(struct ws_merge *merge, struct ws_buffer *out) {
  ws_put_uleb(out, merge->functions_used - merge->imported_functions);
  for (uint32_t i = merge->first_synthetic; i < merge->function_count; i++)
    if (merge->functions[i].live)
      put_type(out, ws_merge_synthetic_type(merge, i));
  for (uint32_t i = 0; i < merge->first_synthetic; i++) {
    const struct ws_merge_function *function = &merge->functions[i];
    const struct ws_module *module = merge->modules[function->module].module;
    if (function->live && !is_imported_function(merge, i))
      put_type(out, ws_merge_type(merge, function->module,
                                  module->function_types[function->index - module->imported_functions]));
  }
}

// Whether a host may add entries to the function table: a module says so by giving it no maximum.
static bool may_table_grow(const struct ws_merge *merge) {
  for (size_t m = 0; m < merge->module_count; m++) {
    const struct ws_table *table = ws_indirect_table(merge->modules[m].module);
    if (table && !table->limits.has_maximum)
      return true;
  }
  return false;
}

static bool put_tables(const struct ws_merge *merge, struct ws_buffer *out) {
  ws_put_uleb(out, merge->tables_used - merge->imported_tables);
  if (merge->indirect_table != WS_NOTHING) {
    const struct ws_merge_item *first = &merge->tables[merge->indirect_table];
    const struct ws_table *table = &merge->modules[first->module].module->tables[first->index];
    uint64_t size = merge->slot_count + 1; // the first is null
    ws_put_u8(out, WASM_TYPE_FUNCREF);
    ws_put_limits(out, wasm_limits_flags(!may_table_grow(merge), false, table->limits.is_64), size, size);
  }
  for (uint32_t i = 0; i < merge->table_count; i++) {
    const struct ws_merge_item *item = &merge->tables[i];
    if (!item->live || i == merge->indirect_table || is_imported_table(merge, i))
      continue;
    const struct ws_table *table = &merge->modules[item->module].module->tables[item->index];
    if (table->initialised || table->element_type == WASM_TYPE_NULLABLE ||
        table->element_type == WASM_TYPE_NONNULLABLE)
      return ws_merge_fail(merge, item->module, "TABLE",
                           "has a table with an initialiser, or of a type of its own, which cannot be merged "
                           "yet");
    ws_put_u8(out, table->element_type);
    ws_put_slice(out, table->limits.bytes);
  }
  return true;
}

static void put_tags(struct ws_merge *merge, struct ws_buffer *out) {
  ws_put_uleb(out, merge->tags_used - merge->imported_tags);
  for (uint32_t i = 0; i < merge->tag_count; i++) {
    const struct ws_merge_item *tag = &merge->tags[i];
    if (!tag->live || is_imported_tag(merge, i))
      continue;
    ws_put_u8(out, 0); // an exception
    put_type(out, ws_merge_type(merge, tag->module, merge->modules[tag->module].tag_types[tag->index]));
  }
}

static void put_constant(struct ws_buffer *out, bool is_64, uint64_t value) {
  ws_put_const(out, is_64, value);
  ws_put_u8(out, WASM_OPCODE_END);
}

static void note_index(void *context, const struct ws_operand *operand) {
  bool *names_one = context;
  *names_one |= operand->space != WS_SPACE_CONSTANT;
}

// Whether an initial value means the same in the merged module: it names nothing by an index.
static bool is_independent(struct ws_slice expression) {
  bool names_one = false;
  struct ws_operand_visitor visitor = {note_index, &names_one};
  struct ws_reader reader = ws_reader(expression);
  while (!reader.bad && reader.at < reader.end)
    ws_visit_instruction(&reader, &visitor);
  return !reader.bad && !names_one;
}

static bool put_globals(const struct ws_merge *merge, struct ws_buffer *out) {
  ws_put_uleb(out, merge->globals_used - merge->imported_globals);
  for (uint32_t i = 0; i < merge->global_count; i++) {
    const struct ws_merge_global *global = &merge->globals[i];
    if (!global->live || global->again || is_imported_global(merge, i))
      continue;
    const struct ws_global *is = &merge->modules[global->module].module->globals[global->index];
    if (i == merge->stack_pointer) {
      ws_put_u8(out, merge->is_64 ? WASM_TYPE_I64 : WASM_TYPE_I32);
      ws_put_u8(out, 1); // mutable
      put_constant(out, merge->is_64, merge->stack_high);
      continue;
    }
    ws_put_slice(out, is->detail);
    if (global->constant) {
      put_constant(out, is->init.kind == WS_CONSTANT_I64,
                   ws_merge_value(merge, global->module, &global->init, 0));
    } else if (!is_independent(is->init.bytes)) {
      return ws_merge_fail(merge, global->module, "GLOBAL",
                           "has a global that is initialised by another, which cannot be merged yet");
    } else {
      ws_put_slice(out, is->init.bytes);
    }
  }
  for (size_t m = 0; m < merge->module_count; m++) {
    if (!merge->modules[m].notes_growth)
      continue;
    ws_put_bytes(out, (const uint8_t[]){WASM_TYPE_I32, 1}, 2); // mutable
    put_constant(out, false, 0);
  }
  return true;
}

static uint32_t number_of(const struct ws_merge *merge, const struct ws_merge_export *export) {
  switch (export->kind) {
  case WS_FUNCTION:
    return merge->functions[export->target].number;
  case WS_GLOBAL:
    return merge->globals[export->target].number;
  case WS_TABLE:
    return merge->tables[export->target].number;
  case WS_MEMORY:
    return 0;
  default:
    return merge->tags[export->target].number;
  }
}

// WASI's functions look for the memory among the exports of who calls them.
static bool imports_wasi(const struct ws_merge *merge) {
  for (uint32_t i = 0; i < merge->first_synthetic; i++) {
    const struct ws_merge_function *function = &merge->functions[i];
    const struct ws_merge_module *from = &merge->modules[function->module];
    if (function->live && is_imported_function(merge, i) &&
        ws_slice_starts(from->module->imports[from->imports[WS_FUNCTION][function->index]].module, "wasi_"))
      return true;
  }
  return false;
}

static bool exports_memory(const struct ws_merge *merge) {
  return !merge->options->import_memory || imports_wasi(merge);
}

static void put_exports(const struct ws_merge *merge, const struct ws_merge_exports *exports,
                        struct ws_buffer *out) {
  bool memory = exports_memory(merge);
  ws_put_uleb(out, exports->count + memory);
  if (memory) {
    ws_put_name(out, ws_slice_of(memory_name));
    ws_put_u8(out, WS_MEMORY);
    ws_put_uleb(out, 0);
  }
  for (size_t i = 0; i < exports->count; i++) {
    ws_put_name(out, exports->items[i].name);
    ws_put_u8(out, exports->items[i].kind);
    ws_put_uleb(out, number_of(merge, &exports->items[i]));
  }
}

static uint32_t count_declared(const struct ws_merge *merge) {
  uint32_t count = 0;
  for (uint32_t i = 0; i < merge->function_count; i++)
    count += merge->functions[i].declared && !merge->functions[i].slot;
  return count;
}

// The function table, which starts at its slot 1.
static void put_table_elements(const struct ws_merge *merge, struct ws_buffer *out) {
  const struct ws_merge_item *first = &merge->tables[merge->indirect_table];
  uint32_t table = first->number;
  ws_put_uleb(out, table ? 2 : 0); // active, of the table 0 or of one that is named
  if (table)
    ws_put_uleb(out, table);
  put_constant(out, merge->modules[first->module].module->tables[first->index].limits.is_64, 1);
  if (table)
    ws_put_u8(out, 0); // function indices
  ws_put_uleb(out, merge->slot_count);
  for (size_t i = 0; i < merge->slot_count; i++)
    ws_put_uleb(out, merge->functions[merge->slots[i]].number);
}

static void put_elements(const struct ws_merge *merge, struct ws_buffer *out) {
  uint32_t declared = count_declared(merge);
  ws_put_uleb(out, (merge->slot_count > 0) + (uint64_t)(declared > 0));
  if (merge->slot_count)
    put_table_elements(merge, out);
  if (!declared)
    return;
  ws_put_uleb(out, 3); // declarative
  ws_put_u8(out, 0);   // function indices
  ws_put_uleb(out, declared);
  for (uint32_t i = 0; i < merge->function_count; i++)
    if (merge->functions[i].declared && !merge->functions[i].slot)
      ws_put_uleb(out, merge->functions[i].number);
}

// ------------------------------------------------------------------------------------------------ the module

static void give(struct ws_single_writer *writer, const void *bytes, size_t size) {
  if (writer->ok && size && !writer->sink.write(writer->sink.context, bytes, size))
    writer->ok = ws_fail_sink(writer->merge->error, writer->merge->modules[0].module->file);
}

void ws_give_bytes(struct ws_single_writer *writer, struct ws_buffer *bytes) {
  if (bytes->failed)
    writer->ok = writer->ok && ws_merge_fail_memory(writer->merge);
  give(writer, bytes->data, bytes->size);
  bytes->size = 0;
}

// A section's header, which is made in `header`, and its content.
static void give_parts(struct ws_single_writer *writer, struct ws_buffer *header, struct ws_buffer *content) {
  ws_give_bytes(writer, header);
  ws_give_bytes(writer, content);
  ws_buffer_free(header);
  ws_buffer_free(content);
}

void ws_give_section(struct ws_single_writer *writer, enum ws_section_id id, struct ws_buffer *content) {
  struct ws_buffer header = {0};
  ws_put_u8(&header, (uint8_t)id);
  ws_put_uleb(&header, content->size);
  give_parts(writer, &header, content);
}

void ws_give_custom(struct ws_single_writer *writer, struct ws_slice name, struct ws_buffer *content) {
  struct ws_buffer header = {0};
  ws_put_u8(&header, WS_SECTION_CUSTOM);
  ws_put_uleb(&header, ws_uleb_size(name.size) + name.size + content->size);
  ws_put_name(&header, name);
  give_parts(writer, &header, content);
}

static void give_counts(struct ws_single_writer *writer, const struct ws_merge_exports *exports) {
  struct ws_merge *merge = writer->merge;
  struct ws_buffer out = {0};
  if (merge->tags_used > merge->imported_tags) {
    put_tags(merge, &out);
    ws_give_section(writer, WS_SECTION_TAG, &out);
  }
  if (merge->globals_used > merge->imported_globals && writer->ok) {
    writer->ok = put_globals(merge, &out);
    ws_give_section(writer, WS_SECTION_GLOBAL, &out);
  }
  if (exports->count || exports_memory(merge)) {
    put_exports(merge, exports, &out);
    ws_give_section(writer, WS_SECTION_EXPORT, &out);
  }
  if (merge->functions[merge->first_synthetic + WS_INIT_MEMORY].live) {
    ws_put_uleb(&out, merge->functions[merge->first_synthetic + WS_INIT_MEMORY].number);
    ws_give_section(writer, WS_SECTION_START, &out);
  }
  if (merge->slot_count || count_declared(merge)) {
    put_elements(merge, &out);
    ws_give_section(writer, WS_SECTION_ELEMENT, &out);
  }
}

static void give_contents(struct ws_single_writer *writer) {
  struct ws_merge *merge = writer->merge;
  struct ws_buffer out = {0};
  if (merge->shared && ws_single_data_count(merge)) { // the code names segments
    ws_put_uleb(&out, ws_single_data_count(merge));
    ws_give_section(writer, WS_SECTION_DATA_COUNT, &out);
  }
  if (merge->functions_used > merge->imported_functions && writer->ok)
    ws_single_code(writer);
  if (ws_single_data_count(merge) && writer->ok) {
    writer->ok = ws_single_data(merge, &out);
    ws_give_section(writer, WS_SECTION_DATA, &out);
  }
  if (writer->ok)
    ws_single_custom(writer);
}

static bool write_module(struct ws_merge *merge, const struct ws_merge_exports *exports,
                         const struct imported *imported, struct ws_sink sink) {
  struct ws_single_writer writer = {merge, sink, true};
  struct ws_buffer imports = {0}, functions = {0}, out = {0};
  // These name types, so they are made before the types are written.
  put_imports(merge, imported, &imports);
  put_functions(merge, &functions);
  give(&writer, "\0asm\1\0\0\0", 8);
  put_types(merge, &out);
  ws_give_section(&writer, WS_SECTION_TYPE, &out);
  if (imports.size > 1 || imports.failed) // more than a count of 0
    ws_give_section(&writer, WS_SECTION_IMPORT, &imports);
  if (functions.size > 1 || functions.failed)
    ws_give_section(&writer, WS_SECTION_FUNCTION, &functions);
  ws_buffer_free(&imports);
  ws_buffer_free(&functions);
  if (merge->tables_used > merge->imported_tables && writer.ok) {
    writer.ok = put_tables(merge, &out);
    ws_give_section(&writer, WS_SECTION_TABLE, &out);
  }
  if (!merge->options->import_memory) {
    ws_put_uleb(&out, 1);
    put_memory_limits(merge, &out);
    ws_give_section(&writer, WS_SECTION_MEMORY, &out);
  }
  give_counts(&writer, exports);
  give_contents(&writer);
  return writer.ok;
}

// --------------------------------------------------------------------------------------------------- merging

static bool has_bulk_memory(const struct ws_merge *merge) {
  for (size_t m = 0; m < merge->module_count; m++)
    if (merge->modules[m].module->has_bulk_memory)
      return true;
  return false;
}

// What is written anew and is needed: a memory of the host's may not be clear, and threads share one.
static void mark_synthetic(struct ws_merge *merge) {
  bool any = false, zeros = false, tls = false;
  for (uint32_t i = 0; i < merge->datum_count; i++) {
    const struct ws_merge_segment *segment = &merge->segments[merge->data[i].output];
    any |= merge->data[i].live;
    zeros |= merge->data[i].live && segment->zero;
    tls |= merge->data[i].live && segment->tls;
  }
  if (merge->options->import_memory && !merge->shared && !has_bulk_memory(merge)) {
    for (uint32_t i = 0; i < merge->segment_count; i++)
      merge->segments[i].zero = false;
    zeros = false;
  }
  if (merge->shared ? any : merge->options->import_memory && zeros)
    merge->functions[merge->first_synthetic + WS_INIT_MEMORY].live = true;
  if (merge->shared && tls && merge->tls_base != WS_NOTHING)
    merge->globals[merge->tls_base].live = true;
}

static bool merge_all(struct ws_merge *merge, const struct ws_merge_input *inputs, size_t count,
                      struct ws_merge_exports *exports) {
  ws_merge_want_heaps(inputs, count);
  if (!ws_merge_read(merge, inputs, count) || !ws_merge_choose_exports(merge, exports) ||
      !ws_merge_mark(merge, exports->items, exports->count) || !ws_merge_choose_heaps(merge))
    return false;
  mark_synthetic(merge);
  return ws_merge_number(merge) && ws_merge_place(merge);
}

static struct ws_plan plan_of(const struct ws_merge *merge) {
  bool has_table = merge->indirect_table != WS_NOTHING && merge->tables[merge->indirect_table].live;
  return (struct ws_plan){.memory64 = merge->is_64,
                          .shared = merge->shared,
                          .shared_stack = true,
                          .shared_table = has_table,
                          .one_program = true,
                          .stack_low = merge->stack_low,
                          .stack_pointer = merge->stack_high,
                          .table_size = has_table ? merge->slot_count + 1 : 0,
                          .heap_base = merge->heap_base,
                          .heap_end = merge->pages * WS_PAGE_SIZE,
                          .pages = merge->pages,
                          .maximum_pages = merge->maximum_pages,
                          .has_maximum = merge->has_maximum};
}

// The export that runs all constructors, or NULL.
static const char *constructors_of(const struct ws_merge_exports *exports) {
  static const char *const names[] = {"_initialize", "__wasm_call_ctors"};
  for (size_t k = 0; k < sizeof names / sizeof *names; k++)
    for (size_t i = 0; i < exports->count; i++)
      if (exports->items[i].kind == WS_FUNCTION && ws_slice_is(exports->items[i].name, names[k]))
        return names[k];
  return NULL;
}

// Tells who asks what will be written; `arena` keeps it.
static bool describe(const struct ws_merge *merge, const struct ws_merge_exports *exports,
                     const struct imported *imported, const struct ws_single_options *single,
                     struct ws_arena *arena) {
  if (!single->described)
    return true;
  size_t import_count = count_imported(merge);
  struct ws_single_info *info = ws_arena_new(arena, 1, sizeof *info);
  struct ws_import_info *imports = ws_arena_new(arena, import_count, sizeof *imports);
  struct ws_single_export *names = ws_arena_new(arena, exports->owner_count, sizeof *names);
  bool ok = info && imports && names;
  for (size_t i = 0; ok && i < import_count; i++) {
    const struct ws_import *import = import_of(merge, &imported[i]);
    imports[i] =
        (struct ws_import_info){import->module_text, import->name_text, imported[i].kind, .from = WS_HOST};
  }
  for (size_t i = 0; ok && i < exports->owner_count; i++) {
    const struct ws_merge_owner *owner = &exports->owners[i];
    names[i] =
        (struct ws_single_export){owner->module, ws_arena_text(arena, exports->items[owner->item].name)};
    ok = names[i].name;
  }
  if (!ok)
    return ws_merge_fail_memory(merge);
  bool memory = merge->options->import_memory;
  *info = (struct ws_single_info){.plan = plan_of(merge),
                                  .memory_module = memory ? memory_module : NULL,
                                  .memory_name = memory ? memory_name : NULL,
                                  .constructors = constructors_of(exports),
                                  .imports = imports,
                                  .import_count = import_count,
                                  .exports = names,
                                  .export_count = exports->owner_count};
  return single->described(single->context, info) ||
         ws_fail_sink(merge->error, merge->modules[0].module->file);
}

// What was merged is told and written.
static bool give_all(struct ws_merge *merge, const struct ws_merge_exports *exports,
                     const struct ws_single_options *single, struct ws_arena *arena, struct ws_sink sink) {
  const struct imported *imported = list_imported(merge);
  return imported ? describe(merge, exports, imported, single, arena) &&
                        write_module(merge, exports, imported, sink)
                  : ws_merge_fail_memory(merge);
}

bool ws_write_single(const struct ws_merge_input *inputs, size_t count,
                     const struct ws_merge_options *options, const struct ws_single_options *single,
                     struct ws_arena *arena, struct ws_sink sink, struct ws_error *error) {
  struct ws_merge merge = {.error = error, .options = options};
  struct ws_merge_exports exports = {0};
  bool ok = merge_all(&merge, inputs, count, &exports) && give_all(&merge, &exports, single, arena, sink);
  for (size_t i = 0; i < count && ok; i++)
    ok = ws_checks_passed(inputs[i].module, error);
  ok = ok && ws_single_check_code(&merge);
  ws_merge_exports_free(&exports);
  ws_merge_free(&merge);
  return ok;
}

// The modules of a link, and what their names mean.
static bool fill_inputs(const struct ws_link *link, struct ws_arena *arena, struct ws_merge_input *inputs) {
  for (size_t i = 0; i < link->count; i++) {
    const struct ws_input *input = &link->inputs[i];
    size_t *from = ws_arena_new(arena, input->module->import_count, sizeof *from);
    if (!from)
      return false;
    for (size_t k = 0; k < input->module->import_count; k++)
      from[k] = input->imports[k].from;
    inputs[i] = (struct ws_merge_input){.module = input->module,
                                        .name = input->name,
                                        .from = from,
                                        .one_of = link->one.of[i],
                                        .heap = link->one.heap[i],
                                        .heap_is_divided = link->one.heap_is_divided[i]};
  }
  return true;
}

bool ws_link_write_single(struct ws_link *link, const struct ws_plan_options *given,
                          const struct ws_single_options *given_single, struct ws_sink sink,
                          struct ws_error *error) {
  struct ws_single_options single;
  ws_take_options(&single, sizeof single, given_single, given_single ? given_single->size : 0);
  if (!link->resolved || !ws_is_single(link))
    return ws_fail(error, "", NULL, WS_NO_OFFSET, "the modules were not resolved to be one");
  struct ws_arena arena = {0};
  struct ws_merge_input *inputs = ws_arena_new(&arena, link->count, sizeof *inputs);
  size_t *prefer = ws_arena_new(&arena, link->options.prefer_count, sizeof *prefer);
  struct ws_merge_options options = {
      .import_memory = single.import_memory, .strip_debug = single.strip_debug, .prefer = prefer};
  ws_take_options(&options.plan, sizeof options.plan, given, given ? given->size : 0);
  bool ok = (inputs && prefer && fill_inputs(link, &arena, inputs)) || ws_fail_memory(error, "");
  if (ok)
    options.prefer_count = ws_find_preferred(link, prefer);
  ok = ok && ws_write_single(inputs, link->count, &options, &single, &link->arena, sink, error);
  ws_arena_free(&arena);
  return ok;
}
