#include "link/one.h"

#include <stdlib.h>
#include <string.h>

#include "link/allocators.h"
#include "link/language.h"
#include "link/objects.h"
#include "link/once.h"
#include "link/types.h"
#include "link/weak.h"
#include "read/instructions.h"
#include "read/memory_users.h"

struct finder {
  const struct ws_module *const *modules;
  const char *const *names; // of the modules
  size_t count;
  const struct ws_one_options *options;
  struct ws_arena *arena; // of the results
  struct ws_one *one;
  struct ws_error *error;
  struct ws_arena scratch;
  struct ws_match match;
  struct ws_definitions definitions;
  uint32_t *rank;   // of each module: those that are preferred come first
  bool *strong;     // of each thing: it has a strong name
  bool *has_state;  // of each node: its object has variables
  uint32_t *stands; // of each node: the thing that stands for what it names
  uint32_t *bound;  // of each node: the node that its name is bound to, itself if its own
  struct ws_one_kept *kept;
  size_t kept_count, kept_capacity;
  struct override *overrides;
  size_t override_count, override_capacity;
};

// A weak function and what its name is bound to.
struct override {
  uint32_t from, to;
  bool is_needed; // or else they are one entity, and either will do
};

static const struct ws_symbol *symbol_of(const struct finder *finder, uint32_t node) {
  return ws_match_symbol(&finder->match, node);
}

static struct ws_one_symbol name_node(const struct finder *finder, uint32_t node) {
  uint32_t module = finder->match.module[node];
  return (struct ws_one_symbol){module, node - finder->match.in[module].base};
}

static bool out_of_memory(const struct finder *finder) {
  return ws_fail_memory(finder->error, "");
}

static uint32_t resolve(const struct finder *finder, uint32_t node) {
  return ws_resolve_node(finder->bound, finder->stands, node);
}

static const char *copy_name(struct ws_arena *arena, struct ws_slice name) {
  char *copy = ws_arena_new(arena, name.size + 1, 1);
  return copy ? ws_printable(name, copy, name.size + 1) : NULL;
}

// ------------------------------------------------------------------------------------------- what is kept

static bool keep_apart(struct finder *finder, uint32_t first, uint32_t other, enum ws_kept_reason reason) {
  struct ws_one_kept *kept =
      ws_make_room(finder->kept, finder->kept_count, &finder->kept_capacity, sizeof *kept);
  if (!kept)
    return out_of_memory(finder);
  finder->kept = kept;
  const struct ws_symbol *symbol = symbol_of(finder, other);
  const char *name = copy_name(finder->arena, symbol->name);
  if (!name)
    return out_of_memory(finder);
  kept[finder->kept_count++] =
      (struct ws_one_kept){.name = name,
                           .kind = (enum ws_symbol_kind)symbol->kind,
                           .reason = reason,
                           .has_state = finder->has_state[first] || finder->has_state[other],
                           .module = finder->match.module[first],
                           .other = finder->match.module[other]};
  return true;
}

const char *ws_kept_reason(enum ws_kept_reason reason) {
  switch (reason) {
  case WS_KEPT_PLAIN:
    return "no rule of a language makes two strong definitions of its name one";
  case WS_KEPT_OWN:
    return "the objects that define it define plain names, too, so that they are of no C or C++ library";
  case WS_KEPT_DIFFERENT:
    return "its copies differ, as those of different versions or compiled with different flags do";
  case WS_KEPT_OBJECT:
    return "other functions or variables of the same library object differ";
  case WS_KEPT_SIZE:
    return "its copies have different sizes";
  case WS_KEPT_THREAD_LOCAL:
    return "one is thread-local and the other is not";
  case WS_KEPT_TYPE:
    return "its copies have different types";
  case WS_KEPT_SECTION:
    return "each module has its own section of that name";
  case WS_KEPT_UNRELATED:
    return "the parts of the library object that have it have no function in common";
  }
  return "?";
}

