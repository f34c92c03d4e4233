// Resolving: which module gives another what it imports. Functions and other imports go by their exports,
// variables (extern int counter; linked with --allow-undefined) by the symbol table of the module that has
// them.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "read/toolchain.h"
#include "base/suggest.h"
#include "link/divided.h"
#include "link/names.h"
#include "link/types.h"
#include "link/unify.h"
#include "link/wrappers.h"

static const char *const kind_names[] = {"function", "table", "memory", "global", "tag"};

const char *ws_external_kind_name(enum ws_external_kind kind) {
  return kind_names[kind];
}

enum { TEXT = 128, MOST_PROBLEMS = 20 }; // that are told: one mistake can make thousands

// ------------------------------------------------------------------------------------------------- exports

// The symbol of a function or a variable of that name that the module defines for others, exported or not; or
// NULL.
static const struct ws_symbol *find_definition(const struct ws_module *module, enum ws_symbol_kind kind,
                                               struct ws_slice name) {
  for (uint32_t i = 0; i < module->symbol_count; i++) {
    const struct ws_symbol *symbol = &module->symbols[i];
    if (symbol->kind == kind && !(symbol->flags & (WS_SYMBOL_UNDEFINED | WS_SYMBOL_LOCAL)) &&
        ws_slice_equal(symbol->name, name))
      return symbol;
  }
  return NULL;
}

static bool defines(const struct ws_module *module, enum ws_symbol_kind kind, struct ws_slice name) {
  return find_definition(module, kind, name);
}

// The export of a function, which has another name if its source gives it one (export_name); or NULL.
static const struct ws_export *export_of(const struct ws_module *module, const struct ws_symbol *function) {
  for (size_t i = 0; i < module->export_count; i++)
    if (module->exports[i].kind == WS_FUNCTION &&
        ws_exported_function(module, &module->exports[i]) == function->index)
      return &module->exports[i];
  return NULL;
}

// Whether a function is exported by the name of another one that its module defines.
static bool has_name_of_another(const struct ws_module *module, const struct ws_export *export) {
  uint32_t function = ws_exported_function(module, export), defined = function - module->imported_functions;
  if (function < module->imported_functions || defined >= module->function_count ||
      ws_slice_equal(module->functions[defined].name, export->name))
    return false;
  bool another = false;
  for (uint32_t i = 0; i < module->symbol_count; i++) {
    const struct ws_symbol *symbol = &module->symbols[i];
    if (symbol->kind != WS_SYMBOL_FUNCTION || (symbol->flags & (WS_SYMBOL_UNDEFINED | WS_SYMBOL_LOCAL)) ||
        !ws_slice_equal(symbol->name, export->name))
      continue;
    if (symbol->index == function || symbol->index == export->index)
      return false;
    another = true;
  }
  return another;
}

// clang makes symbols hidden unless told otherwise, and lld exports those that it is told to: a hidden symbol
// that is exported is meant for others.
const struct ws_symbol *ws_find_variable(const struct ws_module *module, struct ws_slice name) {
  for (uint32_t i = 0; i < module->symbol_count; i++) {
    const struct ws_symbol *symbol = &module->symbols[i];
    if (symbol->kind != WS_SYMBOL_DATA || !ws_slice_equal(symbol->name, name) ||
        (symbol->flags & (WS_SYMBOL_UNDEFINED | WS_SYMBOL_ABSOLUTE | WS_SYMBOL_TLS)))
      continue;
    const struct ws_export *export = ws_find_export(module, name);
    if (!(symbol->flags & (WS_SYMBOL_HIDDEN | WS_SYMBOL_LOCAL)) || (export && export->kind == WS_GLOBAL))
      return symbol;
  }
  return NULL;
}

// ------------------------------------------------------------------------------------------------ choosing

struct resolver {
  struct ws_link *link;
  const struct ws_link_options *options;
  const struct ws_input *user; // whose names are being resolved
  size_t problems;
  struct ws_error *first; // of the problems
};

