// Prints, by the lists of layout.h, what layout.json has and macros with numbers have not: a line for each word.
#include <stdio.h>

#include "layout.h"

static void say(const char *word) {
  puts(word ? word : "-");
}

#define IMPORT(module, name, kind, from, deferred)                                                           \
  puts("import");                                                                                            \
  say(module);                                                                                               \
  say(name);                                                                                                 \
  say(#kind);                                                                                                \
  printf("%d\n%d\n", from, deferred);

#define MODULE(M)                                                                                            \
  printf("module\n%d\n", LAYOUT_##M##_INDEX);                                                                \
  say(LAYOUT_##M##_NAME);                                                                                    \
  say(LAYOUT_##M##_FILE);                                                                                    \
  say(LAYOUT_##M##_MEMORY_IMPORT_MODULE);                                                                    \
  say(LAYOUT_##M##_MEMORY_IMPORT_FIELD);                                                                     \
  printf("%d\n", LAYOUT_##M##_IMPORTS_TABLE);                                                                \
  say(LAYOUT_##M##_CONSTRUCTORS);                                                                            \
  LAYOUT_##M##_IMPORTS(IMPORT)

#define NAME(M) say(LAYOUT_##M##_NAME);

int main(void) {
  LAYOUT_MODULES(MODULE)
  puts("order");
  LAYOUT_INSTANTIATION_ORDER(NAME)
  return 0;
}
