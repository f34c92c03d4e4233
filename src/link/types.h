// The types of what modules import from each other.
#ifndef WASMSHARE_TYPES_H
#define WASMSHARE_TYPES_H

#include "read/module.h"

bool ws_is_same_type(const struct ws_type *a, const struct ws_type *b);

// The type of a tag, which is counted with the imported ones, or NULL if it cannot be told.
const struct ws_type *ws_tag_type(const struct ws_module *module, uint32_t index);

// Whether an export has the type that an import asks for. Tables, and types that refer to other types, which
// are numbered differently in every module, are left to engines.
bool ws_import_fits(const struct ws_module *module, const struct ws_import *import,
                    const struct ws_module *exporter, const struct ws_export *export);

// Types as text: (i32, i64) -> f32 for functions and tags, mut i32 for globals. Both return `text`.
const char *ws_type_text(const struct ws_type *type, char *text, size_t size);
const char *ws_import_type_text(const struct ws_module *module, const struct ws_import *import, char *text,
                                size_t size);
const char *ws_export_type_text(const struct ws_module *module, const struct ws_export *export, char *text,
                                size_t size);

// Whether a module can have its memory together with the first.
bool ws_check_same_memory(const struct ws_module *module, const struct ws_module *first,
                          struct ws_error *error);

#endif
