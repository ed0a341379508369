/* Claims: who works on which machine, for how long, and under which fence; and how a run goes on from wave to wave and
 * ends. Whoever claims holds the row of the run meanwhile, so that all pushers agree on that. */
#include <assert.h>
#include <stdlib.h>

#include "fleetwall/arena.h"
#include "ledger_parts.h"

struct claiming {
	struct str run; /* its number */
	struct str pusher, lease;
	size_t most;
	struct claim *claims;
	size_t count;
	struct push_run_info *info;
	unsigned *wait;
};

/* The run as its row says while it is locked. */
struct locked {
	bool running;
	unsigned wave, waves, max_failures;
	size_t failed, more; /* of the open wave; more: than unreachable */
	struct str halted;   /* why; p NULL: it is not */
};

static struct error *lock_run(struct arena *arena, struct db *db, struct str run, struct locked *locked)
{
	struct db_rows rows;

	TRY(db_query(arena, db, db_sql("push-run-lock"), &run, 1, &rows));
	if (rows.count == 0)
		return error_new(ERROR_UNKNOWN, "there is no push run %.*s", STR_ARG(run));
	*locked = (struct locked){
		.running = str_is(db_cell(&rows, 0, 0), "running"),
		.wave = (unsigned)ledger_cell_number(&rows, 0, 1),
		.waves = (unsigned)ledger_cell_number(&rows, 0, 2),
		.max_failures = (unsigned)ledger_cell_number(&rows, 0, 3),
		.failed = ledger_cell_number(&rows, 0, 4),
		.more = ledger_cell_number(&rows, 0, 5),
		.halted = db_cell(&rows, 0, 6),
	};
	return NULL;
}

/* Why nobody may go on with it; empty: somebody may. */
static struct str why_stop(struct arena *arena, const struct locked *locked)
{
	if (locked->halted.p != NULL)
		return locked->halted;
	if (locked->wave == 0 && locked->more > 0)
		return str_format(arena, "%zu of the first machines failed", locked->more);
	if (locked->failed > locked->max_failures)
		return str_format(arena, "%zu machine%s failed in wave %u of %u, and no more than %u may",
		                  locked->failed, str_plural(locked->failed), locked->wave + 1, locked->waves,
		                  locked->max_failures);
	return STR("");
}

/* Locks the run, and stops it if it must not go on. */
static struct error *look_at_run(struct arena *arena, struct db *db, struct str run, struct locked *locked)
{
	struct str parameters[2] = {run};

	TRY(lock_run(arena, db, run, locked));
	if (!locked->running)
		return NULL;
	parameters[1] = why_stop(arena, locked);
	if (parameters[1].n == 0)
		return NULL;
	locked->running = false;
	return db_query(arena, db, db_sql("push-stop"), parameters, 2, NULL);
}

/* --- taking work --- */

static struct error *claim_of(const struct db_rows *rows, size_t row, struct claim *claim)
{
	*claim = (struct claim){
		.item = {.machine = db_cell(rows, row, 0),
	                 .wave = (unsigned)ledger_cell_number(rows, row, 1),
	                 .adopt = ledger_cell_bool(rows, row, 4),
	                 .cut = ledger_cell_bool(rows, row, 5),
	                 .rollback = ledger_cell_bool(rows, row, 6)},
		.fence = ledger_cell_number(rows, row, 7),
		.attempt = (unsigned)ledger_cell_number(rows, row, 8),
	};
	if (!digest_parse(db_cell(rows, row, 2), &claim->item.ruleset) ||
	    !digest_parse(db_cell(rows, row, 3), &claim->item.position))
		return error_new(ERROR_SURROUNDINGS, "the database gave machine %.*s no digest",
		                 STR_ARG(claim->item.machine));
	return NULL;
}

/* Looks at as many items as are wanted still; *looked is how many there were, claimed or skipped. */
static struct error *take_some(struct arena *arena, struct db *db, struct claiming *claiming, unsigned wave,
                               size_t *looked)
{
	struct str parameters[] = {claiming->run, ledger_number(arena, wave),
	                           ledger_number(arena, claiming->most - claiming->count), claiming->pusher,
	                           claiming->lease};
	struct db_rows rows;

	TRY(db_query(arena, db, db_sql("push-claim"), parameters, 5, &rows));
	*looked = rows.count;
	for (size_t i = 0; i < rows.count; i++)
		if (db_cell(&rows, i, 7).p != NULL)
			TRY(claim_of(&rows, i, &claiming->claims[claiming->count++]));
	return NULL;
}

