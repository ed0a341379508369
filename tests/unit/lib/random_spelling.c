/* The many ways to write one rule, and what typing errors make of a line. Belongs to random_rule.h. */
#include <string.h>

#include "fleetwall/arena.h"
#include "fleetwall/buf.h"
#include "random_rule.h"

/* Letters in any case. */
static void cased(struct buf *buf, struct rng *rng, struct str s)
{
	unsigned upper = rng_chance(rng, 70) ? 0 : 50;

	for (size_t i = 0; i < s.n; i++)
		buf_char(buf, s.p[i] >= 'a' && s.p[i] <= 'z' && rng_chance(rng, upper) ? (char)(s.p[i] - 'a' + 'A')
		                                                                       : s.p[i]);
}

static void blank(struct buf *buf, struct rng *rng, size_t at_least)
{
	size_t n = at_least + (rng_chance(rng, 80) ? 0 : rng_below(rng, 4));

	for (size_t i = 0; i < n; i++)
		buf_char(buf, rng_chance(rng, 90) ? ' ' : '\t');
}

static void comma(struct buf *buf, struct rng *rng)
{
	blank(buf, rng, 0);
	buf_char(buf, ',');
	blank(buf, rng, rng_below(rng, 2));
}

static void protocol(struct buf *buf, struct rng *rng, uint8_t number)
{
	struct buf name = buf_new(buf->arena);

	protocol_print(&name, number);
	if (rng_chance(rng, 30))
		buf_number(buf, number);
	else
		cased(buf, rng, buf_str(&name));
}

static void ports(struct buf *buf, struct rng *rng, const struct what *what)
{
	for (size_t i = 0; i < what->port_count; i++) {
		if (i > 0)
			comma(buf, rng);
		buf_number(buf, what->ports[i].first);
		if (what->ports[i].first == what->ports[i].last && rng_chance(rng, 80))
			continue;
		buf_char(buf, '-');
		buf_number(buf, what->ports[i].last);
	}
	buf_char(buf, '/');
	protocol(buf, rng, what->protocol);
}

static void icmp(struct buf *buf, struct rng *rng, const struct what *what)
{
	uint8_t type;

	cased(buf, rng, !what->icmp6 ? STR("icmpv4") : !what->icmp4 ? STR("icmpv6") : STR("icmp"));
	if (what->icmp_name == ICMP_ANY)
		return;
	buf_char(buf, '/');
	if (what->icmp_name == ICMP_NUMBER)
		buf_number(buf, what->icmp_type);
	else if (what->icmp4 != what->icmp6 && rng_chance(rng, 40) &&
	         icmp_number(what->icmp_name, what->icmp4 ? FAMILY_4 : FAMILY_6, &type))
		buf_number(buf, type);
	else
		cased(buf, rng, icmp_name_str(what->icmp_name));
	if (what->icmp_code >= 0)
		buf_format(buf, "/%d", what->icmp_code);
}

static void spell_what(struct buf *buf, struct rng *rng, const struct what *what)
{
	switch (what->kind) {
	case WHAT_ALL:
		cased(buf, rng, STR("all"));
		return;
	case WHAT_PROTOCOL:
		protocol(buf, rng, what->protocol);
		return;
	case WHAT_PORTS:
		ports(buf, rng, what);
		return;
	case WHAT_SERVICE:
		cased(buf, rng, what->service);
		return;
	case WHAT_ICMP:
		icmp(buf, rng, what);
		return;
	}
}

/* IPv6 also in eight groups, with leading zeros. */
static void address(struct buf *buf, struct rng *rng, struct addr addr)
{
	if (addr.family == FAMILY_4 || rng_chance(rng, 70)) {
		cased(buf, rng, addr_str(buf->arena, addr));
		return;
	}
	for (int i = 7; i >= 0; i--)
		buf_format(buf, rng_chance(rng, 50) ? "%s%04x" : "%s%X", i == 7 ? "" : ":",
		           (unsigned)(addr.bits >> (16 * i) & 0xffff));
}

