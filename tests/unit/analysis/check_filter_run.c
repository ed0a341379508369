/* What becomes of packets in a filter, against an interpreter that takes one packet rule by rule: random models with
 * every kind of match and target, and chains that call each other. The models are made here, not read.
 * valgrind-apart: random models. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "fleetwall/arena.h"
#include "fleetwall/filter.h"

#include "suite_main.h"

static struct arena *arena;

static void setup(void)
{
	arena = arena_new();
	packets_begin();
	srandom(815);
}

static void teardown(void)
{
	packets_end();
	arena_free(arena);
}

static unsigned below(unsigned limit)
{
	return (unsigned)random() % limit;
}

/* --- a random model, of values that are near each other --- */

static const unsigned protocols[] = {1, 6, 17, 43, 44, 51, 58, 60, 255};
static const unsigned ports[] = {0, 21, 22, 23, 80, 443, 0xff00, 0xffff};
static const char *const patterns[] = {"eth0", "eth+", "e+", "lo", "", "+"};
static const char *const devices[] = {"eth0", "eth", "eth01", "e", "lo", ""};
static const char *const texts[] = {"limit 1/sec burst 5", "limit 1/min burst 5", "time until then"};
#define PICK(list) ((list)[below(sizeof(list) / sizeof *(list))])

static addr_bits near(enum family family)
{
	return (family == FAMILY_4 ? (addr_bits)0x0a000000 : (addr_bits)0x20010db8 << 96) + below(12);
}

static void give_number(struct match *match, unsigned first, unsigned last)
{
	match->numbers[match->number_count++] = (struct numbers){first, last};
}

static void give_ports(struct match *match)
{
	unsigned a = PICK(ports), b = below(2) == 0 ? a : PICK(ports);

	give_number(match, a < b ? a : b, a < b ? b : a);
	if (below(3) == 0)
		give_number(match, PICK(ports), 0xffff);
}

static void give_addresses(struct match *match, enum family family)
{
	addr_bits a = near(family), b = near(family);

	match->ranges = ARENA_ARRAY(arena, struct range, 1);
	match->range_count = 1;
	match->ranges[0] = (struct range){a < b ? a : b, a < b ? b : a, family};
}

static void give_set(struct match *match)
{
	static const char *const names[] = {"known", "other"};

	match->name = str_of(PICK(names));
	match->dimensions = below(2) == 0 ? STR("src") : STR("dst");
	match->text = str_format(arena, "match-set %.*s %.*s", STR_ARG(match->name), STR_ARG(match->dimensions));
}

static struct match random_match(enum family family)
{
	struct match match = {.kind = (enum match_kind)below(MATCH_CONDITION + 1), .negated = below(3) == 0};

	match.numbers = ARENA_ARRAY(arena, struct numbers, 2);
	match.text = STR("nobody asks");
	if (match.kind == MATCH_PROTOCOL) {
		unsigned protocol = PICK(protocols);
		give_number(&match, protocol, protocol);
	} else if (match.kind == MATCH_IN || match.kind == MATCH_OUT) {
		match.name = str_of(PICK(patterns));
	} else if (match.kind == MATCH_TCP_FLAGS) {
		match.mask = below(8);
		match.value = below(8) & (below(4) == 0 ? 7 : match.mask);
	} else if (match.kind == MATCH_STATE) {
		match.mask = below(1 << STATE_COUNT);
	} else if (match.kind == MATCH_SET) {
		give_set(&match);
	} else if (match.kind == MATCH_ADDRTYPE_LOCAL || match.kind == MATCH_CONDITION) {
		match.text = match.kind == MATCH_CONDITION ? str_of(PICK(texts)) : STR("addrtype dst LOCAL");
		match.steady = str_starts(match.text, STR("time")) || match.kind != MATCH_CONDITION;
	} else if (match.kind == MATCH_ICMP) {
		unsigned type = below(4) == 0 ? 255 : below(2) * 8;
		give_number(&match, type << 8, type << 8 | (type == 255 ? 255 : below(3)));
	} else if (match.kind == MATCH_PORTS || match.kind == MATCH_SOURCE_PORTS || match.kind == MATCH_EITHER_PORTS) {
		give_ports(&match);
	} else if (match.kind != MATCH_FRAGMENT) {
		give_addresses(&match, family);
	}
	return match;
}

#define CHAINS 6
#define RULES 8