// Lists of things that are spread over object files, and gathered by linkers, in a section with a name that
// is a C identifier.
static bool keep_sections(struct finder *finder) {
  struct ws_arena *arena = &finder->scratch;
  uint32_t *starts = ws_arena_new(arena, finder->match.node_count, sizeof *starts);
  size_t count = 0;
  if (!starts)
    return out_of_memory(finder);
  for (uint32_t i = 0; i < finder->match.node_count; i++) {
    const struct ws_symbol *symbol = symbol_of(finder, i);
    if (symbol->kind != WS_SYMBOL_DATA || !(symbol->flags & WS_SYMBOL_ABSOLUTE) ||
        !ws_slice_starts(symbol->name, "__start_"))
      continue;
    size_t known = 0;
    while (known < count && !ws_slice_equal(symbol_of(finder, starts[known])->name, symbol->name))
      known++;
    if (known == count)
      starts[count++] = i;
    else if (!keep_apart(finder, starts[known], i, WS_KEPT_SECTION))
      return false;
  }
  return true;
}

// ---------------------------------------------------------------------------------------- binding by name

// The type of a function or tag that is defined.
static const struct ws_type *type_of(const struct finder *finder, uint32_t node) {
  const struct ws_module *module = finder->modules[finder->match.module[node]];
  const struct ws_symbol *symbol = symbol_of(finder, node);
  if (symbol->kind == WS_SYMBOL_TAG)
    return ws_tag_type(module, symbol->index);
  uint32_t defined = symbol->index - module->imported_functions;
  uint32_t type = defined < module->function_count ? module->function_types[defined] : UINT32_MAX;
  return type < module->type_count ? &module->types[type] : NULL;
}

static bool has_same_type(const struct finder *finder, uint32_t a, uint32_t b) {
  return ws_is_same_type(type_of(finder, a), type_of(finder, b));
}

static bool add_override(struct finder *finder, uint32_t from, uint32_t to, bool is_needed) {
  struct override *overrides =
      ws_make_room(finder->overrides, finder->override_count, &finder->override_capacity, sizeof *overrides);
  if (!overrides)
    return out_of_memory(finder);
  finder->overrides = overrides;
  overrides[finder->override_count++] = (struct override){from, to, is_needed};
  return true;
}

static bool bind_function(struct finder *finder, uint32_t from, uint32_t to, bool is_needed) {
  if (!has_same_type(finder, from, to))
    return keep_apart(finder, to, from, WS_KEPT_TYPE);
  finder->bound[from] = to;
  return add_override(finder, from, to, is_needed);
}

// A copy that is larger than what stands for it would be used beyond that one's end. C++ copies of one size
// are the same, or the program is ill-formed.
static bool bind_variable(struct finder *finder, uint32_t from, uint32_t to, bool is_exact) {
  const struct ws_symbol *symbol = symbol_of(finder, from), *target = symbol_of(finder, to);
  if ((symbol->flags ^ target->flags) & WS_SYMBOL_TLS)
    return keep_apart(finder, to, from, WS_KEPT_THREAD_LOCAL);
  if (symbol->size > target->size || (is_exact && symbol->size != target->size))
    return keep_apart(finder, to, from, WS_KEPT_SIZE);
  finder->bound[from] = to;
  return true;
}

// Binds the name of a weak definition to the one that comes first.
static bool bind_weak(struct finder *finder, const struct ws_defined_name *name, uint32_t from, uint32_t to) {
  if (from == to || finder->stands[from] == finder->stands[to])
    return true;
  bool is_mangled = name->owner == WS_NAME_CXX || name->owner == WS_NAME_RUST;
  bool both_weak = symbol_of(finder, to)->flags & WS_SYMBOL_WEAK;
  switch (name->kind) {
  case WS_SYMBOL_FUNCTION:
    return bind_function(finder, from, to, !(is_mangled && both_weak) || ws_slice_starts(name->text, "_ZTH"));
  case WS_SYMBOL_DATA:
    return bind_variable(finder, from, to, is_mangled && both_weak);
  default:
    finder->bound[from] = to;
    return true;
  }
}

// The first definition of this strength, and the second.
static uint32_t find_strength(const struct finder *finder, const struct ws_defined_name *name,
                              enum ws_binding_strength strength, uint32_t *second) {
  uint32_t first = *second = WS_NO_NODE;
  for (uint32_t i = name->first; i != WS_NO_NODE && *second == WS_NO_NODE;
       i = finder->definitions.list[i].next) {
    uint32_t node = finder->definitions.list[i].node;
    if (ws_binding_strength(&finder->match, finder->strong, node) != strength)
      continue;
    if (first == WS_NO_NODE)
      first = node;
    else
      *second = node;
  }
  return first;
}

