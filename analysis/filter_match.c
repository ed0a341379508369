/* Matches that are modelled exactly: ports, ICMP, TCP flags, states, ranges, sets. What of them can't be is left to
 * conditions (filter_match_condition.c). */
#include "filter_match.h"

#include <stdlib.h>
#include <string.h>

#include "fleetwall/arena.h"
#include "fleetwall/buf.h"

#define PORT_SLOTS 15

struct match *add_match(struct rule_state *rule, enum match_kind kind, bool negated, struct str text)
{
	APPEND(rule->reader->line_arena, &rule->matches,
	       ((struct match){.kind = kind, .negated = negated, .text = text}));
	return &rule->matches.items[rule->matches.count - 1];
}

const struct given *part_option(const struct part *part, const char *name)
{
	for (size_t i = 0; i < part->count; i++)
		if (strcmp(part->items[i].option->name, name) == 0)
			return &part->items[i];
	return NULL;
}

static void give_numbers(struct rule_state *rule, struct match *match, const struct numbers *numbers, size_t count)
{
	match->numbers = ARENA_ARRAY(rule->reader->arena, struct numbers, count);
	memcpy(match->numbers, numbers, count * sizeof *numbers);
	match->number_count = count;
}

static void print_numbers(struct buf *buf, struct numbers numbers)
{
	buf_number(buf, numbers.first);
	if (numbers.last != numbers.first)
		buf_format(buf, ":%u", numbers.last);
}

/* --- ports --- */

static void add_ports(struct rule_state *rule, enum match_kind kind, const struct given *given)
{
	struct buf buf = buf_new(rule->reader->arena);
	struct numbers ports;

	if (given == NULL)
		return;
	if (!value_ports(given->values[0].text, &ports)) {
		RULE_FAULT(rule, &given->values[0], "ports are 0 to 65535, N or FIRST:LAST",
		           "\"%.*s\" is no port or range of ports", STR_ARG(given->values[0].text));
		return;
	}
	buf_format(&buf, "%s ", given->option->name);
	print_numbers(&buf, ports);
	give_numbers(rule, add_match(rule, kind, given->negated, buf_str(&buf)), &ports, 1);
}

static bool flags_read(struct str text, unsigned *flags)
{
	static const char *const list = "FIN,SYN,RST,PSH,ACK,URG";
	struct str part;
	int place;

	for (*flags = 0; str_cut(&text, ',', &part);) {
		if (value_word("ALL", part) == 0)
			*flags = 0x3f;
		else if (value_word("NONE", part) == 0)
			*flags = 0;
		else if ((place = value_word(list, part)) >= 0)
			*flags |= 1u << place;
		else
			return false;
	}
	return true;
}

static void add_flags(struct rule_state *rule, bool negated, unsigned mask, unsigned value)
{
	struct match *match = add_match(rule, MATCH_TCP_FLAGS, negated,
	                                str_format(rule->reader->arena, "tcp-flags 0x%02x 0x%02x", mask, value));

	match->mask = mask;
	match->value = value;
}

static void build_flags(struct rule_state *rule, const struct part *part)
{
	const struct given *flags = part_option(part, "tcp-flags"), *syn = part_option(part, "syn");
	unsigned mask, value;

	if (flags != NULL && syn != NULL)
		RULE_FAULT(rule, &syn->at, NULL, "--syn beside --tcp-flags");
	else if (syn != NULL)
		add_flags(rule, syn->negated, 0x17, 0x02);
	else if (flags != NULL && !flags_read(flags->values[0].text, &mask))
		RULE_FAULT(rule, &flags->values[0], "SYN ACK FIN RST URG PSH ALL NONE", "no flags of tcp");
	else if (flags != NULL && !flags_read(flags->values[1].text, &value))
		RULE_FAULT(rule, &flags->values[1], "SYN ACK FIN RST URG PSH ALL NONE", "no flags of tcp");
	else if (flags != NULL)
		add_flags(rule, flags->negated, mask, value);
}

/* What is no port and no flag of these protocols. */
static void build_others(struct rule_state *rule, const struct part *part)
{
	static const char *const names[] = {"tcp-option", "chunk-types", "dccp-types", "dccp-option"};

	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		const struct given *given = part_option(part, names[i]);

		if (given == NULL)
			continue;
		if (i == 1 && value_word("all,any,only", given->values[0].text) < 0)
			RULE_FAULT(rule, &given->values[0], "all, any, only", "nothing that chunks can be");
		else
			add_option_condition(rule, part, given);
	}
}

