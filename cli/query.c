/* Questions about rows: which machine gets which rule. Answered by the views that people may rely on, from one
 * snapshot. */
#include "cli.h"

/* Is there such an object? Otherwise the nearest name. `sql` lists the names. */
static struct error *must_exist(struct run *run, const char *kind, const char *sql, struct str name)
{
	struct error *error;
	struct db_rows rows;
	struct str near;

	TRY(db_query(run->arena, run->db, str_of(sql), NULL, 0, &rows));
	for (size_t i = 0; i < rows.count; i++)
		if (str_eq(db_cell(&rows, i, 0), name))
			return NULL;
	near = str_nearest(name, rows.cells, rows.count);
	error = error_new(ERROR_UNKNOWN, "there is no %s \"%.*s\"", kind, STR_ARG(name));
	if (near.n > 0)
		return error_hint(error, "did you mean %.*s?", STR_ARG(near));
	return error_hint(error, "fleetwall %s list shows those that there are", kind);
}

static void write_rows(struct run *run, const struct db_rows *rows, const char *const *columns, size_t count)
{
	struct cell *cells = ARENA_ARRAY(run->arena, struct cell, count);

	writer_columns(run->writer, LAYOUT_TABLE, columns, count);
	for (size_t row = 0; row < rows->count; row++) {
		for (size_t i = 0; i < count; i++)
			cells[i] = str_is(str_of(columns[i]), "enabled") ? cell_bool(str_is(db_cell(rows, row, i), "t"))
			                                                 : cell_text(db_cell(rows, row, i));
		writer_row(run->writer, cells);
	}
}

struct error *run_query_rules(struct run *run)
{
	static const char *const columns[] = {"machine", "role", "rule_id", "rule", "ticket", "owner"};
	struct str machine = str_lower(run->arena, run->arguments[0]);
	struct db_rows rows;

	TRY(run_connect(run));
	TRY(db_begin(run->db, DB_SNAPSHOT));
	TRY(must_exist(run, "machine", "SELECT name FROM fleetwall.machine", machine));
	TRY(db_query(run->arena, run->db, db_sql("query-rules"), &machine, 1, &rows));
	write_rows(run, &rows, columns, 6);
	return db_commit(run->db);
}

struct error *run_query_machines(struct run *run)
{
	static const char *const columns[] = {"machine", "role", "via", "enabled", "mode", "enforcement"};
	struct str role = run_option(run, "role");
	struct db_rows rows;

	if (role.p == NULL)
		return error_hint(error_new(ERROR_USAGE, "which machines?"),
		                  "fleetwall query machines --role ROLE; fleetwall machine list shows all");
	role = str_lower(run->arena, role);
	TRY(run_connect(run));
	TRY(db_begin(run->db, DB_SNAPSHOT));
	TRY(must_exist(run, "role", "SELECT name FROM fleetwall.role", role));
	TRY(db_query(run->arena, run->db, db_sql("query-members"), &role, 1, &rows));
	write_rows(run, &rows, columns, 6);
	return db_commit(run->db);
}
