/* The schema: numbered migrations, the three database roles, and whether what is there is what this program knows. */
#include <string.h>

#include "connection.h"
#include "fleetwall/arena.h"
#include "fleetwall/buf.h"
#include "fleetwall/embedded.h"

struct migration {
	unsigned number;
	struct str name, text;
};

/* The migrations that were built in, by number; the table of embedded files is sorted by name, and names begin with
 * four digits. */
struct migrations {
	struct migration *items;
	size_t count, capacity;
};

static struct migrations built_in(struct arena *arena)
{
	struct migrations list = {NULL, 0, 0};
	struct str folder = STR("migrations/");

	for (const struct embedded *file = embedded_sql; file->name != NULL; file++) {
		struct str name = str_of(file->name);
		struct migration migration;
		uint64_t number;

		if (!str_starts(name, folder) || !str_number(str_slice(name, folder.n, folder.n + 4), 9999, &number))
			continue;
		migration.number = (unsigned)number;
		migration.name = str_slice(name, folder.n, name.n);
		migration.text = (struct str){(const char *)file->data, file->size};
		APPEND(arena, &list, migration);
	}
	return list;
}

enum presence { SCHEMA_ABSENT, SCHEMA_UNREADABLE, SCHEMA_PRESENT };

static struct error *look(struct arena *arena, struct db *db, enum presence *presence)
{
	struct db_rows rows;

	TRY(db_query(arena, db, db_sql("schema-state"), NULL, 0, &rows));
	if (!str_is(db_cell(&rows, 0, 0), "UTF8"))
		return error_hint(error_new(ERROR_SURROUNDINGS, "the database has the encoding %.*s",
		                            STR_ARG(db_cell(&rows, 0, 0))),
		                  "fleetwall needs a database with ENCODING 'UTF8'");
	if (!str_is(db_cell(&rows, 0, 1), "t"))
		*presence = SCHEMA_ABSENT;
	else
		*presence = str_is(db_cell(&rows, 0, 2), "t") ? SCHEMA_PRESENT : SCHEMA_UNREADABLE;
	return NULL;
}

static struct error *unreadable(const struct db *db)
{
	const char *user = pq.user(db->connection);

	return error_hint(error_new(ERROR_SURROUNDINGS, "the database user %s may not read the inventory", user),
	                  "GRANT fleetwall_reader TO \"%s\" (or fleetwall_editor, fleetwall_operator)", user);
}

/* The highest number that was applied, 0 for none. */
static struct error *applied_number(const struct db_rows *rows, unsigned *number)
{
	uint64_t value = 0;

	*number = 0;
	if (rows->count == 0)
		return NULL;
	if (!str_number(db_cell(rows, rows->count - 1, 0), 9999, &value))
		return error_new(ERROR_SURROUNDINGS, "the table fleetwall.migration can't be read");
	*number = (unsigned)value;
	return NULL;
}

static struct error *check_not_newer(unsigned there, unsigned known)
{
	if (there <= known)
		return NULL;
	return error_hint(error_new(ERROR_SURROUNDINGS,
	                            "the inventory in the database is at version %u, and this program knows %u", there,
	                            known),
	                  "a newer fleetwall made it: install that one here too");
}

/* What was applied must be what we have under that number: a migration that was edited afterwards left two kinds of
 * databases behind. */
static struct error *check_same(struct arena *arena, struct db *db, const struct db_rows *rows,
                                const struct migrations *known)
{
	for (size_t i = 0; i < rows->count; i++) {
		const struct migration *migration = i < known->count ? &known->items[i] : NULL;
		struct db_rows digest;
		uint64_t number;

		if (migration == NULL || !str_number(db_cell(rows, i, 0), 9999, &number) || number != migration->number)
			return error_new(ERROR_SURROUNDINGS,
			                 "migration %.*s of the database is not one of this program",
			                 STR_ARG(db_cell(rows, i, 0)));
		TRY(db_query(arena, db, db_sql("schema-digest"), &migration->text, 1, &digest));
		if (!str_eq(db_cell(&digest, 0, 0), db_cell(rows, i, 2)))
			return error_hint(error_new(ERROR_SURROUNDINGS,
			                            "migration %.*s was changed after this database had applied it",
			                            STR_ARG(migration->name)),
			                  "install the fleetwall that made this database, or make a new one and import "
			                  "the export of this one");
	}
	return NULL;
}

static struct error *apply(struct arena *arena, struct db *db, const struct migration *migration)
{
	struct str record[] = {str_format(arena, "%u", migration->number), migration->name, migration->text};

	TRY(error_in(db_run(db, migration->text), "migration %.*s", STR_ARG(migration->name)));
	return db_query(arena, db, db_sql("schema-record"), record, 3, NULL);
}

/* In a transaction that holds the lock: applies the first migration that is missing, if one is. */
static struct error *apply_next(struct arena *arena, struct db *db, const struct migrations *known, bool *applied)
{
	struct db_rows rows = {0};
	enum presence presence;
	unsigned there;

