/* Which packets are compared: those that open a connection between ordinary ends. What conntrack calls NEW; of TCP a
 * SYN alone; from a port that somebody can send from; at a machine that the packet is for, from an address that is one
 * host's. What a filter does with others (scans with strange flags, broadcasts as sources) no rule of ours can say, and
 * its lines are told as left out. Beside them stands what housekeeping and management let through in any case. */
#include "fleetwall/names.h"
#include "takeover.h"

const char takeover_claims[] =
	"packets that open a connection (conntrack's NEW; of TCP a SYN alone) from one host's address and a source "
	"port other than 0, beside what housekeeping and management let through";

#define FLAGS_SIX 0x3f /* FIN to URG: those that iptables knows */
#define FLAG_SYN 0x02

/* --- types of addresses ---
 *
 * -m addrtype asks the routing table; here its answers are conditions. A packet is of one type at each end: so with
 * `--dst-type LOCAL` true, `--dst-type MULTICAST` is not. */

static const char *const types_in_4[] = {"LOCAL", "BROADCAST", "MULTICAST", NULL};
static const char *const types_in_6[] = {"LOCAL", "ANYCAST", "MULTICAST", NULL};
static const char *const types_out[] = {"UNICAST", "LOCAL", "BROADCAST", "MULTICAST", "ANYCAST", NULL};
static const char *const types_host[] = {"UNICAST", NULL};
static const char *const types_own[] = {"LOCAL", NULL};

static bool names_type(struct str list, const char *type)
{
	struct str part;

	while (str_cut(&list, ',', &part))
		if (str_is(part, type))
			return true;
	return false;
}

/* All conditions "addrtype dst …" of the filter, each once. */
static void find_conditions(const struct filter *filter, struct str beginning, struct names *found)
{
	for (size_t i = 0; i < filter->chain_count; i++)
		for (size_t k = 0; k < filter->chains[i].rule_count; k++) {
			const struct filter_rule *rule = &filter->chains[i].rules[k];

			for (size_t m = 0; m < rule->match_count; m++)
				if ((rule->matches[m].kind == MATCH_CONDITION ||
				     rule->matches[m].kind == MATCH_ADDRTYPE_LOCAL) &&
				    str_starts(rule->matches[m].text, beginning))
					names_add(found, rule->matches[m].text);
		}
}

/* Packets whose address at that end is of one of the types. What is bound to an interface is left as it is. */
static struct packets of_types(struct arena *arena, const struct filter *filter, const char *end,
                               const char *const *types)
{
	struct str beginning = str_format(arena, "addrtype %s ", end);
	struct names *found = names_new(arena);
	struct packets any = packets_none();

	find_conditions(filter, beginning, found);
	for (; *types != NULL; types++) {
		struct packets one = packets_all();

		for (uint32_t i = 0; i < names_count(found); i++) {
			struct str text = names_get(found, i), list = str_slice(text, beginning.n, text.n);
			struct packets condition = packets_condition(text);

			if (str_find(list, ' ') < list.n)
				continue;
			one = packets_and(one, names_type(list, *types) ? condition : packets_not(condition));
		}
		any = packets_or(any, one);
	}
	return any;
}

/* --- ordinary packets --- */

static struct packets protocols(const unsigned *list, size_t count)
{
	struct packets set = packets_none();

	for (size_t i = 0; i < count; i++)
		set = packets_or(set, packets_number(FIELD_PROTOCOL, list[i]));
	return set;
}

/* 0 is no protocol of a packet; of IPv6 these are headers, behind which the protocol stands. */
static struct packets no_protocols(enum family family)
{
	static const unsigned list[] = {0, 43, 44, 60};

	return protocols(list, family == FAMILY_6 ? 4 : 1);
}

static struct packets ordinary(const struct space *space)
{
	static const unsigned ported[] = {PROTOCOL_TCP, PROTOCOL_UDP, PROTOCOL_UDPLITE, PROTOCOL_SCTP, PROTOCOL_DCCP};
	struct packets set = packets_and(space->all, packets_state(STATE_NEW));
	struct packets no_port = packets_and(protocols(ported, 5), packets_number(FIELD_SOURCE_PORT, 0));
	struct packets tcp = packets_number(FIELD_PROTOCOL, PROTOCOL_TCP);

	set = packets_without(set, no_port);
	set = packets_without(set, packets_without(tcp, packets_bits(FIELD_FLAGS, FLAGS_SIX, FLAG_SYN)));
	set = packets_without(set, no_protocols(space->family));
	return set;
}

/* --- what is there without rules --- */

/* A machine of that port without rules, from which nothing may leave: what passes there is housekeeping, and
 * management. */
static struct packets kept_by(struct arena *arena, const struct settings *settings, unsigned ssh_port,
                              enum family family, bool out)
{
	static struct str role = {"closed", 6};
	struct machine machine = {
		.name = STR("any"), .enabled = true, .ssh_port = ssh_port, .roles = &role, .role_count = 1};
	struct role closed = {.name = role, .egress = EGRESS_CLOSED};
	struct fleet fleet = {.machines = &machine, .machine_count = 1, .roles = &closed, .role_count = 1};
	struct intents intents = intent_of(arena, intent_new(arena, &fleet, settings), 0, family, NULL, NULL);

	return out ? intents.out.accepted : intents.in.accepted;
}

struct packets space_cells(const struct space *space, struct packets set)
{
	unsigned ends = space->out ? 1U << FIELD_OUT | 1U << FIELD_DESTINATION : 1U << FIELD_IN | 1U << FIELD_SOURCE;

	return packets_only(set, ends | 1U << FIELD_FAMILY | 1U << FIELD_PROTOCOL | 1U << FIELD_PORT);
}

struct space space_of(struct arena *arena, const struct filter *filter, const struct settings *settings,
                      unsigned ssh_port, bool out)
{
	struct space space = {.family = filter->family, .out = out, .all = intent_compared(filter->family)};
	const char *const *types_in = filter->family == FAMILY_4 ? types_in_4 : types_in_6;
	struct packets types, others;

	space.opening = ordinary(&space);
	types = packets_and(of_types(arena, filter, "dst", out ? types_out : types_in),
	                    of_types(arena, filter, "src", out ? types_own : types_host));
	space.opening = packets_and(space.opening, types);
	space.kept = kept_by(arena, settings, ssh_port, filter->family, out);
	space.cells = space_cells(&space, space.opening);
	others = space_cells(&space, packets_without(space.opening, space.kept));
	space.free = packets_without(packets_family(filter->family), others);
	space.free_everywhere =
		packets_without(packets_family(filter->family), packets_any(others, out ? FIELD_OUT : FIELD_IN));
	return space;
}
