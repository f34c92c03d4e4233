#include "link/start.h"

#include <stdlib.h>

#include "link/link.h"
#include "read/init_functions.h"
#include "read/relocation_entries.h"

// --------------------------------------------------------------------------------------------- constructors

static int compare_constructors(const void *a, const void *b) {
  const struct ws_constructor *x = a, *y = b;
  return x->priority < y->priority ? -1 : x->priority > y->priority;
}

// A merge sort keeps the order of those with one priority, and each module's are sorted already.
static void merge(struct ws_constructor *list, size_t left, size_t count, struct ws_constructor *room) {
  memcpy(room, list, left * sizeof *list);
  size_t a = 0, b = left, at = 0;
  while (a < left)
    list[at++] = b < count && compare_constructors(&list[b], &room[a]) < 0 ? list[b++] : room[a++];
}

static bool is_own(const struct ws_one *one, struct ws_one_symbol symbol) {
  return one->of[symbol.module][symbol.symbol].module == symbol.module;
}

bool ws_order_constructors(const struct ws_module *const *modules, size_t count, const struct ws_one *one,
                           struct ws_arena *arena, struct ws_constructor **constructors,
                           size_t *constructor_count, struct ws_error *error) {
  struct ws_arena scratch = {0};
  struct ws_init_function **lists = ws_arena_new(&scratch, count, sizeof *lists);
  size_t *counts = ws_arena_new(&scratch, count, sizeof *counts), most = 0;
  bool ok = lists && counts;
  for (size_t i = 0; i < count && ok; i++) {
    ok = ws_read_init_functions(modules[i], &scratch, &lists[i], &counts[i], error);
    most += counts[i];
    if (!ok) {
      ws_arena_free(&scratch);
      return false;
    }
  }
  struct ws_constructor *list = ok ? ws_arena_new(arena, most, sizeof *list) : NULL,
                        *room = ok ? ws_arena_new(&scratch, most, sizeof *room) : NULL;
  size_t used = 0;
  for (uint32_t i = 0; i < count && list && room; i++) {
    size_t before = used;
    for (size_t k = 0; k < counts[i]; k++) {
      struct ws_one_symbol symbol = {i, lists[i][k].symbol};
      if (is_own(one, symbol))
        list[used++] = (struct ws_constructor){symbol, lists[i][k].priority};
    }
    merge(list, before, used, room);
  }
  ok = list && room;
  ws_arena_free(&scratch);
  if (!ok)
    return ws_fail_memory(error, "");
  *constructors = list;
  *constructor_count = used;
  return true;
}

// -------------------------------------------------------------------------------------------------- modules

// A depth-first search that puts each module after those that it needs.
struct visit {
  uint32_t parent;
  size_t next; // of its needs
  bool visited;
};

#define NOBODY UINT32_MAX

static int compare_needs(const void *a, const void *b) {
  const struct ws_need *x = *(const struct ws_need *const *)a, *y = *(const struct ws_need *const *)b;
  if (x->module != y->module)
    return x->module < y->module ? -1 : 1;
  return x < y ? -1 : x > y;
}

struct needs {
  const struct ws_need **list; // by module
  size_t count;
  size_t *first; // of each module; one more at the end
};

// Visits the modules in the order that `seed` gives, or in their own. Functions are followed if asked for.
static void search(const struct needs *needs, size_t count, const uint32_t *seed, bool functions,
                   struct visit *visits, uint32_t *order) {
  size_t used = 0;
  for (uint32_t i = 0; i < count; i++)
    visits[i] = (struct visit){NOBODY, needs->first[i], false};
  for (uint32_t i = 0; i < count; i++) {
    uint32_t at = seed ? seed[i] : i;
    if (visits[at].visited)
      continue;
    visits[at].visited = true;
    while (at != NOBODY) {
      if (visits[at].next == needs->first[at + 1]) {
        order[used++] = at;
        at = visits[at].parent;
        continue;
      }
      const struct ws_need *need = needs->list[visits[at].next++];
      if (visits[need->from].visited || (need->is_function && !functions))
        continue;
      visits[need->from].visited = true;
      visits[need->from].parent = at;
      at = need->from;
    }
  }
}