/* A bare `-m tcp` still looks into the header, which later fragments don't have. */
void build_ports(struct rule_state *rule, struct part *part)
{
	static const struct numbers every = {0, UINT16_MAX};

	if (part->count == 0)
		give_numbers(rule, add_match(rule, MATCH_PORTS, false, STR("dport 0:65535")), &every, 1);
	add_ports(rule, MATCH_SOURCE_PORTS, part_option(part, "sport"));
	add_ports(rule, MATCH_PORTS, part_option(part, "dport"));
	build_flags(rule, part);
	build_others(rule, part);
}

static int numbers_order(const void *a, const void *b)
{
	const struct numbers *x = a, *y = b;

	return x->first != y->first ? (x->first > y->first) - (x->first < y->first)
	                            : (x->last > y->last) - (x->last < y->last);
}

/* Sorted, disjoint, not touching. */
static size_t join_numbers(struct numbers *numbers, size_t count)
{
	size_t kept = 0;

	qsort(numbers, count, sizeof *numbers, numbers_order);
	for (size_t i = 0; i < count; i++) {
		if (kept > 0 && numbers[i].first <= numbers[kept - 1].last + 1) {
			if (numbers[i].last > numbers[kept - 1].last)
				numbers[kept - 1].last = numbers[i].last;
		} else {
			numbers[kept++] = numbers[i];
		}
	}
	return kept;
}

/* The list of a multiport match; 0 after a fault. */
static size_t list_of_ports(struct rule_state *rule, const struct given *given, struct numbers *numbers)
{
	struct str rest = given->values[0].text, part;
	size_t count = 0, slots = 0;

	while (str_cut(&rest, ',', &part)) {
		size_t colon = str_find(part, ':');

		slots += colon < part.n ? 2 : 1;
		if (slots > PORT_SLOTS) {
			RULE_FAULT(rule, &given->values[0], "a range counts as two: use a second rule",
			           "more than %d ports in one match", PORT_SLOTS);
			return 0;
		}
		/* unlike --dport, both ends must be there, and differ */
		if (colon == 0 || colon + 1 == part.n || !value_ports(part, &numbers[count]) ||
		    (colon < part.n && numbers[count].first == numbers[count].last)) {
			RULE_FAULT(rule, &given->values[0], "write N or FIRST:LAST, with commas between them",
			           "\"%.*s\" is no port or range of ports", STR_ARG(part));
			return 0;
		}
		count++;
	}
	return count;
}

void build_multiport(struct rule_state *rule, struct part *part)
{
	struct numbers numbers[PORT_SLOTS];
	struct buf buf = buf_new(rule->reader->arena);
	const struct given *given = &part->items[0];
	const char *name = given->option->name;
	enum match_kind kind = strcmp(name, "sports") == 0   ? MATCH_SOURCE_PORTS
	                       : strcmp(name, "dports") == 0 ? MATCH_PORTS
	                                                     : MATCH_EITHER_PORTS;
	size_t count;

	if (part->count > 1) {
		RULE_FAULT(rule, &part->items[1].at, "use a second -m multiport", "multiport has one list");
		return;
	}
	count = list_of_ports(rule, given, numbers);
	if (count == 0)
		return;
	count = join_numbers(numbers, count);
	buf_add(&buf, str_of(name));
	for (size_t i = 0; i < count; i++) {
		buf_char(&buf, i == 0 ? ' ' : ',');
		print_numbers(&buf, numbers[i]);
	}
	give_numbers(rule, add_match(rule, kind, given->negated, buf_str(&buf)), numbers, count);
}

/* --- ICMP --- */

void build_icmp(struct rule_state *rule, struct part *part)
{
	const struct given *given = &part->items[0];
	struct str text = given->values[0].text;
	struct numbers numbers;
	const char *wrong = icmp_read(rule->reader->family, text, &numbers);

	if (wrong != NULL)
		RULE_FAULT(rule, &given->values[0], "write TYPE or TYPE/CODE", "\"%.*s\" %s", STR_ARG(text), wrong);
	else
		give_numbers(rule,
		             add_match(rule, MATCH_ICMP, given->negated,
		                       str_format(rule->reader->arena, "icmp %u:%u", numbers.first, numbers.last)),
		             &numbers, 1);
}

/* --- states --- */

#define STATES "INVALID,NEW,ESTABLISHED,RELATED,UNTRACKED"

_Static_assert(STATE_INVALID == 0 && STATE_NEW == 1 && STATE_ESTABLISHED == 2 && STATE_RELATED == 3 &&
                       STATE_UNTRACKED == 4 && STATE_COUNT == 5,
               "the list of names is in this order");

