#include "link/finder.h"

#include "link/language.h"
#include "read/instructions.h"
#include "read/memory_users.h"

// What hands out memory: a function or variable that names __heap_base or __heap_end, but for what only tells
// threads where their stack ends; and, in the second sense, also functions that grow the memory, and what
// calls them.
enum { NAMES_HEAP = 1, IS_OF_HEAP = 2 };

// One for each node.
struct nodes {
  const bool *names;   // it is __heap_base or __heap_end
  const bool *growers; // a function that grows the memory
  uint8_t *heap;       // of things: these bits
  bool *common;        // of roots of parts: an allocator in it is one that two modules have; false in between
};

static uint8_t look_at(const struct ws_finder *finder, uint32_t node, const struct nodes *nodes) {
  uint8_t heap = nodes->growers[node] ? IS_OF_HEAP : 0;
  const struct ws_module *module = finder->modules[finder->match.module[node]];
  uint32_t base = finder->match.in[finder->match.module[node]].base;
  struct ws_relocations left = ws_match_relocations(&finder->match, node);
  const struct ws_relocation *relocation;
  while ((relocation = ws_next_relocation(&left)) != NULL) {
    if (relocation->type == R_WASM_TYPE_INDEX_LEB || relocation->index >= module->symbol_count)
      continue;
    uint32_t operand = base + relocation->index;
    if (nodes->names[operand])
      return NAMES_HEAP | IS_OF_HEAP;
    if (nodes->growers[finder->match.thing[operand]])
      heap = IS_OF_HEAP;
  }
  return heap;
}

static bool *find_names(struct ws_finder *finder) {
  bool *names = ws_arena_new(&finder->scratch, finder->match.node_count, sizeof *names);
  for (uint32_t i = 0; names && i < finder->match.node_count; i++) {
    const struct ws_symbol *symbol = ws_finder_symbol(finder, i);
    names[i] = symbol->kind == WS_SYMBOL_DATA &&
               (ws_slice_is(symbol->name, "__heap_base") || ws_slice_is(symbol->name, "__heap_end"));
  }
  return names;
}

static bool grows_memory(const struct ws_module *module, uint32_t function) {
  struct ws_reader body = ws_reader(ws_function_body(module, function));
  struct ws_memory_site site = {0};
  ws_skip_locals(&body);
  while (!module->functions[function].synthetic && !site.grows && ws_next_memory_site(&body, &site))
    ;
  return site.grows;
}

static bool *find_growers(struct ws_finder *finder) {
  bool *growers = ws_arena_new(&finder->scratch, finder->match.node_count, sizeof *growers);
  for (size_t m = 0; growers && m < finder->count; m++) {
    const struct ws_module *module = finder->modules[m];
    for (uint32_t i = 0; (i = ws_next_like_memory_user(module, i)) < module->function_count; i++)
      if (finder->match.in[m].functions[i] != WS_NO_NODE)
        growers[finder->match.in[m].functions[i]] = grows_memory(module, i);
  }
  return growers;
}

// The `at`th function or variable of a module; `at` is less than there are.
static uint32_t thing_at(const struct ws_finder *finder, size_t index, size_t at) {
  const struct ws_match_module *in = &finder->match.in[index];
  size_t functions = finder->modules[index]->function_count;
  return at < functions ? in->functions[at] : (uint32_t)in->variables[at - functions];
}

static size_t count_things(const struct ws_finder *finder, size_t index) {
  return finder->modules[index]->function_count + finder->match.in[index].variable_count;
}

static void note_heap(const struct ws_finder *finder, size_t index, const struct nodes *nodes) {
  const struct ws_module_info *info = &finder->modules[index]->info;
  if (!info->uses_heap_base && !info->uses_heap_end)
    return;
  for (size_t at = 0; at < count_things(finder, index); at++) {
    uint32_t node = thing_at(finder, index, at);
    if (node != WS_NO_NODE && finder->match.owner[node] != WS_NAME_MODULE)
      nodes->heap[node] = look_at(finder, node, nodes);
  }
}

// The next function or variable of a module's allocators, or WS_NO_NODE. `at` begins as 0.
static uint32_t next_of_heap(const struct ws_finder *finder, size_t index, const struct nodes *nodes,
                             uint8_t heap, size_t *at) {
  while (*at < count_things(finder, index)) {
    uint32_t node = thing_at(finder, index, (*at)++);
    if (node != WS_NO_NODE && (nodes->heap[node] & heap))
      return node;
  }
  return WS_NO_NODE;
}

// The module whose allocator is one with this one's; a module with several has its own.
static size_t find_heap(const struct ws_finder *finder, size_t index, const struct nodes *nodes) {
  size_t heap = WS_HOST, at = 0;
  uint32_t node;
  while ((node = next_of_heap(finder, index, nodes, NAMES_HEAP, &at)) != WS_NO_NODE) {
    size_t other = finder->match.module[ws_finder_resolve(finder, node)];
    heap = heap == WS_HOST || heap == other ? other : index;
  }
  return heap;
}

// Whether one module's heap is another one's, and one of the two has an allocator beside that, in an object
// of which the other has nothing.
static bool is_divided(const struct ws_finder *finder, size_t index, const struct nodes *nodes) {
  size_t heap = finder->one->heap[index], modules[] = {index, heap};
  bool divided = false;
  uint32_t node;
  if (heap == WS_HOST || heap == index)
    return false;
  for (size_t at = 0; (node = next_of_heap(finder, index, nodes, IS_OF_HEAP, &at)) != WS_NO_NODE;)
    if (finder->match.module[ws_finder_resolve(finder, node)] == heap)
      nodes->common[ws_find_root(finder->match.part, node)] =
          nodes->common[ws_find_root(finder->match.part, ws_finder_resolve(finder, node))] = true;
  for (int i = 0; i < 2; i++)
    for (size_t at = 0; (node = next_of_heap(finder, modules[i], nodes, IS_OF_HEAP, &at)) != WS_NO_NODE;)
      divided |= !nodes->common[ws_find_root(finder->match.part, node)];
  memset(nodes->common, 0, finder->match.node_count * sizeof *nodes->common);
  return divided;
}

bool ws_find_heaps(struct ws_finder *finder) {
  size_t count = finder->match.node_count;
  size_t *heap = ws_arena_new(finder->arena, finder->count, sizeof *heap);
  bool *divided = ws_arena_new(finder->arena, finder->count, sizeof *divided);
  struct nodes nodes = {find_names(finder), find_growers(finder),
                        ws_arena_new(&finder->scratch, count, sizeof *nodes.heap),
                        ws_arena_new(&finder->scratch, count, sizeof *nodes.common)};
  if (!heap || !divided || !nodes.names || !nodes.growers || !nodes.heap || !nodes.common)
    return ws_finder_out_of_memory(finder);
  for (size_t i = 0; i < finder->count; i++)
    note_heap(finder, i, &nodes);
  for (size_t i = 0; i < finder->count; i++)
    heap[i] = find_heap(finder, i, &nodes);
  finder->one->heap = heap;
  for (size_t i = 0; i < finder->count; i++)
    divided[i] = is_divided(finder, i, &nodes);
  finder->one->heap_is_divided = divided;
  return true;
}