static void octets(struct buf *buf, struct prefix prefix)
{
	for (unsigned i = 0; i < 4; i++) {
		if (i > 0)
			buf_char(buf, '.');
		if (i * 8 < prefix.length)
			buf_number(buf, (unsigned)(prefix.addr.bits >> (24 - 8 * i) & 255));
		else
			buf_char(buf, '*');
	}
}

static void literal(struct buf *buf, struct rng *rng, struct range range)
{
	struct prefix prefix;

	if (!range_prefix(range, &prefix) || rng_chance(rng, 20)) {
		address(buf, rng, (struct addr){range.first, range.family});
		buf_char(buf, '-');
		address(buf, rng, (struct addr){range.last, range.family});
	} else if (range.family == FAMILY_4 && prefix.length % 8 == 0 && rng_chance(rng, 40)) {
		octets(buf, prefix);
	} else {
		address(buf, rng, prefix.addr);
		if (prefix.length < family_width(range.family) || rng_chance(rng, 40))
			buf_format(buf, "/%u", prefix.length);
	}
}

static void spell_peer(struct buf *buf, struct rng *rng, const struct peer *peer)
{
	static const struct str kinds[] = {
		[PEER_SELF] = {"self", 4},
		[PEER_MACHINE] = {"machine:", 8},
		[PEER_NETWORK] = {"network:", 8},
		[PEER_ROLE] = {"role:", 5},
	};

	if (peer->kind == PEER_LITERAL) {
		literal(buf, rng, peer->literal);
		return;
	}
	cased(buf, rng, kinds[peer->kind]);
	cased(buf, rng, peer->name);
	if (peer->label.n == 0)
		return;
	buf_char(buf, '/');
	cased(buf, rng, peer->label);
}

static void spell_peers(struct buf *buf, struct rng *rng, const struct rule *rule)
{
	size_t any_at = rule->any ? rng_below(rng, rule->peer_count + 1) : rule->peer_count + 1;

	if (rule->any && rule->peer_count == 0 && rule->direction == DIRECTION_IN && rng_chance(rng, 50))
		return;
	blank(buf, rng, 1);
	cased(buf, rng, rule->direction == DIRECTION_IN ? STR("from") : STR("to"));
	blank(buf, rng, 1);
	for (size_t i = 0; i < rule->peer_count + rule->any; i++) {
		if (i > 0)
			comma(buf, rng);
		if (i == any_at)
			cased(buf, rng, rng_chance(rng, 50) ? STR("any") : STR("all"));
		else
			spell_peer(buf, rng, &rule->peers[i - (i > any_at)]);
	}
}

static void spell_time(struct buf *buf, struct rng *rng, int64_t time)
{
	int minutes = (int)rng_below(rng, 2 * 14 * 60) - 14 * 60, size = minutes < 0 ? -minutes : minutes;
	bool zoned = rng_chance(rng, 30) && time > -60000000000 && time < 250000000000;
	struct buf text = buf_new(buf->arena);

	time_print(&text, zoned ? time + minutes * 60 : time);
	text.n--; /* its Z */
	if (rng_chance(rng, 50) && str_ends(buf_str(&text), STR(":00")))
		text.n -= 3;
	if (rng_chance(rng, 50) && !zoned && str_ends(buf_str(&text), STR("T00:00")))
		text.n -= 6;
	if (rng_chance(rng, 20) && text.n > 10)
		text.p[10] = 't';
	buf_add(buf, buf_str(&text));
	if (zoned)
		buf_format(buf, "%c%02d:%02d", minutes < 0 ? '-' : '+', size / 60, size % 60);
	else if (text.n > 10 && rng_chance(rng, 60))
		buf_char(buf, rng_chance(rng, 80) ? 'Z' : 'z');
}

