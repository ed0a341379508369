/* See difference_fixture.h. Names and bytes come from rulesets_make(); nothing is written anywhere. */
#include "difference_fixture.h"

#include <check.h>

#include "fleetwall/error.h"

void difference_case_make(struct arena *arena, struct difference_case *change, const struct templates *templates)
{
	for (size_t i = 0; i < 2; i++) {
		change->resolved[i] = resolve(arena, &change->fleets[i]);
		ck_assert_ptr_null(rulesets_make(arena, change->resolved[i], &change->settings, templates,
		                                 &change->outputs[i]));
	}
}

static struct error *read_set(void *context, struct arena *arena, const struct digest *digest, struct str *bytes)
{
	const struct difference_case *change = context;

	(void)arena;
	for (size_t i = 0; i < 2; i++)
		for (size_t k = 0; k < change->outputs[i].set_count; k++)
			if (digest_eq(&change->outputs[i].sets[k].digest, digest)) {
				*bytes = change->outputs[i].sets[k].bytes;
				return NULL;
			}
	return error_new(ERROR_SURROUNDINGS, "no such set");
}

static const struct ruleset *ruleset_of(const struct output *output, struct str machine)
{
	for (size_t i = 0; i < output->machine_count; i++)
		if (str_eq(output->machines[i].machine->name, machine))
			return output->machines[i].ruleset;
	ck_abort_msg("no ruleset");
	return NULL;
}

static void fill_side(struct arena *arena, const struct output *output, struct str machine, size_t side,
                      struct difference_pair *pair)
{
	const struct ruleset *ruleset = ruleset_of(output, machine);
	struct str list = ruleset->sets_list, name;

	pair->rules[side][0] = ruleset->rules[0];
	pair->rules[side][1] = ruleset->rules[1];
	pair->sets[side] = ARENA_ARRAY(arena, struct entry, output->set_count);
	while (str_cut(&list, '\n', &name))
		for (size_t i = 0; i < output->set_count; i++) {
			struct entry entry = {output->sets[i].digest, name};

			if (str_eq(output->sets[i].name, name))
				pair->sets[side][pair->set_count[side]++] = entry;
		}
}

static void demand(struct error *error)
{
	ck_assert_msg(error == NULL, "%.*s: %.*s", error != NULL ? (int)error->message.n : 0,
	              error != NULL ? error->message.p : "", error != NULL ? (int)error->place.text.n : 0,
	              error != NULL ? error->place.text.p : "");
}

static struct difference_pair pair_of(struct arena *arena, const struct difference_case *change, struct str machine)
{
	struct difference_pair pair = {0};

	for (size_t i = 0; i < 2; i++)
		fill_side(arena, &change->outputs[i], machine, i, &pair);
	return pair;
}

size_t difference_of_machines(struct arena *arena, const struct difference_case *change, const struct str *machines,
                              size_t machine_count, struct difference_group **groups, bool *may_open)
{
	struct difference *difference = difference_new(arena, read_set, (void *)(uintptr_t)change);

	difference_careful(difference);
	for (size_t i = 0; i < machine_count; i++) {
		const struct difference_pair pair = pair_of(arena, change, machines[i]);

		demand(difference_add(arena, difference, &pair));
	}
	*may_open = difference_may_open(difference);
	return difference_groups(difference, groups);
}

size_t difference_of_machine(struct arena *arena, const struct difference_case *change, struct str machine,
                             struct difference_group **groups)
{
	bool may_open;

	return difference_of_machines(arena, change, &machine, 1, groups, &may_open);
}

bool difference_is_same(struct arena *arena, const struct difference_case *change, struct str machine)
{
	struct difference *difference = difference_new(arena, read_set, (void *)(uintptr_t)change);
	const struct difference_pair pair = pair_of(arena, change, machine);
	bool same[2];

	demand(difference_same(arena, difference, &pair, same));
	return same[0] && same[1];
}

static struct error *no_set(void *context, struct arena *arena, const struct digest *digest, struct str *bytes)
{
	(void)context;
	(void)arena;
	(void)digest;
	(void)bytes;
	return error_new(ERROR_SURROUNDINGS, "there are no sets");
}

struct str filter_table(struct arena *arena, const char *chains, const char *rules)
{
	return str_format(arena, "*filter\n:INPUT DROP [0:0]\n:FORWARD DROP [0:0]\n:OUTPUT ACCEPT [0:0]\n%s%sCOMMIT\n",
	                  chains, rules);
}

struct difference *difference_of_texts(struct arena *arena, struct str before, struct str after,
                                       struct difference_pair *pair)
{
	struct str none = filter_table(arena, "", "");

	*pair = (struct difference_pair){.rules = {{before, none}, {after, none}}};
	return difference_new(arena, no_set, NULL);
}

bool on_interface(struct str pattern, struct str name)
{
	if (pattern.n > 0 && pattern.p[pattern.n - 1] == '+')
		return str_starts(name, str_slice(pattern, 0, pattern.n - 1));
	return str_eq(pattern, name);
}
