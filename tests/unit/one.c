// ws_find_one and what follows from it: what is one thing in a program of separately linked modules.
#include <stdio.h>

#include "link/language.h"
#include "link/start.h"
#include "unit.h"

// ------------------------------------------------------------------------------------------- small modules

// What a module of these tests has. A function calls the functions and takes the addresses of the variables
// that it uses, and those of functions that are written &NAME; a variable holds the addresses of what it
// uses.
struct item {
  enum ws_symbol_kind kind;
  const char *name;
  uint32_t flags;
  uint8_t code;  // functions of different code are different, and variables of different content; of a tag,
                 // the index of its type
  uint32_t size; // of a variable, beside the addresses; 4 if it is 0
  uint32_t priority; // of an init function, or 0
  const char *alias; // of a function: it is another name of this one, which comes before it
  bool is_namesake;  // of a function: its type is () -> (), whatever that of C's function of the name is
  const char *uses[4];
};

#define FUNCTION(...) {.kind = WS_SYMBOL_FUNCTION, .name = __VA_ARGS__}
#define VARIABLE(...) {.kind = WS_SYMBOL_DATA, .name = __VA_ARGS__}
#define TAG(...) {.kind = WS_SYMBOL_TAG, .name = __VA_ARGS__}
#define USES(...) .uses = {__VA_ARGS__}
enum {
  WEAK = WS_SYMBOL_WEAK,
  LOCAL = WS_SYMBOL_LOCAL,
  UNDEFINED = WS_SYMBOL_UNDEFINED,
  ABSOLUTE = WS_SYMBOL_ABSOLUTE
};
enum { DATA_BASE = 1024, MOST_ITEMS = 12 };

struct layout {
  const struct item *items;
  size_t count;
  uint32_t imported, functions, tags;
  uint32_t index[MOST_ITEMS]; // of a function or tag
  uint32_t slot[MOST_ITEMS];  // of a function whose address is taken, or 0
  uint32_t slots;
  uint32_t offset[MOST_ITEMS], size[MOST_ITEMS]; // of a variable
  uint32_t data_size;
};

static uint32_t find_item(const struct layout *layout, const char *name) {
  for (uint32_t i = 0; i < layout->count; i++)
    if (strcmp(layout->items[i].name, name) == 0)
      return i;
  fail_msg("no %s", name);
  return 0;
}

static size_t count_uses(const struct item *item) {
  size_t count = 0;
  while (count < 4 && item->uses[count])
    count++;
  return count;
}

static struct layout lay_out(const struct item *items, size_t count) {
  struct layout layout = {.items = items, .count = count};
  assert_in_range(count, 0, MOST_ITEMS);
  for (int defined = 0; defined < 2; defined++)
    for (size_t i = 0; i < count; i++)
      if (items[i].kind == WS_SYMBOL_FUNCTION && items[i].alias)
        layout.index[i] = layout.index[find_item(&layout, items[i].alias)];
      else if (items[i].kind == WS_SYMBOL_FUNCTION && ((items[i].flags & UNDEFINED) == 0) == (defined != 0))
        layout.index[i] = defined ? layout.imported + layout.functions++ : layout.imported++;
  for (size_t i = 0; i < count; i++) {
    if (items[i].kind == WS_SYMBOL_TAG)
      layout.index[i] = layout.tags++;
    for (size_t k = 0; k < count_uses(&items[i]); k++)
      if (items[i].uses[k][0] == '&' && !layout.slot[find_item(&layout, items[i].uses[k] + 1)])
        layout.slot[find_item(&layout, items[i].uses[k] + 1)] = ++layout.slots;
    if (items[i].kind != WS_SYMBOL_DATA || (items[i].flags & (UNDEFINED | ABSOLUTE)))
      continue;
    layout.offset[i] = layout.data_size;
    layout.size[i] = (items[i].size ? items[i].size : 4) + 4 * (uint32_t)count_uses(&items[i]);
    layout.data_size += layout.size[i];
  }
  return layout;
}

struct relocations {
  struct ws_buffer entries;
  uint32_t count;
};

static void relocate(struct relocations *relocations, enum ws_relocation_type type, size_t offset,
                     uint32_t symbol) {
  ws_put_u8(&relocations->entries, (uint8_t)type);
  ws_put_uleb(&relocations->entries, offset);
  ws_put_uleb(&relocations->entries, symbol);
  if (type == R_WASM_MEMORY_ADDR_SLEB || type == R_WASM_MEMORY_ADDR_I32)
    ws_put_sleb(&relocations->entries, 0);
  relocations->count++;
}

static void put_operand(struct ws_buffer *to, enum ws_encoding encoding, uint64_t value) {
  uint8_t bytes[5];
  ws_operand_put(bytes, encoding, value);
  ws_put_bytes(to, bytes, ws_encoding_width(encoding));
}

static void put_function(struct ws_buffer *code, const struct layout *layout, const struct item *item,
                         struct relocations *relocations) {
  struct ws_buffer body = {0};
  struct relocations inner = {0};
  bool is_stub = strncmp(item->name, "undefined_weak:", 15) == 0;
  if (is_stub)
    ws_put_bytes(&body, "\0\0", 2); // unreachable
  else
    ws_put_bytes(&body, (uint8_t[]){0, 0x41, item->code, 0x1a}, 4); // no locals, i32.const, drop
  size_t sites[4];
  for (size_t i = 0; i < count_uses(item); i++) {
    bool is_address = item->uses[i][0] == '&';
    uint32_t used = find_item(layout, item->uses[i] + is_address);
    bool is_function = layout->items[used].kind == WS_SYMBOL_FUNCTION, is_call = is_function && !is_address;
    ws_put_u8(&body, is_call ? 0x10 : 0x41);
    sites[i] = body.size;
    uint32_t address = layout->items[used].flags & UNDEFINED ? 0 : DATA_BASE + layout->offset[used];
    put_operand(&body, is_call ? WS_LEB32 : WS_SLEB32,
                is_call       ? layout->index[used]
                : is_function ? layout->slot[used]
                              : address);
    if (!is_call)
      ws_put_u8(&body, 0x1a);
  }
  ws_put_u8(&body, 0x0b);
  ws_put_uleb(code, body.size);
  for (size_t i = 0; i < count_uses(item); i++) {
    bool is_address = item->uses[i][0] == '&';
    uint32_t used = find_item(layout, item->uses[i] + is_address);
    relocate(relocations,
             layout->items[used].kind != WS_SYMBOL_FUNCTION ? R_WASM_MEMORY_ADDR_SLEB
             : is_address                                   ? R_WASM_TABLE_INDEX_SLEB
                                                            : R_WASM_FUNCTION_INDEX_LEB,
             code->size + sites[i], used);
  }
  ws_put_bytes(code, body.data, body.size);
  ws_buffer_free(&body);
  ws_buffer_free(&inner.entries);
}

static void put_variable(struct ws_buffer *data, const struct layout *layout, const struct item *item,
                         struct relocations *relocations) {
  for (size_t i = 0; i < count_uses(item); i++) {
    bool is_function = item->uses[i][0] == '&';
    uint32_t used = find_item(layout, item->uses[i] + is_function);
    relocate(relocations, is_function ? R_WASM_TABLE_INDEX_I32 : R_WASM_MEMORY_ADDR_I32, data->size, used);
    put_operand(data, WS_U32, is_function ? layout->slot[used] : DATA_BASE + layout->offset[used]);
  }
  for (uint32_t i = 0; i < (item->size ? item->size : 4); i++)
    ws_put_u8(data, item->code);
}

static void put_part(struct ws_buffer *linking, uint8_t kind, struct ws_buffer *part) {
  ws_put_u8(linking, kind);
  ws_put_name(linking, (struct ws_slice){part->data, part->size});
  ws_buffer_free(part);
}

static void put_symbols(struct ws_buffer *module, const struct layout *layout) {
  struct ws_buffer linking = {0}, part = {0}, inits = {0};
  uint32_t init_count = 0;
  ws_put_uleb(&linking, 2);
  ws_put_uleb(&part, layout->count);
  for (uint32_t i = 0; i < layout->count; i++) {
    const struct item *item = &layout->items[i];
    ws_put_u8(&part, (uint8_t)item->kind);
    ws_put_uleb(&part, item->flags);
    if (item->kind != WS_SYMBOL_DATA)
      ws_put_uleb(&part, layout->index[i]);
    if (item->kind == WS_SYMBOL_DATA || !(item->flags & UNDEFINED))
      ws_put_name(&part, text(item->name));
    if (item->kind == WS_SYMBOL_DATA && !(item->flags & UNDEFINED)) {
      ws_put_uleb(&part, 0); // segment
      ws_put_uleb(&part, layout->offset[i]);
      ws_put_uleb(&part, layout->size[i]);
    }
  }
  put_part(&linking, WASM_SYMBOL_TABLE, &part);
  ws_put_uleb(&part, layout->data_size > 0);
  if (layout->data_size > 0) {
    ws_put_name(&part, text(".data"));
    ws_put_uleb(&part, 2); // alignment
    ws_put_uleb(&part, 0); // flags
  }
  put_part(&linking, WASM_SEGMENT_INFO, &part);
  for (uint32_t priority = 1; priority < 10; priority++)
    for (uint32_t i = 0; i < layout->count; i++)
      if (layout->items[i].priority == priority) {
        ws_put_uleb(&inits, priority);
        ws_put_uleb(&inits, i);
        init_count++;
      }
  ws_put_uleb(&part, init_count);
  ws_put_bytes(&part, inits.data, inits.size);
  ws_buffer_free(&inits);
  put_part(&linking, WASM_INIT_FUNCS, &part);
  put_custom(module, "linking", (struct ws_slice){linking.data, linking.size});
  ws_buffer_free(&linking);
}

