/* A plan -> the database: only the rows that differ. Deletes come first, from the end of the foreign keys to their
 * beginning, so that nothing that goes is still referred to; then changes and new rows, in the other direction. A
 * statement or COPY a table, whatever the number of rows. */
#include "write.h"

#include "fleetwall/arena.h"
#include "fleetwall/buf.h"

static const struct {
	const char *copy, *remove, *update;
} statements[TABLES] = {
	[TABLE_NETWORK] = {"fleetwall.network (name, document)", "delete-network", "update-network"},
	[TABLE_NETWORK_PREFIX] = {"fleetwall.network_prefix (network, prefix)", "delete-network-prefix", NULL},
	[TABLE_SERVICE] = {"fleetwall.service (name, document)", "delete-service", "update-service"},
	[TABLE_SERVICE_PORT] = {"fleetwall.service_port (service, protocol, ports)", "delete-service-port",
                                "update-service-port"},
	[TABLE_MACHINE] = {"fleetwall.machine (name, enabled, mode, enforcement, ssh_port, ssh_host, labels, document)",
                           "delete-machine", "update-machine"},
	[TABLE_ADDRESS] = {"fleetwall.address (machine, address, label)", "delete-address", "update-address"},
	[TABLE_ROLE] = {"fleetwall.role (name, machine, description, owner, selector, egress, document)", "delete-role",
                        "update-role"},
	[TABLE_MEMBER] = {"fleetwall.member (role, machine)", "delete-member", NULL},
};

struct error *write_copy(struct db *db, const char *into, const struct rows *rows, size_t cells)
{
	if (rows->count == 0)
		return NULL;
	TRY(db_copy_in(db, str_of(into)));
	for (size_t cell = 0; cell < rows->count; cell += cells)
		TRY(db_copy_row(db, rows->items + cell, cells));
	return db_copy_end(db);
}

/* One element of an array in text form. */
static void array_element(struct buf *buf, struct str cell)
{
	if (cell.p == NULL) {
		buf_add(buf, STR("NULL"));
		return;
	}
	buf_char(buf, '"');
	for (size_t i = 0; i < cell.n; i++) {
		if (cell.p[i] == '"' || cell.p[i] == '\\')
			buf_char(buf, '\\');
		buf_char(buf, cell.p[i]);
	}
	buf_char(buf, '"');
}

/* One column of the rows as an array in text form. */
static struct str write_array(struct arena *arena, const struct rows *rows, size_t cells, size_t column)
{
	struct buf buf = buf_new(arena);
	buf_char(&buf, '{');
	for (size_t cell = column; cell < rows->count; cell += cells) {
		if (cell != column)
			buf_char(&buf, ',');
		array_element(&buf, rows->items[cell]);
	}
	buf_char(&buf, '}');
	return buf_str(&buf);
}

struct error *write_arrays(struct arena *arena, struct db *db, const char *query, const struct rows *rows, size_t cells)
{
	if (rows->count == 0)
		return NULL;
	struct str *parameters = ARENA_ARRAY(arena, struct str, cells);
	for (size_t column = 0; column < cells; column++)
		parameters[column] = write_array(arena, rows, cells, column);
	return db_query(arena, db, db_sql(query), parameters, cells, NULL);
}

static struct error *write_all(struct arena *scratch, struct db *db, const struct write_rows *rows)
{
	TRY(write_rules_delete(scratch, db, rows));
	for (enum table table = TABLES; table-- > 0;)
		TRY(write_arrays(scratch, db, statements[table].remove, &rows->tables[table].deleted,
		                 write_key_cells[table]));
	for (enum table table = 0; table < TABLES; table++) {
		TRY(write_arrays(scratch, db, statements[table].update, &rows->tables[table].updated,
		                 write_cells[table]));
		TRY(write_copy(db, statements[table].copy, &rows->tables[table].inserted, write_cells[table]));
	}
	return write_rules(scratch, db, rows);
}

struct error *inventory_write(struct arena *arena, struct db *db, const struct fleet *present, const struct plan *plan)
{
	(void)arena;
	struct write_rows rows = {0};
	struct arena *scratch = arena_new();
	write_rows_collect(scratch, present, plan, &rows);
	struct error *error = write_all(scratch, db, &rows);
	arena_free(scratch);
	return error;
}
