/* Which packets to try with one machine: the edges of what its rules name, and mixtures of them. Chooses packets only;
 * what should become of them is not its business. */
#include <string.h>

#include "fleetwall/arena.h"
#include "kernel.h"

/* What a packet is, besides its ends. */
struct point {
	uint8_t protocol;
	uint16_t port;
	uint8_t type, code;
};

struct points {
	struct point *items;
	size_t count, capacity;
};

struct addrs {
	struct addr *items;
	size_t count, capacity;
};

/* What is collected for one machine, direction and family. */
struct corner {
	struct arena *arena;
	const struct trial *trial;
	const struct machine *machine;
	enum direction direction;
	enum family family;
	size_t interface_count;
	struct addrs others;
	struct points points;
	struct probe_list *list;
};

struct addr own_address(const struct machine *machine, enum family family)
{
	struct addr stand_in;

	for (size_t i = 0; i < machine->address_count; i++)
		if (machine->addresses[i].addr.family == family && address_excluded(machine->addresses[i].addr) == NULL)
			return machine->addresses[i].addr;
	if (!addr_parse(family == FAMILY_4 ? STR("10.255.255.1") : STR("fd00:ffff::1"), &stand_in))
		die("no address to stand in");
	return stand_in;
}

static bool is_own(const struct corner *corner, struct addr addr)
{
	for (size_t i = 0; i < corner->machine->address_count; i++)
		if (addr_cmp(corner->machine->addresses[i].addr, addr) == 0)
			return true;
	return addr_cmp(own_address(corner->machine, corner->family), addr) == 0;
}

/* --- addresses --- */

static void add_addr(const struct corner *corner, struct addrs *addrs, addr_bits bits)
{
	struct addr addr = {.bits = bits, .family = corner->family};

	if (address_excluded(addr) == NULL && !is_own(corner, addr))
		APPEND(corner->arena, addrs, addr);
}

static void add_edges(const struct corner *corner, struct addrs *addrs, struct range range)
{
	if (range.family != corner->family)
		return;
	if (range.first > 0)
		add_addr(corner, addrs, range.first - 1);
	add_addr(corner, addrs, range.first);
	if (range.last != range.first)
		add_addr(corner, addrs, range.last);
	if (range.last < family_last(range.family))
		add_addr(corner, addrs, range.last + 1);
}

/* Somebody whom hardly a rule names. */
static void add_strangers(const struct corner *corner, struct addrs *addrs)
{
	static const char *const strangers[] = {"192.0.2.1",     "203.0.113.7", "10.77.7.7",
	                                        "2001:db8:2::1", "2600:7::7",   "fe80::77"};
	struct addr addr;

	for (size_t i = 0; i < sizeof strangers / sizeof *strangers; i++)
		if (addr_parse(str_of(strangers[i]), &addr) && addr.family == corner->family)
			add_addr(corner, addrs, addr.bits);
}

static void add_peer(const struct corner *corner, struct addrs *addrs, const struct peer *peer, const struct role *role)
{
	struct addr_set set;

	if (peer->kind == PEER_LITERAL) {
		add_edges(corner, addrs, peer->literal);
		return;
	}
	set = peer_addresses(corner->arena, corner->trial->resolved, peer, role, true, corner->family);
	for (size_t i = 0; i < set.count; i++)
		add_edges(corner, addrs, set.ranges[i]);
}

static struct addrs addrs_of_rule(const struct corner *corner, const struct effective_rule *effective)
{
	const struct rule *rule = &effective->held->rule;
	struct addrs addrs = {0};

	add_strangers(corner, &addrs);
	for (size_t i = 0; i < rule->peer_count; i++)
		add_peer(corner, &addrs, &rule->peers[i], effective->role);
	return addrs;
}

/* --- protocols, ports, kinds of ICMP --- */

/* Extension headers are no packets by themselves, and ICMP inside the other family is INVALID to conntrack. */
static bool can_travel(enum family family, uint8_t protocol)
{
	if (family == FAMILY_4)
		return protocol != 0 && protocol != PROTOCOL_ICMPV6;
	return protocol != 0 && protocol != PROTOCOL_ICMP && protocol != 43 && protocol != 44 && protocol != 59 &&
	       protocol != 60 && protocol != 135;
}

static void add_point(const struct corner *corner, struct points *points, struct point point)
{
	if (can_travel(corner->family, point.protocol))
		APPEND(corner->arena, points, point);
}