static void put_imports(struct ws_buffer *module, const struct layout *layout) {
  struct ws_buffer content = {0};
  ws_put_uleb(&content, 1 + layout->imported);
  ws_put_name(&content, text("env"));
  ws_put_name(&content, text("memory"));
  ws_put_bytes(&content, (uint8_t[]){WS_MEMORY, 0, 1}, 3);
  for (size_t i = 0; i < layout->count; i++) {
    if (layout->items[i].kind != WS_SYMBOL_FUNCTION || !(layout->items[i].flags & UNDEFINED))
      continue;
    ws_put_name(&content, text("env"));
    ws_put_name(&content, text(layout->items[i].name));
    ws_put_bytes(&content, (uint8_t[]){WS_FUNCTION, 0}, 2);
  }
  put_section(module, WS_SECTION_IMPORT, &content);
}

static void put_exports(struct ws_buffer *module, const struct layout *layout) {
  struct ws_buffer content = {0};
  uint32_t count = 0;
  for (int pass = 0; pass < 2; pass++) {
    for (size_t i = 0; i < layout->count; i++) {
      if (layout->items[i].kind != WS_SYMBOL_FUNCTION || (layout->items[i].flags & (UNDEFINED | LOCAL)))
        continue;
      if (pass == 0) {
        count++;
        continue;
      }
      ws_put_name(&content, text(layout->items[i].name));
      ws_put_u8(&content, WS_FUNCTION);
      ws_put_uleb(&content, layout->index[i]);
    }
    if (pass == 0)
      ws_put_uleb(&content, count);
  }
  put_section(module, WS_SECTION_EXPORT, &content);
}

static void put_table(struct ws_buffer *module, const struct layout *layout) {
  struct ws_buffer content = {0};
  ws_put_bytes(&content, (uint8_t[]){1, WASM_TYPE_FUNCREF, 0, (uint8_t)(layout->slots + 1)}, 4);
  put_section(module, WS_SECTION_TABLE, &content);
}

static void put_elements(struct ws_buffer *module, const struct layout *layout) {
  struct ws_buffer content = {0};
  ws_put_bytes(&content, "\1\0\x41\1\x0b", 5); // one, active, from index 1
  ws_put_uleb(&content, layout->slots);
  for (uint32_t slot = 1; slot <= layout->slots; slot++)
    for (size_t i = 0; i < layout->count; i++)
      if (layout->slot[i] == slot)
        ws_put_uleb(&content, layout->index[i]);
  put_section(module, WS_SECTION_ELEMENT, &content);
}

static bool has_body(const struct item *item) {
  return item->kind == WS_SYMBOL_FUNCTION && !(item->flags & UNDEFINED) && !item->alias;
}

// The types of numbers that C's function takes, or gives: those up to `end`.
static const char *put_numbers(struct ws_buffer *content, const char *type, char end) {
  size_t count = strcspn(type, (char[]){end, 0});
  ws_put_uleb(content, count);
  for (size_t i = 0; i < count; i++)
    ws_put_u8(content, type[i] == 'n' ? WASM_TYPE_I32 : type[i] == 'f' ? WASM_TYPE_F32 : WASM_TYPE_F64);
  return type + count;
}

// Types that tags have, and one for each function, in the order in which they are defined.
enum { FUNCTION_TYPES = 2 };
static void put_types(struct ws_buffer *module, const struct layout *layout) {
  struct ws_buffer content = {0};
  ws_put_uleb(&content, FUNCTION_TYPES + layout->functions);
  ws_put_bytes(&content, "\x60\0\0\x60\1\x7f\0", 7); // () -> (), (i32) -> ()
  for (size_t i = 0; i < layout->count; i++) {
    if (!has_body(&layout->items[i]))
      continue;
    const char *type = ws_library_has(text(layout->items[i].name));
    if (layout->items[i].is_namesake || !type || *type != '(')
      type = "()";
    ws_put_u8(&content, WASM_TYPE_FUNC);
    put_numbers(&content, put_numbers(&content, type + 1, ')') + 1, '\0');
  }
  put_section(module, WS_SECTION_TYPE, &content);
}

// As wasm-ld would link it, with --export-dynamic --emit-relocs --import-memory --allow-undefined.
static struct ws_buffer link_items(const struct item *items, size_t count) {
  struct layout layout = lay_out(items, count);
  struct ws_buffer module = {0}, content = {0};
  struct relocations code = {0}, data = {0};
  put_header(&module);
  put_types(&module, &layout);
  put_imports(&module, &layout);
  ws_put_uleb(&content, layout.functions);
  for (uint32_t i = 0; i < layout.functions; i++)
    ws_put_uleb(&content, FUNCTION_TYPES + i);
  put_section(&module, WS_SECTION_FUNCTION, &content);
  put_table(&module, &layout);
  ws_put_uleb(&content, layout.tags);
  for (size_t i = 0; i < count; i++)
    if (items[i].kind == WS_SYMBOL_TAG)
      ws_put_bytes(&content, (uint8_t[]){0, items[i].code}, 2); // an exception
  put_section(&module, WS_SECTION_TAG, &content);
  put_exports(&module, &layout);
  put_elements(&module, &layout);
  ws_put_uleb(&content, layout.functions);
  for (size_t i = 0; i < count; i++)
    if (has_body(&items[i]))
      put_function(&content, &layout, &items[i], &code);
  put_section(&module, WS_SECTION_CODE, &content);
  ws_put_bytes(&content, "\1\0\x41", 3);
  ws_put_sleb(&content, DATA_BASE);
  ws_put_u8(&content, 0x0b);
  ws_put_uleb(&content, layout.data_size);
  for (size_t i = 0; i < count; i++)
    if (items[i].kind == WS_SYMBOL_DATA && !(items[i].flags & (UNDEFINED | ABSOLUTE)))
      put_variable(&content, &layout, &items[i], &data);
  if (layout.data_size > 0)
    put_section(&module, WS_SECTION_DATA, &content);
  ws_buffer_free(&content);
  put_symbols(&module, &layout);
  enum { CODE = 7 }; // the eighth section
  put_relocations(&module, "reloc.CODE", CODE, code.count,
                  (struct ws_slice){code.entries.data, code.entries.size});
  if (data.count)
    put_relocations(&module, "reloc.DATA", CODE + 1, data.count,
                    (struct ws_slice){data.entries.data, data.entries.size});
  ws_buffer_free(&code.entries);
  ws_buffer_free(&data.entries);
  assert_false(module.failed);
  return module;
}

// ------------------------------------------------------------------------------------------------ programs

enum { MOST = 4 };
static const char *const names[MOST] = {"a", "b", "c", "d"};

struct program {
  struct ws_buffer bytes[MOST];
  struct ws_module *modules[MOST];
  const struct ws_module *read[MOST];
  size_t count;
  struct ws_arena arena;
  struct ws_one one;
  struct ws_error error;
  bool ok;
};

struct module {
  const struct item *items;
  size_t count;
};
#define MODULE_OF(...)                                                                                       \
  {(const struct item[]){__VA_ARGS__}, sizeof((const struct item[]){__VA_ARGS__}) / sizeof(struct item)}

static void find(struct program *program, const struct ws_one_options *options) {
  program->ok = ws_find_one(program->read, names, program->count, options, &program->arena, &program->one,
                            &program->error);
}

static struct program combine(const struct module *modules, size_t count) {
  struct program program = {.count = count};
  for (size_t i = 0; i < count; i++) {
    program.bytes[i] = link_items(modules[i].items, modules[i].count);
    program.modules[i] = read_named(names[i], &program.bytes[i], NULL);
    program.read[i] = program.modules[i];
  }
  find(&program, NULL);
  return program;
}
#define COMBINE(...)                                                                                         \
  combine((const struct module[]){__VA_ARGS__},                                                              \
          sizeof((const struct module[]){__VA_ARGS__}) / sizeof(struct module))

static void free_program(struct program *program) {
  for (size_t i = 0; i < program->count; i++) {
    ws_module_free(program->modules[i]);
    ws_buffer_free(&program->bytes[i]);
  }
  ws_arena_free(&program->arena);
}

