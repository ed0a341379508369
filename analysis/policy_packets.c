/* Makes packets that stand for all others: where no rule of a class begins or ends to speak between two packets, one of
 * them is enough. So a question about 65536 ports becomes one about as many as rules name. Addresses are no part of it.
 */
#include <stdlib.h>

#include "fleetwall/arena.h"
#include "fleetwall/buf.h"
#include "policy_parts.h"

struct matches {
	struct match_what *items;
	size_t count, capacity;
};

struct sorting {
	const struct question *question;
	struct arena *scratch;
	enum family family;
	unsigned ssh_port;       /* 0: it is no matter */
	struct matches rules;    /* what the rules speak of */
	struct packets_list list; /* without interfaces */
};

static void add_matches(struct sorting *sorting, struct matches *matches, const struct what *what)
{
	const struct rule rule = {.what = *what};
	const struct fleet *fleet = sorting->question->judging->resolved->fleet;
	struct match_what *whats;
	size_t count = rule_whats(sorting->scratch, fleet, &rule, sorting->family, &whats);

	for (size_t i = 0; i < count; i++)
		APPEND(sorting->scratch, matches, whats[i]);
}

static void add_rules(struct sorting *sorting, const struct class *class)
{
	for (enum action action = ACTION_ALLOW; class != NULL && action <= ACTION_REJECT; action++)
		for (size_t i = 0; i < class->lists[action].count; i++)
			add_matches(sorting, &sorting->rules,
			            &class->lists[action].items[i]->effective->held->rule.what);
}

static void add_packet(struct sorting *sorting, struct packet packet)
{
	packet.family = sorting->family;
	APPEND(sorting->scratch, &sorting->list, packet);
}

/* --- ports --- */

struct cuts {
	uint32_t *items; /* where something may begin */
	size_t count, capacity;
};

static int by_number(const void *a, const void *b)
{
	uint32_t left = *(const uint32_t *)a, right = *(const uint32_t *)b;

	return left < right ? -1 : left > right;
}

static struct cuts cuts_of(const struct sorting *sorting, uint8_t protocol)
{
	struct cuts cuts = {0};

	APPEND(sorting->scratch, &cuts, 0);
	if (protocol == PROTOCOL_TCP && sorting->ssh_port > 0) {
		APPEND(sorting->scratch, &cuts, sorting->ssh_port);
		APPEND(sorting->scratch, &cuts, sorting->ssh_port + 1);
	}
	for (size_t i = 0; i < sorting->rules.count; i++) {
		const struct match_what *match = &sorting->rules.items[i];

		for (size_t j = 0; match->protocol == protocol && j < match->port_count; j++) {
			APPEND(sorting->scratch, &cuts, match->ports[j].first);
			APPEND(sorting->scratch, &cuts, match->ports[j].last + 1u);
		}
	}
	qsort(cuts.items, cuts.count, sizeof *cuts.items, by_number);
	return cuts;
}

/* Of ports that are all the same one that people know, not port 0. */
static uint16_t likely_port(uint32_t first, uint32_t last)
{
	static const uint16_t known[] = {80, 22, 1024};

	for (size_t i = 0; first == 0 && i < sizeof known / sizeof *known; i++)
		if (known[i] <= last)
			return known[i];
	return (uint16_t)(first == 0 ? last : first);
}

static void add_ports(struct sorting *sorting, uint8_t protocol, const struct cuts *cuts, struct port_range ports)
{
	for (size_t i = 0; i < cuts->count; i++) {
		uint32_t first = cuts->items[i], last = i + 1 < cuts->count ? cuts->items[i + 1] - 1 : UINT16_MAX;

		if (i + 1 < cuts->count && cuts->items[i + 1] == first)
			continue;
		first = first < ports.first ? ports.first : first;
		last = last > ports.last ? ports.last : last;
		if (first <= last)
			add_packet(sorting, (struct packet){.protocol = protocol, .has_port = true,
			                                    .port = likely_port(first, last)});
	}
}

/* --- ICMP --- */

static bool speaks_of(const struct match_what *match, uint8_t protocol, int type)
{
	return match->protocol == protocol && match->icmp_type == type;
}

