// The image of a module: its sections as they will be written at a placement, in pieces, with every pointer
// of full width and not moved yet. It is made from a module, which stays as it is, and from what a link
// decided about it.
#ifndef WASMSHARE_IMAGE_H
#define WASMSHARE_IMAGE_H

#include "link/link.h"

// Bytes, and the pointers in them. Offsets of fixups are from `origin` on, so that those of a module can be
// used as they are. The bytes and fixups are borrowed, from the module or the image.
struct ws_piece {
  struct ws_slice bytes;
  const struct ws_fixup *fixups;
  size_t fixup_count;
  uint32_t origin;
};

struct ws_image_section {
  uint8_t id;
  bool dropped;
  struct ws_slice name;            // custom sections only
  const struct ws_section *source; // what it was read as, or NULL if the module has none
  struct ws_piece *pieces;
  size_t piece_count;
};

// A function put behind the module's own. In place of the one that it replaces, there is a call of it.
struct ws_appended {
  uint32_t type;
  uint32_t replaces; // index among the defined ones, or WS_NEW_FUNCTION
  struct ws_slice name, body;
  struct ws_fixup *fixups; // in the body
  size_t fixup_count;
};
#define WS_NEW_FUNCTION UINT32_MAX

struct ws_image {
  const struct ws_link *link;
  const struct ws_input *input; // what was decided about the module
  const struct ws_module *module;
  const struct ws_placement *placement;
  struct ws_arena arena;
  struct ws_image_section *sections;
  size_t section_count;
  bool moved_stack_pointer, moved_table; // the first defined global, the first defined table became an import
  bool added_table;                      // a module that had none imports it
  uint64_t *values;                      // of fixups that are rebound: see rebind.c
  size_t value_count;
  struct ws_appended *appended;
  size_t appended_count;
  struct ws_slice *new_types; // behind the module's own
  size_t new_type_count;
  bool adds_global;          // an i32 of 0 that can be changed, behind the module's own: see memory_view.c
  bool starts;               // the last of `appended` is the start function
  uint32_t code_shift;       // how far appended functions move every code offset
  size_t *kept;              // how many bytes of each segment are written; the rest is cleared at the start
  uint32_t *segment_offsets; // of each segment's bytes, in the data section that is written
};

// make.h makes it.
void ws_image_free(struct ws_image *image);

// The sections as they were read, each in one piece. False if memory runs out.
bool ws_image_take(struct ws_image *image);
// The section of that kind, or NULL.
struct ws_image_section *ws_image_find(struct ws_image *image, enum ws_section_id id);
// The same, put where it belongs if the module has none; NULL if memory runs out. Other sections may move.
struct ws_image_section *ws_image_need(struct ws_image *image, enum ws_section_id id);
// What it was read as; empty if the module has none.
struct ws_slice ws_image_source_content(const struct ws_image_section *section);
// The section of that kind as it was read, with the fixups that it has here. NULL if there is none.
const struct ws_section *ws_image_source(const struct ws_image *image, enum ws_section_id id);

// Of what follows the section's id and size: its name, if it is custom, and its content.
size_t ws_image_section_size(const struct ws_image_section *section);

// Cuts a stretch of the content out, with its fixups. `*next` is the first fixup that lies in it or behind.
struct ws_piece ws_image_cut(const struct ws_section *section, size_t from, size_t to, size_t *next);

// The function table: where it is, or will be, and whether its indices are 64-bit.
uint32_t ws_image_table(const struct ws_image *image);
bool ws_image_table_is_64(const struct ws_image *image);

// Puts a constant expression of full width, and returns its fixup.
struct ws_fixup ws_image_constant(struct ws_buffer *built, bool is_64, uint64_t value, enum ws_base base,
                                  uint32_t target);

// The index of the function that calls another module's in place of one of the module's own.
uint32_t ws_trampoline_index(const struct ws_image *image, uint32_t trampoline);

// A new appended function with room for fixups, to be filled in; ws_image_keep_body, which takes `body` over,
// ends it. NULL, false, if memory runs out.
struct ws_appended *ws_image_append(struct ws_image *image, uint32_t replaces, struct ws_slice name,
                                    size_t most_fixups);
bool ws_image_keep_body(struct ws_image *image, struct ws_appended *appended, struct ws_buffer *body);
// A fixup of an address that is put at the end of `body`.
void ws_image_add_address(const struct ws_image *image, struct ws_appended *appended,
                          const struct ws_buffer *body);
// The index of a function's type, as the type section has it, added if the module has none. False if memory
// runs out.
bool ws_image_type(struct ws_image *image, struct ws_slice type, uint32_t *index);

// One piece in place of all; false if memory ran out while it was built, or does for it. Takes `built` over.
bool ws_image_set(struct ws_image *image, struct ws_image_section *section, struct ws_buffer *built,
                  const struct ws_fixup *fixups, size_t fixup_count);

#endif
