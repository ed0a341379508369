/* COPY … FROM STDIN in text format: cells escaped into the connection's buffer, sent when it is full. */
#include <string.h>

#include "connection.h"
#include "fleetwall/arena.h"

struct error *db_copy_in(struct db *db, struct str table_and_columns)
{
	struct arena *scratch = arena_new();
	struct str sql = str_format(scratch, "COPY %.*s FROM STDIN", STR_ARG(table_and_columns));
	struct error *error = db_done(db, pq.exec(db->connection, str_c(scratch, sql)), PGRES_COPY_IN);

	arena_free(scratch);
	db->copying = error == NULL;
	db->filled = 0;
	return error;
}

static struct error *flush(struct db *db)
{
	if (db->filled > 0 && pq.putCopyData(db->connection, db->buffer, (int)db->filled) != 1)
		return db_failure(db, NULL);
	db->filled = 0;
	return NULL;
}

static struct error *put(struct db *db, const char *p, size_t n)
{
	while (n > 0) {
		size_t room = sizeof db->buffer - db->filled, piece = n < room ? n : room;

		memcpy(db->buffer + db->filled, p, piece);
		db->filled += piece;
		p += piece;
		n -= piece;
		if (db->filled == sizeof db->buffer)
			TRY(flush(db));
	}
	return NULL;
}

/* The letter behind the backslash for a byte that can't stand as it is; 0 for all others. */
static char escaped(char c)
{
	switch (c) {
	case '\\':
		return '\\';
	case '\n':
		return 'n';
	case '\r':
		return 'r';
	case '\t':
		return 't';
	default:
		return '\0';
	}
}

static struct error *put_cell(struct db *db, struct str cell)
{
	size_t plain = 0;

	if (cell.p == NULL)
		return put(db, "\\N", 2);
	for (size_t i = 0; i < cell.n; i++) {
		char pair[2] = {'\\', escaped(cell.p[i])};

		if (cell.p[i] == '\0')
			return error_new(ERROR_INPUT, "a value has a NUL byte in it, which the database can't hold");
		if (pair[1] == '\0')
			continue;
		TRY(put(db, cell.p + plain, i - plain));
		TRY(put(db, pair, 2));
		plain = i + 1;
	}
	return put(db, cell.p + plain, cell.n - plain);
}

struct error *db_copy_row(struct db *db, const struct str *cells, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (i > 0)
			TRY(put(db, "\t", 1));
		TRY(put_cell(db, cells[i]));
	}
	return put(db, "\n", 1);
}

/* What the server thinks of the rows comes only now. */
struct error *db_copy_end(struct db *db)
{
	struct error *error = flush(db);

	if (error == NULL && pq.putCopyEnd(db->connection, NULL) != 1)
		error = db_failure(db, NULL);
	if (error == NULL) {
		db->copying = false;
		error = db_done(db, pq.getResult(db->connection), PGRES_COMMAND_OK);
	}
	db_drain(db);
	return error;
}
