/* An old generation once more. Where the inventory of then, with the settings of now, gives exactly its bytes, it is
 * made again with the rules that count now. Where it does not, its own bytes are taken, but only if no rule began or
 * ended to count since: a rule that has ended never comes back. */
#include "generation_again.h"

#include <stdlib.h>
#include <string.h>

/* --- the inventory as a generation saw it --- */

/* Empty: the database does not know it, or it was made before snapshots were kept. */
static struct error *snapshot_of(struct again *again, const struct generation *generation, struct str *snapshot)
{
	struct arena *arena = again->round->arena;
	struct str parameters[2] = {str_format(arena, "%llu", (unsigned long long)generation->number)};
	struct db_rows rows;
	char hex[65];

	digest_hex(&generation->digest, hex);
	parameters[1] = str_of(hex);
	TRY(db_query(arena, again->run->db, db_sql("generation-snapshot"), parameters, 2, &rows));
	*snapshot = rows.count > 0 && db_cell(&rows, 0, 0).p != NULL ? db_cell(&rows, 0, 0) : STR("");
	return NULL;
}

/* fleet->clock is the present one. What nothing changed since is loaded the short way. */
static struct error *load_seen(struct again *again, struct str snapshot, struct fleet *fleet)
{
	const struct before before = {.time = TIME_NONE, .snapshot = snapshot};
	struct arena *arena = again->round->arena;
	struct inventory_news news;

	TRY(inventory_news(arena, again->run->db, snapshot, &news));
	if (news.changed)
		return inventory_load_before(arena, again->run->db, &before, fleet);
	return inventory_load(arena, again->run->db, fleet);
}

static struct error *let_go_set(void *context, unsigned worker, const struct set_file *set)
{
	(void)context;
	(void)worker;
	(void)set;
	return NULL;
}

static struct error *let_go_ruleset(void *context, unsigned worker, const struct ruleset *ruleset)
{
	(void)context;
	(void)worker;
	(void)ruleset;
	return NULL;
}

/* Does the fleet, at the generation's clock, give the generation's bytes? The clock stays set. */
static struct error *gives(struct again *again, struct fleet *fleet, const struct generation *generation, bool *same)
{
	const struct outlet outlet = {NULL, let_go_set, let_go_ruleset};
	struct arena *scratch = arena_new();
	struct generation made;
	struct product product;
	struct error *error;

	fleet->clock = generation->summary.clock;
	error = produce(scratch, resolve(scratch, fleet), &again->round->rendition, NULL, &outlet, &product);
	if (error == NULL) {
		generation_of(scratch, &product, &generation->summary, &made);
		*same = generation_same(&made, generation);
	}
	arena_free(scratch);
	return error;
}

/* --- the bytes of then --- */

static struct error *not_again(const struct again *again, struct error *error)
{
	struct buf clock = buf_new(again->round->arena);

	time_print(&clock, again->old.summary.clock);
	return error_hint(error, "fleetwall export --at %.*s writes the inventory of then: import that, and generate",
	                  STR_ARG(buf_str(&clock)));
}

/* A rule of the inventory of then that began or ended to count since. */
static struct error *check_edges(struct again *again, int64_t now)
{
	struct fleet *fleet = &again->round->fleet;
	struct buf at = buf_new(again->round->arena);

	fleet->clock = again->old.summary.clock;
	int64_t edge = fleet_next_edge(fleet);

	fleet->clock = now;
	if (edge == TIME_NONE || edge > now)
		return NULL;
	time_print(&at, edge);
	return not_again(again,
	                 error_new(ERROR_GUARD,
	                           "generation %llu can't be published again: settings, templates or the program are "
	                           "others now, or --only made it, and since %.*s other rules of its inventory count",
	                           (unsigned long long)again->old.number, STR_ARG(buf_str(&at))));
}

/* What --only left as it was may be of an older inventory: the bytes themselves say when an allow rule ends. */
static bool has_ended(struct str rules, int64_t now)
{
	static const char key[] = " --datestop ";
	enum { TIME_LENGTH = 19 };
	const char *found = rules.p, *end = rules.p + rules.n;
	int64_t last;

	while ((found = memmem(found, (size_t)(end - found), key, sizeof key - 1)) != NULL) {
		struct str rest;

		found += sizeof key - 1;
		rest = (struct str){found, (size_t)(end - found)};
		if (!time_parse(str_slice(rest, 0, TIME_LENGTH), &last) || last < now)
			return true;
	}
	return false;
}

/* Which machine of the inventory of then has it; the first by name. */
static struct error *judge(struct again *again, const struct entry *entry)
{
	struct round *round = again->round;
	const struct machine *machine = fleet_machine(&round->fleet, entry->name);
	struct ruleset ruleset = {.digest = entry->digest, .example = machine, .machines = 1};

	if (machine == NULL || !machine_has_ruleset(machine))
		return not_again(again, error_new(ERROR_GUARD,
		                                  "generation %llu has a ruleset for %.*s, which its inventory has "
		                                  "none for: --only left it",
		                                  (unsigned long long)again->old.number, STR_ARG(entry->name)));
	TRY(store_read_ruleset(round->arena, round->run->config.output, &entry->digest, ruleset.rules,
	                       &ruleset.sets_list));
	if (has_ended(ruleset.rules[0], round->fleet.clock) || has_ended(ruleset.rules[1], round->fleet.clock))
		return not_again(again, error_new(ERROR_GUARD, "generation %llu has a rule that has ended, on %.*s",
		                                  (unsigned long long)again->old.number, STR_ARG(entry->name)));
	ruleset.mode = machine->enforcement == ENFORCEMENT_MONITOR ? MODE_COEXIST : machine->mode;
	ruleset.enforcement = machine->enforcement;
	ruleset.ssh_port = machine->ssh_port != 0 ? machine->ssh_port : round->run->config.settings.ssh_port;
	guards_ruleset(round->guards, 0, &ruleset);
	return NULL;
}