static uint32_t find_symbol(const struct program *program, char module, const char *name) {
  const struct ws_module *in = program->modules[module - 'a'];
  for (uint32_t i = 0; i < in->symbol_count; i++)
    if (ws_slice_is(in->symbols[i].name, name))
      return i;
  fail_msg("%c has no %s", module, name);
  return 0;
}

// In which module the thing is that `name` means in `module`.
static char where(const struct program *program, char module, const char *name) {
  struct ws_one_symbol to = program->one.of[module - 'a'][find_symbol(program, module, name)];
  return (char)('a' + to.module);
}

#define assert_where(program, in, name, expected)                                                            \
  do {                                                                                                       \
    assert_true((program)->ok);                                                                              \
    char is_ = where((program), (in), (name));                                                               \
    if (is_ != (expected))                                                                                   \
      fail_msg("%s of %c is %c's, not %c's", (name), (in), is_, (expected));                                 \
  } while (0)

static bool is_kept(const struct program *program, const char *name, enum ws_kept_reason reason) {
  for (size_t i = 0; i < program->one.kept_count; i++)
    if (strcmp(program->one.kept[i].name, name) == 0 && program->one.kept[i].reason == reason)
      return true;
  return false;
}

// Whether what was kept of that name has variables.
static bool has_state(const struct program *program, const char *name) {
  for (size_t i = 0; i < program->one.kept_count; i++)
    if (strcmp(program->one.kept[i].name, name) == 0)
      return program->one.kept[i].has_state;
  fail_msg("%s was not kept apart", name);
  return false;
}

static bool calls_other(const struct program *program, char module, const char *name) {
  for (size_t i = 0; i < program->one.call_count; i++)
    if (program->one.calls[i].from.module == (uint32_t)(module - 'a') &&
        program->one.calls[i].from.symbol == find_symbol(program, module, name))
      return true;
  return false;
}

// ---------------------------------------------------------------------------------------------------- weak

static void weak_variables_are_the_first_ones(void **state) {
  (void)state;
  struct program program = COMBINE(MODULE_OF(FUNCTION("f", USES("v")), VARIABLE("v", WEAK)),
                                   MODULE_OF(VARIABLE("v", WEAK, .code = 7)));
  assert_where(&program, 'a', "v", 'a');
  assert_where(&program, 'b', "v", 'a');
  assert_int_equal(program.one.merged_count, 1);
  assert_string_equal(program.one.merged[0].name, "v");
  assert_int_equal(program.one.merged[0].count, 2);
  free_program(&program);
}

static void strong_variables_override_weak_ones(void **state) {
  (void)state;
  struct program program =
      COMBINE(MODULE_OF(VARIABLE("v", WEAK)), MODULE_OF(VARIABLE("v", WEAK)), MODULE_OF(VARIABLE("v", 0)));
  for (char module = 'a'; module <= 'c'; module++)
    assert_where(&program, module, "v", 'c');
  free_program(&program);
}

static void a_larger_copy_stays_apart(void **state) {
  (void)state;
  struct program program = COMBINE(
      MODULE_OF(VARIABLE("v", WEAK, .size = 4)), MODULE_OF(VARIABLE("v", WEAK, .size = 8)),
      MODULE_OF(VARIABLE("_ZN1v1wE", WEAK, .size = 8)), MODULE_OF(VARIABLE("_ZN1v1wE", WEAK, .size = 4)));
  assert_where(&program, 'b', "v", 'b');
  assert_true(is_kept(&program, "v", WS_KEPT_SIZE));
  assert_where(&program, 'd', "_ZN1v1wE", 'd'); // of C++, any difference is one
  free_program(&program);
}

static void weak_functions_are_overridden(void **state) {
  (void)state;
  struct program program = COMBINE(MODULE_OF(FUNCTION("f", WEAK), FUNCTION("g", WEAK)),
                                   MODULE_OF(FUNCTION("f", 0, 1), FUNCTION("g", WEAK, 1)));
  assert_where(&program, 'a', "f", 'b');
  assert_true(calls_other(&program, 'a', "f"));
  assert_where(&program, 'b', "g", 'a');
  assert_true(calls_other(&program, 'b', "g"));
  assert_int_equal(program.one.call_count, 2);
  free_program(&program);
}

static void inline_functions_are_one_but_calls_stay(void **state) {
  (void)state;
  struct program program = COMBINE(MODULE_OF(FUNCTION("_Z1fv", WEAK)), MODULE_OF(FUNCTION("_Z1fv", WEAK, 1)));
  assert_where(&program, 'b', "_Z1fv", 'a');
  assert_int_equal(program.one.call_count, 0);
  free_program(&program);
}

static void a_weak_definition_with_two_strong_ones_is_ambiguous(void **state) {
  (void)state;
  struct program program =
      COMBINE(MODULE_OF(FUNCTION("f", WEAK)), MODULE_OF(FUNCTION("f", 0, 1)), MODULE_OF(FUNCTION("f", 0, 2)));
  assert_false(program.ok);
  assert_says(program.error.message, "weak function f");
  assert_says(program.error.message, "both b and c");
  find(&program, &(struct ws_one_options){.prefer = (const size_t[]){2}, .prefer_count = 1});
  assert_where(&program, 'a', "f", 'c');
  assert_where(&program, 'b', "f", 'b');
  free_program(&program);
}

static void stubs_for_weak_functions_are_bound(void **state) {
  (void)state;
  struct program program =
      COMBINE(MODULE_OF(FUNCTION("run", USES("undefined_weak:g", "undefined_weak:n::f(int)")),
                        FUNCTION("undefined_weak:g", LOCAL), FUNCTION("undefined_weak:n::f(int)", LOCAL),
                        FUNCTION("undefined_weak:thread-local initialization routine for n::v", LOCAL),
                        FUNCTION("undefined_weak:nobody", LOCAL)),
              MODULE_OF(FUNCTION("g", 0), FUNCTION("_ZN1n1fEi", 0), FUNCTION("_ZTHN1n1vE", 0)));
  assert_where(&program, 'a', "undefined_weak:g", 'b');
#ifdef WS_HAS_DEMANGLER
  const char cxx = 'b';
#else
  const char cxx = 'a'; // nothing tells what is meant
#endif
  assert_where(&program, 'a', "undefined_weak:n::f(int)", cxx);
  assert_where(&program, 'a', "undefined_weak:thread-local initialization routine for n::v", cxx);
  assert_where(&program, 'a', "undefined_weak:nobody", 'a');
  assert_int_equal(program.one.call_count, cxx == 'b' ? 3 : 1);
  free_program(&program);
}

// --------------------------------------------------------------------------------------------- plain names

static void plain_names_stay_apart(void **state) {
  (void)state;
  // Two plug-ins from one template.
  struct program program = COMBINE(MODULE_OF(FUNCTION("helper", 0, USES("state", "STATE")),
                                             VARIABLE("STATE", 0), VARIABLE("state", LOCAL)),
                                   MODULE_OF(FUNCTION("helper", 0, USES("state", "STATE")),
                                             VARIABLE("STATE", 0), VARIABLE("state", LOCAL)));
  assert_where(&program, 'b', "helper", 'b');
  assert_where(&program, 'b', "STATE", 'b');
  assert_where(&program, 'b', "state", 'b');
  assert_int_equal(program.one.merged_count, 0);
  assert_true(is_kept(&program, "helper", WS_KEPT_PLAIN));
  assert_true(is_kept(&program, "STATE", WS_KEPT_PLAIN));
  free_program(&program);
}

static void undefined_names_mean_the_only_definition(void **state) {
  (void)state;
  struct program program = COMBINE(
      MODULE_OF(FUNCTION("f", UNDEFINED), FUNCTION("two", UNDEFINED), VARIABLE("v", UNDEFINED | WEAK),
                FUNCTION("run", 0, USES("f", "two", "v"))),
      MODULE_OF(FUNCTION("f", 0), FUNCTION("two", 0), VARIABLE("v", 0)), MODULE_OF(FUNCTION("two", 0, 1)));
  assert_where(&program, 'a', "f", 'b');
  assert_where(&program, 'a', "v", 'b');
  assert_where(&program, 'a', "two", 'a'); // which, is for ws_resolve to ask
  find(&program, &(struct ws_one_options){.prefer = (const size_t[]){2}, .prefer_count = 1});
  assert_where(&program, 'a', "two", 'c');
  free_program(&program);
}

// ----------------------------------------------------------------------------------------- library objects

#define RAND(...) FUNCTION("rand", 0, 1, USES("seed")), VARIABLE("seed", LOCAL, __VA_ARGS__)

