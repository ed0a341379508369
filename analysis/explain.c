/* explain(): the stages of SPEC §2 for one packet, walked over the model. It looks at no rendered byte and no set file,
 * so that a mistake of the generator shows as a difference. The packet opens a connection from an ordinary port:
 * established and DHCP never apply, and no packet is taken for INVALID; loopback is where the question says `on lo`. A
 * machine that asks itself is no exception, its addresses are ordinary ones. */
#include <stdlib.h>
#include <string.h>

#include "explainer.h"
#include "fleetwall/arena.h"

#define ACTIONS 3

/* What one machine says of one packet. */
struct opinion {
	bool allow;
	enum stage stage;
	const struct effective_rule **rules;
	size_t rule_count;
};

struct str stage_str(enum stage stage)
{
	switch (stage) {
	case STAGE_HOUSEKEEPING:
		return STR("housekeeping");
	case STAGE_MANAGEMENT:
		return STR("management");
	case STAGE_DENY:
		return STR("deny");
	case STAGE_REJECT:
		return STR("reject");
	case STAGE_ALLOW:
		return STR("allow");
	case STAGE_DEFAULT:
		return STR("default");
	case STAGE_NO_ADDRESS:
		return STR("no-address");
	case STAGE_NO_RULESET:
		return STR("no-ruleset");
	case STAGE_MONITOR:
		return STR("monitor");
	}
	return STR("");
}

/* --- the rules of a role, by direction and action --- */

static void index_rule(struct explainer *explainer, struct indexed_role *indexed,
                       const struct effective_rule *effective)
{
	const struct rule *rule = &effective->held->rule;
	struct indexed_rule *entry = ARENA_NEW(explainer->arena, struct indexed_rule);
	struct rule_list *list = &indexed->lists[rule->direction][rule->action];

	entry->effective = effective;
	entry->peers = ARENA_ARRAY(explainer->arena, uint32_t, rule->peer_count);
	for (size_t i = 0; i < rule->peer_count; i++)
		entry->peers[i] = rule->peers[i].kind == PEER_LITERAL
		                          ? NAMES_NONE
		                          : peers_number(explainer->peers, &rule->peers[i], effective->role);
	APPEND(explainer->arena, list, entry);
}

const struct indexed_role *explainer_role(struct explainer *explainer, uint32_t role)
{
	const struct resolved_role *resolved = &explainer->resolved->roles[role];
	struct indexed_role *indexed = explainer->roles[role];

	if (indexed == NULL) {
		indexed = explainer->roles[role] = ARENA_NEW(explainer->arena, struct indexed_role);
		for (size_t i = 0; i < resolved->rule_count; i++)
			index_rule(explainer, indexed, &resolved->rules[i]);
	}
	return indexed;
}

struct explainer *explainer_new(struct arena *arena, const struct resolved *resolved, const struct settings *settings)
{
	struct explainer *explainer = ARENA_NEW(arena, struct explainer);

	*explainer = (struct explainer){
		.arena = arena, .resolved = resolved, .settings = settings, .peers = peers_new(arena, resolved),
		.roles = ARENA_ARRAY(arena, struct indexed_role *, resolved->fleet->role_count),
	};
	return explainer;
}

/* --- deny, reject, allow --- */

static bool peer_has(struct explainer *explainer, const struct indexed_rule *indexed, size_t peer, struct addr addr)
{
	const struct rule *rule = &indexed->effective->held->rule;
	struct range host = {.first = addr.bits, .last = addr.bits, .family = addr.family};
	bool refusing = rule->action != ACTION_ALLOW;

	if (indexed->peers[peer] == NAMES_NONE)
		return range_covers(rule->peers[peer].literal, host);
	return addr_set_has(peers_set(explainer->peers, indexed->peers[peer], refusing, addr.family), addr);
}

static bool peers_have(struct explainer *explainer, const struct indexed_rule *indexed, struct addr addr)
{
	const struct rule *rule = &indexed->effective->held->rule;

	if (rule->any)
		return true;
	for (size_t i = 0; i < rule->peer_count; i++)
		if (peer_has(explainer, indexed, i, addr))
			return true;
	return false;
}

bool passage_matches(const struct passage *passage, const struct indexed_rule *indexed)
{
	const struct rule *rule = &indexed->effective->held->rule;

	return what_covers(passage->explainer->resolved->fleet, &rule->what, &passage->packet) &&
	       interface_covers(rule->interface, passage->packet.interface) &&
	       peers_have(passage->explainer, indexed, passage->other);
}

static int by_id(const void *a, const void *b)
{
	const struct effective_rule *const *left = a, *const *right = b;

	return strcmp((*left)->id, (*right)->id);
}

struct matches {
	const struct effective_rule **items;
	size_t count, capacity;
};

