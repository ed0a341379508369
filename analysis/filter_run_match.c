/* What a rule of a filter matches, as a set of packets: each of its matches as the kernel takes it. It decides nothing
 * of what becomes of them. What is no part of a packet is a condition. */
#include <stdlib.h>

#include "filter_run.h"
#include "fleetwall/arena.h"
#include "fleetwall/names.h"

/* --- the names of conditions that need not answer twice alike --- */

struct occurrence {
	unsigned line;
	size_t order; /* in the model, for several of a line */
	struct str text;
	struct str *name;
};

struct occurrences {
	struct occurrence *items;
	size_t count, capacity;
};

static int occurrence_order(const void *a, const void *b)
{
	const struct occurrence *x = a, *y = b;

	if (x->line != y->line)
		return x->line < y->line ? -1 : 1;
	return (x->order > y->order) - (x->order < y->order);
}

static void note_rule(struct arena *arena, const struct filter_rule *rule, struct rule_set *set,
                      struct occurrences *occurrences)
{
	for (size_t i = 0; i < rule->match_count; i++) {
		const struct match *match = &rule->matches[i];
		struct occurrence occurrence = {rule->line, occurrences->count, match->text, NULL};

		if (match->kind != MATCH_CONDITION || match->steady)
			continue;
		if (set->names == NULL)
			set->names = ARENA_ARRAY(arena, struct str, rule->match_count);
		occurrence.name = &set->names[i];
		APPEND(arena, occurrences, occurrence);
	}
}

/* The first of a text has the text for its name, the second "TEXT #2": each line that says it counts by itself. */
static void name_occurrences(struct arena *arena, struct occurrences *occurrences)
{
	struct names *texts = names_new(arena);
	uint32_t *counts = ARENA_ARRAY(arena, uint32_t, occurrences->count);

	if (occurrences->count > 0)
		qsort(occurrences->items, occurrences->count, sizeof *occurrences->items, occurrence_order);
	for (size_t i = 0; i < occurrences->count; i++) {
		struct occurrence *occurrence = &occurrences->items[i];
		uint32_t number = ++counts[names_keep(texts, occurrence->text)];

		*occurrence->name = number == 1 ? occurrence->text
		                                : str_format(arena, "%.*s #%u", STR_ARG(occurrence->text), number);
	}
}

struct run_rules run_rules_new(struct arena *arena, const struct filter *filter, const struct filter_view *view)
{
	struct run_rules rules = {.filter = filter,
	                          .view = view,
	                          .sets = ARENA_ARRAY(arena, struct rule_set *, filter->chain_count)};
	struct occurrences occurrences = {0};

	for (size_t i = 0; i < filter->chain_count; i++) {
		const struct filter_chain *chain = &filter->chains[i];

		rules.sets[i] = ARENA_ARRAY(arena, struct rule_set, chain->rule_count);
		for (size_t k = 0; k < chain->rule_count; k++)
			note_rule(arena, &chain->rules[k], &rules.sets[i][k], &occurrences);
	}
	if (occurrences.count > 0)
		name_occurrences(arena, &occurrences);
	for (unsigned i = 0; i < 2 && view->sets != NULL; i++)
		rules.addresses[i] = ARENA_ARRAY(arena, struct packets, view->sets->count);
	return rules;
}

/* --- one match --- */

static struct packets numbers_of(const struct match *match, enum packet_field field)
{
	struct packets set = packets_none();

	for (size_t i = 0; i < match->number_count; i++)
		set = packets_or(set, packets_numbers(field, match->numbers[i].first, match->numbers[i].last));
	return set;
}

static struct packets ranges_of(const struct match *match, enum packet_field field)
{
	struct packets set = packets_none();

	for (size_t i = 0; i < match->range_count; i++)
		set = packets_or(set, packets_range(field, match->ranges[i]));
	return set;
}

/* The headers of IPv6 that stand before the protocol are looked behind: routing, fragment, destination options. */
static struct packets protocol_of(const struct match *match, enum family family)
{
	static const unsigned passed[] = {43, 44, 60};
	struct packets set = numbers_of(match, FIELD_PROTOCOL);