static void state_goes_with_the_functions_that_use_it(void **state) {
  (void)state;
  struct program program =
      COMBINE(MODULE_OF(RAND()), MODULE_OF(FUNCTION("srand", 0, 2, USES("seed")), RAND()));
  assert_where(&program, 'b', "rand", 'a');
  assert_where(&program, 'b', "seed", 'a');
  assert_where(&program, 'b', "srand", 'b'); // but sets a's seed
  free_program(&program);
}

static void state_is_found_through_local_functions_and_pointers(void **state) {
  (void)state;
#define OBJECT                                                                                               \
  FUNCTION("malloc", 0, USES("inner")), FUNCTION("inner", LOCAL, 3, USES("inner", "list")),                  \
      VARIABLE("list", LOCAL, USES("heap", "&freed")), VARIABLE("heap", LOCAL, .size = 64),                  \
      FUNCTION("freed", LOCAL, 5)
  struct program program = COMBINE(MODULE_OF(OBJECT), MODULE_OF(VARIABLE("other", LOCAL), OBJECT));
  static const char *const all[] = {"malloc", "inner", "list", "heap", "freed"};
  for (size_t i = 0; i < sizeof all / sizeof *all; i++)
    assert_where(&program, 'b', all[i], 'a');
  assert_where(&program, 'b', "other", 'b');
  free_program(&program);
}

static void parts_of_an_object_are_joined_by_a_third_one(void **state) {
  (void)state;
  struct program program =
      COMBINE(MODULE_OF(RAND()), MODULE_OF(FUNCTION("srand", 0, 2, USES("seed")), VARIABLE("seed", LOCAL)),
              MODULE_OF(FUNCTION("srand", 0, 2, USES("seed")), RAND()));
  assert_where(&program, 'b', "seed", 'a');
  assert_where(&program, 'c', "seed", 'a');
  assert_where(&program, 'c', "srand", 'b');
  free_program(&program);
}

static void parts_without_a_function_in_common_stay_apart(void **state) {
  (void)state;
  struct program program = COMBINE(MODULE_OF(FUNCTION("__get", 0, 1, USES("seed")), VARIABLE("seed", LOCAL)),
                                   MODULE_OF(FUNCTION("__set", 0, 2, USES("seed")), VARIABLE("seed", LOCAL)));
  assert_where(&program, 'b', "seed", 'b');
  assert_true(is_kept(&program, "seed", WS_KEPT_UNRELATED));
  free_program(&program);
}

static void functions_of_one_state_need_no_function_in_common(void **state) {
  (void)state;
#define SRAND(...) FUNCTION("srand", 0, 2, USES("seed")), VARIABLE("seed", LOCAL, __VA_ARGS__)
  struct program program = COMBINE(MODULE_OF(RAND()), MODULE_OF(SRAND(0)), MODULE_OF(RAND()));
  assert_where(&program, 'b', "seed", 'a');
  assert_where(&program, 'c', "seed", 'a');
  assert_int_equal(program.one.kept_count, 0);
  free_program(&program);
  // Another version has another variable; and where both have one of the functions, that is compared.
  program = COMBINE(MODULE_OF(RAND()), MODULE_OF(SRAND(0, .size = 8)));
  assert_where(&program, 'b', "seed", 'b');
  free_program(&program);
  program = COMBINE(MODULE_OF(RAND()), MODULE_OF(SRAND(0), FUNCTION("rand", 0, 9, USES("seed"))));
  assert_where(&program, 'b', "seed", 'b');
  free_program(&program);
  program = COMBINE(
      MODULE_OF(FUNCTION("__cxa_get_globals", 0, 1, USES("globals")), VARIABLE("globals", LOCAL)),
      MODULE_OF(FUNCTION("__cxa_get_globals_fast", 0, 2, USES("globals")), VARIABLE("globals", LOCAL)));
  assert_where(&program, 'b', "globals", 'a');
  free_program(&program);
  // A plug-in's own.
  program = COMBINE(MODULE_OF(RAND()), MODULE_OF(SRAND(0), FUNCTION("plug_in", 0, USES("seed"))));
  assert_where(&program, 'b', "seed", 'b');
  free_program(&program);
}

// What C says works on one heap, in modules that call none of the same functions: a local function tells that
// the objects are the same.
#define ALLOCATE(version) FUNCTION("allocate", LOCAL, version, USES("heap")), VARIABLE("heap", LOCAL)
#define MALLOC(version) FUNCTION("malloc", 0, 1, USES("allocate")), ALLOCATE(version)
#define REALLOC(version) FUNCTION("realloc", 0, 2, USES("allocate")), ALLOCATE(version)

static void allocators_are_one_by_their_local_functions(void **state) {
  (void)state;
  struct program program = COMBINE(MODULE_OF(MALLOC(5)), MODULE_OF(REALLOC(5)));
  assert_where(&program, 'b', "heap", 'a');
  assert_where(&program, 'b', "allocate", 'a');
  assert_where(&program, 'b', "realloc", 'b');
  assert_int_equal(program.one.kept_count, 0);
  free_program(&program);
}

static void assert_refused(struct program *program, const char *message) {
  assert_false(program->ok);
  if (!strstr(program->error.message, message))
    fail_msg("'%s' has no '%s'", program->error.message, message);
  free_program(program);
}

#define FREE(...) FUNCTION("free", 0, 3, USES("heap")), VARIABLE("heap", LOCAL, __VA_ARGS__)
#define OTHER_FREE FREE(.size = 8)

static void what_makes_memory_and_what_takes_it_back_are_of_one_heap(void **state) {
  (void)state;
  struct program program = COMBINE(MODULE_OF(MALLOC(5)), MODULE_OF(FREE(0)));
  assert_where(&program, 'b', "heap", 'a');
  assert_where(&program, 'b', "free", 'b'); // but works on a's
  assert_int_equal(program.one.kept_count, 0);
  free_program(&program);
  program = COMBINE(MODULE_OF(MALLOC(5)), MODULE_OF(FREE(0)), MODULE_OF(REALLOC(5)));
  assert_where(&program, 'b', "heap", 'a');
  assert_where(&program, 'c', "heap", 'a');
  free_program(&program);
}

static void what_frees_another_heap_is_refused(void **state) {
  (void)state;
  struct program program = COMBINE(MODULE_OF(MALLOC(5)), MODULE_OF(OTHER_FREE));
  assert_refused(&program, "may call free for what malloc of a");
  // One heap looks like this, but another variable does not, or there are two heaps that do.
  program = COMBINE(MODULE_OF(FUNCTION("malloc", 0, 1, USES("heap", "more")), VARIABLE("heap", LOCAL),
                              VARIABLE("more", LOCAL)),
                    MODULE_OF(FUNCTION("free", 0, 3, USES("heap", "more")), VARIABLE("heap", LOCAL),
                              VARIABLE("more", LOCAL, .size = 8)));
  assert_refused(&program, "may call free for what malloc of a");
  program = COMBINE(MODULE_OF(MALLOC(5)), MODULE_OF(MALLOC(6)), MODULE_OF(FREE(0)));
  assert_refused(&program, "may call free for what malloc of a");
  // The libraries differ in what they have beside it.
  program = COMBINE(MODULE_OF(MALLOC(5), FUNCTION("puts", 0, 1)), MODULE_OF(FREE(0), FUNCTION("puts", 0, 2)));
  assert_refused(&program, "may call free for what malloc of a");
  // Whatever the variables are called.
  program = COMBINE(MODULE_OF(FUNCTION("free", 0, 3, USES("other")), VARIABLE("other", LOCAL, .size = 8)),
                    MODULE_OF(MALLOC(5)));
  assert_refused(&program, "--export-if-defined=malloc");
  // Through functions without variables of their own, and where the copies differ.
  program = COMBINE(MODULE_OF(FUNCTION("calloc", 0, 1, USES("malloc")), MALLOC(5)), MODULE_OF(REALLOC(6)));
  assert_refused(&program, "may call realloc for what");
  program = COMBINE(MODULE_OF(FUNCTION("calloc", 0, 1, USES("__make")),
                              FUNCTION("__make", 0, 2, USES("heap")), VARIABLE("heap", LOCAL)),
                    MODULE_OF(FREE(0)));
  assert_refused(&program, "--export-if-defined=calloc");
}

static void side_by_side_each_has_its_heap(void **state) {
  (void)state;
  struct program program = COMBINE(MODULE_OF(MALLOC(5)), MODULE_OF(OTHER_FREE));
  assert_false(program.ok);
  find(&program, &(struct ws_one_options){.side_by_side = true});
  assert_where(&program, 'b', "heap", 'b');
  free_program(&program);
}