static void spell_clause(struct buf *buf, struct rng *rng, const struct rule *rule, size_t clause)
{
	static const struct str keywords[] = {{"", 0}, {"on", 2}, {"limit", 5}, {"log", 3}, {"since", 5}, {"until", 5}};
	static const struct str units[] = {{"", 0}, {"/second", 7}, {"/minute", 7}, {"/hour", 5}, {"/day", 4}};
	const bool given[] = {
		true,      rule->interface.n > 0,    rule->limit_unit != LIMIT_NONE,
		rule->log, rule->since != TIME_NONE, rule->until != TIME_NONE,
	};

	if (!given[clause])
		return;
	if (clause == 0) {
		spell_peers(buf, rng, rule);
		return;
	}
	blank(buf, rng, 1);
	cased(buf, rng, keywords[clause]);
	if (clause == 3)
		return;
	blank(buf, rng, 1);
	if (clause == 1) {
		buf_add(buf, rule->interface);
	} else if (clause == 2) {
		buf_number(buf, rule->limit);
		cased(buf, rng, units[rule->limit_unit]);
	} else {
		spell_time(buf, rng, clause == 4 ? rule->since : rule->until);
	}
}

struct str random_spelling(struct arena *arena, struct rng *rng, const struct rule *rule)
{
	static const struct str actions[] = {{"allow", 5}, {"deny", 4}, {"reject", 6}};
	struct buf buf = buf_new(arena);
	size_t order[] = {0, 1, 2, 3, 4, 5};

	blank(&buf, rng, 0);
	cased(&buf, rng, actions[rule->action]);
	blank(&buf, rng, 1);
	spell_what(&buf, rng, &rule->what);
	for (size_t i = 5; i > 0; i--) {
		size_t j = rng_below(rng, i + 1), swapped = order[i];

		order[i] = order[j];
		order[j] = swapped;
	}
	for (size_t i = 0; i < 6; i++)
		spell_clause(&buf, rng, rule, order[i]);
	blank(&buf, rng, 0);
	if (rule->comment.n > 0 || rng_chance(rng, 5)) {
		buf_char(&buf, '#');
		blank(&buf, rng, 0);
		buf_add(&buf, rule->comment);
		blank(&buf, rng, 0);
	}
	return buf_str(&buf);
}

/* --- typing errors --- */

static struct str splice(struct arena *arena, struct str line, size_t at, size_t removed, struct str added)
{
	struct buf buf = buf_new(arena);

	buf_add(&buf, str_slice(line, 0, at));
	buf_add(&buf, added);
	buf_add(&buf, str_slice(line, at + removed, line.n));
	return buf_str(&buf);
}

struct str random_damage(struct arena *arena, struct rng *rng, struct str line)
{
	static const struct str pieces[] = {
		{",", 1},
		{" ", 1},
		{"/", 1},
		{"-", 1},
		{"*", 1},
		{":", 1},
		{"#", 1},
		{"%", 1},
		{"0", 1},
		{"255", 3},
		{"65536", 5},
		{"\xff", 1},
		{"\0", 1},
		{"\xc3\xa4", 2},
		{" from ", 6},
		{" to any ", 8},
		{" log", 4},
		{" limit ", 7},
		{"1/minute", 8},
		{" on ", 4},
		{" since ", 7},
		{"role:", 5},
		{"::/0", 4},
		{"0.0.0.0/0", 9},
		{"deny", 4},
		{"all", 3},
		{"\n", 1},
		{"\x1b", 1},
		{"99999999999999999999", 20},
	};

	for (size_t n = 1 + rng_below(rng, 5); n > 0; n--) {
		size_t at = rng_below(rng, line.n + 1), length = rng_below(rng, 4);
		char byte = (char)rng_below(rng, 256);

		switch (rng_below(rng, 4)) {
		case 0:
			line = splice(arena, line, at, length, STR(""));
			break;
		case 1:
			line = splice(arena, line, at, 1, (struct str){&byte, 1});
			break;
		case 2: /* a piece of itself, somewhere else */
			line = splice(arena, line, at, 0, str_slice(line, rng_below(rng, line.n + 1), line.n));
			break;
		default:
			line = splice(arena, line, at, 0, pieces[rng_below(rng, sizeof pieces / sizeof *pieces)]);
		}
	}
	return line;
}
