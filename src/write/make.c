#include "write/make.h"

#include "base/parts.h"
#include "write/code.h"
#include "write/custom.h"
#include "write/data.h"
#include "write/emit_relocs.h"
#include "write/functions.h"
#include "write/place.h"
#include "write/rebind.h"
#include "write/sections.h"

// A prepared module has its final form already, but for what becomes an import, and the limits.
static bool make(struct ws_image *image) {
  bool prepared = image->module->prepared;
  return ws_image_take(image) && ws_rebind_image(image) && ws_find_kept(image) &&
         (prepared || ws_append_functions(image)) && ws_write_sections(image) &&
         (prepared || (ws_write_code(image) && ws_write_data(image))) &&
         (!ws_has_kept_relocs || !image->link->options.keep_relocs || !image->module->has_linking ||
          ws_emit_relocs(image)) &&
         ws_write_custom(image);
}

bool ws_image_make(struct ws_image *image, const struct ws_link *link, size_t module,
                   struct ws_error *error) {
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

bool ws_link_write(const struct ws_link *link, size_t module, struct ws_sink sink, struct ws_error *error) {
  if (!link->planned || module >= link->count)
    return ws_fail(error, "", NULL, WS_NO_OFFSET, "nothing was planned for this module");
  struct ws_image image;
  bool ok = ws_image_make(&image, link, module, error) && ws_place(&image, sink, error);
  ws_image_free(&image);
  return ok;
}