static void what_frees_its_own_heap_is_not_refused(void **state) {
  (void)state;
  // One heap, by a third module.
  struct program program = COMBINE(MODULE_OF(MALLOC(5)), MODULE_OF(FREE(0)),
                                   MODULE_OF(FUNCTION("malloc", 0, 1, USES("allocate")),
                                             FUNCTION("free", 0, 3, USES("heap")), ALLOCATE(5)));
  assert_where(&program, 'b', "heap", 'a');
  free_program(&program);
  // Two versions, each whole.
  program = COMBINE(MODULE_OF(MALLOC(5), FUNCTION("free", 0, 3, USES("heap"))),
                    MODULE_OF(MALLOC(6), FUNCTION("free", 0, 3, USES("heap"))));
  assert_where(&program, 'b', "heap", 'b');
  free_program(&program);
  // Nobody takes anything back, or nobody makes anything, or what takes it back is without a heap.
  program = COMBINE(MODULE_OF(MALLOC(5)),
                    MODULE_OF(FUNCTION("calloc", 0, 4, USES("heap")), VARIABLE("heap", LOCAL, .size = 8)));
  assert_where(&program, 'b', "heap", 'b');
  free_program(&program);
  program =
      COMBINE(MODULE_OF(FREE(0)), MODULE_OF(FUNCTION("free", 0, 4, USES("heap")), VARIABLE("heap", LOCAL)));
  assert_where(&program, 'b', "heap", 'b');
  free_program(&program);
  program = COMBINE(MODULE_OF(MALLOC(5)), MODULE_OF(FUNCTION("free", 0, 3)));
  assert_where(&program, 'a', "heap", 'a');
  free_program(&program);
  // The heap is another module's.
  program = COMBINE(MODULE_OF(MALLOC(5), FUNCTION("free", 0, 3, USES("heap"))),
                    MODULE_OF(FUNCTION("free", UNDEFINED), FUNCTION("drop", 0, 1, USES("free"))));
  assert_where(&program, 'b', "free", 'a');
  free_program(&program);
}

static void other_versions_stay_apart(void **state) {
  (void)state;
  // free() is the same in both versions, and works on the state of a malloc() that is not.
#define HEAP(version)                                                                                        \
  FUNCTION("malloc", 0, version, USES("heap")), FUNCTION("free", 0, 9, USES("heap")), VARIABLE("heap", LOCAL)
  struct program program =
      COMBINE(MODULE_OF(HEAP(1)), MODULE_OF(HEAP(2)), MODULE_OF(HEAP(1)), MODULE_OF(HEAP(2)));
  assert_where(&program, 'b', "heap", 'b');
  assert_where(&program, 'b', "free", 'b');
  assert_where(&program, 'c', "heap", 'a');
  assert_where(&program, 'c', "malloc", 'a');
  assert_where(&program, 'd', "heap", 'b');
  assert_true(is_kept(&program, "malloc", WS_KEPT_DIFFERENT));
  assert_true(has_state(&program, "malloc"));
  assert_true(is_kept(&program, "free", WS_KEPT_OBJECT));
  free_program(&program);
}

static void variables_of_other_versions_stay_apart(void **state) {
  (void)state;
  struct program program = COMBINE(
      MODULE_OF(FUNCTION("lgamma", 0, 1, USES("signgam")), VARIABLE("signgam", 0), FUNCTION("labs", 0)),
      MODULE_OF(FUNCTION("lgamma", 0, 2, USES("signgam")), VARIABLE("signgam", 0), FUNCTION("labs", 0)));
  assert_where(&program, 'b', "signgam", 'b');
  assert_where(&program, 'b', "labs", 'a');
  free_program(&program);
}

static void errno_is_of_all_versions(void **state) {
  (void)state;
  struct program program = COMBINE(MODULE_OF(FUNCTION("strtol", 0, 1, USES("errno")), VARIABLE("errno", 0)),
                                   MODULE_OF(FUNCTION("strtol", 0, 2, USES("errno")), VARIABLE("errno", 0)));
  assert_where(&program, 'b', "errno", 'a');
  assert_where(&program, 'b', "strtol", 'b');
  free_program(&program);
}

static void other_content_is_another_version(void **state) {
  (void)state;
  struct program program = COMBINE(MODULE_OF(RAND(.code = 1)), MODULE_OF(RAND(.code = 2)));
  assert_where(&program, 'b', "seed", 'b');
  assert_where(&program, 'b', "rand", 'b');
  assert_true(is_kept(&program, "rand", WS_KEPT_DIFFERENT));
  free_program(&program);
}

static void objects_with_plain_names_are_of_no_library(void **state) {
  (void)state;
  // Plug-ins from one template, whose helpers have names of C's and C++'s.
#define OWN(name)                                                                                            \
  FUNCTION(name, 0, USES("count")), FUNCTION("clock", 0, USES("count")),                                     \
      FUNCTION("_Z6helperv", 0, USES("count")), VARIABLE("count", LOCAL)
  struct program program = COMBINE(MODULE_OF(OWN("left")), MODULE_OF(OWN("right")));
  assert_where(&program, 'b', "clock", 'b');
  assert_where(&program, 'b', "_Z6helperv", 'b');
  assert_where(&program, 'b', "count", 'b');
  assert_true(is_kept(&program, "clock", WS_KEPT_OWN));
  free_program(&program);
  // What uses plain names that stay apart is not the same.
  program = COMBINE(MODULE_OF(FUNCTION("malloc", 0, USES("mi_malloc")), FUNCTION("mi_malloc", 0)),
                    MODULE_OF(FUNCTION("malloc", 0, USES("mi_malloc")), FUNCTION("mi_malloc", 0)));
  assert_where(&program, 'b', "malloc", 'b');
  free_program(&program);
  // Nor are variables of the object one, but those of libraries are.
#define MORE                                                                                                 \
  FUNCTION("_Z6helperv", 0, USES("count", "_ZN1n1vE", "_ZNSt3__14coutE")), VARIABLE("count", LOCAL),         \
      VARIABLE("_ZN1n1vE", 0), VARIABLE("_ZNSt3__14coutE", 0), FUNCTION("entry", 0, USES("count"))
  program = COMBINE(MODULE_OF(MORE), MODULE_OF(MORE));
  assert_where(&program, 'b', "_ZN1n1vE", 'b');
  assert_where(&program, 'b', "_ZNSt3__14coutE", 'a');
  free_program(&program);
  // But they override what a library has weak.
  program = COMBINE(MODULE_OF(FUNCTION("_Znwm", WEAK)),
                    MODULE_OF(FUNCTION("_Znwm", 0, 1, USES("count")), FUNCTION("used", 0, USES("count")),
                              VARIABLE("count", LOCAL)));
  assert_where(&program, 'a', "_Znwm", 'b');
  assert_true(calls_other(&program, 'a', "_Znwm"));
  free_program(&program);
}

static void what_is_not_as_the_library_has_it_is_plain(void **state) {
  (void)state;
  // Plug-ins from one template again: what C's log() does needs no variables.
#define LOG(variable, flags) FUNCTION("log", 0, 2, USES(variable)), VARIABLE(variable, flags)
  struct program program = COMBINE(MODULE_OF(LOG("count", LOCAL)), MODULE_OF(LOG("count", LOCAL)));
  assert_where(&program, 'b', "log", 'b');
  assert_where(&program, 'b', "count", 'b');
  assert_true(is_kept(&program, "log", WS_KEPT_PLAIN));
  assert_int_equal(program.one.kept_count, 1);
  free_program(&program);
  program = COMBINE(MODULE_OF(LOG("shared", UNDEFINED)), MODULE_OF(LOG("optind", 0)),
                    MODULE_OF(FUNCTION("log", 0)), MODULE_OF(FUNCTION("log", 0), VARIABLE("shared", 0)));
  assert_where(&program, 'b', "log", 'b');
  assert_where(&program, 'c', "log", 'c');
  assert_where(&program, 'd', "log", 'c');
  free_program(&program);
  // But errors are told, and tables are read.
  program = COMBINE(MODULE_OF(LOG("errno", 0)), MODULE_OF(LOG("errno", 0)));
  assert_where(&program, 'b', "log", 'a');
  free_program(&program);
  program = COMBINE(MODULE_OF(LOG("__log_data", 0)), MODULE_OF(LOG("__log_data", 0)));
  assert_where(&program, 'b', "log", 'a');
  free_program(&program);
  // Other types than C's functions have.
#define OTHERS                                                                                               \
  FUNCTION("rand", 0, .is_namesake = true, USES("seed")),                                                    \
      FUNCTION("free", 0, 1, .is_namesake = true, USES("seed")), VARIABLE("seed", LOCAL)
  program = COMBINE(MODULE_OF(OTHERS), MODULE_OF(OTHERS), MODULE_OF(SRAND(0)), MODULE_OF(MALLOC(5)));
  assert_where(&program, 'b', "rand", 'b');
  assert_where(&program, 'b', "seed", 'b');
  assert_where(&program, 'c', "seed", 'c');
  assert_true(is_kept(&program, "rand", WS_KEPT_PLAIN));
  assert_int_equal(program.one.kept_count, 2);
  free_program(&program);
}

