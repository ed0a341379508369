/* Comparing pairs of rulesets, and bringing together what they have in common. It knows how our chains are called, and
 * nothing of how rulesets are rendered; all that it says comes from bytes that were read back. */
#include "difference_parts.h"

#include <stdlib.h>

#include "fleetwall/buf.h"

struct difference *difference_new(struct arena *arena, difference_read *read, void *context)
{
	struct difference *difference = ARENA_NEW(arena, struct difference);

	*difference = (struct difference){.arena = arena,
	                                  .read = read,
	                                  .context = context,
	                                  .line_names = names_new(arena),
	                                  .chains = names_new(arena),
	                                  .compared = names_new(arena),
	                                  .meetings = names_new(arena),
	                                  .answer_keys = names_new(arena),
	                                  .digests = names_new(arena),
	                                  .keys = names_new(arena)};
	return difference;
}

/* --- a pair --- */

/* A target that nobody knows lets through what it likes: the same on both sides. */
static struct packets unknown_passes(struct packets unknown)
{
	if (packets_empty(unknown))
		return unknown;
	return packets_and(unknown, packets_condition(STR("difference: an unknown target lets it through")));
}

/* Do rules of this way ask sets for the peer alone? */
static bool asks_peers(const struct filter *filter, const struct filter_chain *chain, enum difference_way way)
{
	for (size_t i = 0; i < filter->chain_count; i++)
		for (size_t k = 0; k < filter->chains[i].rule_count; k++) {
			const struct filter_rule *rule = &filter->chains[i].rules[k];

			if (&filter->chains[i] != chain && comparison_chain(filter, DIFFERENCE_IN) != NULL &&
			    (&filter->chains[i] == comparison_chain(filter, DIFFERENCE_IN) ||
			     &filter->chains[i] == comparison_chain(filter, DIFFERENCE_OUT)))
				break;
			for (size_t m = 0; m < rule->match_count; m++)
				if (rule->matches[m].kind == MATCH_SET &&
				    !str_is(rule->matches[m].dimensions, way == DIFFERENCE_OUT ? "dst" : "src"))
					return false;
		}
	return true;
}

/* The chain on the side that has one. */
static const struct filter_chain *some_chain(const struct comparison *comparison, enum family family,
                                             enum difference_way way)
{
	const struct filter_chain *chain =
		comparison_chain(comparison->filters[0][family == FAMILY_6], way);

	return chain != NULL ? chain : comparison_chain(comparison->filters[1][family == FAMILY_6], way);
}

/* The peers that are concerned, where rules ask sets for nothing else; NULL: anybody may be. */
static const struct addr_set *concerned_peers(struct comparison *comparison, enum family family,
                                              enum difference_way way)
{
	const struct filter_chain *chain = some_chain(comparison, family, way);

	for (size_t side = 0; side < 2; side++) {
		const struct filter *filter = comparison->filters[side][family == FAMILY_6];
		const struct filter_chain *of = comparison_chain(filter, way);

		if (way == DIFFERENCE_FORWARD || (of != NULL && !asks_peers(filter, of, way)))
			return NULL;
	}
	if (comparison->same_rules)
		return &comparison->moved[family == FAMILY_6];
	return chain == NULL ? NULL : extract_peers(comparison, family, chain->name, way == DIFFERENCE_OUT);
}

/* What is looked at: all that can differ. */
static struct packets entering_of(struct comparison *comparison, enum family family, enum difference_way way,
                                  const struct addr_set *peers)
{
	const struct filter_chain *chain = some_chain(comparison, family, way);
	struct packets entering = packets_and(packets_family(family), packets_number(FIELD_FRAGMENT, 0));

	if (chain != NULL)
		entering = packets_and(entering, extract_packets(comparison, family, chain->name));
	if (peers == NULL)
		return entering;
	return packets_and(entering,
	                   packets_addresses(way == DIFFERENCE_OUT ? FIELD_DESTINATION : FIELD_SOURCE, peers));
}

/* What goes back to others' chains is let through, as far as we are concerned; and where we have no chain, all is. For
 * each answer of conditions by itself. */
static struct packets passed(struct comparison *comparison, const struct passing *passing,
                             const struct addr_set *peers, bool after)
{
	const struct filter *filter = comparison->filters[after][passing->family == FAMILY_6];
	const struct filter_chain *chain = comparison_chain(filter, passing->way);
	struct side_view side = {.comparison = comparison, .after = after, .moved = peers};
	const struct filter_view view = {&comparison->known[after], sets_see, &side};
	struct outcomes outcomes;

	if (chain == NULL || packets_empty(passing->entering))
		return passing->entering;
	outcomes = filter_run(comparison->arena, filter, &view, chain, passing->entering);
	return packets_or(packets_or(outcomes.accepted, outcomes.returned), unknown_passes(outcomes.unknown));
}

void difference_careful(struct difference *difference)
{
	difference->careful = true;
}

bool difference_may_open(const struct difference *difference)
{
	return difference->may_open;
}

