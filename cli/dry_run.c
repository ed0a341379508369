/* generate --dry-run: what a run would change, and what it would mend: objects, links and lists that are not what was
 * published. Writes nothing to the output, but for --try-all, with which the kernel reads rulesets from the store: they
 * are put there, and taken back at the end. */
#include "dry_run.h"

#include "only.h"
#include "outcome.h"

struct dry {
	struct round *round;
	struct only *only;          /* NULL: all machines */
	struct store_faults faults; /* of what is published */
	struct link_faults links;
	size_t changes, mends;
};

/* --- what is not as it was published --- */

/* A run without a head compares every object with its bytes; so this reads them all. */
static struct error *look_at_objects(struct dry *dry)
{
	const struct timespec never = {0};
	struct round *round = dry->round;
	const struct generation *published = &round->published;
	struct digest *rulesets, *sets;
	size_t ruleset_count = entries_digests(round->arena, published->manifest, published->machine_count, &rulesets);
	size_t set_count = entries_digests(round->arena, published->sets, published->set_count, &sets);

	return store_look(round->arena, round->run->config.output, &never, round->rendition.workers, rulesets,
	                  ruleset_count, sets, set_count, &dry->faults);
}

/* Before anything is made: --try-all puts objects. */
static struct error *look(struct dry *dry)
{
	struct round *round = dry->round;

	if (round->published.number == 0 || !round->readable)
		return NULL;
	dry->faults = round->faults;
	if (!round->has_head)
		TRY(look_at_objects(dry));
	if (round->has_head && !round->faults.links)
		return NULL;
	return store_links_look(round->arena, round->run->config.output, &round->published, &dry->links);
}

/* --- saying it --- */

static void tell(struct dry *dry, char sign, const char *kind, struct str name, const char *more)
{
	struct run *run = dry->round->run;

	name = str_copy(run->arena, name);
	writer_row(run->writer, (struct cell[]){cell_text(str_copy(run->arena, (struct str){&sign, 1})),
	                                        cell_text(str_of(kind)), cell_text(name)});
	writer_say(run->writer, "%c %s %.*s%s", sign, kind, STR_ARG(name), more);
}

static void tell_changes(struct dry *dry, const char *kind, const struct entry *before, size_t before_count,
                         const struct entry *after, size_t after_count)
{
	struct difference *differences;
	size_t count =
		entries_compare(dry->round->arena, before, before_count, after, after_count, &differences);

	for (size_t i = 0; i < count; i++)
		tell(dry, differences[i].sign, kind, differences[i].name, "");
	dry->changes += count;
}

/* Only what is still needed is made again. */
static void tell_damage(struct dry *dry, const char *kind, const struct digest *damaged, size_t damaged_count,
                        const struct digest *needed, size_t needed_count)
{
	char hex[65];

	for (size_t i = 0; i < damaged_count; i++) {
		if (!digests_have(needed, needed_count, &damaged[i]))
			continue;
		digest_hex(&damaged[i], hex);
		tell(dry, '!', kind, (struct str){hex, 32}, " in the store is damaged or gone");
		dry->mends++;
	}
}

static void tell_objects(struct dry *dry)
{
	struct arena *arena = dry->round->arena;
	const struct generation *next = &dry->round->next;
	const struct store_faults *faults = &dry->faults;
	struct digest *rulesets, *sets;
	size_t ruleset_count = dry->only != NULL
	                               ? only_rulesets(dry->only, &rulesets)
	                               : entries_digests(arena, next->manifest, next->machine_count, &rulesets);
	size_t set_count = dry->only != NULL ? only_sets(dry->only, &sets)
	                                     : entries_digests(arena, next->sets, next->set_count, &sets);

	tell_damage(dry, "ruleset", faults->rulesets, faults->ruleset_count, rulesets, ruleset_count);
	tell_damage(dry, "set file", faults->sets, faults->set_count, sets, set_count);
}