static void a_library_with_an_interface_of_plain_names_is_one(void **state) {
  (void)state;
#define STEP(...) FUNCTION("_ZN3lib4stepEv", 0, USES("count")), VARIABLE("count", LOCAL), __VA_ARGS__
#define INTERFACE FUNCTION("lib_step", 0, 2, USES("count", "lib_level")), VARIABLE("lib_level", 0)
#define OTHER FUNCTION("lib_other", 0, 3, USES("count"))
#define USER FUNCTION("_Z4userv", WEAK, 4, USES("_ZN3lib4stepEv"))
  static const char *const all[] = {"_ZN3lib4stepEv", "count", "lib_step", "lib_level"};
  struct program program = COMBINE(MODULE_OF(STEP(INTERFACE), USER), MODULE_OF(STEP(INTERFACE, OTHER), USER));
  for (size_t i = 0; i < sizeof all / sizeof *all; i++)
    assert_where(&program, 'b', all[i], 'a');
  assert_int_equal(program.one.kept_count, 0);
  free_program(&program);
  // Where a linker has dropped the interface, and in a module that has a plain name of its own.
  program = COMBINE(MODULE_OF(STEP(FUNCTION("lib_step", LOCAL)), USER), MODULE_OF(STEP(INTERFACE), USER),
                    MODULE_OF(FUNCTION("lib_step", 0, 7)));
  assert_where(&program, 'b', "count", 'a');
  assert_where(&program, 'c', "lib_step", 'c');
  free_program(&program);
  // C's names make no library of what plug-ins have.
#define HELPERS                                                                                              \
  FUNCTION("log", 0, USES("count")), FUNCTION("helper", 0, 2, USES("count")), VARIABLE("count", LOCAL)
  program = COMBINE(MODULE_OF(FUNCTION("left", 0, USES("log", "helper")), HELPERS),
                    MODULE_OF(FUNCTION("right", 0, USES("log", "helper")), HELPERS));
  assert_where(&program, 'b', "log", 'b');
  assert_where(&program, 'b', "count", 'b');
  free_program(&program);
  // Each has a plain name that the other has not; or nothing else uses it: plug-ins.
  program = COMBINE(MODULE_OF(STEP(INTERFACE), USER), MODULE_OF(STEP(OTHER), USER));
  assert_where(&program, 'b', "count", 'b');
  free_program(&program);
  program = COMBINE(MODULE_OF(STEP(INTERFACE)), MODULE_OF(STEP(INTERFACE)));
  assert_where(&program, 'b', "count", 'b');
  assert_where(&program, 'b', "lib_step", 'b');
  free_program(&program);
}

static void what_may_be_one_in_a_library_of_cxx_is_told(void **state) {
  (void)state;
  // Each has another function of it, which something else of the module uses.
#define PART(function, user)                                                                                 \
  FUNCTION(function, 0, USES("_ZL5total")), VARIABLE("_ZL5total", LOCAL), FUNCTION(user, 0, USES(function))
  struct program program =
      COMBINE(MODULE_OF(PART("_ZN3lib3addEi", "_Z1av")), MODULE_OF(PART("_ZNK3lib3sumEv", "_Z1bv")));
  assert_where(&program, 'b', "_ZL5total", 'b');
  assert_true(is_kept(&program, "_ZL5total", WS_KEPT_UNRELATED));
  free_program(&program);
  // Of other classes, or used by nothing, as what plug-ins export.
  program = COMBINE(MODULE_OF(PART("_ZN3lib3addEi", "_Z1av")),
                    MODULE_OF(PART("_ZN3lib5Class3sumEv", "_Z1bv")), MODULE_OF(PART("_Z3sumv", "_Z1cv")),
                    MODULE_OF(FUNCTION("_ZN3lib3sumEv", 0, USES("_ZL5total")), VARIABLE("_ZL5total", LOCAL)));
  assert_int_equal(program.one.kept_count, 0);
  free_program(&program);
  // A global variable has C's name for it.
#define GLOBAL FUNCTION("_Z3addi", 0, USES("total")), VARIABLE("total", 0)
  program = COMBINE(MODULE_OF(GLOBAL), MODULE_OF(GLOBAL));
  assert_where(&program, 'b', "total", 'b');
  assert_true(is_kept(&program, "total", WS_KEPT_UNMANGLED));
  free_program(&program);
  program =
      COMBINE(MODULE_OF(GLOBAL), MODULE_OF(FUNCTION("_Z3addi", 0, 2, USES("total")), VARIABLE("total", 0)));
  assert_true(is_kept(&program, "total", WS_KEPT_PLAIN));
  free_program(&program);
}

static void weak_names_of_cxx_are_one_beside_strong_ones(void **state) {
  (void)state;
  // A variable's initialisation is that of all thread-local variables of its object.
#define TLS(beside, version)                                                                                 \
  FUNCTION("__tls_init", LOCAL, version, USES("done")), FUNCTION("_ZTH1x", WEAK, .alias = "__tls_init"),     \
      FUNCTION(beside, 0, .alias = "__tls_init"), FUNCTION("_ZTW1x", WEAK, 2, USES("_ZTH1x")),               \
      VARIABLE("done", LOCAL)
  struct program program = COMBINE(MODULE_OF(TLS("_ZTH1a", 3)), MODULE_OF(TLS("_ZTH1b", 4)));
  assert_where(&program, 'b', "_ZTH1x", 'a');
  assert_true(calls_other(&program, 'b', "_ZTH1x"));
  assert_where(&program, 'b', "_ZTH1b", 'b');
  assert_where(&program, 'b', "done", 'b');
  free_program(&program);
}

static void what_names_different_things_is_different(void **state) {
  (void)state;
  struct program program =
      COMBINE(MODULE_OF(FUNCTION("exit", 0, USES("one")), FUNCTION("one", 0), FUNCTION("two", 0)),
              MODULE_OF(FUNCTION("exit", 0, USES("two")), FUNCTION("one", 0), FUNCTION("two", 0)));
  assert_where(&program, 'b', "exit", 'b');
  assert_false(has_state(&program, "exit"));
  free_program(&program);
}

static void string_literals_are_compared_but_stay_apart(void **state) {
  (void)state;
  struct program program =
      COMBINE(MODULE_OF(FUNCTION("puts", 0, USES(".L.str")), VARIABLE(".L.str", LOCAL),
                        FUNCTION("perror", 0, USES(".L.str.1")), VARIABLE(".L.str.1", LOCAL, 1)),
              MODULE_OF(FUNCTION("puts", 0, USES(".L.str.5")), VARIABLE(".L.str.5", LOCAL),
                        FUNCTION("perror", 0, USES(".L.str.6")), VARIABLE(".L.str.6", LOCAL, 2)));
  assert_where(&program, 'b', "puts", 'a');
  assert_where(&program, 'b', ".L.str.5", 'b');
  assert_where(&program, 'b', "perror", 'b');
  free_program(&program);
}

static void what_matches_two_ways_stays_apart(void **state) {
  (void)state;
  // Both of b's variables would be a's.
  struct program program =
      COMBINE(MODULE_OF(FUNCTION("rand", 0, USES("seed")), FUNCTION("srand", 0, 1, USES("seed")),
                        VARIABLE("seed", LOCAL)),
              MODULE_OF(FUNCTION("rand", 0, USES("seed")), VARIABLE("seed", LOCAL),
                        FUNCTION("srand", 0, 1, USES("seed.llvm.1")), VARIABLE("seed.llvm.1", LOCAL)));
  static const char *const all[] = {"rand", "srand", "seed", "seed.llvm.1"};
  for (size_t i = 0; i < sizeof all / sizeof *all; i++)
    assert_where(&program, 'b', all[i], 'b');
  assert_true(is_kept(&program, "rand", WS_KEPT_OBJECT));
  free_program(&program);
}

static void the_preferred_module_has_it(void **state) {
  (void)state;
  struct program program = COMBINE(MODULE_OF(RAND()), MODULE_OF(RAND()));
  find(&program, &(struct ws_one_options){.prefer = (const size_t[]){1}, .prefer_count = 1});
  assert_where(&program, 'a', "seed", 'b');
  assert_where(&program, 'b', "seed", 'b');
  free_program(&program);
}

static void entry_points_are_each_modules_own(void **state) {
  (void)state;
#define START FUNCTION("_initialize", 0, USES("initialized")), VARIABLE("initialized", LOCAL)
  struct program program = COMBINE(MODULE_OF(START), MODULE_OF(START));
  assert_where(&program, 'b', "_initialize", 'b');
  assert_where(&program, 'b', "initialized", 'b');
  assert_int_equal(program.one.kept_count, 0);
  free_program(&program);
}

// -------------------------------------------------------------------------------------------- C++ and Rust

