// Parses a text with one of two grammars, which are other modules, again and again.

#include <stdlib.h>
#include <string.h>
#include <tree_sitter/api.h>

const TSLanguage *tree_sitter_c(void);
const TSLanguage *tree_sitter_javascript(void);

static unsigned parse(const TSLanguage *language, const char *text) {
  TSParser *parser = ts_parser_new();
  ts_parser_set_language(parser, language);
  TSTree *tree = ts_parser_parse_string(parser, NULL, text, (unsigned)strlen(text));
  unsigned count = ts_node_descendant_count(ts_tree_root_node(tree));
  ts_tree_delete(tree);
  ts_parser_delete(parser);
  return count;
}

static char *repeat(const char *line, int times) {
  size_t size = strlen(line);
  char *text = calloc(1, size * (size_t)times + 1);
  for (int i = 0; i < times; i++)
    memcpy(text + (size_t)i * size, line, size);
  return text;
}

__attribute__((export_name("run"))) unsigned run(int times) {
  char *c = repeat("int f(int n) { if (n > 3) return g(n - 1) * 2; struct s v = {1, n}; return v.b[n]; }\n", times);
  char *js = repeat("const f = async (n, {a}) => { for (const x of n) await g(`${x + 1}`, [...a]); };\n", times);
  unsigned count = parse(tree_sitter_c(), c) + parse(tree_sitter_javascript(), js);
  free(c);
  free(js);
  return count;
}
