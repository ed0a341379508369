/* Do two rulesets do the same, however they are written? To every packet in each state, and every fragment, whatever
 * conditions say: let it through, refuse it with the same answer, and log it by the same words; and count and remember
 * it in the same places. Comments, and the order in which that is written, make no difference. It says yes or no; in
 * what they differ is told elsewhere. */
#include "difference_parts.h"

/* --- what lines do besides deciding: log, mark, answer in some words, count (rates), remember (recent) --- */

/* Each has a chain of its own in a copy of the filter, empty and behind the others, and a line that leads there before
 * each that does it: whoever it is done to has been there, and all else is as it was. */
struct deeds {
	struct arena *arena;
	struct names *names;
	struct deed {
		uint32_t lines[2]; /* that do it, on both sides; of an answer, which is given once, none */
	} *items;
	size_t count, capacity;
};

/* One line's: the number of the deed, and how many of its matches are asked before. */
struct doing {
	uint32_t deed;
	size_t matches;
	bool again; /* for a packet that comes to several such lines */
};

static uint32_t deed_of(struct deeds *deeds, struct str name)
{
	uint32_t number = names_add(deeds->names, name);

	if (number == deeds->count)
		APPEND(deeds->arena, deeds, (struct deed){{0}});
	return number;
}

static size_t find_doings(struct deeds *deeds, const struct filter_rule *rule, struct doing **doings)
{
	struct doing *list = ARENA_ARRAY(deeds->arena, struct doing, rule->match_count + 1);
	size_t count = 0;

	for (size_t i = 0; i < rule->match_count; i++) {
		const struct match *match = &rule->matches[i];
		struct str name;

		if (match->kind != MATCH_CONDITION || match->steady)
			continue;
		name = str_format(deeds->arena, "%.*s %.*s", STR_ARG(match->bucket), STR_ARG(match->text));
		list[count++] = (struct doing){deed_of(deeds, name), i, true};
	}
	if (rule->target == TARGET_PASS || rule->target == TARGET_REJECT)
		list[count++] = (struct doing){deed_of(deeds, rule->target_text), rule->match_count,
		                               rule->target == TARGET_PASS};
	*doings = list;
	return count;
}

static void find_deeds(struct deeds *deeds, const struct filter *filter, size_t side)
{
	for (size_t i = 0; i < filter->chain_count; i++)
		for (size_t k = 0; k < filter->chains[i].rule_count; k++) {
			struct doing *doings;
			size_t count = find_doings(deeds, &filter->chains[i].rules[k], &doings);

			for (size_t d = 0; d < count; d++)
				deeds->items[doings[d].deed].lines[side] += doings[d].again;
		}
}

/* What is done twice is not the same: a packet that counts twice leaves less of a rate, and one that is logged twice is
 * seen twice. */
static bool same_counts(const struct deeds *deeds)
{
	for (size_t i = 0; i < deeds->count; i++)
		if (deeds->items[i].lines[0] != deeds->items[i].lines[1])
			return false;
	return true;
}

static struct filter_chain told_chain(struct deeds *deeds, const struct filter_chain *chain, size_t first)
{
	struct filter_chain copy = *chain;
	struct {
		struct filter_rule *items;
		size_t count, capacity;
	} rules = {0};

	for (size_t i = 0; i < chain->rule_count; i++) {
		struct doing *doings;
		size_t count = find_doings(deeds, &chain->rules[i], &doings);

		for (size_t d = 0; d < count; d++) {
			struct filter_rule line = chain->rules[i];

			line.match_count = doings[d].matches;
			line.target = TARGET_JUMP;
			line.chain = (uint32_t)first + doings[d].deed;
			APPEND(deeds->arena, &rules, line);
		}
		APPEND(deeds->arena, &rules, chain->rules[i]);
	}
	copy.rules = rules.items;
	copy.rule_count = rules.count;
	return copy;
}

static struct filter *told_filter(struct deeds *deeds, const struct filter *filter)
{
	struct filter *copy = ARENA_NEW(deeds->arena, struct filter);

