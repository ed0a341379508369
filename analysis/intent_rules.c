/* Which rules count now, and what packets each speaks of: the language of SPEC §3 as sets of packets. It knows no
 * stages and no machines. */
#include "fleetwall/arena.h"
#include "fleetwall/filter.h"
#include "intent_parts.h"

#define BURST_MOST 5
/* 2038-01-19T03:14:07Z, the last that -m time takes, is what stands there when no end is given: it is none. */
#define KERNEL_LAST_SECOND INT32_MAX

/* --- which rules, and their peers --- */

struct noting {
	struct intent *intent;
	struct arena *scratch;
	const struct role *role;
};

static bool counts(const struct role_rule *held, int64_t clock)
{
	return held->enabled && (held->rule.since == TIME_NONE || held->rule.since <= clock) &&
	       (held->rule.until == TIME_NONE || clock < held->rule.until);
}

/* A family's literals: none, one prefix, or a set. What /0 covers lies in no list beside it. */
static void note_literals(const struct noting *noting, struct meant_rule *meant, enum family family)
{
	const struct rule *rule = &meant->held->rule;
	struct meant_literals *literals = &meant->literals[family_index(family)];
	const struct peer *last = NULL;
	size_t count = 0;

	for (size_t i = 0; i < rule->peer_count; i++) {
		if (rule->peers[i].kind != PEER_LITERAL || rule->peers[i].literal.family != family)
			continue;
		last = &rule->peers[i];
		count++;
	}
	if (count == 0)
		return;
	literals->kind = LITERALS_PREFIX;
	if (count == 1 && range_prefix(last->literal, &literals->prefix))
		return;
	literals->kind = LITERALS_SET;
	literals->set = set_number(noting->intent, noting->scratch, noting->role, rule, last);
	noting->intent->sets.items[literals->set].needed[family_index(family)] = true;
}

static void note_peers(const struct noting *noting, struct meant_rule *meant)
{
	const struct rule *rule = &meant->held->rule;
	struct intent *intent = noting->intent;

	note_literals(noting, meant, FAMILY_4);
	note_literals(noting, meant, FAMILY_6);
	meant->sets = ARENA_ARRAY(intent->arena, uint32_t, rule->peer_count);
	for (size_t i = 0; i < rule->peer_count; i++) {
		uint32_t set;

		if (rule->peers[i].kind == PEER_LITERAL)
			continue;
		set = meant->sets[meant->set_count++] = set_number(
			intent, noting->scratch, noting->role, rule, &rule->peers[i]);
		intent->sets.items[set].needed[0] = intent->sets.items[set].needed[1] = true;
	}
}

/* --- conditions: a rate, an end --- */

static struct str rate_name(struct arena *arena, const struct rule *rule)
{
	static const unsigned seconds[] = {
		[LIMIT_SECOND] = 1, [LIMIT_MINUTE] = 60, [LIMIT_HOUR] = 3600, [LIMIT_DAY] = 86400};
	struct filter_rate rate = {
		.count = rule->limit,
		.seconds = seconds[rule->limit_unit],
		.burst = rule->limit < BURST_MOST ? rule->limit : BURST_MOST,
		.mode = rule->direction == DIRECTION_IN ? STR("srcip") : STR("dstip"),
	};

	return filter_hashlimit_name(arena, &rate);
}

static void note_conditions(struct intent *intent, struct meant_rule *meant)
{
	const struct rule *rule = &meant->held->rule;

	if (rule->action != ACTION_ALLOW)
		return;
	if (rule->limit_unit != LIMIT_NONE)
		meant->rate = rate_name(intent->arena, rule);
	if (rule->until != TIME_NONE && rule->until - 1 < KERNEL_LAST_SECOND)
		meant->ending = filter_until_name(intent->arena, rule->until - 1);
}

static void note_role(const struct noting *noting, struct meant_role *meant)
{
	const struct role *role = noting->role;
	struct intent *intent = noting->intent;

	meant->rules = ARENA_ARRAY(intent->arena, struct meant_rule, role->rule_count);
	for (size_t i = 0; i < role->rule_count; i++) {
		struct meant_rule *rule = &meant->rules[meant->rule_count];

		if (!counts(&role->rules[i], intent->fleet->clock))
			continue;
		rule->held = &role->rules[i];
		note_peers(noting, rule);
		note_conditions(intent, rule);
		meant->rule_count++;
	}
}

void rules_find(struct intent *intent)
{
	struct noting noting = {.intent = intent, .scratch = arena_new()};

	for (size_t i = 0; i < intent->fleet->role_count; i++) {
		noting.role = &intent->fleet->roles[i];
		note_role(&noting, &intent->roles[i]);
	}
	arena_free(noting.scratch);
}

/* --- what --- */

static struct packets ports_packets(uint8_t protocol, const struct port_range *ports, size_t count)
{
	struct packets set = packets_none();

	for (size_t i = 0; i < count; i++)
		set = packets_or(set, packets_numbers(FIELD_PORT, ports[i].first, ports[i].last));
	set = packets_and(set, packets_number(FIELD_PROTOCOL, protocol));
	return packets_and(set, packets_number(FIELD_FRAGMENT, 0));
}

