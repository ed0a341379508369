/* What a position is open to from outside: each allow rule, cut to those who were asked about, without what deny and
 * reject take; then its ports, sorted by the rules that open them and by the sources that come in. It names nothing. */
#include "exposed_parts.h"

#include <string.h>

#include "fleetwall/difference.h"

/* --- those who are asked about --- */

static struct addr_set own_addresses(struct arena *arena, const struct fleet *fleet, enum family family)
{
	struct arena *scratch = arena_new();
	struct {
		struct range *items;
		size_t count, capacity;
	} ranges = {0};
	struct addr_set set;

	for (size_t i = 0; i < fleet->machine_count; i++)
		for (size_t k = 0; fleet->machines[i].enabled && k < fleet->machines[i].address_count; k++) {
			struct addr addr = fleet->machines[i].addresses[k].addr;

			APPEND(scratch, &ranges, ((struct range){addr.bits, addr.bits, addr.family}));
		}
	set = addr_set_of(arena, family, ranges.items, ranges.count);
	arena_free(scratch);
	return set;
}

static void find_universe(struct exposed *exposed, size_t f)
{
	enum family family = family_at(f);
	struct range range;

	exposed->own[f] = set_none(family);
	if (exposed->from == NULL) {
		exposed->universe[f] = internet_addresses(exposed->arena, family);
		exposed->own[f] = own_addresses(exposed->arena, exposed->fleet, family);
		return;
	}
	range = prefix_range(*exposed->from);
	exposed->universe[f] = addr_set_of(exposed->arena, family, &range, 1);
}

/* What is of one position alone is given back with it. */
static struct packets keep(const struct exposed *exposed, struct packets set)
{
	return exposed->thin == NULL ? packets_keep(set) : set;
}

/* New connections that come in by anything but the loopback interface. */
static void find_space(struct exposed *exposed, size_t f)
{
	struct packets space = packets_and(intent_compared(family_at(f)),
	                                   packets_addresses(FIELD_SOURCE, &exposed->universe[f]));

	exposed->space[f] = keep(exposed, packets_without(space, packets_interface(FIELD_IN, STR("lo"))));
}

/* Of a prefix nothing that depends on sources holds for two positions: the memory of the last one's is gone. */
static void forget_sources(struct exposed *exposed, struct arena *scratch)
{
	exposed->pass = scratch;
	exposed->rule_keys = names_new(scratch);
	exposed->set_keys = names_new(scratch);
	exposed->source_keys = names_new(scratch);
	memset(&exposed->openings, 0, sizeof exposed->openings);
	memset(&exposed->sets, 0, sizeof exposed->sets);
	memset(&exposed->sources, 0, sizeof exposed->sources);
	memset(&exposed->cut, 0, sizeof exposed->cut);
}

static void find_position(struct exposed *exposed, struct arena *scratch, const struct intent_rule *rules, size_t count)
{
	size_t f = exposed->from->addr.family == FAMILY_6;

	exposed->universe[f] = thin_position(exposed->thin, scratch, exposed, rules, count);
	forget_sources(exposed, scratch);
	find_space(exposed, f);
}

struct exposed *exposed_new(struct arena *arena, struct intent *intent, const struct fleet *fleet,
                            const struct settings *settings, const struct prefix *from)
{
	struct exposed *exposed = ARENA_NEW(arena, struct exposed);
	size_t mark = packets_mark();

	*exposed = (struct exposed){
		.arena = arena,
		.pass = arena,
		.intent = intent,
		.fleet = fleet,
		.settings = settings,
		.from = from,
		.rule_keys = names_new(arena),
		.set_keys = names_new(arena),
		.source_keys = names_new(arena),
		.row_keys = names_new(arena),
		.positions = names_new(arena),
		.resolved = resolve(arena, fleet),
	};
	exposed->peers = peers_new(arena, exposed->resolved);
	for (size_t f = 0; f < FAMILIES; f++) {
		find_universe(exposed, f);
		find_space(exposed, f);
	}
	packets_release(mark);
	if (from == NULL)
		return exposed;
	exposed->thin = thin_new(exposed);
	intent_hurry(intent);
	return exposed;
}

/* The part of a set that matters. */
static struct packets see(void *context, struct str name, enum family family, enum packet_field field)
{
	struct exposed *exposed = context;
	size_t f = family == FAMILY_6;
	struct str key = str_format(exposed->pass, "%.*s %zu", STR_ARG(name), f);
	uint32_t number = names_find(exposed->set_keys, key);
	const struct addr_set *set;
	struct arena *scratch;
	struct addr_set cut;