	for (size_t i = 0; family == FAMILY_6 && i < sizeof passed / sizeof *passed; i++)
		set = packets_without(set, packets_number(FIELD_PROTOCOL, passed[i]));
	return set;
}

/* Type 255 is any for IPv4, and a type for IPv6. */
static struct packets icmp_of(const struct match *match, enum family family)
{
	for (size_t i = 0; i < match->number_count; i++)
		if (family == FAMILY_4 && match->numbers[i].first >> 8 == 255)
			return packets_all();
	return numbers_of(match, FIELD_PORT);
}

static struct packets states_of(const struct match *match)
{
	struct packets set = packets_none();

	for (enum packet_state state = 0; state < STATE_COUNT; state++)
		if (match->mask >> state & 1)
			set = packets_or(set, packets_state(state));
	return set;
}

/* "ESTABLISHED,DNAT": the condition is what a line has that asks for DNAT alone. */
static struct packets state_or_translated(const struct match *match)
{
	static const char *const names[] = {"ctstate SNAT", "ctstate DNAT", "ctstate SNAT,DNAT"};

	return packets_or(states_of(match), packets_condition(str_of(names[match->value - 1])));
}

/* Thousands of rules may name a set of thousands. */
static struct packets addresses_of(const struct run_rules *rules, const struct filter_set *set, enum packet_field field)
{
	struct packets *known = &rules->addresses[field == FIELD_DESTINATION][set - rules->view->sets->sets];

	if (packets_empty(*known))
		packets_hold(known, packets_addresses(field, &set->addresses));
	return *known;
}

/* A set of addresses looks at the first of its dimensions alone. */
static struct packets set_of(const struct match *match, const struct run_rules *rules)
{
	const struct filter_view *view = rules->view;
	enum packet_field field = str_starts(match->dimensions, STR("dst")) ? FIELD_DESTINATION : FIELD_SOURCE;
	const struct filter_set *set = view->sets == NULL ? NULL : filter_set(view->sets, match->name);

	if (set == NULL || !set->modelled)
		return packets_condition(match->text);
	return view->seen != NULL ? view->seen(view->context, set, field) : addresses_of(rules, set, field);
}

/* What needs the header of the transport is nothing of a later fragment, and there `!` makes no difference. */
static bool needs_header(enum match_kind kind)
{
	return kind == MATCH_PORTS || kind == MATCH_SOURCE_PORTS || kind == MATCH_EITHER_PORTS || kind == MATCH_ICMP ||
	       kind == MATCH_TCP_FLAGS;
}

static struct packets plain_match(const struct run_rules *rules, const struct match *match, struct str name)
{
	switch (match->kind) {
	case MATCH_PROTOCOL:
		return protocol_of(match, rules->filter->family);
	case MATCH_SOURCE:
	case MATCH_RANGE_SOURCE:
		return ranges_of(match, FIELD_SOURCE);
	case MATCH_DESTINATION:
	case MATCH_RANGE_DESTINATION:
		return ranges_of(match, FIELD_DESTINATION);
	case MATCH_IN:
		return packets_interface(FIELD_IN, match->name);
	case MATCH_OUT:
		return packets_interface(FIELD_OUT, match->name);
	case MATCH_FRAGMENT:
		return packets_number(FIELD_FRAGMENT, 1);
	case MATCH_PORTS:
		return numbers_of(match, FIELD_PORT);
	case MATCH_SOURCE_PORTS:
		return numbers_of(match, FIELD_SOURCE_PORT);
	case MATCH_EITHER_PORTS:
		return packets_or(numbers_of(match, FIELD_PORT), numbers_of(match, FIELD_SOURCE_PORT));
	case MATCH_ICMP:
		return icmp_of(match, rules->filter->family);
	case MATCH_TCP_FLAGS:
		return packets_bits(FIELD_FLAGS, match->mask, match->value);
	case MATCH_STATE:
		return states_of(match);
	case MATCH_SET:
		return set_of(match, rules);
	case MATCH_CONDITION:
		return match->mask == 0 ? packets_condition(name) : state_or_translated(match);
	case MATCH_ADDRTYPE_LOCAL:
		break;
	}
	return packets_condition(name);
}