static void report(struct resolver *resolver, const struct ws_error *problem) {
  if (resolver->problems == 0)
    *resolver->first = *problem;
  if (resolver->problems++ < MOST_PROBLEMS && resolver->options->report)
    resolver->options->report(resolver->options->context, problem);
}

// Counts a problem that will not be told: then nobody needs to know what was meant.
static bool is_one_of_many(struct resolver *resolver) {
  bool many = resolver->problems >= MOST_PROBLEMS;
  resolver->problems += many;
  return many;
}

// Reports what is wrong with a name of `user`.
#define REPORT(resolver, ...)                                                                                \
  do {                                                                                                       \
    struct ws_error problem;                                                                                 \
    ws_fail(&problem, (resolver)->user->module->file, NULL, WS_NO_OFFSET, __VA_ARGS__);                      \
    report(resolver, &problem);                                                                              \
  } while (0)

static size_t rank(const struct resolver *resolver, size_t module) {
  const struct ws_link_options *options = resolver->options;
  size_t i = 0;
  while (i < options->prefer_count && strcmp(options->prefer[i], resolver->link->inputs[module].name) != 0)
    i++;
  return i;
}

// Of the modules that have a name, the one that is preferred. Sets `*rival` if two are as good as each other.
struct choice {
  size_t best, rival;
};

static void consider(const struct resolver *resolver, struct choice *choice, size_t module) {
  if (choice->best == WS_HOST) {
    choice->best = module;
    return;
  }
  size_t new_rank = rank(resolver, module), old_rank = rank(resolver, choice->best);
  if (new_rank < old_rank)
    *choice = (struct choice){module, WS_HOST};
  else if (new_rank == old_rank)
    choice->rival = module;
}

// ------------------------------------------------------------------------------------------------- imports

// "MODULE.NAME", as options and people write it.
static bool is_named(const struct ws_import *import, const char *text) {
  size_t size = import->module.size;
  return strlen(text) == size + 1 + import->name.size && memcmp(text, import->module.data, size) == 0 &&
         text[size] == '.' && memcmp(text + size + 1, import->name.data, import->name.size) == 0;
}

static bool host_gives(const struct ws_link_options *options, const struct ws_import *import) {
  for (size_t i = 0; i < options->host_import_count; i++)
    if (is_named(import, options->host_imports[i]))
      return true;
  for (size_t i = 0; i < options->host_module_count; i++)
    if (ws_slice_is(import->module, options->host_modules[i]))
      return true;
  return false;
}

// Interfaces that only ever hosts give.
static bool is_host_interface(struct ws_slice module) {
  return ws_slice_is(module, "wasi") || ws_slice_starts(module, "wasi_") ||
         ws_is_wasm_bindgen_import(module) || ws_slice_starts(module, "wasi:");
}

bool ws_comes_from_host(const struct ws_link_options *options, const struct ws_import *import) {
  return host_gives(options, import) || is_host_interface(import->module);
}

// An import from where linkers put what is undefined: any module may export it.
static bool may_come_from_any(const struct ws_import *import, size_t named) {
  return named == WS_HOST && ws_slice_is(import->module, "env");
}

// The module has the function, but exports none of that name.
static void hint_at_export(const struct ws_input *has, const struct ws_import *import, const char *name,
                           char *hint, size_t size) {
  char given[TEXT];
  const struct ws_export *export =
      export_of(has->module, find_definition(has->module, WS_SYMBOL_FUNCTION, import->name));
  if (export)
    snprintf(hint, size, "; %s exports it as %s (export_name): import that, or export it by its own name",
             has->name, ws_printable(export->name, given, sizeof given));
  else
    snprintf(hint, size, "; %s has it, but does not export it: link that with -Wl,--export=%s", has->name,
             name);
}

