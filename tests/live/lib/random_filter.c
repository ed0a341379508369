/* Filter tables at random. Everything that it writes loads; values are few and near each other, so that rules meet. */
#include "random_filter.h"

#include <netinet/tcp.h>

#include "fleetwall/arena.h"
#include "fleetwall/buf.h"

#define USER_CHAINS 4
#define RULES 7
#define SETS 3

const struct str filter_interfaces[FILTER_INTERFACES] = {{"~none", 5}, {"eth0", 4}, {"eth01", 5}, {"vpn0", 4}};

/* What a rule is put together in. */
struct writing {
	struct random_filter *filter;
	struct buf *buf;
	unsigned chain; /* 0: the one of the kernel */
};

static unsigned below(const struct random_filter *filter, unsigned limit)
{
	return (unsigned)rng_below(filter->rng, limit);
}

#define PICK(filter, list) ((list)[below(filter, sizeof(list) / sizeof *(list))])

static const char *inverted(struct writing *writing)
{
	return below(writing->filter, 3) == 0 ? " !" : "";
}

/* --- values --- */

static void note_addr(struct random_filter *filter, bool own, addr_bits bits)
{
	struct addr addr = {bits, filter->family};

	for (size_t i = 0; i < filter->addrs[own].count; i++)
		if (addr_cmp(filter->addrs[own].items[i], addr) == 0)
			return;
	APPEND(filter->arena, &filter->addrs[own], addr);
}

static void note_range(struct random_filter *filter, bool own, struct range range)
{
	note_addr(filter, own, range.first - 1);
	note_addr(filter, own, range.first);
	note_addr(filter, own, range.last);
	note_addr(filter, own, range.last + 1);
}

static addr_bits base(const struct random_filter *filter, bool own)
{
	if (filter->family == FAMILY_4)
		return own ? 0x0a090100 : 0xc6336400; /* 10.9.1.0, 198.51.100.0 */
	return (addr_bits)(own ? 0x20010db800090001 : 0x20010db800640001) << 64 | 0x100;
}

static struct prefix random_prefix(struct random_filter *filter, bool own)
{
	unsigned width = family_width(filter->family), host = below(filter, 8);
	addr_bits bits = (base(filter, own) + below(filter, 256)) >> host << host;
	struct prefix prefix = {{bits, filter->family}, width - host};

	note_range(filter, own, prefix_range(prefix));
	return prefix;
}

static struct range random_range(struct random_filter *filter, bool own)
{
	addr_bits first = base(filter, own) + below(filter, 200);
	struct range range = {first, first + below(filter, 40), filter->family};

	note_range(filter, own, range);
	return range;
}

static unsigned random_port(struct random_filter *filter)
{
	static const unsigned ports[] = {22, 80, 443, 3306, 5000, 5001, 8080, 65534};
	unsigned port = PICK(filter, ports);

	for (unsigned i = 0; i < 3; i++)
		APPEND(filter->arena, &filter->ports, port - 1 + i);
	return port;
}

static void add_prefix(struct writing *writing, bool own)
{
	prefix_print(writing->buf, random_prefix(writing->filter, own));
}

static void add_port_range(struct writing *writing, bool always)
{
	unsigned a = random_port(writing->filter), b = random_port(writing->filter);

	buf_number(writing->buf, a < b ? a : b);
	if (a != b && (always || below(writing->filter, 2) == 0))
		buf_format(writing->buf, ":%u", a < b ? b : a);
}

/* --- matches --- */

static void add_addresses(struct writing *writing)
{
	struct random_filter *filter = writing->filter;
	bool in = filter->direction == DIRECTION_IN;

	if (below(filter, 3) == 0) {
		buf_format(writing->buf, "%s -s ", inverted(writing));
		add_prefix(writing, !in);
	}
	if (below(filter, 4) == 0) {
		buf_format(writing->buf, "%s -d ", inverted(writing));
		add_prefix(writing, in);
	}
}

