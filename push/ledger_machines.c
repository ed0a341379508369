/* The ledger's word on machines: what each was offered and has confirmed, freezes. Written by claims and their results
 * (ledger_claims.c, ledger_results.c); here it is read, and forgotten. */
#include <assert.h>
#include <string.h>

#include "fleetwall/arena.h"
#include "ledger_parts.h"

static struct str text(struct arena *arena, struct str field)
{
	return field.p == NULL ? STR("") : str_copy(arena, field);
}

static void take_digest(struct str field, struct digest *digest)
{
	if (field.p != NULL && field.n == sizeof digest->byte)
		memcpy(digest->byte, field.p, sizeof digest->byte);
}

static int64_t seconds(struct str field)
{
	return field.p == NULL ? 0 : db_seconds(field);
}

/* Generation, ruleset, position, time. */
static struct held held_of(const struct str *fields)
{
	struct held held = {.generation = fields[0].p == NULL ? 0 : (uint64_t)db_int(fields[0])};

	take_digest(fields[1], &held.ruleset);
	take_digest(fields[2], &held.position);
	held.at = seconds(fields[3]);
	return held;
}

static struct error *state_row(void *context, const struct str *fields, size_t count)
{
	struct ledger_rows *rows = context;
	struct arena *arena = rows->arena;
	struct machine_state *state = ledger_row_add(rows);

	assert(count == 27);
	*state = (struct machine_state){
		.machine = str_copy(arena, fields[0]),
		.offered = held_of(fields + 1),
		.confirmed = held_of(fields + 5),
		.before = held_of(fields + 9),
		.machine_id = text(arena, fields[13]),
		.attempts = fields[15].p == NULL ? 0 : (unsigned)db_int(fields[15]),
		.error = text(arena, fields[16]),
		.error_kind = text(arena, fields[17]),
		.error_at = seconds(fields[18]),
		.needs_person = db_bool(fields[19]),
		.frozen = text(arena, fields[20]),
		.frozen_by = text(arena, fields[21]),
		.frozen_at = seconds(fields[22]),
		.whole = fields[23].p != NULL && db_bool(fields[23]),
		.drift = text(arena, fields[24]),
		.drift_at = seconds(fields[25]),
		.managed = db_bool(fields[26]),
	};
	take_digest(fields[14], &state->script);
	return NULL;
}

struct error *ledger_read_machines(struct arena *arena, struct db *db, const struct str *names, size_t name_count,
                                   struct machine_state **states, size_t *count)
{
	struct ledger_rows rows = {.arena = arena, .size = sizeof **states};

	TRY(ledger_copy(arena, db, "push-machines", names, name_count, state_row, &rows));
	*count = ledger_keep_named(&rows, names, name_count);
	*states = (struct machine_state *)(void *)rows.items;
	return NULL;
}

/* --- as a transaction --- */

struct reading {
	const struct str *names;
	size_t name_count;
	struct machine_state *states;
	size_t count;
};

static struct error *read_machines(struct arena *arena, struct db *db, void *context)
{
	struct reading *reading = context;

	return ledger_read_machines(arena, db, reading->names, reading->name_count, &reading->states, &reading->count);
}

struct error *ledger_machines(struct arena *arena, struct db *db, const struct str *names, size_t name_count,
                              struct machine_state **states, size_t *count)
{
	struct reading reading = {.names = names, .name_count = name_count};

	TRY(ledger_do(arena, db, read_machines, &reading));
	*states = reading.states;
	*count = reading.count;
	return NULL;
}

/* --- freezes, and what is not known any more --- */

struct error *ledger_check_machine(struct arena *arena, struct db *db, struct str machine)
{
	struct db_rows rows;

	TRY(db_query(arena, db, db_sql("push-machine-known"), &machine, 1, &rows));
	if (rows.count > 0)
		return NULL;
	return error_hint(error_new(ERROR_UNKNOWN, "there is no machine %.*s", STR_ARG(machine)),
	                  "fleetwall machine list shows those that there are");
}

struct freezing {
	struct str machine, reason;
};

/* Who and when are the database's to say, and an editor may not change them: frozen already is frozen anew. */
static struct error *freeze(struct arena *arena, struct db *db, void *context)
{
	const struct freezing *freezing = context;
	struct str parameters[] = {freezing->machine, freezing->reason};

	TRY(ledger_check_machine(arena, db, freezing->machine));
	TRY(db_query(arena, db, db_sql("push-unfreeze"), parameters, 1, NULL));
	return db_query(arena, db, db_sql("push-freeze"), parameters, 2, NULL);
}

struct error *ledger_freeze(struct arena *arena, struct db *db, struct str machine, struct str reason)
{
	struct freezing freezing = {machine, ledger_line(arena, reason)};

	if (freezing.reason.n == 0)
		return error_hint(error_new(ERROR_INPUT, "a machine is frozen for a reason, and there is none"),
		                  "say why: whoever wants to push to it reads that");
	return ledger_do(arena, db, freeze, &freezing);
}

static struct error *unfreeze(struct arena *arena, struct db *db, void *context)
{
	const struct str *machine = context;

	TRY(ledger_check_machine(arena, db, *machine));
	return db_query(arena, db, db_sql("push-unfreeze"), machine, 1, NULL);
}

struct error *ledger_unfreeze(struct arena *arena, struct db *db, struct str machine)
{
	return ledger_do(arena, db, unfreeze, &machine);
}

static struct error *forget(struct arena *arena, struct db *db, void *context)
{
	return db_query(arena, db, db_sql("push-forget"), context, 1, NULL);
}

struct error *ledger_forget(struct arena *arena, struct db *db, struct str machine)
{
	return ledger_do(arena, db, forget, &machine);
}

static struct error *forget_machine(struct arena *arena, struct db *db, void *context)
{
	const struct str *machine = context;

	TRY(ledger_check_machine(arena, db, *machine));
	return db_query(arena, db, db_sql("push-forget-machine"), machine, 1, NULL);
}

struct error *ledger_forget_machine(struct arena *arena, struct db *db, struct str machine)
{
	return ledger_do(arena, db, forget_machine, &machine);
}