static struct packets service_packets(const struct service *service)
{
	struct packets set = packets_none();

	for (size_t i = 0; service != NULL && i < service->count; i++) {
		const struct service_port *port = &service->ports[i];

		set = packets_or(set, ports_packets(port->protocol, port->ports, port->port_count));
	}
	return set;
}

static struct packets icmp_packets(const struct what *what, enum family family)
{
	uint8_t protocol = family == FAMILY_4 ? PROTOCOL_ICMP : PROTOCOL_ICMPV6, type = what->icmp_type;
	unsigned least = what->icmp_code < 0 ? 0 : (unsigned)what->icmp_code;
	unsigned most = what->icmp_code < 0 ? UINT8_MAX : (unsigned)what->icmp_code;
	struct port_range numbers;

	if (family == FAMILY_4 ? !what->icmp4 : !what->icmp6)
		return packets_none();
	if (what->icmp_name == ICMP_ANY)
		return packets_number(FIELD_PROTOCOL, protocol);
	if (what->icmp_name != ICMP_NUMBER && !icmp_number(what->icmp_name, family, &type))
		return packets_none();
	numbers = (struct port_range){(uint16_t)(type << 8 | least), (uint16_t)(type << 8 | most)};
	return ports_packets(protocol, &numbers, 1);
}

/* IPv6 hides what is behind these headers behind the last protocol: there they speak of nothing (SPEC §3). */
static bool is_extension(uint8_t protocol)
{
	return protocol == 43 || protocol == 44 || protocol == 60;
}

static struct packets what_packets(const struct intent *intent, const struct what *what, enum family family)
{
	switch (what->kind) {
	case WHAT_ALL:
		return packets_all();
	case WHAT_PROTOCOL:
		if (family == FAMILY_6 && is_extension(what->protocol))
			return packets_none();
		return packets_number(FIELD_PROTOCOL, what->protocol);
	case WHAT_PORTS:
		return ports_packets(what->protocol, what->ports, what->port_count);
	case WHAT_SERVICE:
		return service_packets(fleet_service(intent->fleet, what->service));
	case WHAT_ICMP:
		return icmp_packets(what, family);
	}
	return packets_none();
}

struct packets rule_head(const struct intent *intent, struct meant_rule *meant, enum family family)
{
	const struct rule *rule = &meant->held->rule;
	size_t which = family_index(family);
	struct packets set;

	if (meant->made[which])
		return meant->head[which];
	set = packets_and(what_packets(intent, &rule->what, family), packets_family(family));
	if (rule->interface.n > 0)
		set = packets_and(set, packets_interface(rule->direction == DIRECTION_IN ? FIELD_IN : FIELD_OUT,
		                                         rule->interface));
	meant->head[which] = packets_keep(set);
	meant->made[which] = true;
	return set;
}

/* --- a whole rule --- */

static struct packets seen_set(const struct view *view, uint32_t set, enum packet_field field)
{
	if (view->seen != NULL)
		return view->seen(view->context, view->intent->sets.items[set].name, view->family, field);
	return packets_addresses(field, set_addresses(view->intent, set, view->family));
}

static struct packets peers_packets(const struct view *view, const struct meant_rule *meant)
{
	const struct meant_literals *literals = &meant->literals[family_index(view->family)];
	enum packet_field field = view->out ? FIELD_DESTINATION : FIELD_SOURCE;
	struct packets set = packets_none();

	if (meant->held->rule.any)
		return packets_all();
	if (literals->kind == LITERALS_PREFIX)
		set = packets_prefix(field, literals->prefix);
	else if (literals->kind == LITERALS_SET)
		set = seen_set(view, literals->set, field);
	for (size_t i = 0; i < meant->set_count; i++)
		set = packets_or(set, seen_set(view, meant->sets[i], field));
	return set;
}

/* On a monitored machine limits are not counted. */
struct packets rule_packets(const struct view *view, struct meant_rule *meant)
{
	struct packets set = rule_head(view->intent, meant, view->family);

	if (packets_empty(set))
		return set;
	set = packets_and(set, peers_packets(view, meant));
	if (meant->rate.n > 0 && !view->monitor)
		set = packets_and(set, packets_condition(meant->rate));
	if (meant->ending.n > 0)
		set = packets_and(set, packets_condition(meant->ending));
	return set;
}

/* --- a role --- */

struct packets union_of(struct packets *sets, size_t count)
{
	if (count == 0)
		return packets_none();
	while (count > 1) {
		size_t half = (count + 1) / 2;

		for (size_t i = 0; i + half < count; i++)
			sets[i] = packets_or(sets[i], sets[i + half]);
		count = half;
	}
	return sets[0];
}

struct packets role_packets(struct arena *scratch, const struct view *view, struct meant_role *role,
                            enum action action)
{
	struct packets *sets = ARENA_ARRAY(scratch, struct packets, role->rule_count);
	size_t count = 0;

	for (size_t i = 0; i < role->rule_count; i++) {
		const struct rule *rule = &role->rules[i].held->rule;

		if (rule->action == action && (rule->direction == DIRECTION_OUT) == view->out)
			sets[count++] = rule_packets(view, &role->rules[i]);
	}
	return union_of(sets, count);
}