struct model {
	struct filter filter;
	struct filter_sets sets;
	struct filter_set set[2];
	unsigned rank[CHAINS]; /* a chain leads to those of a higher one */
};

static struct filter_rule random_rule(struct model *model, uint32_t chain)
{
	struct filter_rule rule = {.line = 1 + below(1000), .target = (enum target_kind)below(TARGET_UNKNOWN + 1)};

	rule.match_count = below(3);
	rule.matches = ARENA_ARRAY(arena, struct match, rule.match_count);
	for (size_t i = 0; i < rule.match_count; i++)
		rule.matches[i] = random_match(model->filter.family);
	rule.target_text = below(2) == 0 ? STR("REJECT --reject-with tcp-reset") : STR("REJECT");
	rule.chain = below(CHAINS);
	if (model->rank[rule.chain] <= model->rank[chain] && rule.target >= TARGET_JUMP && rule.target <= TARGET_GOTO)
		rule.target = TARGET_PASS;
	return rule;
}

static void random_sets(struct model *model, enum family family)
{
	for (size_t i = 0; i < 2; i++) {
		struct range ranges[] = {{near(family), near(family), family}, {near(family), near(family), family}};

		for (size_t k = 0; k < 2; k++)
			ranges[k].last = ranges[k].first;
		model->set[i] = (struct filter_set){.name = i == 0 ? STR("known") : STR("other"),
		                                    .family = family,
		                                    .modelled = i == 0,
		                                    .addresses = addr_set_of(arena, family, ranges, 2)};
	}
	model->sets = (struct filter_sets){model->set, 2};
}

static struct model *random_model(enum family family)
{
	struct model *model = ARENA_NEW(arena, struct model);
	struct filter_chain *chains = ARENA_ARRAY(arena, struct filter_chain, CHAINS);

	model->filter = (struct filter){.family = family, .chains = chains, .chain_count = CHAINS};
	random_sets(model, family);
	for (unsigned i = 0; i < CHAINS; i++)
		model->rank[i] = i;
	for (unsigned i = 0; i < CHAINS; i++) {
		unsigned other = below(CHAINS), rank = model->rank[i];

		model->rank[i] = model->rank[other];
		model->rank[other] = rank;
	}
	for (uint32_t i = 0; i < CHAINS; i++) {
		chains[i].name = str_format(arena, "chain%u", i);
		chains[i].builtin = model->rank[i] == 0 && below(2) == 0;
		chains[i].policy = below(2) == 0 ? TARGET_ACCEPT : TARGET_DROP;
		chains[i].rule_count = below(RULES);
		chains[i].rules = ARENA_ARRAY(arena, struct filter_rule, chains[i].rule_count);
		for (size_t k = 0; k < chains[i].rule_count; k++)
			chains[i].rules[k] = random_rule(model, i);
	}
	return model;
}

/* --- one packet, rule by rule --- */

/* "limit 1/sec burst 5 #2": the second line of the file that says so. */
static struct str name_here(const struct filter *filter, const struct filter_rule *rule, const struct match *match)
{
	unsigned number = 1;

	for (size_t i = 0; i < filter->chain_count; i++)
		for (size_t k = 0; k < filter->chains[i].rule_count; k++)
			for (size_t m = 0; m < filter->chains[i].rules[k].match_count; m++) {
				const struct filter_rule *other = &filter->chains[i].rules[k];
				bool before = other->line < rule->line ||
				              (other->line == rule->line && &other->matches[m] < match);

				number += before && other->matches[m].kind == MATCH_CONDITION &&
				          str_eq(other->matches[m].text, match->text);
			}
	return match->steady || number == 1 ? match->text : str_format(arena, "%.*s #%u", STR_ARG(match->text), number);
}

static bool holds(const struct sample *packet, struct str condition)
{
	for (size_t i = 0; i < packet->condition_count; i++)
		if (str_eq(packet->conditions[i], condition))
			return true;
	return false;
}

static bool in_numbers(const struct match *match, unsigned number)
{
	for (size_t i = 0; i < match->number_count; i++)
		if (match->numbers[i].first <= number && number <= match->numbers[i].last)
			return true;
	return false;
}

static bool in_ranges(const struct match *match, struct addr addr)
{
	for (size_t i = 0; i < match->range_count; i++)
		if (match->ranges[i].family == addr.family && match->ranges[i].first <= addr.bits &&
		    addr.bits <= match->ranges[i].last)
			return true;
	return false;
}

