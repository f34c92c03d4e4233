// The image of a module: its sections as they will be written at a placement, in pieces, with every pointer of full
// width and not moved yet. It is made from a module, which stays as it is, and from what a link decided about it.
#ifndef WASMSHARE_IMAGE_H
#define WASMSHARE_IMAGE_H

#include "read/module.h"

// Bytes, and the pointers in them. Offsets of fixups are from `origin` on, so that those of a module can be used
// as they are. The bytes and fixups are borrowed, from the module or the image.
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

// What was decided about the module.
struct ws_image_options {
  const struct ws_placement *placement;
  bool share_stack; // import the stack pointer
  bool share_table; // import the function table
  bool keep_relocs; // keep linking and reloc.*, rewritten
};

struct ws_image {
  const struct ws_module *module;
  struct ws_image_options options;
  struct ws_arena arena;
  struct ws_image_section *sections;
  size_t section_count;
  bool moved_stack_pointer, moved_table; // the first defined global, the first defined table became an import
  struct ws_appended *appended;
  size_t appended_count;
  struct ws_slice *new_types; // behind the module's own
  size_t new_type_count;
  bool adds_global;          // an i32 of 0 that can be changed, behind the module's own: see memory_view.c
  bool starts;               // the last of `appended` is the start function
  uint32_t code_shift;       // how far appended functions move every code offset
  uint32_t *segment_offsets; // of each segment's bytes, in the data section that is written
};

// Makes the image. Fails if memory runs out. What was decided must be possible: see ws_check_sharing.
bool ws_image_make(struct ws_image *image, const struct ws_module *module, const struct ws_image_options *options,
                   struct ws_error *error);
void ws_image_free(struct ws_image *image);

// Whether the stack pointer, the table, can become an import as `options` say; fails if not.
bool ws_check_sharing(const struct ws_module *module, bool share_stack, bool share_table, struct ws_error *error);

// A new appended function with room for fixups, to be filled in; ws_image_keep_body, which takes `body` over, ends it.
// NULL, false, if memory runs out.
struct ws_appended *ws_image_append(struct ws_image *image, uint32_t replaces, struct ws_slice name, size_t most_fixups);
bool ws_image_keep_body(struct ws_image *image, struct ws_appended *appended, struct ws_buffer *body);
// The index of a function's type, as the type section has it, added if the module has none. False if memory runs out.
bool ws_image_type(struct ws_image *image, struct ws_slice type, uint32_t *index);

// Whether a function can become a call of an appended one without any code moving.
bool ws_fits_call(const struct ws_module *module, uint32_t function);

// One piece in place of all; false if memory ran out while it was built, or does for it. Takes `built` over.
bool ws_image_set(struct ws_image *image, struct ws_image_section *section, struct ws_buffer *built,
                  const struct ws_fixup *fixups, size_t fixup_count);

#endif