static struct error *take(struct arena *arena, struct db *db, struct claiming *claiming, unsigned wave)
{
	size_t looked = 1;

	while (claiming->count < claiming->most && looked > 0)
		TRY(take_some(arena, db, claiming, wave, &looked));
	return NULL;
}

/* --- waves --- */

/* Milliseconds. What others hold may become final at any moment, so nobody waits for long. */
enum { WAIT_LEAST = 20, WAIT_HELD = 200, WAIT_MOST = 1000 };

static unsigned bounded(uint64_t due)
{
	if (due == 0)
		return WAIT_HELD;
	if (due < WAIT_LEAST)
		return WAIT_LEAST;
	return due > WAIT_MOST ? WAIT_MOST : (unsigned)due;
}

/* *final: all of the wave is. */
static struct error *look_ahead(struct arena *arena, struct db *db, struct claiming *claiming, unsigned wave,
                                bool *final)
{
	struct str parameters[] = {claiming->run, ledger_number(arena, wave)};
	struct db_rows rows;

	TRY(db_query(arena, db, db_sql("push-next"), parameters, 2, &rows));
	*final = db_cell(&rows, 0, 0).p == NULL;
	*claiming->wait = *final ? 0 : bounded(ledger_cell_number(&rows, 0, 0));
	return NULL;
}

/* A failure that came since the run was looked at counts as well. */
static struct error *close_wave(struct arena *arena, struct db *db, struct claiming *claiming, struct locked *locked)
{
	struct str parameters[2] = {claiming->run};

	TRY(look_at_run(arena, db, claiming->run, locked));
	if (!locked->running)
		return NULL;
	if (locked->wave + 1 == locked->waves) {
		locked->running = false;
		return db_query(arena, db, db_sql("push-done"), parameters, 1, NULL);
	}
	parameters[1] = ledger_number(arena, locked->wave++);
	return db_query(arena, db, db_sql("push-advance"), parameters, 2, NULL);
}

static struct error *work_through(struct arena *arena, struct db *db, struct claiming *claiming)
{
	struct locked locked;
	bool final;

	TRY(look_at_run(arena, db, claiming->run, &locked));
	while (locked.running && claiming->count == 0 && claiming->most > 0) {
		TRY(take(arena, db, claiming, locked.wave));
		if (claiming->count > 0)
			return NULL;
		TRY(look_ahead(arena, db, claiming, locked.wave, &final));
		if (!final)
			return NULL;
		TRY(close_wave(arena, db, claiming, &locked));
	}
	return NULL;
}

/* --- what a pusher needs to know of each --- */

static int machine_order(const void *a, const void *b)
{
	return str_cmp(((const struct claim *)a)->item.machine, ((const struct claim *)b)->item.machine);
}

/* All three lists are in the order of names, and what was claimed is in the ledger and in the inventory. */
static void join(struct claiming *claiming, const struct machine_state *states, size_t state_count,
                 const struct contact *contacts, size_t contact_count)
{
	size_t state = 0, contact = 0;

	for (size_t i = 0; i < claiming->count; i++) {
		struct claim *claim = &claiming->claims[i];

		while (state < state_count && str_cmp(states[state].machine, claim->item.machine) < 0)
			state++;
		while (contact < contact_count && str_cmp(contacts[contact].machine, claim->item.machine) < 0)
			contact++;
		if (state < state_count && str_eq(states[state].machine, claim->item.machine))
			claim->state = states[state];
		if (contact < contact_count && str_eq(contacts[contact].machine, claim->item.machine))
			claim->contact = contacts[contact];
	}
}

static struct error *describe(struct arena *arena, struct db *db, struct claiming *claiming)
{
	struct str *names = ARENA_ARRAY(arena, struct str, claiming->count);
	size_t state_count, contact_count;
	struct machine_state *states;
	struct contact *contacts;