static bool is_preferred(const struct finder *finder, uint32_t node) {
  return finder->rank[finder->match.module[node]] < finder->options->prefer_count;
}

static bool fail_ambiguous(const struct finder *finder, uint32_t weak, uint32_t first, uint32_t second) {
  char text[128];
  return ws_fail(finder->error, finder->modules[finder->match.module[weak]]->file, NULL, WS_NO_OFFSET,
                 "has a weak %s %s, which both %s and %s override: say which with --prefer",
                 symbol_of(finder, weak)->kind == WS_SYMBOL_FUNCTION ? "function" : "variable",
                 ws_printable(symbol_of(finder, weak)->name, text, sizeof text),
                 finder->names[finder->match.module[first]], finder->names[finder->match.module[second]]);
}

// Plain names: strong definitions are their authors' own; a weak one is there to be overridden.
static bool bind_plain(struct finder *finder, const struct ws_defined_name *name) {
  uint32_t second, to = find_strength(finder, name, WS_BINDING_STRONG, &second);
  if (to == WS_NO_NODE)
    to = finder->definitions.list[name->first].node;
  for (uint32_t i = name->first; i != WS_NO_NODE; i = finder->definitions.list[i].next) {
    uint32_t node = finder->definitions.list[i].node;
    if (!(symbol_of(finder, node)->flags & WS_SYMBOL_WEAK)) {
      if (node != to && !keep_apart(finder, to, node, WS_KEPT_PLAIN))
        return false;
    } else if (second != WS_NO_NODE && !is_preferred(finder, to)) {
      return fail_ambiguous(finder, node, to, second);
    } else if (!bind_weak(finder, name, node, to)) {
      return false;
    }
  }
  return true;
}

// What the definitions of a name that means one thing are: those of a library come first.
static const struct ws_definition *find_library(const struct finder *finder,
                                                const struct ws_defined_name *name) {
  const struct ws_definition *list = finder->definitions.list, *best = NULL;
  int best_rank = -1;
  for (uint32_t i = name->first; i != WS_NO_NODE; i = list[i].next) {
    int rank = 2 * (int)ws_binding_strength(&finder->match, finder->strong, list[i].node) + !list[i].is_own;
    if (rank > best_rank) {
      best = &list[i];
      best_rank = rank;
    }
  }
  return best;
}

// Says what stayed apart of them, and binds the weak ones.
static bool bind_library(struct finder *finder, const struct ws_defined_name *name) {
  const struct ws_definition *list = finder->definitions.list, *to = find_library(finder, name);
  for (uint32_t i = name->first; i != WS_NO_NODE; i = list[i].next) {
    uint32_t node = list[i].node;
    bool is_weak = ws_binding_strength(&finder->match, finder->strong, node) == WS_BINDING_WEAK;
    bool ok = true;
    if (list[i].is_own)
      ok = &list[i] == to || keep_apart(finder, to->node, node, WS_KEPT_OWN);
    else if (list[i].version == WS_NO_NODE || (is_weak && list[i].version != to->version))
      ok = bind_weak(finder, name, node, to->node);
    else if (finder->stands[node] != finder->stands[to->node] && name->owner != WS_NAME_RUST)
      ok = keep_apart(finder, to->node, node,
                      list[i].version == to->version ? WS_KEPT_OBJECT : WS_KEPT_DIFFERENT);
    if (!ok)
      return false;
  }
  return true;
}

// Variables of Rust, wherever they are in scope: their names say which crate's they are, and of which build.
static bool bind_rust(struct finder *finder, const struct ws_defined_name *name) {
  const struct ws_definition *list = finder->definitions.list;
  uint32_t to = list[name->first].node;
  for (uint32_t i = list[name->first].next; i != WS_NO_NODE; i = list[i].next) {
    if (!ws_match_looks_same(&finder->match, to, list[i].node)) {
      if (!keep_apart(finder, to, list[i].node, WS_KEPT_DIFFERENT))
        return false;
    } else {
      finder->bound[list[i].node] = to;
    }
  }
  return true;
}

