// Placing: adding a delta at every fixup, while the pieces of the normal form go to the sink.
#include <stdlib.h>
#include <string.h>

#include "read/module.h"
#include "read/llvm.h"

enum { CHUNK = 128 * 1024 };

struct writer {
  const struct ws_module *module;
  struct ws_sink sink;
  uint64_t deltas[WS_BASE_COUNT + 1]; // the last one is 0: nothing is taken off
  uint8_t *chunk;
  size_t used;
  bool stopped;
};

static void flush(struct writer *writer) {
  if (writer->used && !writer->stopped)
    writer->stopped = !writer->sink.write(writer->sink.context, writer->chunk, writer->used);
  writer->used = 0;
}

static void put(struct writer *writer, const void *bytes, size_t size) {
  if (size > CHUNK - writer->used)
    flush(writer);
  if (size > CHUNK) {
    if (!writer->stopped)
      writer->stopped = !writer->sink.write(writer->sink.context, bytes, size);
    return;
  }
  if (size)
    memcpy(writer->chunk + writer->used, bytes, size);
  writer->used += size;
}

static void put_uleb(struct writer *writer, uint64_t value) {
  uint8_t bytes[10];
  size_t size = ws_uleb_size(value);
  for (size_t i = 0; i < size; i++)
    bytes[i] = (uint8_t)(((value >> (7 * i)) & 0x7f) | (i + 1 < size ? 0x80 : 0));
  put(writer, bytes, size);
}

static void apply(const struct writer *writer, const struct ws_fixup *fixup, uint8_t *at) {
  uint64_t value, delta = writer->deltas[fixup->base] - writer->deltas[fixup->minus];
  if (fixup->base == WS_BASE_EXTERNAL) {
    const struct ws_external *external = &writer->module->externals[fixup->external];
    delta += external->address + external->addend;
  }
  ws_operand_get(at, fixup->encoding, &value);
  ws_operand_put(at, fixup->encoding, value + delta);
}

// Writes one piece, whose first byte is at `start` in its section, with the fixups from `*next` on that lie
// in it.
static void put_piece(struct writer *writer, const struct ws_section *section, struct ws_slice piece,
                      size_t start, size_t *next) {
  const struct ws_fixup *fixups = section->fixups;
  for (size_t at = 0; at < piece.size;) {
    bool has_fixup = *next < section->fixup_count && fixups[*next].offset - start < piece.size;
    size_t until = has_fixup ? fixups[*next].offset - start : piece.size;
    if (until - at > CHUNK || until == piece.size) {
      put(writer, piece.data + at, until - at);
      at = until;
      continue;
    }
    // As much as there is room for, but no part of a pointer; then the pointers, where they are now.
    size_t room = CHUNK - writer->used, size = piece.size - at < room ? piece.size - at : room;
    uint8_t *to = writer->chunk + writer->used;
    memcpy(to, piece.data + at, size);
    for (; *next < section->fixup_count && fixups[*next].offset - start - at < size; ++*next) {
      size_t offset = fixups[*next].offset - start - at;
      if (ws_encoding_width(fixups[*next].encoding) > size - offset) {
        size = offset;
        break;
      }
      apply(writer, &fixups[*next], to + offset);
    }
    writer->used += size;
    at += size;
    if (at < piece.size)
      flush(writer);
  }
}

static void put_section(struct writer *writer, const struct ws_section *section) {
  size_t size = 0;
  bool custom = section->id == WS_SECTION_CUSTOM;
  for (size_t i = 0; i < section->piece_count; i++)
    size += section->pieces[i].size;
  put(writer, &section->id, 1);
  put_uleb(writer, size + (custom ? ws_uleb_size(section->name.size) + section->name.size : 0));
  if (custom) {
    put_uleb(writer, section->name.size);
    put(writer, section->name.data, section->name.size);
  }
  size_t start = 0, next = 0;
  for (size_t i = 0; i < section->piece_count; i++) {
    put_piece(writer, section, section->pieces[i], start, &next);
    start += section->pieces[i].size;
  }
}

static void put_limits(struct ws_buffer *built, const struct ws_limits *limits) {
  ws_put_u8(built, (uint8_t)((limits->has_maximum ? WASM_LIMITS_FLAG_HAS_MAX : 0) |
                             (limits->shared ? WASM_LIMITS_FLAG_IS_SHARED : 0) |
                             (limits->is_64 ? WASM_LIMITS_FLAG_IS_64 : 0)));
  ws_put_uleb(built, limits->minimum);
  if (limits->has_maximum)
    ws_put_uleb(built, limits->maximum);
}

static struct ws_limits memory_limits(const struct ws_module *module, const struct ws_placement *placement) {
  return (struct ws_limits){.has_maximum = placement->has_maximum,
                            .shared = module->memory.shared,
                            .is_64 = module->memory.is_64,
                            .minimum = placement->pages,
                            .maximum = placement->maximum_pages};
}

// A shared table has room for all modules, and can grow for more; a private one moves up with its elements.
// One that is imported may have been shared before: then it needs no more than those.
static void table_limits(const struct writer *writer, const struct ws_placement *placement, bool imported,
                         struct ws_limits *limits) {
  if (!placement->table_end) {
    const struct ws_module_info *info = &writer->module->info;
    if (imported && info->has_table)
      limits->minimum = info->table_base + info->table_size;
    limits->minimum += writer->deltas[WS_BASE_TABLE];
    if (limits->has_maximum)
      limits->maximum += writer->deltas[WS_BASE_TABLE];
    return;
  }
  limits->minimum = placement->table_end;
  limits->has_maximum = false;
}

