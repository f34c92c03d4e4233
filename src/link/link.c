// A link and the modules in it. What is decided about them is in the files of the passes.
#include "link/link.h"

#include <stdlib.h>
#include <string.h>

void ws_take_options(void *options, size_t size, const void *given, size_t given_size) {
  memset(options, 0, size);
  if (given)
    memcpy(options, given, given_size < size ? given_size : size);
}

struct ws_link *ws_link_new(const struct ws_link_options *given, struct ws_error *error) {
  struct ws_link_options options;
  ws_take_options(&options, sizeof options, given, given ? given->size : 0);
  if (options.single)
    options.one_program = true;
  if (options.one_program)
    options.share_stack = options.share_table = true;
  if ((options.one_program && !ws_has_one_program) || (options.keep_relocs && !ws_has_kept_relocs)) {
    ws_fail(error, "", NULL, WS_NO_OFFSET, "%s: that part is not here",
            options.one_program ? "the modules cannot be made one program" : "no relocations can be kept");
    return NULL;
  }
  if (options.one_program && options.keep_relocs) {
    // They name the module's own symbols, and the operands are those of other modules.
    ws_fail(error, "", NULL, WS_NO_OFFSET,
            "the modules of one program cannot keep their relocations, which do not say what was made one: "
            "leave out "
            "--keep-relocs");
    return NULL;
  }
  struct ws_link *link = calloc(1, sizeof *link);
  if (link)
    link->options = options;
  else
    ws_fail_memory(error, "");
  return link;
}

void ws_clear_changes(struct ws_changes *changes) {
  free(changes->slots);
  free(changes->trampolines);
  free(changes->exports);
  *changes = (struct ws_changes){.constructors = WS_NO_FUNCTION, .start = WS_NO_FUNCTION};
}

void ws_link_free(struct ws_link *link) {
  if (!link)
    return;
  ws_arena_free(&link->arena);
  for (size_t i = 0; i < link->count; i++)
    ws_clear_changes(&link->inputs[i].changes);
  free(link->divided);
  ws_map_free(&link->names);
  free(link->inputs);
  free(link);
}

// What comes from the layout, and from no module.
static bool is_supplied(const struct ws_link *link, const struct ws_import *import) {
  bool stack = import->kind == WS_GLOBAL && ws_slice_is(import->name, "__stack_pointer");
  return import->kind == WS_MEMORY ||
         (ws_slice_is(import->module, "env") &&
          (ws_is_function_table(import) || (stack && link->options.share_stack)));
}

static bool fill_input(struct ws_link *link, struct ws_input *input, const char *name) {
  const struct ws_module *module = input->module;
  char *copy = ws_arena_text(&link->arena, ws_slice_of(name));
  input->name = copy;
  input->imports = ws_arena_new(&link->arena, module->import_count, sizeof *input->imports);
  input->externals = ws_arena_new(&link->arena, module->external_count, sizeof *input->externals);
  if (!copy || !input->imports || !input->externals)
    return false;
  for (size_t i = 0; i < module->import_count; i++)
    input->imports[i] = (struct ws_link_import){is_supplied(link, &module->imports[i]), WS_HOST};
  for (size_t i = 0; i < module->external_count; i++)
    input->externals[i].from = WS_HOST;
  return true;
}

// Whether a module has what could be one thing with what another has, and no names that say what it is.
static bool is_nameless(const struct ws_module *module) {
  return module->info.exact && !module->has_linking &&
         (module->segment_count || module->element_count || module->tag_count);
}

// What calls what is known by its type.
static bool check_types(const struct ws_module *module, struct ws_error *error) {
  return !module->function_count || module->types ||
         ws_module_fail(module, error, "TYPE", NULL,
                        "has types that are no function types, which one program cannot have yet");
}

// What is one thing is known by its names, which are in the linker's output. One module needs more of it: see
// atoms.c.
static bool check_names(const struct ws_module *module, struct ws_error *error) {
  if (module->prepared)
    return ws_module_fail(
        module, error, "wasmshare", NULL,
        "is prepared, so the names are gone that tell what is one thing in one program: give the "
        "linker's output");
  if (is_nameless(module))
    return ws_module_fail(
        module, error, "linking", NULL,
        "is not there, so nothing tells what is one thing in one program: link with --emit-relocs");
  return true;
}

