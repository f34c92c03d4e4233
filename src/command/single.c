// combine --single: one module.
#include <stdlib.h>
#include <string.h>

#include "base/map.h"
#include "command/command.h"
#include "write/single.h"

// The modules, and what their names mean.
struct program {
  const struct options *options;
  size_t count;
  struct ws_module **modules;
  struct input_file *files;
  struct ws_merge_input *inputs;
  struct ws_one_symbol **one_of;
  size_t *prefer;
};

static void report_problem(void *context, const struct ws_error *problem) {
  (void)context;
  fail_with(problem);
}

static bool find_input(const struct options *options, const char *option, const char *name, size_t *index) {
  for (*index = 0; *index < options->input_count; ++*index)
    if (strcmp(name, options->inputs[*index].name) == 0)
      return true;
  return fail("--%s: there is no module called '%s'", option, name);
}

static bool resolve_names(struct program *program) {
  const struct options *options = program->options;
  const char **names = xcalloc(program->count, sizeof *names);
  bool ok = true;
  for (size_t i = 0; i < program->count; i++)
    names[i] = options->inputs[i].name;
  for (size_t i = 0; i < options->prefer.count && ok; i++)
    ok = find_input(options, "prefer", options->prefer.items[i], &program->prefer[i]);
  ok = ok && ws_resolve(program->modules, program->count,
                        &(struct ws_resolve_options){.names = names,
                                                     .host_imports = options->host_imports.items,
                                                     .host_modules = options->host_modules.items,
                                                     .host_import_count = options->host_imports.count,
                                                     .host_module_count = options->host_modules.count,
                                                     .prefer = program->prefer,
                                                     .prefer_count = options->prefer.count,
                                                     .report = report_problem});
  free(names);
  return ok;
}

// --------------------------------------------------------------------- what is one thing, for the time being

// By name: a strong definition, else the first weak one. Only symbols that are weak, or not defined, are
// given another.
struct definitions {
  struct ws_map names;
  struct ws_one_symbol *items;
};

static bool is_definition(const struct ws_symbol *symbol) {
  return (symbol->kind == WS_SYMBOL_FUNCTION || symbol->kind == WS_SYMBOL_DATA ||
          symbol->kind == WS_SYMBOL_TAG) &&
         !(symbol->flags & (WS_SYMBOL_UNDEFINED | WS_SYMBOL_LOCAL | WS_SYMBOL_ABSOLUTE));
}

static struct ws_slice key_of(const struct ws_symbol *symbol) {
  static const char undefined_weak[] = "undefined_weak:";
  struct ws_slice name = symbol->name;
  if (symbol->kind == WS_SYMBOL_FUNCTION && ws_slice_starts(name, undefined_weak)) {
    name.data += sizeof undefined_weak - 1;
    name.size -= sizeof undefined_weak - 1;
  }
  return name;
}

static void find_definitions(const struct program *program, struct definitions *definitions) {
  size_t total = 0;
  for (size_t m = 0; m < program->count; m++)
    total += program->modules[m]->symbol_count;
  definitions->items = xcalloc(total + 1, sizeof *definitions->items);
  for (uint32_t m = 0; m < program->count; m++) {
    const struct ws_module *module = program->modules[m];
    for (uint32_t i = 0; i < module->symbol_count; i++) {
      const struct ws_symbol *symbol = &module->symbols[i];
      if (!is_definition(symbol))
        continue;
      uint32_t next = (uint32_t)definitions->names.count,
               *at = ws_map_add(&definitions->names, symbol->name, next);
      if (!at)
        out_of_memory();
      struct ws_one_symbol *item = &definitions->items[*at];
      bool was_weak =
          *at != next && (program->modules[item->module]->symbols[item->symbol].flags & WS_SYMBOL_WEAK);
      if (*at == next || (was_weak && !(symbol->flags & WS_SYMBOL_WEAK)))
        *item = (struct ws_one_symbol){m, i};
    }
  }
}

static bool may_be_another(const struct ws_symbol *symbol) {
  if (symbol->kind == WS_SYMBOL_TAG)
    return true;
  if (symbol->kind == WS_SYMBOL_FUNCTION)
    return ws_slice_starts(symbol->name, "undefined_weak:") ||
           (symbol->flags & (WS_SYMBOL_WEAK | WS_SYMBOL_UNDEFINED | WS_SYMBOL_LOCAL)) == WS_SYMBOL_WEAK;
  return symbol->kind == WS_SYMBOL_DATA && !(symbol->flags & (WS_SYMBOL_LOCAL | WS_SYMBOL_ABSOLUTE)) &&
         (symbol->flags & (WS_SYMBOL_WEAK | WS_SYMBOL_UNDEFINED));
}