static void cxx_entities_are_one(void **state) {
  (void)state;
  struct program program =
      COMBINE(MODULE_OF(FUNCTION("_ZN1n1fEv", 0, USES("_ZL1s")), VARIABLE("_ZL1s", LOCAL),
                        VARIABLE("_ZN1n1vE", 0), VARIABLE("_ZTI1T", WEAK)),
              MODULE_OF(VARIABLE("_ZTI1T", WEAK), VARIABLE("_ZN1n1vE", 0),
                        FUNCTION("_ZN1n1fEv", 0, USES("_ZL1s")), VARIABLE("_ZL1s", LOCAL)));
  assert_where(&program, 'b', "_ZN1n1fEv", 'a');
  assert_where(&program, 'b', "_ZL1s", 'a');
  assert_where(&program, 'b', "_ZN1n1vE", 'a');
  assert_where(&program, 'b', "_ZTI1T", 'a');
  free_program(&program);
}

static void inline_functions_tell_nothing_of_local_state(void **state) {
  (void)state;
  struct program program =
      COMBINE(MODULE_OF(FUNCTION("_Z1fv", WEAK, USES("_ZL1s")), VARIABLE("_ZL1s", LOCAL)),
              MODULE_OF(FUNCTION("_Z1fv", WEAK, USES("_ZL1s")), VARIABLE("_ZL1s", LOCAL)));
  assert_where(&program, 'b', "_ZL1s", 'b');
  free_program(&program);
}

static void what_lto_made_local_is_found_by_name(void **state) {
  (void)state;
  struct program program =
      COMBINE(MODULE_OF(VARIABLE("_ZN1n1vE", LOCAL), VARIABLE("_ZN12_GLOBAL__N_11wE", LOCAL),
                        VARIABLE("_ZZ1fvE1x", LOCAL), VARIABLE("_ZN1nL1yE", LOCAL), FUNCTION("run", 0)),
              MODULE_OF(VARIABLE("_ZN1n1vE", WEAK), VARIABLE("_ZN12_GLOBAL__N_11wE", LOCAL),
                        VARIABLE("_ZZ1fvE1x", LOCAL), VARIABLE("_ZN1nL1yE", LOCAL)));
  assert_where(&program, 'b', "_ZN1n1vE", where(&program, 'a', "_ZN1n1vE"));
  assert_where(&program, 'b', "_ZN12_GLOBAL__N_11wE", 'b');
  assert_where(&program, 'b', "_ZZ1fvE1x", 'b');
  assert_where(&program, 'b', "_ZN1nL1yE", 'b');
  free_program(&program);
}

static void statics_of_rust_are_found_by_name(void **state) {
  (void)state;
#define OLD "_ZN6common6LOGGER17h0123456789abcdefE"
  struct program program = COMBINE(
      MODULE_OF(VARIABLE("_RNvC6common5SPLIT.0", LOCAL), VARIABLE("_RNvC6common5COUNT", LOCAL),
                VARIABLE(OLD, LOCAL), VARIABLE("_RNvC6common4TORN", LOCAL), FUNCTION("run", 0),
                VARIABLE("_RNvNtC12wasm_bindgen9externref4SLAB", LOCAL)),
      MODULE_OF(VARIABLE("_RNvC6common5SPLIT", LOCAL), VARIABLE("_RNvC6common4TORN", LOCAL, .size = 8),
                VARIABLE("_RNvC6common5COUNT.llvm.123", 0), VARIABLE(OLD, LOCAL),
                VARIABLE("_RNvNtC12wasm_bindgen9externref4SLAB", LOCAL)));
  assert_where(&program, 'b', "_RNvC6common5COUNT.llvm.123", 'a');
  assert_where(&program, 'b', OLD, 'a');
  assert_where(&program, 'b', "_RNvC6common4TORN", 'b');
  assert_true(is_kept(&program, "_RNvC6common4TORN", WS_KEPT_DIFFERENT));
  assert_true(is_kept(&program, "_RNvC6common5SPLIT", WS_KEPT_DIFFERENT));
  assert_where(&program, 'b', "_RNvNtC12wasm_bindgen9externref4SLAB", 'b');
  free_program(&program);
}

static void sections_that_linkers_gather_are_told(void **state) {
  (void)state;
  struct program program = COMBINE(MODULE_OF(FUNCTION("run", 0), VARIABLE("__start_list", ABSOLUTE)),
                                   MODULE_OF(FUNCTION("work", 0), VARIABLE("__start_list", ABSOLUTE)));
  assert_where(&program, 'b', "__start_list", 'b');
  assert_true(is_kept(&program, "__start_list", WS_KEPT_SECTION));
  free_program(&program);
}

// ---------------------------------------------------------------------------------------------------- tags

static void tags_of_the_abi_are_one(void **state) {
  (void)state;
  struct program program = COMBINE(MODULE_OF(FUNCTION("run", 0), TAG("__cpp_exception", 0), TAG("mine", 0)),
                                   MODULE_OF(FUNCTION("work", 0), TAG("__cpp_exception", 0), TAG("mine", 0)));
  assert_where(&program, 'b', "__cpp_exception", 'a');
  assert_where(&program, 'b', "mine", 'b');
  assert_true(is_kept(&program, "mine", WS_KEPT_PLAIN));
  free_program(&program);
}

static void tags_are_of_a_module_that_need_not_import_one_behind_its_own(void **state) {
  (void)state;
#define JUMPS TAG("__c_longjmp", 0)
#define THROWS TAG("__cpp_exception", 0)
  struct program program =
      COMBINE(MODULE_OF(FUNCTION("a", 0), THROWS), MODULE_OF(FUNCTION("b", 0), JUMPS, THROWS),
              MODULE_OF(FUNCTION("c", 0), JUMPS));
  assert_where(&program, 'a', "__cpp_exception", 'b');
  assert_where(&program, 'b', "__cpp_exception", 'b');
  assert_where(&program, 'c', "__c_longjmp", 'b');
  free_program(&program);
  program = COMBINE(MODULE_OF(FUNCTION("a", 0), THROWS, JUMPS),
                    MODULE_OF(FUNCTION("b", 0), TAG("mine", 0), THROWS));
  assert_where(&program, 'a', "__cpp_exception", 'b');
  assert_where(&program, 'a', "__c_longjmp", 'a');
  free_program(&program);
}

static void tags_of_other_types_stay_apart(void **state) {
  (void)state;
  struct program program = COMBINE(MODULE_OF(FUNCTION("run", 0), TAG("__cpp_exception", 0)),
                                   MODULE_OF(FUNCTION("work", 0), TAG("__cpp_exception", 0, 1)));
  assert_where(&program, 'b', "__cpp_exception", 'b');
  assert_true(is_kept(&program, "__cpp_exception", WS_KEPT_TYPE));
  free_program(&program);
}

// ---------------------------------------------------------------------------------------- beginning and end

static void constructors_run_by_priority_and_once(void **state) {
  (void)state;
#define LIBRARY                                                                                              \
  FUNCTION("_GLOBAL__sub_I_l.cc", LOCAL, .priority = 5, USES("_ZN1l1vE")), VARIABLE("_ZN1l1vE", 0)
  struct program program =
      COMBINE(MODULE_OF(FUNCTION("late", LOCAL, .priority = 5, USES("own")), VARIABLE("own", LOCAL), LIBRARY),
              MODULE_OF(LIBRARY, FUNCTION("late", LOCAL, .priority = 5, USES("own")), VARIABLE("own", LOCAL),
                        FUNCTION("early", LOCAL, .priority = 2)));
  struct ws_constructor *list;
  size_t count;
  assert_true(program.ok);
  assert_true(
      ws_order_constructors(program.read, 2, &program.one, &program.arena, &list, &count, &program.error));
  static const struct {
    uint32_t module;
    const char *name;
  } expected[] = {{1, "early"}, {0, "late"}, {0, "_GLOBAL__sub_I_l.cc"}, {1, "late"}};
  assert_int_equal(count, 4);
  for (size_t i = 0; i < count; i++) {
    assert_int_equal(list[i].function.module, expected[i].module);
    assert_slice_is(program.modules[list[i].function.module]->symbols[list[i].function.symbol].name,
                    text(expected[i].name));
  }
  free_program(&program);
}

static void a_constructor_of_plugins_runs_in_each(void **state) {
  (void)state;
  // It only uses what is the library's.
#define PLUGIN                                                                                               \
  FUNCTION("hello", LOCAL, .priority = 5, USES("fputs", "stdout")), FUNCTION("fputs", 0, 1),                 \
      VARIABLE("stdout", 0)
  struct program program = COMBINE(MODULE_OF(PLUGIN), MODULE_OF(PLUGIN));
  assert_where(&program, 'b', "stdout", 'a');
  assert_where(&program, 'b', "hello", 'b');
  free_program(&program);
}

