/* generate: one round from the inventory to a published generation, or to the answer what it would change. */
#include <stdio.h>
#include <time.h>

#include "only.h"
#include "round.h"

/* --- answers --- */

static void answer(struct run *run, const struct regeneration *done)
{
	static const char *const columns[] = {"generation", "state", "digest", "machines",
	                                      "rulesets",   "sets",  "changed"};
	const char *state = done->state == REGENERATED_PUBLISHED ? "published" : "unchanged";
	char hex[65];

	digest_hex(&done->digest, hex);
	writer_columns(run->writer, LAYOUT_SILENT, columns, 7);
	writer_row(run->writer, (struct cell[]){
					cell_number((int64_t)done->number),
					cell_text(str_of(state)),
					cell_text(str_copy(run->arena, str_of(hex))),
					cell_number((int64_t)done->machines),
					cell_number((int64_t)done->rulesets),
					cell_number((int64_t)done->sets),
					cell_number((int64_t)done->changed),
				});
	writer_say(run->writer,
	           "generation %llu %s: %zu machines, %zu distinct rulesets, %zu set files; %zu machines and sets "
	           "changed (%.2f s)",
	           (unsigned long long)done->number, state, done->machines, done->rulesets, done->sets, done->changed,
	           done->seconds);
}

static size_t list_changes(struct round *round, const char *kind, const struct entry *before, size_t before_count,
                           const struct entry *after, size_t after_count)
{
	struct run *run = round->run;
	struct difference *differences;
	size_t count = entries_compare(run->arena, before, before_count, after, after_count, &differences);

	for (size_t i = 0; i < count; i++) {
		struct str name = str_copy(run->arena, differences[i].name);

		writer_row(run->writer,
		           (struct cell[]){cell_text(str_copy(run->arena, (struct str){&differences[i].sign, 1})),
		                           cell_text(str_of(kind)), cell_text(name)});
		writer_say(run->writer, "%c %s %.*s", differences[i].sign, kind, STR_ARG(name));
	}
	return count;
}

static size_t show_changes(struct round *round)
{
	const struct generation *before = &round->published, *after = &round->next;
	size_t count = list_changes(round, "set", before->sets, before->set_count, after->sets, after->set_count);

	return count + list_changes(round, "machine", before->manifest, before->machine_count, after->manifest,
	                            after->machine_count);
}

static void say_what_would(struct round *round, size_t count, uint64_t published)
{
	struct run *run = round->run;

	run->no = count > 0;
	if (count == 0)
		writer_say(run->writer, "nothing to do: generation %llu says this already",
		           (unsigned long long)published);
	else
		writer_say(run->writer, "%zu machines and sets would change", count);
	writer_keep(run->writer);
}

/* --- rounds with a way of their own --- */

static struct error *make(struct round *round, struct only **only)
{
	struct outlet outlet = round_outlet(round);

	TRY(round_load(round));
	TRY(only_wanted(round, only));
	return *only != NULL ? only_make(round, *only) : round_make(round, &outlet);
}

/* With --try-all the kernel reads rulesets from the store: they are put there, and taken back at the end. */
static struct error *dry_run(struct round *round)
{
	static const char *const columns[] = {"sign", "kind", "name"};
	struct run *run = round->run;
	struct only *only;

	writer_columns(run->writer, LAYOUT_SILENT, columns, 3);
	TRY(round_prepare(round));
	if (round->options->try_all)
		TRY(store_open(round->arena, run->config.output, &round->store));
	TRY(round_ask(round));
	if (!round_may_differ(round)) {
		say_what_would(round, 0, round->head.number);
		return NULL;
	}
	TRY(make(round, &only));
	/* What would change is shown also where a guard would stop it. */
	say_what_would(round, show_changes(round), round->published.number);
	return round_guards(round);
}

static struct error *only_some(struct round *round, struct regeneration *done)
{
	struct run *run = round->run;
	struct only *only;

	TRY(round_prepare(round));
	TRY(store_open(round->arena, run->config.output, &round->store));
	TRY(round_ask(round));
	TRY(make(round, &only));
	if (!round->readable)
		return error_hint(error_new(ERROR_SURROUNDINGS, "what the other machines have can't be read"),
		                  "fleetwall generate, without --only, makes everything anew");
	TRY(round_guards(round));
	only_sum_up(round);
	done->state = REGENERATED_UNCHANGED;
	if (round->readable && generation_same(&round->published, &round->next) && round->published.number > 0) {
		round->next.number = round->published.number;
		TRY(round_links(round, &round->next));
	} else {
		done->state = REGENERATED_PUBLISHED;
		done->changed = round_changes(round);
		TRY(cache_drop(round->store));
		TRY(round_publish(round, 0));
	}
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
	};
	struct regeneration done = {0};

	if (run->argument_count > 0 && !only)
		return error_hint(error_new(ERROR_USAGE, "generate makes the rulesets of all machines"),
		                  "fleetwall generate --only MACHINE…");
	TRY(run_connect(run));
	if (only || dry)
		return special(run, &options, &done);
	TRY(regenerate(run, &options, NULL, &done));
	answer(run, &done);
	return NULL;
}