// A variable that is not defined is that of the module that was found for it.
static void take_variable(struct program *program, uint32_t m, const struct ws_external *external) {
  struct ws_slice name = program->modules[m]->symbols[external->symbol].name;
  const struct ws_module *from = program->modules[external->from];
  for (uint32_t i = 0; i < from->symbol_count; i++)
    if (from->symbols[i].kind == WS_SYMBOL_DATA && is_definition(&from->symbols[i]) &&
        ws_slice_equal(from->symbols[i].name, name))
      program->one_of[m][external->symbol] = (struct ws_one_symbol){(uint32_t)external->from, i};
}

static void find_what_is_one(struct program *program) {
  struct definitions definitions = {0};
  find_definitions(program, &definitions);
  for (uint32_t m = 0; m < program->count; m++) {
    const struct ws_module *module = program->modules[m];
    program->one_of[m] = xcalloc((size_t)module->symbol_count + 1, sizeof **program->one_of);
    for (uint32_t i = 0; i < module->symbol_count; i++) {
      const struct ws_symbol *symbol = &module->symbols[i];
      const uint32_t *at = may_be_another(symbol) ? ws_map_find(&definitions.names, key_of(symbol)) : NULL;
      struct ws_one_symbol one = at ? definitions.items[*at] : (struct ws_one_symbol){m, i};
      if (program->modules[one.module]->symbols[one.symbol].kind != symbol->kind)
        one = (struct ws_one_symbol){m, i};
      program->one_of[m][i] = one;
    }
  }
  for (uint32_t m = 0; m < program->count; m++)
    for (size_t i = 0; i < program->modules[m]->external_count; i++)
      take_variable(program, m, &program->modules[m]->externals[i]);
  free(definitions.items);
  ws_map_free(&definitions.names);
}

// -----------------------------------------------------------------------------------------------------
// writing

static bool fill_inputs(struct program *program) {
  for (size_t m = 0; m < program->count; m++) {
    const struct ws_module *module = program->modules[m];
    size_t *from = xcalloc(module->import_count + 1, sizeof *from);
    for (size_t i = 0; i < module->import_count; i++)
      from[i] = module->imports[i].from;
    program->inputs[m] =
        (struct ws_merge_input){module, program->options->inputs[m].name, from, program->one_of[m], m};
  }
  return true;
}

static bool write_program(const struct program *program) {
  const struct options *options = program->options;
  struct ws_merge_options merge = {.import_memory = options->import_memory,
                                   .strip_debug = options->strip_debug,
                                   .base = options->plan.base,
                                   .stack_size = options->plan.stack_size,
                                   .heap_size = options->plan.heap_size,
                                   .max_memory = options->plan.max_memory,
                                   .heap_owner = WS_HOST,
                                   .prefer = program->prefer,
                                   .prefer_count = options->prefer.count};
  struct ws_error error;
  if (options->heap_owner && !find_input(options, "heap-owner", options->heap_owner, &merge.heap_owner))
    return false;
  struct output_file *file = open_output(xprintf("%s", options->single), options);
  return file &&
         (ws_write_single(program->inputs, program->count, &merge, (struct ws_sink){write_output, file},
                          &error) ||
          fail_with(&error)) &&
         (!options->depfile || write_depfile(options)) && commit_outputs();
}

bool command_single(const struct options *options) {
  struct program program = {.options = options, .count = options->input_count};
  program.modules = xcalloc(program.count, sizeof *program.modules);
  program.files = xcalloc(program.count, sizeof *program.files);
  program.inputs = xcalloc(program.count, sizeof *program.inputs);
  program.one_of = xcalloc(program.count, sizeof *program.one_of);
  program.prefer = xcalloc(options->prefer.count + 1, sizeof *program.prefer);
  bool ok = check_names(options);
  for (size_t i = 0; i < program.count && ok; i++)
    ok = read_input(options, options->inputs[i].path, false, &program.files[i], &program.modules[i]);
  if (ok && resolve_names(&program)) {
    find_what_is_one(&program);
    ok = fill_inputs(&program) && write_program(&program);
  } else {
    ok = false;
  }
  for (size_t i = 0; i < program.count; i++) {
    free((void *)(uintptr_t)program.inputs[i].from);
    free(program.one_of[i]);
    ws_module_free(program.modules[i]);
    close_input(&program.files[i]);
  }
  free(program.modules);
  free(program.files);
  free(program.inputs);
  free(program.one_of);
  free(program.prefer);
  return ok;
}