static void add_interface(struct writing *writing)
{
	static const char *const patterns[] = {"eth0", "eth+", "eth0+", "vpn0", "v+", "lo", "eth", "vpn01"};
	const struct random_filter *filter = writing->filter;
	bool in = filter->direction == DIRECTION_IN;

	if (below(filter, 5) != 0)
		return;
	if (writing->chain != 0 && below(filter, 4) == 0) /* the other one, which such packets don't have */
		in = !in;
	buf_format(writing->buf, "%s -%c %s", inverted(writing), in ? 'i' : 'o', PICK(filter, patterns));
}

static void add_multiport(struct writing *writing)
{
	static const char *const options[] = {"dports", "sports", "ports"};
	unsigned count = 1 + below(writing->filter, 3);

	buf_format(writing->buf, " -m multiport%s --%s ", inverted(writing), PICK(writing->filter, options));
	for (unsigned i = 0; i < count; i++) {
		if (i > 0)
			buf_char(writing->buf, ',');
		add_port_range(writing, false);
	}
}

static void add_ports(struct writing *writing, const char *protocol)
{
	buf_format(writing->buf, " -m %s", protocol);
	if (below(writing->filter, 3) == 0) {
		buf_format(writing->buf, "%s --sport ", inverted(writing));
		add_port_range(writing, false);
	}
	if (below(writing->filter, 3) != 0) {
		buf_format(writing->buf, "%s --dport ", inverted(writing));
		add_port_range(writing, false);
	}
}

static void add_flags(struct writing *writing)
{
	static const char *const flags[] = {"FIN,SYN,RST,ACK SYN", "SYN SYN", "RST RST", "ALL ACK", "SYN,ACK SYN,ACK",
	                                    "ALL NONE",            "FIN ACK"};

	if (below(writing->filter, 3) == 0)
		buf_format(writing->buf, "%s --syn", inverted(writing));
	else
		buf_format(writing->buf, "%s --tcp-flags %s", inverted(writing), PICK(writing->filter, flags));
}

static void add_icmp(struct writing *writing)
{
	static const char *const types_4[] = {"8", "0", "3", "3/3", "3/4", "11/0", "echo-request", "any", "8/1"};
	static const char *const types_6[] = {"128", "129", "1", "1/4", "2", "3/0", "echo-request", "135", "136"};

	if (writing->filter->family == FAMILY_4)
		buf_format(writing->buf, " -p icmp -m icmp%s --icmp-type %s", inverted(writing),
		           PICK(writing->filter, types_4));
	else
		buf_format(writing->buf, " -p ipv6-icmp -m icmp6%s --icmpv6-type %s", inverted(writing),
		           PICK(writing->filter, types_6));
}

static void add_tcp(struct writing *writing)
{
	unsigned which = below(writing->filter, 4);

	buf_add(writing->buf, STR(" -p tcp"));
	if (which == 0)
		add_multiport(writing);
	else if (which > 1)
		add_ports(writing, "tcp");
	if (which == 3)
		add_flags(writing);
}

/* Is it a rule of TCP? */
static bool add_protocol(struct writing *writing)
{
	static const char *const others[] = {"47", "esp", "ah", "253", "43",  "44",
	                                     "60", "58",  "1",  "tcp", "udp", "132"};
	unsigned which = below(writing->filter, 12);

	if (which < 4) {
		add_tcp(writing);
		return true;
	}
	if (which < 6) {
		buf_add(writing->buf, STR(" -p udp"));
		add_ports(writing, "udp");
	} else if (which == 6) {
		add_icmp(writing);
	} else if (which == 7) {
		buf_format(writing->buf, " -p %s", below(writing->filter, 2) == 0 ? "udplite" : "sctp");
		add_multiport(writing);
	} else if (which == 8) {
		buf_format(writing->buf, "%s -p %s", inverted(writing), PICK(writing->filter, others));
	} else if (which == 9) {
		buf_add(writing->buf, STR(" -p sctp"));
		add_ports(writing, "sctp");
	}
	return false;
}

static void add_state(struct writing *writing)
{
	static const char *const states[] = {"NEW",       "ESTABLISHED",         "RELATED,ESTABLISHED",
	                                     "INVALID",   "INVALID,UNTRACKED",   "UNTRACKED",
	                                     "NEW,RELATED", "INVALID,NEW,ESTABLISHED"};

	if (writing->filter->fragments || below(writing->filter, 4) != 0)
		return;
	if (below(writing->filter, 3) == 0)
		buf_format(writing->buf, " -m state%s --state %s", inverted(writing), PICK(writing->filter, states));
	else
		buf_format(writing->buf, " -m conntrack%s --ctstate %s", inverted(writing),
		           PICK(writing->filter, states));
}

