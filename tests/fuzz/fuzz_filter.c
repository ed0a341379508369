/* Any bytes as a filter table, or as what ipset restores: what is read holds together (jumps lead somewhere, numbers
 * are sorted, what it refers to lies inside of the text), what is refused says where and why, and reading again gives
 * the same. A text that begins with `create` or `add` is one of sets, a 6 before either is IPv6. */
#include <stdlib.h>
#include <string.h>

#include "fleetwall/arena.h"
#include "fleetwall/filter.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void demand(bool truth)
{
	if (!truth)
		abort();
}

static void demand_errors(const struct error *error)
{
	demand(error_count(error) <= 20);
	for (; error != NULL; error = error->next)
		demand(error->kind == ERROR_INPUT && error->message.n > 0 && str_is(error->place.file, "f"));
}

static bool inside(struct str part, struct str whole)
{
	return part.n == 0 || (part.p >= whole.p && part.p + part.n <= whole.p + whole.n);
}

static void check_match(enum family family, const struct match *match)
{
	demand(match->text.n > 0 && match->kind <= MATCH_CONDITION);
	demand(match->range_count <= 1);
	for (size_t i = 0; i < match->range_count; i++)
		demand(match->ranges[i].family == family && match->ranges[i].first <= match->ranges[i].last &&
		       match->ranges[i].last <= family_last(family));
	for (size_t i = 0; i < match->number_count; i++) {
		demand(match->numbers[i].first <= match->numbers[i].last && match->numbers[i].last <= UINT16_MAX);
		demand(i == 0 || match->numbers[i - 1].last < match->numbers[i].first);
	}
	demand(match->kind != MATCH_STATE || (match->mask != 0 && match->mask < 1u << STATE_COUNT));
	demand(match->kind != MATCH_CONDITION || match->mask == 0 || (match->value > 0 && match->value < 4));
	demand((match->kind != MATCH_IN && match->kind != MATCH_OUT) || (match->name.n > 0 && match->name.n <= 15));
}

static void check_rule(const struct filter *filter, struct str text, const struct filter_rule *rule, bool sound)
{
	demand(inside(rule->text, text) && rule->line > 0);
	for (size_t i = 0; i < rule->match_count; i++)
		check_match(filter->family, &rule->matches[i]);
	if (sound && (rule->target == TARGET_JUMP || rule->target == TARGET_GOTO)) {
		demand(rule->chain < filter->chain_count && !filter->chains[rule->chain].builtin);
		demand(str_eq(filter->chains[rule->chain].name, rule->target_text));
	}
	demand((rule->target == TARGET_NONE) == (rule->target_text.n == 0));
}

static size_t check_filter(struct arena *arena, enum family family, struct str text)
{
	struct filter *filter;
	struct error *error = filter_read(arena, family, STR("f"), text, NULL, &filter);
	size_t rules = 0;

	demand_errors(error);
	for (size_t i = 0; i < filter->chain_count; i++) {
		const struct filter_chain *chain = &filter->chains[i];

		demand(filter_chain(filter, chain->name) == chain);
		demand(chain->builtin == (chain->policy == TARGET_ACCEPT || chain->policy == TARGET_DROP));
		for (size_t k = 0; k < chain->rule_count; k++)
			check_rule(filter, text, &chain->rules[k], error == NULL);
		rules += chain->rule_count;
	}
	return rules + error_count(error);
}

static size_t check_sets(struct arena *arena, struct str text, bool exist)
{
	struct filter_text file = {STR("f"), text};
	struct filter_sets sets;
	struct error *error = filter_sets_read(arena, &file, 1, exist, &sets);
	size_t addresses = 0;

	demand_errors(error);
	for (size_t i = 0; i < sets.count; i++) {
		const struct filter_set *set = &sets.sets[i];

		demand(filter_set(&sets, set->name) == set && set->name.n <= 31 && set->type.n > 0);
		demand(set->addresses.family == set->family || !set->modelled);
		for (size_t k = 0; k < set->addresses.count; k++) {
			const struct range *range = &set->addresses.ranges[k];

			demand(range->family == set->family && range->first <= range->last);
			demand(k == 0 || range[-1].last + 1 < range->first);
		}
		addresses += set->addresses.count;
	}
	return addresses + error_count(error);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *arena = arena_new();
	char *copy = arena_raw(arena, size + 1);
	bool six = size > 0 && data[0] == '6';
	struct str text = {copy, size - six};

	memcpy(copy, data + six, size - six); /* so that a byte too many is noticed */
	if (str_starts(text, STR("create")) || str_starts(text, STR("add"))) {
		demand(check_sets(arena, text, true) == check_sets(arena, text, true));
		check_sets(arena, text, false);
	} else {
		enum family family = six ? FAMILY_6 : FAMILY_4;

		demand(check_filter(arena, family, text) == check_filter(arena, family, text));
	}
	arena_free(arena);
	error_forget_all();
	return 0;
}