// What might be meant by an import that no module gives; "" if nothing is like it. `name` is printable.
static const char *hint_at(const struct resolver *resolver, const struct ws_import *import, size_t named,
                           const char *name, char *hint, size_t size) {
  const struct ws_input *inputs = resolver->link->inputs;
  char near[TEXT];
  struct ws_suggestion suggestion = ws_suggest(import->name);
  size_t hider = WS_HOST, elsewhere = WS_HOST, variable = WS_HOST;
  for (size_t i = 0; i < resolver->link->count; i++) {
    const struct ws_module *other = inputs[i].module;
    if (&inputs[i] == resolver->user)
      continue;
    if (import->kind == WS_FUNCTION && defines(other, WS_SYMBOL_FUNCTION, import->name))
      hider = i;
    if (import->kind == WS_FUNCTION && defines(other, WS_SYMBOL_DATA, import->name))
      variable = i;
    for (size_t k = 0; k < other->export_count; k++) {
      if (other->exports[k].kind != import->kind)
        continue;
      if (ws_slice_equal(other->exports[k].name, import->name))
        elsewhere = i;
      else if (named == WS_HOST || named == i)
        ws_offer(&suggestion, other->exports[k].name, i);
    }
  }
  *hint = '\0';
  if (elsewhere != WS_HOST)
    snprintf(hint, size, "; %s exports it: import it from there", inputs[elsewhere].name);
  else if (variable != WS_HOST)
    snprintf(hint, size, "; it is a function here, and a variable in %s", inputs[variable].name);
  else if (hider != WS_HOST)
    hint_at_export(&inputs[hider], import, name, hint, size);
  else if (named != WS_HOST && import->kind == WS_FUNCTION && ws_is_for_wasm_bindgen(inputs[named].module))
    snprintf(hint, size,
             "; what #[wasm_bindgen] exports is for JavaScript, under another name: for modules, "
             "export it with #[unsafe(no_mangle)] extern \"C\"");
  else if (suggestion.from != WS_HOST)
    snprintf(hint, size, "; did you mean %s, of %s?", ws_printable(suggestion.name, near, sizeof near),
             inputs[suggestion.from].name);
  else if (import->kind == WS_FUNCTION && may_come_from_any(import, named))
    snprintf(hint, size,
             ": link the module that defines it with -Wl,--export=%s, since linkers drop what a module "
             "does not use itself",
             name);
  return hint;
}

static void report_missing(struct resolver *resolver, const struct ws_import *import, size_t named) {
  char module[TEXT], name[TEXT], why[2 * TEXT], hint[3 * TEXT];
  if (is_one_of_many(resolver))
    return;
  if (ws_slice_is(import->module, "env") && ws_slice_is(import->name, "__stack_pointer")) {
    REPORT(resolver, "imports its stack pointer: combine it with --stack=shared (or, if the host gives it, "
                     "say --host-import env.__stack_pointer)");
    return;
  }
  ws_printable(import->module, module, sizeof module);
  ws_printable(import->name, name, sizeof name);
  if (may_come_from_any(import, named))
    snprintf(why, sizeof why, "no module exports");
  else if (named == WS_HOST)
    snprintf(why, sizeof why, "is of no module that is combined");
  else
    snprintf(why, sizeof why, "%s does not export", resolver->link->inputs[named].name);
  REPORT(resolver, "imports the %s %s.%s, which %s%s (if the host gives it, say --host-import %s.%s)",
         kind_names[import->kind], module, name, why,
         hint_at(resolver, import, named, name, hint, sizeof hint), module, name);
}

// The module, other than its user, that an import names, or WS_HOST.
static size_t named_module(const struct resolver *resolver, const struct ws_import *import) {
  size_t named = WS_HOST;
  for (size_t i = 0; i < resolver->link->count; i++)
    if (&resolver->link->inputs[i] != resolver->user &&
        ws_slice_is(import->module, resolver->link->inputs[i].name))
      named = i;
  return named;
}

