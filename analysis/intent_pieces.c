/* The pieces of the intent by themselves, for questions that ask who lets what in: a rule, what is refused, what stands
 * before the rules. It decides nothing. */
#include "fleetwall/arena.h"
#include "intent_parts.h"

static struct meant_rule *meant_rule(struct intent *intent, const struct intent_rule *rule)
{
	struct meant_role *role = &intent->roles[rule->role - intent->fleet->roles];

	for (size_t i = 0; i < role->rule_count; i++)
		if (role->rules[i].held == rule->rule)
			return &role->rules[i];
	return NULL;
}

struct packets intent_rule_packets(struct intent *intent, const struct intent_rule *rule, enum family family,
                                   intent_peer_seen *seen, void *context)
{
	bool out = rule->rule->rule.direction == DIRECTION_OUT;
	struct view view = {intent, family, out, false, seen, context};
	struct meant_rule *meant = meant_rule(intent, rule);

	return meant == NULL ? packets_none() : rule_packets(&view, meant);
}

static const struct addr_set *prefix_set(struct arena *arena, struct prefix prefix)
{
	struct addr_set *set = ARENA_NEW(arena, struct addr_set);
	struct range range = prefix_range(prefix);

	*set = addr_set_of(arena, range.family, &range, 1);
	return set;
}

size_t intent_rule_sets(struct arena *arena, struct intent *intent, const struct intent_rule *rule, enum family family,
                        const struct addr_set ***sets)
{
	struct meant_rule *meant = meant_rule(intent, rule);
	const struct meant_literals *literals;
	size_t count = 0;

	*sets = NULL;
	if (meant == NULL || rule->rule->rule.any)
		return 0;
	literals = &meant->literals[family_index(family)];
	*sets = ARENA_ARRAY(arena, const struct addr_set *, meant->set_count + 1);
	if (literals->kind == LITERALS_PREFIX)
		(*sets)[count++] = prefix_set(arena, literals->prefix);
	else if (literals->kind == LITERALS_SET)
		(*sets)[count++] = set_addresses(intent, literals->set, family);
	for (size_t i = 0; i < meant->set_count; i++)
		(*sets)[count++] = set_addresses(intent, meant->sets[i], family);
	return count;
}

struct packets intent_refused(struct arena *arena, struct intent *intent, size_t machine, enum family family, bool out,
                              intent_peer_seen *seen, void *context)
{
	struct view view = {intent, family, out, false, seen, context};
	const struct number_list *held = &intent->held[machine];
	struct packets *sets = ARENA_ARRAY(arena, struct packets, 2 * held->count);

	for (size_t i = 0; i < held->count; i++) {
		sets[2 * i] = role_packets(arena, &view, &intent->roles[held->items[i]], ACTION_DENY);
		sets[2 * i + 1] = role_packets(arena, &view, &intent->roles[held->items[i]], ACTION_REJECT);
	}
	return union_of(sets, 2 * held->count);
}

struct packets intent_role_packets(struct arena *arena, struct intent *intent, size_t role, enum action action,
                                   enum family family, bool out, intent_peer_seen *seen, void *context)
{
	struct view view = {intent, family, out, false, seen, context};

	return role_packets(arena, &view, &intent->roles[role], action);
}

struct packets intent_housekeeping(struct intent *intent, enum family family, bool out)
{
	const struct housekeeping *housekeeping = housekeeping_of(intent, family, out);
	struct packets behind = packets_without(housekeeping->behind, housekeeping->drop);

	return packets_and(packets_or(housekeeping->before, behind), packets_family(family));
}

struct packets intent_management(const struct intent *intent, size_t machine, enum family family, bool out)
{
	return management_of(intent, machine, family, out);
}