// LLVM splits variables that only one module's code uses, if it sees all of that: NAME.0, NAME.1. Then one
// module has the pieces, and another the whole.
static bool tell_split(struct finder *finder, const struct ws_defined_name *name) {
  struct ws_slice whole = name->text;
  const uint8_t *dot = memchr(whole.data, '.', whole.size);
  if (name->kind != WS_SYMBOL_DATA || name->owner != WS_NAME_RUST || !dot)
    return true;
  whole.size = (size_t)(dot - whole.data);
  const struct ws_defined_name *found = ws_find_name(&finder->definitions, WS_SYMBOL_DATA, whole);
  return !found || keep_apart(finder, finder->definitions.list[name->first].node,
                              finder->definitions.list[found->first].node, WS_KEPT_DIFFERENT);
}

// Where a module has several tags, those that it imports come first, so that it cannot have one of its own
// before one that is another module's. So a tag is of the module that must have it, or else of one that has
// the most tags that others have, too.
enum { MUST_HAVE = 1000 };

static unsigned tag_fitness(const struct finder *finder, uint32_t node) {
  uint32_t module = finder->match.module[node], base = finder->match.in[module].base;
  unsigned fitness = 0;
  for (uint32_t i = 0; i < finder->modules[module]->symbol_count; i++) {
    const struct ws_symbol *symbol = &finder->modules[module]->symbols[i];
    if (symbol->kind != WS_SYMBOL_TAG || (symbol->flags & WS_SYMBOL_UNDEFINED))
      continue;
    const struct ws_defined_name *name = ws_find_name(&finder->definitions, WS_SYMBOL_TAG, symbol->name);
    bool is_shared = name && name->first != name->last && finder->match.owner[base + i] != WS_NAME_PLAIN;
    if (is_shared)
      fitness++;
    else if (symbol->index < symbol_of(finder, node)->index)
      fitness += MUST_HAVE;
  }
  return fitness;
}

static uint32_t fittest_tag(const struct finder *finder, const struct ws_defined_name *name) {
  const struct ws_definition *list = finder->definitions.list;
  uint32_t best = name->first;
  for (uint32_t i = list[best].next; i != WS_NO_NODE && name->owner != WS_NAME_PLAIN; i = list[i].next)
    if (tag_fitness(finder, list[i].node) > tag_fitness(finder, list[best].node))
      best = i;
  return best;
}

static bool bind_tag(struct finder *finder, const struct ws_defined_name *name) {
  const struct ws_definition *list = finder->definitions.list;
  uint32_t first = fittest_tag(finder, name), to = list[first].node;
  for (uint32_t i = name->first; i != WS_NO_NODE; i = list[i].next) {
    if (i == first)
      continue;
    bool is_one = name->owner != WS_NAME_PLAIN || (symbol_of(finder, list[i].node)->flags & WS_SYMBOL_WEAK);
    bool fits = has_same_type(finder, to, list[i].node);
    if (is_one && fits)
      finder->bound[list[i].node] = to;
    else if (!keep_apart(finder, to, list[i].node, is_one ? WS_KEPT_TYPE : WS_KEPT_PLAIN))
      return false;
  }
  return true;
}

static bool bind_names(struct finder *finder) {
  for (size_t i = 0; i < finder->definitions.name_count; i++) {
    const struct ws_defined_name *name = &finder->definitions.names[i];
    bool ok = tell_split(finder, name);
    if (!ok)
      return false;
    if (name->first == name->last || name->owner == WS_NAME_MODULE)
      continue;
    if (name->kind == WS_SYMBOL_TAG)
      ok = bind_tag(finder, name);
    else if (name->owner == WS_NAME_PLAIN)
      ok = bind_plain(finder, name);
    else if (name->owner == WS_NAME_RUST && name->kind == WS_SYMBOL_DATA)
      ok = bind_rust(finder, name);
    else
      ok = bind_library(finder, name);
    if (!ok)
      return false;
  }
  return true;
}

// ------------------------------------------------------------------------ weak functions that linkers stub

static bool bind_stubs(struct finder *finder) {
  struct ws_weak_function *functions;
  size_t count;
  if (!ws_find_weak_functions(&finder->match, &finder->definitions, &finder->scratch, &functions, &count))
    return out_of_memory(finder);
  for (size_t i = 0; i < count; i++)
    if (!bind_function(finder, functions[i].stub, functions[i].to, true))
      return false;
  return true;
}

// ------------------------------------------------------------------------------------------------- calls

