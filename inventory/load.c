/* The inventory as it is in the database -> struct fleet: the order of the tables, all in the snapshot of the caller's
 * transaction. What is in a table is known to load_machines.c, load_objects.c and load_rules.c. */
#include "load.h"

#include <assert.h>

#include "fleetwall/arena.h"
#include "fleetwall/inventory.h"
#include "fleetwall/names.h"

struct loading loading_new(struct arena *arena, struct arena *scratch, struct arena *rows, struct db *db,
                           enum load_which which, struct fleet *fleet)
{
	*fleet = (struct fleet){.clock = TIME_NONE};
	return (struct loading){
		.arena = arena,
		.scratch = scratch,
		.rows = rows,
		.db = db,
		.which = which,
		.fleet = fleet,
		.machines = names_new(scratch),
		.roles = names_new(scratch),
		.networks = names_new(scratch),
		.services = names_new(scratch),
		.words = names_new(scratch),
	};
}

struct error *load_copy(struct loading *loading, const char *query, db_row *each, void *context)
{
	static const char *const variants[] = {
		[LOAD_PRESENT] = "", [LOAD_BEFORE] = "-before", [LOAD_CHANGED] = "-changed",
		[LOAD_AROUND] = "-changed"};
	bool others = loading->which == LOAD_AROUND && str_is(str_of(query), "load-member");
	struct str name = str_format(loading->scratch, "%s%s", query, others ? "-around" : variants[loading->which]);
	return db_copy_out(loading->db, db_sql(str_c(loading->scratch, name)), each, context);
}

static struct error *clock_row(void *context, const struct str *fields, size_t count)
{
	struct loading *loading = context;
	assert(count == 1);
	loading->fleet->clock = db_int(fields[0]);
	return NULL;
}

struct error *load_clock(struct loading *loading)
{
	return db_copy_out(loading->db, db_sql("load-clock"), clock_row, loading);
}

static struct error *load_all(struct loading *loading)
{
	TRY(load_clock(loading));
	TRY(load_services(loading));
	TRY(load_networks(loading));
	TRY(load_roles(loading));
	TRY(load_rules(loading));
	return load_machines(loading);
}

static struct error *load_fleet(struct arena *arena, struct db *db, struct fleet *fleet, enum load_which which)
{
	struct arena *scratch = arena_new(), *rows = arena_new();
	struct loading loading = loading_new(arena, scratch, rows, db, which, fleet);
	struct error *error = load_all(&loading);
	arena_free(rows);
	arena_free(scratch);
	return error;
}

struct error *inventory_load(struct arena *arena, struct db *db, struct fleet *fleet)
{
	return load_fleet(arena, db, fleet, LOAD_PRESENT);
}

struct error *inventory_load_before(struct arena *arena, struct db *db, const struct before *before,
                                    struct fleet *fleet)
{
	struct str none = {NULL, 0}, parameters[4] = {none, none, none, none};
	if (before->time != TIME_NONE)
		parameters[0] = str_format(arena, "%lld", (long long)before->time);
	if (before->transaction > 0)
		parameters[1] = str_format(arena, "%lld", (long long)before->transaction);
	if (before->change > 0)
		parameters[2] = str_format(arena, "%lld", (long long)before->change);
	if (before->snapshot.n > 0)
		parameters[3] = before->snapshot;
	TRY(db_query(arena, db, db_sql("load-before-set"), parameters, 4, NULL));
	TRY(load_fleet(arena, db, fleet, LOAD_BEFORE));
	if (before->time != TIME_NONE)
		fleet->clock = before->time;
	return NULL;
}