static struct packets match_of(const struct run_rules *rules, const struct match *match, struct str name)
{
	struct packets set = plain_match(rules, match, name);

	if (match->negated)
		set = packets_not(set);
	return needs_header(match->kind) ? packets_and(set, packets_number(FIELD_FRAGMENT, 0)) : set;
}

/* --- two inverted ports ---
 *
 * iptables-nft (1.8.9) puts `! --sport 22 ! --dport 22` of TCP and UDP, one port each, into one comparison: what it
 * loads matches but for the packets that have both. The legacy backend, and the words, leave out those that have
 * either. Which it is stands in no text: for the packets between, a condition. */

static bool is_one_inverted(const struct match *match, enum match_kind kind, struct str option)
{
	return match->kind == kind && match->negated && match->number_count == 1 && match->numbers[0].first > 0 &&
	       match->numbers[0].first == match->numbers[0].last && str_starts(match->text, option);
}

static const struct match *inverted_port(const struct filter_rule *rule, enum match_kind kind, struct str option)
{
	for (size_t i = 0; i < rule->match_count; i++)
		if (is_one_inverted(&rule->matches[i], kind, option))
			return &rule->matches[i];
	return NULL;
}

static bool is_tcp_or_udp(const struct filter_rule *rule)
{
	for (size_t i = 0; i < rule->match_count; i++) {
		const struct match *match = &rule->matches[i];

		if (match->kind == MATCH_PROTOCOL && !match->negated && match->number_count == 1)
			return match->numbers[0].first == 6 || match->numbers[0].first == 17;
	}
	return false;
}

/* Packets that such a pair lets through as one comparison alone; none, where there is no pair. */
static struct packets either_port(const struct filter_rule *rule)
{
	const struct match *source = inverted_port(rule, MATCH_SOURCE_PORTS, STR("sport "));
	const struct match *destination = inverted_port(rule, MATCH_PORTS, STR("dport "));
	struct packets from, to;

	if (source == NULL || destination == NULL || !is_tcp_or_udp(rule))
		return packets_none();
	from = numbers_of(source, FIELD_SOURCE_PORT);
	to = numbers_of(destination, FIELD_PORT);
	return packets_and(packets_condition(STR(FILTER_PORTS_AS_ONE)),
	                   packets_and(packets_number(FIELD_FRAGMENT, 0), packets_if(from, packets_not(to), to)));
}

/* --- a rule --- */

static bool is_of_pair(const struct match *match)
{
	return is_one_inverted(match, MATCH_SOURCE_PORTS, STR("sport ")) ||
	       is_one_inverted(match, MATCH_PORTS, STR("dport "));
}

struct packets run_rule(struct run_rules *rules, uint32_t chain, size_t number)
{
	const struct filter_rule *rule = &rules->filter->chains[chain].rules[number];
	struct rule_set *known = &rules->sets[chain][number];
	struct packets set = packets_all(), either;
	size_t mark;

	if (!packets_spent())
		rules->last = rule;
	if (known->known)
		return known->set;
	mark = packets_mark();
	either = either_port(rule);
	for (size_t i = rule->match_count; i-- > 0;) {
		struct str name = known->names != NULL ? known->names[i] : rule->matches[i].text;
		struct packets here;

		if (name.p == NULL)
			name = rule->matches[i].text;
		here = match_of(rules, &rule->matches[i], name);
		set = packets_and(is_of_pair(&rule->matches[i]) ? packets_or(here, either) : here, set);
	}
	packets_hold(&known->set, set);
	packets_release(mark);
	known->known = true;
	return known->set;
}

void run_rules_end(struct run_rules *rules)
{
	for (size_t i = 0; i < rules->filter->chain_count; i++)
		for (size_t k = 0; k < rules->filter->chains[i].rule_count; k++)
			packets_hold(&rules->sets[i][k].set, packets_none());
	for (unsigned i = 0; i < 2 && rules->view->sets != NULL; i++)
		for (size_t k = 0; k < rules->view->sets->count; k++)
			packets_hold(&rules->addresses[i][k], packets_none());
}