static bool is_device(struct str pattern, struct str device)
{
	return str_ends(pattern, STR("+")) ? str_starts(device, str_slice(pattern, 0, pattern.n - 1))
	                                   : str_eq(pattern, device);
}

static bool in_set(const struct model *model, const struct match *match, const struct sample *packet)
{
	if (str_is(match->name, "other"))
		return holds(packet, match->text);
	return addr_set_has(&model->set[0].addresses,
	                    str_is(match->dimensions, "src") ? packet->source : packet->destination);
}

static bool plain(const struct model *model, const struct filter_rule *rule, const struct match *match,
                  const struct sample *packet)
{
	unsigned protocol = packet->protocol;

	switch (match->kind) {
	case MATCH_PROTOCOL:
		return in_numbers(match, protocol) &&
		       !(packet->family == FAMILY_6 && (protocol == 43 || protocol == 44 || protocol == 60));
	case MATCH_SOURCE:
	case MATCH_RANGE_SOURCE:
		return in_ranges(match, packet->source);
	case MATCH_DESTINATION:
	case MATCH_RANGE_DESTINATION:
		return in_ranges(match, packet->destination);
	case MATCH_IN:
		return is_device(match->name, packet->in);
	case MATCH_OUT:
		return is_device(match->name, packet->out);
	case MATCH_FRAGMENT:
		return packet->fragment;
	case MATCH_PORTS:
		return in_numbers(match, packet->port);
	case MATCH_SOURCE_PORTS:
		return in_numbers(match, packet->source_port);
	case MATCH_EITHER_PORTS:
		return in_numbers(match, packet->port) || in_numbers(match, packet->source_port);
	case MATCH_ICMP:
		return in_numbers(match, packet->port) ||
		       (packet->family == FAMILY_4 && match->numbers[0].first == 0xff00);
	case MATCH_TCP_FLAGS:
		return (packet->flags & match->mask) == match->value;
	case MATCH_STATE:
		return match->mask >> packet->state & 1;
	case MATCH_SET:
		return in_set(model, match, packet);
	case MATCH_ADDRTYPE_LOCAL:
	case MATCH_CONDITION:
		break;
	}
	return holds(packet, name_here(&model->filter, rule, match));
}

static bool matches(const struct model *model, const struct filter_rule *rule, const struct sample *packet)
{
	for (size_t i = 0; i < rule->match_count; i++) {
		enum match_kind kind = rule->matches[i].kind;
		bool header = kind == MATCH_PORTS || kind == MATCH_SOURCE_PORTS || kind == MATCH_EITHER_PORTS ||
		              kind == MATCH_ICMP || kind == MATCH_TCP_FLAGS;

		if (plain(model, rule, &rule->matches[i], packet) == rule->matches[i].negated ||
		    (header && packet->fragment))
			return false;
	}
	return true;
}

enum fate { BACK, ACCEPTED, DROPPED, RESET, REJECTED, UNKNOWN };

struct journey {
	const struct model *model;
	const struct sample *packet;
	bool reached[CHAINS];
	const struct filter_rule *decider;
};

static enum fate go(struct journey *journey, uint32_t number)
{
	const struct filter_chain *chain = &journey->model->filter.chains[number];

	journey->reached[number] = true;
	for (size_t i = 0; i < chain->rule_count; i++) {
		const struct filter_rule *rule = &chain->rules[i];
		enum fate fate;

		if (!matches(journey->model, rule, journey->packet) || rule->target == TARGET_NONE ||
		    rule->target == TARGET_PASS)
			continue;
		journey->decider = rule;
		if (rule->target == TARGET_ACCEPT)
			return ACCEPTED;
		if (rule->target == TARGET_DROP)
			return DROPPED;
		if (rule->target == TARGET_REJECT)
			return rule->target_text.n > 6 ? RESET : REJECTED;
		if (rule->target == TARGET_UNKNOWN)
			return UNKNOWN;
		if (rule->target == TARGET_RETURN)
			return BACK;
		fate = go(journey, rule->chain);
		if (journey->decider == NULL && rule->target == TARGET_GOTO)
			journey->decider = rule;
		if (fate != BACK || rule->target == TARGET_GOTO)
			return fate;
	}
	journey->decider = NULL;
	return BACK;
}

