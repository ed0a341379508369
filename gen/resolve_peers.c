/* What the words of a rule stand for: the addresses of its peers, and its `what` as protocols, ports and types of one
 * family. Owns the difference between peers of allow rules and those of deny and reject. Pure; knows nothing of
 * iptables. */
#include "fleetwall/arena.h"
#include "fleetwall/resolve.h"

struct ranges {
	struct range *items;
	size_t count, capacity;
};

/* Room for more, so that many need not move while they come. */
static void make_room(struct arena *scratch, struct ranges *ranges, size_t more)
{
	struct range *items = arena_raw(scratch, (ranges->count + more) * sizeof *items);

	for (size_t i = 0; i < ranges->count; i++)
		items[i] = ranges->items[i];
	ranges->items = items;
	ranges->capacity = ranges->count + more;
}

/* What an address must be to count. */
struct wanted {
	enum family family;
	bool refusing;    /* of disabled machines too */
	struct str label; /* empty: any */
};

static void add_machine(struct arena *scratch, struct ranges *ranges, const struct machine *machine,
                        const struct wanted *wanted)
{
	if (!machine->enabled && !wanted->refusing)
		return;
	for (size_t i = 0; i < machine->address_count; i++) {
		const struct machine_address *address = &machine->addresses[i];

		if (address->addr.family != wanted->family ||
		    (wanted->label.n > 0 && !str_eq(address->label, wanted->label)))
			continue;
		APPEND(scratch, ranges, ((struct range){address->addr.bits, address->addr.bits, wanted->family}));
	}
}

static void add_role(struct arena *scratch, struct ranges *ranges, const struct resolved *resolved,
                     const struct role *role, const struct wanted *wanted)
{
	const struct machine *machines = resolved->fleet->machines;
	const struct resolved_role *members;
	size_t most = 0;

	if (role == NULL)
		return;
	members = &resolved->roles[role - resolved->fleet->roles];
	for (size_t i = 0; i < members->member_count; i++)
		most += machines[members->members[i]].address_count;
	make_room(scratch, ranges, most);
	for (size_t i = 0; i < members->member_count; i++)
		add_machine(scratch, ranges, &machines[members->members[i]], wanted);
}

static void add_network(struct arena *scratch, struct ranges *ranges, const struct network *network,
                        const struct wanted *wanted)
{
	for (size_t i = 0; network != NULL && i < network->prefix_count; i++)
		if (network->prefixes[i].addr.family == wanted->family)
			APPEND(scratch, ranges, prefix_range(network->prefixes[i]));
}

struct addr_set peer_addresses(struct arena *arena, const struct resolved *resolved, const struct peer *peer,
                               const struct role *role, bool refusing, enum family family)
{
	const struct fleet *fleet = resolved->fleet;
	struct wanted wanted = {.family = family, .refusing = refusing};
	struct arena *scratch = arena_new();
	struct ranges ranges = {0};
	const struct machine *machine;

	switch (peer->kind) {
	case PEER_LITERAL:
		APPEND(scratch, &ranges, peer->literal);
		break;
	case PEER_SELF:
		add_role(scratch, &ranges, resolved, role, &wanted);
		break;
	case PEER_MACHINE:
		machine = fleet_machine(fleet, peer->name);
		if (machine != NULL)
			add_machine(scratch, &ranges, machine, &wanted);
		break;
	case PEER_NETWORK:
		add_network(scratch, &ranges, fleet_network(fleet, peer->name), &wanted);
		break;
	case PEER_ROLE:
		wanted.label = peer->label;
		add_role(scratch, &ranges, resolved, fleet_role(fleet, peer->name), &wanted);
		break;
	}
	struct addr_set set = addr_set_of(arena, family, ranges.items, ranges.count);
	arena_free(scratch);
	return set;
}

