/* Arbitrary valid rules from a seed. Draws from small pools of edges as often as from everything, so that repeats,
 * containment and neighbours occur. Reads no clock and no environment. */
#include "random_rule.h"

#include "fleetwall/arena.h"

#define YEAR_SECONDS ((int64_t)31556952)

uint64_t rng_next(struct rng *rng)
{
	uint64_t z = rng->state += 0x9e3779b97f4a7c15u;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
	return z ^ (z >> 31);
}

size_t rng_below(struct rng *rng, size_t n)
{
	return (size_t)(rng_next(rng) % n);
}

bool rng_chance(struct rng *rng, unsigned percent)
{
	return rng_below(rng, 100) < percent;
}

#define LONGEST "abcdefghijklmnopqrstuvwxyz0123456789._-abcdefghijklmnopqrstuvwxyz0123456789._-abcdefghijklmnopqrstuvw"
#define LABEL63 "a23456789012345678901234567890123456789012345678901234567890b23"

static const struct str odd_roles[] = {{"app", 3}, {"a", 1},        {"0", 1},         {"web-1", 5},
                                       {"all", 3}, {"10.0.0.1", 8}, {"x..y__z--", 9}, {LONGEST, 100}};
static const struct str odd_machines[] = {
	{"db1", 3},       {"a", 1},  {"x.vpn", 5},
	{"1.2.3.4.5", 9}, {"10", 2}, {LABEL63 "." LABEL63 "." LABEL63 "." LABEL63, 4 * 63 + 3 - 2},
};
static const struct str odd_networks[] = {{"office", 6}, {"any", 3}, {"n.et_1-", 7}};
static const struct str odd_services[] = {{"mysql", 5}, {"x", 1}, {"tcp2", 4}, {"icmp-ish", 8}, {"a.b_c-", 6}};
static const struct str odd_labels[] = {{"private", 7}, {"public", 6}, {"0", 1}, {"management", 10}};

#define COUNT(array) (sizeof(array) / sizeof *(array))

const struct rule_names rule_names_odd = {
	.roles = odd_roles, .role_count = COUNT(odd_roles),
	.machines = odd_machines, .machine_count = COUNT(odd_machines),
	.networks = odd_networks, .network_count = COUNT(odd_networks),
	.services = odd_services, .service_count = COUNT(odd_services),
	.labels = odd_labels, .label_count = COUNT(odd_labels),
};

/* --- what --- */

static uint16_t random_port(struct rng *rng)
{
	static const uint16_t edges[] = {0, 1, 22, 79, 80, 81, 442, 443, 444, 3306, 65534, 65535};

	return rng_chance(rng, 60) ? edges[rng_below(rng, COUNT(edges))] : (uint16_t)rng_below(rng, 65536);
}

static void random_ports(struct arena *arena, struct rng *rng, struct what *what)
{
	static const uint8_t protocols[] = {PROTOCOL_TCP,     PROTOCOL_TCP,  PROTOCOL_UDP,
	                                    PROTOCOL_UDPLITE, PROTOCOL_SCTP, PROTOCOL_DCCP};

	what->kind = WHAT_PORTS;
	what->protocol = protocols[rng_below(rng, COUNT(protocols))];
	what->port_count = 1 + rng_below(rng, rng_chance(rng, 10) ? 40 : 4);
	what->ports = ARENA_ARRAY(arena, struct port_range, what->port_count);
	for (size_t i = 0; i < what->port_count; i++) {
		uint16_t a = random_port(rng), b = rng_chance(rng, 60) ? a : random_port(rng);

		what->ports[i] = (struct port_range){a < b ? a : b, a < b ? b : a};
	}
}

static void random_icmp(struct rng *rng, struct what *what)
{
	static const uint8_t types[] = {0, 1, 3, 4, 8, 11, 12, 128, 129, 133, 254};
	size_t families = rng_below(rng, 3);

	what->kind = WHAT_ICMP;
	what->icmp4 = families != 1;
	what->icmp6 = families != 2;
	what->icmp_name = (enum icmp_name)rng_below(rng, ICMP_PARAMETER_PROBLEM + 1);
	if (what->icmp_name == ICMP_NUMBER)
		what->icmp_type = types[rng_below(rng, COUNT(types))];
	if (what->icmp_name != ICMP_ANY && rng_chance(rng, 40))
		what->icmp_code = rng_chance(rng, 50) ? (int)rng_below(rng, 3) : (int)rng_below(rng, 256);
}