/* --- both --- */

static struct sample random_packet(const struct model *model, const struct str *conditions, size_t count)
{
	enum family family = model->filter.family;
	struct sample packet = {.family = family,
	                        .state = (enum packet_state)below(STATE_COUNT),
	                        .protocol = PICK(protocols),
	                        .port = below(4) == 0 ? below(2) * 0x800 + below(3) : PICK(ports),
	                        .source_port = PICK(ports),
	                        .flags = below(8),
	                        .fragment = below(4) == 0,
	                        .in = str_of(PICK(devices)),
	                        .out = str_of(PICK(devices)),
	                        .source = {near(family), family},
	                        .destination = {near(family), family}};

	packet.conditions = ARENA_ARRAY(arena, struct str, count);
	for (size_t i = 0; i < count; i++)
		if (below(2) == 0)
			packet.conditions[packet.condition_count++] = conditions[i];
	return packet;
}

static size_t names_of(const struct model *model, struct str *names)
{
	static const char *const others[] = {"addrtype dst LOCAL", "match-set other src", "match-set other dst"};
	size_t count = 0;

	for (size_t i = 0; i < 3; i++)
		names[count++] = str_of(others[i]);
	for (size_t i = 0; i < CHAINS; i++)
		for (size_t k = 0; k < model->filter.chains[i].rule_count; k++)
			for (size_t m = 0; m < model->filter.chains[i].rules[k].match_count; m++) {
				const struct filter_rule *rule = &model->filter.chains[i].rules[k];

				if (rule->matches[m].kind == MATCH_CONDITION)
					names[count++] = name_here(&model->filter, rule, &rule->matches[m]);
			}
	return count;
}

static void check_packet(struct model *model, const struct filter_view *view, const struct filter_chain *chain,
                         const struct outcomes *outcomes, struct packets entering, const struct sample *packet)
{
	struct journey journey = {.model = model, .packet = packet};
	bool enters = packets_have(entering, packet);
	enum fate fate = go(&journey, (uint32_t)(chain - model->filter.chains));

	if (fate == BACK && chain->builtin) {
		fate = chain->policy == TARGET_ACCEPT ? ACCEPTED : DROPPED;
		journey.decider = NULL;
	}
	ck_assert_int_eq(packets_have(outcomes->accepted, packet), enters && fate == ACCEPTED);
	ck_assert_int_eq(packets_have(outcomes->dropped, packet), enters && fate == DROPPED);
	ck_assert_int_eq(packets_have(outcomes->reset, packet), enters && fate == RESET);
	ck_assert_int_eq(packets_have(outcomes->rejected, packet), enters && fate == REJECTED);
	ck_assert_int_eq(packets_have(outcomes->returned, packet), enters && fate == BACK);
	ck_assert_int_eq(packets_have(outcomes->unknown, packet), enters && fate == UNKNOWN);
	for (size_t i = 0; i < CHAINS; i++)
		ck_assert_int_eq(packets_have(outcomes->reached[i], packet), enters && journey.reached[i]);
	if (below(4) == 0)
		ck_assert_ptr_eq(filter_decider(&model->filter, view, chain, packet), journey.decider);
}

/* Disjoint, and together what entered. */
static void check_whole(const struct outcomes *outcomes, struct packets entering)
{
	const struct packets parts[] = {outcomes->accepted, outcomes->dropped,  outcomes->reset,
	                                outcomes->rejected, outcomes->returned, outcomes->unknown};
	struct packets all = packets_none();

	for (size_t i = 0; i < 6; i++) {
		ck_assert(packets_empty(packets_and(all, parts[i])));
		all = packets_or(all, parts[i]);
	}
	ck_assert(packets_eq(all, entering));
}

/* Another way to the same. */
static void check_accepts(const struct model *model, const struct filter_view *view, const struct filter_chain *chain,
                          struct packets accepted, struct packets entering)
{
	const struct filter_rule *last = NULL;
	struct packets found = filter_accepts(&model->filter, view, chain, &last);

	ck_assert(packets_eq(packets_and(found, entering), accepted));
}

