/* Statements: the text of named queries, parameters in, rows out. */
#include <assert.h>
#include <string.h>

#include "connection.h"
#include "fleetwall/arena.h"
#include "fleetwall/embedded.h"

struct str db_sql(const char *name)
{
	struct arena *scratch = arena_new();
	struct str text = embedded_find(embedded_sql, str_format(scratch, "queries/%s.sql", name));

	arena_free(scratch);
	assert(text.p != NULL);
	return text;
}

void db_drain(struct db *db)
{
	PGresult *result;

	if (db->copying) {
		pq.putCopyEnd(db->connection, "given up");
		db->copying = false;
		db->filled = 0;
	}
	while ((result = pq.getResult(db->connection)) != NULL) {
		ExecStatusType status = pq.resultStatus(result);

		pq.clear(result);
		if (status == PGRES_COPY_IN || status == PGRES_COPY_OUT || status == PGRES_COPY_BOTH)
			break; /* it would come again and again */
	}
}

struct error *db_command(struct db *db, const char *sql)
{
	return db_done(db, pq.exec(db->connection, sql), PGRES_COMMAND_OK);
}

/* NUL-terminated copies, as libpq wants parameters. A NUL inside would cut a value short. */
static struct error *terminate(struct arena *scratch, const struct str *parameters, size_t count, const char **values)
{
	for (size_t i = 0; i < count; i++) {
		if (parameters[i].p == NULL)
			continue;
		if (memchr(parameters[i].p, '\0', parameters[i].n) != NULL)
			return error_new(ERROR_INPUT, "a value has a NUL byte in it, which the database can't hold");
		values[i] = str_c(scratch, parameters[i]);
	}
	return NULL;
}

static struct str cell_of(struct arena *arena, const PGresult *result, int row, int column)
{
	if (pq.getisnull(result, row, column))
		return (struct str){NULL, 0};
	size_t length = (size_t)pq.getlength(result, row, column);

	return str_copy(arena, (struct str){pq.getvalue(result, row, column), length});
}

static void take_rows(struct arena *arena, const PGresult *result, struct db_rows *rows)
{
	int height = pq.ntuples(result), width = pq.nfields(result);
	size_t at = 0;

	rows->count = (size_t)height;
	rows->columns = (size_t)width;
	rows->names = ARENA_ARRAY(arena, struct str, rows->columns);
	rows->cells = ARENA_ARRAY(arena, struct str, rows->count * rows->columns);
	for (int column = 0; column < width; column++)
		rows->names[column] = str_copy(arena, str_of(pq.fname(result, column)));
	for (int row = 0; row < height; row++)
		for (int column = 0; column < width; column++)
			rows->cells[at++] = cell_of(arena, result, row, column);
}

static struct error *finish(struct arena *arena, struct db *db, PGresult *result, struct db_rows *rows)
{
	ExecStatusType status = pq.resultStatus(result);
	struct error *error = NULL;

	if (status != PGRES_TUPLES_OK && status != PGRES_COMMAND_OK)
		error = db_failure(db, result);
	else if (rows != NULL)
		take_rows(arena, result, rows);
	pq.clear(result);
	return error;
}

struct error *db_query(struct arena *arena, struct db *db, struct str sql, const struct str *parameters, size_t count,
                       struct db_rows *rows)
{
	struct arena *scratch = arena_new();
	const char **values = ARENA_ARRAY(scratch, const char *, count);
	struct error *error = terminate(scratch, parameters, count, values);

	if (rows != NULL)
		*rows = (struct db_rows){0};
	if (error == NULL)
		error = finish(
			arena, db,
			pq.execParams(db->connection, str_c(scratch, sql), (int)count, NULL, values, NULL, NULL, 0),
			rows);
	arena_free(scratch);
	return error;
}

struct error *db_run(struct db *db, struct str sql)
{
	struct arena *scratch = arena_new();
	PGresult *result = pq.exec(db->connection, str_c(scratch, sql));
	ExecStatusType status = pq.resultStatus(result);
	struct error *error = NULL;

	if (status != PGRES_TUPLES_OK && status != PGRES_COMMAND_OK && status != PGRES_EMPTY_QUERY)
		error = db_failure(db, result);
	pq.clear(result);
	arena_free(scratch);
	return error;
}

struct str db_cell(const struct db_rows *rows, size_t row, size_t column)
{
	assert(row < rows->count && column < rows->columns);
	return rows->cells[row * rows->columns + column];
}