static struct what random_what(struct arena *arena, struct rng *rng, const struct rule_names *names)
{
	static const uint8_t protocols[] = {1, 2, 4, 6, 17, 33, 47, 50, 51, 58, 112, 132, 136, 255};
	struct what what = {.kind = WHAT_ALL, .icmp_code = -1};

	switch (rng_below(rng, 8)) {
	case 0:
		break;
	case 1:
		what.kind = WHAT_PROTOCOL;
		what.protocol = rng_chance(rng, 80) ? protocols[rng_below(rng, COUNT(protocols))]
		                                    : (uint8_t)(1 + rng_below(rng, 255));
		break;
	case 2:
		if (names->service_count == 0)
			break;
		what.kind = WHAT_SERVICE;
		what.service = names->services[rng_below(rng, names->service_count)];
		break;
	case 3:
		random_icmp(rng, &what);
		break;
	default:
		random_ports(arena, rng, &what);
	}
	return what;
}

/* --- peers --- */

static addr_bits random_bits(struct rng *rng, enum family family)
{
	/* 2001:db8::, fe80::, ::ffff:0.0.0.0 and ::, where spellings of the last 32 bits differ */
	const addr_bits bases[] = {(addr_bits)0x20010db8u << 96, (addr_bits)0xfe80u << 112, (addr_bits)0xffffu << 32,
	                           0};
	addr_bits base = family == FAMILY_4 ? (addr_bits)0x0a000000u : bases[rng_below(rng, 4)];

	switch (rng_below(rng, 4)) {
	case 0:
		return base + rng_below(rng, 8);
	case 1:
		return base + (addr_bits)rng_below(rng, 4) * 256 + (rng_chance(rng, 50) ? 255 : 0);
	case 2:
		return rng_chance(rng, 50) ? 0 : family_last(family);
	default:
		return ((addr_bits)rng_next(rng) << 64 | rng_next(rng)) & family_last(family);
	}
}

static struct range random_literal(struct rng *rng)
{
	enum family family = rng_chance(rng, 60) ? FAMILY_4 : FAMILY_6;
	unsigned width = family_width(family);
	addr_bits a = random_bits(rng, family), b;
	struct prefix prefix = {{a, family}, width};

	switch (rng_below(rng, 4)) {
	case 0:
		break;
	case 1: /* near the end of the address, or round */
		prefix.length = rng_chance(rng, 50) ? width - (unsigned)rng_below(rng, 9)
		                                    : (unsigned)(rng_below(rng, width / 8 + 1) * 8);
		break;
	case 2:
		b = random_bits(rng, family);
		return (struct range){a < b ? a : b, a < b ? b : a, family};
	default:
		prefix.length = (unsigned)rng_below(rng, width + 1);
	}
	if (prefix.length < width)
		prefix.addr.bits &= ~(family_last(family) >> prefix.length);
	return prefix_range(prefix);
}

static struct peer random_peer(struct rng *rng, const struct rule_names *names)
{
	struct peer peer = {.kind = PEER_LITERAL, .literal = {0, 0, FAMILY_4}};

	switch (rng_below(rng, 8)) {
	case 0:
		return (struct peer){.kind = PEER_SELF};
	case 1:
		if (names->machine_count > 0)
			return (struct peer){.kind = PEER_MACHINE,
			                     .name = names->machines[rng_below(rng, names->machine_count)]};
		break;
	case 2:
		if (names->network_count > 0)
			return (struct peer){.kind = PEER_NETWORK,
			                     .name = names->networks[rng_below(rng, names->network_count)]};
		break;
	case 3:
		if (names->role_count == 0)
			break;
		peer = (struct peer){.kind = PEER_ROLE, .name = names->roles[rng_below(rng, names->role_count)]};
		if (names->label_count > 0 && rng_chance(rng, 40))
			peer.label = names->labels[rng_below(rng, names->label_count)];
		return peer;
	default:
		break;
	}
	peer.literal = random_literal(rng);
	return peer;
}

static void random_peers(struct arena *arena, struct rng *rng, const struct rule_names *names, struct rule *rule)
{
	rule->any = rng_chance(rng, 25);
	rule->peer_count = rule->any && rng_chance(rng, 80) ? 0 : 1 + rng_below(rng, rng_chance(rng, 10) ? 30 : 4);
	rule->peers = ARENA_ARRAY(arena, struct peer, rule->peer_count);
	for (size_t i = 0; i < rule->peer_count; i++)
		rule->peers[i] =
			i > 0 && rng_chance(rng, 10) ? rule->peers[rng_below(rng, i)] : random_peer(rng, names);
}

