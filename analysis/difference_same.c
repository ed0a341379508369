/* Do two rulesets do the same, however they are written? To every packet in each state, and every fragment, whatever
 * conditions say: let it through, refuse it with the same answer, and log it by the same words; and count it in the
 * same buckets. Comments, and the order in which that is written, make no difference. It says yes or no; in what they
 * differ is told elsewhere. */
#include "difference_parts.h"

/* One way into one family's rules, on both sides. */
struct same_way {
	struct comparison *comparison;
	const struct filter *filters[2];
	enum difference_way way;
	struct packets entering;
};

static struct outcomes run(const struct same_way *way, const struct filter *filter, size_t side)
{
	struct comparison *comparison = way->comparison;
	struct side_view seen = {.comparison = comparison, .after = side == 1};
	const struct filter_view view = {&comparison->known[side], sets_see, &seen};

	return filter_run(comparison->arena, filter, &view, comparison_chain(filter, way->way), way->entering);
}

static bool same_packets(struct comparison *comparison, struct packets a, struct packets b)
{
	if (packets_eq(a, b))
		return true;
	return packets_empty(sets_put(comparison, packets_or(packets_without(a, b), packets_without(b, a))));
}

static bool same_ends(const struct same_way *way)
{
	const struct outcomes a = run(way, way->filters[0], 0), b = run(way, way->filters[1], 1);
	const struct packets ends[][2] = {{a.accepted, b.accepted}, {a.dropped, b.dropped}, {a.reset, b.reset},
	                                  {a.rejected, b.rejected}, {a.returned, b.returned}};

	if (!packets_empty(a.unknown) || !packets_empty(b.unknown))
		return false;
	for (size_t i = 0; i < sizeof ends / sizeof *ends; i++)
		if (!same_packets(way->comparison, ends[i][0], ends[i][1]))
			return false;
	return true;
}

/* --- what is done on the way, logging and marking; and how is answered --- */

static bool has_words(const struct filter_rule *rule)
{
	return rule->target == TARGET_PASS || rule->target == TARGET_REJECT;
}

static struct filter *only_target(struct arena *arena, const struct filter *filter, struct str text)
{
	struct filter *copy = ARENA_NEW(arena, struct filter);

	*copy = *filter;
	copy->chains = ARENA_ARRAY(arena, struct filter_chain, filter->chain_count);
	for (size_t i = 0; i < filter->chain_count; i++) {
		struct filter_chain *chain = &copy->chains[i];

		*chain = filter->chains[i];
		chain->policy = TARGET_DROP;
		chain->rules = ARENA_ARRAY(arena, struct filter_rule, chain->rule_count);
		for (size_t k = 0; k < chain->rule_count; k++) {
			struct filter_rule *rule = &chain->rules[k];

			*rule = filter->chains[i].rules[k];
			if (has_words(rule) && str_eq(rule->target_text, text))
				rule->target = TARGET_ACCEPT;
			else if (rule->target == TARGET_ACCEPT)
				rule->target = TARGET_DROP;
		}
	}
	return copy;
}

/* Who comes to a target of these words. */
static bool same_target(const struct same_way *way, struct str text)
{
	struct arena *arena = way->comparison->arena;
	struct packets reach[2];

	for (size_t side = 0; side < 2; side++)
		reach[side] = run(way, only_target(arena, way->filters[side], text), side).accepted;
	return same_packets(way->comparison, reach[0], reach[1]);
}

static void add_targets(struct names *targets, const struct filter *filter)
{
	for (size_t i = 0; i < filter->chain_count; i++)
		for (size_t k = 0; k < filter->chains[i].rule_count; k++)
			if (has_words(&filter->chains[i].rules[k]))
				names_add(targets, filter->chains[i].rules[k].target_text);
}

static bool same_targets(const struct same_way *way)
{
	struct names *targets = names_new(way->comparison->arena);

	for (size_t side = 0; side < 2; side++)
		add_targets(targets, way->filters[side]);
	for (uint32_t i = 0; i < names_count(targets); i++)
		if (!same_target(way, names_get(targets, i)))
			return false;
	return true;
}

/* --- rates --- */

/* By the name and rate of a bucket: how many lines count in it, on both sides. */
struct buckets {
	struct arena *arena;
	struct names *names;
	struct bucket {
		uint32_t lines[2];
	} *items;
	size_t count, capacity;
};

static void count_rule(struct buckets *buckets, const struct filter_rule *rule, size_t side)
{
	for (size_t i = 0; i < rule->match_count; i++) {
		const struct match *match = &rule->matches[i];
		struct str name;
		uint32_t number;

		if (match->bucket.n == 0)
			continue;
		name = str_format(buckets->arena, "%.*s %.*s", STR_ARG(match->bucket), STR_ARG(match->text));
		number = names_add(buckets->names, name);
		if (number == buckets->count)
			APPEND(buckets->arena, buckets, (struct bucket){{0}});
		buckets->items[number].lines[side]++;
	}
}

/* A line that counts in another's bucket shares its rate with it. */
static bool same_buckets(struct arena *arena, const struct filter *filters[2])
{
	struct buckets buckets = {.arena = arena, .names = names_new(arena)};

	for (size_t side = 0; side < 2; side++)
		for (size_t i = 0; i < filters[side]->chain_count; i++)
			for (size_t k = 0; k < filters[side]->chains[i].rule_count; k++)
				count_rule(&buckets, &filters[side]->chains[i].rules[k], side);
	for (size_t i = 0; i < buckets.count; i++)
		if (buckets.items[i].lines[0] != buckets.items[i].lines[1])
			return false;
	return true;
}

/* --- all of it --- */

static bool same_way(struct comparison *comparison, enum family family, enum difference_way direction)
{
	size_t six = family == FAMILY_6, mark = packets_mark();
	const struct same_way way = {
		.comparison = comparison,
		.filters = {comparison->filters[0][six], comparison->filters[1][six]},
		.way = direction,
		.entering = packets_family(family),
	};
	const struct filter_chain *a = comparison_chain(way.filters[0], direction);
	const struct filter_chain *b = comparison_chain(way.filters[1], direction);
	bool same;

	if (a == NULL || b == NULL)
		return a == b;
	same = str_eq(a->name, b->name) && same_ends(&way) && same_targets(&way);
	packets_release(mark);
	return same;
}

struct error *difference_same(struct arena *scratch, struct difference *difference, const struct difference_pair *pair,
                              bool same[2])
{
	struct comparison comparison = {.arena = scratch, .difference = difference};

	sets_prepare(&comparison, pair);
	for (size_t six = 0; six < 2; six++)
		comparison.extracts[six] =
			(struct extract){.text = {pair->rules[0][six], pair->rules[1][six]}, .whole = true};
	TRY(comparison_read(&comparison));
	for (size_t six = 0; six < 2; six++) {
		enum family family = six == 1 ? FAMILY_6 : FAMILY_4;

		same[six] = same_buckets(
			scratch, (const struct filter *[2]){comparison.filters[0][six], comparison.filters[1][six]});
		for (enum difference_way way = DIFFERENCE_IN; same[six] && way <= DIFFERENCE_FORWARD; way++)
			same[six] = same_way(&comparison, family, way);
	}
	return comparison.error;
}
