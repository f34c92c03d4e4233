#include "link/weak.h"

#include <stdio.h>
#include <stdlib.h>

#include "link/language.h"

#ifdef WS_HAS_DEMANGLER // <cxxabi.h>, of a C++ library that is linked
char *__cxa_demangle(const char *mangled, char *buffer, size_t *size, int *status);
#define demangle(name) __cxa_demangle(name, NULL, NULL, NULL)
#else
#define demangle(name) NULL
#endif

// ------------------------------------------------------------------------------------------------- names

// What LLVM calls _ZTH, and what it is before the variable's name.
static const char initialisation[] = "thread-local initialization routine for ";

// Demanglers put spaces where they like.
static bool is_spelled_like(struct ws_slice a, const char *b) {
  size_t i = 0;
  for (;; i++, b++) {
    while (i < a.size && a.data[i] == ' ')
      i++;
    while (*b == ' ')
      b++;
    if (i == a.size || *b == '\0')
      return i == a.size && *b == '\0';
    if (a.data[i] != (uint8_t)*b)
      return false;
  }
}

// Whether the mangled name, of which `skipped` bytes after _Z are left out, is demangled so.
static bool demangles_to(struct ws_slice mangled, size_t skipped, struct ws_slice name) {
  char *text = malloc(mangled.size + 1);
  if (!text || mangled.size < 2 + skipped) {
    free(text);
    return false;
  }
  memcpy(text, "_Z", 2);
  memcpy(text + 2, mangled.data + 2 + skipped, mangled.size - 2 - skipped);
  text[mangled.size - skipped] = '\0';
  char *demangled = demangle(text);
  bool is_so = demangled && is_spelled_like(name, demangled);
  free(demangled);
  free(text);
  return is_so;
}

static bool is_identifier(uint8_t byte) {
  return byte == '_' || (byte >= '0' && byte <= '9') || (byte >= 'a' && byte <= 'z') ||
         (byte >= 'A' && byte <= 'Z');
}

// The identifier before the first parenthesis or angle bracket of a demangled name, as mangled names have it:
// its length and itself. Few names have it, so that few are demangled. Empty if names may have it in another
// form.
static void mangle_part(struct ws_slice name, char *part, size_t size) {
  size_t begin, end = 0;
  while (end < name.size && name.data[end] != '(' && name.data[end] != '<')
    end++;
  for (begin = end; begin > 0 && is_identifier(name.data[begin - 1]);)
    begin--;
  part[0] = '\0';
  if (begin < end && !ws_slice_contains(name, "std::"))
    snprintf(part, size, "%zu%.*s", end - begin, (int)(end - begin), (const char *)name.data + begin);
}

// The node of the definition that a stub is named for, or WS_NO_NODE.
static uint32_t find_definition(const struct ws_definitions *definitions, struct ws_slice name) {
  const struct ws_defined_name *found = ws_find_name(definitions, WS_SYMBOL_FUNCTION, name);
  if (found)
    return definitions->list[found->first].node;
  bool is_th = ws_slice_starts(name, initialisation);
  if (is_th)
    name = (struct ws_slice){name.data + sizeof initialisation - 1, name.size - (sizeof initialisation - 1)};
  char part[256];
  mangle_part(name, part, sizeof part);
  for (size_t i = 0; i < definitions->name_count; i++) {
    const struct ws_defined_name *mangled = &definitions->names[i];
    if (mangled->kind == WS_SYMBOL_FUNCTION && ws_slice_starts(mangled->text, is_th ? "_ZTH" : "_Z") &&
        ws_slice_contains(mangled->text, part) && demangles_to(mangled->text, is_th ? 2 : 0, name))
      return definitions->list[mangled->first].node;
  }
  return WS_NO_NODE;
}

// ---------------------------------------------------------------------------------------------------- all

static size_t count_stubs(const struct ws_match *match) {
  size_t count = 0;
  for (uint32_t i = 0; i < match->node_count; i++)
    count += ws_weak_stub_name(ws_match_symbol(match, i)).size > 0;
  return count;
}

bool ws_find_weak_functions(const struct ws_match *match, const struct ws_definitions *definitions,
                            struct ws_arena *arena, struct ws_weak_function **functions, size_t *count) {
  struct ws_weak_function *list = ws_arena_new(arena, count_stubs(match), sizeof *list);
  *functions = list;
  *count = 0;
  for (uint32_t i = 0; i < match->node_count && list; i++) {
    struct ws_slice name = ws_weak_stub_name(ws_match_symbol(match, i));
    uint32_t to = name.size ? find_definition(definitions, name) : WS_NO_NODE;
    if (to != WS_NO_NODE && match->module[to] != match->module[i])
      list[(*count)++] = (struct ws_weak_function){i, to};
  }
  return list != NULL;
}