static void tell_links(struct dry *dry)
{
	for (size_t i = 0; i < dry->links.count; i++)
		tell(dry, '!', "link", dry->links.names[i], " does not lead where it should");
	dry->mends += dry->links.count;
}

/* A warning says what is damaged, and that everything is made anew. */
static void tell_lists(struct dry *dry)
{
	struct round *round = dry->round;
	uint64_t current = store_current(round->run->config.output);

	if (round->readable)
		return;
	if (current > 0)
		tell(dry, '!', "generation", str_format(round->arena, "%llu", (unsigned long long)current),
		     " can't be read");
	else
		tell(dry, '!', "link", STR("current"), " leads nowhere");
	dry->mends++;
}

/* The same bytes under a number that the database does not know. */
static struct error *tell_unknown(struct dry *dry)
{
	struct round *round = dry->round;
	const struct generation *published = &round->published;
	bool is_published;

	TRY(round_is_published(round, &is_published));
	if (is_published || !round->readable || published->number == 0 || !generation_same(published, &round->next))
		return NULL;
	tell(dry, '!', "generation", str_format(round->arena, "%llu", (unsigned long long)published->number),
	     " is not known to the database");
	dry->mends++;
	return NULL;
}

static void sum_up(struct dry *dry)
{
	struct run *run = dry->round->run;
	unsigned long long number = dry->round->published.number;
	bool first = number == 0 && dry->round->readable;

	run->no = first || dry->changes + dry->mends > 0;
	if (first)
		writer_say(run->writer, "the first generation would be published: %zu %s", dry->changes,
		           outcome_changed(dry->changes));
	else if (dry->changes > 0 && dry->mends > 0)
		writer_say(run->writer, "%zu %s would change, and %zu thing%s would be mended", dry->changes,
		           outcome_changed(dry->changes), dry->mends, str_plural(dry->mends));
	else if (dry->changes > 0)
		writer_say(run->writer, "%zu %s would change", dry->changes, outcome_changed(dry->changes));
	else if (dry->mends > 0)
		writer_say(run->writer, "%zu thing%s would be mended", dry->mends, str_plural(dry->mends));
	else
		writer_say(run->writer, "nothing to do: generation %llu says this already", number);
	/* It is shown also where a guard would stop it. */
	writer_keep(run->writer);
}

static struct error *say(struct dry *dry)
{
	const struct generation *before = &dry->round->published, *after = &dry->round->next;

	tell_changes(dry, "set", before->sets, before->set_count, after->sets, after->set_count);
	tell_changes(dry, "machine", before->manifest, before->machine_count, after->manifest, after->machine_count);
	tell_objects(dry);
	tell_links(dry);
	tell_lists(dry);
	TRY(tell_unknown(dry));
	sum_up(dry);
	return NULL;
}

/* --- the stations --- */

static struct error *make(struct dry *dry)
{
	struct round *round = dry->round;
	struct outlet outlet = round_outlet(round);

	TRY(round_load(round));
	TRY(only_wanted(round, &dry->only));
	TRY(look(dry));
	return dry->only != NULL ? only_make(round, dry->only) : round_make(round, &outlet);
}

struct error *dry_run(struct round *round)
{
	static const char *const columns[] = {"sign", "kind", "name"};
	struct run *run = round->run;
	struct dry dry = {.round = round};

	writer_columns(run->writer, LAYOUT_SILENT, columns, 3);
	TRY(round_prepare(round));
	TRY(round_read_assertions(round));
	if (round->options->try_all)
		TRY(store_open(round->arena, run->config.output, &round->store));
	TRY(round_ask(round));
	if (!round_may_differ(round) && round_asserted(round)) {
		round->published.number = round->head.number;
		round->readable = true;
		sum_up(&dry);
		return NULL;
	}
	TRY(make(&dry));
	TRY(say(&dry));
	return round_guards(round);
}
