/* Runs: how they begin, give way to newer ones, are stopped by a halt and go on. At most one runs at a time. How a
 * run's waves advance and how it ends is decided where work is claimed (ledger_claims.c), under the same row lock. */
#include <assert.h>

#include "fleetwall/arena.h"
#include "fleetwall/buf.h"
#include "ledger_parts.h"

/* --- reading --- */

static enum run_state state_of(struct str word)
{
	if (str_is(word, "running"))
		return RUN_RUNNING;
	if (str_is(word, "done"))
		return RUN_DONE;
	return str_is(word, "stopped") ? RUN_STOPPED : RUN_SUPERSEDED;
}

struct error *ledger_read_run(struct arena *arena, struct db *db, const struct str *number, struct push_run_info *info)
{
	struct str parameter = number != NULL ? *number : (struct str){NULL, 0};
	struct db_rows rows;

	*info = (struct push_run_info){0};
	TRY(db_query(arena, db, db_sql("push-run"), &parameter, 1, &rows));
	if (rows.count == 0)
		return NULL;
	*info = (struct push_run_info){
		.number = ledger_cell_number(&rows, 0, 0),
		.generation = ledger_cell_number(&rows, 0, 1),
		.state = state_of(db_cell(&rows, 0, 2)),
		.reason = db_cell(&rows, 0, 3),
		.who = db_cell(&rows, 0, 4),
		.started = (int64_t)ledger_cell_number(&rows, 0, 5),
		.ended = (int64_t)ledger_cell_number(&rows, 0, 6),
		.wave = (unsigned)ledger_cell_number(&rows, 0, 7),
		.waves = (unsigned)ledger_cell_number(&rows, 0, 8),
		.max_failures = (unsigned)ledger_cell_number(&rows, 0, 9),
		.waiting = ledger_cell_number(&rows, 0, 10),
		.claimed = ledger_cell_number(&rows, 0, 11),
		.confirmed = ledger_cell_number(&rows, 0, 12),
		.failed = ledger_cell_number(&rows, 0, 13),
		.skipped = ledger_cell_number(&rows, 0, 14),
	};
	return NULL;
}

struct looking {
	const struct str *number;
	struct push_run_info *info;
};

static struct error *look(struct arena *arena, struct db *db, void *context)
{
	const struct looking *looking = context;

	return ledger_read_run(arena, db, looking->number, looking->info);
}

struct error *ledger_open_run(struct arena *arena, struct db *db, struct push_run_info *run)
{
	return ledger_do(arena, db, look, &(struct looking){NULL, run});
}

static struct error *no_run(uint64_t number)
{
	return error_new(ERROR_UNKNOWN, "there is no push run %llu", (unsigned long long)number);
}

struct error *ledger_run(struct arena *arena, struct db *db, uint64_t number, struct push_run_info *run)
{
	struct str parameter = ledger_number(arena, number);

	TRY(ledger_do(arena, db, look, &(struct looking){&parameter, run}));
	return run->number == 0 ? no_run(number) : NULL;
}

/* --- halting --- */

static struct error *read_halt(struct arena *arena, struct db *db, struct str *reason, struct str *who, int64_t *at)
{
	struct db_rows rows;

	*reason = *who = STR("");
	*at = 0;
	TRY(db_query(arena, db, db_sql("push-halted"), NULL, 0, &rows));
	if (rows.count == 0)
		return NULL;
	*reason = db_cell(&rows, 0, 0);
	*who = db_cell(&rows, 0, 1);
	*at = (int64_t)ledger_cell_number(&rows, 0, 2);
	return NULL;
}

static struct error *check_not_halted(struct arena *arena, struct db *db)
{
	struct str reason, who;
	int64_t at;

	TRY(read_halt(arena, db, &reason, &who, &at));
	if (reason.n == 0)
		return NULL;
	return error_hint(error_new(ERROR_GUARD, "pushing is halted by %.*s: %.*s", STR_ARG(who), STR_ARG(reason)),
	                  "fleetwall push --resume allows it again");
}

struct halted {
	struct str *reason, *who;
	int64_t *at;
};

static struct error *ask_halted(struct arena *arena, struct db *db, void *context)
{
	const struct halted *halted = context;

