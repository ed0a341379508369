/* Why a packet is treated as it is: the stage that decides, and the rules of it that cover the packet. One packet
 * against rules, one by one; addresses are looked up, so that no set becomes a diagram. */
#include "fleetwall/arena.h"
#include "intent_parts.h"

struct asking {
	struct arena *arena;
	struct intent *intent;
	size_t machine;
	bool out, monitor;
	const struct sample *packet;
};

static bool holds(const struct asking *asking, struct str condition)
{
	return str_among(condition, asking->packet->conditions, asking->packet->condition_count);
}

static bool prefix_has(struct prefix prefix, struct addr addr)
{
	return range_covers(prefix_range(prefix), (struct range){addr.bits, addr.bits, addr.family});
}

static bool peers_have(const struct asking *asking, const struct meant_rule *meant)
{
	enum family family = asking->packet->family;
	const struct meant_literals *literals = &meant->literals[family_index(family)];
	struct addr addr = asking->out ? asking->packet->destination : asking->packet->source;

	if (meant->held->rule.any || (literals->kind == LITERALS_PREFIX && prefix_has(literals->prefix, addr)))
		return true;
	if (literals->kind == LITERALS_SET && addr_set_has(set_addresses(asking->intent, literals->set, family), addr))
		return true;
	for (size_t i = 0; i < meant->set_count; i++)
		if (addr_set_has(set_addresses(asking->intent, meant->sets[i], family), addr))
			return true;
	return false;
}

static bool covers(const struct asking *asking, struct meant_rule *meant)
{
	if (!packets_have(rule_head(asking->intent, meant, asking->packet->family), asking->packet))
		return false;
	if (meant->rate.n > 0 && !asking->monitor && !holds(asking, meant->rate))
		return false;
	return (meant->ending.n == 0 || holds(asking, meant->ending)) && peers_have(asking, meant);
}

/* --- the stages --- */

struct covering {
	struct {
		const struct role_rule **items;
		size_t count, capacity;
	} rules;
	struct {
		const struct role **items;
		size_t count, capacity;
	} roles;
};

static struct covering covering_rules(const struct asking *asking, enum action action)
{
	struct intent *intent = asking->intent;
	const struct number_list *held = &intent->held[asking->machine];
	struct covering found = {0};

	for (size_t i = 0; i < held->count; i++) {
		struct meant_role *role = &intent->roles[held->items[i]];

		for (size_t j = 0; j < role->rule_count; j++) {
			const struct rule *rule = &role->rules[j].held->rule;

			if (rule->action != action || (rule->direction == DIRECTION_OUT) != asking->out ||
			    !covers(asking, &role->rules[j]))
				continue;
			APPEND(asking->arena, &found.rules, role->rules[j].held);
			APPEND(asking->arena, &found.roles, &intent->fleet->roles[held->items[i]]);
		}
	}
	return found;
}

static bool decided_by_rules(const struct asking *asking, struct intent_reason *reason)
{
	static const struct {
		enum action action;
		const char *stage;
	} order[] = {{ACTION_DENY, "deny"}, {ACTION_REJECT, "reject"}, {ACTION_ALLOW, "allow"}};

	for (size_t i = 0; i < sizeof order / sizeof *order; i++) {
		struct covering found = covering_rules(asking, order[i].action);

		if (found.rules.count == 0)
			continue;
		*reason = (struct intent_reason){str_of(order[i].stage), found.rules.items, found.roles.items,
		                                 found.rules.count};
		return true;
	}
	return false;
}

static bool is_management(const struct asking *asking)
{
	return packets_have(management_of(asking->intent, asking->machine, asking->packet->family, asking->out),
	                    asking->packet);
}

static bool is_housekeeping(const struct asking *asking)
{
	const struct housekeeping *housekeeping = housekeeping_of(asking->intent, asking->packet->family, asking->out);

	return packets_have(housekeeping->before, asking->packet) || packets_have(housekeeping->drop, asking->packet) ||
	       packets_have(housekeeping->behind, asking->packet);
}

struct intent_reason intent_why(struct arena *arena, struct intent *intent, size_t number, bool out,
                                const struct sample *packet)
{
	const struct machine *machine = &intent->fleet->machines[number];
	bool shared = machine->mode == MODE_COEXIST || machine->enforcement == ENFORCEMENT_MONITOR;
	struct asking asking = {arena, intent, number, out, machine->enforcement == ENFORCEMENT_MONITOR, packet};
	struct intent_reason reason = {.stage = STR("default")};

	if (!has_ruleset(machine))
		reason.stage = STR("no-ruleset");
	else if (shared && is_management(&asking))
		reason.stage = STR("management");
	else if (is_housekeeping(&asking))
		reason.stage = STR("housekeeping");
	else if (is_management(&asking))
		reason.stage = STR("management");
	else
		decided_by_rules(&asking, &reason);
	return reason;
}