static int compare_overrides(const void *a, const void *b) {
  const struct override *x = a, *y = b;
  return x->from < y->from ? -1 : x->from > y->from;
}

// A call may stay where it is if what it reaches does the same, on the same variables.
static bool find_calls(struct finder *finder) {
  struct ws_match *match = &finder->match;
  const uint32_t *thing = match->thing;
  for (size_t i = 0; i < finder->override_count; i++) {
    const struct override *override = &finder->overrides[i];
    if (override->is_needed && finder->match.owner[override->from] != WS_NAME_PLAIN &&
        ws_match_add(match, thing[override->to], thing[override->from]) == WS_NO_NODE)
      return out_of_memory(finder);
  }
  if (!ws_match_compare(match))
    return out_of_memory(finder);
  struct ws_one_call *calls = ws_arena_new(finder->arena, finder->override_count, sizeof *calls);
  if (!calls)
    return out_of_memory(finder);
  if (finder->override_count)
    qsort(finder->overrides, finder->override_count, sizeof *finder->overrides, compare_overrides);
  for (size_t i = 0; i < finder->override_count; i++) {
    const struct override *override = &finder->overrides[i];
    bool is_needed = override->is_needed;
    if (is_needed && finder->match.owner[override->from] != WS_NAME_PLAIN) {
      const struct ws_pair *pair =
          &match->pairs[ws_match_add(match, thing[override->to], thing[override->from])];
      is_needed = pair->different || pair->depends;
    }
    if (is_needed)
      calls[finder->one->call_count++] = (struct ws_one_call){
          name_node(finder, override->from), name_node(finder, resolve(finder, override->from))};
  }
  finder->one->calls = calls;
  return true;
}

// ----------------------------------------------------------------------------------------- undefined names

// The imports of functions and tags of a module, in their index spaces.
struct imports {
  const struct ws_import **functions, **tags;
  uint32_t function_count, tag_count;
};

static bool list_imports(const struct ws_module *module, struct ws_arena *arena, struct imports *imports) {
  *imports = (struct imports){ws_arena_new(arena, module->import_count, sizeof *imports->functions),
                              ws_arena_new(arena, module->import_count, sizeof *imports->tags), 0, 0};
  if (!imports->functions || !imports->tags)
    return false;
  for (size_t i = 0; i < module->import_count; i++) {
    if (module->imports[i].kind == WS_FUNCTION)
      imports->functions[imports->function_count++] = &module->imports[i];
    else if (module->imports[i].kind == WS_TAG)
      imports->tags[imports->tag_count++] = &module->imports[i];
  }
  return true;
}

// Whether an undefined symbol may mean this definition. Functions and tags are imported, which takes an
// export.
static bool may_mean(const struct finder *finder, const struct ws_import *import, uint32_t user,
                     uint32_t definition) {
  uint32_t module = finder->match.module[definition];
  if (module == user || (symbol_of(finder, definition)->flags & WS_SYMBOL_LOCAL))
    return false;
  if (!import)
    return true;
  bool from_any = true;
  for (size_t i = 0; i < finder->count; i++)
    from_any &= i == user || !ws_slice_is(import->module, finder->names[i]);
  const struct ws_export *export = ws_find_export(finder->modules[module], import->name);
  return export && export->kind == import->kind &&
         (from_any ? ws_slice_is(import->module, "env") : ws_slice_is(import->module, finder->names[module]));
}

static void bind_undefined(struct finder *finder, const struct imports *imports, uint32_t node) {
  const struct ws_symbol *symbol = symbol_of(finder, node);
  uint32_t user = finder->match.module[node];
  const struct ws_import *import = NULL;
  if (symbol->kind == WS_SYMBOL_FUNCTION)
    import = symbol->index < imports->function_count ? imports->functions[symbol->index] : NULL;
  else if (symbol->kind == WS_SYMBOL_TAG)
    import = symbol->index < imports->tag_count ? imports->tags[symbol->index] : NULL;
  if (symbol->kind != WS_SYMBOL_DATA && !import)
    return;
  const struct ws_defined_name *name =
      ws_find_name(&finder->definitions, symbol->kind, import ? import->name : symbol->name);
  uint32_t to = WS_NO_NODE;
  for (uint32_t i = name ? name->first : WS_NO_NODE; i != WS_NO_NODE; i = finder->definitions.list[i].next) {
    uint32_t definition = finder->definitions.list[i].node;
    if (!may_mean(finder, import, user, definition))
      continue;
    if (to == WS_NO_NODE)
      to = definition;
    else if (resolve(finder, to) != resolve(finder, definition) && !is_preferred(finder, to))
      return;
  }
  if (to != WS_NO_NODE)
    finder->bound[node] = to;
}