START_TEST(test_random_models)
{
	for (unsigned i = 0; i < 150; i++) {
		size_t mark = packets_mark();
		struct model *model = random_model(i % 2 == 0 ? FAMILY_4 : FAMILY_6);
		struct filter_view view = {.sets = &model->sets};
		const struct filter_chain *chain = &model->filter.chains[0];
		struct packets entering = below(2) == 0 ? packets_family(model->filter.family)
		                                        : packets_not(packets_state(STATE_INVALID));
		struct str names[CHAINS * RULES * 2 + 3];
		size_t count = names_of(model, names);
		struct outcomes outcomes;

		for (size_t k = 0; k < CHAINS; k++) /* mostly where it leads furthest */
			if (model->rank[k] == 0 && below(4) != 0)
				chain = &model->filter.chains[k];
		outcomes = filter_run(arena, &model->filter, &view, chain, entering);
		check_whole(&outcomes, entering);
		check_accepts(model, &view, chain, outcomes.accepted, entering);
		for (unsigned k = 0; k < 60; k++) {
			struct sample packet = random_packet(model, names, count);
			check_packet(model, &view, chain, &outcomes, entering, &packet);
		}
		packets_release(mark);
		arena_reset(arena);
	}
}
END_TEST

/* --- by hand --- */

static struct filter_rule lead(enum target_kind target, uint32_t chain, struct match *match)
{
	return (struct filter_rule){
		.target = target, .chain = chain, .matches = match, .match_count = match == NULL ? 0 : 1};
}

/* Each chain leads to the next three times: as many ways as 3 to the 100th, and 300 rules. */
START_TEST(test_many_ways)
{
	enum { LADDER = 100 };
	struct filter_chain chains[LADDER + 1] = {{.builtin = true, .policy = TARGET_DROP}};
	struct filter filter = {.family = FAMILY_4, .chains = chains, .chain_count = LADDER + 1};
	struct filter_view view = {0};
	const struct filter_rule *last = NULL;
	struct outcomes outcomes;

	for (uint32_t i = 0; i <= LADDER; i++) {
		struct match *match = ARENA_ARRAY(arena, struct match, 1);

		*match = (struct match){.kind = MATCH_PORTS, .numbers = ARENA_NEW(arena, struct numbers),
		                        .number_count = 1};
		*match->numbers = (struct numbers){i, i};
		chains[i].rules = ARENA_ARRAY(arena, struct filter_rule, 4);
		chains[i].rule_count = i < LADDER ? 4 : 1;
		chains[i].rules[0] = lead(TARGET_ACCEPT, 0, match);
		for (size_t k = 1; i < LADDER && k < 4; k++)
			chains[i].rules[k] = lead(TARGET_JUMP, i + 1, NULL);
	}
	outcomes = filter_run(arena, &filter, &view, &chains[0], packets_number(FIELD_FRAGMENT, 0));
	ck_assert(packets_eq(outcomes.accepted, packets_and(packets_numbers(FIELD_PORT, 0, LADDER),
	                                                    packets_number(FIELD_FRAGMENT, 0))));
	ck_assert(packets_eq(outcomes.reached[LADDER], packets_and(packets_numbers(FIELD_PORT, LADDER, 0xffff),
	                                                           packets_number(FIELD_FRAGMENT, 0))));
	ck_assert(packets_eq(filter_accepts(&filter, &view, &chains[0], &last), outcomes.accepted));
}
END_TEST

static struct packets seen_as_condition(void *context, const struct filter_set *set, enum packet_field field)
{
	(*(unsigned *)context)++;
	return packets_condition(str_format(arena, "%.*s %d", STR_ARG(set->name), field == FIELD_SOURCE));
}

START_TEST(test_sets_as_seen)
{
	unsigned asked = 0;
	struct match match = {.kind = MATCH_SET, .name = STR("all"), .dimensions = STR("src"), .text = STR("its text")};
	struct filter_rule rules[] = {lead(TARGET_ACCEPT, 0, &match)};
	struct filter_chain chain = {.builtin = true, .policy = TARGET_DROP, .rules = rules, .rule_count = 1};
	struct filter filter = {.family = FAMILY_4, .chains = &chain, .chain_count = 1};
	struct range range = {1, 9, FAMILY_4};
	struct filter_set set = {.name = STR("all"), .modelled = true, .family = FAMILY_4, .addresses = {4, &range, 1}};
	struct filter_sets sets = {&set, 1};
	struct filter_view views[] = {{&sets, seen_as_condition, &asked}, {&sets, NULL, NULL}, {NULL, NULL, NULL}};
	struct packets wanted[] = {packets_condition(STR("all 1")), packets_range(FIELD_SOURCE, range),
	                           packets_condition(STR("its text"))};

	for (size_t i = 0; i < 3; i++)
		ck_assert(packets_eq(filter_run(arena, &filter, &views[i], &chain, packets_all()).accepted, wanted[i]));
	ck_assert_uint_eq(asked, 1);
}
END_TEST