static void put_import(struct ws_buffer *built, const char *name, enum ws_external_kind kind) {
  ws_put_name(built, (struct ws_slice){(const uint8_t *)"env", 3});
  ws_put_name(built, (struct ws_slice){(const uint8_t *)name, strlen(name)});
  ws_put_u8(built, (uint8_t)kind);
}

static void put_imports(struct writer *writer, const struct ws_placement *placement,
                        struct ws_buffer *built) {
  const struct ws_module *module = writer->module;
  bool add = module->memory_import == SIZE_MAX;
  uint32_t table = 0;
  ws_put_uleb(built, module->import_count + add + module->moved_table + module->moved_stack_pointer);
  for (size_t i = 0; i < module->import_count; i++) {
    const struct ws_import *import = &module->imports[i];
    ws_put_name(built, import->module);
    ws_put_name(built, import->name);
    ws_put_u8(built, import->kind);
    if (import->kind == WS_MEMORY) {
      struct ws_limits limits = memory_limits(module, placement);
      put_limits(built, &limits);
    } else if (import->kind == WS_TABLE && table++ == module->indirect_table) {
      struct ws_limits limits = import->table.limits;
      ws_put_bytes(built, import->detail.data, import->detail.size - limits.bytes.size); // its elements' type
      table_limits(writer, placement, true, &limits);
      put_limits(built, &limits);
    } else {
      ws_put_slice(built, import->detail);
    }
  }
  if (add) {
    struct ws_limits limits = memory_limits(module, placement);
    put_import(built, "memory", WS_MEMORY);
    put_limits(built, &limits);
  }
  if (module->moved_table) {
    struct ws_limits limits = ws_indirect_table(module)->limits;
    table_limits(writer, placement, false, &limits);
    put_import(built, "__indirect_function_table", WS_TABLE);
    ws_put_u8(built, WASM_TYPE_FUNCREF);
    put_limits(built, &limits);
  }
  if (module->moved_stack_pointer) {
    const struct ws_global *global = &module->globals[module->imported_globals];
    put_import(built, "__stack_pointer", WS_GLOBAL);
    ws_put_u8(built, global->type);
    ws_put_u8(built, global->mutable);
  }
}

// A table section is written again when it has the indirect function table, which leaves it, or grows by what
// is below the module.
static void put_tables(struct writer *writer, const struct ws_placement *placement,
                       const struct ws_section *section, struct ws_buffer *built) {
  const struct ws_module *module = writer->module;
  struct ws_reader reader = ws_reader(section->content);
  struct ws_limits limits = ws_indirect_table(module)->limits;
  uint32_t count = ws_read_uleb32(&reader);
  const uint8_t *from = section->content.data, *behind = limits.bytes.data + limits.bytes.size;
  if (module->moved_table) {
    ws_put_uleb(built, count - 1);
  } else {
    ws_put_bytes(built, from, (size_t)(limits.bytes.data - from));
    table_limits(writer, placement, false, &limits);
    put_limits(built, &limits);
  }
  ws_put_bytes(built, behind, (size_t)(section->content.data + section->content.size - behind));
}

static bool put_generated(struct writer *writer, const struct ws_section *section, struct ws_buffer *built) {
  struct ws_section generated = *section;
  struct ws_slice content = {built->data, built->size};
  generated.pieces = &content;
  generated.piece_count = 1;
  if (!built->failed)
    put_section(writer, &generated);
  bool ok = !built->failed;
  ws_buffer_free(built);
  return ok;
}

static bool put_module(struct writer *writer, const struct ws_placement *placement) {
  const struct ws_module *module = writer->module;
  put(writer, module->bytes.data, 8);
  for (size_t i = 0; i < module->section_count; i++) {
    const struct ws_section *section = &module->sections[i];
    struct ws_buffer built = {0};
    bool ok = true;
    if (section->dropped)
      continue;
    if (section->id == WS_SECTION_IMPORT) {
      put_imports(writer, placement, &built);
      ok = put_generated(writer, section, &built);
    } else if (section->id == WS_SECTION_TABLE && module->info.has_table &&
               module->indirect_table >= module->imported_tables) {
      put_tables(writer, placement, section, &built);
      ok = put_generated(writer, section, &built);
    } else {
      put_section(writer, section);
    }
    if (!ok || writer->stopped)
      return ok;
  }
  flush(writer);
  return true;
}

bool ws_place(const struct ws_module *module, const struct ws_placement *placement, struct ws_sink sink,
              struct ws_error *error) {
  const struct ws_module_info *info = &module->info;
  if (!info->exact) {
    *error = info->inexact;
    return false;
  }
  if (module->external_count && !module->bound)
    return ws_fail(error, module->file, NULL, WS_NO_OFFSET,
                   "uses the variable %s of another module: plan it together with that one",
                   module->externals[0].name);
  struct writer writer = {.module = module, .sink = sink, .chunk = malloc(CHUNK)};
  if (!writer.chunk)
    return ws_fail_memory(error, module->file);
  writer.deltas[WS_BASE_MEMORY] = placement->offset;
  writer.deltas[WS_BASE_STACK_LOW] = placement->stack_low - info->stack_low;
  writer.deltas[WS_BASE_STACK_HIGH] = placement->stack_pointer - info->stack_pointer;
  writer.deltas[WS_BASE_HEAP_BASE] = placement->heap_base - module->heap_base;
  writer.deltas[WS_BASE_HEAP_END] = placement->heap_end - module->heap_end;
  writer.deltas[WS_BASE_TABLE] = placement->table_base - info->table_base;
  writer.deltas[WS_BASE_CODE] = module->code_shift;
  bool ok = put_module(&writer, placement);
  free(writer.chunk);
  if (!ok)
    return ws_fail_memory(error, module->file);
  if (writer.stopped)
    return ws_fail_sink(error, module->file);
  return ws_object_agreed(module, error);
}
