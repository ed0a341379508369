/* generation publish: an old generation under a new number. An order of stations: read, make again, compare, guards,
 * publish. */
#include "generation.h"
#include "generation_again.h"
#include "outcome.h"

/* --- answers --- */

enum state { STATE_UNCHANGED, STATE_WOULD_PUBLISH, STATE_PUBLISHED };

static struct str state_str(enum state state)
{
	switch (state) {
	case STATE_UNCHANGED:
		return STR("unchanged");
	case STATE_WOULD_PUBLISH:
		return STR("would publish");
	case STATE_PUBLISHED:
		return STR("published");
	}
	return STR("");
}

static void write_answer(const struct again *again, enum state state, size_t changed)
{
	static const char *const columns[] = {"generation", "state", "of",      "digest", "machines",
	                                      "sets",       "changed", "exact", "opens",  "difference"};
	const struct round *round = again->round;
	const struct generation *next = &round->next;
	uint64_t number = state == STATE_UNCHANGED ? round->published.number : next->number;
	struct writer *writer = again->run->writer;
	char hex[65];

	digest_hex(&next->digest, hex);
	writer_columns(writer, LAYOUT_SILENT, columns, 10);
	writer_row(writer, (struct cell[]){
				   cell_positive(number),
				   cell_text(state_str(state)),
				   cell_number((int64_t)again->old.number),
				   cell_text(str_copy(again->run->arena, str_of(hex))),
				   cell_number((int64_t)next->machine_count),
				   cell_number((int64_t)next->set_count),
				   cell_number((int64_t)changed),
				   cell_bool(round->readable),
				   diff_rows(&again->diff, STR("opens")),
				   diff_rows(&again->diff, STR("")),
			   });
	writer_keep(writer);
}

static void say(struct again *again, enum state state, size_t changed)
{
	const struct round *round = again->round;
	struct writer *writer = again->run->writer;
	unsigned long long old = again->old.number, next = round->next.number;

	switch (state) {
	case STATE_UNCHANGED:
		if (round->published.number == old) {
			writer_say(writer, "nothing to do: generation %llu is the one that is published", old);
			return;
		}
		writer_say(writer, "nothing to do: generation %llu says what %llu says, with the rules that count now",
		           (unsigned long long)round->published.number, old);
		return;
	case STATE_WOULD_PUBLISH:
		writer_say(writer, "generation %llu would be published again: %zu %s would change", old,
		           changed, outcome_changed(changed));
		break;
	case STATE_PUBLISHED:
		writer_say(writer,
		           "generation %llu published, %llu once more: %zu machine%s; %zu %s changed (%.2f s)",
		           next, old, round->next.machine_count, str_plural(round->next.machine_count), changed,
		           outcome_changed(changed), round_seconds(round));
		break;
	}
	diff_tell(&again->diff);
	writer_say(writer,
	           "the inventory stays as it is: the next generate or nightly, or a watch that runs within a minute, "
	           "publishes what it says; fleetwall undo takes back what should not be in it");
}

static void answer(struct again *again, enum state state, size_t changed)
{
	say(again, state, changed);
	write_answer(again, state, changed);
}

/* --- the stations --- */

static struct error *read_old(struct again *again, uint64_t number)
{
	struct run *run = again->run;
	struct error *error = generation_read_number(again->round->arena, run->config.output, number, &again->old);

	return error != NULL && error->kind == ERROR_UNKNOWN ? unknown_generation(run, number) : error;
}

static struct error *make(struct again *again)
{
	struct round *round = again->round;

	round_read_published(round);
	TRY(db_begin(again->run->db, DB_SNAPSHOT));
	TRY(again_make(again));
	TRY(again_compare(again));
	return db_commit(again->run->db);
}

/* The next run of generate must not take what the cache says for what is published. */
static struct error *publish(struct again *again)
{
	struct round *round = again->round;

	round->news.snapshot = again->snapshot;
	TRY(cache_drop(round->store));
	TRY(round_publish(round, again->old.number));
	collect_generations(again->run, round->store);
	return NULL;
}

static struct error *finish(struct again *again, bool dry)
{
	struct round *round = again->round;
	size_t changed = round_changes(round);
	enum state state = dry ? STATE_WOULD_PUBLISH : STATE_PUBLISHED;
	bool is_published;

	TRY(round_is_published(round, &is_published));
	if (is_published)
		state = STATE_UNCHANGED;
	/* What it would do is shown also where a guard would stop it. */
	if (dry)
		answer(again, state, changed);
	again->run->no = state == STATE_WOULD_PUBLISH;
	TRY(round_guards(round));
	if (dry)
		return NULL;
	if (state == STATE_PUBLISHED)
		TRY(publish(again));
	answer(again, state, changed);
	return NULL;
}

static struct error *go(struct again *again, uint64_t number, bool dry)
{
	struct round *round = again->round;

	TRY(round_prepare(round));
	TRY(round_read_assertions(round));
	if (!dry)
		TRY(store_open(round->arena, again->run->config.output, &round->store));
	TRY(read_old(again, number));
	TRY(make(again));
	return finish(again, dry);
}

static struct error *publish_again(struct run *run, uint64_t number)
{
	const struct regenerate_options options = {.full = true, .force = run_has(run, "force")};
	struct again again = {.run = run, .diff = {.run = run, .arena = arena_new(), .keeps = true}};
	struct error *error;

	again.round = round_begin(run, &options, NULL);
	error = go(&again, number, run_has(run, "dry-run"));
	db_rollback(run->db);
	diff_taken_free(&again.diff);
	arena_free(again.diff.arena);
	round_end(again.round);
	return error;
}

struct error *run_generation_publish(struct run *run)
{
	uint64_t number;

	TRY(generation_number(run->arguments[0], &number));
	TRY(run_connect(run));
	return publish_again(run, number);
}
