/* Differences in words: ports and protocols as the rule language spells them, packets for examples. */
#include "difference_parts.h"

#include "fleetwall/buf.h"
#include "fleetwall/rule.h"

#define PROTOCOLS_BY_NAME 4
#define LAST_PORT 65535

struct str difference_change_str(enum difference_change change)
{
	switch (change) {
	case DIFFERENCE_OPENS:
		return STR("opens");
	case DIFFERENCE_CLOSES:
		return STR("closes");
	case DIFFERENCE_OTHER:
		return STR("other");
	}
	return STR("");
}

struct str difference_way_str(enum difference_way way)
{
	switch (way) {
	case DIFFERENCE_IN:
		return STR("in");
	case DIFFERENCE_OUT:
		return STR("out");
	case DIFFERENCE_FORWARD:
		return STR("forward");
	}
	return STR("");
}

struct str difference_cause_str(enum difference_cause cause)
{
	switch (cause) {
	case CAUSE_NONE:
		return STR("");
	case CAUSE_RULE_CAME:
		return STR("rule-came");
	case CAUSE_RULE_WENT:
		return STR("rule-went");
	case CAUSE_SET_GREW:
		return STR("set-grew");
	case CAUSE_SET_SHRANK:
		return STR("set-shrank");
	case CAUSE_ENFORCEMENT:
		return STR("enforcement");
	case CAUSE_MODE:
		return STR("mode");
	case CAUSE_EGRESS:
		return STR("egress");
	}
	return STR("");
}

/* --- what --- */

static void print_numbers(struct buf *buf, const struct numbers *numbers, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		buf_format(buf, "%s%u", i > 0 ? "," : "", numbers[i].first);
		if (numbers[i].last > numbers[i].first)
			buf_format(buf, "-%u", numbers[i].last);
	}
}

static void print_protocol(struct buf *buf, unsigned protocol)
{
	if (protocol == PROTOCOL_ICMP || protocol == PROTOCOL_ICMPV6)
		buf_add(buf, protocol == PROTOCOL_ICMP ? STR("icmpv4") : STR("icmpv6"));
	else
		protocol_print(buf, (uint8_t)protocol);
}

static void print_protocols(struct buf *buf, const struct numbers *numbers, size_t count)
{
	size_t all = 0;

	for (size_t i = 0; i < count; i++)
		all += numbers[i].last - numbers[i].first + 1;
	if (all > PROTOCOLS_BY_NAME) {
		buf_add(buf, STR("protocols "));
		print_numbers(buf, numbers, count);
		return;
	}
	for (size_t i = 0, said = 0; i < count; i++)
		for (unsigned k = numbers[i].first; k <= numbers[i].last; k++) {
			buf_add(buf, said++ > 0 ? STR(",") : STR(""));
			print_protocol(buf, k);
		}
}

static void print_type(struct buf *buf, enum family family, unsigned type)
{
	static const enum icmp_name names[] = {ICMP_ECHO_REQUEST, ICMP_ECHO_REPLY, ICMP_DESTINATION_UNREACHABLE,
	                                       ICMP_TIME_EXCEEDED, ICMP_PARAMETER_PROBLEM};
	uint8_t number;

	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (icmp_number(names[i], family, &number) && number == type) {
			buf_add(buf, icmp_name_str(names[i]));
			return;
		}
	buf_number(buf, type);
}

/* Types and codes in one number each: of the first and the last type some codes, of those between all. */
static void print_icmp(struct buf *buf, enum family family, struct numbers numbers)
{
	unsigned first = numbers.first, end;

	for (; first <= numbers.last; first = end + 1) {
		unsigned type = first >> 8, types = (numbers.last + 1 - first) >> 8;

		buf_add(buf, first > numbers.first ? STR(",") : STR(""));
		if ((first & 255) == 0 && types > 1) {
			end = first + types * 256 - 1;
			buf_format(buf, "%u-%u", type, end >> 8);
			continue;
		}
		end = (first | 255) < numbers.last ? first | 255 : numbers.last;
		print_type(buf, family, type);
		if (end - first == 255)
			continue;
		buf_format(buf, "/%u", first & 255);
		if (end > first)
			buf_format(buf, "-%u", end & 255);
	}
}

