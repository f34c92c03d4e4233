#include "link/match.h"

#include <stdlib.h>

#include "link/language.h"
#include "link/types.h"

// ------------------------------------------------------------------------------------------- union-find

uint32_t ws_find_root(uint32_t *forest, uint32_t node) {
  while (forest[node] != node)
    node = forest[node] = forest[forest[node]];
  return node;
}

void ws_join_roots(uint32_t *forest, uint32_t a, uint32_t b) {
  a = ws_find_root(forest, a);
  b = ws_find_root(forest, b);
  if (a < b)
    forest[b] = a;
  else
    forest[a] = b;
}

// ------------------------------------------------------------------------------------------------ things

static bool is_defined_function(const struct ws_module *module, const struct ws_symbol *symbol) {
  return symbol->kind == WS_SYMBOL_FUNCTION && !(symbol->flags & WS_SYMBOL_UNDEFINED) &&
         symbol->index >= module->imported_functions;
}

static bool is_placed_variable(const struct ws_symbol *symbol) {
  return symbol->kind == WS_SYMBOL_DATA && !(symbol->flags & (WS_SYMBOL_UNDEFINED | WS_SYMBOL_ABSOLUTE));
}

static int compare_keys(const void *a, const void *b) {
  uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
  return x < y ? -1 : x > y;
}

static uint32_t data_offset(const struct ws_module *module, const struct ws_symbol *symbol) {
  return module->segments[symbol->index].bytes_offset + (uint32_t)symbol->offset;
}

static void number_functions(struct ws_match *match, uint32_t index) {
  const struct ws_module *module = match->modules[index];
  struct ws_match_module *in = &match->in[index];
  for (uint32_t i = 0; i < module->function_count; i++)
    in->functions[i] = WS_NO_NODE;
  for (uint32_t i = 0; i < module->symbol_count; i++) {
    if (!is_defined_function(module, &module->symbols[i]))
      continue;
    uint32_t *node = &in->functions[module->symbols[i].index - module->imported_functions];
    if (*node == WS_NO_NODE)
      *node = in->base + i;
    match->thing[in->base + i] = *node;
  }
}

// Symbols without a size name places, not variables.
static void number_variables(struct ws_match *match, uint32_t index) {
  const struct ws_module *module = match->modules[index];
  struct ws_match_module *in = &match->in[index];
  for (uint32_t i = 0; i < module->symbol_count; i++)
    if (is_placed_variable(&module->symbols[i]) && module->symbols[i].size > 0)
      in->variables[in->variable_count++] =
          (uint64_t)data_offset(module, &module->symbols[i]) << 32 | (in->base + i);
  qsort(in->variables, in->variable_count, sizeof *in->variables, compare_keys);
  size_t kept = 0;
  for (size_t i = 0; i < in->variable_count; i++) {
    bool again = kept > 0 && in->variables[kept - 1] >> 32 == in->variables[i] >> 32;
    if (!again)
      in->variables[kept++] = in->variables[i];
    match->thing[(uint32_t)in->variables[i]] = (uint32_t)in->variables[kept - 1];
  }
  in->variable_count = kept;
}

static void number_relocations(struct ws_match *match, uint32_t index) {
  const struct ws_module *module = match->modules[index];
  struct ws_match_module *in = &match->in[index];
  size_t at = 0;
  for (uint32_t i = 0; i <= module->function_count; i++) {
    uint32_t begin = i < module->function_count ? module->functions[i].offset : UINT32_MAX;
    while (at < in->code.count && in->code.list[at].offset < begin)
      at++;
    in->first[i] = (uint32_t)at;
  }
}

// The variable that a guard of C++ is for is there under its own name: link-time optimisation may have
// divided it, and then others cannot see whether it is initialised.
static bool guards_variable(const struct ws_module *module, struct ws_slice guard) {
  enum { PREFIX = sizeof "_ZGV" - 1, START = sizeof "_Z" - 1 };
  struct ws_slice rest = {guard.data + PREFIX, guard.size - PREFIX};
  for (uint32_t i = 0; i < module->symbol_count; i++) {
    struct ws_slice name = module->symbols[i].name;
    if (name.size == rest.size + START && module->symbols[i].kind == WS_SYMBOL_DATA &&
        memcmp(name.data + START, rest.data, rest.size) == 0)
      return true;
  }
  return false;
}