static void add_set(struct writing *writing)
{
	if (below(writing->filter, 5) == 0)
		buf_format(writing->buf, " -m set%s --match-set set%d-%u %s", inverted(writing),
		           (int)writing->filter->family, below(writing->filter, SETS),
		           below(writing->filter, 3) == 0 ? "dst" : "src");
}

static void add_range(struct writing *writing)
{
	bool destination = below(writing->filter, 3) == 0;
	struct range range;

	if (below(writing->filter, 8) != 0)
		return;
	range = random_range(writing->filter, destination == (writing->filter->direction == DIRECTION_IN));
	buf_format(writing->buf, " -m iprange%s --%s-range ", inverted(writing), destination ? "dst" : "src");
	addr_print(writing->buf, (struct addr){range.first, range.family});
	buf_char(writing->buf, '-');
	addr_print(writing->buf, (struct addr){range.last, range.family});
}

/* One that no packet here has: a condition to the reader, which never holds. */
static void add_mark(struct writing *writing)
{
	if (below(writing->filter, 10) == 0)
		buf_format(writing->buf, " -m mark%s --mark 0x5/0xff", inverted(writing));
}

/* --- targets --- */

static void add_reject(struct writing *writing, bool tcp)
{
	unsigned which = below(writing->filter, tcp ? 4 : 3);
	bool four = writing->filter->family == FAMILY_4;

	buf_add(writing->buf, STR(" -j REJECT"));
	if (which == 3)
		buf_add(writing->buf, STR(" --reject-with tcp-reset"));
	else if (which == 2)
		buf_add(writing->buf, four ? STR(" --reject-with icmp-port-unreachable")
		                           : STR(" --reject-with icmp6-port-unreachable"));
	else if (which == 1 && below(writing->filter, 4) == 0) {
		writing->filter->other_answers = true;
		buf_add(writing->buf, four ? STR(" --reject-with icmp-host-prohibited")
		                           : STR(" --reject-with icmp6-adm-prohibited"));
	}
}

static void add_target(struct writing *writing, bool tcp)
{
	unsigned which = below(writing->filter, 16), left = USER_CHAINS - writing->chain;

	if (which < 5)
		buf_add(writing->buf, STR(" -j ACCEPT"));
	else if (which < 7)
		buf_add(writing->buf, STR(" -j DROP"));
	else if (which == 7)
		add_reject(writing, tcp);
	else if (which == 8)
		buf_add(writing->buf, STR(" -j RETURN"));
	else if (which == 9)
		buf_add(writing->buf, STR(" -j LOG --log-prefix \"a rule: \""));
	else if (which == 10)
		buf_add(writing->buf, STR(" -m comment --comment \"-j DROP ! \\\"it\\\"\""));
	else if (left > 0)
		buf_format(writing->buf, " -%c chain%u", which > 13 ? 'g' : 'j',
		           writing->chain + 1 + below(writing->filter, left));
}

/* --- the whole --- */

static void add_rule(struct random_filter *filter, struct buf *buf, unsigned chain)
{
	struct writing writing = {filter, buf, chain};
	bool tcp;

	if (chain == 0)
		buf_add(buf, filter->direction == DIRECTION_IN ? STR("-A INPUT") : STR("-A OUTPUT"));
	else
		buf_format(buf, "-A chain%u", chain);
	add_addresses(&writing);
	add_interface(&writing);
	tcp = add_protocol(&writing);
	if (filter->fragments && filter->family == FAMILY_4 && below(filter, 5) == 0)
		buf_format(buf, "%s -f", inverted(&writing));
	add_state(&writing);
	add_set(&writing);
	add_range(&writing);
	add_mark(&writing);
	add_target(&writing, tcp);
	buf_char(buf, '\n');
}