static void sort_unique(struct matches *matches)
{
	size_t kept = 0;

	if (matches->count == 0)
		return;
	qsort(matches->items, matches->count, sizeof *matches->items, by_id);
	for (size_t i = 0; i < matches->count; i++)
		if (kept == 0 || strcmp(matches->items[kept - 1]->id, matches->items[i]->id) != 0)
			matches->items[kept++] = matches->items[i];
	matches->count = kept;
}

static struct matches matching_rules(const struct passage *passage, enum action action)
{
	const struct resolved_machine *machine = &passage->explainer->resolved->machines[passage->machine];
	struct matches matches = {0};

	for (size_t i = 0; i < machine->role_count; i++) {
		const struct indexed_role *role = explainer_role(passage->explainer, machine->roles[i]);
		const struct rule_list *list = &role->lists[passage->direction][action];
		for (size_t j = 0; j < list->count; j++)
			if (passage_matches(passage, list->items[j]))
				APPEND(passage->arena, &matches, list->items[j]->effective);
	}
	sort_unique(&matches);
	return matches;
}

static bool decided_by_rules(const struct passage *passage, struct opinion *opinion)
{
	static const struct {
		enum action action;
		enum stage stage;
	} order[ACTIONS] = {{ACTION_DENY, STAGE_DENY}, {ACTION_REJECT, STAGE_REJECT}, {ACTION_ALLOW, STAGE_ALLOW}};

	for (size_t i = 0; i < ACTIONS; i++) {
		struct matches matches = matching_rules(passage, order[i].action);
		if (matches.count > 0) {
			*opinion = (struct opinion){order[i].action == ACTION_ALLOW, order[i].stage, matches.items,
			                            matches.count};
			return true;
		}
	}
	return false;
}

/* --- housekeeping, management, default --- */

static bool is_neighbour_discovery(const struct packet *packet)
{
	return packet_is_icmp(packet, FAMILY_6) &&
	       ((packet->icmp_type >= 130 && packet->icmp_type <= 137) || packet->icmp_type == 143);
}

/* What path MTU discovery needs: fragmentation needed; on IPv6 all four kinds of error. */
static bool is_icmp_error(const struct packet *packet)
{
	return (packet_is_icmp(packet, FAMILY_4) && packet->icmp_type == 3 && packet->icmp_code == 4) ||
	       (packet_is_icmp(packet, FAMILY_6) && packet->icmp_type >= 1 && packet->icmp_type <= 4);
}

static bool is_igmp(const struct packet *packet)
{
	return packet->family == FAMILY_4 && packet->protocol == PROTOCOL_IGMP;
}

bool passage_is_housekeeping(const struct passage *passage)
{
	const struct settings *settings = passage->explainer->settings;
	const struct packet *packet = &passage->packet;

	if (settings->loopback && str_is(packet->interface, "lo"))
		return true;
	if (settings->neighbour_discovery && is_neighbour_discovery(packet))
		return true;
	if (passage->direction == DIRECTION_IN)
		return settings->icmp_errors && is_icmp_error(packet);
	return settings->neighbour_discovery && is_igmp(packet);
}

static unsigned ssh_port(const struct passage *passage)
{
	const struct machine *machine = passage->explainer->resolved->machines[passage->machine].machine;

	return machine->ssh_port != 0 ? machine->ssh_port : passage->explainer->settings->ssh_port;
}

/* Inbound alone: outbound it is the source port that is SSH's, which no new connection has. */
static bool management_lets(const struct passage *passage)
{
	const struct settings *settings = passage->explainer->settings;
	const struct packet *packet = &passage->packet;
	struct range host = {
		.first = passage->other.bits, .last = passage->other.bits, .family = passage->other.family};

	if (passage->direction != DIRECTION_IN || packet->protocol != PROTOCOL_TCP || !packet->has_port ||
	    packet->port != ssh_port(passage))
		return false;
	for (size_t i = 0; i < settings->management_count; i++)
		if (range_covers(prefix_range(settings->management[i]), host))
			return true;
	return false;
}

static bool default_lets(const struct passage *passage)
{
	return passage->direction == DIRECTION_OUT &&
	       !machine_egress_closed(passage->explainer->resolved, passage->machine);
}

static struct opinion ruleset_says(const struct passage *passage)
{
	struct opinion opinion = {.allow = true};

	if (passage_is_housekeeping(passage))
		opinion.stage = STAGE_HOUSEKEEPING;
	else if (management_lets(passage))
		opinion.stage = STAGE_MANAGEMENT;
	else if (!decided_by_rules(passage, &opinion))
		opinion = (struct opinion){.allow = default_lets(passage), .stage = STAGE_DEFAULT};
	return opinion;
}

static struct opinion machine_says(const struct passage *passage)
{
	const struct machine *machine = passage->explainer->resolved->machines[passage->machine].machine;
	struct opinion opinion;

	if (!machine_has_ruleset(machine))
		return (struct opinion){.allow = true, .stage = STAGE_NO_RULESET};
	opinion = ruleset_says(passage);
	if (!opinion.allow && machine->enforcement == ENFORCEMENT_MONITOR) {
		opinion.allow = true;
		opinion.stage = STAGE_MONITOR;
	}
	return opinion;
}

