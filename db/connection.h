/* What the files of this folder share: the connection, and errors made of what the server said. */
#ifndef DB_CONNECTION_H
#define DB_CONNECTION_H

#include "fleetwall/db.h"
#include "libpq.h"

#define DB_COPY_BUFFER ((size_t)1 << 16)

struct db {
	PGconn *connection;
	char state[6];              /* SQLSTATE of the last failure; empty: none, or not the server's */
	bool copying;               /* between db_copy_in() and db_copy_end() */
	size_t filled;              /* bytes in `buffer`, which is what COPY IN sends next */
	char buffer[DB_COPY_BUFFER];
};

/* The failure that `result` (may be NULL) tells of, or the connection itself. Remembers its SQLSTATE. Does not clear
 * `result`. */
struct error *db_failure(struct db *db, const PGresult *result) MUST_CHECK;
/* Clears `result`; an error unless it has the wanted status. */
struct error *db_done(struct db *db, PGresult *result, ExecStatusType wanted) MUST_CHECK;
/* One statement without rows, in our own words. */
struct error *db_command(struct db *db, const char *sql) MUST_CHECK;
/* Reads and throws away what is left of results, so that the connection can be used again. */
void db_drain(struct db *db);

#endif