static void look_carefully(struct comparison *comparison, const struct passing *passing)
{
	struct difference *difference = comparison->difference;
	struct packets more;

	if (!difference->careful || difference->may_open)
		return;
	more = packets_without(passing->after, passing->before);
	difference->may_open = !packets_empty(more) && !packets_empty(sets_put(comparison, more));
}

static void compare_way(struct comparison *comparison, enum family family, enum difference_way way)
{
	const struct addr_set *peers = concerned_peers(comparison, family, way);
	struct passing passing = {
		.family = family,
		.way = way,
		.entering = entering_of(comparison, family, way, peers),
	};

	passing.before = passed(comparison, &passing, peers, false);
	passing.after = passed(comparison, &passing, peers, true);
	look_carefully(comparison, &passing);
	passing.before = sets_favour(comparison, passing.before);
	passing.after = sets_favour(comparison, passing.after);
	if (comparison->error == NULL)
		groups_find(comparison, &passing);
}

struct error *comparison_bound(const struct comparison *comparison)
{
	if (comparison->error != NULL || !packets_spent())
		return comparison->error;
	return error_new(ERROR_INPUT, "to find out what the rules do takes more steps than there may be");
}

struct error *comparison_read(struct comparison *comparison)
{
	static const struct str files[2] = {{"rules.v4", 8}, {"rules.v6", 8}};

	for (size_t after = 0; after < 2; after++)
		for (size_t six = 0; six < 2; six++)
			TRY(filter_read(comparison->arena, six == 1 ? FAMILY_6 : FAMILY_4, files[six],
			                comparison->extracts[six].text[after], &comparison->known[after],
			                &comparison->filters[after][six]));
	return NULL;
}

/* --- groups of several pairs --- */

static void print_peers(struct buf *buf, const struct difference_group *group)
{
	unsigned char bytes[2][16];

	for (size_t i = 0; i < 2; i++) {
		const struct addr_set *set = &group->peers[i];
		size_t size = family_width(set->family) / 8;

		buf_format(buf, "|%d", group->any[i]);
		for (size_t k = 0; k < set->count; k++) {
			addr_to_bytes((struct addr){set->ranges[k].first, set->family}, bytes[0]);
			addr_to_bytes((struct addr){set->ranges[k].last, set->family}, bytes[1]);
			buf_add(buf, (struct str){(const char *)bytes[0], size});
			buf_add(buf, (struct str){(const char *)bytes[1], size});
		}
	}
}

/* What makes two groups one. */
static struct str key_of(struct arena *arena, const struct difference_group *group, bool peers)
{
	struct buf buf = buf_new(arena);
	const struct str words[] = {group->what, group->on, group->rule, group->set, group->example};

	buf_format(&buf, "%d|%d|%d|%d", group->change, group->way, group->aside, group->cause);
	for (size_t i = 0; i < sizeof words / sizeof *words; i++)
		buf_format(&buf, "|%.*s", STR_ARG(words[i]));
	if (peers)
		print_peers(&buf, group);
	return buf_str(&buf);
}

/* The same of both families is one. Groups of IPv4 come first in each way. */
static void join_families(struct comparison *comparison)
{
	struct names *keys = names_new(comparison->arena);
	struct group_list *list = &comparison->groups;
	size_t *places = ARENA_ARRAY(comparison->arena, size_t, list->count), kept = 0;

	for (size_t i = 0; i < list->count; i++) {
		struct difference_group *group = &list->items[i], *like;
		uint32_t before = names_count(keys);
		uint32_t number = names_add(keys, key_of(comparison->arena, group, false));

		like = number < before ? &list->items[places[number]] : NULL;
		if (like != NULL && like->peers[1].count == 0 && group->peers[1].count > 0) {
			like->peers[1] = group->peers[1];
			like->any[1] = group->any[1];
			continue;
		}
		places[number] = kept;
		list->items[kept++] = *group;
	}
	list->count = kept;
}

static struct addr_set copy_set(struct arena *arena, const struct addr_set *set)
{
	return addr_set_of(arena, set->family, set->ranges, set->count);
}

static struct numbers *copy_numbers(struct arena *arena, const struct numbers *numbers, size_t count)
{
	struct numbers *copy = ARENA_ARRAY(arena, struct numbers, count);

	for (size_t i = 0; i < count; i++)
		copy[i] = numbers[i];
	return copy;
}

static struct difference_group *keep_group(struct difference *difference, const struct difference_group *group)
{
	struct arena *arena = difference->arena;
	struct difference_group kept = *group;

	kept.what = str_copy(arena, group->what);
	kept.protocols = copy_numbers(arena, group->protocols, group->protocol_count);
	kept.ports = copy_numbers(arena, group->ports, group->port_count);
	kept.on = str_copy(arena, group->on);
	kept.example = str_copy(arena, group->example);
	kept.rule = str_copy(arena, group->rule);
	kept.set = str_copy(arena, group->set);
	for (size_t i = 0; i < 2; i++)
		kept.peers[i] = copy_set(arena, &group->peers[i]);
	APPEND(arena, &difference->groups, kept);
	return &difference->groups.items[difference->groups.count - 1];
}