static bool bind_all_undefined(struct finder *finder) {
  for (uint32_t i = 0; i < finder->count; i++) {
    struct imports imports;
    if (!list_imports(finder->modules[i], &finder->scratch, &imports))
      return out_of_memory(finder);
    for (uint32_t k = 0; k < finder->modules[i]->symbol_count; k++)
      if (finder->modules[i]->symbols[k].flags & WS_SYMBOL_UNDEFINED)
        bind_undefined(finder, &imports, finder->match.in[i].base + k);
  }
  return true;
}

// ----------------------------------------------------------------------------------------------- results

static bool fill_of(struct finder *finder) {
  struct ws_one_symbol **of = ws_arena_new(finder->arena, finder->count, sizeof *of);
  struct ws_one_symbol *all = ws_arena_new(finder->arena, finder->match.node_count, sizeof *all);
  if (!of || !all)
    return out_of_memory(finder);
  for (uint32_t i = 0; i < finder->match.node_count; i++) {
    uint32_t to = resolve(finder, i);
    all[i] = name_node(finder, to == finder->match.thing[i] ? i : to);
  }
  for (size_t i = 0; i < finder->count; i++)
    of[i] = all + finder->match.in[i].base;
  finder->one->of = of;
  return true;
}

// Counts, for each node, the modules that have a definition for which it stands.
static bool fill_merged(struct finder *finder) {
  const struct ws_match *match = &finder->match;
  uint32_t *counts = ws_arena_new(&finder->scratch, match->node_count, sizeof *counts);
  uint32_t *last = ws_arena_new(&finder->scratch, match->node_count, sizeof *last);
  if (!counts || !last)
    return out_of_memory(finder);
  size_t most = 0;
  for (uint32_t i = 0; i < match->node_count; i++) {
    uint32_t to = resolve(finder, i);
    if (match->module[to] == match->module[i] || (symbol_of(finder, i)->flags & WS_SYMBOL_UNDEFINED) ||
        last[to] == match->module[i] + 1)
      continue;
    most += counts[to] == 0;
    counts[to]++;
    last[to] = match->module[i] + 1;
  }
  struct ws_one_merged *merged = ws_arena_new(finder->arena, most, sizeof *merged);
  if (!merged)
    return out_of_memory(finder);
  for (uint32_t i = 0; i < match->node_count; i++) {
    if (counts[i] == 0)
      continue;
    struct ws_one_symbol at = name_node(finder, i);
    const char *name = copy_name(finder->arena, symbol_of(finder, i)->name);
    if (!name)
      return out_of_memory(finder);
    merged[finder->one->merged_count++] = (struct ws_one_merged){
        name, (enum ws_symbol_kind)symbol_of(finder, i)->kind, at.module, at.symbol, counts[i] + 1};
  }
  finder->one->merged = merged;
  return true;
}

static bool fill_kept(struct finder *finder) {
  struct ws_one_kept *kept = ws_arena_new(finder->arena, finder->kept_count, sizeof *kept);
  if (!kept)
    return out_of_memory(finder);
  if (finder->kept_count)
    memcpy(kept, finder->kept, finder->kept_count * sizeof *kept);
  finder->one->kept = kept;
  finder->one->kept_count = finder->kept_count;
  return true;
}

// Whether a function or a variable names __heap_base or __heap_end: it is of what hands out memory, but for
// what only tells threads where their stack ends. With `growers`, which says of each node whether it is a
// function that grows the memory, so are these, and what calls them.
static bool is_of_heap(const struct finder *finder, uint32_t node, const bool *growers) {
  if (node == WS_NO_NODE || finder->match.owner[node] == WS_NAME_MODULE)
    return false;
  const struct ws_module *module = finder->modules[finder->match.module[node]];
  uint32_t base = finder->match.in[finder->match.module[node]].base;
  struct ws_relocation_cursor cursor = ws_match_relocations(&finder->match, node);
  struct ws_relocation relocation;
  while (ws_next_relocation(&cursor, &relocation)) {
    if (relocation.type == R_WASM_TYPE_INDEX_LEB || relocation.index >= module->symbol_count)
      continue;
    const struct ws_symbol *symbol = &module->symbols[relocation.index];
    if (symbol->kind == WS_SYMBOL_DATA &&
        (ws_slice_is(symbol->name, "__heap_base") || ws_slice_is(symbol->name, "__heap_end")))
      return true;
    if (growers && growers[finder->match.thing[base + relocation.index]])
      return true;
  }
  return growers && growers[node];
}