// Link-time optimisation makes local what others cannot see, functions of C++ too.
static void find_unique(struct ws_match *match, uint32_t index) {
  const struct ws_module *module = match->modules[index];
  bool *is_unique = match->is_unique + match->in[index].base, *optimised = &match->in[index].is_optimised;
  for (uint32_t i = 0; i < module->symbol_count; i++) {
    const struct ws_symbol *symbol = &module->symbols[i];
    is_unique[i] = (symbol->flags & WS_SYMBOL_LOCAL) && ws_is_local_name_unique(symbol->name);
    *optimised |=
        is_unique[i] && ws_slice_starts(symbol->name, "_Z") && ws_name_owner(symbol->name) == WS_NAME_CXX;
  }
  for (uint32_t i = 0; i < module->symbol_count && *optimised; i++) {
    const struct ws_symbol *symbol = &module->symbols[i];
    is_unique[i] |= (symbol->flags & WS_SYMBOL_LOCAL) && ws_is_function_static(symbol->name) &&
                    (!ws_slice_starts(symbol->name, "_ZGV") || guards_variable(module, symbol->name));
  }
}

static bool begin_module(struct ws_match *match, uint32_t index, struct ws_arena *arena) {
  const struct ws_module *module = match->modules[index];
  struct ws_match_module *in = &match->in[index];
  in->functions = ws_arena_new(arena, module->function_count, sizeof *in->functions);
  in->variables = ws_arena_new(arena, module->symbol_count, sizeof *in->variables);
  in->first = ws_arena_new(arena, (size_t)module->function_count + 1, sizeof *in->first);
  in->code = ws_relocations_of(module, WS_SECTION_CODE);
  in->data = ws_relocations_of(module, WS_SECTION_DATA);
  if (!in->functions || !in->variables || !in->first)
    return false;
  for (uint32_t i = 0; i < module->symbol_count; i++) {
    match->module[in->base + i] = index;
    bool is_mangled =
        ws_slice_starts(module->symbols[i].name, "_Z") || ws_slice_starts(module->symbols[i].name, "_R");
    if (is_mangled || !(module->symbols[i].flags & WS_SYMBOL_LOCAL))
      match->owner[in->base + i] = (uint8_t)ws_symbol_owner(&module->symbols[i]);
    match->thing[in->base + i] = in->base + i;
  }
  find_unique(match, index);
  number_functions(match, index);
  number_variables(match, index);
  number_relocations(match, index);
  return true;
}

// The bytes of a function or variable, in its section.
struct place {
  const uint8_t *bytes;
  uint32_t begin, size; // in the section's content
  struct ws_relocations relocations;
};

static bool find_place(const struct ws_match *match, uint32_t node, struct place *place) {
  const struct ws_module *module = match->modules[match->module[node]];
  const struct ws_match_module *in = &match->in[match->module[node]];
  const struct ws_symbol *symbol = ws_match_symbol(match, node);
  if (is_defined_function(module, symbol)) {
    uint32_t index = symbol->index - module->imported_functions;
    const struct ws_function *function = &module->functions[index];
    size_t first = in->first[index];
    *place = (struct place){ws_function_body(module, index).data,
                            function->offset,
                            function->size,
                            {in->code.list + first, in->first[index + 1] - first}};
    return !function->synthetic;
  }
  if (!is_placed_variable(symbol))
    return false;
  const struct ws_segment *segment = &module->segments[symbol->index];
  if (symbol->size > segment->bytes.size - symbol->offset) // the reader has checked the offset
    return false;
  uint32_t begin = data_offset(module, symbol), size = (uint32_t)symbol->size;
  *place = (struct place){segment->bytes.data + symbol->offset, begin, size,
                          ws_relocations_in(in->data, begin, begin + size)};
  return true;
}

struct ws_relocations ws_match_relocations(const struct ws_match *match, uint32_t node) {
  struct place place;
  return find_place(match, node, &place) ? place.relocations : (struct ws_relocations){0};
}