	return read_halt(arena, db, halted->reason, halted->who, halted->at);
}

struct error *ledger_halted(struct arena *arena, struct db *db, struct str *reason, struct str *who, int64_t *at)
{
	return ledger_do(arena, db, ask_halted, &(struct halted){reason, who, at});
}

static struct error *halt(struct arena *arena, struct db *db, void *context)
{
	const struct str *reason = context;

	TRY(db_query(arena, db, db_sql("push-lock"), NULL, 0, NULL));
	TRY(db_query(arena, db, db_sql("push-halt"), reason, 1, NULL));
	return db_query(arena, db, db_sql("push-stop-all"), reason, 1, NULL);
}

struct error *ledger_halt(struct arena *arena, struct db *db, struct str reason)
{
	struct str line = ledger_line(arena, reason);

	if (line.n == 0)
		return error_hint(error_new(ERROR_INPUT, "pushing is halted for a reason, and there is none"),
		                  "say why: whoever wants to push reads that");
	return ledger_do(arena, db, halt, &line);
}

static struct error *unhalt(struct arena *arena, struct db *db, void *context)
{
	(void)context;
	TRY(db_query(arena, db, db_sql("push-lock"), NULL, 0, NULL));
	return db_query(arena, db, db_sql("push-unhalt"), NULL, 0, NULL);
}

struct error *ledger_unhalt(struct arena *arena, struct db *db)
{
	return ledger_do(arena, db, unhalt, NULL);
}

/* --- beginning --- */

struct beginning {
	uint64_t generation;
	const struct digest *digest;
	unsigned max_failures, waves;
	const struct work_item *items;
	size_t count;
	bool rollback;     /* all of them go back */
	struct str number; /* of the run */
};

static struct error *check_generation(struct arena *arena, struct db *db, const struct beginning *beginning)
{
	struct str number = ledger_number(arena, beginning->generation);
	unsigned long long shown = beginning->generation;
	struct db_rows rows;

	TRY(db_query(arena, db, db_sql("generation-digest"), &number, 1, &rows));
	if (rows.count == 0)
		return error_hint(error_new(ERROR_GUARD, "the database does not know generation %llu", shown),
		                  "fleetwall generate makes one that it knows");
	if (!str_eq(db_cell(&rows, 0, 0), ledger_hex(arena, beginning->digest)))
		return error_hint(error_new(ERROR_GUARD,
		                            "generation %llu is not the one that the database knows by that number: "
		                            "its digest differs",
		                            shown),
		                  "its files were changed, or are of another database; fleetwall generate makes a new "
		                  "one");
	return NULL;
}

/* What runs is not to be thrown back, but for a rollback. `*running`: of this very generation, which is joined; p NULL:
 * there is none. */
static struct error *check_open(struct arena *arena, struct db *db, uint64_t generation, struct str *running)
{
	struct db_rows rows;

	*running = (struct str){NULL, 0};
	TRY(db_query(arena, db, db_sql("push-open-lock"), NULL, 0, &rows));
	for (size_t i = 0; i < rows.count; i++) {
		if (!str_is(db_cell(&rows, i, 2), "running"))
			continue;
		if (ledger_cell_number(&rows, i, 1) == generation)
			*running = db_cell(&rows, i, 0);
		if (ledger_cell_number(&rows, i, 1) > generation)
			return error_hint(error_new(ERROR_GUARD,
			                            "run %.*s is pushing generation %.*s, which is newer than %llu",
			                            STR_ARG(db_cell(&rows, i, 0)), STR_ARG(db_cell(&rows, i, 1)),
			                            (unsigned long long)generation),
			                  "fleetwall status shows it; wait until it is done, or stop it with fleetwall "
			                  "push --halt");
	}
	return NULL;
}

static struct str bytea(struct arena *arena, const struct digest *digest)
{
	char hex[65];

	digest_hex(digest, hex);
	return str_format(arena, "\\x%s", hex);
}

static struct str flag(bool set)
{
	return set ? STR("t") : STR("f");
}

