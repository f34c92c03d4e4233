// The sections of a merged module.
#ifndef WASMSHARE_SINGLE_SECTIONS_H
#define WASMSHARE_SINGLE_SECTIONS_H

#include "link/pack.h"

// Each adds the section's content to a buffer, and returns false with an error if that cannot be.

// single_code.c; also notes where each function went
bool ws_single_code(struct ws_merge *merge, struct ws_buffer *out);
// single_data.c
bool ws_single_data(struct ws_merge *merge, struct ws_buffer *out);
uint32_t ws_single_data_count(const struct ws_merge *merge);
bool ws_single_is_written(const struct ws_merge_segment *segment);
// single_custom.c: whole sections, with their headers
bool ws_single_custom(struct ws_merge *merge, struct ws_buffer *out);

// dwarf.c: likewise
bool ws_single_dwarf(struct ws_merge *merge, struct ws_buffer *out);

// A custom section with what its relocations say.
void ws_put_relocated(const struct ws_merge *merge, uint32_t module, const struct ws_section *section,
                      struct ws_buffer *out);
void ws_put_custom(struct ws_buffer *out, struct ws_slice name, const struct ws_buffer *content);

#endif
