// The sections of a merged module.
#ifndef WASMSHARE_SINGLE_SECTIONS_H
#define WASMSHARE_SINGLE_SECTIONS_H

#include "link/pack.h"

// Where the sections go.
struct ws_single_writer {
  struct ws_merge *merge;
  struct ws_sink sink;
  bool ok; // what cannot be written has left an error
};

// Hands on a section, and empties its content.
void ws_give_section(struct ws_single_writer *writer, enum ws_section_id id, struct ws_buffer *content);
void ws_give_custom(struct ws_single_writer *writer, struct ws_slice name, struct ws_buffer *content);
// Hands on a part of a section, and empties the buffer.
void ws_give_bytes(struct ws_single_writer *writer, struct ws_buffer *bytes);

// single_code.c: the code section; also notes where each function went
void ws_single_code(struct ws_single_writer *writer);
// Whether every operand in the functions that are written is known. Where one is not, that code is no good.
bool ws_single_check_code(struct ws_merge *merge);
// single_data.c: adds the section's content to a buffer, and returns false with an error if that cannot be
bool ws_single_data(struct ws_merge *merge, struct ws_buffer *out);
uint32_t ws_single_data_count(const struct ws_merge *merge);
bool ws_single_is_written(const struct ws_merge_segment *segment);

// single_custom.c: all custom sections
void ws_single_custom(struct ws_single_writer *writer);
// dwarf.c: those of DWARF among them
void ws_single_dwarf(struct ws_single_writer *writer);

// Where a relocation has written what is in the merged module, or what stands for what is not.
struct ws_site {
  size_t at;
  uint64_t value;
  uint8_t encoding; // enum ws_encoding
  bool live;
};

struct ws_sites {
  struct ws_site *items;
  size_t count, capacity;
};

// The content of one of a module's custom sections, with what its relocations say; `sites`, if it is not
// NULL, gets where in the buffer that was.
void ws_put_relocated(const struct ws_merge *merge, uint32_t module, size_t number, struct ws_buffer *out,
                      struct ws_sites *sites);
#endif