/* The first from 1 on that no rule names: type (of < 0), or code of a type. Housekeeping's types count as named. */
static int unnamed(const struct sorting *sorting, uint8_t protocol, int of)
{
	for (int number = of < 0 ? 8 : 0; number < 255; number++) {
		bool named = of < 0 && (sorting->family == FAMILY_4 ? number == 3
		                                                    : number < 5 || (number >= 130 && number <= 143));

		for (size_t i = 0; i < sorting->rules.count && !named; i++)
			named = of < 0 ? speaks_of(&sorting->rules.items[i], protocol, number)
			               : speaks_of(&sorting->rules.items[i], protocol, of) &&
			                         sorting->rules.items[i].icmp_code == number;
		if (!named && !(of == 3 && sorting->family == FAMILY_4 && number == 4))
			return number;
	}
	return 254;
}

static void add_type(struct sorting *sorting, uint8_t protocol, const struct match_what *asked, int type)
{
	bool wanted = asked->icmp_type < 0 || asked->icmp_type == type;
	struct packet packet = {.protocol = protocol, .icmp_type = (uint8_t)type};

	if (wanted && asked->icmp_code >= 0)
		packet.icmp_code = (uint8_t)asked->icmp_code;
	else
		packet.icmp_code = (uint8_t)unnamed(sorting, protocol, type);
	if (wanted)
		add_packet(sorting, packet);
	for (size_t i = 0; wanted && asked->icmp_code < 0 && i < sorting->rules.count; i++)
		if (speaks_of(&sorting->rules.items[i], protocol, type) && sorting->rules.items[i].icmp_code >= 0) {
			packet.icmp_code = (uint8_t)sorting->rules.items[i].icmp_code;
			add_packet(sorting, packet);
		}
}

/* Those that housekeeping lets pass need not be tried: no rule decides of them. But of v4's type 3 only code 4 is. */
static void add_icmp(struct sorting *sorting, uint8_t protocol, const struct match_what *asked)
{
	bool done[256] = {false};

	if (asked->icmp_type >= 0) {
		add_type(sorting, protocol, asked, asked->icmp_type);
		return;
	}
	add_type(sorting, protocol, asked, unnamed(sorting, protocol, -1));
	for (int type = 0; type < 255; type++)
		for (size_t i = 0; i < sorting->rules.count && !done[type]; i++)
			if (speaks_of(&sorting->rules.items[i], protocol, type)) {
				add_type(sorting, protocol, asked, type);
				done[type] = true;
			}
}

/* --- all that is asked --- */

static void add_protocol(struct sorting *sorting, uint8_t protocol, const struct match_what *asked)
{
	static const struct port_range all = {0, UINT16_MAX};
	struct cuts cuts;

	if (protocol == (sorting->family == FAMILY_4 ? PROTOCOL_ICMP : PROTOCOL_ICMPV6)) {
		add_icmp(sorting, protocol, asked);
		return;
	}
	if (!protocol_has_ports(protocol)) {
		add_packet(sorting, (struct packet){.protocol = protocol});
		return;
	}
	cuts = cuts_of(sorting, protocol);
	for (size_t i = 0; i < asked->port_count; i++)
		add_ports(sorting, protocol, &cuts, asked->ports[i]);
	if (asked->port_count == 0)
		add_ports(sorting, protocol, &cuts, all);
}

/* Every protocol that somebody names, TCP first, and one that nobody does. */
static void add_all(struct sorting *sorting, const struct match_what *asked)
{
	uint8_t icmp = sorting->family == FAMILY_4 ? PROTOCOL_ICMP : PROTOCOL_ICMPV6;
	bool named[256] = {[PROTOCOL_TCP] = true, [PROTOCOL_IGMP] = true};
	unsigned other = 253;

	named[icmp] = true;
	for (size_t i = 0; i < sorting->rules.count; i++)
		named[sorting->rules.items[i].protocol] = sorting->rules.items[i].protocol > 0;
	add_protocol(sorting, PROTOCOL_TCP, asked);
	for (unsigned i = 1; i < 256; i++)
		if (named[i] && i != PROTOCOL_TCP)
			add_protocol(sorting, (uint8_t)i, asked);
	while (other > 0 && (named[other] || protocol_has_ports((uint8_t)other)))
		other--;
	if (other > 0)
		add_packet(sorting, (struct packet){.protocol = (uint8_t)other});
}