	if (number != NAMES_NONE)
		return exposed->sets.items[number];
	scratch = arena_new();
	set = exposed->thin == NULL ? intent_set_into(scratch, exposed->intent, name, family)
	                            : intent_set(exposed->intent, name, family);
	cut = set == NULL ? set_none(family) : addr_set_and(scratch, set, &exposed->universe[f]);
	if (cut.count > 0)
		cut = addr_set_without(scratch, &cut, &exposed->own[f]);
	names_keep(exposed->set_keys, key);
	APPEND(exposed->pass, &exposed->sets, keep(exposed, packets_addresses(field, &cut)));
	arena_free(scratch);
	return exposed->sets.items[exposed->sets.count - 1];
}

/* --- rules --- */

static bool says_anyone(const struct rule *rule, enum family family)
{
	for (size_t i = 0; i < rule->peer_count; i++) {
		const struct peer *peer = &rule->peers[i];

		if (peer->kind == PEER_LITERAL && peer->literal.family == family && peer->literal.first == 0 &&
		    peer->literal.last == family_last(family))
			return true;
	}
	return rule->any;
}

static const struct opening *opening_of(struct exposed *exposed, const struct intent_rule *rule)
{
	struct str key = {(const char *)&rule->rule, sizeof rule->rule};
	uint32_t number = names_add(exposed->rule_keys, key);
	struct opening opening = {.rule = *rule};

	if (number < exposed->openings.count)
		return &exposed->openings.items[number];
	for (size_t f = 0; f < FAMILIES; f++) {
		size_t mark = packets_mark();
		struct packets set = intent_rule_packets(exposed->intent, rule, family_at(f), see, exposed);

		opening.packets[f] = keep(exposed, packets_perhaps(packets_and(set, exposed->space[f])));
		opening.what[f] = keep(exposed, packets_any(opening.packets[f], FIELD_SOURCE));
		opening.any[f] = says_anyone(&rule->rule->rule, family_at(f));
		if (exposed->thin == NULL)
			packets_release(mark);
	}
	APPEND(exposed->pass, &exposed->openings, opening);
	return &exposed->openings.items[number];
}

/* --- a position --- */

/* A rule with what it really lets in here. */
struct way {
	const struct opening *opening;
	struct packets packets, what;
};

/* Ports that the same rules open. */
struct class {
	struct packets what;
	uint32_t *ways;
	size_t way_count;
};

struct asking {
	struct exposed *exposed;
	struct arena *scratch;
	size_t machine, family;
	struct {
		struct way *items;
		size_t count, capacity;
	} ways;
	struct {
		struct class *items;
		size_t count, capacity;
	} classes;
	struct packets all;    /* of all ways */
	struct packets before; /* decided before any rule is asked */
	struct raw_rows rows;
};

/* Those of packets that have protocol, port and interface in common. */
static struct packets sources_alone(struct packets set)
{
	return packets_only(set, 1U << FIELD_FAMILY | 1U << FIELD_STATE | 1U << FIELD_SOURCE);
}

/* `set` says sources, and nothing else. */
static const struct sources *sources_of(const struct asking *asking, struct packets set)
{
	struct exposed *exposed = asking->exposed;
	size_t f = asking->family;
	struct str key = str_format(asking->scratch, "%d", set.node);
	uint32_t number = names_add(exposed->source_keys, key);
	struct sources *sources;
	struct addr_set missing;

	if (number < exposed->sources.count)
		return exposed->sources.items[number];
	sources = ARENA_NEW(exposed->pass, struct sources);
	keep(exposed, set);
	sources->set = packets_addr_set(exposed->pass, set, FIELD_SOURCE, family_at(f));
	missing = set_without(asking->scratch, &exposed->universe[f], &sources->set);
	sources->whole = set_within(&missing, &exposed->own[f]);
	sources->own = set_within(&sources->set, &exposed->own[f]);
	APPEND(exposed->pass, &exposed->sources, sources);
	return sources;
}