/* SNAT and DNAT are seen at no packet: with them it is a condition, which holds in the other states anyhow. */
static void add_states(struct rule_state *rule, const struct given *given, const char *list)
{
	struct buf buf = buf_new(rule->reader->arena);
	struct option option = {.kind = VALUE_BEGINNINGS, .list = list};
	struct str rest = given->values[0].text, part;
	struct match *match;
	unsigned mask = 0;

	buf_add(&buf, STR("ctstate "));
	if (rest.n == 0 || !value_spell(&buf, rule->reader->family, &option, rest)) {
		RULE_FAULT(rule, &given->values[0], "they are " STATES, "\"%.*s\" is no list of states", STR_ARG(rest));
		return;
	}
	while (str_cut(&rest, ',', &part))
		mask |= 1u << value_beginning(list, part);
	match = add_match(rule, mask >> STATE_COUNT != 0 ? MATCH_CONDITION : MATCH_STATE, given->negated,
	                  buf_str(&buf));
	match->mask = mask & ((1u << STATE_COUNT) - 1);
	match->value = mask >> STATE_COUNT;
	match->steady = true;
}

void build_state(struct rule_state *rule, struct part *part)
{
	add_states(rule, &part->items[0], STATES);
}

/* A protocol's name is its number. */
static void add_ctproto(struct rule_state *rule, const struct given *given)
{
	unsigned number;
	struct match *match;

	if (!value_protocol(given->values[0].text, &number)) {
		RULE_FAULT(rule, &given->values[0], "write its number", "nobody knows the protocol \"%.*s\" here",
		           STR_ARG(given->values[0].text));
		return;
	}
	match = add_match(rule, MATCH_CONDITION, given->negated, str_format(rule->reader->arena, "ctproto %u", number));
	match->steady = true;
}

void build_conntrack(struct rule_state *rule, struct part *part)
{
	const struct extension *extension = part->extension;

	for (size_t i = 0; i < extension->count; i++) {
		const struct given *given = part_option(part, extension->options[i].name);

		if (given == NULL)
			continue;
		if (strcmp(given->option->name, "ctstate") == 0)
			add_states(rule, given, STATES ",SNAT,DNAT");
		else if (strcmp(given->option->name, "ctproto") == 0)
			add_ctproto(rule, given);
		else
			add_option_condition(rule, part, given);
	}
}

/* --- addresses --- */

/* The wrong way round it is taken, and never matches: then it has no range. */
static void add_iprange(struct rule_state *rule, const struct given *given, bool source)
{
	struct arena *arena = rule->reader->arena;
	enum family family = rule->reader->family;
	struct str text = given->values[0].text;
	size_t dash = str_find(text, '-');
	struct addr first, last;
	struct match *match;

	if (!value_host(family, str_slice(text, 0, dash), &first) ||
	    !value_host(family, dash < text.n ? str_slice(text, dash + 1, text.n) : text, &last)) {
		RULE_FAULT(rule, &given->values[0], "write FIRST-LAST", "\"%.*s\" is no range of IPv%d addresses",
		           STR_ARG(text), family);
		return;
	}
	match = add_match(rule, source ? MATCH_RANGE_SOURCE : MATCH_RANGE_DESTINATION, given->negated,
	                  str_format(arena, "%s %.*s-%.*s", given->option->name, STR_ARG(addr_str(arena, first)),
	                             STR_ARG(addr_str(arena, last))));
	match->ranges = ARENA_NEW(arena, struct range);
	*match->ranges = (struct range){first.bits, last.bits, family};
	match->range_count = first.bits <= last.bits;
}

void build_iprange(struct rule_state *rule, struct part *part)
{
	const struct given *source = part_option(part, "src-range"), *destination = part_option(part, "dst-range");

	if (source != NULL)
		add_iprange(rule, source, true);
	if (destination != NULL)
		add_iprange(rule, destination, false);
}

void not_in(struct rule_state *rule, unsigned hooks, const char *why)
{
	rule->hooks |= hooks;
	rule->hooks_why = str_of(why);
}

