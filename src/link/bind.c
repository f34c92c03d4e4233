#include "link/finder.h"

#include "link/language.h"
#include "link/types.h"
#include "link/weak.h"

// ------------------------------------------------------------------------------------------- binding by name

// The type of a function or tag that is defined.
static const struct ws_type *type_of(const struct ws_finder *finder, uint32_t node) {
  const struct ws_module *module = finder->modules[finder->match.module[node]];
  const struct ws_symbol *symbol = ws_finder_symbol(finder, node);
  if (symbol->kind == WS_SYMBOL_TAG)
    return ws_tag_type(module, symbol->index);
  uint32_t defined = symbol->index - module->imported_functions;
  uint32_t type = defined < module->function_count ? module->function_types[defined] : UINT32_MAX;
  return type < module->type_count ? &module->types[type] : NULL;
}

static bool has_same_type(const struct ws_finder *finder, uint32_t a, uint32_t b) {
  return ws_is_same_type(type_of(finder, a), type_of(finder, b));
}

static bool add_override(struct ws_finder *finder, uint32_t from, uint32_t to, bool is_needed) {
  struct ws_override *overrides =
      ws_make_room(finder->overrides, finder->override_count, &finder->override_capacity, sizeof *overrides);
  if (!overrides)
    return ws_finder_out_of_memory(finder);
  finder->overrides = overrides;
  overrides[finder->override_count++] = (struct ws_override){from, to, is_needed};
  return true;
}

static bool bind_function(struct ws_finder *finder, uint32_t from, uint32_t to, bool is_needed) {
  if (!has_same_type(finder, from, to))
    return ws_keep_apart(finder, to, from, WS_KEPT_TYPE);
  finder->bound[from] = to;
  return add_override(finder, from, to, is_needed);
}

// A copy that is larger than what stands for it would be used beyond that one's end. C++ copies of one size
// are the same, or the program is ill-formed.
static bool bind_variable(struct ws_finder *finder, uint32_t from, uint32_t to, bool is_exact) {
  const struct ws_symbol *symbol = ws_finder_symbol(finder, from), *target = ws_finder_symbol(finder, to);
  if ((symbol->flags ^ target->flags) & WS_SYMBOL_TLS)
    return ws_keep_apart(finder, to, from, WS_KEPT_THREAD_LOCAL);
  if (symbol->size > target->size || (is_exact && symbol->size != target->size))
    return ws_keep_apart(finder, to, from, WS_KEPT_SIZE);
  finder->bound[from] = to;
  return true;
}