static bool is_whole(const struct numbers *numbers, size_t count, unsigned last)
{
	return count == 1 && numbers[0].first == 0 && numbers[0].last == last;
}

static void print_types(struct buf *buf, enum family family, const struct numbers *types, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		buf_char(buf, i == 0 ? '/' : ',');
		print_icmp(buf, family, types[i]);
	}
}

void words_what(struct arena *arena, enum family family, struct difference_group *group)
{
	struct buf buf = buf_new(arena);
	unsigned protocol = group->protocols[0].first;

	if (is_whole(group->ports, group->port_count, LAST_PORT))
		group->port_count = 0;
	if (is_whole(group->protocols, group->protocol_count, 255) && group->port_count == 0) {
		buf_add(&buf, STR("all"));
	} else if (group->port_count == 0) {
		print_protocols(&buf, group->protocols, group->protocol_count);
	} else if (protocol == PROTOCOL_ICMP || protocol == PROTOCOL_ICMPV6) {
		print_protocols(&buf, group->protocols, group->protocol_count);
		print_types(&buf, family, group->ports, group->port_count);
	} else {
		print_numbers(&buf, group->ports, group->port_count);
		buf_char(&buf, '/');
		print_protocols(&buf, group->protocols, group->protocol_count);
	}
	group->what = buf_str(&buf);
}

/* --- a group --- */

enum { PEERS_SHOWN = 5 };

struct shown {
	struct buf buf;
	size_t count;
};

static void show_prefix(void *context, struct prefix prefix)
{
	struct shown *shown = context;

	if (shown->count++ >= PEERS_SHOWN)
		return;
	buf_add(&shown->buf, shown->count > 1 ? STR(", ") : STR(""));
	prefix_print(&shown->buf, prefix);
}

static void show_peers(struct shown *shown, const struct difference_group *group)
{
	bool both = group->any[0] && group->any[1];

	if (both)
		buf_add(&shown->buf, STR("any"));
	for (size_t i = 0; i < 2 && !both; i++)
		addr_set_prefixes(&group->peers[i], show_prefix, shown);
	if (shown->count > PEERS_SHOWN)
		buf_format(&shown->buf, ", … (%zu prefixes)", shown->count);
}

struct str difference_group_str(struct arena *arena, const struct difference_group *group)
{
	struct shown shown = {.buf = buf_new(arena)};

	buf_format(&shown.buf, "%s%.*s", group->example.n > 0 ? "some of " : "", STR_ARG(group->what));
	if (group->way != DIFFERENCE_IN)
		buf_add(&shown.buf, group->way == DIFFERENCE_OUT ? STR(" out") : STR(" forwarded"));
	if (group->on.n > 0)
		buf_format(&shown.buf, " by interface %.*s", STR_ARG(group->on));
	if (group->way != DIFFERENCE_FORWARD) {
		buf_add(&shown.buf, STR(" to "));
		show_peers(&shown, group);
	}
	if (group->aside)
		buf_add(&shown.buf, group->change == DIFFERENCE_OPENS ? STR(", but for what was let through before")
		                                                      : STR(", but for what is still let through"));
	if (group->example.n > 0)
		buf_format(&shown.buf, ", for example %.*s", STR_ARG(group->example));
	return buf_str(&shown.buf);
}

/* --- a packet --- */

struct str words_packet(struct arena *arena, const struct sample *packet, enum difference_way way)
{
	struct buf buf = buf_new(arena);
	struct str interface = way == DIFFERENCE_OUT ? packet->out : packet->in;

	print_protocol(&buf, packet->protocol);
	buf_char(&buf, ' ');
	addr_print(&buf, packet->source);
	if (protocol_has_ports((uint8_t)packet->protocol) && packet->needs[FIELD_SOURCE_PORT])
		buf_format(&buf, " port %u", packet->source_port);
	buf_add(&buf, STR(" -> "));
	addr_print(&buf, packet->destination);
	if (protocol_has_ports((uint8_t)packet->protocol))
		buf_format(&buf, " port %u", packet->port);
	if (interface.n > 0)
		buf_format(&buf, " on %.*s", STR_ARG(interface));
	return buf_str(&buf);
}