static void modules_come_after_what_they_need(void **state) {
  (void)state;
  // 0 and 1 call each other; 0 needs a tag of 1; 2 calls 0; 3 and 4 each need a tag of the other.
  struct ws_need needs[] = {{.module = 1, .from = 0, .is_function = true},
                            {.module = 0, .from = 1, .is_function = true},
                            {.module = 0, .from = 1},
                            {.module = 2, .from = 0, .is_function = true},
                            {.module = 3, .from = 4},
                            {.module = 4, .from = 3}};
  uint32_t order[5];
  assert_true(ws_order_modules(5, needs, 6, order));
  static const uint32_t expected[] = {1, 0, 2};
  for (size_t i = 0; i < 3; i++)
    assert_int_equal(order[i], expected[i]);
  static const bool early[] = {true, false, false, false};
  for (size_t i = 0; i < 4; i++)
    assert_int_equal(needs[i].early, early[i]);
  assert_int_equal(needs[4].early + needs[5].early, 1);
}

static void the_end_of_each_library_is_found(void **state) {
  (void)state;
  struct program program =
      COMBINE(MODULE_OF(FUNCTION("__cxa_atexit", 0, USES("head")), VARIABLE("head", LOCAL),
                        FUNCTION("__towrite", 0), VARIABLE("__stdout_FILE", 0)),
              MODULE_OF(FUNCTION("__funcs_on_exit", 0, 2, USES("head")),
                        FUNCTION("__cxa_atexit", 0, USES("head")), VARIABLE("head", LOCAL)));
  struct ws_end end;
  assert_true(ws_find_end(program.read, 2, &program.one, &program.arena, &end, &program.error));
  assert_int_equal(end.counts[WS_END_HANDLERS], 1);
  assert_int_equal(end.functions[WS_END_HANDLERS][0].module, 1);
  assert_int_equal(end.missing_counts[WS_END_HANDLERS], 0);
  assert_int_equal(end.counts[WS_END_FLUSH], 0);
  assert_int_equal(end.missing_counts[WS_END_FLUSH], 1);
  assert_int_equal(end.missing[WS_END_FLUSH][0], 0);
  free_program(&program);
}

// How many modules lose output.
static size_t count_lost(struct program *program) {
  struct ws_end end;
  assert_true(program->ok);
  assert_true(
      ws_find_end(program->read, program->count, &program->one, &program->arena, &end, &program->error));
  size_t count = end.missing_counts[WS_END_FLUSH];
  free_program(program);
  return count;
}

static void output_is_flushed_by_what_knows_of_it(void **state) {
  (void)state;
#define WRITES() FUNCTION("__towrite", 0), VARIABLE("__stdout_FILE", 0)
#define FLUSHES(flags)                                                                                       \
  FUNCTION("__towrite", 0), FUNCTION("__stdio_exit", 0, USES("__stdout_used")),                              \
      VARIABLE("__stdout_used", flags)
  struct program program = COMBINE(MODULE_OF(WRITES()));
  assert_int_equal(count_lost(&program), 1);
  // Only to stderr.
  program = COMBINE(MODULE_OF(FUNCTION("__towrite", 0)));
  assert_int_equal(count_lost(&program), 0);
  program = COMBINE(MODULE_OF(WRITES()), MODULE_OF(FLUSHES(0)));
  assert_int_equal(count_lost(&program), 0);
  // A dummy in place of stdout, unless the other module has the real one.
  program = COMBINE(MODULE_OF(WRITES()), MODULE_OF(FLUSHES(WEAK)));
  assert_int_equal(count_lost(&program), 1);
  program = COMBINE(MODULE_OF(WRITES(), VARIABLE("__stdout_used", 0)), MODULE_OF(FLUSHES(WEAK)));
  assert_int_equal(count_lost(&program), 0);
  // Files that are opened are found by a function, whatever stdout is.
  program = COMBINE(MODULE_OF(FUNCTION("__towrite", 0), FUNCTION("__ofl_add", 0)), MODULE_OF(FLUSHES(WEAK)));
  assert_int_equal(count_lost(&program), 0);
}

// --------------------------------------------------------------------------------------------------- names

static void reserved_names_are_found(void **state) {
  (void)state;
  static const char *const all[] = {
#define C(name, what) #name,
#define POSIX(name, what) #name,
#define WASI_LIBC(name, what) #name,
#define MODULE(name)
#include "format/reserved_names.def"
#undef C
#undef POSIX
#undef WASI_LIBC
#undef MODULE
  };
  for (size_t i = 0; i < sizeof all / sizeof *all; i++)
    if (ws_name_owner(text(all[i])) != WS_NAME_LIBRARY)
      fail_msg("%s is not found: is the list in order?", all[i]);
  static const struct {
    const char *name;
    enum ws_name_owner owner;
  } others[] = {
      {"parse", WS_NAME_PLAIN},
      {"_state", WS_NAME_PLAIN},
      {"", WS_NAME_PLAIN},
      {"__stdio_exit", WS_NAME_LIBRARY},
      {"_Unwind_RaiseException", WS_NAME_LIBRARY},
      {"_ZNSt3__14coutE", WS_NAME_CXX},
      {"_ZN4core3fmt5Write17h0123456789abcdefE", WS_NAME_RUST},
      {"_ZN4core3fmt5Write17h0123456789abcdegE", WS_NAME_CXX},
      {"_RNvC6common5COUNT", WS_NAME_RUST},
      {"_Rest", WS_NAME_LIBRARY},
      {"seed.llvm.123", WS_NAME_PLAIN},
      {"main", WS_NAME_MODULE},
      {"__profc_helper", WS_NAME_MODULE},
      {"_start", WS_NAME_MODULE},
      {"__wasm_call_ctors", WS_NAME_MODULE},
  };
  for (size_t i = 0; i < sizeof others / sizeof *others; i++)
    if (ws_name_owner(text(others[i].name)) != others[i].owner)
      fail_msg("%s is not what it should be", others[i].name);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(weak_variables_are_the_first_ones),
      cmocka_unit_test(strong_variables_override_weak_ones),
      cmocka_unit_test(a_larger_copy_stays_apart),
      cmocka_unit_test(weak_functions_are_overridden),
      cmocka_unit_test(inline_functions_are_one_but_calls_stay),
      cmocka_unit_test(a_weak_definition_with_two_strong_ones_is_ambiguous),
      cmocka_unit_test(stubs_for_weak_functions_are_bound),
      cmocka_unit_test(plain_names_stay_apart),
      cmocka_unit_test(undefined_names_mean_the_only_definition),
      cmocka_unit_test(state_goes_with_the_functions_that_use_it),
      cmocka_unit_test(state_is_found_through_local_functions_and_pointers),
      cmocka_unit_test(parts_of_an_object_are_joined_by_a_third_one),
      cmocka_unit_test(parts_without_a_function_in_common_stay_apart),
      cmocka_unit_test(functions_of_one_state_need_no_function_in_common),
      cmocka_unit_test(allocators_are_one_by_their_local_functions),
      cmocka_unit_test(what_makes_memory_and_what_takes_it_back_are_of_one_heap),
      cmocka_unit_test(what_frees_another_heap_is_refused),
      cmocka_unit_test(side_by_side_each_has_its_heap),
      cmocka_unit_test(what_frees_its_own_heap_is_not_refused),
      cmocka_unit_test(other_versions_stay_apart),
      cmocka_unit_test(variables_of_other_versions_stay_apart),
      cmocka_unit_test(errno_is_of_all_versions),
      cmocka_unit_test(other_content_is_another_version),
      cmocka_unit_test(objects_with_plain_names_are_of_no_library),
      cmocka_unit_test(what_is_not_as_the_library_has_it_is_plain),
      cmocka_unit_test(a_library_with_an_interface_of_plain_names_is_one),
      cmocka_unit_test(what_may_be_one_in_a_library_of_cxx_is_told),
      cmocka_unit_test(weak_names_of_cxx_are_one_beside_strong_ones),
      cmocka_unit_test(what_names_different_things_is_different),
      cmocka_unit_test(string_literals_are_compared_but_stay_apart),
      cmocka_unit_test(what_matches_two_ways_stays_apart),
      cmocka_unit_test(the_preferred_module_has_it),
      cmocka_unit_test(entry_points_are_each_modules_own),
      cmocka_unit_test(cxx_entities_are_one),
      cmocka_unit_test(inline_functions_tell_nothing_of_local_state),
      cmocka_unit_test(what_lto_made_local_is_found_by_name),
      cmocka_unit_test(statics_of_rust_are_found_by_name),
      cmocka_unit_test(sections_that_linkers_gather_are_told),
      cmocka_unit_test(tags_of_the_abi_are_one),
      cmocka_unit_test(tags_are_of_a_module_that_need_not_import_one_behind_its_own),
      cmocka_unit_test(tags_of_other_types_stay_apart),
      cmocka_unit_test(constructors_run_by_priority_and_once),
      cmocka_unit_test(a_constructor_of_plugins_runs_in_each),
      cmocka_unit_test(modules_come_after_what_they_need),
      cmocka_unit_test(the_end_of_each_library_is_found),
      cmocka_unit_test(output_is_flushed_by_what_knows_of_it),
      cmocka_unit_test(reserved_names_are_found),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