static struct choice choose_exporter(const struct resolver *resolver, const struct ws_import *import,
                                     size_t named) {
  bool any = may_come_from_any(import, named);
  struct choice choice = {WS_HOST, WS_HOST};
  for (size_t i = 0; i < resolver->link->count; i++) {
    const struct ws_input *input = &resolver->link->inputs[i];
    const struct ws_export *export = NULL;
    if (input != resolver->user && (any || named == i))
      export = ws_find_export(input->module, import->name);
    if (export && export->kind == import->kind)
      consider(resolver, &choice, i);
  }
  return choice;
}

static void resolve_import(struct resolver *resolver, const struct ws_import *import,
                           struct ws_link_import *found) {
  const struct ws_input *inputs = resolver->link->inputs;
  found->from = WS_HOST;
  if (found->supplied)
    return;
  if (strlen(import->module_text) != import->module.size || strlen(import->name_text) != import->name.size) {
    REPORT(resolver, "imports a %s with a zero byte in its name", kind_names[import->kind]);
    return;
  }
  if (host_gives(resolver->options, import))
    return;
  size_t named = named_module(resolver, import);
  struct choice choice = choose_exporter(resolver, import, named);
  if (choice.rival != WS_HOST && ws_is_one_program(resolver->link)) {
    size_t meant =
        ws_meaning(resolver->link, resolver->user, (size_t)(import - resolver->user->module->imports));
    if (meant != WS_HOST)
      choice = (struct choice){meant, WS_HOST};
  }
  if (choice.best == WS_HOST) {
    if (named != WS_HOST || !is_host_interface(import->module))
      report_missing(resolver, import, named);
    return;
  }
  char module[TEXT], name[TEXT];
  ws_printable(import->module, module, sizeof module);
  ws_printable(import->name, name, sizeof name);
  if (choice.rival != WS_HOST) {
    REPORT(resolver,
           "imports the %s %s.%s, which both %s and %s export: say which with --prefer, or import "
           "it from one of them by name",
           kind_names[import->kind], module, name, inputs[choice.best].name, inputs[choice.rival].name);
    return;
  }
  const struct ws_module *exporter = inputs[choice.best].module;
  const struct ws_export *export = ws_find_export(exporter, import->name);
  if (!ws_import_fits(resolver->user->module, import, exporter, export)) {
    char wanted[TEXT], given[TEXT];
    REPORT(resolver, "imports the %s %s.%s with another type than %s exports it with: %s here, %s there",
           kind_names[import->kind], module, name, inputs[choice.best].name,
           ws_import_type_text(resolver->user->module, import, wanted, sizeof wanted),
           ws_export_type_text(exporter, export, given, sizeof given));
    return;
  }
  if (ws_is_one_program(resolver->link) && !ws_is_single(resolver->link) && import->kind == WS_FUNCTION &&
      has_name_of_another(exporter, export)) {
    REPORT(
        resolver,
        "imports the function %s.%s, but %s exports another function by that name (export_name) than the %s "
        "that it defines: give one of them another name",
        module, name, inputs[choice.best].name, name);
    return;
  }
  found->from = choice.best;
}

// ----------------------------------------------------------------------------------------------- variables

// Whether it is __start_NAME or __stop_NAME, for a section that a module has.
static bool has_section_of(const struct ws_link *link, struct ws_slice symbol) {
  struct ws_slice section;
  if (ws_bound_of(symbol, &section))
    for (size_t i = 0; i < link->count; i++)
      if (ws_has_segment(link->inputs[i].module, section))
        return true;
  return false;
}