size_t rule_literals(struct arena *arena, const struct rule *rule, enum family family, struct range **ranges)
{
	size_t count = 0;

	*ranges = ARENA_ARRAY(arena, struct range, rule->peer_count);
	for (size_t i = 0; i < rule->peer_count; i++)
		if (rule->peers[i].kind == PEER_LITERAL && rule->peers[i].literal.family == family)
			(*ranges)[count++] = rule->peers[i].literal;
	return count;
}

/* Extension headers that IPv6 hides behind the last one: `-p 43` never matches there. */
static bool protocol_speaks(uint8_t protocol, enum family family)
{
	if (protocol == PROTOCOL_ICMP)
		return family == FAMILY_4;
	if (protocol == PROTOCOL_ICMPV6)
		return family == FAMILY_6;
	return family == FAMILY_4 || (protocol != 43 && protocol != 44 && protocol != 60);
}

static bool what_speaks(const struct what *what, enum family family)
{
	switch (what->kind) {
	case WHAT_ICMP:
		return family == FAMILY_4 ? what->icmp4 : what->icmp6;
	case WHAT_PROTOCOL:
		return protocol_speaks(what->protocol, family);
	case WHAT_ALL:
	case WHAT_PORTS:
	case WHAT_SERVICE:
		return true;
	}
	return false;
}

bool rule_speaks(const struct rule *rule, enum family family)
{
	if (!what_speaks(&rule->what, family))
		return false;
	if (rule->any)
		return true;
	for (size_t i = 0; i < rule->peer_count; i++)
		if (rule->peers[i].kind != PEER_LITERAL || rule->peers[i].literal.family == family)
			return true;
	return false;
}

/* All ports are no condition. */
static struct match_what match_ports(uint8_t protocol, const struct port_range *ports, size_t count)
{
	struct match_what match = {
		.protocol = protocol, .ports = ports, .port_count = count, .icmp_type = -1, .icmp_code = -1};

	if (count == 1 && ports[0].first == 0 && ports[0].last == UINT16_MAX)
		match.port_count = 0;
	return match;
}

static struct match_what match_icmp(const struct what *what, enum family family)
{
	struct match_what match = {
		.protocol = family == FAMILY_4 ? PROTOCOL_ICMP : PROTOCOL_ICMPV6, .icmp_type = -1, .icmp_code = -1};
	uint8_t type = what->icmp_type;

	if (what->icmp_name == ICMP_ANY)
		return match;
	if (what->icmp_name != ICMP_NUMBER)
		(void)icmp_number(what->icmp_name, family, &type); /* these names have a number in both families */
	match.icmp_type = type;
	match.icmp_code = what->icmp_code;
	return match;
}

static size_t match_service(struct arena *arena, const struct service *service, struct match_what **whats)
{
	size_t count = service != NULL ? service->count : 0;

	size_t kept = 0;

	*whats = ARENA_ARRAY(arena, struct match_what, count);
	for (size_t i = 0; i < count; i++)
		if (service->ports[i].port_count > 0) /* no port must not become every port */
			(*whats)[kept++] = match_ports(service->ports[i].protocol, service->ports[i].ports,
			                               service->ports[i].port_count);
	return kept;
}

size_t rule_whats(struct arena *arena, const struct fleet *fleet, const struct rule *rule, enum family family,
                  struct match_what **whats)
{
	const struct what *what = &rule->what;

	*whats = NULL;
	if (!what_speaks(what, family) || (what->kind == WHAT_PORTS && what->port_count == 0))
		return 0;
	if (what->kind == WHAT_SERVICE)
		return match_service(arena, fleet_service(fleet, what->service), whats);
	*whats = ARENA_NEW(arena, struct match_what);
	switch (what->kind) {
	case WHAT_ICMP:
		**whats = match_icmp(what, family);
		break;
	case WHAT_PORTS:
		**whats = match_ports(what->protocol, what->ports, what->port_count);
		break;
	case WHAT_PROTOCOL:
		**whats = match_ports(what->protocol, NULL, 0);
		break;
	case WHAT_ALL:
	case WHAT_SERVICE: /* returned above */
		**whats = match_ports(0, NULL, 0);
		break;
	}
	return 1;
}