struct ws_beside ws_match_beside(const struct ws_match *match, uint32_t x, uint32_t y) {
  struct ws_beside beside = {
      .match = match, .base_x = match->in[match->module[x]].base, .base_y = match->in[match->module[y]].base};
  struct place place;
  if (find_place(match, x, &place)) {
    beside.begin_x = place.begin;
    beside.left_x = place.relocations;
  }
  if (find_place(match, y, &place)) {
    beside.begin_y = place.begin;
    beside.left_y = place.relocations;
  }
  return beside;
}

bool ws_next_beside(struct ws_beside *beside) {
  const struct ws_relocation *x, *y;
  do {
    x = ws_next_relocation(&beside->left_x);
    y = ws_next_relocation(&beside->left_y);
    if (!x || !y)
      return false;
    beside->apart |= x->offset - beside->begin_x != y->offset - beside->begin_y;
  } while (x->type == R_WASM_TYPE_INDEX_LEB || y->type == R_WASM_TYPE_INDEX_LEB);
  beside->x = x->index == WS_NO_SYMBOL ? WS_NO_NODE : beside->base_x + x->index;
  beside->y = y->index == WS_NO_SYMBOL ? WS_NO_NODE : beside->base_y + y->index;
  return true;
}

// ------------------------------------------------------------------------------------------------- pairs

static size_t hash_pair(uint32_t x, uint32_t y) {
  uint64_t hash = ((uint64_t)x << 32 | y) * UINT64_C(0x9e3779b97f4a7c15);
  return (size_t)(hash ^ hash >> 32);
}

static bool grow_slots(struct ws_match *match) {
  size_t count = match->slot_count ? match->slot_count * 2 : 1024;
  uint32_t *slots = malloc(count * sizeof *slots);
  if (!slots)
    return false;
  memset(slots, 0xff, count * sizeof *slots);
  for (size_t i = 0; i < match->pair_count; i++) {
    size_t at = hash_pair(match->pairs[i].x, match->pairs[i].y) & (count - 1);
    while (slots[at] != WS_NO_NODE)
      at = (at + 1) & (count - 1);
    slots[at] = (uint32_t)i;
  }
  free(match->slots);
  match->slots = slots;
  match->slot_count = count;
  return true;
}

uint32_t ws_match_add(struct ws_match *match, uint32_t x, uint32_t y) {
  if (match->pair_count * 2 >= match->slot_count && !grow_slots(match))
    return WS_NO_NODE;
  size_t at = hash_pair(x, y) & (match->slot_count - 1);
  for (; match->slots[at] != WS_NO_NODE; at = (at + 1) & (match->slot_count - 1)) {
    const struct ws_pair *pair = &match->pairs[match->slots[at]];
    if (pair->x == x && pair->y == y)
      return match->slots[at];
  }
  struct ws_pair *pairs = ws_make_room(match->pairs, match->pair_count, &match->pair_capacity, sizeof *pairs);
  if (!pairs || match->pair_count >= WS_NO_NODE)
    return WS_NO_NODE;
  match->pairs = pairs;
  pairs[match->pair_count] = (struct ws_pair){.x = x, .y = y, .dependent = WS_NO_NODE};
  return match->slots[at] = (uint32_t)match->pair_count++;
}

// --------------------------------------------------------------------------------------------- comparing

enum outcome { DIFFERENT, SAME, OUT_OF_MEMORY };

static const struct ws_type *function_type(const struct ws_module *module, const struct ws_symbol *symbol) {
  uint32_t type = module->function_types[symbol->index - module->imported_functions];
  return type < module->type_count ? &module->types[type] : NULL;
}

static bool is_same_type_index(const struct ws_module *x, uint32_t index_x, const struct ws_module *y,
                               uint32_t index_y) {
  return x->types && y->types && index_x < x->type_count && index_y < y->type_count &&
         ws_is_same_type(&x->types[index_x], &y->types[index_y]);
}

static bool are_names_equal(const struct ws_symbol *x, const struct ws_symbol *y) {
  if (ws_is_private_name(x->name) && ws_is_private_name(y->name))
    return true;
  return ws_slice_equal(ws_name_base(x->name), ws_name_base(y->name));
}