static void add_port(const struct corner *corner, struct points *points, uint8_t protocol, int port)
{
	if (port >= 0 && port <= UINT16_MAX)
		add_point(corner, points, (struct point){.protocol = protocol, .port = (uint16_t)port});
}

static void add_ports(const struct corner *corner, struct points *points, uint8_t protocol,
                      const struct port_range *ports, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		add_port(corner, points, protocol, ports[i].first - 1);
		add_port(corner, points, protocol, ports[i].first);
		if (ports[i].last != ports[i].first)
			add_port(corner, points, protocol, ports[i].last);
		add_port(corner, points, protocol, ports[i].last + 1);
	}
	if (count > 0) /* the same number of another protocol */
		add_port(corner, points, protocol == PROTOCOL_TCP ? PROTOCOL_UDP : PROTOCOL_TCP, ports[0].first);
}

static void add_service(const struct corner *corner, struct points *points, const struct service *service)
{
	for (size_t i = 0; service != NULL && i < service->count; i++)
		add_ports(corner, points, service->ports[i].protocol, service->ports[i].ports,
		          service->ports[i].port_count);
}

static void add_icmp(const struct corner *corner, struct points *points, int type, int code)
{
	uint8_t protocol = corner->family == FAMILY_4 ? PROTOCOL_ICMP : PROTOCOL_ICMPV6;

	if (type >= 0 && type <= UINT8_MAX && code >= 0 && code <= UINT8_MAX)
		add_point(corner, points,
		          (struct point){.protocol = protocol, .type = (uint8_t)type, .code = (uint8_t)code});
}

static void add_icmp_edges(const struct corner *corner, struct points *points, const struct what *what)
{
	uint8_t type = what->icmp_type;
	int code = what->icmp_code < 0 ? 0 : what->icmp_code;

	if (what->icmp_name == ICMP_ANY ||
	    (what->icmp_name != ICMP_NUMBER && !icmp_number(what->icmp_name, corner->family, &type)))
		type = corner->family == FAMILY_4 ? 8 : 128;
	for (int near = -1; near <= 1; near++) {
		add_icmp(corner, points, type + near, code);
		add_icmp(corner, points, type, code + near);
	}
}

/* One of each kind, and what housekeeping and management speak of. */
static void add_common(const struct corner *corner, struct points *points)
{
	static const uint8_t protocols[] = {
		PROTOCOL_IGMP, PROTOCOL_IPIP, PROTOCOL_GRE, PROTOCOL_ESP, PROTOCOL_AH, PROTOCOL_VRRP, 41, 89, 253, 255,
	};
	static const int ports[] = {0, 1, 22, 53, 67, 68, 80, 443, 546, 547, 2222, 8000, 65535};
	static const uint8_t with_ports[] = {PROTOCOL_TCP, PROTOCOL_UDP, PROTOCOL_SCTP, PROTOCOL_DCCP,
	                                     PROTOCOL_UDPLITE};

	for (size_t i = 0; i < sizeof protocols; i++)
		add_point(corner, points, (struct point){.protocol = protocols[i]});
	for (size_t i = 0; i < sizeof ports / sizeof *ports; i++)
		for (size_t j = 0; j < sizeof with_ports; j++)
			add_port(corner, points, with_ports[j], ports[i]);
	for (int type = 0; type <= 18; type++)
		add_icmp(corner, points, type, 0);
	for (int type = 126; type <= 146; type++)
		add_icmp(corner, points, type, 0);
	for (int code = 3; code <= 5; code++)
		add_icmp(corner, points, 3, code);
	add_icmp(corner, points, 254, 255);
}

static struct points points_of_rule(const struct corner *corner, const struct rule *rule)
{
	struct points points = {0};

	switch (rule->what.kind) {
	case WHAT_ALL:
		add_common(corner, &points);
		break;
	case WHAT_PROTOCOL:
		for (int near = -1; near <= 1; near++)
			add_point(corner, &points,
			          (struct point){.protocol = (uint8_t)(rule->what.protocol + near), .port = 4242});
		break;
	case WHAT_PORTS:
		add_ports(corner, &points, rule->what.protocol, rule->what.ports, rule->what.port_count);
		break;
	case WHAT_SERVICE:
		add_service(corner, &points, fleet_service(&corner->trial->fleet, rule->what.service));
		break;
	case WHAT_ICMP:
		add_icmp_edges(corner, &points, &rule->what);
		break;
	}
	return points;
}

/* --- packets --- */