static struct error *copy_items(struct arena *scratch, struct db *db, const struct beginning *beginning)
{
	TRY(db_copy_in(db, STR("fleetwall.push_work (run, machine, wave, ruleset, position, adopt, cut, rollback, "
	                       "stay)")));
	for (size_t i = 0; i < beginning->count; i++) {
		const struct work_item *item = &beginning->items[i];
		struct str cells[] = {beginning->number,
		                      item->machine,
		                      ledger_number(scratch, item->wave),
		                      bytea(scratch, &item->ruleset),
		                      bytea(scratch, &item->position),
		                      flag(item->adopt),
		                      flag(item->cut),
		                      flag(item->rollback),
		                      ledger_some_line(scratch, item->freeze)};

		TRY(db_copy_row(db, cells, sizeof cells / sizeof *cells));
		arena_reset(scratch);
	}
	return db_copy_end(db);
}

static struct error *add_items(struct db *db, const struct beginning *beginning)
{
	struct arena *scratch = arena_new();
	struct error *error = copy_items(scratch, db, beginning);

	arena_free(scratch);
	return error;
}

static struct error *add_run(struct arena *arena, struct db *db, struct beginning *beginning)
{
	struct str parameters[] = {
		ledger_number(arena, beginning->generation),
		ledger_number(arena, beginning->waves),
		ledger_number(arena, beginning->max_failures),
		ledger_number(arena, beginning->count),
		flag(beginning->rollback),
	};
	struct db_rows rows;

	TRY(db_query(arena, db, db_sql("push-begin"), parameters, 5, &rows));
	beginning->number = db_cell(&rows, 0, 0);
	return NULL;
}

static struct error *begin_new(struct arena *arena, struct db *db, struct beginning *beginning)
{
	TRY(add_run(arena, db, beginning));
	TRY(add_items(db, beginning));
	TRY(db_query(arena, db, db_sql("push-supersede"), &beginning->number, 1, NULL));
	TRY(db_query(arena, db, db_sql("push-abandoned"), NULL, 0, NULL));
	TRY(db_query(arena, db, db_sql("push-fence"), NULL, 0, NULL));
	TRY(db_query(arena, db, db_sql("push-running"), &beginning->number, 1, NULL));
	return db_query(arena, db, db_sql("push-prune"), NULL, 0, NULL);
}

enum { JOINED_LISTS = 5 };

static void add_joined(struct buf *lists, const struct work_item *item)
{
	char ruleset[65], position[65];

	digest_hex(&item->ruleset, ruleset);
	digest_hex(&item->position, position);
	buf_add(&lists[0], item->machine);
	buf_number(&lists[1], item->wave);
	buf_add(&lists[2], str_of(ruleset));
	buf_add(&lists[3], str_of(position));
	buf_add(&lists[4], item->adopt && item->cut ? STR("ac")
	                   : item->adopt            ? STR("a")
	                   : item->cut              ? STR("c")
	                                            : STR("-"));
}

/* Another pusher is at this generation already: the work is shared, and nothing of it is taken away. */
static struct error *join(struct arena *arena, struct db *db, struct beginning *beginning, struct str running)
{
	struct str parameters[JOINED_LISTS + 1] = {running};
	struct buf lists[JOINED_LISTS];

	for (size_t k = 0; k < JOINED_LISTS; k++)
		lists[k] = buf_new(arena);
	for (size_t i = 0; i < beginning->count; i++) {
		for (size_t k = 0; k < JOINED_LISTS && i > 0; k++)
			buf_char(&lists[k], ',');
		add_joined(lists, &beginning->items[i]);
	}
	for (size_t k = 0; k < JOINED_LISTS; k++)
		parameters[k + 1] = buf_str(&lists[k]);
	beginning->number = running;
	TRY(db_query(arena, db, db_sql("push-fence"), NULL, 0, NULL));
	TRY(db_query(arena, db, db_sql("push-join-lock"), parameters, 2, NULL));
	return db_query(arena, db, db_sql("push-join"), parameters, JOINED_LISTS + 1, NULL);
}

static struct error *begin(struct arena *arena, struct db *db, void *context)
{
	struct beginning *beginning = context;
	struct str running;

