/* generate --only. Everything is rendered once to learn which objects the machines need, and a second time to take
 * those; what the others have stays as it is published, so the result is not what the inventory says as a whole, and
 * nothing is kept for the next run to go by. */
#include "only.h"

#include <stdlib.h>
#include <string.h>

struct names_list {
	struct str *items;
	size_t count, capacity;
};

/* Which sets a ruleset needs. */
struct needs {
	struct digest digest;
	struct str sets_list;
};

/* Of one worker: its own memory. */
struct finds {
	struct arena *arena;
	struct needs *items;
	size_t count, capacity;
};

struct only {
	struct round *round;
	struct names_list machines; /* sorted */
	struct digest *rulesets;    /* of these machines; sorted */
	size_t ruleset_count;
	struct names_list sets;     /* that these rulesets name; sorted */
	struct finds finds[PARALLEL_MOST];
};

static void sort_names(struct names_list *list)
{
	size_t kept = 0;

	if (list->count > 1)
		qsort(list->items, list->count, sizeof *list->items, str_order);
	for (size_t i = 0; i < list->count; i++)
		if (kept == 0 || !str_eq(list->items[kept - 1], list->items[i]))
			list->items[kept++] = list->items[i];
	list->count = kept;
}

static bool has_name(const struct names_list *list, struct str name)
{
	return list->count > 0 && bsearch(&name, list->items, list->count, sizeof name, str_order) != NULL;
}

const bool *only_machines(const struct only *only)
{
	const struct fleet *fleet = &only->round->fleet;
	bool *machines = ARENA_ARRAY(only->round->arena, bool, fleet->machine_count);

	for (size_t i = 0; i < fleet->machine_count; i++)
		machines[i] = has_name(&only->machines, fleet->machines[i].name);
	return machines;
}

struct error *only_wanted(struct round *round, struct only **only)
{
	struct run *run = round->run;
	struct only *made = ARENA_NEW(round->arena, struct only);
	const struct fleet *fleet = &round->fleet;
	bool *marked = ARENA_ARRAY(round->arena, bool, fleet->machine_count);
	struct error *errors = NULL;

	made->round = round;
	for (size_t i = 0; i < run->option_count; i++)
		if (str_is(str_of(run->options[i].option->name), "only"))
			error_collect(&errors, machines_match(run->arena, fleet, run->options[i].value, marked));
	for (size_t i = 0; i < run->argument_count; i++)
		error_collect(&errors, machines_match(run->arena, fleet, run->arguments[i], marked));
	for (size_t i = 0; i < fleet->machine_count; i++)
		if (marked[i])
			APPEND(round->arena, &made->machines, fleet->machines[i].name);
	*only = made->machines.count > 0 ? made : NULL;
	return errors;
}

/* --- what they need --- */

static bool is_needed(const struct only *only, const struct digest *ruleset)
{
	return digests_have(only->rulesets, only->ruleset_count, ruleset);
}

static struct error *pass_set(void *context, unsigned worker, const struct set_file *set)
{
	(void)context;
	(void)worker;
	(void)set;
	return NULL;
}

static struct error *find_sets(void *context, unsigned worker, const struct ruleset *ruleset)
{
	struct only *only = context;
	struct finds *finds = &only->finds[worker];
	struct needs needs = {ruleset->digest, str_copy(finds->arena, ruleset->sets_list)};

	APPEND(finds->arena, finds, needs);
	return NULL;
}

static void need_rulesets(struct only *only)
{
	const struct generation *all = &only->round->next;

	only->rulesets = ARENA_ARRAY(only->round->arena, struct digest, only->machines.count);
	for (size_t i = 0; i < all->machine_count; i++)
		if (has_name(&only->machines, all->manifest[i].name))
			only->rulesets[only->ruleset_count++] = all->manifest[i].digest;
	only->ruleset_count = digests_sort(only->rulesets, only->ruleset_count);
}

static void need_sets(struct only *only)
{
	struct arena *arena = only->round->arena;
	struct str line;

	for (size_t worker = 0; worker < PARALLEL_MOST; worker++)
		for (size_t i = 0; i < only->finds[worker].count; i++) {
			struct str rest = only->finds[worker].items[i].sets_list;

			if (!is_needed(only, &only->finds[worker].items[i].digest))
				continue;
			while (rest.n > 0 && str_cut(&rest, '\n', &line))
				APPEND(arena, &only->sets, str_copy(arena, line));
		}
	sort_names(&only->sets);
}