static bool grows_memory(const struct ws_module *module, uint32_t function) {
  struct ws_reader body = ws_reader(ws_function_body(module, function));
  struct ws_memory_site site = {0};
  bool may = ws_uses_memory_size(module, function);
  if (may)
    ws_skip_locals(&body);
  while (may && !site.grows && ws_next_memory_site(&body, &site))
    ;
  return site.grows;
}

static bool *find_growers(struct finder *finder) {
  bool *growers = ws_arena_new(&finder->scratch, finder->match.node_count, sizeof *growers);
  for (size_t m = 0; growers && m < finder->count; m++)
    for (uint32_t i = 0; i < finder->modules[m]->function_count; i++)
      if (finder->match.in[m].functions[i] != WS_NO_NODE)
        growers[finder->match.in[m].functions[i]] = grows_memory(finder->modules[m], i);
  return growers;
}

// The next function or variable of a module's allocators, or WS_NO_NODE. `at` begins as 0.
static uint32_t next_of_heap(const struct finder *finder, size_t index, const bool *growers, size_t *at) {
  const struct ws_module *module = finder->modules[index];
  const struct ws_match_module *in = &finder->match.in[index];
  if (!module->info.uses_heap_base && !module->info.uses_heap_end)
    return WS_NO_NODE;
  while (*at < module->function_count + in->variable_count) {
    size_t i = (*at)++;
    uint32_t node =
        i < module->function_count ? in->functions[i] : (uint32_t)in->variables[i - module->function_count];
    if (is_of_heap(finder, node, growers))
      return node;
  }
  return WS_NO_NODE;
}

// The module whose allocator is one with this one's; a module with several has its own.
static size_t find_heap(const struct finder *finder, size_t index) {
  size_t heap = WS_HOST, at = 0;
  uint32_t node;
  while ((node = next_of_heap(finder, index, NULL, &at)) != WS_NO_NODE) {
    size_t other = finder->match.module[resolve(finder, node)];
    heap = heap == WS_HOST || heap == other ? other : index;
  }
  return heap;
}

// What tells whether allocators are in objects that two modules have both. One for each node.
struct heap_parts {
  uint32_t *part;
  const bool *growers;
  bool *common; // of roots; false in between
};

// Whether one module's heap is another one's, and one of the two has an allocator beside that, in an object
// of which the other has nothing.
static bool is_divided(const struct finder *finder, size_t index, const struct heap_parts *parts) {
  size_t heap = finder->one->heap[index], modules[] = {index, heap};
  bool divided = false;
  uint32_t node;
  if (heap == WS_HOST || heap == index)
    return false;
  for (size_t at = 0; (node = next_of_heap(finder, index, parts->growers, &at)) != WS_NO_NODE;)
    if (finder->match.module[resolve(finder, node)] == heap)
      parts->common[ws_find_root(parts->part, node)] =
          parts->common[ws_find_root(parts->part, resolve(finder, node))] = true;
  for (int i = 0; i < 2; i++)
    for (size_t at = 0; (node = next_of_heap(finder, modules[i], parts->growers, &at)) != WS_NO_NODE;)
      divided |= !parts->common[ws_find_root(parts->part, node)];
  memset(parts->common, 0, finder->match.node_count * sizeof *parts->common);
  return divided;
}

