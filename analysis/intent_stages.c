/* What stands before and behind the rules of a machine: housekeeping, management, the default (SPEC §2). It knows no
 * rules. */
#include "intent_parts.h"

bool has_ruleset(const struct machine *machine)
{
	return machine->enabled && machine->enforcement != ENFORCEMENT_UNMANAGED;
}

bool egress_closed(const struct intent *intent, size_t machine)
{
	const struct number_list *held = &intent->held[machine];

	for (size_t i = 0; i < held->count; i++)
		if (intent->fleet->roles[held->items[i]].egress == EGRESS_CLOSED)
			return true;
	return false;
}

unsigned ssh_port_of(const struct intent *intent, size_t machine)
{
	unsigned port = intent->fleet->machines[machine].ssh_port;

	return port != 0 ? port : intent->settings->ssh_port;
}

/* --- housekeeping --- */

static void add(struct packets *set, struct packets more)
{
	*set = packets_or(*set, more);
}

static struct packets protocol_with(uint8_t protocol, struct packets rest)
{
	return packets_and(packets_number(FIELD_PROTOCOL, protocol), rest);
}

/* ICMP types first to last, of every code. */
static struct packets icmp_types(enum family family, unsigned first, unsigned last)
{
	return protocol_with(family == FAMILY_4 ? PROTOCOL_ICMP : PROTOCOL_ICMPV6,
	                     packets_numbers(FIELD_PORT, first << 8, last << 8 | UINT8_MAX));
}

/* What path MTU discovery needs: fragmentation needed; on IPv6 types 1 to 4. */
static struct packets icmp_errors(enum family family)
{
	return family == FAMILY_4 ? protocol_with(PROTOCOL_ICMP, packets_number(FIELD_PORT, 3 << 8 | 4))
	                          : icmp_types(FAMILY_6, 1, 4);
}

/* Neighbour and router discovery and MLD; outbound IGMP, which is IPv4's MLD. */
static struct packets neighbour_discovery(enum family family, bool out)
{
	if (family == FAMILY_6)
		return packets_or(icmp_types(FAMILY_6, 130, 137), icmp_types(FAMILY_6, 143, 143));
	return out ? packets_number(FIELD_PROTOCOL, PROTOCOL_IGMP) : packets_none();
}

/* From a server's port to a client's; outbound the other way. */
static struct packets dhcp(enum family family, bool out)
{
	unsigned server = family == FAMILY_4 ? 67 : 547, client = family == FAMILY_4 ? 68 : 546;
	unsigned from = out ? client : server, to = out ? server : client;
	struct prefix link_local = {{(addr_bits)0xfe80 << 112, FAMILY_6}, 10};
	struct packets set = packets_and(packets_number(FIELD_SOURCE_PORT, from), packets_number(FIELD_PORT, to));

	if (family == FAMILY_6 && !out)
		set = packets_and(set, packets_prefix(FIELD_SOURCE, link_local));
	return protocol_with(PROTOCOL_UDP, set);
}

static struct packets known_flows(void)
{
	return packets_or(packets_state(STATE_ESTABLISHED), packets_state(STATE_RELATED));
}

static void make_housekeeping(const struct settings *settings, enum family family, bool out, struct housekeeping *made)
{
	*made = (struct housekeeping){packets_none(), packets_none(), packets_none(), true};
	if (settings->loopback)
		add(&made->before, packets_interface(out ? FIELD_OUT : FIELD_IN, STR("lo")));
	if (settings->icmp_errors && !out)
		add(&made->before, icmp_errors(family));
	if (settings->established)
		add(&made->before, known_flows());
	if (settings->neighbour_discovery)
		add(&made->before, neighbour_discovery(family, out));
	if (settings->drop_invalid && !out)
		add(&made->drop, packets_state(STATE_INVALID));
	if (settings->dhcp)
		add(&made->behind, dhcp(family, out));
}

const struct housekeeping *housekeeping_of(struct intent *intent, enum family family, bool out)
{
	struct housekeeping *known = &intent->housekeeping[family_index(family)][out];

	if (!known->made) {
		make_housekeeping(intent->settings, family, out, known);
		packets_keep(known->before);
		packets_keep(known->drop);
		packets_keep(known->behind);
	}
	return known;
}

/* --- management --- */

struct packets management_of(const struct intent *intent, size_t machine, enum family family, bool out)
{
	const struct settings *settings = intent->settings;
	struct packets others = packets_none();

	for (size_t i = 0; i < settings->management_count; i++)
		if (settings->management[i].addr.family == family)
			add(&others, packets_prefix(out ? FIELD_DESTINATION : FIELD_SOURCE, settings->management[i]));
	return packets_and(others, protocol_with(PROTOCOL_TCP, packets_number(out ? FIELD_SOURCE_PORT : FIELD_PORT,
	                                                                      ssh_port_of(intent, machine))));
}
