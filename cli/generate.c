/* generate: one round from the inventory to a published generation. What one would change is dry_run.c's. */
#include "dry_run.h"
#include "only.h"
#include "outcome.h"

static void answer(struct run *run, const struct regeneration *done)
{
	struct cell cells[OUTCOME_COLUMNS];

	outcome_cells(run->arena, done, cells);
	writer_columns(run->writer, LAYOUT_SILENT, outcome_names, OUTCOME_COLUMNS);
	writer_row(run->writer, cells);
	writer_say(run->writer, "%.*s", STR_ARG(outcome_line(run->arena, done)));
}

/* --- rounds with a way of their own --- */

/* Nothing of it is kept for the next run, which would take it for what the inventory says. */
static struct error *publish_some(struct round *round, struct regeneration *done)
{
	const struct generation *published = &round->published;
	bool is_published;

	round->mended = store_mended(round->store);
	if (published->number > 0)
		round->mended += store_restored(round->store, published);
	TRY(round_is_published(round, &is_published));
	if (is_published) {
		done->state = REGENERATED_UNCHANGED;
		round->next.number = published->number;
		return round_links(round, &round->next);
	}
	done->state = REGENERATED_PUBLISHED;
	done->changed = round_changes(round);
	TRY(cache_drop(round->store));
	return round_publish(round, 0);
}

static struct error *only_some(struct round *round, struct regeneration *done)
{
	struct only *only;

	TRY(round_prepare(round));
	TRY(round_read_assertions(round));
	TRY(store_open(round->arena, round->run->config.output, &round->store));
	TRY(round_ask(round));
	TRY(round_load(round));
	TRY(only_wanted(round, &only));
	TRY(only_make(round, only));
	TRY(round_guards(round));
	if (round->options->verify)
		TRY(round_prove_machines(round, only_machines(only)));
	only_sum_up(round);
	TRY(publish_some(round, done));
	round_tell_mended(round);
	done->number = round->next.number;
	done->digest = round->next.digest;
	done->machines = round->next.machine_count;
	done->rulesets = round->product.ruleset_count;
	done->sets = round->next.set_count;
	return NULL;
}

static struct error *special(struct run *run, const struct regenerate_options *options, struct regeneration *done)
{
	struct round *round = round_begin(run, options, NULL);
	bool dry = run_has(run, "dry-run");
	struct error *error = dry ? dry_run(round) : only_some(round, done);

	db_rollback(run->db);
	done->seconds = round_seconds(round);
	round_end(round);
	if (error == NULL && !dry)
		answer(run, done);
	return error;
}

struct error *run_generate(struct run *run)
{
	bool only = run_has(run, "only"), dry = run_has(run, "dry-run");
	struct regenerate_options options = {
		.full = run_has(run, "full") || only,
		.force = run_has(run, "force"),
		.try_all = run_has(run, "try-all"),
		.verify = run_has(run, "verify"),
	};
	struct regeneration done = {0};

	if (run->argument_count > 0 && !only)
		return error_hint(error_new(ERROR_USAGE, "generate makes the rulesets of all machines"),
		                  "fleetwall generate --only MACHINE…");
	if (dry && options.verify)
		return error_hint(error_new(ERROR_USAGE, "--dry-run writes nothing that could be read back and proved"),
		                  "fleetwall generate --verify publishes only what was proved");
	if (only || dry) {
		TRY(run_connect(run));
		return special(run, &options, &done);
	}
	TRY(regenerate(run, &options, NULL, &done));
	answer(run, &done);
	return NULL;
}
