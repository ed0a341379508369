/* What people say beforehand: probes, and approvals of generations. Trying a probe is the pusher's. */
#include <assert.h>

#include "fleetwall/arena.h"
#include "ledger_parts.h"

/* --- probes --- */

static struct error *probe_row(void *context, const struct str *fields, size_t count)
{
	struct ledger_rows *rows = context;
	struct probe *probe = ledger_row_add(rows);

	assert(count == 4);
	*probe = (struct probe){
		.machine = str_copy(rows->arena, fields[0]),
		.what = str_copy(rows->arena, fields[1]),
		.open = db_bool(fields[2]),
		.source = fields[3].p == NULL ? STR("") : str_copy(rows->arena, fields[3]),
	};
	return NULL;
}

struct listing {
	const struct str *machines;
	size_t machine_count;
	struct ledger_rows rows;
};

static struct error *list(struct arena *arena, struct db *db, void *context)
{
	struct listing *listing = context;

	listing->rows = (struct ledger_rows){.arena = arena, .size = sizeof(struct probe)};
	return ledger_copy(arena, db, "push-probes", listing->machines, listing->machine_count, probe_row,
	                   &listing->rows);
}

struct error *ledger_probes(struct arena *arena, struct db *db, const struct str *machines, size_t machine_count,
                            struct probe **probes, size_t *count)
{
	struct listing listing = {.machines = machines, .machine_count = machine_count};

	TRY(ledger_do(arena, db, list, &listing));
	*probes = (struct probe *)(void *)listing.rows.items;
	*count = listing.rows.count;
	return NULL;
}

static struct error *check_what(struct str what)
{
	struct str port, protocol = what;
	uint64_t number;

	if (str_cut(&protocol, '/', &port) && str_number(port, 65535, &number) && number > 0 && port.p[0] != '0' &&
	    protocol.p != NULL && str_is(protocol, "tcp"))
		return NULL;
	return error_hint(error_new(ERROR_INPUT, "a probe can't try \"%.*s\"", STR_ARG(what)),
	                  "write PORT/tcp, with a port from 1 to 65535");
}

static struct error *check_probe(struct arena *arena, struct db *db, const struct probe *probe)
{
	TRY(check_what(probe->what));
	TRY(ledger_check_machine(arena, db, probe->machine));
	if (probe->source.n == 0)
		return NULL;
	if (str_eq(probe->source, probe->machine))
		return error_hint(error_new(ERROR_INPUT, "machine %.*s would be tried from itself",
		                            STR_ARG(probe->machine)),
		                  "a firewall lets its own machine in: name another one, or none for the pusher");
	return ledger_check_machine(arena, db, probe->source);
}

static void parameters_of(const struct probe *probe, struct str parameters[4])
{
	parameters[0] = probe->machine;
	parameters[1] = probe->what;
	parameters[2] = probe->open ? STR("t") : STR("f");
	parameters[3] = probe->source.n > 0 ? probe->source : (struct str){NULL, 0};
}

static struct error *add(struct arena *arena, struct db *db, void *context)
{
	const struct probe *probe = context;
	struct str parameters[4];
	struct db_rows rows;

	TRY(check_probe(arena, db, probe));
	parameters_of(probe, parameters);
	TRY(db_query(arena, db, db_sql("push-probe-add"), parameters, 4, &rows));
	if (rows.count == 0 || ledger_cell_bool(&rows, 0, 0) == probe->open)
		return NULL;
	return error_hint(error_new(ERROR_INPUT, "%.*s of machine %.*s is to be %s already", STR_ARG(probe->what),
	                            STR_ARG(probe->machine), probe->open ? "closed" : "open"),
	                  "take that probe away first");
}

struct error *ledger_probe_add(struct arena *arena, struct db *db, const struct probe *probe)
{
	struct probe copy = *probe;

	return ledger_do(arena, db, add, &copy);
}

struct removal {
	const struct probe *probe;
	bool removed;
};

static struct error *take_away(struct arena *arena, struct db *db, void *context)
{
	struct removal *removal = context;
	struct str parameters[4];
	struct db_rows rows;

	parameters_of(removal->probe, parameters);
	TRY(db_query(arena, db, db_sql("push-probe-remove"), parameters, 4, &rows));
	removal->removed = rows.count > 0;
	return NULL;
}

struct error *ledger_probe_remove(struct arena *arena, struct db *db, const struct probe *probe, bool *removed)
{
	struct removal removal = {.probe = probe};

	*removed = false;
	TRY(ledger_do(arena, db, take_away, &removal));
	*removed = removal.removed;
	return NULL;
}

/* --- approvals --- */

struct approval {
	uint64_t generation;
	bool approved;
};

static struct error *approve(struct arena *arena, struct db *db, void *context)
{
	const struct approval *approval = context;
	struct str number = ledger_number(arena, approval->generation);
	struct db_rows rows;

	TRY(db_query(arena, db, db_sql("push-approve"), &number, 1, &rows));
	if (rows.count > 0)
		return NULL;
	return error_hint(error_new(ERROR_UNKNOWN, "the database does not know generation %.*s", STR_ARG(number)),
	                  "fleetwall generation list shows those that it knows");
}

struct error *ledger_approve(struct arena *arena, struct db *db, uint64_t generation)
{
	return ledger_do(arena, db, approve, &(struct approval){.generation = generation});
}

static struct error *ask_approved(struct arena *arena, struct db *db, void *context)
{
	struct approval *approval = context;
	struct str number = ledger_number(arena, approval->generation);
	struct db_rows rows;

	TRY(db_query(arena, db, db_sql("push-approved"), &number, 1, &rows));
	approval->approved = rows.count > 0;
	return NULL;
}

struct error *ledger_approved(struct arena *arena, struct db *db, uint64_t generation, bool *approved)
{
	struct approval approval = {.generation = generation};

	*approved = false;
	TRY(ledger_do(arena, db, ask_approved, &approval));
	*approved = approval.approved;
	return NULL;
}