static void write_rules(struct random_filter *filter)
{
	struct buf buf = buf_new(filter->arena);
	const char *policy = below(filter, 2) == 0 ? "ACCEPT" : "DROP";
	bool in = filter->direction == DIRECTION_IN;

	buf_format(&buf, "*filter\n:INPUT %s [0:0]\n:FORWARD DROP [0:0]\n:OUTPUT %s [0:0]\n", in ? policy : "ACCEPT",
	           in ? "ACCEPT" : policy);
	for (unsigned i = 1; i <= USER_CHAINS; i++)
		buf_format(&buf, ":chain%u - [0:0]\n", i);
	for (unsigned i = 0; i <= USER_CHAINS; i++)
		for (unsigned k = below(filter, RULES) + (i == 0 ? 4 : 0); k-- > 0;)
			add_rule(filter, &buf, i);
	buf_add(&buf, STR("COMMIT\n"));
	filter->rules = buf_str(&buf);
}

static void write_sets(struct random_filter *filter)
{
	struct buf buf = buf_new(filter->arena);

	for (unsigned i = 0; i < SETS; i++) {
		bool nets = i != 1;

		buf_format(&buf, "create set%d-%u hash:%s family inet%s\n", (int)filter->family, i, nets ? "net" : "ip",
		           filter->family == FAMILY_4 ? "" : "6");
		for (unsigned k = below(filter, 8); k-- > 0;) {
			struct prefix prefix = random_prefix(filter, i == 2);

			if (!nets)
				prefix.length = family_width(filter->family);
			buf_format(&buf, "add set%d-%u ", (int)filter->family, i);
			prefix_print(&buf, prefix);
			buf_add(&buf, STR(" -exist\n"));
		}
	}
	filter->sets = buf_str(&buf);
}

struct random_filter *random_filter(struct arena *arena, struct rng *rng, enum family family, enum direction direction,
                                    bool fragments)
{
	struct random_filter *filter = ARENA_NEW(arena, struct random_filter);

	*filter = (struct random_filter){
		.arena = arena, .rng = rng, .family = family, .direction = direction, .fragments = fragments};
	for (unsigned own = 0; own < 2; own++)
		note_addr(filter, own, base(filter, own) + 77);
	(void)random_port(filter);
	write_sets(filter);
	write_rules(filter);
	return filter;
}

/* --- packets --- */

static unsigned some_port(const struct random_filter *filter)
{
	return filter->ports.items[below(filter, (unsigned)filter->ports.count)];
}

static struct addr some_addr(const struct random_filter *filter, bool own)
{
	return filter->addrs[own].items[below(filter, (unsigned)filter->addrs[own].count)];
}

struct probe random_probe(const struct random_filter *filter)
{
	static const uint8_t protocols[] = {6, 6, 6, 6, 6, 17, 17, 17, 132, 136, 47, 50, 51, 253, 1, 1, 58, 58};
	static const uint8_t flags[] = {TH_SYN, TH_SYN, TH_SYN, TH_ACK, TH_SYN | TH_ACK, TH_RST, TH_FIN | TH_ACK,
	                                TH_FIN | TH_PUSH | TH_URG};
	static const uint8_t types_4[] = {8, 8, 0, 3, 11, 13, 40}, types_6[] = {128, 128, 129, 1, 2, 3, 135, 136, 200};
	bool in = filter->direction == DIRECTION_IN;
	struct probe probe = {
		.direction = filter->direction,
		.interface = below(filter, FILTER_INTERFACES),
		.source = some_addr(filter, !in),
		.destination = some_addr(filter, in),
		.protocol = PICK(filter, protocols),
		.port = (uint16_t)some_port(filter),
		.source_port = (uint16_t)some_port(filter),
		.tcp_flags = PICK(filter, flags),
		.icmp_type = filter->family == FAMILY_4 ? PICK(filter, types_4) : PICK(filter, types_6),
		.icmp_code = (uint8_t)below(filter, 6),
	};

	/* Of a fragment of IPv6 whose next header is one of IPv6, nobody knows the protocol. */
	probe.fragment = filter->fragments && below(filter, 2) == 0 &&
	                 !(filter->family == FAMILY_6 && probe.protocol == PROTOCOL_AH);
	return probe;
}