	TRY(db_query(arena, db, db_sql("schema-lock"), NULL, 0, NULL));
	TRY(look(arena, db, &presence));
	if (presence == SCHEMA_UNREADABLE)
		return unreadable(db);
	if (presence == SCHEMA_PRESENT)
		TRY(db_query(arena, db, db_sql("schema-applied"), NULL, 0, &rows));
	TRY(applied_number(&rows, &there));
	TRY(check_not_newer(there, known->items[known->count - 1].number));
	TRY(check_same(arena, db, &rows, known));
	*applied = rows.count < known->count;
	return *applied ? apply(arena, db, &known->items[rows.count]) : NULL;
}

/* One transaction; a lost right is the surroundings' fault here, not the input's. */
static struct error *step(struct arena *arena, struct db *db, const struct migrations *known, bool *applied)
{
	struct error *error;

	TRY(db_begin(db, DB_WRITE));
	error = apply_next(arena, db, known, applied);
	if (error == NULL)
		error = db_commit(db);
	if (error == NULL)
		return NULL;
	error->kind = ERROR_SURROUNDINGS;
	db_rollback(db);
	return error;
}

/* --- the three database roles --- */

static struct error *granted(struct arena *arena, struct db *db, bool *complete)
{
	struct db_rows rows;

	TRY(db_query(arena, db, db_sql("schema-granted"), NULL, 0, &rows));
	*complete = str_is(db_cell(&rows, 0, 0), "t");
	return NULL;
}

static struct error *make_roles(struct arena *arena, struct db *db)
{
	TRY(db_begin(db, DB_WRITE));
	TRY(db_query(arena, db, db_sql("schema-lock"), NULL, 0, NULL));
	TRY(db_run(db, embedded_find(embedded_sql, STR("roles.sql"))));
	TRY(db_run(db, embedded_find(embedded_sql, STR("grants.sql"))));
	return db_commit(db);
}

/* What an administrator must run, as psql takes it. */
static struct str roles_sql(struct arena *arena, const struct db *db)
{
	struct buf buf = buf_new(arena);

	buf_format(&buf,
	           "-- As a superuser (or one with CREATEROLE who owns the schema fleetwall), in the database %s:\n",
	           pq.db(db->connection));
	buf_add(&buf, embedded_find(embedded_sql, STR("roles.sql")));
	buf_char(&buf, '\n');
	buf_add(&buf, embedded_find(embedded_sql, STR("grants.sql")));
	return buf_str(&buf);
}

/* Roles belong to the whole server: two databases may be made at the same time, and the loser of such a race finds them
 * there. After a migration the grants are made anew, whatever seems to be there: it may have brought a column. */
static struct error *ensure_roles(struct arena *arena, struct db *db, bool upgraded, struct str *sql)
{
	struct error *error = NULL;
	bool complete = false;

	*sql = STR("");
	for (int attempt = 0; attempt < 3; attempt++) {
		TRY(granted(arena, db, &complete));
		if (complete && !upgraded)
			return NULL;
		error = make_roles(arena, db);
		if (error == NULL)
			return NULL;
		db_rollback(db);
		if (strcmp(db->state, "42501") == 0) {
			*sql = roles_sql(arena, db);
			return NULL;
		}
	}
	error->kind = ERROR_SURROUNDINGS;
	return error_in(error, "making the database roles");
}

struct error *db_init(struct arena *arena, struct db *db, size_t *applied, struct str *sql)
{
	struct migrations known = built_in(arena);
	bool more = true;

	*applied = 0;
	*sql = STR("");
	while (more) {
		TRY(step(arena, db, &known, &more));
		*applied += more;
	}
	return ensure_roles(arena, db, *applied > 0, sql);
}

/* Is all well, by one question? Looking into the catalogs first costs a fresh connection a millisecond. Where it is
 * not, or can't be asked, looking tells why. */
static bool is_current(struct arena *arena, struct db *db, unsigned newest)
{
	struct db_rows rows;
	uint64_t number;

	return db_query(arena, db, db_sql("schema-number"), NULL, 0, &rows) == NULL &&
	       str_number(db_cell(&rows, 0, 0), 9999, &number) && number == newest &&
	       str_is(db_cell(&rows, 0, 1), "UTF8");
}

struct error *db_check(struct arena *arena, struct db *db)
{
	struct migrations known = built_in(arena);
	unsigned newest = known.items[known.count - 1].number, there;
	enum presence presence;
	struct db_rows rows;

	if (is_current(arena, db, newest))
		return NULL;
	TRY(look(arena, db, &presence));
	if (presence == SCHEMA_ABSENT)
		return error_hint(
			error_new(ERROR_SURROUNDINGS, "there is no inventory in the database %s",
			          pq.db(db->connection)),
			"run: fleetwall init");
	if (presence == SCHEMA_UNREADABLE)
		return unreadable(db);
	TRY(db_query(arena, db, db_sql("schema-applied"), NULL, 0, &rows));
	TRY(applied_number(&rows, &there));
	TRY(check_not_newer(there, newest));
	if (there == newest)
		return NULL;
	return error_hint(error_new(ERROR_SURROUNDINGS,
	                            "the inventory in the database is at version %u, and this program needs %u", there,
	                            newest),
	                  "run: fleetwall init");
}