bool ws_match_is_own(const struct ws_match *match, uint32_t node) {
  const struct ws_symbol *symbol = ws_match_symbol(match, node);
  return match->owner[node] == WS_NAME_PLAIN &&
         (symbol->kind == WS_SYMBOL_FUNCTION || symbol->kind == WS_SYMBOL_DATA) &&
         !(symbol->flags & (WS_SYMBOL_WEAK | WS_SYMBOL_UNDEFINED | WS_SYMBOL_LOCAL)) &&
         !ws_was_local(symbol->name);
}

// Whether two operands refer to the same, as far as their names tell; for local functions and variables,
// `*follow` is set.
static bool correspond(const struct ws_match *match, uint32_t x, uint32_t y, bool *follow) {
  const struct ws_symbol *in_x = ws_match_symbol(match, x), *in_y = ws_match_symbol(match, y);
  bool local_x = in_x->flags & WS_SYMBOL_LOCAL, local_y = in_y->flags & WS_SYMBOL_LOCAL;
  if (in_x->kind != in_y->kind || in_x->kind == WS_SYMBOL_SECTION)
    return false;
  struct ws_slice stub_x = ws_weak_stub_name(in_x), stub_y = ws_weak_stub_name(in_y);
  if (stub_x.size || stub_y.size)
    return ws_slice_equal(stub_x.size ? stub_x : in_x->name, stub_y.size ? stub_y : in_y->name);
  if (local_x != local_y || (ws_match_is_own(match, x) && ws_match_is_own(match, y)))
    return false;
  bool has_body = in_x->kind == WS_SYMBOL_FUNCTION || in_x->kind == WS_SYMBOL_DATA;
  *follow = local_x && has_body && !(match->is_unique[x] && match->is_unique[y]) &&
            !((in_x->flags | in_y->flags) & WS_SYMBOL_ABSOLUTE);
  return are_names_equal(in_x, in_y);
}

// Makes `pair` depend on another one.
static enum outcome depend(struct ws_match *match, uint32_t pair, uint32_t x, uint32_t y) {
  uint32_t on = ws_match_add(match, match->thing[x], match->thing[y]);
  struct ws_dependent *dependents =
      ws_make_room(match->dependents, match->dependent_count, &match->dependent_capacity, sizeof *dependents);
  if (on == WS_NO_NODE || !dependents || match->dependent_count >= WS_NO_NODE)
    return OUT_OF_MEMORY;
  match->dependents = dependents;
  match->pairs[pair].depends = true;
  dependents[match->dependent_count] =
      (struct ws_dependent){.pair = pair, .next = match->pairs[on].dependent};
  match->pairs[on].dependent = (uint32_t)match->dependent_count++;
  return match->pairs[on].different ? DIFFERENT : SAME;
}

static enum outcome compare_operands(struct ws_match *match, uint32_t pair, const struct ws_relocation *x,
                                     const struct ws_relocation *y) {
  uint32_t module_x = match->module[match->pairs[pair].x], module_y = match->module[match->pairs[pair].y];
  const struct ws_module *in_x = match->modules[module_x], *in_y = match->modules[module_y];
  if (x->type != y->type || ws_addend(x) != ws_addend(y))
    return DIFFERENT;
  if (x->type == R_WASM_TYPE_INDEX_LEB)
    return is_same_type_index(in_x, x->index, in_y, y->index) ? SAME : DIFFERENT;
  if (x->index >= in_x->symbol_count || y->index >= in_y->symbol_count)
    return DIFFERENT;
  uint32_t node_x = match->in[module_x].base + x->index, node_y = match->in[module_y].base + y->index;
  bool follow = false;
  if (!correspond(match, node_x, node_y, &follow))
    return DIFFERENT;
  return follow ? depend(match, pair, node_x, node_y) : SAME;
}

// lld leaves out the relocation of the address of a weak function that nobody defines, which is null.
static bool is_null_function(const struct ws_relocation *relocation, const uint8_t *other, size_t width) {
  switch (relocation->type) {
  case R_WASM_TABLE_INDEX_SLEB:
  case R_WASM_TABLE_INDEX_I32:
  case R_WASM_TABLE_INDEX_SLEB64:
  case R_WASM_TABLE_INDEX_I64:
    break;
  default:
    return false;
  }
  uint8_t bits = 0;
  for (size_t i = 0; i < width; i++)
    bits |= i + 1 < width ? other[i] & 0x7f : other[i];
  return bits == 0;
}