bool ws_link_add(struct ws_link *link, const struct ws_module *module, const char *name,
                 struct ws_error *error) {
  const struct ws_link_options *options = &link->options;
  if (options->keep_relocs && module->prepared)
    return ws_module_fail(module, error, "wasmshare", NULL,
                          "is prepared, so there are no relocations to keep: give the linker's output");
  const uint32_t *same = ws_map_find(&link->names, ws_slice_of(name));
  if (same)
    return ws_module_fail(module, error, NULL, NULL, "is called '%s', and so is %s", name,
                          link->inputs[*same].module->file);
  if (ws_is_one_program(link) &&
      !(check_types(module, error) && (ws_is_single(link) || check_names(module, error))))
    return false;
  if (!ws_check_sharing(module, options->share_stack, options->share_table, error))
    return false;
  struct ws_input *inputs = ws_make_room(link->inputs, link->count, &link->capacity, sizeof *inputs);
  if (inputs) {
    link->inputs = inputs;
    inputs[link->count] = (struct ws_input){
        .module = module, .changes = {.constructors = WS_NO_FUNCTION, .start = WS_NO_FUNCTION}};
  }
  if (!inputs || !fill_input(link, &inputs[link->count], name) ||
      !ws_map_add(&link->names, ws_slice_of(inputs[link->count].name), (uint32_t)link->count))
    return ws_fail_memory(error, module->file);
  link->count++;
  link->resolved = link->planned = false;
  return true;
}

const size_t *ws_link_order(const struct ws_link *link) {
  return link->resolved ? link->order : NULL;
}

const struct ws_plan *ws_link_planned(const struct ws_link *link) {
  return link->planned ? &link->plan : NULL;
}

const struct ws_placement *ws_link_placement(const struct ws_link *link, size_t module) {
  return link->planned && module < link->count ? &link->inputs[module].placement : NULL;
}

bool ws_link_imports_table(const struct ws_link *link, size_t module) {
  if (module >= link->count)
    return false;
  const struct ws_input *input = &link->inputs[module];
  const struct ws_module_info *info = &input->module->info;
  return info->imports_table || (link->options.share_table && info->has_table) || ws_adds_table(input);
}

bool ws_link_exports(const struct ws_link *link, size_t module, enum ws_external_kind kind,
                     const char *name) {
  if (module >= link->count)
    return false;
  const struct ws_input *input = &link->inputs[module];
  const struct ws_changes *changes = &input->changes;
  for (size_t i = 0; i < changes->export_count; i++)
    if (changes->exports[i].kind == kind && ws_slice_is(changes->exports[i].name, name))
      return true;
  const struct ws_export *found = ws_find_export(input->module, ws_slice_of(name));
  return found && found->kind == kind;
}

bool ws_link_merged(const struct ws_link *link, size_t index, struct ws_merged *merged) {
  if (!ws_is_one_program(link) || index >= link->one.merged_count)
    return false;
  const struct ws_one_merged *one = &link->one.merged[index];
  static const enum ws_external_kind kinds[] = {
      [WS_SYMBOL_FUNCTION] = WS_FUNCTION, [WS_SYMBOL_DATA] = WS_MEMORY, [WS_SYMBOL_TAG] = WS_TAG};
  *merged = (struct ws_merged){
      .name = one->name, .kind = kinds[one->kind], .module = one->module, .count = one->count};
  return true;
}

bool ws_link_kept(const struct ws_link *link, size_t index, struct ws_kept *kept) {
  if (!ws_is_one_program(link) || index >= link->one.kept_count)
    return false;
  const struct ws_one_kept *one = &link->one.kept[index];
  *kept = (struct ws_kept){one->name, one->module, one->other, ws_kept_reason(one->reason),
                           one->reason != WS_KEPT_PLAIN && one->has_state};
  return true;
}

bool ws_link_divided(const struct ws_link *link, size_t index, struct ws_divided *divided) {
  if (index >= link->divided_count)
    return false;
  *divided = link->divided[index];
  return true;
}

bool ws_link_lost(const struct ws_link *link, size_t index, struct ws_lost *lost) {
  for (enum ws_end_kind kind = 0; link->resolved && kind < WS_END_KINDS; kind++) {
    if (index < link->end.missing_counts[kind]) {
      *lost = (struct ws_lost){link->end.missing[kind][index], ws_end_loss(kind), ws_end_function(kind)};
      return true;
    }
    index -= link->end.missing_counts[kind];
  }
  return false;
}

enum ws_heap_class ws_link_heap(const struct ws_link *link, size_t module) {
  return module < link->count ? link->inputs[module].heap : WS_HEAP_NONE;
}

bool ws_link_binding(const struct ws_link *link, size_t module, size_t index, struct ws_binding *binding) {
  if (module >= link->count)
    return false;
  const struct ws_input *input = &link->inputs[module];
  // A symbol with several addends is one binding.
  size_t seen = 0;
  for (size_t i = 0; i < input->module->external_count; i++) {
    if (!input->module->externals[i].first || seen++ != index)
      continue;
    *binding = (struct ws_binding){.name = input->module->externals[i].name,
                                   .from = input->externals[i].from,
                                   .address = input->externals[i].address};
    return true;
  }
  return false;
}

size_t ws_find_preferred(const struct ws_link *link, size_t *modules) {
  size_t count = 0;
  for (size_t i = 0; i < link->options.prefer_count; i++) {
    const uint32_t *module = ws_map_find(&link->names, ws_slice_of(link->options.prefer[i]));
    if (module)
      modules[count++] = *module;
  }
  return count;
}
