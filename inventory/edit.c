/* Small changes to the inventory that need no plan, and the lock that keeps a plan true. */
#include "fleetwall/inventory.h"

#include "fleet_fields.h"
#include "fleetwall/arena.h"
#include "write.h"

struct error *inventory_lock(struct db *db)
{
	return db_run(db, db_sql("inventory-lock"));
}

/* Each unknown name is an error, with the nearest that exists. */
static struct error *check_machines(struct arena *arena, struct db *db, struct str names)
{
	struct db_rows unknown, known;
	struct error *errors = NULL;
	TRY(db_query(arena, db, db_sql("machine-unknown"), &names, 1, &unknown));
	if (unknown.count == 0)
		return NULL;
	TRY(db_query(arena, db, db_sql("machine-names"), NULL, 0, &known));
	for (size_t i = 0; i < unknown.count; i++) {
		struct str name = db_cell(&unknown, i, 0);
		struct error *error = error_new(ERROR_UNKNOWN, "there is no machine \"%.*s\"", STR_ARG(name));
		error_collect(&errors, hint_nearest(error, name, known.cells, known.count));
	}
	return errors;
}

struct error *inventory_enable(struct arena *arena, struct db *db, const struct str *machines, size_t count,
                               bool enabled, size_t *changed)
{
	struct rows names = {0};
	struct db_rows rows;
	*changed = 0;
	for (size_t i = 0; i < count; i++)
		APPEND(arena, &names, name_fold(arena, machines[i]));
	struct str parameters[] = {write_array(arena, &names, 1, 0), write_boolean(enabled)};
	TRY(check_machines(arena, db, parameters[0]));
	TRY(db_query(arena, db, db_sql("machine-enable"), parameters, 2, &rows));
	*changed = rows.count;
	return NULL;
}