static void report_missing_variable(struct resolver *resolver, struct ws_slice symbol, const char *name) {
  if (is_one_of_many(resolver))
    return;
  if (has_section_of(resolver->link, symbol)) {
    REPORT(resolver, "uses %s, and has nothing in that section: --single puts all modules' together", name);
    return;
  }
  struct ws_suggestion suggestion = ws_suggest(symbol);
  for (size_t i = 0; i < resolver->link->count; i++) {
    const struct ws_module *other = resolver->link->inputs[i].module;
    if (&resolver->link->inputs[i] == resolver->user)
      continue;
    if (defines(other, WS_SYMBOL_FUNCTION, symbol)) {
      REPORT(resolver, "uses the variable %s, which is a function in %s", name, other->file);
      return;
    }
    if (defines(other, WS_SYMBOL_DATA, symbol)) {
      REPORT(resolver,
             "uses the variable %s, which %s defines but keeps to itself: link that with -Wl,--export=%s",
             name, other->file, name);
      return;
    }
    for (uint32_t k = 0; k < other->symbol_count; k++) {
      const struct ws_symbol *candidate = &other->symbols[k];
      if (candidate->kind == WS_SYMBOL_DATA && ws_find_variable(other, candidate->name))
        ws_offer(&suggestion, candidate->name, i);
    }
  }
  char near[TEXT], hint[3 * TEXT] = ": define it, declare it weak, or keep it where it is defined with "
                                    "-Wl,--export, since linkers drop what a "
                                    "module does not use itself";
  if (suggestion.from != WS_HOST)
    snprintf(hint, sizeof hint, "; did you mean %s, of %s?", ws_printable(suggestion.name, near, sizeof near),
             resolver->link->inputs[suggestion.from].name);
  REPORT(resolver, "uses the variable %s, which it does not define, and neither does any other module%s",
         name, hint);
}

// What the variable of a module is in the program.
static struct ws_one_symbol one_symbol(const struct ws_link *link, size_t module, size_t symbol) {
  return ws_is_one_program(link) ? link->one.of[module][symbol]
                                 : (struct ws_one_symbol){(uint32_t)module, (uint32_t)symbol};
}

// False if it has no address that moves with its module.
static bool set_variable(struct resolver *resolver, const struct ws_external *external,
                         struct ws_one_symbol at, struct ws_link_external *found) {
  struct ws_link *link = resolver->link;
  enum ws_base base;
  if (!ws_symbol_target(link->inputs[at.module].module, ws_link_symbol(link, at), &found->linked, &base))
    return false;
  found->from = at.module;
  if (ws_is_one_program(link)) // of one name there may be several, of which others do not see all
    link->one.of[resolver->user - link->inputs][external->symbol] = at;
  return true;
}

static void resolve_variable(struct resolver *resolver, const struct ws_external *external,
                             struct ws_link_external *found) {
  const struct ws_input *inputs = resolver->link->inputs;
  struct ws_slice symbol = resolver->user->module->symbols[external->symbol].name;
  struct choice choice = {WS_HOST, WS_HOST};
  found->from = WS_HOST;
  for (size_t i = 0; i < resolver->link->count; i++)
    if (&inputs[i] != resolver->user && ws_find_variable(inputs[i].module, symbol))
      consider(resolver, &choice, i);
  char name[TEXT];
  ws_printable(symbol, name, sizeof name);
  if (choice.best == WS_HOST) {
    if (external->first && !(ws_is_single(resolver->link) && has_section_of(resolver->link, symbol)))
      report_missing_variable(resolver, symbol, name);
    return;
  }
  size_t user = (size_t)(resolver->user - inputs);
  struct ws_one_symbol at = one_symbol(resolver->link, user, external->symbol);
  const struct ws_module *definer = inputs[choice.best].module;
  bool several = choice.rival != WS_HOST;
  if (!several)
    at = one_symbol(resolver->link, choice.best,
                    (size_t)(ws_find_variable(definer, symbol) - definer->symbols));
  bool is_one = !several || at.module != user;
  if (!(is_one && set_variable(resolver, external, at, found)) && several && external->first)
    REPORT(resolver, "uses the variable %s, which both %s and %s export: say which with --prefer", name,
           definer->file, inputs[choice.rival].module->file);
}

