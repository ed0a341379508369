/* Connections: opening, what each session is set to, transactions. Keeps no connection string, and shows none. */
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "connection.h"
#include "fleetwall/arena.h"
#include "fleetwall/buf.h"

#define OLDEST_SERVER 140000

static void no_notices(void *context, const PGresult *result)
{
	(void)context;
	(void)result;
}

/* libpq quotes parts of a string that it can't parse, and that may be the password: so its own words are not used. */
static struct error *parse_conninfo(const char *conninfo, PQconninfoOption **options)
{
	char *message = NULL;

	TRY(libpq_load());
	*options = pq.conninfoParse(conninfo, &message);
	pq.freemem(message);
	if (*options != NULL)
		return NULL;
	return error_hint(error_new(ERROR_INPUT, "the connection string of the database is not valid"),
	                  "write it as host=… dbname=… user=…, or as postgresql://user@host/dbname");
}

static struct error *check_conninfo(const char *conninfo)
{
	PQconninfoOption *options;

	TRY(parse_conninfo(conninfo, &options));
	pq.conninfoFree(options);
	return NULL;
}

static void add_option(struct buf *buf, const PQconninfoOption *option)
{
	buf_format(buf, "%s%s='", buf->n > 0 ? " " : "", option->keyword);
	for (const char *at = option->val; *at != '\0'; at++) {
		if (*at == '\'' || *at == '\\')
			buf_char(buf, '\\');
		buf_char(buf, *at);
	}
	buf_char(buf, '\'');
}

struct error *db_conninfo_shown(struct arena *arena, struct str conninfo, struct str *shown, struct str *password)
{
	struct buf buf = buf_new(arena);
	PQconninfoOption *options;

	*password = (struct str){NULL, 0};
	TRY(parse_conninfo(str_c(arena, conninfo), &options));
	for (const PQconninfoOption *option = options; option->keyword != NULL; option++) {
		if (option->val == NULL)
			continue;
		if (strcmp(option->keyword, "password") == 0)
			*password = str_copy(arena, str_of(option->val));
		else if (strcmp(option->keyword, "sslpassword") != 0)
			add_option(&buf, option);
	}
	pq.conninfoFree(options);
	*shown = buf.n > 0 ? buf_str(&buf) : STR("");
	return NULL;
}

/* Later values win: ours come first where the administrator may choose, and last where not. */
static PGconn *connect_to(const char *conninfo)
{
	const char *timeout = getenv("PGCONNECT_TIMEOUT");
	const char *names[] = {"connect_timeout",
	                       "keepalives_idle",
	                       "keepalives_interval",
	                       "dbname",
	                       "client_encoding",
	                       "application_name",
	                       NULL};
	const char *values[] = {timeout != NULL ? timeout : "10", "60", "15", conninfo, "UTF8", "fleetwall", NULL};

	return pq.connectdbParams(names, values, 1);
}

/* Who sits at the command: behind sudo the one who called it. */
static const char *person(void)
{
	const char *caller = getenv("SUDO_USER");
	const struct passwd *user;

	if (getuid() == 0 && caller != NULL && caller[0] != '\0')
		return caller;
	user = getpwuid(getuid());
	return user != NULL ? user->pw_name : "";
}

static struct error *set_text(struct db *db, const char *name, const char *value)
{
	const char *values[] = {name, value};

	return db_done(db,
	               pq.execParams(db->connection, "SELECT set_config($1, $2, false)", 2, NULL, values, NULL, NULL,
	                             0),
	               PGRES_TUPLES_OK);
}

#define SESSION \
	"SET search_path = pg_catalog, pg_temp; SET DateStyle = 'ISO, YMD'; SET TimeZone = 'UTC'; " \
	"SET IntervalStyle = 'postgres'; SET bytea_output = 'hex'; SET standard_conforming_strings = on; " \
	"SET client_min_messages = warning; SET jit = off; SET fleetwall.os_user = "

/* What our statements rely on, whatever the user's or the database's own settings are. Nothing is found by an
 * unqualified name. In one message: nothing else is to be had before it is answered. */
static struct error *set_session(struct db *db)
{
	const char *name = person();
	char *quoted = pq.escapeLiteral(db->connection, name, strlen(name));
	struct arena *scratch;
	struct error *error;

	if (quoted == NULL)
		return db_failure(db, NULL);
	scratch = arena_new();
	error = db_command(db, str_c(scratch, str_format(scratch, "%s%s", SESSION, quoted)));
	arena_free(scratch);
	pq.freemem(quoted);
	return error;
}

static struct error *check_server(struct db *db)
{
	int version = pq.serverVersion(db->connection);

	if (version >= OLDEST_SERVER)
		return NULL;
	return error_hint(error_new(ERROR_SURROUNDINGS, "the database server is PostgreSQL %d", version / 10000),
	                  "fleetwall needs PostgreSQL 14 or newer");
}

static struct error *open_connection(struct db *db, const char *conninfo)
{
	db->connection = connect_to(conninfo);
	if (db->connection == NULL)
		return error_new(ERROR_SURROUNDINGS, "out of memory for a database connection");
	if (pq.status(db->connection) != CONNECTION_OK)
		return db_failure(db, NULL);
	pq.setNoticeReceiver(db->connection, no_notices, NULL);
	TRY(check_server(db));
	return set_session(db);
}

struct error *db_open(struct arena *arena, struct str conninfo, struct db **db)
{
	struct db *new = ARENA_NEW(arena, struct db);
	struct arena *scratch;
	struct error *error;

	*db = NULL;
	if (memchr(conninfo.p != NULL ? conninfo.p : "", '\0', conninfo.n) != NULL)
		return error_new(ERROR_INPUT, "the connection string of the database has a NUL byte in it");
	scratch = arena_new();
	error = check_conninfo(str_c(scratch, conninfo));
	if (error == NULL)
		error = open_connection(new, str_c(scratch, conninfo));
	arena_free(scratch);
	if (error == NULL)
		*db = new;
	else
		db_close(new);
	return error;
}

void db_close(struct db *db)
{
	if (db == NULL || db->connection == NULL)
		return; /* without libpq there never was one */
	pq.finish(db->connection);
	db->connection = NULL;
}

struct error *db_begin(struct db *db, enum db_access access)
{
	return db_command(db, access == DB_SNAPSHOT ? "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"
	                                            : "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE");
}

/* COMMIT of a transaction in which something failed answers ROLLBACK, and that is no error to the server. */
struct error *db_commit(struct db *db)
{
	PGresult *result = pq.exec(db->connection, "COMMIT");
	bool undone = pq.resultStatus(result) == PGRES_COMMAND_OK && strcmp(pq.cmdStatus(result), "ROLLBACK") == 0;

	TRY(db_done(db, result, PGRES_COMMAND_OK));
	if (undone)
		return error_new(ERROR_SURROUNDINGS,
		                 "the transaction was not committed, because a statement in it had failed");
	return NULL;
}

void db_rollback(struct db *db)
{
	db_drain(db);
	if (pq.transactionStatus(db->connection) != PQTRANS_IDLE)
		pq.clear(pq.exec(db->connection, "ROLLBACK"));
}

struct error *db_ticket(struct db *db, struct str ticket)
{
	struct arena *scratch = arena_new();
	struct error *error;

	if (ticket.n > 0 && memchr(ticket.p, '\0', ticket.n) != NULL)
		error = error_new(ERROR_INPUT, "the ticket has a NUL byte in it");
	else
		error = set_text(db, "fleetwall.ticket", str_c(scratch, ticket));
	arena_free(scratch);
	return error;
}