	qsort(claiming->claims, claiming->count, sizeof *claiming->claims, machine_order);
	for (size_t i = 0; i < claiming->count; i++)
		names[i] = claiming->claims[i].item.machine;
	TRY(ledger_read_machines(arena, db, names, claiming->count, &states, &state_count));
	TRY(ledger_read_contacts(arena, db, names, claiming->count, &contacts, &contact_count));
	join(claiming, states, state_count, contacts, contact_count);
	return NULL;
}

static struct error *claim_some(struct arena *arena, struct db *db, void *context)
{
	struct claiming *claiming = context;

	claiming->count = 0;
	*claiming->wait = 0;
	TRY(work_through(arena, db, claiming));
	TRY(ledger_read_run(arena, db, &claiming->run, claiming->info));
	for (size_t i = 0; i < claiming->count; i++)
		claiming->claims[i].run = claiming->info->number;
	return claiming->count > 0 ? describe(arena, db, claiming) : NULL;
}

struct error *ledger_claim(struct arena *arena, struct db *db, uint64_t run, struct str pusher, unsigned lease,
                           size_t most, struct claim **claims, size_t *count, struct push_run_info *info,
                           unsigned *wait)
{
	struct claiming claiming = {.run = ledger_number(arena, run),
	                            .pusher = ledger_line(arena, pusher),
	                            .lease = ledger_number(arena, lease),
	                            .most = most,
	                            .claims = ARENA_ARRAY(arena, struct claim, most),
	                            .info = info,
	                            .wait = wait};

	TRY(ledger_do(arena, db, claim_some, &claiming));
	*claims = claiming.claims;
	*count = claiming.count;
	return NULL;
}

/* --- holding on, and giving back --- */

struct holding {
	const struct claim *claims;
	size_t count;
	struct str lease;
	bool *lost;
};

/* The claims of one run, from `first` on: run, machines, fences. How many. */
static size_t one_run(struct arena *arena, const struct holding *holding, size_t first, struct str parameters[3])
{
	const struct claim *claims = holding->claims + first;
	struct str *machines = ARENA_ARRAY(arena, struct str, holding->count - first);
	struct str *fences = ARENA_ARRAY(arena, struct str, holding->count - first);
	size_t n = 0;

	for (; first + n < holding->count && claims[n].run == claims[0].run; n++) {
		machines[n] = claims[n].item.machine;
		fences[n] = ledger_number(arena, claims[n].fence);
	}
	parameters[0] = ledger_number(arena, claims[0].run);
	parameters[1] = ledger_joined(arena, machines, n);
	parameters[2] = ledger_joined(arena, fences, n);
	return n;
}

static bool is_among(const struct db_rows *rows, const struct claim *claim)
{
	for (size_t i = 0; i < rows->count; i++)
		if (ledger_cell_number(rows, i, 1) == claim->fence)
			return true;
	return false;
}

static struct error *renew(struct arena *arena, struct db *db, void *context)
{
	const struct holding *holding = context;
	struct str parameters[4];
	struct db_rows rows;

	for (size_t first = 0, n; first < holding->count; first += n) {
		n = one_run(arena, holding, first, parameters);
		parameters[3] = holding->lease;
		TRY(db_query(arena, db, db_sql("push-renew"), parameters, 4, &rows));
		for (size_t i = first; i < first + n; i++)
			holding->lost[i] = !is_among(&rows, &holding->claims[i]);
	}
	return NULL;
}

struct error *ledger_renew(struct arena *arena, struct db *db, const struct claim *claims, size_t count, unsigned lease,
                           bool *lost)
{
	struct holding holding = {claims, count, ledger_number(arena, lease), lost};

	return ledger_do(arena, db, renew, &holding);
}

static struct error *give_back(struct arena *arena, struct db *db, void *context)
{
	const struct holding *holding = context;
	struct str parameters[3];

	for (size_t first = 0, n; first < holding->count; first += n) {
		n = one_run(arena, holding, first, parameters);
		TRY(db_query(arena, db, db_sql("push-return"), parameters, 3, NULL));
	}
	return NULL;
}

struct error *ledger_give_back(struct arena *arena, struct db *db, const struct claim *claims, size_t count)
{
	return ledger_do(arena, db, give_back, &(struct holding){.claims = claims, .count = count});
}