static void find_ways(struct asking *asking, const struct intent_rule *rules, size_t count)
{
	struct exposed *exposed = asking->exposed;
	struct packets refused = intent_refused(asking->scratch, exposed->intent, asking->machine,
	                                        family_at(asking->family), false, see, exposed);

	asking->ways.count = 0;
	asking->all = packets_none();
	for (size_t i = 0; i < count; i++) {
		const struct rule *rule = &rules[i].rule->rule;
		const struct opening *opening;
		struct packets let, what;

		if (rule->action != ACTION_ALLOW || rule->direction != DIRECTION_IN)
			continue;
		opening = opening_of(exposed, &rules[i]);
		let = packets_without(opening->packets[asking->family], refused);
		if (packets_empty(let))
			continue;
		what = packets_eq(let, opening->packets[asking->family]) ? opening->what[asking->family]
		                                                         : packets_any(let, FIELD_SOURCE);
		APPEND(asking->scratch, &asking->ways, ((struct way){opening, let, what}));
		asking->all = packets_or(asking->all, let);
	}
}

static struct class class_with(struct asking *asking, const struct class *class, struct packets what, uint32_t way)
{
	struct class grown = {what, ARENA_ARRAY(asking->scratch, uint32_t, class->way_count + 1), 0};

	for (; grown.way_count < class->way_count; grown.way_count++)
		grown.ways[grown.way_count] = class->ways[grown.way_count];
	grown.ways[grown.way_count++] = way;
	return grown;
}

static void split_classes(struct asking *asking, uint32_t way)
{
	struct packets fresh = asking->ways.items[way].what, what = fresh;
	const struct class none = {0};
	size_t count = asking->classes.count;

	for (size_t i = 0; i < count; i++) {
		struct class old = asking->classes.items[i];
		struct packets both = packets_and(old.what, what), rest = packets_without(old.what, what);

		if (packets_empty(both))
			continue;
		fresh = packets_without(fresh, old.what);
		asking->classes.items[i] = class_with(asking, &old, both, way);
		old.what = rest;
		if (!packets_empty(rest))
			APPEND(asking->scratch, &asking->classes, old);
	}
	if (!packets_empty(fresh))
		APPEND(asking->scratch, &asking->classes, class_with(asking, &none, fresh, way));
}

/* --- rows --- */

/* Are there others than the fleet's own addresses? Mostly the first that is seen is one. */
static bool from_others(const struct asking *asking, struct packets set)
{
	const struct addr_set *own = &asking->exposed->own[asking->family];
	struct addr_set sources;
	struct sample sample;

	if (!packets_sample(asking->scratch, set, &sample))
		return false;
	if (!addr_set_has(own, sample.source))
		return true;
	sources = packets_addr_set(asking->scratch, set, FIELD_SOURCE, family_at(asking->family));
	return !set_within(&sources, own);
}

/* The rules of the class through which some of these come, and not before any rule is asked. */
static void find_openings(struct asking *asking, const struct class *class, struct packets what, struct raw_row *row)
{
	row->openings = ARENA_ARRAY(asking->scratch, const struct opening *, class->way_count);
	for (size_t i = 0; i < class->way_count; i++) {
		const struct way *way = &asking->ways.items[class->ways[i]];
		struct packets part = packets_and(packets_and(way->packets, what), packets_state(STATE_NEW));

		if (from_others(asking, packets_without(part, asking->before)))
			row->openings[row->opening_count++] = way->opening;
	}
}

static struct raw_row row_of(struct asking *asking, struct packets what, const struct sources *sources,
                             enum stage stage)
{
	return (struct raw_row){.family = asking->family,
	                        .what = packets_keep(what),
	                        .sources = sources,
	                        .stage = stage,
	                        .plain = stage != STAGE_ALLOW};
}

/* Do its rules by themselves speak of just these sources? Then such a row says the same wherever it stands. */
static bool is_plain(const struct asking *asking, const struct raw_row *row, struct packets from)
{
	struct packets spoken = packets_none();

	for (size_t i = 0; i < row->opening_count; i++)
		spoken = packets_or(spoken, row->openings[i]->packets[asking->family]);
	return packets_eq(sources_alone(spoken), from);
}

static struct packets point_of(const struct sample *sample)
{
	struct packets point = packets_and(packets_number(FIELD_PROTOCOL, sample->protocol),
	                                   packets_number(FIELD_PORT, sample->port));

	return sample->needs[FIELD_IN] ? packets_and(point, packets_interface(FIELD_IN, sample->in)) : point;
}

/* Which of `rest` have exactly these sources. */
static struct packets those_with(const struct asking *asking, struct packets rest, struct packets sources)
{
	struct packets let = packets_and(asking->all, rest), meant = packets_and(sources, rest);
	struct packets other = packets_or(packets_without(let, meant), packets_without(meant, let));

	return packets_without(rest, packets_any(other, FIELD_SOURCE));
}