// Binds the name of a weak definition to the one that comes first.
static bool bind_weak(struct ws_finder *finder, const struct ws_defined_name *name, uint32_t from,
                      uint32_t to) {
  if (from == to || finder->stands[from] == finder->stands[to])
    return true;
  bool is_mangled = name->owner == WS_NAME_CXX || name->owner == WS_NAME_RUST;
  bool both_weak = ws_finder_symbol(finder, to)->flags & WS_SYMBOL_WEAK;
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
static uint32_t find_strength(const struct ws_finder *finder, const struct ws_defined_name *name,
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

static bool is_preferred(const struct ws_finder *finder, uint32_t node) {
  return finder->rank[finder->match.module[node]] < finder->options->prefer_count;
}

static bool fail_ambiguous(const struct ws_finder *finder, uint32_t weak, uint32_t first, uint32_t second) {
  char text[128];
  return ws_fail(finder->error, finder->modules[finder->match.module[weak]]->file, NULL, WS_NO_OFFSET,
                 "has a weak %s %s, which both %s and %s override: say which with --prefer",
                 ws_finder_symbol(finder, weak)->kind == WS_SYMBOL_FUNCTION ? "function" : "variable",
                 ws_printable(ws_finder_symbol(finder, weak)->name, text, sizeof text),
                 finder->names[finder->match.module[first]], finder->names[finder->match.module[second]]);
}

// Plain names: strong definitions are their authors' own; a weak one is there to be overridden.
static bool bind_plain(struct ws_finder *finder, const struct ws_defined_name *name) {
  uint32_t second, to = find_strength(finder, name, WS_BINDING_STRONG, &second);
  if (to == WS_NO_NODE)
    to = finder->definitions.list[name->first].node;
  for (uint32_t i = name->first; i != WS_NO_NODE; i = finder->definitions.list[i].next) {
    uint32_t node = finder->definitions.list[i].node;
    if (!(ws_finder_symbol(finder, node)->flags & WS_SYMBOL_WEAK)) {
      if (node != to && !ws_keep_apart(finder, to, node, WS_KEPT_PLAIN))
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
static const struct ws_definition *find_library(const struct ws_finder *finder,
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
static bool bind_library(struct ws_finder *finder, const struct ws_defined_name *name) {
  const struct ws_definition *list = finder->definitions.list, *to = find_library(finder, name);
  for (uint32_t i = name->first; i != WS_NO_NODE; i = list[i].next) {
    uint32_t node = list[i].node;
    bool is_weak = ws_binding_strength(&finder->match, finder->strong, node) == WS_BINDING_WEAK;
    bool ok = true;
    if (list[i].is_own)
      ok = &list[i] == to ||
           ws_keep_apart(finder, to->node, node,
                         ws_match_is_own(&finder->match, node) ? WS_KEPT_PLAIN : WS_KEPT_OWN);
    else if (list[i].version == WS_NO_NODE || (is_weak && list[i].version != to->version))
      ok = bind_weak(finder, name, node, to->node);
    else if (finder->stands[node] != finder->stands[to->node] && name->owner != WS_NAME_RUST)
      ok = ws_keep_apart(finder, to->node, node,
                         list[i].version == to->version ? WS_KEPT_OBJECT : WS_KEPT_DIFFERENT);
    if (!ok)
      return false;
  }
  return true;
}

// Variables of Rust, wherever they are in scope: their names say which crate's they are, and of which build.
static bool bind_rust(struct ws_finder *finder, const struct ws_defined_name *name) {
  const struct ws_definition *list = finder->definitions.list;
  uint32_t to = list[name->first].node;
  for (uint32_t i = list[name->first].next; i != WS_NO_NODE; i = list[i].next) {
    if (!ws_match_looks_same(&finder->match, to, list[i].node)) {
      if (!ws_keep_apart(finder, to, list[i].node, WS_KEPT_DIFFERENT))
        return false;
    } else {
      finder->bound[list[i].node] = to;
    }
  }
  return true;
}

// LLVM splits variables that only one module's code uses, if it sees all of that: NAME.0, NAME.1. Then one
// module has the pieces, and another the whole.
static bool tell_split(struct ws_finder *finder, const struct ws_defined_name *name) {
  struct ws_slice whole = name->text;
  const uint8_t *dot = memchr(whole.data, '.', whole.size);
  if (name->kind != WS_SYMBOL_DATA || name->owner != WS_NAME_RUST || !dot)
    return true;
  whole.size = (size_t)(dot - whole.data);
  const struct ws_defined_name *found = ws_find_name(&finder->definitions, WS_SYMBOL_DATA, whole);
  return !found || ws_keep_apart(finder, finder->definitions.list[name->first].node,
                                 finder->definitions.list[found->first].node, WS_KEPT_DIFFERENT);
}

enum { MUST_HAVE = 1000 };

// Where a module has several tags, those that it imports come first, so that it cannot have one of its own
// before one that is another module's. So a tag is of the module that must have it, or else of one that has
// the most tags that others have, too.
static unsigned tag_fitness(const struct ws_finder *finder, uint32_t node) {
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
    else if (symbol->index < ws_finder_symbol(finder, node)->index)
      fitness += MUST_HAVE;
  }
  return fitness;
}

static uint32_t fittest_tag(const struct ws_finder *finder, const struct ws_defined_name *name) {
  const struct ws_definition *list = finder->definitions.list;
  uint32_t best = name->first;
  for (uint32_t i = list[best].next; i != WS_NO_NODE && name->owner != WS_NAME_PLAIN; i = list[i].next)
    if (tag_fitness(finder, list[i].node) > tag_fitness(finder, list[best].node))
      best = i;
  return best;
}

static bool bind_tag(struct ws_finder *finder, const struct ws_defined_name *name) {
  const struct ws_definition *list = finder->definitions.list;
  uint32_t first = fittest_tag(finder, name), to = list[first].node;
  for (uint32_t i = name->first; i != WS_NO_NODE; i = list[i].next) {
    if (i == first)
      continue;
    bool is_one =
        name->owner != WS_NAME_PLAIN || (ws_finder_symbol(finder, list[i].node)->flags & WS_SYMBOL_WEAK);
    bool fits = has_same_type(finder, to, list[i].node);
    if (is_one && fits)
      finder->bound[list[i].node] = to;
    else if (!ws_keep_apart(finder, to, list[i].node, is_one ? WS_KEPT_TYPE : WS_KEPT_PLAIN))
      return false;
  }
  return true;
}

bool ws_bind_names(struct ws_finder *finder) {
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

// ----------------------------------------------------------------- variables of C++ with names like those of
// C

// The note that two modules each have a variable of their own.
static struct ws_one_kept *find_kept(const struct ws_finder *finder, uint32_t node) {
  for (size_t i = 0; i < finder->kept_count; i++) {
    struct ws_one_kept *kept = &finder->kept[i];
    if (kept->kind == WS_SYMBOL_DATA && kept->other == finder->match.module[node] &&
        ws_slice_is(ws_finder_symbol(finder, node)->name, kept->name))
      return kept;
  }
  return NULL;
}

// Two functions that are the same but for what they name.
static void tell_operands(const struct ws_finder *finder, uint32_t x, uint32_t y) {
  const struct ws_match *match = &finder->match;
  struct ws_beside operands = ws_match_beside(match, match->thing[x], match->thing[y]);
  while (ws_next_beside(&operands)) {
    uint32_t a = operands.x, b = operands.y;
    bool is_told = a != WS_NO_NODE && b != WS_NO_NODE &&
                   ws_finder_symbol(finder, a)->kind == WS_SYMBOL_DATA && ws_match_is_own(match, a) &&
                   ws_match_is_own(match, b) &&
                   ws_slice_equal(ws_finder_symbol(finder, a)->name, ws_finder_symbol(finder, b)->name);
    struct ws_one_kept *kept = is_told ? find_kept(finder, b) : NULL;
    if (kept && kept->reason == WS_KEPT_PLAIN)
      kept->reason = WS_KEPT_UNMANGLED;
  }
}

void ws_tell_unmangled(struct ws_finder *finder) {
  const struct ws_definition *list = finder->definitions.list;
  for (size_t i = 0; i < finder->definitions.name_count; i++) {
    const struct ws_defined_name *name = &finder->definitions.names[i];
    if (name->kind != WS_SYMBOL_FUNCTION || name->owner != WS_NAME_CXX || list[name->first].is_own)
      continue;
    for (uint32_t k = list[name->first].next; k != WS_NO_NODE; k = list[k].next)
      if (!list[k].is_own && list[k].version != list[name->first].version &&
          ws_match_looks_same(&finder->match, list[name->first].node, list[k].node))
        tell_operands(finder, list[name->first].node, list[k].node);
  }
}

// -------------------------------------------------------------------------- weak functions that linkers stub

bool ws_bind_stubs(struct ws_finder *finder) {
  struct ws_weak_function *functions;
  size_t count;
  if (!ws_find_weak_functions(&finder->match, &finder->definitions, &finder->scratch, &functions, &count))
    return ws_finder_out_of_memory(finder);
  for (size_t i = 0; i < count; i++)
    if (!bind_function(finder, functions[i].stub, functions[i].to, true))
      return false;
  return true;
}

// ------------------------------------------------------------------------------------------- undefined names

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
static bool may_mean(const struct ws_finder *finder, const struct ws_import *import, uint32_t user,
                     uint32_t definition) {
  uint32_t module = finder->match.module[definition];
  if (module == user || (ws_finder_symbol(finder, definition)->flags & WS_SYMBOL_LOCAL))
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

static void bind_undefined(struct ws_finder *finder, const struct imports *imports, uint32_t node) {
  const struct ws_symbol *symbol = ws_finder_symbol(finder, node);
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
    else if (ws_finder_resolve(finder, to) != ws_finder_resolve(finder, definition) &&
             !is_preferred(finder, to))
      return;
  }
  if (to != WS_NO_NODE)
    finder->bound[node] = to;
}

bool ws_bind_undefined(struct ws_finder *finder) {
  for (uint32_t i = 0; i < finder->count; i++) {
    struct imports imports;
    if (!list_imports(finder->modules[i], &finder->scratch, &imports))
      return ws_finder_out_of_memory(finder);
    for (uint32_t k = 0; k < finder->modules[i]->symbol_count; k++)
      if (finder->modules[i]->symbols[k].flags & WS_SYMBOL_UNDEFINED)
        bind_undefined(finder, &imports, finder->match.in[i].base + k);
  }
  return true;
}
