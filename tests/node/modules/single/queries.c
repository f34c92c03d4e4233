// Asks SQLite, which is another module, and a third one that counts.

int open_database(void);
const char *query(const char *sql);
int score(const char *text);

static char answer[64];

__attribute__((export_name("ask"))) const char *ask(void) {
  open_database();
  query("CREATE TABLE t(a, b); WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2000) "
        "INSERT INTO t SELECT i, 'x' || i FROM n;");
  const char *text = query("SELECT count(*) || ' ' || sum(a) || ' ' || max(b) FROM t;");
  int i = 0;
  for (; text[i]; i++)
    answer[i] = text[i];
  answer[i] = 0;
  return answer;
}
__attribute__((export_name("score_answer"))) int score_answer(void) { return score(answer); }