static void sort_out(struct sorting *sorting)
{
	struct matches asked = {0};

	add_matches(sorting, &asked, &sorting->question->assertion->what);
	for (size_t i = 0; i < asked.count; i++)
		if (asked.items[i].protocol == 0)
			add_all(sorting, &asked.items[i]);
		else
			add_protocol(sorting, asked.items[i].protocol, &asked.items[i]);
}

/* --- interfaces --- */

struct interfaces {
	struct str *items;
	size_t count, capacity;
};

/* A name that begins like the pattern and is under no other that is longer, nor any name of the list. */
static struct str name_under(struct arena *arena, const struct interfaces *named, struct str pattern)
{
	static const char letters[] = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_.@:-";
	struct str stem = str_slice(pattern, 0, pattern.n - 1), name = stem;

	for (size_t letter = 0; letter + 1 < sizeof letters; letter++) {
		bool taken = false;

		name = str_format(arena, "%.*s%c", STR_ARG(stem), letters[letter]);
		for (size_t i = 0; i < named->count && !taken; i++)
			taken = str_starts(named->items[i], name);
		if (!taken && !str_is(name, "lo"))
			return name;
	}
	return name;
}

static bool is_pattern(struct str name)
{
	return name.n > 0 && name.p[name.n - 1] == '+';
}

static void try_name(const struct question *question, struct interfaces *list, struct str name)
{
	struct str asked = question->assertion->interface;

	if (str_among(name, list->items, list->count) || !interface_covers(asked, name) ||
	    (asked.n == 0 && str_is(name, "lo")))
		return;
	APPEND(question->judging->scratch, list, name);
}

/* All that rules of the class and the assertion name, as they name it. */
static struct interfaces names_of(const struct question *question, const struct class *class)
{
	struct arena *scratch = question->judging->scratch;
	struct interfaces named = {0};

	if (question->assertion->interface.n > 0)
		APPEND(scratch, &named, question->assertion->interface);
	for (enum action action = ACTION_ALLOW; action <= ACTION_REJECT; action++)
		for (size_t i = 0; i < class->lists[action].count; i++) {
			struct str name = class->lists[action].items[i]->effective->held->rule.interface;

			if (name.n > 0 && !str_among(name, named.items, named.count))
				APPEND(scratch, &named, name);
		}
	return named;
}

struct str *interfaces_for(const struct question *question, const struct class *class, size_t *count)
{
	struct interfaces named = names_of(question, class), list = {0};

	try_name(question, &list, (struct str){"", 0});
	for (size_t i = 0; i < named.count; i++) {
		struct str name = named.items[i];

		if (is_pattern(name))
			try_name(question, &list, name_under(question->judging->scratch, &named, name));
		try_name(question, &list, is_pattern(name) ? str_slice(name, 0, name.n - 1) : name);
	}
	*count = list.count;
	return list.items;
}

/* --- both --- */

struct packets_list packets_for(const struct question *question, const struct class *class, const struct class *also,
                                enum family family)
{
	struct sorting sorting = {.question = question, .scratch = question->judging->scratch, .family = family};
	struct packets_list list = {0};
	size_t count;
	struct str *interfaces = interfaces_for(question, class, &count);

	if (class->direction == DIRECTION_IN && question->judging->settings->management_count > 0)
		sorting.ssh_port = class->ssh_port;
	add_rules(&sorting, class);
	add_rules(&sorting, also);
	sort_out(&sorting);
	for (size_t i = 0; i < count; i++)
		for (size_t j = 0; j < sorting.list.count; j++) {
			struct packet packet = sorting.list.items[j];

			packet.interface = interfaces[i];
			APPEND(sorting.scratch, &list, packet);
		}
	return list;
}

static void print_icmp(struct buf *buf, const struct packet *packet)
{
	buf_format(buf, "icmpv%d/%u", packet->family == FAMILY_4 ? 4 : 6, packet->icmp_type);
	if (packet->icmp_code > 0)
		buf_format(buf, "/%u", packet->icmp_code);
}

struct str packet_str(struct arena *arena, const struct packet *packet)
{
	struct buf buf = buf_new(arena);

	if (packet_is_icmp(packet, packet->family)) {
		print_icmp(&buf, packet);
	} else {
		if (packet->has_port)
			buf_format(&buf, "%u/", packet->port);
		protocol_print(&buf, packet->protocol);
	}
	if (packet->interface.n > 0)
		buf_format(&buf, " on %.*s", STR_ARG(packet->interface));
	return buf_str(&buf);
}