/* --- both ends --- */

struct question {
	struct arena *arena;
	struct explainer *explainer;
	const struct end *source, *destination;
	const struct packet_what *what;
};

static struct opinion end_says(const struct question *question, const struct end *end, enum direction direction,
                               struct addr other)
{
	struct passage passage = {
		.arena = question->arena,
		.explainer = question->explainer,
		.machine = end->machine,
		.direction = direction,
		.packet = packet_of(question->what, other.family),
		.other = other,
	};

	return machine_says(&passage);
}

/* The source's say if it denies, else the destination's; an address has none. */
static struct opinion pair_says(const struct question *question, struct addr source, struct addr destination)
{
	struct opinion opinion = {0};

	if (question->source->is_machine)
		opinion = end_says(question, question->source, DIRECTION_OUT, destination);
	if (question->destination->is_machine && (opinion.allow || !question->source->is_machine))
		opinion = end_says(question, question->destination, DIRECTION_IN, source);
	return opinion;
}

static void answer(struct verdict *verdict, struct opinion opinion)
{
	verdict->allow = opinion.allow;
	verdict->stage = opinion.stage;
	verdict->rules = opinion.rules;
	verdict->rule_count = opinion.rule_count;
}

static const struct machine *machine_of(const struct question *question, const struct end *end)
{
	return question->explainer->resolved->machines[end->machine].machine;
}

static void answer_machines(const struct question *question, struct verdict *verdict)
{
	const struct machine *source = machine_of(question, question->source);
	const struct machine *destination = machine_of(question, question->destination);
	bool first = true;

	answer(verdict, (struct opinion){.allow = false, .stage = STAGE_NO_ADDRESS});
	for (size_t i = 0; i < source->address_count; i++) {
		for (size_t j = 0; j < destination->address_count; j++) {
			struct addr from = source->addresses[i].addr, to = destination->addresses[j].addr;
			struct opinion opinion;
			if (from.family != to.family)
				continue;
			opinion = pair_says(question, from, to);
			if (!first && opinion.allow)
				continue;
			answer(verdict, opinion);
			verdict->source = from;
			verdict->destination = to;
			verdict->has_source = verdict->has_destination = true;
			if (!opinion.allow)
				return;
			first = false;
		}
	}
}

/* The machine's first address of a family, for the answer; a machine without one has its say all the same. */
static bool address_of(const struct question *question, const struct end *end, enum family family, struct addr *addr)
{
	const struct machine *machine;

	if (!end->is_machine) {
		*addr = end->addr;
		return true;
	}
	machine = machine_of(question, end);
	for (size_t i = 0; i < machine->address_count; i++) {
		if (machine->addresses[i].addr.family == family) {
			*addr = machine->addresses[i].addr;
			return true;
		}
	}
	return false;
}

static void answer_address(const struct question *question, struct verdict *verdict)
{
	enum family family =
		question->source->is_machine ? question->destination->addr.family : question->source->addr.family;

	answer(verdict, pair_says(question, question->source->addr, question->destination->addr));
	verdict->has_source = address_of(question, question->source, family, &verdict->source);
	verdict->has_destination = address_of(question, question->destination, family, &verdict->destination);
}

struct error *explain(struct arena *arena, struct explainer *explainer, const struct end *source,
                      const struct end *destination, const struct packet_what *what, struct verdict *verdict)
{
	const struct question question = {arena, explainer, source, destination, what};

	if (!source->is_machine && !destination->is_machine)
		return error_hint(error_new(ERROR_USAGE, "both ends are addresses, so no machine has a say"),
		                  "name a machine for at least one end; an address is never looked up to a machine");
	*verdict = (struct verdict){0};
	if (source->is_machine && destination->is_machine)
		answer_machines(&question, verdict);
	else
		answer_address(&question, verdict);
	return NULL;
}

static void count_pair(const struct question *question, struct addr source, struct addr destination,
                       struct pairs *pairs)
{
	if (source.family != destination.family)
		return;
	pairs->count++;
	if (!pair_says(question, source, destination).allow)
		return;
	if (pairs->passing++ > 0)
		return;
	pairs->source = source;
	pairs->destination = destination;
}

struct pairs explain_pairs(struct arena *arena, struct explainer *explainer, const struct end *source,
                           const struct end *destination, const struct packet_what *what)
{
	const struct question question = {arena, explainer, source, destination, what};
	const struct machine *from, *to;
	struct pairs pairs = {0};

	if (!source->is_machine || !destination->is_machine)
		return pairs;
	from = machine_of(&question, source);
	to = machine_of(&question, destination);
	for (size_t i = 0; i < from->address_count; i++)
		for (size_t j = 0; j < to->address_count; j++)
			count_pair(&question, from->addresses[i].addr, to->addresses[j].addr, &pairs);
	return pairs;
}