// The next relocation of a place, with its offset there.
struct side {
  struct place place;
  const struct ws_relocation *relocation;
  uint32_t offset; // UINT32_MAX at the end
};

static void advance(struct side *side) {
  do
    side->relocation = ws_next_relocation(&side->place.relocations);
  while (side->relocation && side->relocation->index == WS_NO_SYMBOL);
  side->offset = side->relocation ? side->relocation->offset - side->place.begin : UINT32_MAX;
}

static enum outcome compare_places(struct ws_match *match, uint32_t pair, struct side *x, struct side *y) {
  uint32_t size = x->place.size, at = 0;
  if (size != y->place.size)
    return DIFFERENT;
  for (advance(x), advance(y); x->offset != UINT32_MAX || y->offset != UINT32_MAX;) {
    bool in_x = x->offset <= y->offset, in_y = y->offset <= x->offset;
    const struct side *first = in_x ? x : y;
    uint32_t offset = first->offset;
    size_t width = ws_relocation_width(first->relocation->type);
    if (offset < at || width > size - offset ||
        memcmp(x->place.bytes + at, y->place.bytes + at, offset - at) != 0)
      return DIFFERENT;
    enum outcome outcome = DIFFERENT;
    if (in_x && in_y)
      outcome = compare_operands(match, pair, x->relocation, y->relocation);
    else if (is_null_function(first->relocation, (in_x ? y : x)->place.bytes + offset, width))
      outcome = SAME;
    if (outcome != SAME)
      return outcome;
    at = offset + (uint32_t)width;
    if (in_x)
      advance(x);
    if (in_y)
      advance(y);
  }
  return memcmp(x->place.bytes + at, y->place.bytes + at, size - at) == 0 ? SAME : DIFFERENT;
}

bool ws_match_looks_same(const struct ws_match *match, uint32_t x, uint32_t y) {
  struct side sides[2];
  const uint32_t nodes[] = {x, y};
  if ((ws_match_symbol(match, x)->flags ^ ws_match_symbol(match, y)->flags) & WS_SYMBOL_TLS)
    return false;
  for (int i = 0; i < 2; i++) {
    if (!find_place(match, nodes[i], &sides[i].place))
      return false;
    advance(&sides[i]);
  }
  uint32_t size = sides[0].place.size, at = 0;
  if (size != sides[1].place.size)
    return false;
  while (sides[0].offset != UINT32_MAX && sides[0].offset == sides[1].offset &&
         sides[0].relocation->type == sides[1].relocation->type) {
    uint32_t offset = sides[0].offset;
    size_t width = ws_relocation_width(sides[0].relocation->type);
    if (offset < at || width > size - offset ||
        memcmp(sides[0].place.bytes + at, sides[1].place.bytes + at, offset - at) != 0)
      return false;
    at = offset + (uint32_t)width;
    advance(&sides[0]);
    advance(&sides[1]);
  }
  return sides[0].offset == UINT32_MAX && sides[1].offset == UINT32_MAX &&
         memcmp(sides[0].place.bytes + at, sides[1].place.bytes + at, size - at) == 0;
}

// FNV-1a
static uint64_t hash_bytes(uint64_t hash, const uint8_t *bytes, size_t size) {
  for (size_t i = 0; i < size; i++)
    hash = (hash ^ bytes[i]) * UINT64_C(0x100000001b3);
  return hash;
}

static uint64_t hash_operand(const struct ws_match *match, uint32_t module, uint64_t hash,
                             const struct ws_relocation *relocation) {
  hash = hash_bytes(hash, &relocation->type, 1);
  if (relocation->type == R_WASM_TYPE_INDEX_LEB || relocation->index >= match->modules[module]->symbol_count)
    return hash;
  const struct ws_symbol *symbol = &match->modules[module]->symbols[relocation->index];
  struct ws_slice name = ws_name_base(symbol->name);
  if (ws_is_private_name(symbol->name) || ws_weak_stub_name(symbol).size > 0)
    return hash;
  return hash_bytes(hash, name.data, name.size);
}

