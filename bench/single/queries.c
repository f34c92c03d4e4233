// Asks SQLite, which is another module, and sums what a third one makes of the answers.

int open_database(void);
const char *query(const char *sql);
int close_database(void);
int score(const char *text);

__attribute__((export_name("run"))) int run(int times) {
  int sum = 0;
  open_database();
  query("CREATE TABLE t(a, b);");
  for (int i = 0; i < times; i++) {
    query("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 500) INSERT INTO t SELECT i, 'x' || i FROM n;");
    sum += score(query("SELECT count(*) || ' ' || sum(a) || ' ' || max(b) FROM t WHERE b LIKE '%9%';"));
  }
  close_database();
  return sum;
}