static void find_rows(struct asking *asking, const struct class *class)
{
	struct packets rest = class->what;
	struct sample sample;

	while (packets_sample(asking->scratch, packets_and(asking->all, rest), &sample)) {
		struct packets from = sources_alone(packets_and(asking->all, point_of(&sample)));
		struct packets what = those_with(asking, rest, from);
		struct raw_row row = row_of(asking, what, sources_of(asking, from), STAGE_ALLOW);

		rest = packets_without(rest, what);
		if (row.sources->own)
			continue;
		find_openings(asking, class, what, &row);
		row.plain = is_plain(asking, &row, from);
		if (row.opening_count > 0)
			APPEND(asking->scratch, &asking->rows, row);
	}
}

/* Unless rules let them all in as well. */
static void add_management(struct asking *asking, struct packets managed)
{
	struct raw_row row;

	if (packets_within(managed, asking->all))
		return;
	row = row_of(asking, packets_any(managed, FIELD_SOURCE), sources_of(asking, sources_alone(managed)),
	             STAGE_MANAGEMENT);
	if (!row.sources->own)
		APPEND(asking->scratch, &asking->rows, row);
}

static void ask_family(struct asking *asking, const struct intent_rule *rules, size_t count)
{
	struct exposed *exposed = asking->exposed;
	enum family family = family_at(asking->family);
	struct packets managed = intent_management(exposed->intent, asking->machine, family, false);
	size_t mark = packets_mark();

	if (exposed->universe[asking->family].count == 0)
		return;
	managed = packets_and(managed, exposed->space[asking->family]);
	asking->before = packets_or(managed, intent_housekeeping(exposed->intent, family, false));
	find_ways(asking, rules, count);
	asking->classes.count = 0;
	for (uint32_t i = 0; i < asking->ways.count; i++)
		split_classes(asking, i);
	for (size_t i = 0; i < asking->classes.count; i++)
		find_rows(asking, &asking->classes.items[i]);
	add_management(asking, managed);
	packets_release(mark);
}

/* The patterns that inbound rules name: whatever depends on the interface does so by these. */
static struct str *patterns_of(struct arena *scratch, const struct intent_rule *rules, size_t count, size_t *named)
{
	struct str *patterns = ARENA_ARRAY(scratch, struct str, count);

	*named = 0;
	for (size_t i = 0; i < count; i++)
		if (rules[i].rule->rule.interface.n > 0 && rules[i].rule->rule.direction == DIRECTION_IN)
			patterns[(*named)++] = rules[i].rule->rule.interface;
	return patterns;
}

static void open_to_all(struct asking *asking, enum stage stage)
{
	for (size_t f = 0; f < FAMILIES; f++) {
		struct packets space = asking->exposed->space[f];
		struct raw_row row;

		asking->family = f;
		if (asking->exposed->universe[f].count == 0)
			continue;
		row = row_of(asking, packets_any(space, FIELD_SOURCE), sources_of(asking, sources_alone(space)),
		             stage);
		APPEND(asking->scratch, &asking->rows, row);
	}
}

static const struct exposures *ask(struct exposed *exposed, size_t number)
{
	const struct machine *machine = &exposed->fleet->machines[number];
	struct asking asking = {.exposed = exposed, .scratch = arena_new(), .machine = number};
	size_t mark = packets_mark(), count, named;
	const struct exposures *answer;
	const struct str *patterns;
	struct intent_rule *rules;

	count = intent_rules(asking.scratch, exposed->intent, number, &rules);
	if (exposed->thin != NULL)
		find_position(exposed, asking.scratch, rules, count);
	if (!machine_has_ruleset(machine))
		open_to_all(&asking, STAGE_NO_RULESET);
	else if (machine->enforcement == ENFORCEMENT_MONITOR)
		open_to_all(&asking, STAGE_MONITOR);
	else
		for (asking.family = 0; asking.family < FAMILIES; asking.family++)
			ask_family(&asking, rules, count);
	patterns = patterns_of(asking.scratch, rules, count, &named);
	answer = exposed_rows(exposed, asking.scratch, &asking.rows, patterns, named);
	packets_release(mark);
	arena_free(asking.scratch);
	return answer;
}

const struct exposures *exposed_at(struct exposed *exposed, size_t machine)
{
	uint32_t number = names_add(exposed->positions, intent_position(exposed->intent, machine));

	if (number == exposed->answers.count) {
		const struct exposures *answer = ask(exposed, machine);

		APPEND(exposed->arena, &exposed->answers, answer);
	}
	return exposed->answers.items[number];
}
