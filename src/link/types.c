#include "link/types.h"

#include <stdio.h>

#include "read/sections.h"

bool ws_is_same_type(const struct ws_type *a, const struct ws_type *b) {
  return a && b && ws_slice_equal(a->parameters, b->parameters) && ws_slice_equal(a->results, b->results);
}

static const struct ws_type *type_at(const struct ws_module *module, uint32_t index) {
  return module->types && index < module->type_count ? &module->types[index] : NULL;
}

// An attribute, which is 0, and the index of a function type.
static const struct ws_type *read_tag(const struct ws_module *module, struct ws_slice detail) {
  struct ws_reader reader = ws_reader(detail);
  ws_read_u8(&reader);
  uint32_t type = ws_read_uleb32(&reader);
  return reader.bad ? NULL : type_at(module, type);
}

const struct ws_type *ws_tag_type(const struct ws_module *module, uint32_t index) {
  const struct ws_import *import = ws_nth_import(module, WS_TAG, index);
  if (import)
    return read_tag(module, import->detail);
  for (size_t i = 0; i < module->import_count; i++)
    index -= module->imports[i].kind == WS_TAG;
  return index < module->tag_count ? read_tag(module, module->tags[index].detail) : NULL;
}

static const struct ws_type *import_type(const struct ws_module *module, const struct ws_import *import) {
  return import->kind == WS_FUNCTION ? type_at(module, import->type) : read_tag(module, import->detail);
}

static const struct ws_type *export_type(const struct ws_module *module, const struct ws_export *export) {
  return export->kind == WS_FUNCTION ? type_at(module, ws_function_type(module, export->index))
                                     : ws_tag_type(module, export->index);
}

static struct ws_slice exported_global(const struct ws_module *module, uint32_t index) {
  const struct ws_import *passed_on = ws_nth_import(module, WS_GLOBAL, index);
  if (passed_on)
    return passed_on->detail;
  return index < module->global_count ? module->globals[index].detail : (struct ws_slice){0};
}

static bool refers(struct ws_slice types) {
  for (size_t i = 0; i < types.size; i++)
    if (types.data[i] == WASM_TYPE_NULLABLE || types.data[i] == WASM_TYPE_NONNULLABLE)
      return true;
  return false;
}

static bool fits(struct ws_slice wanted, struct ws_slice given) {
  return refers(wanted) || refers(given) || ws_slice_equal(wanted, given);
}

bool ws_import_fits(const struct ws_module *module, const struct ws_import *import,
                    const struct ws_module *exporter, const struct ws_export *export) {
  if (import->kind == WS_GLOBAL) {
    struct ws_slice given = exported_global(exporter, export->index);
    return !given.data || fits(import->detail, given);
  }
  if (import->kind != WS_FUNCTION && import->kind != WS_TAG)
    return true;
  const struct ws_type *wanted = import_type(module, import), *given = export_type(exporter, export);
  return !wanted || !given ||
         (fits(wanted->parameters, given->parameters) && fits(wanted->results, given->results));
}

// ------------------------------------------------------------------------------------------------------ text

static const char *value_type_name(uint8_t type) {
  static const char *const names[] = {[0x7f] = "i32",       [0x7e] = "i64",   [0x7d] = "f32",
                                      [0x7c] = "f64",       [0x7b] = "v128",  [0x70] = "funcref",
                                      [0x6f] = "externref", [0x69] = "exnref"};
  const char *name = type < sizeof names / sizeof *names ? names[type] : NULL;
  return name ? name : "ref";
}

// Text that ends where there is no more room.
struct text {
  char *at;
  size_t left;
};

static void add(struct text *text, const char *part) {
  int size = snprintf(text->at, text->left, "%s", part);
  size_t used = size < 0 ? 0 : (size_t)size < text->left ? (size_t)size : text->left - 1;
  text->at += used;
  text->left -= used;
}

// One type alone is without brackets where it is a result.
static void add_types(struct text *text, struct ws_slice types, bool is_result) {
  struct ws_reader count = ws_reader(types), reader = ws_reader(types);
  ws_read_value_type(&count);
  bool brackets = !is_result || types.size == 0 || ws_read_left(&count) > 0;
  add(text, brackets ? "(" : "");
  for (const char *between = ""; reader.at < reader.end && !reader.bad; between = ", ") {
    add(text, between);
    add(text, value_type_name(ws_read_value_type(&reader)));
  }
  add(text, brackets ? ")" : "");
}

const char *ws_type_text(const struct ws_type *type, char *text, size_t size) {
  struct text to = {text, size};
  text[0] = '\0';
  if (!type) {
    add(&to, "?");
    return text;
  }
  add_types(&to, type->parameters, false);
  add(&to, " -> ");
  add_types(&to, type->results, true);
  return text;
}

static const char *global_type_text(struct ws_slice detail, char *text, size_t size) {
  struct ws_reader reader = ws_reader(detail);
  uint8_t type = ws_read_value_type(&reader);
  bool mutable = ws_read_u8(&reader);
  snprintf(text, size, "%s%s", mutable ? "mut " : "", value_type_name(type));
  return text;
}

const char *ws_import_type_text(const struct ws_module *module, const struct ws_import *import, char *text,
                                size_t size) {
  return import->kind == WS_GLOBAL ? global_type_text(import->detail, text, size)
                                   : ws_type_text(import_type(module, import), text, size);
}

const char *ws_export_type_text(const struct ws_module *module, const struct ws_export *export, char *text,
                                size_t size) {
  return export->kind == WS_GLOBAL ? global_type_text(exported_global(module, export->index), text, size)
                                   : ws_type_text(export_type(module, export), text, size);
}

bool ws_check_same_memory(const struct ws_module *module, const struct ws_module *first,
                          struct ws_error *error) {
  const struct ws_module_info *info = &module->info;
  if (info->memory64 != first->info.memory64)
    return ws_fail(error, module->file, NULL, WS_NO_OFFSET,
                   "has a %d-bit memory, but %s has a %d-bit one: one memory can be only one of them",
                   info->memory64 ? 64 : 32, first->file, first->info.memory64 ? 64 : 32);
  if (info->shared != first->info.shared)
    return ws_fail(error, module->file, NULL, WS_NO_OFFSET,
                   "%s a shared memory, but %s %s: link both with -Wl,--shared-memory, or neither",
                   info->shared ? "has" : "does not have", first->file,
                   first->info.shared ? "has" : "does not");
  return true;
}