static bool fill_heap(struct finder *finder) {
  size_t nodes = finder->match.node_count;
  size_t *heap = ws_arena_new(finder->arena, finder->count, sizeof *heap);
  bool *divided = ws_arena_new(finder->arena, finder->count, sizeof *divided);
  struct heap_parts parts = {ws_arena_new(&finder->scratch, nodes, sizeof *parts.part), find_growers(finder),
                             ws_arena_new(&finder->scratch, nodes, sizeof *parts.common)};
  if (!heap || !divided || !parts.part || !parts.growers || !parts.common)
    return out_of_memory(finder);
  ws_match_parts(&finder->match, parts.part);
  for (size_t i = 0; i < finder->count; i++)
    heap[i] = find_heap(finder, i);
  finder->one->heap = heap;
  for (size_t i = 0; i < finder->count; i++)
    divided[i] = is_divided(finder, i, &parts);
  finder->one->heap_is_divided = divided;
  return true;
}

// -------------------------------------------------------------------------------------------------- all

// The order of preference of the modules, and the place of each in it.
static uint32_t *rank_modules(struct finder *finder) {
  uint32_t *order = ws_arena_new(&finder->scratch, finder->count, sizeof *order);
  finder->rank = ws_arena_new(&finder->scratch, finder->count, sizeof *finder->rank);
  if (!order || !finder->rank)
    return NULL;
  memset(finder->rank, 0xff, finder->count * sizeof *finder->rank);
  uint32_t used = 0;
  for (size_t i = 0; i < finder->options->prefer_count + finder->count; i++) {
    size_t module =
        i < finder->options->prefer_count ? finder->options->prefer[i] : i - finder->options->prefer_count;
    if (finder->rank[module] != UINT32_MAX)
      continue;
    order[used] = (uint32_t)module;
    finder->rank[module] = used++;
  }
  return order;
}

static bool find(struct finder *finder) {
  struct ws_arena *scratch = &finder->scratch;
  if (!ws_match_begin(&finder->match, finder->modules, finder->count, scratch, finder->error))
    return false;
  uint32_t nodes = finder->match.node_count;
  const uint32_t *order = rank_modules(finder);
  finder->strong = ws_arena_new(scratch, nodes, sizeof *finder->strong);
  finder->stands = ws_arena_new(scratch, nodes, sizeof *finder->stands);
  finder->bound = ws_arena_new(scratch, nodes, sizeof *finder->bound);
  finder->has_state = ws_arena_new(scratch, nodes, sizeof *finder->has_state);
  if (!order || !finder->strong || !finder->has_state || !finder->stands || !finder->bound)
    return out_of_memory(finder);
  for (uint32_t i = 0; i < nodes; i++)
    finder->bound[i] = i;
  ws_note_strong_things(&finder->match, finder->strong);
  struct ws_unrelated *unrelated = NULL;
  size_t unrelated_count = 0;
  if (!ws_list_definitions(&finder->match, order, scratch, &finder->definitions) ||
      !ws_find_objects(&finder->match, &finder->definitions, finder->strong, finder->rank, scratch,
                       finder->stands, finder->has_state, &unrelated, &unrelated_count))
    return out_of_memory(finder);
  bool ok = true;
  for (size_t i = 0; i < unrelated_count && ok; i++)
    ok = keep_apart(finder, unrelated[i].first, unrelated[i].other, WS_KEPT_UNRELATED);
  free(unrelated);
  if (!ok)
    return false;
  return keep_sections(finder) && bind_names(finder) && bind_stubs(finder) && bind_all_undefined(finder) &&
         ws_find_once(&finder->match, finder->rank, finder->bound, scratch, finder->stands, finder->error) &&
         (finder->options->side_by_side ||
          ws_check_allocators(&finder->match, &finder->definitions, finder->bound, finder->stands, scratch,
                              finder->error)) &&
         find_calls(finder) && fill_of(finder) && fill_merged(finder) && fill_kept(finder) &&
         fill_heap(finder);
}

bool ws_find_one(const struct ws_module *const *modules, const char *const *names, size_t count,
                 const struct ws_one_options *options, struct ws_arena *arena, struct ws_one *one,
                 struct ws_error *error) {
  static const struct ws_one_options defaults = {0};
  struct ws_one found = {0};
  struct finder finder = {.modules = modules,
                          .names = names,
                          .count = count,
                          .options = options ? options : &defaults,
                          .arena = arena,
                          .one = &found,
                          .error = error};
  bool ok = find(&finder);
  ws_match_free(&finder.match);
  ws_arena_free(&finder.scratch);
  free(finder.kept);
  free(finder.overrides);
  if (ok)
    *one = found;
  return ok;
}
