/* The rules of roles with the addresses that each speaks of, made when first asked for; and which machines have the
 * same ruleset. It knows no assertion. */
#include "fleetwall/arena.h"
#include "fleetwall/buf.h"
#include "policy_parts.h"

/* --- what rules speak of --- */

static const struct addr_set *everybody(enum family family)
{
	static struct range all[] = {{0, UINT32_MAX, FAMILY_4}, {0, ~(addr_bits)0, FAMILY_6}};
	static const struct addr_set sets[] = {{FAMILY_4, &all[0], 1}, {FAMILY_6, &all[1], 1}};

	return &sets[family == FAMILY_6];
}

static const struct addr_set *literals(struct judging *judging, const struct rule *rule, enum family family)
{
	struct addr_set *set = ARENA_NEW(judging->arena, struct addr_set);
	struct range *ranges;
	size_t count = rule_literals(judging->arena, rule, family, &ranges);

	*set = addr_set_of(judging->arena, family, ranges, count);
	return set;
}

static void add_set(struct judging *judging, struct set_list *list, const struct addr_set *set)
{
	if (set->count > 0)
		APPEND(judging->arena, list, set);
}

static void weigh_family(struct judging *judging, const struct indexed_rule *indexed, size_t family,
                         struct set_list *list)
{
	const struct rule *rule = &indexed->effective->held->rule;

	if (rule->any) {
		add_set(judging, list, everybody(family_at(family)));
		return;
	}
	add_set(judging, list, literals(judging, rule, family_at(family)));
	for (size_t i = 0; i < rule->peer_count; i++)
		if (indexed->peers[i] != NAMES_NONE)
			add_set(judging, list,
			        peers_set(judging->explainer->peers, indexed->peers[i], rule->action != ACTION_ALLOW,
			                  family_at(family)));
}

const struct set_list *rule_addresses(struct judging *judging, struct weighed *weighed, size_t family)
{
	if (!weighed->weighed[family])
		weigh_family(judging, weighed->indexed, family, &weighed->sets[family]);
	weighed->weighed[family] = true;
	return &weighed->sets[family];
}

static void weigh_list(struct judging *judging, const struct rule_list *rules, struct weighed_list *list)
{
	for (size_t i = 0; i < rules->count; i++) {
		struct weighed *weighed = ARENA_NEW(judging->arena, struct weighed);

		*weighed = (struct weighed){.indexed = rules->items[i], .effective = rules->items[i]->effective};
		APPEND(judging->arena, list, weighed);
	}
}

const struct weighed_role *weighed_role(struct judging *judging, uint32_t number)
{
	struct weighed_role *role = judging->roles[number];
	const struct indexed_role *indexed;

	if (role != NULL)
		return role;
	role = judging->roles[number] = ARENA_NEW(judging->arena, struct weighed_role);
	indexed = explainer_role(judging->explainer, number);
	for (enum direction direction = DIRECTION_IN; direction <= DIRECTION_OUT; direction++)
		for (enum action action = ACTION_ALLOW; action <= ACTION_REJECT; action++)
			weigh_list(judging, &indexed->lists[direction][action], &role->lists[direction][action]);
	return role;
}

/* --- positions --- */

unsigned machine_ssh_port(const struct judging *judging, uint32_t number)
{
	const struct machine *machine = judging->resolved->machines[number].machine;

	return machine->ssh_port != 0 ? machine->ssh_port : judging->settings->ssh_port;
}

static void add_number(struct buf *buf, uint32_t number)
{
	buf_add(buf, (struct str){(const char *)&number, sizeof number});
}

void policy_positions(struct judging *judging)
{
	const struct resolved *resolved = judging->resolved;
	struct names *names = names_new(judging->arena);
	struct buf key = buf_new(judging->arena);

	judging->position_of = ARENA_ARRAY(judging->arena, uint32_t, resolved->fleet->machine_count);
	for (uint32_t i = 0; i < resolved->fleet->machine_count; i++) {
		const struct resolved_machine *machine = &resolved->machines[i];

		if (judging->ruled[i] == RULED_NOT)
			continue;
		key.n = 0;
		add_number(&key, machine_ssh_port(judging, i));
		add_number(&key, machine_egress_closed(resolved, i));
		for (size_t j = 0; j < machine->role_count; j++)
			if (resolved->roles[machine->roles[j]].rule_count > 0)
				add_number(&key, machine->roles[j]);
		judging->position_of[i] = names_add(names, buf_str(&key));
	}
	judging->position_count = names_count(names);
}

/* --- packets that two speak of --- */

static bool ports_meet(const struct match_what *a, const struct match_what *b)
{
	if (a->port_count == 0 || b->port_count == 0)
		return true;
	for (size_t i = 0; i < a->port_count; i++)
		for (size_t j = 0; j < b->port_count; j++)
			if (a->ports[i].first <= b->ports[j].last && b->ports[j].first <= a->ports[i].last)
				return true;
	return false;
}

static bool matches_meet(const struct match_what *a, const struct match_what *b)
{
	if (a->protocol == 0 || b->protocol == 0)
		return true;
	return a->protocol == b->protocol && ports_meet(a, b) &&
	       (a->icmp_type < 0 || b->icmp_type < 0 || a->icmp_type == b->icmp_type);
}

bool whats_meet(struct judging *judging, const struct what *a, const struct what *b)
{
	const struct rule rules[2] = {{.what = *a}, {.what = *b}};
	const struct fleet *fleet = judging->resolved->fleet;

	for (size_t family = 0; family < POLICY_FAMILIES; family++) {
		struct match_what *left, *right;
		size_t lefts = rule_whats(judging->scratch, fleet, &rules[0], family_at(family), &left);
		size_t rights = rule_whats(judging->scratch, fleet, &rules[1], family_at(family), &right);

		for (size_t i = 0; i < lefts; i++)
			for (size_t j = 0; j < rights; j++)
				if (matches_meet(&left[i], &right[j]))
					return true;
	}
	return false;
}