	*copy = *filter;
	copy->chain_count += deeds->count;
	copy->chains = ARENA_ARRAY(deeds->arena, struct filter_chain, copy->chain_count);
	for (size_t i = 0; i < copy->chain_count; i++)
		if (i < filter->chain_count)
			copy->chains[i] = told_chain(deeds, &filter->chains[i], filter->chain_count);
		else
			copy->chains[i].name = STR(" "); /* nobody finds it by name */
	return copy;
}

/* --- one family --- */

/* Its rules on both sides, as copied; the deeds' chains are the last ones. */
struct same_family {
	struct comparison *comparison;
	enum family family;
	const struct filter *filters[2];
	size_t deeds;
};

static struct outcomes run(const struct same_family *of, const struct filter_chain *chain, size_t side)
{
	struct comparison *comparison = of->comparison;
	struct side_view seen = {.comparison = comparison, .after = side == 1};
	const struct filter_view view = {&comparison->known[side], sets_see, &seen};

	return filter_run(comparison->arena, of->filters[side], &view, chain, packets_family(of->family));
}

static bool same_packets(struct comparison *comparison, struct packets a, struct packets b)
{
	if (packets_eq(a, b))
		return true;
	return packets_empty(sets_put(comparison, packets_or(packets_without(a, b), packets_without(b, a))));
}

static bool same_outcomes(const struct same_family *of, const struct outcomes *a, const struct outcomes *b)
{
	const struct packets ends[][2] = {{a->accepted, b->accepted}, {a->dropped, b->dropped}, {a->reset, b->reset},
	                                  {a->rejected, b->rejected}, {a->returned, b->returned}};
	const struct packets *done[2] = {a->reached + of->filters[0]->chain_count - of->deeds,
	                                 b->reached + of->filters[1]->chain_count - of->deeds};

	if (!packets_empty(a->unknown) || !packets_empty(b->unknown))
		return false;
	for (size_t i = 0; i < sizeof ends / sizeof *ends; i++)
		if (!same_packets(of->comparison, ends[i][0], ends[i][1]))
			return false;
	for (size_t i = 0; i < of->deeds; i++)
		if (!same_packets(of->comparison, done[0][i], done[1][i]))
			return false;
	return true;
}

static bool same_way(const struct same_family *of, enum difference_way way)
{
	const struct filter_chain *a = comparison_chain(of->filters[0], way);
	const struct filter_chain *b = comparison_chain(of->filters[1], way);
	struct outcomes outcomes[2];
	size_t mark = packets_mark();
	bool same;

	if (a == NULL || b == NULL || !str_eq(a->name, b->name))
		return a == b;
	outcomes[0] = run(of, a, 0);
	outcomes[1] = run(of, b, 1);
	same = same_outcomes(of, &outcomes[0], &outcomes[1]);
	packets_release(mark);
	return same;
}

static bool same_rules(struct comparison *comparison, enum family family)
{
	struct arena *arena = comparison->arena;
	struct deeds deeds = {.arena = arena, .names = names_new(arena)};
	struct same_family of = {.comparison = comparison, .family = family};
	bool same;

	for (size_t side = 0; side < 2; side++)
		find_deeds(&deeds, comparison->filters[side][family == FAMILY_6], side);
	same = same_counts(&deeds);
	of.deeds = deeds.count;
	for (size_t side = 0; side < 2; side++)
		of.filters[side] = told_filter(&deeds, comparison->filters[side][family == FAMILY_6]);
	for (enum difference_way way = DIFFERENCE_IN; same && way <= DIFFERENCE_FORWARD; way++)
		same = same_way(&of, way);
	return same;
}

/* --- all of it --- */

struct error *difference_same(struct arena *scratch, struct difference *difference, const struct difference_pair *pair,
                              bool same[2])
{
	struct comparison comparison = {.arena = scratch, .difference = difference};

	sets_prepare(&comparison, pair);
	for (size_t six = 0; six < 2; six++)
		comparison.extracts[six] =
			(struct extract){.text = {pair->rules[0][six], pair->rules[1][six]}, .whole = true};
	TRY(comparison_read(&comparison));
	for (size_t six = 0; six < 2; six++)
		same[six] = same_rules(&comparison, six == 1 ? FAMILY_6 : FAMILY_4);
	return comparison_bound(&comparison);
}