/* Of one type LOCAL alone more is known than that it is a condition. */
static void add_addrtype(struct rule_state *rule, const struct part *part, const struct given *given, bool source)
{
	struct buf buf = buf_new(rule->reader->arena);
	const struct given *in = part_option(part, "limit-iface-in"), *out = part_option(part, "limit-iface-out");
	struct match *match;
	bool local;

	buf_add(&buf, source ? STR("addrtype src ") : STR("addrtype dst "));
	if (!value_spell(&buf, rule->reader->family, given->option, given->values[0].text)) {
		RULE_FAULT(rule, &given->values[0], NULL, "\"%.*s\" is no list of types of addresses",
		           STR_ARG(given->values[0].text));
		return;
	}
	local = in == NULL && out == NULL && str_ends(buf_str(&buf), STR(" LOCAL"));
	if (in != NULL) {
		buf_add(&buf, STR(" limit-iface-in"));
		not_in(rule, HOOK_OUTPUT, "limit-iface-in");
	}
	if (out != NULL) {
		buf_add(&buf, STR(" limit-iface-out"));
		not_in(rule, HOOK_INPUT, "limit-iface-out");
	}
	match = add_match(rule, local ? MATCH_ADDRTYPE_LOCAL : MATCH_CONDITION, given->negated, buf_str(&buf));
	match->steady = true;
}

void build_addrtype(struct rule_state *rule, struct part *part)
{
	const struct given *source = part_option(part, "src-type"), *destination = part_option(part, "dst-type");

	if (source == NULL && destination == NULL)
		RULE_FAULT(rule, part, NULL, "addrtype needs --src-type or --dst-type");
	if (source != NULL)
		add_addrtype(rule, part, source, true);
	if (destination != NULL)
		add_addrtype(rule, part, destination, false);
}

/* --- sets --- */

size_t set_dimensions(struct str text)
{
	struct str part;
	size_t count = 0;

	for (; str_cut(&text, ',', &part); count++)
		if (!str_is(part, "src") && !str_is(part, "dst"))
			return 0;
	return count > 6 ? 0 : count;
}

/* The set, if it is known which there are; NULL with a fault if it can't be used. */
static const struct filter_set *set_of(struct rule_state *rule, const struct word *name)
{
	const struct filter_set *set = filter_set(rule->reader->sets, name->text);

	if (set == NULL)
		RULE_FAULT(rule, name, "a rule can't be loaded before its sets", "there is no set %.*s",
		           STR_ARG(name->text));
	else if (set->family != rule->reader->family && str_starts(set->type, STR("hash:")))
		RULE_FAULT(rule, name, NULL, "the set %.*s is one of IPv%d", STR_ARG(name->text), set->family);
	return rule->fault ? NULL : set;
}

void build_set(struct rule_state *rule, struct part *part)
{
	const struct given *given = part_option(part, "match-set");
	const struct filter_set *set = NULL;
	struct str text;
	struct match *match;
	bool plain = part->count == 1;

	if (given == NULL) {
		RULE_FAULT(rule, part, NULL, "set needs --match-set");
		return;
	}
	if (given->values[0].text.n == 0 || given->values[0].text.n > 31)
		RULE_FAULT(rule, &given->values[0], NULL, "the name of a set has 1 to 31 bytes");
	else if (set_dimensions(given->values[1].text) == 0)
		RULE_FAULT(rule, &given->values[1], "src or dst, for each dimension of the set",
		           "\"%.*s\" is no list of src and dst", STR_ARG(given->values[1].text));
	else if (rule->reader->sets != NULL)
		set = set_of(rule, &given->values[0]);
	if (rule->fault)
		return;
	plain = plain && (set == NULL || set->modelled) && set_dimensions(given->values[1].text) == 1;
	text = str_format(rule->reader->arena, "set %.*s %.*s", STR_ARG(given->values[0].text),
	                  STR_ARG(given->values[1].text));
	if (part->count > 1)
		text = add_other_options(rule, part, given, text);
	match = add_match(rule, plain ? MATCH_SET : MATCH_CONDITION, given->negated, text);
	match->name = given->values[0].text;
	match->dimensions = given->values[1].text;
	match->steady = part->count == 1;
}

/* --- what is no match by itself --- */

void build_comment(struct rule_state *rule, struct part *part)
{
	const struct given *given = &part->items[0];

	if (!rule->comment_given)
		rule->comment = str_slice(given->values[0].text, 0, COMMENT_MAX);
	rule->comment_given = true;
}

/* A header of IPsec: the protocol, and for IPv6's -m ah, which needs no -p, the header wherever it stands. */
void build_header(struct rule_state *rule, struct part *part)
{
	static const struct numbers number = {51, 51};

	if (part->extension->protocol == 0)
		give_numbers(rule, add_match(rule, MATCH_PROTOCOL, false, STR("protocol 51")), &number, 1);
	for (size_t i = 0; i < part->count; i++)
		add_option_condition(rule, part, &part->items[i]);
}
