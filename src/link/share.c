// Sharing a stack, a table: what a module defines becomes its last import of that kind, so that no index
// changes.
#include "link/link.h"

bool ws_check_sharing(const struct ws_module *module, bool share_stack, bool share_table,
                      struct ws_error *error) {
  const struct ws_module_info *info = &module->info;
  if (share_stack && info->has_stack && !info->imports_stack) {
    const struct ws_global *first = &module->globals[module->imported_globals];
    if (!first->moves || first->base != WS_BASE_STACK_HIGH || !first->mutable)
      return ws_module_fail(
          module, error, "GLOBAL", NULL,
          "its stack pointer is not the first global that it defines, so it cannot be shared");
  }
  if (share_table && !ws_are_elements_constant(module))
    return ws_module_fail(
        module, error, "ELEMENT", NULL,
        "has elements of its function table at an offset that is not a constant, so it cannot "
        "be shared");
  const char *why = ws_why_table_stays(module);
  if (share_table && info->has_table && !info->imports_table && why)
    return ws_module_fail(module, error, "TABLE", NULL, "its function table %s, so it cannot be shared", why);
  return true;
}