static int entry_order(const void *a, const void *b)
{
	const struct entry *const *left = a, *const *right = b;
	int order = digest_cmp(&(*left)->digest, &(*right)->digest);

	return order != 0 ? order : str_cmp((*left)->name, (*right)->name);
}

/* Each distinct ruleset, in the order of digests. */
static struct error *judge_all(struct again *again)
{
	const struct generation *old = &again->old;
	const struct entry **entries = ARENA_ARRAY(again->round->arena, const struct entry *, old->machine_count);

	for (size_t i = 0; i < old->machine_count; i++)
		entries[i] = &old->manifest[i];
	if (old->machine_count > 0)
		qsort(entries, old->machine_count, sizeof *entries, entry_order);
	for (size_t i = 0; i < old->machine_count; i++)
		if (i == 0 || !digest_eq(&entries[i - 1]->digest, &entries[i]->digest))
			TRY(judge(again, entries[i]));
	return NULL;
}

/* Every object is read: nobody looked at those of an old generation for long. */
static struct error *check_whole(struct again *again)
{
	const struct timespec never = {0};
	struct round *round = again->round;
	struct store_faults faults;
	struct digest *rulesets, *sets;
	size_t ruleset_count =
		entries_digests(round->arena, again->old.manifest, again->old.machine_count, &rulesets);
	size_t set_count = entries_digests(round->arena, again->old.sets, again->old.set_count, &sets);

	TRY(store_look(round->arena, round->run->config.output, &never, round->rendition.workers, rulesets,
	               ruleset_count, sets, set_count, &faults));
	if (faults.ruleset_count + faults.set_count == 0)
		return NULL;
	return not_again(again,
	                 error_new(ERROR_SURROUNDINGS,
	                           "generation %llu is damaged: %zu rulesets and %zu set files of it are gone, or "
	                           "are not what was written",
	                           (unsigned long long)again->old.number, faults.ruleset_count, faults.set_count));
}

static struct error *take_bytes(struct again *again, int64_t now)
{
	struct round *round = again->round;

	TRY(check_edges(again, now));
	TRY(check_whole(again));
	round->guards = guards_new(round->arena, &round->run->config.settings, round->rendition.workers);
	round->resolved = resolve(round->arena, &round->fleet);
	TRY(judge_all(again));
	round->next = again->old;
	round->next.number = 0;
	round->next.summary.clock = now;
	error_collect(
		&round->run->warnings,
		error_hint(error_new(ERROR_GUARD,
	                             "the inventory of generation %llu does not give its bytes any more: settings, "
	                             "templates or the program are others now, or --only made it",
	                             (unsigned long long)again->old.number),
	                   "its bytes are taken as they are"));
	return NULL;
}

/* --- making and comparing --- */

/* What is made goes where it is kept, and is at hand for the comparison. */
struct both {
	struct outlet keep, compare;
};

static struct error *give_set(void *context, unsigned worker, const struct set_file *set)
{
	const struct both *both = context;

	TRY(both->compare.set(both->compare.context, worker, set));
	return both->keep.set(both->keep.context, worker, set);
}

static struct error *give_ruleset(void *context, unsigned worker, const struct ruleset *ruleset)
{
	const struct both *both = context;

	TRY(both->compare.ruleset(both->compare.context, worker, ruleset));
	return both->keep.ruleset(both->keep.context, worker, ruleset);
}

struct error *again_make(struct again *again)
{
	struct round *round = again->round;
	struct both both = {round_outlet(round), {NULL, NULL, NULL}};
	const struct outlet outlet = {&both, give_set, give_ruleset};
	bool same = false;
	int64_t now;

	again->diff.generations[0] = round->published;
	both.compare = diff_outlet(&again->diff);
	TRY(snapshot_of(again, &again->old, &again->snapshot));
	if (again->snapshot.n == 0)
		return not_again(again, error_new(ERROR_GUARD,
		                                  "the database does not know which inventory generation %llu was made "
		                                  "from, so nobody can say which of its rules still count",
		                                  (unsigned long long)again->old.number));
	TRY(load_seen(again, again->snapshot, &round->fleet));
	now = round->fleet.clock;
	TRY(gives(again, &round->fleet, &again->old, &same));
	round->fleet.clock = now;
	return same ? round_make(round, &outlet) : take_bytes(again, now);
}

/* By the bytes of both, and with the names of now, as diff does. */
struct error *again_compare(struct again *again)
{
	struct fleet *fleet = ARENA_NEW(again->round->arena, struct fleet);
	struct diff *diff = &again->diff;

	TRY(inventory_load(again->round->arena, again->run->db, fleet));
	diff->fleet = fleet;
	diff->resolved = resolve(again->round->arena, fleet);
	diff->generations[1] = again->round->next;
	diff->sides[1] = str_format(again->run->arena, "generation %llu, made again",
	                            (unsigned long long)again->old.number);
	return diff_find(diff);
}