static void add_probe(const struct corner *corner, struct addr other, const struct point *point, size_t interface)
{
	struct addr own = own_address(corner->machine, corner->family);
	bool in = corner->direction == DIRECTION_IN;

	APPEND(corner->arena, corner->list,
	       ((struct probe){
		       .direction = corner->direction,
		       .interface = (unsigned)interface,
		       .source = in ? other : own,
		       .destination = in ? own : other,
		       .protocol = point->protocol,
		       .port = point->port,
		       .icmp_type = point->type,
		       .icmp_code = point->code,
	       }));
}

static void combine(const struct corner *corner, const struct addrs *addrs, const struct points *points,
                    size_t interfaces)
{
	for (size_t i = 0; i < addrs->count; i++)
		for (size_t j = 0; j < points->count; j++)
			for (size_t k = 0; k < interfaces; k++)
				add_probe(corner, addrs->items[i], &points->items[j], k);
}

static void add_rule(struct corner *corner, const struct effective_rule *effective)
{
	const struct rule *rule = &effective->held->rule;
	struct addrs addrs = addrs_of_rule(corner, effective);
	struct points points = points_of_rule(corner, rule);

	combine(corner, &addrs, &points, rule->interface.n > 0 ? corner->interface_count : 1);
	for (size_t i = 0; i < addrs.count; i++)
		APPEND(corner->arena, &corner->others, addrs.items[i]);
	for (size_t i = 0; i < points.count; i++)
		APPEND(corner->arena, &corner->points, points.items[i]);
}

static void add_management(struct corner *corner)
{
	const struct settings *settings = &corner->trial->settings;
	int port = (int)(corner->machine->ssh_port != 0 ? corner->machine->ssh_port : settings->ssh_port);
	struct addrs addrs = {0};
	struct points points = {0};

	for (size_t i = 0; i < settings->management_count; i++)
		add_edges(corner, &addrs, prefix_range(settings->management[i]));
	for (int near = -1; near <= 1; near++) {
		add_port(corner, &points, PROTOCOL_TCP, port + near);
		add_port(corner, &points, PROTOCOL_UDP, port + near);
	}
	combine(corner, &addrs, &points, 1);
}

/* xorshift64: the same packets in each run. */
static size_t draw(uint64_t *state, size_t below)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return (size_t)(*state % below);
}

static void add_random(struct corner *corner, size_t count)
{
	uint64_t state = 0x9e3779b97f4a7c15u ^ (uint64_t)corner->family << 8 ^ (uint64_t)corner->direction;

	for (size_t i = 0; i < count; i++) {
		struct addr other = corner->others.items[draw(&state, corner->others.count)];
		const struct point *point = &corner->points.items[draw(&state, corner->points.count)];
		add_probe(corner, other, point, draw(&state, 4) == 0 ? draw(&state, corner->interface_count) : 0);
	}
}

static void fill_corner(struct corner *corner, uint32_t machine, size_t random)
{
	const struct resolved *resolved = corner->trial->resolved;
	const struct resolved_machine *own = &resolved->machines[machine];

	add_strangers(corner, &corner->others);
	add_common(corner, &corner->points);
	combine(corner, &corner->others, &corner->points, 1);
	add_management(corner);
	for (size_t i = 0; i < own->role_count; i++) {
		const struct resolved_role *role = &resolved->roles[own->roles[i]];
		for (size_t j = 0; j < role->rule_count; j++)
			if (role->rules[j].held->rule.direction == corner->direction)
				add_rule(corner, &role->rules[j]);
	}
	add_random(corner, random);
}

void probes_at_edges(struct arena *arena, const struct trial *trial, uint32_t machine, size_t interface_count,
                     size_t random, struct probe_list *list)
{
	static const enum direction directions[] = {DIRECTION_IN, DIRECTION_OUT};
	static const enum family families[] = {FAMILY_4, FAMILY_6};

	for (size_t i = 0; i < 2; i++) {
		for (size_t j = 0; j < 2; j++) {
			struct corner corner = {
				.arena = arena,
				.trial = trial,
				.machine = &trial->fleet.machines[machine],
				.direction = directions[i],
				.family = families[j],
				.interface_count = interface_count,
				.list = list,
			};
			fill_corner(&corner, machine, random);
		}
	}
}

size_t probes_thin(struct probe *probes, size_t count, size_t most)
{
	size_t step = count / most + 1, kept = 0;

	for (size_t i = 0; i < count; i += step)
		probes[kept++] = probes[i];
	return kept;
}