static void add_pair(struct arena *arena, struct difference_group *group, uint32_t pair)
{
	size_t capacity = 1;

	if (group->pair_count > 0 && group->pairs[group->pair_count - 1] == pair)
		return;
	while (capacity < group->pair_count)
		capacity *= 2;
	if (group->pair_count == 0)
		capacity = 0;
	group->pairs = arena_grow(arena, group->pairs, group->pair_count, &capacity, sizeof *group->pairs,
	                          _Alignof(uint32_t));
	group->pairs[group->pair_count++] = pair;
}

static uint32_t merge_group(struct comparison *comparison, const struct difference_group *group)
{
	struct difference *difference = comparison->difference;
	uint32_t number = names_add(difference->keys, key_of(comparison->arena, group, true));
	struct difference_group *kept = number < difference->groups.count ? &difference->groups.items[number]
	                                                                  : keep_group(difference, group);

	add_pair(difference->arena, kept, difference->pairs);
	return number;
}

static void tell_nothing(struct comparison *comparison)
{
	struct difference_group group = {.change = DIFFERENCE_OTHER,
	                                 .what = cause_of_nothing(comparison),
	                                 .peers = {{.family = FAMILY_4}, {.family = FAMILY_6}}};

	APPEND(comparison->arena, &comparison->groups, group);
}

static void finish_pair(struct comparison *comparison, struct answer *answer)
{
	if (comparison->groups.count == 0)
		tell_nothing(comparison);
	join_families(comparison);
	for (size_t i = 0; i < comparison->groups.count; i++) {
		uint32_t number = merge_group(comparison, &comparison->groups.items[i]);

		answer->groups = arena_grow(comparison->difference->arena, answer->groups, answer->count,
		                            &answer->capacity, sizeof number, _Alignof(uint32_t));
		answer->groups[answer->count++] = number;
	}
}

static bool same_rules(const struct comparison *comparison)
{
	for (size_t six = 0; six < 2; six++)
		if (!str_eq(comparison->extracts[six].text[0], comparison->extracts[six].text[1]))
			return false;
	return true;
}

static struct error *compare(struct comparison *comparison, struct answer *answer)
{
	size_t mark;

	TRY(comparison_read(comparison));
	comparison->same_rules = same_rules(comparison) && sets_moved(comparison);
	mark = packets_mark();
	for (enum difference_way way = DIFFERENCE_IN; way <= DIFFERENCE_FORWARD; way++) {
		compare_way(comparison, FAMILY_4, way);
		compare_way(comparison, FAMILY_6, way);
	}
	packets_release(mark);
	TRY(comparison_bound(comparison));
	finish_pair(comparison, answer);
	return NULL;
}

/* The same lines in the same surroundings were compared before. */
static bool answered(struct difference *difference, struct str key)
{
	uint32_t number = key.n > 0 ? names_find(difference->answer_keys, key) : NAMES_NONE;
	const struct answer *answer = number != NAMES_NONE ? &difference->answers.items[number] : NULL;

	for (size_t i = 0; answer != NULL && i < answer->count; i++)
		add_pair(difference->arena, &difference->groups.items[answer->groups[i]], difference->pairs);
	return answer != NULL;
}

struct error *difference_add(struct arena *scratch, struct difference *difference, const struct difference_pair *pair)
{
	struct comparison comparison = {.arena = scratch, .difference = difference};
	struct answer answer = {0};
	struct str key;

	sets_prepare(&comparison, pair);
	extract_lines(&comparison, pair);
	key = extract_key(&comparison);
	if (!answered(difference, key)) {
		TRY(compare(&comparison, &answer));
		if (key.n > 0) {
			names_add(difference->answer_keys, key);
			APPEND(difference->arena, &difference->answers, answer);
		}
	}
	difference->pairs++;
	return NULL;
}

/* --- all of them --- */

static int group_order(const void *a, const void *b)
{
	const struct difference_group *x = a, *y = b;
	int order = (int)x->change - (int)y->change;

	if (order == 0)
		order = (int)x->way - (int)y->way;
	if (order == 0)
		order = (x->pair_count < y->pair_count) - (x->pair_count > y->pair_count);
	if (order == 0)
		order = str_cmp(x->what, y->what);
	if (order == 0)
		order = str_cmp(x->on, y->on);
	if (order == 0)
		order = str_cmp(x->rule, y->rule);
	for (size_t i = 0; order == 0 && i < 2; i++) {
		order = (x->peers[i].count > 0) - (y->peers[i].count > 0);
		if (order == 0 && x->peers[i].count > 0)
			order = range_cmp(x->peers[i].ranges[0], y->peers[i].ranges[0]);
	}
	return order != 0 ? order : x->pairs[0] < y->pairs[0] ? -1 : x->pairs[0] > y->pairs[0];
}

size_t difference_groups(struct difference *difference, struct difference_group **groups)
{
	if (difference->groups.count > 0)
		qsort(difference->groups.items, difference->groups.count, sizeof *difference->groups.items,
		      group_order);
	*groups = difference->groups.items;
	return difference->groups.count;
}
