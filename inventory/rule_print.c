/* Prints rules in canonical form, and their parts. Expects a rule that is canonical; sorts and checks nothing. */
#include "fleetwall/arena.h"
#include "fleetwall/buf.h"
#include "rule_words.h"

void ports_print(struct buf *buf, const struct port_range *ports, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (i > 0)
			buf_char(buf, ',');
		buf_number(buf, ports[i].first);
		if (ports[i].last == ports[i].first)
			continue;
		buf_char(buf, '-');
		buf_number(buf, ports[i].last);
	}
}

static void print_icmp(struct buf *buf, const struct what *what)
{
	buf_add(buf, !what->icmp6 ? STR("icmpv4") : !what->icmp4 ? STR("icmpv6") : STR("icmp"));
	if (what->icmp_name == ICMP_ANY)
		return;
	buf_char(buf, '/');
	if (what->icmp_name == ICMP_NUMBER)
		buf_number(buf, what->icmp_type);
	else
		buf_add(buf, icmp_name_str(what->icmp_name));
	if (what->icmp_code < 0)
		return;
	buf_char(buf, '/');
	buf_number(buf, (uint64_t)what->icmp_code);
}

void what_print(struct buf *buf, const struct what *what)
{
	switch (what->kind) {
	case WHAT_ALL:
		buf_add(buf, STR("all"));
		return;
	case WHAT_PROTOCOL:
		protocol_print(buf, what->protocol);
		return;
	case WHAT_PORTS:
		ports_print(buf, what->ports, what->port_count);
		buf_char(buf, '/');
		protocol_print(buf, what->protocol);
		return;
	case WHAT_SERVICE:
		buf_add(buf, what->service);
		return;
	case WHAT_ICMP:
		print_icmp(buf, what);
		return;
	}
}

static void print_literal(struct buf *buf, struct range range)
{
	struct prefix prefix;

	if (range_prefix(range, &prefix)) {
		prefix_print(buf, prefix);
		return;
	}
	addr_print(buf, (struct addr){range.first, range.family});
	buf_char(buf, '-');
	addr_print(buf, (struct addr){range.last, range.family});
}

void peer_print(struct buf *buf, const struct peer *peer)
{
	switch (peer->kind) {
	case PEER_LITERAL:
		print_literal(buf, peer->literal);
		return;
	case PEER_SELF:
		buf_add(buf, STR("self"));
		return;
	case PEER_MACHINE:
		buf_add(buf, STR("machine:"));
		break;
	case PEER_NETWORK:
		buf_add(buf, STR("network:"));
		break;
	case PEER_ROLE:
		buf_add(buf, STR("role:"));
		break;
	}
	buf_add(buf, peer->name);
	if (peer->label.n == 0)
		return;
	buf_char(buf, '/');
	buf_add(buf, peer->label);
}

static void print_peers(struct buf *buf, const struct rule *rule)
{
	if (rule->any && rule->direction == DIRECTION_IN)
		return;
	buf_add(buf, rule->direction == DIRECTION_IN ? STR(" from ") : STR(" to "));
	/* A rule that matches nobody is not of the language; shown, it must never look like one for anyone. */
	if (rule->any || rule->peer_count == 0)
		buf_add(buf, rule->any ? STR("any") : STR("(nobody)"));
	for (size_t i = 0; !rule->any && i < rule->peer_count; i++) {
		if (i > 0)
			buf_add(buf, STR(", "));
		peer_print(buf, &rule->peers[i]);
	}
}

static void print_time(struct buf *buf, struct str clause, int64_t time)
{
	if (time == TIME_NONE)
		return;
	buf_add(buf, clause);
	time_print(buf, time);
}

void rule_print(struct buf *buf, const struct rule *rule)
{
	buf_add(buf, str_of(word_of(word_actions, (int)rule->action)));
	buf_char(buf, ' ');
	what_print(buf, &rule->what);
	print_peers(buf, rule);
	if (rule->interface.n > 0) {
		buf_add(buf, STR(" on "));
		buf_add(buf, rule->interface);
	}
	if (rule->limit_unit != LIMIT_NONE) {
		buf_add(buf, STR(" limit "));
		buf_number(buf, rule->limit);
		buf_char(buf, '/');
		buf_add(buf, str_of(word_of(word_units, (int)rule->limit_unit)));
	}
	if (rule->log)
		buf_add(buf, STR(" log"));
	print_time(buf, STR(" since "), rule->since);
	print_time(buf, STR(" until "), rule->until);
}

struct str rule_text(struct arena *arena, const struct rule *rule)
{
	struct buf buf = buf_new(arena);

	rule_print(&buf, rule);
	return buf_str(&buf);
}