bool ws_order_modules(size_t count, struct ws_need *needs, size_t need_count, uint32_t *order) {
  struct ws_arena scratch = {0};
  struct needs by_module = {ws_arena_new(&scratch, need_count, sizeof *by_module.list), need_count,
                            ws_arena_new(&scratch, count + 1, sizeof *by_module.first)};
  struct visit *visits = ws_arena_new(&scratch, count, sizeof *visits);
  uint32_t *place = ws_arena_new(&scratch, count, sizeof *place);
  bool ok = by_module.list && by_module.first && visits && place;
  if (ok) {
    for (size_t i = 0; i < need_count; i++)
      by_module.list[i] = &needs[i];
    if (need_count)
      qsort(by_module.list, need_count, sizeof *by_module.list, compare_needs);
    for (size_t i = 0; i < need_count; i++)
      by_module.first[needs[i].module + 1]++;
    for (size_t i = 0; i < count; i++)
      by_module.first[i + 1] += by_module.first[i];
    // First as if everything could be honoured; then what must be is.
    search(&by_module, count, NULL, true, visits, place);
    search(&by_module, count, place, false, visits, order);
    for (uint32_t i = 0; i < count; i++)
      place[order[i]] = i;
    for (size_t i = 0; i < need_count; i++)
      needs[i].early = place[needs[i].from] > place[needs[i].module];
  }
  ws_arena_free(&scratch);
  return ok;
}

// ------------------------------------------------------------------------------------------------------ end

enum { NEEDS = 2, USERS = 3 };

// musl's and wasi-libc's functions of the end, and those that use them: the first need them. What writes to
// stderr alone, as C++'s runtime may, does not. stdout is found by a weak reference, whose strong definition
// linkers drop where the function is not.
static const struct {
  const char *function, *users[USERS], *loss;
  const char *caller; // if it is only called by this
} ends[WS_END_KINDS] = {
    [WS_END_HANDLERS] = {"__funcs_on_exit",
                         {"__cxa_atexit", "atexit"},
                         "what atexit() and static objects with destructors registered does not run",
                         NULL},
    [WS_END_FLUSH] = {"__stdio_exit",
                      {"__stdout_FILE", "__ofl_add", "__towrite"},
                      "output that is still buffered is lost",
                      NULL},
    [WS_END_QUICK] = {"__funcs_on_quick_exit",
                      {"at_quick_exit"},
                      "by quick_exit(), what at_quick_exit() registered does not run",
                      .caller = "quick_exit"},
};
static const char stdout_variable[] = "__stdout_FILE", stdout_reference[] = "__stdout_used";

const char *ws_end_function(enum ws_end_kind kind) {
  return ends[kind].function;
}

const char *ws_end_loss(enum ws_end_kind kind) {
  return ends[kind].loss;
}

// The definition of that name without such flags, or UINT32_MAX.
static uint32_t find_definition(const struct ws_module *module, const char *name, uint32_t flags) {
  for (uint32_t i = 0; i < module->symbol_count; i++) {
    const struct ws_symbol *symbol = &module->symbols[i];
    if ((symbol->kind == WS_SYMBOL_FUNCTION || symbol->kind == WS_SYMBOL_DATA) &&
        !(symbol->flags & (flags | WS_SYMBOL_LOCAL | WS_SYMBOL_UNDEFINED)) && ws_slice_is(symbol->name, name))
      return i;
  }
  return UINT32_MAX;
}

static uint32_t find_strong(const struct ws_module *module, const char *name) {
  return name ? find_definition(module, name, WS_SYMBOL_WEAK) : UINT32_MAX;
}

// Whether a module's __stdio_exit knows of no stdout: its reference is to the dummy that it has for that.
static bool lacks_stdout(const struct ws_module *const *modules, const struct ws_one *one, uint32_t module) {
  uint32_t reference = find_definition(modules[module], stdout_reference, 0);
  if (reference == UINT32_MAX)
    return false;
  struct ws_one_symbol at = one->of[module][reference];
  return modules[at.module]->symbols[at.symbol].flags & (WS_SYMBOL_WEAK | WS_SYMBOL_LOCAL);
}

static bool is_same(struct ws_one_symbol a, struct ws_one_symbol b) {
  return a.module == b.module && a.symbol == b.symbol;
}

// What a module has of one kind of end: its function, and what needs it.
struct part {
  uint32_t function, users[USERS];
  bool has_stdout, lacks_stdout; // the module; its function
};

struct end_search {
  const struct ws_module *const *modules;
  size_t count;
  const struct ws_one *one;
  struct part *parts; // one for each module
};

static struct ws_relocations relocations_of(const struct end_search *search, uint32_t module,
                                            uint32_t symbol) {
  const struct ws_module *in = search->modules[module];
  uint32_t index = in->symbols[symbol].index;
  if (index < in->imported_functions)
    return (struct ws_relocations){0};
  const struct ws_function *body = &in->functions[index - in->imported_functions];
  return ws_relocations_in(ws_relocations_of(in, WS_SECTION_CODE), body->offset, body->offset + body->size);
}