/* --- taking it --- */

static struct error *take_set(void *context, unsigned worker, const struct set_file *set)
{
	struct only *only = context;
	struct outlet outlet = round_outlet(only->round);

	return has_name(&only->sets, set->name) ? outlet.set(outlet.context, worker, set) : NULL;
}

static struct error *take_ruleset(void *context, unsigned worker, const struct ruleset *ruleset)
{
	struct only *only = context;
	struct outlet outlet = round_outlet(only->round);

	return is_needed(only, &ruleset->digest) ? outlet.ruleset(outlet.context, worker, ruleset) : NULL;
}

/* Both lists in one, sorted by name; of `fresh` those that are wanted, which replace what `old` says of them. */
static size_t merge(struct arena *arena, const struct entry *old, size_t old_count, const struct entry *fresh,
                    size_t fresh_count, const struct names_list *wanted, bool others_stay, struct entry **merged)
{
	struct entry *list = ARENA_ARRAY(arena, struct entry, old_count + fresh_count);
	size_t count = 0, i = 0, j = 0;

	while (i < old_count || j < fresh_count) {
		int order = i == old_count ? 1 : j == fresh_count ? -1 : str_cmp(old[i].name, fresh[j].name);
		bool is_wanted = has_name(wanted, order > 0 ? fresh[j].name : old[i].name);

		if (order >= 0 && is_wanted)
			list[count++] = fresh[j];
		else if (order <= 0 && (!is_wanted || others_stay))
			list[count++] = old[i];
		i += order <= 0;
		j += order >= 0;
	}
	*merged = list;
	return count;
}

/* A machine that is wanted and gets nothing any more loses what it had; a set stays, because others may name it. */
static void narrow(struct only *only)
{
	struct round *round = only->round;
	const struct generation *old = &round->published;
	struct generation *next = &round->next;

	next->machine_count = merge(round->last, old->manifest, old->machine_count, next->manifest, next->machine_count,
	                            &only->machines, false, &next->manifest);
	next->set_count = merge(round->last, old->sets, old->set_count, next->sets, next->set_count, &only->sets, true,
	                        &next->sets);
	generation_digest(round->arena, next);
}

struct error *only_make(struct round *round, struct only *only)
{
	struct outlet find = {only, pass_set, find_sets}, take = {only, take_set, take_ruleset};
	struct error *error;

	if (!round->readable)
		return error_hint(error_new(ERROR_SURROUNDINGS, "what the other machines have can't be read"),
		                  "fleetwall generate, without --only, makes everything anew");
	for (size_t i = 0; i < PARALLEL_MOST; i++)
		only->finds[i].arena = arena_new();
	error = round_make(round, &find);
	if (error == NULL) {
		need_rulesets(only);
		need_sets(only);
		error = round_make(round, &take);
	}
	for (size_t i = 0; i < PARALLEL_MOST; i++)
		arena_free(only->finds[i].arena);
	if (error == NULL)
		narrow(only);
	return error;
}

size_t only_rulesets(const struct only *only, struct digest **digests)
{
	*digests = only->rulesets;
	return only->ruleset_count;
}

size_t only_sets(const struct only *only, struct digest **digests)
{
	const struct generation *next = &only->round->next;
	size_t count = 0;

	*digests = ARENA_ARRAY(only->round->arena, struct digest, next->set_count);
	for (size_t i = 0; i < next->set_count; i++)
		if (has_name(&only->sets, next->sets[i].name))
			(*digests)[count++] = next->sets[i].digest;
	return digests_sort(*digests, count);
}

/* The others have what they had: were the counts those of the inventory now, a collapse that --force let pass for one
 * machine would be none for the run after it, which publishes it for all. */
void only_sum_up(struct round *round)
{
	struct summary *summary = &round->next.summary;
	int64_t clock = summary->clock;

	if (round->published.number == 0)
		return;
	*summary = round->published.summary;
	summary->clock = clock;
}