uint64_t ws_match_hash(const struct ws_match *match, uint32_t node) {
  uint64_t hash = UINT64_C(0xcbf29ce484222325);
  struct side side;
  if (!find_place(match, node, &side.place))
    return hash;
  uint32_t at = 0, size = side.place.size;
  for (advance(&side); side.offset != UINT32_MAX; advance(&side)) {
    size_t width = ws_relocation_width(side.relocation->type);
    if (side.offset < at || width > size - side.offset)
      break;
    hash = hash_bytes(hash, side.place.bytes + at, side.offset - at);
    hash = hash_operand(match, match->module[node], hash, side.relocation);
    at = side.offset + (uint32_t)width;
  }
  return hash_bytes(hash, side.place.bytes + at, size - at);
}

static enum outcome compare_pair(struct ws_match *match, uint32_t index) {
  uint32_t x = match->pairs[index].x, y = match->pairs[index].y;
  const struct ws_symbol *in_x = ws_match_symbol(match, x), *in_y = ws_match_symbol(match, y);
  const struct ws_module *module_x = match->modules[match->module[x]],
                         *module_y = match->modules[match->module[y]];
  struct side side_x, side_y;
  if (in_x->kind != in_y->kind || ((in_x->flags ^ in_y->flags) & WS_SYMBOL_TLS) ||
      !find_place(match, x, &side_x.place) || !find_place(match, y, &side_y.place))
    return DIFFERENT;
  if (in_x->kind == WS_SYMBOL_FUNCTION &&
      !ws_is_same_type(function_type(module_x, in_x), function_type(module_y, in_y)))
    return DIFFERENT;
  return compare_places(match, index, &side_x, &side_y);
}

// Makes all pairs different that depend on one that is.
static bool spread(struct ws_match *match, uint32_t from) {
  uint32_t *stack = NULL;
  size_t count = 0, capacity = 0;
  bool ok = true;
  for (;;) {
    for (uint32_t i = match->pairs[from].dependent; i != WS_NO_NODE; i = match->dependents[i].next) {
      struct ws_pair *user = &match->pairs[match->dependents[i].pair];
      if (user->different)
        continue;
      user->different = true;
      uint32_t *longer = ws_make_room(stack, count, &capacity, sizeof *stack);
      if (!longer) {
        ok = false;
        break;
      }
      stack = longer;
      stack[count++] = match->dependents[i].pair;
    }
    if (count == 0 || !ok)
      break;
    from = stack[--count];
  }
  free(stack);
  return ok;
}

bool ws_match_compare(struct ws_match *match) {
  for (; match->compared < match->pair_count; match->compared++) {
    uint32_t index = (uint32_t)match->compared;
    if (match->pairs[index].different)
      continue;
    enum outcome outcome = compare_pair(match, index);
    if (outcome == OUT_OF_MEMORY)
      return false;
    if (outcome == SAME)
      continue;
    match->pairs[index].different = true;
    if (!spread(match, index))
      return false;
  }
  return true;
}

// ------------------------------------------------------------------------------------------------- parts

struct visitor {
  void (*visit)(void *context, uint32_t thing, uint32_t operand);
  void *context;
};

static void visit_operand(const struct ws_match *match, uint32_t module, uint32_t thing,
                          const struct ws_relocation *relocation, const struct visitor *visitor) {
  if (relocation->type != R_WASM_TYPE_INDEX_LEB && relocation->index < match->modules[module]->symbol_count)
    visitor->visit(visitor->context, thing, match->in[module].base + relocation->index);
}

static void visit_code(const struct ws_match *match, uint32_t index, const struct visitor *visitor) {
  const struct ws_match_module *in = &match->in[index];
  for (uint32_t i = 0; i < match->modules[index]->function_count; i++)
    for (uint32_t at = in->first[i]; in->functions[i] != WS_NO_NODE && at < in->first[i + 1]; at++)
      visit_operand(match, index, in->functions[i], &in->code.list[at], visitor);
}

