// SQLite for a host that has only its memory and the module's exports: one in-memory database, and answers as
// text.

#include "sqlite3.h"

#include <stdio.h>
#include <stdlib.h>

#define EXPORT(name) __attribute__((export_name(#name)))

static sqlite3 *database;
static char answer[256];

EXPORT(open_database) int open_database(void) {
  return sqlite3_open(":memory:", &database);
}

// Runs one or more statements. Returns the first column of the last row they give, or "error: ...".
EXPORT(query) const char *query(const char *sql) {
  answer[0] = '\0';
  while (*sql != '\0') {
    sqlite3_stmt *statement;
    int status = sqlite3_prepare_v2(database, sql, -1, &statement, &sql);
    if (status == SQLITE_OK && statement == NULL)
      continue; // only white space was left
    while (status == SQLITE_OK || status == SQLITE_ROW) {
      status = sqlite3_step(statement);
      if (status == SQLITE_ROW)
        snprintf(answer, sizeof answer, "%s", (const char *)sqlite3_column_text(statement, 0));
    }
    sqlite3_finalize(statement);
    if (status != SQLITE_DONE) {
      snprintf(answer, sizeof answer, "error: %s", sqlite3_errmsg(database));
      break;
    }
  }
  return answer;
}

EXPORT(allocate) void *allocate(size_t size) {
  return malloc(size);
}

EXPORT(release) void release(void *memory) {
  free(memory);
}

EXPORT(used_memory) double used_memory(void) {
  return (double)sqlite3_memory_used();
}

EXPORT(close_database) int close_database(void) {
  return sqlite3_close(database);
}