/* --- clauses --- */

static int64_t random_time(struct rng *rng)
{
	static const int64_t edges[] = {
		-62135596800, /* 0001-01-01T00:00:00Z */
		253402300798, /* the last second of 9999 but one, so that one can follow */
		-1, 0, 951782400 /* 2000-02-29 */, 1709164800 /* 2024-02-29 */, 2147483647, 2147483648,
	};

	if (rng_chance(rng, 30))
		return edges[rng_below(rng, COUNT(edges))];
	if (rng_chance(rng, 30))
		return (int64_t)rng_below(rng, 40000) * 86400;
	return (int64_t)rng_below(rng, (size_t)(130 * YEAR_SECONDS)) - 30 * YEAR_SECONDS;
}

static void random_times(struct rng *rng, struct rule *rule)
{
	if (rng_chance(rng, 25))
		rule->since = random_time(rng);
	if (rng_chance(rng, 25))
		rule->until = random_time(rng);
	if (rule->since != TIME_NONE && rule->until != TIME_NONE && rule->until <= rule->since)
		rule->until = rule->since + 1;
}

struct rule random_rule(struct arena *arena, struct rng *rng, const struct rule_names *names)
{
	static const struct str interfaces[] = {
		{"eth0", 4}, {"wg+", 3}, {"br-0.1@x:Y_", 11}, {"abcdefghijklmno", 15}, {"abcdefghijklmn+", 15},
		{"LOG", 3},  {"-", 1}};
	static const struct str comments[] = {{"ssh", 3},
	                                      {"a # b", 5},
	                                      {"\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80", 9},
	                                      {"allow all", 9},
	                                      {"\"quoted\" 'so'; --", 17}};
	struct rule rule = {.since = TIME_NONE, .until = TIME_NONE};

	rule.action = (enum action)rng_below(rng, 3);
	rule.direction = rng_chance(rng, 70) ? DIRECTION_IN : DIRECTION_OUT;
	rule.what = random_what(arena, rng, names);
	random_peers(arena, rng, names, &rule);
	if (rng_chance(rng, 20))
		rule.interface = interfaces[rng_below(rng, COUNT(interfaces))];
	rule.log = rng_chance(rng, 20);
	if (rule.action == ACTION_ALLOW && rng_chance(rng, 25)) {
		rule.limit = 1 + (unsigned)rng_below(rng, rng_chance(rng, 50) ? 10 : 1000);
		rule.limit_unit = (enum limit_unit)(LIMIT_SECOND + rng_below(rng, 4));
	}
	random_times(rng, &rule);
	if (rng_chance(rng, 20))
		rule.comment = comments[rng_below(rng, COUNT(comments))];
	return rule;
}

/* --- comparing --- */

static bool what_same(const struct what *a, const struct what *b)
{
	if (a->kind != b->kind || a->protocol != b->protocol || a->port_count != b->port_count ||
	    !str_eq(a->service, b->service) || a->icmp4 != b->icmp4 || a->icmp6 != b->icmp6 ||
	    a->icmp_name != b->icmp_name || a->icmp_type != b->icmp_type || a->icmp_code != b->icmp_code)
		return false;
	for (size_t i = 0; i < a->port_count; i++)
		if (a->ports[i].first != b->ports[i].first || a->ports[i].last != b->ports[i].last)
			return false;
	return true;
}

static bool peer_same(const struct peer *a, const struct peer *b)
{
	return a->kind == b->kind && str_eq(a->name, b->name) && str_eq(a->label, b->label) &&
	       a->literal.family == b->literal.family && a->literal.first == b->literal.first &&
	       a->literal.last == b->literal.last;
}

bool rule_same(const struct rule *a, const struct rule *b)
{
	if (a->action != b->action || a->direction != b->direction || !what_same(&a->what, &b->what) ||
	    a->any != b->any || a->peer_count != b->peer_count || !str_eq(a->interface, b->interface) ||
	    a->log != b->log || a->limit != b->limit || a->limit_unit != b->limit_unit || a->since != b->since ||
	    a->until != b->until || !str_eq(a->comment, b->comment))
		return false;
	for (size_t i = 0; i < a->peer_count; i++)
		if (!peer_same(&a->peers[i], &b->peers[i]))
			return false;
	return true;
}