// The next variable that a function uses: what stands for it.
static bool next_variable(const struct end_search *search, uint32_t module, struct ws_relocations *left,
                          struct ws_one_symbol *variable) {
  const struct ws_module *in = search->modules[module];
  const struct ws_relocation *relocation;
  while ((relocation = ws_next_relocation(left)) != NULL) {
    if (relocation->type == R_WASM_TYPE_INDEX_LEB || relocation->index >= in->symbol_count ||
        in->symbols[relocation->index].kind != WS_SYMBOL_DATA)
      continue;
    *variable = search->one->of[module][relocation->index];
    return true;
  }
  return false;
}

// Whether two functions, each of its module, use one variable.
static bool share_variable(const struct end_search *search, uint32_t module, uint32_t symbol, uint32_t other,
                           uint32_t other_symbol) {
  struct ws_relocations here = relocations_of(search, module, symbol);
  struct ws_one_symbol a, b;
  while (next_variable(search, module, &here, &a)) {
    struct ws_relocations there = relocations_of(search, other, other_symbol);
    while (next_variable(search, other, &there, &b))
      if (is_same(a, b))
        return true;
  }
  return false;
}

// Whether one of the modules has the function for what this one has registered.
static bool is_served(const struct end_search *search, uint32_t module) {
  const struct part *parts = search->parts;
  for (uint32_t i = 0; i < search->count; i++) {
    bool is_one = i == module;
    if (parts[i].function == UINT32_MAX || (parts[module].has_stdout && parts[i].lacks_stdout))
      continue;
    for (int k = 0; k < USERS && !is_one; k++) {
      uint32_t here = parts[module].users[k], there = parts[i].users[k];
      is_one = here != UINT32_MAX &&
               ((there != UINT32_MAX && is_same(search->one->of[module][here], search->one->of[i][there])) ||
                (search->modules[module]->symbols[here].kind == WS_SYMBOL_FUNCTION &&
                 share_variable(search, module, here, i, parts[i].function)));
    }
    if (is_one)
      return true;
  }
  return false;
}

static void fill_part(const struct end_search *search, enum ws_end_kind kind, uint32_t module) {
  const struct ws_module *in = search->modules[module];
  struct part *part = &search->parts[module];
  part->function = find_strong(in, ends[kind].function);
  for (int k = 0; k < USERS; k++)
    part->users[k] = find_strong(in, ends[kind].users[k]);
  part->has_stdout = kind == WS_END_FLUSH && find_strong(in, stdout_variable) != UINT32_MAX;
  part->lacks_stdout = kind == WS_END_FLUSH && lacks_stdout(search->modules, search->one, module);
}

static bool find_kind(const struct end_search *search, enum ws_end_kind kind, struct ws_arena *arena,
                      struct ws_end *end) {
  struct ws_one_symbol *functions = end->functions[kind] =
      ws_arena_new(arena, search->count, sizeof *functions);
  uint32_t *missing = end->missing[kind] = ws_arena_new(arena, search->count, sizeof *missing);
  if (!functions || !missing)
    return false;
  for (uint32_t i = 0; i < search->count; i++) {
    fill_part(search, kind, i);
    if (search->parts[i].function == UINT32_MAX)
      continue;
    struct ws_one_symbol symbol = search->one->of[i][search->parts[i].function];
    size_t known = 0;
    while (known < end->counts[kind] && !is_same(functions[known], symbol))
      known++;
    if (known == end->counts[kind])
      functions[end->counts[kind]++] = symbol;
  }
  bool is_called = !ends[kind].caller;
  for (uint32_t i = 0; i < search->count; i++)
    is_called |= find_strong(search->modules[i], ends[kind].caller) != UINT32_MAX;
  for (uint32_t i = 0; i < search->count && is_called; i++) {
    bool is_needed = false;
    for (int k = 0; k < NEEDS; k++)
      is_needed |= search->parts[i].users[k] != UINT32_MAX;
    if (is_needed && !is_served(search, i))
      missing[end->missing_counts[kind]++] = i;
  }
  return true;
}

bool ws_find_end(const struct ws_module *const *modules, size_t count, const struct ws_one *one,
                 struct ws_arena *arena, struct ws_end *end, struct ws_error *error) {
  struct ws_end found = {0};
  struct ws_arena scratch = {0};
  struct end_search search = {modules, count, one, ws_arena_new(&scratch, count, sizeof *search.parts)};
  bool ok = search.parts != NULL;
  for (int kind = 0; kind < WS_END_KINDS && ok; kind++)
    ok = find_kind(&search, (enum ws_end_kind)kind, arena, &found);
  ws_arena_free(&scratch);
  if (!ok)
    return ws_fail_memory(error, "");
  *end = found;
  return true;
}