static void visit_data(const struct ws_match *match, uint32_t index, const struct visitor *visitor) {
  const struct ws_match_module *in = &match->in[index];
  size_t at = 0;
  for (size_t i = 0; i < in->data.count; i++) {
    const struct ws_relocation *relocation = &in->data.list[i];
    while (at + 1 < in->variable_count && in->variables[at + 1] >> 32 <= relocation->offset)
      at++;
    if (at < in->variable_count && in->variables[at] >> 32 <= relocation->offset)
      visit_operand(match, index, (uint32_t)in->variables[at], relocation, visitor);
  }
}

void ws_match_visit(const struct ws_match *match,
                    void (*visit)(void *context, uint32_t thing, uint32_t operand), void *context) {
  const struct visitor visitor = {visit, context};
  for (uint32_t i = 0; i < match->count; i++) {
    visit_code(match, i, &visitor);
    visit_data(match, i, &visitor);
  }
}

struct joiner {
  struct ws_match *match;
  const bool *local; // of each node: whether it is of one object file, by its name
};

static bool is_of_one_file(const struct ws_match *match, uint32_t node) {
  const struct ws_symbol *symbol = ws_match_symbol(match, node);
  return (symbol->kind == WS_SYMBOL_FUNCTION || symbol->kind == WS_SYMBOL_DATA) &&
         (symbol->flags & WS_SYMBOL_LOCAL) && !(symbol->flags & WS_SYMBOL_ABSOLUTE) &&
         !ws_is_private_name(symbol->name) && !match->is_unique[node];
}

static void join_operand(void *context, uint32_t thing, uint32_t operand) {
  const struct joiner *joiner = context;
  if (joiner->local[operand])
    ws_join_roots(joiner->match->part, thing, joiner->match->thing[operand]);
}

static void note_use(void *context, uint32_t thing, uint32_t operand) {
  const struct ws_match *match = context;
  uint32_t used = ws_find_root(match->part, match->thing[operand]);
  match->is_used[used] |= used != ws_find_root(match->part, thing);
}

static bool find_parts(struct ws_match *match, struct ws_arena *arena) {
  bool *local = ws_arena_new(arena, match->node_count, sizeof *local);
  match->part = ws_arena_new(arena, match->node_count, sizeof *match->part);
  if (!local || !match->part)
    return false;
  struct joiner joiner = {match, local};
  for (uint32_t i = 0; i < match->node_count; i++) {
    local[i] = is_of_one_file(match, i);
    match->part[i] = match->thing[i];
  }
  ws_match_visit(match, join_operand, &joiner);
  ws_match_visit(match, note_use, match);
  return true;
}

// --------------------------------------------------------------------------------------------------- all

bool ws_match_begin(struct ws_match *match, const struct ws_module *const *modules, size_t count,
                    struct ws_arena *arena, struct ws_error *error) {
  *match = (struct ws_match){.modules = modules, .count = count};
  match->in = ws_arena_new(arena, count, sizeof *match->in);
  uint64_t nodes = 0;
  for (size_t i = 0; i < count && match->in; i++) {
    match->in[i].base = (uint32_t)nodes;
    nodes += modules[i]->symbol_count;
    if (nodes >= WS_NO_NODE)
      return ws_fail(error, modules[i]->file, NULL, WS_NO_OFFSET, "has too many symbols, with the others");
  }
  match->node_count = (uint32_t)nodes;
  match->module = ws_arena_new(arena, match->node_count, sizeof *match->module);
  match->thing = ws_arena_new(arena, match->node_count, sizeof *match->thing);
  match->owner = ws_arena_new(arena, match->node_count, sizeof *match->owner);
  match->is_unique = ws_arena_new(arena, match->node_count, sizeof *match->is_unique);
  match->is_used = ws_arena_new(arena, match->node_count, sizeof *match->is_used);
  bool ok = match->in && match->module && match->thing && match->owner && match->is_unique && match->is_used;
  for (size_t i = 0; i < count && ok; i++)
    ok = begin_module(match, (uint32_t)i, arena);
  return (ok && find_parts(match, arena)) || ws_fail_memory(error, "");
}

void ws_match_free(struct ws_match *match) {
  free(match->pairs);
  free(match->dependents);
  free(match->slots);
  *match = (struct ws_match){0};
}