static bool resolve_names(struct resolver *resolver) {
  for (size_t i = 0; i < resolver->link->count; i++) {
    const struct ws_input *user = &resolver->link->inputs[i];
    resolver->user = user;
    for (size_t k = 0; k < user->module->import_count; k++)
      resolve_import(resolver, &user->module->imports[k], &user->imports[k]);
    for (size_t k = 0; k < user->module->external_count; k++)
      resolve_variable(resolver, &user->module->externals[k], &user->externals[k]);
  }
  size_t problems = resolver->problems;
  if (problems > MOST_PROBLEMS && resolver->options->report) {
    struct ws_error more;
    ws_fail(&more, resolver->user->module->file, NULL, WS_NO_OFFSET,
            "and %zu more errors like these: wasmshare inspect --needs LIBRARY MODULE... prints the "
            "flags for them",
            problems - MOST_PROBLEMS);
    resolver->options->report(resolver->options->context, &more);
  }
  return problems == 0;
}

static bool check_exact(struct resolver *resolver) {
  for (size_t i = 0; i < resolver->link->count; i++) {
    const struct ws_module_info *info = &resolver->link->inputs[i].module->info;
    if (!info->exact)
      report(resolver, &info->inexact);
  }
  return resolver->problems == 0;
}

bool ws_link_resolve(struct ws_link *link, struct ws_error *error) {
  struct resolver resolver = {.link = link, .options = &link->options, .first = error};
  bool one = ws_is_one_program(link);
  bool ok = check_exact(&resolver) && (!one || ws_find_things(link, error)) && resolve_names(&resolver);
  if (one && !ws_is_single(link))
    ok = ok && ws_unify_tags(link, error) && ws_find_order(link, error) && ws_unify_functions(link, error);
  else if (one)
    ok = ok && ws_find_lost(link, error);
  else
    ok = ok && ws_find_order(link, error) && ws_find_divided(link, error);
  link->resolved = ok;
  if (!link->resolved && resolver.problems == 0)
    report(&resolver, error);
  return link->resolved;
}

// --------------------------------------------------------------------------------------- what was resolved

// The `index`th import that is not supplied; SIZE_MAX if there are no more.
static size_t listed_import(const struct ws_input *input, size_t index) {
  for (size_t i = 0; i < input->module->import_count; i++)
    if (!input->imports[i].supplied && index-- == 0)
      return i;
  return SIZE_MAX;
}

static size_t count_listed(const struct ws_input *input) {
  size_t count = 0;
  for (size_t i = 0; i < input->module->import_count; i++)
    count += !input->imports[i].supplied;
  return count;
}

// A tag that has become an import.
static bool tag_import(const struct ws_link *link, const struct ws_input *input, size_t index,
                       struct ws_import_info *info) {
  if (index >= input->changes.tag_count)
    return false;
  const struct ws_tag_import *tag = &input->changes.tags[index];
  *info = (struct ws_import_info){link->inputs[tag->from].name, tag->name, WS_TAG, tag->from};
  return true;
}

bool ws_link_import(const struct ws_link *link, size_t module, size_t index, struct ws_import_info *info) {
  if (module >= link->count)
    return false;
  const struct ws_input *input = &link->inputs[module];
  size_t found = listed_import(input, index);
  if (found == SIZE_MAX)
    return tag_import(link, input, index - count_listed(input), info);
  const struct ws_import *import = &input->module->imports[found];
  *info = (struct ws_import_info){.module = import->module_text,
                                  .name = import->name_text,
                                  .kind = (enum ws_external_kind)import->kind,
                                  .from = input->imports[found].from};
  return true;
}

bool ws_link_import_matches(const struct ws_link *link, size_t module, size_t index, size_t exporter) {
  if (module >= link->count || exporter >= link->count)
    return false;
  const struct ws_input *input = &link->inputs[module];
  const struct ws_module *from = link->inputs[exporter].module;
  size_t found = listed_import(input, index);
  const struct ws_import *import = found == SIZE_MAX ? NULL : &input->module->imports[found];
  const struct ws_export *export = import ? ws_find_export(from, import->name) : NULL;
  return export && export->kind == import->kind && ws_import_fits(input->module, import, from, export);
}
