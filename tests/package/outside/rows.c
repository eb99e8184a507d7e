// A data base in SQLite's memory: killed between the rows of a query.
#include <stddef.h>

#include <sqlite3.h>

#include "life.h"

static sqlite3* base;

static void run(const char* statement) {
  char* error = NULL;
  if (sqlite3_exec(base, statement, NULL, NULL, &error) != SQLITE_OK)
    step("%s: %s", statement, error);
}

void work(void) {
  sqlite3* opened;
  sqlite3_open(":memory:", &opened);
  base = opened;
  run("CREATE TABLE numbers(n INTEGER PRIMARY KEY, square INTEGER, name TEXT)");
  run("CREATE INDEX by_square ON numbers(square)");
  run("WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < 500)"
      "INSERT INTO numbers SELECT n, n * n % 1000, printf('number %d', n) FROM c");
  sqlite3_stmt* query;
  sqlite3_prepare_v2(
      base, "SELECT name, square FROM numbers WHERE square > 800 ORDER BY square, n LIMIT 6", -1,
      &query, NULL);
  while (sqlite3_step(query) == SQLITE_ROW) {
    step("%s: %d", (const char*)sqlite3_column_text(query, 0), sqlite3_column_int(query, 1));
    base = opened;  // a global of the program's own, which does not persist
    run("UPDATE numbers SET name = name || '!' WHERE n % 7 = 0");
  }
  sqlite3_finalize(query);
  step("%lld bytes of SQLite's are too few",
       sqlite3_memory_used() > 10000 ? 0LL : sqlite3_memory_used());
  step("closed: %d", sqlite3_close(opened));
}
