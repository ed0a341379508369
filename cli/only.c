/* generate --only: what was made for these machines, and everything else as it is published. */
#include <stdlib.h>

#include "generate.h"

struct names_list {
	struct str *items;
	size_t count, capacity;
};

/* The machines that were named, as option values or as arguments; sorted. */
static struct error *wanted_machines(struct run *run, const struct fleet *fleet, struct names_list *wanted)
{
	struct error *errors = NULL;

	for (size_t i = 0; i < run->option_count + run->argument_count; i++) {
		bool option = i < run->option_count;
		struct str name = option ? run->options[i].value : run->arguments[i - run->option_count];

		if (option && !str_is(str_of(run->options[i].option->name), "only"))
			continue;
		name = str_lower(run->arena, name);
		if (fleet_machine(fleet, name) == NULL)
			error_collect(&errors, unknown_machine(run->arena, fleet, name));
		APPEND(run->arena, wanted, name);
	}
	if (wanted->count > 0)
		qsort(wanted->items, wanted->count, sizeof *wanted->items, str_order);
	return errors;
}

static bool is_wanted(const struct names_list *wanted, struct str name)
{
	return bsearch(&name, wanted->items, wanted->count, sizeof name, str_order) != NULL;
}

/* Is the set file among those that one of the rulesets needs? sets.list is short; rulesets are few here. */
static bool is_needed(const struct output *output, struct str set)
{
	for (size_t i = 0; i < output->ruleset_count; i++) {
		struct str rest = output->rulesets[i]->sets_list, line;

		while (rest.n > 0 && str_cut(&rest, '\n', &line))
			if (str_eq(line, set))
				return true;
	}
	return false;
}

static bool has_ruleset(const struct output *output, const struct ruleset *ruleset)
{
	for (size_t i = 0; i < output->machine_count; i++)
		if (output->machines[i].ruleset == ruleset)
			return true;
	return false;
}

/* Takes out of the output what belongs to other machines alone. */
static void narrow(struct output *output, const struct names_list *wanted)
{
	size_t machines = 0, rulesets = 0, sets = 0;

	for (size_t i = 0; i < output->machine_count; i++)
		if (is_wanted(wanted, output->machines[i].machine->name))
			output->machines[machines++] = output->machines[i];
	output->machine_count = machines;
	for (size_t i = 0; i < output->ruleset_count; i++)
		if (has_ruleset(output, output->rulesets[i]))
			output->rulesets[rulesets++] = output->rulesets[i];
	output->ruleset_count = rulesets;
	for (size_t i = 0; i < output->set_count; i++)
		if (is_needed(output, output->sets[i].name))
			output->sets[sets++] = output->sets[i];
	output->set_count = sets;
}

/* Both lists in one, sorted by name; where both have a name, the fresh one counts. Names of `gone` are left out of the
 * old ones. */
static size_t merge(struct arena *arena, const struct entry *old, size_t old_count, const struct entry *fresh,
                    size_t fresh_count, const struct names_list *gone, struct entry **merged)
{
	struct entry *list = ARENA_ARRAY(arena, struct entry, old_count + fresh_count);
	size_t count = 0, i = 0, j = 0;

	while (i < old_count || j < fresh_count) {
		int order = i == old_count ? 1 : j == fresh_count ? -1 : str_cmp(old[i].name, fresh[j].name);

		if (order >= 0)
			list[count++] = fresh[j++];
		else if (gone == NULL || !is_wanted(gone, old[i].name))
			list[count++] = old[i];
		if (order <= 0)
			i++;
	}
	*merged = list;
	return count;
}

struct error *only_some(struct job *job)
{
	struct arena *arena = job->run->arena;
	struct names_list wanted = {0};
	struct generation fresh;

	TRY(wanted_machines(job->run, &job->fleet, &wanted));
	if (wanted.count == 0)
		return NULL;
	narrow(&job->output, &wanted);
	generation_of(arena, &job->output, &job->next.summary, &fresh);
	job->next.machine_count = merge(arena, job->published.manifest, job->published.machine_count, fresh.manifest,
	                                fresh.machine_count, &wanted, &job->next.manifest);
	job->next.set_count = merge(arena, job->published.sets, job->published.set_count, fresh.sets, fresh.set_count,
	                            NULL, &job->next.sets);
	generation_digest(arena, &job->next);
	return NULL;
}
