/* PostgreSQL, by libpq: connections, transactions, queries, COPY, migrations, and the private server. The only folder
 * that knows libpq. Every failure is ERROR_SURROUNDINGS with the server's message, detail and hint, unless it is said
 * otherwise; passwords are never shown. */
#ifndef FLEETWALL_DB_H
#define FLEETWALL_DB_H

#include "fleetwall/error.h"

struct db;

/* What of a connection string may stand in an argument list, where everybody can read it: all but passwords. *password
 * is for the environment (PGPASSWORD); p NULL: it names none. One for a key is for its owner to type. */
struct error *db_conninfo_shown(struct arena *arena, struct str conninfo, struct str *shown,
                                struct str *password) MUST_CHECK;
/* `conninfo` is a libpq connection string or URI; libpq's environment and .pgpass work. application_name is
 * "fleetwall". Connects; checks that the server is 14 or newer. */
struct error *db_open(struct arena *arena, struct str conninfo, struct db **db) MUST_CHECK;
void db_close(struct db *db); /* NULL is fine; an open transaction is rolled back */

/* SNAPSHOT: REPEATABLE READ READ ONLY. WRITE: READ COMMITTED. */
enum db_access { DB_SNAPSHOT, DB_WRITE };
struct error *db_begin(struct db *db, enum db_access access) MUST_CHECK;
struct error *db_commit(struct db *db) MUST_CHECK;
void db_rollback(struct db *db);
/* Was the last failure one that goes away when the transaction is tried again (serialization, deadlock)? */
bool db_is_retryable(const struct db *db);
/* Why what follows is done: kept with the changes (view fleetwall.change) for the rest of the session. Empty: no
 * ticket. */
struct error *db_ticket(struct db *db, struct str ticket) MUST_CHECK;

/* The text of sql/queries/NAME.sql. It must exist (asserted). */
struct str db_sql(const char *name);

/* Rows as text, in `arena`. cells[row * columns + column]; p == NULL is SQL NULL. */
struct db_rows {
	size_t count, columns;
	struct str *cells;
	struct str *names; /* of the columns */
};

/* One statement with text parameters $1… (p == NULL is NULL). `rows` may be NULL. A broken constraint of the schema
 * (SQLSTATE class 23, 22 or 42501) is ERROR_INPUT; the message is the server's. */
struct error *db_query(struct arena *arena, struct db *db, struct str sql, const struct str *parameters, size_t count,
                       struct db_rows *rows) MUST_CHECK;
/* A script of several statements, without parameters. */
struct error *db_run(struct db *db, struct str sql) MUST_CHECK;
struct str db_cell(const struct db_rows *rows, size_t row, size_t column);

/* COPY (query) TO STDOUT (FORMAT binary). `each` is called with the fields of each row: binary, in network order, p ==
 * NULL for NULL. They are valid during the call only. An error that `each` returns ends it. `sql` is the query alone,
 * with no parameters. */
typedef struct error *db_row(void *context, const struct str *fields, size_t count);
struct error *db_copy_out(struct db *db, struct str sql, db_row *each, void *context) MUST_CHECK;
/* Reading binary fields (PostgreSQL's send functions). */
int64_t db_int(struct str field);            /* int2, int4, int8 */
bool db_bool(struct str field);
int64_t db_seconds(struct str timestamptz);  /* since 1970, rounded down; -/+infinity is INT64_MIN/INT64_MAX */

/* COPY table (columns) FROM STDIN, text format. Start, then rows of cells (p == NULL is NULL), then end. */
struct error *db_copy_in(struct db *db, struct str table_and_columns) MUST_CHECK;
struct error *db_copy_row(struct db *db, const struct str *cells, size_t count) MUST_CHECK;
struct error *db_copy_end(struct db *db) MUST_CHECK;

/* --- notifications --- */

/* From now on this session hears of every transaction that notifies `channel` and commits (NOTIFY, pg_notify()). Not
 * within a transaction. What was committed before is not heard of: listen first, then look. */
struct error *db_listen(struct db *db, const char *channel) MUST_CHECK;
/* What to wait on until there may be something to read; changes with the connection alone. */
int db_socket(const struct db *db);
/* Takes what has arrived by now, also during statements, and does not wait. *count: notices that were taken, also where
 * the connection turns out to be lost, which is an error. */
struct error *db_notices(struct db *db, size_t *count) MUST_CHECK;
/* Is the connection gone, as far as libpq knows? Then it must be closed and opened anew. */
bool db_is_lost(const struct db *db);

/* --- the schema --- */

/* Applies the numbered migrations of sql/migrations/ that the database lacks, each in one transaction, one process at a
 * time (advisory lock). `*applied` counts them. A database that is newer than this program is an error. Then makes the
 * three database roles and grants; where that is not permitted, `*sql` is what an administrator must run, else empty.
 */
struct error *db_init(struct arena *arena, struct db *db, size_t *applied, struct str *sql) MUST_CHECK;
/* Is the schema there and of this program's version? Otherwise ERROR_SURROUNDINGS with the hint to run `fleetwall
 * init`. */
struct error *db_check(struct arena *arena, struct db *db) MUST_CHECK;

/* --- the private server (no database configured) --- */

enum server_state { SERVER_NONE, SERVER_STOPPED, SERVER_RUNNING };
struct server {
	enum server_state state;
	struct str data;     /* STATE/pg */
	struct str socket;   /* the folder of its Unix socket, the same at every start; empty when it is not running */
	struct str conninfo; /* to reach it */
	long pid;            /* of the postmaster, 0 if none */
};

struct error *server_status(struct arena *arena, struct str state, struct server *server) MUST_CHECK;
/* Makes it where there is none (initdb and the database `fleetwall`), starts it where it does not run, finds it where
 * it does. Safe against others who do the same at the same time. `state` (and missing parents) is created if need be.
 */
struct error *server_start(struct arena *arena, struct str state, struct server *server) MUST_CHECK;
struct error *server_stop(struct arena *arena, struct str state) MUST_CHECK;
/* pg_dump of it in plain SQL to `file`, complete or not at all. */
struct error *server_dump(struct arena *arena, struct str state, struct str file) MUST_CHECK;

#endif