	TRY(db_query(arena, db, db_sql("push-lock"), NULL, 0, NULL));
	if (beginning->rollback) {
		TRY(db_query(arena, db, db_sql("push-yield"), NULL, 0, NULL));
	} else {
		TRY(check_not_halted(arena, db));
	}
	TRY(check_generation(arena, db, beginning));
	TRY(check_open(arena, db, beginning->generation, &running));
	return running.p != NULL ? join(arena, db, beginning, running) : begin_new(arena, db, beginning);
}

static bool all_go_back(const struct work_item *items, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (!items[i].rollback)
			return false;
	return count > 0;
}

static unsigned waves_of(const struct work_item *items, size_t count)
{
	unsigned last = 0;

	for (size_t i = 0; i < count; i++)
		last = items[i].wave > last ? items[i].wave : last;
	return last + 1;
}

struct error *ledger_start(struct arena *arena, struct db *db, uint64_t generation, const struct digest *digest,
                           unsigned max_failures, const struct work_item *items, size_t count, uint64_t *run)
{
	struct beginning beginning = {.generation = generation,
	                              .digest = digest,
	                              .max_failures = max_failures,
	                              .waves = waves_of(items, count),
	                              .items = items,
	                              .count = count,
	                              .rollback = all_go_back(items, count)};

	TRY(ledger_do(arena, db, begin, &beginning));
	if (!str_number(beginning.number, UINT64_MAX, run))
		return error_new(ERROR_SURROUNDINGS, "the database gave a run no number");
	return NULL;
}

/* --- going on --- */

struct resuming {
	uint64_t run;
	bool again;
};

/* `open`: the rows of push-open-lock. */
static struct error *check_alone(const struct db_rows *open, uint64_t run)
{
	for (size_t i = 0; i < open->count; i++)
		if (str_is(db_cell(open, i, 2), "running") && ledger_cell_number(open, i, 0) != run)
			return error_new(ERROR_GUARD, "run %.*s is running: one goes on at a time",
			                 STR_ARG(db_cell(open, i, 0)));
	return NULL;
}

static struct error *check_open_still(const struct push_run_info *info, uint64_t run)
{
	if (info->number == 0)
		return no_run(run);
	if (info->state == RUN_RUNNING || info->state == RUN_STOPPED)
		return NULL;
	return error_hint(error_new(ERROR_GUARD, "run %llu is %s", (unsigned long long)run,
	                            info->state == RUN_DONE ? "done" : "superseded by another one"),
	                  "fleetwall push begins a new one");
}

/* Newer generations may have reached some of its machines since. */
static struct error *check_newest(struct arena *arena, struct db *db, struct str run)
{
	struct db_rows rows;

	TRY(db_query(arena, db, db_sql("push-newer"), &run, 1, &rows));
	if (rows.count == 0)
		return NULL;
	return error_hint(error_new(ERROR_GUARD, "run %.*s pushed generation %.*s since, which is newer",
	                            STR_ARG(db_cell(&rows, 0, 0)), STR_ARG(db_cell(&rows, 0, 1))),
	                  "fleetwall push brings what is published to the machines that lack it");
}

static struct error *resume(struct arena *arena, struct db *db, void *context)
{
	const struct resuming *resuming = context;
	struct str parameters[] = {ledger_number(arena, resuming->run), flag(resuming->again)};
	struct push_run_info info;
	struct db_rows open;

	TRY(db_query(arena, db, db_sql("push-lock"), NULL, 0, NULL));
	TRY(check_not_halted(arena, db));
	TRY(db_query(arena, db, db_sql("push-open-lock"), NULL, 0, &open));
	TRY(ledger_read_run(arena, db, &parameters[0], &info));
	TRY(check_open_still(&info, resuming->run));
	TRY(check_alone(&open, resuming->run));
	TRY(check_newest(arena, db, parameters[0]));
	TRY(db_query(arena, db, db_sql("push-fence"), NULL, 0, NULL));
	return db_query(arena, db, db_sql("push-resume"), parameters, 2, NULL);
}

struct error *ledger_resume(struct arena *arena, struct db *db, uint64_t run, bool again)
{
	return ledger_do(arena, db, resume, &(struct resuming){run, again});
}