static bool accepts(const struct filter *filter, const struct sample *packet)
{
	struct filter_view view = {0};
	struct outcomes outcomes = filter_run(arena, filter, &view, filter->chains, packets_family(FAMILY_4));

	return packets_have(outcomes.accepted, packet);
}

/* "ESTABLISHED,DNAT": what is established is surely let in, and what a line for DNAT alone speaks of. */
START_TEST(test_states_and_translated)
{
	for (unsigned negated = 0; negated < 2; negated++) {
		struct match match = {.kind = MATCH_CONDITION, .negated = negated, .steady = true};
		struct filter_rule rules[] = {lead(TARGET_ACCEPT, 0, &match)};
		struct filter_chain chain = {
			.builtin = true, .policy = TARGET_DROP, .rules = rules, .rule_count = 1};
		struct filter filter = {.family = FAMILY_4, .chains = &chain, .chain_count = 1};
		struct filter_view view = {0};
		struct packets known = packets_state(STATE_ESTABLISHED), any = packets_family(FAMILY_4), wanted;
		struct outcomes outcomes;

		match.text = STR("ctstate ESTABLISHED,DNAT");
		match.mask = 1u << STATE_ESTABLISHED;
		match.value = 2;
		wanted = packets_or(known, packets_condition(STR("ctstate DNAT")));
		wanted = packets_and(any, negated ? packets_not(wanted) : wanted);
		outcomes = filter_run(arena, &filter, &view, &chain, any);
		ck_assert(packets_eq(outcomes.accepted, wanted));
		ck_assert(packets_within(packets_and(known, any), packets_surely(negated ? outcomes.dropped
		                                                                          : outcomes.accepted)));
	}
}
END_TEST

/* What backends take in two ways depends: on packets with one of the two ports, and on no others. */
START_TEST(test_two_inverted_ports)
{
	struct numbers tcp = {6, 6}, port = {22, 22};
	struct match list[] = {
		{.kind = MATCH_PROTOCOL, .numbers = &tcp, .number_count = 1},
		{.kind = MATCH_SOURCE_PORTS, .negated = true, .text = STR("sport 22")},
		{.kind = MATCH_PORTS, .negated = true, .text = STR("dport 22")}};
	struct filter_rule rule = {.target = TARGET_ACCEPT, .matches = list, .match_count = 3};
	struct filter_chain chain = {.builtin = true, .policy = TARGET_DROP, .rules = &rule, .rule_count = 1};
	struct filter filter = {.family = FAMILY_4, .chains = &chain, .chain_count = 1};
	struct str as_one = STR(FILTER_PORTS_AS_ONE);

	list[1].numbers = list[2].numbers = &port;
	list[1].number_count = list[2].number_count = 1;
	for (unsigned i = 0; i < 16; i++) {
		struct sample packet = {.family = FAMILY_4,
		                        .protocol = 6,
		                        .source_port = i & 1 ? 22 : 23,
		                        .port = i & 2 ? 22 : 23,
		                        .fragment = i & 8,
		                        .conditions = &as_one,
		                        .condition_count = i >> 2 & 1};
		bool both = (i & 3) == 3, neither = (i & 3) == 0;

		ck_assert_int_eq(accepts(&filter, &packet), !(i & 8) && (i & 4 ? !both : neither));
	}
	tcp = (struct numbers){132, 132};
	ck_assert(!accepts(&filter, &(struct sample){.family = FAMILY_4, .protocol = 132, .source_port = 22,
	                                             .conditions = &as_one, .condition_count = 1}));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("filter_run");
	TCase *tcase = tcase_create("run");

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_set_timeout(tcase, 60);
	tcase_add_test(tcase, test_random_models);
	tcase_add_test(tcase, test_many_ways);
	tcase_add_test(tcase, test_sets_as_seen);
	tcase_add_test(tcase, test_states_and_translated);
	tcase_add_test(tcase, test_two_inverted_ports);
	suite_add_tcase(suite, tcase);
	return suite_main(suite);
}
